"""What an expression may do besides giving a value: whether it can go wrong, and which locals it mentions.

Both answers are safe ones: an expression that is said not to fail does not, one that is said to fail may still be fine.
"""

from __future__ import annotations

from checker.engine.runtime import MAX_DOMAIN
from checker.model import ir
from checker.model.types import IntT, MapT, SeqT, fits
from checker.model.walk import parts
from checker.native.code.unit import Unit
from checker.native.code.width import fits_word


def mentions(e: ir.Expr, local: ir.Local) -> bool:
    """Whether a local stands anywhere in an expression."""
    return (isinstance(e, ir.GetLocal) and e.local.number == local.number) or any(mentions(p, local) for p in parts(e))


def is_short(t: IntT) -> bool:
    """Whether all numbers of a range with these ends may be gone through one by one."""
    return t.lo is not None and t.hi is not None and t.hi - t.lo < MAX_DOMAIN


def may_fail(e: ir.Expr, unit: Unit, *, trusted: bool = True) -> bool:
    """Whether computing an expression may be an error, or more than 64 bits can hold.

    `trusted`: the static types of integers hold what they say. Those of a function's parameters do not.
    """
    match e:
        case ir.Unwrap() | ir.Narrow() | ir.Checked() | ir.Slice() | ir.Last() | ir.At() | ir.Silent():
            return True
        case ir.MinMax(of_collection=True) | ir.Quant(kind="sum"):
            return True
        case ir.Arith(op, _, right, t):
            assert isinstance(right.type, IntT) and isinstance(t, IntT)
            if op in "/%" and not (trusted and right.type.lo is not None and right.type.lo > 0):
                return True
            if not trusted or not fits_word(t):
                return True
        case ir.RangeSet(lo, hi) if not (isinstance(lo, ir.Const) and isinstance(hi, ir.Const)):
            assert isinstance(lo.type, IntT) and isinstance(hi.type, IntT)
            if not trusted or not is_short(IntT(lo.type.lo, hi.type.hi)):
                return True
        case ir.GetIndex(obj, key) | ir.WithIndex(obj, key):
            if isinstance(obj.type, SeqT):
                return True
            assert isinstance(obj.type, MapT)
            if not trusted or not fits(key.type, obj.type.key):
                return True
        case ir.CallFun(fun):
            if fun not in unit.may_fail:
                unit.may_fail[fun] = may_fail(unit.machine.functions[fun].body, unit, trusted=False)
            if unit.may_fail[fun]:
                return True
    return any(may_fail(p, unit, trusted=trusted) for p in parts(e))
