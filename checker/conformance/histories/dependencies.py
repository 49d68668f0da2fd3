"""Which transaction depends on which: the graph behind isolation levels.

Nodes are transactions that took place, or may have, numbered in the order in which they ended. An edge says that one of them
comes before another in every order that explains what was seen (Adya):

| | |
|---|---|
| `ww` | the second wrote the next version of what the first wrote |
| `wr` | the second read what the first wrote |
| `rw` | the first read a version, the second wrote the next one |
| `process` | one process ended the first before it began the second |
| `realtime` | the first ended before the second began |

An `rw` may itself rest on time: the version that the first read was written before the other transaction began that wrote another
one, so under a level that follows time the other's version is later. Such an edge has a kind of its own, and counts where
`process` or `realtime` does.

Isolation is violated by cycles, and nearly all transactions are on none. Numbers help to see that fast: an edge to a larger
number leads forward in time, as edges of processes and of real time always do, so each cycle has an edge backward. It lies
within numbers that edges backward span together, one such `window` each. What is outside of all windows is never looked at.

Within windows, Tarjan's algorithm finds strongly connected components, and breadth-first searches find short cycles in them.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import field
from itertools import chain
from typing import Final, NamedTuple

from checker.base.data import dataclass
from checker.conformance.histories.history import NEVER, Operation

WW: Final = 1
WR: Final = 2
RW: Final = 4
PROCESS: Final = 8
REALTIME: Final = 16
RW_PROCESS: Final = 32
RW_REALTIME: Final = 64
ANY_RW: Final = RW | RW_PROCESS | RW_REALTIME
NAMES: Final = {
    WW: "ww", WR: "wr", RW: "rw", PROCESS: "process", REALTIME: "realtime", RW_PROCESS: "rw", RW_REALTIME: "rw",
}  # fmt: skip

MOST_OVERLAP: Final = 100
"""How many edges of real time there are for each transaction, at most."""


class Edge(NamedTuple):
    """`kinds` is a mask."""

    source: int
    target: int
    kinds: int


Cycle = tuple[Edge, ...]
"""Each edge begins where the one before ended, the first one where the last ends; each has one kind."""

Graph = dict[int, list[tuple[int, int]]]
"""For some nodes: where edges lead, and their kinds."""


@dataclass(slots=True)
class Dependencies:
    """Edges, as they are found: of each kind the sources, and at the same places the targets.

    `nodes` are in the order in which they ended; those of which nobody knows whether they did, in that of their beginnings.
    """

    nodes: Sequence[Operation]
    ww: tuple[list[int], list[int]] = field(default_factory=lambda: ([], []))
    wr: tuple[list[int], list[int]] = field(default_factory=lambda: ([], []))
    rw: tuple[list[int], list[int]] = field(default_factory=lambda: ([], []))
    rw_process: tuple[list[int], list[int]] = field(default_factory=lambda: ([], []))
    rw_realtime: tuple[list[int], list[int]] = field(default_factory=lambda: ([], []))
    crowded: bool = False
    """Too many transactions overlap: edges of real time are missing."""

    def _kinds(self) -> Iterable[tuple[int, list[int], list[int]]]:
        data = (WW, *self.ww), (WR, *self.wr), (RW, *self.rw)
        return *data, (RW_PROCESS, *self.rw_process), (RW_REALTIME, *self.rw_realtime)

    def components(self) -> list[Graph]:
        """The strongly connected components of more than one node, under all kinds of edges, as graphs of their own."""
        graph = self._in_windows()
        return [within(graph, nodes, ALL) for nodes in strong(graph, ALL)]

    def _in_windows(self) -> Graph:
        window = [0] * len(self.nodes)
        members: list[list[int]] = []
        for number, (low, high) in enumerate(self._windows(), 1):
            window[low : high + 1] = [number] * (high + 1 - low)
            members.append(list(range(low, high + 1)))
        graph: Graph = {node: [] for nodes in members for node in nodes}
        if graph:
            for kind, sources, targets in self._kinds():
                for source, target in zip(sources, targets, strict=True):
                    if window[source] and window[source] == window[target]:
                        graph[source].append((target, kind))
        for nodes in members:
            self._add_time(graph, nodes)
        return graph

    def _windows(self) -> list[tuple[int, int]]:
        """What edges backward span, where spans that share a node are one."""
        spans = sorted(
            (target, source)
            for _, sources, targets in self._kinds()
            for source, target in zip(sources, targets, strict=True)
            if source > target
        )
        merged: list[tuple[int, int]] = []
        for low, high in spans:
            if merged and low <= merged[-1][1]:
                merged[-1] = (merged[-1][0], max(merged[-1][1], high))
            else:
                merged.append((low, high))
        return merged

    def _add_time(self, graph: Graph, nodes: Sequence[int]) -> None:
        """Edges of real time and of processes, without those that follow from others.

        In the order of events: `frontier` are those that have ended and that no other has followed which has ended, too, in
        the order of their ends. It is as long as transactions overlap, so a limit stands against a history of strangers.
        """
        events = sorted(
            chain(
                ((self.nodes[n].begin, True, n) for n in nodes),
                ((self.nodes[n].end, False, n) for n in nodes if self.nodes[n].end != NEVER),
            )
        )
        frontier: deque[int] = deque()
        last: dict[object, int] = {}
        left = MOST_OVERLAP * len(nodes)
        for _, begins, node in events:
            op = self.nodes[node]
            if begins:
                left -= len(frontier)
                if left < 0:
                    self.crowded = True
                for before in () if self.crowded else frontier:
                    graph[before].append((node, REALTIME))
                if op.process in last:
                    graph[last[op.process]].append((node, PROCESS))
            else:
                while frontier and self.nodes[frontier[0]].end < op.begin:
                    frontier.popleft()
                frontier.append(node)
                last[op.process] = node


ALL: Final = WW | WR | ANY_RW | PROCESS | REALTIME


def within(graph: Graph, nodes: Iterable[int], kinds: int) -> Graph:
    """The part of a graph between some nodes, with edges of some kinds; several edges between two nodes become one."""
    inside = set(nodes)
    result: Graph = {}
    for node in sorted(inside):
        targets: dict[int, int] = {}
        for target, kind in graph[node]:
            if target in inside and kind & kinds:
                targets[target] = targets.get(target, 0) | kind & kinds
        result[node] = list(targets.items())
    return result


def strong(graph: Graph, kinds: int) -> list[list[int]]:
    """The strongly connected components of more than one node, by edges of some kinds.

    Tarjan's algorithm, with a stack of its own: a chain of a hundred thousand transactions is no depth for recursion.
    """
    index: dict[int, int] = {}
    low: dict[int, int] = {}
    path: list[int] = []
    on_path: set[int] = set()
    found: list[list[int]] = []
    for root in graph:
        if root in index:
            continue
        index[root] = low[root] = len(index)
        path.append(root)
        on_path.add(root)
        work = [(root, iter(graph[root]))]
        while work:
            node, edges = work[-1]
            for target, kind in edges:
                if not kind & kinds:
                    continue
                if target not in index:
                    index[target] = low[target] = len(index)
                    path.append(target)
                    on_path.add(target)
                    work.append((target, iter(graph[target])))
                    break
                if target in on_path and index[target] < low[node]:
                    low[node] = index[target]
            else:
                work.pop()
                if work and low[node] < low[work[-1][0]]:
                    low[work[-1][0]] = low[node]
                if low[node] == index[node]:
                    at = len(path) - 1
                    while path[at] != node:
                        at -= 1
                    members = path[at:]
                    del path[at:]
                    on_path.difference_update(members)
                    if len(members) > 1:
                        found.append(members)
    return found


@dataclass(slots=True)
class Effort:
    """How many more edges searches for short cycles may look at; `short` says that it was not enough."""

    left: int = 3_000_000
    short: bool = False

    def spend(self, edges: int) -> bool:
        """Whether there is still something left."""
        self.left -= edges
        self.short = self.short or self.left <= 0
        return self.left > 0


def shortest(
    graph: Graph, first: Edge, kinds: int, effort: Effort, *, apart: bool = False, longest: int | None = None
) -> Cycle | None:
    """A shortest cycle that begins with an edge and goes on along edges of some kinds.

    Args:
        graph: what to search in.
        first: an edge of one kind.
        kinds: which kinds the others have.
        effort: what the search may cost.
        apart: never two edges of a kind of ANY_RW one after the other; `first` is one.
        longest: how many edges the cycle has at most; none for any.
    """
    start, goal = (first.target, apart), (first.source, False)
    came: dict[tuple[int, bool], tuple[tuple[int, bool], Edge] | None] = {start: None}
    queue = deque([(start, 1)])
    while queue:
        place, length = queue.popleft()
        if longest is not None and length >= longest:
            return None
        if not effort.spend(len(graph[place[0]])):
            return None
        for target, mask in graph[place[0]]:
            for kind in _choices(mask & kinds, apart, place[1]):
                after = (target, apart and bool(kind & ANY_RW))
                if after not in came:
                    came[after] = (place, Edge(place[0], target, kind))
                    queue.append((after, length + 1))
                    if after == goal:
                        return _back(came, first, goal)
    return None


def _choices(mask: int, apart: bool, after_rw: bool) -> tuple[int, ...]:
    """The kinds of edge to try: one is enough where kinds make no difference."""
    strict, rw = mask & ~ANY_RW, mask & ANY_RW
    plain = (strict & -strict,) if strict else ()
    if not rw or (apart and after_rw) or (plain and not apart):
        return plain
    return (*plain, rw & -rw)


def _back(
    came: dict[tuple[int, bool], tuple[tuple[int, bool], Edge] | None], first: Edge, goal: tuple[int, bool]
) -> Cycle:
    edges: list[Edge] = []
    step = came[goal]
    while step is not None:
        edges.append(step[1])
        step = came[step[0]]
    return (first, *reversed(edges))


Why = Callable[[Edge], str]
"""Says what an edge rests on, for people."""
