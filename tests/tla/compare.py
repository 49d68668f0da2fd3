"""A check beside its exported module: the same states and steps, and the same verdicts."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

import checker
from checker.base.diagnostics import SpecError
from checker.engine.interface import Exploration, Limits, Stop
from checker.engine.search import Interpreter
from checker.model.machine import Machine
from checker.render.tla import export_tla
from tests.tla.evaluate import Module
from tests.tla.explore import Explored, explore
from tests.tla.rules import check_names
from tests.tla.values import EvalError, TooLarge, note_kinds


@dataclass(frozen=True, slots=True)
class Compared:
    """What was compared; `outcome` is `equal`, or why there was nothing to compare."""

    outcome: str
    machine: Machine | None = None
    states: int = 0


def module_of(machine: Machine) -> Module:
    """The exported module, after it was held to the rules for names."""
    module = Module.read(export_tla(machine).text)
    check_names(module.units)
    return module


def compare(machine: Machine, found: Exploration) -> Compared:
    """Asserts that a module agrees with an exploration that is complete and met no error."""
    module = module_of(machine)
    there = explore(module, constraint="Bound" if machine.bound is not None else None, most=found.states + 1)
    initial = sum(1 for _ in module.initial())
    assert (there.distinct, there.generated - initial) == (found.states, found.transitions)
    kinds: dict[str, set[str]] = {}
    for state in there.states:
        for name in module.variables:
            note_kinds(state[name], kinds)
    assert all(len(k) == 1 for k in kinds.values()), kinds
    _verdicts(machine, found, module, there)
    return Compared("equal", machine, found.states)


def _verdicts(machine: Machine, found: Exploration, module: Module, there: Explored) -> None:
    for prop in machine.properties:
        if prop.judged_as == "invariant" and prop.body is not None and machine.bound is None:
            holds = all(module.holds(prop.name, s) for s in there.states)
            assert holds == (prop.name not in found.violations), prop.name
        elif prop.kind == "step":
            # TLC asks nothing of a step that changes nothing
            holds = all(module.holds(prop.name, s, t) for s, t in there.steps)
            assert holds or prop.name in found.violations, prop.name
        elif prop.kind == "reach" and machine.bound is None:
            assert any(module.holds(prop.name, s) for s in there.states) == (prop.name in found.reached), prop.name
        elif prop.kind == "refines" and prop.body is not None:
            assert _refines(module, prop.name, there) == (prop.name not in found.violations), prop.name
    if "NoDeadlock" in module.operators:
        alive = all(module.holds("NoDeadlock", s) for s in there.states)
        assert alive == ("NoDeadlock" not in found.violations)


def _refines(module: Module, name: str, there: Explored) -> bool:
    """Whether what is explored is, seen as states of the abstract spec, what that does."""
    inner, seen = module.instance(name)
    steps = ((seen(s), seen(t)) for s, t in there.steps)
    starts = list(inner.initial())
    return all(seen(s) in starts for s in module.initial()) and all(
        s == t or t in inner.successors(("name", "Next"), s) for s, t in steps
    )


def compare_text(text: str, *, most: int) -> Compared:
    """Compares the check `c` of a spec, if it is small, has no errors and can be exported."""
    try:
        machine = checker.loads(text).machine("c")
        found = Interpreter().explore(machine, Limits(max_states=most, timeout=10))
    except SpecError:
        return Compared("not a model")
    if found.stop is not Stop.DONE:
        return Compared("large")
    if found.broken or "NoError" in found.violations:
        return Compared("errs")
    try:
        return compare(machine, found)
    except SpecError as problem:
        return Compared("refused" if {d.code for d in problem.diagnostics} == {"PSM920"} else "another error")
    except TooLarge:
        return Compared("sets too large to be listed")


def compare_seeds(make: object, seeds: range, *, most: int) -> list[Compared]:
    """Compares random models."""
    found = []
    for seed in seeds:
        try:
            found.append(compare_text(make(Random(seed)), most=most))  # type: ignore[operator]
        except (AssertionError, EvalError) as problem:
            problem.add_note(f"seed {seed}")
            raise
    return found
