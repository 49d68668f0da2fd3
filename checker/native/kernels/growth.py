"""Growth and recovery: the entries that fill tables with what is known already."""

from __future__ import annotations

from checker.native.abi import (
    CTX_ARENA_NEXT,
    CTX_EVENT_REF,
    CTX_SCRATCH,
    CTX_SCRATCH_END,
    CTX_SHARED,
    DONE,
    GROW,
    INDIRECT,
    INLINE,
    REF_MASK,
    SHARD_BASE,
    SHARD_BITS,
    SHARD_COUNT,
    SHARD_LIMIT,
    SHARD_SHIFT,
    SHARED_SHARDS,
)
from checker.native.kernels.lookup import ask
from checker.native.kernels.records import behind, enroll, fetch, hash_of, hash_word, record_at, reference, whole
from checker.native.kernels.spec import fixed_words, resumes, table_kind
from checker.native.kernels.table import (
    LINE,
    TOP,
    count_entry,
    hash_in,
    key_in,
    line_in,
    line_of,
    place,
    shard_of,
    tag_of,
    tag_start,
)
from checker.native.words import entry, inline, load64, store64

# ---- growth


def move(ctx: int, shard: int, end: int) -> int:
    """Puts what is noted down into a shard's new table. Gives where the next note goes."""
    shared = load64(ctx + 8 * CTX_SHARED)
    note = load64(ctx + 8 * CTX_SCRATCH)
    while note != end:
        value = load64(note)
        h = value
        key = value
        if table_kind() == INLINE:
            h = hash_word(value ^ TOP)
        if table_kind() == INDIRECT:
            h = load64(note + 8)
            if value <= REF_MASK:
                h = hash_of(whole(ctx, shared, value))
            key = tag_of(shard, h)
        place(shard, line_of(shard, h), key, value & REF_MASK)
        note += 16
    return load64(ctx + 8 * CTX_SCRATCH)


@entry
def grow(ctx: int, number: int, base: int, shift: int, limit: int) -> int:
    """Moves a shard into a larger, empty table at `base`. No other worker may look anything up meanwhile.

    Lines are in the order of hashes, so what stands side by side goes side by side. Yet a line that has just been written
    cannot be compared as a whole before all of it has left the store buffer. So a block of lines is read column by
    column, which keeps two writes to the same line apart.

    Where slots refer to records, a note has the beginning of the hash, if the slot tells it; otherwise, the slot is noted
    without its tag, and the record is asked for.
    """
    shared = load64(ctx + 8 * CTX_SHARED)
    shard = shared + 8 * SHARED_SHARDS + number * 32
    first = load64(shard + 8 * SHARD_BASE)
    before = load64(shard + 8 * SHARD_SHIFT)
    tagged = tag_start(before) == tag_start(shift)
    end = first + (8 << (64 - before))
    store64(shard + 8 * SHARD_BASE, base)
    store64(shard + 8 * SHARD_SHIFT, shift)
    store64(shard + 8 * SHARD_LIMIT, limit)
    note = load64(ctx + 8 * CTX_SCRATCH)
    last = load64(ctx + 8 * CTX_SCRATCH_END)
    block = first
    while block < end:
        stop = min(end, block + 32 * LINE)
        for column in range(0, LINE, 8):
            slot = block + column
            while slot < stop:
                value = load64(slot)
                if value != 0:
                    if table_kind() == INDIRECT:
                        if tagged != 0 and value >= TOP:
                            store64(note + 8, hash_in(number, before, (slot - first) // LINE, value))
                        else:
                            value = value & REF_MASK
                            fetch(record_at(shared, value), fixed_words() if fixed_words() != 0 else 8)
                    store64(note, value)
                    note += 16
                    if note == last:
                        note = move(ctx, shard, note)
                slot += LINE
        note = move(ctx, shard, note)
        block = stop
    return DONE


# ---- recovery


@entry
def adopt(ctx: int, end: int) -> int:
    """`take_over` in a search that may be resumed; others need none of its code."""
    return take_over(ctx, end) if resumes() != 0 else DONE


@inline
def take_over(ctx: int, end: int) -> int:
    """Takes over records, all different and not in the set, that stand in the arena from CTX_ARENA_NEXT on.

    Gives DONE, or GROW with a shard's number in CTX_EVENT_REF, and goes on from there when called again. Where CTX_ARENA_NEXT
    is not `end` at last, they were no records.
    """
    shared = load64(ctx + 8 * CTX_SHARED)
    record = load64(ctx + 8 * CTX_ARENA_NEXT)
    while record < end:  # less, as what comes from a file may be anything
        stop = ask(ctx, shared, record, end)
        note = load64(ctx + 8 * CTX_SCRATCH)
        while record != stop:
            h = load64(note + 8)
            shard = shard_of(shared, h)
            if load64(shard + 8 * SHARD_COUNT) >= load64(shard + 8 * SHARD_LIMIT):
                store64(ctx + 8 * CTX_EVENT_REF, h >> (64 - SHARD_BITS))
                return GROW
            place(shard, line_in(note), key_in(note, record), reference(ctx, record))
            count_entry(ctx, shared, shard)
            after = behind(record)
            enroll(ctx, record, after)
            record = after
            note += 16
    return DONE
