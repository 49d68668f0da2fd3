"""A register on several processes, for tests of the simulator: the algorithm of Attiya, Bar-Noy and Dolev.

Any process takes requests of clients. It asks a majority for the newest value, and tells a majority of a value that is newer.
A value is newer by its number, then by the name of its writer. What a process has acknowledged is on its disk.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from refimpl.runtime.interface import Environment, Message

PATIENCE = 0.1
"""Seconds until a question is asked again."""


class Register:
    def __init__(self, env: Environment, peers: Sequence[str], *, sync: bool = True, quorum: int | None = None) -> None:
        self.env = env
        self.peers = peers
        self.sync = sync
        self.quorum = quorum or len(peers) // 2 + 1
        self.asked = 0
        self.answers: dict[int, dict[str, Message]] = {}
        self.enough: dict[int, asyncio.Event] = {}
        lines = env.disk.read("register").decode().splitlines()
        self.newest: list[Any] = json.loads(lines[-1]) if lines else [0, "", 0]

    async def serve(self) -> None:
        async with asyncio.TaskGroup() as tasks:
            while True:
                sender, message = await self.env.receive()
                match message["type"]:
                    case "read" | "write":
                        tasks.create_task(self.request(sender, message))
                    case "ask":
                        self.env.send(sender, {"type": "answer", "id": message["id"], "newest": self.newest})
                    case "tell":
                        self.learn(message["newest"])
                        self.env.send(sender, {"type": "answer", "id": message["id"]})
                    case "answer" if message["id"] in self.answers:
                        self.answers[message["id"]][sender] = message
                        if len(self.answers[message["id"]]) >= self.quorum:
                            self.enough[message["id"]].set()

    def learn(self, newest: list[Any]) -> None:
        if newest[:2] > self.newest[:2]:
            self.newest = newest
            self.env.disk.append("register", json.dumps(newest).encode() + b"\n")
            if self.sync:
                self.env.disk.sync("register")
            self.env.trace("Learn", number=newest[0])

    async def request(self, client: str, message: Message) -> None:
        answers = await self.majority({"type": "ask"})
        number, writer, value = max((a["newest"] for a in answers), key=lambda n: n[:2])
        if message["type"] == "write":
            number, writer, value = number + 1, self.env.name, message["value"]
        await self.majority({"type": "tell", "newest": [number, writer, value]})
        self.env.send(client, {"type": "done", "id": message["id"], "value": value})

    async def majority(self, question: dict[str, Any]) -> list[Message]:
        self.asked += 1
        number = self.asked
        self.answers[number], self.enough[number] = {}, asyncio.Event()
        while not self.enough[number].is_set():
            for peer in self.peers:
                if peer not in self.answers[number]:
                    self.env.send(peer, {**question, "id": number})
            with suppress(TimeoutError):
                async with asyncio.timeout(PATIENCE):
                    await self.enough[number].wait()
        del self.enough[number]
        return list(self.answers.pop(number).values())


async def call(client: Environment, node: str, number: int, **request: Any) -> Any:
    """One request of a client; `TimeoutError` if nobody answers."""
    client.send(node, {**request, "id": number})
    async with asyncio.timeout(2):
        while True:
            _, message = await client.receive()
            if message["id"] == number:
                return message["value"]
