"""Two-phase commit done wrong: fourteen mistakes that people make, each in the few lines that make it.

They stand beside the right implementation for two reasons. A reader sees what each rule of the protocol is for by what
happens without it. And whoever tests an implementation can test the tests: each of these has to be found.
"""

from __future__ import annotations

from refimpl.transactions.two_phase_commit import (
    Address,
    Coordinator,
    Decide,
    Decision,
    Message,
    Participant,
    State,
    Vote,
)


class CommitsUncounted(Coordinator):
    """Forgets to look whether all have agreed."""

    def conclude(self) -> None:
        if self.decision is None:
            self._decide(Decision.COMMIT)


class CommitsAtFirstYes(Coordinator):
    """Takes the first yes for all."""

    def _on_vote(self, sender: Address, yes: bool) -> None:
        if self.decision is None:
            self._decide(Decision.COMMIT if yes else Decision.ABORT)


class AnswersWithoutDecision(Coordinator):
    """Tells who asks that it committed, although its log is empty."""

    def _on_ask(self, sender: Address) -> None:
        self._send(sender, Decide(self.decision or Decision.COMMIT))


class ForgetsItsDecision(Coordinator):
    """Does not read its log when it restarts."""

    def recover(self) -> None:
        pass


class DecidesTwice(Coordinator):
    """Gives up although it has decided."""

    def timeout(self) -> None:
        self._decide(Decision.ABORT)


class TellsBeforeItLogs(Coordinator):
    """Sends the decision, and then writes it down."""

    def _decide(self, decision: Decision) -> None:
        self._tell_all(Decide(decision))
        self._log.force(decision.value)
        self.decision = decision


class DecidesInMemory(Coordinator):
    """Does not write the decision down."""

    def _decide(self, decision: Decision) -> None:
        self.decision = decision
        self._tell_all(Decide(decision))


class ForgetsTheLast(Coordinator):
    """Does not tell the last participant."""

    def _tell_all(self, message: Message) -> None:
        for participant in self.participants[:-1]:
            self._send(participant, message)


class VotesBeforeItLogs(Participant):
    """Sends the vote, and then writes it down."""

    def _on_prepare(self, sender: Address) -> None:
        if self.state is State.WORKING:
            yes = self._resource.prepare()
            self._send(sender, Vote(yes))
            self._become(State.PREPARED if yes else State.ABORTED)


class AbortsInDoubt(Participant):
    """Loses patience after its vote, and aborts."""

    def timeout(self) -> None:
        if self.state in (State.WORKING, State.PREPARED):
            self._become(State.ABORTED)


class LosesItsLog(Participant):
    """Starts from nothing after a crash."""

    def recover(self) -> None:
        self.state = State.WORKING


class VotesYesAlways(Participant):
    """Does not ask its database."""

    def _on_prepare(self, sender: Address) -> None:
        if self.state is State.WORKING:
            self._become(State.PREPARED)
            self._send(sender, Vote(yes=True))


class ChangesItsMind(Participant):
    """Prepares again when it has left already."""

    def _on_prepare(self, sender: Address) -> None:
        self.state = State.WORKING
        super()._on_prepare(sender)


class CommitsOnPaper(Participant):
    """Writes to its log that it committed, and does not tell the database."""

    def _apply(self) -> None:
        pass


MISTAKES: tuple[type[Coordinator | Participant], ...] = (
    CommitsUncounted,
    CommitsAtFirstYes,
    AnswersWithoutDecision,
    ForgetsItsDecision,
    DecidesTwice,
    TellsBeforeItLogs,
    DecidesInMemory,
    ForgetsTheLast,
    VotesBeforeItLogs,
    AbortsInDoubt,
    LosesItsLog,
    VotesYesAlways,
    ChangesItsMind,
    CommitsOnPaper,
)
"""All of them, those of the coordinator first."""
