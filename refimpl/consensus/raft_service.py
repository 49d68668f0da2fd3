"""A key-value store on Raft, as processes that talk: on sockets and disks, or in a simulator.

`raft` says what a server does with a message. Here it gets what it needs to run by itself:

- **Two timers in one.** A leader sends to each follower every `HEARTBEAT`. A server that hears of no leader for an `ELECTION`
  timeout, drawn anew each time so that not all of them wake at once, stands for election.
- **A first entry.** A new leader may not commit entries of earlier terms by themselves, so it begins with one of its own that
  does nothing, and cannot know before that is committed how far the log is.
- **Answers.** A command is answered when it is applied, which is when it is committed. Reads are commands, too: a leader that was
  replaced without knowing it would answer from an old state.

A client asks one server after the other until it is answered. It gives its commands numbers, since it cannot know whether one
without an answer was carried out.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from typing import Any

from refimpl.consensus.raft import Ack, Address, Append, Ask, Entry, Place, Role, Send, Server, Term, Vote
from refimpl.consensus.store import CLIENT_WIRE, Redirect, Reply, Request, Store
from refimpl.runtime.interface import Disk, Environment, Message
from refimpl.runtime.log import DiskLog, Log
from refimpl.runtime.wire import Wire

WIRE = Wire(Ask, Vote, Append, Ack, Request)

HEARTBEAT = 0.05
"""Seconds between two messages of a leader to a follower."""
ELECTION = (0.2, 0.4)
"""Seconds without a leader after which a server stands for election: at least, at most."""
JOURNAL = "raft.log"
STANDING = "standing"
"""The name under which a server tells what it knows from its disk, when it begins."""

MakeServer = Callable[[Address, Sequence[Address], Log, Send], Server]
MakeJournal = Callable[[Disk, str], Log]


class Node:
    """One process: a Raft server, the store that its log makes, and the clients that wait."""

    def __init__(
        self,
        env: Environment,
        servers: Sequence[Address],
        *,
        server: MakeServer = Server,
        store: Callable[[], Store] = Store,
        journal: MakeJournal = DiskLog,
    ) -> None:
        self._env = env
        self.server = server(
            env.name, servers, journal(env.disk, JOURNAL), lambda to, message: env.send(to, WIRE.write(message))
        )
        self.store = store()
        self.applied: Place = 0
        self._waiting: dict[Place, tuple[Term, Address, int]] = {}
        self._clock = asyncio.get_running_loop().time
        self._deadline = 0.0
        self._rest()

    async def run(self) -> None:
        """Serves for ever."""
        self._trace(STANDING, log=self._terms())
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout_at(self._deadline):
                    sender, message = await self._env.receive()
                self.take(sender, message)
            if self._clock() >= self._deadline:
                self._ring()
            self._settle()

    # ---- what happens

    def take(self, sender: Address, raw: Message) -> None:
        """Takes a message of another server or of a client; what is neither is passed over."""
        try:
            message = WIRE.read(raw)
        except ValueError:
            return
        server = self.server
        if isinstance(message, Request):
            self._on_request(sender, message)
            return
        if sender not in server.peers:
            return
        expected = server.next[sender]
        server.receive(sender, message)
        self._trace(f"Server.{type(message).__name__}")
        match message:
            case Append(term) if term == server.term:
                self._rest()
            case Ask(term) if (term, sender) == (server.term, server.voted):
                self._rest()
            case Ack() if server.next[sender] != expected and server.match[sender] < len(server.log):
                server.replicate(sender)  # only to what is new: each answer to a doubled message would double it again

    def _on_request(self, client: Address, request: Request) -> None:
        server = self.server
        command = {"client": client, "request": dict(CLIENT_WIRE.write(request))}
        place = server.propose(command)
        if place is None:
            self._answer(client, Redirect(request.number, server.leader))
            return
        self._trace("Server.Client")
        self._waiting[place] = (server.term, client, request.number)
        self._tell_all()

    def _ring(self) -> None:
        if self.server.role is Role.LEADER:
            self._tell_all()
            self._deadline = self._clock() + HEARTBEAT
        else:
            self.server.elect()
            self._trace("Server.Elect")
            self._rest()

    def _settle(self) -> None:
        """What follows from what the server knows now."""
        if self.server.lead():
            self._trace("Server.Lead", log=self._terms())
            self.server.propose(None)
            self._trace("Server.Client")
            self._tell_all()
            self._deadline = self._clock() + HEARTBEAT
        while self.applied < self.server.commit:
            self.applied += 1
            self._apply(self.applied, self.server.log[self.applied - 1])

    def _apply(self, place: Place, entry: Entry) -> None:
        self._env.trace("apply", place=place, term=entry.term, command=entry.command)
        waits = self._waiting.pop(place, None)
        match entry.command:
            case {"client": str() as client, "request": dict() as request}:
                asked: Request = CLIENT_WIRE.read(request)
                result = self.store.apply(client, asked)
                if waits == (entry.term, client, asked.number):
                    self._answer(client, Reply(asked.number, result))

    # ---- what it does

    def _tell_all(self) -> None:
        for peer in self.server.peers:
            self.server.replicate(peer)

    def _answer(self, client: Address, message: Reply | Redirect) -> None:
        self._env.send(client, CLIENT_WIRE.write(message))

    def _terms(self) -> list[Term]:
        """The log as its spec has it."""
        return [entry.term for entry in self.server.log]

    def _rest(self) -> None:
        self._deadline = self._clock() + self._env.random.uniform(*ELECTION)

    def _trace(self, step: str, **more: Any) -> None:
        s = self.server
        self._env.trace(step, term=s.term, voted=s.voted, mode=s.role.value, commit=s.commit, **more)


async def serve(env: Environment, servers: Sequence[Address]) -> None:
    """Runs one server."""
    await Node(env, servers).run()


class Client:
    """Asks the servers. One command at a time."""

    def __init__(self, env: Environment, servers: Sequence[Address], *, again: float = 0.3) -> None:
        self._env = env
        self._again = again
        self._number = 0
        self._others = self._round(list(servers))
        self._server = next(self._others)

    def _round(self, servers: list[Address]) -> Iterator[Address]:
        self._env.random.shuffle(servers)
        while True:
            yield from servers

    async def ask(self, op: str, key: str, value: Any = None) -> Any:
        """Has a command carried out, and returns what came of it. Set a timeout: it asks for as long as it takes."""
        self._number += 1
        request = Request(self._number, op, key, value)
        while True:
            self._env.send(self._server, CLIENT_WIRE.write(request))
            try:
                async with asyncio.timeout(self._again):
                    answer = await self._answer(request.number)
            except TimeoutError:
                answer = None
            if isinstance(answer, Reply):
                return answer.value
            if answer is not None:
                await asyncio.sleep(self._again / 10)  # a server may send us to one that does not know yet, and back
            self._server = next(self._others) if answer is None or answer.server is None else answer.server

    async def _answer(self, number: int) -> Reply | Redirect:
        """The next answer to a command; late ones to earlier commands are passed over."""
        while True:
            _, raw = await self._env.receive()
            with suppress(ValueError):
                answer = CLIENT_WIRE.read(raw)
                if isinstance(answer, Reply | Redirect) and answer.number == number:
                    return answer
