"""What a search has found, and the memory that it stands in.

The store owns all that native code works on: the block that the workers share, the tables of the visited set, and the workers
with their arenas. States are never moved and never change, so everything about them can be asked for at any time between two
rounds: by reference, along the path that led there, or all of them. Parts that are not needed any more go to disk (`spill`), and
what has to be kept to go on another day is the arenas and a `Snapshot`.
"""

from __future__ import annotations

import itertools
from array import array
from collections.abc import Iterator, Sequence
from ctypes import Array, addressof, c_uint64, sizeof
from pathlib import Path

from checker.base.data import dataclass
from checker.native import abi, ample
from checker.native.memory import HUGE, Region, Tables, words_at
from checker.native.memos import Memos
from checker.native.prefault import Prefault
from checker.native.workers import Sizes, Words, Worker

SPILL_LEAST = 1 << 20
"""Less than so many bytes are not worth a file."""


@dataclass(frozen=True, slots=True)
class ArenaState:
    """How far an arena is filled, and which part of it the next level is: offsets in words, and numbers of records."""

    end: int
    records: int
    frontier: int
    frontier_record: int


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A search between two levels, but for what stands in the arenas."""

    arenas: tuple[ArenaState, ...]
    levels: tuple[int, ...]
    transitions: int
    expanded: int
    bound_cut: int


class Store:
    """The memory of one search."""

    def __init__(self, sizes: Sizes) -> None:
        self._sizes = sizes
        count = max(sizes.workers, sizes.arenas)
        self._memory = Region(8 * (abi.SHARED_WORDS + (4 + abi.QUEUE_WORDS) * count))
        shared = self._memory.start
        self._shared = words_at(shared, abi.SHARED_WORDS)
        self._prefault = Prefault() if sizes.prefault else None
        prepare = None if self._prefault is None else self._prefault.whole
        self._tables = Tables(self._shared, sizes.workers, sizes.table_bits, sizes.fill, prepare, sizes.fourfold)
        self._workers = [Worker(number, sizes, shared) for number in range(count)]
        self._arenas, self._level_ends = (words_at(shared + 8 * (abi.SHARED_WORDS + n), count) for n in (0, count))
        self._arenas[:] = [worker.arena.start for worker in self._workers]
        self._disk = words_at(shared + 8 * (abi.SHARED_WORDS + 2 * count), 2 * count)
        self._queues = words_at(shared + 8 * (abi.SHARED_WORDS + 4 * count), abi.QUEUE_WORDS * count)
        self._shared[abi.SHARED_QUEUES] = addressof(self._queues)
        self._shared[abi.SHARED_QUEUES_END] = addressof(self._queues) + sizeof(self._queues)
        self._shared[abi.SHARED_ARENAS] = addressof(self._arenas)
        self._shared[abi.SHARED_LEVELS] = addressof(self._level_ends)
        self._shared[abi.SHARED_DISK] = addressof(self._disk)
        self._shared[abi.SHARED_WORKERS] = sizes.workers
        self._memos = Memos([worker.marks.start for worker in self._workers], sizes.memo)
        self._shared[abi.SHARED_MEMOS] = self._memos.address
        self._starts: array[int] = array("Q")
        """Of several workers: where the part of each in each level begins, its address and the number of its first record."""
        self.levels: list[int] = []
        """How many states were found at each depth. The last one grows."""

    def close(self) -> None:
        """Gives all memory back."""
        if self._prefault is not None:
            self._prefault.close()
        for worker in self._workers:
            worker.release()
        self._memos.release()
        self._tables.release()

    # ---- counts

    @property
    def states(self) -> int:
        """States found so far, all different, within the bound."""
        return sum(w.ctx[abi.CTX_RECORDS] for w in self._workers)

    @property
    def transitions(self) -> int:
        """Steps taken so far."""
        return self._total(abi.CTX_TRANSITIONS)

    @property
    def expanded(self) -> int:
        """States whose successors are known."""
        return self._total(abi.CTX_EXPANDED)

    @property
    def bound_cut(self) -> int:
        """How often a state outside the bound was met."""
        return self._total(abi.CTX_BOUND_CUT)

    @property
    def depth(self) -> int:
        """The steps of the longest shortest path found."""
        return max((depth for depth, count in enumerate(self.levels) if count), default=0)

    @property
    def memory(self) -> int:
        """Bytes in use for states: what of the arenas is in memory, tables, and buffers."""
        return self.unspilled + self._tables.size + sum(w.out.end - w.out.start for w in self._workers)

    @property
    def slack(self) -> int:
        """Bytes that may become real without asking again, as the rest of the arenas is written, in huge pages or not, and as
        something is noted about the states of this level.
        """
        ends = [(w.ctx[abi.CTX_ARENA_NEXT], w.ctx[abi.CTX_ARENA_END]) for w in self._workers]
        arenas = sum(max(end - after, (-(-end // HUGE) - -(-after // HUGE)) * HUGE) for after, end in ends)
        return arenas + self._memos.due(self.expanded - sum(w.level[1] for w in self._workers))

    @property
    def unspilled(self) -> int:
        """Bytes of states that are not on disk."""
        return sum(w.ctx[abi.CTX_ARENA_NEXT] - w.arena.spilled for w in self._workers)

    @property
    def first(self) -> Worker:
        """The first worker."""
        return self._workers[0]

    @property
    def searchers(self) -> tuple[Worker, ...]:
        """The workers that search."""
        return tuple(self._workers[: self._sizes.workers])

    @property
    def everybody(self) -> tuple[Worker, ...]:
        """All workers, those included that only hold states of another search."""
        return tuple(self._workers)

    def spec_block(self, worker: int) -> Array[c_uint64]:
        """The words behind CTX_SPEC."""
        return self._workers[worker].spec

    def fill_block(self, worker: int, words: Sequence[int]) -> None:
        """Sets all of them."""
        self._workers[worker].spec[:] = list(words)

    # ---- states

    def words(self, state: int) -> Words:
        """The state whose words stand at an address, behind the header of its record."""
        header = c_uint64.from_address(state - 8).value
        return tuple(words_at(state, self._length_in(header)))

    def state(self, ref: int) -> Words:
        """The state with a reference."""
        return self.words(self._address_of(ref) + 8)

    def parent(self, ref: int) -> int | None:
        """The reference of the state that a state was found from; None for an initial state."""
        parent = c_uint64.from_address(self._address_of(ref)).value & abi.REF_MASK
        return None if parent == abi.NO_PARENT else parent

    def path(self, ref: int) -> list[int]:
        """The references of the states on a shortest path to a state, which is the last."""
        chain = [ref]
        while (parent := self.parent(chain[-1])) is not None:
            chain.append(parent)
        return chain[::-1]

    def references(self) -> Iterator[int]:
        """All states, in the order in which they were found, where there is one worker."""
        for worker in self._workers:
            at = worker.arena.start + 8
            while at < worker.ctx[abi.CTX_ARENA_NEXT]:
                yield self._reference(worker, at)
                at += self._record_size(at)

    def sample(self, most: int) -> list[int]:
        """At most so many states, evenly spread over the order in which each worker found them; all if there are no more."""
        stride = -(-self.states // max(most, 1))
        if stride < abi.MARK_EVERY:
            return list(itertools.islice(self.references(), 0, None, stride))
        found = []
        for worker in self._workers:
            marks = self._marks(worker)
            found += [self._reference(worker, record) for record in marks[:: -(-stride // abi.MARK_EVERY)]]
        return found

    def is_later(self, state: Words) -> bool:
        """Whether a state was not found before the current level began, where the visited set refers to records."""
        record = (c_uint64 * (1 + len(state)))(len(state) << abi.REF_BITS, *state)
        return bool(ample.is_later(self.first.address, addressof(record)))

    def blocks(self, size: int) -> Iterator[tuple[int, int, int]]:
        """All states in blocks of so many records, a multiple of MARK_EVERY: address, end, and reference of the first record."""
        for worker in self._workers:
            cuts = [*self._marks(worker)[:: size // abi.MARK_EVERY], worker.ctx[abi.CTX_ARENA_NEXT]]
            yield from self._between(worker, cuts)

    def strata(self) -> list[list[tuple[int, int]]]:
        """For each level which states each worker has found, as two numbers in the order of `references`.

        It is empty for one worker, whose states stand level by level anyway, and where a search was resumed.
        """
        if not self._all_known:
            return []
        ends = [w.ctx[abi.CTX_RECORDS] for w in self._workers]
        first = [sum(ends[:i]) for i in range(len(ends))]
        starts = [self._starts[2 * i + 1 :: 2 * len(ends)] for i in range(len(ends))]
        return [
            [(base + begin, base + end) for base, (begin, end) in zip(first, pairs, strict=True)]
            for pairs in zip(*(itertools.pairwise([*s, end]) for s, end in zip(starts, ends, strict=True)), strict=True)
        ]

    @property
    def _all_known(self) -> bool:
        return len(self._starts) == 2 * len(self._workers) * len(self.levels) > 0

    # ---- on disk

    def forget(self) -> None:
        """What is on disk leaves memory, until it is read again."""
        for worker in self._workers:
            worker.arena.forget()

    def spill(self, directory: Path, *, everything: bool = False, most: int = 1 << 62) -> int:
        """Moves the oldest states of a worker to a file that vanishes with the process, and gives their size; 0 if there are few.

        Addresses and references stay valid. To be called while no worker runs.

        Args:
            directory: Where the files are.
            everything: All states; else only those before the current level.
            most: At most so many bytes.

        Raises:
            OSError: The disk is full, or the directory cannot be written. Nothing is lost.
        """
        ends = [w.ctx[abi.CTX_ARENA_NEXT] if everything else w.level[0] for w in self._workers]
        size, number = max(
            (end - w.arena.spilled, n) for n, (w, end) in enumerate(zip(self._workers, ends, strict=True))
        )
        if size < SPILL_LEAST:
            return 0
        arena = self._workers[number].arena
        done = arena.spill(arena.spilled + min(size, most), directory)
        self._disk[2 * number : 2 * number + 2] = [arena.spilled, arena.descriptor]
        self._memos.release()  # so that nobody looks back at what should stay on disk
        return done

    def snapshot(self) -> Snapshot:
        """What has to be kept besides `arena_words` to go on later. To be called when a level is done."""
        arenas = []
        for worker in self._workers:
            address, number = worker.level_end
            start, end = worker.arena.start, worker.ctx[abi.CTX_ARENA_NEXT]
            records = worker.ctx[abi.CTX_RECORDS]
            arenas.append(ArenaState((end - start) >> 3, records, (address - start) >> 3, number))
        return Snapshot(tuple(arenas), tuple(self.levels), self.transitions, self.expanded, self.bound_cut)

    def arena_words(self, number: int, first: int, end: int) -> memoryview:
        """The words of an arena between two offsets, in place."""
        start = self._workers[number].arena.start + 8 * first
        return memoryview(words_at(start, end - first)).cast("B")

    def _total(self, word: int) -> int:
        return sum(w.ctx[word] for w in self._workers)

    def _between(self, worker: Worker, cuts: Sequence[int]) -> list[tuple[int, int, int]]:
        """Blocks of an arena from each of some addresses to the next: address, end, and reference of the first record."""
        return [(start, end, self._reference(worker, start)) for start, end in itertools.pairwise(cuts)]

    def _marks(self, worker: Worker) -> Array[c_uint64]:
        return words_at(worker.marks.start, -(-worker.ctx[abi.CTX_RECORDS] // abi.MARK_EVERY))

    def _address_of(self, ref: int) -> int:
        return self._arenas[ref >> abi.WORKER_SHIFT] + 8 * (ref & abi.OFFSET_MASK)

    def _reference(self, worker: Worker, record: int) -> int:
        return worker.ctx[abi.CTX_WORKER] << abi.WORKER_SHIFT | (record - worker.arena.start) >> 3

    def _record_size(self, record: int) -> int:
        return 8 + 8 * self._length_in(c_uint64.from_address(record).value)

    def _length_in(self, header: int) -> int:
        """The number of words of a state, as the header of its record has it."""
        length = header >> abi.REF_BITS
        return length % abi.FEW_WORDS if self._sizes.memo and header >> 63 else length
