"""Raft held to `specs/consensus/raft.psm`.

Each step of the spec is one call. An entry of the spec is the term in which it was made; the commands of the entries here are
numbers that nobody looks at. The bounds of the model (how many terms and entries, who stands for election) are none of Raft's,
so the adapter refuses what is outside of them.

Term, vote and log are looked up on disk, too: what stands in memory alone is no value of the spec's.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, ClassVar

from checker.conformance.adapter import UNSEEN, Adapter, Instance, Mistake, Observation, Refused
from checker.conformance.compare import NETWORK
from checker.conformance.event import Event
from checker.conformance.mapping import step
from checker.model.machine import Machine
from checker.properties.kinds import Json
from refimpl.adapters.raft_scenes import SCENES
from refimpl.adapters.world import Disk, Letter, World, bound, node_of, unanimous
from refimpl.consensus.raft import Ack, Address, Append, Ask, Entry, Message, Send, Server, Vote
from refimpl.consensus.raft_mistakes import MISTAKES
from refimpl.runtime.log import Log

MakeServer = Callable[[Address, Sequence[Address], Log, Send], Server]


class Raft(Adapter):
    """Drives N servers. Other classes than the real one may be put in its place, by tests."""

    checks = ("small", "alone", "crash", "figure8_rule")
    smaller: ClassVar[tuple[Instance, ...]] = (Instance("alone", {"LOG": 1}), Instance("crash", {"TERMS": 1}))
    scenes = SCENES

    def __init__(self, machine: Machine, *, server: MakeServer = Server) -> None:
        super().__init__(machine)
        self._make = server
        self.names = self.instances("Server")
        self.world: World[Message] = World(self.names, self._written)
        self._bounds = {name: bound(machine, name) for name in ("TERMS", "LOG", "CANDIDATES")}

    @classmethod
    def mistakes(cls) -> Mapping[str, Mistake]:
        """Wrong implementations by name."""

        def wrong(mistake: type[Server]) -> Callable[[Machine], Adapter]:
            return lambda machine: cls(machine, server=mistake)

        return {mistake.__name__: Mistake.of(mistake, wrong(mistake)) for mistake in MISTAKES}

    def begin(self, initial: Mapping[str, Json]) -> None:
        self.world.begin()
        self.servers: dict[Address, Server] = {}
        for name in self.names:
            self._boot(name)

    def _boot(self, name: Address) -> None:
        self.servers[name] = self._make(name, self.names, Disk(self.world, name), self.world.sender(name))

    # ---- the steps

    @step("Server.Elect")
    def elect(self, event: Event) -> None:
        server = self.servers[node_of(event)]
        if server.term >= self._bounds["TERMS"] or self.names.index(server.name) >= self._bounds["CANDIDATES"]:
            raise Refused("the model has no more terms or candidates")
        server.elect()

    @step("Server.Lead")
    def lead(self, event: Event) -> None:
        self.servers[node_of(event)].lead()

    @step("Server.Client")
    def propose(self, event: Event) -> None:
        server = self.servers[node_of(event)]
        if len(server.log) >= self._bounds["LOG"]:
            raise Refused("the model has no more room in the log")
        server.propose(None)

    @step("Server.Replicate")
    def replicate(self, event: Event) -> None:
        peer = str(event.args["f"])
        if peer != event.node:
            self.servers[node_of(event)].replicate(peer)

    @step("Server.Ask", "Server.Vote", "Server.Append", "Server.Ack")
    def deliver(self, event: Event) -> None:
        assert event.sender is not None
        message = self.world.letter(event.sender, node_of(event), message_of(event))
        self.servers[node_of(event)].receive(event.sender, message)

    @step("crash Server")
    def fall(self, event: Event) -> None:
        if event.torn is not None:
            self.world.tear(self, event.torn)
        del self.servers[node_of(event)]

    @step("Server.restart")
    def restart(self, event: Event) -> None:
        self._boot(node_of(event))

    # ---- what can be seen

    def observe(self) -> Observation:
        seen: dict[str, object] = {NETWORK: self.world.network}
        falls = self.can_fall("Server")
        for name in self.names:
            server = self.servers.get(name)
            disk = self.world.stored(name, partial(Server, name, self.names))
            memory = server or disk
            seen[f"{name}.term"] = unanimous(memory=memory.term, disk=disk.term)
            seen[f"{name}.voted"] = unanimous(memory=memory.voted, disk=disk.voted)
            seen[f"{name}.log"] = unanimous(memory=[e.term for e in memory.log], disk=[e.term for e in disk.log])
            if falls:
                seen[f"{name}.status"] = "down" if server is None else "up"
            seen.update({f"{name}.{key}": value for key, value in self._memory(name, server).items()})
        return seen

    def _memory(self, name: Address, server: Server | None) -> Mapping[str, object]:
        if server is None:
            return dict.fromkeys(("mode", "votes", "commit", "next", "match"), UNSEEN)
        return {
            "mode": server.role.value,
            "votes": sorted(server.votes),
            "commit": server.commit,
            "next": {other: server.next.get(other, 1) for other in self.names},
            "match": {other: server.match.get(other, 0) for other in self.names},
        }

    def _written(self, letter: Letter[Message]) -> str:
        way = letter.sender, letter.receiver
        match letter.message:
            case Ask(term, last, length):
                return self.letter(*way, "Ask", term=term, last=last, length=length)
            case Vote(term):
                return self.letter(*way, "Vote", term=term)
            case Append(term, prev, before, entry, commit):
                what = None if entry is None else entry.term
                return self.letter(*way, "Append", term=term, prev=prev, before=before, entry=what, commit=commit)
            case Ack(term, ok, place):
                return self.letter(*way, "Ack", term=term, ok=ok, place=place)


def message_of(event: Event) -> Message:
    """The message of an event, as the implementation has it."""
    fields: dict[str, Any] = dict(event.args)
    match event.name:
        case "Ask":
            return Ask(**fields)
        case "Vote":
            return Vote(**fields)
        case "Append":
            entry = fields.pop("entry")
            return Append(**fields, entry=None if entry is None else Entry(entry, None))
    return Ack(**fields)
