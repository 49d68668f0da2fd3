"""Three-phase commit: along its spec, through crashes at any point, and what becomes of mistakes."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Literal

import pytest

import checker
from checker.conformance.explore import explore
from checker.conformance.mismatch import Mismatch
from checker.conformance.probe import probe_all
from checker.conformance.replay import Outcome, replay_all
from checker.engine.graph import StateGraph
from refimpl.adapters.three_phase_commit import ThreePhaseCommit
from refimpl.adapters.two_phase_commit import Database
from refimpl.runtime.log import FileLog, MemoryLog
from refimpl.transactions import three_phase_commit_mistakes as wrong
from refimpl.transactions.three_phase_commit import (
    Ask,
    Coordinator,
    Duty,
    Inquire,
    Message,
    Participant,
    PreCommit,
    Report,
)
from refimpl.transactions.three_phase_commit_mistakes import MISTAKES
from refimpl.transactions.two_phase_commit import Decide, Decision, Prepare, State, Vote
from tests.refimpl.commit_cluster import Cluster, Process

SPEC = Path(__file__).resolve().parents[2] / "specs/transactions/three_phase_commit.psm"


@cache
def graph_of(check: str) -> StateGraph:
    return checker.load(SPEC).graph(check)


# ---- along the spec


def slow(check: str, transitions: int) -> object:
    return pytest.param(check, transitions, marks=pytest.mark.slow)


@pytest.mark.parametrize(
    ("check", "transitions"),
    [
        ("small", 244),
        ("gone", 2_888),
        ("nobody_left", 1_198),
        ("lossy", 6_574),
        ("mistaken", 12_178),
        slow("three", 84_969),
        slow("survivor", 54_620),
        slow("recovery", 120_604),
        slow("partition", 77_465),
    ],
)
def test_every_transition_is_as_in_the_spec(check: str, transitions: int) -> None:
    graph = graph_of(check)
    result = replay_all(ThreePhaseCommit(graph.machine), graph)
    assert result.mismatch is None, result.mismatch.text()
    assert result.outcome is Outcome.CONFORMS
    assert result.taken == result.total == transitions
    assert result.unseen == ()


@pytest.mark.parametrize(
    "check",
    [
        "small",
        "gone",
        "nobody_left",
        "lossy",
        *(pytest.param(c, marks=pytest.mark.slow) for c in ("mistaken", "survivor")),
    ],
)
def test_what_the_spec_forbids_does_not_happen(check: str) -> None:
    graph = graph_of(check)
    result = probe_all(ThreePhaseCommit(graph.machine), graph)
    assert result.mismatch is None, result.mismatch.text()
    assert result.states == len(graph.states)
    assert result.tried > 800


@pytest.mark.parametrize("check", ["recovery", "partition"])
def test_explored(check: str) -> None:
    result = explore(ThreePhaseCommit(checker.load(SPEC).machine(check)), runs=30, steps=40)
    assert result.outcome is Outcome.CONFORMS, result.mismatch and result.mismatch.text()


# ---- mistakes leave the spec


@dataclass(frozen=True, slots=True)
class Caught:
    """By what a mistake is found in the graph of a check: after so many steps that match, in this step, by what differs."""

    mistake: type[Process]
    by: Literal["replay", "probe"]
    check: str
    after: int
    step: str
    shows: tuple[str, ...]


CAUGHT = [
    Caught(wrong.SkipsPhaseTwo, "replay", "small", 5, "TM.PreCommit()", ("TM.ready", "TM.log", "TM.heard", "network")),
    Caught(wrong.WaitsForNoAck, "replay", "small", 5, "TM.PreCommit()", ("TM.heard",)),
    Caught(wrong.WaitsForTheDead, "replay", "nobody_left", 1, "TM.Miss(RM0)", ("TM.gone",)),
    Caught(
        wrong.TellsBeforeItLogs,
        "replay",
        "nobody_left",
        3,
        "TM.PreCommit() [crash after 1 effect]",
        ("TM.ready", "network"),
    ),
    Caught(wrong.GivesUpTooLate, "probe", "small", 6, "TM.GiveUp()", ("TM.log", "network")),
    Caught(wrong.AbortsWhenItIsBack, "replay", "nobody_left", 4, "TM.restart", ("TM.ready", "TM.log", "network")),
    Caught(wrong.DecidesAlone, "replay", "nobody_left", 2, "RM0.TakeOver()", ("RM0.state",)),
    Caught(wrong.AsksNobody, "replay", "gone", 2, "RM0.TakeOver()", ("RM0.heard",)),
    Caught(wrong.ForgetsReports, "replay", "gone", 10, "RM0.Report(true) <- RM1", ("RM0.ready",)),
    Caught(wrong.CommitsByReports, "replay", "nobody_left", 8, "RM0.Settle()", ("RM0.state", "RM0.completes")),
    Caught(wrong.ListensToTheDead, "probe", "nobody_left", 8, "RM0.PreCommit() <- TM", ("RM0.ready", "network")),
    Caught(wrong.IsSilentWhenDone, "replay", "gone", 16, "RM1.PreCommit() <- RM0", ("network",)),
    Caught(wrong.KeepsItToItself, "replay", "gone", 5, "RM0.Decide(abort) <- RM1", ("network",)),
    Caught(wrong.LeavesWhenAsked, "probe", "nobody_left", 3, "RM0.Quit()", ("RM0.state",)),
    Caught(wrong.HasItsSayAgain, "replay", "nobody_left", 1, "RM0.restart", ("RM0.back",)),
    Caught(
        wrong.VotesBeforeItLogs,
        "replay",
        "nobody_left",
        1,
        "RM0.Prepare() <- TM [branch 1, crash after 1 effect]",
        ("RM0.state", "network"),
    ),
]


def mismatch_of(mistake: type[Process], by: str, check: str) -> Mismatch | None:
    graph = graph_of(check)
    adapter = ThreePhaseCommit.mistakes()[mistake.__name__](graph.machine)
    assert isinstance(adapter, ThreePhaseCommit)
    return (replay_all if by == "replay" else probe_all)(adapter, graph).mismatch


@pytest.mark.parametrize("caught", CAUGHT, ids=lambda caught: caught.mistake.__name__)
def test_mistake_leaves_the_spec(caught: Caught) -> None:
    found = mismatch_of(caught.mistake, caught.by, caught.check)
    assert found is not None
    assert found.problem is None
    assert (len(found.matched), found.step, found.differing) == (caught.after, caught.step, caught.shows)
    assert found.forbidden == (caught.by == "probe")


def test_every_mistake_is_looked_for() -> None:
    """One is found in a scene alone, by `test_a_scene_shows_a_mistake`: it takes a database that fails beside the coordinator."""
    assert {*(caught.mistake for caught in CAUGHT), wrong.JumpsTheQueue} == {*MISTAKES}


# ---- crashes at any point


@pytest.mark.parametrize("come_back", [False, True])
@pytest.mark.parametrize("crashes", [0, 1, 3])
def test_survivors_decide_wherever_crashes_strike(crashes: int, come_back: bool) -> None:
    """Three of four may crash, and those who come back hear how it ended."""
    ended = set()
    for seed in range(100):
        cluster = Cluster(seed, crashes=crashes, come_back=come_back)
        cluster.run()
        assert cluster.problem() is None, f"{cluster.problem()} with seed {seed}"
        ended |= {cluster.outcome(name) for name in cluster.up}
        assert len(cluster.fallen) <= crashes
    assert ended >= {Decision.COMMIT, Decision.ABORT}


def test_after_a_crash_of_all_nobody_may_decide() -> None:
    cluster = Cluster(164, crashes=4, come_back=True)
    cluster.run()
    assert cluster.fallen == {*cluster.up} == {*cluster.logs}
    assert {cluster.outcome(name) for name in cluster.up} == {None}


BY_CRASHES: dict[type[Process], tuple[bool, int, str]] = {
    wrong.SkipsPhaseTwo: (False, 47, "split"),
    wrong.WaitsForTheDead: (False, 4, "blocked"),
    wrong.TellsBeforeItLogs: (True, 258, "split"),
    wrong.GivesUpTooLate: (True, 0, "split"),
    wrong.AbortsWhenItIsBack: (True, 13, "split"),
    wrong.DecidesAlone: (False, 202, "split"),
    wrong.JumpsTheQueue: (True, 39, "blocked"),
    wrong.AsksNobody: (True, 37, "blocked"),
    wrong.VotesBeforeItLogs: (True, 349, "split"),
}
"""With which seed crashes show what a mistake does. The others take more luck."""


@pytest.mark.parametrize("mistake", BY_CRASHES, ids=lambda mistake: mistake.__name__)
def test_mistake_does_harm(mistake: type[Process]) -> None:
    """The right processes come through the same crashes."""
    come_back, seed, problem = BY_CRASHES[mistake]
    if issubclass(mistake, Coordinator):
        cluster = Cluster(seed, crashes=3, come_back=come_back, coordinator=mistake)
    else:
        cluster = Cluster(seed, crashes=3, come_back=come_back, participant=mistake)
    cluster.run()
    assert cluster.problem() == problem


# ---- as its users meet it


class Trio:
    """A coordinator and two participants on real logs. Messages are delivered in the order in which they were sent."""

    def __init__(self, folder: Path) -> None:
        self.mail: list[tuple[str, str, Message]] = []
        self.names = ("a", "b")
        self.tm = Coordinator(self.names, FileLog(folder / "tm"), partial(self.post, "tm"))
        self.a, self.b = (
            Participant(name, self.names, "tm", Database(), FileLog(folder / name), partial(self.post, name))
            for name in self.names
        )

    def post(self, sender: str, receiver: str, message: Message) -> None:
        self.mail.append((sender, receiver, message))

    def run(self, *alive: str) -> None:
        """Delivers everything to those who are alive; to the others, nothing."""
        processes: dict[str, Process] = {"tm": self.tm, "a": self.a, "b": self.b}
        while self.mail:
            sender, receiver, message = self.mail.pop(0)
            if receiver in alive:
                processes[receiver].receive(sender, message)
            if not self.mail:
                for name in alive:
                    processes[name].conclude()


ALL = ("tm", "a", "b")


def test_all_commit(tmp_path: Path) -> None:
    trio = Trio(tmp_path)
    trio.tm.begin()
    trio.run(*ALL)
    assert trio.tm.decision is trio.a.outcome is trio.b.outcome is Decision.COMMIT
    assert [FileLog(tmp_path / name).records() for name in ALL] == [
        ("ready", "commit"),
        ("prepared", "committed"),
        ("prepared", "committed"),
    ]


def test_late_vote_is_given_up(tmp_path: Path) -> None:
    trio = Trio(tmp_path)
    trio.tm.begin()
    trio.run("tm", "a")
    trio.tm.timeout()
    trio.run(*ALL)
    assert trio.a.state is trio.b.state is State.ABORTED


@pytest.mark.parametrize(("told", "outcome"), [(0, Decision.ABORT), (1, Decision.COMMIT)])
def test_survivors_finish_what_the_coordinator_began(told: int, outcome: Decision, tmp_path: Path) -> None:
    """It fails in the middle of phase two. The textbook has one commit and the other abort."""
    trio = Trio(tmp_path)
    trio.tm.begin()
    for sender, receiver, message in [trio.mail.pop(0), trio.mail.pop(0)]:
        assert message == Prepare()
        (trio.a if receiver == "a" else trio.b).receive(sender, message)
    for sender, _, message in [trio.mail.pop(0), trio.mail.pop(0)]:
        trio.tm.receive(sender, message)
    trio.tm.conclude()
    assert trio.mail == [("tm", "a", PreCommit()), ("tm", "b", PreCommit())]
    del trio.mail[told:]
    trio.run("a", "b")
    assert (trio.a.ready, trio.b.ready) == (told == 1, False)

    for survivor in (trio.a, trio.b):
        survivor.suspect("tm")
        survivor.conclude()
    assert trio.mail == [("a", "b", Inquire())], "the first one leads"
    trio.run("a", "b")
    assert trio.a.outcome is trio.b.outcome is outcome

    trio.tm = Coordinator(trio.names, FileLog(tmp_path / "tm"), partial(trio.post, "tm"))
    trio.tm.restart()
    assert [message for _, _, message in trio.mail] == [Ask(), Ask()]
    trio.run(*ALL)
    assert trio.tm.decision is outcome


def test_who_waits_for_an_outcome_asks_again(tmp_path: Path) -> None:
    FileLog(tmp_path / "tm").force("ready")
    FileLog(tmp_path / "b").force("prepared")
    trio = Trio(tmp_path)
    for process in (trio.tm, trio.b):
        process.restart()
        first, trio.mail = trio.mail, []
        process.timeout()
        assert trio.mail == first != []
        assert process.duty is Duty.LOOKS_ON
        process.receive("a", Decide(Decision.COMMIT))
        trio.mail.clear()
        process.timeout()
        assert trio.mail == []


def test_a_restart_without_a_vote_aborts(tmp_path: Path) -> None:
    trio = Trio(tmp_path)
    trio.a.restart()
    trio.tm.restart()
    assert (trio.a.outcome, trio.tm.decision) == (Decision.ABORT, Decision.ABORT)


def test_restart_repeats_what_the_resource_may_have_missed() -> None:
    database = Database()
    Participant("a", ("a",), "tm", database, MemoryLog(("prepared", "committed")), lambda *_: None)
    assert database.outcome is Decision.COMMIT


@pytest.mark.parametrize("message", [Prepare(), PreCommit(), Inquire(), Report(ready=True)])
def test_messages_for_participants_are_refused(message: Message, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="message for participants"):
        Trio(tmp_path).tm.receive("a", message)


def test_messages_for_the_coordinator_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="message for the coordinator"):
        Trio(tmp_path).a.receive("b", Vote(yes=True))
