"""Paths that together take every transition of a state graph.

To compare an implementation with its spec in every situation that the spec knows, each transition must be taken once. The
implementation can only be started afresh, not be put into a state, so transitions are reached along paths from an initial
state. The fewest such paths are a flow problem; a greedy choice comes close and is simple:

    walk: take the first transition of this state that was not taken yet; where there is none, go on along a shortest way to
    a state that has one; where none can be reached any more, start again, towards the nearest state that has one.

Two facts keep this fast, since transitions are only ever taken off the list. The nearest state with something new moves
away from the initial states and never back, so one pass over the states in order of their distance finds every start. And a
state from which nothing new can be reached stays so: a search that finds nothing closes all that it has seen, and no later
search enters it, so that all such searches together look at each transition once.

Everything is ordered by the numbers of states and edges, so equal graphs give equal paths.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable

from checker.base.data import dataclass
from checker.engine.graph import Edge, StateGraph

Path = tuple[int, ...]
"""Numbers of edges, each beginning where the one before ended; the first begins at an initial state."""


@dataclass(frozen=True, slots=True)
class Cover:
    """Paths, and how much of the graph they take.

    Attributes:
        taken: how many transitions the paths take, each counted once.
        total: how many transitions the graph has.
        left_out: those that were not to be taken, and those that can only be reached through them.
    """

    paths: tuple[Path, ...]
    taken: int
    total: int
    left_out: int

    @property
    def steps(self) -> int:
        """The length of all paths together."""
        return sum(map(len, self.paths))

    def __str__(self) -> str:
        left = f", {self.left_out:,} left out" if self.left_out else ""
        return (
            f"{self.taken:,} of {self.total:,} transitions in {len(self.paths):,} paths of {self.steps:,} steps{left}"
        )


class Ways:
    """Who follows whom in a graph, without the edges that are to be avoided."""

    def __init__(self, graph: StateGraph, avoid: Callable[[Edge], bool] | None = None) -> None:
        self.graph = graph
        self.out: list[list[int]] = [[] for _ in graph.states]
        for number, edge in enumerate(graph.edges):
            if avoid is None or not avoid(edge):
                self.out[edge.source].append(number)
        self._came: dict[int, int] = dict.fromkeys(graph.initial, -1)
        """The states that can be reached, nearest first, each with the last edge of a shortest way to it."""
        queue = deque(self._came)
        while queue:
            for number in self.out[queue.popleft()]:
                target = graph.edges[number].target
                if target not in self._came:
                    self._came[target] = number
                    queue.append(target)

    @property
    def reachable(self) -> Iterable[int]:
        """The states that can be reached from the initial ones, nearest first."""
        return self._came.keys()

    def shortest(self, state: int) -> Path:
        """A shortest way to a state that can be reached."""
        return self._back(self._came, state)

    def is_shortest(self, number: int) -> bool:
        """Whether the shortest way to the target of an edge ends with it."""
        return self._came.get(self.graph.edges[number].target) == number

    def start(self, state: int) -> int:
        """The initial state at which that way begins."""
        way = self.shortest(state)
        return self.graph.edges[way[0]].source if way else state

    def onward(self, start: int, wanted: Callable[[int], bool], closed: set[int]) -> tuple[Path, int] | None:
        """A shortest way from a state to one that is wanted, and that state; closed states are not entered.

        Where there is none the result is None, and all states that were seen are closed.
        """
        if start in closed:
            return None
        came = {start: -1}
        queue = deque(came)
        while queue:
            state = queue.popleft()
            if wanted(state):
                return self._back(came, state), state
            for number in self.out[state]:
                target = self.graph.edges[number].target
                if target not in came and target not in closed:
                    came[target] = number
                    queue.append(target)
        closed.update(came)
        return None

    def _back(self, came: dict[int, int], state: int) -> Path:
        path: list[int] = []
        while came[state] >= 0:
            path.append(came[state])
            state = self.graph.edges[came[state]].source
        return tuple(reversed(path))


def cover(graph: StateGraph, *, avoid: Callable[[Edge], bool] | None = None, longest: int | None = None) -> Cover:
    """Paths from the initial states that take every transition which can be reached without those to `avoid`.

    Args:
        graph: the state graph.
        avoid: tells which transitions no path may take.
        longest: a path of so many steps ends with its next new transition; None lets paths be of any length.
    """
    ways = Ways(graph, avoid)
    new = [deque(numbers) for numbers in ways.out]
    taken: set[int] = set()
    closed: set[int] = set()
    paths: list[Path] = []

    def has_new(state: int) -> bool:
        ahead = new[state]
        while ahead and ahead[0] in taken:
            ahead.popleft()
        return bool(ahead)

    for start in ways.reachable:
        while has_new(start):
            path = list(ways.shortest(start))
            taken.update(path)
            found: tuple[Path, int] | None = ((), start)
            while found is not None:
                way, state = found
                onward = [*way, new[state].popleft()]
                path += onward
                taken.update(onward)
                if longest is not None and len(path) >= longest:
                    break
                found = ways.onward(graph.edges[path[-1]].target, has_new, closed)
            paths.append(tuple(path))
    reached = sum(len(ways.out[state]) for state in ways.reachable)
    return Cover(tuple(paths), len(taken), len(graph.edges), len(graph.edges) - reached)
