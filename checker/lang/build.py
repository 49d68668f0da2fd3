"""From Lark's parse tree to the syntax tree of `checker.lang.ast`.

One method for each rule of `grammar.lark`; a missing method is an error that a test finds. Lark hands each method the
place of its rule in `meta`, and the children with `None` for each optional part that is absent. The tree's depth is
checked before this runs (see `parser`), so the recursion here is bounded.
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
    "spec const type id enum record message network shared role fun live final refines check symmetric durable volatile "
    "ghost soup bag fifo fair unfair action timeout fault on restart tick any invariant step reach "
    "forall exists sum either toss or in not and when limit ignore proc "
    "from to let send if else for choose assert atomic then eventually always faults expect "
    "bound strong symmetry where with old sent inflight bool Set Map Seq Bag".split()
)
"""Reserved everywhere, although the parser could tell most of them apart by their place. Words that stand only behind
`expect` (`holds`, `depth` …), behind `faults` (`crash`, `cut` …) or behind a network (`drop`, `block` …) are good names for a
check, a variable or a function and cannot be confused, so they are free."""


def _span(meta: Meta) -> Span:
    return Span(meta.start_pos, meta.end_pos)


def _token_span(token: Token) -> Span:
    return Span(cast(int, token.start_pos), cast(int, token.end_pos))


def _split_docs(children: list[Any]) -> tuple[tuple[str, ...], list[Any]]:
    docs: list[str] = []
    rest = 0
    for child in children:
        if not (isinstance(child, Token) and child.type == "DOC"):
            break
        text = child[3:].rstrip()
        docs.append(text[1:] if text.startswith(" ") else text)
        rest += 1
    return tuple(docs), children[rest:]


class AstBuilder(Transformer[Token, Any]):
    """Builds a `Spec` bottom-up. Reports reserved words used as names and numbers that are too large."""

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

    # ---- the file and its declarations

    @v_args(meta=True)
    def start(self, meta: Meta, children: list[Any]) -> ast.Spec:
        doc, (name, *decls) = _split_docs(children)
        return ast.Spec(_span(meta), doc, name, tuple(decls))

    @v_args(meta=True)
    def const(self, meta: Meta, children: list[Any]) -> ast.ConstDecl:
        doc, (name, type_, value) = _split_docs(children)
        return ast.ConstDecl(_span(meta), doc, name, type_, value)

    @v_args(meta=True)
    def typ(self, meta: Meta, children: list[Any]) -> ast.TypeDecl:
        doc, (name, type_) = _split_docs(children)
        return ast.TypeDecl(_span(meta), doc, name, type_)

    @v_args(meta=True)
    def ids(self, meta: Meta, children: list[Any]) -> ast.IdDecl:
        doc, (name, size, sym) = _split_docs(children)
        return ast.IdDecl(_span(meta), doc, name, size, sym is not None)

    @v_args(meta=True)
    def enum(self, meta: Meta, children: list[Any]) -> ast.EnumDecl:
        doc, (name, *values) = _split_docs(children)
        return ast.EnumDecl(_span(meta), doc, name, tuple(values))

    @v_args(meta=True)
    def record(self, meta: Meta, children: list[Any]) -> ast.RecordDecl:
        doc, (name, *fields, where) = _split_docs(children)
        return ast.RecordDecl(_span(meta), doc, name, tuple(fields), where)

    @v_args(meta=True)
    def message(self, meta: Meta, children: list[Any]) -> ast.MessageDecl:
        doc, sigs = _split_docs(children)
        return ast.MessageDecl(_span(meta), doc, tuple(sigs))

    @v_args(meta=True)
    def sig(self, meta: Meta, children: list[Any]) -> ast.MessageSig:
        return ast.MessageSig(_span(meta), children[0], children[1] if len(children) > 1 else ())

    def params(self, children: list[Any]) -> tuple[ast.Param, ...]:
        return tuple(children)

    @v_args(meta=True)
    def param(self, meta: Meta, children: list[Any]) -> ast.Param:
        return ast.Param(_span(meta), *children)

    @v_args(meta=True)
    def network(self, meta: Meta, children: list[Any]) -> ast.NetworkDecl:
        doc, rest = _split_docs(children)
        return self._network(meta, doc, rest)

    @v_args(meta=True)
    def check_network(self, meta: Meta, children: list[Any]) -> ast.NetworkDecl:
        return self._network(meta, (), children)

    def _network(self, meta: Meta, doc: tuple[str, ...], parts: list[Any]) -> ast.NetworkDecl:
        name, kind, capacity, *options, messages = parts
        return ast.NetworkDecl(
            _span(meta), doc, name, cast(Any, str(kind)), capacity, tuple(str(o) for o in options), messages or ()
        )

    @v_args(meta=True)
    def shared(self, meta: Meta, children: list[Any]) -> ast.SharedDecl:
        doc, (keep, name, type_, init) = _split_docs(children)
        return ast.SharedDecl(_span(meta), doc, self._var(meta, (), keep, name, type_, init))

    @v_args(meta=True)
    def role(self, meta: Meta, children: list[Any]) -> ast.RoleDecl:
        doc, (name, size, sym, *members) = _split_docs(children)
        return ast.RoleDecl(_span(meta), doc, name, size, sym is not None, tuple(members))

    @v_args(meta=True)
    def var(self, meta: Meta, children: list[Any]) -> ast.VarDecl:
        doc, (keep, name, type_, init) = _split_docs(children)
        return self._var(meta, doc, keep, name, type_, init)

    def _var(
        self, meta: Meta, doc: tuple[str, ...], keep: Token | None, name: ast.Ident, type_: ast.Type, init: list[Any]
    ) -> ast.VarDecl:
        kept = None if keep is None else cast(Any, str(keep))
        return ast.VarDecl(_span(meta), doc, kept, name, type_, init[-1], len(init) > 1)

    def init(self, children: list[Any]) -> list[Any]:
        return children

    @v_args(meta=True)
    def on_message(self, meta: Meta, children: list[Any]) -> ast.OnMessage:
        doc, (fair, message, names, source, guard, limit, body) = _split_docs(children)
        sender, role = source or (None, None)
        return ast.OnMessage(
            _span(meta), doc, fair and str(fair), message, names or (), sender, role, guard, limit, body
        )

    @v_args(meta=True)
    def handler(self, meta: Meta, children: list[Any]) -> ast.Handler:
        doc, (fair, (kind, name, params), guard, limit, body) = _split_docs(children)
        return ast.Handler(_span(meta), doc, fair and str(fair), kind, name, params, guard, limit, body)

    def head(self, children: list[Any]) -> tuple[Any, ...]:
        kind, *rest = children
        name, params = rest if rest else (None, None)
        return (str(kind), name, params or ())

    @v_args(meta=True)
    def ignore(self, meta: Meta, children: list[Any]) -> ast.Ignore:
        doc, (message, names, source, guard) = _split_docs(children)
        sender, role = source or (None, None)
        return ast.Ignore(_span(meta), doc, message, names or (), sender, role, guard)

    @v_args(meta=True)
    def proc(self, meta: Meta, children: list[Any]) -> ast.ProcDecl:
        doc, (name, params, body) = _split_docs(children)
        return ast.ProcDecl(_span(meta), doc, name, params or (), body)

    @v_args(meta=True)
    def fun(self, meta: Meta, children: list[Any]) -> ast.FunDecl:
        doc, (name, params, result, body) = _split_docs(children)
        return ast.FunDecl(_span(meta), doc, name, params or (), result, body)

    def formals(self, children: list[Any]) -> tuple[ast.Ident, ...]:
        return tuple(children)

    idents = formals

    def source(self, children: list[Any]) -> tuple[ast.Ident, ast.Ident | None]:
        return children[0], children[1]

    def guard(self, children: list[Any]) -> ast.Expr:
        return cast(ast.Expr, children[0])

    limit = guard

    @v_args(meta=True)
    def prop(self, meta: Meta, children: list[Any]) -> ast.PropDecl:
        doc, (kind, name, body) = _split_docs(children)
        return ast.PropDecl(_span(meta), doc, cast(Any, str(kind)), name, body)

    @v_args(meta=True)
    def live(self, meta: Meta, children: list[Any]) -> ast.LiveDecl:
        doc, (name, binders, (form, left, right)) = _split_docs(children)
        return ast.LiveDecl(_span(meta), doc, name, binders or (), form, left, right)

    def eventually(self, children: list[Any]) -> tuple[Any, ...]:
        return ("eventually", children[0], None)

    def eventually_always(self, children: list[Any]) -> tuple[Any, ...]:
        return ("eventually always", children[0], None)

    def always_eventually(self, children: list[Any]) -> tuple[Any, ...]:
        return ("always eventually", children[0], None)

    def leads(self, children: list[Any]) -> tuple[Any, ...]:
        return ("leads", children[0], children[1])

    @v_args(meta=True)
    def final(self, meta: Meta, children: list[Any]) -> ast.FinalDecl:
        doc, (cond,) = _split_docs(children)
        return ast.FinalDecl(_span(meta), doc, cond)

    @v_args(meta=True)
    def refines(self, meta: Meta, children: list[Any]) -> ast.RefinesDecl:
        doc, (name, *binds) = _split_docs(children)
        return ast.RefinesDecl(_span(meta), doc, name, tuple(binds))

    @v_args(meta=True)
    def bind(self, meta: Meta, children: list[Any]) -> ast.Bind:
        return ast.Bind(_span(meta), *children)

    # ---- checks

    @v_args(meta=True)
    def check(self, meta: Meta, children: list[Any]) -> ast.CheckDecl:
        doc, (name, *items) = _split_docs(children)
        return ast.CheckDecl(_span(meta), doc, name, tuple(items))

    @v_args(meta=True)
    def faults(self, meta: Meta, children: list[Any]) -> ast.Faults:
        return ast.Faults(_span(meta), tuple(children))

    @v_args(meta=True)
    def link_fault(self, meta: Meta, children: list[Any]) -> ast.Fault:
        kind, budget = children
        return ast.Fault(_span(meta), cast(Any, str(kind)), (), None, budget)

    @v_args(meta=True)
    def node_fault(self, meta: Meta, children: list[Any]) -> ast.Fault:
        kind, role, budget = children
        return ast.Fault(_span(meta), cast(Any, str(kind)), (role,), None, budget)

    @v_args(meta=True)
    def own_fault(self, meta: Meta, children: list[Any]) -> ast.Fault:
        role, name, budget = children
        return ast.Fault(_span(meta), "own", (role,), name, budget)

    @v_args(meta=True)
    def cut_fault(self, meta: Meta, children: list[Any]) -> ast.Fault:
        *roles, budget = children
        return ast.Fault(_span(meta), "cut", tuple(r for r in roles if r is not None), None, budget)

    @v_args(meta=True)
    def expect(self, meta: Meta, children: list[Any]) -> ast.Expect:
        verdict, names = children
        return ast.Expect(_span(meta), cast(Any, str(verdict)), names)

    @v_args(meta=True)
    def expect_counts(self, meta: Meta, children: list[Any]) -> ast.ExpectCounts:
        return ast.ExpectCounts(_span(meta), *(None if c is None else c.value for c in children))

    @v_args(meta=True)
    def check_final(self, meta: Meta, children: list[Any]) -> ast.CheckFinal:
        return ast.CheckFinal(_span(meta), children[0])

    @v_args(meta=True)
    def bound(self, meta: Meta, children: list[Any]) -> ast.Bound:
        return ast.Bound(_span(meta), children[0])

    @v_args(meta=True)
    def strong(self, meta: Meta, children: list[Any]) -> ast.Strong:
        return ast.Strong(_span(meta), tuple(children))

    @v_args(meta=True)
    def step_name(self, meta: Meta, children: list[Any]) -> ast.StepName:
        first, second = children
        return ast.StepName(_span(meta), None, first) if second is None else ast.StepName(_span(meta), first, second)

    @v_args(meta=True)
    def no_symmetry(self, meta: Meta, children: list[Any]) -> ast.NoSymmetry:
        return ast.NoSymmetry(_span(meta))

    # ---- types

    @v_args(meta=True)
    def opt_type(self, meta: Meta, children: list[Any]) -> ast.OptType:
        return ast.OptType(_span(meta), children[0])

    @v_args(meta=True)
    def bool_type(self, meta: Meta, children: list[Any]) -> ast.BoolType:
        return ast.BoolType(_span(meta))

    @v_args(meta=True)
    def range_type(self, meta: Meta, children: list[Any]) -> ast.RangeType:
        return ast.RangeType(_span(meta), *children)

    @v_args(meta=True)
    def named_type(self, meta: Meta, children: list[Any]) -> ast.NamedType:
        return ast.NamedType(_span(meta), children[0].text)

    @v_args(meta=True)
    def set_type(self, meta: Meta, children: list[Any]) -> ast.SetType:
        return ast.SetType(_span(meta), *children)

    @v_args(meta=True)
    def map_type(self, meta: Meta, children: list[Any]) -> ast.MapType:
        return ast.MapType(_span(meta), *children)

    @v_args(meta=True)
    def seq_type(self, meta: Meta, children: list[Any]) -> ast.SeqType:
        return ast.SeqType(_span(meta), *children)

    @v_args(meta=True)
    def bag_type(self, meta: Meta, children: list[Any]) -> ast.BagType:
        return ast.BagType(_span(meta), *children)

    # ---- statements

    @v_args(meta=True)
    def block(self, meta: Meta, children: list[Any]) -> ast.Block:
        return ast.Block(_span(meta), tuple(children))

    @v_args(meta=True)
    def assign(self, meta: Meta, children: list[Any]) -> ast.Assign:
        target, op, value = children
        return ast.Assign(_span(meta), target, cast(Any, str(op)), value)

    @v_args(meta=True)
    def let(self, meta: Meta, children: list[Any]) -> ast.Let:
        return ast.Let(_span(meta), *children)

    @v_args(meta=True)
    def send(self, meta: Meta, children: list[Any]) -> ast.Send:
        return ast.Send(_span(meta), *children)

    @v_args(meta=True)
    def if_(self, meta: Meta, children: list[Any]) -> ast.If:
        cond, block, orelse = children
        if isinstance(orelse, ast.If):
            return ast.If(_span(meta), ((cond, block), *orelse.arms), orelse.orelse)
        return ast.If(_span(meta), ((cond, block),), orelse)

    @v_args(meta=True)
    def for_(self, meta: Meta, children: list[Any]) -> ast.For:
        return ast.For(_span(meta), *children)

    @v_args(meta=True)
    def choose(self, meta: Meta, children: list[Any]) -> ast.Choose:
        return ast.Choose(_span(meta), *children)

    @v_args(meta=True)
    def either(self, meta: Meta, children: list[Any]) -> ast.Either:
        kind, *branches = children
        return ast.Either(_span(meta), cast(Any, str(kind)), tuple(branches))

    @v_args(meta=True)
    def do(self, meta: Meta, children: list[Any]) -> ast.Do:
        return ast.Do(_span(meta), children[0], children[1] or ())

    @v_args(meta=True)
    def assert_(self, meta: Meta, children: list[Any]) -> ast.Assert:
        return ast.Assert(_span(meta), children[0])

    @v_args(meta=True)
    def atomic(self, meta: Meta, children: list[Any]) -> ast.Atomic:
        return ast.Atomic(_span(meta), children[0])

    @v_args(meta=True)
    def lvalue(self, meta: Meta, children: list[Any]) -> ast.LValue:
        root, *path = children
        return ast.LValue(_span(meta), root, tuple(path))

    def place_field(self, children: list[Any]) -> ast.Ident:
        return cast(ast.Ident, children[0])

    def place_index(self, children: list[Any]) -> ast.Expr:
        return cast(ast.Expr, children[0])

    @v_args(meta=True)
    def msg(self, meta: Meta, children: list[Any]) -> ast.MsgExpr:
        return ast.MsgExpr(_span(meta), children[0], children[1] or ())

    def args(self, children: list[Any]) -> tuple[ast.Expr, ...]:
        return tuple(children)

    elems = args

    # ---- expressions

    @v_args(meta=True)
    def quant(self, meta: Meta, children: list[Any]) -> ast.Quant:
        kind, binders, body = children
        return ast.Quant(_span(meta), cast(Any, str(kind)), binders, body)

    def binders(self, children: list[Any]) -> tuple[ast.Binder, ...]:
        return tuple(children)

    @v_args(meta=True)
    def binder(self, meta: Meta, children: list[Any]) -> ast.Binder:
        return ast.Binder(_span(meta), *children)

    @v_args(meta=True)
    def range(self, meta: Meta, children: list[Any]) -> ast.Range:
        return ast.Range(_span(meta), *children)

    @v_args(meta=True)
    def if_expr(self, meta: Meta, children: list[Any]) -> ast.IfExpr:
        return ast.IfExpr(_span(meta), *children)

    @v_args(meta=True)
    def implies(self, meta: Meta, children: list[Any]) -> ast.Binary:
        return ast.Binary(_span(meta), "=>", *children)

    @v_args(meta=True)
    def any_of(self, meta: Meta, children: list[Any]) -> ast.Logic:
        return ast.Logic(_span(meta), "or", tuple(children))

    @v_args(meta=True)
    def all_of(self, meta: Meta, children: list[Any]) -> ast.Logic:
        return ast.Logic(_span(meta), "and", tuple(children))

    @v_args(meta=True)
    def not_(self, meta: Meta, children: list[Any]) -> ast.Unary:
        return ast.Unary(_span(meta), "not", children[0])

    @v_args(meta=True)
    def minus(self, meta: Meta, children: list[Any]) -> ast.Unary:
        return ast.Unary(_span(meta), "-", children[0])

    @v_args(meta=True)
    def compare(self, meta: Meta, children: list[Any]) -> ast.Binary:
        left, op, right = children
        return ast.Binary(_span(meta), cast(Any, " ".join(op.split())), left, right)

    arith = compare

    @v_args(meta=True)
    def field(self, meta: Meta, children: list[Any]) -> ast.Field:
        return ast.Field(_span(meta), *children, False)

    @v_args(meta=True)
    def opt_field(self, meta: Meta, children: list[Any]) -> ast.Field:
        return ast.Field(_span(meta), *children, True)

    @v_args(meta=True)
    def index(self, meta: Meta, children: list[Any]) -> ast.Index:
        return ast.Index(_span(meta), *children)

    @v_args(meta=True)
    def method(self, meta: Meta, children: list[Any]) -> ast.Method:
        obj, name, args = children
        return ast.Method(_span(meta), obj, name, args or ())

    @v_args(meta=True)
    def with_(self, meta: Meta, children: list[Any]) -> ast.With:
        return ast.With(_span(meta), children[0], tuple(children[1:]))

    @v_args(meta=True)
    def update_field(self, meta: Meta, children: list[Any]) -> ast.Update:
        return ast.Update(_span(meta), children[0], None, children[1])

    @v_args(meta=True)
    def update_index(self, meta: Meta, children: list[Any]) -> ast.Update:
        return ast.Update(_span(meta), None, children[0], children[1])

    def int(self, children: list[Any]) -> ast.Int:
        return cast(ast.Int, children[0])

    @v_args(meta=True)
    def name(self, meta: Meta, children: list[Any]) -> ast.Name:
        return ast.Name(_span(meta), children[0].text)

    @v_args(meta=True)
    def call(self, meta: Meta, children: list[Any]) -> ast.Call:
        return ast.Call(_span(meta), *children)

    @v_args(meta=True)
    def set_lit(self, meta: Meta, children: list[Any]) -> ast.SetLit:
        return ast.SetLit(_span(meta), children[0] or ())

    @v_args(meta=True)
    def seq_lit(self, meta: Meta, children: list[Any]) -> ast.SeqLit:
        return ast.SeqLit(_span(meta), children[0] or ())

    @v_args(meta=True)
    def set_comp(self, meta: Meta, children: list[Any]) -> ast.SetComp:
        name, domain, cond = children
        return ast.SetComp(_span(meta), ast.Binder(name.span.to(domain.span), name, domain), cond)

    @v_args(meta=True)
    def map_comp(self, meta: Meta, children: list[Any]) -> ast.MapComp:
        name, domain, body = children
        return ast.MapComp(_span(meta), ast.Binder(name.span.to(domain.span), name, domain), body)

    @v_args(meta=True)
    def old(self, meta: Meta, children: list[Any]) -> ast.Old:
        return ast.Old(_span(meta), children[0])

    @v_args(meta=True)
    def sent(self, meta: Meta, children: list[Any]) -> ast.Sent:
        return ast.Sent(_span(meta), *children)

    @v_args(meta=True)
    def inflight(self, meta: Meta, children: list[Any]) -> ast.Inflight:
        return ast.Inflight(_span(meta), *children)


