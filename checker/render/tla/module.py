"""The module and its configuration, put together.

Order matters in TLA+: a name is used behind its definition only, and no local name may be that of something defined before.
So helpers stand first, then processes and types, the variables, what asks them, the handlers, and at last the whole.

TLC is told to look for no deadlock of its own, since its notion differs: `NoDeadlock` here is the checker's. Properties that
the check expects to fail, and `reach` properties, are defined but commented out in the configuration: TLC would stop at the
first violation instead of counting all states.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from checker.model import ir
from checker.model.machine import Machine, Property
from checker.model.values import show_value
from checker.render.tla.actions import Actions, Call
from checker.render.tla.blocks import Block, bare, comment, conjunction, disjunction, indent, operand, prefixed
from checker.render.tla.expressions import Expressions
from checker.render.tla.helpers import helpers_for
from checker.render.tla.names import identifier
from checker.render.tla.surroundings import Surroundings
from checker.render.tla.terms import parts
from checker.render.tla.world import World

RULE = "-" * 100

EXPORTED = ("invariant", "step", "reach")
"""The kinds of properties that are exported; the others are named in a comment."""


@dataclass(frozen=True, slots=True)
class TlaModule:
    """A module for `NAME.tla`, and its configuration for `NAME.cfg`."""

    name: str
    text: str
    config: str


def export_tla(machine: Machine) -> TlaModule:
    """The TLA+ module of a check.

    Raises:
        SpecError: PSM920 for a construct that is not translated, with its place.
    """
    return Module(machine).made()


class Module:
    """Collects the parts of one module."""

    def __init__(self, machine: Machine) -> None:
        self.machine = machine
        self.world = World(machine)
        self.unit = self.world.unit
        self.name = identifier(f"{machine.spec}_{machine.check}")

    def made(self) -> TlaModule:
        """The whole."""
        for record in self.machine.records:
            self._where(record)
        functions = self._functions()
        actions = self._actions()
        initial = self._initial()
        properties = [line for p in self.machine.properties for line in self._property(p)]
        ends = self._ends(actions)
        fairness = self._fairness(actions)
        messages = [b for m in self.machine.messages.values() for b in (self.world.networks.constructor(m), ("",))]
        lines: list[str] = [f"{'-' * 40} MODULE {self.name} {'-' * 40}", *self._heading()]
        lines += ["EXTENDS Integers, Sequences, FiniteSets, TLC", "", "CONSTANT none", ""]
        lines += [*helpers_for(self.unit.helpers), "", *self._processes()]
        lines += [line for block in self.unit.definitions for line in (*block, "")]
        lines += [line for block in messages for line in block]
        lines += [*self._variables(), RULE, "", *functions]
        lines += [line for block in self.world.operators() for line in (*block, "")]
        lines += [line for block in actions.definitions for line in (*block, "")]
        lines += [RULE, "", "Init ==", *indent(initial, 2), ""]
        lines += [*self._next(actions), *fairness, RULE, "", *properties, *ends, "=" * len(lines[0])]
        return TlaModule(self.name, "\n".join(_tidy(lines)) + "\n", self._config())

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

    def _next(self, actions: Actions) -> list[str]:
        lines: list[str] = []
        names = []
        for name, calls in (("Steps", actions.steps), ("Forged", actions.forged), ("Faults", actions.faults)):
            if calls or name == "Steps":
                lines += [f"{name} ==", *indent(disjunction([(_quantified(c),) for c in calls]), 2), ""]
                names.append(name)
        or_ = " \\/ ".join(names)
        return [*lines, f"Next == {or_}", "", "Spec == Init /\\ [][Next]_vars", ""]

    def _fairness(self, actions: Actions) -> list[str]:
        """The fairness that live properties assume: each instance of a fair step, with each message or parameter."""
        if not any(p.kind == "live" for p in self.machine.properties):
            return []
        items: list[Block] = []
        for call in actions.steps:
            step = call.step
            if step is not None and step.kind in ("ignore", "fault"):
                continue
            strong = step is not None and step.label in self.machine.strong
            if step is not None and not step.fair and not strong:
                continue
            action = call.written()
            arguments = list(call.arguments)
            if call.message is not None and step is not None:
                m, among = arguments[-1]
                arguments[-1] = (m, self.unit.message_set(self.machine.messages[step.name]))
                action = f"({m} \\in {among}) /\\ {action}"
            heads = "".join(f"\\A {n} \\in {of} : " for n, of in arguments)
            items.append((f"{heads}{'SF' if strong else 'WF'}_vars({action})",))
        return [
            "\\* Weak fairness for each instance of a step, or strong where the check says so. A live property assumes it.",
            "Fairness ==", *indent(conjunction(items), 2), "", "FairSpec == Spec /\\ Fairness", "",
        ]  # fmt: skip

    # ---- properties

    def _property(self, prop: Property) -> Block:
        name = self.unit.names.claim(("property", prop.name), prop.name)
        above = comment(prop.doc)
        if prop.body is None or prop.kind not in EXPORTED:
            return (*comment([f"{prop.name} is a {prop.kind} property, which is not exported."]), "")
        env = self.world.start
        if prop.kind == "step":
            env = replace(
                env, values={k: f"{k}'" if k in self.world.variables else v for k, v in env.values.items()}, before=env
            )
        block = Expressions(self.unit, self.unit.names.pool()).block(prop.body, env)
        if prop.kind == "step":
            lines = prefixed("[][", block)
            return (*above, f"{name} ==", *indent((*lines[:-1], f"{lines[-1]}]_vars"), 2), "")
        made = (*above, f"{name} ==", *indent(block, 2), "")
        if prop.kind == "reach":
            return (*made, f"{self._never(prop)} == ~{name}", "")
        return made

    def _never(self, prop: Property) -> str:
        return self.unit.names.claim(("never", prop.name), f"Never{prop.name}")

    def _ends(self, actions: Actions) -> list[str]:
        """Bound, final states, deadlock."""
        lines: list[str] = []
        for name, expr in (("Bound", self.machine.bound), ("Final", self.machine.final)):
            if expr is not None:
                block = Expressions(self.unit, self.unit.names.pool()).block(expr, self.world.start)
                lines += [f"{name} ==", *indent(block, 2), ""]
        if any(s.limit is not None for s in self.machine.steps):
            return [
                *lines,
                *comment(["NoDeadlock is not exported: a step that `limit` alone refuses is no deadlock."]),
                "",
            ]
        final = "Final \\/ " if self.machine.final is not None else ""
        above = comment(["There is a step that changes something, faults not counted, or it is fine to stop here."])
        return [*lines, *above, f"NoDeadlock == {final}(ENABLED <<Steps>>_vars)", ""]

    def _config(self) -> str:
        machine = self.machine
        lines = [
            *comment(
                [f"Check {machine.check} of {machine.spec}. Run it with: tlc {self.name}.tla -config {self.name}.cfg"]
            )
        ]
        lines += ["SPECIFICATION Spec", "CONSTANT none = none", "CHECK_DEADLOCK FALSE"]
        if machine.bound is not None:
            lines.append("CONSTRAINT Bound")
        off: list[str] = []
        for prop in machine.properties:
            name = self.unit.names.claim(("property", prop.name), prop.name)
            expected = machine.expectations.get(prop.name)
            if prop.body is None or prop.kind not in EXPORTED:
                continue
            if prop.kind == "reach":
                off.append(f"INVARIANT {self._never(prop)}")
                continue
            line = f"{'PROPERTY' if prop.kind == 'step' else 'INVARIANT'} {name}"
            (lines if expected is not None and expected.verdict == "holds" else off).append(line)
        if not any(s.limit is not None for s in machine.steps):
            off.append("INVARIANT NoDeadlock")
        lines += [
            "",
            *comment(
                [
                    "Not asked for, since TLC stops at the first violation: what the check expects to fail or says nothing of,"
                ]
            ),
        ]
        lines += [*comment(["what must be reachable (TLC shows a way there), and deadlock, which is slow to ask for."])]
        lines += [f"\\* {line}" for line in off]
        return "\n".join(lines) + "\n"


def _quantified(call: Call) -> str:
    return "".join(f"\\E {name} \\in {of} : " for name, of in call.arguments) + call.written()


def _tidy(lines: list[str]) -> list[str]:
    """The lines without doubled empty ones."""
    return [line for i, line in enumerate(lines) if line or (i and lines[i - 1])]
