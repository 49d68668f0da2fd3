"""Paxos as processes: in the simulator with every fault that it allows, and on sockets with processes that are killed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import pytest

from checker.conformance.links import Quality
from checker.conformance.record import Kind, Record, text_of
from checker.conformance.simulate.simulation import Process, Simulation
from checker.conformance.simulate.surroundings import SimulatedEnvironment, Survival
from refimpl.consensus import paxos_mistakes as mistakes
from refimpl.consensus.paxos import Accept, Accepted, Acceptor, Leader, Learner, Message, Prepare, Promise, Vote
from refimpl.consensus.paxos_service import Member, wish
from refimpl.runtime.interface import Environment
from refimpl.runtime.log import MemoryLog
from refimpl.runtime.log_mistakes import NeverSyncs
from refimpl.runtime.tcp import tcp_environment
from tests.refimpl.processes import Processes

MEMBERS = ("n1", "n2", "n3")
CLIENTS = ("c1", "c2", "c3")

MakeMember = Callable[[Environment, tuple[str, ...]], Member]


# ---- in the simulator


def run(seed: int, make: MakeMember = Member) -> tuple[set[str], Record]:
    """What was chosen, as members and clients know it. Each client asks several times, since crashes make members forget."""
    told: set[str] = set()

    def process(env: SimulatedEnvironment) -> Any:
        return make(env, MEMBERS).run()

    processes: dict[str, Process] = dict.fromkeys(MEMBERS, process)
    quality = Quality(latency=0.03, loss=0.1, duplication=0.2)
    sim = Simulation(seed=seed, processes=processes, quality=quality, survival=Survival.PREFIX)

    async def client(sim: Simulation, name: str) -> None:
        env = sim.client(name)
        for number in range(5):
            told.add(await wish(env, MEMBERS, f"{name} {number}"))
            await asyncio.sleep(0.5)

    async def trouble(sim: Simulation) -> None:
        chance = Random(f"{seed} trouble")
        for _ in range(12):
            await asyncio.sleep(chance.random() * 0.3)
            for member in MEMBERS:
                if not sim.alive(member):
                    sim.restart(member)
            name = chance.choice(MEMBERS)
            match chance.choice(("crash", "effects", "effects", "cut", "power")):
                case "crash":
                    sim.crash(name)
                case "effects":
                    sim.crash(name, after_effects=chance.randrange(6))
                case "cut":
                    sim.heal()
                    sim.cut([name], [m for m in MEMBERS if m != name], one_way=chance.random() < 0.5)
                case "power":
                    for member in MEMBERS:
                        sim.crash(member)
        sim.heal()
        for _ in range(3):
            await asyncio.sleep(1)
            for member in MEMBERS:
                if not sim.alive(member):
                    sim.restart(member)

    async def driver(sim: Simulation) -> None:
        async with asyncio.timeout(600):
            await asyncio.gather(trouble(sim), *(client(sim, name) for name in CLIENTS))

    record = sim.run(driver)
    told.update(str(e.obs["value"]) for e in record.entries if e.kind is Kind.ACTION and e.name == "chosen")
    return told, record


def check(seed: int) -> None:
    told, _ = run(seed)
    assert len(told) == 1, f"seed {seed}: {sorted(told)} were chosen"
    assert told <= {f"{name} {number}" for name in CLIENTS for number in range(5)}


@pytest.mark.parametrize("seed", range(10))
def test_one_value_is_chosen_whatever_happens(seed: int) -> None:
    check(seed)


@pytest.mark.slow
def test_one_value_is_chosen_in_many_runs() -> None:
    for seed in range(100, 600):
        check(seed)


def test_the_same_seed_gives_the_same_run() -> None:
    assert text_of(run(2)[1]) == text_of(run(2)[1])


def with_mistake(mistake: type[Acceptor | Leader]) -> MakeMember:
    if issubclass(mistake, Acceptor):
        return lambda env, members: Member(env, members, acceptor=mistake)
    return lambda env, members: Member(env, members, leader=mistake)


@pytest.mark.parametrize("mistake", [mistakes.HidesItsVote, mistakes.ProposesItsOwn, mistakes.ForgetsItsVote])
def test_mistakes_choose_two_values(mistake: type[Acceptor | Leader]) -> None:
    assert any(len(run(seed, with_mistake(mistake))[0]) > 1 for seed in range(100))


def test_what_was_not_synced_is_lost_and_another_value_chosen() -> None:
    def never_syncs(env: Environment, members: tuple[str, ...]) -> Member:
        return Member(env, members, journal=NeverSyncs)

    assert any(len(run(seed, never_syncs)[0]) > 1 for seed in range(200))


# ---- the objects


def leader_of(made: type[Leader], ballot: int, *promises: Promise) -> list[Message]:
    """What a leader sends that has heard these promises."""
    sent: list[Message] = []
    leader = made(ballot, "abc", MemoryLog(), lambda _, message: sent.append(message))
    for sender, promise in zip("abc", promises, strict=False):
        leader.receive(sender, promise)
    leader.propose("mine")
    return sent[:1]


@pytest.mark.parametrize("first", [True, False])
def test_the_vote_in_the_highest_ballot_counts_whenever_it_comes(first: bool) -> None:
    low, high = Promise(7, Vote(2, "low")), Promise(7, Vote(5, "high"))
    heard = (high, low) if first else (low, high)
    assert leader_of(Leader, 7, *heard) == [Accept(7, "high")]
    wrong = mistakes.BelievesTheLastPromise if first else mistakes.BelievesTheLowest
    assert leader_of(wrong, 7, *heard) == [Accept(7, "low")]


def test_promises_of_other_ballots_do_not_count() -> None:
    assert leader_of(Leader, 7, Promise(7, None), Promise(4, None)) == []
    assert leader_of(mistakes.CountsPromisesOfOthers, 7, Promise(7, None), Promise(4, None)) != []


def test_a_learner_counts_each_acceptor_once_and_each_ballot_by_itself() -> None:
    learner = Learner(3)
    for sender, ballot in (("a", 0), ("a", 0), ("b", 1)):
        learner.receive(sender, Accepted(ballot, "v"))
    assert learner.chosen is None
    learner.receive("b", Accepted(0, "v"))
    assert learner.chosen == "v"


def test_an_acceptor_refuses_what_is_not_for_it() -> None:
    acceptor = Acceptor((), MemoryLog(), lambda *_: None)
    acceptor.receive("a", Prepare(3))
    with pytest.raises(ValueError, match="message for others"):
        acceptor.receive("a", Promise(3, None))


# ---- processes


def test_killed_processes_keep_what_was_chosen(tmp_path: Path) -> None:
    async def ask(cluster: Processes, name: str, value: str) -> str:
        async with asyncio.timeout(60), tcp_environment(name, cluster.places, tmp_path / name) as env:
            return await wish(env, MEMBERS, value)

    async def ask_all(cluster: Processes) -> list[str]:
        return await asyncio.gather(*(ask(cluster, name, f"wish of {name}") for name in CLIENTS[:2]))

    with Processes("paxos", MEMBERS, CLIENTS, tmp_path) as cluster:
        first = asyncio.run(ask_all(cluster))
        for name in MEMBERS:
            cluster.kill(name)
        for name in MEMBERS[1:]:
            cluster.start(name)
        again = asyncio.run(ask(cluster, CLIENTS[2], "too late"))
    assert {*first, again} == {first[0]}
    assert first[0] in ("wish of c1", "wish of c2")
