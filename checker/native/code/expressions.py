"""Expressions of the typed representation, as LLVM code.

Each node becomes instructions whose result is a `Val`. The order of evaluation is that of the interpreter: operands
before operations, left to right, `and`, `or`, `=>` and `if` stopping early, quantifiers in the order of their domain. What can
go wrong jumps to the block `fail`; what 64 bits cannot compute jumps to `defer`, and the interpreter takes over. Which error
it was does not matter here: whoever reports it asks the interpreter.

This module has the nodes, constants and arithmetic. What nodes with loops, conditions, collections or networks become stands
in the classes below it: `domains`, `logic`, `aggregates`, `traffic`.
"""

from __future__ import annotations

from abc import abstractmethod
from typing import assert_never

from checker.model import ir
from checker.model.intervals import interval
from checker.model.types import BagT, EnumT, IdT, IntT, MapT, NeverT, ProcT, SeqT, SetT, Type
from checker.model.values import Value
from checker.native.code.traffic import Traffic
from checker.native.code.values import Val, closed
from checker.native.code.width import WORD_LIMIT, bits, elements, entries, fits_word, to_bits

TABLE = 64
"""A known map with more entries stands in memory, and not in a register."""


class Expressions(Traffic):
    """Translates expressions. `old` is the state before a step, where there is one."""

    old: str | None = None

    @abstractmethod
    def call(self, fun: str, process: ir.Expr | None, args: tuple[ir.Expr, ...]) -> Val:
        """A call of a function of the spec."""

    # ---- nodes

    def expr(self, e: ir.Expr) -> Val:
        """The value of an expression."""
        match e:
            case ir.Const(value, t):
                return self.constant(t, value)
            case ir.GetLocal(local):
                return self.local(local)
            case ir.Self(t):
                return Val(t, self.me)
            case ir.GetVar(var, of):
                return self.variable(var, self.me if of is None else self.expr(of).op)
            case ir.Arith():
                return self.arith(e)
            case ir.Compare(op, left, right):
                a, b = self.expr(left), self.expr(right)
                if op in ("==", "!="):
                    same = self.equal(a, b)
                    return self.truth(same if op == "==" else self.negate(same))
                return self.truth(self.ordered(op, a, b))
            case ir.Not(operand):
                return self.truth(self.negate(self.expr(operand).op))
            case ir.Logic():
                return self.logic(e)
            case ir.Cond(cond, then, orelse):
                return self.choice(self.expr(cond).op, lambda: self.expr(then), lambda: self.expr(orelse))
            case ir.DomainSet(of):
                bits(SetT(of))  # refuses what is too wide before all its values are listed
                return Val(SetT(of), str(self.unit.all_ranks(of)))
            case ir.RangeSet() | ir.Honest() | ir.Filter():
                return self.as_set(e)
            case ir.In(item, of):
                return self.truth(self.member(item, of))
            case ir.Quant():
                return self.quantified(e)
            case ir.MakeMap():
                return self.map_of(e)
            case ir.MakeSet(items):
                return self.set_of([self.expr(i) for i in items])
            case ir.MakeSeq(items, t):
                return self.sequence_of([self.expr(i) for i in items], isinstance(t, BagT))
            case ir.MakeRecord(items, t):
                return self.record_of(t, [self.expr(i) for i in items])
            case ir.Collect(op, left, right):
                return self.collect(op, self.expr(left), self.expr(right))
            case ir.GetField(obj, index):
                return self.field(self.expr(obj), index)
            case ir.GetOptField(obj, index):
                return self.opt_field(self.expr(obj), index)
            case ir.GetIndex(ir.Const(values, MapT(keys, inner) as t), key) if entries(keys) > TABLE:
                number = f"i{bits(inner)}"
                table = self.unit.table(number, [to_bits(inner, value) for value in values])
                place = self.position(t, self.expr(key))
                entry = self.let(f"getelementptr {number}, ptr {table}, i64 {place}")
                return self.unpack(inner, self.load(entry, number))
            case ir.GetIndex(obj, key):
                holder = self.expr(obj)
                return self.known(self.entry(holder, self.expr(key)), e.type)
            case ir.WithField(obj, index, value):
                holder, new = self.expr(obj), self.expr(value)
                return self.with_field(holder, index, new)
            case ir.WithIndex(obj, key, value):
                # the value is computed before the place is looked for, as arguments of a call are
                holder, at = self.expr(obj), self.expr(key)
                if isinstance(holder.type, SeqT):
                    return self.with_entry(holder, at, self.expr(value))
                place = self.position(holder.type, at)
                return self.put(holder, place, self.expr(value))
            case ir.Unwrap(obj, t):
                v = self.expr(obj)
                self.require(self.is_some(v), self.fail)
                return self.known(self.inner(v), t)
            case ir.Narrow(obj, t):
                v = self.expr(obj)
                self.require(self.conforms(v, t), self.fail)
                return self.narrowed(v, t)
            case ir.Checked(obj, t):
                return self.checked(self.expr(obj), t)
            case ir.FillMap(value, t):
                v = self.convert(self.expr(value), t.value)
                return Val(t, self.repeated(self.pack(v), bits(v.type), entries(t.key), bits(t)))
            case ir.Size():
                return self.size(e)
            case ir.CountOf(obj, item):
                holder, wanted = self.expr(obj), self.expr(item)
                return self.occurrences(holder, wanted)
            case ir.MinMax():
                return self.extreme(e)
            case ir.Slice(op, obj, count):
                holder, n = self.expr(obj), self.expr(count)
                return self.slice(op, holder, n.op)
            case ir.Last(obj):
                return self.known(self.last(self.expr(obj)), e.type)
            case ir.At(of, index):
                i = self.expr(index).op
                self.require(self.compare("ult", 64, i, str(elements(of))), self.fail)
                return self.unrank(of, i)
            case ir.Ordinal(obj):
                v = self.expr(obj)
                first = v.type.roles[0].base if isinstance(v.type, ProcT) else 0
                return Val(IntT(0, max(0, elements(v.type) - 1)), self.op("sub", 64, v.op, str(first)))
            case ir.CallFun(fun, process, args):
                return self.call(fun, process, args)
            case ir.Old(inner):
                assert self.old is not None
                now, self.state = self.state, self.old
                try:
                    return self.expr(inner)
                finally:
                    self.state = now
            case ir.Sent():
                return self.truth(self.sent(e))
            case ir.Inflight():
                return self.inflight(e)
            case ir.Silent(process):
                return self.truth(self.silent(self.expr(process).op))
        assert_never(e)

    def checked(self, v: Val, t: Type) -> Val:
        """A value of a type, or an error."""
        if isinstance(v.type, NeverT):
            self.go(self.fail)
            return Val(t, "0")
        self.require(self.conforms(v, t), self.fail)
        return self.narrowed(v, t)

    def known(self, v: Val, t: Type) -> Val:
        """What an operation gives that cannot go well, such as the value of `none`: something of the type it should have."""
        return Val(closed(t), "0") if isinstance(v.type, NeverT) else v

    # ---- numbers

    def constant(self, t: Type, value: Value) -> Val:
        """A value that is known."""
        if isinstance(t, IntT):
            if abs(value) >= WORD_LIMIT:
                self.go(self.defer)
                return Val(IntT(value, value), "0")
            return Val(IntT(value, value), str(int(value)))
        if isinstance(t, EnumT | IdT | ProcT):
            return Val(t, str(value))
        return Val(t, str(to_bits(t, value)))

    def arith(self, e: ir.Arith) -> Val:
        """Exact arithmetic: what may need more than 64 bits is looked at, and left to the interpreter if it does."""
        a, b = self.expr(e.left), self.expr(e.right)
        if not (
            isinstance(a.type, IntT) and isinstance(b.type, IntT)
        ):  # one of them has no value, which is an error already
            return Val(IntT(0, 0), "0")
        t = interval(e.op, a.type, b.type)
        if e.op in "/%":
            return Val(t, self.division(e.op, a, b))
        name = {"+": "add", "-": "sub", "*": "mul"}[e.op]
        if fits_word(t):
            return Val(t, self.op(name, 64, a.op, b.op))
        call = f"@llvm.s{name}.with.overflow.i64"
        self.unit.declare(f"declare {{i64, i1}} {call}(i64, i64)")
        both = self.let(f"call {{i64, i1}} {call}(i64 {a.op}, i64 {b.op})")
        self.require(self.negate(self.let(f"extractvalue {{i64, i1}} {both}, 1")), self.defer)
        return Val(t, self.let(f"extractvalue {{i64, i1}} {both}, 0"))

    def division(self, op: str, a: Val, b: Val) -> str:
        """Division rounds down; a remainder is never negative."""
        assert isinstance(b.type, IntT)
        if not (b.type.lo is not None and b.type.lo > 0):
            self.require(self.compare("ne", 64, b.op, "0"), self.fail)
            self.require(self.compare("ne", 64, b.op, "-1"), self.defer, likely=False)
        if op == "%":
            size = b.op
            if not (b.type.lo is not None and b.type.lo > 0):
                negative = self.compare("slt", 64, b.op, "0")
                size = self.select(negative, "i64", self.op("sub", 64, "0", b.op), b.op)
            rest = self.let(f"srem i64 {a.op}, {size}")
            below = self.compare("slt", 64, rest, "0")
            return self.select(below, "i64", self.op("add", 64, rest, size), rest)
        quotient, rest = self.let(f"sdiv i64 {a.op}, {b.op}"), self.let(f"srem i64 {a.op}, {b.op}")
        inexact = self.compare("ne", 64, rest, "0")
        apart = self.compare("slt", 64, self.op("xor", 64, rest, b.op), "0")
        down = self.both(inexact, apart)
        return self.op("sub", 64, quotient, self.resize(down, 1, 64))
