"""Where `expand` finds what was noted about the state that another one was found from, and leaves what it notes itself.

The words of a state stand at its number in its arena (`native.memos`). States are expanded in the order in which they
were found, and so are those that they were found from. So the number of a parent is nearly always that of the parent before,
or a little more: one walks on from there, over records that are needed anyway. Only where a block begins or the arena
changes, the marks are asked.
"""

from __future__ import annotations

from checker.native.abi import (
    CTX_MEMO,
    CTX_MEMO_BEFORE,
    CTX_PARENT_NUMBER,
    CTX_PARENT_REF,
    MARK_EVERY,
    MEMO_BEFORE,
    MEMO_END,
    MEMO_FIRST,
    MEMO_MARKS,
    MEMO_NOW,
    MEMO_WORDS,
    NO_PARENT,
    REF_MASK,
    SHARED_MEMOS,
    WORKER_SHIFT,
)
from checker.native.kernels.records import behind, record_at
from checker.native.kernels.spec import memo_words
from checker.native.words import inline, load64, rare, store64

NEAR = 512
"""So many words on, walking is faster than asking the marks."""


@inline
def memos_of(shared: int, ref: int) -> int:
    """The row of the table about the arena of a state."""
    return load64(shared + 8 * SHARED_MEMOS) + (ref >> WORKER_SHIFT) * 8 * MEMO_WORDS


@rare
def leap(ctx: int, shared: int, ref: int) -> int:
    """Says of the last marked state of the level before that does not stand behind a state of it: this was the parent before."""
    row = memos_of(shared, ref)
    record = record_at(shared, ref)
    marks = load64(row + 8 * MEMO_MARKS)
    low = load64(row + 8 * MEMO_FIRST) // MARK_EVERY
    high = (load64(row + 8 * MEMO_END) - 1) // MARK_EVERY
    while low < high:
        middle = (low + high + 1) >> 1
        if load64(marks + 8 * middle) > record:
            high = middle - 1
        else:
            low = middle
    store64(ctx + 8 * CTX_PARENT_NUMBER, low * MARK_EVERY)
    return store64(ctx + 8 * CTX_PARENT_REF, ref - ((record - load64(marks + 8 * low)) >> 3))


@inline
def number_of(ctx: int, shared: int, ref: int) -> int:
    """The number of a state of the level before in its arena."""
    before = load64(ctx + 8 * CTX_PARENT_REF)
    if before == ref:
        return load64(ctx + 8 * CTX_PARENT_NUMBER)
    if before > ref or ref - before > NEAR:  # as in another arena
        leap(ctx, shared, ref)
        before = load64(ctx + 8 * CTX_PARENT_REF)
    number = load64(ctx + 8 * CTX_PARENT_NUMBER)
    record = record_at(shared, before)
    end = record_at(shared, ref)
    while record != end:
        record = behind(record)
        number += 1
    store64(ctx + 8 * CTX_PARENT_REF, ref)
    store64(ctx + 8 * CTX_PARENT_NUMBER, number)
    return number


@inline
def remember(ctx: int, shared: int, record: int, ref: int, number: int) -> int:
    """Says where `expand` leaves what it notes about the state of a record, and where it finds what it noted about its parent."""
    memo = load64(memos_of(shared, ref) + 8 * MEMO_NOW)
    if memo != 0:
        memo += 8 * memo_words() * number
        for i in range(memo_words()):
            store64(memo + 8 * i, 0)
    store64(ctx + 8 * CTX_MEMO, memo)
    parent = load64(record) & REF_MASK
    before = load64(memos_of(shared, parent) + 8 * MEMO_BEFORE) if parent != NO_PARENT else 0
    if before != 0:
        before += 8 * memo_words() * number_of(ctx, shared, parent)
    return store64(ctx + 8 * CTX_MEMO_BEFORE, before)
