"""Evaluation of expressions that depend on constants alone: bounds, sizes, budgets, constants themselves.

A direct walk over the typed representation. It is deliberately small: whatever reads the state, a process or the network
is not constant, and says so.
"""

from __future__ import annotations

from checker.model import ir
from checker.model.types import BagT, OptT, RecordT
from checker.model.values import Value, order_key


class NotConstant(Exception):
    """The expression depends on more than constants."""


class FoldError(Exception):
    """The expression has no value; `args[0]` says why."""


def fold(e: ir.Expr) -> Value:
    """The value of a constant expression. Raises `NotConstant` and `FoldError`."""
    match e:
        case ir.Const(value):
            return value
        case ir.Arith(op, left, right):
            return _arith(op, fold(left), fold(right))
        case ir.Compare(op, left, right):
            return compare(op, fold(left), fold(right))
        case ir.Not(operand):
            return not fold(operand)
        case ir.Logic("and", items):
            return all(fold(i) for i in items)
        case ir.Logic("or", items):
            return any(fold(i) for i in items)
        case ir.Logic("implies", (left, right)):
            return not fold(left) or fold(right)
        case ir.Cond(cond, then, orelse):
            return fold(then) if fold(cond) else fold(orelse)
        case ir.MakeSet(items):
            return frozenset(fold(i) for i in items)
        case ir.MakeSeq(items, BagT()):
            return tuple(sorted((fold(i) for i in items), key=order_key))
        case ir.MakeRecord(items) | ir.MakeSeq(items):
            return tuple(fold(i) for i in items)
        case ir.In(item, of):
            return fold(item) in fold(of)
        case ir.MinMax(op, items, False):
            pick = min if op == "min" else max
            return pick((fold(i) for i in items), key=order_key)
        case ir.Size(obj):
            return len(fold(obj))
        case ir.Unwrap(obj):
            value = fold(obj)
            if value is None:
                raise FoldError("it is none")
            return value
        case ir.Checked(_, RecordT(constrained=True)):
            raise FoldError("a record with a `where` is no constant")
        case ir.Checked(obj, OptT()) if fold(obj) is None:
            return None
        case ir.Checked(obj):
            return fold(obj)
    raise NotConstant


def _arith(op: str, left: int, right: int) -> int:
    match op:
        case "+":
            return left + right
        case "-":
            return left - right
        case "*":
            return left * right
    if right == 0:
        raise FoldError("it divides by zero")
    return left // right if op == "/" else left % abs(right)


def compare(op: str, left: Value, right: Value) -> bool:
    """`==`, `!=`, `<` … on two values of one type."""
    if op == "==":
        return bool(left == right)
    if op == "!=":
        return bool(left != right)
    a, b = order_key(left), order_key(right)
    return bool({"<": a < b, "<=": a <= b, ">": a > b, ">=": a >= b}[op])
