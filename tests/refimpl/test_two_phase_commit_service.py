"""Two-phase commit as processes: in the simulator with every fault that it allows, and on sockets."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import AsyncExitStack
from pathlib import Path
from random import Random
from typing import Any

import pytest

from checker.conformance.links import Quality
from checker.conformance.record import Kind, Record, text_of
from checker.conformance.simulate.simulation import Process, Simulation
from checker.conformance.simulate.surroundings import Survival
from refimpl.runtime.interface import Disk, Environment
from refimpl.runtime.log import DiskLog
from refimpl.runtime.log_mistakes import NeverSyncs
from refimpl.runtime.tcp import tcp_environment
from refimpl.transactions.service import coordinate, read, take_part, written
from refimpl.transactions.two_phase_commit import Ask, Coordinator, Decide, Decision, Message, Prepare, Vote
from refimpl.transactions.two_phase_commit_mistakes import TellsBeforeItLogs
from tests.conformance.test_simulation import free_ports

PARTICIPANTS = ("alice", "bob", "carol")
EVERYONE = ("bank", *PARTICIPANTS)


class Account:
    """Money behind a participant; it is a database, and survives crashes."""

    def __init__(self, can_commit: bool) -> None:
        self.can_commit = can_commit
        self.ends: set[str] = set()

    def prepare(self) -> bool:
        return self.can_commit

    def commit(self) -> None:
        self.ends.add("committed")

    def rollback(self) -> None:
        self.ends.add("rolled back")


def accounts(refusing: str = "") -> dict[str, Account]:
    return {name: Account(name != refusing) for name in PARTICIPANTS}


def processes(guarded: Mapping[str, Account], log: type[DiskLog], coordinator: type[Coordinator]) -> dict[str, Process]:
    def participant(name: str) -> Process:
        return lambda env: take_part(env, "bank", guarded[name], log=log)

    return {
        "bank": lambda env: coordinate(env, PARTICIPANTS, coordinator=coordinator, log=log),
        **{name: participant(name) for name in PARTICIPANTS},
    }


async def trouble(sim: Simulation) -> None:
    """Crashes at any effect, cuts and pauses; then everything is sound for long enough to end."""
    chance = Random(sim.seed)
    for _ in range(chance.randrange(7)):
        await asyncio.sleep(chance.random() * 0.4)
        for fallen in EVERYONE:
            if not sim.alive(fallen):
                sim.restart(fallen)
        name = chance.choice(EVERYONE)
        match chance.choice(("crash", "effects", "cut", "power")):
            case "crash":
                sim.crash(name)
            case "effects":
                sim.crash(name, after_effects=chance.randrange(6))
            case "cut":
                sim.cut([name], [n for n in EVERYONE if n != name], one_way=chance.random() < 0.5)
            case "power":
                for everyone in EVERYONE:
                    sim.crash(everyone)
    sim.heal()
    await asyncio.sleep(1)
    for name in EVERYONE:
        if not sim.alive(name):
            sim.restart(name)
    await asyncio.sleep(60)
    for name in EVERYONE:
        if not sim.alive(name):  # an ordered crash that came late
            sim.restart(name)
    await asyncio.sleep(60)


def run(
    seed: int,
    *,
    refusing: str = "",
    log: type[DiskLog] = DiskLog,
    coordinator: type[Coordinator] = Coordinator,
) -> tuple[set[str], Record]:
    """All ways in which the transaction ended anywhere."""
    guarded = accounts(refusing)
    quality = Quality(latency=0.05, loss=0.05, duplication=0.1)
    everyone = processes(guarded, log, coordinator)
    record = Simulation(seed=seed, processes=everyone, quality=quality, survival=Survival.PREFIX).run(trouble)
    assert all(account.ends for account in guarded.values()), f"seed {seed}: somebody does not know how it ended"
    return {end for account in guarded.values() for end in account.ends}, record


SEEDS = range(40)


def test_all_or_nothing_whatever_happens() -> None:
    ends = [frozenset(run(seed)[0]) for seed in SEEDS]
    assert set(ends) == {frozenset({"committed"}), frozenset({"rolled back"})}
    assert min(ends.count(end) for end in set(ends)) > 3


def test_one_refusal_rolls_everything_back() -> None:
    assert all(run(seed, refusing="bob")[0] == {"rolled back"} for seed in range(10))


def test_the_same_seed_gives_the_same_run() -> None:
    assert text_of(run(5)[1]) == text_of(run(5)[1])


@pytest.mark.parametrize("wrong", [{"log": NeverSyncs}, {"coordinator": TellsBeforeItLogs}])
def test_mistakes_break_atomicity(wrong: dict[str, Any]) -> None:
    assert any(len(run(seed, **wrong)[0]) == 2 for seed in range(400))


def test_it_runs_on_sockets_and_files(tmp_path: Path) -> None:
    places = {name: ("127.0.0.1", port) for name, port in zip(EVERYONE, free_ports(4), strict=True)}
    guarded = accounts()

    async def main() -> None:
        async with AsyncExitStack() as stack:
            envs: dict[str, Environment] = {
                name: await stack.enter_async_context(tcp_environment(name, places, tmp_path / name))
                for name in EVERYONE
            }
            tasks = [asyncio.create_task(take_part(envs[name], "bank", guarded[name])) for name in PARTICIPANTS]
            tasks.append(asyncio.create_task(coordinate(envs["bank"], PARTICIPANTS)))
            async with asyncio.timeout(20):
                while not all(account.ends for account in guarded.values()):
                    await asyncio.sleep(0.01)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    asyncio.run(main())
    assert {end for account in guarded.values() for end in account.ends} == {"committed"}
    assert (tmp_path / "bank" / "transaction.log").read_text() == "commit\n"
    assert (tmp_path / "alice" / "transaction.log").read_text() == "prepared\ncommitted\n"


def test_messages_survive_the_wire_and_others_are_refused() -> None:
    messages: list[Message] = [Prepare(), Vote(yes=True), Vote(yes=False), Ask(), *(Decide(d) for d in Decision)]
    for message in messages:
        assert read(written(message)) == message
    strangers: list[dict[str, object]] = [
        {},
        {"type": "vote"},
        {"type": "vote", "yes": 1},
        {"type": "decide", "decision": "perhaps"},
    ]
    for strange in strangers:
        with pytest.raises(ValueError, match=r"no message|perhaps"):
            read(strange)


def test_a_log_drops_what_a_crash_has_cut_short() -> None:
    class Files:
        def __init__(self) -> None:
            self.data = b"prepared\ncomm"

        def read(self, file: str) -> bytes:
            return self.data

        def write(self, file: str, data: bytes) -> None:
            self.data = data

        def append(self, file: str, data: bytes) -> None:
            self.data += data

        def sync(self, file: str) -> None: ...

    disk: Disk = Files()
    log = DiskLog(disk)
    log.force("aborted")
    assert log.records() == ("prepared", "aborted")
    with pytest.raises(ValueError, match="one line"):
        log.force("a\nb")


def test_faults_really_struck() -> None:
    faults = {e.name for seed in range(20) for e in run(seed)[1].entries if e.kind is Kind.FAULT}
    assert faults == {"crash", "restart", "cut", "heal"}
