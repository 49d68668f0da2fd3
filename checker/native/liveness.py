"""Liveness on what the native engine explored.

The states stand in the arenas of a search that is complete. Kernels expand them once more and write the graph, with the unit of
each step (`edges.linking`); then the judge of `engine.liveness` works on these arrays with compiled kernels. What code
leaves to the interpreter, it leaves to it here, too: a state that it defers, and above all every state in which a coin may be
tossed, as the recorder knows which outcomes belong to one coin. A unit is told by a number of 64 bits (`units`), which
the interpreter makes in the same way.

Cells lie in reserved memory that becomes real when it is written, so nothing has to grow but the table of units.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from ctypes import Array, addressof, c_uint32
from typing import Any, cast

from checker.engine.liveness.cells import Cells
from checker.engine.liveness.graph import Graph, Recorder
from checker.engine.liveness.lassos import Interrupted, Judge, marks_of
from checker.engine.liveness.predicates import Predicates, value_of
from checker.engine.liveness.verdicts import MEMORY, TOO_LARGE, LiveFindings, judge_all, refusals
from checker.engine.liveness.witness import NoWitness, Witness
from checker.engine.moves import Move
from checker.engine.replay import Mismatch
from checker.engine.runtime import State
from checker.engine.search import Search
from checker.model.machine import LiveCase
from checker.native import abi
from checker.native.edges import layout as at
from checker.native.edges.linking import CUT, LOW
from checker.native.explorer import Explorer
from checker.native.livecode import LiveCode, NativeCells
from checker.native.memory import Region, words_at
from checker.native.units import key_of

MOST = (1 << 32) - 2
"""The most vertices, and the most edges."""

QUANTUM = 1 << 12
"""States of the first round."""

LONGEST = 1 << 15
"""The most states of a round, as memory is looked at between two of them."""

ROUND = 0.02
"""Seconds that a round should take."""

LARGE = 50_000
"""From so many states on, optimised code is made, and kernels run apart from the thread that answers Ctrl-C."""


class Deferred(Recorder):
    """Records the edges of states that the interpreter expands, with the numbers that native code has for states and units."""

    def __init__(self, liveness: NativeLiveness) -> None:
        super().__init__(liveness.reference.steps)
        self._liveness = liveness

    def number(self, number: int, move: Move) -> int:
        """The number that native code knows a unit by."""
        unit = self._steps.units[number]
        key = key_of(self._liveness.plan.packed, unit, move)
        return self._liveness.unit_number(number + 1, key)


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


def judge_stored(
    code: LiveCode,
    explorer: Explorer,
    reference: Search,
    ended: Callable[[], str | None],
    may_grow: Callable[[int], bool],
) -> LiveFindings:
    """Judges all live properties that are asked for, on a search that is complete.

    Args:
        code: That of the machine.
        explorer: The search. Counters and the output buffer of its first worker are used.
        reference: The interpreter.
        ended: Called some dozens of times a second; may give a reason to end the judging.
        may_grow: Whether so many more bytes may be used.

    Raises:
        Mismatch: Native code and the interpreter disagree.
    """
    judge = NativeLiveness(code, explorer, reference, ended, may_grow)
    try:
        return judge.judge()
    except Interrupted as problem:
        return LiveFindings(open=refusals(reference.machine, reason=str(problem)))
    except NoWitness as problem:
        raise Mismatch(f"liveness: {problem}") from None
    finally:
        judge.close()


class NativeLiveness:
    """Judges the live properties of one exploration; see `judge_stored`. `close` gives its memory back."""

    def __init__(
        self,
        code: LiveCode,
        explorer: Explorer,
        reference: Search,
        ended: Callable[[], str | None],
        may_grow: Callable[[int], bool],
    ) -> None:
        self.plan = code.plan
        self.reference = reference
        self._code = code
        self._explorer = explorer
        self._ended = ended
        self._may_grow = may_grow
        self._cells = NativeCells(code.functions, self._look)
        self._states = explorer.states
        self._cells.large = self._states >= LARGE
        self._regions: list[Region] = []
        self._block = words_at(self._region(8 * at.WORDS), at.WORDS)
        self._deferred = Deferred(self)
        self._inner_edges: list[int] = []
        self._numbers = Numbers(self._find)

    def judge(self) -> LiveFindings:
        """Judges all properties that are asked for."""
        if self._cells.large:
            self._code.improve()
        worker = self._explorer.first
        saved = list(worker.spec), worker.ctx[abi.CTX_TRANSITIONS], worker.ctx[abi.CTX_REPORT]
        try:
            graph = self._graph()
        finally:
            worker.spec[:], worker.ctx[abi.CTX_TRANSITIONS], worker.ctx[abi.CTX_REPORT] = saved
        self._ask_for(8 * 4 * self._states)  # marks, components, paths: about what a first look writes of their arrays
        judge = Judge(graph, self._cells)
        program = self.reference.program
        predicates = Predicates(program)
        return judge_all(
            program.machine,
            judge,
            lambda case: self._label(case, judge.mark, predicates),
            self.state,
            Witness(self.reference.steps, self.reference.labels),
            predicates,
        )

    def _look(self) -> None:
        reason = self._ended()
        if reason is not None:
            raise Interrupted(reason)

    def _ask_for(self, size: int) -> None:
        """Ends the judging if there is no room for so many bytes, which will be written before anybody looks again."""
        if not self._may_grow(size):
            raise Interrupted(MEMORY)

    def close(self) -> None:
        """Gives all memory back."""
        self._cells.release()
        for region in self._regions:
            region.release()

    def state(self, number: int) -> State:
        """The state with a number."""
        return self.plan.packed.unpack(list(self._explorer.state(self._references[number])))

    def unit_number(self, unit: int, key: int) -> int:
        """The number of a fair unit."""
        if self._block[at.UNITS] >= self._block[at.UNIT_LIMIT]:
            self._more_units()
        return self._call("number_of", unit, key)

    # ---- the graph

    def _graph(self) -> Graph:
        block, n = self._block, self._states
        if n >= MOST:
            raise Interrupted(TOO_LARGE)
        strong = self._prepare()
        for _, end, ref in self._explorer.blocks(LONGEST):
            self._call("enroll_all", ref, end)
            self._look()
        assert block[at.NEXT] == n
        self._rounds("index", {})
        handlers = {
            abi.DEFER: self._defer,
            abi.NEED_SPACE: self._more_room,
            at.MORE_UNITS: lambda v: self._more_units(),
            at.MORE_EDGES: self._too_large,
        }
        self._rounds("link", handlers)
        inner = self._deferred.inner
        edges = block[at.EDGES]
        owner = [vertex.owner for vertex in inner]
        for e in self._inner_edges:
            self._target[e] = n + LOW - self._target[e]
        for i, vertex in enumerate(inner):
            self._flags[n + i] = vertex.flags
            for target in vertex.targets:
                self._target[edges] = target if target >= 0 else n - 1 - target
                edges += 1
            self._first[n + i + 1] = edges
        cut = [v for v in range(n) if self._flags[v] & CUT] if block[at.CUTS] else []
        return Graph(
            n, n + len(inner), block[at.UNITS], self._first, self._target, self._unit, self._flags, strong, owner, cut
        )

    def _prepare(self) -> Cells:
        """Lays the block out. Gives the cells that say which units are strongly fair."""
        block, n, cells = self._block, self._states, self._cells.cells
        bits = max((2 * n).bit_length(), 6)
        self._ask_for((8 << bits) + (8 + 4 + 4) * n)
        self._references = words_at(self._region(8 * n), n)
        worker = self._explorer.first
        self._first, self._flags = cells(2 * n + (1 << 20)), cells(2 * n + (1 << 20))
        self._target, self._unit = cells(MOST), cells(MOST)
        strong = cells(MOST)
        kinds = ("", "weak", "strong")
        units = self._deferred.fairness
        fairness = cells(len(units) + 1)
        for number, fair in enumerate(units):
            fairness[number + 1] = kinds.index(fair)
        self._fairness, self._marks_of = fairness, cells(16)
        values = {
            at.STATES: n,
            at.REFERENCES: addressof(self._references),
            at.TABLE: self._region(8 << bits),
            at.TABLE_SHIFT: 64 - bits,
            at.EDGE_LIMIT: MOST,
            at.UNITS: 1,
            at.UNIT_TABLE: self._region(24 << 12),
            at.UNIT_SHIFT: 64 - 12,
            at.UNIT_LIMIT: 1 << 11,
        }
        arrays = {
            at.FIRST: self._first,
            at.TARGET: self._target,
            at.UNIT: self._unit,
            at.FLAGS: self._flags,
            at.STRONG: strong,
            at.FAIRNESS: fairness,
            at.MARKS_OF: self._marks_of,
        }
        for word, value in values.items():
            block[word] = value
        for word, array in arrays.items():
            block[word] = addressof(cast("Array[c_uint32]", array))
        self._use_buffers(worker.out.end - worker.out.start)
        return strong

    def _region(self, size: int) -> int:
        region = Region(max(size, 8))
        region.use_huge_pages()
        self._regions.append(region)
        return region.start

    def _use_buffers(self, size: int) -> None:
        """Makes notes and hashes as large as an output buffer of so many bytes needs them."""
        self._block[at.NOTES] = self._region(size)
        self._block[at.HASHES] = start = self._region(size)
        self._block[at.HASHES_END] = start + size // 2

    def _call(self, name: str, *arguments: int) -> int:
        return self._cells.functions[name](self._explorer.first.address, addressof(self._block), *arguments)

    def _rounds(self, name: str, handlers: Mapping[int, Callable[[int], object]]) -> None:
        """Calls an entry for all states, a few thousand at a time."""
        block, quantum = self._block, QUANTUM
        block[at.NEXT] = 0
        while block[at.NEXT] < self._states:
            block[at.PAUSE] = min(block[at.NEXT] + quantum, self._states)
            before = time.perf_counter()
            status = self._call(name)
            if status != abi.DONE:
                handlers[status](block[at.NEXT])
            elif time.perf_counter() - before < ROUND / 2:
                quantum = min(2 * quantum, LONGEST)
            self._look()
            self._cells.functions = self._code.best()
        self._explorer.forget()

    def _more_units(self) -> None:
        block = self._block
        bits = 64 - block[at.UNIT_SHIFT] + 2
        self._ask_for(24 << bits)
        self._call("move_units", self._region(24 << bits), 64 - bits)
        block[at.UNIT_LIMIT] = 1 << (bits - 1)

    def _more_room(self, v: int) -> None:
        worker = self._explorer.first
        size = 2 * (worker.out.end - worker.out.start)
        worker.use_buffer(Region(size))
        self._use_buffers(size)

    def _too_large(self, v: int) -> None:
        raise Interrupted(TOO_LARGE)

    # ---- states that native code leaves to the interpreter

    def _find(self, state: State) -> int:
        worker = self._explorer.first
        words = self.plan.packed.pack(state)
        record = words_at(worker.out.start, 1 + len(words))
        record[:] = [len(words) << abi.REF_BITS, *words]
        number = self._call("find", worker.out.start)
        assert number != LOW, "a successor was never found"
        return number

    def _defer(self, v: int) -> None:
        """Writes the edges of a state."""
        block, steps = self._block, self.reference.steps
        counters, program = steps.counters, self.reference.program
        saved = counters.limit_cut, dict(counters.empty_choices), program.dropped.count
        done, _ = steps.expand(self.state(v))
        if counters.limit_cut > saved[0]:
            self._flags[v] |= CUT
            block[at.CUTS] += 1
        counters.limit_cut, counters.empty_choices, program.dropped.count = saved
        found = self._deferred.edges(v, done, self._numbers)
        if block[at.EDGES] + len(found) > MOST:
            raise Interrupted(TOO_LARGE)
        for target, unit in found:
            e = block[at.EDGES]
            if target < 0:
                self._inner_edges.append(e)
            self._target[e], self._unit[e] = target & LOW, unit
            block[at.EDGES] = e + 1
        self._first[v + 1] = block[at.EDGES]
        block[at.NEXT] = v + 1

    # ---- marks

    def _label(self, case: LiveCase, mark: Cells, predicates: Predicates) -> None:
        number = next(i for i, other in enumerate(self.plan.cases) if other is case)
        block = self._block
        block[at.MARK] = addressof(cast("Array[c_uint32]", mark))
        block[at.LEFT] = 2 * number
        block[at.RIGHT] = at.NO_SIDE if case.right is None else 2 * number + 1
        for left in range(3):
            for right in range(3):
                self._marks_of[4 * left + right] = marks_of(case, left, right)

        def ask(v: int) -> None:
            left, right = predicates.sides(case)
            state = self.state(v)
            mark[v] = marks_of(case, value_of(left, state), 0 if right is None else value_of(right, state))
            block[at.NEXT] = v + 1

        self._rounds("label", {abi.DEFER: ask})
