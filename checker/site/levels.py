"""How many states of a check there are at each depth: what the histogram of a page shows.

The engines report how deep a state space is, and not how wide at each depth. A small check is explored by the interpreter
once more, which numbers its states in order of depth; a large one by the native engine, which counts its levels. Symmetry is
left out, so that every state counts.
"""

from __future__ import annotations

from dataclasses import replace

from checker.api import LoadedSpec
from checker.engine.interface import Limits, Stop
from checker.engine.search import Search
from checker.native.choose import FIRST_STATES, missing

LONGEST = 60.0
"""Seconds after which counting is given up; the page then has no histogram."""


def levels_of(spec: LoadedSpec, check: str, states: int) -> tuple[int, ...]:
    """The sizes of the levels of a check that is known to have so many states; empty where they cannot be had."""
    machine = replace(spec.machine(check), symmetric=())
    limits = Limits(timeout=LONGEST)
    if states > FIRST_STATES and missing() is None:
        from checker.native.code.width import Unsupported
        from checker.native.engine import NativeEngine
        from checker.native.jit import JitError, unavailable

        counted: list[tuple[int, ...]] = []
        if unavailable() is None:
            engine = NativeEngine(coverage=False, look=lambda search: counted.append(tuple(search.explorer.levels)))
            try:
                engine.explore(machine, limits)
            except (Unsupported, JitError):
                counted.clear()
        if counted:
            return _checked(counted[0], states)
    search = Search(machine)
    if search.run(limits).stop is not Stop.DONE:
        return ()
    ends = [*search.levels[1:], len(search.states)]
    return _checked(tuple(end - start for start, end in zip(search.levels, ends, strict=True)), states)


def _checked(levels: tuple[int, ...], states: int) -> tuple[int, ...]:
    """The levels without empty ones at the end, if they are all of the states."""
    while levels and not levels[-1]:
        levels = levels[:-1]
    return levels if sum(levels) == states else ()
