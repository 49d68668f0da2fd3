"""PBFT held to `specs/consensus/pbft.psm`.

In the spec a message that is `sent` to all is known at once to whoever asks for it; here it has to arrive. So what the spec
looks up, the adapter delivers just before the step that depends on it: all `Prepare` before a replica commits or changes
the view, all `Commit` before it executes, all reports before something is proposed. `receive` only takes these down.

A faulty replica is no process. It counts as having said whatever helps the step along: it signs `Prepare` and `Commit` for any
value, and its report is the best one for what is proposed. What it cannot do is sign for others, so a certificate in its report
is one that honest replicas have signed so far as it needs them. Where there is none it first tries forged ones, which everybody
has to see through: with signatures that it made up, and with its own again and again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from checker.conformance.adapter import Adapter, Instance, Mistake, Observation, Refused
from checker.conformance.compare import NETWORK
from checker.conformance.event import Event
from checker.conformance.mapping import step
from checker.model.machine import Machine
from checker.properties.kinds import Json
from refimpl.adapters.pbft_scenes import SCENES
from refimpl.adapters.world import Disk, Letter, World, bound, node_of
from refimpl.consensus.pbft import (
    Address,
    Certificate,
    Commit,
    Message,
    Prepare,
    PrePrepare,
    Replica,
    SecretSignatures,
    Send,
    Signature,
    Signatures,
    View,
    ViewChange,
    prepared_text,
)
from refimpl.consensus.pbft_mistakes import MISTAKES
from refimpl.runtime.log import Log

ALL = "all"

MakeReplica = Callable[[Address, Sequence[Address], Signatures, Log, Send], Replica]


class Pbft(Adapter):
    """Drives the honest replicas. Another class than the real one may be put in its place, by tests."""

    environment = ("byzantine Rep",)  # who is faulty is part of the initial state
    smaller = (Instance("f1", {"VIEWS": 1}), Instance("f1", {"N": 3, "Q": 3}))
    scenes = SCENES

    def __init__(self, machine: Machine, *, replica: MakeReplica = Replica) -> None:
        super().__init__(machine)
        self._make = replica
        self.names = self.instances("Rep")
        self._quorum, self._views = bound(machine, "Q"), bound(machine, "VIEWS")
        secrets = {name: name.encode() for name in self.names}
        self._signatures = {name: SecretSignatures(name, secrets) for name in self.names}
        self.world: World[Message] = World(self.names, self._written)

    @classmethod
    def mistakes(cls) -> Mapping[str, Mistake]:
        """Wrong implementations by name."""

        def wrong(mistake: type[Replica]) -> Callable[[Machine], Adapter]:
            return lambda machine: cls(machine, replica=mistake)

        return {mistake.__name__: Mistake.of(mistake, wrong(mistake)) for mistake in MISTAKES}

    def begin(self, initial: Mapping[str, Json]) -> None:
        faulty = initial.get("faulty", [])
        assert isinstance(faulty, list)
        self.faulty = [str(name) for name in faulty]
        self.world.begin()
        self.replicas: dict[Address, Replica] = {}
        for name in self.names:
            signatures, disk = self._signatures[name], Disk(self.world, name)
            replica = self._make(name, self.names, signatures, disk, self._sender(name))
            if type(replica).quorum_of is Replica.quorum_of:
                replica.quorum = self._quorum
            self.replicas[name] = replica

    def _sender(self, name: Address) -> Send:
        def send(receiver: Address, message: Message) -> None:
            self.world.post(Letter(name, receiver if isinstance(message, PrePrepare) else ALL, message))

        return send

    # ---- the steps

    @step("Rep.Propose")
    def propose(self, event: Event) -> None:
        replica, value = self.replicas[node_of(event)], str(event.args["x"])
        self._report(replica, replica.view, value)
        replica.propose(value)

    @step("Rep.PrePrepare")
    def deliver(self, event: Event) -> None:
        assert event.sender is not None
        view = event.args["view"]
        assert isinstance(view, int)
        message = PrePrepare(view, str(event.args["value"]))
        if event.sender not in self.faulty:
            self.world.letter(event.sender, node_of(event), message)
        replica = self.replicas[node_of(event)]
        self._report(replica, view, message.value)
        replica.receive(event.sender, message)

    @step("Rep.SendCommit")
    def commit(self, event: Event) -> None:
        replica = self.replicas[node_of(event)]
        self._prepare(replica)
        replica.commit()

    @step("Rep.Execute")
    def execute(self, event: Event) -> None:
        replica = self.replicas[node_of(event)]
        view = event.args["v"]
        assert isinstance(view, int)
        message = Commit(view, str(event.args["x"]))
        for sender in (*self._said(message), *self.faulty):
            replica.receive(sender, message)
        replica.execute()

    @step("Rep.NextView")
    def next_view(self, event: Event) -> None:
        replica = self.replicas[node_of(event)]
        if replica.view >= self._views - 1:
            raise Refused("the model has no more views")
        self._prepare(replica)
        replica.next_view()

    # ---- what has arrived by then

    def _said(self, message: Message) -> list[Address]:
        return [letter.sender for letter in self.world.letters if letter.message == message]

    def _prepare(self, replica: Replica) -> None:
        """Delivers every `Prepare` for what a replica has accepted."""
        for view, value in replica.accepted.items():
            for signature in self._signed(view, value):
                replica.receive(signature.signer, Prepare(view, value, signature.text))

    def _signed(self, view: View, value: str) -> list[Signature]:
        """Who signed `Prepare` for a value, liars among them."""
        text = prepared_text(view, value)
        honest = {
            letter.sender
            for letter in self.world.letters
            if isinstance(letter.message, Prepare) and (letter.message.view, letter.message.value) == (view, value)
        }
        return [Signature(name, self._signatures[name].sign(text)) for name in sorted({*honest, *self.faulty})]

    def _report(self, replica: Replica, view: View, value: str) -> None:
        """Delivers every report for a view, and those of liars that help a value most."""
        if view == 0:
            return
        for letter in self.world.letters:
            if isinstance(letter.message, ViewChange) and letter.message.view == view:
                replica.receive(letter.sender, letter.message)
        signed = tuple(self._signed(view - 1, value))
        proof = Certificate(view - 1, value, signed) if len(signed) >= self._quorum else None
        for liar in self.faulty:
            for forged in self._forged(liar, view - 1, value) if proof is None else ():
                replica.receive(liar, ViewChange(view, forged))
            replica.receive(liar, ViewChange(view, proof))

    def _forged(self, liar: Address, view: View, value: str) -> tuple[Certificate, Certificate]:
        """Certificates with as many signatures as a quorum has, and not those of a quorum."""
        own = Signature(liar, self._signatures[liar].sign(prepared_text(view, value)))
        made_up = tuple(Signature(name, own.text) for name in self.names)
        return Certificate(view, value, made_up), Certificate(view, value, (own,) * self._quorum)

    # ---- what can be seen

    def observe(self) -> Observation:
        seen: dict[str, object] = {NETWORK: list(dict.fromkeys(self.world.network)), "faulty": self.faulty}
        for name, replica in self.replicas.items():
            seen[f"{name}.view"] = replica.view
            seen[f"{name}.accepted"] = {str(view): replica.accepted.get(view) for view in range(self._views)}
            seen[f"{name}.executed"] = replica.executed
        return seen

    def _written(self, letter: Letter[Message]) -> str:
        way = letter.sender, letter.receiver
        match letter.message:
            case ViewChange(view, proof):
                shown: Json = None if proof is None else {"view": proof.view, "value": proof.value}
                return self.letter(*way, "ViewChange", view=view, proof=shown)
            case PrePrepare(view, value) | Commit(view, value) | Prepare(view, value, _):
                return self.letter(*way, type(letter.message).__name__, view=view, value=value)
