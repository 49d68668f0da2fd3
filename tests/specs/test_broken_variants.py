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
TCC = SPECS / "transactions/tcc.psm"
ROW_UPDATE = SPECS / "locks/row_update.psm"
PAXOS = SPECS / "consensus/paxos.psm"
PBFT = SPECS / "consensus/pbft.psm"
IDEMPOTENCY_KEY = SPECS / "idempotence/idempotency_key.psm"


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


# ---- Try-Confirm/Cancel


def test_agency_that_does_not_write_its_decision_down_makes_another_one() -> None:
    spec = edited(TCC, ("durable phase", "volatile phase"))
    assert steps_to(spec.check("crashes"), "Atomic") <= 14


def test_agency_that_drops_what_it_has_decided_splits_the_outcome() -> None:
    spec = edited(TCC, ("timeout GiveUp when phase == trying", "timeout GiveUp when phase in {trying, confirming}"))
    assert steps_to(spec.check("calm"), "Atomic") <= 11


def test_agency_that_does_not_wait_for_all_splits_the_outcome() -> None:
    spec = edited(TCC, ("when phase == trying and agreed == Service", "when phase == trying and agreed != {}"))
    assert steps_to(spec.check("calm"), "Atomic") <= 12


def test_service_that_forgets_the_trip_tries_again_behind_its_cancel() -> None:
    spec = edited(TCC, ("durable state: State?", "volatile state: State?"))
    assert steps_to(spec.check("crashes"), "Places") <= 4


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


# ---- updates of one row


def test_lock_that_is_given_to_two_or_taken_from_a_living_client_excludes_nobody() -> None:
    twice = edited(
        ROW_UPDATE, ("when WAY == locks and holder[row] == none and version", "when WAY == locks and version")
    )
    assert steps_to(twice.check("locked"), "Exclusive") <= 2
    assert steps_to(twice.check("locked"), "NoLostUpdate") <= 6
    early = edited(ROW_UPDATE, ("when NOTICES and silent(c) and", "when NOTICES and"))
    assert steps_to(early.check("locked"), "Exclusive") <= 3


def test_update_that_does_not_wait_for_a_lock_is_lost() -> None:
    spec = edited(
        ROW_UPDATE, ("action PayOut when holder[at(Row, 0)] == none and version", "action PayOut when version")
    )
    assert steps_to(spec.check("locked"), "NoLostUpdate") <= 4
    assert steps_to(spec.check("locked"), "RightOwner") <= 4


def test_version_that_somebody_does_not_count_protects_nothing() -> None:
    spec = edited(ROW_UPDATE, ("amount := 0\n      version += 1", "amount := 0"))
    assert steps_to(spec.check("versioned"), "RightOwner") <= 3


def test_lock_of_a_client_that_came_back_stays_if_only_the_silent_are_noticed() -> None:
    spec = edited(ROW_UPDATE, ("when NOTICES and (exists row in left", "when false and (exists row in left"))
    assert spec.check("locked").property("Progress").verdict is Verdict.VIOLATED


def test_crash_that_lets_the_lock_go_with_the_client_is_not_left_behind() -> None:
    spec = edited(
        ROW_UPDATE, ("if holder[row] == self { left += row }", "if holder[row] == self { holder[row] := none }")
    )
    assert spec.check("locked").property("LeftBehind").verdict is Verdict.UNREACHED


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


# ---- idempotency keys

ONE = {"PURCHASES": 1}
PAYMENT = """atomic {
          if status == CREATED { paid[p] += 1 }
          known[k] := Entry(p, status)
        }"""


def test_payment_and_key_in_two_effects_let_a_crash_pay_twice() -> None:
    spec = edited(IDEMPOTENCY_KEY, (PAYMENT, "if status == CREATED { paid[p] += 1 }\n known[k] := Entry(p, status)"))
    assert spec.check("calm").property("PaidOnce").verdict is Verdict.HOLDS
    assert steps_to(spec.check("failures", constants=ONE), "PaidOnce") <= 5


def test_key_that_is_not_stored_lets_a_purchase_be_paid_twice() -> None:
    spec = edited(IDEMPOTENCY_KEY, (PAYMENT, "if status == CREATED { paid[p] += 1 }"))
    assert steps_to(spec.check("calm"), "PaidOnce") <= 4


def test_key_that_a_crash_of_the_client_takes_away_lets_a_purchase_be_paid_twice() -> None:
    spec = edited(IDEMPOTENCY_KEY, ("durable key", "volatile key"))
    assert steps_to(spec.check("client_crashes", constants=ONE), "PaidOnce") <= 6
