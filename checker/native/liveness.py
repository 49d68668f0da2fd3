"""Liveness on what the native engine explored.

`graphs` makes the graph of a search that is complete; kernels mark its states for each property, and the judge of
`engine.liveness` works on these arrays with compiled kernels.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from checker.engine.liveness.cells import Cells
from checker.engine.liveness.graph import Graph
from checker.engine.liveness.lassos import Interrupted, Judge, marks_of
from checker.engine.liveness.predicates import Predicates, value_of
from checker.engine.liveness.verdicts import LiveFindings, judge_all, refusals
from checker.engine.liveness.witness import NoWitness, Witness
from checker.engine.replay import Mismatch
from checker.engine.search import Search
from checker.model.machine import LiveCase
from checker.native import abi
from checker.native.edges import layout as at
from checker.native.explorer import Explorer
from checker.native.graphs import Share, StoredGraph
from checker.native.livecode import LiveCode, NativeCells, address_of

STRETCH = 1 << 16
"""The most vertices of each worker that are trimmed between two looks at whether somebody asks for an end."""

SPARSE = 1 << 10
"""Where levels have fewer states on average, to wait at the end of each takes longer than it gains."""


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
        return LiveFindings(open=refusals(reference.machine, reason=str(problem)), cut=True)
    except NoWitness as problem:
        raise Mismatch(f"liveness: {problem}") from None
    finally:
        judge.close()


class Kernels:
    """The compiled kernels of `engine.liveness`."""

    def __init__(self, cells: NativeCells, explorer: Explorer, look: Callable[[], None]) -> None:
        self._run = cells
        self._explorer = explorer
        self._look = look
        self.cells, self.stop = cells.cells, cells.stop

    def trim(self, graph: Graph, mark: Cells, visit: int) -> int:
        """See `Machinery`. All workers take part."""
        arrays = [address_of(cells) for cells in (graph.first, graph.target, graph.unit, graph.flags, mark)]
        function = self._run.functions["trim"]
        found = 0
        for stretches in self._backwards(graph):
            found += sum(self._explorer.together([(function, (*arrays, *ends, visit)) for ends in stretches]))
            self._look()
        return found

    def _backwards(self, graph: Graph) -> Iterator[list[tuple[int, int]]]:
        """All vertices, the last level first, in stretches for workers to go through at the same time."""
        levels = self._explorer.strata()
        if len(levels) * SPARSE > graph.states:
            levels = []
        yield [(graph.states, graph.vertices)]
        for level in reversed(levels or [[(0, graph.states)]]):
            while any(begin < end for begin, end in level):
                yield [(max(begin, end - STRETCH), end) for begin, end in level if begin < end]
                level = [(begin, max(begin, end - STRETCH)) for begin, end in level]

    def fair_sets(self, *arguments: object) -> int:
        """See `components`."""
        return self._run.call("fair_sets", *arguments)

    def stem(self, *arguments: object) -> int:
        """See `paths`."""
        return self._run.call("stem", *arguments)

    def nearest(self, *arguments: object) -> int:
        """See `paths`."""
        return self._run.call("nearest", *arguments)


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
        self._reference = reference
        self._explorer = explorer
        self._code = code
        self._ended = ended
        self._cells = NativeCells(code.functions, self._look)
        self._graph = StoredGraph(code, explorer, reference, self._cells, self._look, may_grow)
        self._marks_of = self._cells.cells(16)
        self._cells.large = self._graph.is_large

    def judge(self) -> LiveFindings:
        """Judges all properties that are asked for."""
        if self._graph.is_large:
            self._code.improve()
        graph = self._graph.make()
        # Marks, components, paths: about what a first look writes of their arrays.
        self._graph.ask_for(8 * 4 * graph.states)
        judge = Judge(graph, Kernels(self._cells, self._explorer, self._look))
        program = self._reference.program
        predicates = Predicates(program)
        return judge_all(
            program.machine,
            judge,
            lambda case: self._label(case, judge.mark, predicates),
            self._graph.state,
            Witness(self._reference.steps, self._reference.labels),
            predicates,
        )

    def _look(self) -> None:
        reason = self._ended()
        if reason is not None:
            raise Interrupted(reason)

    def close(self) -> None:
        """Gives all memory back."""
        self._cells.release()
        self._graph.close()

    def _label(self, case: LiveCase, mark: Cells, predicates: Predicates) -> None:
        """Marks all states for a property."""
        number = next(i for i, other in enumerate(self._code.plan.cases) if other is case)
        for left in range(3):
            for right in range(3):
                self._marks_of[4 * left + right] = marks_of(case, left, right)

        def ask(share: Share, v: int) -> None:
            left, right = predicates.sides(case)
            state = self._graph.state(v)
            mark[v] = marks_of(case, value_of(left, state), 0 if right is None else value_of(right, state))
            share.block[at.NEXT] = v + 1

        words = {
            at.MARK: address_of(mark),
            at.MARKS_OF: address_of(self._marks_of),
            at.LEFT: 2 * number,
            at.RIGHT: at.NO_SIDE if case.right is None else 2 * number + 1,
        }
        self._graph.rounds("label", {abi.DEFER: ask}, words)
