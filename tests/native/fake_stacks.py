"""A fake spec in the kernel language whose states differ in length: a stack of small numbers, of no word up to many.

Words of the spec's block: 0: how many different numbers there are. 3: the longest stack within the bound.
"""

from __future__ import annotations

from checker.native.abi import CTX_OUT_END, CTX_PARENT, CTX_SPEC, CTX_TRANSITIONS, NEED_SPACE, REF_BITS
from checker.native.words import inline, load64, store64

MOST = 6


@inline
def copy(state: int, n: int, to: int) -> int:
    for i in range(n):
        store64(to + 8 * i, load64(state + 8 * i))
    return to + 8 * n


def expand(ctx: int, state: int, out: int) -> int:
    return push_and_pop(ctx, state, out)


def push_and_pop(ctx: int, state: int, out: int) -> int:
    n = load64(state - 8) >> REF_BITS
    values = load64(load64(ctx + 8 * CTX_SPEC))
    if out + (values + 1) * 8 * (n + 2) > load64(ctx + 8 * CTX_OUT_END):
        return NEED_SPACE
    parent = load64(ctx + 8 * CTX_PARENT)
    count = 0
    if n > 0:
        store64(out, parent | (n - 1) << REF_BITS)
        out = copy(state, n - 1, out + 8)
        count += 1
    if n < MOST:
        for value in range(values):
            store64(out, parent | (n + 1) << REF_BITS)
            out = copy(state, n, out + 8)
            store64(out, value)
            out += 8
            count += 1
    store64(ctx + 8 * CTX_TRANSITIONS, load64(ctx + 8 * CTX_TRANSITIONS) + count)
    return out


def inside(ctx: int, state: int) -> int:
    return load64(state - 8) >> REF_BITS <= load64(load64(ctx + 8 * CTX_SPEC) + 24)


def visit(ctx: int, state: int) -> int:
    return 0 * ctx * state


def transition(ctx: int, old: int, new: int) -> int:
    return 0 * ctx * old * new
