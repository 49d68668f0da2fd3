"""The two sides of live properties, evaluated by the interpreter."""

from __future__ import annotations

from collections.abc import Sequence
from typing import assert_never

from checker.base.diagnostics import Diagnostic
from checker.engine.interface import Path
from checker.engine.liveness.cells import Cells
from checker.engine.liveness.lassos import ERRS, NO, YES, marks_of
from checker.engine.names import DomainTooLarge
from checker.engine.program import Predicate, Program, too_large
from checker.engine.runtime import Fail, State
from checker.model.machine import LiveCase


class Predicates:
    """The sides of live properties as functions of a state, made when they are asked for."""

    def __init__(self, program: Program) -> None:
        self._program = program
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

    def problems(self, case: LiveCase, state: State) -> list[Diagnostic]:
        """What goes wrong where the sides are evaluated in a state."""
        found = []
        for side in self.sides(case):
            try:
                if side is not None:
                    side(state)
            except Fail as problem:
                found.append(self._program.diagnose(problem))
        return found

    def refutes(self, case: LiveCase, path: Path) -> bool:
        """Whether a run without end violates a property."""
        left, right = self.sides(case)
        values = [value_of(left, state) for state in path.states]
        aims = [YES if right is None else value_of(right, state) for state in path.states]
        assert path.loop is not None
        return _violated(case, values, aims, path.loop)


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
