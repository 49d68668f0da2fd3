"""Pending successors: which of them are new, and what is done with those.

`look_up` goes over a batch in passes: the first computes each hash and asks for the cache line where the search for it begins
(`ask`); the last finds it there. Between the two lie a hundred other successors, so a line is mostly there when it is needed,
and ten are on their way at once. Where slots refer to records (`INDIRECT`), a pass between them asks for the record that the
slot seems to mean (`guess`). Nearly all successors are found; the few that are not go to `discover`.
"""

from __future__ import annotations

from checker.native.abi import (
    ARENA_FULL,
    CTX_ARENA_END,
    CTX_ARENA_NEXT,
    CTX_BOUND_CUT,
    CTX_EVENT_OLD,
    CTX_EVENT_REF,
    CTX_EVENT_STATE,
    CTX_JUDGED,
    CTX_PENDING,
    CTX_PENDING_END,
    CTX_SCRATCH,
    CTX_SCRATCH_END,
    CTX_SHARED,
    DONE,
    EVENT_STATE,
    EVENT_STEP,
    GROW,
    INDIRECT,
    NO_PARENT,
    REF_BITS,
    REF_MASK,
    SHARD_BITS,
    SHARD_COUNT,
    SHARD_LIMIT,
)
from checker.native.kernels.records import behind, enroll, fetch, hash_of, keep, record_at, reference, words_of
from checker.native.kernels.spec import has_bound, has_steps, inside, table_kind, transition, visit
from checker.native.kernels.table import (
    count_entry,
    key_in,
    later_key,
    later_line,
    line_in,
    note_down,
    publish,
    shard_of,
    slot_of,
    stands_in,
)
from checker.native.words import inline, load64, lowest_bit, match_line, prefetch, rare, store64

AHEAD = 512
"""How many bytes behind the last record of an arena a cache line is asked for, so that it is there when it is written."""


@inline
def ask(ctx: int, shared: int, record: int, end: int) -> int:
    """The first pass over pending successors: hashes, and cache lines asked for. Gives where it had to stop."""
    note = load64(ctx + 8 * CTX_SCRATCH)
    last = load64(ctx + 8 * CTX_SCRATCH_END)
    while record < end and note != last:
        h = hash_of(record)
        prefetch(note_down(note, shard_of(shared, h), h))
        note += 16
        record = behind(record)
    return record


@inline
def guess(ctx: int, shared: int, record: int, end: int) -> int:
    """The pass in between where slots refer to records: asks for the first record with the right tag."""
    note = load64(ctx + 8 * CTX_SCRATCH)
    while record != end:
        line = line_in(note)
        words = words_of(record)
        found = match_line(line, REF_BITS, key_in(note, record))
        if found != 0:
            fetch(record_at(shared, load64(line + 8 * lowest_bit(found)) & REF_MASK), words)
        note += 16
        record += 8 + 8 * words
    return 0


@inline
def judge(ctx: int, shared: int, record: int) -> int:
    """Judges the step to a pending successor, once; gives 1 if there is something to report."""
    parent = load64(record) & REF_MASK
    if parent == NO_PARENT or load64(ctx + 8 * CTX_JUDGED) == record:
        return 0
    old = record_at(shared, parent) + 8
    store64(ctx + 8 * CTX_JUDGED, record)
    if transition(ctx, old, record + 8) == 0:
        return 0
    store64(ctx + 8 * CTX_EVENT_STATE, record + 8)
    store64(ctx + 8 * CTX_EVENT_OLD, old)
    store64(ctx + 8 * CTX_EVENT_REF, parent)
    return 1


def discover(ctx: int, record: int, note: int) -> int:
    """Looks for a pending successor that was not found at first sight, and puts it into the set.

    Gives DONE, also if it was there after all, EVENT_STATE when it has been dealt with, or GROW or ARENA_FULL when not.
    """
    shared = load64(ctx + 8 * CTX_SHARED)
    h = load64(note + 8)
    shard = shard_of(shared, h)
    key = key_in(note, record)
    state = record + 8
    home = line_in(note)
    line = home
    tried = 0
    while True:
        # In this order: what another worker puts into the slots before the first empty one of this look, the next look sees.
        # The other way round, it could put the same state into a slot between the two looks, and nobody would have seen it.
        free = match_line(line, 0, 0)
        if stands_in(ctx, shared, line, key, record) != 0:
            return DONE
        if free == 0:
            tried += 1
            line = later_line(shard, home, tried)
            key = later_key(key)
            continue
        if has_bound() != 0 and inside(ctx, state) == 0:
            store64(ctx + 8 * CTX_BOUND_CUT, load64(ctx + 8 * CTX_BOUND_CUT) + 1)
            break
        if load64(shard + 8 * SHARD_COUNT) >= load64(shard + 8 * SHARD_LIMIT):
            store64(ctx + 8 * CTX_EVENT_REF, h >> (64 - SHARD_BITS))
            return GROW
        kept = load64(ctx + 8 * CTX_ARENA_NEXT)
        end = kept + 8 + 8 * words_of(record)
        if end > load64(ctx + 8 * CTX_ARENA_END):
            return ARENA_FULL
        keep(record, kept)
        if publish(shared, line + 8 * lowest_bit(free), slot_of(key, reference(ctx, kept))) != 0:
            count_entry(ctx, shared, shard)
            enroll(ctx, kept, end)
            prefetch(end + AHEAD)
            state = kept + 8
            break
    if visit(ctx, state) != 0:
        store64(ctx + 8 * CTX_EVENT_STATE, state)
        store64(ctx + 8 * CTX_EVENT_REF, load64(record) & REF_MASK)
        return EVENT_STATE
    return DONE


@rare
def discover_apart(ctx: int, record: int, note: int) -> int:
    """`discover`, not to be put into the loop of `look_up`: where slots refer to records, the loop would run half as fast."""
    return discover(ctx, record, note)


def look_up(ctx: int) -> int:
    """Deals with all pending successors; gives DONE, or what the driver has to see to first."""
    shared = load64(ctx + 8 * CTX_SHARED)
    record = load64(ctx + 8 * CTX_PENDING)
    end = load64(ctx + 8 * CTX_PENDING_END)
    while record != end:
        stop = ask(ctx, shared, record, end)
        if table_kind() == INDIRECT:
            guess(ctx, shared, record, stop)
        note = load64(ctx + 8 * CTX_SCRATCH)
        while record != stop:
            if has_steps() != 0 and judge(ctx, shared, record) != 0:
                store64(ctx + 8 * CTX_PENDING, record)
                return EVENT_STEP
            size = 8 + 8 * words_of(record)
            if stands_in(ctx, shared, line_in(note), key_in(note, record), record) == 0:
                status = discover_apart(ctx, record, note) if table_kind() == INDIRECT else discover(ctx, record, note)
                if status != DONE:
                    store64(ctx + 8 * CTX_PENDING, record + size if status == EVENT_STATE else record)
                    return status
            note += 16
            record += size
    store64(ctx + 8 * CTX_PENDING, end)
    return store64(ctx + 8 * CTX_JUDGED, 0)
