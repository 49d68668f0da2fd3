"""States of earlier levels, once more: which of them lead to one that is wanted, and about which there is something to say.

When several workers have found a violation, the driver goes back from it level by level (`native.firsts`): all states of a
level are expanded once more, and those with a successor among the wanted ones are the wanted ones of the level before. These are
few, mostly, so the table that tells them is small and at hand, and the visited set is not looked at.

A state that is found is an entry of two words in a list of the worker's: its reference, and the address of the entry of its
first successor that is wanted, in the order of `expand`; so the first way on from a state is a chain of entries. A slot of the
table has two words: the address of the entry of a wanted state, and its hash. Behind the slots stands a filter of FILTER bits
for each, as nearly all successors are none: one look at a bit tells, which the processor guesses right.
"""

from __future__ import annotations

from checker.native.abi import (
    CTX_BLOCK,
    CTX_BLOCK_END,
    CTX_BLOCK_REF,
    CTX_EVENT_REF,
    CTX_EVENT_STATE,
    CTX_EXPANDED,
    CTX_FOUND,
    CTX_JUDGED,
    CTX_PENDING,
    CTX_PENDING_END,
    DONE,
    EVENT_STATE,
    EVENT_STEP,
    PAUSED,
    REF_MASK,
    SHARED_STOP,
    SHARED_WANTED,
    SHARED_WANTED_SHIFT,
)
from checker.native.kernels.blocks import has_to_pause, take_block
from checker.native.kernels.lookup import judge
from checker.native.kernels.probing import first_slot, next_slot
from checker.native.kernels.records import behind, hash_of, record_at, same
from checker.native.kernels.spec import has_steps, visit
from checker.native.words import inline, load64, rare, store64

ENTRY = 16
"""Bytes of an entry, and of a slot."""

FILTER_SHIFT = 5
FILTER = 1 << FILTER_SHIFT
"""Bits of the filter for each slot."""

# ---- the wanted states


@inline
def filter_word(table: int, shift: int, h: int) -> int:
    """The address of the word of the filter with the bit for a hash."""
    return table + (ENTRY << (64 - shift)) + (h >> (shift - FILTER_SHIFT + 6)) * 8


@inline
def filter_bit(shift: int, h: int) -> int:
    """That bit."""
    return 1 << ((h >> (shift - FILTER_SHIFT)) & 63)


@rare
def enter(ctx: int, shared: int) -> int:
    """Puts the states of the entries that are pending into the table, which has room for them."""
    table = load64(shared + 8 * SHARED_WANTED)
    shift = load64(shared + 8 * SHARED_WANTED_SHIFT)
    entry = load64(ctx + 8 * CTX_PENDING)
    end = load64(ctx + 8 * CTX_PENDING_END)
    while entry != end:
        h = hash_of(record_at(shared, load64(entry)))
        slot = first_slot(table, shift, h, ENTRY)
        while load64(slot) != 0:
            slot = next_slot(table, shift, slot, ENTRY)
        store64(slot, entry)
        store64(slot + 8, h)
        word = filter_word(table, shift, h)
        store64(word, load64(word) | filter_bit(shift, h))
        entry += ENTRY
    store64(ctx + 8 * CTX_PENDING, end)
    return DONE


@inline
def entry_of(shared: int, table: int, record: int) -> int:
    """The entry of the wanted state that a record holds; 0 if it is none."""
    shift = load64(shared + 8 * SHARED_WANTED_SHIFT)
    h = hash_of(record)
    if load64(filter_word(table, shift, h)) & filter_bit(shift, h) == 0:
        return 0
    slot = first_slot(table, shift, h, ENTRY)
    while load64(slot) != 0:
        if load64(slot + 8) == h and same(record, record_at(shared, load64(load64(slot)))) != 0:
            return load64(slot)
        slot = next_slot(table, shift, slot, ENTRY)
    return 0


# ---- the states of a level


@rare
def look_for(ctx: int, shared: int) -> int:
    """Judges the steps to all pending successors, and puts each state from which one leads to a wanted state into the list.

    Gives DONE, or EVENT_STEP as `look_up` does.
    """
    table = load64(shared + 8 * SHARED_WANTED)
    record = load64(ctx + 8 * CTX_PENDING)
    end = load64(ctx + 8 * CTX_PENDING_END)
    while record != end:
        if has_steps() != 0 and judge(ctx, shared, record) != 0:
            store64(ctx + 8 * CTX_PENDING, record)
            return EVENT_STEP
        if table != 0:
            entry = entry_of(shared, table, record)
            found = load64(ctx + 8 * CTX_FOUND)
            parent = load64(record) & REF_MASK
            if (
                entry != 0 and load64(found - ENTRY) != parent
            ):  # the successors of a state are pending one after the other
                store64(found, parent)
                store64(found + 8, entry)
                store64(ctx + 8 * CTX_FOUND, found + ENTRY)
        record = behind(record)
    store64(ctx + 8 * CTX_PENDING, end)
    return store64(ctx + 8 * CTX_JUDGED, 0)


@rare
def look_over(ctx: int, shared: int) -> int:
    """Judges all states of a level by themselves.

    Gives DONE, PAUSED, or EVENT_STATE, where CTX_EVENT_REF is the reference of the state itself.
    """
    while True:
        record = load64(ctx + 8 * CTX_BLOCK)
        if record == load64(ctx + 8 * CTX_BLOCK_END):
            if has_to_pause(ctx, shared) != 0:
                return PAUSED
            if take_block(ctx, shared) == 0:
                return DONE
            continue
        ref = load64(ctx + 8 * CTX_BLOCK_REF)
        following = behind(record)
        store64(ctx + 8 * CTX_BLOCK, following)
        store64(ctx + 8 * CTX_BLOCK_REF, ref + ((following - record) >> 3))
        store64(ctx + 8 * CTX_EXPANDED, load64(ctx + 8 * CTX_EXPANDED) + 1)
        if visit(ctx, record + 8) != 0:
            store64(shared + 8 * SHARED_STOP, 1)
            store64(ctx + 8 * CTX_EVENT_STATE, record + 8)
            store64(ctx + 8 * CTX_EVENT_REF, ref)
            return EVENT_STATE
