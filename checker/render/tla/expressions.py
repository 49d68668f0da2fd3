r"""Expressions in TLA+, made from the typed representation.

Every text is atomic or in parentheses.

TLA+ evaluates `/\`, `\/`, `=>` and IF from left to right and no further than needed, as the language does. Where a value may
lack what is asked of it and TLC would not notice, an `Assert` stands: a `none` that is stored, a range, a key outside of
a map. Where TLC stops by itself (a field of `none`, an element outside a sequence), nothing is added.
"""

from __future__ import annotations

from dataclasses import replace

from checker.base.source import Span
from checker.model import ir
from checker.model.types import (
    BagT,
    IntT,
    MapT,
    ProcT,
    SeqT,
    SetT,
    Type,
    fits,
    join,
)
from checker.render.tla.blocks import (
    Block,
    bare,
    binders,
    branches,
    conjunction,
    disjunction,
    plain,
    prefixed,
    quantified,
    suffixed,
)
from checker.render.tla.names import identifier
from checker.render.tla.questions import Questions
from checker.render.tla.terms import Env


class Expressions(Questions):
    """Translates expressions within one definition."""

    def block(self, e: ir.Expr, env: Env) -> Block:
        r"""An expression as lines: lists of `/\` and `\/`, quantifiers and IF stand below each other where they are long."""
        line = bare(self.expr(e, env))
        if len(line) <= 76:
            return (line,)
        match e:
            case ir.Logic("and", items):
                return conjunction([self.block(i, env) for i in items])
            case ir.Logic("or", items):
                return disjunction([self.block(i, env) for i in items])
            case ir.Logic("implies", (left, right)):
                right_ = suffixed(prefixed("  (", self.block(right, env)), ")")
                return (*suffixed(prefixed("(", self.block(left, env)), ") =>"), *right_)
            case ir.Cond(cond, then, orelse):
                return branches(self.expr(cond, env), self.block(then, env), self.block(orelse, env))
            case ir.Quant("forall" | "exists" as kind, local, domain, body):
                name, inner = self.bind(local, env)
                sign = "\\A" if kind == "forall" else "\\E"
                return quantified(f"{sign} {name} \\in {bare(self.as_set(domain, env))}", self.block(body, inner))
        return (line,)

    def expr(self, e: ir.Expr, env: Env) -> str:
        """The text of an expression."""
        match e:
            case ir.Const(value, t):
                return self.unit.constant(value, t)
            case ir.GetLocal(local):
                return env.locals[local.number]
            case ir.Self():
                return env.me
            case ir.GetVar(var, of):
                return self.variable(var, env.me if of is None or self.single(var) else self.strict(of, env), env)
            case ir.Arith(op, left, right):
                return self.arithmetic(op, left, right, env)
            case ir.Compare(op, left, right):
                return self.compare(op, left, right, env)
            case ir.Not(ir.In(item, of)):
                return self.member(item, of, env, " \\notin ")
            case ir.Not(operand):
                return f"(~{self.expr(operand, env)})"
            case ir.Logic(op, items):
                sign = {"and": " /\\ ", "or": " \\/ ", "implies": " => "}[op]
                return f"({sign.join(self.expr(i, env) for i in items)})"
            case ir.Cond(cond, then, orelse):
                return f"(IF {bare(self.expr(cond, env))} THEN {self.expr(then, env)} ELSE {self.expr(orelse, env)})"
            case ir.DomainSet() | ir.RangeSet() | ir.Honest() | ir.Filter():
                return self.as_set(e, env)
            case ir.In(item, of):
                return self.member(item, of, env, " \\in ")
            case ir.Quant("sum", local, domain, body):
                return self.total(local, domain, body, env)
            case ir.Quant(kind, local, domain, body):
                name, inner = self.bind(local, env)
                sign = "\\A" if kind == "forall" else "\\E"
                return f"({sign} {name} \\in {bare(self.as_set(domain, env))} : {self.expr(body, inner)})"
            case ir.MakeMap(local, body, t):
                name, inner = self.bind(local, env)
                return f"[{name} \\in {bare(self.unit.type_set(t.key))} |-> {bare(self.expr(body, inner))}]"
            case ir.MakeSet(items):
                return "{" + ", ".join(bare(self.expr(i, env)) for i in items) + "}"
            case ir.MakeSeq(items, t):
                text = self.unit.sequence([bare(self.expr(i, env)) for i in items])
                return f"{self.unit.use('BagOf')}({text})" if isinstance(t, BagT) else text
            case ir.MakeRecord(items, t):
                pairs = zip(t.fields, items, strict=True)
                inside = ", ".join(f"{identifier(n)} |-> {bare(self.expr(i, env))}" for (n, _), i in pairs)
                return f"[{inside}]" if items else "<<>>"
            case ir.Collect(op, left, right):
                return self.collect(op, self.expr(left, env), self.expr(right, env))
            case ir.GetField(obj, index):
                return f"{self.strict(obj, env)}.{self.field(obj.type, index)}"
            case ir.GetOptField(obj, index):
                x = self.expr(obj, env)
                return f"(IF {x} = none THEN none ELSE {x}.{self.field(obj.type, index)})"
            case ir.GetIndex(obj, key):
                at = bare(self.expr(key, env))
                return f"{self.strict(obj, env)}[{at if isinstance(obj.type, MapT) else self.shifted(key, env)}]"
            case ir.WithField(obj, index, value):
                place = f"!.{self.field(obj.type, index)}"
                return f"[{self.expr(obj, env)} EXCEPT {place} = {bare(self.expr(value, env))}]"
            case ir.WithIndex(obj, key, value, _, span):
                x = self.expr(obj, env)
                place = f"![{self.key(obj.type, key, x, env, span)}]"
                return f"[{x} EXCEPT {place} = {bare(self.expr(value, env))}]"
            case _:
                return self.operation(e, env)

    def operation(self, e: ir.Expr, env: Env) -> str:
        """Conversions, built-in functions, calls, and questions to the network."""
        unit = self.unit
        match e:
            case ir.Unwrap(obj, _, span):
                return f'{unit.use("Some")}({bare(self.expr(obj, env))}, "none at {unit.place(span)}")'
            case ir.Narrow(obj, t, span):
                return self.checked(obj, t, "process of another role", span, env)
            case ir.Checked(obj, t, what, span):
                return self.checked(obj, t, f"outside the type of {what}", span, env)
            case ir.FillMap(value, t):
                name, inner = self.another("k", env)
                return f"[{name} \\in {bare(unit.type_set(t.key))} |-> {bare(self.expr(value, inner))}]"
            case ir.Size(obj):
                return self.size(obj, env)
            case ir.CountOf(obj, item):
                name, inner = self.another("i", env)
                x, y = self.expr(obj, inner), self.expr(item, inner)
                if isinstance(obj.type, BagT):
                    return f"{unit.use('Copies')}({x}, {y})"
                return f"Cardinality({{{name} \\in DOMAIN {x} : {x}[{name}] = {y}}})"
            case ir.MinMax():
                return self.extreme(e, env)
            case ir.Slice(op, obj, count, _, span):
                helper = unit.use("Take" if op == "take" else "Drop")
                n = bare(self.strict(count, env))
                if not (isinstance(count.type, IntT) and count.type.lo is not None and count.type.lo >= 0):
                    n = f'{unit.use("Checked")}({n}, {self.strict(count, env)} >= 0, "negative at {unit.place(span)}")'
                return f"{helper}({bare(self.expr(obj, env))}, {n})"
            case ir.Last(obj):
                x = self.expr(obj, env)
                return f"{x}[Len({x})]"
            case ir.At(of, index, _, span):
                return f"{unit.listed(of, span)}[{self.shifted(index, env)}]"
            case ir.Ordinal(obj):
                return unit.position(self.expr(obj, env), obj.type)
            case ir.CallFun():
                return self.call(e, env)
            case ir.Old(inner):
                assert env.before is not None
                return self.expr(inner, replace(env.before, locals=env.locals, bound=env.bound))
            case ir.Sent():
                return self.sent(e, env)
            case ir.Inflight():
                return self.inflight(e, env)
            case ir.Silent(process):
                return f"Silent({env.me}, {bare(self.expr(process, env))})"
        raise AssertionError(e)

    # ---- parts

    def arithmetic(self, op: str, left: ir.Expr, right: ir.Expr, env: Env) -> str:
        a, b = self.strict(left, env), self.strict(right, env)
        if op in ("/", "%"):
            low = right.type.lo if isinstance(right.type, IntT) else None
            if low is None or low < 1:
                return f"{self.unit.use('Div' if op == '/' else 'Mod')}({bare(a)}, {bare(b)})"
            op = "\\div" if op == "/" else op
        return f"({a} {op} {b})"

    def compare(self, op: str, left: ir.Expr, right: ir.Expr, env: Env) -> str:
        numbers = isinstance(left.type, IntT) and isinstance(right.type, IntT)
        a = self.strict(left, env) if numbers and op not in ("==", "!=") else self.expr(left, env)
        b = self.strict(right, env) if numbers and op not in ("==", "!=") else self.expr(right, env)
        if op in ("==", "!="):
            return f"({a} {'=' if op == '==' else '#'} {b})"
        if numbers:
            return f"({a} {op} {b})"
        t = join(left.type, right.type)
        assert t is not None
        less = self.unit.less(a, b, t) if op in ("<", ">=") else self.unit.less(b, a, t)
        return less if op in ("<", ">") else f"(~{less})"

    def checked(self, obj: ir.Expr, t: Type, what: str, span: Span, env: Env) -> str:
        x = bare(self.expr(obj, env))
        test = f"{x} \\in {bare(self.unit.type_set(t))}" if isinstance(t, IntT | ProcT) else f"{self.unit.test(t)}({x})"
        if not x.isidentifier() and isinstance(t, IntT | ProcT):
            test = f"({x}) \\in {bare(self.unit.type_set(t))}"
        return f'{self.unit.use("Checked")}({x}, {test}, "{plain(what)}, at {self.unit.place(span)}")'

    def shifted(self, key: ir.Expr, env: Env) -> str:
        """The place of an element that the language counts from 0."""
        if isinstance(key, ir.Const):
            return str(key.value + 1)
        return f"{self.strict(key, env)} + 1"

    def key(self, of: Type, key: ir.Expr, holder: str, env: Env, span: Span) -> str:
        """A key where something is replaced. TLC ignores one outside of the domain, so it is asserted to be inside."""
        if isinstance(of, MapT):
            text = self.expr(key, env)
            if fits(key.type, of.key):
                return bare(text)
        else:
            text = f"({self.shifted(key, env)})"
        place = f'"no such entry, at {self.unit.place(span)}"'
        return f"{self.unit.use('Checked')}({bare(text)}, {text} \\in DOMAIN {holder}, {place})"

    def collect(self, op: str, a: str, b: str) -> str:
        match op:
            case "bag_plus" | "bag_minus":
                return f"{self.unit.use('BagPlus' if op == 'bag_plus' else 'BagMinus')}({bare(a)}, {bare(b)})"
        sign = {"union": "\\cup", "minus": "\\", "meet": "\\cap", "concat": "\\o"}[op]
        return f"({a} {sign} {b})"

    def member(self, item: ir.Expr, of: ir.Expr, env: Env, sign: str) -> str:
        return f"({self.expr(item, env)}{sign}{self.as_set(of, env)})"

    def size(self, obj: ir.Expr, env: Env) -> str:
        match obj.type:
            case SeqT():
                return f"Len({bare(self.expr(obj, env))})"
            case BagT():
                x = bare(self.expr(obj, env))
                return f"{self.unit.use('BagCount')}({x}, DOMAIN {self.expr(obj, env)})"
        return f"Cardinality({bare(self.as_set(obj, env))})"

    def extreme(self, e: ir.MinMax, env: Env) -> str:
        texts = [self.as_set(i, env) if e.of_collection else self.expr(i, env) for i in e.items]
        name = "Min" if e.op == "min" else "Max"
        if isinstance(e.type, IntT):
            if e.of_collection:
                return f"{self.unit.use(name + 'Of')}({bare(texts[0])})"
            text = texts[-1]
            for other in reversed(texts[:-1]):
                text = f"{self.unit.use(name)}({bare(other)}, {bare(text)})"
            return text
        domain = texts[0] if e.of_collection else "{" + ", ".join(bare(t) for t in texts) + "}"
        return self.unit.extreme(e.op, bare(domain), e.type)

    # ---- collections

    def as_set(self, e: ir.Expr, env: Env) -> str:
        """The elements of a collection as a set."""
        match e:
            case ir.DomainSet(of):
                return self.unit.type_set(of)
            case ir.RangeSet(lo, hi):
                return f"({self.strict(lo, env)}..{self.strict(hi, env)})"
            case ir.Honest(_, role):
                everyone = self.unit.processes(role.roles)
                return f"({everyone} \\ faulty)" if "faulty" in env.values else everyone
            case ir.Filter(local, domain, cond):
                name, inner = self.bind(local, env)
                return f"{{{name} \\in {bare(self.as_set(domain, env))} : {bare(self.expr(cond, inner))}}}"
        x = self.expr(e, env)
        match e.type:
            case SeqT():
                return f"{self.unit.use('Range')}({bare(x)})"
            case BagT():
                return f"(DOMAIN {x})"
        return x

    def as_sequence(self, e: ir.Expr, env: Env, span: Span | None) -> str:
        """The elements of a collection in the order in which the language goes through them."""
        if isinstance(e.type, SeqT):
            return self.expr(e, env)
        if isinstance(e.type, BagT):
            return f"{self.unit.use('BagSeq')}({self.unit.listed(e.type.elem, span)}, {bare(self.expr(e, env))})"
        match e:
            case ir.DomainSet(IntT(int() as lo, int() as hi)):
                return f"{self.unit.use('Interval')}({lo}, {hi})"
            case ir.DomainSet(of):
                return self.unit.listed(of, span)
            case ir.RangeSet(lo_, hi_):
                return f"{self.unit.use('Interval')}({bare(self.strict(lo_, env))}, {bare(self.strict(hi_, env))})"
        assert isinstance(e.type, SetT)
        elements = bare(self.as_set(e, env))
        if isinstance(e.type.elem, IntT):
            return f"{self.unit.use('Ascending')}({elements})"
        return f"{self.unit.use('Ordered')}({self.unit.listed(e.type.elem, span)}, {elements})"

    def total(self, local: ir.Local, domain: ir.Expr, body: ir.Expr, env: Env) -> str:
        """A sum: over the sequence of the values, since a set would merge equal ones."""
        i, inner = self.another("i", env)
        sequence = self.as_sequence(domain, inner, None)
        inner = inner.with_local(local, f"{sequence}[{i}]")
        inner = replace(inner, bound=inner.bound | binders((sequence,)))
        return f"{self.unit.use('Total')}([{i} \\in DOMAIN {sequence} |-> {bare(self.expr(body, inner))}])"
