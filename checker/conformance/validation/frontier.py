"""Follows a record along its spec: depth-first to accept quickly, breadth-first to explain a rejection.

A record does not say in which state the spec is: fields go unobserved, steps go unrecorded, and one entry may be several
steps. So a record is allowed if there is a way through the product of its parts and the states of the spec. A point of it is
a pair (part, state). From a point the spec may move silently (a hidden step, or one more round of a repeated one) and stay at its
part, or do what the part says and move on, if the state then agrees with what was observed.

**Depth-first, laziest first.** From each point the part is tried at once, then after one hidden step, then after two. Each
point is visited once, so the search ends, with a way or with the knowledge that there is none. A record that fits is usually
accepted after about as many points as it has entries.

**Breadth-first.** Where there is none, layers say why: all states that agree with the longest prefix that some state agrees
with, and everything that hidden steps make of them. That last frontier is what `refusals` explains.

Both share one budget of points. A search that exhausts it has not decided anything; its verdict is `incomplete`.

Source: the idea of trace validation as a search in the product of spec and trace is that of H. Cirstea, M. Kuppe, B. Loillier
and S. Merz, "Validating traces of distributed programs against TLA+ specifications", SEFM 2024.
"""

from __future__ import annotations

from collections.abc import Iterator

from checker.base.data import dataclass
from checker.conformance.compare import Comparison
from checker.conformance.event import Event, Events
from checker.conformance.growing import GrowingGraph
from checker.conformance.validation.sightings import Part

BUDGET = 200_000
"""How many points are looked at."""

Point = tuple[int, int]
"""The number of a part, and that of a state before it."""

Came = tuple[Point, int | None]
"""Where a point was reached from, and the edge; None where the spec did nothing."""


class OutOfBudget(Exception):
    """The search gave up."""


@dataclass(frozen=True, slots=True)
class Way:
    """A way through the spec: the number of each edge, and of the part that it was taken for; None for a hidden step."""

    start: int
    edges: tuple[tuple[int, int | None], ...]

    @property
    def hidden(self) -> int:
        """How many hidden steps it takes."""
        return sum(part is None for _, part in self.edges)


class Frontier:
    """The product of a record and a spec. `points` says how many were looked at."""

    def __init__(self, graph: GrowingGraph, parts: tuple[Part, ...], hidden: tuple[str, ...], budget: int = BUDGET):
        self.graph = graph
        self.parts = parts
        self.comparison = Comparison(graph)
        self.points = 0
        self.deepest = 0
        self._hidden = frozenset(hidden)
        self._budget = budget
        self._events = Events(graph.labels)

    def event(self, number: int) -> Event:
        """The event of an edge."""
        return self._events.of(self.graph.edges[number])

    # ---- moving

    def loud(self, point: Point) -> Iterator[tuple[Point, int | None]]:
        """Where the part of a point leads from its state."""
        at, state = point
        part = self.parts[at]
        if part.pattern is None or part.repeated:
            if self.comparison.same(state, part.seen):
                yield (at + 1, state), None
            return
        for number in self.graph.out(state):
            if part.pattern.objection(self.event(number)) is None:
                target = self.graph.edges[number].target
                if self.comparison.same(target, part.seen):
                    yield (at + 1, target), number

    def silent(self, point: Point) -> Iterator[tuple[Point, int]]:
        """Where hidden steps lead, and repeated ones."""
        at, state = point
        part = self.parts[at]
        for number in self.graph.out(state):
            edge = self.graph.edges[number]
            repeats = part.repeated and part.pattern is not None and part.pattern.objection(self.event(number)) is None
            if edge.unit in self._hidden or repeats:
                yield (at, edge.target), number

    def closed(self, came: dict[Point, Came]) -> Iterator[Point]:
        """Points that are new, and those that silent steps lead to, laziest first; they are added to `came`."""
        queue = list(came)
        for point in queue:
            self._count()
            yield point
            for target, number in self.silent(point):
                if target not in came:
                    came[target] = point, number
                    queue.append(target)

    def _count(self) -> None:
        self.points += 1
        if self.points > self._budget:
            raise OutOfBudget

    # ---- searching

    def accept(self) -> Way | None:
        """A way through the whole record, or None where there is none.

        Raises:
            OutOfBudget, GraphTooLarge: it is not known.
        """
        came: dict[Point, Came | None] = {(0, state): None for state in self.graph.initial}
        for start in list(came):
            stack = [self._onward(start, came)] if self.parts else []
            if not self.parts:
                return Way(start[1], ())
            while stack:
                point = next(stack[-1], None)
                if point is None:
                    stack.pop()
                    continue
                self.deepest = max(self.deepest, point[0])
                if point[0] == len(self.parts):
                    return self._way(point, came)
                stack.append(self._onward(point, came))
        return None

    def _onward(self, start: Point, came: dict[Point, Came | None]) -> Iterator[Point]:
        """The points behind the part of a point, laziest first, each once in the whole search."""
        nearby: dict[Point, Came] = {start: (start, None)}
        for point in self.closed(nearby):
            for target, number in self.loud(point):
                if target not in came:
                    for here in self._from(start, point, nearby):
                        came.setdefault(here, nearby[here])
                    came[target] = point, number
                    yield target

    def _from(self, start: Point, point: Point, nearby: dict[Point, Came]) -> list[Point]:
        """The points of silent steps on the way from one to another."""
        way = []
        while point != start:
            way.append(point)
            point = nearby[point][0]
        return way

    def _way(self, point: Point, came: dict[Point, Came | None]) -> Way:
        edges: list[tuple[int, int | None]] = []
        while (before := came[point]) is not None:
            source, number = before
            if number is not None:
                edges.append((number, source[0] if point[0] > source[0] or self.parts[source[0]].repeated else None))
            point = source
        return Way(point[1], tuple(reversed(edges)))

    def last(self) -> tuple[int, dict[int, Way]]:
        """The longest prefix that matches, as a number of parts, and all states behind it with a way to each.

        Raises:
            OutOfBudget, GraphTooLarge: it is not known.
        """
        came: dict[Point, Came | None] = {(0, state): None for state in self.graph.initial}
        layer: dict[Point, Came] = {point: (point, None) for point in came}
        for at in range(len(self.parts)):
            following: dict[Point, Came] = {}
            for point in self.closed(layer):
                came.setdefault(point, layer[point])
                for target, number in self.loud(point):
                    following.setdefault(target, (point, number))
            if not following:
                return at, {point[1]: self._way(point, came) for point in layer}
            came.update(following)
            layer = following
        return len(self.parts), {point[1]: self._way(point, came) for point in layer}
