"""Raft does what its spec says, along every transition; and what it would look like if it did not."""

from __future__ import annotations

import pytest

from checker.conformance.replay import replay_all
from refimpl.adapters.raft import Raft
from refimpl.consensus.raft_mistakes import MISTAKES
from tests.conformance.consensus import Caught, conforms, graph_of, refuses

GHOSTS = ("led", "done", "since")
"""What the spec knows and no server does."""


def test_every_transition_is_as_in_the_spec() -> None:
    graph = graph_of("raft", "alone", LOG=1)
    conforms(Raft, graph, 2_733, GHOSTS)
    refuses(Raft, graph, 1_386)


@pytest.mark.slow
@pytest.mark.timeout(7_200)
@pytest.mark.parametrize(
    ("check", "constants", "transitions"),
    [
        ("crash", {"TERMS": 1}, 16_799),
        ("alone", {}, 111_261),
        ("crash", {}, 251_060),
        ("small", {}, 371_050),
        ("figure8_rule", {}, 407_845),
    ],
)
def test_every_transition_of_the_checks_as_they_are(check: str, constants: dict[str, int], transitions: int) -> None:
    conforms(Raft, graph_of("raft", check, **constants), transitions, GHOSTS)


@pytest.mark.slow
@pytest.mark.timeout(7_200)
def test_the_figure_shows_why_copies_are_not_counted() -> None:
    """Two terms behind one another are needed, so no smaller check shows it."""
    graph = graph_of("raft", "figure8_rule")
    found = replay_all(Raft.mistakes()["CommitsByCounting"](graph.machine), graph).mismatch
    assert found is not None
    assert "Server0.commit" in found.differing


@pytest.mark.slow
@pytest.mark.parametrize(("check", "constants", "tried"), [("crash", {"TERMS": 1}, 9_043), ("alone", {}, 35_569)])
def test_what_the_spec_forbids_does_not_happen(check: str, constants: dict[str, int], tried: int) -> None:
    refuses(Raft, graph_of("raft", check, **constants), tried)


WHERE = {"one entry": ("alone", {"LOG": 1}), "crash": ("crash", {"TERMS": 1})}

CAUGHT = [
    Caught("ForgetsItsVote", "replay", "crash", 1, "Server0.restart", ("Server0.voted",)),
    Caught(
        "VotesBeforeItWrites",
        "replay",
        "crash",
        1,
        "Server1.Ask(1, 0, 0) <- Server0 [crash after 2 effects]",
        ("Server1.voted", "network"),
    ),
    Caught("VotesForEveryone", "replay", "one entry", 7, "Server1.Ask(1, 0, 0) <- Server0", ("Server1.voted",)),
    Caught("VotesForAnyLog", "replay", "one entry", 7, "Server2.Ask(1, 0, 0) <- Server0", ("Server2.voted", "network")),
    Caught("CountsHalf", "probe", "one entry", 1, "Server0.Lead()", ("Server0.mode", "Server0.votes")),
    Caught(
        "AcksBeforeItStores",
        "replay",
        "crash",
        6,
        "Server1.Append(1, 0, 0, 1, 0) <- Server0 [crash after 1 effect]",
        ("Server1.log", "network"),
    ),
    Caught("StoresInMemory", "replay", "one entry", 4, "Server0.Client()", ("Server0.log",)),
    Caught("KeepsItsTerm", "replay", "one entry", 6, "Server2.Append(1, 0, 0, 1, 0) <- Server0", ("Server2.term",)),
]

ELSEWHERE = {
    "ComparesLengthsAlone",
    "CommitsByCounting",
    "CutsItsLog",
    "KeepsItsOwn",
    "AppendsAnywhere",
    "TellsTooMuch",
    "CountsLateVotes",
    "BelievesTheLastAck",
}
"""Two terms or two entries, whose graphs are large: scenes show these, see `test_mistakes`."""


@pytest.mark.parametrize("caught", CAUGHT, ids=lambda caught: caught.mistake)
def test_mistake_is_caught(caught: Caught) -> None:
    check, constants = WHERE[caught.where]
    caught.check(Raft.mistakes()[caught.mistake], graph_of("raft", check, **constants))


def test_every_mistake_is_caught_somewhere() -> None:
    assert {caught.mistake for caught in CAUGHT} | ELSEWHERE == {mistake.__name__ for mistake in MISTAKES}
