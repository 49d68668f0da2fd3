"""The in-process adapter: what a test writes to hold an implementation to a spec.

An adapter owns the implementation under test and stands between it and its spec. It has one method for each step of the
spec, marked with the name of that step; a method may serve several steps. `perform` is what a driver calls. It has
`observe`, which reads the implementation's state in the words of the spec: the same names and JSON that traces and graphs
use. What an implementation does not let one see is left out or `UNSEEN`, and is not compared; how much is seen is part
of every report, since a comparison of nothing would always succeed.

    class LockAdapter(Adapter):
        unsupported = ("Client.Pause",)

        def begin(self, initial):
            self.lock = Lock()

        @step("Client.Acquire")
        def acquire(self, event):
            self.lock.acquire(owner=event.node)

        def observe(self):
            return {"Server.holder": self.lock.owner}

Who resolves a choice? Everything that the spec leaves to its surroundings (which step, which message, which faults) and every
`either` and `choose` comes with the event; the adapter lets the implementation go that way, for example by preparing the
answer that a database will give. Where the implementation cannot go a way that the spec demands, the adapter raises `Refused`,
which a driver reports as it reports a state that differs.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import field
from enum import Enum
from inspect import cleandoc
from typing import ClassVar, Final

from checker.base.data import dataclass
from checker.conformance.event import Event
from checker.conformance.mapping import Treatment, declarations_of
from checker.model.machine import Machine
from checker.model.values import instance_names
from checker.properties.kinds import Json
from checker.render.values import show


class Unseen(Enum):
    """The type of `UNSEEN`."""

    UNSEEN = "not observed"


UNSEEN: Final = Unseen.UNSEEN
"""What `observe` gives for a variable that cannot be seen at the moment."""

Observation = Mapping[str, object]
"""What was seen: variables of the spec with their values as JSON, or sets and tuples; what is missing is unseen."""


class Refused(Exception):
    """The implementation cannot take a step that the spec allows; the text says why."""


class ObservationError(Exception):
    """`observe` gave something that is no variable of the spec."""


@dataclass(frozen=True, slots=True)
class Instance:
    """A check, and constants that make it smaller than its author has it."""

    check: str
    constants: Mapping[str, int] = field(default_factory=dict)

    def __str__(self) -> str:
        given = ", ".join(f"{name} = {value}" for name, value in self.constants.items())
        return f"{self.check} ({given})" if given else self.check


@dataclass(frozen=True, slots=True)
class Scene:
    """A way through a check that is too large to be tried in full, to a situation that no small one has; see `scenes`.

    Attributes:
        name: what happens, in a few words.
        instance: the check.
        steps: the labels of its steps in order, as traces print them.
        initial: variables that tell the initial state from others, if there are several.
    """

    name: str
    instance: Instance
    steps: tuple[str, ...]
    initial: Mapping[str, Json] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.instance}, {self.name}"


@dataclass(frozen=True, slots=True)
class Mistake:
    """A wrong implementation, as a maker of its adapter.

    `text` says what is wrong. Where none of the adapter's instances and scenes can show that, `reason` says why, and which test
    does.
    """

    make: Callable[[Machine], Adapter]
    text: str = ""
    reason: str = ""

    @classmethod
    def of(cls, wrong: type, make: Callable[[Machine], Adapter]) -> Mistake:
        """A mistake that is a class: the first paragraph of its docstring is the text, what follows it is the reason."""
        text, _, reason = cleandoc(wrong.__doc__ or "").partition("\n\n")
        return cls(make, " ".join(text.split()), " ".join(reason.split()))

    def __call__(self, machine: Machine) -> Adapter:
        return self.make(machine)


class Adapter(ABC):
    """Drives one implementation in this process. A fresh one is made at every `begin`."""

    services: ClassVar[tuple[str, ...]] = ()
    """What has to run for it on this machine, such as `PostgreSQL`."""
    checks: ClassVar[tuple[str, ...] | None] = None
    """The checks of the spec that the implementation is to follow, where others are about something else; None for all."""
    smaller: ClassVar[tuple[Instance, ...]] = ()
    """Instances in which everything can be tried in seconds, where the checks as they are would take minutes."""
    scenes: ClassVar[tuple[Scene, ...]] = ()
    """Situations that none of these instances has and that are worth a visit."""
    hidden: ClassVar[tuple[str, ...]] = ()
    """Steps that the implementation takes by itself and unseen."""
    environment: ClassVar[tuple[str, ...]] = ()
    """Steps of the surroundings, which the implementation has no part in."""
    unsupported: ClassVar[tuple[str, ...]] = ()
    """Steps that the implementation cannot take."""
    resolves: ClassVar[tuple[str, ...]] = ()
    """Mapped steps whose `either` and `choose` the implementation decides: an exploration follows what it does."""

    @classmethod
    def mistakes(cls) -> Mapping[str, Callable[[Machine], Adapter]]:
        """Wrong implementations by name, each as a maker of an adapter: what a test of the tests has to find.

        A maker that is a `Mistake` is told of in its own words.
        """
        return {}

    @classmethod
    def absent(cls) -> str | None:
        """What is missing here for it to run, such as a service that does not answer; None where nothing is."""
        return None

    def __init__(self, machine: Machine) -> None:
        """Checks that every step of the spec is accounted for.

        Raises:
            MappingError: with everything that is wrong, if not.
        """
        self.machine = machine
        self._declarations = declarations_of(type(self), machine)
        self._falling = {b.roles[0].name for b in machine.budgets if b.count and b.kind in ("crash", "stop")}

    # ---- what an adapter is made of

    @abstractmethod
    def begin(self, initial: Mapping[str, Json]) -> None:
        """Makes a fresh implementation, in the initial state that the spec starts from."""

    @abstractmethod
    def observe(self) -> Observation:
        """The state of the implementation, as far as it can be seen. Drivers look when they like, and not after every step."""

    def close(self) -> None:  # noqa: B027
        """Gives back what it holds outside of its memory. Whoever made the adapter calls this at the end."""

    # ---- what a driver calls

    def treatment(self, unit: str) -> Treatment:
        """What a step is to the implementation."""
        return self._declarations.treatments[unit]

    def method(self, unit: str) -> str | None:
        """The name of the method that carries out a step, where one does."""
        return self._declarations.methods.get(unit)

    def perform(self, event: Event) -> None:
        """Carries out a step, if it is one that the implementation takes.

        Raises:
            Refused: the implementation cannot take it.
        """
        match self.treatment(event.unit):
            case Treatment.MAPPED:
                getattr(self, self._declarations.methods[event.unit])(event)
            case Treatment.UNSUPPORTED:
                raise Refused(f"{event.unit} is declared unsupported")

    # ---- the words of the spec

    def instances(self, role: str) -> tuple[str, ...]:
        """The names of the processes of a role under the constants of this check: `RM0`, `RM1`."""
        return instance_names(self.machine.roles[role])

    def can_fall(self, role: str) -> bool:
        """Whether this check lets processes of a role crash or stop, so that they have a `status`."""
        return role in self._falling

    def letter(self, sender: str, receiver: str, kind: str, **fields: Json) -> str:
        """A message in flight, as `network` lists it: `Vote(true) RM0 -> TM`."""
        types = self.machine.messages[kind].fields
        return f"{kind}({', '.join(show(t, fields[name]) for name, t in types)}) {sender} -> {receiver}"
