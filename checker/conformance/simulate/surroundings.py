"""What one simulated process sees of the world: its disk, its messages, its clock.

It has the shape of `refimpl.runtime.interface.Environment`, so that an implementation cannot tell the difference.

**The disk** belongs to the name, not to the life: it outlives crashes. Of each file it knows what is written and what of that
is synced. A crash leaves what was synced. A real disk may have written more than it was asked to, so with `Survival.PREFIX`
chance also keeps a part of what was appended after the last sync.

**Effects.** Sending a message and changing the disk are the effects of a process. A crash may be ordered between any two of
them: the process then ends in the middle of a handler, where crashes hurt most. It ends by `Crashed`, which is no `Exception`,
so that a handler for errors does not take it for one; and a process that is dead can have no effect at all.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from enum import Enum
from random import Random
from typing import Any, NoReturn, Protocol

from checker.conformance.jsonlines import dump, parse_object
from checker.conformance.simulate.loop import Owner, VirtualLoop

Message = Mapping[str, Any]


class Crashed(BaseException):  # not an `Exception`: see the module
    """The process has crashed; nothing that it does has an effect any more."""


class Survival(Enum):
    """What is left of a file after a crash."""

    SYNCED = "synced"
    PREFIX = "prefix"


class Storage:
    """The files of one process, through all its lives."""

    def __init__(self, random: Random, survival: Survival) -> None:
        self._random = random
        self._survival = survival
        self._written: dict[str, bytes] = {}
        self._synced: dict[str, bytes] = {}

    def read(self, file: str) -> bytes:
        return self._written.get(file, b"")

    def write(self, file: str, data: bytes) -> None:
        self._written[file] = data

    def sync(self, file: str) -> None:
        if file not in self._written:
            raise FileNotFoundError(f"{file!r} was never written, so it cannot be synced")
        self._synced[file] = self._written[file]

    def crash(self) -> int:
        """Loses what was not synced, and says how many files that concerned."""
        lost = 0
        for file, written in list(self._written.items()):
            kept = self._synced.get(file, b"")
            if written == kept:
                continue
            if self._survival is Survival.PREFIX and written.startswith(kept):
                kept = written[: self._random.randint(len(kept), len(written))]
            lost += written != kept
            if kept or file in self._synced:
                self._written[file] = self._synced[file] = kept
            else:
                del self._written[file]
        return lost


class World(Protocol):
    """What the surroundings ask of the simulation."""

    loop: VirtualLoop

    def sent(self, owner: Owner, receiver: str, message: dict[str, Any]) -> None: ...
    def received(self, owner: Owner, letter: Letter) -> None: ...
    def traced(self, owner: Owner, step: str, observed: dict[str, Any]) -> None: ...
    def struck(self, owner: Owner) -> None: ...


class Letter:
    """A message on its way: who sent what, and the vector clock of the sending."""

    __slots__ = ("body", "clock", "sender")

    def __init__(self, sender: str, body: dict[str, Any], clock: Mapping[str, int]) -> None:
        self.sender = sender
        self.body = body
        self.clock = clock


class SimulatedDisk:
    """The disk as one life of a process sees it."""

    def __init__(self, env: SimulatedEnvironment, storage: Storage) -> None:
        self._env = env
        self._storage = storage

    def read(self, file: str) -> bytes:
        self._env.alive()
        return self._storage.read(file)

    def append(self, file: str, data: bytes) -> None:
        self._env.effect(lambda: self._storage.write(file, self._storage.read(file) + data))

    def write(self, file: str, data: bytes) -> None:
        self._env.effect(lambda: self._storage.write(file, data))

    def sync(self, file: str) -> None:
        self._env.effect(lambda: self._storage.sync(file))


class SimulatedEnvironment:
    """The surroundings of one life of one process."""

    def __init__(self, world: World, owner: Owner, storage: Storage, random: Random) -> None:
        self.name = owner.name
        self.random = random
        self.disk = SimulatedDisk(self, storage)
        self.effects_left: int | None = None
        """After so many effects the process crashes; None for never."""
        self._world = world
        self._owner = owner
        self._inbox: asyncio.Queue[Letter] = asyncio.Queue()

    def now(self) -> float:
        return self._owner.clock.wall(self._world.loop.now)

    def send(self, receiver: str, message: Message) -> None:
        body = parse_object(dump(dict(message)))  # as on a real network: only JSON, and nothing shared
        self.effect(lambda: self._world.sent(self._owner, receiver, body))

    async def receive(self) -> tuple[str, Message]:
        self.alive()
        letter = await self._inbox.get()
        self.alive()
        self._world.received(self._owner, letter)
        return letter.sender, letter.body

    def trace(self, step: str, **observed: Any) -> None:
        self.alive()
        self._world.traced(self._owner, step, parse_object(dump(observed)))

    # ---- for the simulation

    def arrive(self, letter: Letter) -> None:
        """Puts a message where `receive` finds it."""
        self._inbox.put_nowait(letter)

    def alive(self) -> None:
        """Raises `Crashed` unless the process is alive."""
        if self._owner.dead:
            self._end()

    def effect(self, do: Callable[[], None]) -> None:
        """Lets the process act on the world, if it still can."""
        self.alive()
        if self.effects_left == 0:
            self._world.struck(self._owner)
            self._end()
        if self.effects_left is not None:
            self.effects_left -= 1
        do()

    def _end(self) -> NoReturn:
        raise Crashed(self.name)
