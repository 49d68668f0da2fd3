"""Refinement, judged: the step relation of an abstract spec as a set of pairs.

The abstract machine of a `refines` is small. Its whole graph is listed by the interpreter before anything else is
explored, and turned into two constants: the initial states, and all pairs of a state and what one step or none makes of it.
What is left to judge is then an ordinary property of steps, which every engine has already: is the pair of what the old
state and the new one stand for (`Abstraction.image`) one of the listed pairs? Initial states are looked up likewise.

That is exact. As long as nothing was violated, what a state stands for is a reachable abstract state, so pairs between others
need not be listed. Nothing is claimed about fairness: a machine that stops for ever refines whatever allows it to stutter.

`image_of` and `state_of` go between the states of the abstract machine and the records that the mapping gives.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from checker.base.diagnostics import error
from checker.engine.program import Program
from checker.engine.runtime import State, describe
from checker.engine.steps import Steps
from checker.model import ir
from checker.model.elaborate import DEFAULT_CHECK
from checker.model.machine import Abstraction, Machine, Property
from checker.model.types import BagT, MapT, OptT, ProcT, RecordT, SeqT, SetT, Type
from checker.model.values import Value, order_key

MAX_STATES = 20_000
"""The most states of an abstract machine."""

MAX_EDGES = 100_000
"""The most steps of an abstract machine."""


def with_refinements(machine: Machine) -> Machine:
    """The machine with its refinements ready to be judged.

    Where a check expects nothing of a refinement, it is not judged, since listing the abstract machine takes time; nor where that
    is too large. Both are said.

    Raises:
        SpecError: PSM413 for an abstract machine with a step that errs, and what is wrong with its initial states.
    """
    if not any(p.abstraction for p in machine.properties):
        return machine
    judged = [p if p.abstraction is None else _judged(machine, p, p.abstraction) for p in machine.properties]
    return replace(machine, properties=tuple(judged))


def _judged(machine: Machine, prop: Property, abstraction: Abstraction) -> Property:
    if prop.name not in machine.expectations and machine.check != DEFAULT_CHECK:
        return replace(prop, unjudged="judged where a check expects something of it")
    relation = _Relation(machine, prop, abstraction)
    if relation.too_large is not None:
        return replace(prop, unjudged=f"{prop.name} has {relation.too_large} here, too many to list them")
    image = ir.CallFun(abstraction.image, None, (), abstraction.type)
    pair = RecordT("pair", (("old", abstraction.type), ("new", abstraction.type)))
    step = ir.MakeRecord((ir.Old(image), image), pair)
    return replace(
        prop,
        body=ir.In(step, ir.Const(frozenset(relation.pairs), SetT(pair))),
        initial=ir.In(image, ir.Const(frozenset(relation.initial), SetT(abstraction.type))),
    )


class _Relation:
    """The graph of an abstract machine as images: `initial`, and `pairs` with each reachable state and itself."""

    def __init__(self, machine: Machine, prop: Property, abstraction: Abstraction) -> None:
        self.too_large: str | None = None
        program = Program(abstraction.machine)
        steps = Steps(program)
        found = {state: image_of(abstraction, state) for state in program.initial_states()}
        self.initial = tuple(found.values())
        self.pairs: dict[tuple[Value, Value], None] = {}
        waiting = list(found)
        while waiting:
            state = waiting.pop()
            image = found[state]
            self.pairs[image, image] = None
            done, failed = steps.expand(state)
            for _, _, problem in failed:
                site = program.names.sites[problem.site]
                raise error(
                    "PSM413",
                    f"a step of {prop.name} errs: {describe(site, problem.value)}",
                    source=machine.source,
                    span=prop.span,
                    help=f"check {abstraction.machine.source.name} by itself",
                )
            for _, _, target in done:
                if target not in found:
                    found[target] = image_of(abstraction, target)
                    waiting.append(target)
                self.pairs[image, found[target]] = None
            if len(found) > MAX_STATES or len(self.pairs) > MAX_EDGES:
                many = len(found) > MAX_STATES
                self.too_large = f"more than {MAX_STATES:,} states" if many else f"more than {MAX_EDGES:,} steps"
                return


def image_of(abstraction: Abstraction, state: State) -> Value:
    """A state of the abstract machine as the record that the mapping gives for it."""
    values: list[Value] = []
    for var in abstraction.machine.variables:
        role = None if var.role is None else abstraction.machine.roles[var.role]
        if role is None or role.single:
            values.append(renumbered(var.type, state[var.slot], abstraction.shift))
        else:
            slots = range(var.slot, var.slot + role.size)
            values.append(tuple(renumbered(var.type, state[slot], abstraction.shift) for slot in slots))
    return tuple(values)


def state_of(abstraction: Abstraction, image: Value, like: State) -> State:
    """The abstract state of an image. `like` is any state of the machine, for its parts that no step changes."""
    back = {role: -by for role, by in abstraction.shift.items()}
    state = list(like)
    for var, value in zip(abstraction.machine.variables, image, strict=True):
        role = None if var.role is None else abstraction.machine.roles[var.role]
        values = (value,) if role is None or role.single else value
        # the type is that of the abstract machine, whose roles have the same names here
        state[var.slot : var.slot + len(values)] = (renumbered(var.type, v, back) for v in values)
    return tuple(state)


def renumbered(t: Type, value: Value, shift: Mapping[str, int]) -> Value:
    """A value in which processes have other numbers: those of each role, moved by a number."""
    match t:
        case ProcT(roles):
            return value + shift[roles[0].name]
        case OptT(inner):
            return None if value is None else renumbered(inner, value, shift)
        case RecordT(_, fields):
            return tuple(renumbered(f, v, shift) for (_, f), v in zip(fields, value, strict=True))
        case SetT(elem):
            return frozenset(renumbered(elem, v, shift) for v in value)
        case MapT(_, inner):
            return tuple(renumbered(inner, v, shift) for v in value)
        case SeqT(elem):
            return tuple(renumbered(elem, v, shift) for v in value)
        case BagT(elem):
            return tuple(sorted((renumbered(elem, v, shift) for v in value), key=order_key))
    return value
