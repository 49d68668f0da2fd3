"""Expressions as Python source, made from the typed representation.

Every name in the text is made here (`v7` a local, `f3` a function, `k5` a constant of the program), every literal is a
number, so no text of a spec ever reaches `exec`. The state is the variable `s`, `o` the state before the step where a
property asks for it, `me` the running process.

Python's own `and`, `or`, conditional expressions, `all` and `any` have the evaluation order that the language asks for:
left to right, stopping early.
"""

from __future__ import annotations

from typing import assert_never

from checker.base.source import Span
from checker.engine.names import DomainTooLarge, Names
from checker.engine.runtime import MAX_DOMAIN
from checker.model import ir
from checker.model.types import (
    INT,
    BagT,
    BoolT,
    EnumT,
    IdT,
    IntT,
    MapT,
    ProcT,
    SeqT,
    SetT,
    Type,
    cardinality,
    fits,
    show,
)
from checker.model.values import Value, space


def is_number(t: Type) -> bool:
    """Whether the values are Python numbers that compare as the language orders them."""
    return isinstance(t, IntT | EnumT | IdT | ProcT)


class PyExpressions:
    """Translates expressions. `s` is the name of the state in which variables are read."""

    def __init__(self, names: Names, state: str = "s") -> None:
        self.names = names
        self.state = state

    def expr(self, e: ir.Expr) -> str:
        """The Python expression for a typed expression; atomic or in parentheses."""
        match e:
            case ir.Const(value):
                return self.literal(value)
            case ir.GetLocal(local):
                return f"v{local.number}"
            case ir.Self():
                return "me"
            case ir.GetVar(var, of):
                return f"{self.state}[{self.index(var, of)}]"
            case ir.Arith(op, left, right, t, span):
                a, b = self.expr(left), self.expr(right)
                if op == "*" and t == INT:
                    return f"times({a}, {b})"
                if op == "/":
                    return f"divide({a}, {b}, {self.names.site('PSM606', span, 'division of {value} by zero')})"
                if op == "%":
                    return f"modulo({a}, {b}, {self.names.site('PSM606', span, 'remainder of {value} by zero')})"
                return f"({a} {op} {b})"
            case ir.Compare(op, left, right):
                a, b = self.expr(left), self.expr(right)
                if op in ("==", "!=") or (is_number(left.type) and is_number(right.type)):
                    return f"({a} {op} {b})"
                return f"(key({a}) {op} key({b}))"
            case ir.Not(operand):
                return f"(not {self.expr(operand)})"
            case ir.Logic("implies", (left, right)):
                return f"(not {self.expr(left)} or {self.expr(right)})"
            case ir.Logic(op, items):
                return "(" + f" {op} ".join(self.expr(i) for i in items) + ")"
            case ir.Cond(cond, then, orelse):
                return f"({self.expr(then)} if {self.expr(cond)} else {self.expr(orelse)})"
            case ir.DomainSet(of):
                return self.names.as_set(of)
            case ir.RangeSet() | ir.Honest():
                return f"frozenset({self.iterate(e)})"
            case ir.In(item, of):
                return self.member(item, of)
            case ir.Quant(kind, local, dom, body):
                call = {"forall": "all", "exists": "any", "sum": "sum"}[kind]
                return f"{call}({self.expr(body)} for v{local.number} in {self.iterate(dom)})"
            case ir.Filter():
                return f"frozenset({self.filtered(e)})"
            case ir.MakeMap(local, body, t):
                return f"tuple([{self.expr(body)} for v{local.number} in {self.names.listed(t.key)}])"
            case ir.MakeSet(items):
                return f"frozenset(({self.items(items)}))" if items else "frozenset()"
            case ir.MakeSeq(items, BagT()) if len(items) > 1:
                return f"bag_plus((), ({self.items(items)}))"
            case ir.MakeSeq(items) | ir.MakeRecord(items):
                return f"({self.items(items)})" if items else "()"
            case ir.Collect(op, left, right):
                return self.collect(op, left, right)
            case ir.GetField(obj, index):
                return f"{self.expr(obj)}[{index}]"
            case ir.GetOptField(obj, index):
                return f"opt_field({self.expr(obj)}, {index})"
            case ir.GetIndex(obj, key, _, span):
                return self.entry(self.expr(obj), obj.type, self.expr(key), key.type, span)
            case ir.WithField(obj, index, value):
                return f"put({self.expr(obj)}, {index}, {self.expr(value)})"
            case ir.WithIndex(obj, key, value, _, span):
                return self.with_index(self.expr(obj), obj.type, self.expr(key), key.type, self.expr(value), span)
            case ir.Unwrap(obj, _, span):
                return (
                    f"some({self.expr(obj)}, {self.names.site('PSM603', span, 'this is none, and a value is needed')})"
                )
            case ir.Narrow(obj, t, span):
                (role,) = t.roles
                site = self.names.site("PSM609", span, f"{{value}} is not a {role.name}", obj.type)
                return f"ranged({self.expr(obj)}, {role.base}, {role.base + role.size - 1}, {site})"
            case ir.Checked(obj, t, what, span):
                return self.checked(obj, t, what, span)
            case ir.FillMap(value, t):
                return f"(({self.expr(value)},) * {cardinality(t.key)})"
            case ir.Size(ir.Filter() as inner) if isinstance(inner.domain.type, SetT):
                return f"sum([1 for v{inner.local.number} in {self.iterate(inner.domain)} if {self.expr(inner.cond)}])"
            case ir.Size(obj):
                return f"len({self.expr(obj)})"
            case ir.CountOf(obj, item):
                return f"{self.expr(obj)}.count({self.expr(item)})"
            case ir.MinMax(op, items, True, _, span):
                call = "least" if op == "min" else "greatest"
                site = self.names.site("PSM607", span, f"{op} of nothing")
                return f"{call}({self.expr(items[0])}, {site})"
            case ir.MinMax(op, items):
                keyed = "" if all(is_number(i.type) for i in items) else ", key=key"
                return f"{op}({', '.join(self.expr(i) for i in items)}{keyed})"
            case ir.Slice(op, obj, count, _, span):
                site = self.names.site("PSM604", span, f"{op} of {{value}} elements")
                return f"{op}({self.expr(obj)}, {self.expr(count)}, {site})"
            case ir.Last(obj, _, span):
                return f"last({self.expr(obj)}, {self.names.site('PSM607', span, 'last of an empty sequence')})"
            case ir.At(of, index, _, span):
                size = cardinality(of)
                site = self.names.site(
                    "PSM604", span, f"{show(of)} has {size}, counted from 0, and no number {{value}}"
                )
                base = of.roles[0].base if isinstance(of, ProcT) else 0
                return f"({base} + entry({self.expr(index)}, 0, {size}, {site}))"
            case ir.Ordinal(obj):
                first = obj.type.roles[0].base if isinstance(obj.type, ProcT) else 0
                return f"({self.expr(obj)} - {first})"
            case ir.CallFun(fun, process, args):
                owned = self.names.machine.functions[fun].role is not None
                me = ["me" if process is None else self.expr(process)] if owned else []
                return f"{self.names.functions[fun]}({', '.join([self.state, *me, *(self.expr(a) for a in args)])})"
            case ir.Old(inner):
                return PyExpressions(self.names, "o").expr(inner)
            case ir.Sent():
                return self.sent(e)
            case ir.Inflight(message, sender, receiver):
                network = self.names.layout.networks[self.names.machine.messages[message].network]
                name = self.names.constant("kind", message, lambda: message)
                return f"inflight({self.state}[{network}], {name}, {self.end(sender)}, {self.end(receiver)})"
            case ir.Silent(process):
                return f"silent({self.state}, me, {self.expr(process)})"
        assert_never(e)

    # ---- parts

    def literal(self, value: Value) -> str:
        if value is None or isinstance(value, bool | int):
            return f"({value})" if isinstance(value, int) and value < 0 else str(value)
        return self.names.constant("value", value, lambda: value)

    def items(self, items: tuple[ir.Expr, ...]) -> str:
        return "".join(self.expr(i) + ", " for i in items)

    def index(self, var: ir.Var, of: ir.Expr | None) -> str:
        """The slot of a variable as an expression."""
        if var.role is None:
            return str(var.slot)
        role = self.names.machine.roles[var.role]
        if role.size == 1 and isinstance(of, ir.GetLocal | ir.Self | None):
            return str(var.slot)
        if isinstance(of, ir.Const):
            return str(var.slot + of.value - role.base)
        return f"{'me' if of is None else self.expr(of)} + {var.slot - role.base}"

    def iterate(self, e: ir.Expr) -> str:
        """An iterable over a collection, in the order that the language gives it."""
        match e:
            case ir.DomainSet(IntT(int() as lo, int() as hi)) | ir.RangeSet(
                ir.Const(int() as lo), ir.Const(int() as hi)
            ):
                if hi - lo >= MAX_DOMAIN:
                    raise DomainTooLarge(IntT(lo, hi))
                return f"range({lo}, {hi + 1})"
            case ir.DomainSet(ProcT((role,))):
                return f"range({role.base}, {role.base + role.size})"
            case ir.DomainSet(of):
                return self.names.listed(of)
            case ir.RangeSet(lo, hi):
                return f"span({self.expr(lo)}, {self.expr(hi)})"
            case ir.Honest(_, role):
                values, faulty = self.names.listed(role), self.names.layout.faulty
                return values if faulty is None else f"[p for p in {values} if not {self.state}[{faulty}] >> p & 1]"
            case ir.Filter() if not isinstance(e.domain.type, SeqT | BagT):
                return f"[{self.filtered(e)}]"
        return self.expr(e) if isinstance(e.type, SeqT | BagT) else f"in_order({self.expr(e)})"

    def filtered(self, e: ir.Filter) -> str:
        v = f"v{e.local.number}"
        return f"{v} for {v} in {self.iterate(e.domain)} if {self.expr(e.cond)}"

    def member(self, item: ir.Expr, of: ir.Expr) -> str:
        x = self.expr(item)
        match of:
            case ir.MakeSet(items):
                return f"({x} in ({self.items(items)}))"
            case ir.DomainSet(ProcT((role,))) if isinstance(item.type, ProcT):
                return f"({role.base} <= {x} < {role.base + role.size})"
            case ir.DomainSet(t):
                return f"{self.names.tester(t)}({x})"
            case ir.RangeSet(lo, hi):
                return f"({self.expr(lo)} <= {x} <= {self.expr(hi)})"
        return f"({x} in {self.expr(of)})"

    def collect(self, op: str, left: ir.Expr, right: ir.Expr) -> str:
        a, b = self.expr(left), self.expr(right)
        match op:
            case "bag_plus" | "bag_minus":
                return f"{op}({a}, {b})"
            case "union" if isinstance(right, ir.MakeSet) and len(right.items) == 1:
                return f"({a} | {{{self.expr(right.items[0])}}})"
        sign = {"union": "|", "minus": "-", "meet": "&", "concat": "+"}[op]
        return f"({a} {sign} {b})"

    def position(self, of: Type, key: str, kind: Type, span: Span) -> str:
        """The place of a map's key in the map's tuple."""
        assert isinstance(of, MapT)
        site = self.names.site("PSM604", span, f"there is no entry {{value}} in a map over {show(of.key)}", kind)
        match of.key:
            case IntT(int() as lo, int() as hi):
                if fits(kind, of.key):
                    return f"{key} - {lo}" if lo else key
                return f"entry({key}, {lo}, {hi - lo + 1}, {site})"
            case ProcT((role,)):
                return f"{key} - {role.base}" if role.base else key
            case EnumT() | IdT():
                return key
            case BoolT():
                return f"int({key})"
        return f"{self.names.positions(of.key)}({key}, {site})"

    def entry(self, obj: str, of: Type, key: str, kind: Type, span: Span) -> str:
        if isinstance(of, SeqT):
            site = self.names.site("PSM604", span, "there is no element {value}: sequences count from 0")
            return f"item({obj}, {key}, {site})"
        return f"{obj}[{self.position(of, key, kind, span)}]"

    def with_index(self, obj: str, of: Type, key: str, kind: Type, value: str, span: Span) -> str:
        if isinstance(of, SeqT):
            site = self.names.site("PSM604", span, "there is no element {value}: sequences count from 0")
            return f"put_item({obj}, {key}, {value}, {site})"
        return f"put({obj}, {self.position(of, key, kind, span)}, {value})"

    def checked(self, obj: ir.Expr, t: Type, what: str, span: Span) -> str:
        x = self.expr(obj)
        text = f"{{value}} is outside {show(t)}, the type of {what}"
        match t:
            case IntT(int() as lo, int() as hi):
                return f"ranged({x}, {lo}, {hi}, {self.names.site('PSM601', span, text, obj.type)})"
            case SetT(_, int() as limit) | SeqT(_, int() as limit) | BagT(_, int() as limit):
                text = f"{{value}} does not fit {show(t)}, the type of {what}: at most {limit} elements"
        constrained = getattr(t, "constrained", False)
        code = "PSM608" if constrained else "PSM601"
        return f"{self.names.checker(t)}({x}, {self.names.site(code, span, text, obj.type)})"

    # ---- the network

    def payload(self, message: str, args: list[str], types: list[Type]) -> str:
        """The number of a payload whose parts are known to be of their types."""
        number = ""
        for arg, t in zip(args, types, strict=True):
            number = f"({number} * {space(t)} + {self.rank(arg, t)})" if number else self.rank(arg, t)
        return number or "0"

    def rank(self, x: str, t: Type) -> str:
        match t:
            case IntT(lo):
                return f"({x} - {lo})" if lo else x
            case EnumT() | IdT() | BoolT():
                return x
            case ProcT((role,)):
                return f"({x} - {role.base})" if role.base else x
        return f"{self.names.ranks(t)}[{x}]"

    def sent(self, e: ir.Sent) -> str:
        machine, layout = self.names.machine, self.names.layout
        message = machine.messages[e.message]
        types = [t for _, t in message.fields]
        network = f"{self.state}[{layout.networks[message.network]}]"
        if all(fits(a.type, t) for a, t in zip(e.args, types, strict=True)):
            payload = self.payload(e.message, [self.expr(a) for a in e.args], types)
            first = f"{layout.offsets[e.message] // (layout.processes + 1)} + {payload} * {layout.processes}"
            test = f"{first} + @ in signed({network})"  # @ is the sender
        else:  # a value outside its field's range was never sent
            kind = self.names.constant("kind", e.message, lambda: e.message)
            test = f"sent_checked({network}, {kind}, ({self.items(e.args)}), @)"
        if layout.faulty is not None:
            test = f"({self.state}[{layout.faulty}] >> @ & 1 == 1 or {test})"
        if e.many:
            each = test.replace("@", "p")
            return f"any({each} for p in {self.iterate(e.sender)})"
        return "(" + test.replace("@", self.expr(e.sender)) + ")"

    def end(self, e: ir.Expr | None) -> str:
        if e is None:
            return "None"
        return self.expr(e) if isinstance(e.type, SetT) else f"({self.expr(e)},)"
