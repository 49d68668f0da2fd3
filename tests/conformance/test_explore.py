"""Explorations find what is wrong, shrink it to the dullest run that shows it, and repeat it from a list of numbers."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Mapping
from typing import ClassVar

import pytest

import checker
from checker.conformance.adapter import Adapter, Observation
from checker.conformance.choices import ChoiceError, Choose, DrawnRandom, Script, search
from checker.conformance.coverage import Coverage
from checker.conformance.drive import Driver, Plan
from checker.conformance.event import Event
from checker.conformance.explore import Explorer, explore, explore_again
from checker.conformance.growing import GraphTooLarge, GrowingGraph
from checker.conformance.links import Quality
from checker.conformance.mapping import step
from checker.conformance.modes import Mode
from checker.conformance.replay import Outcome
from checker.conformance.simulate.simulation import Simulation
from checker.conformance.simulate.surroundings import SimulatedEnvironment
from checker.properties.kinds import Json
from refimpl.adapters.two_phase_commit import TwoPhaseCommit
from tests.conformance.test_two_phase_commit import graph_of as commit_graph
from tests.conformance.toy import Library, graph_of

# ---- choices


def test_search_shrinks_to_the_smallest_run() -> None:
    def play(choose: Choose) -> int | None:
        total = sum(choose(10) for _ in range(8))
        return total if total >= 12 else None

    failing = search(play, seed=1, runs=200)
    assert failing is not None
    assert failing.found == 12
    assert sum(failing.choices) == 12
    assert not failing.flaky
    assert play(Script(failing.choices)) == 12


def test_search_without_a_failure_is_none() -> None:
    assert search(lambda choose: None if choose(3) < 3 else "impossible", seed=0, runs=20) is None


def test_who_does_not_do_the_same_again_is_flaky() -> None:
    count = 0

    def play(choose: Choose) -> str | None:
        nonlocal count
        count += 1
        return "once" if choose(5) >= 0 and count == 3 else None

    failing = search(play, seed=0, runs=20)
    assert failing is not None
    assert failing.flaky


def test_script_refuses_what_does_not_fit() -> None:
    script = Script((1, 7))
    assert script(2) == 1
    assert script(1) == 0, "where there is no choice, none is taken from the list"
    with pytest.raises(ChoiceError, match="choice 2 is 7, but only 3 options are there"):
        script(3)
    assert Script(())(100) == 0


def test_drawn_chance_is_dull_for_zero() -> None:
    dull = DrawnRandom(lambda options: 0)
    assert not dull.random() < 0.9
    assert (dull.expovariate(1), dull.uniform(0, 5), dull.randrange(7)) == (0, 0, 0)
    wild = DrawnRandom(lambda options: options - 1)
    assert wild.random() < 0.05
    assert (wild.uniform(0, 5), wild.randrange(7), wild.randrange(2, 9, 3)) == (5, 6, 8)


def test_chance_is_dull_after_so_many_draws() -> None:
    random = DrawnRandom(lambda options: options - 1, most=2)
    assert [random.randrange(9) for _ in range(4)] == [8, 8, 0, 0]


def test_simulations_are_explored() -> None:
    """Two messages may overtake each other; Hypothesis finds that they do, with the smallest delay that does it."""

    async def sender(env: SimulatedEnvironment) -> None:
        env.send("b", {"type": "first"})
        env.send("b", {"type": "second"})
        await asyncio.sleep(10)

    def play(choose: Choose) -> list[object] | None:
        got: list[object] = []

        async def receiver(env: SimulatedEnvironment) -> None:
            while True:
                _, message = await env.receive()
                got.append(message["type"])

        async def driver(sim: Simulation) -> None:
            await asyncio.sleep(5)

        random = DrawnRandom(choose)
        quality = Quality(latency=0.1, loss=0.2)
        sim = Simulation(seed=0, processes={"a": sender, "b": receiver}, quality=quality, chance=lambda purpose: random)
        sim.run(driver)
        return got if got == ["second", "first"] else None

    assert play(Script(())) is None
    failing = search(play, seed=0, runs=200)
    assert failing is not None
    assert failing.found == ["second", "first"]
    assert max(failing.choices) == 1
    assert failing.choices.count(1) == 1, "one delay is one step longer, and nothing is lost"


# ---- adapters


def test_what_conforms_conforms() -> None:
    graph = graph_of("rough")
    result = explore(Library(graph.machine), seed=3, runs=10)
    assert result.outcome is Outcome.CONFORMS
    assert result.mismatch is None
    assert result.faults > 0
    assert result.probes == 0, "where steps are hidden, nobody knows what is forbidden"
    assert result.unseen == ("Shelf.status", "network")
    assert str(result).startswith("conforms: ")


def test_same_seed_same_runs() -> None:
    machine = graph_of("rough").machine
    assert explore(Library(machine), seed=5, runs=8) == explore(Library(machine), seed=5, runs=8)


def test_nothing_seen_is_incomplete() -> None:
    class Blind(Library):
        def observe(self) -> Observation:
            return {}

    machine = graph_of("calm").machine
    assert explore(Blind(machine), runs=5).outcome is Outcome.INCOMPLETE


def test_no_fault_is_incomplete_where_there_could_be_one() -> None:
    machine = graph_of("rough").machine
    result = explore(Library(machine), runs=1, steps=2)
    assert (result.steps > 0, result.faults, result.calm) == (True, 0, True)
    assert result.outcome is Outcome.INCOMPLETE
    assert "no fault struck after something had begun" in str(result)
    assert explore(Library(graph_of("calm").machine), runs=1, steps=2).outcome is Outcome.CONFORMS
    assert explore_again(Library(machine), (0,)).outcome is Outcome.CONFORMS, "that run was asked for"


def test_faults_of_the_surroundings_have_to_strike() -> None:
    graph = graph_of("rough")
    without = [n for n, edge in enumerate(graph.edges) if edge.unit != "lose"]
    plan = Plan(modes=(Mode.EXPLORE,), runs=300, steps=30)
    driver = Driver(Library(graph.machine), graph.machine, plan, graph)
    assert driver.report().outcome is Outcome.CONFORMS
    driver.coverage = Coverage(graph.machine, graph=graph)
    driver.coverage.add(graph, without)
    assert "never taken: lose" in tuple(driver.lacks(driver.coverage.summary()))
    driver.coverage = Coverage(graph.machine, graph=graph)
    driver.coverage.add(
        graph, [n for n in without if not graph.edges[n].fault or graph.edges[n].source in graph.initial]
    )
    assert "none of 1 faults struck after something had begun" in tuple(driver.lacks(driver.coverage.summary()))


class Greedy(Library):
    """Returns every book at once."""

    @step("Reader.Return")
    def give_back(self, event: Event) -> None:
        self.hands.clear()


def test_failure_is_shrunk_and_repeats() -> None:
    machine = graph_of("rough").machine
    result = explore(Greedy(machine), seed=0, runs=200)
    assert result.outcome is Outcome.MISMATCH
    assert result.mismatch is not None
    assert result.mismatch.step is not None
    assert result.mismatch.step.startswith("Reader.Return()")
    assert result.mismatch.differing == ("Reader.hands",)
    assert not any("lose" in name or "crash" in name for name in result.mismatch.matched), "faults are shrunk away"
    again = explore_again(Greedy(machine), result.choices)
    assert again.mismatch == result.mismatch
    assert result.mismatch.text().endswith(f"Again: explore_again(adapter, {list(result.choices)!r})\n")
    assert explore_again(Library(machine), result.choices).mismatch is None


def test_zero_delivers_the_oldest_message() -> None:
    explorer = Explorer(TwoPhaseCommit(commit_graph("small").machine), steps=8)
    explorer.play(Script(()))
    edges = {edge.source: edge for edge in map(explorer.graph.edges.__getitem__, explorer.run.taken)}
    here, taken = explorer.graph.initial[0], []
    while here in edges:
        taken.append(edges[here].label)
        here = edges[here].target
    assert taken == [
        "TM.Begin()",
        "RM0.Prepare() <- TM [branch 1]",
        "RM1.Prepare() <- TM [branch 1]",
        "TM.Vote(true) <- RM0",
        "TM.Vote(true) <- RM1",
        "TM.Commit()",
        "RM0.Decide(commit) <- TM",
        "RM1.Decide(commit) <- TM",
    ]


QUICK = ("CommitsAtFirstYes", "DecidesInMemory", "ForgetsItsDecision", "VotesBeforeItLogs")


@pytest.mark.parametrize(
    "name", [pytest.param(n, marks=[] if n in QUICK else [pytest.mark.slow]) for n in TwoPhaseCommit.mistakes()]
)
def test_every_mistake_is_found(name: str) -> None:
    make = TwoPhaseCommit.mistakes()[name]
    machine = commit_graph("recovery").machine
    result = explore(make(machine), seed=1, runs=400)
    assert result.mismatch is not None
    assert len(result.mismatch.matched) < 12
    assert explore_again(make(machine), result.choices).mismatch == result.mismatch


# ---- who decides, and what is hidden


DICE = """
spec Dice
role Player {
  volatile thrown: 0..3 = 0
  volatile told: bool = false
  action Throw when thrown == 0 { choose n in 1..3  thrown := n }
  action Tell when thrown > 0 and not told { told := true }
}
final: true
check whole { expect states 7 }
"""


class Dice(Adapter):
    """Throws what it likes; whether it has told is its own business."""

    resolves: ClassVar[tuple[str, ...]] = ("Player.Throw",)
    hidden: ClassVar[tuple[str, ...]] = ("Player.Tell",)
    number = 2

    def begin(self, initial: Mapping[str, Json]) -> None:
        self.thrown = 0

    @step("Player.Throw")
    def throw(self, event: Event) -> None:
        self.thrown = self.number

    def observe(self) -> Observation:
        return {"Player.thrown": self.thrown}


def test_implementation_decides_and_the_spec_follows() -> None:
    machine = checker.loads(DICE).machine("whole")
    assert explore(Dice(machine), runs=20).outcome is Outcome.CONFORMS

    class Stubborn(Dice):
        resolves: ClassVar[tuple[str, ...]] = ()

    class Impossible(Dice):
        number = 5

    assert explore(Stubborn(machine), runs=20).outcome is Outcome.MISMATCH
    assert explore(Impossible(machine), runs=20).outcome is Outcome.MISMATCH


def test_hidden_steps_may_have_happened() -> None:
    class Told(Dice):
        def observe(self) -> Observation:
            return {"Player.thrown": self.thrown, "Player.told": self.thrown > 0}

    class Early(Dice):
        def observe(self) -> Observation:
            return {"Player.thrown": self.thrown, "Player.told": True}

    machine = checker.loads(DICE).machine("whole")
    assert explore(Told(machine), runs=20).outcome is Outcome.CONFORMS
    assert explore(Early(machine), runs=20).outcome is Outcome.MISMATCH


# ---- graphs that grow


def test_growing_graph_is_the_graph() -> None:
    graph = graph_of("rough")
    growing = GrowingGraph(graph.machine)
    for state in range(len(graph.states)):
        growing.out(state)
    assert growing.states == list(graph.states)
    assert [(e.source, e.target, e.label) for e in growing.edges] == [
        (e.source, e.target, e.label) for e in graph.edges
    ]


def test_growing_graph_has_a_limit() -> None:
    growing = GrowingGraph(graph_of("rough").machine, most=3)
    with pytest.raises(GraphTooLarge, match="more than 3 states of Library were met"):
        deque(map(growing.out, range(3)), maxlen=0)
