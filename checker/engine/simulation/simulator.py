"""The engine that samples: run after run, each from its own seed, within the limits.

Run i of a simulation with seed s is the run of seed s + i, and depends on nothing else. So a finding is made again, exactly, by
one run with the seed that stands beside it. A run looks at every property in each of its states and over each of its steps.
What it shows is certain, however few runs there were; what no run shows may be there all the same, so an exploration by this
engine is never complete.

Memory stays bounded: a run keeps its draws, and nothing else is kept but findings, and hashes of at most `MOST_COUNTED`
states, to say how many different ones were met.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from random import Random

from checker.base.data import dataclass
from checker.base.diagnostics import error
from checker.engine.interface import Exploration, Finding, Limits, Observer, Origin, Path, Progress, Sample, Stop, Tally
from checker.engine.labels import Labels
from checker.engine.memory import resident
from checker.engine.program import Program
from checker.engine.replay import Replay
from checker.engine.runtime import Fail, State
from checker.engine.simulation.draws import Draws
from checker.engine.simulation.goals import Goal, Goals
from checker.engine.simulation.schedules import Made, schedule_for
from checker.engine.simulation.shrink import Shown, Shrinker
from checker.engine.simulation.sources import WORK, Draw, Source
from checker.model.machine import Machine

MOST_COUNTED = 1 << 18
"""How many different states are told apart."""

MOST_STEPS = 100_000
"""The most steps of one run."""

GRACE = 0.5
"""Seconds to make a finding shorter in, although the limit on time is met."""

REPORT = 0.1
"""Seconds between two reports to the observer."""


@dataclass(frozen=True, slots=True)
class Plan:
    """How to simulate.

    Attributes:
        seed: of the first run; the others count up from it.
        runs: how many; None: until the limit on time is met.
        steps: the most steps of a run.
        schedule: one of `schedules.SCHEDULES`.
        depth: the depth of bugs that PCT looks for: one more than the number of its priority changes.
    """

    seed: int = 0
    runs: int | None = 1_000
    steps: int = 100
    schedule: str = "mixed"
    depth: int = 3


class Simulator:
    """The engine. See the module."""

    name = "simulation"

    def __init__(self, plan: Plan) -> None:
        self.plan = plan

    def explore(self, machine: Machine, limits: Limits, observe: Observer | None = None) -> Exploration:
        """See `Engine.explore`."""
        return _Simulation(machine, self.plan).run(limits, observe)


class _Stopped(Exception):
    """A limit is met within a run. `args[0]` is a `Stop`."""


class _Simulation:
    """One simulation."""

    def __init__(self, machine: Machine, plan: Plan) -> None:
        self.machine = machine
        self.plan = plan
        self.program = Program(machine)
        self.draws = Draws(self.program)
        self.labels = Labels(self.draws)
        self.goals = Goals(self.draws)
        self.shrinker = Shrinker(self.draws, self.goals)
        self.replay = Replay(self.draws, self.labels)
        self.violations: dict[str, Finding] = {}
        self.reached: dict[str, Finding] = {}
        self.broken: dict[str, Finding] = {}
        self.origins: dict[str, Origin] = {}
        self.runs = self.steps = self.longest = self.bound_cut = 0
        self._fired = [0] * len(self.draws.units)
        self._seen: set[int] = set()
        self._started = self._reported = time.perf_counter()
        self._deadline: float | None = None
        self._limits = Limits()
        self._observe: Observer | None = None
        self._seed = plan.seed
        self._start: State = ()
        self._trail: list[Draw] = []

    def run(self, limits: Limits, observe: Observer | None) -> Exploration:
        self._limits, self._observe = limits, observe
        self._deadline = None if limits.timeout is None else self._started + limits.timeout
        initial = self._initial()
        stop = Stop.SAMPLED
        try:
            while (self.plan.runs is None or self.runs < self.plan.runs) and not self.goals.all_found:
                self._one_run(initial, self.plan.seed + self.runs)
                self.runs += 1
                self.draws.forget()
        except _Stopped as reason:
            stop = reason.args[0]
        except KeyboardInterrupt:
            stop = Stop.INTERRUPTED
        except MemoryError:
            stop = Stop.MEMORY
        return self._result(stop)

    def _initial(self) -> list[State]:
        """The initial states within the bound. Each is judged, so that a bound cannot hide one."""
        found = self.program.initial_states()
        inside = []
        for state in found:
            self._start, self._trail = state, []
            self._note(self.goals.state(state))
            self._note(self.goals.start(state))
            within, problems = self.goals.inside(state)
            self._note(problems)
            if within:
                inside.append(state)
        if not inside:
            raise error(
                "PSM508",
                "the bound excludes every initial state, so nothing would be simulated",
                source=self.machine.source,
                help="a `bound` has to hold at the start",
            )
        return inside

    # ---- one run

    def _one_run(self, initial: list[State], seed: int) -> None:
        chance = Random(seed)
        plan, goals = self.plan, self.goals
        schedule = schedule_for(plan.schedule, seed, self.draws, chance, length=plan.steps, depth=plan.depth)
        state = initial[chance.randrange(len(initial))]
        self._seed, self._start, self._trail = seed, state, []
        self._count(state)
        for at in range(plan.steps):
            self._look_at_limits()
            work = self.draws.work(state)
            ask = _Asking(self, state, chance, len(work))
            made = schedule.next(state, at, work, ask)
            if made is None or ask.idle:
                self._note(goals.end(state))
            if made is None:
                return
            draw, (unit, move, target) = made
            self._fired[unit] += 1
            if move.forged:
                self._fired[self.draws.liars[move.sender]] += 1
            self.steps += 1
            self._trail.append(draw)
            self.longest = max(self.longest, len(self._trail))
            self._note(goals.step(state, target))
            self._note(goals.state(target))
            within, problems = goals.inside(target)
            self._note(problems)
            if not within:
                self.bound_cut += 1
                return
            state = target
            self._count(state)

    def _count(self, state: State) -> None:
        if len(self._seen) < MOST_COUNTED:
            self._seen.add(hash(state))

    def ask(self, source: Source, state: State, chance: Random) -> Made | None:
        """A step of a source that changes the state. Judges those that err or change nothing, too."""
        drawn = self.draws.draw(source, state, chance)
        if drawn is None:
            return None
        draw, outcome = drawn
        target = outcome[2]
        if isinstance(target, Fail):
            self._trail.append(draw)
            self._note(self.goals.error(target))
            self._trail.pop()
            return None
        if target == state:
            self._trail.append(draw)
            self._note(self.goals.step(state, target))
            self._trail.pop()
            return None
        return draw, (outcome[0], outcome[1], target)

    def _look_at_limits(self) -> None:
        now = time.perf_counter()
        if self._deadline is not None and now >= self._deadline:
            raise _Stopped(Stop.TIME)
        if now - self._reported < REPORT:
            return
        self._reported = now
        if self._limits.max_memory is not None and resident() >= self._limits.max_memory:
            raise _Stopped(Stop.MEMORY)
        if self._observe is not None:
            seconds = now - self._started
            self._observe(
                Progress(len(self._seen), self.steps, self.longest, 0, seconds, resident(), self.runs, self.plan.runs)
            )

    # ---- findings

    def _note(self, found: Iterable[Goal]) -> None:
        """Keeps what the current run shows, after it was made short. An interruption ends that, and nothing is lost."""
        for goal in found:
            try:
                until = None if self._deadline is None else max(self._deadline, time.perf_counter() + GRACE)
                shown, minimal = self.shrinker.shrink(goal, self._start, self._trail, until=until)
            except KeyboardInterrupt:
                whole = self.shrinker.replay(goal, self._start, self._trail)
                assert whole is not None
                self._keep(goal, whole, False)
                raise
            self._keep(goal, shown, minimal)

    def _keep(self, goal: Goal, shown: Shown, minimal: bool) -> None:
        path = self.replay.named(shown.states)
        problem = self.goals.problem(goal, shown.states) if goal.broken else None
        if shown.failure is not None:
            _, move, problem = shown.failure
            path = Path(path.states, path.steps, self.labels.step(move))
        diagnostic = None if problem is None else self.program.diagnose(problem)
        where = self.reached if goal.reached else self.broken if goal.broken else self.violations
        where.setdefault(goal.name, Finding(path, diagnostic))
        self.origins.setdefault(goal.name, Origin(self._seed, len(self._trail) - (shown.failure is not None), minimal))

    # ---- the result

    def _result(self, stop: Stop) -> Exploration:
        units: dict[str, int] = {}
        for unit, count in zip(self.draws.units, self._fired, strict=True):
            units[unit.name] = units.get(unit.name, 0) + count
        counters, plan = self.draws.counters, self.plan
        return Exploration(
            Simulator.name,
            stop,
            len(self._seen),
            self.steps,
            self.longest,
            time.perf_counter() - self._started,
            self.violations,
            self.reached,
            self.broken,
            Tally(
                units=units,
                empty_choices=dict(counters.empty_choices),
                bound_cut=self.bound_cut,
                limit_cut=counters.limit_cut,
                dropped=self.program.dropped.count,
            ),
            sample=Sample(
                plan.seed,
                self.runs,
                plan.steps,
                plan.schedule,
                plan.depth,
                len(self._seen) < MOST_COUNTED,
                self.origins,
            ),
        )


class _Asking:
    """Asks sources in one state, and knows whether all those of work had nothing to give."""

    __slots__ = ("_chance", "_simulation", "_state", "_work")

    def __init__(self, simulation: _Simulation, state: State, chance: Random, work: int) -> None:
        self._simulation = simulation
        self._state = state
        self._chance = chance
        self._work = work

    def __call__(self, source: Source) -> Made | None:
        made = self._simulation.ask(source, self._state, self._chance)
        if made is None and source.kind in WORK:
            self._work -= 1
        return made

    @property
    def idle(self) -> bool:
        """Whether only faults may go on from here, as far as was seen."""
        return self._work == 0
