"""Kernels that find shortest paths: to where a bad run can stay, and from one condition of a fair cycle to the next."""

from __future__ import annotations

from checker.engine.liveness.cells import INITIAL, INNER, NONE, START, STAY, Cells
from checker.engine.liveness.components import LAST, UNIT_CELLS

WANTED = 1
"""A unit that a cycle has to take."""
AVOIDABLE = 2
"""A unit that it has to take, or to meet a state that does not enable it."""


def follow(mark: int, bad: int, once: int) -> int:
    """Whether a run is bad in a state with these marks, behind one in which it is or is not. `once`: it had to begin so."""
    if mark & STAY == 0:
        return 0
    if bad != 0:
        return 1
    return 1 if once == 0 and mark & START != 0 else 0


def stem(
    n: int, first: Cells, target: Cells, flags: Cells, mark: Cells, parent: Cells, queue: Cells, later: Cells, once: int,
    goal: int, bad_goal: int,
) -> int:  # fmt: skip
    """A shortest path from an initial state to one with a mark among `goal`, or, on a bad run, among `bad_goal`.

    Gives NONE or the node that was found, 2 v + 1 on a bad run and 2 v on others; `parent` leads back to an initial node,
    which is its own parent. Where `once` is set, only runs that are bad from the beginning are followed. Inner vertices are
    part of a step, so they are gone through at once. `parent`, `queue` and `later` have two cells for each vertex.
    """
    goals = 0
    for v in range(n):
        goals = goals | (mark[v] & (goal | bad_goal))
    if goals == 0:  # as for nearly all properties that hold
        return NONE
    for node in range(2 * n):
        parent[node] = NONE
    size = 0
    for v in range(n):
        if flags[v] & INITIAL != 0:
            bad = follow(mark[v] | (START if once != 0 else 0), 0, 0)
            if bad != 0 or once == 0:
                node = 2 * v + bad
                parent[node] = node
                if mark[v] & goal != 0 or (bad != 0 and mark[v] & bad_goal != 0):
                    return node
                queue[size] = node
                size += 1
    while size != 0:
        at = 0
        following = 0
        while at < size:
            node = queue[at]
            at += 1
            v = node >> 1
            for e in range(first[v], first[v + 1]):
                w = target[e]
                bad = node & 1 if flags[w] & INNER != 0 else follow(mark[w], node & 1, once)
                if bad == 0 and once != 0:
                    continue
                found = 2 * w + bad
                if parent[found] != NONE:
                    continue
                parent[found] = node
                if flags[w] & INNER != 0:
                    queue[size] = found
                    size += 1
                    continue
                if mark[w] & goal != 0 or (bad != 0 and mark[w] & bad_goal != 0):
                    return found
                later[following] = found
                following += 1
        size = following
        spare = queue
        queue = later
        later = spare
    return NONE


def meets(first: Cells, unit: Cells, want: Cells, tally: Cells, v: int, count: int) -> int:
    """Whether a state does not enable all of the `count` units that are AVOIDABLE."""
    enabled = 0
    for e in range(first[v], first[v + 1]):
        u = unit[e]
        if want[u] == AVOIDABLE and tally[UNIT_CELLS * u + LAST] != v:
            tally[UNIT_CELLS * u + LAST] = v
            enabled += 1
    for e in range(first[v], first[v + 1]):
        tally[UNIT_CELLS * unit[e] + LAST] = NONE
    return 1 if enabled < count else 0


def nearest(
    n: int, first: Cells, target: Cells, unit: Cells, flags: Cells, mark: Cells, group: Cells, want: Cells, tally: Cells,
    parent: Cells, queue: Cells, result: Cells, source: int, goal: int, marked: int, avoidable: int,
) -> int:  # fmt: skip
    """A shortest path within the set of `source`, of at least one step, to whatever is wanted first.

    That is the vertex `goal` (unless NONE), a state with a mark among `marked`, an edge of a unit that is wanted, or a state
    that does not enable one of the units that are AVOIDABLE, of which there are so many. `parent` leads back to the source,
    which has none. Gives the last vertex of that way, and in `result[0]` where an edge leads from there that is the end of the
    path: NONE if the vertex itself is. Gives NONE if nothing is found.
    """
    for v in range(n):
        parent[v] = NONE
    g = group[source]
    queue[0] = source
    size = 1
    at = 0
    while at < size:
        v = queue[at]
        at += 1
        for e in range(first[v], first[v + 1]):
            w = target[e]
            if group[w] != g:
                continue
            if w == goal or want[unit[e]] != 0:
                result[0] = w
                return v
            if w == source or parent[w] != NONE:
                continue
            parent[w] = v
            met = 0
            if flags[w] & INNER == 0:
                met = mark[w] & marked
                if avoidable != 0:
                    met = met | meets(first, unit, want, tally, w, avoidable)
            if met != 0:
                result[0] = NONE
                return w
            queue[size] = w
            size += 1
    return NONE
