"""Every witness is gone again by the interpreter before anybody sees it.

Engines are fast because they do things differently; what they say they found is therefore not believed but checked, and that is
cheap, since a path has some tens of states. The path has to begin in an initial state, each step has to be one of the
interpreter's under the same name, and at its end the interpreter has to see what the engine saw: the invariant false, the
`reach` true, the step that errs with the same error, the dead end.

Where anything differs, `Mismatch` is raised: a verdict that rests on it would be worth nothing. The command line turns it into a
report for the authors of this program.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import pairwise

from checker.engine.interface import Exploration, Finding, Path
from checker.engine.liveness.predicates import Predicates
from checker.engine.program import Program
from checker.engine.replay import Mismatch, Replay
from checker.engine.runtime import Fail
from checker.engine.steps import Steps
from checker.model.machine import Machine

LONGEST = 10_000
"""Paths of more steps are gone again at their last steps alone, so that no verdict waits for minutes."""


def verify(machine: Machine, found: Exploration) -> Program | None:
    """Goes all paths of an exploration again; gives the program that did so, None where there are no paths.

    Raises:
        Mismatch: the interpreter does not see what the engine saw.
    """
    findings = [
        *((name, finding, False) for name, finding in found.violations.items()),
        *((name, finding, False) for name, finding in found.broken.items()),
        *((name, finding, True) for name, finding in found.reached.items()),
    ]
    if not findings:
        return None
    witness = _Witness(machine, found.engine)
    for name, finding, reached in findings:
        if name in found.broken and finding is not found.broken[name]:
            continue  # what cannot be evaluated somewhere has no other verdict
        witness.check(name, finding, reached=reached)
    return witness.program


class _Witness:
    def __init__(self, machine: Machine, engine: str) -> None:
        self.machine = machine
        self.engine = engine
        self.program = Program(machine)
        self.replay = Replay(Steps(self.program))
        self._initial: frozenset[object] | None = None
        self._gone: set[tuple[object, object, str]] = set()
        program = self.program
        self._tests: Mapping[str, Callable[..., bool]] = {
            **{c.name: c.test for c in program.invariants},
            **dict(program.reach),
            **({} if program.bound is None else {"bound": program.bound}),
        }
        self._over = {c.name: c.test for c in program.step_properties}
        self._first = dict(program.first)
        self._live = {p.name: p.cases for p in machine.properties if p.cases}
        self._sides = Predicates(program)

    def check(self, name: str, finding: Finding, *, reached: bool) -> None:
        path = finding.path
        self._go(name, path)
        if name in self._live:
            self._check_live(name, finding)
            return
        if path.error is not None:
            self._errs(name, finding)
            return
        try:
            seen = self._shown(name, path)
        except Fail as problem:
            if finding.error != self.program.diagnose(problem):
                self._differ(name, path, f"it cannot be evaluated: {self.program.diagnose(problem).message}")
            return
        if finding.error is not None:
            self._differ(name, path, "it can be evaluated")
        if seen is not reached:
            self._differ(name, path, f"it is {str(seen).lower()} there")

    def _shown(self, name: str, path: Path) -> bool:
        """The value of the property at the end of a path; False for a dead end."""
        if name == "NoDeadlock":
            return not self.replay.steps.is_dead_end(path.states[-1])
        if name in self._over:
            if path.steps:
                return bool(self._over[name](*path.states[-2:]))
            if name not in self._first:
                self._differ(name, path, "the path has no step")
            return bool(self._first[name](path.states[0]))
        if name not in self._tests:
            self._differ(name, path, "there is no such property")
        return bool(self._tests[name](path.states[-1]))

    def _check_live(self, name: str, finding: Finding) -> None:
        """A run without end has to violate the property, one of a family. That it is fair, the engine had to check."""
        path, cases = finding.path, self._live[name]
        if path.loop is None:
            if finding.error not in [
                problem for case in cases for problem in self._sides.problems(case, path.states[-1])
            ]:
                self._differ(name, path, "it can be evaluated")
        elif path.states[path.loop] != path.states[-1]:
            self._differ(name, path, "the run does not come back")
        elif not any(self._sides.refutes(case, path) for case in cases):
            self._differ(name, path, "the run satisfies it")

    def _errs(self, name: str, finding: Finding) -> None:
        """The step behind the path has to go wrong in the same way."""
        path = finding.path
        _, failed = self.replay.expand(path.states[-1])
        named = [problem for _, move, problem in failed if self.replay.labels.step(move) == path.error]
        if name != "NoError" or not any(self.program.diagnose(problem) == finding.error for problem in named):
            self._differ(name, path, "the step at the end does not go wrong like that")

    def _go(self, name: str, path: Path) -> None:
        """Goes the steps of a path."""
        if len(path.states) != len(path.steps) + 1:
            self._differ(name, path, f"{len(path.steps)} steps do not join {len(path.states)} states")
        if self._initial is None:
            self._initial = frozenset(self.program.initial_states())
        if path.states[0] not in self._initial:
            self._differ(name, path, "the first state is not an initial one")
        pairs = list(zip(pairwise(path.states), path.steps, strict=True))
        for number, ((before, after), step) in enumerate(pairs, 1):
            if number <= len(pairs) - LONGEST or (before, after, step) in self._gone:
                continue
            if step not in self.replay.names(before, after):
                self._differ(name, path, f"step {number}, `{step}`, does not lead there")
            self._gone.add((before, after, step))

    def _differ(self, name: str, path: Path, why: str) -> None:
        raise Mismatch(
            f"the {self.engine} engine found a path for {name}, and the interpreter sees something else: {why}",
            machine=self.machine,
            engine=self.engine,
            path=path,
        )
