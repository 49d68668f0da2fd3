"""Locals and control: what is evaluated when, and what need not be.

`and`, `or`, `=>` and conditional expressions evaluate an operand only if the ones before leave the result open, since the
operand may be an error. A branch that cannot be predicted costs more than a few instructions, so operands that are cheap and
cannot go wrong are evaluated anyway.

Each branch may give a value of another type; they meet as values of the type that holds both.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable

from checker.model import ir
from checker.model.types import IntT, OptT, Type
from checker.native.code.aggregates import Aggregates
from checker.native.code.unit import Unit
from checker.native.code.values import Val, closed, joined, kind
from checker.native.code.width import is_scalar
from checker.native.code.writer import is_number


class Slot:
    """A local that is assigned: its memory on the stack, and its type."""

    __slots__ = ("pointer", "type")

    def __init__(self, pointer: str, type_: Type) -> None:
        self.pointer = pointer
        self.type = type_


class Logic(Aggregates):
    """Code that evaluates expressions under conditions."""

    def __init__(self, unit: Unit, name: str, result: str, params: list[tuple[str, str]], attributes: str = "") -> None:
        super().__init__(unit, name, result, params, attributes)
        self.locals: dict[int, Val | Slot] = {}

    @abstractmethod
    def expr(self, e: ir.Expr) -> Val:
        """The value of an expression."""

    # ---- locals

    def local(self, local: ir.Local) -> Val:
        """The value of a local."""
        found = self.locals[local.number]
        if isinstance(found, Slot):
            return Val(found.type, self.load(found.pointer, kind(found.type)))
        return found

    def bound(self, local: ir.Local, v: Val) -> None:
        """Gives a local its value."""
        self.locals[local.number] = v

    def typed(self, make: Callable[[], Val]) -> Type:
        """The type that code would give, without keeping the code."""
        known = dict(self.locals)
        with self.discarded():
            found = make().type
        self.locals = known
        return found

    # ---- conditions

    def choice(self, cond: str, then: Callable[[], Val], orelse: Callable[[], Val]) -> Val:
        """One of two values, of which only that one is computed."""
        if is_number(cond):
            return then() if cond != "0" else orelse()
        yes, no, yes_end, no_end, merge = (self.block(h) for h in ("then", "else", "then.end", "else.end", "merge"))
        self.when(cond, yes, no)
        self.place(yes)
        a = then()
        self.go(yes_end)
        self.place(no)
        b = orelse()
        self.go(no_end)
        t = joined(a.type, b.type)
        if isinstance(t, OptT):  # an optional value has to have a width
            t = closed(t)
        self.place(yes_end)
        a = self._as_optional(a, t)
        first = self.convert(a, t).op
        from_yes = self.here
        self.go(merge)
        self.place(no_end)
        b = self._as_optional(b, t)
        second = self.convert(b, t).op
        from_no = self.here
        self.go(merge)
        self.place(merge)
        if first == second:
            return Val(t, first)
        return Val(t, self.let(f"phi {kind(t)} [ {first}, %{from_yes} ], [ {second}, %{from_no} ]"))

    def _as_optional(self, v: Val, t: Type) -> Val:
        return self.sized(v) if isinstance(t, OptT) and isinstance(v.type, IntT) else v

    def logic(self, e: ir.Logic) -> Val:
        """`and`, `or`, `=>`: what is cheap and cannot fail is computed without a branch."""
        items = list(e.items)
        if e.op == "implies":
            first = self.negate(self.expr(items[0]).op)
            return self.truth(self.stopping("or", first, items[1:]))
        return self.truth(self.stopping(e.op, self.expr(items[0]).op, items[1:]))

    def stopping(self, op: str, first: str, rest: list[ir.Expr]) -> str:
        """`and` or `or` of a truth value and expressions, of which no more are computed than needed."""
        ends = "0" if op == "and" else "1"
        value = first
        decided: list[tuple[str, str]] = []
        done = self.block("logic")
        for item in rest:
            if value == ends:
                break
            if is_number(value):
                value = self.expr(item).op
                continue
            if self.is_cheap(item):
                value = self.op(op, 1, value, self.expr(item).op)
                continue
            on = self.block("and" if op == "and" else "or")
            decided.append((ends, self.reachable()))
            self.when(value, *((on, done) if op == "and" else (done, on)))
            self.place(on)
            value = self.expr(item).op
        if not decided:
            return value
        decided.append((value, self.reachable()))
        self.go(done)
        self.place(done)
        return self.let("phi i1 " + ", ".join(f"[ {v}, %{b} ]" for v, b in decided))

    def stopping_with(self, op: str, first: str, then: Callable[[], str]) -> str:
        """`and` or `or` of a truth value and one that is only computed if needed."""
        v = self.choice(
            first,
            (lambda: self.truth(then())) if op == "and" else (lambda: self.truth("1")),
            (lambda: self.truth("0")) if op == "and" else (lambda: self.truth(then())),
        )
        return v.op

    def is_cheap(self, e: ir.Expr) -> bool:
        """Whether computing an expression costs less than a branch around it."""
        match e:
            case ir.Const() | ir.GetLocal() | ir.Self():
                return True
            case ir.GetVar(var, of):
                return is_scalar(var.type) and (of is None or self.is_cheap(of))
            case ir.Compare(_, left, right):
                return is_scalar(left.type) and is_scalar(right.type) and self.is_cheap(left) and self.is_cheap(right)
            case ir.Not(operand):
                return self.is_cheap(operand)
        return False
