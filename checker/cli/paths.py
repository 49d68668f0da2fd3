"""The paths that commands show and export: to a property, at random, or by the names of steps."""

from __future__ import annotations

from collections.abc import Sequence

from checker.base.diagnostics import did_you_mean, error
from checker.cli.progress import ProgressLine
from checker.engine.interface import Exploration, Limits, Stop
from checker.engine.liveness.verdicts import listing
from checker.engine.walk import Walk
from checker.lang.resolve import BUILTIN_PROPERTIES
from checker.model.machine import Machine
from checker.native.choose import engine_named
from checker.properties.kinds import CheckResult
from checker.properties.safety import judge


def explored(machine: Machine, name: str, max_states: int | None) -> tuple[Exploration, CheckResult]:
    """What comes of a check, for a look at one of its properties.

    Raises:
        SpecError: PSM901 for an unknown property.
        KeyboardInterrupt: it was interrupted before anything was found.
    """
    known = [*(p.name for p in machine.properties), *BUILTIN_PROPERTIES]
    if name not in known:
        raise error(
            "PSM901",
            f"{machine.source.name} has no property `{name}`",
            help=did_you_mean(name, known) or f"it has {', '.join(known)}",
        )
    machine = listing(machine, name)
    limits = Limits(max_states=max_states)
    progress = ProgressLine()
    progress.start(f"{machine.spec} {machine.check}", limits)
    try:
        found = engine_named("auto").explore(machine, limits, progress.observe if progress.enabled else None)
    finally:
        progress.stop()
    result = judge(machine, found)
    if result.property(name).trace is None and found.stop is Stop.INTERRUPTED:
        raise KeyboardInterrupt
    return found, result


def named_walk(machine: Machine, steps: Sequence[str]) -> Walk:
    """The walk of steps with these names, from the first initial state that has it.

    Raises:
        SpecError: PSM901, where a step is not possible; it names those that are.
    """
    walk = Walk(machine)
    furthest, possible = -1, list[str]()
    for number in range(len(walk.initial)):
        walk.begin(number)
        for at, step in enumerate(steps):
            choices = walk.choices()
            found = next((c for c in choices if c.name == step), None)
            if found is None:
                if at > furthest:
                    furthest, possible = at, [c.name for c in choices]
                break
            walk.take(found)
        else:
            return walk
    more = f", and {len(possible) - 8} more" if len(possible) > 8 else ""
    raise error(
        "PSM901",
        f"step {furthest + 1}, `{steps[furthest]}`, is not possible there",
        help=did_you_mean(steps[furthest], possible)
        or (f"possible: {', '.join(possible[:8])}{more}" if possible else "no step is possible there"),
    )
