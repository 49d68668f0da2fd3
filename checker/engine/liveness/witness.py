"""Witnesses: a lasso gets the names of its steps, and is checked against the step relation alone.

Nothing of the graph is used here but the states of the lasso. Each step is found again by expanding its source; then the
conditions of fairness are counted anew: a unit that all states of the cycle enable (weak), or that some state of it enables
(strong), has to be taken by a step of the cycle. Where a step between two states takes several units, a run takes
them in turn, round after round, so all of them count.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from checker.engine.interface import Path
from checker.engine.labels import Labels
from checker.engine.liveness.graph import UnitKey, UnitsOf
from checker.engine.moves import Move, Successor
from checker.engine.runtime import State
from checker.engine.steps import Steps


class NoWitness(Exception):
    """The step relation does not have this lasso: a mistake of this program. `args[0]` says what is missing."""


class Witness:
    """Gives paths and lassos the names of their steps."""

    def __init__(self, steps: Steps, labels: Labels) -> None:
        self._steps = steps
        self._labels = labels
        self._units = UnitsOf(steps)

    def path(self, states: Sequence[State]) -> Path:
        """A path through states. Raises `NoWitness` where there is no step between two of them."""
        return Path(tuple(states), tuple(self._labels.step(self._between(a, b)[0][1]) for a, b in pairwise(states)))

    def lasso(self, states: Sequence[State], loop: int) -> Path:
        """A lasso, whose last state is that at `loop` again; where that is the last itself, the run stutters there.

        Raises `NoWitness` where the run is none, or is not fair.
        """
        stem = self.path(states[: loop + 1])
        if loop == len(states) - 1:
            if self._enabled(states[-1]):
                raise NoWitness("a fair step is enabled where the run is said to stutter for ever")
            return Path(stem.states, stem.steps, loop=loop)
        if states[loop] != states[-1]:
            raise NoWitness("the cycle is not closed")
        enabled = [self._enabled(state) for state in states[loop:-1]]
        rest = set.intersection(*({u for u, kind in units.items() if kind == "weak"} for units in enabled))
        rest |= {u for units in enabled for u, kind in units.items() if kind == "strong"}
        names = []
        for a, b in pairwise(states[loop:]):
            moves = self._between(a, b)
            if a == b:  # only chance leads back to where a step began, other steps would be stuttering
                moves = [step for step in moves if any(label == "toss" for label, _ in step[1].labels)] or moves
            taken = {
                self._units.key(number, move): move for number, move, _ in moves if self._units.is_fair(number, move)
            }
            wanted = [move for key, move in taken.items() if key in rest]
            names.append(self._labels.step(wanted[0] if wanted else moves[0][1]))
            rest -= set(taken)
        if rest:
            raise NoWitness("the cycle is not fair")
        return Path(tuple(states), (*stem.steps, *names), loop=loop)

    def _expanded(self, state: State) -> list[Successor]:
        """The steps of a state. What the search counts stays as it is."""
        counters, program = self._steps.counters, self._steps.program
        saved = counters.limit_cut, dict(counters.empty_choices), program.dropped.count
        done, _ = self._steps.expand(state)
        counters.limit_cut, counters.empty_choices, program.dropped.count = saved
        return done

    def _between(self, before: State, after: State) -> list[tuple[int, Move, State]]:
        found = [step for step in self._expanded(before) if step[2] == after]
        if not found:
            raise NoWitness("there is no step between two states of a run")
        return found

    def _enabled(self, state: State) -> dict[UnitKey, str]:
        """The fair units that a state enables, with their fairness."""
        return {
            self._units.key(number, move): self._units.fairness[number]
            for number, move, target in self._expanded(state)
            if target != state and self._units.is_fair(number, move)
        }
