"""Choices that Hypothesis draws and shrinks: one shrinker for schedule, faults and data together.

A *play* is one run of anything whose nondeterminism comes through `choose(n)`, which answers with a number below n. Whoever
writes a play orders its options so that 0 is the dullest one: deliver the oldest message, no fault, no delay. Hypothesis then
makes runs of chance, and from the first that fails it takes choices away and makes them smaller, for as long as the run still
fails. What remains is a list of small numbers, and that list is all that it takes to do the same again: `replayed` answers
with it, and with 0 behind its end.

A play has to do the same for the same choices. One that does not is reported as `flaky`, with the last run that failed.

Hypothesis is imported when it is needed, since only tests have it (the extra `dev` or `testing`).

Source: D. MacIver and A. Donaldson, "Test-case reduction via test-case generation: insights from the Hypothesis reducer",
ECOOP 2020.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import log
from random import Random
from typing import Generic, Protocol, TypeVar

from checker.base.data import dataclass

F = TypeVar("F")
C_co = TypeVar("C_co", covariant=True)

Choose = Callable[[int], int]
"""Answers the question which of so many options is taken, counted from 0."""


class Play(Protocol[C_co]):
    """One run; the result is what failed, None where nothing did."""

    def __call__(self, choose: Choose, /) -> C_co | None: ...


class ChoiceError(Exception):
    """A list of choices does not fit the run: it is of another spec, or of another implementation."""


class MissingHypothesis(Exception):
    """Hypothesis is not installed."""

    def __init__(self) -> None:
        super().__init__("exploring needs Hypothesis, which is not installed: pip install 'lockstep[testing]'")


@dataclass(frozen=True, slots=True)
class Failing(Generic[F]):
    """A run that failed: what came of it, and the choices that lead there again."""

    found: F
    choices: tuple[int, ...]
    flaky: bool = False


class Script:
    """Answers with a list of choices, and with 0 behind its end."""

    def __init__(self, choices: Sequence[int]) -> None:
        self._choices = tuple(choices)
        self._at = 0

    def __call__(self, options: int) -> int:
        """The next choice.

        Raises:
            ChoiceError: it is none of the options.
        """
        if options < 2:
            return 0
        if self._at >= len(self._choices):
            return 0
        choice = self._choices[self._at]
        self._at += 1
        if not 0 <= choice < options:
            raise ChoiceError(
                f"choice {self._at} is {choice}, but only {options} options are there: the choices are those of another spec, "
                "check or implementation"
            )
        return choice


def search(play: Play[F], *, seed: int, runs: int, shrink: bool = True) -> Failing[F] | None:
    """Makes runs until one fails, and shrinks that one, if it is to be read. The same seed gives the same runs.

    Raises:
        MissingHypothesis: see there.
    """
    try:
        from hypothesis import HealthCheck, Phase, Verbosity, given, settings, strategies
        from hypothesis import seed as seeded
        from hypothesis.errors import Flaky
    except ImportError:
        raise MissingHypothesis from None

    ended: list[Failing[F]] = []

    @seeded(seed)
    @settings(
        max_examples=runs,
        database=None,
        deadline=None,
        phases=(Phase.generate, Phase.shrink) if shrink else (Phase.generate,),
        suppress_health_check=list(HealthCheck),
        verbosity=Verbosity.quiet,
        print_blob=False,
        report_multiple_bugs=False,
        derandomize=False,
    )
    @given(strategies.data())
    def attempt(data: strategies.DataObject) -> None:
        taken: list[int] = []

        def choose(options: int) -> int:
            if options < 2:
                return 0
            taken.append(data.draw(strategies.integers(0, options - 1)))
            return taken[-1]

        found = play(choose)
        if found is not None:
            while taken and not taken[-1]:
                taken.pop()
            ended[:] = [Failing(found, tuple(taken))]
            raise _Failed

    flaky = False
    try:
        attempt()
    except _Failed:
        pass
    except Flaky:
        flaky = True
    if not ended:
        return None
    (failing,) = ended  # Hypothesis ends with the smallest run
    again = play(Script(failing.choices))
    return Failing(failing.found if again is None else again, failing.choices, flaky or again is None)


class _Failed(Exception):
    """Tells Hypothesis that a run failed."""


RESOLUTION = 64
"""How finely a drawn number between 0 and 1 is divided."""


class DrawnRandom(Random):
    """Chance whose answers are choices, so that 0 is the dull one: nothing is lost or doubled, nothing takes time, the first
    is taken.

    After `most` choices all answers are dull, since a run that goes on for long asks more often than can be drawn and shrunk.
    """

    def __init__(self, choose: Choose, *, most: int = 1_000) -> None:
        super().__init__(0)
        self._choose = choose
        self._left = most

    def _draw(self, options: int) -> int:
        if self._left <= 0:
            return 0
        self._left -= 1
        return self._choose(min(options, 1 << 16))

    def random(self) -> float:
        """Near 1 where 0 is drawn: whoever compares it with a small probability gets the answer no."""
        return 1 - (self._draw(RESOLUTION) + 1) / (RESOLUTION + 1)

    def getrandbits(self, k: int, /) -> int:
        return self._draw(1 << min(k, 16))

    def randrange(self, start: int, stop: int | None = None, step: int = 1) -> int:
        options = range(start) if stop is None else range(start, stop, step)
        if not options:
            raise ValueError("empty range")
        return options[min(self._draw(len(options)), len(options) - 1)]

    def uniform(self, a: float, b: float) -> float:
        return a + (b - a) * self._draw(RESOLUTION + 1) / RESOLUTION

    def expovariate(self, lambd: float = 1.0) -> float:
        return -log(1 - self._draw(RESOLUTION) / RESOLUTION) / lambd
