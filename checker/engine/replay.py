"""Going a path again, by the step relation alone.

A path is states with the names of steps between them. Whoever made it (a search, native code, a simulation, a file from
elsewhere), the interpreter can go it again: every state but the first has to be where a step of that name leads to. Where it is
not, two parts of this program disagree. That is a `Mismatch`: a mistake of this program, and no result.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from checker.engine.interface import Path
from checker.engine.labels import Labels
from checker.engine.moves import Failure, Successor
from checker.engine.runtime import State
from checker.engine.steps import Steps
from checker.model.machine import Machine


class Mismatch(Exception):
    """An engine and the interpreter disagree. `args[0]` says about what; the rest is for a report, as far as it is known."""

    def __init__(
        self, text: str, *, machine: Machine | None = None, engine: str | None = None, path: Path | None = None
    ) -> None:
        super().__init__(text)
        self.machine = machine
        self.engine = engine
        self.path = path


class Replay:
    """Goes paths of one machine. What it expands counts for nothing."""

    def __init__(self, steps: Steps, labels: Labels | None = None) -> None:
        self.steps = steps
        self.labels = labels or Labels(steps)

    def expand(self, state: State) -> tuple[list[Successor], list[Failure]]:
        """The enabled steps of a state and those that err, without a trace in any counter."""
        with self.steps.uncounted():
            return self.steps.expand(state)

    def names(self, before: State, after: State) -> list[str]:
        """The names of all steps from one state to another, in order."""
        done, _ = self.expand(before)
        return [self.labels.step(move) for _, move, target in done if target == after]

    def named(self, states: Sequence[State]) -> Path:
        """The path through some states, with the names of its steps.

        Raises:
            Mismatch: there is no step between two of them.
        """
        steps: list[str] = []
        for number, (before, after) in enumerate(pairwise(states), 1):
            found = self.names(before, after)
            if not found:
                machine = self.steps.machine
                path = Path(tuple(states), tuple(steps))
                raise Mismatch(f"there is no step to state {number} of a path", machine=machine, path=path)
            steps.append(found[0])
        return Path(tuple(states), tuple(steps))
