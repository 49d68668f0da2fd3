"""A process on a real machine: sockets between processes, files for its disk.

Every process listens on one port. To send, it connects once to each receiver and writes one line of JSON for each message;
the first line of a connection says who speaks. Nothing is acknowledged: what waits for a receiver that cannot be reached is
dropped when there is too much of it, and what was written into a connection that then breaks is lost. That is the network of
`interface`, and it is why protocols ask again.

Lines come from other machines, so their length is bounded, and what is not an object of JSON ends the connection.

What a process tells of its steps is kept in `traced`, for whoever looks at it. A process may run for years, so only the beginning
is kept: the log says so once, and `untold` counts the rest.
"""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from random import Random
from typing import Any

from refimpl.runtime.files import FileDisk
from refimpl.runtime.interface import Message

Place = tuple[str, int]
"""Host and port."""

MAX_LINE = 1 << 20
"""Bytes of one message."""
WAITING = 1_000
"""How many messages wait for a receiver that cannot be reached."""
RETRY = 0.05
"""Seconds between two attempts to reach one."""
MOST_TRACED = 100_000
"""How many steps are kept."""

_LOG = logging.getLogger(__name__)


class TcpEnvironment:
    """The surroundings of one process; made by `tcp_environment`."""

    def __init__(self, name: str, places: Mapping[str, Place], folder: Path) -> None:
        self.name = name
        self.random = Random()
        self.disk = FileDisk(folder)
        self.traced: list[tuple[float, str, dict[str, Any]]] = []
        self.untold = 0
        self._places = dict(places)
        self._inbox: asyncio.Queue[tuple[str, Message]] = asyncio.Queue(WAITING)
        self._outboxes: dict[str, asyncio.Queue[bytes]] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def now(self) -> float:
        return time.time()

    def send(self, receiver: str, message: Message) -> None:
        line = json.dumps(dict(message), allow_nan=False).encode() + b"\n"
        if len(line) > MAX_LINE:
            raise ValueError(f"a message of {len(line):,} bytes is too long; {MAX_LINE:,} are the limit")
        outbox = self._outboxes.get(receiver)
        if outbox is None:
            if receiver not in self._places:
                raise ValueError(f"nobody is called {receiver!r}; known are {', '.join(sorted(self._places))}")
            outbox = self._outboxes[receiver] = asyncio.Queue(WAITING)
            self._spawn(self._deliver(receiver, outbox))
        with suppress(asyncio.QueueFull):
            outbox.put_nowait(line)

    async def receive(self) -> tuple[str, Message]:
        return await self._inbox.get()

    def trace(self, step: str, **observed: Any) -> None:
        if len(self.traced) < MOST_TRACED:
            self.traced.append((self.now(), step, observed))
            return
        if not self.untold:
            _LOG.warning(
                "%s has told of %s steps; what it tells from now on is not kept", self.name, f"{MOST_TRACED:,}"
            )
        self.untold += 1

    # ---- sockets

    def _spawn(self, work: Any) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _deliver(self, receiver: str, outbox: asyncio.Queue[bytes]) -> None:
        """Writes what is in the outbox, over one connection after the other."""
        host, port = self._places[receiver]
        while True:
            try:
                _, writer = await asyncio.open_connection(host, port)
            except OSError:
                await asyncio.sleep(RETRY)
                continue
            try:
                writer.write(json.dumps({"from": self.name}).encode() + b"\n")
                while True:
                    writer.write(await outbox.get())
                    await writer.drain()
            except OSError:
                pass
            finally:
                writer.close()
                with suppress(OSError):
                    await writer.wait_closed()

    async def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Takes one connection and puts its messages into the inbox."""
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            sender = str(_object(await reader.readline())["from"])
            while line := await reader.readline():
                await self._inbox.put((sender, _object(line)))
        except (OSError, ValueError, KeyError, RecursionError):
            pass  # whoever it was speaks another language; a process of this protocol connects again
        except asyncio.CancelledError:
            pass  # asked to end; a stream's callback takes a cancelled task for an error
        finally:
            self._tasks.discard(task)
            writer.close()
            with suppress(OSError, asyncio.CancelledError):
                await writer.wait_closed()

    async def close(self) -> None:
        """Ends every connection."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


@asynccontextmanager
async def tcp_environment(name: str, places: Mapping[str, Place], folder: Path) -> AsyncIterator[TcpEnvironment]:
    """Listens at the place of `name` among `places`, for as long as the context lasts; `folder` is the disk."""
    env = TcpEnvironment(name, places, folder)
    host, port = places[name]
    server = await asyncio.start_server(env.accept, host, port, limit=MAX_LINE)
    try:
        yield env
    finally:
        server.close()
        await env.close()
        await server.wait_closed()


def _object(line: bytes) -> dict[str, Any]:
    value = json.loads(line)
    if not isinstance(value, dict):
        raise ValueError("a message is an object")
    return value
