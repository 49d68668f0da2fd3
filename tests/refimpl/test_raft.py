"""A single Raft server in the situations that its well-known mistakes are about: each rule, and what breaks without it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from refimpl.consensus import raft_mistakes as mistakes
from refimpl.consensus.raft import Ack, Append, Ask, Entry, Message, Server, Vote
from refimpl.runtime.log import MemoryLog

Scene = Callable[[Server, list[Message]], object]


def play(scene: Scene, made: type[Server]) -> object:
    sent: list[Message] = []
    return scene(made("a", "abc", MemoryLog(), lambda _, message: sent.append(message)), sent)


def follower(server: Server, *terms: int) -> None:
    """Lets a server have a log of these terms, from a leader of the last of them."""
    for place, term in enumerate(terms):
        server.receive("b", Append(terms[-1], place, server.term_at(place), Entry(term, None), 0))


def leader(server: Server, *terms: int) -> None:
    """The same, and then it leads the next term."""
    follower(server, *terms)
    server.elect()
    server.receive("b", Vote(server.term))
    assert server.lead()


def better_log(server: Server, sent: list[Message]) -> object:
    follower(server, 2)
    server.receive("c", Ask(3, 1, 9))
    return server.voted


def old_entry_at_a_majority(server: Server, sent: list[Message]) -> object:
    leader(server, 1, 1)
    server.receive("b", Ack(server.term, ok=True, place=2))
    before = server.commit
    server.propose("mine")
    server.receive("b", Ack(server.term, ok=True, place=3))
    return before, server.commit


def late_append(server: Server, sent: list[Message]) -> object:
    follower(server, 1, 1, 1)
    server.receive("b", Append(1, 0, 0, Entry(1, None), 0))
    return len(server.log)


def conflict(server: Server, sent: list[Message]) -> object:
    follower(server, 1, 1)
    server.receive("c", Append(2, 0, 0, Entry(2, None), 0))
    return [entry.term for entry in server.log]


def gap(server: Server, sent: list[Message]) -> object:
    follower(server, 1)
    server.receive("b", Append(1, 3, 1, Entry(1, None), 0))
    return len(server.log), sent[-1]


def follower_behind(server: Server, sent: list[Message]) -> object:
    leader(server, 1)
    server.propose("mine")
    server.receive("b", Ack(server.term, ok=True, place=2))
    server.next["c"] = 1
    server.replicate("c")
    return sent[-1]


def late_vote(server: Server, sent: list[Message]) -> object:
    server.elect()
    server.elect()
    server.receive("b", Vote(1))
    return server.lead()


def late_ack(server: Server, sent: list[Message]) -> object:
    leader(server)
    server.propose("one")
    server.propose("two")
    for place in (2, 1):
        server.receive("b", Ack(server.term, ok=True, place=place))
    return server.match["b"], server.next["b"]


SCENES: list[tuple[Scene, object, type[Server]]] = [
    (better_log, None, mistakes.ComparesLengthsAlone),
    (better_log, None, mistakes.VotesForAnyLog),
    (old_entry_at_a_majority, (0, 3), mistakes.CommitsByCounting),
    (late_append, 3, mistakes.CutsItsLog),
    (conflict, [2], mistakes.KeepsItsOwn),
    (gap, (1, Ack(1, ok=False, place=3)), mistakes.AppendsAnywhere),
    (follower_behind, Append(2, 0, 0, Entry(1, None), 1), mistakes.TellsTooMuch),
    (late_vote, False, mistakes.CountsLateVotes),
    (late_ack, (2, 3), mistakes.BelievesTheLastAck),
]


@pytest.mark.parametrize(
    ("scene", "right", "mistake"), SCENES, ids=[f"{s.__name__}-{m.__name__}" for s, _, m in SCENES]
)
def test_a_rule_and_what_breaks_without_it(scene: Scene, right: object, mistake: type[Server]) -> None:
    assert play(scene, Server) == right
    assert play(scene, mistake) != right
