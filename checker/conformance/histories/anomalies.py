"""What cycles of dependencies mean: Adya's anomalies, as Elle tells them apart.

| | The cycle has |
|---|---|
| `G0` | `ww` edges alone |
| `G1c` | `ww` and `wr` edges, at least one `wr` |
| `G-single` | exactly one `rw` edge |
| `G-nonadjacent` | several `rw` edges, no two of them one after the other |
| `G2-item` | `rw` edges one after the other |

The first that applies names it. A cycle that needs edges of processes or of real time has `-process` or `-realtime` behind
its name; it is looked for only where there is none without them.

Of each kind a shortest cycle of each component is reported. Searches have a budget, so that a history that is wrong
everywhere is refuted in bearable time: then cycles may be longer than they need to be, or of fewer kinds, and that is said.

Sources: Adya, "Weak Consistency", 1999. Kingsbury and Alvaro, "Elle", VLDB 2020. Cerone and Gotsman, "Analysing Snapshot
Isolation", PODC 2016, for `G-nonadjacent`.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from checker.conformance.histories.dependencies import (
    ALL,
    ANY_RW,
    NAMES,
    PROCESS,
    REALTIME,
    RW,
    RW_PROCESS,
    RW_REALTIME,
    WR,
    WW,
    Cycle,
    Dependencies,
    Edge,
    Effort,
    Graph,
    Why,
    shortest,
    strong,
    within,
)
from checker.conformance.histories.verdict import MOST_FINDINGS, Finding

DATA = WW | WR | RW
_TIME = {0: "", PROCESS | RW_PROCESS: "-process", REALTIME | RW_REALTIME: "-realtime"}
"""The kinds of edges beside DATA, and what a cycle is called that needs them."""


def anomalies(dependencies: Dependencies, why: Why, effort: Effort) -> Iterator[Finding]:
    """Findings for all components, worst kinds first within each."""
    reported: dict[str, int] = {}
    for component in dependencies.components():
        for name, cycle in _cycles(component, effort):
            reported[name] = reported.get(name, 0) + 1
            if reported[name] <= MOST_FINDINGS:
                yield _finding(name, cycle, dependencies, why)
            else:
                yield Finding(name, "one more cycle")


def _cycles(component: Graph, effort: Effort) -> Iterator[tuple[str, Cycle]]:
    """The cycles of a component: by data alone; where there are none, with edges of processes; then of real time."""
    for extra, suffix in _TIME.items():
        kinds = DATA | extra
        found = False
        for nodes in strong(component, kinds):
            found = True
            for name, cycle in _kinds_of(within(component, nodes, kinds), extra, effort).items():
                yield name + suffix, cycle
        if found:
            return


def _kinds_of(graph: Graph, extra: int, effort: Effort) -> dict[str, Cycle]:
    """A shortest cycle of each kind in a component."""
    best: dict[str, Cycle] = {}

    def keep(cycle: Cycle | None) -> None:
        if cycle is not None:
            name = name_of(cycle)
            if name not in best or len(cycle) < len(best[name]):
                best[name] = cycle

    def search(kind: int, others: int, name: str, least: int, *, apart: bool = False) -> None:
        """Tries each edge of a kind as the first one, until there is a cycle that cannot be shorter."""
        inside = {node: number for number, nodes in enumerate(strong(graph, kind | others)) for node in nodes}
        for s, t, mask in edges:
            if effort.left <= 0 or len(best.get(name, range(least + 1))) <= least:
                return
            first = mask & kind
            if first and s in inside and inside[s] == inside.get(t):
                keep(shortest(graph, Edge(s, t, first & -first), others, effort, apart=apart))

    edges = [(s, t, mask) for s, targets in graph.items() for t, mask in targets]
    time, rw = extra & ~ANY_RW, RW | extra & ANY_RW
    search(WW, WW | time, "G0", 2)
    search(WR, WW | WR | time, "G1c", 2)
    search(rw, WW | WR | time, "G-single", 2)
    search(rw, DATA | extra, "G-nonadjacent", 4, apart=True)
    search(rw, DATA | extra, "G2-item", 2)
    if not best:  # the budget was gone before: one cycle has to be found
        s, t, mask = edges[0]
        keep(shortest(graph, Edge(s, t, mask & -mask), ALL, Effort(1 << 62)))
    return best


def name_of(cycle: Cycle) -> str:
    """The kind of a cycle, without regard to edges of time."""
    kinds = [RW if edge.kinds & ANY_RW else edge.kinds for edge in cycle]
    several = kinds.count(RW)
    if not several:
        return "G1c" if WR in kinds else "G0"
    if several == 1:
        return "G-single"
    adjacent = any(a == b == RW for a, b in pairwise([*kinds, kinds[0]]))
    return "G2-item" if adjacent else "G-nonadjacent"


def _finding(name: str, cycle: Cycle, dependencies: Dependencies, why: Why) -> Finding:
    names = [f"T{number}" for number in range(1, len(cycle) + 1)]
    remarks = [f"{NAMES[edge.kinds]} to {names[(at + 1) % len(names)]}: {why(edge)}" for at, edge in enumerate(cycle)]
    way = " ".join(f"{n} {NAMES[e.kinds]}" for n, e in zip(names, cycle, strict=True))
    nodes = tuple(dependencies.nodes[edge.source] for edge in cycle)
    return Finding(name, f"a cycle of {len(cycle)} transactions: {way} T1", nodes, tuple(remarks))
