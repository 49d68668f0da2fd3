"""What each step of a spec is to an implementation.

A spec and an implementation drift apart in silence where a step of one has no counterpart in the other. So every step must
be accounted for, in one of four ways:

| | |
|---|---|
| mapped | a method of the adapter carries it out: `@step("RM.Prepare")` |
| `hidden` | the implementation does it by itself and unseen; nothing is called |
| `environment` | the surroundings do it, not the implementation: the network loses a message, time passes; nothing is called |
| `unsupported` | the implementation cannot do it; paths through it are left out, and reported as such |

Steps are named as coverage names them: handlers and own faults as `Role.Step`, `Role.ignore M` and `Role.restart`, and
the steps of the surroundings as they are budgeted, `crash RM`, `stop RM`, `restart RM`, `lose`, `dup`, `cut`, `heal`,
`drift RM`, and `tick`. One declaration serves all checks of a spec: what a check has no budget for may be declared
nevertheless. A step without a declaration, one with two, and a name that is no step are errors, all reported at once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import Enum
from itertools import permutations
from typing import TypeVar

from checker.base.data import dataclass
from checker.base.diagnostics import did_you_mean
from checker.engine.program import Program
from checker.engine.steps import Steps
from checker.model.machine import Machine

Method = TypeVar("Method", bound=Callable[..., None])

_MARK = "_lockstep_steps"


class Treatment(Enum):
    """How a step is accounted for."""

    MAPPED = "mapped"
    HIDDEN = "hidden"
    ENVIRONMENT = "environment"
    UNSUPPORTED = "unsupported"


class MappingError(Exception):
    """An adapter does not account for the steps of its spec. `problems` says for each step what to do."""

    def __init__(self, adapter: str, spec: str, problems: tuple[str, ...]) -> None:
        lines = "".join(f"\n  {problem}" for problem in problems)
        super().__init__(f"{adapter} does not fit the spec {spec}:{lines}")
        self.problems = problems


def step(*units: str) -> Callable[[Method], Method]:
    """Marks the method of an adapter that carries out these steps of the spec."""

    def mark(method: Method) -> Method:
        setattr(method, _MARK, (*getattr(method, _MARK, ()), *units))
        return method

    return mark


@dataclass(frozen=True, slots=True)
class Declarations:
    """The declarations of one adapter: the name of the method of each mapped step, and the treatment of every step."""

    methods: Mapping[str, str]
    treatments: Mapping[str, Treatment]


def declarations_of(adapter: type, machine: Machine) -> Declarations:
    """Collects and checks the declarations of an adapter's class.

    Raises:
        MappingError: a step is not accounted for, is so twice, or is not one of the spec.
    """
    methods: dict[str, str] = {}
    treatments: dict[str, Treatment] = {}
    problems: list[str] = []

    def declare(unit: str, treatment: Treatment, by: str) -> None:
        if unit in treatments:
            before = methods.get(unit, treatments[unit].value)
            problems.append(f"{unit}: declared twice, as {before} and as {by}")
        treatments[unit] = treatment

    for name in sorted({name for cls in adapter.__mro__ for name in vars(cls)}):
        for unit in getattr(getattr(adapter, name), _MARK, ()):
            declare(unit, Treatment.MAPPED, name)
            methods[unit] = name
    for treatment in (Treatment.HIDDEN, Treatment.ENVIRONMENT, Treatment.UNSUPPORTED):
        for unit in getattr(adapter, treatment.value, ()):
            declare(unit, treatment, treatment.value)

    known = possible_units(machine)
    problems += [f"{unit}: no such step in the spec{_hint(unit, known)}" for unit in treatments if unit not in known]
    problems += [
        f'{unit}: not accounted for; write `@step("{unit}")` above the method that does it, or list it as '
        "`hidden`, `environment` or `unsupported`"
        for unit in required_units(machine)
        if unit not in treatments
    ]
    if problems:
        raise MappingError(adapter.__name__, machine.spec, tuple(problems))
    return Declarations(methods, treatments)


def required_units(machine: Machine) -> tuple[str, ...]:
    """Every step of the spec, and every kind of fault that this check has a budget for."""
    units = Steps(Program(machine)).units
    return tuple(dict.fromkeys(u.name for u in units if u.kind != "tick" or u.step is None))


def possible_units(machine: Machine) -> tuple[str, ...]:
    """Every step of the spec, and every kind of fault that some check may have a budget for."""
    faults = [f"{kind} {role}" for role in machine.roles for kind in ("crash", "stop", "restart", "drift")]
    cuts = [f"cut({a}, {b})" for a, b in permutations(machine.roles, 2)]
    general = ["lose", "dup", "cut", "heal", "tick"]
    return tuple(dict.fromkeys([*required_units(machine), *faults, *cuts, *general]))


def _hint(unit: str, known: tuple[str, ...]) -> str:
    hint = did_you_mean(unit, known)
    return f": {hint}" if hint else ""
