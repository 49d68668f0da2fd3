"""Breadth-first search, written once for whatever gives steps.

The search visits every reachable state level by level and looks at each property until it is first violated (or, for
`reach`, satisfied); it goes on past a violation. States are numbered in the order in which they are found, and each
remembers the number of the state it was found from. That is enough to rebuild any shortest path: the step between two
states is found again by expanding the first. So a state costs one tuple, one dictionary entry and one number.

Invariants of the loop: `states[i]` is the state with number i and `numbers[states[i]] == i`; states before `at` are
explored; all states of depth d stand before those of depth d + 1. A state outside the check's `bound` is looked at by the
properties but gets no number.

**Symmetry.** Of the states that permutations of symmetric instances turn into each other, only the one that is found first
gets a number; `canonical` tells which belong together. States are kept as they were found, so paths are made of real steps
with the original names. What is counted is counted for every state of the orbit: states, transitions, and what fired.
"""

from __future__ import annotations

import math
import time
from array import array
from collections.abc import Callable
from itertools import pairwise

from checker.base.diagnostics import Diagnostic, error
from checker.engine.canonical import Orbits
from checker.engine.idle import never_false, never_received, unused_enum_values
from checker.engine.interface import Exploration, Finding, Limits, Observer, Path, Progress, Stop, Tally
from checker.engine.labels import Labels
from checker.engine.liveness.graph import Recorder
from checker.engine.liveness.interpreted import judge_recorded
from checker.engine.liveness.verdicts import LiveFindings, every_state, refusals
from checker.engine.memory import resident
from checker.engine.moves import Failure, Move, Successor
from checker.engine.program import Predicate, Program
from checker.engine.runtime import Fail, State
from checker.engine.steps import Steps
from checker.model.liveness import asked
from checker.model.machine import Machine

CHUNK = 256
"""States explored between two looks at the limits, unless they take long."""

REPORT = 0.1
"""Seconds between two reports to the observer."""


class Interpreter:
    """The reference engine: obviously right, in pure Python."""

    name = "python"

    def explore(self, machine: Machine, limits: Limits, observe: Observer | None = None) -> Exploration:
        """See `Engine.explore`."""
        return Search(machine, symmetry=True, live=True).run(limits, observe)


class Search:
    """One exploration. After `run`, `states`, `parents` and `depths` hold the graph that was found.

    Args of `__init__`:
        machine: What is explored.
        symmetry: Explore one state for each orbit of the machine's symmetric groups, where it has any.
        live: Judge liveness, too. That needs every state and every step, so a search that leaves some out must not ask for it;
            symmetry is not used where a live property is asked for.
    """

    def __init__(self, machine: Machine, *, symmetry: bool = False, live: bool = False) -> None:
        machine = every_state(machine) if live else machine
        self.machine = machine
        self.program = Program(machine)
        self._orbits = Orbits(self.program.layout) if symmetry and machine.symmetric else None
        self.steps = Steps(self.program)
        self.labels = Labels(self.steps)
        self.states: list[State] = []
        self.numbers: dict[State, int] = {}
        self.parents = array("q")
        self.levels: list[int] = [0]
        """The number of the first state of each depth."""
        self.transitions = 0
        self._fired = [0] * len(self.steps.units)
        self._violations: dict[str, Finding] = {}
        self._reached: dict[str, Finding] = {}
        self._broken: dict[str, Finding] = {}
        self._invariants: dict[str, Predicate] = {c.name: c.test for c in self.program.invariants}
        self._reach = dict(self.program.reach)
        self._step_tests: dict[str, Predicate] = {c.name: c.test for c in self.program.step_properties}
        self._whens, self._step_whens = self.program.antecedents, self.program.step_antecedents
        self._bound_cut = 0
        self._live = LiveFindings(open=refusals(machine) if live else {})
        self._recorder = Recorder(self.steps) if live and asked(machine) and machine.bound is None else None

    # ---- the loop

    def run(self, limits: Limits, observe: Observer | None = None) -> Exploration:
        """Explores within the limits and returns what was found."""
        started = time.perf_counter()
        stop = Stop.DONE
        at = 0
        try:
            for state in self.program.initial_states():
                self._begin(state)
            if not self.states:
                raise error(
                    "PSM508",
                    "the bound excludes every initial state, so nothing would be explored",
                    source=self.machine.source,
                    help="a `bound` has to hold at the start",
                )
            self.levels.append(len(self.states))
            last_report = now = started
            most = math.inf if limits.max_states is None else limits.max_states
            deadline = math.inf if limits.timeout is None else started + limits.timeout
            while at < len(self.states):
                end = min(at + CHUNK, len(self.states))
                while at < end:
                    if at == self.levels[-1]:
                        self.levels.append(len(self.states))
                    self._explore(at)
                    at += 1
                    if len(self.states) >= most:  # looked at after every state, so that the counts are always the same
                        break
                    now = time.perf_counter()
                    if now > deadline or now - last_report > REPORT:  # one state may take long
                        break
                if now - last_report >= REPORT:
                    last_report = now
                    if observe is not None:
                        observe(self.progress(at, now - started))
                reason = self._limit(limits, now - started, at)
                if reason is not None and at < len(self.states):
                    stop = reason
                    break
            if stop is Stop.DONE and self._recorder is not None:
                self._judge_liveness(self._recorder, deadline)
        except KeyboardInterrupt:
            stop = Stop.INTERRUPTED
        except MemoryError:
            stop = Stop.MEMORY
        return self._result(stop, time.perf_counter() - started)

    def _weight(self, number: int) -> int:
        """How many states a numbered state stands for."""
        return 1 if self._orbits is None or number < 0 else self._orbits.sizes[number]

    def _judge_liveness(self, recorder: Recorder, deadline: float) -> None:
        initial = [n for n, parent in enumerate(self.parents) if parent < 0]
        self._live = judge_recorded(self.steps, self.labels, self.states, initial, recorder, deadline)
        self._violations |= self._live.violations
        self._broken |= self._live.broken

    def progress(self, explored: int, seconds: float) -> Progress:
        """A snapshot for observers."""
        return Progress(
            len(self.states), self.transitions, self.depth, len(self.states) - explored, seconds, resident()
        )

    @property
    def depth(self) -> int:
        """The steps of the longest shortest path found."""
        depth = len(self.levels) - 1
        while depth > 0 and self.levels[depth] >= len(self.states):
            depth -= 1
        return depth

    def _limit(self, limits: Limits, seconds: float, explored: int) -> Stop | None:
        if limits.max_states is not None and len(self.states) >= limits.max_states:
            return Stop.STATES
        if limits.timeout is not None and seconds >= limits.timeout:
            return Stop.TIME
        if limits.max_memory is not None and explored % (CHUNK * 8) < CHUNK and resident() >= limits.max_memory:
            return Stop.MEMORY
        return None

    def _explore(self, at: int) -> None:
        state = self.states[at]
        counters = self.steps.counters
        cut_before, empty_before = counters.limit_cut, counters.empty_choices
        dropped_before = self.program.dropped.count
        weight = self._weight(at)
        if weight > 1:
            counters.empty_choices = {}
        done, failed = self._taken(at, state)
        alive = counters.limit_cut > cut_before
        if weight > 1:
            counters.limit_cut += (weight - 1) * (counters.limit_cut - cut_before)
            self.program.dropped.count += (weight - 1) * (self.program.dropped.count - dropped_before)
            for name, count in counters.empty_choices.items():
                empty_before[name] = empty_before.get(name, 0) + weight * count
            counters.empty_choices = empty_before
        units, fired, numbers, liars = self.steps.units, self._fired, self.numbers, self.steps.liars
        self.transitions += weight * len(done)
        for unit, move, target in done:
            fired[unit] += weight
            if move.forged:
                fired[liars[move.sender]] += weight
            if not alive and not units[unit].fault and not move.forged and move.torn is None and target != state:
                alive = True
            if self._step_tests:
                self._test_step(at, move, state, target)
            if self._step_whens:
                self._step_whens = [
                    (text, test) for text, test in self._step_whens if not self._seen(test, state, target)
                ]
            if target not in numbers:
                self._visit(target, at, move)
        if self._recorder is not None:
            self._recorder.state(at, done, numbers, cut=counters.limit_cut > cut_before)
        if failed and "NoError" not in self._violations:
            self._violations["NoError"] = self._error(at, failed[0])
        if not alive and not failed and "NoDeadlock" not in self._violations and not self._is_final(at):
            self._violations["NoDeadlock"] = Finding(self.path(at))

    def _begin(self, state: State) -> None:
        """Visits an initial state."""
        self._visit(state, -1, None)
        for name, test in self.program.first:
            if name in self._step_tests and not self._holds(
                name, test, self._step_tests, state, -1, None, default=True
            ):
                self._violations[name] = Finding(Path((state,), ()))
                del self._step_tests[name]

    def _taken(self, at: int, state: State) -> tuple[list[Successor], list[Failure]]:
        """The steps of a state that the search takes, and those that err: all of them, unless a subclass knows better."""
        return self.steps.expand(state)

    def _visit(self, state: State, parent: int, move: Move | None) -> None:
        """Gives a new state its number, unless it lies outside the bound, and looks at its properties."""
        if self._orbits is not None and not self._orbits.is_new(state):
            return
        number = len(self.states)
        inside = self.program.bound is None or self._inside(state, parent, move)
        if inside:
            if self._orbits is not None:
                self._orbits.keep()
            self.states.append(state)
            self.numbers[state] = number
            self.parents.append(parent)
        else:
            self._bound_cut += self._weight(parent)
        if self._invariants:
            for name in self._falsified(self._invariants, state, parent, move):
                self._violations[name] = Finding(self._path_to(state, parent, move))
        if self._reach:
            for name in [
                n for n, t in list(self._reach.items()) if self._holds(n, t, self._reach, state, parent, move)
            ]:
                self._reached[name] = Finding(self._path_to(state, parent, move))
                del self._reach[name]
        if self._whens:
            self._whens = [(text, test) for text, test in self._whens if not self._seen(test, state)]

    def _falsified(self, tests: dict[str, Predicate], state: State, parent: int, move: Move | None) -> list[str]:
        """The properties that a state violates; they are not looked at again."""
        try:
            found = [name for name, test in tests.items() if not test(state)]
        except Fail:
            found = [
                n for n, t in list(tests.items()) if not self._holds(n, t, tests, state, parent, move, default=True)
            ]
        for name in found:
            tests.pop(name, None)
        return found

    def _holds(
        self,
        name: str,
        test: Predicate,
        tests: dict[str, Predicate],
        state: State,
        parent: int,
        move: Move | None,
        default: bool = False,
    ) -> bool:
        """Evaluates a property; one that errs is set aside and counts as `default`."""
        try:
            return test(state)
        except Fail as problem:
            self._broken[name] = Finding(self._path_to(state, parent, move), self.diagnose(problem))
            tests.pop(name, None)
            return default

    def _inside(self, state: State, parent: int, move: Move | None) -> bool:
        assert self.program.bound is not None
        try:
            return self.program.bound(state)
        except Fail as problem:
            self._broken.setdefault("bound", Finding(self._path_to(state, parent, move), self.diagnose(problem)))
            return False

    def _is_final(self, at: int) -> bool:
        if self.program.final is None:
            return False
        try:
            return self.program.final(self.states[at])
        except Fail as problem:
            self._broken.setdefault("NoDeadlock", Finding(self.path(at), self.diagnose(problem)))
            return True

    def _seen(self, test: Callable[..., bool], *states: State) -> bool:
        try:
            return test(*states)
        except Fail:
            return False

    def _test_step(self, at: int, move: Move, state: State, target: State) -> None:
        for name, test in list(self._step_tests.items()):
            try:
                if test(state, target):
                    continue
                self._violations[name] = Finding(self._extended(at, move, target))
            except Fail as problem:
                self._broken[name] = Finding(self._extended(at, move, target), self.diagnose(problem))
            del self._step_tests[name]

    # ---- paths

    def path(self, number: int) -> Path:
        """A shortest path to a numbered state."""
        chain = [number]
        while self.parents[chain[-1]] >= 0:
            chain.append(self.parents[chain[-1]])
        states = [self.states[i] for i in reversed(chain)]
        saved = self.steps.counters.limit_cut, dict(self.steps.counters.empty_choices), self.program.dropped.count
        steps = [self._step_between(a, b) for a, b in pairwise(states)]
        self.steps.counters.limit_cut, self.steps.counters.empty_choices, self.program.dropped.count = saved
        return Path(tuple(states), tuple(steps))

    def _step_between(self, a: State, b: State) -> str:
        done, _ = self.steps.expand(a)
        return self.labels.step(next(move for _, move, target in done if target == b))

    def _extended(self, at: int, move: Move, target: State) -> Path:
        path = self.path(at)
        return Path((*path.states, target), (*path.steps, self.labels.step(move)))

    def _path_to(self, state: State, parent: int, move: Move | None) -> Path:
        return Path((state,), ()) if move is None else self._extended(parent, move, state)

    def _error(self, at: int, failure: Failure) -> Finding:
        _, move, problem = failure
        path = self.path(at)
        return Finding(Path(path.states, path.steps, self.labels.step(move)), self.diagnose(problem))

    def diagnose(self, problem: Fail) -> Diagnostic:
        """An error at run time as a diagnostic with its place and value."""
        return self.program.diagnose(problem)

    # ---- the result

    def _result(self, stop: Stop, seconds: float) -> Exploration:
        counters = self.steps.counters
        units: dict[str, int] = {}
        for unit, count in zip(self.steps.units, self._fired, strict=True):
            units[unit.name] = units.get(unit.name, 0) + count
        complete = stop is Stop.DONE
        tally = Tally(
            units,
            tuple(text for text, _ in (*self._whens, *self._step_whens)) if complete else (),
            unused_enum_values(self.machine, self.states) if complete else (),
            never_received(self.machine, self._fired) if complete else (),
            dict(counters.empty_choices),
            self._bound_cut,
            counters.limit_cut,
            self.program.dropped.count,
            never_false(self.machine, self._fired, counters.blocked) if complete else (),
        )
        return Exploration(
            Interpreter.name,
            stop,
            len(self.states) if self._orbits is None else sum(self._orbits.sizes),
            self.transitions,
            self.depth,
            seconds,
            self._violations,
            self._reached,
            self._broken,
            tally,
            orbits=None if self._orbits is None else len(self.states),
            held=tuple(self._live.held),
            open=self._live.open,
        )
