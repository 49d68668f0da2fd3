"""The surroundings of one process: messages, a disk, a clock, chance.

A protocol is written as `async def main(env: Environment)`, uses asyncio for everything that waits (`asyncio.sleep`,
`asyncio.timeout`, tasks, queues), and touches the world through `env` alone. Such a process runs unchanged on sockets and
files and inside a simulator with virtual time, where the same seed gives the same run.

What the network promises is little, on purpose: a message arrives at most a few times, at any later time, in any order, or
not at all. A protocol that needs more asks again.

What the disk promises: `append` and `write` change what `read` gives, `sync` makes it last. What was not synced may be gone
after a crash, wholly or in part. So a promise may be sent once the record of it is synced, never before.
"""

from __future__ import annotations

from collections.abc import Mapping
from random import Random
from typing import Any, Protocol

Message = Mapping[str, Any]
"""A JSON object."""


class Disk(Protocol):
    """Files of one process, by name."""

    def read(self, file: str) -> bytes:
        """The content, with what was not synced yet; empty if there is no such file."""

    def append(self, file: str, data: bytes) -> None:
        """Adds to the end of a file, which is made if need be."""

    def write(self, file: str, data: bytes) -> None:
        """Puts a new content in the place of the old one: after a crash, one of them is there."""

    def sync(self, file: str) -> None:
        """Returns once the content is safe."""


class Environment(Protocol):
    """The surroundings of one process."""

    @property
    def name(self) -> str:
        """Its address."""

    @property
    def random(self) -> Random:
        """Where all chance comes from; a simulator seeds it."""

    @property
    def disk(self) -> Disk:
        """What survives a crash."""

    def now(self) -> float:
        """The wall clock in seconds. It may be wrong, and may be set back; for waiting, use asyncio."""

    def send(self, receiver: str, message: Message) -> None:
        """Sends without waiting."""

    async def receive(self) -> tuple[str, Message]:
        """Waits for the next message: who sent it, and what it says."""

    def trace(self, step: str, **observed: Any) -> None:
        """Tells which step of its spec the process has taken, and what it knows now."""
