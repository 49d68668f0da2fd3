"""Implicit conversions, each made visible as a node.

`coerce` makes a value of one kind usable where another is needed: a T becomes a T? by itself, a T? becomes a T through
`Unwrap`, a process of several possible roles one of a single role through `Narrow`. Numbers are exact in between, so
`coerce` never looks at ranges; `store` does, and only where the static interval does not already fit.
"""

from __future__ import annotations

from checker.base.diagnostics import Reporter
from checker.base.source import Span
from checker.model import ir
from checker.model.context import Bad
from checker.model.types import (
    BOOL,
    BagT,
    IntT,
    MapT,
    NeverT,
    OptT,
    ProcT,
    SeqT,
    SetT,
    Type,
    fits,
    matches,
    show,
)


def boolean(e: ir.Expr) -> ir.Expr:
    """A count of messages where a truth is needed: at least one."""
    return ir.Compare(">", e, ir.Const(0, IntT(0, 0))) if isinstance(e, ir.Inflight) else e


def plain_items(e: ir.Expr, elem: Type, span: Span) -> ir.Expr:
    """A literal `{a}` or `[a]` of optional values, where a collection of plain ones is needed: each must not be none."""
    if isinstance(elem, OptT | NeverT) or not isinstance(e, ir.MakeSet | ir.MakeSeq):
        return e
    inner = e.type.elem if isinstance(e.type, SetT | SeqT | BagT) else None
    if not isinstance(inner, OptT) or isinstance(inner.inner, NeverT):
        return e
    items = tuple(ir.Unwrap(i, i.type.inner, span) if isinstance(i.type, OptT) else i for i in e.items)
    if isinstance(e, ir.MakeSet):
        return ir.MakeSet(items, SetT(inner.inner, e.type.limit))
    whole = BagT if isinstance(e.type, BagT) else SeqT
    return ir.MakeSeq(items, whole(inner.inner, len(items)))


def as_bag(e: ir.Expr) -> ir.Expr:
    """A literal `[a, b, a]` where a bag is needed: the same elements without their order. `{}` is empty in every form."""
    if isinstance(e, ir.MakeSeq) and isinstance(e.type, SeqT):
        return ir.MakeSeq(e.items, BagT(e.type.elem, len(e.items)))
    if isinstance(e, ir.MakeSet) and not e.items:
        return ir.MakeSeq((), BagT(NeverT(), 0))
    return e


def coerce(e: ir.Expr, target: Type, span: Span, reporter: Reporter, what: str) -> ir.Expr:
    """The expression as a value of the kind of `target`. Reports PSM301 and raises `Bad` where that cannot be."""
    if target == BOOL:
        e = boolean(e)
    if isinstance(target, BagT):
        e = as_bag(e)
    if isinstance(target, SetT | SeqT | BagT):
        e = plain_items(e, target.elem, span)
    if isinstance(e.type, NeverT) and not isinstance(target, NeverT):
        return ir.Checked(e, target, what, span)  # such as `max({})`: it has no value, and errs before this is reached
    if fits(e.type, target):
        return e
    if not matches(e.type, target):
        help_ = "compare it with a value to get a bool" if target == BOOL else None
        if e.type == OptT(target):
            help_ = "it may be none"
        reporter.error("PSM301", f"{what} must be {show(target)}, not {show(e.type)}", span, help=help_)
        raise Bad
    if isinstance(e.type, OptT) and not isinstance(target, OptT):
        e = ir.Unwrap(e, e.type.inner, span)
    role = target.inner if isinstance(target, OptT) else target
    if isinstance(e.type, ProcT) and isinstance(role, ProcT) and not fits(e.type, role):
        e = ir.Narrow(e, role, span)
    return e


def store(e: ir.Expr, target: Type, span: Span, reporter: Reporter, what: str, *, fill: bool = False) -> ir.Expr:
    """The expression as it is stored in a place of type `target`: converted, and checked against its range.

    `fill`: a value that is no map fills every entry of a map, nested ones too.
    """
    if fill and isinstance(target, MapT) and not isinstance(e.type, MapT):
        return ir.FillMap(store(e, target.value, span, reporter, what, fill=True), target)
    e = coerce(e, target, span, reporter, what)
    return e if fits(e.type, target) else ir.Checked(e, target, what, span)
