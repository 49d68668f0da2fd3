"""Walks over statements: what is written, sent and chosen in a body.

Questions that several places ask of the same code, in syntax (`nested`, `assigned_names`) and in the typed representation
(`statements_in`, `sends`, `chooses`). Each walk is flat: it lists every statement, inner ones included.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from checker.base.data import names_of
from checker.base.source import Span
from checker.lang import ast
from checker.model import ir
from checker.model.machine import Procedure
from checker.model.types import INT, BagT, IntT, MapT, OptT, SeqT, SetT, Type


def nested(stmts: tuple[ast.Stmt, ...]) -> Iterator[ast.Stmt]:
    """All statements, inner ones included."""
    for s in stmts:
        yield s
        match s:
            case ast.If(arms=arms, orelse=orelse):
                for _, block in arms:
                    yield from nested(block.stmts)
                if orelse is not None:
                    yield from nested(orelse.stmts)
            case ast.For(body=body) | ast.Atomic(body=body):
                yield from nested(body.stmts)
            case ast.Either(branches=branches):
                for block in branches:
                    yield from nested(block.stmts)


def children(node: ast.Node) -> Iterator[ast.Node]:
    """The nodes directly inside a node, in the order of the text."""
    for name in names_of(type(node)):
        waiting = [getattr(node, name)]
        while waiting:
            value = waiting.pop()
            if isinstance(value, ast.Node):
                yield value
            elif isinstance(value, tuple) and not isinstance(value, Span):
                waiting += reversed(value)  # a list of nodes, or the pairs of an `if`


def shared_reading(node: ast.Node, roots: frozenset[str], loop: str) -> ast.Name | None:
    """The first reading of one of these variables that is not `variable[loop]`, the loop's own entry; None if there is none."""
    match node:
        case ast.Name(text=text):
            return node if text in roots else None
        case ast.Index(obj=ast.Name(), key=ast.Name(text=key)) if key == loop:
            return None
    return next((found for inner in children(node) if (found := shared_reading(inner, roots, loop))), None)


def names_in(node: ast.Node) -> Iterator[ast.Name | ast.Ident]:
    """Every name that an expression or statement mentions, and every function that it calls."""
    if isinstance(node, ast.Name):
        yield node
    if isinstance(node, ast.Call):
        yield node.func
    for inner in children(node):
        yield from names_in(inner)


def assigned_names(block: ast.Block) -> frozenset[str]:
    """The names that some statement of a block assigns."""
    return frozenset(s.target.root.text for s in nested(block.stmts) if isinstance(s, ast.Assign))


def statements_in(body: tuple[ir.Stmt, ...]) -> Iterator[ir.Stmt]:
    """All typed statements, inner ones included; the bodies of called procedures are not."""
    for s in body:
        yield s
        for inner in blocks_of(s):
            yield from statements_in(inner)


def blocks_of(s: ir.Stmt) -> Iterator[tuple[ir.Stmt, ...]]:
    """The blocks directly inside a statement."""
    match s:
        case ir.IfS(arms, orelse):
            yield from (block for _, block in arms)
            yield orelse
        case ir.ForS(body=body) | ir.AtomicS(body=body):
            yield body
        case ir.EitherS(branches=branches):
            yield from branches


def parts(e: ir.Expr) -> Iterator[ir.Expr]:
    """The expressions directly inside of an expression."""
    for name in names_of(type(e)):
        value = getattr(e, name)
        if isinstance(value, ir.Expr):
            yield value
        elif isinstance(value, tuple):
            yield from (v for v in value if isinstance(v, ir.Expr))


def subexpressions(e: ir.Expr) -> Iterator[ir.Expr]:
    """An expression and everything inside of it; the bodies of functions that it calls are not."""
    yield e
    for part in parts(e):
        yield from subexpressions(part)


def expressions_of(s: ir.Stmt) -> Iterator[ir.Expr]:
    """The expressions of a statement itself, those of its inner statements left out."""
    match s:
        case ir.SetVar(path=path, value=value) | ir.SetLocal(path=path, value=value):
            yield from (step.key for step in path if isinstance(step, ir.IndexStep))
            yield value
        case ir.SendMsg(args=args, to=to):
            yield from args
            if to is not None:
                yield to
        case ir.IfS(arms):
            yield from (cond for cond, _ in arms)
        case ir.ForS(domain=domain) | ir.ChooseS(domain=domain):
            yield domain
        case ir.DoProc(args=args):
            yield from args
        case ir.AssertS(cond):
            yield cond


def conjuncts(e: ir.Expr) -> Iterator[ir.Expr]:
    """The parts of a condition that `and` joins, inner ones in place of what they are parts of."""
    match e:
        case ir.Logic("and", items):
            for item in items:
                yield from conjuncts(item)
        case _:
            yield e


def sends(body: tuple[ir.Stmt, ...], procedures: Mapping[str, Procedure]) -> bool:
    """Whether a body can send, itself or through procedures."""
    return any(
        isinstance(s, ir.SendMsg) or (isinstance(s, ir.DoProc) and sends(procedures[s.proc].body, procedures))
        for s in statements_in(body)
    )


def sent_kinds(body: tuple[ir.Stmt, ...], procedures: Mapping[str, Procedure]) -> frozenset[str]:
    """The message kinds that a body can send, itself or through procedures."""
    kinds: set[str] = set()
    for s in statements_in(body):
        if isinstance(s, ir.SendMsg):
            kinds.add(s.message)
        elif isinstance(s, ir.DoProc):
            kinds |= sent_kinds(procedures[s.proc].body, procedures)
    return frozenset(kinds)


def chooses(body: tuple[ir.Stmt, ...], procedures: Mapping[str, Procedure]) -> bool:
    """Whether a body can have several outcomes, itself or through procedures."""
    return any(
        isinstance(s, ir.ChooseS | ir.EitherS)
        or (isinstance(s, ir.DoProc) and chooses(procedures[s.proc].body, procedures))
        for s in statements_in(body)
    )


def has_effect(body: tuple[ir.Stmt, ...], procedures: Mapping[str, Procedure]) -> bool:
    """Whether a body can have an effect, so that a crash may tear it."""
    return any(
        (isinstance(s, ir.SetVar) and s.is_effect)
        or isinstance(s, ir.SendMsg)
        or (isinstance(s, ir.DoProc) and has_effect(procedures[s.proc].body, procedures))
        for s in statements_in(body)
    )


def widened(t: Type) -> Type:
    """The type of a local that is assigned again: its numbers and sizes may grow."""
    match t:
        case IntT():
            return INT
        case OptT(inner):
            return OptT(widened(inner))
        case SetT(elem):
            return SetT(widened(elem))
        case SeqT(elem):
            return SeqT(widened(elem), None)
        case BagT(elem):
            return BagT(widened(elem), None)
        case MapT(key, value):
            return MapT(key, widened(value))
    return t
