"""A key-value store on Raft in the simulator: clients, every kind of trouble, and what must hold in each run."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from random import Random
from typing import Any

from checker.conformance.histories.judge import judge
from checker.conformance.histories.verdict import Judgement, Verdict
from checker.conformance.links import Quality
from checker.conformance.operations import history_of_record
from checker.conformance.record import Kind, Record
from checker.conformance.simulate.simulation import Process, Simulation
from checker.conformance.simulate.surroundings import SimulatedEnvironment, Survival
from refimpl.consensus.raft_service import Client, Node
from refimpl.runtime.interface import Environment

SERVERS = ("n1", "n2", "n3", "n4", "n5")
CLIENTS = ("c1", "c2", "c3", "c4")
KEYS = ("x", "y")

MakeNode = Callable[[Environment, tuple[str, ...]], Node]


@dataclass(frozen=True, slots=True)
class Result:
    """What came of a run: its record, the judgement of the clients' history, and what the servers did that they must not."""

    record: Record
    judgement: Judgement
    violations: tuple[str, ...]

    @property
    def sound(self) -> bool:
        return self.judgement.verdict is Verdict.OK and not self.violations

    @property
    def wrong(self) -> bool:
        return self.judgement.verdict is Verdict.ILLEGAL or bool(self.violations)


def run(
    seed: int, make: MakeNode = Node, *, servers: int = 3, loss: float = 0.05, pace: float = 0.1, seconds: float = 8.0
) -> Result:
    """One run: clients ask for some seconds while servers crash and are cut off."""
    names = SERVERS[:servers]

    def process(env: SimulatedEnvironment) -> Any:
        return make(env, names).run()

    processes: Mapping[str, Process] = dict.fromkeys(names, process)
    quality = Quality(latency=0.02, loss=loss, duplication=0.1)
    sim = Simulation(seed=seed, processes=processes, quality=quality, survival=Survival.PREFIX)

    async def driver(sim: Simulation) -> None:
        clients = [asyncio.create_task(_client(sim, name, names, pace, seconds)) for name in CLIENTS]
        trouble = asyncio.create_task(_trouble(sim, names, seconds))
        await asyncio.gather(*clients)
        await trouble

    record = sim.run(driver)
    return Result(record, judge(history_of_record(record), "kv"), tuple(violations(record)))


async def _client(sim: Simulation, name: str, servers: tuple[str, ...], pace: float, seconds: float) -> None:
    env = sim.client(name)
    client = Client(env, servers)
    chance = Random(f"{sim.seed} {name}")
    number = 0
    while sim.loop.now < seconds:
        number += 1
        key = chance.choice(KEYS)
        op = chance.choice(("read", "write", "cas"))
        value: Any = None
        if op == "write":
            value = f"{name} {number}"
        elif op == "cas":
            value = [f"{chance.choice(CLIENTS)} {max(1, number - chance.randrange(3))}", f"{name} {number}"]

        async def work(op: str = op, key: str = key, value: Any = value) -> Any:
            async with asyncio.timeout(3):
                result = await client.ask(op, key, value)
            return [key, result] if op == "read" else [key, value] if op == "write" else result

        await sim.invoke(env, op, [key, value], work)
        await asyncio.sleep(chance.random() * pace)


async def _trouble(sim: Simulation, servers: tuple[str, ...], seconds: float) -> None:
    """Crashes, also in the middle of a handler; cuts, also one-way; pauses; everyone loses power. Then peace, and again."""
    chance = Random(f"{sim.seed} trouble")
    while sim.loop.now < seconds - 1:
        await asyncio.sleep(0.2 + chance.random())
        name = chance.choice(servers)
        others = [other for other in servers if other != name]
        for server in servers:  # an ordered crash may have come late
            if not sim.alive(server):
                sim.restart(server)
        match chance.choice(("crash", "effects", "cut", "half", "pause", "power")):
            case "crash":
                sim.crash(name)
            case "effects":
                sim.crash(name, after_effects=chance.randrange(8))
            case "cut":
                sim.cut([name], others, one_way=chance.random() < 0.4)
            case "half":
                side = chance.sample(servers, len(servers) // 2)
                sim.cut(side, [s for s in servers if s not in side])
            case "pause":
                sim.pause(name)
                await asyncio.sleep(chance.random())
                sim.resume(name)
            case "power":
                for server in servers:
                    sim.crash(server)
        await asyncio.sleep(chance.random())
        sim.heal()
        for server in servers:
            if not sim.alive(server):
                sim.restart(server)


def violations(record: Record) -> list[str]:
    """What no run may show: two leaders of a term, two commands in one place, a leader without what was committed."""
    leaders: dict[Any, str] = {}
    applied: dict[Any, tuple[Any, Any]] = {}
    found: list[str] = []
    for e in record.entries:
        if e.kind is not Kind.ACTION:
            continue
        if e.name == "Server.Lead":
            term, log = e.obs["term"], e.obs["log"]
            assert isinstance(log, list)
            if leaders.setdefault(term, str(e.node)) != e.node:
                found.append(f"{e.node} leads term {term}, as {leaders[term]} does")
            found += [
                f"{e.node} leads term {term} without entry {place}"
                for place, (of, _) in applied.items()
                if len(log) < place or log[place - 1] != of
            ]
        elif e.name == "apply":
            place, what = e.obs["place"], (e.obs["term"], e.obs["command"])
            if applied.setdefault(place, what) != what:
                found.append(f"{e.node} applies another entry {place}")
    return found
