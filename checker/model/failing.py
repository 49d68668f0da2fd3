"""Whether computing an expression may be an error of the spec.

The answer is a safe one: an expression that is said not to fail does not. What conditions say about `none` is taken into
account, since specs ask before they use: in `p == none or p.value == x` the second part never meets a `none`.
"""

from __future__ import annotations

from collections.abc import Iterator

from checker.model import ir
from checker.model.machine import Function, Machine
from checker.model.types import IntT, MapT, NeverT, OptT, fits
from checker.model.walk import parts

Key = tuple[object, ...]
Known = frozenset[Key]
"""Expressions that are known not to be `none`, by their keys."""

NOTHING: Known = frozenset()

Doubtful = frozenset[int]
"""The numbers of locals whose static types do not say how large they are: a function takes what it is given."""

NOBODY: Doubtful = frozenset()


def key(e: ir.Expr) -> Key | None:
    """What is equal for two expressions that read the same place of the state; None for other expressions."""
    match e:
        case ir.GetLocal(local):
            return ("local", local.number)
        case ir.Self():
            return ("self",)
        case ir.Const(value):
            return ("const", value)
        case ir.GetVar(var, None):
            return ("var", var.slot)
        case ir.GetVar(var, of):
            assert of is not None
            inner = key(of)
            return None if inner is None else ("of", var.slot, inner)
        case ir.GetField(obj, index) | ir.GetOptField(obj, index):
            inner = key(obj)
            return None if inner is None else ("field", index, inner)
        case ir.GetIndex(obj, at):
            inner, place = key(obj), key(at)
            return None if inner is None or place is None else ("entry", inner, place)
        case ir.Unwrap(obj):
            return key(obj)
    return None


def facts(e: ir.Expr, truth: bool) -> Known:
    """What is known not to be `none` where a condition is true, or false."""
    match e:
        case ir.Not(operand):
            return facts(operand, not truth)
        case ir.Logic("and", items) if truth:
            return NOTHING.union(*(facts(i, True) for i in items))
        case ir.Logic("or", items) if not truth:
            return NOTHING.union(*(facts(i, False) for i in items))
        case ir.Logic("implies", (left, right)) if not truth:
            return facts(left, True) | facts(right, False)
        case ir.Compare(op, left, right) if op == ("==" if truth else "!="):
            return _some(left) if not isinstance(right.type, OptT) else _some_if_other(left, right)
        case ir.Compare(op, left, right) if op == ("!=" if truth else "=="):
            found = _some(left) if _is_none(right) else NOTHING
            return found | (_some(right) if _is_none(left) else NOTHING)
    return NOTHING


def _some_if_other(left: ir.Expr, right: ir.Expr) -> Known:
    return _some(right) if not isinstance(left.type, OptT) else NOTHING


def _is_none(e: ir.Expr) -> bool:
    return isinstance(e.type, OptT) and isinstance(e.type.inner, NeverT)


def _some(e: ir.Expr) -> Known:
    """A value that is there, and what it is a field of."""
    found = key(e)
    result = NOTHING if found is None else frozenset((found,))
    return result | _some(e.obj) if isinstance(e, ir.GetOptField) else result


class Failing:
    """Answers for one machine. Functions are looked into once."""

    def __init__(self, machine: Machine) -> None:
        self.machine = machine
        self._functions: dict[str, bool] = {}

    def may_fail(self, e: ir.Expr, known: Known = NOTHING, doubtful: Doubtful = NOBODY) -> bool:
        """Whether computing the expression may be an error."""
        match e:
            case ir.Unwrap(obj):
                return key(obj) not in known or self.may_fail(obj, known, doubtful)
            case ir.Narrow() | ir.Checked() | ir.Slice() | ir.Last() | ir.At() | ir.MinMax(of_collection=True):
                return True
            case ir.Arith("/" | "%", _, right):
                assert isinstance(right.type, IntT)
                if right.type.lo is None or right.type.lo <= 0 or mentions(right, doubtful):
                    return True
            case ir.GetIndex(obj, at) | ir.WithIndex(obj, at):
                if not isinstance(obj.type, MapT) or mentions(at, doubtful) or not fits(at.type, obj.type.key):
                    return True
            case ir.CallFun(fun):
                if fun not in self._functions:
                    function = self.machine.functions[fun]
                    self._functions[fun] = self.may_fail(function.body, NOTHING, parameters(function))
                if self._functions[fun]:
                    return True
        inside = doubts(e, doubtful)
        return any(self.may_fail(p, k, inside) for p, k in guarded(e, known))


def parameters(function: Function) -> Doubtful:
    """The locals that a function is given."""
    return frozenset(p.number for p in function.params)


def mentions(e: ir.Expr, locals_: Doubtful) -> bool:
    """Whether one of some locals stands anywhere in an expression."""
    if not locals_:
        return False
    return (isinstance(e, ir.GetLocal) and e.local.number in locals_) or any(mentions(p, locals_) for p in parts(e))


def doubts(e: ir.Expr, doubtful: Doubtful) -> Doubtful:
    """What is doubtful inside of an expression: also what it lets run over something doubtful."""
    if isinstance(e, ir.Quant | ir.Filter) and mentions(e.domain, doubtful):
        return doubtful | {e.local.number}
    return doubtful


def guarded(e: ir.Expr, known: Known) -> Iterator[tuple[ir.Expr, Known]]:
    """The parts of an expression, each with what is known where it is computed."""
    match e:
        case ir.Logic(op, items):
            for item in items:
                yield item, known
                known = known | facts(item, op != "or")
        case ir.Cond(cond, then, orelse):
            yield cond, known
            yield then, known | facts(cond, True)
            yield orelse, known | facts(cond, False)
        case ir.Old(inner):
            yield inner, NOTHING
        case _:
            for part in parts(e):
                yield part, known
