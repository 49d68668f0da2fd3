"""Paxos as processes that talk: on sockets and disks, or in a simulator. Together they choose one value.

Every member is an acceptor and may lead; it learns from the votes of all. A client tells a member its wish, and gets to know
what was chosen, which may be the wish of somebody else.

A member leads one ballot after the other, of which each is its own: of n members, member i takes i, i + n, i + 2 n … After a
restart it takes none of which its journal tells a proposal, for what it proposed there may be on its way. Since two leaders can
stop each other for ever, each waits for a random time before it tries again.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from refimpl.consensus.paxos import (
    Accept,
    Accepted,
    Acceptor,
    Address,
    Ballot,
    Leader,
    Learner,
    Message,
    Prepare,
    Promise,
    Send,
)
from refimpl.runtime.interface import Disk, Environment
from refimpl.runtime.log import DiskLog, Log
from refimpl.runtime.wire import Wire


@dataclass(frozen=True, slots=True)
class Wish:
    """To a member: let this be chosen, and tell me what was."""

    value: str


@dataclass(frozen=True, slots=True)
class Chosen:
    """To a client: this was chosen."""

    value: str


WIRE = Wire(Prepare, Promise, Accept, Accepted, Wish, Chosen)

PATIENCE = (0.1, 0.5)
"""Seconds after which a leader tries again in a later ballot: at least, at most."""
VOTES, PROPOSALS = "votes.log", "proposals.log"

MakeAcceptor = Callable[[Sequence[Address], Log, Send], Acceptor]
MakeLeader = Callable[[Ballot, Sequence[Address], Log, Send], Leader]
MakeJournal = Callable[[Disk, str], Log]


class Member:
    """One process."""

    def __init__(
        self,
        env: Environment,
        members: Sequence[Address],
        *,
        acceptor: MakeAcceptor = Acceptor,
        leader: MakeLeader = Leader,
        journal: MakeJournal = DiskLog,
    ) -> None:
        self._env = env
        self._members = tuple(members)
        self._make = leader
        self._proposals = journal(env.disk, PROPOSALS)
        self._acceptor = acceptor(members, journal(env.disk, VOTES), self._send)
        self._learner = Learner(len(members))
        self._leader: Leader | None = None
        self._wish: str | None = None
        self._clients: set[Address] = set()
        self._clock = asyncio.get_running_loop().time
        self._deadline = 0.0

    async def run(self) -> None:
        """Serves for ever."""
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout_at(self._deadline if self._leads else None):
                    sender, raw = await self._env.receive()
                with suppress(ValueError):
                    self._take(sender, WIRE.read(raw))
            if self._leads and self._clock() >= self._deadline:
                self._lead()
            if self._leader is not None and self._wish is not None:
                self._leader.propose(self._wish)
            self._tell()

    @property
    def _leads(self) -> bool:
        """Whether it wants something, and nothing is known to be chosen."""
        return self._wish is not None and self._learner.chosen is None

    def _take(self, sender: Address, message: Message | Wish | Chosen) -> None:
        if isinstance(message, Wish):
            self._wish = self._wish or message.value
            self._clients.add(sender)
        elif sender not in self._members:
            return
        elif isinstance(message, Prepare | Accept):
            self._acceptor.receive(sender, message)
        elif isinstance(message, Accepted):
            known = self._learner.chosen
            self._learner.receive(sender, message)
            if self._learner.chosen != known:
                self._env.trace("chosen", value=self._learner.chosen)
        elif isinstance(message, Promise) and self._leader is not None:
            self._leader.receive(sender, message)

    def _lead(self) -> None:
        """Tries in a ballot of its own that is above the last one."""
        ballot = self._members.index(self._env.name) if self._leader is None else self._leader.ballot
        used = {json.loads(record)["ballot"] for record in self._proposals.records()}
        while ballot in used or (self._leader is not None and ballot <= self._leader.ballot):
            ballot += len(self._members)
        self._leader = self._make(ballot, self._members, self._proposals, self._send)
        self._leader.start()
        self._deadline = self._clock() + self._env.random.uniform(*PATIENCE)

    def _tell(self) -> None:
        if self._learner.chosen is not None:
            for client in sorted(self._clients):
                self._env.send(client, WIRE.write(Chosen(self._learner.chosen)))
            self._clients.clear()

    def _send(self, receiver: Address, message: Message) -> None:
        self._env.send(receiver, WIRE.write(message))


async def serve(env: Environment, members: Sequence[Address]) -> None:
    """Runs one member."""
    await Member(env, members).run()


async def wish(env: Environment, members: Sequence[Address], value: str, *, again: float = 0.5) -> str:
    """Asks for a value, of one member after the other, and returns what was chosen. Set a timeout around it."""
    order = list(members)
    env.random.shuffle(order)
    while True:
        for member in order:
            env.send(member, WIRE.write(Wish(value)))
            with suppress(TimeoutError, ValueError):
                async with asyncio.timeout(again):
                    _, raw = await env.receive()
                answer: Any = WIRE.read(raw)
                if isinstance(answer, Chosen):
                    return answer.value
