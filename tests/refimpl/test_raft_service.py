"""A key-value store on Raft: in the simulator with every fault that it allows, and as processes that are killed."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from itertools import count
from pathlib import Path
from random import Random
from typing import Any

import pytest

from checker.conformance.histories.judge import judge
from checker.conformance.histories.verdict import Verdict
from checker.conformance.operations import history_of_record
from checker.conformance.record import Kind, Record, Recorder, text_of
from refimpl.consensus import raft_mistakes as mistakes
from refimpl.consensus.raft import Append, Ask, Entry, Server
from refimpl.consensus.raft_service import JOURNAL, WIRE, Client, Node
from refimpl.runtime.interface import Environment
from refimpl.runtime.log import FileLog, MemoryLog
from refimpl.runtime.log_mistakes import NeverSyncs
from refimpl.runtime.tcp import tcp_environment
from tests.refimpl.processes import Processes
from tests.refimpl.raft_cluster import CLIENTS, MakeNode, run

# ---- in the simulator


def sound(seed: int, **how: Any) -> None:
    result = run(seed, **how)
    assert not result.violations, f"seed {seed}: {result.violations[0]}"
    assert result.judgement.verdict is Verdict.OK, f"seed {seed}: {result.judgement}"


@pytest.mark.parametrize("seed", range(3))
def test_clients_see_one_copy_whatever_happens(seed: int) -> None:
    sound(seed, seconds=5)


def test_five_servers_on_a_bad_network() -> None:
    sound(1, servers=5, loss=0.2, seconds=3)


@pytest.mark.slow
@pytest.mark.parametrize("servers", [1, 2, 3, 4, 5])
def test_clients_see_one_copy_in_many_runs(servers: int) -> None:
    for seed in range(100, 130):
        sound(seed, servers=servers, loss=seed % 4 * 0.08)


def test_the_same_seed_gives_the_same_run_and_faults_really_struck() -> None:
    record = run(3).record
    assert text_of(record) == text_of(run(3).record)
    faults = {e.name for e in record.entries if e.kind is Kind.FAULT}
    assert {"crash", "restart", "cut", "heal"} <= faults
    steps = {e.name for e in record.entries if e.kind is Kind.ACTION}
    assert {f"Server.{s}" for s in ("Elect", "Lead", "Client", "Ask", "Vote", "Append", "Ack")} <= steps


def with_server(server: type[Server]) -> MakeNode:
    return lambda env, servers: Node(env, servers, server=server)


def never_syncs(env: Environment, servers: Sequence[str]) -> Node:
    return Node(env, servers, journal=NeverSyncs)


def does_it_twice(env: Environment, servers: Sequence[str]) -> Node:
    return Node(env, servers, store=mistakes.DoesItTwice)


ABOVE: list[tuple[str, MakeNode]] = [
    ("reads locally", mistakes.ReadsLocally),
    ("answers at once", mistakes.AnswersAtOnce),
    ("applies what is stored", mistakes.AppliesWhatIsStored),
    ("does it twice", does_it_twice),
    ("never syncs", never_syncs),
]


@pytest.mark.parametrize(("name", "make"), ABOVE, ids=[name for name, _ in ABOVE])
def test_mistakes_above_the_protocol_are_found(name: str, make: MakeNode) -> None:
    assert any(run(seed, make).wrong for seed in range(20))


@pytest.mark.parametrize("mistake", [mistakes.VotesForAnyLog, mistakes.CountsHalf, mistakes.CutsItsLog])
def test_mistakes_in_the_protocol_are_found_by_clients_and_invariants(mistake: type[Server]) -> None:
    assert any(run(seed, with_server(mistake)).wrong for seed in range(10))


# ---- what a server keeps


def test_a_journal_is_read_again(tmp_path: Path) -> None:
    def boot() -> Server:
        return Server("a", "abc", FileLog(tmp_path / "journal"), lambda *_: None)

    server = boot()
    server.receive("b", Ask(3, 0, 0))
    for place, term in enumerate((1, 2, 2)):
        server.receive("c", Append(3, place, server.term_at(place), Entry(term, {"do": place}), 0))
    server.receive("c", Append(3, 1, 1, Entry(3, "other"), 0))
    again = boot()
    assert (again.term, again.voted) == (3, "b")
    assert again.log == server.log == [Entry(1, {"do": 0}), Entry(3, "other")]


@pytest.mark.parametrize(
    ("last", "length", "voted"), [(2, 1, "b"), (2, 9, "b"), (3, 1, "b"), (1, 9, None), (2, 0, None)]
)
def test_the_better_log_ends_in_the_later_term_and_only_then_the_longer_one(
    last: int, length: int, voted: str | None
) -> None:
    def voter(server: type[Server]) -> Server:
        made = server("a", "abc", MemoryLog(), lambda *_: None)
        made.receive("c", Append(2, 0, 0, Entry(2, None), 0))
        made.receive("b", Ask(4, last, length))
        return made

    assert voter(Server).voted == voted
    if (last, length) == (1, 9):
        assert voter(mistakes.ComparesLengthsAlone).voted == "b"


def test_strange_messages_are_passed_over() -> None:
    strange: list[dict[str, Any]] = [
        {"type": "ask", "term": 1, "last": 0},
        {"type": "ask", "term": -1, "last": 0, "length": 0},
        {"type": "ask", "term": True, "last": 0, "length": 0},
        {"type": "append", "term": 1, "prev": 0, "before": 0, "entry": [1], "commit": 0},
        {"type": ["ask"]},
    ]
    for message in strange:
        with pytest.raises(ValueError, match=r"is no|no such"):
            WIRE.read(message)
    append = Append(1, 0, 0, Entry(1, {"any": ["thing"]}), 0)
    assert WIRE.read(WIRE.write(append)) == append


# ---- processes


def ask_over_sockets(cluster: Processes, kills: int) -> Record:
    """Clients ask real processes; a process is killed, and started again, each time that some more answers have come."""
    recorder = Recorder()
    begin = time.monotonic()
    chance = Random(5)
    answered = asyncio.Semaphore(0)
    over = asyncio.Event()

    def note(kind: Kind, who: str, op: str, **more: Any) -> None:
        recorder.add(time.monotonic() - begin, who, kind, op, **more)

    async def client(name: str) -> None:
        async with tcp_environment(name, cluster.places, cluster.folder / name) as env:
            asks = Client(env, cluster.members)
            for number in count(1):
                op = chance.choice(("read", "write"))
                value = f"{name} {number}" if op == "write" else None
                note(Kind.INVOKE, name, op, args={"value": ["x", value]})
                try:
                    async with asyncio.timeout(20):
                        result = await asks.ask(op, "x", value)
                    seen: dict[str, Any] = {"type": "ok", "value": ["x", result if op == "read" else value]}
                    answered.release()
                except TimeoutError:
                    seen = {"type": "info", "value": ["x", value]}
                note(Kind.RETURN, name, op, obs=seen)
                if over.is_set():
                    return

    async def trouble() -> None:
        for _ in range(kills):
            await answers(30)
            name = chance.choice(cluster.members)
            cluster.kill(name)
            note(Kind.FAULT, name, "crash")
            await answers(30)
            cluster.start(name)
        await answers(10)
        over.set()

    async def answers(number: int) -> None:
        for _ in range(number):
            await answered.acquire()

    async def main() -> None:
        async with asyncio.timeout(60 + 20 * kills):
            await asyncio.gather(trouble(), *(client(name) for name in CLIENTS))

    asyncio.run(main())
    return recorder.record()


def killed(folder: Path, kills: int) -> None:
    with Processes("raft", ("n1", "n2", "n3"), CLIENTS, folder) as cluster:
        record = ask_over_sockets(cluster, kills)
    judgement = judge(history_of_record(record), "kv")
    assert judgement.verdict is Verdict.OK, judgement
    logs = []
    for name in cluster.members:
        server = Server(name, cluster.members, FileLog(folder / name / JOURNAL), lambda *_: None)
        logs.append(server.log)
    shortest = min(map(len, logs))
    assert shortest > 10
    assert all(log[: shortest - 10] == logs[0][: shortest - 10] for log in logs)


def test_killed_processes_take_up_where_their_disks_end(tmp_path: Path) -> None:
    killed(tmp_path, kills=2)


@pytest.mark.slow
def test_killed_processes_many_times(tmp_path: Path) -> None:
    killed(tmp_path, kills=30)
