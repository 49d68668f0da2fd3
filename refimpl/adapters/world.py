"""The world in which processes under test live: their disks, and the messages that they have sent.

Messages are never taken away, as in the network of a spec that calls it a soup, so that any of them can be delivered at any
later time and again.

**A crash in the middle of a handler.** Every forced record and every message to one receiver is an effect. The handler runs, and
ends by `Fallen` at the first effect that the crash does not let happen; the adapter then drops the process. Of a message to many,
those that get it are the ones that the spec names, since a network reaches them in any order.

Observing is what takes the time of a replay, and what is observed repeats itself. So texts of messages, and what a process would
know that starts from a disk, are kept for as long as the world is there, through all its beginnings.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from checker.conformance.adapter import Adapter, Refused
from checker.conformance.event import Event, Torn
from checker.model.machine import Machine
from refimpl.runtime.log import Log, MemoryLog

Address = str
M = TypeVar("M")
P = TypeVar("P")


class Fallen(BaseException):  # as a crash, it is nothing that a handler could catch
    """The process ends here."""


class Effects:
    """Counts what happens. `left` is how many effects happen before a crash; None for all. `count` have happened so far."""

    def __init__(self) -> None:
        self.left: int | None = None
        self.count = 0
        self._reached: frozenset[Address] = frozenset()

    def happen(self, receiver: Address | None = None) -> bool:
        """One effect is about to happen, which may be a message to somebody; False if the crash keeps it from that receiver.

        Raises:
            Fallen: the process has crashed before.
        """
        if self.left == 0:
            raise Fallen
        if self.left is not None:
            if receiver is not None and self.left <= len(self._reached) and receiver not in self._reached:
                return False
            self.left -= 1
        self.count += 1
        return True

    @contextmanager
    def until(self, torn: Torn) -> Iterator[None]:
        """Inside, a process acts until it is torn. Those who were reached are the receivers of its last effects."""
        self.left, self._reached = torn.effects, frozenset(torn.reached or ())
        try:
            with suppress(Fallen):
                yield
        finally:
            self.left, self._reached = None, frozenset()


@dataclass(frozen=True, slots=True)
class Letter(Generic[M]):
    """A message on its way."""

    sender: Address
    receiver: Address
    message: M


class World(Generic[M]):
    """What survives every crash.

    Args:
        names: those who have a disk.
        text: a message as the spec writes it.
    """

    def __init__(self, names: Iterable[Address], text: Callable[[Letter[M]], str]) -> None:
        self.disks: dict[Address, list[str]] = {name: [] for name in names}
        self.letters: dict[Letter[M], str] = {}
        self._effects = Effects()
        self._text = text
        self._texts: dict[Letter[M], str] = {}
        self._stored: dict[tuple[Address, tuple[str, ...]], Any] = {}

    def begin(self) -> None:
        """Empties the disks and the network."""
        for records in self.disks.values():
            records.clear()
        self.letters.clear()

    @property
    def network(self) -> list[str]:
        """The messages in flight, as the spec writes them."""
        return list(self.letters.values())

    def record(self, owner: Address, record: str) -> None:
        """Appends a record to a disk."""
        if self._effects.happen():
            self.disks[owner].append(record)

    def post(self, letter: Letter[M]) -> None:
        """Puts a message into the network."""
        if self._effects.happen(letter.receiver):
            text = self._texts.get(letter)
            if text is None:
                text = self._texts[letter] = self._text(letter)
            self.letters[letter] = text

    def sender(self, name: Address) -> Callable[[Address, M], None]:
        """What a process is given to send with."""
        return lambda receiver, message: self.post(Letter(name, receiver, message))

    def letter(self, sender: Address, receiver: Address, message: M) -> M:
        """A message that is to be delivered.

        Raises:
            Refused: it was never sent.
        """
        if Letter(sender, receiver, message) not in self.letters:
            raise Refused(f"{sender} never sent {message} to {receiver}")
        return message

    def tear(self, adapter: Adapter, torn: Torn) -> None:
        """Lets a handler run, and of its effects only some happen."""
        with self._effects.until(torn):
            adapter.perform(torn.event)

    def stored(self, name: Address, start: Callable[[Log, Callable[[Any, Any], None]], P]) -> P:
        """What a process would know that starts from this disk, given its log and nobody to send to."""
        key = name, tuple(self.disks[name])
        found: P | None = self._stored.get(key)
        if found is None:
            found = self._stored[key] = start(MemoryLog(key[1]), lambda *_: None)
        return found


class Disk(Generic[M]):
    """The log of one process in the world."""

    def __init__(self, world: World[M], owner: Address) -> None:
        self._world = world
        self._owner = owner

    def force(self, record: str) -> None:
        """Appends a record."""
        self._world.record(self._owner, record)

    def records(self) -> Sequence[str]:
        """Everything that was forced so far."""
        return tuple(self._world.disks[self._owner])


def unanimous(**places: object) -> object:
    """What several places say of one thing, if they agree, and otherwise what each says: that is no value of any spec."""
    values = iter(places.values())
    first = next(values)
    for value in values:
        if value != first:
            return ", ".join(f"{'nothing' if v is None else v} ({place})" for place, v in places.items())
    return first


def node_of(event: Event) -> Address:
    """Who takes the step of an event."""
    assert event.node is not None
    return event.node


def bound(machine: Machine, name: str) -> int:
    """The value of a whole number among the constants of a spec."""
    value = machine.constants[name][1]
    assert isinstance(value, int)
    return value
