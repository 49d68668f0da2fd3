"""Typing of statements.

Three rules stand here beside the types. Ghost code: an assignment to a ghost, and an `if` whose branches write nothing but
ghosts, may read anything; everything else is a handler's code. Order: the body of a `for` over a symmetric set must not
depend on the order in which it runs (`order_free`). Places: `send` stands neither in `atomic` nor in `on tick`.

Each statement is translated on its own, so that one run reports the problems of all of them.
"""

from __future__ import annotations

from checker.base.source import Span
from checker.lang import ast
from checker.lang.resolve import unknown
from checker.model import ir
from checker.model.assignments import Assignments
from checker.model.context import Bad, Mode, Use
from checker.model.machine import IMPOSSIBLE, Procedure
from checker.model.types import (
    BOOL,
    IntT,
    ProcT,
    RoleInfo,
    SetT,
    is_symmetric,
    show,
)
from checker.model.walk import assigned_names, names_in, nested, sends, shared_reading, widened


class Statements(Assignments):
    """Translates statements in one context, whose mode is `HANDLER` or `GHOST`."""

    def block(self, block: ast.Block) -> tuple[ir.Stmt, ...]:
        """The statements of a block, in a scope of their own."""
        done: list[ir.Stmt] = []
        bad = False
        before = dict(self.ctx.scope)
        for node in block.stmts:
            try:
                done.append(self.stmt(node))
            except Bad:
                bad = True
                self._declare_anyway(node)
        self.ctx.scope = before
        if bad:
            raise Bad
        return tuple(done)

    def _declare_anyway(self, node: ast.Stmt) -> None:
        """After an error in `let` or `choose`, its name would only cause more of them: stop at this block."""
        if isinstance(node, ast.Let | ast.Choose):
            raise Bad

    def stmt(self, node: ast.Stmt) -> ir.Stmt:
        match node:
            case ast.Assign():
                return self.assign(node)
            case ast.Let(name=name, value=value):
                e = self.expr(value)
                self.world.check_shadow(name, self.ctx.role, self.ctx.scope)
                t = widened(e.type) if name.text in self.ctx.assigned else e.type
                local = self.world.local(name.text, t)
                self.ctx.scope[name.text] = local
                self.ctx.lets.add(local.number)
                return ir.SetLocal(local, (), e, node.span)
            case ast.Send():
                return self.send(node)
            case ast.If():
                return self.if_(node)
            case ast.For(name=name, domain=dom, body=body):
                domain = self.domain(dom)
                local = self.binder(ast.Binder(name.span, name, dom), domain)
                loops = self.ctx.symmetric_loops
                if isinstance(domain.type, SetT) and is_symmetric(local.type):
                    self.ctx.symmetric_loops = (*loops, local.number)
                    self.order_unseen(name, body)
                try:
                    with self.ctx.bound(local):
                        return ir.ForS(local, domain, self.block(body), node.span)
                finally:
                    self.ctx.symmetric_loops = loops
            case ast.Choose(name=name, domain=dom):
                self.not_ghost("choose", node.span)
                domain = self.domain(dom)
                if not isinstance(domain.type, SetT):
                    self.reporter.error("PSM301", f"`choose` needs a set, not {show(domain.type)}", dom.span)
                    raise Bad
                local = self.binder(ast.Binder(name.span, name, dom), domain)
                self.ctx.scope[name.text] = local
                return ir.ChooseS(local, domain, node.span)
            case ast.Either(kind=kind, branches=branches):
                self.not_ghost(kind, node.span)
                return ir.EitherS(kind, tuple(self.block(b) for b in branches), node.span)
            case ast.Do():
                return self.do(node)
            case ast.Assert(cond=cond):
                self.not_ghost("assert", node.span)
                return ir.AssertS(self.bool(cond), node.span)
            case ast.Event():
                return self.event(node)
            case ast.Atomic(body=body):
                self.not_ghost("atomic", node.span)
                before, self.ctx.no_send = self.ctx.no_send, "`atomic` is a local transaction"
                try:
                    return ir.AtomicS(self.block(body))
                finally:
                    self.ctx.no_send = before

    def order_unseen(self, loop: ast.Ident, body: ast.Block) -> None:
        """Reports PSM404 where a symmetric loop reads what its other rounds write, by itself or through a function."""
        own = {s.name.text for s in nested(body.stmts) if isinstance(s, ast.Let)}
        written = assigned_names(body) - own
        read: ast.Name | ast.Ident | None = shared_reading(body, written, loop.text)
        if read is None:
            read = next((name for name in names_in(body) if self.reads(name, written)), None)
        if read is not None:
            self.reporter.error(
                "PSM404",
                f"`{read.text}` is read while a loop over a symmetric set changes it, so the order decides its value",
                read.span,
                help=f"read it before the loop with `let`, or only the entry of `{loop}`",
            )
            raise Bad

    def reads(self, name: ast.Name | ast.Ident, variables: frozenset[str]) -> bool:
        """Whether a name is that of a function that reads one of these variables of the process or the spec."""
        role = self.ctx.role.name if self.ctx.role is not None else None
        key = f"{role}.{name.text}"
        if role is None or name.text not in self.world.symbols.roles[role].functions:
            key = name.text
            if not isinstance(self.world.symbols.globals.get(key), ast.FunDecl):
                return False
        self.function(key, name.span)
        return any(
            kind in (Use.OWN, Use.SHARED) and what in {f"`{v}`" for v in variables}
            for kind, what in self.world.function_uses[key]
        )

    def not_ghost(self, what: str, span: Span) -> None:
        if self.ctx.mode is Mode.GHOST:
            self.reporter.error(
                "PSM402",
                f"`{what}` depends on a ghost here",
                span,
                help="what a process does may not depend on a ghost",
            )
            raise Bad

    def if_(self, node: ast.If) -> ir.Stmt:
        with self.ctx.as_mode(Mode.GHOST if self.only_ghosts(node) else self.ctx.mode):
            bad = False
            arms: list[tuple[ir.Expr, tuple[ir.Stmt, ...]]] = []
            orelse: tuple[ir.Stmt, ...] = ()
            for cond, block in node.arms:
                try:
                    test = self.bool(cond)
                except Bad:
                    bad = True
                    test = ir.Const(True, BOOL)
                try:
                    arms.append((test, self.block(block)))
                except Bad:
                    bad = True
            if node.orelse is not None:
                orelse = self.block(node.orelse)
            if bad:
                raise Bad
            return ir.IfS(tuple(arms), orelse)

    def only_ghosts(self, node: ast.If) -> bool:
        """Whether the branches write ghosts and nothing else, and write at all."""
        writes = 0
        for s in nested((node,)):
            match s:
                case ast.Assign(target=target):
                    name = target.root.text
                    role = self.ctx.role.name if self.ctx.role is not None else None
                    var = self.world.variables.get((role, name)) or self.world.variables.get((None, name))
                    if var is not None and var.keep != "ghost":
                        return False
                    writes += var is not None
                case ast.Event():
                    writes += 1
                case ast.Let() | ast.If() | ast.For() | ast.Assert():
                    pass
                case _:
                    return False
        return writes > 0

    def event(self, node: ast.Event) -> ir.Stmt:
        """An operation begins or ends: the history of its object becomes another, or the process errs."""
        role = self.ctx.role
        assert role is not None
        if self.ctx.symmetric_loops:
            self.reporter.error("PSM404", f"`{node.kind}` cannot stand in a loop over a symmetric set", node.span)
            raise Bad
        name = node.op.name
        history = next((h for h in self.world.histories.values() if name.text in h.operations), None)
        if history is None:
            return self.unrecorded(node)
        operation = history.operations[name.text]
        params = operation.values(node.kind)
        self.arity(f"`{node.kind} {name}`", len(params), len(node.op.args), node.op.span, [n for n, _ in params])
        with self.ctx.as_mode(Mode.GHOST):
            args = [
                self.stored(self.expr(a), t, a.span, f"`{n}` of `{name}`")
                for (n, t), a in zip(params, node.op.args, strict=True)
            ]
        function = history.function(node.kind, name.text)
        after = ir.CallFun(function, None, (ir.Self(ProcT((role,))), *args), history.var.type)
        fits = ir.Compare("!=", after, ir.Const(IMPOSSIBLE, IntT(IMPOSSIBLE, IMPOSSIBLE)))
        text = f"no {name} of this process is pending"
        if node.kind == "invoke":
            text = "an operation of this process is pending already"
        record = ir.SetVar(history.var, (), after, node.span)
        return ir.IfS(((fits, (record,)),), (ir.AssertS(ir.Const(False, BOOL), node.span, text),))

    def unrecorded(self, node: ast.Event) -> ir.Stmt:
        """An event of an object that is not known: a mistake, or one that cannot be looked for. What it says is typed."""
        if not any(isinstance(p, ast.LinearDecl) for p in self.world.symbols.properties.values()) or (
            self.world.histories
        ):
            known = [o for h in self.world.histories.values() for o in h.operations]
            unknown(self.reporter, node.op.name, "operation", known)
            raise Bad
        with self.ctx.as_mode(Mode.GHOST):
            for arg in node.op.args:
                self.expr(arg)
        return ir.SetLocal(self.world.local("_", BOOL), (), ir.Const(True, BOOL), node.span)

    def send(self, node: ast.Send) -> ir.Stmt:
        name = node.msg.name
        self.not_ghost("send", node.span)
        if self.ctx.no_send is not None:
            self.reporter.error(
                "PSM309", f"`send` cannot stand here: {self.ctx.no_send}", node.span, help="send outside of it"
            )
            raise Bad
        args = self.message_args(name, node.msg.args, node.msg.span)
        if isinstance(node.to, ast.Name) and node.to.text == "all":
            takers = self.takers(name.text)
            if not takers:
                self.unheard(name, node.span)
                return ir.SendMsg(name.text, args, None, False, node.span)
            t = ProcT(tuple(takers))
            return ir.SendMsg(name.text, args, ir.DomainSet(t, SetT(t)), True, node.span)
        to = self.needed(self.expr(node.to), node.to.span)
        self.processes(to, "the receiver", node.to.span)
        loops = self.ctx.symmetric_loops
        if loops and name.text in self.world.fifos and not (isinstance(to, ir.GetLocal) and to.local.number in loops):
            self.reporter.error(
                "PSM404",
                "the order of a loop over a symmetric set decides the order of these messages",
                node.span,
                help="send to the loop's variable, send a set, or use a bag",
            )
            raise Bad
        return ir.SendMsg(name.text, args, to, isinstance(to.type, SetT), node.span)

    def takers(self, message: str) -> list[RoleInfo]:
        """The roles that handle or ignore a message."""
        return [
            self.world.roles[role]
            for role, members in self.world.symbols.roles.items()
            if any(isinstance(s, ast.OnMessage | ast.Ignore) and s.message.text == message for s in members.steps)
        ]

    def unheard(self, name: ast.Ident, span: Span) -> None:
        if name.text not in self.world.soups:
            self.reporter.error(
                "PSM704", f"`all` is nobody: no role handles {name}", span,
                help="on a soup it would be recorded for `sent`; here handle it, or name the receiver",
            )  # fmt: skip
            raise Bad

    def do(self, node: ast.Do) -> ir.Stmt:
        role = self.ctx.role
        assert role is not None
        self.not_ghost("a procedure", node.span)
        procedures = self.world.symbols.roles[role.name].procedures
        if node.name.text not in procedures:
            unknown(self.reporter, node.name, f"procedure of role {role.name}:", list(procedures))
            raise Bad
        procedure = self.procedure(node.name, procedures[node.name.text])
        self.arity(
            f"`{node.name}`", len(procedure.params), len(node.args), node.span, [p.name for p in procedure.params]
        )
        args = tuple(
            self.stored(self.expr(a), p.type, a.span, f"`{p.name}` of `{node.name}`")
            for p, a in zip(procedure.params, node.args, strict=True)
        )
        if self.ctx.no_send is not None and sends(procedure.body, self.world.procedures):
            self.reporter.error("PSM309", f"`{node.name}` sends, and cannot: {self.ctx.no_send}", node.span)
            raise Bad
        return ir.DoProc(procedure.key, args)

    def procedure(self, name: ast.Ident, decl: ast.ProcDecl) -> Procedure:
        """A `proc` of this role, translated once."""
        assert self.ctx.role is not None
        key = f"{self.ctx.role.name}.{name}"
        if key in self.world.procedures:
            return self.world.procedures[key]
        with self.world.defining(key, name.span):
            inner = self.inside(decl.params, decl.body)
            params = tuple(inner.ctx.scope[p.name.text] for p in decl.params)
            body = inner.block(decl.body)
        procedure = Procedure(key, self.ctx.role.name, params, body)
        self.world.procedures[key] = procedure
        return procedure

    def inside(self, params: tuple[ast.Param, ...], body: ast.Block) -> Statements:
        """A translator for code of the same role with its own parameters and nothing else in scope."""
        raise NotImplementedError
