"""The loop: expands the states of a level into the output buffer and has them looked up, batch by batch."""

from __future__ import annotations

from checker.native.abi import (
    CTX_BLOCK,
    CTX_BLOCK_END,
    CTX_BLOCK_NUMBER,
    CTX_BLOCK_REF,
    CTX_EVENT_REF,
    CTX_EVENT_STATE,
    CTX_EXPANDED,
    CTX_FLUSH,
    CTX_MAX_STATES,
    CTX_OUT,
    CTX_PARENT,
    CTX_PENDING,
    CTX_PENDING_END,
    CTX_RECORDS,
    CTX_REPORT,
    CTX_SHARED,
    DONE,
    ENTER,
    EVENT_EXPANDED,
    LIMIT,
    LOWEST_ADDRESS,
    NO_PARENT,
    PAUSED,
    REF_MASK,
    RETRACE,
    SEARCH,
    SHARED_MODE,
    SHARED_STOP,
)
from checker.native.kernels.again import enter, look_for, look_over
from checker.native.kernels.blocks import EXHAUSTED, has_to_pause, take_block
from checker.native.kernels.lookup import look_up
from checker.native.kernels.memos import remember
from checker.native.kernels.records import behind, fetch, record_at
from checker.native.kernels.spec import expand, has_peers, memo_words
from checker.native.words import MASK, entry, inline, load64, store64


@inline
def ask_for_parent(shared: int, record: int, end: int) -> int:
    """Asks for what the state of the next record was found from, as `expand` will look back at it."""
    if record != end:
        parent = load64(record) & REF_MASK
        if parent != NO_PARENT:
            fetch(record_at(shared, parent), 8)
    return 0


def fill(ctx: int) -> int:
    """Expands states into the output buffer, which is empty, until there is enough to look up.

    Gives DONE, or EXHAUSTED where no block was left, or DEFER or NEED_SPACE with an empty buffer; when either comes up behind
    other successors, these are dealt with first, and it comes up again.
    """
    shared = load64(ctx + 8 * CTX_SHARED)
    out = load64(ctx + 8 * CTX_OUT)
    enough = out + load64(ctx + 8 * CTX_FLUSH)
    end = out
    record = load64(ctx + 8 * CTX_BLOCK)
    block_end = load64(ctx + 8 * CTX_BLOCK_END)
    ref = load64(ctx + 8 * CTX_BLOCK_REF)
    number = load64(ctx + 8 * CTX_BLOCK_NUMBER)
    expanded = load64(ctx + 8 * CTX_EXPANDED)
    # With a limit on states, nobody may be expanded who might come after the one that reaches it.
    room = load64(ctx + 8 * CTX_MAX_STATES)
    if room != MASK:
        room = room - load64(ctx + 8 * CTX_RECORDS) if room > load64(ctx + 8 * CTX_RECORDS) else 0
    status = DONE
    while True:
        if record == block_end:
            if take_block(ctx, shared) == 0:
                status = EXHAUSTED
                break
            record = load64(ctx + 8 * CTX_BLOCK)
            block_end = load64(ctx + 8 * CTX_BLOCK_END)
            ref = load64(ctx + 8 * CTX_BLOCK_REF)
            number = load64(ctx + 8 * CTX_BLOCK_NUMBER)
            continue
        store64(ctx + 8 * CTX_PARENT, ref)
        if memo_words() != 0:
            remember(ctx, shared, record, ref, number)
            ask_for_parent(shared, behind(record), block_end)
        after = expand(ctx, record + 8, end)
        if after < LOWEST_ADDRESS:
            if end == out:
                store64(ctx + 8 * CTX_EVENT_STATE, record + 8)
                store64(ctx + 8 * CTX_EVENT_REF, ref)
                status = after
            break
        end = after
        following = behind(record)
        ref += (following - record) >> 3
        record = following
        number += 1
        expanded += 1
        if end >= enough or (end - out) >> 3 >= room or load64(ctx + 8 * CTX_REPORT) != 0:
            break
    store64(ctx + 8 * CTX_BLOCK, record)
    store64(ctx + 8 * CTX_BLOCK_REF, ref)
    store64(ctx + 8 * CTX_BLOCK_NUMBER, number)
    store64(ctx + 8 * CTX_EXPANDED, expanded)
    store64(ctx + 8 * CTX_PENDING, out)
    store64(ctx + 8 * CTX_PENDING_END, end)
    return status


@inline
def interrupted(ctx: int, shared: int) -> int:
    """What the driver has to see to between two batches, or DONE."""
    if load64(ctx + 8 * CTX_REPORT) != 0:
        parent = load64(ctx + 8 * CTX_PARENT)
        store64(ctx + 8 * CTX_EVENT_STATE, record_at(shared, parent) + 8)
        store64(ctx + 8 * CTX_EVENT_REF, parent)
        return EVENT_EXPANDED
    if load64(ctx + 8 * CTX_RECORDS) >= load64(ctx + 8 * CTX_MAX_STATES) and load64(ctx + 8 * CTX_EXPANDED) != 0:
        return LIMIT
    return PAUSED if has_to_pause(ctx, shared) != 0 else DONE


@entry
def run(ctx: int) -> int:
    """One worker's share of a level, until it is done or the driver has to see to something; see `abi`."""
    shared = load64(ctx + 8 * CTX_SHARED)
    mode = load64(shared + 8 * SHARED_MODE) if has_peers() != 0 else SEARCH
    if has_peers() != 0 and mode > RETRACE:
        return enter(ctx, shared) if mode == ENTER else look_over(ctx, shared)
    while True:
        status = look_for(ctx, shared) if has_peers() != 0 and mode == RETRACE else look_up(ctx)
        if status == DONE:
            status = interrupted(ctx, shared)
        if status == DONE:
            status = fill(ctx)
            if status == EXHAUSTED:
                if load64(ctx + 8 * CTX_PENDING) == load64(ctx + 8 * CTX_PENDING_END):
                    return DONE
                status = DONE
        if status != DONE:
            store64(shared + 8 * SHARED_STOP, 1)  # so that nobody goes on for long while one waits
            return status
