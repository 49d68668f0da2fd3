"""Two-phase commit does what its spec says, along every transition; and what it would look like if it did not."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

import pytest

import checker
from checker.conformance.mismatch import Mismatch
from checker.conformance.probe import probe_all
from checker.conformance.replay import Outcome, replay_all
from checker.engine.graph import StateGraph
from refimpl.adapters.two_phase_commit import TwoPhaseCommit
from refimpl.transactions.two_phase_commit import Coordinator, Participant
from refimpl.transactions.two_phase_commit_mistakes import (
    AbortsInDoubt,
    AnswersWithoutDecision,
    ChangesItsMind,
    CommitsAtFirstYes,
    CommitsOnPaper,
    CommitsUncounted,
    DecidesInMemory,
    DecidesTwice,
    ForgetsItsDecision,
    ForgetsTheLast,
    LosesItsLog,
    TellsBeforeItLogs,
    VotesBeforeItLogs,
    VotesYesAlways,
)

SPEC = Path(__file__).resolve().parents[2] / "specs/transactions/two_phase_commit.psm"


@cache
def graph_of(check: str) -> StateGraph:
    return checker.load(SPEC).graph(check)


# ---- the implementation


@pytest.mark.parametrize(
    ("check", "transitions"),
    [
        ("small", 662),
        ("three", 8_312),
        ("recovery", 33_938),
        ("blocking", 1_768),
        ("lost_log", 2_155),
        ("heuristic", 1_238),
    ],
)
def test_every_transition_is_as_in_the_spec(check: str, transitions: int) -> None:
    """Of `recovery`, too: crashes at any point, also in the middle of a handler."""
    graph = graph_of(check)
    result = replay_all(TwoPhaseCommit(graph.machine), graph)
    assert result.mismatch is None, result.mismatch.text()
    assert result.outcome is Outcome.CONFORMS
    assert result.taken == result.total == transitions
    assert result.unseen == ()


@pytest.mark.parametrize(
    "check", ["small", "three", "blocking", "heuristic", pytest.param("recovery", marks=pytest.mark.slow)]
)
def test_what_the_spec_forbids_does_not_happen(check: str) -> None:
    graph = graph_of(check)
    result = probe_all(TwoPhaseCommit(graph.machine), graph)
    assert result.mismatch is None, result.mismatch.text()
    assert result.states == len(graph.states)
    assert result.tried > 1_000


# ---- mistakes


@dataclass(frozen=True, slots=True)
class Caught:
    """How a mistake is found.

    `by` asks for what the spec allows (`replay`) or for what it forbids (`probe`) in the graph of a check. `after` steps that
    match, `step` does not, and `shows` is what then differs.
    """

    mistake: type[Coordinator | Participant]
    by: Literal["replay", "probe"]
    check: str
    after: int
    step: str
    shows: tuple[str, ...]


CAUGHT = [
    Caught(CommitsUncounted, "probe", "small", 0, "TM.Commit()", ("TM.log", "network")),
    Caught(CommitsAtFirstYes, "replay", "small", 2, "TM.Vote(true) <- RM0", ("TM.log", "TM.agreed", "network")),
    Caught(AnswersWithoutDecision, "probe", "small", 3, "TM.Ask() <- RM0", ("network",)),
    Caught(ForgetsItsDecision, "replay", "recovery", 1, "TM.restart", ("TM.log",)),
    Caught(DecidesTwice, "probe", "small", 6, "TM.GiveUp()", ("TM.log", "network")),
    Caught(TellsBeforeItLogs, "replay", "recovery", 0, "TM.GiveUp() [crash after 1 effect]", ("TM.log", "network")),
    Caught(DecidesInMemory, "replay", "small", 5, "TM.Commit()", ("TM.log",)),
    Caught(ForgetsTheLast, "replay", "small", 0, "TM.Begin()", ("network",)),
    Caught(
        VotesBeforeItLogs,
        "replay",
        "recovery",
        1,
        "RM0.Prepare() <- TM [branch 1, crash after 1 effect]",
        ("RM0.state", "network"),
    ),
    Caught(AbortsInDoubt, "replay", "small", 2, "RM0.Inquire()", ("RM0.state", "network")),
    Caught(LosesItsLog, "replay", "recovery", 2, "RM0.restart", ("RM0.state",)),
    Caught(VotesYesAlways, "replay", "small", 1, "RM0.Prepare() <- TM [branch 2]", ("RM0.state", "network")),
    Caught(ChangesItsMind, "probe", "small", 2, "RM0.Prepare() <- TM [branch 1]", ("RM0.state", "network")),
    Caught(CommitsOnPaper, "replay", "small", 1, "RM0.Decide(abort) <- TM", ("RM0.state",)),
]


def mismatch_of(mistake: type[Coordinator | Participant], by: str, check: str) -> Mismatch | None:
    graph = graph_of(check)
    if issubclass(mistake, Coordinator):
        adapter = TwoPhaseCommit(graph.machine, coordinator=mistake)
    else:
        adapter = TwoPhaseCommit(graph.machine, participant=mistake)
    return (replay_all if by == "replay" else probe_all)(adapter, graph).mismatch


@pytest.mark.parametrize("caught", CAUGHT, ids=lambda caught: caught.mistake.__name__)
def test_mistake_is_caught(caught: Caught) -> None:
    found = mismatch_of(caught.mistake, caught.by, caught.check)
    assert found is not None
    assert found.problem is None
    assert (len(found.matched), found.step, found.differing) == (caught.after, caught.step, caught.shows)
    assert found.forbidden == (caught.by == "probe")


@pytest.mark.parametrize("mistake", [VotesBeforeItLogs, TellsBeforeItLogs, ForgetsItsDecision, LosesItsLog])
def test_some_mistakes_show_in_crashes_alone(mistake: type[Coordinator | Participant]) -> None:
    assert mismatch_of(mistake, "replay", "small") is None
    assert mismatch_of(mistake, "probe", "small") is None


# ---- what a reader gets to see


TORN = """\
The implementation leaves the spec in step 2 (TwoPhaseCommit, check recovery).

    1  TM.Begin()
≠   2  RM0.Prepare() <- TM [branch 1, crash after 1 effect]

              before   spec      implementation
  TM.log      none     none      none
  TM.agreed   {}       {}        {}
≠ RM0.state   working  prepared  working
  RM1.state   working  working   working
  TM.status   up       up        up
  RM0.status  up       down      down
  RM1.status  up       up        up

  in flight in both: 2 messages
≠ in flight in the implementation alone: Vote(true) RM0 -> TM

Again: replay(adapter, graph, [(0, 14)])
"""

FORBIDDEN = """\
The implementation leaves the spec in step 4 (TwoPhaseCommit, check small).

    1  TM.Begin()
    2  RM0.Prepare() <- TM [branch 1]
    3  RM0.Inquire()
≠   4  TM.Ask() <- RM0

The spec does not allow this step here, so nothing may change; the implementation takes it.

             spec      implementation
  TM.log     none      none
  TM.agreed  {}        {}
  RM0.state  prepared  prepared
  RM1.state  working   working

  in flight in both: 4 messages
≠ in flight in the implementation alone: Decide(commit) TM -> RM0

Again: probe(adapter, graph, [(0, 4, 27)])
"""

PLACES = "≠ RM0.state  working  aborted  aborted (memory), aborted (disk), nothing (database)\n"


def test_reports_read_well() -> None:
    torn = mismatch_of(VotesBeforeItLogs, "replay", "recovery")
    forbidden = mismatch_of(AnswersWithoutDecision, "probe", "small")
    on_paper = mismatch_of(CommitsOnPaper, "replay", "small")
    assert torn is not None
    assert forbidden is not None
    assert on_paper is not None
    assert torn.text() == TORN
    assert forbidden.text() == FORBIDDEN
    assert PLACES in on_paper.text()
