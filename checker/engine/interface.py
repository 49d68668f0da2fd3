"""What an engine is, seen from outside.

An engine explores a machine within limits and returns an `Exploration`: counts, and for each property what was found,
with a path of states and steps. Judging that against what the author expects is not its business (`checker.properties`).
Every engine must give equal counts, verdicts and paths for the same machine; `contract` is the suite that proves it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import field
from enum import Enum
from typing import Protocol

from checker.base.data import dataclass
from checker.base.diagnostics import Diagnostic
from checker.engine.runtime import State
from checker.model.machine import Machine


@dataclass(frozen=True, slots=True)
class Limits:
    """Where an exploration stops although it is not at its end. None: no limit. Memory in bytes, time in seconds.

    `max_states` counts the states that are kept: one for each orbit, where symmetry is used.
    """

    max_states: int | None = None
    max_memory: int | None = None
    timeout: float | None = None


@dataclass(frozen=True, slots=True)
class Progress:
    """How far an exploration is. `queue` is the number of states found but not explored yet; `memory` in bytes.

    Of a simulation, `transitions` are steps taken, and `runs` of `planned` runs are done (None: as many as there is time for).
    """

    states: int
    transitions: int
    depth: int
    queue: int
    seconds: float
    memory: int
    runs: int | None = None
    planned: int | None = None


class Stop(Enum):
    """Why an exploration ended."""

    DONE = "complete"
    STATES = "state limit"
    MEMORY = "memory limit"
    TIME = "time limit"
    INTERRUPTED = "interrupted"
    SAMPLED = "sampled"
    """A simulation made all its runs."""


@dataclass(frozen=True, slots=True)
class Path:
    """States with the names of the steps between them: one more state than steps. `error` names a step that erred at its end.

    `loop` is set where the path is a run without end: the last state equals the one with this number, and the run goes on from
    there as it did before. Where that is the number of the last state itself, nothing happens any more.
    """

    states: tuple[State, ...]
    steps: tuple[str, ...]
    error: str | None = None
    loop: int | None = None


@dataclass(frozen=True, slots=True)
class Finding:
    """Something found about a property: the first in breadth-first order, so its path is a shortest one.

    `error` is set where the property, or a step, could not be evaluated. `note` says more about a violation, in one line.
    """

    path: Path
    error: Diagnostic | None = None
    note: str | None = None


@dataclass(frozen=True, slots=True)
class Tally:
    """Counts for coverage, by the names of `engine.steps.Unit`, and what never happened."""

    units: Mapping[str, int] = field(default_factory=dict)
    vacuous: tuple[str, ...] = ()
    enum_values: tuple[str, ...] = ()
    never_received: tuple[str, ...] = ()
    empty_choices: Mapping[str, int] = field(default_factory=dict)
    bound_cut: int = 0
    limit_cut: int = 0
    dropped: int = 0
    never_false: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a simulation found something: the seed of the run, its length until then, and whether its path is 1-minimal."""

    seed: int
    steps: int
    minimal: bool


@dataclass(frozen=True, slots=True)
class Sample:
    """How much a simulation tried.

    Attributes:
        seed: of the first run; the others count up from it.
        runs: how many runs were made to their end; `length` is the most steps that one could have.
        schedule: who chose the steps, one of `simulation.schedules.SCHEDULES`; `depth` is what PCT looked for.
        counted: whether `Exploration.states` is the number of different states; otherwise there were more.
        origins: for each finding, by the name of its property: where it was found.
    """

    seed: int
    runs: int
    length: int
    schedule: str
    depth: int
    counted: bool
    origins: Mapping[str, Origin]


@dataclass(frozen=True, slots=True)
class Exploration:
    """What an engine found.

    Attributes:
        stop: whether the whole state space was explored, or what ended it.
        violations: for each violated invariant, step property or live property, `NoError` and `NoDeadlock`: where.
        reached: for each `reach` property that some state satisfies: where.
        broken: properties that could not be evaluated: where, with the error.
        states, transitions: of the whole state space, however many states stand for others.
        orbits: how many states were explored to stand for all of their orbits; None: each state for itself.
        missed: where the engine kept hashes instead of states, a bound on the probability that it took a state for another,
            and so missed it; None: it kept the states, and nothing can be missed.
        held: live properties that hold. Only a complete exploration judges them, and only if it was asked to.
        open: live properties that were not judged, with the reason.
        sample: how much was tried, where runs were sampled. `states` are then those that runs met, `transitions` the steps taken,
            `depth` the length of the longest run, and paths need not be shortest ones.
        reduced: whether steps were left out whose order does not matter (`reduction`). Then counts are those of a smaller
            graph, paths need not be shortest, and only expected properties of states were looked at.
    """

    engine: str
    stop: Stop
    states: int
    transitions: int
    depth: int
    seconds: float
    violations: Mapping[str, Finding]
    reached: Mapping[str, Finding]
    broken: Mapping[str, Finding]
    tally: Tally
    missed: float | None = None
    held: tuple[str, ...] = ()
    open: Mapping[str, str] = field(default_factory=dict)
    sample: Sample | None = None
    orbits: int | None = None
    reduced: bool = False

    @property
    def kept(self) -> int:
        """How many states were kept: what a limit on states counts."""
        return self.states if self.orbits is None else self.orbits


Observer = Callable[[Progress], None]


class Engine(Protocol):
    """Explores machines."""

    name: str

    def explore(self, machine: Machine, limits: Limits, observe: Observer | None = None) -> Exploration:
        """Explores every reachable state in breadth-first order.

        `observe` is called a few times a second. `KeyboardInterrupt` ends the exploration with what was covered.

        Raises:
            SpecError: the machine cannot be started: an initial value outside its type, a type too large to list.
        """
        ...
