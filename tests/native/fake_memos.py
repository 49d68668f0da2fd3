"""The stacks of `fake_stacks`, of each of which `expand` notes which one it is, and asks what was noted about its parent.

Words of the spec's block, besides: 4: how often that was its parent. 5: how often it was another one.
"""

from __future__ import annotations

from checker.native.abi import (
    CTX_MEMO,
    CTX_MEMO_BEFORE,
    CTX_SHARED,
    CTX_SPEC,
    LOWEST_ADDRESS,
    NO_PARENT,
    REF_BITS,
    REF_MASK,
)
from checker.native.kernels.records import record_at
from checker.native.words import inline, load64, store64
from tests.native.fake_stacks import push_and_pop


@inline
def which(state: int) -> int:
    found = 1
    for i in range(load64(state - 8) >> REF_BITS):
        found = found * 8 + load64(state + 8 * i) + 1
    return found


def expand(ctx: int, state: int, out: int) -> int:
    after = push_and_pop(ctx, state, out)
    if after >= LOWEST_ADDRESS:
        memo = load64(ctx + 8 * CTX_MEMO)
        if memo != 0:
            store64(memo, load64(memo) + which(state))
            store64(memo + 8, load64(memo + 8) + 1)
        before = load64(ctx + 8 * CTX_MEMO_BEFORE)
        parent = load64(state - 8) & REF_MASK
        if before != 0 and parent != NO_PARENT:
            noted = load64(before)
            right = which(record_at(load64(ctx + 8 * CTX_SHARED), parent) + 8)
            place = load64(ctx + 8 * CTX_SPEC) + (32 if noted == right and load64(before + 8) == 1 else 40)
            store64(place, load64(place) + 1)
    return after


def inside(ctx: int, state: int) -> int:
    return 1 + 0 * ctx * state


def visit(ctx: int, state: int) -> int:
    return 0 * ctx * state


def transition(ctx: int, old: int, new: int) -> int:
    return 0 * ctx * old * new
