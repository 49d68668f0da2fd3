"""Blocks of states, of which workers take one after the other until a level is done."""

from __future__ import annotations

from checker.native.abi import (
    BLOCK_WORDS,
    CTX_BLOCK,
    CTX_BLOCK_END,
    CTX_BLOCK_NUMBER,
    CTX_BLOCK_REF,
    CTX_EXPANDED,
    CTX_PAUSE_AT,
    CTX_TRANSITIONS,
    CTX_WORKER,
    QUEUE_WORDS,
    SHARED_BLOCKS,
    SHARED_QUEUES,
    SHARED_QUEUES_END,
    SHARED_STOP,
)
from checker.native.words import MASK, fetch_add, inline, load64, load_atomic, rare, store64

EXHAUSTED = MASK
"""There is no block any more."""


@inline
def next_block(ctx: int, shared: int) -> int:
    """The number of the next block of the level, which nobody else takes; EXHAUSTED if there is none."""
    first = load64(shared + 8 * SHARED_QUEUES)
    own = first + 8 * QUEUE_WORDS * load64(ctx + 8 * CTX_WORKER)
    queue = own
    while True:
        if load_atomic(queue) < load64(queue + 8):  # not every worker that comes too late has to write there
            at = fetch_add(queue, 1)
            if at < load64(queue + 8):
                return at
        queue += 8 * QUEUE_WORDS
        if queue == load64(shared + 8 * SHARED_QUEUES_END):
            queue = first
        if queue == own:
            return EXHAUSTED


@inline
def has_to_pause(ctx: int, shared: int) -> int:
    """Whether the driver wants everybody back, as another worker has returned, or enough has been done for a round."""
    if load_atomic(shared + 8 * SHARED_STOP) != 0:
        return 1
    work = load64(ctx + 8 * CTX_EXPANDED) + load64(ctx + 8 * CTX_TRANSITIONS)
    return 1 if work >= load64(ctx + 8 * CTX_PAUSE_AT) else 0


@rare
def take_block(ctx: int, shared: int) -> int:
    """Takes the next block of the level; gives 0 if there is none."""
    at = next_block(ctx, shared)
    if at == EXHAUSTED:
        return 0
    block = load64(shared + 8 * SHARED_BLOCKS) + 8 * BLOCK_WORDS * at
    store64(ctx + 8 * CTX_BLOCK, load64(block))
    store64(ctx + 8 * CTX_BLOCK_END, load64(block + 8))
    store64(ctx + 8 * CTX_BLOCK_REF, load64(block + 16))
    store64(ctx + 8 * CTX_BLOCK_NUMBER, load64(block + 24))
    return 1
