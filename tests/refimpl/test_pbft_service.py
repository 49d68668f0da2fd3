"""PBFT as processes, one of which lies: in the simulator, and on sockets."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from contextlib import AsyncExitStack
from pathlib import Path
from random import Random
from typing import Any

import pytest

from checker.conformance.links import Quality
from checker.conformance.record import Kind, Record, text_of
from checker.conformance.simulate.simulation import Liar, Process, Simulation
from checker.conformance.simulate.surroundings import SimulatedEnvironment, Survival
from refimpl.consensus import pbft_mistakes as mistakes
from refimpl.consensus.pbft import (
    Certificate,
    Commit,
    Message,
    Prepare,
    PrePrepare,
    Replica,
    SecretSignatures,
    Signature,
    ViewChange,
    prepared_text,
)
from refimpl.consensus.pbft_service import WIRE, Node, wish
from refimpl.runtime.log import MemoryLog
from refimpl.runtime.tcp import tcp_environment
from tests.conformance.test_simulation import free_ports

REPLICAS = ("r1", "r2", "r3", "r4")
CLIENTS = ("c1", "c2")
SECRETS = {name: f"secret of {name}".encode() for name in REPLICAS}
VALUES = ("wish of c1", "wish of c2")


def two_faced(name: str) -> Liar:
    """Says one thing to one half and another to the other, and signs it; its certificates are forged as far as it can."""
    own = SecretSignatures(name, {name: SECRETS[name]})

    def lie(receiver: str, raw: dict[str, Any], chance: Random) -> Iterable[tuple[str, dict[str, Any]]]:
        try:
            message: Message = WIRE.read(raw)
        except ValueError:
            return [(receiver, raw)]
        value = VALUES[REPLICAS.index(receiver) % 2] if receiver in REPLICAS else VALUES[0]
        said: list[Message] = []
        match message:
            case PrePrepare(view, _):
                said = [PrePrepare(view, value)]
            case Prepare(view, _, _):
                said = [Prepare(view, v, own.sign(prepared_text(view, v))) for v in VALUES]
            case Commit(view, _):
                said = [Commit(view, v) for v in VALUES]
            case ViewChange(view, _):
                signed = Signature(name, own.sign(prepared_text(view - 1, value)))
                forged = Certificate(view - 1, value, (signed,) * 3)
                said = [ViewChange(view, chance.choice((None, forged)))]
        said += [Commit(message.view, value)] if not isinstance(message, Commit) and hasattr(message, "view") else []
        return [(receiver, dict(WIRE.write(m))) for m in said]

    return lie


def run(seed: int, replica: type[Replica] = Replica, *, liars: int = 1) -> tuple[set[str], int, Record]:
    """What honest replicas executed, how many of them did, and the record."""
    chance = Random(f"{seed} roles")
    faulty = chance.sample(REPLICAS, liars)

    nodes: dict[str, Node] = {}

    def process(env: SimulatedEnvironment) -> Any:
        nodes[env.name] = Node(env, REPLICAS, SecretSignatures(env.name, SECRETS), replica=replica)
        return nodes[env.name].run()

    processes: dict[str, Process] = dict.fromkeys(REPLICAS, process)
    quality = Quality(latency=0.05, loss=0.05, duplication=0.1)
    sim = Simulation(seed=seed, processes=processes, quality=quality, survival=Survival.PREFIX)

    async def trouble(sim: Simulation) -> None:
        for _ in range(4):
            await asyncio.sleep(chance.random() * 0.5)
            name = chance.choice(REPLICAS)
            sim.cut([name], [r for r in REPLICAS if r != name], one_way=chance.random() < 0.3)
            await asyncio.sleep(chance.random())
            sim.heal()

    async def ask(sim: Simulation, name: str) -> None:
        async with asyncio.timeout(60):
            await wish(sim.client(name), REPLICAS, f"wish of {name}")

    async def driver(sim: Simulation) -> None:
        for name in faulty:
            sim.lie(name, two_faced(name))
        await asyncio.gather(trouble(sim), *(ask(sim, name) for name in CLIENTS), return_exceptions=True)
        for _ in range(100):
            if all(nodes[name].replica.executed is not None for name in REPLICAS if name not in faulty):
                break
            await asyncio.sleep(0.5)

    record = sim.run(driver)
    done = [e for e in record.entries if e.kind is Kind.ACTION and e.name == "Rep.Execute" and e.node not in faulty]
    return {str(e.obs["executed"]) for e in done}, len(done), record


@pytest.mark.parametrize("seed", range(6))
def test_honest_replicas_execute_one_value(seed: int) -> None:
    values, count, _ = run(seed)
    assert len(values) == 1, f"seed {seed}: {sorted(values)}"
    assert count == 3


@pytest.mark.slow
def test_honest_replicas_execute_one_value_in_many_runs() -> None:
    for seed in range(100, 300):
        values, count, _ = run(seed)
        assert (len(values), count) == (1, 3), f"seed {seed}: {sorted(values)} by {count}"


def test_nobody_lies_and_the_same_seed_gives_the_same_run() -> None:
    values, count, record = run(1, liars=0)
    assert (len(values), count) == (1, 4)
    assert text_of(run(1, liars=0)[2]) == text_of(record)


def test_two_liars_are_too_many() -> None:
    assert any(len(run(seed, liars=2)[0]) > 1 for seed in range(40))


@pytest.mark.parametrize("mistake", [mistakes.NeedsHalf, mistakes.ExecutesAtOneCommit])
def test_mistakes_are_found_by_a_liar(mistake: type[Replica]) -> None:
    assert any(len(run(seed, mistake)[0]) > 1 for seed in range(60))


# ---- what a liar says to one replica


def replica(made: type[Replica], name: str = "r2") -> tuple[Replica, list[Message]]:
    sent: list[Message] = []
    signatures = SecretSignatures(name, SECRETS)
    return made(name, REPLICAS, signatures, MemoryLog(), lambda _, message: sent.append(message)), sent


def signed(name: str, view: int, value: str) -> Signature:
    return Signature(name, SecretSignatures(name, SECRETS).sign(prepared_text(view, value)))


@pytest.mark.parametrize(
    ("signatures", "mistake"),
    [
        ((signed("r4", 0, "x"),) * 3, mistakes.CountsSignaturesTwice),
        (tuple(Signature(name, "x") for name in REPLICAS[:3]), mistakes.ChecksNoSignatures),
        (tuple(signed(name, 0, "y") for name in REPLICAS[:3]), mistakes.ChecksNoSignatures),
    ],
)
def test_a_forged_certificate_is_not_believed(signatures: tuple[Signature, ...], mistake: type[Replica]) -> None:
    proof = Certificate(0, "x", signatures)
    assert not replica(Replica)[0].valid(proof, 1)
    assert replica(mistake)[0].valid(proof, 1)
    assert replica(Replica)[0].valid(Certificate(0, "x", tuple(signed(n, 0, "x") for n in REPLICAS[:3])), 1)


def test_prepares_for_another_value_or_with_a_wrong_signature_do_not_count() -> None:
    def certified(made: type[Replica]) -> bool:
        one, _ = replica(made)
        one.receive("r1", PrePrepare(0, "x"))
        for name, value in (("r1", "x"), ("r2", "x"), ("r3", "y")):
            one.receive(name, Prepare(0, value, signed(name, 0, value).text))
        one.receive("r4", Prepare(0, "x", signed("r4", 0, "y").text))
        return one.commit()

    assert not certified(Replica)
    assert certified(mistakes.CountsEveryPrepare)


def test_one_proposal_of_the_leader_is_accepted_and_no_other() -> None:
    def accepted(made: type[Replica], *proposals: tuple[str, str]) -> str | None:
        one, _ = replica(made)
        for sender, value in proposals:
            one.receive(sender, PrePrepare(0, value))
        return one.accepted.get(0)

    twice = (("r1", "x"), ("r1", "y"))
    assert accepted(Replica, *twice) == "x"
    assert accepted(mistakes.AcceptsTwice, *twice) == "y"
    assert accepted(Replica, ("r3", "x")) is None
    assert accepted(mistakes.AcceptsFromAnyone, ("r3", "x")) == "x"


def test_a_certificate_outlives_a_view_without_one() -> None:
    def reported(made: type[Replica]) -> Certificate | None:
        one, sent = replica(made)
        one.receive("r1", PrePrepare(0, "x"))
        for name in REPLICAS[:3]:
            one.receive(name, Prepare(0, "x", signed(name, 0, "x").text))
        one.next_view()
        one.next_view()
        last = sent[-1]
        assert isinstance(last, ViewChange)
        assert last.view == 2
        return last.proof

    proof = reported(Replica)
    assert proof is not None
    assert (proof.view, proof.value) == (0, "x")
    assert reported(mistakes.ReportsTheLastViewAlone) is None


# ---- on sockets


def test_it_runs_on_sockets_with_a_replica_that_says_nothing(tmp_path: Path) -> None:
    names = (*REPLICAS, *CLIENTS)
    places = {name: ("127.0.0.1", port) for name, port in zip(names, free_ports(len(names)), strict=True)}

    async def main() -> list[str]:
        async with AsyncExitStack() as stack:
            envs = {n: await stack.enter_async_context(tcp_environment(n, places, tmp_path / n)) for n in names}
            nodes = [Node(envs[name], REPLICAS, SecretSignatures(name, SECRETS)) for name in REPLICAS[1:]]
            tasks = [asyncio.create_task(node.run()) for node in nodes]
            async with asyncio.timeout(60):
                answers = await asyncio.gather(*(wish(envs[c], REPLICAS, f"wish of {c}") for c in CLIENTS))
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        return answers

    answers = asyncio.run(main())
    assert len(set(answers)) == 1
    assert answers[0] in VALUES
