"""Functions of the spec, and the conditions of records, as LLVM functions of their own.

A function of the spec is compiled once for each combination of types it is called with, since its parameters take whatever
they are given, also what lies outside of their declared ranges. It reads the state of its caller, and gives the value alone, or
with a status if something in it can go wrong.

The condition of a record is a function of its fields, and reads no state.
"""

from __future__ import annotations

from checker.model import ir
from checker.model.types import RecordT, Type
from checker.native.code.expressions import Expressions
from checker.native.code.unit import Made, Unit
from checker.native.code.values import Val, kind


class Functions(Expressions):
    """Code that may call functions of the spec: the class of all compiled code."""

    # ---- calls

    def call(self, fun: str, process: ir.Expr | None, args: tuple[ir.Expr, ...]) -> Val:
        """A call of a function of the spec."""
        function = self.unit.machine.functions[fun]
        me = self.me
        if function.role is not None and process is not None:
            me = self.expr(process).op
        values = [self.expr(a) for a in args]
        made = function_for(self.unit, fun, tuple(v.type for v in values))
        result, status = self._called(made, [f"ptr {self.ctx}", f"ptr {self.state}", f"i64 {me}"], values)
        if status is None:
            return Val(made.type, result)
        good, bad = self.block("good"), self.block("bad")
        self.when(self.compare("eq", 8, status, "0"), good, bad)
        self.place(bad)
        self.when(self.compare("eq", 8, status, "1"), self.fail, self.defer)
        self.place(good)
        return Val(made.type, self.let(f"extractvalue {made.result} {result}, 1"))

    def satisfies(self, record: str, v: Val) -> str:
        """Whether a record fulfils its condition; an error in the condition is left to the interpreter."""
        where = self.unit.machine.records[record][2]
        if where is None:
            return "1"
        made = condition_for(self.unit, record, where)
        assert isinstance(v.type, RecordT)
        fields = [self.field(v, i) for i in range(len(v.type.fields))]
        result, status = self._called(made, ["ptr null", "ptr null", "i64 0"], fields)
        if status is None:
            return result
        self.require(self.compare("eq", 8, status, "0"), self.defer)
        return self.let(f"extractvalue {made.result} {result}, 1")

    def orbit(self, state: str) -> str:
        """How many states a state stands for."""
        words = self.unit.packed.words
        copy = self.stack("i64", words)
        for i in range(words):
            self.store(self.load(self.word(state, i)), self.word(copy, i))
        return self.let(f"call i64 @canonical(ptr {copy})")

    def _called(self, made: Made, given: list[str], args: list[Val]) -> tuple[str, str | None]:
        """What a function gives, and its status, if it has one."""
        given += [f"{kind(v.type)} {v.op}" for v in args]
        result = self.let(f"call {made.result} @{made.name}({', '.join(given)})")
        return result, self.let(f"extractvalue {made.result} {result}, 0") if made.may_fail else None


def function_for(unit: Unit, fun: str, types: tuple[Type, ...]) -> Made:
    """The compiled form of a function for arguments of these types."""
    key = fun, types
    if key not in unit.made:
        function = unit.machine.functions[fun]
        params = list(zip(function.params, types, strict=True))
        unit.made[key] = write_function(unit, unit.name("f"), params, function.body)
    return unit.made[key]


def condition_for(unit: Unit, record: str, where: ir.Expr) -> Made:
    """The compiled form of a record's condition."""
    if record not in unit.conditions:
        t, params, _ = unit.machine.records[record]
        fields = [(p, field) for p, (_, field) in zip(params, t.fields, strict=True)]
        unit.conditions[record] = write_function(unit, unit.name("r"), fields, where)
    return unit.conditions[record]


def write_function(unit: Unit, name: str, params: list[tuple[ir.Local, Type]], body: ir.Expr) -> Made:
    """Writes a function of one expression over a state: the value alone, or with a status if it can go wrong."""
    names = [("ptr", "ctx"), ("ptr", "s"), ("i64", "me"), *((kind(t), f"p{p.number}") for p, t in params)]
    code = Functions(unit, name, "i64", names)
    code.ctx, code.state, code.me = "%ctx", "%s", "%me"
    code.fail, code.defer = code.block("fail"), code.block("defer")
    for p, t in params:
        code.bound(p, Val(t, f"%p{p.number}"))
    v = code.expr(body)
    plain = kind(v.type)
    may_fail = code.leads_to(code.fail) or code.leads_to(code.defer)
    if may_fail:
        code.result = f"{{i8, {plain}}}"
        code.ret(code.let(f"insertvalue {code.result} {{i8 0, {plain} undef}}, {plain} {v.op}, 1"))
        for label, status in ((code.fail, 1), (code.defer, 2)):
            code.place(label)
            code.ret(f"{{i8 {status}, {plain} 0}}")
    else:
        code.result = plain
        code.ret(v.op)
    unit.functions.append(code.text())
    return Made(name, code.result, v.type, may_fail)
