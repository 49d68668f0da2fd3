"""Typing of expressions: from syntax to the typed representation.

Bottom-up, one method for each form. The literals without a type of their own (`none`, `{}`, `[]`) have the type without a
value inside, which fits everything, so no expected type has to be passed down. Integers carry the interval that their
operands allow. What an expression may read is asked of the `Context`, what a name means of the `World`.

A problem is reported and raises `Bad`; chains of `and` and `or` go on with the next item first, so that one run shows
what is wrong with each.
"""

from __future__ import annotations

from checker.base.source import Span
from checker.lang import ast
from checker.lang.resolve import BUILTIN_FUNCTIONS, unknown
from checker.model import ir
from checker.model.access import AccessMixin
from checker.model.context import Bad, Use
from checker.model.convert import coerce, plain_items
from checker.model.intervals import held, interval
from checker.model.types import (
    BOOL,
    INT,
    NONE,
    BagT,
    EnumT,
    IntT,
    MapT,
    NeverT,
    ProcT,
    SeqT,
    SetT,
    Type,
    is_ordered,
    is_symmetric,
    join,
    show,
)

EMPTY_SET = SetT(NeverT(), 0)
_ELSEWHERE = {
    **dict.fromkeys(("None", "null", "nil", "NULL", "undefined", "nobody", "nothing"), "none"),
    **dict.fromkeys(("True", "TRUE", "yes"), "true"),
    **dict.fromkeys(("False", "FALSE", "no"), "false"),
    "this": "self",
}
"""What other languages call the values that every spec has."""


class Expressions(AccessMixin):
    """Translates expressions in one context."""

    def expr(self, node: ast.Expr) -> ir.Expr:
        """The typed form of an expression."""
        match node:
            case ast.Int(value=value):
                return ir.Const(value, IntT(value, value))
            case ast.Name():
                return self.name(node)
            case ast.Call(func=func, args=args):
                return self.call(node.span, func, args)
            case ast.Unary(op="not", operand=operand):
                return ir.Not(self.bool(operand))
            case ast.Unary(operand=operand):
                zero = ir.Const(0, IntT(0, 0))
                return self.arith("-", zero, self.int(operand, "the operand of `-`"), node.span)
            case ast.Logic(op=op, items=items):
                return ir.Logic(op, self.each(items, self.bool), node.span)
            case ast.Binary(op="=>", left=left, right=right):
                return ir.Logic("implies", self.each((left, right), self.bool), node.span)
            case ast.Binary():
                return self.binary(node)
            case ast.IfExpr(cond=cond, then=then, orelse=orelse):
                test, a, b = self.bool(cond), self.expr(then), self.expr(orelse)
                return ir.Cond(test, a, b, self.joined(a.type, b.type, node.span, "the two branches"))
            case ast.Quant():
                return self.quant(node)
            case ast.Field(obj=obj, name=name, optional=optional):
                return self.field(node.span, obj, name, optional)
            case ast.Index(obj=obj, key=key):
                return self.index(node.span, self.expr(obj), key, obj.span)
            case ast.Method(obj=obj, name=name, args=args):
                return self.method(obj, name, args)
            case ast.With(obj=obj, updates=updates):
                return self.with_(self.expr(obj), updates, obj.span)
            case ast.SetLit(items=items):
                parts = self.each(items, self.expr)
                elem = self.joined_all([p.type for p in parts], node.span, "the elements")
                return ir.MakeSet(parts, SetT(elem, len(parts)) if parts else EMPTY_SET)
            case ast.SeqLit(items=items):
                parts = self.each(items, self.expr)
                elem = self.joined_all([p.type for p in parts], node.span, "the elements")
                return ir.MakeSeq(parts, SeqT(elem, len(parts)))
            case ast.SetComp(binder=binder, cond=cond):
                domain = self.domain(binder.domain)
                local = self.binder(binder, domain)
                with self.ctx.bound(local):
                    return ir.Filter(local, domain, self.bool(cond), SetT(local.type))
            case ast.MapComp(binder=binder, body=body):
                return self.map_comp(binder, body)
            case ast.Old(expr=inner):
                self.ctx.use(Use.OLD, "old", node.span, self.reporter)
                if self.ctx.in_old:
                    self.reporter.error("PSM310", "`old` inside `old`", node.span, help="one `old` is enough")
                    raise Bad
                self.ctx.in_old = True
                try:
                    return ir.Old(self.expr(inner))
                finally:
                    self.ctx.in_old = False
            case ast.Sent():
                return self.sent(node)
            case ast.Inflight():
                return self.inflight(node)

    # ---- helpers

    def each(self, nodes: tuple[ast.Expr, ...], f: object) -> tuple[ir.Expr, ...]:
        """Translates all, reporting the problems of each, before it gives up."""
        done: list[ir.Expr] = []
        bad = False
        for node in nodes:
            try:
                done.append(f(node))  # type: ignore[operator]
            except Bad:
                bad = True
        if bad:
            raise Bad
        return tuple(done)

    def bool(self, node: ast.Expr) -> ir.Expr:
        return coerce(self.expr(node), BOOL, node.span, self.reporter, "a condition")

    def int(self, node: ast.Expr, what: str) -> ir.Expr:
        return coerce(self.expr(node), INT, node.span, self.reporter, what)

    def joined(self, a: Type, b: Type, span: Span, what: str) -> Type:
        result = join(a, b)
        if result is None:
            self.reporter.error("PSM301", f"{what} have different types: {show(a)} and {show(b)}", span)
            raise Bad
        return result

    def joined_all(self, types: list[Type], span: Span, what: str) -> Type:
        result: Type = NeverT()
        for t in types:
            result = self.joined(result, t, span, what)
        return result

    # ---- names

    def name(self, node: ast.Name) -> ir.Expr:
        """What a bare name means: locals first, then what the language has, then what the spec declares."""
        text, ctx, world = node.text, self.ctx, self.world
        if text in ctx.scope:
            return ir.GetLocal(ctx.scope[text])
        match text:
            case "true" | "false":
                return ir.Const(text == "true", BOOL)
            case "none":
                return ir.Const(None, NONE)
            case "self":
                return self.self_(node.span)
            case "all":
                self.reporter.error("PSM310", "`all` stands only behind `to`", node.span, help="name a role")
                raise Bad
        if ctx.role is not None and (ctx.role.name, text) in world.variables:
            return self.read(world.variables[ctx.role.name, text], None, node.span)
        if (None, text) in world.variables:
            return self.read(world.variables[None, text], None, node.span)
        if text in world.symbols.enum_values:
            enum = world.named(ast.Ident(node.span, world.symbols.enum_values[text]))
            assert isinstance(enum, EnumT)
            return ir.Const(enum.values.index(text), enum)
        if ctx.role is not None and text in world.symbols.roles[ctx.role.name].functions:
            return self.call_function(ast.Ident(node.span, text), (), ctx.role.name, None)
        decl = world.symbols.globals.get(text)
        match decl:
            case ast.ConstDecl():
                type_, value = world.constant(text)
                return ir.Const(value, type_)
            case ast.RoleDecl():
                t = world.named(decl.name)
                assert isinstance(t, ProcT)
                if t.roles[0].single:
                    return ir.Const(t.roles[0].base, t)
                return ir.DomainSet(t, SetT(t))
            case ast.TypeDecl() | ast.EnumDecl() | ast.IdDecl() | ast.RecordDecl():
                t = world.named(ast.Ident(node.span, text))
                return ir.DomainSet(t, SetT(t))
            case ast.FunDecl():
                return self.call_function(ast.Ident(node.span, text), (), None, None)
            case ast.SharedDecl():  # its type is not known yet, since a constant or a type asks for it
                ctx.use(Use.SHARED, f"`{text}`", node.span, self.reporter)
        if text in BUILTIN_FUNCTIONS:
            self.reporter.error("PSM206", f"`{text}` needs arguments", node.span, help=f"write `{text}(…)`")
            raise Bad
        self.unknown_name(node)
        raise Bad

    def unknown_name(self, node: ast.Name) -> None:
        known = [
            *self.ctx.scope,
            *self.world.symbols.globals,
            *self.world.symbols.enum_values,
            "self",
            "none",
            "true",
            "false",
        ]
        if self.ctx.role is not None:
            known += self.world.symbols.roles[self.ctx.role.name].names()
        owners = [
            r for r, m in self.world.symbols.roles.items() if node.text in m.variables or node.text in m.functions
        ]
        if owners:
            self.reporter.error(
                "PSM201",
                f"unknown name `{node.text}`",
                node.span,
                notes=[f"role {r} has a member of that name" for r in owners],
                help=f"write `r.{node.text}` for a process r of {owners[0]}",
            )
        elif node.text in self.world.symbols.messages:
            self.reporter.error(
                "PSM205", f"`{node.text}` is a message, not a value", node.span, help="ask with `sent` or `inflight`"
            )
        elif node.text in _ELSEWHERE:
            self.reporter.error(
                "PSM201", f"unknown name `{node.text}`", node.span, help=f"write `{_ELSEWHERE[node.text]}`"
            )
        elif (instance := self._instance(node.text)) is not None:
            self.reporter.error("PSM201", f"unknown name `{node.text}`", node.span, help=f"write `{instance}`")
        else:
            unknown(self.reporter, node, "name", known)

    def _instance(self, text: str) -> str | None:
        """`at(RM, 1)` for the name `RM1`, which traces use and specs cannot."""
        role = text.rstrip("0123456789")
        if role == text or role not in self.world.symbols.roles:
            return None
        return f"at({role}, {int(text.removeprefix(role))})"

    # ---- operators

    def binary(self, node: ast.Binary) -> ir.Expr:
        match node.op:
            case "in" | "not in":
                test = self.member(node)
                return test if node.op == "in" else ir.Not(test)
            case "==" | "!=" | "<" | "<=" | ">" | ">=":
                return self.compare(node)
            case "+" | "-" | "&" | "*" | "/" | "%":
                left, right = self.each((node.left, node.right), self.expr)
                return self.operate(node.op, left, right, node)
        raise AssertionError(node.op)

    def operate(self, op: str, left: ir.Expr, right: ir.Expr, node: ast.Binary | ast.Assign) -> ir.Expr:
        """Arithmetic, or the operation of that sign on two collections."""
        span = node.span
        first, second = left.type, right.type
        if isinstance(first, SetT | SeqT | BagT) and isinstance(second, SetT | SeqT | BagT):
            left, right = plain_items(left, second.elem, span), plain_items(right, first.elem, span)
            first, second = left.type, right.type
        match first, second:
            case SetT(), SetT() if op in "+-&":
                elem = self.joined(first.elem, second.elem, span, f"the sets around `{op}`")
                kind = {"+": "union", "-": "minus", "&": "meet"}[op]
                limit = first.limit if op == "-" else None
                kept = first.elem if op == "-" else elem
                return ir.Collect(kind, left, right, SetT(kept, limit))  # type: ignore[arg-type]
            case SeqT(), SeqT() if op == "+":
                elem = self.joined(first.elem, second.elem, span, "the sequences around `+`")
                n, m = first.limit, second.limit
                return ir.Collect("concat", left, right, SeqT(elem, None if n is None or m is None else n + m))
            case BagT(), BagT() if op in "+-":
                elem = self.joined(first.elem, second.elem, span, f"the bags around `{op}`")
                limit = first.limit if op == "-" else None
                return ir.Collect("bag_plus" if op == "+" else "bag_minus", left, right, BagT(elem, limit))
            case (SetT() | SeqT() | BagT(), _) if op in "+-" and join(first.elem, second) is not None:
                shape = "{…}" if isinstance(first, SetT) else "[…]"
                self.reporter.error(
                    "PSM301",
                    f"`{op}` needs two collections, not {show(left.type)} and {show(right.type)}",
                    span,
                    help=f"put the element in {shape}",
                )
                raise Bad
        if op == "&":
            self.reporter.error(
                "PSM301", f"`&` needs two sets, not {show(left.type)} and {show(right.type)}", span,
                help="for truths write `and`",
            )  # fmt: skip
            raise Bad
        a = coerce(left, INT, span, self.reporter, f"the left side of `{op}`")
        b = coerce(right, INT, span, self.reporter, f"the right side of `{op}`")
        return self.arith(op, a, b, span)

    def arith(self, op: str, a: ir.Expr, b: ir.Expr, span: Span) -> ir.Expr:
        assert isinstance(a.type, IntT)
        assert isinstance(b.type, IntT)
        return ir.Arith(op, a, b, held(interval(op, a.type, b.type), span, self.reporter), span)  # type: ignore[arg-type]

    def compare(self, node: ast.Binary) -> ir.Expr:
        left, right = self.each((node.left, node.right), self.expr)
        both = join(left.type, right.type)
        if both is None:
            self.reporter.error(
                "PSM302", f"{show(left.type)} cannot be compared with {show(right.type)}", node.span,
            )  # fmt: skip
            raise Bad
        if node.op not in ("==", "!="):
            self.ordered(both, f"`{node.op}`", node.span)
        return ir.Compare(node.op, left, right)  # type: ignore[arg-type]

    def ordered(self, t: Type, what: str, span: Span) -> None:
        """Reports where values of the type have no order, or none that may be looked at."""
        if not is_ordered(t):
            self.reporter.error("PSM302", f"{what} does not work on {show(t)}", span, help="only `==` and `!=` do")
            raise Bad
        if is_symmetric(t):
            self.reporter.error(
                "PSM403",
                f"{what} uses the order of {show(t)}, which is symmetric",
                span,
                help="compare with `==`, or drop `symmetric` from the declaration",
            )
            raise Bad

    def member(self, node: ast.Binary) -> ir.Expr:
        item, of = self.expr(node.left), self.domain(node.right)
        if isinstance(of.type, MapT) or not isinstance(of.type, SetT | SeqT | BagT):
            self.reporter.error("PSM301", f"`in` needs a set, not {show(of.type)}", node.right.span)
            raise Bad
        if join(item.type, of.type.elem) is None and not isinstance(of.type.elem, NeverT):
            self.reporter.error("PSM302", f"a {show(item.type)} is never in a set of {show(of.type.elem)}", node.span)
            raise Bad
        return ir.In(item, of)

    # ---- domains and binders

    def domain(self, node: ast.Expr | ast.Range) -> ir.Expr:
        """A domain: `lo .. hi`, a collection, or a name; a single role's name is a set here."""
        if isinstance(node, ast.Range):
            low, high = self.int(node.lo, "the lower end"), self.int(node.hi, "the upper end")
            assert isinstance(low.type, IntT)
            assert isinstance(high.type, IntT)
            return ir.RangeSet(low, high, SetT(IntT(low.type.lo, high.type.hi)))
        if isinstance(node, ast.Name) and node.text not in self.ctx.scope:
            decl = self.world.symbols.globals.get(node.text)
            if isinstance(decl, ast.RoleDecl):
                t = self.world.named(decl.name)
                return ir.DomainSet(t, SetT(t))
        return self.expr(node)

    def binder(self, binder: ast.Binder, domain: ir.Expr) -> ir.Local:
        """The local that runs over a domain."""
        if not isinstance(domain.type, SetT | SeqT | BagT):
            help_ = "range over its keys' type instead" if isinstance(domain.type, MapT) else None
            self.reporter.error(
                "PSM301", f"`{binder.name}` needs a set to range over, not {show(domain.type)}", binder.domain.span,
                help=help_,
            )  # fmt: skip
            raise Bad
        self.world.check_shadow(binder.name, self.ctx.role, self.ctx.scope)
        return self.world.local(binder.name.text, domain.type.elem)

    def quant(self, node: ast.Quant) -> ir.Expr:
        return self._quant(node, list(node.binders))

    def _quant(self, node: ast.Quant, binders: list[ast.Binder]) -> ir.Expr:
        if not binders:
            return self.int(node.body, "the body of `sum`") if node.kind == "sum" else self.bool(node.body)
        first, *rest = binders
        domain = self.domain(first.domain)
        local = self.binder(first, domain)
        with self.ctx.bound(local):
            body = self._quant(node, rest)
        return ir.Quant(node.kind, local, domain, body, INT if node.kind == "sum" else BOOL)

    def map_comp(self, binder: ast.Binder, body: ast.Expr) -> ir.Expr:
        domain = self.domain(binder.domain)
        key: Type
        match domain:
            case ir.DomainSet(of):
                key = of
            case ir.RangeSet(lo, hi):
                key = IntT(self.world.value_of(lo, binder.domain.span), self.world.value_of(hi, binder.domain.span))
            case _:
                self.reporter.error(
                    "PSM310",
                    "a map has an entry for every key, so its keys are a whole type",
                    binder.domain.span,
                    help="write the name of a type or role",
                )
                raise Bad
        local = self.binder(binder, domain)
        with self.ctx.bound(local):
            value = self.expr(body)
        return ir.MakeMap(local, value, MapT(key, value.type))
