"""What a check can say: verdicts, traces, coverage, results.

These are plain immutable data. Everything that shows a result (terminal, JSON, site, pytest) reads these classes and
nothing else, so no engine detail leaks into a view. "Unknown" is a verdict of its own and never green.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from enum import Enum
from typing import Literal

from checker.base.data import dataclass
from checker.base.diagnostics import Diagnostic
from checker.engine.interface import Sample

Json = None | bool | int | float | str | list["Json"] | dict[str, "Json"]
"""A value as it stands in JSON. Ids, instances and enum values are strings, `none` is null."""

Expected = Literal["holds", "fails"]


class Verdict(Enum):
    """The verdict on one property."""

    HOLDS = "holds"
    VIOLATED = "violated"
    UNREACHED = "unreached"
    """Of a `reach` property only: the whole state space was explored, and no state satisfies it."""
    INCOMPLETE = "incomplete"
    """Something was not explored or cannot be judged yet; `PropertyResult.reason` says what."""
    ERROR = "error"
    """The property itself could not be evaluated in some state."""


class CheckVerdict(Enum):
    """The verdict on a check: do all the expectations that its author wrote down come true?"""

    PASS = "pass"
    FAIL = "fail"
    INCOMPLETE = "incomplete"
    ERROR = "error"


class Kind(Enum):
    INVARIANT = "invariant"
    STEP = "step"
    REACH = "reach"
    LIVE = "live"
    REFINES = "refines"
    LINEARIZABLE = "linearizable"
    BUILTIN = "builtin"
    """`NoError` and `NoDeadlock`, which every check has."""


@dataclass(frozen=True, slots=True)
class TraceStep:
    """One step of a trace: its name, and what it changed, as `variable -> new value`.

    The network appears as `"network" -> {"added": [...], "removed": [...]}` with messages as text. `answers` has what
    operations of a `linearizable` object that respond in this step answer, as `Register Reader0.Read -> Val0`.
    """

    step: str
    changes: Mapping[str, Json]
    answers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class AbstractStep:
    """What a step is in the abstract spec of a refinement.

    `step` is the name of the abstract step; it is None where the step stutters (nothing changes) or, with `matched` False, where
    no step of the abstract spec makes these `changes`.
    """

    step: str | None
    changes: Mapping[str, Json]
    matched: bool = True


@dataclass(frozen=True, slots=True)
class AbstractTrace:
    """The abstract side of a trace, one step for each of its steps. `matched`: it begins in an initial state of `spec`."""

    spec: str
    initial: Mapping[str, Json]
    steps: tuple[AbstractStep, ...]
    matched: bool = True


@dataclass(frozen=True, slots=True)
class Trace:
    """A path from an initial state. `initial` has every variable; `len(steps)` is the length that verdicts quote.

    `error` is set when the path ends in a step that could not be carried out (it is not one of `steps`): its name.
    `loop` is set when the path is a run without end: behind the last step, the run is back in the state before step
    `loop + 1`, and goes on from there as it did. Where `loop` is the number of steps, nothing happens any more.
    `abstract` is there where a refinement fails: what the trace is in the abstract spec.
    """

    initial: Mapping[str, Json]
    steps: tuple[TraceStep, ...]
    error: str | None = None
    abstract: AbstractTrace | None = None
    loop: int | None = None

    @property
    def stutters(self) -> bool:
        """Whether it is a run that ends in a state in which nothing happens any more."""
        return self.loop == len(self.steps)


@dataclass(frozen=True, slots=True)
class PropertyResult:
    name: str
    kind: Kind
    expected: Expected | None
    verdict: Verdict
    reason: str | None = None
    """Why the verdict is what it is, in one line, where it is not plain: what erred, why incomplete."""
    trace: Trace | None = None
    """A shortest counterexample; of a `reach` property that holds, a shortest witness."""
    diagnostic: Diagnostic | None = None
    """For errors at run time: the place in the spec, with the offending value."""
    fairness: str | None = None
    """Of a live property that was judged: which steps a run may not ignore for ever, as the verdict assumes."""

    @property
    def met(self) -> bool | None:
        """Whether the expectation is met; None where there is none or the verdict is incomplete or an error."""
        if self.expected is None or self.verdict in (Verdict.INCOMPLETE, Verdict.ERROR):
            return None
        return (self.verdict is Verdict.HOLDS) == (self.expected == "holds")


@dataclass(frozen=True, slots=True)
class CountExpectation:
    """`expect states 288 transitions 1145 depth 10`, and whether it came true; None where it was not judged."""

    states: int
    transitions: int | None
    depth: int | None
    met: bool | None


@dataclass(frozen=True, slots=True)
class Coverage:
    """What the exploration exercised. Handlers are named `Role.Step`; counts are numbers of transitions.

    Attributes:
        steps: how often each handler, `ignore`, timeout and action fired, in the order of the spec, zeros included.
        faults: the same for each declared fault budget (`crash RM`, `lose`); for `byzantine`, how often a forged message
            was taken.
        unreached: `reach` properties that no state satisfied.
        vacuous: what stands left of `=>` in invariants and step properties, and of `~>` in live ones, and was never true, as text
            with its place.
        never_false: conjuncts of guards of handlers that fired which never refused anything, as text with their place.
        enum_values: enum values that no variable of that enum ever had, as `Enum.value`.
        never_received: message kinds that a step which fired sends, but that no step ever took (handlers and `ignore` alike).
        empty_choices: handlers with a `choose` that found nothing to choose from at least once, and how often.
        bound_cut: transitions whose target lies outside the check's `bound`, counted and checked but not explored.
        limit_cut: steps that a handler's `limit` alone refused.
        dropped: messages lost because a network marked `drop` was full.
    """

    steps: Mapping[str, int] = field(default_factory=dict)
    faults: Mapping[str, int] = field(default_factory=dict)
    unreached: tuple[str, ...] = ()
    vacuous: tuple[str, ...] = ()
    enum_values: tuple[str, ...] = ()
    never_received: tuple[str, ...] = ()
    empty_choices: Mapping[str, int] = field(default_factory=dict)
    bound_cut: int = 0
    limit_cut: int = 0
    dropped: int = 0
    never_false: tuple[str, ...] = ()

    @property
    def never_fired(self) -> tuple[str, ...]:
        return tuple(name for name, count in self.steps.items() if count == 0)

    @property
    def unused_faults(self) -> tuple[str, ...]:
        return tuple(name for name, count in self.faults.items() if count == 0)


@dataclass(frozen=True, slots=True)
class CheckResult:
    """The outcome of one check.

    `states` counts distinct states, `transitions` every enabled step of every explored state (self-loops included),
    `depth` the steps of the longest shortest path, `seconds` wall time of the exploration.
    """

    name: str
    verdict: CheckVerdict
    states: int
    transitions: int
    depth: int
    seconds: float
    engine: str
    properties: tuple[PropertyResult, ...]
    coverage: Coverage
    reason: str | None = None
    """What stopped the exploration before its end, why it is not exact, or why the check is in error."""
    counts: CountExpectation | None = None
    notes: tuple[str, ...] = ()
    """Assumptions that a reader of the verdict must know, such as `assumes synchrony`."""
    diagnostics: tuple[Diagnostic, ...] = ()
    """Warnings about the spec; errors, where the check could not run at all (verdict `error`)."""
    sample: Sample | None = None
    """How much was tried, where runs were sampled: `states` are those that they met, `transitions` the steps that they took."""
    reduced: bool = False
    """Whether steps were left out whose order does not matter: counts are those of a smaller graph, and coverage is empty."""
    missed: float | None = None
    """A bound on the probability that a state was missed, where the engine kept hashes of states; None: it is exact."""
    orbits: int | None = None
    """How many states were explored to stand for all that symmetry makes of them; None: every state was explored."""

    def property(self, name: str) -> PropertyResult:
        """The result of the property of that name. Raises KeyError where there is none."""
        for result in self.properties:
            if result.name == name:
                return result
        raise KeyError(name)


@dataclass(frozen=True, slots=True)
class SpecResult:
    path: str
    spec: str
    checks: tuple[CheckResult, ...]
