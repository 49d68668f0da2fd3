"""Mistakes that are made with PBFT, each as small as it is in life. Tests must find every one of them."""

from __future__ import annotations

from typing import Final

from refimpl.consensus.pbft import (
    Address,
    Certificate,
    Commit,
    Message,
    Prepare,
    PrePrepare,
    Replica,
    Signature,
    Value,
    View,
)


class NeedsHalf(Replica):
    """Takes 2 F replicas for a quorum."""

    def quorum_of(self, replicas: int) -> int:
        return super().quorum_of(replicas) - 1


class AcceptsTwice(Replica):
    """Accepts a second proposal in the same view."""

    def _on_proposal(self, sender: Address, view: View, value: Value) -> None:
        if view == self.view and self.accepted.get(view) != value:
            self.accepted.pop(view, None)
        super()._on_proposal(sender, view, value)


class AcceptsFromAnyone(Replica):
    """Does not look who proposes."""

    def _on_proposal(self, sender: Address, view: View, value: Value) -> None:
        super()._on_proposal(self.leader(view), view, value)


class AcceptsOldViews(Replica):
    """Accepts proposals of views that it has left."""

    def _on_proposal(self, sender: Address, view: View, value: Value) -> None:
        now = self.view
        self.view = min(view, now)
        super()._on_proposal(sender, view, value)
        self.view = now


class BelievesTheLeader(Replica):
    """Does not check a proposal against the reports."""

    def safe(self, view: View, value: Value) -> bool:
        return True


class BelievesOneReport(Replica):
    """Takes the highest certificate, of however few reports."""

    def safe(self, view: View, value: Value) -> bool:
        reports = [proof for proof in self._reports.get(view, {}).values() if proof is not None]
        return view == 0 or not reports or max(reports, key=lambda proof: proof.view).value == value


class IgnoresCertificates(Replica):
    """Asks for a quorum of reports, and not for what they say."""

    def safe(self, view: View, value: Value) -> bool:
        return view == 0 or len(self._reports.get(view, {})) >= self.quorum


class ChecksNoSignatures(Replica):
    """Believes every certificate."""

    def valid(self, proof: Certificate | None, before: View) -> bool:
        return True


class CountsSignaturesTwice(Replica):
    """Counts the signatures of a certificate, and not those who signed."""

    def valid(self, proof: Certificate | None, before: View) -> bool:
        return proof is None or (proof.view < before and len(proof.signatures) >= self.quorum)


class CountsEveryPrepare(Replica):
    """Does not look which value a `Prepare` is for."""

    def receive(self, sender: Address, message: Message) -> None:
        if isinstance(message, Prepare) and self.view in self.accepted:
            mine = self._prepares.setdefault((self.view, self.accepted[self.view]), {})
            mine[sender] = Signature(sender, message.signature)
        super().receive(sender, message)


class CommitsUnprepared(Replica):
    """Tells that it holds a certificate as soon as it has accepted."""

    def commit(self) -> bool:
        if self.view in self.accepted:
            self._tell_all(Commit(self.view, self.accepted[self.view]))
        return self.view in self.accepted


class ExecutesWhatIsPrepared(Replica):
    """Does not wait for a quorum of commits."""

    def execute(self) -> bool:
        proof = self.certificate(self.view)
        if proof is not None and self.executed is None:
            self.executed = proof.value
        return super().execute()


class ExecutesAtOneCommit(Replica):
    """Believes the first who says that it is committed."""

    def execute(self) -> bool:
        self.quorum, quorum = 1, self.quorum
        done = super().execute()
        self.quorum = quorum
        return done


class ReportsNothing(Replica):
    """Keeps its certificate to itself when the view changes."""

    def next_view(self) -> None:
        prepares, self._prepares = self._prepares, {}
        super().next_view()
        self._prepares = prepares


class ReportsTheLastViewAlone(Replica):
    """Reports the certificate of the view that it leaves, and forgets those of the views before."""

    def highest(self) -> Certificate | None:
        return self.certificate(self.view)


class ProposesTwice(Replica):
    """Proposes again in its view when it is asked for another value."""

    def propose(self, value: Value) -> bool:
        if self.leader(self.view) == self.name and self.accepted.get(self.view, value) != value:
            self._tell_all(PrePrepare(self.view, value))
            return True
        return super().propose(value)


MISTAKES: Final[tuple[type[Replica], ...]] = (
    NeedsHalf,
    AcceptsTwice,
    AcceptsFromAnyone,
    AcceptsOldViews,
    BelievesTheLeader,
    BelievesOneReport,
    IgnoresCertificates,
    ChecksNoSignatures,
    CountsSignaturesTwice,
    CountsEveryPrepare,
    CommitsUnprepared,
    ExecutesWhatIsPrepared,
    ExecutesAtOneCommit,
    ReportsNothing,
    ReportsTheLastViewAlone,
    ProposesTwice,
)
