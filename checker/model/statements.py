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
from checker.model.context import Bad, Mode
from checker.model.convert import as_bag, store
from checker.model.expressions import Expressions
from checker.model.machine import Procedure
from checker.model.types import (
    BOOL,
    INT,
    BagT,
    IntT,
    OptT,
    ProcT,
    RecordT,
    RoleInfo,
    SeqT,
    SetT,
    Type,
    is_symmetric,
    join,
    matches,
    show,
)
from checker.model.walk import nested, sends, widened


class Statements(Expressions):
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
                return ir.AssertS(self.bool(cond), node.span)
            case ast.Atomic(body=body):
                self.not_ghost("atomic", node.span)
                before, self.ctx.no_send = self.ctx.no_send, "`atomic` is a local transaction"
                try:
                    return ir.AtomicS(self.block(body))
                finally:
                    self.ctx.no_send = before

    def not_ghost(self, what: str, span: Span) -> None:
        if self.ctx.mode is Mode.GHOST:
            self.reporter.error(
                "PSM402",
                f"`{what}` depends on a ghost here",
                span,
                help="what a process does may not depend on a ghost",
            )
            raise Bad

    # ---- assignment

    def assign(self, node: ast.Assign) -> ir.Stmt:
        root = node.target.root
        local = self.ctx.scope.get(root.text)
        if local is not None:
            if local.number not in self.ctx.lets and not (node.target.path and isinstance(local.type, ProcT)):
                self.reporter.error(
                    "PSM306", f"`{root}` is a parameter and cannot be assigned", root.span, help="copy it with `let`"
                )
                raise Bad
            path, place, read = self.path(node.target, ir.GetLocal(local))
            self.order_free(node, path, place, local)
            value = self.assigned_value(node, place, read, exact=not path)
            return ir.SetLocal(local, *self.whole_record(path, read, value, node.span), node.span)
        var = self.variable(root)
        if self.ctx.mode is Mode.GHOST and var.keep != "ghost":
            self.reporter.error(
                "PSM402", f"`{var.name}` is no ghost, and whether it is written depends on one", node.span
            )
            raise Bad
        mode = Mode.GHOST if var.keep == "ghost" else self.ctx.mode
        with self.ctx.as_mode(mode):
            path, place, read = self.path(node.target, ir.GetVar(var, None))
            self.order_free(node, path, place)
            value = self.assigned_value(node, place, read)
            return ir.SetVar(var, *self.whole_record(path, read, value, node.span), node.span)

    def variable(self, root: ast.Ident) -> ir.Var:
        role = self.ctx.role
        world = self.world
        if role is not None and (role.name, root.text) in world.variables:
            return world.variables[role.name, root.text]
        if (None, root.text) in world.variables:
            return world.variables[None, root.text]
        if root.text in world.roles:
            self.reporter.error(
                "PSM401",
                f"a handler writes a variable of {root}",
                root.span,
                help="a process writes its own variables and shared ones: send a message instead",
            )
        elif root.text in world.symbols.globals or root.text in world.symbols.enum_values:
            self.reporter.error(
                "PSM306", f"`{root}` is {world.symbols.kind_of(root.text)} and cannot be assigned", root.span
            )
        else:
            own = [] if role is None else [n for r, n in world.variables if r == role.name]
            shared = [n for r, n in world.variables if r is None]
            unknown(self.reporter, root, "variable", [*own, *shared, *self.ctx.scope])
        raise Bad

    def path(self, target: ast.LValue, read: ir.Expr) -> tuple[ir.Path, Type, ir.Expr]:
        """The way to an assigned place, the type of the place, and an expression that reads it."""
        steps: list[ir.FieldStep | ir.IndexStep] = []
        for part in target.path:
            unwrap = isinstance(read.type, OptT)
            outer = read.type.inner if isinstance(read.type, OptT) else read.type
            if isinstance(part, ast.Ident):
                if isinstance(outer, ProcT):
                    self.reporter.error(
                        "PSM401", "a handler writes a variable of another process", part.span,
                        help="a process writes its own variables and shared ones: send a message instead",
                    )  # fmt: skip
                    raise Bad
                if not isinstance(outer, RecordT):
                    self.reporter.error("PSM303", f"{show(outer)} has no field `{part}`", part.span)
                    raise Bad
                read = self.record_field(self.needed(read, part.span), outer, part)
                assert isinstance(read, ir.GetField)
                steps.append(ir.FieldStep(read.index, unwrap, part.span))
            else:
                read = self.index(part.span, read, part, part.span)
                assert isinstance(read, ir.GetIndex)
                steps.append(ir.IndexStep(read.key, outer, unwrap, part.span))
        return tuple(steps), read.type, read

    def whole_record(self, path: ir.Path, read: ir.Expr, value: ir.Expr, span: Span) -> tuple[ir.Path, ir.Expr]:
        """Where a record with a `where` is on the way, it is stored as a whole, so that its condition is checked."""
        rest: tuple[ir.Path, ir.Expr] = path, value
        for at in reversed(range(len(path))):
            assert isinstance(read, ir.GetField | ir.GetIndex)
            holder = read.obj
            if isinstance(read, ir.GetField):
                value = ir.WithField(holder, read.index, value, holder.type)
            else:
                value = ir.WithIndex(holder, read.key, value, holder.type, span)
            if isinstance(holder.type, RecordT) and holder.type.constrained:
                value = ir.Checked(value, holder.type, f"record {holder.type.name}", span)
                rest = path[:at], value
            read = holder.obj if isinstance(holder, ir.Unwrap) else holder
        return rest

    def assigned_value(self, node: ast.Assign, place: Type, read: ir.Expr, exact: bool = False) -> ir.Expr:
        value = self.expr(node.value)
        what = f"`{self.reporter.source.slice(node.target.span)}`"
        if node.op != ":=":
            value = self.operate(node.op[0], read, self.operand(node, place, value), node)
        if exact and isinstance(read, ir.GetLocal) and isinstance(place, IntT):
            place = INT
        return store(value, place, node.value.span, self.reporter, what, fill=node.op == ":=")

    def operand(self, node: ast.Assign, place: Type, value: ir.Expr) -> ir.Expr:
        """The right side of `+=` and `-=`: an element of a collection becomes a collection of one."""
        if not isinstance(place, SetT | SeqT | BagT):
            return value
        if isinstance(place, BagT):
            value = as_bag(value)
        whole = join(value.type, place) is not None and isinstance(value.type, SetT | SeqT | BagT)
        if isinstance(place, SeqT):
            if not whole:
                self.reporter.error(
                    "PSM301", f"`{node.op}` appends a sequence, not {show(value.type)}", node.value.span,
                    help="put the element in [ ]",
                )  # fmt: skip
                raise Bad
            return value
        single = matches(value.type, place.elem) and (isinstance(place.elem, OptT) or not isinstance(value.type, OptT))
        if whole and single:
            self.reporter.error(
                "PSM305", f"`{node.op}` could mean one element or a set of them", node.value.span,
                help="put an element in { }",
            )  # fmt: skip
            raise Bad
        if whole:
            return value
        if not single and isinstance(value.type, OptT) and matches(value.type, place.elem):
            value = ir.Unwrap(value, value.type.inner, node.value.span)
            single = True
        if not single:
            self.reporter.error(
                "PSM301",
                f"`{node.op}` needs {show(place.elem)} or a set of them, not {show(value.type)}",
                node.value.span,
            )
            raise Bad
        if isinstance(place, BagT):
            return ir.MakeSeq((value,), BagT(value.type, 1))
        return ir.MakeSet((value,), SetT(value.type, 1))

    def order_free(self, node: ast.Assign, path: ir.Path, place: Type, local: ir.Local | None = None) -> None:
        """Reports PSM404 for an assignment whose outcome may depend on the order of a symmetric loop.

        A local that was made inside a loop, after the loop's variable, is new in each round.
        """
        loops = [n for n in self.ctx.symmetric_loops if local is None or local.number < n]
        keys = {s.key.local.number for s in path if isinstance(s, ir.IndexStep) and isinstance(s.key, ir.GetLocal)}
        commutes = node.op != ":=" and isinstance(place, IntT | SetT | BagT)
        if commutes or all(loop in keys for loop in loops):
            return
        self.reporter.error(
            "PSM404",
            "the order of a loop over a symmetric set decides what is stored here",
            node.span,
            help="index the place by the loop's variable, use `+=` or `-=` on a set or number, or drop `symmetric`",
        )
        raise Bad

    # ---- the rest

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
                case ast.Let() | ast.If() | ast.For() | ast.Assert():
                    pass
                case _:
                    return False
        return writes > 0

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
