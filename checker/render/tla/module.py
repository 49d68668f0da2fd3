"""The module and its configuration, put together.

Order matters in TLA+: a name is used behind its definition only, and no local name may be that of something defined before.
So helpers stand first, then processes and types, the variables, what asks them, the handlers, and at last the whole.

TLC is to look for no deadlock of its own, since its notion differs: `NoDeadlock` here is the checker's. Properties that
the check expects to fail, and `reach` properties, are defined but commented out in the configuration: TLC would stop at the
first violation instead of counting all states.

An abstract spec that the spec refines is a module inside of the module, before everything else: so it sees nothing but `none`
and the standard modules, and its names are its own.
"""

from __future__ import annotations

from dataclasses import replace

from checker.base.data import dataclass
from checker.model import ir
from checker.model.machine import Machine, Property
from checker.model.values import show_value
from checker.render.tla.actions import Actions, Call
from checker.render.tla.blocks import Block, bare, comment, conjunction, disjunction, indent, operand
from checker.render.tla.expressions import Expressions
from checker.render.tla.helpers import helpers_for
from checker.render.tla.names import Names, identifier
from checker.render.tla.properties import Abstract, Ask, Properties
from checker.render.tla.surroundings import Surroundings
from checker.render.tla.terms import parts
from checker.render.tla.world import World

RULE = "-" * 100
END = "=" * 100

NOT_ASKED = (
    "Not asked for, since TLC stops at the first violation: what the check expects to fail or says nothing of,",
    "what must be reachable (TLC shows a way there), and deadlock, which is slow to ask for.",
)


@dataclass(frozen=True, slots=True)
class TlaModule:
    """A module for `NAME.tla`, and its configuration for `NAME.cfg`: `settings`, and what may be asked."""

    name: str
    text: str
    settings: tuple[str, ...]
    asks: tuple[Ask, ...]

    @property
    def config(self) -> str:
        """The configuration that asks for what the check expects to hold."""
        off = [f"\\* {ask.line}" for ask in self.asks if not ask.wanted]
        on = [ask.line for ask in self.asks if ask.wanted]
        return "\n".join([*self.settings, *on, "", *comment(NOT_ASKED), *off]) + "\n"


def export_tla(machine: Machine) -> TlaModule:
    """The TLA+ module of a check.

    Raises:
        SpecError: PSM920 for a construct that is not translated, with its place.
    """
    return Module(machine).made()


class Module:
    """Translates a machine: `behaviour` is the text up to `Spec`, `made` the whole, with the properties."""

    def __init__(self, machine: Machine, outside: Names | None = None) -> None:
        self.machine = machine
        self.world = World(machine, outside)
        self.unit = self.world.unit
        for record in machine.records:
            self._where(record)
        self.functions = self._functions()
        self.actions = self._actions()
        self.initial = self._initial()

    def made(self) -> TlaModule:
        """The whole."""
        machine, name = self.machine, identifier(f"{self.machine.spec}_{self.machine.check}")
        abstract = {p.name: self._abstract(p, p.abstraction.machine) for p in machine.properties if p.abstraction}
        properties = Properties(self.world, self.actions, abstract)
        lines = [
            _title(name),
            *self._heading(),
            "EXTENDS Integers, Sequences, FiniteSets, TLC",
            "",
            "CONSTANT none",
            "",
        ]
        lines += [line for inner in abstract.values() for line in inner.lines]
        lines += [*self.behaviour(), RULE, "", *properties.lines, END]
        settings = comment([f"Check {machine.check} of {machine.spec}. Run it with: tlc -deadlock {name}"])
        settings += (f"SPECIFICATION {'FairSpec' if properties.fair else 'Spec'}", "CONSTANT none = none")
        settings += ("CONSTRAINT Bound",) * (machine.bound is not None)
        return TlaModule(name, "\n".join(_tidy(lines)) + "\n", settings, tuple(properties.asks))

    def _abstract(self, prop: Property, machine: Machine) -> Abstract:
        """The module of an abstract spec."""
        inner = Module(machine, self.unit.names)
        name = self.unit.names.claim(("abstract", prop.name), f"{prop.name}Spec")
        above = comment([f"{machine.spec}, from {machine.source.name}, which {self.machine.spec} refines."])
        variables = tuple(inner.unit.variable(v.role, v.name) for v in machine.variables)
        return Abstract(name, variables, (_title(name), *above, "", *inner.behaviour(), END, ""))

    def behaviour(self) -> list[str]:
        """Everything up to `Spec`. Properties are translated before, since what they need stands here, too."""
        messages = [b for m in self.machine.messages.values() for b in (self.world.networks.constructor(m), ("",))]
        lines = [*helpers_for(self.unit.helpers), "", *self._processes()]
        lines += [line for block in self.unit.definitions for line in (*block, "")]
        lines += [line for block in messages for line in block]
        lines += [*self._variables(), RULE, "", *self.functions]
        lines += [line for block in self.world.operators() for line in (*block, "")]
        lines += [line for block in self.actions.definitions for line in (*block, "")]
        return [*lines, RULE, "", "Init ==", *indent(self.initial, 2), "", *self._next()]

    # ---- declarations

    def _heading(self) -> Block:
        machine = self.machine
        lines = [f"Check {machine.check} of {machine.spec}, from {machine.source.name}."]
        if machine.constants:
            bound = ", ".join(f"{name} = {show_value(t, v)}" for name, (t, v) in machine.constants.items())
            lines.append(f"Constants are bound: {bound}.")
        if machine.counts is not None:
            lines.append(f"The spec records {machine.counts.states} states{self._transitions()}.")
        lines.append(
            "TLC's distinct states are the checker's states; its generated states are the transitions and the initial states."
        )
        return comment(lines)

    def _transitions(self) -> str:
        counts = self.machine.counts
        assert counts is not None
        return "" if counts.transitions is None else f" and {counts.transitions} transitions"

    def _processes(self) -> list[str]:
        lines = []
        for role in self.machine.roles.values():
            name = self.unit.names.claim(("role", role.name), role.name)
            if role.single:
                lines.append(f'{name} == "{role.name}"')
            else:
                lines.append(f"{name} == {{{', '.join(self.unit.process(p) for p in role.processes)}}}")
        return [*lines, f"Processes == {bare(self.unit.processes(tuple(self.machine.roles.values())))}", ""]

    def _where(self, name: str) -> None:
        """Adds the operator for the `where` of a record."""
        _, params, where = self.machine.records[name]
        if where is None:
            return
        pool = self.unit.names.pool()
        env = replace(self.world.start, locals={p.number: pool.fresh(p.name) for p in params})
        head = f"{self.unit.where(name)}({', '.join(env.locals.values())})"
        block = Expressions(self.unit, pool).block(where, env)
        self.unit.definitions.append((f"{head} ==", *indent(block, 2)))

    def _variables(self) -> list[str]:
        names = self.world.variables
        return [
            "VARIABLES",
            *(f"  {n}{',' if n != names[-1] else ''}" for n in names),
            "",
            f"vars == <<{', '.join(names)}>>",
            "",
        ]

    def _functions(self) -> list[str]:
        """The operators for functions, each behind those that it calls."""
        lines: list[str] = []
        done: set[str] = set()

        def add(key: str) -> None:
            if key in done:
                return
            done.add(key)
            function = self.machine.functions[key]
            for node in parts(function.body):
                if isinstance(node, ir.CallFun):
                    add(node.fun)
            pool = self.unit.names.pool()
            expressions = Expressions(self.unit, pool)
            env = replace(self.world.start, locals={p.number: pool.fresh(p.name) for p in function.params})
            params = list(env.locals.values())
            if function.role is not None:
                role = self.machine.roles[function.role]
                env = replace(env, me=self.unit.process(role.base) if role.single else "self")
                params = params if role.single else ["self", *params]
            name = self.unit.names.claim(("function", key), key)
            lines.extend([
                f"{name}({', '.join(params)}) ==" if params else f"{name} ==",
                *indent(expressions.block(function.body, env), 2),
                "",
            ])  # fmt: skip

        for key in self.machine.functions:
            add(key)
        return lines

    # ---- behaviour

    def _actions(self) -> Actions:
        actions = Actions(self.world)
        surroundings = Surroundings(self.world, actions)
        steps = list(enumerate(self.machine.steps))
        for number, step in steps:
            if step.kind in ("message", "ignore"):
                actions.handler(number, step)
        if any(isinstance(n, ir.Silent) for s in self.machine.steps for n in parts((s.guard, s.limit))):
            surroundings.silent()
        for number, step in steps:
            if step.kind not in ("message", "ignore", "tick"):
                actions.handler(number, step)
        surroundings.add()
        return actions

    def _initial(self) -> Block:
        pool = self.unit.names.pool()
        expressions = Expressions(self.unit, pool)
        items: list[Block] = []
        for init in self.machine.inits:
            name = self.unit.variable(init.var.role, init.var.name)
            role = None if init.var.role is None else self.machine.roles[init.var.role]
            sign = "\\in" if init.any else "="
            if role is None or role.single:
                env = self.world.start if role is None else replace(self.world.start, me=self.unit.process(role.base))
                value = expressions.as_set(init.value, env) if init.any else expressions.expr(init.value, env)
                items.append((f"{name} {sign} {operand(value)}",))
                continue
            each = self.unit.role_set(role)
            env = replace(self.world.start, me=pool.inner("p", frozenset()), bound=frozenset({"p"}))
            value = bare(expressions.as_set(init.value, env) if init.any else expressions.expr(init.value, env))
            if not init.any:
                items.append((f"{name} = [{env.me} \\in {each} |-> {value}]",))
            elif any(isinstance(n, ir.Self) for n in parts(init.value)):
                f = pool.inner("f", env.bound)
                everything = f"[{each} -> {self.unit.type_set(init.var.type)}]"
                items.append(
                    (f"{name} \\in {{{f} \\in {everything} : \\A {env.me} \\in {each} : {f}[{env.me}] \\in {value}}}",)
                )
            else:
                items.append((f"{name} \\in [{each} -> {value}]",))
        return conjunction([*items, *self.world.initial()])

    def _next(self) -> list[str]:
        lines: list[str] = []
        names = []
        groups = (("Steps", self.actions.steps), ("Forged", self.actions.forged), ("Faults", self.actions.faults))
        for name, calls in groups:
            if calls or name == "Steps":
                lines += [f"{name} ==", *indent(disjunction([(_quantified(c),) for c in calls]), 2), ""]
                names.append(name)
        or_ = " \\/ ".join(names)
        return [*lines, f"Next == {or_}", "", "Spec == Init /\\ [][Next]_vars", ""]


def _title(name: str) -> str:
    return f"{'-' * 40} MODULE {name} {'-' * 40}"


def _quantified(call: Call) -> str:
    return "".join(f"\\E {name} \\in {of} : " for name, of in call.arguments) + call.written()


def _tidy(lines: list[str]) -> list[str]:
    """The lines without doubled empty ones."""
    return [line for i, line in enumerate(lines) if line or (i and lines[i - 1])]
