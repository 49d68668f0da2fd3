"""Drives the kernels: lets workers search, level by level, and sees to whatever a kernel returns with.

A search goes level by level. `start_level` cuts the states that the last level found into blocks; `round` lets all workers
take blocks for some milliseconds, after which everybody is back in Python, so that the caller can look at limits, report
progress, answer Ctrl-C, or put faster code in place (`kernels`). A round ends with a pause, not with a block, so the result
does not depend on its length; with one worker, neither does the order.

    explorer.add_initial(states)
    while explorer.start_level():
        while explorer.round() is Outcome.MORE:
            …

Native code runs without the interpreter's lock. The calling thread is the first worker; the others are threads that wait for
work. Whether a level is done is decided from what all of them returned, after all of them have returned: to decide it from
shared memory, while one still runs, is a race that ends in a wrong count. When one worker needs something, the kernels stop
the rest at their next batch. All that is decided about memory and all that is reported happens in the calling thread.

With the kernels as CPython runs them (`interpreted`), everything works on the same memory in the same way, only slowly.
"""

from __future__ import annotations

import enum
import time
from collections.abc import Callable, Iterable, Sequence
from ctypes import Array, addressof, c_uint64
from typing import Protocol

from checker.native import abi
from checker.native.entries import ENTRIES, Kernels, interpreted, native
from checker.native.memory import HUGE, Region
from checker.native.store import ArenaState, Snapshot, Store
from checker.native.workers import NEVER, Call, Pool, Sizes, Words, Worker

__all__ = [
    "ENTRIES",
    "ArenaState",
    "Explorer",
    "Handler",
    "Kernels",
    "Outcome",
    "Snapshot",
    "interpreted",
    "native",
]

ROUND = 0.008
"""Seconds that a round should take."""

SPLIT = 32
"""Blocks of a level for each worker, so that all of them are done at about the same time."""

MARKED = 2
"""From so many marks for each worker on, a block is at least as long as they are apart: to look for other cuts takes longer."""

REFILL = 1 << 24
"""How many bytes of an arena are taken over at once."""


class Handler(Protocol):
    """What the explorer cannot decide. All calls come from the thread that calls the explorer."""

    def on_state(self, worker: int, state: int, parent: int) -> None:
        """`visit` reports the new state at an address, whose parent is a reference or NO_PARENT."""

    def on_step(self, worker: int, old: int, new: int, parent: int) -> None:
        """`transition` reports the step between the states at two addresses."""

    def on_expanded(self, worker: int, state: int, ref: int, report: int) -> None:
        """`expand` reports something (CTX_REPORT) about a state, all of whose successors have been dealt with."""

    def on_defer(self, worker: int, state: Words, ref: int) -> tuple[Sequence[Words], int]:
        """Expands a state: gives all its successors, which are counted, and what CTX_REPORT is to be."""

    def may_grow(self, size: int) -> bool:
        """Whether so many more bytes may be used."""


class Outcome(enum.Enum):
    """How a round ended."""

    MORE = enum.auto()
    LEVEL = enum.auto()
    """The level is done."""
    LIMIT = enum.auto()
    MEMORY = enum.auto()
    """Something has to grow and may not. A further round tries again."""


class Explorer(Store):
    """One search. Between two rounds `kernels` may be replaced by faster ones for the same spec, and `crew` changed."""

    def __init__(self, kernels: Kernels, sizes: Sizes, handler: Handler) -> None:
        super().__init__(sizes)
        self.kernels = kernels
        self.handler = handler
        self._blocks: Array[c_uint64] = (c_uint64 * 0)()
        self._quota = sizes.quota or 4096
        self._pool = Pool(sizes.workers - 1)
        self.crew = sizes.workers
        """How many workers take part in a round: the rest wait, unless they alone have something left to do."""

    # ---- the search

    def add_initial(self, states: Iterable[Words]) -> None:
        """Looks up initial states, each without a parent. Comes before the first level."""
        self.levels.append(0)
        worker = self._workers[0]
        worker.write_pending(list(states), abi.NO_PARENT)
        worker.active = True
        worker.ctx[abi.CTX_PAUSE_AT] = NEVER
        while worker.active:
            self._shared[abi.SHARED_STOP] = 0
            if self._settle(worker, self.kernels.run(worker.address)) is Outcome.MEMORY:
                raise MemoryError
        self.levels[0] = self.states

    def restore(self, snapshot: Snapshot, read: Callable[[int, int, memoryview], object]) -> None:
        """Takes over a search that was kept, instead of `add_initial`.

        Args:
            snapshot: What `snapshot` gave; it may have come from more workers if `Sizes.arenas` says so.
            read: Called for each part of each arena with its number and an offset in words: has to fill the memory with
                the words from there on.

        Raises:
            MemoryError: There is not enough of it.
            ValueError: What was read are not the states of the snapshot.
        """
        for worker, arena in zip(self._workers, snapshot.arenas, strict=False):
            self._refill(worker, arena, read)
        self.levels = list(snapshot.levels)
        ctx = self._workers[0].ctx
        ctx[abi.CTX_TRANSITIONS], ctx[abi.CTX_EXPANDED] = snapshot.transitions, snapshot.expanded
        ctx[abi.CTX_BOUND_CUT] = snapshot.bound_cut
        if self._sizes.max_states is not None:
            others = self.states - ctx[abi.CTX_RECORDS]
            ctx[abi.CTX_MAX_STATES] = max(self._sizes.max_states - others, 0)

    def _refill(self, worker: Worker, arena: ArenaState, read: Callable[[int, int, memoryview], object]) -> None:
        """Fills an arena piece by piece, so that what has been taken over can go to disk again."""
        number, start = worker.ctx[abi.CTX_WORKER], worker.arena.start
        at, size = 1, max(REFILL // 8, 2 * abi.MOST_WORDS)
        while at < arena.end:
            stop = min(at + size, arena.end)
            while worker.ctx[abi.CTX_ARENA_END] < start + 8 * stop:
                if self._extend(worker) is Outcome.MEMORY:
                    raise MemoryError
            read(number, at, self.arena_words(number, at, stop))
            whole = start + 8 * (stop if stop == arena.end else stop - abi.MOST_WORDS)  # the last record may be cut
            while (status := self.kernels.adopt(worker.address, whole)) != abi.DONE:
                if self._settle(worker, status) is Outcome.MEMORY:
                    raise MemoryError
            at = stop
        if (worker.ctx[abi.CTX_RECORDS], worker.ctx[abi.CTX_ARENA_NEXT]) != (arena.records, start + 8 * arena.end):
            raise ValueError(f"{arena.records} states were expected, {worker.ctx[abi.CTX_RECORDS]} came")
        worker.level_end = start + 8 * arena.frontier, arena.frontier_record

    def start_level(self) -> int:
        """Makes the states that the last level found the next one, and gives their number: 0 ends the search."""
        for number, worker in enumerate(self._workers):
            worker.level = worker.level_end
            worker.level_end = worker.ctx[abi.CTX_ARENA_NEXT], worker.ctx[abi.CTX_RECORDS]
            self._level_ends[number] = (worker.level_end[0] - worker.arena.start) >> 3
            if len(self._workers) > 1:
                self._starts.extend(worker.level)
        self._memos.turn([(w.level[1], w.level_end[1]) for w in self._workers], self.handler.may_grow)
        found = self._lay_out_level()
        if found:
            self.levels.append(0)
        return found

    @property
    def may_revisit(self) -> bool:
        """Whether `revisit` is possible: all levels were searched here, with several workers, and are still in memory."""
        return self._all_known and all(w.arena.spilled == w.arena.start for w in self._workers)

    def revisit(self, level: int, mode: int) -> int:
        """Makes an earlier level the current one, for a `mode` of `run` other than SEARCH, and gives the number of its states.

        After that nothing can be searched any more.
        """
        self._memos.release()
        self._shared[abi.SHARED_MODE] = mode
        words = 2 * len(self._workers)
        starts = self._starts[words * level : words * (level + 2)]
        for number, worker in enumerate(self._workers):
            worker.level, worker.level_end = ((starts[i], starts[i + 1]) for i in (2 * number, 2 * number + words))
        return self._lay_out_level()

    def look_for(self, table: int, bits: int, spans: Iterable[tuple[int, int]]) -> None:
        """Fills an empty table of so many bits with the states of some entries, for which RETRACE looks then (`kernels.again`).

        Args:
            table: Its address, 0 for none.
            bits: A power of two: how many slots of two words it has.
            spans: Where entries begin and end.
        """
        self._shared[abi.SHARED_WANTED], self._shared[abi.SHARED_WANTED_SHIFT] = table, 64 - bits
        self._shared[abi.SHARED_MODE] = abi.ENTER
        worker = self.first
        for start, end in spans:
            worker.ctx[abi.CTX_PENDING], worker.ctx[abi.CTX_PENDING_END] = start, end
            self.kernels.run(worker.address)
        worker.use_buffer(worker.out)

    def _lay_out_level(self) -> int:
        """Cuts the current level into blocks, and gives the number of its states."""
        found = sum(worker.level_end[1] - worker.level[1] for worker in self._workers)
        columns: list[list[int]] = [[] for _ in range(abi.BLOCK_WORDS)]
        for i, worker in enumerate(self._workers):
            first = len(columns[0])
            cuts, numbers = self._cut(worker, found)
            ref = self._reference(worker, cuts[0])
            refs = [ref + ((cut - cuts[0]) >> 3) for cut in cuts[:-1]]
            for column, values in zip(columns, (cuts[:-1], cuts[1:], refs, numbers), strict=True):
                column += values
            self._queues[abi.QUEUE_WORDS * i : abi.QUEUE_WORDS * (i + 1)] = [first, len(columns[0])]
        self._blocks = blocks = (c_uint64 * (abi.BLOCK_WORDS * len(columns[0])))()
        for i, column in enumerate(columns):
            blocks[i :: abi.BLOCK_WORDS] = column  # type: ignore[assignment]
        self._shared[abi.SHARED_BLOCKS] = addressof(blocks)
        alone = len(columns[0]) <= 1
        for worker in self.searchers:
            worker.active = worker is self._workers[0] or not alone
        return found

    def round(self) -> Outcome:
        """Lets all workers go on for a while."""
        before = time.perf_counter()
        for worker in self.searchers:
            worker.ctx[abi.CTX_PAUSE_AT] = worker.work + self._quota
            self._prepare(worker)
        outcome = Outcome.MORE
        while outcome is Outcome.MORE:
            busy = [w for w in self._workers[: self.crew] if w.active] or [w for w in self._workers if w.active]
            if not busy or any(w.work >= w.ctx[abi.CTX_PAUSE_AT] for w in busy):  # who is first ends the round for all
                break
            self._shared[abi.SHARED_STOP] = 0
            statuses = self.together([(self.kernels.run, (w.address,)) for w in busy])
            for worker, status in zip(busy, statuses, strict=True):
                result = self._settle(worker, status)
                outcome = result if outcome is Outcome.MORE else outcome
            if time.perf_counter() - before > 2 * ROUND:  # growing took longer than searching
                break
        if self.levels and self._shared[abi.SHARED_MODE] == abi.SEARCH:
            self.levels[-1] = self.states - sum(w.level_end[1] for w in self._workers)
        if outcome is Outcome.MORE and not any(w.active for w in self._workers):
            outcome = Outcome.LEVEL
        seconds = time.perf_counter() - before
        if self._sizes.quota is None and outcome is Outcome.MORE:
            if seconds < ROUND / 2:
                self._quota *= 2
            elif seconds > ROUND * 2:
                self._quota = max(self._quota // 2, 1)
        return outcome

    def together(self, calls: Sequence[Call]) -> list[int]:
        """Runs calls at the same time, at most one for each worker, the first of them here, and gives what they gave.

        Interrupted, it waits until all have stopped.
        """
        self._pool.start(calls[1:])
        statuses: list[int] = []
        try:
            statuses.append(calls[0][0](*calls[0][1]))
        finally:
            try:
                others = self._pool.join()
            except BaseException:
                self._shared[abi.SHARED_STOP] = 1
                self._pool.join()
                raise
        return statuses + others

    def close(self) -> None:
        """Ends the threads and gives all memory back."""
        self._pool.close()
        super().close()

    def _cut(self, worker: Worker, found: int) -> tuple[list[int], Sequence[int]]:
        """Cuts a worker's part of the level, of so many states, into blocks.

        Returns:
            The addresses where they begin, and where the last one ends; the number of the first record of each.
        """
        (start, first), (end, last) = worker.level, worker.level_end
        if first == last:
            return [start], []
        if self._sizes.workers == 1:
            return [start, end], [first]
        size = max(16, found // (SPLIT * self._sizes.workers))
        if found >= MARKED * abi.MARK_EVERY * self._sizes.workers:
            marks = self._marks(worker)
            marked = range(first // abi.MARK_EVERY + 1, -(-last // abi.MARK_EVERY), max(size // abi.MARK_EVERY, 1))
            return [start, *(marks[i] for i in marked), end], [first, *(abi.MARK_EVERY * i for i in marked)]
        numbers = range(first, last, size)  # few states may yet take long
        if self._sizes.record:
            return [*range(start, end, size * self._sizes.record), end], numbers
        cuts, at = [], start
        for number in range(first, last):
            if (number - first) % size == 0:
                cuts.append(at)
            at += self._record_size(at)
        return [*cuts, end], numbers

    # ---- what workers return with

    def _settle(self, worker: Worker, status: int) -> Outcome:
        ctx, handler, number = worker.ctx, self.handler, worker.ctx[abi.CTX_WORKER]
        match status:
            case abi.DONE:
                worker.active = False
            case abi.PAUSED:
                pass
            case abi.GROW:
                return self._grow(ctx[abi.CTX_EVENT_REF])
            case abi.ARENA_FULL:
                return self._extend(worker)
            case abi.NEED_SPACE:
                size = 2 * (worker.out.end - worker.out.start)
                if not handler.may_grow(size):
                    return Outcome.MEMORY
                worker.use_buffer(Region(size))
            case abi.EVENT_STATE:
                handler.on_state(number, ctx[abi.CTX_EVENT_STATE], ctx[abi.CTX_EVENT_REF])
            case abi.EVENT_STEP:
                old, new = ctx[abi.CTX_EVENT_OLD], ctx[abi.CTX_EVENT_STATE]
                handler.on_step(number, old, new, ctx[abi.CTX_EVENT_REF])
            case abi.EVENT_EXPANDED:
                report, ctx[abi.CTX_REPORT] = ctx[abi.CTX_REPORT], 0
                handler.on_expanded(number, ctx[abi.CTX_EVENT_STATE], ctx[abi.CTX_EVENT_REF], report)
            case abi.DEFER:
                self._expand(worker)
            case abi.LIMIT:
                return Outcome.LIMIT
            case _:
                raise AssertionError(f"a kernel returned {status}")
        return Outcome.MORE

    def _expand(self, worker: Worker) -> None:
        """Has a state expanded by the handler."""
        ctx = worker.ctx
        ref, record = ctx[abi.CTX_BLOCK_REF], ctx[abi.CTX_BLOCK]
        successors, report = self.handler.on_defer(ctx[abi.CTX_WORKER], self.words(record + 8), ref)
        worker.write_pending(successors, ref)
        ctx[abi.CTX_REPORT] = report
        ctx[abi.CTX_TRANSITIONS] += len(successors)
        ctx[abi.CTX_EXPANDED] += 1
        size = self._record_size(record)
        ctx[abi.CTX_BLOCK] = record + size
        ctx[abi.CTX_BLOCK_REF] = ref + size // 8
        ctx[abi.CTX_BLOCK_NUMBER] += 1

    def _grow(self, number: int) -> Outcome:
        """Grows a shard, unless that has been done since, and others that are about as full."""
        at = abi.SHARED_SHARDS + 4 * number
        if self._shared[at + abi.SHARD_COUNT] < self._shared[at + abi.SHARD_LIMIT]:
            return Outcome.MORE
        due = self._tables.due(number)
        if not self.handler.may_grow(self._tables.need(due)):
            due = [number]
            if not self.handler.may_grow(self._tables.need(due)):
                return Outcome.MEMORY
        due.sort()
        larger = {n: self._tables.larger(n) for n in due}
        self._tables.populate(due)
        workers = self.searchers

        def move(worker: Worker, numbers: list[int]) -> int:
            for n in numbers:
                self.kernels.grow(worker.address, n, *larger[n])
            return 0

        share = -(-len(due) // len(workers))  # side by side, so that no two workers wait for the same page
        self.together([(move, (worker, due[i * share : (i + 1) * share])) for i, worker in enumerate(workers)])
        for n in due:
            self._tables.moved(n)
        return Outcome.MORE

    def _prepare(self, worker: Worker) -> None:
        """Asks for the pages that a worker will come to, and lets it write there."""
        if self._prefault is not None:
            upto = self._prefault.following(worker.arena, worker.ctx[abi.CTX_ARENA_NEXT])
            if upto > worker.ctx[abi.CTX_ARENA_END]:
                self._extend(worker)

    def _extend(self, worker: Worker) -> Outcome:
        """Lets more of an arena be written."""
        least, most = self._sizes.chunks
        end = worker.ctx[abi.CTX_ARENA_END]
        size = min(max(end - worker.arena.start, least), most, worker.arena.end - end)
        while size == 0 or not self.handler.may_grow(size):
            if size <= least:
                return Outcome.MEMORY
            size = max(size // 4 // 8 * 8, least)
        worker.arena.populate(end, min(end + size, worker.arena.start + HUGE))  # behind that, its pages are huge
        worker.ctx[abi.CTX_ARENA_END] = end + size
        return Outcome.MORE
