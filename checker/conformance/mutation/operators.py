"""Mistakes in specs: every way to make one small, plausible mistake in what a spec's processes do.

- *drop conjunct*: leaves one condition out of the guard of a handler, or the whole guard, if it has one;
- *off by one*: takes a quorum that is one smaller: `size(acks) >= Q` becomes `size(acks) >= Q - 1`;
- *weaken comparison*: takes `>=` for `>`, `<=` for `<`; *strengthen comparison*: the reverse;
- *delete update*: leaves an assignment out;
- *durable to volatile*: keeps in memory what was on disk;
- *send before write*: swaps a write to disk and the send behind it.

Only roles, and functions that their handlers use, are changed: a mistake in a property would be a mistake of the judge.
Mutants are syntax trees, so that whatever looks at a spec can look at them; each has the line of the original that it changes.

Sources: R. DeMillo, R. Lipton and F. Sayward, "Hints on test data selection: help for the practicing programmer", 1978, for
the idea that tests which find small mistakes find large ones; the operators are those that protocols suffer from.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any, Literal, TypeVar

from checker.base.data import dataclass, names_of
from checker.lang import ast
from checker.lang.printer import format_expr

N = TypeVar("N", bound=ast.Node)

Local = Callable[[ast.Node], Iterator[tuple[ast.Node, str, str]]]
"""For a node: what may stand in its place, the operator, and what was changed."""


@dataclass(frozen=True, slots=True)
class SpecMutant:
    """A spec with a mistake."""

    tree: ast.Spec
    operator: str
    text: str
    offset: int


def mutants_of(spec: ast.Spec) -> Iterator[SpecMutant]:
    """Every mutant, in the order of the text."""
    used = _used(spec)
    for i, decl in enumerate(spec.decls):
        if isinstance(decl, ast.RoleDecl):
            found: Iterator[tuple[ast.Decl, str, str, int]] = _of_role(decl, used)
        elif isinstance(decl, ast.FunDecl) and decl.name.text in used:
            found = _rewritten(decl, _expressions, decl.name.text)
        else:
            continue
        for node, operator, text, offset in found:
            yield SpecMutant(replace(spec, decls=(*spec.decls[:i], node, *spec.decls[i + 1 :])), operator, text, offset)


def _of_role(role: ast.RoleDecl, used: set[str]) -> Iterator[tuple[ast.RoleDecl, str, str, int]]:
    durable = {m.name.text for m in role.members if isinstance(m, ast.VarDecl) and m.keep == "durable"}
    for i, member in enumerate(role.members):
        for node, operator, text, offset in _of_member(role, member, durable, used):
            yield replace(role, members=(*role.members[:i], node, *role.members[i + 1 :])), operator, text, offset


def _of_member(
    role: ast.RoleDecl, member: ast.Member, durable: set[str], used: set[str]
) -> Iterator[tuple[Any, str, str, int]]:
    match member:
        case ast.VarDecl(keep="durable"):
            text = f"{role.name}.{member.name} is kept in memory alone"
            yield replace(member, keep="volatile"), "durable to volatile", text, member.span.start
        case ast.OnMessage() | ast.Handler():
            kind = member.message if isinstance(member, ast.OnMessage) else member.name
            where = f"{role.name}.{kind or 'restart'}"
            if isinstance(member, ast.Handler) and member.kind == "fault":
                return  # what surroundings do is no mistake of a process
            yield from _guards(member, where)
            yield from _rewritten(member, _expressions, where)
            yield from _rewritten(member, lambda node: _statements(node, durable), where)
        case ast.ProcDecl():
            yield from _rewritten(member, _expressions, f"{role.name}.{member.name}")
            yield from _rewritten(member, lambda node: _statements(node, durable), f"{role.name}.{member.name}")
        case ast.FunDecl() if member.name.text in used:
            yield from _rewritten(member, _expressions, f"{role.name}.{member.name}")


# ---- operators


def _guards(handler: ast.OnMessage | ast.Handler, where: str) -> Iterator[tuple[ast.Node, str, str, int]]:
    guard = handler.guard
    if guard is None:
        return
    items = guard.items if isinstance(guard, ast.Logic) and guard.op == "and" else (guard,)
    for i, item in enumerate(items):
        rest = (*items[:i], *items[i + 1 :])
        left = None if not rest else rest[0] if len(rest) == 1 else ast.Logic(guard.span, "and", rest)
        text = f"the guard of {where} lacks `{format_expr(item)}`"
        yield replace(handler, guard=left), "drop conjunct", text, item.span.start


_OTHER: Mapping[str, Literal[">", "<", ">=", "<="]] = {">": ">=", "<": "<=", ">=": ">", "<=": "<"}


def _expressions(node: ast.Node) -> Iterator[tuple[ast.Node, str, str]]:
    if not isinstance(node, ast.Binary) or node.op not in _OTHER:
        return
    op = _OTHER[node.op]
    operator = "weaken comparison" if len(op) == 2 else "strengthen comparison"
    changed = replace(node, op=op)
    yield changed, operator, f"`{format_expr(changed)}` in place of `{format_expr(node)}`"
    if node.op in (">", ">=") and _counts(node.left):
        smaller = replace(node, right=ast.Binary(node.right.span, "-", node.right, ast.Int(node.right.span, 1)))
        yield smaller, "off by one", f"`{format_expr(smaller)}` in place of `{format_expr(node)}`"
    if node.op in ("<", "<=") and _counts(node.right):
        smaller = replace(node, left=ast.Binary(node.left.span, "-", node.left, ast.Int(node.left.span, 1)))
        yield smaller, "off by one", f"`{format_expr(smaller)}` in place of `{format_expr(node)}`"


def _counts(e: ast.Expr) -> bool:
    """Whether an expression counts the elements of something."""
    return any(isinstance(n, ast.Call) and n.func.text == "size" for n in _nodes(e))


def _statements(node: ast.Node, durable: set[str]) -> Iterator[tuple[ast.Node, str, str]]:
    if not isinstance(node, ast.Block):
        return
    stmts = node.stmts
    for i, stmt in enumerate(stmts):
        if isinstance(stmt, ast.Assign):
            target = stmt.target.root.text
            yield replace(node, stmts=(*stmts[:i], *stmts[i + 1 :])), "delete update", f"`{target}` is not updated"
            after = stmts[i + 1] if i + 1 < len(stmts) else None
            if isinstance(after, ast.Send) and target in durable:
                swapped = (*stmts[:i], after, stmt, *stmts[i + 2 :])
                text = f"{after.msg.name} is sent before `{target}` is written"
                yield replace(node, stmts=swapped), "send before write", text


# ---- trees


def _rewritten(node: N, local: Local, where: str) -> Iterator[tuple[N, str, str, int]]:
    """Copies of a tree with one node replaced."""
    for new, operator, text in local(node):
        yield new, operator, f"{text} in {where}", node.span.start  # type: ignore[misc]
    for name in names_of(type(node)):
        value = getattr(node, name)
        for changed, operator, text, offset in _inside(value, local, where):
            parts: dict[str, Any] = {name: changed}
            yield replace(node, **parts), operator, text, offset


def _inside(value: object, local: Local, where: str) -> Iterator[tuple[object, str, str, int]]:
    """The same for what a field holds: a node, or a tuple of what a field may hold."""
    if isinstance(value, ast.Node):
        yield from _rewritten(value, local, where)
    elif isinstance(value, tuple):
        for i, item in enumerate(value):
            for changed, operator, text, offset in _inside(item, local, where):
                yield (*value[:i], changed, *value[i + 1 :]), operator, text, offset


def _nodes(value: object) -> Iterator[ast.Node]:
    """All nodes of a tree."""
    if isinstance(value, ast.Node):
        yield value
        for name in names_of(type(value)):
            yield from _nodes(getattr(value, name))
    elif isinstance(value, tuple):
        for item in value:
            yield from _nodes(item)


def _used(spec: ast.Spec) -> set[str]:
    """The names of everything that handlers use, and functions that they use in turn."""
    functions: dict[str, ast.FunDecl] = {}
    bodies: list[ast.Node] = []
    for decl in spec.decls:
        members = decl.members if isinstance(decl, ast.RoleDecl) else (decl,)
        for member in members:
            if isinstance(member, ast.FunDecl):
                functions[member.name.text] = member
            elif isinstance(decl, ast.RoleDecl) and not isinstance(member, ast.VarDecl):
                bodies.append(member)
    used: set[str] = set()
    while bodies:
        for node in _nodes(bodies.pop()):
            match node:
                case ast.Name(text=text) | ast.Ident(text=text) if text in functions and text not in used:
                    used.add(text)
                    bodies.append(functions[text])
    return used
