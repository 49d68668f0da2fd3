"""Judges liveness properties on a graph: marks its states, looks for a set where a fair bad run can stay, and builds a lasso."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterator
from typing import Protocol

from checker.base.data import dataclass
from checker.engine.liveness import components, paths
from checker.engine.liveness.cells import (
    GOOD,
    LIMITED,
    NONE,
    START,
    STAY,
    UNKNOWN,
    UNKNOWN_PENDING,
    VISIT,
    Cells,
)
from checker.engine.liveness.components import UNIT_CELLS
from checker.engine.liveness.graph import Graph
from checker.model.machine import LiveCase

YES, NO, ERRS = 1, 0, 2
"""Whether an expression is true in a state, or cannot be evaluated."""


WORTHWHILE = 8
"""Vertices are trimmed once more if this part of them was."""


class Interrupted(Exception):
    """The judging ends before it is done; `args[0]` says why, if that is known."""


class Machinery(Protocol):
    """Who runs the kernels, on what kind of arrays."""

    stop: Cells

    def cells(self, count: int) -> Cells:
        """An array of so many cells, which may hold anything."""

    def trim(self, graph: Graph, mark: Cells, visit: int) -> int:
        """See `components`: all vertices once, the last ones first."""

    @property
    def fair_sets(self) -> Callable[..., int]:
        """See `components`."""

    @property
    def stem(self) -> Callable[..., int]:
        """See `paths`."""

    @property
    def nearest(self) -> Callable[..., int]:
        """See `paths`."""


class Plain:
    """Kernels as CPython runs them."""

    fair_sets = staticmethod(components.fair_sets)
    stem = staticmethod(paths.stem)
    nearest = staticmethod(paths.nearest)

    def __init__(self, stop: Cells | None = None) -> None:
        self.stop: Cells = array("I", [0]) if stop is None else stop

    def cells(self, count: int) -> Cells:
        """See `Machinery`."""
        return array("I", bytes(4 * count))

    def trim(self, graph: Graph, mark: Cells, visit: int) -> int:
        """See `Machinery`."""
        g = graph
        return components.trim(g.first, g.target, g.unit, g.flags, mark, 0, g.vertices, visit)


@dataclass(frozen=True, slots=True)
class Lasso:
    """A bad run: numbers of states, the last of which is that at `loop` again. If it is the last itself, the run stutters.

    `chance`: the states of the cycle toss coins, and whatever these show, a run can go on like this.
    """

    states: tuple[int, ...]
    loop: int
    chance: bool


@dataclass(frozen=True, slots=True)
class Errs:
    """The property cannot be evaluated in the last of these states."""

    states: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Limited:
    """No bad run was found, but a `limit` left out steps that one may have."""


def marks_of(case: LiveCase, left: int, right: int) -> int:
    """The marks of a state in which the sides of a property have these values; the right one counts for `~>` alone."""
    match case.form:
        case "eventually":
            return STAY | UNKNOWN_PENDING if left == ERRS else 0 if left else STAY
        case "always eventually":
            return START | (UNKNOWN if left == ERRS else 0 if left else STAY)
        case "eventually always":
            return START | STAY | (UNKNOWN if left == ERRS else 0 if left else VISIT)
        case "leads":
            begins = UNKNOWN if left == ERRS else START if left else 0
            return begins | (STAY | UNKNOWN_PENDING if right == ERRS else 0 if right else STAY)


class Judge:
    """Judges properties on one graph. `mark` has to be filled by `marks_of` for each state before `find` is called."""

    def __init__(self, graph: Graph, machinery: Machinery) -> None:
        self.graph = graph
        self._run = machinery
        n = graph.vertices
        self.mark = machinery.cells(n)
        self._group, self._member, self._popped, self._ends = (machinery.cells(n) for _ in range(4))
        self._low, self._stack = machinery.cells(n), machinery.cells(n)
        self._calls, self._todo, self._later = (
            machinery.cells(3 * n + 3),
            machinery.cells(2 * n + 2),
            machinery.cells(2 * n),
        )
        self._tally = machinery.cells(UNIT_CELLS * graph.units)
        self._listed, self._want = machinery.cells(graph.units), machinery.cells(graph.units)
        self._result = machinery.cells(1)

    def find(self, case: LiveCase) -> Lasso | Errs | Limited | None:
        """What speaks against a property; None where nothing does. Raises `Interrupted`."""
        once = int(case.form == "eventually")
        self._share_marks()
        node = self._stem(once, UNKNOWN, UNKNOWN_PENDING)
        if node != NONE:
            return Errs(self._stem_states(node))
        visit = int(case.form == "eventually always")
        if self._fair_sets(visit):
            node = self._stem(once, 0, GOOD)
            if node != NONE:
                return self._lasso(self._stem_states(node), VISIT if visit else 0)
        if self._stem(once, 0 if once else LIMITED, LIMITED) != NONE:
            return Limited()
        return None

    # ---- kernels

    def _share_marks(self) -> None:
        """Adds what does not depend on the property. A run is bad inside a step if it was when the step began."""
        graph, mark = self.graph, self.mark
        for v in graph.cut:
            mark[v] |= LIMITED
        for i, owner in enumerate(graph.owner):
            mark[graph.states + i] = mark[owner] & (STAY | LIMITED)

    def _fair_sets(self, visit: int) -> int:
        g = self.graph
        while self._run.trim(g, self.mark, visit) > g.vertices // WORTHWHILE:
            pass
        found = self._run.fair_sets(
            g.vertices, g.first, g.target, g.unit, g.flags, g.strong, self.mark, self._group, self._member, self._popped,
            self._ends, self._low, self._stack, self._calls, self._todo, self._tally, self._listed, self._run.stop, g.units,
            visit,
        )  # fmt: skip
        if found == NONE:
            raise Interrupted
        return found

    def _stem(self, once: int, goal: int, bad_goal: int) -> int:
        g = self.graph
        return self._run.stem(
            g.vertices,
            g.first,
            g.target,
            g.flags,
            self.mark,
            self._todo,
            self._calls,
            self._later,
            once,
            goal,
            bad_goal,
        )

    def _stem_states(self, node: int) -> tuple[int, ...]:
        """The states on the way to a node."""
        found = [node >> 1]
        while self._todo[node] != node:
            node = self._todo[node]
            found.append(node >> 1)
        return tuple(v for v in reversed(found) if v < self.graph.states)

    # ---- cycles

    def _lasso(self, stem: tuple[int, ...], visit: int) -> Lasso:
        """A lasso with this stem, whose last state lies in a set where a fair run can stay."""
        way = Way(self.graph, self.mark, visit, stem[-1])
        while True:
            stutters = way.can_stutter()
            if stutters or (way.is_closed() and not way.pending()):
                break
            self._extend(way)
        states = (*stem, *(v for v in way.vertices[1:] if v < self.graph.states))
        chance = any(v >= self.graph.states for v in way.vertices)
        return Lasso(states, len(states) - 1 if stutters else len(stem) - 1, chance)

    def _extend(self, way: Way) -> None:
        """Goes on to the nearest vertex or edge that satisfies one more condition, or, if all are, back to the beginning."""
        g, run = self.graph, self._run
        pending = way.pending()
        goal, marked, avoidable = NONE, 0, 0
        if way.unvisited():
            marked = VISIT
        elif pending:
            avoidable = sum(not g.strong[u] for u in pending)
            for u in pending:
                self._want[u] = paths.WANTED if g.strong[u] else paths.AVOIDABLE
        else:
            goal = way.vertices[0]
        last = run.nearest(
            g.vertices, g.first, g.target, g.unit, g.flags, self.mark, self._group, self._want, self._tally, self._member,
            self._low, self._result, way.vertices[-1], goal, marked, avoidable,
        )  # fmt: skip
        assert last != NONE, "a fair set is strongly connected and satisfies all conditions"
        for u in pending:
            self._want[u] = 0
        found = [last] if self._result[0] == NONE else [self._result[0], last]
        while found[-1] != way.vertices[-1]:
            found.append(self._member[found[-1]])
        way.extend(found[-2::-1])


class Way:
    """A path inside a set, and which conditions of fairness it satisfies if it is repeated for ever."""

    def __init__(self, graph: Graph, mark: Cells, visit: int, start: int) -> None:
        self._graph = graph
        self._mark = mark
        self._visit = visit
        self._strong: dict[int, None] = {}
        """Strongly fair units that some state enables."""
        self._always: set[int] | None = None
        """Weakly fair units that all states enable; None before the first state."""
        self._taken: set[int] = set()
        self._visited = visit == 0
        self.vertices: list[int] = [start]
        self._meet(start)

    def edges(self, v: int) -> Iterator[tuple[int, int]]:
        """Targets and units."""
        g = self._graph
        for e in range(g.first[v], g.first[v + 1]):
            yield g.target[e], g.unit[e]

    def _meet(self, v: int) -> None:
        if v >= self._graph.states:
            return
        enabled = {u for _, u in self.edges(v) if u}
        weak = {u for u in enabled if not self._graph.strong[u]}
        self._strong |= dict.fromkeys(sorted(enabled - weak))
        self._always = weak if self._always is None else self._always & weak
        self._visited = self._visited or bool(self._mark[v] & self._visit)

    def extend(self, further: list[int]) -> None:
        """Goes on."""
        for v in further:
            self._taken |= {u for target, u in self.edges(self.vertices[-1]) if target == v and u}
            self.vertices.append(v)
            self._meet(v)

    def pending(self) -> list[int]:
        """The units that keep it from being fair."""
        return sorted(((self._always or set()) | set(self._strong)) - self._taken)

    def unvisited(self) -> bool:
        """Whether the state that has to be met again and again was not met yet."""
        return not self._visited

    def is_closed(self) -> bool:
        """Whether it leads back to where it began."""
        return len(self.vertices) > 1 and self.vertices[-1] == self.vertices[0] and self._visited

    def can_stutter(self) -> bool:
        """Whether a bad run can stay for ever where it ends."""
        v = self.vertices[-1]
        if v >= self._graph.states or any(u for _, u in self.edges(v)):
            return False
        return self._visit == 0 or bool(self._mark[v] & self._visit)
