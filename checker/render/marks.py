"""Which states of a small graph violate what, for marking them in a drawing.

The search remembers only the first violation of each property. A drawing wants all of them, so each state is looked at
again: its invariants, whether a step out of it errs (`NoError`), and whether it is a dead end (`NoDeadlock`). The rules are
those of the search; a test compares the two on the states that the search names.
"""

from __future__ import annotations

from checker.engine.graph import StateGraph
from checker.engine.program import Predicate
from checker.engine.runtime import Fail, State


def violating_states(graph: StateGraph) -> dict[int, tuple[str, ...]]:
    """The names of the properties that each state violates, by the number of the state; states without any are left out."""
    steps = graph.labels.steps
    program, counters = steps.program, steps.counters
    result: dict[int, tuple[str, ...]] = {}
    for number, state in enumerate(graph.states):
        names = [c.name for c in program.invariants if not _holds(c.test, state)]
        refused = counters.limit_cut
        done, failed = steps.expand(state)
        if failed:
            names.append("NoError")
        elif not (program.final is not None and _holds(program.final, state)):
            alive = counters.limit_cut > refused or any(
                target != state and not steps.units[unit].fault and not move.forged and move.torn is None
                for unit, move, target in done
            )
            if not alive:
                names.append("NoDeadlock")
        if names:
            result[number] = tuple(names)
    return result


def _holds(test: Predicate, state: State) -> bool:
    """A property that cannot be evaluated in a state is not violated there; the check reports it."""
    try:
        return bool(test(state))
    except Fail:
        return True
