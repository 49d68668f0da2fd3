"""Paxos: servers agree on one value, although messages are lost and servers crash.

    leader of ballot b                       acceptors
        | ---------- Prepare(b) --------------> |    promised nothing higher?
        |                                       |    force the promise
        | <--------- Promise(b, last vote) ---- |
    a majority promised: choose v, force it
        | ---------- Accept(b, v) ------------> |    promised nothing higher?
        |                                       |    force the vote
        | <--------- Accepted(b, v) ----------- |    to all who want to know
    a majority voted in one ballot: chosen

Everybody may try to lead; an attempt has a number, its ballot, which nobody else uses. Two facts make it safe:

- **An acceptor keeps its promise.** Having promised b, it takes no part in lower ballots, so what a majority told the leader of b
  about lower ballots stays true.
- **A leader is not free.** If any of the promises tells of a vote, the leader must propose the value of the highest one. Were
  something chosen in a lower ballot, a majority voted for it; that majority shares a member with the one that promised, and by
  induction every ballot in between proposed the same value.

So an acceptor forces promise and vote before it answers, and a leader forces its value before it sends it: one ballot must never
have two values. What was promised and heard may be asked for again. Neither knows of time; several leaders may stop each other
again and again, and who runs them should make them wait for random times.

As in the other protocols, objects here are given `send` and a journal, and wait for nothing. Messages may be lost, late, repeated
and reordered.

Sources: L. Lamport, "The part-time parliament", 1998, and "Paxos made simple", 2001.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, assert_never

from refimpl.runtime.log import Log

Address = str
Ballot = int
Value = Any
"""What is agreed on: JSON, which can be hashed, and is not null."""


@dataclass(frozen=True, slots=True)
class Vote:
    """An acceptor's vote for a value in a ballot."""

    ballot: Ballot
    value: Value


@dataclass(frozen=True, slots=True)
class Prepare:
    """From a leader: take part in my ballot, and in none below it. The published name is 1a."""

    ballot: Ballot


@dataclass(frozen=True, slots=True)
class Promise:
    """To the leader: I shall; this is my last vote (1b)."""

    ballot: Ballot
    last: Vote | None


@dataclass(frozen=True, slots=True)
class Accept:
    """From the leader: vote for this value (2a)."""

    ballot: Ballot
    value: Value


@dataclass(frozen=True, slots=True)
class Accepted:
    """To all who want to know: I voted (2b)."""

    ballot: Ballot
    value: Value


Message = Prepare | Promise | Accept | Accepted
Send = Callable[[Address, Message], None]


def majority(acceptors: int) -> int:
    """How many are more than half of them."""
    return acceptors // 2 + 1


class Acceptor:
    """The memory of the protocol. `learners` are told of each vote; whoever asked is answered."""

    def __init__(self, learners: Iterable[Address], journal: Log, send: Send) -> None:
        self.learners = tuple(learners)
        self.promised: Ballot = -1
        self.vote: Vote | None = None
        self._journal = journal
        self._send = send
        self.recover()

    def recover(self) -> None:
        """Reads the last promise and the last vote."""
        for record in self._journal.records():
            match json.loads(record):
                case {"promised": ballot}:
                    self.promised = ballot
                case {"ballot": ballot, "value": value}:
                    self.vote = Vote(ballot, value)

    def receive(self, sender: Address, message: Message) -> None:
        """Takes a message of a leader."""
        match message:
            case Prepare(ballot):
                self._on_prepare(sender, ballot)
            case Accept(ballot, value):
                self._on_accept(ballot, value)
            case Promise() | Accepted():
                raise ValueError(f"an acceptor got a message for others: {message}")
            case _:
                assert_never(message)

    def _on_prepare(self, leader: Address, ballot: Ballot) -> None:
        if ballot > self.promised:
            self._promise(ballot)
            self._send(leader, Promise(ballot, self.vote))

    def _on_accept(self, ballot: Ballot, value: Value) -> None:
        if ballot >= self.promised and (self.vote is None or self.vote.ballot < ballot):
            self._promise(ballot)  # a vote is a promise, too, and no vote may be on disk without it
            self._cast(Vote(ballot, value))
            for learner in self.learners:
                self._send(learner, Accepted(ballot, value))

    def _promise(self, ballot: Ballot) -> None:
        self._journal.force(json.dumps({"promised": ballot}))
        self.promised = ballot

    def _cast(self, vote: Vote) -> None:
        self._journal.force(json.dumps({"ballot": vote.ballot, "value": vote.value}))
        self.vote = vote


class Leader:
    """One attempt to have a value chosen: the leader of one ballot."""

    def __init__(self, ballot: Ballot, acceptors: Iterable[Address], journal: Log, send: Send) -> None:
        self.ballot = ballot
        self.acceptors = tuple(acceptors)
        self.quorum = majority(len(self.acceptors))
        self.proposed: Value | None = None
        self.heard: set[Address] = set()
        self.best: Vote | None = None
        self._journal = journal
        self._send = send
        self.recover()

    def recover(self) -> None:
        """Reads what was proposed in this ballot, if anything was."""
        for record in self._journal.records():
            match json.loads(record):
                case {"ballot": self.ballot, "proposed": value}:
                    self.proposed = value

    def start(self) -> None:
        """Phase one."""
        if not self.heard and self.proposed is None:
            self._tell_all(Prepare(self.ballot))

    def receive(self, sender: Address, message: Message) -> None:
        """Takes a promise. Others than those of this ballot are passed over."""
        match message:
            case Promise(self.ballot, last) if sender not in self.heard:
                self.heard.add(sender)
                self._consider(last)

    def _consider(self, last: Vote | None) -> None:
        if last is not None and (self.best is None or last.ballot > self.best.ballot):
            self.best = last

    def propose(self, wanted: Value) -> bool:
        """Phase two, once a majority has promised: proposes what must be proposed, or else what is wanted.

        Says whether it did.
        """
        if self.proposed is not None or len(self.heard) < self.quorum:
            return False
        value = wanted if self.best is None else self.best.value
        self._journal.force(json.dumps({"ballot": self.ballot, "proposed": value}))
        self.proposed = value
        self._tell_all(Accept(self.ballot, value))
        return True

    def _tell_all(self, message: Message) -> None:
        for acceptor in self.acceptors:
            self._send(acceptor, message)


class Learner:
    """Finds out what was chosen."""

    def __init__(self, acceptors: int) -> None:
        self.chosen: Value | None = None
        self._quorum = majority(acceptors)
        self._votes: dict[Ballot, dict[Address, Value]] = {}

    def receive(self, sender: Address, message: Accepted) -> None:
        """Takes the news of a vote."""
        votes = self._votes.setdefault(message.ballot, {})
        votes[sender] = message.value
        if len(votes) >= self._quorum:
            self.chosen = message.value
