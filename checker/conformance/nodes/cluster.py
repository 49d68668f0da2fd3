"""The network of one run: nodes, services and clients, and the messages between them.

Every message of a node goes through here. It may take time, get lost or be doubled, and a cut may keep it away; messages from
and to clients do not, for clients stand beside the node that they talk to, as in Maelstrom. A cut is between processes, not
between names: a node that writes another's name into `src` gets no further by it.

Clients see at once when their node is killed, as one sees a broken connection: what they wait for is given up, and they ask
again when the node has answered `init` after its restart. They would else spend the rest of a short run waiting for the dead.

A message to somebody who does not exist is answered with error 1, where it asks for an answer. The first problem of a node
ends the run: `failure` is done then.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from pathlib import Path
from random import Random
from typing import Any, Final, Self

from checker.conformance.links import Links, Quality
from checker.conformance.nodes.process import NodeProblem, NodeProcess, Printed, Trouble
from checker.conformance.nodes.protocol import (
    INIT_TIMEOUT,
    NODE_NOT_FOUND,
    TRACER,
    Body,
    Message,
    NodeKilled,
    RpcError,
    error_body,
    reply_to,
    result_of,
)
from checker.conformance.nodes.services import Service, all_services
from checker.conformance.record import Kind, Recorder
from checker.properties.kinds import Json

MAX_IN_FLIGHT: Final = 200_000
"""Messages on their way at one time."""

DIGESTING: Final = 0.1
"""Seconds that nodes have to tell of the steps that the last messages before a cut led to: the record has those before it."""

NETWORK: Final = "network"
"""Who answers for those who do not exist."""


class Client:
    """Sends one request at a time and waits for its answer."""

    def __init__(self, cluster: Cluster, name: str) -> None:
        self.name = name
        self._cluster = cluster
        self._asked = 0
        self._node = ""
        self._answer: asyncio.Future[Body] | None = None

    async def call(self, node: str, body: Body, timeout: float) -> Body:
        """The body of the answer.

        Raises:
            RpcError: the answer is an error.
            TimeoutError: there is none in time.
            NodeKilled: there will be none.
        """
        if self._cluster.is_down(node) and body["type"] != "init":
            raise NodeKilled
        self._node = node
        self._asked += 1
        self._answer = asyncio.get_running_loop().create_future()
        self._cluster.route(self.name, Message(self.name, node, {**body, "msg_id": self._asked}))
        async with asyncio.timeout(timeout):
            return result_of(await self._answer)

    def receive(self, message: Message) -> None:
        """Takes an answer; one to a request that was given up is late, and nobody's."""
        waiting = self._answer
        if waiting is not None and not waiting.done() and message.body.get("in_reply_to") == self._asked:
            waiting.set_result(message.body)

    def give_up(self, node: str) -> None:
        """Waits no longer, if it waits for this node."""
        if self._node == node and self._answer is not None and not self._answer.done():
            self._answer.set_exception(NodeKilled())


class Cluster:
    """See the module. Use it as an asynchronous context: nodes are running inside, and none is left behind it."""

    def __init__(
        self,
        command: Sequence[str],
        count: int,
        *,
        seed: int,
        recorder: Recorder,
        quality: Quality | None = None,
        logs: Path | None = None,
    ) -> None:
        self.names = tuple(f"n{i + 1}" for i in range(count))
        self.quality = quality or Quality()
        self.links = Links(Random(f"{seed} links"), self.quality)
        self.recorder = recorder
        self.failure: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.messages = 0
        self._command = tuple(command)
        self._logs = logs
        self._services: dict[str, Service] = all_services(seed)
        self._clients: dict[str, Client] = {}
        self._nodes: dict[str, NodeProcess] = {}
        self._printed = Printed()
        self._up = {name: asyncio.Event() for name in self.names}
        self.restarted: dict[str, float] = {}
        self._in_flight = 0
        self._begin = asyncio.get_running_loop().time()

    async def __aenter__(self) -> Self:
        try:
            for name in self.names:
                await self._start(name)
            await self._together(self._init(name) for name in self.names)
        except BaseException:
            await self.__aexit__()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        stopping = asyncio.gather(*(node.stop() for node in self._nodes.values()))
        try:
            await asyncio.shield(stopping)
        except asyncio.CancelledError:  # whoever interrupts this wants the nodes to end all the more
            await stopping
            raise
        if self.failure.done():
            self.failure.exception()  # whoever cares has seen it

    def now(self) -> float:
        """Seconds since the beginning."""
        return asyncio.get_running_loop().time() - self._begin

    def client(self) -> Client:
        """Another client, `c1` and so on."""
        name = f"c{len(self._clients) + 1}"
        self._clients[name] = Client(self, name)
        return self._clients[name]

    # ---- faults

    async def kill(self, name: str) -> None:
        """Ends a node at once. In the record it dies after all that it has sent."""
        self._up[name].clear()
        await self._nodes[name].kill()
        self.note(name, Kind.FAULT, "kill")
        for client in self._clients.values():
            client.give_up(name)

    async def restart(self, name: str) -> None:
        """Starts it again, with nothing but what it has written to disk itself."""
        self.note(name, Kind.FAULT, "restart")
        try:
            await self._start(name)
            await self._init(name)
        except NodeProblem as problem:
            self.fail(problem)
        else:
            self.restarted[name] = self.now()

    def is_down(self, name: str) -> bool:
        """Whether a node is dead, or has not answered `init` yet."""
        return name in self._up and not self._up[name].is_set()

    async def until_up(self, name: str) -> None:
        """Waits until a node can be asked."""
        await self._up[name].wait()

    def pause(self, name: str) -> None:
        """Lets a node stand still."""
        self.note(name, Kind.FAULT, "pause")
        self._nodes[name].pause()

    def resume(self, name: str) -> None:
        """Lets it go on."""
        self.note(name, Kind.FAULT, "resume")
        self._nodes[name].resume()

    async def cut(self, one: Sequence[str], other: Sequence[str], *, one_way: bool) -> None:
        """Cuts nodes off from others. It is recorded when they have told what they did with the last messages."""
        self.links.cut(one, other, one_way=one_way)
        await asyncio.sleep(DIGESTING)
        self.note(None, Kind.FAULT, "cut", args={"from": [*one], "to": [*other], "one_way": one_way})

    def heal(self) -> None:
        """Ends every cut."""
        self.links.heal()
        self.note(None, Kind.FAULT, "heal")

    # ---- messages

    def route(self, origin: str, message: Message) -> None:
        """Sends a message on its way; `origin` is the process that it comes from, whatever its `src` says."""
        self.messages += 1
        clock = self.note(origin, Kind.SEND, message.type, args={"to": message.dest, "body": message.body})
        if message.dest == TRACER:
            self._trace(origin, message.body)
            return
        if message.dest not in self._nodes and message.dest not in self._services and message.dest not in self._clients:
            if message.is_request:
                text = f"nobody is called {message.dest[:50]!r}; nodes are {', '.join(self.names)}"
                self.route(NETWORK, reply_to(message, error_body(NODE_NOT_FOUND, text)))
            return
        at_once = origin in self._clients or message.dest in self._clients
        for delay in [0.0] if at_once else self.links.delays():
            self._in_flight += 1
            if self._in_flight > MAX_IN_FLIGHT:
                text = f"and others have {MAX_IN_FLIGHT:,} messages on their way at once"
                self.fail(self.problem(origin, Trouble.PROTOCOL, text))
                return
            asyncio.get_running_loop().call_later(delay, self._arrive, origin, message, clock)

    def _arrive(self, origin: str, message: Message, clock: Any) -> None:
        self._in_flight -= 1
        if not self.links.connected(origin, message.dest):
            return
        args: dict[str, Json] = {"from": message.src, "body": message.body}
        self.note(message.dest, Kind.RECV, message.type, args=args, after=clock)
        if message.dest in self._clients:
            self._clients[message.dest].receive(message)
        elif message.dest in self._services:
            self.route(message.dest, reply_to(message, self._services[message.dest].handle(message.src, message.body)))
        else:
            self._nodes[message.dest].send(message)

    def _trace(self, node: str, body: Body) -> None:
        seen, args = body.get("obs"), body.get("args")
        self.note(
            node,
            Kind.ACTION,
            str(body.get("step", "")),
            args=args if isinstance(args, dict) else {},
            obs=seen if isinstance(seen, dict) else {},
        )

    def note(self, node: str | None, kind: Kind, name: str, **more: Any) -> Any:
        """Adds to the record."""
        return self.recorder.add(self.now(), node, kind, name, **more)

    # ---- nodes

    async def _start(self, name: str) -> None:
        log = None if self._logs is None else self._logs / f"{name}.log"
        self._nodes[name] = NodeProcess(
            name,
            self._command,
            receive=lambda m: self.route(name, m),
            fail=self.fail,
            log=log,
            printed=self._printed,
        )
        await self._nodes[name].start()

    async def _init(self, name: str) -> None:
        body: Body = {"type": "init", "node_id": name, "node_ids": [*self.names]}
        try:
            answer = await self.or_failure(self.client().call(name, body, INIT_TIMEOUT))
        except TimeoutError:
            text = f"has not answered `init` with `init_ok` within {INIT_TIMEOUT:g} s"
            raise self.problem(name, Trouble.START, text) from None
        except RpcError as problem:
            raise self.problem(name, Trouble.START, f"refuses `init`: {problem}") from None
        if answer.get("type") != "init_ok":
            text = f"answers `init` with {str(answer.get('type'))[:50]!r} in the place of `init_ok`"
            raise self.problem(name, Trouble.PROTOCOL, text)
        self._nodes[name].serve()
        self._up[name].set()

    async def or_failure(self, work: Any) -> Any:
        """Waits for something, unless a node fails first; then that is raised."""
        task = asyncio.ensure_future(work)
        try:
            await asyncio.wait([task, self.failure], return_when=asyncio.FIRST_COMPLETED)
            if self.failure.done():
                self.failure.result()
            return task.result()
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def settle(self) -> None:
        """Raises the problem of a node that has just ended."""
        await asyncio.sleep(0)
        await asyncio.gather(*(node.settle() for node in self._nodes.values()))
        if self.failure.done():
            self.failure.result()

    async def _together(self, work: Iterable[Any]) -> None:
        """Does several things at once and raises the first problem, once all have ended."""
        for result in await asyncio.gather(*work, return_exceptions=True):
            if isinstance(result, BaseException):
                raise result

    def problem(self, name: str, trouble: Trouble, text: str) -> NodeProblem:
        """A problem of a node, with the last lines of its log."""
        return NodeProblem(name, trouble, text, self._nodes[name].tail if name in self._nodes else ())

    def fail(self, problem: NodeProblem) -> None:
        """Ends the run with the first problem."""
        if not self.failure.done():
            self.failure.set_exception(problem)
