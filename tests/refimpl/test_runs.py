"""Reference implementations that run by themselves in the simulator, each run validated against the spec."""

from __future__ import annotations

from collections.abc import Callable, Collection
from pathlib import Path

import pytest

import checker
from checker.conformance.mismatch import Sight
from checker.conformance.replay import Outcome
from checker.conformance.scenario import Make, Scenario, Simulated, simulate
from checker.model.machine import Machine
from refimpl.adapters.raft_runs import RaftRuns
from refimpl.adapters.two_phase_commit_runs import TwoPhaseCommitRuns
from refimpl.consensus import raft_mistakes
from refimpl.runtime.log_mistakes import NeverSyncs
from refimpl.transactions import two_phase_commit_mistakes

SPECS = Path(__file__).resolve().parents[2] / "specs"


def commit() -> Machine:
    return checker.load(SPECS / "transactions/two_phase_commit.psm").machine("recovery")


def raft() -> Machine:
    return checker.load(SPECS / "consensus/raft.psm").machine(
        "crash", constants={"TERMS": 9, "LOG": 9, "CANDIDATES": 3}
    )


def conforms(result: Simulated, seen: Collection[str], *, faults: int) -> None:
    """The spec allows all runs; they show every step and every fault of the check."""
    assert result.outcome is Outcome.CONFORMS, result.text()
    assert {name.rpartition(".")[2] for name in result.seen} == set(seen)
    assert result.faults >= faults


def test_two_phase_commit_does_what_its_spec_allows() -> None:
    conforms(simulate(TwoPhaseCommitRuns, commit(), runs=40), {"log", "agreed", "state"}, faults=40)


def test_raft_does_what_its_spec_allows() -> None:
    conforms(simulate(RaftRuns, raft(), runs=10), {"term", "voted", "log", "mode", "commit"}, faults=8)


@pytest.mark.slow
def test_raft_does_what_its_spec_allows_in_many_runs() -> None:
    conforms(simulate(RaftRuns, raft(), runs=300), {"term", "voted", "log", "mode", "commit"}, faults=250)


def test_raft_within_the_bounds_of_its_check() -> None:
    """One candidate, two terms and one entry: what lies beyond is not judged, so there is less to see."""
    machine = checker.load(SPECS / "consensus/raft.psm").machine("crash")
    result = simulate(RaftRuns, machine, runs=6)
    assert result.failing is None, result.text()
    assert 0 < result.entries < simulate(RaftRuns, raft(), runs=6).entries / 2


# ---- mistakes


@pytest.mark.parametrize(
    ("scenario", "machine", "lost"), [(TwoPhaseCommitRuns, commit, "state"), (RaftRuns, raft, "log")]
)
def test_a_log_that_does_not_wait_for_its_disk_is_found(
    scenario: type[Scenario], machine: Callable[[], Machine], lost: str
) -> None:
    """No adapter can find it, since adapters have disks of their own: here it shows once a process has crashed."""
    make = scenario.mistakes()["NeverSyncs"]
    result = simulate(make, machine(), runs=30)
    assert result.failing is not None
    found = result.failing.validated
    assert found is not None and found.part is not None
    assert found.part.name == "standing"
    differing = [field.name for field in found.stuck[0].fields if field.sight is Sight.DIFFERENT]
    assert [name.partition(".")[2] for name in differing] == [lost]
    again = simulate(make, machine(), seed=result.failing.seed, runs=1)
    assert again.failing is not None
    assert again.failing.validated is not None
    assert again.failing.validated.part == found.part


UNSEEN = {
    "VotesYesAlways": "what the database behind a participant can do is not told",
    "CommitsOnPaper": "nor what became of it",
    "AnswersWithoutDecision": "a coordinator has decided before a participant loses patience and asks",
    "ForgetsTheLast": "the last participant is never asked, so that it leaves and all is aborted: the spec allows it",
    "ComparesLengthsAlone": "logs of one run are too short",
    "CountsLateVotes": "a vote comes a whole election late, which is rare",
}
"""Mistakes that no record of a short run shows; replays and probes find them."""

FOUND = [
    *((name, make, commit) for name, make in TwoPhaseCommitRuns.mistakes().items()),
    *((name, make, raft) for name, make in RaftRuns.mistakes().items()),
]


@pytest.mark.slow
@pytest.mark.parametrize(("name", "make", "machine"), FOUND, ids=[name for name, *_ in FOUND])
def test_mistakes_are_found(name: str, make: Make, machine: Callable[[], Machine]) -> None:
    result = simulate(make, machine(), runs=60)
    assert (result.failing is not None) == (name not in UNSEEN), result.text()


def test_a_mistake_that_needs_two_terms_is_found() -> None:
    """Committing by counting, which among replays only that of `figure8_rule` finds."""
    result = simulate(RaftRuns.mistakes()["CommitsByCounting"], raft(), seed=11, runs=1)
    assert result.failing is not None
    assert "commit" in result.text()


def test_every_mistake_is_tried() -> None:
    names = {m.__name__ for m in (*two_phase_commit_mistakes.MISTAKES, *raft_mistakes.MISTAKES, NeverSyncs)}
    assert {name for name, *_ in FOUND} == names
    assert UNSEEN.keys() < names
