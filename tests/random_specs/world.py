"""What a random spec declares, and what an expression may name in a place of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from random import Random
from typing import TypeVar

from tests.random_specs.kinds import Kind

T = TypeVar("T")


@dataclass(frozen=True)
class Place:
    """What may be read where an expression stands.

    `code` is that of a process; `ghost` may read what no process knows; `judged` is a property. `silent` is the guard of a
    timeout, `old` a property of steps, outside of `old(…)`.
    """

    code: bool = False
    ghost: bool = False
    judged: bool = False
    guard: bool = False
    silent: bool = False
    old: bool = False


PURE = Place()
CODE = Place(code=True)
GUARD = Place(code=True, guard=True)
TIMEOUT = Place(code=True, guard=True, silent=True)
GHOST = Place(code=True, ghost=True)
JUDGED = Place(judged=True, ghost=True)
BOUND = Place(judged=True)
STEP = Place(judged=True, ghost=True, old=True)


@dataclass(frozen=True)
class Scope:
    """The names of values, each with its kind, and the place. `lets` may be assigned. `role` is the one whose code it is."""

    place: Place
    names: tuple[tuple[str, Kind], ...] = ()
    lets: tuple[str, ...] = ()
    role: str | None = None

    def having(self, name: str, kind: Kind, *, let: bool = False) -> Scope:
        lets = (*self.lets, name) if let else self.lets
        return replace(self, names=(*self.names, (name, kind)), lets=lets)

    def at(self, place: Place) -> Scope:
        return replace(self, place=place)


@dataclass(frozen=True)
class Function:
    """`place` says what its body reads: `PURE`, `CODE` or `JUDGED`."""

    name: str
    role: str | None
    params: tuple[Kind, ...]
    result: Kind
    place: Place


@dataclass(frozen=True)
class Procedure:
    name: str
    role: str
    params: tuple[Kind, ...]
    sends: bool


@dataclass(frozen=True)
class Message:
    """`sent` and `asked`: whether `send … to all` needs nobody to handle it, and whether `sent` may ask for it."""

    name: str
    fields: tuple[Kind, ...]
    senders: tuple[str, ...]
    receivers: tuple[str, ...]
    soup: bool
    asked: bool


@dataclass
class World:
    """Everything declared so far. Names are given once."""

    roles: dict[str, Kind] = field(default_factory=dict)
    kinds: list[Kind] = field(default_factory=list)
    aliases: dict[str, str] = field(default_factory=dict)
    constants: list[tuple[str, Kind]] = field(default_factory=list)
    shared: list[tuple[str, Kind]] = field(default_factory=list)
    ghosts: list[tuple[str, Kind]] = field(default_factory=list)
    own: dict[str, list[tuple[str, Kind]]] = field(default_factory=dict)
    own_ghosts: dict[str, list[tuple[str, Kind]]] = field(default_factory=dict)
    functions: list[Function] = field(default_factory=list)
    procedures: list[Procedure] = field(default_factory=list)
    messages: list[Message] = field(default_factory=list)
    faults: dict[str, str] = field(default_factory=dict)
    count: int = 0

    def fresh(self, stem: str) -> str:
        self.count += 1
        return f"{stem}{self.count}"

    def named(self, kind: Kind) -> str:
        """A name for a type, which is made where it has none."""
        if kind.form in ("enum", "id", "proc", "record"):
            return kind.name
        if kind.name not in self.aliases:
            self.aliases[kind.name] = self.fresh("T")
        return self.aliases[kind.name]


class Chance:
    """Decisions from a source of randomness."""

    def __init__(self, rng: Random) -> None:
        self.rng = rng

    def chance(self, percent: int) -> bool:
        return self.rng.randrange(100) < percent

    def pick(self, options: Sequence[T]) -> T:
        return self.rng.choice(options)

    def one(self, options: Sequence[Callable[[], str]]) -> str:
        return self.rng.choice(options)()
