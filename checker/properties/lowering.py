"""What a constant or a fault budget is worth: the same check explored again with it lowered by one.

Constants that are numbers and are not defined from others, and every fault budget of the check, one at a time. What cannot be
lowered (a range that would be empty, a type that does not allow it) says so with the reason. The time is shared out: each
exploration may use its part of what is left. One that is cut off gives a bound, or nothing, and never a made-up factor.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace

from checker.base.diagnostics import SpecError
from checker.engine.interface import Exploration, Limits, Stop
from checker.model.machine import Machine
from checker.model.values import Value
from checker.native.choose import engine_named
from checker.properties.explanation import Change

LEAST_SECONDS = 0.2
"""With less time left, an exploration is not begun."""

Make = Callable[[Mapping[str, Value]], Machine]


def changes(
    machine: Machine, found: Exploration, names: tuple[str, ...], make: Make, limits: Limits
) -> Iterator[Change]:
    """Explores each lowered form of a check.

    Args:
        machine: The check itself.
        found: What came of it.
        names: The constants to lower.
        make: The machine of the check with constants from outside.
        limits: Of states and memory for each exploration, of time for all of them.
    """
    deadline = None if limits.timeout is None else time.perf_counter() + limits.timeout
    wanted: list[tuple[Change, Callable[[], Machine]]] = []
    for name in names:
        value = int(machine.constants[name][1])
        overrides = {**machine.overrides, name: value - 1}
        wanted.append((Change(name, "constant", value), lambda overrides=overrides: make(overrides)))  # type: ignore[misc]
    for budget in machine.budgets:
        if budget.count:
            fewer = tuple(replace(b, count=b.count - (b is budget)) for b in machine.budgets)
            lowered = replace(machine, budgets=fewer)
            wanted.append((Change(budget.key, "fault", budget.count), lambda lowered=lowered: lowered))  # type: ignore[misc]
    engine = engine_named("auto")
    interrupted = False
    for i, (change, build) in enumerate(wanted):
        left = None if deadline is None else (deadline - time.perf_counter()) / (len(wanted) - i)
        if interrupted:
            yield replace(change, reason="interrupted")
        elif left is not None and left < LEAST_SECONDS:
            yield replace(change, reason="no time was left")
        else:
            try:
                result = engine.explore(build(), replace(limits, timeout=left))
            except SpecError as problem:
                yield replace(change, reason=f"cannot be lowered: {problem.diagnostics[0].message}")
                continue
            interrupted = result.stop is Stop.INTERRUPTED
            yield _judged(change, found, result)


def _judged(change: Change, found: Exploration, lowered: Exploration) -> Change:
    """Compares two explorations, either of which may have been cut off."""
    whole, complete = found.stop is Stop.DONE, lowered.stop is Stop.DONE
    change = replace(change, states=lowered.states, complete=complete)
    factor = found.states / max(lowered.states, 1)
    if complete:
        return replace(change, factor=factor, bound="exactly" if whole else "at least")
    reason = f"cut off by the {lowered.stop.value}" if lowered.stop is not Stop.INTERRUPTED else "interrupted"
    return replace(change, factor=factor if whole else None, bound="at most", reason=reason)
