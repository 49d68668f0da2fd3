"""A key-value store on Raft in the simulator, held to the check `crash` of `specs/consensus/raft.psm`.

The servers are the nodes of `refimpl.consensus.raft_service`, by the names of the spec. Each step is told after it was taken;
what a follower is sent is told by the message, and so is what a step was given. Clients, and what is applied for them, are above
the spec.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from checker.conformance.links import Quality
from checker.conformance.record import Entry, Kind, Record
from checker.conformance.scenario import Make, Scenario
from checker.conformance.simulate.simulation import Process, Simulation
from checker.conformance.simulate.surroundings import SimulatedEnvironment, Survival
from checker.conformance.validation.mapping import TraceMapping
from checker.model.machine import Machine
from checker.model.values import instance_names
from refimpl.adapters.world import bound
from refimpl.consensus.raft_mistakes import MISTAKES
from refimpl.consensus.raft_service import STANDING, Client, Node
from refimpl.runtime.interface import Environment
from refimpl.runtime.log_mistakes import NeverSyncs

CLIENTS = ("c1", "c2")

MakeNode = Callable[[Environment, Sequence[str]], Node]


class RaftRuns(Scenario):
    """Two clients write and read while one server crashes and others are cut off.

    The spec has bounds for terms, entries and candidates: what lies beyond them is not judged.
    """

    mapping = TraceMapping(
        steps={f"recv {kind.lower()}": (f"Server.{kind}*",) for kind in ("Ask", "Vote", "Append", "Ack")},
        stutter=(STANDING, *(f"Server.{kind}" for kind in ("Ask", "Vote", "Append", "Ack"))),
        ignored=("apply",),
        variables={"files_lost": None},
    )
    quality = Quality(latency=0.02, loss=0.05, duplication=0.1)
    survival = Survival.PREFIX

    def __init__(self, machine: Machine, seed: int, *, node: MakeNode = Node) -> None:
        super().__init__(machine, seed)
        self._make = node
        self._servers = instance_names(machine.roles["Server"])
        self._terms, self._entries = bound(machine, "TERMS"), bound(machine, "LOG")
        self._bystanders = self._servers[bound(machine, "CANDIDATES") :]

    @classmethod
    def mistakes(cls) -> Mapping[str, Make]:
        """Wrong implementations by name."""

        def wrong(**parts: Any) -> Make:
            return partial(cls, node=lambda env, servers: Node(env, servers, **parts))

        return {"NeverSyncs": wrong(journal=NeverSyncs), **{m.__name__: wrong(server=m) for m in MISTAKES}}

    def processes(self) -> Mapping[str, Process]:
        def process(env: SimulatedEnvironment) -> Any:
            return self._make(env, self._servers).run()

        return dict.fromkeys(self._servers, process)

    def told(self, record: Record) -> Record:
        """The record up to where a term, an entry or a candidate lies beyond the bounds of the spec."""
        lengths: dict[str | None, int] = {}
        entries = []
        for entry in record.entries:
            seen, body = entry.obs, entry.args.get("body")
            log, terms = seen.get("log"), (seen.get("term"), body.get("term") if isinstance(body, dict) else None)
            if isinstance(log, list):
                lengths[entry.node] = len(log)
            elif entry.name == "Server.Client":
                lengths[entry.node] += 1
            stands = entry.kind is Kind.SEND and entry.name == "ask" and entry.node in self._bystanders
            late = any(isinstance(term, int) and term > self._terms for term in terms)
            if stands or late or lengths.get(entry.node, 0) > self._entries:
                break
            entries.append(_in_words_of_the_spec(entry))
        return replace(record, entries=tuple(entries))

    async def drive(self, sim: Simulation) -> None:
        clients = [asyncio.create_task(self._ask(sim, name)) for name in CLIENTS]
        await self._trouble(sim)
        for client in clients:
            client.cancel()
        await asyncio.gather(*clients, return_exceptions=True)

    async def _ask(self, sim: Simulation, name: str) -> None:
        env = sim.client(name)
        client = Client(env, self._servers)
        for number in range(3):

            async def work(number: int = number) -> Any:
                async with asyncio.timeout(2):
                    return ["x", await client.ask("write", "x", f"{name} {number}")]

            await sim.invoke(env, "write", ["x", f"{name} {number}"], work)

    async def _trouble(self, sim: Simulation) -> None:
        """One server crashes, at any effect; one is cut off, perhaps in one direction; then everyone is well."""
        chance, servers = self.chance, self._servers
        await asyncio.sleep(0.2 + 0.4 * chance.random())
        fallen = chance.choice(servers)
        sim.crash(fallen, after_effects=chance.randrange(8))
        await asyncio.sleep(0.2 * chance.random())
        lonely = chance.choice(servers)
        sim.cut([lonely], [other for other in servers if other != lonely], one_way=chance.random() < 0.4)
        await asyncio.sleep(0.3 * chance.random())
        sim.heal()
        if not sim.alive(fallen):
            sim.restart(fallen)
        await asyncio.sleep(0.5)


def _in_words_of_the_spec(entry: Entry) -> Entry:
    """What is sent to a follower is a step of the spec, and an entry of the log is there the term in which it was made."""
    body = entry.args.get("body")
    if entry.name != "append" or not isinstance(body, dict):
        return entry
    if entry.kind is Kind.SEND:
        return replace(entry, kind=Kind.ACTION, name="Server.Replicate", args={"f": entry.args["to"]})
    what = body["entry"]
    term = what["term"] if isinstance(what, dict) else None
    return replace(entry, args={**entry.args, "body": {**body, "entry": term}})
