"""Three-phase commit done wrong: seventeen mistakes that people make, each in the few lines that make it.

Most are about the termination protocol, which is where the difficulty lies: the three phases alone are easy.
"""

from __future__ import annotations

from refimpl.transactions.three_phase_commit import READY, Ack, Coordinator, Duty, Participant, PreCommit
from refimpl.transactions.two_phase_commit import Address, Decision, State, Vote


class SkipsPhaseTwo(Coordinator):
    """Commits as soon as all votes are there, as in two-phase commit."""

    def _pre_commit(self) -> None:
        self._decide(Decision.COMMIT)


class WaitsForNoAck(Coordinator):
    """Commits as soon as it has told of the votes."""

    def _pre_commit(self) -> None:
        super()._pre_commit()
        self.heard.update(self.participants)


class WaitsForTheDead(Coordinator):
    """Wants an acknowledgement from every participant, also from those who are down."""

    def suspect(self, participant: Address) -> None:
        pass


class TellsBeforeItLogs(Coordinator):
    """Tells of the votes, and then writes down that it may have done so."""

    def _pre_commit(self) -> None:
        self.duty = Duty.COMPLETES
        self.heard.clear()
        self._tell_all(PreCommit())
        self._log.force(READY)
        self.ready = True


class GivesUpTooLate(Coordinator):
    """Aborts when acknowledgements are overdue, as if they were votes."""

    def timeout(self) -> None:
        if self.decision is None:
            self._decide(Decision.ABORT)


class AbortsWhenItIsBack(Coordinator):
    """Takes its log for that of two-phase commit: without a decision in it, it aborts."""

    def restart(self) -> None:
        self.ready = False
        super().restart()


class DecidesAlone(Participant):
    """Goes by what it knows itself when the coordinator is gone. Known as the time-outs of the textbook."""

    def _take_over(self) -> None:
        self.leader = self.name
        self._become(State.COMMITTED if self.ready else State.ABORTED)


class JumpsTheQueue(Participant):
    """Leads as soon as the coordinator is gone, whoever would come first."""

    def _comes_next(self) -> bool:
        return self.leader != self.name and self.coordinator in self.gone


class AsksNobody(Participant):
    """Decides for all by what it knows itself, and does not wait for their reports."""

    def _take_over(self) -> None:
        super()._take_over()
        self.heard.update(self.others)


class ForgetsReports(Participant):
    """Counts the reports and does not read them."""

    def _on_report(self, sender: Address, ready: bool) -> None:
        super()._on_report(sender, False)


class CommitsByReports(Participant):
    """Commits when one of the survivors knows of the votes, and does not tell the others of them first."""

    def _settle(self) -> None:
        self._decide(Decision.COMMIT if self.ready else Decision.ABORT)


class ListensToTheDead(Participant):
    """Acknowledges what comes late from a leader that has been replaced."""

    def _on_pre_commit(self, sender: Address) -> None:
        if self.state is State.PREPARED and self.duty is not Duty.LOOKS_ON:
            self.ready = True
            self._send(sender, Ack())
        else:
            super()._on_pre_commit(sender)


class IsSilentWhenDone(Participant):
    """Does not answer a new leader when it has heard the outcome in the meantime."""

    def _on_pre_commit(self, sender: Address) -> None:
        if self.outcome is None:
            super()._on_pre_commit(sender)


class KeepsItToItself(Participant):
    """Leads, hears the outcome, and does not pass it on."""

    def _on_decide(self, decision: Decision) -> None:
        if self.outcome is None:
            self._become(State.COMMITTED if decision is Decision.COMMIT else State.ABORTED)


class LeavesWhenAsked(Participant):
    """Quits although it has reported to a new leader, or leads."""

    def timeout(self) -> None:
        if self.state is State.WORKING:
            self._become(State.ABORTED)


class HasItsSayAgain(Participant):
    """Takes part again after a crash, as if it had been there all the time."""

    def restart(self) -> None:
        super().restart()
        self.duty = Duty.FOLLOWS


class VotesBeforeItLogs(Participant):
    """Sends the vote, and then writes it down."""

    def _on_prepare(self, sender: Address) -> None:
        if self.state is State.WORKING and self.leader == sender:
            yes = self._resource.prepare()
            self._send(sender, Vote(yes))
            self._become(State.PREPARED if yes else State.ABORTED)


MISTAKES: tuple[type[Coordinator | Participant], ...] = (
    SkipsPhaseTwo,
    WaitsForNoAck,
    WaitsForTheDead,
    TellsBeforeItLogs,
    GivesUpTooLate,
    AbortsWhenItIsBack,
    DecidesAlone,
    JumpsTheQueue,
    AsksNobody,
    ForgetsReports,
    CommitsByReports,
    ListensToTheDead,
    IsSilentWhenDone,
    KeepsItToItself,
    LeavesWhenAsked,
    HasItsSayAgain,
    VotesBeforeItLogs,
)
"""All of them, those of the coordinator first."""
