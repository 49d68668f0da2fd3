"""From kept states to the path that everybody sees, which the interpreter has walked.

With symmetry, native code keeps canonical states, and a step leads to some state of the orbit of the next one, not to that one
itself. So a path is walked again: from the first initial state in the right orbit, at each state with the first step into
the next orbit. It ends in a state of the orbit in which something was noticed, and instances have their own names.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import cached_property
from itertools import pairwise

from checker.engine.canonical import Canonical
from checker.engine.interface import Path
from checker.engine.moves import Move, Successor
from checker.engine.replay import Mismatch
from checker.engine.runtime import State
from checker.engine.search import Search
from checker.native import abi
from checker.native.code.module import Plan
from checker.native.explorer import Explorer


class Retracing:
    """The paths to the states of one exploration."""

    explorer: Explorer

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.machine = plan.machine
        self.detour: Sequence[int] = ()
        """References of states on a path that leads elsewhere than to where they were found from."""

    @cached_property
    def reference(self) -> Search:
        """The interpreter, which says what native code only notices."""
        return Search(self.machine)

    @cached_property
    def canonical(self) -> Canonical:
        """What tells the orbits of states, where symmetry is used."""
        return Canonical(self.reference.program.layout)

    def state(self, ref: int) -> State:
        """The state with a reference."""
        return self.plan.packed.unpack(list(self.explorer.state(ref)))

    def path(self, ref: int) -> Path:
        """The path to a state."""
        return self._real(self._states(ref))

    def trace(self, parent: int, state: State) -> Path:
        """The path to a state that was found from a parent."""
        before = () if parent == abi.NO_PARENT else self._states(parent)
        return self._real((*before, state))

    def named(self, states: tuple[State, ...]) -> Path:
        """The path through some states, with the names of its steps."""
        return Path(states, tuple(self._step(a, b) for a, b in pairwise(states)))

    def expanded(self, state: State):  # type: ignore[no-untyped-def]
        """The interpreter's steps of a state; its counters stay as they are."""
        steps, program = self.reference.steps, self.reference.program
        counters = steps.counters
        saved = counters.limit_cut, dict(counters.empty_choices), program.dropped.count
        result = steps.expand(state)
        counters.limit_cut, counters.empty_choices, program.dropped.count = saved
        return result

    def _states(self, ref: int) -> tuple[State, ...]:
        """The kept states on the way to one of them."""
        way = self.detour
        way = way[: way.index(ref) + 1] if ref in way else self.explorer.path(ref)
        return tuple(map(self.state, way))

    def _real(self, states: tuple[State, ...]) -> Path:
        """The path through kept states, which with symmetry stand for their orbits."""
        if self.plan.orders is None:
            return self.named(states)
        initial, name = self.reference.program.initial_states(), self.reference.labels.step
        return retraced(states, self.canonical, initial, lambda s: self.expanded(s)[0], name)

    def _step(self, before: State, after: State) -> str:
        """The name of the step between two states, which the interpreter has to find, too."""
        done, _ = self.expanded(before)
        for _, move, target in done:
            if target == after:
                return self.reference.labels.step(move)
        raise Mismatch("native code took a step that the interpreter does not have", path=Path((before, after), ()))


def retraced(
    orbits: Sequence[State],
    canonical: Canonical,
    initial: Iterable[State],
    expanded: Callable[[State], Sequence[Successor]],
    name: Callable[[Move], str],
) -> Path:
    """The first real path through the orbits of some states. Raises `Mismatch` where there is none."""
    keys = [canonical(state)[0] for state in orbits]
    here = next((s for s in initial if canonical(s)[0] == keys[0]), None)
    if here is None:
        raise Mismatch("native code began in an orbit without an initial state")
    states, steps = [here], []
    for key in keys[1:]:
        step = next(((move, to) for _, move, to in expanded(here) if canonical(to)[0] == key), None)
        if step is None:
            raise Mismatch("native code took a step into an orbit that the interpreter does not reach")
        move, here = step
        states.append(here)
        steps.append(name(move))
    return Path(tuple(states), tuple(steps))
