"""Paxos held to `specs/consensus/paxos.psm`.

Each step of the spec is one call. A ballot of the spec is the leader that it belongs to; here it is that leader's number. Votes
are sent to all in the spec and read there by properties alone, so they go to a learner by the name of `all`.

What has to survive a crash is looked up on disk, too: what stands in memory alone is no value of the spec's.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial

from checker.conformance.adapter import UNSEEN, Adapter, Instance, Mistake, Observation
from checker.conformance.compare import NETWORK
from checker.conformance.event import Event
from checker.conformance.mapping import step
from checker.model.machine import Machine
from checker.properties.kinds import Json
from refimpl.adapters.paxos_scenes import SCENES
from refimpl.adapters.world import Disk, Letter, World, bound, node_of, unanimous
from refimpl.consensus.paxos import (
    Accept,
    Accepted,
    Acceptor,
    Address,
    Ballot,
    Leader,
    Message,
    Prepare,
    Promise,
    Send,
    Vote,
)
from refimpl.consensus.paxos_mistakes import MISTAKES
from refimpl.runtime.log import Log

LEARNERS = ("all",)

MakeAcceptor = Callable[[Sequence[Address], Log, Send], Acceptor]
MakeLeader = Callable[[Ballot, Sequence[Address], Log, Send], Leader]


class Paxos(Adapter):
    """Drives leaders and acceptors. Other classes than the real ones may be put in their place, by tests."""

    smaller = (Instance("safe", {"A": 1}), Instance("reboot", {"A": 1}), Instance("safe", {"BALLOTS": 1}))
    scenes = SCENES

    def __init__(self, machine: Machine, *, acceptor: MakeAcceptor = Acceptor, leader: MakeLeader = Leader) -> None:
        super().__init__(machine)
        self._make_acceptor = acceptor
        self._make_leader = leader
        self._quorum = bound(machine, "QUORUM")
        self.leaders = self.instances("Leader")
        self.acceptors = self.instances("Acceptor")
        self.world: World[Message] = World((*self.leaders, *self.acceptors), self._written)

    @classmethod
    def mistakes(cls) -> Mapping[str, Mistake]:
        """Wrong implementations by name."""

        def wrong(mistake: type[Acceptor | Leader]) -> Callable[[Machine], Adapter]:
            if issubclass(mistake, Acceptor):
                return lambda machine: cls(machine, acceptor=mistake)
            return lambda machine: cls(machine, leader=mistake)

        return {mistake.__name__: Mistake.of(mistake, wrong(mistake)) for mistake in MISTAKES}

    def begin(self, initial: Mapping[str, Json]) -> None:
        self.world.begin()
        self.processes: dict[Address, Acceptor | Leader] = {}
        for name in (*self.leaders, *self.acceptors):
            self._boot(name)

    def _boot(self, name: Address) -> None:
        disk, send = Disk(self.world, name), self.world.sender(name)
        if name in self.acceptors:
            self.processes[name] = self._make_acceptor(LEARNERS, disk, send)
        else:
            leader = self._make_leader(self.leaders.index(name), self.acceptors, disk, send)
            leader.quorum = self._quorum
            self.processes[name] = leader

    # ---- the steps

    def _leader(self, event: Event) -> Leader:
        process = self.processes[node_of(event)]
        assert isinstance(process, Leader)
        return process

    @step("Leader.Start")
    def start(self, event: Event) -> None:
        self._leader(event).start()

    @step("Leader.Propose")
    def propose(self, event: Event) -> None:
        self._leader(event).propose(event.args["v"])

    @step("Acceptor.Prepare", "Acceptor.Accept")
    def deliver(self, event: Event) -> None:
        assert event.sender is not None
        message = self.world.letter(event.sender, node_of(event), self.message_of(event))
        self.processes[node_of(event)].receive(event.sender, message)

    @step("Leader.Promise")
    def promise(self, event: Event) -> None:
        """One process leads several ballots, one after the other, under one address. So each leader gets every promise."""
        self.deliver(event)
        for name in self.leaders:
            leader = self.processes.get(name)
            if leader is not None and name != event.node:
                leader.receive(str(event.sender), self.message_of(event))

    @step("crash Leader", "crash Acceptor")
    def fall(self, event: Event) -> None:
        if event.torn is not None:
            self.world.tear(self, event.torn)
        del self.processes[node_of(event)]

    @step("restart Leader", "restart Acceptor")
    def restart(self, event: Event) -> None:
        self._boot(node_of(event))

    # ---- what can be seen

    def observe(self) -> Observation:
        seen: dict[str, object] = {NETWORK: self.world.network}
        for name in (*self.leaders, *self.acceptors):
            process = self.processes.get(name)
            if name in self.acceptors:
                disk = self.world.stored(name, partial(Acceptor, ()))
                memory = process if isinstance(process, Acceptor) else disk
                seen[f"{name}.promised"] = unanimous(
                    memory=self._ballot(memory.promised), disk=self._ballot(disk.promised)
                )
                seen[f"{name}.vote"] = unanimous(memory=self._vote(memory.vote), disk=self._vote(disk.vote))
            else:
                stored = self.world.stored(name, partial(Leader, self.leaders.index(name), ()))
                leader = process if isinstance(process, Leader) else None
                seen[f"{name}.proposed"] = unanimous(memory=(leader or stored).proposed, disk=stored.proposed)
                seen[f"{name}.heard"] = UNSEEN if leader is None else sorted(leader.heard)
                seen[f"{name}.best"] = UNSEEN if leader is None else self._vote(leader.best)
            if self.can_fall(name.rstrip("0123456789")):
                seen[f"{name}.status"] = "down" if process is None else "up"
        return seen

    # ---- the words of the spec

    def _ballot(self, ballot: Ballot) -> str | None:
        return self.leaders[ballot] if ballot >= 0 else None

    def _vote(self, vote: Vote | None) -> dict[str, Json] | None:
        return None if vote is None else {"ballot": self._ballot(vote.ballot), "value": vote.value}

    def _written(self, letter: Letter[Message]) -> str:
        sender, receiver, message = letter.sender, letter.receiver, letter.message
        fields: dict[str, Json] = {"ballot": self._ballot(message.ballot)}
        match message:
            case Promise(_, last):
                fields["last"] = self._vote(last)
            case Accept(_, value) | Accepted(_, value):
                fields["value"] = value
        return self.letter(sender, receiver, type(message).__name__, **fields)

    def message_of(self, event: Event) -> Message:
        """The message of an event, as the implementation has it."""
        args = event.args
        ballot = self.leaders.index(str(args["ballot"]))
        match event.name:
            case "Prepare":
                return Prepare(ballot)
            case "Accept":
                return Accept(ballot, args["value"])
        last = args["last"]
        if isinstance(last, dict):
            return Promise(ballot, Vote(self.leaders.index(str(last["ballot"])), last["value"]))
        return Promise(ballot, None)
