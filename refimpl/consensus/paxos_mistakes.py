"""Mistakes that are made with Paxos, each as small as it is in life. Tests must find every one of them."""

from __future__ import annotations

from typing import Final

from refimpl.consensus.paxos import Accept, Accepted, Acceptor, Address, Ballot, Leader, Message, Promise, Value, Vote


class ForgetsItsPromise(Acceptor):
    """After a restart it knows its vote, and not what it promised."""

    def recover(self) -> None:
        super().recover()
        self.promised = -1 if self.vote is None else self.vote.ballot


class ForgetsItsVote(Acceptor):
    """After a restart it knows what it promised, and not what it voted for."""

    def recover(self) -> None:
        super().recover()
        self.vote = None


class PromisesBeforeItWrites(Acceptor):
    """Sends its promise, and then writes it down."""

    def _on_prepare(self, leader: Address, ballot: Ballot) -> None:
        if ballot > self.promised:
            self._send(leader, Promise(ballot, self.vote))
            self._promise(ballot)


class VotesBeforeItWrites(Acceptor):
    """Tells of its vote, and then writes it down."""

    def _on_accept(self, ballot: Ballot, value: Value) -> None:
        if ballot >= self.promised and (self.vote is None or self.vote.ballot < ballot):
            for learner in self.learners:
                self._send(learner, Accepted(ballot, value))
            self._promise(ballot)
            self._cast(Vote(ballot, value))


class BreaksItsPromise(Acceptor):
    """Votes in every ballot above its last vote, whatever it promised."""

    def _on_accept(self, ballot: Ballot, value: Value) -> None:
        if self.vote is None or self.vote.ballot < ballot:
            self.promised = min(self.promised, ballot)
            super()._on_accept(ballot, value)


class PromisesBackward(Acceptor):
    """Promises whoever asks last."""

    def _on_prepare(self, leader: Address, ballot: Ballot) -> None:
        if ballot != self.promised:
            self._promise(ballot)
            self._send(leader, Promise(ballot, self.vote))


class HidesItsVote(Acceptor):
    """Does not tell in its promise what it voted for."""

    def _on_prepare(self, leader: Address, ballot: Ballot) -> None:
        if ballot > self.promised:
            self._promise(ballot)
            self._send(leader, Promise(ballot, None))


class VotesWithoutPromise(Acceptor):
    """Does not take its vote for a promise."""

    def _on_accept(self, ballot: Ballot, value: Value) -> None:
        promised = self.promised
        super()._on_accept(ballot, value)
        self.promised = promised


class ProposesItsOwn(Leader):
    """Does not care what the promises told."""

    def _consider(self, last: Vote | None) -> None:
        pass


class BelievesTheLastPromise(Leader):
    """Takes the vote that it heard of last for the highest one."""

    def _consider(self, last: Vote | None) -> None:
        self.best = last or self.best


class BelievesTheLowest(Leader):
    """Takes the vote in the lowest ballot."""

    def _consider(self, last: Vote | None) -> None:
        if last is not None and (self.best is None or last.ballot < self.best.ballot):
            self.best = last


class NeedsTooFew(Leader):
    """Proposes with one promise less than a majority."""

    def propose(self, wanted: Value) -> bool:
        self.quorum = len(self.acceptors) // 2
        return super().propose(wanted)


class CountsPromisesOfOthers(Leader):
    """Takes promises for other ballots for its own."""

    def receive(self, sender: Address, message: Message) -> None:
        if isinstance(message, Promise):
            message = Promise(self.ballot, message.last)
        super().receive(sender, message)


class ForgetsItsProposal(Leader):
    """After a restart it proposes again in the same ballot."""

    def recover(self) -> None:
        pass


class ProposesBeforeItWrites(Leader):
    """Sends its proposal, and then writes it down."""

    def propose(self, wanted: Value) -> bool:
        force, held = self._journal.force, []

        class Late:
            def force(self, record: str) -> None:
                held.append(record)

        journal, self._journal = self._journal, Late()  # type: ignore[assignment]
        done = super().propose(wanted)
        self._journal = journal
        for record in held:
            force(record)
        return done


class ChangesItsProposal(Leader):
    """Proposes again when it is asked for another value."""

    def propose(self, wanted: Value) -> bool:
        if self.proposed is not None and self.best is None and wanted != self.proposed:
            self._tell_all(Accept(self.ballot, wanted))
            return True
        return super().propose(wanted)


MISTAKES: Final[tuple[type[Acceptor | Leader], ...]] = (
    ForgetsItsPromise,
    ForgetsItsVote,
    PromisesBeforeItWrites,
    VotesBeforeItWrites,
    BreaksItsPromise,
    PromisesBackward,
    HidesItsVote,
    VotesWithoutPromise,
    ProposesItsOwn,
    BelievesTheLastPromise,
    BelievesTheLowest,
    NeedsTooFew,
    CountsPromisesOfOthers,
    ForgetsItsProposal,
    ProposesBeforeItWrites,
    ChangesItsProposal,
)
