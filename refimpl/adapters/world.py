"""The world in which processes under test live: their disks, and the messages that they have sent.

Messages are never taken away, as in the network of a spec that calls it a soup, so that any of them can be delivered at any
later time and again. Every forced record and every message to one receiver is an effect, noted in order.

**A crash in the middle of a handler.** The handler runs to its end. Then disks and network are put back, and only those effects
are done again that the crash let happen. Of a message to many, those that got it are the ones that the spec names, since a
network reaches them in any order.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from checker.conformance.adapter import Adapter, Refused
from checker.conformance.event import Event, Torn
from checker.model.machine import Machine

Address = str
M = TypeVar("M")


@dataclass(frozen=True, slots=True)
class Letter(Generic[M]):
    """A message on its way."""

    sender: Address
    receiver: Address
    message: M


class World(Generic[M]):
    """What survives every crash. `effects` is what happened since it was cleared.

    Args:
        names: those who have a disk.
        text: a message as the spec writes it. Observing is what takes the time of a replay, so texts are kept in `texts`,
            which may be handed from one world to the next.
    """

    def __init__(
        self, names: Iterable[Address], text: Callable[[Letter[M]], str], texts: dict[Letter[M], str] | None = None
    ) -> None:
        self.disks: dict[Address, list[str]] = {name: [] for name in names}
        self.letters: dict[Letter[M], str] = {}
        self.effects: list[tuple[Address, str] | Letter[M]] = []
        self._text = text
        self._texts = {} if texts is None else texts

    @property
    def network(self) -> list[str]:
        """The messages in flight, as the spec writes them."""
        return list(self.letters.values())

    def happen(self, effect: tuple[Address, str] | Letter[M]) -> None:
        """Lets an effect happen, and notes it."""
        self.effects.append(effect)
        if isinstance(effect, Letter):
            text = self._texts.get(effect)
            if text is None:
                text = self._texts[effect] = self._text(effect)
            self.letters[effect] = text
        else:
            owner, record = effect
            self.disks[owner].append(record)

    def sender(self, name: Address) -> Callable[[Address, M], None]:
        """What a process is given to send with."""
        return lambda receiver, message: self.happen(Letter(name, receiver, message))

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
        disks = {owner: list(records) for owner, records in self.disks.items()}
        letters = dict(self.letters)
        self.effects.clear()
        adapter.perform(torn.event)
        effects = list(self.effects)
        self.disks, self.letters = disks, letters
        if torn.reached is not None:
            reached = set(torn.reached)
            effects.sort(key=lambda effect: isinstance(effect, Letter) and effect.receiver not in reached)
        for effect in effects[: torn.effects]:
            self.happen(effect)


class Disk(Generic[M]):
    """The log of one process in the world."""

    def __init__(self, world: World[M], owner: Address) -> None:
        self._world = world
        self._owner = owner

    def force(self, record: str) -> None:
        """Appends a record."""
        self._world.happen((self._owner, record))

    def records(self) -> Sequence[str]:
        """Everything that was forced so far."""
        return tuple(self._world.disks[self._owner])


def safe(memory: object, disk: object) -> object:
    """What a process knows, if its disk says the same, and otherwise what each says: that is no value of any spec."""
    return memory if memory == disk else f"{memory} (memory), {disk} (disk)"


def node_of(event: Event) -> Address:
    """Who takes the step of an event."""
    assert event.node is not None
    return event.node


def bound(machine: Machine, name: str) -> int:
    """The value of a whole number among the constants of a spec."""
    value = machine.constants[name][1]
    assert isinstance(value, int)
    return value
