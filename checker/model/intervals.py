"""Interval arithmetic on the types of integer expressions.

The interval of an expression holds every value that it can have, given those of its operands. It may be wider than needed,
never narrower: a store whose interval fits needs no check at run time.
"""

from __future__ import annotations

from checker.base.diagnostics import Reporter
from checker.base.source import Span
from checker.model.context import Bad
from checker.model.types import INT, IntT

MAX_BITS = 1024
"""Of what is computed. A few products, each of the one before with itself, would otherwise fill the memory."""


def held(t: IntT, span: Span, reporter: Reporter) -> IntT:
    """The interval, if none of its bounds has more than MAX_BITS. Reports PSM113 otherwise, and raises Bad."""
    if any(bound is not None and bound.bit_length() > MAX_BITS for bound in (t.lo, t.hi)):
        help_ = "use smaller numbers, or fewer products"
        reporter.error("PSM113", f"this may be larger than 2^{MAX_BITS}", span, help=help_)
        raise Bad
    return t


def interval(op: str, a: IntT, b: IntT) -> IntT:
    """The interval of an arithmetic operation, as narrow as its operands' intervals allow."""
    if op == "%":
        if b.lo is None or b.hi is None:
            return IntT(0, None)
        return IntT(0, max(abs(b.lo), abs(b.hi)) - 1 if (b.lo, b.hi) != (0, 0) else 0)
    if op in "+-":
        if op == "-":
            b = IntT(None if b.hi is None else -b.hi, None if b.lo is None else -b.lo)
        return IntT(
            None if a.lo is None or b.lo is None else a.lo + b.lo,
            None if a.hi is None or b.hi is None else a.hi + b.hi,
        )
    if a.lo is None or a.hi is None or b.lo is None or b.hi is None:
        return INT
    if op == "*":
        corners = [x * y for x in (a.lo, a.hi) for y in (b.lo, b.hi)]
    else:
        divisors = [d for d in (b.lo, b.hi, -1, 1) if d != 0 and b.lo <= d <= b.hi]
        corners = [x // d for x in (a.lo, a.hi) for d in divisors] or [0]
    return IntT(min(corners), max(corners))
