"""PBFT as processes that talk: on sockets and disks, or in a simulator. Together they execute one value.

A client tells its wish to all replicas and believes what F + 1 of them answer, for one of those is honest. The replicas need
patience and repetition:

- **Everything is said again.** A replica keeps what it said, at most four messages in each view, and repeats it every `AGAIN`. So
  losses heal, and a proposal that came before the reports that make it safe comes once more behind them.
- **Views end.** A replica that has a wish and sees nothing executed goes on to the next view, more slowly each time, so that in
  the end one is long enough. It also follows when F + 1 others have gone further, since one of them is honest. One that
  has executed follows anybody, at its own pace: somebody may have been told too little to execute, and needs a quorum once more.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass

from refimpl.consensus.pbft import (
    Address,
    Commit,
    Message,
    Prepare,
    PrePrepare,
    Replica,
    Send,
    Signatures,
    View,
    ViewChange,
)
from refimpl.runtime.interface import Environment
from refimpl.runtime.log import DiskLog, Log
from refimpl.runtime.wire import Wire


@dataclass(frozen=True, slots=True)
class Wish:
    """To all replicas: let this be executed, and tell me what was."""

    value: str


@dataclass(frozen=True, slots=True)
class Done:
    """To a client: this was executed."""

    value: str


WIRE = Wire(PrePrepare, Prepare, Commit, ViewChange, Wish, Done)

AGAIN = 0.2
"""Seconds after which everything is said again."""
PATIENCE = 0.6
"""Seconds of the first view; each further one is half as long again, up to `LONGEST`."""
LONGEST = 20.0
JOURNAL = "pbft.log"

MakeReplica = Callable[[Address, Sequence[Address], Signatures, Log, Send], Replica]


class Node:
    """One process."""

    def __init__(
        self,
        env: Environment,
        replicas: Sequence[Address],
        signatures: Signatures,
        *,
        replica: MakeReplica = Replica,
    ) -> None:
        self._env = env
        self._faulty = (len(replicas) - 1) // 3
        self._said: dict[tuple[Address, Message], None] = {}
        self._views: dict[Address, View] = {}
        self._wish: str | None = None
        self._clients: set[Address] = set()
        self._clock = asyncio.get_running_loop().time
        self._again = self._clock() + AGAIN
        self._patience = self._clock() + PATIENCE
        self.replica = replica(env.name, replicas, signatures, DiskLog(env.disk, JOURNAL), self._say)

    async def run(self) -> None:
        """Serves for ever."""
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout_at(min(self._again, self._patience)):
                    sender, raw = await self._env.receive()
                with suppress(ValueError):
                    self._take(sender, WIRE.read(raw))
            self._keep_time()
            self._act()

    def _take(self, sender: Address, message: Message | Wish | Done) -> None:
        if isinstance(message, Wish):
            self._wish = self._wish or message.value
            self._clients.add(sender)
        elif sender in self.replica.replicas and not isinstance(message, Done):
            self.replica.receive(sender, message)
            if isinstance(message, ViewChange):
                self._views[sender] = max(message.view, self._views.get(sender, 0))

    def _keep_time(self) -> None:
        replica, now = self.replica, self._clock()
        further = sum(view > replica.view for name, view in self._views.items() if name != replica.name)
        waited = now >= self._patience
        behind = further > 0 if replica.executed is not None else self._wish is not None
        if (waited and behind) or further > self._faulty:
            replica.next_view()
            self._env.trace("Rep.NextView", view=replica.view)
            waited = True
        if waited:
            self._patience = now + min(LONGEST, PATIENCE * 1.5 ** min(replica.view, 20))
        if now >= self._again:
            self._again = now + AGAIN
            for receiver, message in self._said:
                self._env.send(receiver, WIRE.write(message))

    def _act(self) -> None:
        replica = self.replica
        if self._possible():
            replica.propose(self._possible())
        replica.commit()
        if replica.execute():
            self._env.trace("Rep.Execute", executed=replica.executed)
        if replica.executed is not None:
            for client in sorted(self._clients):
                self._env.send(client, WIRE.write(Done(replica.executed)))
            self._clients.clear()

    def _possible(self) -> str:
        """What may be proposed: the value of a certificate that was reported, or else of what is known and wished."""
        return self.replica.reported(self.replica.view) or self.replica.executed or self._wish or ""

    def _say(self, receiver: Address, message: Message) -> None:
        if (receiver, message) not in self._said:
            self._said[receiver, message] = None
            self._env.send(receiver, WIRE.write(message))


async def wish(env: Environment, replicas: Sequence[Address], value: str, *, again: float = 1.0) -> str:
    """Asks for a value and returns what was executed. Set a timeout around it."""
    answers: dict[Address, str] = {}
    while True:
        for replica in replicas:
            env.send(replica, WIRE.write(Wish(value)))
        with suppress(TimeoutError):
            async with asyncio.timeout(again):
                while True:
                    sender, raw = await env.receive()
                    with suppress(ValueError):
                        answer = WIRE.read(raw)
                        if sender in replicas and isinstance(answer, Done):
                            answers[sender] = answer.value
                    for said, count in Counter(answers.values()).items():
                        if count > (len(replicas) - 1) // 3:
                            return said
