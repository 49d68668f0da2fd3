"""Runs an adapter in every mode that applies, and puts together what came of it.

The command line and the pytest plugin both come here, so that a test and a command do the same. A `Plan` says which modes,
with which seed and how long. Each mode is a `Phase` with its outcome and its text; what they took is merged into one `Coverage`.
A scene is a phase of its own, in a check and under constants of its own. It counts for the coverage of the check that is driven
if it belongs there.

A plan that ends without a mismatch conforms only if it has shown something: `lacks` says what is missing, such as a step of
the spec that can be taken in this check and never was, a variable that nobody saw, or too small a coverage. It is then
`incomplete`.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import closing
from itertools import chain
from typing import assert_never

from checker.api import LoadedSpec
from checker.base.data import dataclass
from checker.conformance.adapter import Adapter, Scene
from checker.conformance.cover import Path, cover
from checker.conformance.coverage import MOST_STATES, Coverage, Summary
from checker.conformance.explore import Explorer
from checker.conformance.growing import Graph
from checker.conformance.mapping import Treatment
from checker.conformance.mismatch import Mismatch
from checker.conformance.modes import Make, Mode
from checker.conformance.probe import probe, probe_all
from checker.conformance.replay import Outcome, replayed, unsupported_by
from checker.conformance.run import Run
from checker.conformance.scenes import along, named
from checker.conformance.walks import n_step_walks, random_walks
from checker.engine.graph import Edge, StateGraph, state_graph
from checker.engine.interface import Limits
from checker.model.machine import Machine
from checker.properties.kinds import Trace, TraceStep
from checker.render.events import Cast, cast


@dataclass(frozen=True, slots=True)
class Plan:
    """What to do.

    Attributes:
        modes: in order.
        seed: of explorations and random walks.
        runs, steps: how many runs an exploration makes, and the most steps of each.
        shrink: whether a run that fails is made small, for somebody to read.
        choices: an exploration makes this one run instead; replays and probes do, along `path`, where one is given.
        walks: how many random walks are made; they have `steps` steps.
        sequences: how long the sequences are of which `walks` takes as many as it can.
        scene: the scene of this name is gone through, and nothing else is done.
        elsewhere: whether scenes of other checks than the one that is driven are gone through, too.
        most_states: how large a graph may be to be replayed.
        coverage: the least share of transitions, between 0 and 1.
    """

    modes: tuple[Mode, ...] = (Mode.REPLAY, Mode.PROBE, Mode.SCENES, Mode.EXPLORE)
    seed: int = 0
    runs: int = 100
    steps: int = 40
    shrink: bool = True
    choices: tuple[int, ...] | None = None
    path: Path | None = None
    walks: int = 50
    sequences: int = 2
    scene: str | None = None
    elsewhere: bool = True
    most_states: int = MOST_STATES
    coverage: float = 0.0


@dataclass(frozen=True, slots=True)
class Phase:
    """What came of one mode, or of one `scene`. `trace` leads to the mismatch, for drawings with `cast`."""

    mode: Mode
    outcome: Outcome
    text: str
    seconds: float
    mismatch: Mismatch | None = None
    trace: Trace | None = None
    choices: tuple[int, ...] = ()
    scene: str = ""
    cast: Cast | None = None


@dataclass(frozen=True, slots=True)
class Report:
    """What came of a plan.

    `name` is that of the adapter; `observed` are the variables of the spec that were seen; `cast` is for drawings.
    """

    name: str
    spec: str
    check: str
    phases: tuple[Phase, ...]
    coverage: Summary
    lacks: tuple[str, ...]
    observed: tuple[str, ...]
    unobserved: tuple[str, ...]
    cast: Cast

    @property
    def outcome(self) -> Outcome:
        """A mismatch in any mode is one; otherwise what is missing anywhere is."""
        if any(phase.mismatch is not None for phase in self.phases):
            return Outcome.MISMATCH
        if self.lacks or not self.phases or any(phase.outcome is not Outcome.CONFORMS for phase in self.phases):
            return Outcome.INCOMPLETE
        return Outcome.CONFORMS

    @property
    def mismatch(self) -> Mismatch | None:
        """The first one."""
        return next((phase.mismatch for phase in self.phases if phase.mismatch is not None), None)

    @property
    def of_scenes(self) -> bool:
        """Whether nothing was done but going through scenes."""
        return all(phase.scene for phase in self.phases)

    def lines(self) -> Iterator[str]:
        """The report as text."""
        yield f"{self.outcome.value}: {self.name} and {self.spec}, check {self.check}"
        yield from (f"  {phase.mode.value:<8} {phase.text}" for phase in self.phases)
        if not self.of_scenes:
            yield f"  covered  {self.coverage}"
            total = len(self.observed) + len(self.unobserved)
            unseen = f"; not {', '.join(self.unobserved)}" if self.unobserved else ""
            yield f"  observed {len(self.observed)} of {total} variables{unseen}"
        yield from (f"  lacks    {reason}" for reason in self.lacks)
        if self.mismatch is not None:
            yield ""
            yield from self.mismatch.text().rstrip("\n").split("\n")

    def text(self) -> str:
        """All lines."""
        return "".join(f"{line}\n" for line in self.lines())


def drive(
    make: Make,
    machine: Machine,
    plan: Plan | None = None,
    *,
    graph: StateGraph | None = None,
    spec: LoadedSpec | None = None,
    name: str | None = None,
) -> Report:
    """Carries out a plan, up to the first mismatch.

    Args:
        make: makes an adapter for a machine; an adapter's class will do.
        machine: the check.
        plan: what to do.
        graph: the state graph of the machine, if it is there already.
        spec: where the checks of scenes are found; without it, no scene is gone through.
        name: what the implementation is called in the report.

    Raises:
        MappingError: the adapter does not account for every step.
        ObservationError: it observes what is no variable of the spec.
        ChoiceError, MissingHypothesis, GraphTooLarge: of an exploration.
        SceneError: the spec does not allow a scene, or there is none of this name (`UnknownScene`).
        SpecError: it does not have the check or a constant of a scene.
    """
    with closing(make(machine)) as adapter:
        return Driver(adapter, machine, plan or Plan(), graph, make=make, spec=spec).report(name)


@dataclass(frozen=True, slots=True)
class _Came:
    """What came of a mode, and the graph whose edges the mismatch numbers."""

    outcome: Outcome
    text: str
    mismatch: Mismatch | None
    graph: Graph
    choices: tuple[int, ...] = ()


class Driver:
    """One plan on its way. `coverage` is there for whoever merges several."""

    def __init__(
        self,
        adapter: Adapter,
        machine: Machine,
        plan: Plan,
        graph: StateGraph | None = None,
        *,
        make: Make | None = None,
        spec: LoadedSpec | None = None,
    ) -> None:
        self.adapter = adapter
        self.plan = plan
        self.modes = plan.modes if plan.scene is None else (Mode.SCENES,)
        most_states = 1 if self.modes == (Mode.SCENES,) else plan.most_states  # scenes have graphs of their own
        self.graph = graph or state_graph(machine, Limits(max_states=most_states))
        self.coverage = Coverage(machine, graph=self.graph)
        self.observed: set[str] = set()
        self._observable: tuple[str, ...] = ()
        self._machine = machine
        self._make = make
        self._spec = spec

    def report(self, name: str | None = None) -> Report:
        """Carries the plan out."""
        phases: list[Phase] = []
        for phase in chain.from_iterable(map(self._phases, self.modes)):
            phases.append(phase)
            if phase.mismatch is not None:
                break
        summary = self.coverage.summary()
        found = any(phase.mismatch is not None for phase in phases)
        return Report(
            name=name or type(self.adapter).__name__,
            spec=self._machine.spec,
            check=self._machine.check,
            phases=tuple(phases),
            coverage=summary,
            lacks=() if found else tuple(self.lacks(summary)) if phases else ("there is no scene to go through",),
            observed=tuple(n for n in self._observable if n in self.observed),
            unobserved=tuple(n for n in self._observable if n not in self.observed),
            cast=cast(self._machine),
        )

    def _phases(self, mode: Mode) -> Iterator[Phase]:
        """One for each mode and for each scene, when it is its turn."""
        if mode is not Mode.SCENES:
            yield self._phase(mode)
        elif self._spec is not None and self._make is not None:
            for scene in self._scenes():
                yield self._scene(self._spec, scene, self._make)

    def _scenes(self) -> Iterator[Scene]:
        plan = self.plan
        if plan.scene is not None:
            yield named(self.adapter, plan.scene)
        elif plan.path is None and plan.choices is None:
            here = self._machine.check
            yield from (s for s in self.adapter.scenes if plan.elsewhere or s.instance.check == here)

    def _scene(self, spec: LoadedSpec, scene: Scene, make: Make) -> Phase:
        started = time.perf_counter()
        found = along(spec, scene)
        visit = found.visit(make)
        machine = found.graph.machine
        if (machine.check, machine.constants) == (self._machine.check, self._machine.constants):
            self.coverage.add(found.graph, visit.edges)
        mismatch = visit.mismatch
        trace = None if mismatch is None else trace_of(found.graph, mismatch)
        seconds = time.perf_counter() - started
        outcome = visit.outcome
        return Phase(Mode.SCENES, outcome, str(visit), seconds, mismatch, trace, scene=scene.name, cast=cast(machine))

    def _phase(self, mode: Mode) -> Phase:
        started = time.perf_counter()
        match mode:
            case Mode.REPLAY:
                came = self._replay()
            case Mode.WALKS:
                came = self._walk()
            case Mode.PROBE:
                came = self._probe()
            case Mode.EXPLORE:
                came = self._explore()
            case Mode.SCENES:
                raise AssertionError("a scene is a phase of its own")
            case _:
                assert_never(mode)
        found = came.mismatch
        trace = None if found is None else trace_of(came.graph, found)
        seconds = time.perf_counter() - started
        return Phase(mode, came.outcome, came.text, seconds, found, trace, came.choices)

    def _replay(self) -> _Came:
        path = self.plan.path
        paths = cover(self.graph, avoid=unsupported_by(self.adapter)).paths if path is None else (path,)
        result, run = replayed(self.adapter, self.graph, paths)
        self._note(run)
        return _Came(result.outcome, str(result), result.mismatch, self.graph)

    def _probe(self) -> _Came:
        path = self.plan.path
        probes = probe_all(self.adapter, self.graph) if path is None else probe(self.adapter, self.graph, [path])
        outcome = Outcome.CONFORMS if probes.mismatch is None else Outcome.MISMATCH
        return _Came(outcome, str(probes), probes.mismatch, self.graph)

    def _walk(self) -> _Came:
        plan, avoid = self.plan, unsupported_by(self.adapter)
        sequences = n_step_walks(self.graph, plan.sequences, avoid=avoid)
        walks = random_walks(self.graph, seed=plan.seed, walks=plan.walks, steps=plan.steps, avoid=avoid)
        result, run = replayed(self.adapter, self.graph, (*sequences.paths, *walks.paths))
        self._note(run)
        outcome = Outcome.CONFORMS if run.steps and run.seen else Outcome.INCOMPLETE
        outcome = outcome if result.mismatch is None else Outcome.MISMATCH
        text = (
            f"{outcome.value}: {sequences.taken:,} of {sequences.total:,} sequences of {plan.sequences} transitions, and "
            f"{len(walks.paths):,} random walks with seed {plan.seed}, in {result.steps:,} steps"
        )
        return _Came(outcome, text, result.mismatch, self.graph)

    def _explore(self) -> _Came:
        plan = self.plan
        explorer = Explorer(self.adapter, steps=plan.steps)
        given = plan.choices
        result = (
            explorer.search(seed=plan.seed, runs=plan.runs, shrink=plan.shrink)
            if given is None
            else explorer.again(given)
        )
        self._note(explorer.run)
        if result.mismatch is not None:  # its numbers are those of the graph of a run of its own
            explorer = Explorer(self.adapter, steps=plan.steps)
            explorer.again(result.choices)
        return _Came(result.outcome, str(result), result.mismatch, explorer.graph, result.choices)

    def _note(self, run: Run) -> None:
        """Merges what a run has taken and seen."""
        self.coverage.add(run.graph, run.taken)
        self.observed |= run.seen
        self._observable = run.comparison.observable

    def lacks(self, summary: Summary) -> Iterator[str]:
        """Why nothing wrong does not mean that all is well."""
        if self.modes == (Mode.SCENES,):  # that asks for nothing of the check
            return
        never = self.coverage.never(dict.fromkeys(edge.unit for edge in self.graph.edges if self._is_expected(edge)))
        if self.plan.choices is None and self.plan.path is None:  # who repeats one run asks for that one alone
            if never:
                yield f"never taken: {', '.join(never)}"
            if self.coverage.faults and not self.coverage.begun:
                yield f"none of {self.coverage.faults:,} faults struck after something had begun"
        if not self.observed and self._observable:
            yield "nothing was observed"
        ratio = summary.transitions.ratio
        if self.plan.coverage and (ratio is None or ratio < self.plan.coverage):
            known = "not known" if ratio is None else f"{ratio:.1%}"
            yield f"{known} of the transitions were taken, and {self.plan.coverage:.1%} are demanded"
        if not self.graph.complete and Mode.REPLAY in self.modes:
            yield f"the graph has more than {len(self.graph.states):,} states, or a bound; the rest was not replayed"

    def _is_expected(self, edge: Edge) -> bool:
        """Whether a test has to show this step: the implementation takes it, or it is a fault of the surroundings."""
        treatment = self.adapter.treatment(edge.unit)
        return treatment is Treatment.MAPPED or (edge.fault and treatment is Treatment.ENVIRONMENT)


def trace_of(graph: Graph, mismatch: Mismatch) -> Trace:
    """The way to a mismatch as a trace, whose last step is the one that did not match, if the spec has it."""
    states = graph.states
    edges = [graph.edges[number] for number in mismatch.path]
    start = states[edges[0].source if edges else graph.initial[0]]
    labels = graph.labels
    steps = tuple(TraceStep(e.label, labels.changes(states[e.source], states[e.target])) for e in edges)
    return Trace(labels.initial(start), steps, mismatch.step if mismatch.forbidden else None)
