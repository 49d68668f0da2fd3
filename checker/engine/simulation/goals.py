"""What is looked for along a run, and whether a piece of a run shows it.

A goal is one thing to find: a violated invariant or step property, a `reach` that is satisfied, a step that errs, a dead end, a
property that cannot be evaluated. `Goals` holds those that are still wanted and tells which of them a state or a step shows.
While a run is made shorter the same question is asked of one goal alone; an error counts as the same one where it comes
from the same place of the spec.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from enum import Enum

from checker.base.data import dataclass
from checker.engine.program import Program
from checker.engine.runtime import Fail, State
from checker.engine.steps import Steps


class Where(Enum):
    """Where a goal shows."""

    START = "in an initial state"
    STATE = "in a state"
    STEP = "over a step"
    ERROR = "in a step that errs"
    END = "where nothing goes on"


@dataclass(frozen=True, slots=True)
class Goal:
    """Something to find about a property. `site` is the place of an error in the spec, where the finding is an error."""

    name: str
    where: Where
    site: int | None = None
    reached: bool = False

    @property
    def broken(self) -> bool:
        """The property cannot be evaluated."""
        return self.site is not None and self.where is not Where.ERROR


NO_ERROR, NO_DEADLOCK, BOUND = "NoError", "NoDeadlock", "bound"


class Goals:
    """The goals of one machine. What `state`, `step`, `error` and `end` give is not wanted any more."""

    def __init__(self, steps: Steps) -> None:
        program = steps.program
        self.steps = steps
        self._program: Program = program
        self._invariants: dict[str, Callable[..., bool]] = {c.name: c.test for c in program.invariants}
        self._reach: dict[str, Callable[..., bool]] = dict(program.reach)
        self._over: dict[str, Callable[..., bool]] = {c.name: c.test for c in program.step_properties}
        self._first: dict[str, Callable[..., bool]] = dict(program.first)
        """What step properties ask of initial states."""
        self._tests = {**self._invariants, **self._reach, **self._over}
        self._built_in = {NO_ERROR, NO_DEADLOCK, BOUND}

    @property
    def all_found(self) -> bool:
        """Nothing is left to look for."""
        return not (self._invariants or self._reach or self._over or self._built_in - {BOUND})

    # ---- what is shown

    def state(self, state: State) -> list[Goal]:
        """What a state shows."""
        try:
            found = [n for n, test in self._invariants.items() if not test(state)]
            reached = [n for n, test in self._reach.items() if test(state)]
        except Fail:
            return self._taken(self._carefully(state))
        if not found and not reached:
            return []
        return self._taken(
            [Goal(n, Where.STATE) for n in found] + [Goal(n, Where.STATE, reached=True) for n in reached]
        )

    def _carefully(self, state: State) -> Iterator[Goal]:
        for tests, wanted in ((self._invariants, False), (self._reach, True)):
            for name, test in tests.items():
                try:
                    if bool(test(state)) is wanted:
                        yield Goal(name, Where.STATE, reached=wanted)
                except Fail as problem:
                    yield Goal(name, Where.STATE, problem.site)

    def start(self, state: State) -> list[Goal]:
        """What an initial state shows beside what it shows as any other state."""
        found = []
        for name, test in self._first.items():
            try:
                if name in self._over and not test(state):
                    found.append(Goal(name, Where.START))
            except Fail as problem:
                found.append(Goal(name, Where.START, problem.site))
        return self._taken(found)

    def step(self, before: State, after: State) -> list[Goal]:
        """What a step shows."""
        found = []
        for name, test in self._over.items():
            try:
                if not test(before, after):
                    found.append(Goal(name, Where.STEP))
            except Fail as problem:
                found.append(Goal(name, Where.STEP, problem.site))
        return self._taken(found) if found else []

    def error(self, problem: Fail) -> list[Goal]:
        """What a step that errs shows."""
        return self._taken([Goal(NO_ERROR, Where.ERROR, problem.site)] if NO_ERROR in self._built_in else [])

    def end(self, state: State) -> list[Goal]:
        """What a state shows that seems to be the end."""
        if NO_DEADLOCK not in self._built_in:
            return []
        goal = self._dead_end(state)
        return [] if goal is None else self._taken([goal])

    def inside(self, state: State) -> tuple[bool, list[Goal]]:
        """Whether a state lies within the bound of the check, and what is shown if that cannot be said."""
        if self._program.bound is None:
            return True, []
        try:
            return bool(self._program.bound(state)), []
        except Fail as problem:
            return False, self._taken([Goal(BOUND, Where.STATE, problem.site)] if BOUND in self._built_in else [])

    def _taken(self, found: list[Goal] | Iterator[Goal]) -> list[Goal]:
        """The goals, which are not wanted any more."""
        goals = list(found)
        for goal in goals:
            for tests in (self._invariants, self._reach, self._over):
                tests.pop(goal.name, None)
            self._built_in.discard(goal.name)
        return goals

    # ---- whether the same is shown

    def shows(self, goal: Goal, before: State | None, after: State) -> bool:
        """Whether a state, or the step that leads to it, shows a goal that was found before."""
        if goal.where in (Where.ERROR, Where.END):
            return False
        try:
            holds = self._holds(goal, before, after)
        except Fail as problem:
            return problem.site == goal.site
        return goal.site is None and holds is goal.reached

    def _holds(self, goal: Goal, before: State | None, after: State) -> bool | None:
        """Whether a property holds. Of a step property, None where there is no step."""
        match goal.where:
            case Where.STEP:
                return None if before is None else bool(self._tests[goal.name](before, after))
            case Where.START:
                return bool(self._first[goal.name](after)) if before is None else None
        test = self._program.bound if goal.name == BOUND else self._tests[goal.name]
        assert test is not None
        return bool(test(after))

    def problem(self, goal: Goal, states: Sequence[State]) -> Fail | None:
        """Why a property cannot be evaluated at the end of a run; None where it can."""
        before = states[-2] if len(states) > 1 else None
        try:
            if goal.where is Where.END:
                self.steps.is_dead_end(states[-1])
            else:
                self._holds(goal, before, states[-1])
        except Fail as problem:
            return problem
        return None

    def shows_at_end(self, goal: Goal, state: State) -> bool:
        """Whether a run that ends here shows a dead end that was found before."""
        return goal.where is Where.END and self._dead_end(state) == goal

    def _dead_end(self, state: State) -> Goal | None:
        try:
            dead = self.steps.is_dead_end(state)
        except Fail as problem:
            return Goal(NO_DEADLOCK, Where.END, problem.site)
        return Goal(NO_DEADLOCK, Where.END) if dead else None
