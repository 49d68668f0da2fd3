r"""What a module says about behaviour: properties, the fairness that they assume, and what TLC is asked.

| property | in TLA+ |
|---|---|
| `invariant`, `linearizable` | a predicate of states |
| `reach` | the same, and its negation, which TLC is to refute |
| `step` | `[][…]_vars`: what is `old` has no prime, everything else has one |
| `live` | `<>P`, `<>[]P`, `[]<>P`, `P ~> Q`; of a family, the conjunction of its members |
| `refines` | the abstract spec is a module inside this one, and an instance of it says what its variables are here |

`FairSpec` has a condition of fairness for each unit that the checker is fair to: each instance of a step with its parameters,
or with its exact message. A unit is enabled only where it changes something, which is what WF and SF mean, too.

TLA+ knows no chance, so where a step tosses a coin, live properties stay comments; likewise where the checker itself gives no
verdict, since steps or states are left out.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace

from checker.base.data import dataclass
from checker.engine.liveness.verdicts import BOUND
from checker.model import ir
from checker.model.liveness import tosses
from checker.model.machine import Abstraction, LiveCase, Machine, Property
from checker.render.tla.actions import Actions, Call
from checker.render.tla.blocks import Block, comment, conjunction, indent, prefixed, suffixed
from checker.render.tla.expressions import Expressions
from checker.render.tla.names import identifier
from checker.render.tla.terms import Env
from checker.render.tla.world import World

LIMIT = "a `limit` leaves out steps"
COIN = "a step tosses a coin, and TLA+ has no words for chance"


@dataclass(frozen=True, slots=True)
class Ask:
    """A line of the configuration that asks TLC about a property, or would: `wanted` says whether it is asked by default."""

    property: str
    line: str
    wanted: bool


@dataclass(frozen=True, slots=True)
class Abstract:
    """A module inside of the module, for the abstract spec of a `refines`: its name, those of its variables, and its text."""

    name: str
    variables: tuple[str, ...]
    lines: Block


class Properties:
    """Translates the properties of one machine. `lines` define them, `asks` ask for them."""

    def __init__(self, world: World, actions: Actions, abstract: Mapping[str, Abstract]) -> None:
        self.world = world
        self.unit = world.unit
        self.machine = machine = world.machine
        self.unjudged = _unjudged(machine)
        self.fair = self.unjudged is None and any(p.kind == "live" for p in machine.properties)
        """Whether there is a `FairSpec`."""
        self.lines: list[str] = self._fairness(actions) if self.fair else []
        self.asks: list[Ask] = []
        for prop in machine.properties:
            self.lines += [*comment(prop.doc), *self._property(prop, abstract), ""]
        self.lines += self._ends()

    def _property(self, prop: Property, abstract: Mapping[str, Abstract]) -> Block:
        name = self.unit.names.claim(("property", prop.name), prop.name)
        match prop.kind:
            case "live" if self.unjudged is None:
                return self._defined(prop, name, conjunction([self._case(c) for c in prop.cases]), "PROPERTY")
            case "live":
                return comment([f"{prop.name} is a live property, which is not exported: {self.unjudged}."])
            case "refines" if prop.abstraction is not None:
                return self._refines(prop, prop.abstraction, name, abstract[prop.name])
        if prop.body is None:
            return comment([f"{prop.name} is a {prop.kind} property, which is not exported: {prop.unjudged}."])
        if prop.kind == "step":
            return self._defined(prop, name, self._step(prop.body), "PROPERTY")
        if prop.kind == "reach":
            never = self.unit.names.claim(("never", prop.name), f"Never{prop.name}")
            self.asks.append(Ask(prop.name, f"INVARIANT {never}", wanted=False))
            return (f"{name} ==", *indent(self._predicate(prop.body), 2), "", f"{never} == ~{name}")
        return self._defined(prop, name, self._predicate(prop.body), "INVARIANT")

    def _defined(self, prop: Property, name: str, block: Block, word: str) -> Block:
        expected = self.machine.expectations.get(prop.name)
        self.asks.append(Ask(prop.name, f"{word} {name}", expected is not None and expected.verdict == "holds"))
        return (f"{name} ==", *indent(block, 2))

    def _predicate(self, e: ir.Expr, env: Env | None = None) -> Block:
        return Expressions(self.unit, self.unit.names.pool()).block(e, env or self.world.start)

    def _step(self, body: ir.Expr) -> Block:
        before = self.world.start
        after = {k: f"{k}'" if k in self.world.variables else v for k, v in before.values.items()}
        block = self._predicate(body, replace(before, values=after, before=before))
        if re.match(r"\w+ \\in ", block[0]):  # `[x \in` would begin a function
            block = _enclosed(block)
        return suffixed(prefixed("[][", block), "]_vars")

    def _case(self, case: LiveCase) -> Block:
        left = _enclosed(self._predicate(case.left))
        match case.form:
            case "leads":
                assert case.right is not None
                right = _enclosed(self._predicate(case.right))
                short = len(left) == len(right) == 1
                return (f"{left[0]} ~> {right[0]}",) if short else (*suffixed(left, " ~>"), *indent(right, 2))
            case "eventually":
                return prefixed("<>", left)
            case "eventually always":
                return prefixed("<>[]", left)
        return prefixed("[]<>", left)

    def _refines(self, prop: Property, abstraction: Abstraction, name: str, abstract: Abstract) -> Block:
        """The instance, and what is asked of it: that behaviours are those of the abstract spec, without its fairness."""
        image = self.unit.names.claim(("function", abstraction.image), abstraction.image)
        pairs = zip(abstract.variables, abstraction.type.fields, strict=True)
        given = ", ".join(f"{variable} <- {image}.{identifier(field)}" for variable, (field, _) in pairs)
        refines = self.unit.names.claim(("refines", prop.name), f"Refines{prop.name}")
        defined = self._defined(prop, refines, (f"{name}!Spec",), "PROPERTY")
        return (f"{name} == INSTANCE {abstract.name} WITH {given}", "", *defined)

    # ---- fairness

    def _fairness(self, actions: Actions) -> list[str]:
        """A condition for each instance of a fair step, with each message or parameter."""
        items = [(self._fair(call),) for call in actions.steps if call.fair]
        above = (
            "Weak fairness of each instance of a step, or strong where the check says so. Live properties assume it."
        )
        fairness = ["Fairness ==", *indent(conjunction(items), 2)]
        return [*comment([above]), *fairness, "", "FairSpec == Spec /\\ Fairness", ""]

    def _fair(self, call: Call) -> str:
        arguments, action = list(call.arguments), call.written()
        if call.message is not None:
            assert call.step is not None
            m, among = arguments[-1]
            me = self.unit.process(call.step.role.base) if call.step.role.single else "self"
            arguments[-1] = (m, f"{self.unit.messages_to(self.machine.messages[call.step.name])}({me})")
            action = f"({m} \\in {among}) /\\ {action}"
        heads = "".join(f"\\A {n} \\in {of} : " for n, of in arguments)
        return f"{heads}{'SF' if call.fair == 'strong' else 'WF'}_vars({action})"

    # ---- ends

    def _ends(self) -> list[str]:
        """Bound, final states, deadlock."""
        lines: list[str] = []
        for name, expr in (("Bound", self.machine.bound), ("Final", self.machine.final)):
            if expr is not None:
                lines += [f"{name} ==", *indent(self._predicate(expr), 2), ""]
        if any(s.limit is not None for s in self.machine.steps):
            note = "NoDeadlock is not exported: a step that `limit` alone refuses is no deadlock."
            return [*lines, *comment([note]), ""]
        self.asks.append(Ask("NoDeadlock", "INVARIANT NoDeadlock", wanted=False))
        final = "Final \\/ " if self.machine.final is not None else ""
        above = comment(["There is a step that changes something, faults not counted, or it is fine to stop here."])
        return [*lines, *above, f"NoDeadlock == {final}(ENABLED <<Steps>>_vars)", ""]


def _enclosed(block: Block) -> Block:
    return suffixed(prefixed("(", block), ")")


def _unjudged(machine: Machine) -> str | None:
    """Why live properties are not exported, if they are not."""
    if machine.bound is not None:
        return BOUND
    if any(s.limit is not None for s in machine.steps):
        return LIMIT
    return COIN if any(tosses(s.body, machine.procedures) for s in machine.steps) else None
