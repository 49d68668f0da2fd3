"""What a spec has and an exploration never needed: messages and parts of guards, as counts of steps tell, and enum values.

**Messages.** A kind that a handler which fired sends, that some handler takes, and that none ever took.

**Guards.** A conjunct counts as false where it is the first of its guard that is: those before it hold then, and those behind
it are not evaluated. So one that was never false refused nothing that the ones before it let through, and without it the check
would find the same. Only handlers that fired are looked at; the others are reported as such. A conjunct that reads nothing but
constants is a switch of the spec, and another check may set it differently; it is left out. Conjuncts are numbered through all
guards of a machine, in the order of its steps.

**Antecedents.** What stands left of `=>` in invariants and step properties, and left of `~>` in the live properties that are
judged. Where it was true of no state, or no step, the property holds of nothing.

**Enum values** that no variable ever had.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from checker.engine.runtime import State
from checker.model.fold import FoldError, NotConstant, fold
from checker.model.ir import Expr
from checker.model.liveness import asked
from checker.model.machine import Machine
from checker.model.types import BagT, EnumT, MapT, OptT, RecordT, SeqT, SetT, Type
from checker.model.walk import conjuncts, sent_kinds


def antecedents(machine: Machine, over: Literal["states", "steps"]) -> list[tuple[str, Expr]]:
    """The antecedents over states or over steps: the text of each, and the question whether it is true."""
    if over == "steps":
        judged = [p for p in machine.properties if p.kind == "step"]
    else:
        judged = [p for p in machine.properties if p.kind == "invariant"] + asked(machine)
    return [a for p in judged for a in p.antecedents]


def first_numbers(machine: Machine) -> list[int]:
    """For each step, the number of the first conjunct of its guard, and at the end how many there are in all."""
    numbers = [0]
    for step in machine.steps:
        numbers.append(numbers[-1] + len(step.conjuncts))
    return numbers


def never_false(machine: Machine, fired: Sequence[int], blocked: Sequence[int]) -> tuple[str, ...]:
    """The conjuncts that were never false, as text with their place.

    Args:
        machine: What was explored, to its end.
        fired: How often each step fired, by its number.
        blocked: For each conjunct, whether it was the first false one at least once.
    """
    found = []
    numbers = first_numbers(machine)
    for i, step in enumerate(machine.steps):
        if step.guard is None or not fired[i]:
            continue
        for n, (text, part) in enumerate(zip(step.conjuncts, conjuncts(step.guard), strict=True), numbers[i]):
            if not blocked[n] and not _is_constant(part):
                place, _, condition = text.partition(": ")
                found.append(f"{place}: {step.label} when {condition}")
    return tuple(found)


def never_received(machine: Machine, fired: Sequence[int]) -> tuple[str, ...]:
    """The message kinds that were sent, in a step that fired, and never received."""
    handled: set[str] = set()
    taken: set[str] = set()
    sent: set[str] = set()
    for step, count in zip(machine.steps, fired, strict=False):
        if step.kind in ("message", "ignore"):
            handled.add(step.name)
            if count:
                taken.add(step.name)
        if count:
            sent |= sent_kinds(step.body, machine.procedures)
    return tuple(kind for kind in machine.messages if kind in handled & sent - taken)


def _is_constant(e: Expr) -> bool:
    try:
        fold(e)
    except NotConstant:
        return False
    except FoldError:
        return True
    return True


def unused_enum_values(machine: Machine, states: Sequence[State]) -> tuple[str, ...]:
    """Enum values that no variable of that enum ever had. Only enums that some variable holds are looked at."""
    seen: dict[EnumT, set[int]] = {}
    for var in machine.variables:
        copies = 1 if var.role is None else machine.roles[var.role].size
        if not _enums(var.type):
            continue
        for slot in range(var.slot, var.slot + copies):
            for value in {state[slot] for state in states}:
                _collect(var.type, value, seen)
    return tuple(f"{t.name}.{v}" for t, used in seen.items() for i, v in enumerate(t.values) if i not in used)


def _enums(t: Type) -> bool:
    match t:
        case EnumT():
            return True
        case OptT(inner):
            return _enums(inner)
        case SetT(elem) | SeqT(elem) | BagT(elem):
            return _enums(elem)
        case MapT(_, value):
            return _enums(value)
        case RecordT(_, fields):
            return any(_enums(f) for _, f in fields)
    return False


def _collect(t: Type, value: object, seen: dict[EnumT, set[int]]) -> None:
    match t:
        case EnumT():
            seen.setdefault(t, set()).add(value)  # type: ignore[arg-type]
        case OptT(inner) if value is not None:
            _collect(inner, value, seen)
        case SetT(elem) | SeqT(elem) | BagT(elem):
            for part in value:  # type: ignore[attr-defined]
                _collect(elem, part, seen)
        case MapT(_, inner):
            for part in value:  # type: ignore[attr-defined]
                _collect(inner, part, seen)
        case RecordT(_, fields):
            for (_, field), part in zip(fields, value, strict=True):  # type: ignore[call-overload]
                _collect(field, part, seen)
