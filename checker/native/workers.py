"""A worker of the native engine: its memory, its context, and the thread it runs on.

What a worker writes belongs to it alone: an arena for the states that it finds, a buffer for the successors that it has not
looked up yet, and a context in which everything stands that it needs to go on. All of it is reserved once and stays where it
is, because native code and the records of other workers point into it.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Sequence
from fractions import Fraction

from checker.base.data import dataclass
from checker.native import abi
from checker.native.memory import FOURFOLD, HUGE, SPARSE, Arena, Region, words_at

RESERVE = 1 << 40
"""Bytes of address space for the arena of a worker."""

CHUNKS = 1 << 16, 1 << 25
"""By how many bytes an arena grows: as much as it has, within these bounds."""

NEVER = (1 << 64) - 1

Words = tuple[int, ...]
Call = tuple[Callable[..., int], tuple[object, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizes:
    """How large things are. Those with a default are there for tests."""

    workers: int = 1
    memo: int = 0
    """Words that are noted about each state (`memos`)."""
    spec_words: int = 0
    spec_scratch: int = 0
    """Words of the block behind CTX_SPEC, and bytes of the memory behind CTX_SPEC_SCRATCH, of each worker."""
    record: int = 0
    """Bytes of every record; 0 where they differ in length."""
    max_states: int | None = None
    """Exact with one worker alone."""
    arenas: int = 0
    """At least so many arenas, to take over those of a search that had more workers."""
    flush: int = 8192
    batch: int = 256
    out: int = 1 << 19
    table_bits: int = 6
    fill: Fraction = SPARSE
    """How much of a table may be taken before it grows."""
    fourfold: int = FOURFOLD[0]
    """Up to which bits of their slots tables grow fourfold (`memory.Tables`)."""
    chunks: tuple[int, int] = CHUNKS
    prefault: bool = False
    """Whether pages are asked for before they are needed, which takes a processor and some memory (`prefault`)."""
    quota: int | None = None
    """States and transitions of a worker in a round. None: as many as take ROUND."""


class Worker:
    """One worker's context and memory."""

    def __init__(self, number: int, sizes: Sizes, shared: int) -> None:
        context = 8 * abi.CTX_WORDS
        scratch = _line(context + 8 * sizes.spec_words)
        spec_scratch = scratch + 16 * sizes.batch
        recalled = _line(spec_scratch + sizes.spec_scratch)
        self.memory = Region(recalled + 8 * abi.MOST_WORDS)
        start = self.memory.start
        self.arena = Arena(RESERVE, 1 << 26)
        self.arena.use_huge_pages(self.arena.start + HUGE)
        self.marks = Region((self.arena.end - self.arena.start) // abi.MARK_EVERY, 1 << 18)
        self.out = Region(sizes.out)
        self.ctx = words_at(start, abi.CTX_WORDS)
        self.spec = words_at(start + context, sizes.spec_words)
        values = {
            abi.CTX_SHARED: shared,
            abi.CTX_WORKER: number,
            abi.CTX_ARENA: self.arena.start,
            abi.CTX_ARENA_NEXT: self.arena.start + 8,
            abi.CTX_ARENA_END: self.arena.start + 8,
            abi.CTX_MARKS: self.marks.start,
            abi.CTX_SCRATCH: start + scratch,
            abi.CTX_SCRATCH_END: start + spec_scratch,
            abi.CTX_SPEC: start + context,
            abi.CTX_SPEC_SCRATCH: start + spec_scratch,
            abi.CTX_SPEC_SCRATCH_END: start + spec_scratch + sizes.spec_scratch,
            abi.CTX_RECALLED: start + recalled,
            abi.CTX_FLUSH: sizes.flush,
            abi.CTX_MAX_STATES: NEVER if sizes.max_states is None else sizes.max_states,
            abi.CTX_PARENT_REF: NEVER,
        }
        for word, value in values.items():
            self.ctx[word] = value
        self.use_buffer(self.out)
        self.level = self.level_end = (self.arena.start + 8, 0)
        """Where the current level begins and ends: the address of a record, and its number."""
        self.active = False

    @property
    def address(self) -> int:
        return self.memory.start

    @property
    def work(self) -> int:
        return self.ctx[abi.CTX_EXPANDED] + self.ctx[abi.CTX_TRANSITIONS]

    def use_buffer(self, out: Region) -> None:
        """Takes another output buffer. Nothing is pending."""
        self.out = out
        for word in (abi.CTX_OUT, abi.CTX_PENDING, abi.CTX_PENDING_END):
            self.ctx[word] = out.start
        self.ctx[abi.CTX_OUT_END] = out.end

    def write_pending(self, states: Sequence[Words], parent: int) -> None:
        """Puts records into the output buffer, in which nothing is pending."""
        need = sum(8 + 8 * len(state) for state in states)
        if need > self.out.end - self.out.start:
            self.use_buffer(Region(need))
        words = [w for state in states for w in (parent | len(state) << abi.REF_BITS, *state)]
        words_at(self.out.start, len(words))[:] = words  # type: ignore[assignment]
        self.ctx[abi.CTX_PENDING] = self.out.start
        self.ctx[abi.CTX_PENDING_END] = self.out.start + need

    def release(self) -> None:
        for region in (self.memory, self.arena, self.marks, self.out):
            region.release()


class Pool:
    """Threads that run one call each at the same time, again and again."""

    def __init__(self, threads: int) -> None:
        self._results: queue.SimpleQueue[tuple[int, int | BaseException]] = queue.SimpleQueue()
        self._tasks: list[queue.SimpleQueue[Call | None]] = [queue.SimpleQueue() for _ in range(threads)]
        self._done: list[int | BaseException | None] = []
        self._missing = 0
        for number, tasks in enumerate(self._tasks):
            threading.Thread(target=self._serve, args=(number, tasks), name=f"worker {number + 1}", daemon=True).start()

    def start(self, calls: Sequence[Call]) -> None:
        """Starts calls, at most one for each thread. `join` has to follow."""
        self._done = [None] * len(calls)
        for tasks, call in zip(self._tasks, calls, strict=False):
            self._missing += 1
            tasks.put(call)

    def join(self) -> list[int]:
        """Waits for all calls, and gives what they gave. After an interrupt it can be called again.

        Raises:
            BaseException: One of them raised it.
        """
        while self._missing:
            number, result = self._results.get()
            self._missing -= 1
            self._done[number] = result
        values = []
        for outcome in self._done:
            if isinstance(outcome, BaseException):
                raise outcome
            assert outcome is not None
            values.append(outcome)
        return values

    def close(self) -> None:
        """Ends the threads."""
        for tasks in self._tasks:
            tasks.put(None)

    def _serve(self, number: int, tasks: queue.SimpleQueue[Call | None]) -> None:
        while (call := tasks.get()) is not None:
            function, arguments = call
            try:
                self._results.put((number, function(*arguments)))
            except BaseException as problem:  # noqa: BLE001 - it is raised in the thread that waits
                self._results.put((number, problem))


def _line(size: int) -> int:
    """Rounded up to whole cache lines."""
    return (size + 63) & ~63
