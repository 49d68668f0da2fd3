"""The graph on which liveness is judged, made from a search that is complete.

The states stand in the arenas of the search. They get numbers in that order, and kernels expand them once more and write
edges with the unit of each step (`edges.linking`). What code leaves to the interpreter, it leaves to it here, too: a state that
it defers, and above all every state in which a coin may be tossed, as the recorder knows which outcomes belong to one coin. A
unit is told by a number of 64 bits (`units`), which the interpreter makes in the same way.

**Several workers** share a large graph: each has a stretch of the states, and writes their edges from 0 on into arrays of its
own. Those of the first are the graph's. When all are done, the edges of the others are moved behind them, which is why nobody
has to know beforehand how many there are. Numbers of states and of units come from tables that all have in common.

Cells lie in reserved memory that becomes real when it is written, so nothing has to grow but the table of units.
"""

from __future__ import annotations

import ctypes
import time
from collections.abc import Callable, Mapping
from ctypes import Array, addressof
from dataclasses import field
from typing import Any

from checker.base.data import dataclass
from checker.engine.liveness.cells import Cells
from checker.engine.liveness.graph import Graph, Recorder
from checker.engine.liveness.lassos import Interrupted
from checker.engine.liveness.verdicts import MEMORY, TOO_LARGE
from checker.engine.moves import Move
from checker.engine.runtime import State
from checker.engine.search import Search
from checker.native import abi
from checker.native.edges import layout as at
from checker.native.edges.linking import CUT
from checker.native.edges.numbering import LOW
from checker.native.explorer import Explorer
from checker.native.livecode import LiveCode, NativeCells, address_of
from checker.native.memory import Region, words_at
from checker.native.units import key_of
from checker.native.workers import Worker

MOST = (1 << 32) - 2
"""The most vertices, and the most edges."""

QUANTUM = 1 << 12
"""States of each worker in the first round."""

LONGEST = 1 << 15
"""The most states of each worker in a round, as memory is looked at between two of them."""

ROUND = 0.02
"""Seconds that a round should take."""

LARGE = 50_000
"""From so many states on, optimised code is made, and all workers take part."""

PIECE = 1 << 22
"""The most bytes of an array that a worker moves at a time."""

UNIT_BITS = 12
"""The table of units has room for so many at first, as a power of two."""


class Deferred(Recorder):
    """Records the edges of states that the interpreter expands, with the numbers that native code has for states and units."""

    def __init__(self, search: Search, key: Callable[[int, Move], int]) -> None:
        super().__init__(search.steps)
        self._key = key

    def number(self, number: int, move: Move) -> int:
        """The number that native code knows a unit by."""
        return self._key(number, move)


class Numbers(Mapping[State, int]):
    """The numbers of states as native code found them."""

    def __init__(self, find: Callable[[State], int]) -> None:
        self._find = find

    def __getitem__(self, state: State) -> int:
        return self._find(state)

    def __iter__(self) -> Any:
        raise TypeError("states are only looked up")

    def __len__(self) -> int:
        raise TypeError("states are only looked up")


@dataclass(slots=True)
class Share:
    """A worker, the states from `begin` to `end` that it sees to, and the block and the arrays that it works with.

    `inner`: its edges that lead to inner vertices.
    """

    worker: Worker
    block: Array[Any]
    begin: int
    end: int
    target: Cells
    unit: Cells
    inner: list[int] = field(default_factory=list)

    def add(self, target: int, unit: int) -> None:
        """One more edge."""
        e = self.block[at.EDGES]
        if e >= MOST:
            raise Interrupted(TOO_LARGE)
        if target < 0:
            self.inner.append(e)
        self.target[e], self.unit[e] = target & LOW, unit
        self.block[at.EDGES] = e + 1


Handler = Callable[[Share, int], object]


class StoredGraph:
    """Makes the graph of one exploration, and lets kernels go through its states. `close` gives the memory back."""

    def __init__(
        self,
        code: LiveCode,
        explorer: Explorer,
        reference: Search,
        cells: NativeCells,
        look: Callable[[], None],
        may_grow: Callable[[int], bool],
    ) -> None:
        """Nothing is made yet.

        Args:
            code: That of the machine.
            explorer: The search. Counters and output buffers of its workers are used.
            reference: The interpreter.
            cells: Gives arrays, and has the functions.
            look: Called some dozens of times a second; may raise to end it all.
            may_grow: Whether so many more bytes may be used.
        """
        self._plan = code.plan
        self._reference = reference
        self.states = explorer.states
        self._code = code
        self._explorer = explorer
        self._cells = cells
        self._look = look
        self._may_grow = may_grow
        self._regions: list[Region] = []
        self._numbers = Numbers(self._find)
        self._deferred = Deferred(reference, self._unit_of)

    @property
    def is_large(self) -> bool:
        """Whether it pays to bring in everything there is."""
        return self.states >= LARGE

    def make(self) -> Graph:
        """The whole graph. Raises `Interrupted`."""
        if self.states >= MOST:
            raise Interrupted(TOO_LARGE)
        self._lay_out()
        workers = [share.worker for share in self._shares]
        saved = [(list(w.spec), w.ctx[abi.CTX_TRANSITIONS], w.ctx[abi.CTX_REPORT]) for w in workers]
        try:
            self._number_states()
            self._link()
        finally:
            for w, words in zip(workers, saved, strict=True):
                w.spec[:], w.ctx[abi.CTX_TRANSITIONS], w.ctx[abi.CTX_REPORT] = words
        return self._finish(self._join())

    def state(self, number: int) -> State:
        """The state with a number."""
        return self._plan.packed.unpack(list(self._explorer.state(self._references[number])))

    def rounds(self, name: str, handlers: Mapping[int, Handler], words: Mapping[int, int] | None = None) -> None:
        """Calls an entry for all states, a few thousand at a time.

        Args:
            name: The entry.
            handlers: For what it may return with besides DONE: is given the share and the number of the state that it is about.
            words: What has to stand in the blocks for it.
        """
        for share in self._shares:
            share.block[at.NEXT] = share.begin
            for word, value in (words or {}).items():
                share.block[word] = value
        quantum = QUANTUM
        while busy := [share for share in self._shares if share.block[at.NEXT] < share.end]:
            for share in busy:
                share.block[at.PAUSE] = min(share.block[at.NEXT] + quantum, share.end)
            self._shift = self._units[at.UNIT_SHIFT]
            before = time.perf_counter()
            function = self._cells.functions[name]
            statuses = self._explorer.together([(function, (s.worker.address, addressof(s.block))) for s in busy])
            if time.perf_counter() - before < ROUND / 2 and set(statuses) == {abi.DONE}:
                quantum = min(2 * quantum, LONGEST)
            for share, status in zip(busy, statuses, strict=True):
                if status != abi.DONE:
                    handlers[status](share, share.block[at.NEXT])
            self._look()
            self._cells.functions = self._code.best()
        self._explorer.forget()

    def ask_for(self, size: int) -> None:
        """Ends it all if there is no room for so many bytes, which will be written before anybody looks again."""
        if not self._may_grow(size):
            raise Interrupted(MEMORY)

    def close(self) -> None:
        """Gives all memory back but that of cells."""
        for region in self._regions:
            region.release()

    # ---- memory

    def _lay_out(self) -> None:
        n, cells = self.states, self._cells.cells
        bits = max((2 * n).bit_length(), 6)
        self.ask_for((8 << bits) + (8 + 4 + 4) * n)
        self._references = words_at(self._region(8 * n), n)
        self._first, self._flags = cells(2 * n + (1 << 20)), cells(2 * n + (1 << 20))
        self._strong = cells(MOST)
        kinds = ("", "weak", "strong")
        fairness = cells(len(self._deferred.fairness) + 1)
        for number, fair in enumerate(self._deferred.fairness):
            fairness[number + 1] = kinds.index(fair)
        self._units = words_at(self._region(8 * at.UNIT_WORDS), at.UNIT_WORDS)
        self._units[at.UNIT_TABLE] = self._region(24 << UNIT_BITS)
        self._units[at.UNIT_SHIFT] = 64 - UNIT_BITS
        self._units[at.UNIT_LIMIT] = 1 << (UNIT_BITS - 1)
        self._units[at.UNIT_COUNT] = self._units[at.UNIT_CLAIMED] = 1
        self._units[at.UNIT_STRONG] = address_of(self._strong)
        self._units[at.UNIT_FAIRNESS] = address_of(fairness)
        workers = self._explorer.searchers if self.is_large else self._explorer.searchers[:1]
        common = {
            at.REFERENCES: addressof(self._references),
            at.TABLE: self._region(8 << bits),
            at.TABLE_SHIFT: 64 - bits,
            at.FIRST: address_of(self._first),
            at.FLAGS: address_of(self._flags),
            at.EDGE_LIMIT: MOST,
            at.UNITS: addressof(self._units),
        }
        self._shares: list[Share] = []
        for i, worker in enumerate(workers):
            block = words_at(self._region(8 * at.WORDS), at.WORDS)
            begin, end = (n * j // len(workers) for j in (i, i + 1))
            share = Share(worker, block, begin, end, cells(MOST), cells(MOST))
            for word, value in common.items():
                block[word] = value
            block[at.TARGET], block[at.UNIT] = address_of(share.target), address_of(share.unit)
            self._use_buffers(share)
            self._shares.append(share)

    def _region(self, size: int) -> int:
        region = Region(max(size, 8))
        region.use_huge_pages()
        self._regions.append(region)
        return region.start

    def _use_buffers(self, share: Share) -> None:
        """Makes notes and hashes as large as the worker's output buffer needs them."""
        size = share.worker.out.end - share.worker.out.start
        share.block[at.NOTES] = self._region(size)
        share.block[at.HASHES] = start = self._region(size)
        share.block[at.HASHES_END] = start + size // 2

    def _call(self, name: str, *arguments: int) -> int:
        """Calls an entry with the first worker, while nobody else is at work."""
        share = self._shares[0]
        number: int = self._cells.functions[name](share.worker.address, addressof(share.block), *arguments)
        return number

    # ---- numbers, edges, units

    def _number_states(self) -> None:
        for _, end, ref in self._explorer.blocks(LONGEST):
            self._call("enroll_all", ref, end)
            self._look()
        assert self._shares[0].block[at.NEXT] == self.states
        self.rounds("index", {})

    def _link(self) -> None:
        handlers: dict[int, Handler] = {
            abi.DEFER: self._defer,
            abi.NEED_SPACE: self._more_room,
            at.MORE_UNITS: self._more_units,
            at.MORE_EDGES: self._too_large,
        }
        self.rounds("link", handlers, {at.TWINS: sum(share.block[at.TWINS] for share in self._shares)})

    def _join(self) -> int:
        """Moves all edges into the arrays of the first worker, and gives their number."""
        into = self._shares[0]
        total = int(into.block[at.EDGES])
        self.ask_for(8 * sum(share.block[at.EDGES] for share in self._shares[1:]))
        for share in self._shares[1:]:
            count = int(share.block[at.EDGES])
            if total + count > MOST:
                raise Interrupted(TOO_LARGE)
            share.block[at.NEXT], share.block[at.PAUSE] = share.begin, share.end
            self._cells.functions["move_ends"](share.worker.address, addressof(share.block), total)
            for to, cells in ((into.target, share.target), (into.unit, share.unit)):
                self._move(address_of(cells), address_of(to) + 4 * total, 4 * count)
                self._cells.free(cells)
            into.inner += [total + e for e in share.inner]
            total += count
        return total

    def _move(self, start: int, to: int, size: int) -> None:
        """Moves memory, with all workers, a piece of each at a time."""
        pieces = [(to + done, start + done, min(PIECE, size - done)) for done in range(0, size, PIECE)]
        while pieces:
            self._explorer.together([(ctypes.memmove, pieces.pop()) for _ in self._shares if pieces])
            self._look()

    def _finish(self, edges: int) -> Graph:
        """The graph with the inner vertices behind the states."""
        n, inner = self.states, self._deferred.inner
        target, unit = self._shares[0].target, self._shares[0].unit
        for e in self._shares[0].inner:
            target[e] = n + LOW - target[e]
        for i, vertex in enumerate(inner):
            self._flags[n + i] = vertex.flags
            for to in vertex.targets:
                target[edges] = to if to >= 0 else n - 1 - to
                edges += 1
            self._first[n + i + 1] = edges
        cuts = any(share.block[at.CUTS] for share in self._shares)
        return Graph(
            n,
            n + len(inner),
            self._units[at.UNIT_COUNT],
            self._first,
            target,
            unit,
            self._flags,
            self._strong,
            [vertex.owner for vertex in inner],
            [v for v in range(n) if self._flags[v] & CUT] if cuts else [],
        )

    def _more_units(self, share: Share, v: int) -> None:
        """Makes the table of units larger, unless another worker has asked for that in this round."""
        if self._units[at.UNIT_SHIFT] == self._shift:
            self._grow_units()

    def _grow_units(self) -> None:
        bits = 64 - self._units[at.UNIT_SHIFT] + 2
        self.ask_for(24 << bits)
        self._call("move_units", self._region(24 << bits), 64 - bits)
        self._units[at.UNIT_LIMIT] = 1 << (bits - 1)

    def _more_room(self, share: Share, v: int) -> None:
        share.worker.use_buffer(Region(2 * (share.worker.out.end - share.worker.out.start)))
        self._use_buffers(share)

    def _too_large(self, share: Share, v: int) -> None:
        raise Interrupted(TOO_LARGE)

    # ---- states that native code leaves to the interpreter

    def _find(self, state: State) -> int:
        worker = self._explorer.first
        words = self._plan.packed.pack(state)
        record = words_at(worker.out.start, 1 + len(words))
        record[:] = [len(words) << abi.REF_BITS, *words]
        number = self._call("find", worker.out.start)
        assert number != LOW, "a successor was never found"
        return number

    def _unit_of(self, number: int, move: Move) -> int:
        """The number of a fair unit that the interpreter met."""
        key = key_of(self._plan.packed, self._reference.steps.units[number], move)
        if not self._call("may_add_units", 1):
            self._grow_units()
            self._call("may_add_units", 1)
        return self._call("number_of", number + 1, key)

    def _defer(self, share: Share, v: int) -> None:
        """Writes the edges of a state."""
        steps = self._reference.steps
        counters, program = steps.counters, self._reference.program
        saved = counters.limit_cut, dict(counters.empty_choices), program.dropped.count
        done, _ = steps.expand(self.state(v))
        if counters.limit_cut > saved[0]:
            self._flags[v] |= CUT
            share.block[at.CUTS] += 1
        counters.limit_cut, counters.empty_choices, program.dropped.count = saved
        for target, unit in self._deferred.edges(v, done, self._numbers):
            share.add(target, unit)
        self._first[v + 1] = share.block[at.EDGES]
        share.block[at.NEXT] = v + 1
