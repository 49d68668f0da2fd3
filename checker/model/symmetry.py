"""Which symmetric types of a machine may be used to explore less.

A permutation of the instances of a symmetric role, or of the ids of a symmetric type, turns runs into runs if nothing in the
spec tells instances apart. Then states that such a permutation turns into each other behave alike, and one of them stands
for all: the reduction of Ip and Dill (Better Verification Through Symmetry, 1996) and of Clarke, Enders, Filkorn and
Jha (Exploiting Symmetry in Temporal Logic Model Checking, 1996).

The elaborator refuses what plainly looks at an order (PSM403, PSM404). The language still has an order in which it computes:
quantifiers stop early, rounds of a loop and clocks run one after the other. Nobody sees that order as long as nothing errs
on the way. Where something may, the type is left alone, and a note says why. So the answer is always a safe one.

Liveness is judged over all states: a check that expects a `live` property explores without the reduction.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from checker.model import ir
from checker.model.failing import NOBODY, NOTHING, Doubtful, Failing, Known, doubts, guarded, parameters
from checker.model.machine import Group, Machine
from checker.model.permute import Elements
from checker.model.rounds import Rounds, expressions_of
from checker.model.types import BagT, IdT, MapT, OptT, RecordT, SeqT, SetT, Type
from checker.model.walk import blocks_of


def with_symmetry(machine: Machine, *, off: bool) -> Machine:
    """The machine with the groups that an engine may use, and notes on those that it may not."""
    groups = groups_of(machine)
    if off or not groups:
        return machine
    live = sorted(p.name for p in machine.properties if p.kind == "live" and p.name in machine.expectations)
    if live:
        are = "is" if len(live) == 1 else "are"
        note = f"explored without symmetry, since {', '.join(live)} {are} judged over all states"
        return replace(machine, notes=(*machine.notes, note))
    reasons = Asymmetry(machine, groups).reasons
    notes = tuple(f"the symmetry of {name} is not used: {reason}" for name, reason in reasons.items())
    return replace(
        machine,
        symmetric=tuple(g for g in groups if g.name not in reasons),
        notes=(*machine.notes, *notes),
    )


def is_about_symmetry(note: str) -> bool:
    """Whether a note on a machine is one of those above: it concerns nobody who does not explore all states."""
    return note.startswith(("explored without symmetry", "the symmetry of "))


def without_symmetry(machine: Machine) -> Machine:
    """The machine of which every state is explored: for liveness, graphs, and comparisons."""
    return replace(machine, symmetric=())


def groups_of(machine: Machine) -> tuple[Group, ...]:
    """Every symmetric role, and every symmetric type of ids that a state can hold, of two instances or more."""
    found = {r.name: Group(r.name, True, r.base, r.size) for r in machine.roles.values() if r.symmetric}
    types = [v.type for v in machine.variables] + [t for m in machine.messages.values() for _, t in m.fields]
    for t in types:
        for inner in _ids(t):
            if inner.symmetric:
                found.setdefault(inner.name, Group(inner.name, False, 0, inner.size))
    return tuple(g for g in found.values() if g.size > 1)


def _ids(t: Type) -> Iterator[IdT]:
    match t:
        case IdT():
            yield t
        case OptT(inner) | SetT(inner) | SeqT(inner) | BagT(inner):
            yield from _ids(inner)
        case RecordT(_, fields):
            for _, field in fields:
                yield from _ids(field)
        case MapT(key, value):
            yield from _ids(key)
            yield from _ids(value)


class Asymmetry:
    """Looks for what may tell instances apart. `reasons` has the first one found for each group, by its name."""

    def __init__(self, machine: Machine, groups: tuple[Group, ...]) -> None:
        self.machine = machine
        self.elements = Elements(groups)
        self.failing = Failing(machine)
        self.rounds = Rounds(machine, self.failing)
        self.reasons: dict[str, str] = {}
        self._look()

    def _refuse(self, t: Type, reason: str) -> None:
        for name in sorted(self.elements.mentioned(t)):
            self.reasons.setdefault(name, reason)

    def _look(self) -> None:
        machine = self.machine
        for step in machine.steps:
            for e in (step.guard, step.limit):
                if e is not None:
                    self._expr(e)
            self._body(step.body)
            if step.kind == "tick" and step.role.symmetric and step.role.name in self.elements.first:
                reason = self.rounds.of_ticks(step.body, step.role)
                asked = [e for e in (step.guard, step.limit) if e is not None]
                if any(self.failing.may_fail(e) for e in asked):
                    reason = "of its clocks one may err where another does not allow a tick"
                if reason is not None:
                    self.reasons.setdefault(step.role.name, reason)
        for procedure in machine.procedures.values():
            self._body(procedure.body)
        for function in machine.functions.values():
            self._expr(function.body, NOTHING, parameters(function))
        for _, _, where in machine.records.values():
            if where is not None:
                self._expr(where)
        for init in machine.inits:
            self._expr(init.value)
        for prop in machine.properties:
            if prop.body is not None:
                self._expr(prop.body)
            for _, test in prop.antecedents if prop.kind != "live" else ():  # with these, there is no symmetry
                self._expr(test)
            if prop.abstraction is not None:  # its steps are listed as they are, in the order of its own instances
                abstract = prop.abstraction.machine
                for name, reason in Asymmetry(abstract, groups_of(abstract)).reasons.items():
                    if name in self.elements.first:
                        self.reasons.setdefault(name, f"in {abstract.spec}, {reason}")
        for e in (machine.final, machine.bound):
            if e is not None:
                self._expr(e)

    def _body(self, body: tuple[ir.Stmt, ...]) -> None:
        for s in body:
            for e in expressions_of(s):
                self._expr(e)
            if isinstance(s, ir.ForS):
                self._loop(s)
            for inner in blocks_of(s):
                self._body(inner)

    def _loop(self, loop: ir.ForS) -> None:
        """A loop over a sequence runs in an order that the state says, and one over a bag in that of its values."""
        if isinstance(loop.domain.type, SetT | BagT) and self.elements.mentioned(loop.local.type):
            reason = self.rounds.of_loop(loop)
            if reason is not None:
                line = self.machine.source.place(loop.span.start).line
                self._refuse(loop.local.type, f"{reason} (line {line})")

    def _expr(self, e: ir.Expr, known: Known = NOTHING, doubtful: Doubtful = NOBODY) -> None:
        inside = doubts(e, doubtful)
        match e:
            case ir.Quant("forall" | "exists" as kind, local, _, body):
                if self.elements.mentioned(local.type) and self.failing.may_fail(body, known, inside):
                    self._refuse(local.type, f"`{kind} {local.name}` stops early, and may err for some of its values")
            case ir.Const(value, t):
                self._constant(t, value)
            case ir.Sent(_, args, sender, True) if any(self.failing.may_fail(a, known, doubtful) for a in args):
                self._refuse(sender.type, "`sent` stops early, and may err for some senders")
        for part, inner in guarded(e, known):
            self._expr(part, inner, inside)

    def _constant(self, t: Type, value: object) -> None:
        """A value that names an instance tells it from the others."""
        rename = self.elements.renaming(t)
        if rename is None or value is None:
            return
        for name in self.elements.mentioned(t):
            group = next(g for g in self.elements.groups if g.name == name)
            first = self.elements.first[name]
            if any(rename(value, self.elements.swap(first + i, first + i + 1)) != value for i in range(group.size - 1)):
                self.reasons.setdefault(name, "a constant names one of them")
