"""A state as atoms: its smallest parts that mention symmetric instances.

An atom is a variable, an element of a set or an entry of a map where the variable is one, a process that is down or faulty,
a cut, a message, or a queue of messages. Its `shape` under a colouring of the instances says everything about it but which
instance is which beyond its colour; sets inside of an atom stand in the order of their shapes. So instances that some
permutation turns into each other have atoms of equal shapes, and that is what `canonical` sorts instances by. Shapes are
nested tuples: equal shapes are equal, nothing is hashed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple, Protocol

from checker.base.data import dataclass
from checker.engine.networks import all_codes
from checker.engine.runtime import State
from checker.model.layout import Layout
from checker.model.permute import Elements
from checker.model.types import BagT, IdT, MapT, OptT, ProcT, RecordT, SeqT, SetT, Type
from checker.model.values import Value, domain, order_key

Shape = tuple[Any, ...]

MARK = -1
"""The colour of the instance that is asked about."""


class Colours(Protocol):
    """A colour for each element."""

    def __getitem__(self, element: int, /) -> int: ...


class _Recorder:
    """Colours that note who was asked for."""

    def __init__(self) -> None:
        self.asked: set[int] = set()

    def __getitem__(self, element: int, /) -> int:
        self.asked.add(element)
        return 0


@dataclass(frozen=True, slots=True)
class Atom:
    """A part of a state. `place` says where it stands, `owner` is the element whose variable it is, `types` those of `values`."""

    place: tuple[Any, ...]
    owner: int | None
    types: tuple[Type, ...]
    values: tuple[Value, ...]


class Contribution(NamedTuple):
    """What an atom says about an element that it mentions.

    Attributes:
        element: which one.
        alike: the number of the atom's shape with this element marked, and all others of a group alike.
        apart: the number of the shape with this element marked, and all others told apart.
        several: whether the atom mentions another element of the same group.
    """

    element: int
    alike: int
    apart: int
    several: bool


Contributions = tuple[Contribution, ...]

MOST = 1 << 16
"""The most values of one place whose contributions are kept."""


class Atoms:
    """The atoms of the states of one machine."""

    def __init__(self, layout: Layout, elements: Elements) -> None:
        self.layout = layout
        self.elements = elements
        self._numbers: dict[Shape, int] = {}
        self.places: list[tuple[int, Callable[[Value], Iterator[Atom]]]] = []
        """The slots with symmetric instances, each with a function from its value to its atoms. The networks come last."""
        for var in layout.machine.variables:
            for process in (None,) if var.role is None else layout.machine.roles[var.role].processes:
                owner = None if process is None else elements.of_process.get(process)
                if owner is not None or elements.mentioned(var.type):
                    slot = layout.slot(var, process)
                    place = (var.slot if owner is not None else slot,)
                    self.places.append((slot, self._variable(place, owner, var.type)))
        for process, slot in layout.status.items():
            if process in elements.of_process:
                place, owner = (min(layout.status.values()),), elements.of_process[process]
                self.places.append((slot, lambda v, p=place, o=owner: iter((Atom((*p, v), o, (), ()),))))  # type: ignore[misc]
        if layout.faulty is not None:
            self.places.append((layout.faulty, self._faulty))
        if layout.cut is not None:
            self.places.append((layout.cut, lambda side: iter((Atom((layout.cut,), None, (), (side,)),) * bool(side))))
        self.networks = [(slot, self._messages(index, slot)) for index, slot in enumerate(layout.networks)]

    def _variable(self, place: tuple[Any, ...], owner: int | None, t: Type) -> Callable[[Value], Iterator[Atom]]:
        match t:
            case SetT(elem) | BagT(elem):
                return lambda value: (Atom(place, owner, (elem,), (x,)) for x in value)
            case MapT(key, inner):
                keys = list(domain(key))
                return lambda value: (Atom(place, owner, (key, inner), pair) for pair in zip(keys, value, strict=True))
        return lambda value: iter((Atom(place, owner, (t,), (value,)),))

    def _faulty(self, mask: int) -> Iterator[Atom]:
        assert self.layout.faulty is not None
        for process, element in self.elements.of_process.items():
            if mask >> process & 1:
                yield Atom((self.layout.faulty,), element, (), ())

    def _messages(self, index: int, slot: int) -> Callable[[Value], Iterator[Atom]]:
        """A function from one message, or one queue, to its atoms."""
        if self.layout.machine.networks[index].kind == "fifo":
            return lambda queue: iter((Atom((slot,), None, (), queue[1:]),))
        return lambda code: iter((Atom((slot,), None, (), (code,)),))

    def all(self, state: State) -> Iterator[Atom]:
        """Every atom of a state."""
        for slot, atoms in self.places:
            yield from atoms(state[slot])
        for index, (slot, atoms) in enumerate(self.networks):
            whole = self.layout.machine.networks[index].kind == "fifo"
            for part in state[slot] if whole else all_codes(self.layout.machine.networks[index], state[slot]):
                yield from atoms(part)

    # ---- shapes

    def shape(self, atom: Atom, colours: Colours) -> Shape:
        """What an atom looks like to somebody who sees the colours of instances and nothing else of them."""
        slot = atom.place[0]
        content: Any
        if slot in self.layout.networks:
            content = tuple([self.message(code, colours) for code in atom.values])
        elif slot == self.layout.cut:
            (side,) = atom.values
            other = sum(1 << p for p in self.layout.cut_group) ^ side
            content = tuple(sorted((self._side(side, colours), self._side(other, colours))))
        else:
            content = tuple([self.value(t, v, colours) for t, v in zip(atom.types, atom.values, strict=True)])
        return (atom.place, () if atom.owner is None else (colours[atom.owner],), content)

    def _side(self, mask: int, colours: Colours) -> Shape:
        return tuple(sorted([self._process(p, colours) for p in range(self.layout.processes) if mask >> p & 1]))

    def _process(self, process: int, colours: Colours) -> Shape:
        element = self.elements.of_process.get(process)
        return (0, process) if element is None else (1, colours[element])

    def message(self, code: int, colours: Colours) -> Shape:
        """The shape of a message."""
        letter = self.layout.decode(code)
        fields = self.layout.machine.messages[letter.kind].fields
        payload = tuple([self.value(t, v, colours) for (_, t), v in zip(fields, letter.payload, strict=True)])
        return letter.kind, self._process(letter.sender, colours), self._process(letter.receiver, colours), payload

    def value(self, t: Type, value: Value, colours: Colours) -> Any:
        """The shape of a value."""
        if not self.elements.mentioned(t):
            return order_key(value)
        match t:
            case IdT(name):
                return colours[self.elements.first[name] + value]
            case ProcT():
                return self._process(value, colours)
            case OptT(inner):
                return () if value is None else (self.value(inner, value, colours),)
            case RecordT(_, fields):
                return tuple([self.value(f, x, colours) for (_, f), x in zip(fields, value, strict=True)])
            case SetT(elem) | BagT(elem):
                return tuple(sorted([self.value(elem, x, colours) for x in value]))
            case SeqT(elem):
                return tuple([self.value(elem, x, colours) for x in value])
            case MapT(key, inner):
                keys = domain(key)
                pairs = [
                    (self.value(key, k, colours), self.value(inner, x, colours))
                    for k, x in zip(keys, value, strict=True)
                ]
                return tuple(sorted(pairs))
        raise AssertionError(t)

    # ---- what atoms say about elements

    def contributions(self, atom: Atom) -> Iterator[Contribution]:
        """What one atom says about each element that it mentions."""
        group_of = self.elements.group_of
        named = self.named(lambda colours: self.shape(atom, colours))
        for element in named:
            alike = list(group_of)
            apart = [len(group_of) + e for e in range(len(group_of))]
            alike[element] = apart[element] = MARK
            yield Contribution(
                element,
                self._number(self.shape(atom, alike)),
                self._number(self.shape(atom, apart)),
                any(e != element and group_of[e] == group_of[element] for e in named),
            )

    def named(self, look: Callable[[Colours], object]) -> list[int]:
        """The elements whose colours a look at something shows."""
        recorder = _Recorder()
        look(recorder)
        return sorted(recorder.asked)

    def _number(self, shape: Shape) -> int:
        return self._numbers.setdefault(shape, len(self._numbers))


class Kept(dict[Value, Contributions]):
    """The contributions of the values at one place, made on first use: values recur from state to state."""

    def __init__(self, atoms: Atoms, split: Callable[[Value], Iterator[Atom]]) -> None:
        super().__init__()
        self._atoms = atoms
        self._split = split

    def __missing__(self, value: Value) -> Contributions:
        if len(self) >= MOST:
            self.clear()
        found = tuple(c for atom in self._split(value) for c in self._atoms.contributions(atom))
        self[value] = found
        return found
