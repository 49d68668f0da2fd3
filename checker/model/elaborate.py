"""From a spec and one of its checks to a closed machine.

Types are checked here, for one binding of the constants, so every bound is a number and every type is exact; an author
sees an error in `0..N` with the N that causes it. A spec is small, so checking it once for each check costs little and
spares a second, symbolic notion of types (see the decision record on closed types).

The order: constants and types, networks, messages and their senders, variables, then everything that has code. All errors
of the spec are reported in one run; nothing later looks at a machine that has one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import ParamSpec, TypeVar

from checker.base.diagnostics import Reporter, Severity, SpecError, did_you_mean
from checker.base.source import Source, Span
from checker.lang import ast
from checker.lang.library import Library
from checker.lang.parser import parse_cached
from checker.lang.resolve import Symbols, declare
from checker.model import ir
from checker.model.bodies import Bodies
from checker.model.checks import faults_of, networks_of, refuse_repetitions, strong_of
from checker.model.context import Bad, Mode
from checker.model.convert import coerce, store
from checker.model.handlers import step_of
from checker.model.histories import history_of, linearizability_of
from checker.model.judged import bound_of, expectations_of, final_of, property_of
from checker.model.machine import BEGINNING, Budget, Init, Machine, Message, Network, Property, Step
from checker.model.refinement import abstract_part, refinement_of, shared_constants, unjudged_refinement
from checker.model.symmetry import with_symmetry
from checker.model.types import ProcT, RecordT, RoleInfo, SetT, Type, roles_of, show
from checker.model.values import Value
from checker.model.walk import nested, statements_in
from checker.model.world import World

P = ParamSpec("P")
T = TypeVar("T")

DEFAULT_CHECK = "default"
"""The check of a spec that declares none: default constants, no faults, the built-in properties."""


def elaborate(
    spec: ast.Spec,
    reporter: Reporter,
    check: str | None,
    overrides: Mapping[str, Value],
    library: Library | None = None,
) -> Machine:
    """The machine of one check, or of the implicit one when `check` is None.

    Args:
        spec: a parsed spec.
        reporter: collects errors and warnings; also knows the source.
        check: the name of a check of the spec.
        overrides: constants given from outside; they win over those of the check. Strings name enum values.
        library: where the specs are that it refines; None: nowhere, and its refinements are not judged.

    Raises:
        SpecError: with everything that is wrong.
    """
    symbols = declare(spec, reporter)
    reporter.raise_if_errors()
    decl = symbols.checks[check] if check is not None else None
    machine = _Elaborator(symbols, reporter, decl, overrides, library).machine()
    reporter.raise_if_errors()
    assert machine is not None
    return machine


def elaborate_view(
    spec: ast.Spec,
    source: Source,
    check: str | None,
    overrides: Mapping[str, Value],
    view: ast.Expr,
    text: Source,
    library: Library | None = None,
) -> tuple[Machine, ir.Expr]:
    """The machine of a check as `elaborate` makes it, and one more expression over its states.

    The expression is typed as in a property; `text` is the source it was parsed from, where its errors are shown.

    Raises:
        SpecError: with everything that is wrong with the spec, or else with the expression.
    """
    reporter = Reporter(source)
    symbols = declare(spec, reporter)
    reporter.raise_if_errors()
    decl = symbols.checks[check] if check is not None else None
    elaborator = _Elaborator(symbols, reporter, decl, overrides, library)
    machine = elaborator.machine()
    reporter.raise_if_errors()
    assert machine is not None
    reporter.source, reporter.found = text, []
    value = attempt(elaborator.bodies.body(Mode.PROPERTY, None).expr, view)
    reporter.raise_if_errors()
    assert value is not None
    return machine, value


def attempt(f: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T | None:
    """Runs a translation; a reported problem gives None."""
    try:
        return f(*args, **kwargs)
    except Bad:
        return None


class _Elaborator:
    def __init__(
        self,
        symbols: Symbols,
        reporter: Reporter,
        check: ast.CheckDecl | None,
        overrides: Mapping[str, Value],
        library: Library | None,
    ) -> None:
        self.symbols = symbols
        self.library = library
        self.reporter = reporter
        self.check = check
        binds: dict[str, ast.Expr | Value] = {}
        refuse_repetitions(reporter, check)
        for item in check.items if check else ():
            if isinstance(item, ast.Bind):
                self._known_constant(item.name)
                binds[item.name.text] = item.value
        self.outside = dict(overrides)
        binds.update(overrides)
        self.world = World(symbols, reporter, binds, lambda node: self.bodies.body(Mode.CONST).expr(node))
        self.bodies = Bodies(self.world)
        self.slots = 0

    def _known_constant(self, name: ast.Ident) -> None:
        if not isinstance(self.symbols.globals.get(name.text), ast.ConstDecl):
            consts = [n for n, d in self.symbols.globals.items() if isinstance(d, ast.ConstDecl)]
            self.reporter.error(
                "PSM503",
                f"there is no constant `{name}`",
                name.span,
                help=did_you_mean(name.text, consts) or f"the spec has {', '.join(consts) or 'no constants'}",
            )

    # ---- the whole

    def machine(self) -> Machine | None:
        world, symbols, bodies = self.world, self.symbols, self.bodies
        if not symbols.properties and not symbols.checks:
            self.reporter.warning(
                "PSM702",
                f"{symbols.spec.name} declares no property and no check",
                symbols.spec.name.span,
                help="only NoError and NoDeadlock are judged: add an `invariant` and a `check`",
            )
        network_of: dict[str, int] = {}
        # without its constants, types, messages and variables a spec would only give errors that follow from the first
        if not self._without_errors(self._declare_all):
            return None
        networks, budgets = self._surroundings(network_of)
        if not self._without_errors(self._messages_and_variables):
            return None
        self.constraints: dict[str, tuple[RecordT, tuple[ir.Local, ...], ir.Expr | None]] = {}
        for decl in symbols.globals.values():
            if isinstance(decl, ast.RecordDecl):
                attempt(self._record, decl)
        inits = [i for v in world.variables.values() if (i := attempt(self._init, v)) is not None]
        for key in bodies.function_keys():
            attempt(bodies.function, key, Span(0, 0))
        steps = [
            step
            for role, members in symbols.roles.items()
            for node in members.steps
            if (step := attempt(step_of, bodies, role, node)) is not None
        ]
        for role, members in symbols.roles.items():
            for proc in members.procedures.values():
                attempt(bodies.body(Mode.HANDLER, world.roles[role]).procedure, proc.name, proc)
        properties = [
            prop for decl in symbols.properties.values() if (prop := attempt(self._property, decl)) is not None
        ]
        final = attempt(final_of, bodies, self.check)
        bound = attempt(bound_of, bodies, self.check)
        expectations, counts = expectations_of(bodies, self.check, judged=not self.outside)
        strong = strong_of(world, self.check)
        if self.reporter.errors:
            return None
        made = Machine(
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
            notes=("assumes synchrony",) if world.synchrony else (),
            histories=tuple(world.histories.values()),
            slots=self.slots,
            overrides=self.outside,
            declared=self.check is not None,
            warnings=tuple(self.reporter.found),
        )
        off = any(isinstance(item, ast.NoSymmetry) for item in (self.check.items if self.check else ()))
        return with_symmetry(made, off=off)

    def _without_errors(self, f: Callable[[], None]) -> bool:
        """Runs a phase and tells whether it reported no error."""
        before = len(self.reporter.errors)
        f()
        return len(self.reporter.errors) == before

    # ---- declarations

    def _declare_all(self) -> None:
        for name, decl in self.symbols.globals.items():
            attempt(self._declare, name, decl)

    def _surroundings(self, network_of: dict[str, int]) -> tuple[list[tuple[Network, tuple[str, ...]]], list[Budget]]:
        """Networks and faults, and what follows from them for the code. Fills in the network of each message."""
        world = self.world
        networks = networks_of(world, self.check)
        budgets = faults_of(world, self.check)
        self.bodies.cut = any(b.kind == "cut" and b.count for b in budgets)
        world.lossy = any(b.kind == "lose" and b.count for b in budgets)
        for number, (network, messages) in enumerate(networks):
            network_of.update(dict.fromkeys(messages, number))
            if network.kind == "soup" and not network.session:  # a broken session forgets what was sent
                world.soups.update(messages)
            elif network.kind == "fifo":
                world.fifos.update(messages)
        world.soups.update(m for m in self.symbols.messages if m not in network_of)  # reported already
        return networks, budgets

    def _messages_and_variables(self) -> None:
        for name, sig in self.symbols.messages.items():
            attempt(self._message, name, sig)
        self._senders()
        self.slots = self._variables()
        for decl in self.symbols.properties.values():
            if isinstance(decl, ast.LinearDecl) and self.library is not None:
                attempt(self._history, decl, self.library)

    def _history(self, decl: ast.LinearDecl, library: Library) -> None:
        """The ghost of an object, which has a slot behind those of the variables."""
        history = history_of(self.bodies, decl, self._abstract(decl.name, library), self.slots)
        self.world.histories[history.name] = history
        self.world.variables[None, history.var.name] = history.var
        self.slots += 1

    def _declare(self, name: str, decl: object) -> None:
        match decl:
            case ast.ConstDecl():
                self.world.constant(name)
            case ast.TypeDecl() | ast.EnumDecl() | ast.IdDecl() | ast.RecordDecl() | ast.RoleDecl():
                self.world.named(decl.name)

    def _message(self, name: str, sig: ast.MessageSig) -> None:
        fields: dict[str, Type] = {}
        for param in sig.fields:
            if param.name.text in fields:
                self.reporter.error("PSM202", f"field `{param.name}` stands twice", param.name.span)
            fields[param.name.text] = self.world.stored_type(param.type)
        self.world.messages[name] = tuple(fields.items())

    def _senders(self) -> None:
        """Who sends each kind: the roles that have a `send` of it."""
        for name in self.symbols.messages:
            roles = []
            for role, members in self.symbols.roles.items():
                blocks = [s.body for s in members.steps if not isinstance(s, ast.Ignore)]
                blocks += [p.body for p in members.procedures.values()]
                if any(isinstance(s, ast.Send) and s.msg.name.text == name for b in blocks for s in nested(b.stmts)):
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
                attempt(self._variable, decl.var, None, slot)
                slot += 1
        for role, members in self.symbols.roles.items():
            for var in members.variables.values():
                attempt(self._variable, var, self.world.roles[role], slot)
                slot += self.world.roles[role].size
        return slot

    def _variable(self, decl: ast.VarDecl, role: RoleInfo | None, slot: int) -> None:
        type_ = self.world.stored_type(decl.type)
        key = (None if role is None else role.name, decl.name.text)
        self.world.variables[key] = ir.Var(decl.name.text, type_, key[0], decl.keep or "durable", slot, decl.name.span)

    def _init(self, var: ir.Var) -> Init:
        if any(var is history.var for history in self.world.histories.values()):
            return Init(var, ir.Const(BEGINNING, var.type), False)
        if var.role is None:
            shared = self.symbols.globals[var.name]
            assert isinstance(shared, ast.SharedDecl)
            decl = shared.var
        else:
            decl = self.symbols.roles[var.role].variables[var.name]
        role = None if var.role is None else self.world.roles[var.role]
        body = self.bodies.body(Mode.INIT, role)
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

    def _property(self, decl: ast.PropDecl | ast.LiveDecl | ast.RefinesDecl | ast.LinearDecl) -> Property:
        if isinstance(decl, ast.LinearDecl):
            return linearizability_of(self.world, decl)
        if not isinstance(decl, ast.RefinesDecl):
            return property_of(self.bodies, decl)
        if self.library is None:
            return unjudged_refinement(self.bodies, decl)
        return refinement_of(self.bodies, decl, self._abstract(decl.name, self.library))

    def _abstract(self, name: ast.Ident, library: Library) -> Machine:
        """The machine of an abstract spec; what is wrong with it is reported beside what is wrong here."""
        try:
            source = library.find(name.text)
            tree = abstract_part(parse_cached(source), name, self.reporter)
            return elaborate(tree, Reporter(source), None, shared_constants(self.world, tree))
        except SpecError as problem:
            for diagnostic in problem.diagnostics:
                placed = replace(diagnostic, source=self.reporter.source, span=name.span)
                if diagnostic.severity is Severity.ERROR:
                    self.reporter.found.append(placed if diagnostic.source is None else diagnostic)
            raise Bad from None

    def _record(self, decl: ast.RecordDecl) -> None:
        t = self.world.named(decl.name)
        assert isinstance(t, RecordT)
        locals_ = tuple(self.world.local(f, ft) for f, ft in t.fields)
        where = None
        if decl.where is not None:
            body = self.bodies.body(Mode.WHERE)
            with body.ctx.bound(*locals_):
                where = body.bool(decl.where)
        self.constraints[decl.name.text] = (t, locals_, where)

    def _messages(self, network_of: Mapping[str, int], steps: list[Step]) -> dict[str, Message]:
        receivers: dict[str, set[str]] = {name: set() for name in self.symbols.messages}
        codes = [s.body for s in steps] + [p.body for p in self.world.procedures.values()]
        for send in (s for code in codes for s in statements_in(code) if isinstance(s, ir.SendMsg)):
            if send.to is not None:
                t = send.to.type.elem if isinstance(send.to.type, SetT) else send.to.type
                receivers[send.message] |= {r.name for r in roles_of(t)}
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
