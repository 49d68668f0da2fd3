"""The two sides of live properties, evaluated by the interpreter."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import assert_never

from checker.base.diagnostics import Diagnostic
from checker.engine.interface import Finding, Path
from checker.engine.liveness.cells import Cells
from checker.engine.liveness.lassos import ERRS, NO, YES, marks_of
from checker.engine.liveness.witness import NoWitness
from checker.engine.names import DomainTooLarge
from checker.engine.program import Predicate, Program, too_large
from checker.engine.runtime import Fail, State
from checker.model.machine import LiveCase


class Predicates:
    """The sides of live properties as functions of a state, made when they are asked for."""

    def __init__(self, program: Program, diagnose: Callable[[Fail], Diagnostic]) -> None:
        self._program = program
        self._diagnose = diagnose
        self._made: dict[int, tuple[LiveCase, Predicate, Predicate | None]] = {}

    def sides(self, case: LiveCase) -> tuple[Predicate, Predicate | None]:
        """The left and the right side."""
        if id(case) not in self._made:
            try:
                right = None if case.right is None else self._program.expression(case.right)
                self._made[id(case)] = case, self._program.expression(case.left), right
            except DomainTooLarge as problem:
                raise too_large(problem, self._program.machine, case.span) from None
        return self._made[id(case)][1:]

    def label(self, case: LiveCase, states: Sequence[State], mark: Cells) -> None:
        """Marks all states for a property."""
        left, right = self.sides(case)
        for v, state in enumerate(states):
            mark[v] = marks_of(case, value_of(left, state), 0 if right is None else value_of(right, state))

    def explain(self, case: LiveCase, path: Path) -> Finding:
        """What goes wrong where a side is evaluated in the last state of a path."""
        for side in self.sides(case):
            try:
                if side is not None:
                    side(path.states[-1])
            except Fail as problem:
                return Finding(path, self._diagnose(problem))
        raise AssertionError("it can be evaluated")

    def confirm(self, case: LiveCase, path: Path) -> None:
        """Checks that a run without end violates a property. Raises `NoWitness` where it does not."""
        left, right = self.sides(case)
        values = [value_of(left, state) for state in path.states]
        aims = [YES if right is None else value_of(right, state) for state in path.states]
        assert path.loop is not None
        if not _violated(case, values, aims, path.loop):
            raise NoWitness("the run satisfies the property")


def _violated(case: LiveCase, left: Sequence[int], right: Sequence[int], loop: int) -> bool:
    """Whether a run violates a property whose sides have these values in its states."""
    match case.form:
        case "eventually":
            return not any(left)
        case "always eventually":
            return not any(left[loop:])
        case "eventually always":
            return NO in left[loop:]
        case "leads":
            since = len(right)
            while since > 0 and right[since - 1] == NO:
                since -= 1
            return since <= loop and YES in left[since:]
        case _:
            assert_never(case.form)


def value_of(side: Predicate, state: State) -> int:
    """YES, NO or ERRS."""
    try:
        return int(side(state))
    except Fail:
        return ERRS
