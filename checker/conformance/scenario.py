"""Whole systems in the simulator, held to their spec: run after run is recorded, and validated.

An adapter takes an implementation step by step, when the spec says so. Here it runs by itself: with its timers, its log on a
disk, its messages as they are written, and with whatever the driver does to it. What it tells of its steps is a record, and the
spec says whether it allows that. So mistakes are found that lie below an adapter or above it, in what writes or waits.

    class Cluster(Scenario):
        mapping = TraceMapping(stutter=("standing",), hidden=("Server.Lead",))

        def processes(self):
            return {name: serve for name in ("Server0", "Server1", "Server2")}

        async def drive(self, sim):
            await asyncio.sleep(1)
            sim.crash("Server0")

    print(simulate(Cluster, machine, name="Raft", runs=50).text())

Each run has its own seed, so a run that fails is made again by its seed alone. All runs together are one test: what none of them
shows is missing, and what one of them shows is shown.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import field
from random import Random
from typing import Any, ClassVar

from checker.base.data import dataclass
from checker.conformance.compare import Comparison
from checker.conformance.growing import GrowingGraph
from checker.conformance.links import Quality
from checker.conformance.record import Record
from checker.conformance.replay import Outcome
from checker.conformance.simulate.loop import Livelock, Stalled
from checker.conformance.simulate.simulation import Process, ProcessFailed, Simulation
from checker.conformance.simulate.surroundings import Survival
from checker.conformance.validation import report
from checker.conformance.validation.evidence import NOTHING
from checker.conformance.validation.frontier import BUDGET
from checker.conformance.validation.mapping import TraceMapping
from checker.conformance.validation.validate import Validated, expected, validate
from checker.model.machine import Machine
from checker.render.plain import plural


class Scenario(ABC):
    """One run of a system; a fresh object is made for each."""

    mapping: ClassVar[TraceMapping] = TraceMapping()
    """What the words of its record mean in the spec."""
    quality: ClassVar[Quality] = Quality()
    survival: ClassVar[Survival] = Survival.SYNCED

    @classmethod
    def mistakes(cls) -> Mapping[str, Make]:
        """Wrong implementations by name."""
        return {}

    def __init__(self, machine: Machine, seed: int) -> None:
        self.machine = machine
        self.seed = seed
        self.chance = Random(f"{seed} driver")
        """For whatever the driver leaves to chance."""

    @abstractmethod
    def processes(self) -> Mapping[str, Process]:
        """What runs, by name. Names that the spec has need no mapping."""

    @abstractmethod
    async def drive(self, sim: Simulation) -> None:
        """Plays clients and faults; the run ends with it."""

    def told(self, record: Record) -> Record:
        """A record in the words of the spec, where a mapping cannot say them."""
        return record

    def run(self) -> Record:
        """Makes the run.

        Raises:
            ProcessFailed, Stalled, Livelock: see `Simulation.run`.
        """
        sim = Simulation(seed=self.seed, processes=self.processes(), quality=self.quality, survival=self.survival)
        return sim.run(self.drive)


Make = Callable[[Machine, int], Scenario]
"""Makes the scenario of a check and a seed."""


@dataclass(frozen=True, slots=True)
class Failing:
    """A run that fails: the spec does not allow its record, or it ended with an error before there was one."""

    seed: int
    validated: Validated | None
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Simulated:
    """What came of several runs.

    Attributes:
        name: what the system is called.
        seed: of the first run; `runs` were made, each with the next seed.
        entries: how many entries of all records were compared.
        graph, taken: the part of the spec that was looked at, and the transitions on the ways through it that were found.
        faults: how many struck while something was under way.
        seen, unseen: the variables of the spec that were observed at least once, and the others.
        lacks: why nothing wrong does not mean that all is well; among it, steps that no run shows and that are not rare.
        failing: the first run that fails, if one does.
        record: that of the last run, if it came to one.
    """

    name: str
    seed: int
    runs: int
    entries: int
    graph: GrowingGraph = field(repr=False, compare=False)
    taken: frozenset[int] = field(repr=False)
    faults: int
    seen: tuple[str, ...]
    unseen: tuple[str, ...]
    lacks: tuple[str, ...]
    failing: Failing | None = field(repr=False)
    record: Record | None = field(repr=False)

    @property
    def outcome(self) -> Outcome:
        """Whether the system follows its spec, as far as the runs show anything."""
        if self.failing is not None:
            return Outcome.MISMATCH
        return Outcome.INCOMPLETE if self.lacks else Outcome.CONFORMS

    def __str__(self) -> str:
        """One line with everything that the outcome rests on."""
        machine, runs = self.graph.machine, plural(self.runs, "run")
        return (
            f"{self.outcome.value}: {self.name} and {machine.spec}, check {machine.check}, in {runs} with seeds from "
            f"{self.seed}: {self.entries:,} entries, {len(self.taken):,} different transitions, {self.faults:,} faults while "
            f"something was under way; {len(self.seen)} of {len(self.seen) + len(self.unseen)} variables observed"
        )

    def text(self) -> str:
        """The result as a reader wants it."""
        lines = [str(self)]
        if self.failing is None:
            lines += [f"  lacks: {reason}" for reason in self.lacks]
        else:
            found = self.failing.validated
            why = self.failing.problem if found is None else report.text_of(found).rstrip("\n")
            lines += ["", f"The run with seed {self.failing.seed} fails:", why]
        return "\n".join(lines) + "\n"

    def document(self) -> dict[str, Any]:
        """The result for programs."""
        failing = self.failing
        found = None if failing is None else failing.validated
        return {
            "version": 1,
            "adapter": self.name,
            "spec": self.graph.machine.spec,
            "check": self.graph.machine.check,
            "mode": "simulate",
            "result": self.outcome.value,
            "seed": self.seed,
            "runs": self.runs,
            "entries": self.entries,
            "transitions": len(self.taken),
            "faults": self.faults,
            "observed": list(self.seen),
            "unobserved": list(self.unseen),
            "lacks": list(self.lacks),
            "failing": None if failing is None else {
                "seed": failing.seed,
                "problem": failing.problem,
                "validated": None if found is None else report.document_of(found),
            },
        }  # fmt: skip

    def drawing(self) -> dict[str, Any]:
        """What a page needs beside the document."""
        found = None if self.failing is None else self.failing.validated
        return {**({} if found is None else report.drawing_of(found)), "text": self.text()}


def simulate(
    make: Make,
    machine: Machine,
    *,
    name: str = "a system",
    rare: Sequence[str] = (),
    seed: int = 0,
    runs: int = 100,
    budget: int = BUDGET,
) -> Simulated:
    """Makes runs and validates each, up to the first that fails.

    Args:
        make: makes the scenario of a check and a seed; its class will do.
        machine: the check.
        name: what it is called.
        rare: steps of the spec that no run needs to show.
        seed: of the first run; each has the next one.
        runs: how many.
        budget: of the validation of each, in points of record and spec.

    Raises:
        TraceMappingError: the record does not speak of this spec.
        ValueError: no run is asked for.
    """
    if runs < 1:
        raise ValueError("at least one run has to be made")
    graph = GrowingGraph(machine)
    results: list[Validated] = []
    spoilt: list[str] = []
    failing: Failing | None = None
    record: Record | None = None
    for at in range(seed, seed + runs):
        scenario = make(machine, at)
        try:
            record = scenario.run()
        except (ProcessFailed, Stalled, Livelock) as problem:
            failing, record = Failing(at, None, f"{type(problem).__name__}: {problem}"), None
            break
        told = scenario.told(record)
        result = validate(machine, told, scenario.mapping, budget=budget, graph=graph)
        results.append(result)
        spoilt += [f"seed {at}: {reason}" for reason in result.spoilt]
        if result.outcome is Outcome.MISMATCH:
            # what is told of it must not depend on the runs before, whose graph has other numbers
            failing = Failing(at, validate(machine, told, scenario.mapping, budget=budget))
            break
    evidence = sum((result.evidence for result in results), NOTHING)
    fired = {unit for result in results for unit in result.fired}
    never = [unit for unit in expected(machine) if unit not in fired and unit not in rare]
    observable = Comparison(graph).observable
    return Simulated(
        name=name,
        seed=seed,
        runs=len(results) + (record is None),
        entries=sum(result.entries for result in results),
        graph=graph,
        taken=frozenset(number for r in results if r.way is not None for number, _ in r.way.edges),
        faults=evidence.overlapping,
        seen=tuple(n for n in observable if n in evidence.seen),
        unseen=tuple(n for n in observable if n not in evidence.seen),
        lacks=(*spoilt, *evidence.lacks, *([f"no run shows {', '.join(never)}"] if never else [])),
        failing=failing,
        record=record,
    )
