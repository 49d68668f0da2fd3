"""Simulations find planted bugs, say nothing else, and say the same again."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from math import sqrt
from pathlib import Path
from random import Random

import pytest

import checker
from checker.base.diagnostics import SpecError
from checker.engine.interface import Exploration, Limits, Progress, Stop
from checker.engine.search import Interpreter
from checker.engine.simulation.shrink import Shrinker
from checker.engine.simulation.simulator import Plan, Simulator
from checker.model.machine import Machine
from checker.properties.kinds import CheckVerdict, Kind, Verdict
from checker.properties.safety import judge
from tests.random_specs import random_spec, wide_spec

SPECS = Path(__file__).resolve().parents[3] / "specs"


def simulate(machine: Machine, limits: Limits | None = None, **plan: object) -> Exploration:
    return Simulator(Plan(**plan)).explore(machine, limits or Limits())  # type: ignore[arg-type]


def library(name: str, check: str, **constants: int) -> Machine:
    return checker.load(SPECS / f"{name}.psm").machine(check, constants=constants)


def overflowing() -> Machine:
    """The Redis lock whose clients ask again after a crash by the same message, for which there is no room."""
    text = (SPECS / "locks/redis_lock.psm").read_text(encoding="utf-8")
    return checker.loads(text.replace("on restart { connection += 1 }", "")).machine("pause")


def findings(found: Exploration) -> dict[str, object]:
    parts = {**found.violations, **found.reached, **found.broken}
    return {name: (f.path, None if f.error is None else f.error.message) for name, f in parts.items()}


# ---- what is found


@pytest.mark.parametrize(
    ("name", "check", "constants", "property_", "schedule"),
    [
        ("locks/redis_lock", "unfenced", {"C": 3, "GRANTS": 5}, "NoStaleWrite", "random"),
        ("locks/redis_lock", "unfenced", {"C": 3, "GRANTS": 5}, "NoStaleWrite", "pct"),
        ("consensus/paxos", "quorum", {"A": 5, "BALLOTS": 4, "QUORUM": 2}, "Agreement", "random"),
        ("consensus/paxos", "quorum", {"A": 5, "BALLOTS": 4, "QUORUM": 2}, "Agreement", "pct"),
    ],
)
def test_planted_bugs_in_models_too_large_to_explore(
    name: str, check: str, constants: dict[str, int], property_: str, schedule: str
) -> None:
    """Both models have millions of states; native code does not come to the end of either in ten seconds."""
    machine = library(name, check, **constants)
    found = simulate(machine, runs=60, schedule=schedule, steps=80)
    assert property_ in found.violations
    assert judge(machine, found).property(property_).verdict is Verdict.VIOLATED


def test_what_timeouts_would_prevent_is_found() -> None:
    """A commit needs four agreeing votes before anybody has lost patience, and then somebody who decides by hand."""
    found = simulate(library("transactions/two_phase_commit", "heuristic", N=4), runs=60, schedule="random")
    assert "Atomic" in found.violations


KINDS = """spec Kinds
role A { durable x: 0..9 = 0  action Up when x < 9 { x += 1 }  action Down when x == 5 { x := 4 } }
invariant Low: A.x < 7
invariant Odd: 10 / (8 - A.x) > 0
step Rising: A.x >= old(A.x)
reach Six: A.x == 6
reach Never: A.x == 9 and A.x == 8
check c { expect fails Low, Rising, NoDeadlock  expect holds Six }
"""


def test_every_kind_of_finding() -> None:
    machine = checker.loads(KINDS).machine()
    result = judge(machine, simulate(machine, runs=20))
    assert {p.name: (p.verdict.value, p.trace and len(p.trace.steps)) for p in result.properties} == {
        "Low": ("violated", 7),
        "Odd": ("error", 8),
        "Rising": ("violated", 6),
        "Six": ("holds", 6),
        "Never": ("incomplete", None),
        "NoError": ("incomplete", None),
        "NoDeadlock": ("violated", 9),
    }
    assert result.reason is not None
    assert result.reason.startswith("only sampled, 20 runs with ")


def test_nothing_holds_that_was_only_sampled() -> None:
    """The whole state space of this model is met, and still nothing is said to hold."""
    text = "spec S role A { durable x: bool = false action Go when not x { x := true } } invariant I: A.x or not A.x\n"
    machine = checker.loads(text + "final: true check c { expect holds I }").machine()
    result = judge(machine, simulate(machine, runs=50))
    assert (result.states, result.verdict) == (2, CheckVerdict.INCOMPLETE)
    assert {p.verdict for p in result.properties} == {Verdict.INCOMPLETE}


def test_an_expected_failure_that_is_found_passes() -> None:
    """What was expected to fail and does is certain, but that nothing else fails is not."""
    machine = checker.loads(KINDS).machine()
    properties = {p.name: p.met for p in judge(machine, simulate(machine, runs=20)).properties}
    assert (properties["Low"], properties["Six"], properties["NoError"]) == (True, True, None)


def test_a_bound_ends_a_run_behind_the_state_that_is_judged() -> None:
    text = KINDS.replace("check c {", "check c { bound A.x < 7 ")
    machine = checker.loads(text).machine()
    found = simulate(machine, runs=20)
    assert len(found.violations["Low"].path.steps) == 7
    assert "Odd" not in found.broken
    assert found.tally.bound_cut > 0
    nowhere = checker.loads(KINDS.replace("check c {", "check c { bound A.x > 0 ")).machine()
    with pytest.raises(SpecError, match="PSM508"):
        simulate(nowhere)


@pytest.mark.parametrize("seed", range(12))
def test_random_models(seed: int) -> None:
    """Whatever is found is found by the search, too; `judge` goes each path again."""
    text = (wide_spec if seed % 2 else random_spec)(Random(seed))
    try:
        machine = checker.loads(text).machine("c")
        found = simulate(machine, runs=40, steps=30, seed=seed)
    except SpecError:
        return
    result = judge(machine, found)
    assert not any(p.verdict is Verdict.HOLDS and p.kind is not Kind.REACH for p in result.properties)
    exact = Interpreter().explore(machine, Limits(max_states=4_000))
    if exact.stop is Stop.DONE:
        assert found.violations.keys() <= exact.violations.keys()
        assert found.reached.keys() <= exact.reached.keys()
        assert found.states <= exact.states + exact.tally.bound_cut


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(12, 1000))
def test_more_random_models(seed: int) -> None:
    test_random_models(seed)


# ---- seeds


def test_the_same_seed_gives_the_same() -> None:
    machine = library("locks/redis_lock", "pause")
    first, second, other = (simulate(machine, runs=60, seed=seed) for seed in (7, 7, 8))
    assert replace(first, seconds=0) == replace(second, seconds=0)
    assert findings(first) != findings(other)


@pytest.mark.parametrize("schedule", ["random", "pct", "mixed"])
def test_one_run_finds_it_again(schedule: str) -> None:
    for machine in (overflowing(), library("transactions/two_phase_commit", "recovery")):
        found = simulate(machine, runs=60, seed=3, schedule=schedule)
        assert found.sample is not None
        for name, origin in found.sample.origins.items():
            again = simulate(machine, runs=1, seed=origin.seed, schedule=schedule)
            assert findings(again)[name] == findings(found)[name]


def test_findings_do_not_change_what_follows() -> None:
    """The runs of a model without its properties are the same."""
    plain = KINDS[: KINDS.index("invariant")] + "final: true check c { }"
    counts = [simulate(checker.loads(t).machine(), runs=30).transitions for t in (KINDS, plain)]
    assert counts[0] == counts[1]


# ---- shrinking


@pytest.mark.parametrize(
    "make",
    [
        partial(library, "locks/redis_lock", "unfenced"),
        overflowing,
        partial(library, "consensus/pbft", "f2"),
        partial(library, "transactions/two_phase_commit", "lost_log"),
        partial(library, "transactions/two_phase", "blocking"),
    ],
)
def test_without_any_one_step_it_shows_nothing(make: Callable[[], Machine], monkeypatch: pytest.MonkeyPatch) -> None:
    tried = 0
    shrink = Shrinker.shrink

    def watched(self, goal, start, draws, **more):  # type: ignore[no-untyped-def]
        nonlocal tried
        shown, minimal = shrink(self, goal, start, draws, **more)
        assert minimal
        steps = shown.all_draws
        assert len(steps) <= len(draws)
        again = self.replay(goal, start, steps)
        assert (again.states, again.all_draws) == (shown.states, steps)
        for at in range(len(steps)):
            assert self.replay(goal, start, (*steps[:at], *steps[at + 1 :])) is None
        tried += len(draws) > len(steps)
        return shown, minimal

    monkeypatch.setattr(Shrinker, "shrink", watched)
    simulate(make(), runs=150, steps=60)
    assert tried > 0


def test_a_long_run_becomes_short() -> None:
    """Of hundreds of steps of four counters, nearly none matter."""
    text = (
        "spec Long role N[4] { durable x: 0..400 = 0  action Go when x < 400 { x += 1 } }\n"
        "role B { durable a: 0..200 = 0  durable done: bool = false\n"
        "  action Count when a < 200 { a += 1 }  action Hit when a > 3 { done := true } }\n"
        "invariant Safe: not (B.done and N0.x >= 2)\nfinal: true check c { expect fails Safe }"
    ).replace("N0.x", "at(N, 0).x")
    found = simulate(checker.loads(text).machine(), runs=20, steps=400, schedule="random")
    assert found.sample is not None
    assert len(found.violations["Safe"].path.steps) == 4 + 1 + 2
    assert found.sample.origins["Safe"].minimal


def test_shrinking_ends_soon_after_the_limit_on_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Replays that take long: what was found is shown as it is, and it is said that it is not minimal."""
    replay = Shrinker.replay

    def slow(self, goal, start, draws):  # type: ignore[no-untyped-def]
        time.sleep(0.05)
        return replay(self, goal, start, draws)

    monkeypatch.setattr(Shrinker, "replay", slow)
    machine = library("locks/redis_lock", "unfenced")
    found = simulate(machine, Limits(timeout=0.1), runs=None)
    assert found.sample is not None
    assert any(not origin.minimal for origin in found.sample.origins.values())
    assert found.seconds < 10
    judge(machine, found)


# ---- PCT


def race(most: int, bad: int) -> Machine:
    """A counts to `most` in steps of one; B looks once, and goes wrong if it sees `bad`. Two sources, most + 1 steps."""
    text = (
        f"spec Race shared x: 0..{most} = 0 shared saw: 0..{most}? = none\n"
        f"role A {{ action Step when x < {most} {{ x += 1 }} }}\n"
        "role B { action Peek when saw == none { saw := x } }\n"
        f"invariant Fine: saw != {bad}\nfinal: true check c {{ expect fails Fine }}"
    )
    return checker.loads(text).machine()


def hits(machine: Machine, runs: int, steps: int, schedule: str, depth: int) -> int:
    """In how many runs, each for itself, the invariant is violated."""
    return sum(
        "Fine" in simulate(machine, seed=seed, runs=1, steps=steps, schedule=schedule, depth=depth).violations
        for seed in range(runs)
    )


@pytest.mark.parametrize(
    ("bad", "depth", "runs"),
    [
        pytest.param(20, 1, 200, id="B is held back until A is done"),
        pytest.param(7, 2, 800, id="B comes exactly behind the seventh step of A"),
    ],
)
def test_pct_finds_a_bug_with_the_proven_probability(bad: int, depth: int, runs: int) -> None:
    """1 / (n k^(d-1)), with n = 2 sources and k = 21 steps; three standard deviations below are allowed."""
    chance = 1 / (2 * 21 ** (depth - 1))
    least = runs * chance - 3 * sqrt(runs * chance * (1 - chance))
    assert least > 0
    assert hits(race(20, bad), runs, 21, "pct", depth) >= least


def test_a_random_schedule_does_not_find_what_is_held_back() -> None:
    """It would have to pass B over twenty times: once in a million runs."""
    assert hits(race(20, 20), 200, 21, "random", 1) == 0


def test_pct_keeps_its_order_between_changes() -> None:
    """Without a change of priorities one of two sources goes first until it is done."""
    machine = race(20, 3)
    assert hits(machine, 100, 21, "pct", 1) == 0
    assert hits(machine, 400, 21, "pct", 2) > 0


# ---- limits


def test_limit_on_time() -> None:
    machine = library("consensus/paxos", "safe")
    found = simulate(machine, Limits(timeout=0.3), runs=None)
    assert found.stop is Stop.TIME
    assert found.seconds >= 0.3
    assert judge(machine, found).reason.endswith("the limit on time was reached")  # type: ignore[union-attr]


def test_limit_on_memory() -> None:
    found = simulate(library("consensus/paxos", "safe"), Limits(max_memory=1), runs=None)
    assert found.stop is Stop.MEMORY


def test_interruption_keeps_what_was_found() -> None:
    def interrupt(progress: Progress) -> None:
        assert progress.runs is not None
        assert progress.planned is None
        raise KeyboardInterrupt

    machine = library("locks/redis_lock", "unfenced")
    found = Simulator(Plan(runs=None)).explore(machine, Limits(), interrupt)
    assert found.stop is Stop.INTERRUPTED
    assert found.violations


def test_it_ends_when_nothing_is_left_to_find() -> None:
    text = (
        "spec All role A { durable x: 0..3 = 0  action Up when x < 2 { x += 1 }  action Err when x == 1 { x -= 2 } }\n"
        "check c { expect fails NoError, NoDeadlock }"
    )
    found = simulate(checker.loads(text).machine(), runs=10_000)
    assert found.stop is Stop.SAMPLED
    assert found.violations.keys() == {"NoError", "NoDeadlock"}
    assert found.sample is not None
    assert found.sample.runs < 10
