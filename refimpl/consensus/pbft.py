"""Practical Byzantine fault tolerance: replicas agree on one value although some of them lie.

    leader of view v                 replicas
        | ------- PrePrepare(v, x) ----> |   the first proposal of this view, and one that is safe?
        |                                |   force that it was accepted
        | <------ Prepare(v, x) -------> |   each tells all: this is what I was told
    a quorum repeats x: nothing else can be prepared in this view
        | <------ Commit(v, x) --------> |   each tells all: I hold such a certificate
    a quorum holds one: whatever the next view does, it will find it

Of N = 3 F + 1 replicas, at most F are faulty: they say anything, and different things to different others. Two quorums of
2 F + 1 share F + 1 members, at least one of them honest, and an honest one prepares one value in a view.

**Change of view.** If nothing is decided in time, replicas go on to the next view, whose leader is another one. Each reports the
highest certificate that it holds. A value may be proposed there if, among a quorum of reports, the highest certificate names it,
or there is none. A replica checks that against the reports that came to itself, so it need not believe the leader.

**Signatures.** A certificate is a quorum of signed `Prepare`, so a liar cannot invent one. Everything else is only ever
believed of the replica that sends it, which the network must see to.

**Crashes.** View, what was accepted in each view, and what was executed are forced before they are told. Certificates are not, so
a replica that restarts may report less than it knew: it counts as one of the F.

`receive` takes messages down; `commit` and `execute` act on what was taken down. Left out are checkpoints and the log of many
values.

Source: M. Castro and B. Liskov, "Practical Byzantine fault tolerance", 1999.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol

from refimpl.runtime.log import Log

Address = str
View = int
Value = str


class Signatures(Protocol):
    """What a replica can do with signatures: make its own, and check everybody's."""

    def sign(self, text: str) -> str:
        """Its signature below a text."""

    def valid(self, signer: Address, text: str, signature: str) -> bool:
        """Whether a signature below a text is that of the signer."""


class SecretSignatures:
    """Signatures by secrets, which whoever checks them has to know.

    A liar that runs this very code cannot forge with it; one that reads the secrets out of its own memory can. Where replicas are
    not to be trusted that far, public keys belong behind this interface.
    """

    def __init__(self, name: Address, secrets: Mapping[Address, bytes]) -> None:
        self._name = name
        self._secrets = dict(secrets)

    def sign(self, text: str) -> str:
        """Its signature below a text."""
        return self._made(self._name, text)

    def valid(self, signer: Address, text: str, signature: str) -> bool:
        """Whether a signature below a text is that of the signer."""
        return signer in self._secrets and hmac.compare_digest(self._made(signer, text), signature)

    def _made(self, signer: Address, text: str) -> str:
        return hmac.new(self._secrets[signer], text.encode(), hashlib.sha256).hexdigest()


@dataclass(frozen=True, slots=True)
class Signature:
    """Who signed, and how."""

    signer: Address
    text: str


@dataclass(frozen=True, slots=True)
class Certificate:
    """Proves that a quorum prepared a value in a view."""

    view: View
    value: Value
    signatures: tuple[Signature, ...]


@dataclass(frozen=True, slots=True)
class PrePrepare:
    """From the leader of a view: let it be this value."""

    view: View
    value: Value


@dataclass(frozen=True, slots=True)
class Prepare:
    """To all: this was proposed to me, and I accepted it."""

    view: View
    value: Value
    signature: str


@dataclass(frozen=True, slots=True)
class Commit:
    """To all: I hold a certificate."""

    view: View
    value: Value


@dataclass(frozen=True, slots=True)
class ViewChange:
    """To all: I go on to this view, and hold this certificate of an earlier one."""

    view: View
    proof: Certificate | None


Message = PrePrepare | Prepare | Commit | ViewChange
Send = Callable[[Address, Message], None]


def prepared_text(view: View, value: Value) -> str:
    """What a replica signs that accepted a value."""
    return json.dumps(["prepare", view, value])


class Replica:
    """One of the replicas."""

    def __init__(
        self, name: Address, replicas: Iterable[Address], signatures: Signatures, journal: Log, send: Send
    ) -> None:
        self.name = name
        self.replicas = tuple(replicas)
        self.quorum = self.quorum_of(len(self.replicas))
        self.view: View = 0
        self.accepted: dict[View, Value] = {}
        self.executed: Value | None = None
        self._signatures = signatures
        self._journal = journal
        self._send = send
        self._prepares: dict[tuple[View, Value], dict[Address, Signature]] = {}
        self._commits: dict[tuple[View, Value], set[Address]] = {}
        self._reports: dict[View, dict[Address, Certificate | None]] = {}
        self.recover()

    def recover(self) -> None:
        """Reads the journal."""
        for record in self._journal.records():
            match json.loads(record):
                case {"view": view, "accepted": value}:
                    self.accepted[view] = value
                case {"view": view}:
                    self.view = view
                case {"executed": value}:
                    self.executed = value

    # ---- what it knows

    def quorum_of(self, replicas: int) -> int:
        """How many make a quorum: any two share an honest one."""
        return 2 * ((replicas - 1) // 3) + 1

    def leader(self, view: View) -> Address:
        """The replicas take turns."""
        return self.replicas[view % len(self.replicas)]

    def certificate(self, view: View) -> Certificate | None:
        """The proof that what was accepted in a view is prepared, if there is one."""
        value = self.accepted.get(view)
        if value is None:
            return None
        signed = self._prepares.get((view, value), {})
        return Certificate(view, value, tuple(signed.values())) if len(signed) >= self.quorum else None

    def highest(self) -> Certificate | None:
        """The certificate of the latest view that has one. Views in between may have ended without any."""
        held = (self.certificate(view) for view in sorted(self.accepted, reverse=True))
        return next((proof for proof in held if proof is not None), None)

    def safe(self, view: View, value: Value) -> bool:
        """Whether a value may be proposed: among a quorum of reports, the highest certificate names it or there is none."""
        if view == 0:
            return True
        reports = self._reports.get(view, {})
        return any(
            (highest is None or highest.value == value)
            and sum(_height(proof) <= _height(highest) for proof in reports.values()) >= self.quorum
            for highest in (None, *reports.values())
        )

    def reported(self, view: View) -> Value | None:
        """The value of the highest certificate that was reported for a view, if any was."""
        proofs = [proof for proof in self._reports.get(view, {}).values() if proof is not None]
        return max(proofs, key=_height).value if proofs else None

    def valid(self, proof: Certificate | None, before: View) -> bool:
        """Whether a certificate proves what it names, of an earlier view; to hold none is always believed."""
        if proof is None:
            return True
        text = prepared_text(proof.view, proof.value)
        signers = {s.signer for s in proof.signatures if self._signatures.valid(s.signer, text, s.text)}
        return proof.view < before and len(signers & set(self.replicas)) >= self.quorum

    # ---- steps

    def propose(self, value: Value) -> bool:
        """Proposes a value, if this replica leads and may; says whether it did."""
        if self.leader(self.view) != self.name or self.view in self.accepted or not self.safe(self.view, value):
            return False
        self._accept(value)
        self._tell_all(PrePrepare(self.view, value))
        self._prepare(value)
        return True

    def receive(self, sender: Address, message: Message) -> None:
        """Takes a message of a replica, which is nobody else than `sender`."""
        match message:
            case PrePrepare(view, value):
                self._on_proposal(sender, view, value)
            case Prepare(view, value, signature):
                if self._signatures.valid(sender, prepared_text(view, value), signature):
                    self._prepares.setdefault((view, value), {})[sender] = Signature(sender, signature)
            case Commit(view, value):
                self._commits.setdefault((view, value), set()).add(sender)
            case ViewChange(view, proof):
                if self.valid(proof, view):
                    self._reports.setdefault(view, {}).setdefault(sender, proof)

    def _on_proposal(self, sender: Address, view: View, value: Value) -> None:
        if view != self.view or sender != self.leader(view) or view in self.accepted or not self.safe(view, value):
            return
        self._accept(value)
        self._prepare(value)

    def commit(self) -> bool:
        """Tells that what was accepted is prepared, if it is."""
        proof = self.certificate(self.view)
        if proof is None:
            return False
        self._tell_all(Commit(proof.view, proof.value))
        return True

    def execute(self) -> bool:
        """Executes what a quorum has committed, whatever the view."""
        for (_, value), senders in self._commits.items():
            if self.executed is None and len(senders) >= self.quorum:
                self._journal.force(json.dumps({"executed": value}))
                self.executed = value
                return True
        return False

    def next_view(self) -> None:
        """Nothing was decided for too long: reports what is known and goes on."""
        proof = self.highest()
        self._journal.force(json.dumps({"view": self.view + 1}))
        self.view += 1
        self._tell_all(ViewChange(self.view, proof))

    # ---- changes

    def _accept(self, value: Value) -> None:
        self._journal.force(json.dumps({"view": self.view, "accepted": value}))
        self.accepted[self.view] = value

    def _prepare(self, value: Value) -> None:
        self._tell_all(Prepare(self.view, value, self._signatures.sign(prepared_text(self.view, value))))

    def _tell_all(self, message: Message) -> None:
        for replica in self.replicas:
            self._send(replica, message)


def _height(proof: Certificate | None) -> int:
    return -1 if proof is None else proof.view
