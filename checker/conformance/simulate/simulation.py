"""Processes under virtual time, the faults that strike them, and the record of what happened.

    async def driver(sim):
        client = sim.client("c1")
        await sim.invoke(client, "write", 1, lambda: write(client, "n1", 1))
        sim.cut(["n1"], ["n2", "n3"])
        sim.crash("n1")
        await asyncio.sleep(60)
        sim.restart("n1")

    sim = Simulation(seed=7, processes={"n1": serve, "n2": serve, "n3": serve})
    record = sim.run(driver)

A process is a coroutine function that takes its surroundings. The driver is a coroutine beside them, outside of every
process; it plays the clients and the faults, and the run ends with it. Everything that is left to chance (whose turn it is,
latencies, losses, what survives a crash) comes from the seed: the same seed, processes and driver give the same record, byte
for byte, as long as the implementation itself does not depend on the order of a set of texts or on addresses of objects.

A process that ends with an error ends the run with `ProcessFailed`: a crash is ordered by the driver, not an accident.

**Lies.** A faulty process runs the same code, but `liar` stands between it and the network and may change, drop, add or
redirect what it sends; it cannot use another's name. The driver can also `forge` single messages.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Mapping
from contextlib import suppress
from contextvars import Context, copy_context
from random import Random
from typing import Any, TypeVar

from checker.conformance.links import Links, Quality
from checker.conformance.operations import Failed
from checker.conformance.record import Kind, Record, Recorder
from checker.conformance.simulate.loop import OWNER, Clock, Owner, VirtualLoop
from checker.conformance.simulate.surroundings import (
    Crashed,
    Letter,
    Message,
    SimulatedEnvironment,
    Storage,
    Survival,
)
from checker.properties.kinds import Json

T = TypeVar("T")
Process = Callable[[SimulatedEnvironment], Coroutine[Any, Any, None]]
Liar = Callable[[str, dict[str, Any], Random], Iterable[tuple[str, Message]]]
"""Given the receiver, the message and chance: what is sent instead."""


class ProcessFailed(Exception):
    """The code of a process raised an error; it is the cause of this one."""


class Simulation:
    """One run. See the module.

    Args:
        seed: decides everything that is left to chance.
        processes: what runs, by name.
        quality: how good the network is.
        survival: what a crash leaves on a disk.
        clocks: clocks that are not right, by name.
        chance: makes the chance of one purpose (`order`, `links`, `disk n1`, …) in place of the seed, for example a
            `choices.DrawnRandom`, whose answers Hypothesis draws and shrinks. What processes draw for themselves stays the
            seed's.
    """

    def __init__(
        self,
        *,
        seed: int,
        processes: Mapping[str, Process],
        quality: Quality | None = None,
        survival: Survival = Survival.SYNCED,
        clocks: Mapping[str, Clock] | None = None,
        chance: Callable[[str], Random] | None = None,
    ) -> None:
        self.seed = seed
        self._chance_of = chance
        # The stubs call methods abstract that raise NotImplementedError, which is what is meant here.
        self.loop = VirtualLoop(self._surroundings("order"))  # type: ignore[abstract]
        self.links = Links(self._surroundings("links"), quality)
        self.recorder = Recorder({"seed": seed, "nodes": list(processes)})
        self._processes = dict(processes)
        self._clocks = {name: (clocks or {}).get(name) or Clock() for name in processes}
        self._storage = {name: Storage(self._surroundings(f"disk {name}"), survival) for name in processes}
        self._lives: dict[str, tuple[Owner, SimulatedEnvironment]] = {}
        self._count: dict[str, int] = {}
        self._liars: dict[str, tuple[Liar, Random]] = {}
        self._problem: tuple[str, BaseException] | None = None
        self._driver: asyncio.Task[Any] | None = None
        self._nobody = Context()  # of no process

    def run(self, driver: Callable[[Simulation], Coroutine[Any, Any, Any]]) -> Record:
        """Starts every process, runs until the driver ends, and returns what happened.

        Raises:
            ProcessFailed: a process raised an error.
            Stalled, Livelock: nobody can go on, or time cannot.
        """

        async def main() -> None:
            for name in self._processes:
                self._boot(name)
            self._driver = asyncio.current_task()
            await driver(self)

        try:
            with suppress(asyncio.CancelledError):
                self.loop.run_until_complete(main())
        finally:
            problem = self._problem
            for owner, _ in self._lives.values():
                owner.die()
            self.loop.run_what_is_ready()
            self.loop.close()
        if self.loop.complaints:
            self.recorder.about["unhandled"] = list(self.loop.complaints)
        if problem is not None:
            raise ProcessFailed(f"{problem[0]} ended with {type(problem[1]).__name__}: {problem[1]}") from problem[1]
        return self.recorder.record()

    # ---- clients

    def client(self, name: str) -> SimulatedEnvironment:
        """A place in the network without a process: the driver sends and receives in its name."""
        owner = Owner(name, Clock())
        env = SimulatedEnvironment(self, owner, Storage(Random(0), Survival.SYNCED), self._chance(f"client {name}"))
        self._lives[name] = (owner, env)
        return env

    async def invoke(
        self, client: SimulatedEnvironment, name: str, value: Json, work: Callable[[], Awaitable[Json]]
    ) -> Json:
        """Runs one operation of a client and records its beginning and its end.

        It is `ok` with the result of `work`, `fail` if that raises `Failed`, and `info` (nobody knows whether it had an effect)
        if it raises `TimeoutError`; then the result is None.
        """
        self._note(client.name, Kind.INVOKE, name, args={"value": value})
        try:
            result = await work()
        except Failed as reason:
            self._note(client.name, Kind.RETURN, name, obs={"type": "fail", "error": str(reason)})
            return None
        except TimeoutError:
            self._note(client.name, Kind.RETURN, name, obs={"type": "info", "error": "timeout"})
            return None
        self._note(client.name, Kind.RETURN, name, obs={"type": "ok", "value": result})
        return result

    # ---- faults

    def crash(self, name: str, *, after_effects: int | None = None) -> None:
        """Ends a process, which keeps what it has synced; with `after_effects`, once it has had so many more effects."""
        owner, env = self._life(name)
        if after_effects is not None:
            env.effects_left = after_effects
            return
        self.struck(owner)

    def alive(self, name: str) -> bool:
        """Whether a process is running."""
        self._known(name)
        return not self._lives[name][0].dead

    def restart(self, name: str) -> None:
        """Starts a process again that has crashed or ended."""
        if self.alive(name):
            raise ValueError(f"{name} is running, so it cannot be started")
        self._note(name, Kind.FAULT, "restart")
        self._boot(name)

    def pause(self, name: str) -> None:
        """Lets a process stand still, as a collector of garbage or a swapped-out machine does."""
        self._life(name)[0].paused = True
        self._note(name, Kind.FAULT, "pause")

    def resume(self, name: str) -> None:
        """Lets it go on, late."""
        self._life(name)[0].paused = False
        self._note(name, Kind.FAULT, "resume")

    def cut(self, senders: Iterable[str], receivers: Iterable[str], *, one_way: bool = False) -> None:
        """Cuts connections; see `Links.cut`."""
        a, b = list(senders), list(receivers)
        self.links.cut(a, b, one_way=one_way)
        self._note(None, Kind.FAULT, "cut", args={"from": [*a], "to": [*b], "one_way": one_way})

    def heal(self) -> None:
        """Ends every cut."""
        self.links.heal()
        self._note(None, Kind.FAULT, "heal")

    def set_clock(self, name: str, *, skew: float | None = None, rate: float | None = None) -> None:
        """Sets the wall clock of a process to be wrong by `skew` seconds, or lets its clock run at a rate."""
        self._known(name)
        clock = self._clocks[name]
        if skew is not None:
            clock.skew = skew
        if rate is not None:
            clock.run_at(rate, self.loop.now)
        self._note(name, Kind.FAULT, "clock", args={"skew": skew, "rate": rate})

    def lie(self, name: str, liar: Liar | None) -> None:
        """Makes a process faulty, or honest again; see the module."""
        self._liars.pop(name, None)
        if liar is not None:
            self._liars[name] = (liar, self._chance(f"liar {name}"))
        self._note(name, Kind.FAULT, "honest" if liar is None else "lie")

    def forge(self, sender: str, receiver: str, message: Message) -> None:
        """Puts a message into the network that its sender never sent."""
        clock = self._note(sender, Kind.FAULT, "forge", args={"to": receiver, "body": dict(message)})
        self._post(receiver, Letter(sender, dict(message), clock))

    # ---- what surroundings ask for

    def sent(self, owner: Owner, receiver: str, message: dict[str, Any]) -> None:
        if receiver not in self._lives and receiver not in self._processes:
            raise ValueError(f"nobody is called {receiver!r}; known are {', '.join(sorted(self._lives))}")
        clock = self._note(owner.name, Kind.SEND, _type(message), args={"to": receiver, "body": message})
        if owner.name not in self._liars:
            self._post(receiver, Letter(owner.name, message, clock))
            return
        liar, random = self._liars[owner.name]
        for to, said in liar(receiver, message, random):
            if to != receiver or said != message:
                clock = self._note(owner.name, Kind.FAULT, "forge", args={"to": to, "body": dict(said)})
            self._post(to, Letter(owner.name, dict(said), clock))

    def received(self, owner: Owner, letter: Letter) -> None:
        args: dict[str, Json] = {"from": letter.sender, "body": letter.body}
        self._note(owner.name, Kind.RECV, _type(letter.body), args=args, after=letter.clock)

    def traced(self, owner: Owner, step: str, observed: dict[str, Any]) -> None:
        self._note(owner.name, Kind.ACTION, step, obs=observed)

    def struck(self, owner: Owner) -> None:
        owner.die()
        lost = self._storage[owner.name].crash()
        self._note(owner.name, Kind.FAULT, "crash", obs={"files_lost": lost})

    # ---- inside

    def _boot(self, name: str) -> None:
        self._count[name] = self._count.get(name, 0) + 1
        owner = Owner(name, self._clocks[name])
        env = SimulatedEnvironment(self, owner, self._storage[name], self._chance(f"{name} {self._count[name]}"))
        self._lives[name] = (owner, env)
        context = copy_context()
        context.run(OWNER.set, owner)
        task = self.loop.create_task(self._processes[name](env), context=context)
        task.add_done_callback(lambda done: self._ended(owner, done))

    def _ended(self, owner: Owner, task: asyncio.Task[None]) -> None:
        if task.cancelled() or owner.dead:
            if not task.cancelled():
                task.exception()  # what a dead process complains of concerns nobody
            return
        owner.dead = True
        problem = task.exception()
        self._note(owner.name, Kind.FAULT, "exit", obs={"error": None if problem is None else type(problem).__name__})
        if problem is not None and not isinstance(problem, Crashed) and self._problem is None:
            self._problem = (owner.name, problem)
            if self._driver is not None:
                self._driver.cancel()

    def _post(self, receiver: str, letter: Letter) -> None:
        """Sends a letter on its way, in as many copies as the network makes."""
        for delay in self.links.delays():
            self.loop.call_at(self.loop.now + delay, self._arrive, receiver, letter, context=self._nobody)

    def _arrive(self, receiver: str, letter: Letter) -> None:
        life = self._lives.get(receiver)
        if life is not None and not life[0].dead and self.links.connected(letter.sender, receiver):
            life[1].arrive(letter)

    def _known(self, name: str) -> None:
        if name not in self._processes:
            raise ValueError(f"no process is called {name!r}; there are {', '.join(self._processes)}")

    def _life(self, name: str) -> tuple[Owner, SimulatedEnvironment]:
        self._known(name)
        owner, env = self._lives[name]
        if owner.dead:
            raise ValueError(f"{name} is down; start it again first")
        return owner, env

    def _note(self, node: str | None, kind: Kind, name: str, **more: Any) -> Mapping[str, int]:
        return self.recorder.add(self.loop.now, node, kind, name, **more)

    def _surroundings(self, purpose: str) -> Random:
        """Chance that a caller may take into its own hands."""
        return self._chance(purpose) if self._chance_of is None else self._chance_of(purpose)

    def _chance(self, purpose: str) -> Random:
        """Chance for one purpose, so that more of it in one place changes nothing in another."""
        return Random(f"{self.seed} {purpose}")


def _type(message: Message) -> str:
    found = message.get("type")
    return found if isinstance(found, str) else ""
