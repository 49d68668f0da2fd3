"""Printing: syntax tree in, text in the one canonical style out.

`format_source` is `lockstep fmt`. It parses, makes a document of the whole file (`Phrases` for expressions, this module
for statements and declarations), gives it the comments of the source (`layout`) and lets `document` break the lines.
Three things hold for each text that parses, and are tested on texts with whitespace and comments in all places: the
result has the same syntax tree, the same comments in the same order, and formatting it again changes nothing.

The style leaves to the author what carries meaning for a reader and is told from the source's line breaks alone: a
block that was written on one line stays on one if it fits, statements that shared a line still do, and a blank line
between two declarations, statements or comments is kept. All else is decided here. Columns are not aligned.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import assert_never

from checker.base.source import Source, Span
from checker.lang import ast
from checker.lang.document import ArmBreak, Break, Concat, Doc, Fill, Group, Line, Nest, Text, concat, flat, render
from checker.lang.layout import attach
from checker.lang.parser import parse
from checker.lang.phrases import Phrases
from checker.lang.tokens import scan


def format_source(source: Source) -> str:
    """The text of a spec in canonical style, with its comments.

    Raises:
        SpecError: where the text does not parse, as `parse` does.
    """
    spec = parse(source)
    return render(attach(_Printer(source).spec(spec), source)) + "\n"


def format_tree(spec: ast.Spec, source: Source) -> str:
    """The text of a tree that was made from that of `source`, without comments; parsing it gives the tree again."""
    return render(_Printer(source).spec(spec)) + "\n"


def format_expr(expr: ast.Expr | ast.Range) -> str:
    """An expression, or the range of a binder, on one line and with no more parentheses than the grammar needs."""
    return flat(Phrases(clear=False).domain(expr))


def format_type(type_: ast.Type) -> str:
    """A type on one line."""
    return Phrases(clear=False).type(type_)


class _Printer:
    """Makes documents of statements and declarations; reads the source only for its line breaks."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._phrases = Phrases(clear=True)

    # ---- the author's lines

    def _one_line(self, span: Span) -> bool:
        return "\n" not in self._source.slice(span)

    def _rows(self, items: Sequence[ast.Node], docs: Sequence[Doc]) -> Doc:
        """One row for each line on which the author began items; a row that is too long is broken between them."""
        rows: list[list[Doc]] = []
        last = 0
        for item, doc in zip(items, docs, strict=True):
            if rows and "\n" not in self._source.text[last : item.span.start]:
                rows[-1].append(doc)
            else:
                rows.append([doc])
            last = item.span.end
        parts: list[Doc] = []
        for row in rows:
            parts += [Break(separator=True), Fill(tuple(row), "  ")]
        return Concat(tuple(parts[1:]))

    def _braces(self, span: Span, items: Sequence[ast.Node], docs: Sequence[Doc]) -> Doc:
        """`{ … }` around statements or the items of a check; `span` covers the braces."""
        if not items:
            return Text("{ }")
        rows = self._rows(items, docs)
        if self._one_line(span):
            return Group(concat("{", Nest(concat(Line(), rows)), Line(), "}"))
        return concat("{", Nest(concat(Break(), rows)), Break(), "}")

    # ---- statements

    def _block(self, block: ast.Block) -> Doc:
        return self._braces(block.span, block.stmts, [self._stmt(stmt) for stmt in block.stmts])

    def _stmt(self, stmt: ast.Stmt) -> Doc:
        phrases = self._phrases
        match stmt:
            case ast.Assign():
                return phrases.headed(concat(self._lvalue(stmt.target), f" {stmt.op}"), stmt.value)
            case ast.Let():
                return phrases.headed(f"let {stmt.name} =", stmt.value)
            case ast.Send():
                return concat("send ", phrases.message(stmt.msg), " to ", Nest(phrases.expr(stmt.to)))
            case ast.If():
                return self._if(stmt)
            case ast.For():
                domain = Nest(phrases.domain(stmt.domain), 4)
                return concat(f"for {stmt.name} in ", domain, " ", self._block(stmt.body))
            case ast.Choose():
                return concat(f"choose {stmt.name} in ", Nest(phrases.domain(stmt.domain)))
            case ast.Either():
                blocks = [self._block(branch) for branch in stmt.branches]
                words = [stmt.kind, *["or"] * (len(blocks) - 1)]
                return self._arms(stmt.span, [concat(f"{w} ", b) for w, b in zip(words, blocks, strict=True)])
            case ast.Do():
                return phrases.call(stmt.name.text, stmt.args)
            case ast.Assert():
                return concat("assert ", Nest(phrases.expr(stmt.cond)))
            case ast.Event():
                return concat(f"{stmt.kind} ", phrases.message(stmt.op))
            case ast.Atomic():
                return concat("atomic ", self._block(stmt.body))
            case _:
                assert_never(stmt)

    def _if(self, stmt: ast.If) -> Doc:
        arms: list[Doc] = []
        word = "if "
        for cond, block in stmt.arms:
            arms.append(concat(word, Nest(self._phrases.expr(cond), 4), " ", self._block(block)))
            word = "else if "
        if stmt.orelse is not None:
            arms.append(concat("else ", self._block(stmt.orelse)))
        return self._arms(stmt.span, arms)

    def _arms(self, span: Span, arms: list[Doc]) -> Doc:
        one_line = self._one_line(span)
        parts: list[Doc] = []
        for arm in arms:
            parts += [ArmBreak(forced=not one_line), arm]
        doc = Concat(tuple(parts[1:]))
        return Group(doc) if one_line else doc

    def _lvalue(self, target: ast.LValue) -> str:
        path = (f".{p.text}" if isinstance(p, ast.Ident) else f"[{flat(self._phrases.expr(p))}]" for p in target.path)
        return target.root.text + "".join(path)

    # ---- the file

    def spec(self, spec: ast.Spec) -> Doc:
        parts: list[Doc] = [_documented(spec, Text(f"spec {spec.name}"))]
        for decl in spec.decls:
            parts += [Break(separator=True), _documented(decl, self._decl(decl))]
        return Concat(tuple(parts))

    def _decl(self, decl: ast.Decl) -> Doc:
        phrases = self._phrases
        match decl:
            case ast.ConstDecl():
                type_ = "" if decl.type is None else f": {phrases.type(decl.type)}"
                return phrases.headed(f"const {decl.name}{type_} =", decl.value)
            case ast.TypeDecl():
                return Text(f"type {decl.name} = {phrases.type(decl.type)}")
            case ast.IdDecl():
                return Text(f"id {decl.name}[{phrases.text(decl.size)}]{_symmetric(decl.symmetric)}")
            case ast.EnumDecl():
                return self._enum(decl)
            case ast.RecordDecl():
                head = concat(f"record {decl.name}", self._params(decl.fields))
                return concat(head, self._clauses(("where", decl.where)))
            case ast.MessageDecl():
                sigs = (concat(sig.name.text, self._params(sig.fields)) for sig in decl.sigs)
                return concat("message ", phrases.listed(sigs))
            case ast.NetworkDecl():
                return self._network(decl)
            case ast.SharedDecl():
                return concat("shared ", self._var(decl.var))
            case ast.RoleDecl():
                return self._role(decl)
            case ast.FunDecl():
                return self._fun(decl)
            case ast.PropDecl():
                return phrases.headed(f"{decl.kind} {decl.name}:", decl.body)
            case ast.LiveDecl():
                return self._live(decl)
            case ast.FinalDecl():
                return phrases.headed("final:", decl.cond)
            case ast.RefinesDecl():
                mapping = [phrases.headed(f"{mapped.target} =", mapped.value) for mapped in decl.mapping]
                return concat(f"refines {decl.name} ", self._braces(self._inside(decl), decl.mapping, mapping))
            case ast.LinearDecl():
                return Text(f"linearizable {decl.name}")
            case ast.CheckDecl():
                items = [self._item(item) for item in decl.items]
                return concat(f"check {decl.name} ", self._braces(self._inside(decl), decl.items, items))
            case _:
                assert_never(decl)

    def _inside(self, decl: ast.RefinesDecl | ast.CheckDecl) -> Span:
        return Span(decl.name.span.end, decl.span.end)

    def _enum(self, decl: ast.EnumDecl) -> Doc:
        values = [*(f"{value}," for value in decl.values[:-1]), decl.values[-1].text]
        body = Nest(concat(Line(), Fill(tuple(Text(value) for value in values))))
        return Group(concat(f"enum {decl.name} {{", body, Line(), "}"))

    def _network(self, decl: ast.NetworkDecl) -> Doc:
        name = "" if decl.name is None else f"{decl.name} "
        capacity = "" if decl.capacity is None else f"[{self._phrases.text(decl.capacity)}]"
        head = " ".join([f"network {name}{decl.kind}{capacity}", *decl.options])
        return concat(head, " for ", _names(decl.messages)) if decl.messages else Text(head)

    def _var(self, var: ast.VarDecl) -> Doc:
        keep = "" if var.keep is None else f"{var.keep} "
        head = f"{keep}{var.name}: {self._phrases.type(var.type)} ="
        if var.any:
            return concat(head, " any ", Nest(self._phrases.domain(var.init)))
        assert not isinstance(var.init, ast.Range)
        return self._phrases.headed(head, var.init)

    def _fun(self, decl: ast.FunDecl) -> Doc:
        result = "" if decl.result is None else f": {self._phrases.type(decl.result)}"
        head = concat(f"fun {decl.name}", self._params(decl.params), f"{result} =")
        return self._phrases.headed(head, decl.body)

    def _live(self, decl: ast.LiveDecl) -> Doc:
        phrases = self._phrases
        family: Doc = concat("(", phrases.binders(decl.binders), ")") if decl.binders else Text("")
        head = concat(f"live {decl.name}", family, ":")
        if decl.right is None:
            assert decl.form != "leads"
            return Group(concat(head, Nest(concat(Line(), f"{decl.form} ", phrases.apart(decl.left)))))
        # A bare quantifier left of `~>` is an error that the author must see, so parentheses are neither set nor taken
        words = [
            w.text for w in scan(self._source.text, decl.name.span.end, decl.left.span.start) if w.kind != "comment"
        ]
        left = phrases.apart(decl.left) if words[-1:] == ["("] else phrases.expr(decl.left)
        return Group(concat(head, Nest(concat(Line(), left, " ~>", Line(), phrases.apart(decl.right)))))

    def _params(self, params: Iterable[ast.Param]) -> Doc:
        items: list[Doc] = [Text(f"{p.name}: {self._phrases.type(p.type)}") for p in params]
        return concat("(", self._phrases.listed(items, by=4), ")") if items else Text("")

    def _clauses(self, *clauses: tuple[str, ast.Expr | None]) -> Doc:
        """` when …` and the like behind a head, or each on a line of its own."""
        parts: list[Doc] = []
        for word, expr in clauses:
            if expr is not None:
                parts += [Line(), concat(f"{word} ", Nest(self._phrases.expr(expr)))]
        return Group(Nest(Concat(tuple(parts))))

    # ---- roles

    def _role(self, decl: ast.RoleDecl) -> Doc:
        size = "" if decl.size is None else f"[{self._phrases.text(decl.size)}]"
        head = f"role {decl.name}{size}{_symmetric(decl.symmetric)} "
        if not decl.members:
            return Text(head + "{ }")
        parts: list[Doc] = []
        for member in decl.members:
            parts += [Break(separator=bool(parts)), _documented(member, self._member(member))]
        return concat(head + "{", Nest(Concat(tuple(parts))), Break(), "}")

    def _member(self, member: ast.Member) -> Doc:
        match member:
            case ast.VarDecl():
                return self._var(member)
            case ast.OnMessage():
                head = f"{_fair(member.fair)}on {_reception(member)}"
                return self._handler(Text(head), member)
            case ast.Handler():
                name = "on" if member.name is None else member.kind
                head = f"{_fair(member.fair)}{name} {member.kind if member.name is None else member.name}"
                return self._handler(concat(head, self._params(member.params)), member)
            case ast.Ignore():
                head = f"ignore {_reception(member)}"
                return concat(head, self._clauses(("when", member.guard)))
            case ast.ProcDecl():
                return concat(f"proc {member.name}", self._params(member.params), " ", self._block(member.body))
            case ast.FunDecl():
                return self._fun(member)
            case _:
                assert_never(member)

    def _handler(self, head: Doc, handler: ast.OnMessage | ast.Handler) -> Doc:
        clauses = self._clauses(("when", handler.guard), ("limit", handler.limit))
        return concat(head, clauses, " ", self._block(handler.body))

    # ---- checks

    def _item(self, item: ast.CheckItem) -> Doc:
        phrases = self._phrases
        match item:
            case ast.Bind():
                return phrases.headed(f"{item.name} =", item.value)
            case ast.NetworkDecl():
                return self._network(item)
            case ast.Faults():
                return concat("faults ", phrases.listed(self._fault(fault) for fault in item.faults))
            case ast.Expect():
                return concat(f"expect {item.verdict} ", _names(item.names))
            case ast.ExpectCounts():
                counts = [("transitions", item.transitions), ("depth", item.depth)]
                behind = "".join(f" {word} {count}" for word, count in counts if count is not None)
                return Text(f"expect states {item.states}{behind}")
            case ast.CheckFinal():
                return phrases.headed("final:", item.cond)
            case ast.Bound():
                return concat("bound ", Nest(phrases.expr(item.cond)))
            case ast.Strong():
                steps = (f"{s.step}" if s.role is None else f"{s.role}.{s.step}" for s in item.steps)
                return concat("strong ", phrases.listed(Text(step) for step in steps))
            case ast.NoSymmetry():
                return Text("symmetry off")
            case _:
                assert_never(item)

    def _fault(self, fault: ast.Fault) -> Doc:
        roles = ", ".join(role.text for role in fault.roles)
        if fault.kind == "own":
            head = f"{roles}.{fault.name}"
        elif fault.kind == "cut":
            head = f"cut({roles})" if roles else "cut"
        else:
            head = f"{fault.kind} {roles}".rstrip()
        return concat(f"{head} <= ", self._phrases.expr(fault.budget))


def _documented(node: ast.Documented, doc: Doc) -> Doc:
    if not node.doc:
        return doc
    lines: list[Doc] = []
    for line in node.doc:
        lines += [Text(f"/// {line}".rstrip()), Break()]
    return Concat((*lines, doc))


def _names(names: Iterable[ast.Ident]) -> Doc:
    return Phrases(clear=True).listed(Text(name.text) for name in names)


def _symmetric(symmetric: bool) -> str:
    return " symmetric" if symmetric else ""


def _fair(fair: str | None) -> str:
    return "" if fair is None else f"{fair} "


def _reception(node: ast.OnMessage | ast.Ignore) -> str:
    """`M(a, b) from p: Role`."""
    names = f"({', '.join(name.text for name in node.names)})" if node.names else ""
    role = "" if node.sender_role is None else f": {node.sender_role}"
    sender = "" if node.sender is None else f" from {node.sender}{role}"
    return f"{node.message}{names}{sender}"
