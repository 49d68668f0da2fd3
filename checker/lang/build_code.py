"""Building the tree, first part: names, numbers, types, statements and expressions.

See `build` for the whole.
"""

from __future__ import annotations

from typing import Any, cast

from lark import Token, Transformer
from lark.tree import Meta
from lark.visitors import v_args

from checker.base.diagnostics import Reporter
from checker.base.source import Span
from checker.lang import ast

MAX_INT = (1 << 63) - 1
"""The largest number that may be written. Larger ones are always a mistake in a finite model."""

KEYWORDS = frozenset(
    (
        "spec const type id enum record message network shared role fun live final refines check symmetric "
        "durable volatile ghost soup bag fifo fair unfair action timeout fault on restart tick any invariant "
        "step reach forall exists sum either toss or in not and when limit ignore proc from to let send if else "
        "for choose assert atomic linearizable invoke respond then eventually always faults expect bound strong "
        "symmetry where with old sent inflight bool Set Map Seq Bag"
    ).split()
)
"""Reserved everywhere, although the parser could tell most of them apart by their place. Words that stand only behind
`expect` (`holds`, `depth` …), behind `faults` (`crash`, `cut` …) or behind a network (`drop`, `block` …) are good names for a
check, a variable or a function and cannot be confused, so they are free."""


def span_of(meta: Meta) -> Span:
    """The place of a rule."""
    return Span(meta.start_pos, meta.end_pos)


def _token_span(token: Token) -> Span:
    return Span(cast(int, token.start_pos), cast(int, token.end_pos))


class CodeBuilder(Transformer[Token, Any]):
    """The rules inside declarations. Reports reserved words used as names and numbers that are too large."""

    def __init__(self, reporter: Reporter) -> None:
        super().__init__(visit_tokens=True)
        self.reporter = reporter

    # ---- tokens

    def NAME(self, token: Token) -> ast.Ident:  # noqa: N802 - named after the terminal
        span = _token_span(token)
        if token in KEYWORDS:
            self.reporter.error(
                "PSM104", f"`{token}` is a keyword and cannot be a name", span, help=f"write `{token}_` instead"
            )
        return ast.Ident(span, str(token))

    def INT(self, token: Token) -> ast.Int:  # noqa: N802 - named after the terminal
        span = _token_span(token)
        if len(token) > 19 or int(token) > MAX_INT:
            shown = token if len(token) <= 30 else f"{token[:20]}… ({len(token)} digits)"
            self.reporter.error("PSM113", f"{shown} is larger than 2^63 - 1", span, help="use a smaller number")
            return ast.Int(span, 0)
        return ast.Int(span, int(token))

    # ---- types

    @v_args(meta=True)
    def opt_type(self, meta: Meta, children: list[Any]) -> ast.OptType:
        return ast.OptType(span_of(meta), children[0])

    @v_args(meta=True)
    def bool_type(self, meta: Meta, children: list[Any]) -> ast.BoolType:
        return ast.BoolType(span_of(meta))

    @v_args(meta=True)
    def range_type(self, meta: Meta, children: list[Any]) -> ast.RangeType:
        return ast.RangeType(span_of(meta), *children)

    @v_args(meta=True)
    def named_type(self, meta: Meta, children: list[Any]) -> ast.NamedType:
        return ast.NamedType(span_of(meta), children[0].text)

    @v_args(meta=True)
    def set_type(self, meta: Meta, children: list[Any]) -> ast.SetType:
        return ast.SetType(span_of(meta), *children)

    @v_args(meta=True)
    def map_type(self, meta: Meta, children: list[Any]) -> ast.MapType:
        return ast.MapType(span_of(meta), *children)

    @v_args(meta=True)
    def seq_type(self, meta: Meta, children: list[Any]) -> ast.SeqType:
        return ast.SeqType(span_of(meta), *children)

    @v_args(meta=True)
    def bag_type(self, meta: Meta, children: list[Any]) -> ast.BagType:
        return ast.BagType(span_of(meta), *children)

    # ---- statements

    @v_args(meta=True)
    def block(self, meta: Meta, children: list[Any]) -> ast.Block:
        return ast.Block(span_of(meta), tuple(children))

    @v_args(meta=True)
    def assign(self, meta: Meta, children: list[Any]) -> ast.Assign:
        target, op, value = children
        return ast.Assign(span_of(meta), target, cast(Any, str(op)), value)

    @v_args(meta=True)
    def let(self, meta: Meta, children: list[Any]) -> ast.Let:
        return ast.Let(span_of(meta), *children)

    @v_args(meta=True)
    def send(self, meta: Meta, children: list[Any]) -> ast.Send:
        return ast.Send(span_of(meta), *children)

    @v_args(meta=True)
    def if_(self, meta: Meta, children: list[Any]) -> ast.If:
        cond, block, orelse = children
        if isinstance(orelse, ast.If):
            return ast.If(span_of(meta), ((cond, block), *orelse.arms), orelse.orelse)
        return ast.If(span_of(meta), ((cond, block),), orelse)

    @v_args(meta=True)
    def for_(self, meta: Meta, children: list[Any]) -> ast.For:
        return ast.For(span_of(meta), *children)

    @v_args(meta=True)
    def choose(self, meta: Meta, children: list[Any]) -> ast.Choose:
        return ast.Choose(span_of(meta), *children)

    @v_args(meta=True)
    def either(self, meta: Meta, children: list[Any]) -> ast.Either:
        kind, *branches = children
        return ast.Either(span_of(meta), cast(Any, str(kind)), tuple(branches))

    @v_args(meta=True)
    def do(self, meta: Meta, children: list[Any]) -> ast.Do:
        return ast.Do(span_of(meta), children[0], children[1] or ())

    @v_args(meta=True)
    def assert_(self, meta: Meta, children: list[Any]) -> ast.Assert:
        return ast.Assert(span_of(meta), children[0])

    @v_args(meta=True)
    def event(self, meta: Meta, children: list[Any]) -> ast.Event:
        kind, op = children
        return ast.Event(span_of(meta), cast(Any, str(kind)), op)

    @v_args(meta=True)
    def atomic(self, meta: Meta, children: list[Any]) -> ast.Atomic:
        return ast.Atomic(span_of(meta), children[0])

    @v_args(meta=True)
    def lvalue(self, meta: Meta, children: list[Any]) -> ast.LValue:
        root, *path = children
        return ast.LValue(span_of(meta), root, tuple(path))

    def place_field(self, children: list[Any]) -> ast.Ident:
        return cast(ast.Ident, children[0])

    def place_index(self, children: list[Any]) -> ast.Expr:
        return cast(ast.Expr, children[0])

    @v_args(meta=True)
    def msg(self, meta: Meta, children: list[Any]) -> ast.MsgExpr:
        return ast.MsgExpr(span_of(meta), children[0], children[1] or ())

    def args(self, children: list[Any]) -> tuple[ast.Expr, ...]:
        return tuple(children)

    elems = args

    # ---- expressions

    @v_args(meta=True)
    def quant(self, meta: Meta, children: list[Any]) -> ast.Quant:
        kind, binders, body = children
        return ast.Quant(span_of(meta), cast(Any, str(kind)), binders, body)

    def binders(self, children: list[Any]) -> tuple[ast.Binder, ...]:
        return tuple(children)

    @v_args(meta=True)
    def binder(self, meta: Meta, children: list[Any]) -> ast.Binder:
        return ast.Binder(span_of(meta), *children)

    @v_args(meta=True)
    def range(self, meta: Meta, children: list[Any]) -> ast.Range:
        return ast.Range(span_of(meta), *children)

    @v_args(meta=True)
    def if_expr(self, meta: Meta, children: list[Any]) -> ast.IfExpr:
        return ast.IfExpr(span_of(meta), *children)

    @v_args(meta=True)
    def implies(self, meta: Meta, children: list[Any]) -> ast.Binary:
        return ast.Binary(span_of(meta), "=>", *children)

    @v_args(meta=True)
    def any_of(self, meta: Meta, children: list[Any]) -> ast.Logic:
        return ast.Logic(span_of(meta), "or", tuple(children))

    @v_args(meta=True)
    def all_of(self, meta: Meta, children: list[Any]) -> ast.Logic:
        return ast.Logic(span_of(meta), "and", tuple(children))

    @v_args(meta=True)
    def not_(self, meta: Meta, children: list[Any]) -> ast.Unary:
        return ast.Unary(span_of(meta), "not", children[0])

    @v_args(meta=True)
    def minus(self, meta: Meta, children: list[Any]) -> ast.Unary:
        return ast.Unary(span_of(meta), "-", children[0])

    @v_args(meta=True)
    def compare(self, meta: Meta, children: list[Any]) -> ast.Binary:
        left, op, right = children
        return ast.Binary(span_of(meta), cast(Any, " ".join(op.split())), left, right)

    arith = compare

    @v_args(meta=True)
    def field(self, meta: Meta, children: list[Any]) -> ast.Field:
        return ast.Field(span_of(meta), children[0], children[1], False)

    @v_args(meta=True)
    def opt_field(self, meta: Meta, children: list[Any]) -> ast.Field:
        return ast.Field(span_of(meta), children[0], children[1], True)

    @v_args(meta=True)
    def index(self, meta: Meta, children: list[Any]) -> ast.Index:
        return ast.Index(span_of(meta), *children)

    @v_args(meta=True)
    def method(self, meta: Meta, children: list[Any]) -> ast.Method:
        obj, name, args = children
        return ast.Method(span_of(meta), obj, name, args or ())

    @v_args(meta=True)
    def with_(self, meta: Meta, children: list[Any]) -> ast.With:
        return ast.With(span_of(meta), children[0], tuple(children[1:]))

    @v_args(meta=True)
    def update_field(self, meta: Meta, children: list[Any]) -> ast.Update:
        return ast.Update(span_of(meta), children[0], None, children[1])

    @v_args(meta=True)
    def update_index(self, meta: Meta, children: list[Any]) -> ast.Update:
        return ast.Update(span_of(meta), None, children[0], children[1])

    def int(self, children: list[Any]) -> ast.Int:
        return cast(ast.Int, children[0])

    @v_args(meta=True)
    def name(self, meta: Meta, children: list[Any]) -> ast.Name:
        return ast.Name(span_of(meta), children[0].text)

    @v_args(meta=True)
    def call(self, meta: Meta, children: list[Any]) -> ast.Call:
        return ast.Call(span_of(meta), *children)

    @v_args(meta=True)
    def set_lit(self, meta: Meta, children: list[Any]) -> ast.SetLit:
        return ast.SetLit(span_of(meta), children[0] or ())

    @v_args(meta=True)
    def seq_lit(self, meta: Meta, children: list[Any]) -> ast.SeqLit:
        return ast.SeqLit(span_of(meta), children[0] or ())

    @v_args(meta=True)
    def set_comp(self, meta: Meta, children: list[Any]) -> ast.SetComp:
        name, domain, cond = children
        return ast.SetComp(span_of(meta), ast.Binder(name.span.to(domain.span), name, domain), cond)

    @v_args(meta=True)
    def map_comp(self, meta: Meta, children: list[Any]) -> ast.MapComp:
        name, domain, body = children
        return ast.MapComp(span_of(meta), ast.Binder(name.span.to(domain.span), name, domain), body)

    @v_args(meta=True)
    def old(self, meta: Meta, children: list[Any]) -> ast.Old:
        return ast.Old(span_of(meta), children[0])

    @v_args(meta=True)
    def sent(self, meta: Meta, children: list[Any]) -> ast.Sent:
        return ast.Sent(span_of(meta), *children)

    @v_args(meta=True)
    def inflight(self, meta: Meta, children: list[Any]) -> ast.Inflight:
        return ast.Inflight(span_of(meta), *children)
