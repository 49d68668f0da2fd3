"""Making a run as short as it can be while it still shows what it showed.

A run is an initial state and a list of draws. Parts of the list are left out and the rest is made again from the start: a draw
that is not possible any more is passed over, and the run ends where the goal shows. This is delta debugging (Zeller and
Hildebrandt: Simplifying and Isolating Failure-Inducing Input, IEEE TSE 2002) with one addition: what is passed over is
gone, so a piece that many others depend on takes them with it.

Large pieces are tried first, then smaller ones, then single draws, from the end to the start, until nothing can be left out
any more. The result is 1-minimal: without any single one of its steps, it does not show the goal. It need not be a shortest run.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from math import inf

from checker.base.data import dataclass
from checker.engine.moves import Failure
from checker.engine.program import Program
from checker.engine.runtime import Fail, State
from checker.engine.simulation.draws import Draws
from checker.engine.simulation.goals import BOUND, Goal, Goals, Where
from checker.engine.simulation.sources import Draw

MOST_STEPS = 1_000_000
"""How many steps are made again at most for one goal."""


@dataclass(frozen=True, slots=True)
class Shown:
    """A run that shows a goal: the states, the draws between them, and the step that errs at the end, with its draw."""

    states: tuple[State, ...]
    draws: tuple[Draw, ...]
    erring: Draw | None = None
    failure: Failure | None = None

    @property
    def all_draws(self) -> tuple[Draw, ...]:
        """The draws, with the one that errs."""
        return self.draws if self.erring is None else (*self.draws, self.erring)


class Shrinker:
    """Makes runs of one machine shorter."""

    def __init__(self, draws: Draws, goals: Goals) -> None:
        self._draws = draws
        self._program: Program = draws.program
        self._goals = goals
        self._left = 0
        self._until = inf

    def shrink(
        self, goal: Goal, start: State, draws: Sequence[Draw], *, until: float | None = None
    ) -> tuple[Shown, bool]:
        """A 1-minimal run that shows the goal, out of one that does; False if it was given up before it was minimal.

        It is given up after `MOST_STEPS`, or where the performance counter comes to `until`.
        """
        self._left, self._until = MOST_STEPS, inf if until is None else until
        best = self.replay(goal, start, draws)
        assert best is not None, "a run shows again what it showed"
        size = max(1, len(best.all_draws) // 2)
        while True:
            shorter = self._without(goal, start, best, size)
            if shorter is not None:
                best = shorter
            elif size == 1:
                return best, True
            if shorter is None or size > len(best.all_draws):
                size = max(1, size // 2)
            if self._tired:
                return best, False

    @property
    def _tired(self) -> bool:
        return self._left <= 0 or time.perf_counter() > self._until

    def _without(self, goal: Goal, start: State, shown: Shown, size: int) -> Shown | None:
        """The run without pieces of this size, as many as can go; None where none can."""
        found = None
        draws = shown.all_draws
        at = len(draws)
        while at > 0 and not self._tired:
            at = max(0, min(at, len(draws)) - size)
            fewer = self.replay(goal, start, (*draws[:at], *draws[at + size :]))
            if fewer is not None:
                found, draws = fewer, fewer.all_draws
        return found

    def replay(self, goal: Goal, start: State, draws: Sequence[Draw]) -> Shown | None:
        """The run that some draws make from a state, as far as they are possible, up to where it shows the goal."""
        goals = self._goals
        states, made = [start], list[Draw]()
        if goals.shows(goal, None, start):
            return Shown((start,), ())
        for draw in draws:
            state = states[-1]
            outcome = self._draws.again(draw, state)
            self._left -= 1
            if outcome is None:
                continue
            unit, move, target = outcome
            if isinstance(target, Fail):
                if goal.where is Where.ERROR and target.site == goal.site:
                    return Shown(tuple(states), tuple(made), draw, (unit, move, target))
                continue
            if target == state and goal.where is not Where.STEP:
                continue
            if goals.shows(goal, state, target):
                return Shown((*states, target), (*made, draw))
            if target == state or not self._inside(goal, target):
                continue
            states.append(target)
            made.append(draw)
        if goals.shows_at_end(goal, states[-1]):
            return Shown(tuple(states), tuple(made))
        return None

    def _inside(self, goal: Goal, state: State) -> bool:
        """Whether the run may go on from a state: the bound of the check holds there."""
        if self._program.bound is None or goal.name == BOUND:
            return True
        try:
            return bool(self._program.bound(state))
        except Fail:
            return False
