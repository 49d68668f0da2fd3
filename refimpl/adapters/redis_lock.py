"""The Redis lock held to `specs/locks/redis_lock.psm`, with commands that a real Redis carries out.

The clients are the real ones, under an event loop of the adapter's own. Their connection is a `Gate`: a command that a client
sends stays there as a message in flight, and so does the answer with a grant. The steps of the spec take them on: `Redis.Acquire`
lets Redis carry the command out, `Client.Granted` hands the answer over. So the adapter decides how long everything takes, while
Redis decides what comes of it. The time to live runs out when the spec says so: the key gets one of no length.

A message of the spec names a token where the command has the value of the lock; the adapter knows which grant had which value.

A client that crashes does nothing more, not even what it has for its end, and its connection dies with it: an answer over that
one has nobody to go to. Commands that it sent are carried out nevertheless. One that hangs up cancels its `acquire`, which ends
its connection likewise; an answer is still handed to whoever listens in spite of that.

In two places the clients do more than the spec says, which must make no difference. A client asks for a lock that is taken, and
asks again, while in the spec its request waits: so a request that meets a taken lock is carried out once, and must be turned
down. And a client may write as often as it likes under one grant: so each write is carried out twice, and is answered alike.
"""

from __future__ import annotations

import asyncio
import threading
import uuid
import weakref
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Any, NamedTuple, Protocol

from checker.conformance.adapter import Adapter, Instance, Mistake, Observation, Refused
from checker.conformance.compare import NETWORK
from checker.conformance.event import Event
from checker.conformance.mapping import step
from checker.model.machine import Machine
from checker.properties.kinds import Json
from refimpl.adapters.world import node_of
from refimpl.locks.redis_lock import FencedStore, LockError, RedisLock
from refimpl.locks.redis_lock_mistakes import BEYOND, MISTAKES

REDIS, STORE = "Redis", "Store"
SETTLING = 4
"""Turns of the event loop after which every client waits for the gate."""
TTL = 3600.0
"""Seconds for which a lock lives, unless the spec ends it: far more than any path takes, also on a machine that stalls."""
NO_REDIS = "no Redis answers at localhost:6379"
WAIT = 2.0
"""Seconds for Redis to answer whether it is there."""
LOOK = """
return {redis.call('GET', KEYS[1]) or '', redis.call('GET', KEYS[2]) or '0', redis.call('HGET', KEYS[3], 'token') or '0'}
"""
EXPIRE = "return redis.call('PTTL', KEYS[1]) > 0 and redis.call('PEXPIRE', KEYS[1], 0)"

MakeLock = Callable[..., RedisLock]
MakeStore = Callable[["Gate", str], FencedStore]


class Server(Protocol):
    """A connection to Redis that blocks, as `redis.Redis` does."""

    def eval(self, script: str, numkeys: int, *keys_and_args: str) -> Any: ...
    def delete(self, *names: str) -> Any: ...


@dataclass(slots=True)
class Command:
    """A script on its way to Redis or to the store, and the connection of a client that waits for what comes of it."""

    gate: Gate
    over: int
    script: str
    keys: int
    arguments: tuple[str, ...]
    answer: asyncio.Future[int]


@dataclass(slots=True)
class Gate:
    """A client's way to Redis, over `connection` at the moment: what it sends waits in `sent`. It is not `up` after a crash.

    `left` is how much a client can still send before it crashes; None for all.
    """

    client: str
    connection: int = 0
    up: bool = True
    left: int | None = None
    sent: list[Command] = field(default_factory=list)

    async def eval(self, script: str, numkeys: int, *keys_and_args: str) -> int:
        answer: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        if self.up and self.left != 0:
            self.left = None if self.left is None else self.left - 1
            self.sent.append(Command(self, self.connection, script, numkeys, keys_and_args, answer))
        return await answer


@dataclass(slots=True)
class Process:
    """A client as long as it runs: its connection, its handles, and its `acquire` that was begun last."""

    gate: Gate
    lock: RedisLock
    store: FencedStore
    acquiring: asyncio.Task[Any] | None = None


@dataclass(slots=True)
class Flying:
    """A message in flight: a command, or the answer with a grant."""

    text: str
    command: Command
    granted: int = 0


class Sight(NamedTuple):
    """What is in Redis: the value of the lock, the last token, and the highest that has written."""

    value: str
    last: int
    highest: int


class RedisLockAdapter(Adapter):
    """Drives C clients of one lock. Other classes than the real ones may be put in their place, by tests."""

    services = ("Redis",)
    checks = ("fenced", "pause", "retry")
    smaller = (Instance("fenced", {"GRANTS": 2}), Instance("pause", {"GRANTS": 1}), Instance("retry", {"GRANTS": 1}))

    def __init__(
        self,
        machine: Machine,
        server: Server | None = None,
        *,
        lock: MakeLock = RedisLock,
        store: MakeStore = FencedStore,
    ) -> None:
        super().__init__(machine)
        if server is None:
            import redis

            server = redis.Redis(decode_responses=True)
        self._server = server
        self._make_lock = lock
        self._make_store = store
        self._clients = self.instances("Client")
        self._loop = asyncio.new_event_loop()
        key = f"lockstep:{uuid.uuid4()}"
        self._keys = (key, f"{key}:token", f"{key}:store")
        self._tasks: set[asyncio.Task[Any]] = set()
        self._end = partial(_end, self._loop, self._tasks, server, self._keys)
        # Whoever forgets to close it leaves no keys behind.
        self._forgotten = weakref.finalize(self, _end_somewhere, self._end)

    @classmethod
    def mistakes(cls) -> Mapping[str, Mistake]:
        """Wrong implementations by name, each as a maker of an adapter."""

        def wrong(mistake: type[RedisLock | FencedStore]) -> Callable[[Machine], Adapter]:
            if issubclass(mistake, RedisLock):
                return lambda machine: cls(machine, lock=mistake)
            return lambda machine: cls(machine, store=mistake)

        return {mistake.__name__: Mistake.of(mistake, wrong(mistake)) for mistake in (*MISTAKES, *BEYOND)}

    @classmethod
    def absent(cls) -> str | None:
        import redis

        try:
            redis.Redis(socket_timeout=WAIT, socket_connect_timeout=WAIT).ping()
        except redis.RedisError:
            return NO_REDIS
        return None

    def close(self) -> None:
        """Ends the event loop, and removes what is in Redis. Otherwise that happens when the adapter is no longer used."""
        if self._forgotten.detach() is not None:
            self._end()

    def begin(self, initial: Mapping[str, Json]) -> None:
        _end_tasks(self._loop)
        self._server.delete(*self._keys)
        self._sight: Sight | None = None
        self._messages: dict[str, list[Flying]] = {}
        self._tokens: dict[str, int] = {}
        """By value of the lock."""
        self._stale = False
        self._processes = {name: self._boot(Gate(name)) for name in self._clients}

    def _boot(self, gate: Gate) -> Process:
        lock = self._make_lock(gate, self._keys[0], gate.client, ttl=TTL)
        return Process(gate, lock, self._make_store(gate, self._keys[2]))

    # ---- the steps

    @step("Client.Ask")
    def ask(self, event: Event) -> None:
        process = self._processes[node_of(event)]
        process.acquiring = self._spawn(process.lock.acquire())

    @step("Client.Save")
    def save(self, event: Event) -> None:
        process = self._processes[node_of(event)]
        self._spawn(process.lock.save(process.store, "what it wrote"))

    @step("Client.HangUp")
    def hang_up(self, event: Event) -> None:
        process = self._processes[node_of(event)]
        if process.acquiring is not None:
            process.acquiring.cancel()
        process.gate.connection += 1
        self._settle()

    @step("crash Client")
    def crash(self, event: Event) -> None:
        gate = self._processes[node_of(event)].gate
        if event.torn is not None:
            gate.left = event.torn.effects
            self.perform(event.torn.event)
        gate.up = False

    @step("Client.restart")
    def restart(self, event: Event) -> None:
        name = node_of(event)
        self._processes[name] = self._boot(Gate(name, self._processes[name].gate.connection + 1))

    @step("Redis.Acquire")
    def acquire(self, event: Event) -> None:
        command = self._take(event)
        token = self._carry_out(command)
        if not token:
            raise Refused("Redis says that the lock is taken")
        self._tokens[self._look().value] = token
        self._fly(REDIS, command, "Granted", granted=token, token=token, over=command.over)

    @step("Client.Granted", "Client.ignore Granted")
    def granted(self, event: Event) -> None:
        message = self._pop(self.letter(REDIS, node_of(event), "Granted", **event.args))
        self._hand_over(message.command, message.granted)

    @step("Redis.Release")
    def release(self, event: Event) -> None:
        self._answer(self._take(event))

    @step("Store.Write")
    def write(self, event: Event) -> None:
        command = self._take(event)
        before = self._look().highest
        token = int(command.arguments[1])
        accepted = self._carry_out(command)
        if self._answer(command) != accepted:
            raise Refused("the same write is answered in another way when it comes again")
        self._stale |= bool(accepted) and token < before

    @step("Redis.Expire")
    def expire(self, event: Event) -> None:
        self._sight = None
        if not self._server.eval(EXPIRE, 1, self._keys[0]):
            raise Refused("the key of the lock is not there, or has no time to live")

    # ---- messages

    def _spawn(self, work: Any) -> asyncio.Task[Any]:
        """Lets a client begin something, and goes on until it waits."""
        task = self._loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        self._settle()
        problem = task.exception() if task.done() else None
        if isinstance(problem, LockError):
            raise Refused(str(problem))
        if problem is not None:
            raise problem
        return task

    def _settle(self) -> None:
        async def turns() -> None:
            for _ in range(SETTLING):
                await asyncio.sleep(0)

        self._loop.run_until_complete(turns())
        for process in self._processes.values():
            for command in process.gate.sent:
                self._send(process.gate.client, command)
            process.gate.sent.clear()

    def _send(self, client: str, command: Command) -> None:
        """Puts a command into flight, as the message of the spec that it is: known by the keys that it has to do with."""
        match command.keys, command.arguments[0] == self._keys[0]:
            case 2, True:
                if self._look().value and self._carry_out(command):
                    raise Refused("a lock is granted that is taken")
                self._fly(client, command, "Acquire", over=command.over)
            case 1, True:
                self._fly(client, command, "Release", token=self._tokens.get(command.arguments[1], 0))
            case _:
                self._fly(client, command, "Write", token=int(command.arguments[1]))

    def _fly(self, sender: str, command: Command, kind: str, *, granted: int = 0, **fields: Json) -> None:
        receiver = command.gate.client if sender == REDIS else STORE if kind == "Write" else REDIS
        text = self.letter(sender, receiver, kind, **fields)
        self._messages.setdefault(text, []).append(Flying(text, command, granted))

    def _take(self, event: Event) -> Command:
        assert event.sender is not None and event.node is not None
        return self._pop(self.letter(event.sender, event.node, event.name, **event.args)).command

    def _pop(self, text: str) -> Flying:
        waiting = self._messages.get(text)
        if not waiting:
            raise Refused(f"nobody has sent {text}")
        message = waiting.pop(0)
        if not waiting:
            del self._messages[text]
        return message

    def _carry_out(self, command: Command) -> int:
        self._sight = None
        return int(self._server.eval(command.script, command.keys, *command.arguments) or 0)

    def _answer(self, command: Command) -> int:
        """Carries a command out, and tells its client at once; in the spec there is no such message."""
        result = self._carry_out(command)
        self._hand_over(command, result)
        return result

    def _hand_over(self, command: Command, answer: int) -> None:
        """An answer comes to the client, if that runs and listens."""
        if command.gate.up and not command.answer.done():
            command.answer.set_result(answer)
            self._settle()

    # ---- what can be seen

    def _look(self) -> Sight:
        """Looks into Redis, unless nothing was done there since the last time."""
        if self._sight is None:
            value, last, highest = self._server.eval(LOOK, 3, *self._keys)
            self._sight = Sight(str(value), int(last), int(highest))
        return self._sight

    def observe(self) -> Observation:
        sight = self._look()
        seen: dict[str, object] = {
            "Redis.holder": sight.value.partition(":")[0] or None,
            "Redis.last": sight.last,
            "Store.highest": sight.highest,
            "Store.stale": self._stale,
            NETWORK: [message.text for waiting in self._messages.values() for message in waiting],
        }
        for name, process in self._processes.items():
            seen[f"{name}.connection"] = process.gate.connection
            if process.gate.up:
                seen[f"{name}.waiting"] = process.lock.waiting
                seen[f"{name}.token"] = process.lock.token
            if self.can_fall("Client"):
                seen[f"{name}.status"] = "up" if process.gate.up else "down"
        return seen


def _end_tasks(loop: asyncio.AbstractEventLoop) -> None:
    tasks = asyncio.all_tasks(loop)  # those that clients have begun by themselves, too
    for task in tasks:
        task.cancel()
    if tasks:
        loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))


def _end(loop: asyncio.AbstractEventLoop, tasks: set[asyncio.Task[Any]], server: Server, keys: tuple[str, ...]) -> None:
    """Ends all tasks, which the event loop knows, and does not keep: `tasks` does."""
    _end_tasks(loop)
    loop.close()
    server.delete(*keys)


def _end_somewhere(end: Callable[[], None]) -> None:
    """Ends an adapter that nobody has closed.

    The garbage collector may come at any time, also while another event loop runs in this thread, which then can run no other;
    the ending gets a thread of its own in that case. There is nobody to tell what goes wrong in it.
    """

    def quietly() -> None:
        with suppress(Exception):
            end()

    try:
        asyncio.get_running_loop()
    except RuntimeError:
        quietly()
    else:
        thread = threading.Thread(target=quietly, name="the end of a Redis lock adapter")
        thread.start()
        thread.join()
