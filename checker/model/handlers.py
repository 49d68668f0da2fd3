"""Handlers, timeouts, actions, faults and `ignore` as typed steps."""

from __future__ import annotations

from collections.abc import Iterator

from checker.base.diagnostics import Reporter
from checker.lang import ast
from checker.model import ir
from checker.model.bodies import Bodies
from checker.model.context import Bad, Mode
from checker.model.machine import Step
from checker.model.statements import Statements
from checker.model.types import ProcT
from checker.model.walk import assigned_names, chooses


def step_of(bodies: Bodies, role_name: str, node: ast.OnMessage | ast.Handler | ast.Ignore) -> Step:
    """One handler as a step. Reports and raises `Bad` where it cannot be one."""
    world = bodies.world
    role = world.roles[role_name]
    kind = "message" if isinstance(node, ast.OnMessage) else "ignore" if isinstance(node, ast.Ignore) else node.kind
    body = bodies.body(Mode.HANDLER, role)
    sender: ir.Local | None = None
    if isinstance(node, ast.Handler):
        params = bodies.bind_params(body, node.params)
        name = node.name.text if node.name is not None else node.kind
    else:
        name = node.message.text
        params = _formals(body, node)
        sender = _sender(body, node)
    block = None if isinstance(node, ast.Ignore) else node.body
    if block is not None:
        body.ctx.assigned = assigned_names(block)
    guard_mode = Mode.TIMEOUT if kind == "timeout" else Mode.GUARD
    guard = limit = None
    bad = False
    with body.ctx.as_mode(guard_mode):
        try:
            guard = None if node.guard is None else body.bool(node.guard)
            if not isinstance(node, ast.Ignore) and node.limit is not None:
                limit = body.bool(node.limit)
        except Bad:
            bad = True
    world.synchrony = world.synchrony or body.ctx.asks_silence
    if kind == "tick":
        body.ctx.no_send = "a tick moves clocks; let a timeout act on them"
    stmts = body.block(block) if block is not None else ()
    if bad:
        raise Bad
    fair = kind in ("message", "ignore", "timeout", "restart", "tick")
    if not isinstance(node, ast.Ignore) and node.fair is not None:
        fair = node.fair == "fair"
    has_choices = chooses(stmts, world.procedures)
    texts = () if node.guard is None else tuple(_conjuncts(node.guard, world.reporter))
    return Step(role, kind, name, params, sender, guard, limit, stmts, fair, has_choices, node.span, node.doc, texts)


def _conjuncts(guard: ast.Expr, reporter: Reporter) -> Iterator[str]:
    """The text of each part of a guard, with its line."""
    match guard:
        case ast.Logic(op="and", items=items):
            for item in items:
                yield from _conjuncts(item, reporter)
        case _:
            yield reporter.source.quoted(guard.span)


def _formals(body: Statements, node: ast.OnMessage | ast.Ignore) -> tuple[ir.Local, ...]:
    fields = body.message_fields(node.message)
    if node.names or isinstance(node, ast.OnMessage):
        given = len(node.names)
        if given != len(fields):
            names = ", ".join(f for f, _ in fields)
            body.reporter.error(
                "PSM206",
                f"message {node.message} has {len(fields)} field{'s' * (len(fields) != 1)}; {given} named here",
                node.message.span,
                help=f"write `{node.message}({names})`; `_` stands for one that is not needed" if names else None,
            )
            raise Bad
    locals_ = []
    names_or_blank = node.names or tuple(ast.Ident(node.message.span, "_") for _ in fields)
    for ident, (_, t) in zip(names_or_blank, fields, strict=True):
        body.world.check_shadow(ident, body.ctx.role, body.ctx.scope)
        local = body.world.local(ident.text, t)
        if ident.text != "_":
            body.ctx.scope[ident.text] = local
        locals_.append(local)
    return tuple(locals_)


def _sender(body: Statements, node: ast.OnMessage | ast.Ignore) -> ir.Local:
    t = body.world.senders[node.message.text]
    if node.sender_role is not None:
        t = ProcT((body.world.role(node.sender_role),))
    elif not t.roles:
        body.reporter.warning(
            "PSM705", f"no role sends {node.message}", node.message.span, help="this handler can never fire"
        )
    if node.sender is None:
        return body.world.local("_", t)
    body.world.check_shadow(node.sender, body.ctx.role, body.ctx.scope)
    local = body.world.local(node.sender.text, t)
    if node.sender.text != "_":
        body.ctx.scope[node.sender.text] = local
    return local
