"""Raft: servers keep copies of one log, and a leader that they elect decides what goes into it.

    follower                candidate               leader                    followers
        | -- no leader heard -> |                       |                         |
        |                       | -- Ask ---------------------------------------> |   force the vote
        |                       | <------------------------------- Vote --------- |
        |                       | -- a majority votes ->|                         |
        |                       |                       | <- propose(command)     |
        |                       |                       | -- Append ------------> |   force the entry
        |                       |                       | <-------------- Ack --- |
        |                       |                       | a majority stores it: committed

Time is cut into terms, and each term has at most one leader. Three rules carry all of the safety:

1. **One vote in a term, and only for a log that lacks nothing.** A server refuses candidates whose log ends before its own, so
   whoever wins a majority has every entry that a majority stores.
2. **A log is only continued where it agrees.** An entry is sent with the place and the term of the one before it. A follower
   that does not have that one refuses, and the leader goes back. So logs that share an entry share all before it.
3. **A leader commits by counting only entries of its own term.** Older ones are committed with them. That a majority stores
   an old entry does not protect it: a server whose last entry is of a later term can still win, and overwrite it.

What must survive a crash is the term, the vote and the log, so each change of them is forced to the journal before anything
is sent that rests on it. Term and vote are one record. Everything else is learned again.

An entry that fits behind the one before replaces what stands there, and all that follows, only if it differs. A late message
with an old part of the log must not cut off what came after it.

As in two-phase commit, a server is an object that is given `send(receiver, message)` and a journal. It is called with
messages, when timers ring, and with commands, and never waits. Messages may be lost, late, repeated and reordered. Left out
are changes of the members and snapshots of the log.

Sources: D. Ongaro and J. Ousterhout, "In search of an understandable consensus algorithm", 2014; D. Ongaro, "Consensus:
bridging theory and practice", 2014.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import Enum
from typing import Any, assert_never

from refimpl.runtime.log import Log

Address = str
Term = int
Place = int
"""Where an entry stands in the log, counted from 1; 0 is before the first."""


@dataclass(frozen=True, slots=True)
class Entry:
    """What a leader put into the log in its term. The command is JSON, and means nothing to Raft."""

    term: Term
    command: Any


@dataclass(frozen=True, slots=True)
class Ask:
    """From a candidate: vote for me. My log has this length, and its last entry is of the term `last`."""

    term: Term
    last: Term
    length: Place


@dataclass(frozen=True, slots=True)
class Vote:
    """To the candidate of this term: you have my vote."""

    term: Term


@dataclass(frozen=True, slots=True)
class Append:
    """From the leader: store this entry, or none, behind the place `prev`, where your entry is of the term `before`."""

    term: Term
    prev: Place
    before: Term
    entry: Entry | None
    commit: Place


@dataclass(frozen=True, slots=True)
class Ack:
    """To the leader: my log is yours up to this place; or, if not `ok`, it is not even so there."""

    term: Term
    ok: bool
    place: Place


Message = Ask | Vote | Append | Ack
Send = Callable[[Address, Message], None]


class Role(Enum):
    """What a server is at the moment."""

    FOLLOWER = "follower"
    CANDIDATE = "candidate"
    LEADER = "leader"


class Server:
    """One of the servers."""

    def __init__(self, name: Address, servers: Iterable[Address], journal: Log, send: Send) -> None:
        self.name = name
        self.peers = tuple(s for s in servers if s != name)
        self.term: Term = 0
        self.voted: Address | None = None
        self.log: list[Entry] = []
        self.role = Role.FOLLOWER
        self.leader: Address | None = None
        self.votes: set[Address] = set()
        self.commit: Place = 0
        self.next: dict[Address, Place] = {}
        self.match: dict[Address, Place] = {}
        self._journal = journal
        self._send = send
        self._forget()
        self.recover()

    def recover(self) -> None:
        """Reads the journal: the last record of the term counts, and each entry cuts off what stood at its place."""
        for record in self._journal.records():
            match json.loads(record):
                case {"term": term, "vote": vote}:
                    self.term, self.voted = term, vote
                case {"place": place, "term": term, "command": command}:
                    self.log[place - 1 :] = [Entry(term, command)]

    # ---- what a server knows

    def term_at(self, place: Place) -> Term:
        """The term of the entry at a place of the log."""
        return self.log[place - 1].term if place else 0

    @property
    def last_term(self) -> Term:
        """The term of the last entry."""
        return self.term_at(len(self.log))

    @property
    def majority(self) -> int:
        """How many servers are more than half of them."""
        return (1 + len(self.peers)) // 2 + 1

    def stored(self) -> Place:
        """Up to which place a majority has the leader's log."""
        everyone = sorted([len(self.log), *self.match.values()], reverse=True)
        return everyone[self.majority - 1]

    # ---- timers and clients

    def elect(self) -> None:
        """No leader was heard for too long: stands for election in a new term."""
        if self.role is Role.LEADER:
            return
        self._follow(self.term + 1)
        self.role = Role.CANDIDATE
        self._remember(self.term, self.name)
        self.votes = {self.name}
        for peer in self.peers:
            self._send(peer, Ask(self.term, self.last_term, len(self.log)))

    def lead(self) -> bool:
        """Becomes leader, if a majority has voted for that; says whether it did."""
        if self.role is not Role.CANDIDATE or len(self.votes) < self.majority:
            return False
        self.role = Role.LEADER
        self.leader = self.name
        self.votes = set()
        self.next = dict.fromkeys(self.peers, len(self.log) + 1)
        return True

    def propose(self, command: Any) -> Place | None:
        """Puts a command into the log and says where it stands; None if this server does not lead.

        It is decided once `commit` has reached that place while the entry there is still of this term.
        """
        if self.role is not Role.LEADER:
            return None
        self._store(len(self.log), Entry(self.term, command))
        self._advance()  # a server that is alone has its majority
        return len(self.log)

    def replicate(self, peer: Address) -> None:
        """Sends a follower what it may lack next, and how much of that is committed."""
        if self.role is not Role.LEADER or (self.match[peer] >= len(self.log) and not self.commit):
            return
        prev = self.next[peer] - 1
        entry = self.log[prev] if prev < len(self.log) else None
        end = prev if entry is None else prev + 1
        self._send(peer, Append(self.term, prev, self.term_at(prev), entry, min(self.commit, end)))

    # ---- messages

    def receive(self, sender: Address, message: Message) -> None:
        """Takes a message. Those of terms that are over are passed over."""
        if message.term < self.term:
            return
        match message:
            case Ask():
                self._on_ask(sender, message)
            case Vote():
                self._on_vote(sender, message)
            case Append():
                self._on_append(sender, message)
            case Ack():
                self._on_ack(sender, message)
            case _:
                assert_never(message)

    def _on_ask(self, candidate: Address, ask: Ask) -> None:
        if ask.term > self.term:
            self._follow(ask.term)
        if self.voted in (None, candidate) and self._good_enough(ask):
            self._remember(self.term, candidate)  # before the vote is sent, or a crash would let us vote again
            self._send(candidate, Vote(self.term))

    def _good_enough(self, ask: Ask) -> bool:
        """Whether the log of a candidate does not end before our own."""
        return (ask.last, ask.length) >= (self.last_term, len(self.log))

    def _on_vote(self, voter: Address, vote: Vote) -> None:
        if vote.term == self.term and self.role is Role.CANDIDATE:
            self.votes.add(voter)

    def _on_append(self, leader: Address, append: Append) -> None:
        self._follow(append.term)
        self.leader = leader
        prev, entry = append.prev, append.entry
        if prev > len(self.log) or self.term_at(prev) != append.before:
            self._send(leader, Ack(self.term, ok=False, place=prev))
            return
        end = prev
        if entry is not None:
            end = prev + 1
            if len(self.log) == prev or self.term_at(end) != entry.term:
                self._store(prev, entry)
        self.commit = max(self.commit, append.commit)
        self._send(leader, Ack(self.term, ok=True, place=end))

    def _on_ack(self, follower: Address, ack: Ack) -> None:
        if ack.term != self.term or self.role is not Role.LEADER:
            return
        if not ack.ok:
            self.next[follower] = min(self.next[follower], ack.place)
            return
        self.match[follower] = max(self.match[follower], ack.place)
        self.next[follower] = self.match[follower] + 1
        self._advance()

    def _advance(self) -> None:
        """Commits what a majority stores, if the last of it is of this leader's own term."""
        stored = self.stored()
        if stored > self.commit and self.term_at(stored) == self.term:
            self.commit = stored

    # ---- changes

    def _follow(self, term: Term) -> None:
        """Gives up whatever it was in earlier terms, or as a candidate in this one."""
        if term > self.term:
            self._remember(term, None)
            self.leader = None
        self.role = Role.FOLLOWER
        self._forget()

    def _forget(self) -> None:
        self.votes = set()
        self.next = dict.fromkeys(self.peers, 1)
        self.match = dict.fromkeys(self.peers, 0)

    def _remember(self, term: Term, vote: Address | None) -> None:
        """Term and vote, on disk first."""
        self._journal.force(json.dumps({"term": term, "vote": vote}))
        self.term, self.voted = term, vote

    def _store(self, prev: Place, entry: Entry) -> None:
        """Puts an entry behind the place `prev`, on disk first; what stood there is gone."""
        self._journal.force(json.dumps({"place": prev + 1, "term": entry.term, "command": entry.command}))
        self.log[prev:] = [entry]
