"""The simulator: virtual time, one seed, faults that strike where they hurt, and the same code on real sockets."""

from __future__ import annotations

import asyncio
import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterable
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

import pytest

from checker.conformance.links import Quality, Spread
from checker.conformance.record import Kind, Record, text_of
from checker.conformance.simulate.loop import Clock, Livelock, Stalled
from checker.conformance.simulate.simulation import Process, ProcessFailed, Simulation
from checker.conformance.simulate.surroundings import Message, Survival
from refimpl.runtime.interface import Environment
from refimpl.runtime.tcp import tcp_environment
from tests.conformance.register import Register, call

ROOT = Path(__file__).resolve().parents[2]
NODES = ("n1", "n2", "n3")
ROUGH = Quality(latency=0.02, loss=0.1, duplication=0.1)


async def nothing(env: Environment) -> None:
    await asyncio.Event().wait()


def registers(**options: Any) -> dict[str, Process]:
    return {name: lambda env: Register(env, NODES, **options).serve() for name in NODES}


class Lost(Exception):
    """An acknowledged write is not there any more."""


async def write_and_read(sim: Simulation) -> None:
    """One client, one operation after the other, and crashes between and within them. What was acknowledged must be read."""
    client, chance = sim.client("c1"), Random(sim.seed)
    last, unsure, down = 0, set[Any](), ""
    for number in range(1, 30):
        if down:
            sim.restart(down)
            down = ""
        elif chance.random() < 0.4:
            down = chance.choice(NODES)
            sim.crash(down)
        elif chance.random() < 0.2:  # the power fails everywhere
            for name in NODES:
                sim.crash(name)
                sim.restart(name)
        node = chance.choice([n for n in NODES if n != down])
        if number % 3:
            done = await sim.invoke(
                client, "write", number, partial(call, client, node, number, type="write", value=number)
            )
            last, unsure = (number, set()) if done else (last, unsure | {number})
        else:
            found = await sim.invoke(client, "read", None, partial(call, client, node, number, type="read"))
            if found is not None and found != last and found not in unsure:
                raise Lost(f"{found} is read after {last} was written")


def run(seed: int, **options: Any) -> Record:
    return Simulation(seed=seed, processes=registers(**options), quality=ROUGH).run(write_and_read)


# ---- the whole


@pytest.mark.parametrize("seed", range(10))
def test_a_correct_register_keeps_what_it_acknowledged(seed: int) -> None:
    record = run(seed)
    results = [e.obs["type"] for e in record.entries if e.kind is Kind.RETURN]
    assert results.count("ok") > 15
    assert any(e.name == "crash" for e in record.entries)


def losses(seeds: Iterable[int], **options: Any) -> int:
    found = 0
    for seed in seeds:
        try:
            run(seed, **options)
        except Lost:
            found += 1
    return found


def test_mistakes_are_found() -> None:
    assert losses(range(10), sync=False) > 3
    assert losses(range(10), quorum=1) > 3


def test_the_same_seed_gives_the_same_record() -> None:
    first, again, other = text_of(run(3)), text_of(run(3)), text_of(run(4))
    assert first == again
    assert first != other
    assert len(first.splitlines()) > 500


def test_the_same_seed_gives_the_same_record_in_another_process() -> None:
    script = "import sys; from tests.conformance.test_simulation import run, text_of; sys.stdout.write(text_of(run(3)))"
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, env={**os.environ, "PYTHONHASHSEED": "7", "PYTHONPATH": str(ROOT)},
        capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    assert done.stdout == text_of(run(3))


def test_the_same_code_runs_on_sockets_and_files(tmp_path: Path) -> None:
    names = (*NODES, "c1")
    places = {name: ("127.0.0.1", port) for name, port in zip(names, free_ports(len(names)), strict=True)}

    async def main() -> None:
        async with AsyncExitStack() as stack:
            client = await stack.enter_async_context(tcp_environment("c1", places, tmp_path / "c1"))

            async def start(name: str) -> asyncio.Task[None]:
                env = await stack.enter_async_context(tcp_environment(name, places, tmp_path / name))
                return asyncio.create_task(Register(env, NODES).serve())

            tasks = [await start(name) for name in NODES]
            assert await call(client, "n1", 1, type="write", value="x") == "x"
            assert await call(client, "n3", 2, type="read") == "x"
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    asyncio.run(main())
    assert b'"x"' in (tmp_path / "n2" / "register").read_bytes() + (tmp_path / "n3" / "register").read_bytes()


def free_ports(count: int) -> list[int]:
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [s.getsockname()[1] for s in sockets]
    for s in sockets:
        s.close()
    return ports


# ---- time and order


def test_an_hour_takes_no_time() -> None:
    async def driver(sim: Simulation) -> None:
        await asyncio.sleep(3_600)

    begin = time.monotonic()
    sim = Simulation(seed=1, processes={"n1": nothing})
    sim.run(driver)
    assert sim.loop.now == 3_600
    assert time.monotonic() - begin < 60


def test_order_between_processes_is_open_and_within_one_is_kept() -> None:
    def orders(seed: int) -> tuple[str, ...]:
        said: list[str] = []

        async def talk(env: Environment) -> None:
            loop = asyncio.get_running_loop()
            for n in range(2):
                loop.call_soon(said.append, f"{env.name}{n}")
            await asyncio.Event().wait()

        async def driver(sim: Simulation) -> None:
            await asyncio.sleep(1)

        Simulation(seed=seed, processes={"a": talk, "b": talk}).run(driver)
        return tuple(said)

    found = {orders(seed) for seed in range(60)}
    allowed = {
        ("a0", "a1", "b0", "b1"), ("a0", "b0", "a1", "b1"), ("a0", "b0", "b1", "a1"),
        ("b0", "b1", "a0", "a1"), ("b0", "a0", "b1", "a1"), ("b0", "a0", "a1", "b1"),
    }  # fmt: skip
    assert found == allowed


def test_clocks_drift_and_are_set_wrong() -> None:
    shown: dict[str, tuple[float, float]] = {}

    async def look(env: Environment) -> None:
        loop = asyncio.get_running_loop()
        await asyncio.sleep(10)
        shown[env.name] = (loop.time(), env.now())
        env.trace("Woke")

    async def driver(sim: Simulation) -> None:
        await asyncio.sleep(60)

    clocks = {"fast": Clock(rate=2.0), "wrong": Clock(skew=-5.0)}
    record = Simulation(seed=1, processes={"fast": look, "wrong": look}, clocks=clocks).run(driver)
    assert shown == {"fast": (10.0, 10.0), "wrong": (10.0, 5.0)}
    woke = {e.node: e.t for e in record.entries if e.name == "Woke"}
    assert woke == {"fast": 5.0, "wrong": 10.0}


def test_timers_never_ring_early_on_a_crooked_clock() -> None:
    async def wait(env: Environment) -> None:
        loop = asyncio.get_running_loop()
        while True:
            deadline = loop.time() + env.random.random()
            while loop.time() < deadline:
                await asyncio.sleep(deadline - loop.time())

    async def driver(sim: Simulation) -> None:
        await asyncio.sleep(500)

    Simulation(seed=1, processes={"n1": wait}, clocks={"n1": Clock(rate=1.0000003)}).run(driver)


def test_a_paused_process_stands_still_and_wakes_late() -> None:
    async def tick(env: Environment) -> None:
        while True:
            await asyncio.sleep(1)
            env.trace("Tick")

    async def driver(sim: Simulation) -> None:
        await asyncio.sleep(2.5)
        sim.pause("n1")
        await asyncio.sleep(3)
        sim.resume("n1")
        await asyncio.sleep(1.2)

    record = Simulation(seed=1, processes={"n1": tick}).run(driver)
    assert [e.t for e in record.entries if e.name == "Tick"] == [1, 2, 5.5, 6.5]


def test_what_goes_in_circles_or_waits_for_ever_is_said() -> None:
    async def spin(env: Environment) -> None:
        while True:
            await asyncio.sleep(0)

    async def wait(sim: Simulation) -> None:
        await asyncio.Event().wait()

    with pytest.raises(Livelock, match="the last one of n1"):
        Simulation(seed=1, processes={"n1": spin}).run(wait)
    with pytest.raises(Stalled, match="everyone waits"):
        Simulation(seed=1, processes={"n1": nothing}).run(wait)


# ---- the network


def traffic(quality: Quality, count: int = 400) -> list[tuple[int, float]]:
    """What arrives of numbered messages, and after how long."""
    got: list[tuple[int, float]] = []

    async def listen(env: Environment) -> None:
        while True:
            _, message = await env.receive()
            got.append((message["n"], asyncio.get_running_loop().time() - message["at"]))

    async def driver(sim: Simulation) -> None:
        client = sim.client("c1")
        for n in range(count):
            client.send("n1", {"n": n, "at": sim.loop.now})
        await asyncio.sleep(1_000)

    Simulation(seed=5, processes={"n1": listen}, quality=quality).run(driver)
    return got


def test_messages_are_lost_doubled_late_and_overtaken() -> None:
    calm = traffic(Quality(latency=0.5, spread=Spread.CONSTANT))
    assert calm == [(n, 0.5) for n in range(400)]
    lost = traffic(Quality(loss=0.25))
    assert 250 < len(lost) < 350 and len({n for n, _ in lost}) == len(lost)
    doubled = traffic(Quality(duplication=0.25))
    assert 450 < len(doubled) < 550
    late = traffic(Quality(latency=2, spread=Spread.UNIFORM))
    assert 1.8 < sum(d for _, d in late) / 400 < 2.2 and max(d for _, d in late) <= 4
    assert [n for n, _ in late] != sorted(n for n, _ in late)


def test_one_direction_may_be_cut() -> None:
    got: list[tuple[str, str]] = []

    async def talk(env: Environment) -> None:
        env.send("b" if env.name == "a" else "a", {})
        while True:
            got.append(((await env.receive())[0], env.name))

    async def driver(sim: Simulation) -> None:
        sim.cut(["a"], ["b"], one_way=True)
        await asyncio.sleep(1)
        sim.heal()
        await asyncio.sleep(1)

    Simulation(seed=1, processes={"a": talk, "b": talk}).run(driver)
    assert got == [("b", "a")]


def test_a_liar_lies_in_its_own_name_only() -> None:
    heard: list[tuple[str, Message]] = []

    async def say(env: Environment) -> None:
        env.send("b", {"type": "Vote", "yes": True})
        await asyncio.Event().wait()

    async def hear(env: Environment) -> None:
        while True:
            heard.append(await env.receive())

    def liar(to: str, message: dict[str, Any], chance: Random) -> list[tuple[str, Message]]:
        return [(to, message), (to, {**message, "yes": False})]

    async def driver(sim: Simulation) -> None:
        sim.lie("a", liar)
        sim.forge("c", "b", {"type": "Vote"})
        await asyncio.sleep(1)

    record = Simulation(
        seed=1, processes={"a": say, "b": hear, "c": nothing}, quality=Quality(spread=Spread.CONSTANT)
    ).run(driver)
    assert sorted(str(h) for h in heard) == [
        "('a', {'type': 'Vote', 'yes': False})",
        "('a', {'type': 'Vote', 'yes': True})",
        "('c', {'type': 'Vote'})",
    ]
    assert [e.name for e in record.entries if e.kind is Kind.FAULT][:3] == ["lie", "forge", "forge"]


# ---- crashes and disks


def journal(survival: Survival, seed: int = 1) -> bytes:
    """What a process finds after a crash that struck behind `abc` synced and `defghi` not."""
    found: list[bytes] = []

    async def write(env: Environment) -> None:
        found.append(env.disk.read("log"))
        env.disk.append("log", b"abc")
        env.disk.sync("log")
        env.disk.append("log", b"defghi")
        env.disk.write("new", b"x")
        await asyncio.Event().wait()

    async def driver(sim: Simulation) -> None:
        await asyncio.sleep(1)
        sim.crash("n1")
        await asyncio.sleep(1)
        sim.restart("n1")
        await asyncio.sleep(1)

    Simulation(seed=seed, processes={"n1": write}, survival=survival).run(driver)
    return found[1]


def test_only_what_was_synced_survives() -> None:
    assert journal(Survival.SYNCED) == b"abc"
    parts = {journal(Survival.PREFIX, seed) for seed in range(40)}
    assert parts == {b"abcdefghi"[:n] for n in range(3, 10)}


def test_a_crash_strikes_between_two_effects() -> None:
    def reached(effects: int) -> list[str]:
        async def tell(env: Environment) -> None:
            await asyncio.sleep(1)
            try:
                for n in range(3):
                    env.send("b", {"type": f"m{n}"})
            finally:
                env.send("b", {"type": "last words"})

        async def driver(sim: Simulation) -> None:
            sim.crash("a", after_effects=effects)
            await asyncio.sleep(2)

        record = Simulation(seed=1, processes={"a": tell, "b": nothing}).run(driver)
        return [e.name for e in record.entries if e.kind in (Kind.SEND, Kind.FAULT)]

    assert reached(0) == ["crash"]
    assert reached(2) == ["m0", "m1", "crash"]
    assert reached(9) == ["m0", "m1", "m2", "last words", "exit"]


def test_the_dead_do_nothing() -> None:
    async def cling(env: Environment) -> None:
        async def other() -> None:
            try:
                await asyncio.sleep(50)
            finally:
                env.send("b", {"type": "from the grave"})

        task = asyncio.create_task(other())
        try:
            await task
        except asyncio.CancelledError:
            env.disk.write("x", b"x")

    async def driver(sim: Simulation) -> None:
        await asyncio.sleep(1)
        sim.crash("a")
        await asyncio.sleep(100)

    record = Simulation(seed=1, processes={"a": cling, "b": nothing}).run(driver)
    assert [e.name for e in record.entries] == ["crash"]


def test_an_error_of_a_process_ends_the_run() -> None:
    async def fail(env: Environment) -> None:
        await asyncio.sleep(1)
        raise KeyError("x")

    async def driver(sim: Simulation) -> None:
        await asyncio.sleep(100)

    with pytest.raises(ProcessFailed, match="n1 ended with KeyError: 'x'"):
        Simulation(seed=1, processes={"n1": fail}).run(driver)


def test_misuse_is_refused() -> None:
    async def driver(sim: Simulation) -> None:
        with pytest.raises(ValueError, match="no process is called 'n2'; there are n1"):
            sim.crash("n2")
        with pytest.raises(ValueError, match="n1 is running"):
            sim.restart("n1")
        sim.crash("n1")
        with pytest.raises(ValueError, match="n1 is down"):
            sim.pause("n1")
        with pytest.raises(ValueError, match="nobody is called 'n9'"):
            sim.client("c1").send("n9", {})
        with pytest.raises(NotImplementedError, match="sockets are not simulated"):
            await asyncio.open_connection("127.0.0.1", 1)

    Simulation(seed=1, processes={"n1": nothing}).run(driver)
    with pytest.raises(ValueError, match="is no probability"):
        Quality(loss=1.5)


@pytest.mark.parametrize(("edit", "counts"), [("", [1, 2]), ('env.disk.sync("votes")', [1, 1])])
def test_the_example_of_the_documentation(edit: str, counts: list[int], capsys: pytest.CaptureFixture[str]) -> None:
    page = (ROOT / "docs/conformance/simulator.md").read_text(encoding="utf-8")
    serve, _, run_it, _ = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    assert edit in serve
    names: dict[str, Any] = {"asyncio": asyncio}
    exec(compile(serve.replace(edit or "?", "pass") + run_it, "simulator.md", "exec"), names)
    assert capsys.readouterr().out == "".join(f"('n1', {{'type': 'counted', 'count': {n}}})\n" for n in counts)
    assert names["record"].about["seed"] == 7
