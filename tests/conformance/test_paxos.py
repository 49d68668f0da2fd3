"""Paxos does what its spec says, along every transition; and what it would look like if it did not."""

from __future__ import annotations

import pytest

from refimpl.adapters.paxos import Paxos
from refimpl.consensus.paxos_mistakes import MISTAKES
from tests.conformance.consensus import Caught, conforms, graph_of, refuses


@pytest.mark.parametrize(
    ("check", "constants", "transitions", "tried"),
    [
        ("safe", {"BALLOTS": 1}, 3_520, 9_149),
        ("reboot", {"BALLOTS": 1}, 4_186, 11_102),
        ("safe", {"A": 1}, 611, 1_821),
        ("reboot", {"A": 1}, 913, 2_659),
        pytest.param("safe", {"A": 2}, 5_794, 20_402, marks=pytest.mark.slow),
    ],
)
def test_every_transition_is_as_in_the_spec(
    check: str, constants: dict[str, int], transitions: int, tried: int
) -> None:
    graph = graph_of("paxos", check, **constants)
    conforms(Paxos, graph, transitions)
    refuses(Paxos, graph, tried)


@pytest.mark.slow
@pytest.mark.timeout(7_200)
@pytest.mark.parametrize(("check", "transitions"), [("safe", 551_145), ("quorum", 363_120), ("reboot", 1_173_983)])
def test_every_transition_of_the_checks_as_they_are(check: str, transitions: int) -> None:
    conforms(Paxos, graph_of("paxos", check), transitions)


WHERE = {
    "1 ballot": ("safe", {"BALLOTS": 1}),
    "1 acceptor": ("safe", {"A": 1}),
    "leader crashes": ("reboot", {"A": 1}),
}

CAUGHT = [
    Caught("ForgetsItsPromise", "replay", "1 ballot", 2, "Acceptor0.restart", ("Acceptor0.promised",)),
    Caught("ForgetsItsVote", "replay", "1 ballot", 7, "Acceptor0.restart", ("Acceptor0.vote",)),
    Caught(
        "PromisesBeforeItWrites",
        "replay",
        "1 ballot",
        1,
        "Acceptor0.Prepare(Leader0) <- Leader0 [crash after 1 effect]",
        ("Acceptor0.promised", "network"),
    ),
    Caught(
        "VotesBeforeItWrites",
        "replay",
        "1 ballot",
        6,
        "Acceptor0.Accept(Leader0, Val0) <- Leader0 [crash after 1 effect]",
        ("network",),
    ),
    Caught(
        "BreaksItsPromise",
        "probe",
        "1 acceptor",
        6,
        "Acceptor0.Accept(Leader0, Val0) <- Leader0",
        ("Acceptor0.promised", "Acceptor0.vote", "network"),
    ),
    Caught(
        "PromisesBackward",
        "probe",
        "1 acceptor",
        3,
        "Acceptor0.Prepare(Leader0) <- Leader0",
        ("Acceptor0.promised", "network"),
    ),
    Caught("HidesItsVote", "replay", "1 acceptor", 6, "Acceptor0.Prepare(Leader1) <- Leader1", ("network",)),
    Caught(
        "VotesWithoutPromise",
        "replay",
        "1 ballot",
        6,
        "Acceptor2.Accept(Leader0, Val0) <- Leader0",
        ("Acceptor2.promised",),
    ),
    Caught(
        "ProposesItsOwn",
        "replay",
        "1 acceptor",
        7,
        "Leader1.Promise(Leader1, Vote(Leader0, Val0)) <- Acceptor0",
        ("Leader1.best",),
    ),
    Caught("NeedsTooFew", "probe", "1 ballot", 3, "Leader0.Propose(Val0)", ("Leader0.proposed", "network")),
    Caught(
        "CountsPromisesOfOthers",
        "replay",
        "1 acceptor",
        2,
        "Leader0.Promise(Leader0, none) <- Acceptor0",
        ("Leader1.heard",),
    ),
    Caught("ForgetsItsProposal", "replay", "leader crashes", 4, "Leader0.restart", ("Leader0.proposed",)),
    Caught(
        "ProposesBeforeItWrites",
        "replay",
        "leader crashes",
        3,
        "Leader0.Propose(Val0) [crash after 1 effect]",
        ("Leader0.proposed", "network"),
    ),
    Caught("ChangesItsProposal", "probe", "leader crashes", 4, "Leader0.Propose(Val1)", ("network",)),
]

ELSEWHERE = {"BelievesTheLastPromise", "BelievesTheLowest"}
"""What takes three ballots: a scene shows it, see `test_mistakes`."""


@pytest.mark.parametrize("caught", CAUGHT, ids=lambda caught: caught.mistake)
def test_mistake_is_caught(caught: Caught) -> None:
    check, constants = WHERE[caught.where]
    caught.check(Paxos.mistakes()[caught.mistake], graph_of("paxos", check, **constants))


def test_every_mistake_is_caught_somewhere() -> None:
    assert {caught.mistake for caught in CAUGHT} | ELSEWHERE == {mistake.__name__ for mistake in MISTAKES}
