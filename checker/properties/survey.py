"""Exploring a check for its explanation: the states themselves, and which step found them.

The interpreter explores up to `WHOLE` states, remembers all of them, and knows what found each. A larger check is explored by
the native engine, of whose states a sample is unpacked, evenly spread over the order in which they were found. What found a
state of the sample, the interpreter says again: it is the first step of its parent that leads there. Where there is no
native engine, the interpreter goes on alone.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from checker.base.data import dataclass
from checker.engine.interface import Exploration, Limits, Observer, Stop
from checker.engine.moves import Move
from checker.engine.runtime import State
from checker.engine.search import Search
from checker.model.machine import Machine
from checker.native.choose import missing

if TYPE_CHECKING:
    from checker.native.search import NativeSearch

WHOLE = 20_000
"""Up to so many states, all are looked at."""

FIRST_SECONDS = 5.0
"""How long the interpreter may take for them."""

SAMPLE = 20_000
"""States that are looked at of a larger check."""

TRACED = 2_000
"""States of a sample of which it is asked what found them."""

TRACED_SECONDS = 10.0

Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Survey:
    """What was found. `states` are all or a sample; `finders` counts the steps that found `traced` of those behind a step."""

    found: Exploration
    states: list[State]
    levels: tuple[int, ...]
    finders: Counter[str]
    traced: int


class Recording(Search):
    """A search that remembers which unit found each state; None for an initial one."""

    def __init__(self, machine: Machine) -> None:
        super().__init__(machine)
        self.found_by: list[int | None] = []

    def _visit(self, state: State, parent: int, move: Move | None) -> None:
        super()._visit(state, parent, move)
        if len(self.states) > len(self.found_by):
            self.found_by.append(None if move is None else move.unit)


def survey(machine: Machine, limits: Limits, observe: Observer | None = None, tell: Tell | None = None) -> Survey:
    """Explores a check within the limits.

    Raises:
        SpecError: as `Engine.explore` does.
    """
    started = time.perf_counter()
    few = WHOLE if limits.max_states is None else min(limits.max_states, WHOLE)
    soon = FIRST_SECONDS if limits.timeout is None else min(limits.timeout, FIRST_SECONDS)
    first = _interpreted(machine, Limits(few, limits.max_memory, soon), observe)
    met = (first.found.stop is Stop.STATES and limits.max_states == few) or (
        first.found.stop is Stop.TIME and limits.timeout == soon
    )
    if first.found.stop not in (Stop.STATES, Stop.TIME) or met:
        return first
    if limits.timeout is not None:
        limits = replace(limits, timeout=max(limits.timeout - (time.perf_counter() - started), 0.001))
    return _native(machine, limits, observe, tell) or _interpreted(machine, limits, observe)


def _interpreted(machine: Machine, limits: Limits, observe: Observer | None) -> Survey:
    search = Recording(machine)
    found = search.run(limits, observe)
    units = search.steps.units
    finders = Counter(units[unit].name for unit in search.found_by if unit is not None)
    ends = [*search.levels[1:], len(search.states)]
    levels = [end - first for first, end in zip(search.levels, ends, strict=True)]
    while levels and not levels[-1]:
        levels.pop()
    return Survey(found, search.states, tuple(levels), finders, finders.total())


def _native(machine: Machine, limits: Limits, observe: Observer | None, tell: Tell | None) -> Survey | None:
    """The survey of the native engine; None where it cannot run, which is told."""
    from checker.native.jit import JitError, unavailable

    tell = tell or (lambda text: None)
    reason = missing() or unavailable()
    if reason is None:
        from checker.native.code.width import Unsupported
        from checker.native.engine import NativeEngine

        samples: list[tuple[list[State], tuple[int, ...], Counter[str]]] = []
        try:
            found = NativeEngine(look=lambda search: samples.append(_sample(search)), tell=tell).explore(
                machine, limits, observe
            )
        except (Unsupported, JitError) as problem:
            reason = str(problem.args[0])
        else:
            ((states, levels, finders),) = samples
            return Survey(found, states, levels, finders, finders.total())
    tell(f"{reason}: the interpreter explores instead")
    return None


def _sample(search: NativeSearch) -> tuple[list[State], tuple[int, ...], Counter[str]]:
    """States of a native search, the sizes of its levels, and what found some of the states."""
    explorer, unpack = search.explorer, search.plan.packed.unpack
    references = explorer.sample(SAMPLE)
    states = [unpack(list(explorer.state(ref))) for ref in references]
    steps = search.reference.steps
    finders: Counter[str] = Counter()
    until = time.perf_counter() + TRACED_SECONDS
    stride = max(1, -(-len(references) // TRACED))
    for ref, state in list(zip(references, states, strict=True))[::stride]:
        parent = explorer.parent(ref)
        if parent is not None:
            done, _ = steps.expand(unpack(list(explorer.state(parent))))
            finders[steps.units[next(unit for unit, _, target in done if target == state)].name] += 1
        if time.perf_counter() > until:
            break
    return states, tuple(n for n in explorer.levels if n), finders
