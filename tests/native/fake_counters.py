"""A fake spec in the kernel language: two counters in one word, with a switch for everything that a spec may do.

Words of the spec's block: 0: the counters count modulo this. 1: report the state x = y = this. 2: report steps to x = 0.
3: the bound of x + y. 4: states with x = this are left to the driver. 5: states with y = this report a deadlock.
"""

from __future__ import annotations

from checker.native.abi import (
    CTX_OUT_END,
    CTX_PARENT,
    CTX_REPORT,
    CTX_SPEC,
    CTX_TRANSITIONS,
    DEFER,
    NEED_SPACE,
    REF_BITS,
    REPORT_DEADLOCK,
)
from checker.native.words import inline, load64, store64

HEADER = 1 << REF_BITS
SHIFT = 16
LOW = (1 << SHIFT) - 1


@inline
def setting(ctx: int, number: int) -> int:
    return load64(load64(ctx + 8 * CTX_SPEC) + 8 * number)


@inline
def put(out: int, parent: int, x: int, y: int) -> int:
    store64(out, parent | HEADER)
    store64(out + 8, x | y << SHIFT)
    return out + 16


def expand(ctx: int, state: int, out: int) -> int:
    x = load64(state) & LOW
    y = load64(state) >> SHIFT
    n = setting(ctx, 0)
    if x == setting(ctx, 4):
        return DEFER
    if out + 48 > load64(ctx + 8 * CTX_OUT_END):
        return NEED_SPACE
    parent = load64(ctx + 8 * CTX_PARENT)
    out = put(out, parent, (x + 1) % n, y)
    out = put(out, parent, x, (y + 1) % n)
    out = put(out, parent, y, x)
    store64(ctx + 8 * CTX_TRANSITIONS, load64(ctx + 8 * CTX_TRANSITIONS) + 3)
    if y == setting(ctx, 5):
        store64(ctx + 8 * CTX_REPORT, REPORT_DEADLOCK)
    return out


def inside(ctx: int, state: int) -> int:
    return (load64(state) & LOW) + (load64(state) >> SHIFT) <= setting(ctx, 3)


def visit(ctx: int, state: int) -> int:
    at = setting(ctx, 1)
    return load64(state) == at | at << SHIFT


def transition(ctx: int, old: int, new: int) -> int:
    return setting(ctx, 2) != 0 and load64(new) & LOW == 0 and load64(old) & LOW != 0
