"""From a spec and one of its checks to a closed machine.

Types are checked here, for one binding of the constants, so every bound is a number and every type is exact; an author
sees an error in `0..N` with the N that causes it. A spec is small, so checking it once for each check costs little and
spares a second, symbolic notion of types (see the decision record on closed types).

The order: constants and types, networks, messages and their senders, variables, then everything that has code. All errors
of the spec are reported in one run; nothing later looks at a machine that has one.
"""

from __future__ import annotations

from collections.abc import Mapping

from checker.base.diagnostics import Reporter, did_you_mean
from checker.base.source import Span
from checker.lang import ast
from checker.lang.resolve import BUILTIN_PROPERTIES, Symbols, declare, unknown
from checker.model import ir
from checker.model.checks import faults_of, networks_of, strong_of
from checker.model.context import Bad, Context, Mode
from checker.model.convert import coerce, store
from checker.model.machine import (
    Counts,
    Expectation,
    Function,
    Init,
    Machine,
    Message,
    Property,
    Step,
)
from checker.model.statements import Statements, nested
from checker.model.types import BOOL, BoolT, ProcT, RecordT, RoleInfo, SetT, show
from checker.model.values import Value
from checker.model.world import World

DEFAULT_CHECK = "default"
"""The check of a spec that declares none: default constants, no faults, the built-in properties."""


def elaborate(spec: ast.Spec, source_reporter: Reporter, check: str | None, overrides: Mapping[str, Value]) -> Machine:
    """The machine of one check, or of the implicit one when `check` is None.

    Args:
        spec: a parsed spec.
        source_reporter: collects errors and warnings; also knows the source.
        check: the name of a check of the spec.
        overrides: constants given from outside; they win over those of the check. Strings name enum values.

    Raises:
        SpecError: with everything that is wrong.
    """
    reporter = source_reporter
    symbols = declare(spec, reporter)
    reporter.raise_if_errors()
    decl = symbols.checks[check] if check is not None else None
    machine = _Elaborator(symbols, reporter, decl, overrides).machine()
    reporter.raise_if_errors()
    assert machine is not None
    return machine


class _Body(Statements):
    """A translator bound to an elaborator's function table."""

    owner: _Elaborator

    def function(self, key: str, span: Span) -> Function:
        return self.owner.function(key, span)

    def inside(self, params: tuple[ast.Param, ...], body: ast.Block) -> Statements:
        assert self.ctx.role is not None
        inner = self.owner.body(Mode.HANDLER, self.ctx.role)
        self.owner.bind_params(inner, params)
        inner.ctx.assigned = _assigned(body)
        return inner


class _Elaborator:
    def __init__(
        self, symbols: Symbols, reporter: Reporter, check: ast.CheckDecl | None, overrides: Mapping[str, Value]
    ) -> None:
        self.symbols = symbols
        self.reporter = reporter
        self.check = check
        binds: dict[str, ast.Expr | Value] = {}
        for item in check.items if check else ():
            if isinstance(item, ast.Bind):
                self._known_constant(item.name)
                binds[item.name.text] = item.value
        self.outside = dict(overrides)
        binds.update(overrides)
        self.world = World(symbols, reporter, binds, self.constant_expr)
        self.cut = False

    def _known_constant(self, name: ast.Ident) -> None:
        if not isinstance(self.symbols.globals.get(name.text), ast.ConstDecl):
            consts = [n for n, d in self.symbols.globals.items() if isinstance(d, ast.ConstDecl)]
            self.reporter.error(
                "PSM503",
                f"there is no constant `{name}`",
                name.span,
                help=did_you_mean(name.text, consts) or f"the spec has {', '.join(consts) or 'no constants'}",
            )

    def body(self, mode: Mode, role: RoleInfo | None) -> _Body:
        """A translator for code at one kind of place."""
        body = _Body(self.world, Context(mode, role, cut=self.cut))
        body.owner = self
        return body

    def constant_expr(self, node: ast.Expr) -> ir.Expr:
        return self.body(Mode.CONST, None).expr(node)

    # ---- the whole

    def machine(self) -> Machine | None:
        world, symbols = self.world, self.symbols
        for name, decl in symbols.globals.items():
            self._try(self._declare, name, decl)
        if self.reporter.errors:
            return None
        networks = networks_of(world, self.check)
        budgets = faults_of(world, self.check)
        self.cut = any(b.kind == "cut" for b in budgets)
        world.lossy = any(b.kind == "lose" for b in budgets)
        network_of: dict[str, int] = {}
        for i, (network, messages) in enumerate(networks):
            for message in messages:
                network_of[message] = i
                if network.kind == "soup":
                    world.soups.add(message)
                elif network.kind == "fifo":
                    world.fifos.add(message)
        for sig_name, sig in symbols.messages.items():
            self._try(self._message, sig_name, sig)
        self._senders()
        slots = self._variables()
        if self.reporter.errors:
            return None
        self.constraints: dict[str, tuple[RecordT, tuple[ir.Local, ...], ir.Expr | None]] = {}
        for decl in symbols.globals.values():
            if isinstance(decl, ast.RecordDecl):
                self._try(self._record, decl)
        inits = [i for i in (self._try(self._init, var) for var in world.variables.values()) if i is not None]
        for key in self._function_keys():
            self._try(self.function, key, Span(0, 0))
        steps = [s for role, m in symbols.roles.items() for n in m.steps if (s := self._try(self._step, role, n))]
        for role, members in symbols.roles.items():
            for proc in members.procedures.values():
                self._try(lambda p=proc, r=role: self.body(Mode.HANDLER, world.roles[r]).procedure(p.name, p))
        properties = [p for d in symbols.properties.values() if (p := self._try(self._property, d))]
        final, bound = self._try(self._final), self._try(self._bound)
        expectations, counts = self._expectations()
        strong = strong_of(world, self.check)
        if self.reporter.errors:
            return None
        return Machine(
            source=self.reporter.source,
            spec=symbols.spec.name.text,
            check=self.check.name.text if self.check else DEFAULT_CHECK,
            constants=dict(world.constants),
            roles=dict(world.roles),
            records=self.constraints,
            variables=tuple(world.variables.values()),
            inits=tuple(inits),
            messages=self._messages(network_of, steps),
            networks=tuple(n for n, _ in networks),
            functions=dict(world.functions),
            procedures=dict(world.procedures),
            steps=tuple(steps),
            budgets=tuple(budgets),
            properties=tuple(properties),
            expectations=expectations,
            counts=counts,
            final=final,
            bound=bound,
            strong=strong,
            notes=("assumes synchrony",) if self._uses_silent() else (),
            slots=slots,
            overrides=self.outside,
            warnings=tuple(self.reporter.found),
        )

    def _try(self, f: object, *args: object) -> object:  # type: ignore[explicit-any]
        """Runs a translation; a reported problem gives None."""
        try:
            return f(*args)  # type: ignore[operator]
        except Bad:
            return None

    # ---- declarations

    def _declare(self, name: str, decl: object) -> None:
        match decl:
            case ast.ConstDecl():
                self.world.constant(name)
            case ast.TypeDecl() | ast.EnumDecl() | ast.IdDecl() | ast.RecordDecl() | ast.RoleDecl():
                self.world.named(decl.name)

    def _message(self, name: str, sig: ast.MessageSig) -> None:
        fields: dict[str, ir.Type] = {}
        for param in sig.fields:
            if param.name.text in fields:
                self.reporter.error("PSM202", f"field `{param.name}` stands twice", param.name.span)
            fields[param.name.text] = self.world.type(param.type)
        self.world.messages[name] = tuple(fields.items())

    def _senders(self) -> None:
        """Who sends each kind: the roles that have a `send` of it."""
        for name in self.symbols.messages:
            roles = []
            for role, members in self.symbols.roles.items():
                blocks = [s.body for s in members.steps if not isinstance(s, ast.Ignore)]
                blocks += [p.body for p in members.procedures.values()]
                if any(
                    isinstance(s, ast.Send) and s.msg.name.text == name for b in blocks for s in nested(b.stmts)
                ):
                    roles.append(self.world.roles[role])
            self.world.senders[name] = ProcT(tuple(roles))

    def _variables(self) -> int:
        slot = 0
        for name, decl in self.symbols.globals.items():
            if isinstance(decl, ast.SharedDecl):
                if decl.var.keep == "volatile":
                    self.reporter.error(
                        "PSM308", f"shared `{name}` outlives every crash and cannot be volatile", decl.span,
                        help="write `shared durable` or `shared ghost`",
                    )  # fmt: skip
                self._try(self._variable, decl.var, None, slot)
                slot += 1
        for role, members in self.symbols.roles.items():
            for var in members.variables.values():
                self._try(self._variable, var, self.world.roles[role], slot)
                slot += self.world.roles[role].size
        return slot

    def _variable(self, decl: ast.VarDecl, role: RoleInfo | None, slot: int) -> None:
        type_ = self.world.type(decl.type)
        key = (None if role is None else role.name, decl.name.text)
        self.world.variables[key] = ir.Var(
            decl.name.text, type_, key[0], decl.keep or "durable", slot, decl.name.span
        )

    def _init(self, var: ir.Var) -> Init:
        if var.role is None:
            shared = self.symbols.globals[var.name]
            assert isinstance(shared, ast.SharedDecl)
            decl = shared.var
        else:
            decl = self.symbols.roles[var.role].variables[var.name]
        role = None if var.role is None else self.world.roles[var.role]
        body = self.body(Mode.INIT, role)
        what = f"`{var.name}`"
        if decl.any:
            domain = body.domain(decl.init)
            if not isinstance(domain.type, SetT):
                self.reporter.error("PSM301", f"`any` needs a set, not {show(domain.type)}", decl.init.span)
                raise Bad
            coerce(ir.Const(None, domain.type.elem), var.type, decl.init.span, self.reporter, what)
            return Init(var, domain, True)
        assert not isinstance(decl.init, ast.Range)
        value = store(body.expr(decl.init), var.type, decl.init.span, self.reporter, what, fill=True)
        return Init(var, value, False)

    def _record(self, decl: ast.RecordDecl) -> None:
        t = self.world.named(decl.name)
        assert isinstance(t, RecordT)
        locals_ = tuple(self.world.local(f, ft) for f, ft in t.fields)
        where = None
        if decl.where is not None:
            body = self.body(Mode.WHERE, None)
            with body.ctx.bound(*locals_):
                where = body.bool(decl.where)
        self.constraints[decl.name.text] = (t, locals_, where)

    # ---- functions

    def _function_keys(self) -> list[str]:
        keys = [n for n, d in self.symbols.globals.items() if isinstance(d, ast.FunDecl)]
        return keys + [f"{role}.{f}" for role, m in self.symbols.roles.items() for f in m.functions]

    def function(self, key: str, span: Span) -> Function:
        """A function, translated once and with its uses recorded."""
        if key in self.world.functions:
            return self.world.functions[key]
        role, _, name = key.rpartition(".")
        decl = self.symbols.roles[role].functions[name] if role else self.symbols.globals[name]
        assert isinstance(decl, ast.FunDecl)
        with self.world.defining(key, span if span.end else decl.name.span):
            body = self.body(Mode.FUNCTION, self.world.roles[role] if role else None)
            params = self.bind_params(body, decl.params)
            value = body.expr(decl.body)
            if decl.result is not None:
                declared = self.world.type(decl.result)
                value = coerce(value, declared, decl.body.span, self.reporter, f"the result of `{name}`")
                if isinstance(declared, BoolT):
                    value = coerce(value, BOOL, decl.body.span, self.reporter, "a condition")
            function = Function(key, role or None, params, value.type, value)
        self.world.functions[key] = function
        self.world.function_uses[key] = tuple(body.ctx.uses)
        return function

    def bind_params(self, body: Statements, params: tuple[ast.Param, ...]) -> tuple[ir.Local, ...]:
        """Puts parameters with written types in scope."""
        locals_ = []
        for param in params:
            self.world.check_shadow(param.name, body.ctx.role, body.ctx.scope)
            local = self.world.local(param.name.text, self.world.type(param.type))
            body.ctx.scope[param.name.text] = local
            locals_.append(local)
        return tuple(locals_)

    # ---- steps

    def _step(self, role_name: str, node: ast.OnMessage | ast.Handler | ast.Ignore) -> Step:
        role = self.world.roles[role_name]
        kind = "message" if isinstance(node, ast.OnMessage) else "ignore" if isinstance(node, ast.Ignore) else node.kind
        body = self.body(Mode.HANDLER, role)
        sender: ir.Local | None = None
        if isinstance(node, ast.Handler):
            params = self.bind_params(body, node.params)
            name = node.name.text if node.name is not None else node.kind
        else:
            name = node.message.text
            params = self._formals(body, node)
            sender = self._sender(body, node)
        block = None if isinstance(node, ast.Ignore) else node.body
        if block is not None:
            body.ctx.assigned = _assigned(block)
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
        if kind == "tick":
            body.ctx.no_send = "a tick moves clocks; let a timeout act on them"
        stmts = body.block(block) if block is not None else ()
        if bad:
            raise Bad
        fair = kind in ("message", "ignore", "timeout", "restart", "tick")
        if not isinstance(node, ast.Ignore) and node.fair is not None:
            fair = node.fair == "fair"
        has_choices = _has_choices(stmts, self.world)
        return Step(role, kind, name, params, sender, guard, limit, stmts, fair, has_choices, node.span, node.doc)

    def _formals(self, body: Statements, node: ast.OnMessage | ast.Ignore) -> tuple[ir.Local, ...]:
        fields = body.message_fields(node.message)
        if node.names or isinstance(node, ast.OnMessage):
            given = len(node.names)
            if given != len(fields):
                names = ", ".join(f for f, _ in fields)
                self.reporter.error(
                    "PSM206",
                    f"message {node.message} has {len(fields)} field{'s' * (len(fields) != 1)}; {given} named here",
                    node.message.span,
                    help=f"write `{node.message}({names})`; `_` stands for one that is not needed" if names else None,
                )
                raise Bad
        locals_ = []
        names_or_blank = node.names or tuple(ast.Ident(node.message.span, "_") for _ in fields)
        for ident, (_, t) in zip(names_or_blank, fields, strict=True):
            self.world.check_shadow(ident, body.ctx.role, body.ctx.scope)
            local = self.world.local(ident.text, t)
            if ident.text != "_":
                body.ctx.scope[ident.text] = local
            locals_.append(local)
        return tuple(locals_)

    def _sender(self, body: Statements, node: ast.OnMessage | ast.Ignore) -> ir.Local:
        t = self.world.senders[node.message.text]
        if node.sender_role is not None:
            t = ProcT((self.world.role(node.sender_role),))
        elif not t.roles:
            self.reporter.warning(
                "PSM705", f"no role sends {node.message}", node.message.span, help="this handler can never fire"
            )
        if node.sender is None:
            return self.world.local("_", t)
        self.world.check_shadow(node.sender, body.ctx.role, body.ctx.scope)
        local = self.world.local(node.sender.text, t)
        if node.sender.text != "_":
            body.ctx.scope[node.sender.text] = local
        return local

    # ---- properties and the rest of the check

    def _property(self, decl: ast.PropDecl | ast.LiveDecl | ast.RefinesDecl) -> Property:
        if isinstance(decl, ast.RefinesDecl):
            body = self.body(Mode.PROPERTY, None)
            for bind in decl.binds:
                body.expr(bind.value)
            return Property(decl.name.text, "refines", None, (), decl.span, decl.doc)
        if isinstance(decl, ast.LiveDecl):
            self._live(decl)
            return Property(decl.name.text, "live", None, (), decl.span, decl.doc)
        body = self.body(Mode.STEP if decl.kind == "step" else Mode.PROPERTY, None)
        value = body.bool(decl.body)
        antecedents = tuple(_antecedents(value, self.reporter)) if decl.kind == "invariant" else ()
        return Property(decl.name.text, decl.kind, value, antecedents, decl.span, decl.doc)

    def _live(self, decl: ast.LiveDecl) -> None:
        body = self.body(Mode.PROPERTY, None)
        for binder in decl.binders:
            local = body.binder(binder, body.domain(binder.domain))
            body.ctx.scope[binder.name.text] = local
        before = self.reporter.source.text[: decl.left.span.start].rstrip()
        if decl.form == "leads" and isinstance(decl.left, ast.Quant) and not before.endswith("("):
            self.reporter.error(
                "PSM406",
                "the quantifier left of `~>` ends before it and would read wrongly",
                decl.left.span,
                help=f"put it in parentheses, or write `live {decl.name}(x in S): … ~> …` for one property for each x",
            )
            raise Bad
        body.bool(decl.left)
        if decl.right is not None:
            body.bool(decl.right)

    def _final(self) -> ir.Expr | None:
        for item in self.check.items if self.check else ():
            if isinstance(item, ast.CheckFinal):
                return self.body(Mode.PROPERTY, None).bool(item.cond)
        if self.symbols.final is None:
            return None
        return self.body(Mode.PROPERTY, None).bool(self.symbols.final.cond)

    def _bound(self) -> ir.Expr | None:
        bounds = [i.cond for i in (self.check.items if self.check else ()) if isinstance(i, ast.Bound)]
        if not bounds:
            return None
        parts = tuple(self.body(Mode.PROPERTY, None).bool(b) for b in bounds)
        return parts[0] if len(parts) == 1 else ir.Logic("and", parts, bounds[0].span)

    def _expectations(self) -> tuple[dict[str, Expectation], Counts | None]:
        expectations: dict[str, Expectation] = {}
        counts: Counts | None = None
        known = [*self.symbols.properties, *BUILTIN_PROPERTIES]
        for item in self.check.items if self.check else ():
            if isinstance(item, ast.ExpectCounts):
                counts = Counts(item.states, item.transitions, item.depth, judged=not self.outside)
            elif isinstance(item, ast.Expect):
                for name in item.names:
                    if name.text not in known:
                        unknown(self.reporter, name, "property", known)
                    elif name.text in expectations:
                        self.reporter.error("PSM506", f"`{name}` is expected twice", name.span)
                    expectations[name.text] = Expectation(item.verdict, name.span)
        for name in BUILTIN_PROPERTIES:
            expectations.setdefault(name, Expectation("holds", self.symbols.spec.name.span))
        return expectations, counts

    def _messages(self, network_of: Mapping[str, int], steps: list[Step]) -> dict[str, Message]:
        receivers: dict[str, set[str]] = {name: set() for name in self.symbols.messages}
        bodies = [s.body for s in steps] + [p.body for p in self.world.procedures.values()]
        for send in (s for body in bodies for s in _statements(body) if isinstance(s, ir.SendMsg)):
            if send.to is not None:
                t = send.to.type.elem if isinstance(send.to.type, SetT) else send.to.type
                assert isinstance(t, ProcT)
                receivers[send.message] |= {r.name for r in t.roles}
        return {
            name: Message(
                name,
                self.world.messages[name],
                network_of[name],
                self.world.senders[name],
                ProcT(tuple(r for r in self.world.roles.values() if r.name in receivers[name])),
                sig.name.span,
            )
            for name, sig in self.symbols.messages.items()
        }

    def _uses_silent(self) -> bool:
        guards = (n.guard for m in self.symbols.roles.values() for n in m.steps if n.guard is not None)
        text = self.reporter.source
        return any("silent" in text.slice(g.span) for g in guards)


def _assigned(block: ast.Block) -> frozenset[str]:
    return frozenset(s.target.root.text for s in nested(block.stmts) if isinstance(s, ast.Assign))


def _statements(stmts: tuple[ir.Stmt, ...]) -> list[ir.Stmt]:
    found: list[ir.Stmt] = []
    for s in stmts:
        found.append(s)
        match s:
            case ir.IfS(arms, orelse):
                for _, b in arms:
                    found += _statements(b)
                found += _statements(orelse)
            case ir.ForS(body=body) | ir.AtomicS(body=body):
                found += _statements(body)
            case ir.EitherS(branches=branches):
                for b in branches:
                    found += _statements(b)
    return found


def _has_choices(stmts: tuple[ir.Stmt, ...], world: World) -> bool:
    return any(
        isinstance(s, ir.ChooseS | ir.EitherS)
        or (isinstance(s, ir.DoProc) and _has_choices(world.procedures[s.proc].body, world))
        for s in _statements(stmts)
    )


def _antecedents(e: ir.Expr, reporter: Reporter) -> list[tuple[str, ir.Expr]]:
    """For each implication under universal quantifiers: its text, and the closed question whether it was ever true."""
    match e:
        case ir.Quant("forall", local, domain, body):
            return [(t, ir.Quant("exists", local, domain, b, BOOL)) for t, b in _antecedents(body, reporter)]
        case ir.Logic("and", items):
            return [a for i in items for a in _antecedents(i, reporter)]
        case ir.Logic("implies", (left, right), span):
            place = reporter.source.place(span.start)
            text = " ".join(reporter.source.slice(span).split("=>")[0].split())
            inner = [(t, ir.Logic("and", (left, b), span)) for t, b in _antecedents(right, reporter)]
            return [(f"line {place.line}: {text}", left), *inner]
    return []
