"""Mistakes that are made with Raft, each as small as it is in life. Tests must find every one of them.

Those of a server are found by taking it along the transitions of the spec, and mostly in the simulator, too. Those of a node
are above the protocol: what clients are told is wrong while the log is right.
"""

from __future__ import annotations

from typing import Any, Final

from refimpl.consensus.raft import Ack, Address, Append, Ask, Entry, Message, Place, Role, Server, Term, Vote
from refimpl.consensus.raft_service import Node
from refimpl.consensus.store import Reply, Request, Store


class ForgetsItsVote(Server):
    """After a restart it knows the term, and not whom it voted for."""

    def recover(self) -> None:
        super().recover()
        self.voted = None


class VotesBeforeItWrites(Server):
    """Sends its vote, and then writes it down."""

    def _on_ask(self, candidate: Address, ask: Ask) -> None:
        if ask.term > self.term:
            self._follow(ask.term)
        if self.voted in (None, candidate) and self._good_enough(ask):
            self._send(candidate, Vote(self.term))
            self._remember(self.term, candidate)


class VotesForEveryone(Server):
    """Does not look whom it voted for before."""

    def _on_ask(self, candidate: Address, ask: Ask) -> None:
        self.voted = None
        super()._on_ask(candidate, ask)


class VotesForAnyLog(Server):
    """Does not compare the candidate's log with its own."""

    def _good_enough(self, ask: Ask) -> bool:
        return True


class ComparesLengthsAlone(Server):
    """Takes the longer log for the better one, whatever the terms."""

    def _good_enough(self, ask: Ask) -> bool:
        return ask.length >= len(self.log)


class CommitsByCounting(Server):
    """Commits whatever a majority stores, also entries of earlier terms: figure 8 of the paper."""

    def _advance(self) -> None:
        self.commit = max(self.commit, self.stored())


class CountsHalf(Server):
    """Takes half of the servers for a majority."""

    @property
    def majority(self) -> int:
        return (1 + len(self.peers)) // 2


class AcksBeforeItStores(Server):
    """Tells the leader that the entry is stored, and then stores it."""

    def _on_append(self, leader: Address, append: Append) -> None:
        late: list[tuple[Place, Entry]] = []
        store = self._store
        self._store = lambda prev, entry: late.append((prev, entry))  # type: ignore[method-assign]
        super()._on_append(leader, append)
        self._store = store  # type: ignore[method-assign]
        for prev, entry in late:
            store(prev, entry)


class StoresInMemory(Server):
    """Does not write entries down."""

    def _store(self, prev: Place, entry: Entry) -> None:
        self.log[prev:] = [entry]


class KeepsItsTerm(Server):
    """Follows a leader of a later term without taking the term over."""

    def _on_append(self, leader: Address, append: Append) -> None:
        term = self.term
        super()._on_append(leader, append)
        self.term = term


class CutsItsLog(Server):
    """Cuts off everything behind a stored entry, also when it had that entry already."""

    def _on_append(self, leader: Address, append: Append) -> None:
        fits = append.prev <= len(self.log) and self.term_at(append.prev) == append.before
        if append.entry is not None and fits and len(self.log) > append.prev:
            self._store(append.prev, append.entry)
        super()._on_append(leader, append)


class KeepsItsOwn(Server):
    """Keeps the entry that it has, although the leader has another one."""

    def _store(self, prev: Place, entry: Entry) -> None:
        if len(self.log) == prev:
            super()._store(prev, entry)


class AppendsAnywhere(Server):
    """Does not look whether the entry before is the same."""

    def term_at(self, place: Place) -> Term:
        return super().term_at(min(place, len(self.log)))

    def _on_append(self, leader: Address, append: Append) -> None:
        prev = min(append.prev, len(self.log))
        super()._on_append(
            leader, Append(append.term, prev, self.term_at(prev), append.entry, min(append.commit, prev + 1))
        )


class TellsTooMuch(Server):
    """Tells a follower how much is committed, without regard to how much the follower has."""

    def replicate(self, peer: Address) -> None:
        send = self._send

        def told(to: Address, message: Message) -> None:
            if isinstance(message, Append):
                message = Append(message.term, message.prev, message.before, message.entry, self.commit)
            send(to, message)

        self._send = told
        super().replicate(peer)
        self._send = send


class CountsLateVotes(Server):
    """Counts votes of earlier terms."""

    def receive(self, sender: Address, message: Message) -> None:
        if isinstance(message, Vote) and self.role is Role.CANDIDATE:
            self.votes.add(sender)
        super().receive(sender, message)


class BelievesTheLastAck(Server):
    """Takes a late answer of a follower for its present state."""

    def _on_ack(self, follower: Address, ack: Ack) -> None:
        if ack.ok and ack.term == self.term and self.role is Role.LEADER:
            self.match[follower] = 0
        super()._on_ack(follower, ack)


MISTAKES: Final[tuple[type[Server], ...]] = (
    ForgetsItsVote,
    VotesBeforeItWrites,
    VotesForEveryone,
    VotesForAnyLog,
    ComparesLengthsAlone,
    CommitsByCounting,
    CountsHalf,
    AcksBeforeItStores,
    StoresInMemory,
    KeepsItsTerm,
    CutsItsLog,
    KeepsItsOwn,
    AppendsAnywhere,
    TellsTooMuch,
    CountsLateVotes,
    BelievesTheLastAck,
)


# ---- above the protocol


class ReadsLocally(Node):
    """A leader answers reads from what it has applied, without asking whether it still leads."""

    def _on_request(self, client: Address, request: Request) -> None:
        if request.op == "read" and self.server.role is Role.LEADER:
            self._answer(client, Reply(request.number, self.store.values.get(request.key)))
        else:
            super()._on_request(client, request)


class AnswersAtOnce(Node):
    """Answers a write when it stands in the leader's log."""

    def _on_request(self, client: Address, request: Request) -> None:
        super()._on_request(client, request)
        if request.op == "write" and self.server.role is Role.LEADER:
            self._answer(client, Reply(request.number, None))


class AppliesWhatIsStored(Node):
    """Applies entries when they are stored, before they are committed."""

    def _settle(self) -> None:
        commit, self.server.commit = self.server.commit, len(self.server.log)
        super()._settle()
        self.server.commit = commit


class DoesItTwice(Store):
    """Forgets which commands it has carried out."""

    def apply(self, client: str, request: Request) -> Any:
        return self._do(request)
