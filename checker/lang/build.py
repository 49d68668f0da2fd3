"""From Lark's parse tree to the syntax tree of `checker.lang.ast`.

One method for each rule of `grammar.lark`; a missing method is an error that a test finds. Lark hands each method the
place of its rule in `meta`, and the children with `None` for each optional part that is absent. The tree's depth is
checked before this runs (see `lalr`), so the recursion here is bounded.
"""

from __future__ import annotations

from typing import Any, cast

from lark import Token
from lark.tree import Meta
from lark.visitors import v_args

from checker.lang import ast
from checker.lang.build_code import KEYWORDS, CodeBuilder, span_of

__all__ = ["KEYWORDS", "AstBuilder"]


def _split_docs(children: list[Any]) -> tuple[tuple[str, ...], list[Any]]:
    docs: list[str] = []
    rest = 0
    for child in children:
        if not (isinstance(child, Token) and child.type == "DOC"):
            break
        text = child[3:].rstrip()
        docs.append(text.removeprefix(" "))
        rest += 1
    return tuple(docs), children[rest:]


class AstBuilder(CodeBuilder):
    """Builds a `Spec` bottom-up."""

    # ---- the file and its declarations

    @v_args(meta=True)
    def start(self, meta: Meta, children: list[Any]) -> ast.Spec:
        doc, (name, *decls) = _split_docs(children)
        return ast.Spec(span_of(meta), doc, name, tuple(decls))

    @v_args(meta=True)
    def const(self, meta: Meta, children: list[Any]) -> ast.ConstDecl:
        doc, (name, type_, value) = _split_docs(children)
        return ast.ConstDecl(span_of(meta), doc, name, type_, value)

    @v_args(meta=True)
    def typ(self, meta: Meta, children: list[Any]) -> ast.TypeDecl:
        doc, (name, type_) = _split_docs(children)
        return ast.TypeDecl(span_of(meta), doc, name, type_)

    @v_args(meta=True)
    def ids(self, meta: Meta, children: list[Any]) -> ast.IdDecl:
        doc, (name, size, sym) = _split_docs(children)
        return ast.IdDecl(span_of(meta), doc, name, size, sym is not None)

    @v_args(meta=True)
    def enum(self, meta: Meta, children: list[Any]) -> ast.EnumDecl:
        doc, (name, *values) = _split_docs(children)
        return ast.EnumDecl(span_of(meta), doc, name, tuple(values))

    @v_args(meta=True)
    def record(self, meta: Meta, children: list[Any]) -> ast.RecordDecl:
        doc, (name, *fields, where) = _split_docs(children)
        return ast.RecordDecl(span_of(meta), doc, name, tuple(fields), where)

    @v_args(meta=True)
    def message(self, meta: Meta, children: list[Any]) -> ast.MessageDecl:
        doc, sigs = _split_docs(children)
        return ast.MessageDecl(span_of(meta), doc, tuple(sigs))

    @v_args(meta=True)
    def sig(self, meta: Meta, children: list[Any]) -> ast.MessageSig:
        return ast.MessageSig(span_of(meta), children[0], children[1] if len(children) > 1 else ())

    def params(self, children: list[Any]) -> tuple[ast.Param, ...]:
        return tuple(children)

    @v_args(meta=True)
    def param(self, meta: Meta, children: list[Any]) -> ast.Param:
        return ast.Param(span_of(meta), *children)

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
            span_of(meta),
            doc,
            name,
            cast(Any, str(kind)),
            capacity,
            cast(Any, tuple(str(o) for o in options)),
            messages or (),
        )

    @v_args(meta=True)
    def shared(self, meta: Meta, children: list[Any]) -> ast.SharedDecl:
        doc, (keep, name, type_, init) = _split_docs(children)
        return ast.SharedDecl(span_of(meta), doc, self._var(meta, (), keep, name, type_, init))

    @v_args(meta=True)
    def role(self, meta: Meta, children: list[Any]) -> ast.RoleDecl:
        doc, (name, size, sym, *members) = _split_docs(children)
        return ast.RoleDecl(span_of(meta), doc, name, size, sym is not None, tuple(members))

    @v_args(meta=True)
    def var(self, meta: Meta, children: list[Any]) -> ast.VarDecl:
        doc, (keep, name, type_, init) = _split_docs(children)
        return self._var(meta, doc, keep, name, type_, init)

    def _var(
        self, meta: Meta, doc: tuple[str, ...], keep: Token | None, name: ast.Ident, type_: ast.Type, init: list[Any]
    ) -> ast.VarDecl:
        kept = None if keep is None else cast(Any, str(keep))
        return ast.VarDecl(span_of(meta), doc, kept, name, type_, init[-1], len(init) > 1)

    def init(self, children: list[Any]) -> list[Any]:
        return children

    @v_args(meta=True)
    def on_message(self, meta: Meta, children: list[Any]) -> ast.OnMessage:
        doc, (fair, message, names, source, guard, limit, body) = _split_docs(children)
        sender, role = source or (None, None)
        return ast.OnMessage(
            span_of(meta), doc, cast(Any, fair and str(fair)), message, names or (), sender, role, guard, limit, body
        )

    @v_args(meta=True)
    def handler(self, meta: Meta, children: list[Any]) -> ast.Handler:
        doc, (fair, (kind, name, params), guard, limit, body) = _split_docs(children)
        return ast.Handler(span_of(meta), doc, cast(Any, fair and str(fair)), kind, name, params, guard, limit, body)

    def head(self, children: list[Any]) -> tuple[Any, ...]:
        kind, *rest = children
        name, params = rest or (None, None)
        return (str(kind), name, params or ())

    @v_args(meta=True)
    def ignore(self, meta: Meta, children: list[Any]) -> ast.Ignore:
        doc, (message, names, source, guard) = _split_docs(children)
        sender, role = source or (None, None)
        return ast.Ignore(span_of(meta), doc, message, names or (), sender, role, guard)

    @v_args(meta=True)
    def proc(self, meta: Meta, children: list[Any]) -> ast.ProcDecl:
        doc, (name, params, body) = _split_docs(children)
        return ast.ProcDecl(span_of(meta), doc, name, params or (), body)

    @v_args(meta=True)
    def fun(self, meta: Meta, children: list[Any]) -> ast.FunDecl:
        doc, (name, params, result, body) = _split_docs(children)
        return ast.FunDecl(span_of(meta), doc, name, params or (), result, body)

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
        return ast.PropDecl(span_of(meta), doc, cast(Any, str(kind)), name, body)

    @v_args(meta=True)
    def live(self, meta: Meta, children: list[Any]) -> ast.LiveDecl:
        doc, (name, binders, (form, left, right)) = _split_docs(children)
        return ast.LiveDecl(span_of(meta), doc, name, binders or (), form, left, right)

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
        return ast.FinalDecl(span_of(meta), doc, cond)

    @v_args(meta=True)
    def refines(self, meta: Meta, children: list[Any]) -> ast.RefinesDecl:
        doc, (name, *mapping) = _split_docs(children)
        return ast.RefinesDecl(span_of(meta), doc, name, tuple(mapping))

    @v_args(meta=True)
    def linear(self, meta: Meta, children: list[Any]) -> ast.LinearDecl:
        doc, (name,) = _split_docs(children)
        return ast.LinearDecl(span_of(meta), doc, name)

    @v_args(meta=True)
    def mapped(self, meta: Meta, children: list[Any]) -> ast.Mapped:
        first, second, value = children
        role, name = (None, first) if second is None else (first, second)
        return ast.Mapped(span_of(meta), role, name, value)

    @v_args(meta=True)
    def bind(self, meta: Meta, children: list[Any]) -> ast.Bind:
        return ast.Bind(span_of(meta), *children)

    # ---- checks

    @v_args(meta=True)
    def check(self, meta: Meta, children: list[Any]) -> ast.CheckDecl:
        doc, (name, *items) = _split_docs(children)
        return ast.CheckDecl(span_of(meta), doc, name, tuple(items))

    @v_args(meta=True)
    def faults(self, meta: Meta, children: list[Any]) -> ast.Faults:
        return ast.Faults(span_of(meta), tuple(children))

    @v_args(meta=True)
    def link_fault(self, meta: Meta, children: list[Any]) -> ast.Fault:
        kind, budget = children
        return ast.Fault(span_of(meta), cast(Any, str(kind)), (), None, budget)

    @v_args(meta=True)
    def node_fault(self, meta: Meta, children: list[Any]) -> ast.Fault:
        kind, role, budget = children
        return ast.Fault(span_of(meta), cast(Any, str(kind)), (role,), None, budget)

    @v_args(meta=True)
    def own_fault(self, meta: Meta, children: list[Any]) -> ast.Fault:
        role, name, budget = children
        return ast.Fault(span_of(meta), "own", (role,), name, budget)

    @v_args(meta=True)
    def cut_fault(self, meta: Meta, children: list[Any]) -> ast.Fault:
        *roles, budget = children
        return ast.Fault(span_of(meta), "cut", tuple(r for r in roles if r is not None), None, budget)

    @v_args(meta=True)
    def expect(self, meta: Meta, children: list[Any]) -> ast.Expect:
        verdict, names = children
        return ast.Expect(span_of(meta), cast(Any, str(verdict)), names)

    @v_args(meta=True)
    def expect_counts(self, meta: Meta, children: list[Any]) -> ast.ExpectCounts:
        states, *rest = children
        transitions, depth = (None if c is None else c.value for c in rest)
        return ast.ExpectCounts(span_of(meta), states.value, transitions, depth)

    @v_args(meta=True)
    def check_final(self, meta: Meta, children: list[Any]) -> ast.CheckFinal:
        return ast.CheckFinal(span_of(meta), children[0])

    @v_args(meta=True)
    def bound(self, meta: Meta, children: list[Any]) -> ast.Bound:
        return ast.Bound(span_of(meta), children[0])

    @v_args(meta=True)
    def strong(self, meta: Meta, children: list[Any]) -> ast.Strong:
        return ast.Strong(span_of(meta), tuple(children))

    @v_args(meta=True)
    def step_name(self, meta: Meta, children: list[Any]) -> ast.StepName:
        first, second = children
        return (
            ast.StepName(span_of(meta), None, first) if second is None else ast.StepName(span_of(meta), first, second)
        )

    @v_args(meta=True)
    def no_symmetry(self, meta: Meta, children: list[Any]) -> ast.NoSymmetry:
        return ast.NoSymmetry(span_of(meta))
