"""Numbers of states: each record gets one, and a table tells it of a successor.

A slot of the table has a tag, bits of the hash of a state, in its upper half, and one more than its number in the lower. As
the search is complete, every state that is looked up is there. So its record need not be compared, which would cost two cache
misses, if the tag alone tells it from all states that are passed on the way to it. Nearly always that is so: the tag and the
slot together are more than fifty bits of the hash. Who numbers a state sees the tags of all that will ever stand on the way
to it, as no slot is emptied. It counts those that are equal (TWINS), and where there is one, all records are compared.
"""

from __future__ import annotations

from checker.native.abi import CTX_SHARED, NO_PARENT, REF_MASK
from checker.native.edges.layout import (
    FLAGS,
    HASHES,
    HASHES_END,
    NEXT,
    PAUSE,
    REFERENCES,
    TABLE,
    TABLE_SHIFT,
    TWINS,
)
from checker.native.kernels.probing import first_slot, next_slot
from checker.native.kernels.records import at_hand, behind, fetch, hash_of, record_at, same, words_of
from checker.native.kernels.table import publish
from checker.native.words import entry, inline, load64, prefetch, store32, store64

INITIAL = 1
"""Flag of a vertex that stands for an initial state."""

LOW = 0xFFFFFFFF

TAG = LOW
"""The bits of a hash that are a tag."""


@entry
def enroll_all(ctx: int, work: int, ref: int, end: int) -> int:
    """Gives the records from a reference on up to an address the numbers from NEXT on."""
    v = load64(work + 8 * NEXT)
    references = load64(work + 8 * REFERENCES)
    record = record_at(load64(ctx + 8 * CTX_SHARED), ref)
    while record != end:
        store64(references + 8 * v, ref)
        v += 1
        following = behind(record)
        ref += (following - record) >> 3
        record = following
    return store64(work + 8 * NEXT, v)


@inline
def slot_for(work: int, h: int) -> int:
    """Where the search for a hash begins."""
    return first_slot(load64(work + 8 * TABLE), load64(work + 8 * TABLE_SHIFT), h, 8)


@inline
def slot_after(work: int, slot: int) -> int:
    """The slot behind another."""
    return next_slot(load64(work + 8 * TABLE), load64(work + 8 * TABLE_SHIFT), slot, 8)


@entry
def index(ctx: int, work: int) -> int:
    """Puts the states from NEXT to PAUSE into the table, and flags the initial ones."""
    v = load64(work + 8 * NEXT)
    end = load64(work + 8 * PAUSE)
    shared = load64(ctx + 8 * CTX_SHARED)
    references = load64(work + 8 * REFERENCES)
    notes = load64(work + 8 * HASHES)
    most = (load64(work + 8 * HASHES_END) - notes) >> 3
    flags = load64(work + 8 * FLAGS)
    twins = load64(work + 8 * TWINS)
    while v < end:
        stop = min(end, v + most)
        for u in range(v, stop):
            h = hash_of(record_at(shared, load64(references + 8 * u)))
            store64(notes + 8 * (u - v), h)
            prefetch(slot_for(work, h))
        for u in range(v, stop):
            h = load64(notes + 8 * (u - v))
            slot = slot_for(work, h)
            while load64(slot) != 0 or publish(shared, slot, (h & TAG) << 32 | (u + 1)) == 0:
                twins += 1 if load64(slot) >> 32 == h & TAG else 0
                slot = slot_after(work, slot)
            initial = load64(record_at(shared, load64(references + 8 * u))) & REF_MASK == NO_PARENT
            store32(flags + 4 * u, INITIAL if initial else 0)
        v = stop
    store64(work + 8 * TWINS, twins)
    return store64(work + 8 * NEXT, v)


@inline
def fetch_likely(work: int, shared: int, h: int, words: int) -> int:
    """Asks for the record that a state with this hash and size will be compared with first."""
    value = load64(slot_for(work, h))
    if value != 0:
        fetch(record_at(shared, load64(load64(work + 8 * REFERENCES) + 8 * (value & LOW) - 8)), words)
    return 0


def found(ctx: int, work: int, record: int, h: int) -> int:
    """The number of the state of a record, which has one."""
    shared = load64(ctx + 8 * CTX_SHARED)
    references = load64(work + 8 * REFERENCES)
    slot = slot_for(work, h)
    while True:
        value = load64(slot)
        if value == 0:
            return LOW
        if value >> 32 == h & TAG:
            if load64(work + 8 * TWINS) == 0:
                return (value & LOW) - 1
            ref = load64(references + 8 * (value & LOW) - 8)
            if same(record, at_hand(ctx, shared, ref, words_of(record))) != 0:
                return (value & LOW) - 1
        slot = slot_after(work, slot)


@entry
def find(ctx: int, work: int, record: int) -> int:
    """The number of the state of a record, which has one; LOW if it has none after all, and no other looks like it."""
    return found(ctx, work, record, hash_of(record))
