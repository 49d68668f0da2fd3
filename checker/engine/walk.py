"""Walking through a machine one step at a time: at random, or as somebody chooses.

A walk remembers its states and the names of its steps, so that it can be shown like any other path and go back. It asks the
same step relation as the search, so whatever a walk meets, the search finds.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from enum import Enum

from checker.base.data import dataclass
from checker.base.diagnostics import Diagnostic, did_you_mean, error
from checker.engine.interface import Path
from checker.engine.runtime import State
from checker.engine.search import Search
from checker.model.machine import Machine


@dataclass(frozen=True, slots=True)
class Choice:
    """An enabled step. `target` is None where it errs, and `error` says how."""

    name: str
    target: State | None
    error: Diagnostic | None = None


class End(Enum):
    """Why a walk ended."""

    LENGTH = "as long as asked for"
    STUCK = "no step changes anything"
    ERROR = "a step went wrong"
    STOPPED = "ended by choice"


class Walk:
    """A walk from one of the initial states of a machine. Raises `SpecError` where the machine cannot be started."""

    def __init__(self, machine: Machine) -> None:
        search = Search(machine)
        self._search = search
        self._steps = search.steps
        self.view = search.labels
        self.initial: tuple[State, ...] = tuple(search.program.initial_states())
        self.states: list[State] = [self.initial[0]]
        self.names: list[str] = []
        self.failed: Choice | None = None

    def begin(self, number: int) -> None:
        """Starts anew from an initial state."""
        self.states, self.names, self.failed = [self.initial[number]], [], None

    def choices(self) -> list[Choice]:
        """Every enabled step of the current state, in the order of the search; none behind an error."""
        if self.failed is not None:
            return []
        done, failed = self._steps.expand(self.states[-1])
        found = [Choice(self.view.step(move), target) for _, move, target in done]
        return found + [
            Choice(self.view.step(move), None, self._search.diagnose(problem)) for _, move, problem in failed
        ]

    def take(self, choice: Choice) -> None:
        """Goes one step."""
        if choice.target is None:
            self.failed = choice
        else:
            self.states.append(choice.target)
            self.names.append(choice.name)

    def undo(self) -> bool:
        """Goes one step back; False at the start."""
        if self.failed is not None:
            self.failed = None
        elif self.names:
            self.states.pop()
            self.names.pop()
        else:
            return False
        return True

    def path(self) -> Path:
        """The way so far."""
        return Path(tuple(self.states), tuple(self.names), None if self.failed is None else self.failed.name)


def random_walk(machine: Machine, seed: int, steps: int) -> tuple[Walk, End]:
    """A walk that takes each enabled step with the same chance, but none that changes nothing.

    The same seed gives the same walk on every system.
    """
    chance = random.Random(seed)
    walk = Walk(machine)
    walk.begin(chance.randrange(len(walk.initial)))
    while len(walk.names) < steps:
        choices = [c for c in walk.choices() if c.target != walk.states[-1]]
        if not choices:
            return walk, End.STUCK
        walk.take(choices[chance.randrange(len(choices))])
        if walk.failed is not None:
            return walk, End.ERROR
    return walk, End.LENGTH


def follow(machine: Machine, names: Sequence[str]) -> list[State]:
    """The states that steps of these names lead to from the initial states, each once.

    Raises:
        SpecError: PSM906, where no step of that name is possible in any of the states, or where one goes wrong in one of them.
    """
    walk = Walk(machine)
    states = list(walk.initial)
    for number, name in enumerate(names, 1):
        found: dict[State, None] = {}
        possible: dict[str, None] = {}
        for state in states:
            walk.states = [state]
            for choice in walk.choices():
                possible[choice.name] = None
                if choice.name == name and choice.target is not None:
                    found[choice.target] = None
                elif choice.name == name and choice.error is not None:
                    text = f"step {number}, {name}, goes wrong: {choice.error.message}"
                    raise error("PSM906", text, source=choice.error.source, span=choice.error.span)
        if not found:
            listed = ", ".join(f"`{n}`" for n in possible) or "nothing"
            help = did_you_mean(name, possible) or f"possible is {listed}"
            raise error("PSM906", f"step {number}, {name}, is not possible there", help=help)
        states = list(found)
    return states
