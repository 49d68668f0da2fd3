"""Real paths through states of which native code keeps one for each orbit.

Native code keeps canonical states, and a step leads to some state of the orbit of the next one, not to that one itself. So a path
is walked again by the interpreter: from the first initial state in the right orbit, at each state with the first step into
the next orbit. It ends in a state of the orbit in which something was noticed, and instances have their own names.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from checker.engine.canonical import Canonical
from checker.engine.interface import Path
from checker.engine.moves import Move, Successor
from checker.engine.replay import Mismatch
from checker.engine.runtime import State


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
