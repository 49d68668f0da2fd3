"""Kernels that make the graph on which liveness is judged from the states that a search has stored.

A search does not keep its edges: they are many times as many as the states, and only liveness asks for them. So each state is
expanded once more, now by code that notes which unit each step takes, and its successors are looked up. The visited
set of the search knows whether a state is there but mostly not which number it has, so there is a table that does (`numbering`).
As in a search, nearly all time is spent waiting for memory, so successors are looked up in batches, in passes:
the first asks for the slot of each, the second, where that is needed, for the record that the slot means, the third compares.

Several workers may be at it at the same time, each with states and edges of its own. They share the table of numbers, which
they fill by compare-and-swap, and that of units: to look one up takes no lock, to add one does. A worker claims room for all
units that a batch may add before it adds the first (`may_add_units`), so that nobody has to stop halfway through one.
"""

from __future__ import annotations

from checker.native.abi import (
    CTX_NOTES,
    CTX_OUT,
    CTX_PARENT,
    CTX_SHARED,
    CTX_SPEC,
    DEFER,
    DONE,
    LOWEST_ADDRESS,
)
from checker.native.code.frame import DEFERRED, LIMIT_CUT
from checker.native.edges.layout import (
    CLAIMS,
    CUTS,
    EDGE_LIMIT,
    EDGES,
    FIRST,
    FLAGS,
    HASHES,
    LEFT,
    MARK,
    MARKS_OF,
    MORE_EDGES,
    MORE_UNITS,
    NEXT,
    NO_SIDE,
    NOTES,
    PAUSE,
    REFERENCES,
    RIGHT,
    TARGET,
    TWINS,
    UNIT,
    UNIT_CLAIMED,
    UNIT_COUNT,
    UNIT_FAIRNESS,
    UNIT_LIMIT,
    UNIT_LOCK,
    UNIT_SHIFT,
    UNIT_STRONG,
    UNIT_TABLE,
    UNITS,
)
from checker.native.edges.numbering import LOW, fetch_likely, found, slot_for
from checker.native.kernels.probing import first_slot, next_slot
from checker.native.kernels.records import hash_of, hash_word, mum, record_at, words_of
from checker.native.kernels.spec import expand
from checker.native.words import (
    cas64,
    entry,
    external,
    fetch_add,
    inline,
    load32,
    load64,
    load_atomic,
    prefetch,
    rare,
    store32,
    store64,
    sub64,
)

CUT = 8
"""Flag of vertices, for the driver, which takes it away."""

BATCH = 4096
"""Bytes of successors that are collected before they are looked up."""

SPARE = 64
"""For how many more units a worker claims room than it needs, so that it seldom has to."""


@external
def ask(ctx: int, state: int, number: int) -> int:
    """What a side of a live property says about a state: see `code.judge.write_asking`."""
    return 0 * ctx * state * number


# ---- numbers of units


@inline
def place_for(units: int, unit: int, key: int) -> int:
    """The slot of a unit, or the one where it may be put."""
    table = load64(units + 8 * UNIT_TABLE)
    shift = load64(units + 8 * UNIT_SHIFT)
    slot = first_slot(table, shift, mum(hash_word(key), hash_word(unit)), 24)
    while True:
        there = load_atomic(slot)
        if there == 0 or (there == unit and load64(slot + 8) == key):
            return slot
        slot = next_slot(table, shift, slot, 24)


@rare
def add_unit(work: int, unit: int, key: int) -> int:
    """Gives a unit a number, unless another worker has just done so, and gives its slot."""
    units = load64(work + 8 * UNITS)
    while cas64(units + 8 * UNIT_LOCK, 0, 1) == 0:
        pass
    slot = place_for(units, unit, key)
    if load64(slot) == 0:
        number = load64(units + 8 * UNIT_COUNT)
        store64(slot + 8, key)
        store64(slot + 16, number)
        strong = load32(load64(units + 8 * UNIT_FAIRNESS) + 4 * unit) == 2
        store32(load64(units + 8 * UNIT_STRONG) + 4 * number, 1 if strong else 0)
        store64(units + 8 * UNIT_COUNT, number + 1)
        store64(work + 8 * CLAIMS, load64(work + 8 * CLAIMS) - 1)
        cas64(slot, 0, unit)  # publishes the rest
    cas64(units + 8 * UNIT_LOCK, 1, 0)
    return slot


@entry
def number_of(ctx: int, work: int, unit: int, key: int) -> int:
    """The number of a unit, which is not 0; a new one if it has none, for which the worker has claimed room."""
    slot = place_for(load64(work + 8 * UNITS), unit, key)
    if load_atomic(slot) != unit or load64(slot + 8) != key:  # empty, or no longer
        slot = add_unit(work, unit, key)
    return load64(slot + 16) + 0 * ctx


@entry
def may_add_units(ctx: int, work: int, count: int) -> int:
    """Claims room for so many new units, if the worker has not done so; gives 0 if the table has to grow first."""
    claims = load64(work + 8 * CLAIMS)
    if claims < count:
        units = load64(work + 8 * UNITS)
        more = count - claims + SPARE
        if fetch_add(units + 8 * UNIT_CLAIMED, more) + more > load64(units + 8 * UNIT_LIMIT):
            fetch_add(units + 8 * UNIT_CLAIMED, sub64(0, more))
            return 0 * ctx
        store64(work + 8 * CLAIMS, claims + more)
    return 1


@entry
def move_units(ctx: int, work: int, table: int, shift: int) -> int:
    """Moves the units into a larger, empty table. No other worker is at it."""
    units = load64(work + 8 * UNITS)
    old = load64(units + 8 * UNIT_TABLE)
    end = old + (24 << (64 - load64(units + 8 * UNIT_SHIFT)))
    store64(units + 8 * UNIT_TABLE, table)
    store64(units + 8 * UNIT_SHIFT, shift)
    while old != end:
        if load64(old) != 0:
            slot = place_for(units, load64(old), load64(old + 8))
            store64(slot, load64(old))
            store64(slot + 8, load64(old + 8))
            store64(slot + 16, load64(old + 16))
        old += 24
    return 0 * ctx


# ---- edges


def look_up(ctx: int, work: int, record: int, end: int) -> int:
    """Writes the edges to the successors of a batch, in the order of their records and notes. Gives how many there are."""
    hashes = load64(work + 8 * HASHES)
    shared = load64(ctx + 8 * CTX_SHARED)
    at = record
    h = hashes
    while at != end:
        value = hash_of(at)
        store64(h, value)
        prefetch(slot_for(work, value))
        h += 8
        at += 8 + 8 * words_of(at)
    if load64(work + 8 * TWINS) != 0:
        at = record
        h = hashes
        while at != end:
            fetch_likely(work, shared, load64(h), words_of(at))
            h += 8
            at += 8 + 8 * words_of(at)
    edges = load64(work + 8 * EDGES)
    target = load64(work + 8 * TARGET)
    unit = load64(work + 8 * UNIT)
    fairness = load64(load64(work + 8 * UNITS) + 8 * UNIT_FAIRNESS)
    note = load64(work + 8 * NOTES)
    at = record
    h = hashes
    while at != end:
        store32(target + 4 * edges, found(ctx, work, at, load64(h)))
        number = 0
        if load32(fairness + 4 * load64(note)) != 0:
            number = number_of(ctx, work, load64(note), load64(note + 8))
        store32(unit + 4 * edges, number)
        edges += 1
        note += 16
        h += 8
        at += 8 + 8 * words_of(at)
    return store64(work + 8 * EDGES, edges)


@rare
def returns(work: int, v: int, status: int) -> int:
    """The driver has to see to something."""
    store64(work + 8 * NEXT, v)
    return status


@entry
def link(ctx: int, work: int) -> int:
    """Writes the edges of the states from NEXT to PAUSE.

    Gives DONE, or what the driver has to see to before the state NEXT: MORE_EDGES, MORE_UNITS, or what `expand` gives.
    """
    shared = load64(ctx + 8 * CTX_SHARED)
    references = load64(work + 8 * REFERENCES)
    first = load64(work + 8 * FIRST)
    flags = load64(work + 8 * FLAGS)
    notes = load64(work + 8 * NOTES)
    spec = load64(ctx + 8 * CTX_SPEC)
    out = load64(ctx + 8 * CTX_OUT)
    v = load64(work + 8 * NEXT)
    stop = load64(work + 8 * PAUSE)
    while v < stop:
        begin = v
        end = out
        status = DONE
        store64(ctx + 8 * CTX_NOTES, notes)
        count = 0
        room = min(load64(work + 8 * EDGE_LIMIT) - load64(work + 8 * EDGES), LOW)
        while v < stop and end - out < BATCH:
            record = record_at(shared, load64(references + 8 * v))
            refused = load64(spec + 8 * LIMIT_CUT)
            before = load64(ctx + 8 * CTX_NOTES)
            store64(ctx + 8 * CTX_PARENT, 0)
            after = expand(ctx, record + 8, end)
            if after < LOWEST_ADDRESS:
                store64(ctx + 8 * CTX_NOTES, before)
                status = after
                break
            now = (load64(ctx + 8 * CTX_NOTES) - notes) >> 4
            if now > room:
                store64(ctx + 8 * CTX_NOTES, before)
                status = MORE_EDGES
                break
            if load64(spec + 8 * LIMIT_CUT) != refused:
                store32(flags + 4 * v, load32(flags + 4 * v) | CUT)
                store64(work + 8 * CUTS, load64(work + 8 * CUTS) + 1)
            count = now
            end = after
            v += 1
            store32(first + 4 * v, load64(work + 8 * EDGES) + count)
        if may_add_units(ctx, work, count) == 0:
            return returns(work, begin, MORE_UNITS)  # all of the batch comes up again
        look_up(ctx, work, out, end)
        if status != DONE and end == out:
            return returns(work, v, status)
    return returns(work, v, DONE)


@entry
def move_ends(ctx: int, work: int, by: int) -> int:
    """The edges of the states from NEXT to PAUSE move by so many places."""
    first = load64(work + 8 * FIRST)
    for v in range(load64(work + 8 * NEXT), load64(work + 8 * PAUSE)):
        store32(first + 4 * (v + 1), load32(first + 4 * (v + 1)) + by)
    return 0 * ctx


# ---- marks


@entry
def label(ctx: int, work: int) -> int:
    """Marks the states from NEXT to PAUSE for the property whose sides are LEFT and RIGHT.

    Gives DONE, or DEFER if the driver has to say what holds in the state NEXT.
    """
    shared = load64(ctx + 8 * CTX_SHARED)
    references = load64(work + 8 * REFERENCES)
    mark = load64(work + 8 * MARK)
    marks_of = load64(work + 8 * MARKS_OF)
    left = load64(work + 8 * LEFT)
    right = load64(work + 8 * RIGHT)
    for v in range(load64(work + 8 * NEXT), load64(work + 8 * PAUSE)):
        state = record_at(shared, load64(references + 8 * v)) + 8
        a = ask(ctx, state, left)
        b = ask(ctx, state, right) if right != NO_SIDE else 0
        if a == DEFERRED or b == DEFERRED:
            return returns(work, v, DEFER)
        store32(mark + 4 * v, load32(marks_of + 4 * (4 * a + b)))
    return returns(work, load64(work + 8 * PAUSE), DONE)
