"""Kernels that find the sets of states in which a fair run can stay; see the package for what they compute.

Edges stand in order of their sources: those of v are `first[v]` to `first[v + 1]`, with `target` and `unit` (0: none that is
fair). Vertices under consideration have a number of their set in `group`, 0 for none; `member` lists them, set after set. A
set that turns out to be no candidate is dissolved (group 0), a part of one gets in line to be decomposed again (`todo`), and what
is left in the end is fair.
"""

from __future__ import annotations

from checker.engine.liveness.cells import ALONE, COIN, GOOD, INNER, LIMITED, NONE, STAY, VISIT, Cells

DONE = NONE
"""The `low` of a vertex whose set is complete; larger than any other, so that it is never the least."""

ENABLED = 0
TAKEN = 1
LAST = 2
EPOCH = 3
UNIT_CELLS = 4
AVOIDED = NONE
"""What `tally` has for each unit: states that enable it (or AVOIDED), whether it is taken, the last
state that was counted, and for which set."""


def is_open(mark: int) -> int:
    """Whether it is still to be found out in which set a vertex with these marks lies, if in any."""
    return 1 if mark & (STAY | LIMITED | ALONE) == STAY else 0


def stutters(first: Cells, unit: Cells, flags: Cells, mark: Cells, visit: int, v: int) -> int:
    """Whether a fair run can stay in a set of one vertex: no edge stays inside, so it can only stutter there."""
    if flags[v] & INNER != 0 or (visit != 0 and mark[v] & VISIT == 0):
        return 0
    for e in range(first[v], first[v + 1]):
        if unit[e] != 0:
            return 0
    return 1


def trim(
    first: Cells, target: Cells, unit: Cells, flags: Cells, mark: Cells, begin: int, end: int, visit: int
) -> int:  # fmt: skip
    """Marks vertices from `end` down to `begin` with ALONE, and with GOOD if they stutter, and gives how many.

    Those are meant from which no edge leads to one that is open. Where states are numbered level by level, edges go mostly from
    lower numbers to higher ones, so one pass finds nearly all of a graph without cycles, much sooner than `decompose` does.
    Whether all are found does not matter, so several workers may each have a part of the vertices: one sees a mark that another
    sets at the same time, or does not.
    """
    found = 0
    v = end
    while v != begin:
        v -= 1
        if is_open(mark[v]) == 0:
            continue
        inside = 0
        for e in range(first[v], first[v + 1]):
            if is_open(mark[target[e]]) != 0:
                inside = 1
                break
        if inside == 0:
            found += 1
            mark[v] = mark[v] | (ALONE | GOOD if stutters(first, unit, flags, mark, visit, v) != 0 else ALONE)
    return found


def decompose(
    first: Cells, target: Cells, group: Cells, member: Cells, popped: Cells, ends: Cells, low: Cells, stack: Cells,
    calls: Cells, stop: Cells, begin: int, end: int,
) -> int:  # fmt: skip
    """The strongly connected sets of the vertices `member[begin:end]`, which are all of one group, along edges within it.

    Writes them to `popped[begin:end]`, one after the other; `ends` has for the place where one begins the place where it
    ends. `calls` is the stack of the search, three cells for each vertex on it: the vertex, the edge that is looked at, the
    number of the vertex. `stop[0]` is looked at now and then; gives 1 if it asked for an end, else 0.

    D. J. Pearce, A space-efficient algorithm for finding strongly connected components, IPL 116 (2016).
    """
    for i in range(begin, end):
        low[member[i]] = 0
    g = group[member[begin]]
    out = begin
    height = 0
    number = 1
    for i in range(begin, end):
        root = member[i]
        if low[root] != 0:
            continue
        low[root] = number
        calls[0] = root
        calls[1] = first[root]
        calls[2] = number
        number += 1
        depth = 1
        while depth != 0:
            frame = 3 * depth - 3
            v = calls[frame]
            e = calls[frame + 1]
            last = first[v + 1]
            least = low[v]
            child = NONE
            while e != last:
                w = target[e]
                if group[w] == g:
                    lowest = low[w]
                    if lowest == 0:
                        child = w
                        break
                    if lowest < least:
                        least = lowest
                e += 1
            low[v] = least
            if child != NONE:
                calls[frame + 1] = e  # looked at again when the child is done, for what the child has reached
                low[child] = number
                calls[frame + 3] = child
                calls[frame + 4] = first[child]
                calls[frame + 5] = number
                number += 1
                depth += 1
                continue
            depth -= 1
            if stop[0] != 0:
                return 1
            if least != calls[frame + 2]:
                stack[height] = v
                height += 1
                continue
            start = out
            while height != 0 and low[stack[height - 1]] >= least:
                height -= 1
                w = stack[height]
                low[w] = DONE
                popped[out] = w
                out += 1
            low[v] = DONE
            popped[out] = v
            out += 1
            ends[start] = out
    return 0


def closed(first: Cells, target: Cells, flags: Cells, group: Cells, member: Cells, begin: int, end: int) -> int:
    """Takes coins that may leave a set out of it. Gives where it ends then: `end` if nothing was taken out."""
    kept = begin
    for i in range(begin, end):
        v = member[i]
        leaves = 0
        if flags[v] & COIN != 0:
            for e in range(first[v], first[v + 1]):
                if group[target[e]] != group[v]:
                    leaves = 1
        if leaves != 0:
            group[v] = 0
        else:
            member[kept] = v
            kept += 1
    return kept


def unfair(
    first: Cells, target: Cells, unit: Cells, flags: Cells, strong: Cells, group: Cells, member: Cells, tally: Cells,
    listed: Cells, begin: int, end: int,
) -> int:  # fmt: skip
    """What keeps fair runs from meeting all of a set again and again.

    Gives 0 if nothing does, NONE if no fair run stays in it, and 1 if a fair run has to avoid states that enable a unit: the
    tally of the unit is AVOIDED then.
    """
    g = group[member[begin]]
    states = 0
    units = 0
    for i in range(begin, end):
        v = member[i]
        if flags[v] & INNER != 0:
            continue
        states += 1
        for e in range(first[v], first[v + 1]):
            u = unit[e]
            if u == 0:
                continue
            at = UNIT_CELLS * u
            if tally[at + EPOCH] != g:
                tally[at + EPOCH] = g
                tally[at + ENABLED] = 0
                tally[at + TAKEN] = 0
                tally[at + LAST] = NONE
                listed[units] = u
                units += 1
            if tally[at + LAST] != v:
                tally[at + LAST] = v
                tally[at + ENABLED] = tally[at + ENABLED] + 1
            if group[target[e]] == g:
                tally[at + TAKEN] = 1
    if states == 0:
        return NONE
    avoided = 0
    for i in range(units):
        u = listed[i]
        at = UNIT_CELLS * u
        if tally[at + TAKEN] == 0:
            if tally[at + ENABLED] == states:
                return NONE
            if strong[u] != 0:
                avoided = 1
                tally[at + ENABLED] = AVOIDED
    return avoided


def avoiding(
    first: Cells, unit: Cells, flags: Cells, group: Cells, member: Cells, tally: Cells, begin: int, end: int
) -> int:
    """Takes the states that enable a unit out of a set that `unfair` says are to be avoided. Gives where it ends then."""
    kept = begin
    for i in range(begin, end):
        v = member[i]
        out = 0
        if flags[v] & INNER == 0:
            for e in range(first[v], first[v + 1]):
                at = UNIT_CELLS * unit[e]
                if unit[e] != 0 and tally[at + EPOCH] == group[v] and tally[at + ENABLED] == AVOIDED:
                    out = 1
        if out == 0:
            member[kept] = v
            kept += 1
    return kept


def remaining(
    first: Cells, target: Cells, unit: Cells, flags: Cells, strong: Cells, mark: Cells, group: Cells, member: Cells,
    tally: Cells, listed: Cells, begin: int, end: int, visit: int,
) -> int:  # fmt: skip
    """How much of a strongly connected set may still hold a fair run.

    Gives `end` where all of it does, `begin` where nothing does, and a place between them where the members before it are to
    be decomposed again. The groups of the others are the caller's to clear.
    """
    if end - begin == 1:
        return end if stutters(first, unit, flags, mark, visit, member[begin]) != 0 else begin
    if visit != 0:
        met = 0
        for i in range(begin, end):
            met = met | (mark[member[i]] & VISIT)
        if met == 0:
            return begin
    kept = closed(first, target, flags, group, member, begin, end)
    if kept != end:
        return kept
    avoided = unfair(first, target, unit, flags, strong, group, member, tally, listed, begin, end)
    if avoided == 0:
        return end
    if avoided == NONE:
        return begin
    return avoiding(first, unit, flags, group, member, tally, begin, end)


def fair_sets(
    n: int, first: Cells, target: Cells, unit: Cells, flags: Cells, strong: Cells, mark: Cells, group: Cells, member: Cells,
    popped: Cells, ends: Cells, low: Cells, stack: Cells, calls: Cells, todo: Cells, tally: Cells, listed: Cells, stop: Cells,
    units: int, visit: int,
) -> int:  # fmt: skip
    """Marks the states with GOOD that lie in a set in which a fair run can stay, among those with STAY and without LIMITED.

    Afterwards `group` tells these sets apart. Gives how many there are, or NONE where `stop` asked for an end. Vertices that
    `trim` has marked are sets of their own, with the group v + 2.

    Args:
        n: How many vertices there are.
        first: Where the edges of each vertex begin.
        target: Where they lead.
        unit: Their units.
        flags: Of vertices.
        strong: For each unit whether it is strongly fair.
        mark: Of vertices.
        group: For each vertex.
        member: As many cells as vertices; so have `popped`, `ends`, `low` and `stack`; `calls` has three times as many.
        popped: See `decompose`.
        ends: See `decompose`.
        low: See `decompose`.
        stack: See `decompose`.
        calls: See `decompose`.
        todo: Twice as many cells as vertices.
        tally: UNIT_CELLS cells for each unit.
        listed: A cell for each unit.
        stop: See `decompose`.
        units: How many there are, number 0 included.
        visit: Whether a set has to have a state with VISIT.
    """
    for u in range(units):
        tally[UNIT_CELLS * u + EPOCH] = 0
    count = 0
    found = 0
    for v in range(n):
        group[v] = 0
        if is_open(mark[v]) != 0:
            group[v] = 1
            member[count] = v
            count += 1
        elif mark[v] & GOOD != 0:
            group[v] = v + 2
            found += 1
    todo[0] = 0
    todo[1] = count
    waiting = 1 if count != 0 else 0
    g = n + 1
    while waiting != 0:
        waiting -= 1
        end = todo[2 * waiting + 1]
        begin = todo[2 * waiting]
        if decompose(first, target, group, member, popped, ends, low, stack, calls, stop, begin, end) != 0:
            return NONE
        while begin != end:
            after = ends[begin]
            g += 1
            for i in range(begin, after):
                v = popped[i]
                member[i] = v
                group[v] = g
            kept = remaining(
                first, target, unit, flags, strong, mark, group, member, tally, listed, begin, after, visit
            )
            if kept == after:
                found += 1
                for i in range(begin, after):
                    v = member[i]
                    if flags[v] & INNER == 0:
                        mark[v] = mark[v] | GOOD
            else:
                for i in range(begin, after):
                    group[popped[i]] = 0
                for i in range(begin, kept):
                    group[member[i]] = g
                if kept != begin:
                    todo[2 * waiting] = begin
                    todo[2 * waiting + 1] = kept
                    waiting += 1
            begin = after
    return found
