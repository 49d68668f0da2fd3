"""Records: the form of a state in an arena and in the output buffer, its hash, and how one is kept.

A record is a header and the words of a state; see `abi`. Where all states of a spec have the same number of words
(`fixed_words`), nothing here looks at headers.
"""

from __future__ import annotations

from checker.native.abi import (
    CTX_ARENA,
    CTX_ARENA_NEXT,
    CTX_MARKS,
    CTX_RECALLED,
    CTX_RECORDS,
    CTX_WORKER,
    DISK_OFFSET,
    FEW_WORDS,
    MARK_EVERY,
    OFFSET_MASK,
    REF_BITS,
    SHARED_ARENAS,
    SHARED_DISK,
    WORKER_SHIFT,
)
from checker.native.kernels.spec import fixed_words, memo_words
from checker.native.words import inline, load64, mul64, mulhi, prefetch, rare, read_file, store64

# ---- records


@inline
def length_in(header: int) -> int:
    """The number of words of a state, as the header of its record has it."""
    if memo_words() != 0:  # with the topmost bit set, the last 8 bits, and else all the others
        return (header >> REF_BITS) & (128 * FEW_WORDS - 1) >> 7 * (header >> 63)
    return header >> REF_BITS


@inline
def words_of(record: int) -> int:
    """The number of words of a record's state."""
    return fixed_words() if fixed_words() != 0 else length_in(load64(record))


@inline
def behind(record: int) -> int:
    """Where the next record begins."""
    return record + 8 + 8 * words_of(record)


@inline
def record_at(shared: int, ref: int) -> int:
    """The address of the record with a reference."""
    arenas = load64(shared + 8 * SHARED_ARENAS)
    return load64(arenas + (ref >> WORKER_SHIFT) * 8) + (ref & OFFSET_MASK) * 8


@inline
def at_hand(ctx: int, shared: int, ref: int, words: int) -> int:
    """Where a kept record can be read, as if it had so many words: where it stands, or a copy that lasts until the next call."""
    record = record_at(shared, ref)
    disk = load64(shared + 8 * SHARED_DISK) + (ref >> WORKER_SHIFT) * 16
    return record if record >= load64(disk) else recall(ctx, disk, ref, record, 8 + 8 * words)


@rare
def recall(ctx: int, disk: int, ref: int, record: int, size: int) -> int:
    """Reads a record that is on disk into a copy. Gives the record itself where part of it is still in memory.

    It could be read where it stands, too, but what is read at random then comes back faster than anybody can part with it: the
    system maps sixteen pages of a file for each that is asked for.
    """
    copy = load64(ctx + 8 * CTX_RECALLED)
    offset = (ref & OFFSET_MASK) * 8 + DISK_OFFSET
    if record + size <= load64(disk) and read_file(load64(disk + 8), copy, size, offset) == size:
        return copy
    return record


@inline
def whole(ctx: int, shared: int, ref: int) -> int:
    """`at_hand` for a record of which nobody knows how many words it has."""
    words = fixed_words()
    if fixed_words() == 0:
        words = words_of(at_hand(ctx, shared, ref, 0))
    return at_hand(ctx, shared, ref, words)


@inline
def fetch(record: int, words: int) -> int:
    """Asks for a record of so many words: for the two lines in which it begins, as the processor sees itself what comes next."""
    prefetch(record)
    return prefetch(record + 8 * min(words, 8))


@inline
def same(a: int, b: int) -> int:
    """Whether two records hold the same state."""
    if fixed_words() == 0 and length_in(load64(a)) != length_in(load64(b)):
        return 0
    end = a + 8 + 8 * words_of(a)
    p = a + 8
    q = b + 8
    while p != end:
        if load64(p) != load64(q):
            return 0
        p += 8
        q += 8
    return 1


@inline
def keep(record: int, to: int) -> int:
    """Copies a record to the end of the arena, where it counts only once CTX_ARENA_NEXT says so."""
    end = record + 8 + 8 * words_of(record)
    while record != end:
        store64(to, load64(record))
        record += 8
        to += 8
    return 0


@inline
def enroll(ctx: int, record: int, end: int) -> int:
    """Gives the record at the end of the arena its number."""
    n = load64(ctx + 8 * CTX_RECORDS)
    if n % MARK_EVERY == 0:
        store64(load64(ctx + 8 * CTX_MARKS) + n // MARK_EVERY * 8, record)
    store64(ctx + 8 * CTX_RECORDS, n + 1)
    return store64(ctx + 8 * CTX_ARENA_NEXT, end)


@inline
def reference(ctx: int, record: int) -> int:
    """The reference of a record in the worker's own arena."""
    return load64(ctx + 8 * CTX_WORKER) << WORKER_SHIFT | (record - load64(ctx + 8 * CTX_ARENA)) >> 3


# ---- hashes

SEED, FACTOR, FACTOR2 = 0xA0761D6478BD642F, 0xE7037ED1A0B428DB, 0x8EBC6AF09C88C6E3
"""Odd constants with as many ones as zeros (those of wyhash)."""


@inline
def mum(a: int, b: int) -> int:
    """Multiply and mix: both halves of the product, one on the other, so that each bit depends on all."""
    return mulhi(a, b) ^ mul64(a, b)


@inline
def hash_word(w: int) -> int:
    """The hash of a state of one word. One multiplication alone leaves the order of regular words in it."""
    return mum(mum(w ^ SEED, FACTOR) ^ FACTOR, FACTOR2 ^ 1)


@inline
def hash_of(record: int) -> int:
    """The hash of a record's state: 64 good bits, two words with each multiplication (after wyhash).

    The length goes into the last one: where it only goes into the first, some states of one word and of two have one hash.
    """
    n = words_of(record)
    p = record + 8
    if n == 1:
        return hash_word(load64(p))
    h = SEED
    end = p + ((n >> 1) << 4)
    while p != end:
        h = mum(load64(p) ^ FACTOR, load64(p + 8) ^ h)
        p += 16
    if n & 1 != 0:
        h = mum(load64(p) ^ FACTOR2, h ^ FACTOR)
    return mum(h ^ FACTOR, FACTOR2 ^ n)
