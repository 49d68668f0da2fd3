"""Known mistakes, made on purpose: each is found, with a counterexample that is no longer than the known one.

A mistake is an edit of a spec of the library, or one of its checks where the spec itself shows the limit.
"""

from __future__ import annotations

from pathlib import Path

import pytest

import checker
from checker.api import LoadedSpec
from checker.engine.interface import Limits
from checker.engine.search import Search
from checker.engine.steps import Steps
from checker.properties.kinds import CheckResult, Verdict
from tests.specs.test_oracles import OneMulticast, Whole

SPECS = Path(__file__).resolve().parents[2] / "specs"

FEW = Limits(max_states=40_000)
"""Enough to find what lies near the initial state; a violation is certain wherever a search ends."""

TWO_PHASE_COMMIT = SPECS / "transactions/two_phase_commit.psm"
THREE_PHASE_COMMIT = SPECS / "transactions/three_phase_commit.psm"
REDIS_LOCK = SPECS / "locks/redis_lock.psm"
PAXOS = SPECS / "consensus/paxos.psm"
PBFT = SPECS / "consensus/pbft.psm"


def edited(path: Path, *edits: tuple[str, str]) -> LoadedSpec:
    """A spec with pieces of its text replaced; each must stand there exactly once."""
    text = path.read_text(encoding="utf-8")
    for old, new in edits:
        assert text.count(old) == 1, f"{old!r} stands {text.count(old)} times in {path.name}"
        text = text.replace(old, new)
    return checker.loads(text, path.name)


def steps_to(result: CheckResult, name: str) -> int:
    """The length of the counterexample to a property, which must be violated."""
    found = result.property(name)
    assert found.verdict is Verdict.VIOLATED
    assert found.trace is not None
    return len(found.trace.steps)


# ---- two-phase commit

VOTE_FIRST = ("state := prepared  send Vote(true) to c", "send Vote(true) to c  state := prepared")


def test_coordinator_that_stops_blocks() -> None:
    assert steps_to(checker.load(TWO_PHASE_COMMIT).check("blocking"), "NoDeadlock") <= 5


def test_volatile_log_splits_the_outcome() -> None:
    spec = edited(TWO_PHASE_COMMIT, ("durable log", "volatile log"))
    assert steps_to(spec.check("recovery"), "Atomic") <= 11


def test_abort_alone_when_prepared_splits_the_outcome() -> None:
    spec = edited(
        TWO_PHASE_COMMIT, ("timeout Quit when state == working", "timeout Quit when state in {working, prepared}")
    )
    assert steps_to(spec.check("small"), "Atomic") <= 10
    assert steps_to(checker.load(TWO_PHASE_COMMIT).check("heuristic"), "Atomic") <= 10


def test_vote_before_the_log_write_splits_the_outcome() -> None:
    assert steps_to(edited(TWO_PHASE_COMMIT, VOTE_FIRST).check("recovery"), "Atomic") <= 9


def test_vote_before_the_log_write_is_seen_by_torn_crashes_only() -> None:
    spec = edited(TWO_PHASE_COMMIT, VOTE_FIRST)
    assert spec.check("small").property("Atomic").verdict is Verdict.HOLDS
    search = Search(spec.machine("recovery"))
    search.steps = Steps(search.program, Whole)
    assert "Atomic" not in search.run(Limits()).violations


# ---- three-phase commit


def test_time_outs_alone_split_the_outcome_in_a_torn_multicast_only() -> None:
    spec = checker.load(THREE_PHASE_COMMIT)
    assert steps_to(spec.check("alone"), "Atomic") <= 11
    search = Search(spec.machine("alone"))
    search.steps = Steps(search.program, OneMulticast)
    assert "Atomic" not in search.run(Limits()).violations


def test_detector_that_errs_and_partition_split_the_outcome() -> None:
    spec = checker.load(THREE_PHASE_COMMIT)
    assert steps_to(spec.check("mistaken"), "Atomic") <= 15
    assert steps_to(spec.check("partition"), "Atomic") <= 16


@pytest.mark.parametrize(
    ("old", "new", "check", "shows", "steps"),
    [
        # the coordinator does not wait for acknowledgements
        ("ready and not back and heard + gone == RM", "ready and not back", "survivor", "Logged", 16),
        # a new leader does not wait for reports, or does not read them
        ("not completes and answered", "not completes", "survivor", "Atomic", 16),
        ("    if yes { ready := true }\n", "", "survivor", "Atomic", 17),
        # who has reported to a new leader listens to the old one
        ("leader == none and not back", "not back", "survivor", "Atomic", 17),
        # the coordinator forgets that it may have told somebody of the votes
        ("durable ready: bool = false\n  durable", "volatile ready: bool = false\n  durable", "recovery", "Atomic", 15),
        # who was down takes part again, and has missed a message
        ("    back := true\n    if state", "    if state", "lossy", "Logged", 12),
        # who leads quits; who knows the outcome says nothing to a new leader
        (
            "timeout Quit when state == working and leader == none",
            "timeout Quit when state == working",
            "gone",
            "Unblocks",
            7,
        ),
        ("when leader == c {", "when leader == c and not ended {", "gone", "Unblocks", 18),
    ],
)
def test_three_phase_commit_needs(old: str, new: str, check: str, shows: str, steps: int) -> None:
    assert steps_to(edited(THREE_PHASE_COMMIT, (old, new)).check(check), shows) <= steps


# ---- the lock in Redis


def test_store_that_ignores_tokens_takes_a_stale_write() -> None:
    assert steps_to(checker.load(REDIS_LOCK).check("unfenced"), "NoStaleWrite") <= 11


def test_client_whose_requests_are_alike_overflows_a_bag_of_one() -> None:
    """It asks again while its first request is still on its way."""
    after_a_crash = edited(REDIS_LOCK, ("on restart { connection += 1 }", ""))
    assert steps_to(after_a_crash.check("pause"), "NoError") <= 3
    after_hanging_up = edited(REDIS_LOCK, ("waiting := false\n    connection += 1", "waiting := false"))
    assert steps_to(after_hanging_up.check("retry"), "NoError") <= 2


# ---- Paxos


def test_quorum_of_one_chooses_two_values() -> None:
    assert steps_to(checker.load(PAXOS).check("quorum", limits=FEW), "Agreement") <= 10


@pytest.mark.slow
def test_leader_that_forgets_its_proposal_lets_two_values_be_chosen() -> None:
    spec = edited(PAXOS, ("durable proposed", "volatile proposed"))
    assert steps_to(spec.check("reboot"), "Agreement") <= 22


@pytest.mark.slow
def test_acceptor_that_forgets_its_vote_lets_two_values_be_chosen() -> None:
    spec = edited(PAXOS, ("durable vote", "volatile vote"))
    assert steps_to(spec.check("safe"), "Agreement") <= 22


# ---- PBFT


def test_two_faulty_replicas_of_four_split_the_honest_ones() -> None:
    assert steps_to(checker.load(PBFT).check("f2"), "Agreement") <= 6


def test_quorum_of_two_splits_the_honest_ones() -> None:
    spec = checker.load(PBFT)
    assert steps_to(spec.check("q2"), "Agreement") <= 6
    assert steps_to(spec.check("q2", constants={"VIEWS": 2}, limits=FEW), "Agreement") <= 6
