"""The visited set: where a state belongs, and what stands there.

**The set** is 64 shards, chosen by the top bits of the hash, so that one may grow while the rest stays. A shard is a table of
slots in lines of 64 bytes. A state belongs into the line that the next bits of its hash choose, or, where that is full, into
its neighbour, and so on (`later_line`). Inside a line, slots are filled from the left, whatever the hash says. So one
comparison of the whole line, a vector instruction, tells whether a state stands in it (`match_line`), and the only jump that is
hard to predict is whether a state is new. No slot is ever emptied.

What a slot holds depends on the spec. `INLINE`: the state itself. `FINGERPRINT`: the hash, which is taken for the state.
`INDIRECT`: a tag of 16 bits and the reference of a record; equal tags are only a reason to compare the records. A tag says
whether the state stands in the line where it belongs, and 15 bits of its hash, from those on that chose the line when the
tag was made. So a table grows without a look at the records, which lie anywhere and would cost a cache miss each:
the bits that choose the new line are in the tag (`hash_in`). As these no longer tell the states of a line apart, tags are
made anew after TAG_LIFE doublings; until then there are ten bits that do.

**Several workers** share the set without locks. A slot is published by one compare-and-swap, after the record that it means;
whoever loses looks at the line again, because the winner may have put the same state there. As slots are filled from the left
and never change, the first empty slot of the first line that is not full is the only place where a state that is missing
may be put, so no state gets in twice. Entries are counted for each worker and handed to the shared count 64 at a time, as a
shared counter would cost a cache miss for each new state. The limit of a shard leaves room for what is not yet counted.
"""

from __future__ import annotations

from checker.native.abi import (
    CTX_TALLIES,
    FINGERPRINT,
    INDIRECT,
    INLINE,
    REF_BITS,
    REF_MASK,
    SHARD_BASE,
    SHARD_BITS,
    SHARD_COUNT,
    SHARD_SHIFT,
    SHARED_SHARDS,
    SHARED_WORKERS,
    TALLY,
)
from checker.native.kernels.records import at_hand, same, words_of
from checker.native.kernels.spec import has_peers, table_kind
from checker.native.words import MASK, cas64, fetch_add, inline, load64, lowest_bit, match_line, rare, store64

LINE = 64
"""Bytes of a cache line."""

TOP = 1 << 63

TAG_BITS = 15
AT_HOME = 1 << TAG_BITS
"""The bit of a key that says that the state stands in the line where it belongs."""
TAG_LIFE = 6
"""How often a table can grow with the same tags."""
SIXTH = 43
"""256 divided by that, rounded up: numbers up to 61, which none here exceeds, it divides as exactly, and faster."""

# ---- where a state belongs


@inline
def shard_of(shared: int, h: int) -> int:
    """Where the four words of the hash's shard stand."""
    return shared + 8 * SHARED_SHARDS + (h >> (64 - SHARD_BITS)) * 32


@inline
def line_of(shard: int, h: int) -> int:
    """The cache line of the shard in which the search for a hash begins."""
    slot = ((h << SHARD_BITS) & MASK) >> load64(shard + 8 * SHARD_SHIFT)
    return load64(shard + 8 * SHARD_BASE) + (slot >> 3) * LINE


@inline
def later_line(shard: int, line: int, n: int) -> int:
    """The n-th line, from 1 on, in which to search where `line` and those before are full.

    First its neighbour in the same 128 bytes, which processors load together, then the next two, and so on.
    """
    base = load64(shard + 8 * SHARD_BASE)
    lines = 1 << (61 - load64(shard + 8 * SHARD_SHIFT))
    at = (line - base) // LINE + n - (n & 1)
    return base + (((at ^ (n & 1)) & (lines - 1)) * LINE)


# ---- what a slot holds


@inline
def later_key(key: int) -> int:
    """The key of a state in later lines than the one where it belongs, from either key."""
    if table_kind() != INDIRECT:
        return key
    tag = key & (AT_HOME - 1)
    return tag if tag != 0 else 1  # else empty slots would look like hits


@inline
def slot_of(key: int, ref: int) -> int:
    """The slot of a state with this key, whose record has this reference."""
    return key << REF_BITS | ref if table_kind() == INDIRECT else key


@inline
def referred_in(ctx: int, shared: int, line: int, key: int, record: int) -> int:
    """Where slots refer to records: the reference in a line to the state of a record, or 0."""
    found = match_line(line, REF_BITS, key)
    while found != 0:
        ref = load64(line + 8 * lowest_bit(found)) & REF_MASK
        if same(record, at_hand(ctx, shared, ref, words_of(record))) != 0:
            return ref
        found &= found - 1
    return 0


@inline
def stands_in(ctx: int, shared: int, line: int, key: int, record: int) -> int:
    """Whether a line holds the state of a record: not 0 if it does."""
    if table_kind() == INDIRECT:
        return referred_in(ctx, shared, line, key, record)
    return match_line(line, 0, key)


# ---- tags


@inline
def tag_start(shift: int) -> int:
    """The bits of the hash, besides those that choose the shard, that stand before those in tags, in a table with this shift."""
    return ((61 - shift) * SIXTH >> 8) * TAG_LIFE


@inline
def tag_of(shard: int, h: int) -> int:
    """The tag of a state in the line where it belongs."""
    return AT_HOME | ((h << (SHARD_BITS + tag_start(load64(shard + 8 * SHARD_SHIFT)))) & MASK) >> (64 - TAG_BITS)


@inline
def hash_in(number: int, shift: int, line: int, value: int) -> int:
    """The first bits of a hash, as the numbers of shard and line and the slot of a state tell them that is where it belongs."""
    start = tag_start(shift)
    before = number << start | line >> (61 - shift - start)
    return (before << TAG_BITS | (value >> REF_BITS) & (AT_HOME - 1)) << (64 - SHARD_BITS - start - TAG_BITS)


# ---- notes: where a search begins, and what it looks for


@inline
def note_down(note: int, shard: int, h: int) -> int:
    """Writes down the line where a hash belongs, together with a tag, and the hash. Gives the line."""
    line = line_of(shard, h)
    store64(note, tag_of(shard, h) << REF_BITS | line if table_kind() == INDIRECT else line)
    store64(note + 8, h)
    return line


@inline
def line_in(note: int) -> int:
    """The line that is written down."""
    return load64(note) & REF_MASK if table_kind() == INDIRECT else load64(note)


@inline
def key_in(note: int, record: int) -> int:
    """What a slot with the state of the record looks like in that line: all of it, or what stands above a reference."""
    if table_kind() == INLINE:
        return load64(record + 8) | TOP
    if table_kind() == FINGERPRINT:
        return load64(note + 8) | TOP
    return load64(note) >> REF_BITS


# ---- new entries


@rare
def hand_in(shard: int, tally: int) -> int:
    """Adds what a worker has counted for a shard to the shared count."""
    fetch_add(shard + 8 * SHARD_COUNT, load64(tally))
    return store64(tally, 0)


@inline
def count_entry(ctx: int, shared: int, shard: int) -> int:
    """Counts one more entry of a shard."""
    if has_peers() == 0 or load64(shared + 8 * SHARED_WORKERS) == 1:
        return store64(shard + 8 * SHARD_COUNT, load64(shard + 8 * SHARD_COUNT) + 1)
    tally = ctx + 8 * CTX_TALLIES + (shard - shared - 8 * SHARED_SHARDS) // 4
    store64(tally, load64(tally) + 1)
    if load64(tally) == TALLY:
        hand_in(shard, tally)
    return 0


@inline
def publish(shared: int, slot: int, value: int) -> int:
    """Fills an empty slot; gives 0 if another worker was faster."""
    if has_peers() == 0 or load64(shared + 8 * SHARED_WORKERS) == 1:
        store64(slot, value)
        return 1
    return cas64(slot, 0, value)


@inline
def place(shard: int, line: int, key: int, ref: int) -> int:
    """Puts a state that is not in the set yet where it belongs. Nobody else may use the shard meanwhile."""
    home = line
    tried = 0
    free = match_line(line, 0, 0)
    while free == 0:
        tried += 1
        line = later_line(shard, home, tried)
        key = later_key(key)
        free = match_line(line, 0, 0)
    return store64(line + 8 * lowest_bit(free), slot_of(key, ref))
