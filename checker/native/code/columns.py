"""Where a packed state speaks of each instance of a symmetric group: its column.

The bits of a state that belong to a group are arranged in columns, one for each instance: a **field** is a run of bits that every
column has one of (the variable of a process, a bit of a set of processes, an entry of a map, a message that may be in the
network), a **leaf** is a number somewhere that names an instance, or none (`holder: Client?`). To exchange two instances
is to exchange their fields and to rename what leaves say; nothing else changes. So a column, with a bit for each leaf that names
its instance, says all about an instance, instances with equal columns are interchangeable, and to sort the columns gives the one
state of the orbit that all others lead to. That takes no search.

Where two instances of a group stand in relation to each other (a process that voted for another one of its role), columns do
not say all. Such a group is refused with a reason, and so is one whose messages stand in a list. The interpreter has the general
algorithm (`engine.canonical`).

**Several groups.** The largest is sorted, for every order of the instances of the others; the smallest of the states that come of
it is the canonical one. `Columns.canonical` is the readable form of what `code.orbits` compiles.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from math import factorial, prod

from checker.base.data import dataclass
from checker.engine.atoms import Atoms
from checker.engine.renaming import Renaming
from checker.model.machine import Group, Message
from checker.model.permute import Elements
from checker.model.types import BagT, IdT, MapT, OptT, ProcT, RecordT, SeqT, SetT, Type
from checker.model.values import Value, domain, rank, unrank
from checker.native.code.packed import Packed, Place
from checker.native.code.width import Unsupported, bits, elements, entries, span

MOST_ORDERS = 24
"""The most orders of the smaller groups."""
MOST_INSTANCES = 16
"""The most instances of a group. All permutations of so many, and of the smaller groups, are a number of 64 bits."""


@dataclass(frozen=True, slots=True)
class Field:
    """`width` bits of each column; `positions` counts bits from the beginning of the state."""

    positions: tuple[int, ...]
    width: int


@dataclass(frozen=True, slots=True)
class Leaf:
    """A number of `width` bits that names instance i as `first + i`.

    It only does if each of its conditions, `(position, width, n)`, finds a number above n there.
    """

    position: int
    width: int
    first: int
    conditions: tuple[tuple[int, int, int], ...]


@dataclass(frozen=True, slots=True)
class Columns:
    """The columns of one group."""

    group: Group
    fields: tuple[Field, ...]
    leaves: tuple[Leaf, ...]

    def read(self, state: int) -> list[int]:
        """The column of each instance, fields above, leaves below."""
        named = [self.named(state, leaf) for leaf in self.leaves]
        columns = []
        for i in range(self.group.size):
            column = 0
            for f in self.fields:
                column = column << f.width | state >> f.positions[i] & (1 << f.width) - 1
            for name in named:
                column = column << 1 | (name == i)
            columns.append(column)
        return columns

    def named(self, state: int, leaf: Leaf) -> int | None:
        """The instance that a leaf names."""
        if any(state >> at & (1 << width) - 1 <= n for at, width, n in leaf.conditions):
            return None
        name = (state >> leaf.position & (1 << leaf.width) - 1) - leaf.first
        return name if 0 <= name < self.group.size else None

    def write(self, state: int, columns: Sequence[int]) -> int:
        """The state with other columns."""
        total = sum(f.width for f in self.fields) + len(self.leaves)
        named = [self.named(state, leaf) for leaf in self.leaves]
        for i, column in enumerate(columns):
            below = total
            for f in self.fields:
                below -= f.width
                ones = (1 << f.width) - 1
                state = state & ~(ones << f.positions[i]) | (column >> below & ones) << f.positions[i]
            for leaf, name in zip(self.leaves, named, strict=True):
                below -= 1
                if name is not None and column >> below & 1:
                    ones = (1 << leaf.width) - 1
                    state = state & ~(ones << leaf.position) | leaf.first + i << leaf.position
        return state


@dataclass(frozen=True, slots=True)
class Orders:
    """The columns of all groups of a machine: `sorted_` is the largest group, `others` are tried in every order."""

    sorted_: Columns
    others: tuple[Columns, ...]

    @property
    def groups(self) -> tuple[Group, ...]:
        return (*(c.group for c in self.others), self.sorted_.group)

    @property
    def count(self) -> int:
        """How many permutations there are."""
        return prod(factorial(g.size) for g in self.groups)

    def exchanges(self) -> list[tuple[Columns, int]]:
        """Exchanges of neighbours, of instance i and i + 1, that lead through every order of the other groups."""
        steps: list[tuple[Columns, int]] = []
        for columns in self.others:
            walk = [(columns, i) for i in neighbours(columns.group.size)]
            steps = [s for at in range(len(walk) + 1) for s in (*steps, *walk[at : at + 1])]
        return steps

    def canonical(self, words: Sequence[int], fixed: int) -> tuple[list[int], int]:
        """The canonical state of an orbit, and the size of the orbit; `fixed` words of it are no messages in a list."""
        state = sum(word << 64 * i for i, word in enumerate(words[:fixed]))
        best, weight = self._sort(state)
        for columns, i in self.exchanges():
            column = columns.read(state)
            column[i], column[i + 1] = column[i + 1], column[i]
            state = columns.write(state, column)
            found, ties = self._sort(state)
            if found == best:
                weight += ties
            elif _words(found, fixed) < _words(best, fixed):
                best, weight = found, ties
        return [*_words(best, fixed), *words[fixed:]], self.count // weight

    def _sort(self, state: int) -> tuple[int, int]:
        columns = sorted(self.sorted_.read(state))
        ties = prod(factorial(len(list(same))) for _, same in groupby(columns))
        return self.sorted_.write(state, columns), ties


def _words(state: int, count: int) -> list[int]:
    return [state >> 64 * i & (1 << 64) - 1 for i in range(count)]


def neighbours(n: int) -> list[int]:
    """Exchanges of neighbours that lead through all orders of n things, from whichever one begins with (Johnson, Trotter)."""
    if n < 2:
        return []
    inner = neighbours(n - 1)
    steps: list[int] = []
    down = True
    for at in range(factorial(n - 1)):
        steps += range(n - 2, -1, -1) if down else range(n - 1)
        if at < len(inner):
            steps.append(inner[at] + 1 if down else inner[at])
        down = not down
    return steps


def network(n: int) -> Iterator[tuple[int, int]]:
    """Comparisons that sort n things (Batcher's merging by odds and evens; Knuth, volume 3, 5.2.2 M)."""
    p = 1
    while p < n:
        k = p
        while k >= 1:
            for j in range(k % p, n - k, 2 * k):
                for i in range(min(k, n - j - k)):
                    if (i + j) // (2 * p) == (i + j + k) // (2 * p):
                        yield i + j, i + j + k
            k //= 2
        p *= 2


# ---- from a machine


def orders_of(packed: Packed) -> tuple[Orders | None, dict[str, str]]:
    """The groups of a machine that native code can use, and why it cannot use others."""
    made: list[Columns] = []
    reasons: dict[str, str] = {}
    for group in packed.machine.symmetric:
        try:
            if group.size > MOST_INSTANCES:
                raise Unsupported(f"there are more than {MOST_INSTANCES}")
            made.append(_Finder(packed, group).columns())
        except Unsupported as problem:
            reasons[group.name] = str(problem.args[0])
    made.sort(key=lambda c: c.group.size)
    while prod(factorial(c.group.size) for c in made[:-1]) > MOST_ORDERS:
        reasons[made.pop(-2).group.name] = "there are too many orders of its instances beside those of another type"
    return (Orders(made[-1], tuple(made[:-1])) if made else None), reasons


class _Finder:
    """Finds the columns of one group. Raises `Unsupported` where they would not say all."""

    def __init__(self, packed: Packed, group: Group) -> None:
        self.packed = packed
        self.machine, self.layout = packed.machine, packed.layout
        self.group = group
        self.elements = Elements((group,))
        self.atoms = Atoms(self.layout, self.elements)
        self.fields: list[Field] = []
        self.leaves: list[Leaf] = []

    def columns(self) -> Columns:
        for var in self.machine.variables:
            role = None if var.role is None else self.machine.roles[var.role]
            if role is not None and not role.size:
                continue
            place = self.packed.places[var.slot]
            if role is not None and role.name == self.group.name and self.group.is_role:
                if self.elements.mentioned(var.type):
                    raise Unsupported(f"`{var.name}` of one names others")
                self._field([_start(place, i) for i in range(self.group.size)], place.width)
            elif self.elements.mentioned(var.type):
                for copy in range(place.copies):
                    self._value(var.type, _start(place, copy), ())
        if self.group.is_role:
            self._faults()
        for number, net in enumerate(self.machine.networks):
            messages = [m for m in self.machine.messages.values() if m.network == number]
            if number in self.packed.listed and any(self._speaks(m) for m in messages):
                raise Unsupported(f"a {net.kind} with their messages stands in the state as a list")
            if number in self.packed.dense:
                self._dense(number)
        return Columns(self.group, tuple(self.fields), tuple(self.leaves))

    def _field(self, positions: Sequence[int], width: int) -> None:
        """A field, in pieces of at most 64 bits."""
        for at in range(0, width, 64):
            self.fields.append(Field(tuple(p + at for p in positions), min(64, width - at)))

    def _faults(self) -> None:
        layout, base = self.layout, self.group.base
        if base in layout.status:
            order = sorted(layout.status, key=layout.status.__getitem__)
            place = self.packed.places[min(layout.status.values())]
            self._field([_start(place, order.index(base + i)) for i in range(self.group.size)], 2)
        if layout.faulty is not None:
            first = _start(self.packed.places[layout.faulty], 0) + base
            self._field([first + i for i in range(self.group.size)], 1)
        if layout.cut is not None and base in layout.cut_group:
            raise Unsupported("a cut may lie between them")

    def _speaks(self, message: Message) -> bool:
        ends = {r.name for r in (*message.senders.roles, *message.receivers.roles)}
        return (self.group.is_role and self.group.name in ends) or any(
            self.elements.mentioned(t) for _, t in message.fields
        )

    # ---- values

    def _value(self, t: Type, at: int, conditions: tuple[tuple[int, int, int], ...]) -> None:
        """What a value at a position says of the group."""
        if not self.elements.mentioned(t):
            return
        match t:
            case IdT():
                self.leaves.append(Leaf(at, bits(t), 0, conditions))
            case ProcT():
                self.leaves.append(Leaf(at, bits(t), self.group.base - span(t)[0], conditions))
            case OptT(inner):
                self._value(inner, at + 1, (*conditions, (at, 1, 0)))
            case RecordT(_, fields):
                for _, field in fields:
                    self._value(field, at, conditions)
                    at += bits(field)
            case SeqT(elem, int() as limit):
                size = bits(t) - limit * bits(elem)
                for i in range(limit):
                    length = (at + limit * bits(elem), size, i)
                    self._value(elem, at + i * bits(elem), (*conditions, length))
            case SetT(elem):
                members = [(at + r, unrank(elem, r)) for r in range(elements(elem))]
                self._parts(elem, members, 1)
            case MapT(key, inner) if self.elements.mentioned(key):
                if self.elements.mentioned(inner):
                    raise Unsupported("a map from some of them to others stands in the state")
                self._parts(key, [(at + i * bits(inner), k) for i, k in enumerate(domain(key))], bits(inner))
            case MapT(key, inner):
                for i in range(entries(key)):
                    self._value(inner, at + i * bits(inner), conditions)
            case BagT():
                raise Unsupported("a bag of them stands in the state")
            case _:
                raise Unsupported("they stand in a value that cannot be taken apart")

    def _parts(self, t: Type, places: Iterable[tuple[int, Value]], width: int) -> None:
        """Fields out of the elements of a set, or of the entries of a map, by their keys."""
        rename = self.elements.renaming(t)
        assert rename is not None
        parts = []
        for at, value in places:
            named = self.atoms.named(lambda colours, v=value: self.atoms.value(t, v, colours))  # type: ignore[misc]
            parts.append((at, named, [rank(t, rename(value, self.elements.swap(0, i))) for i in named]))
        self._join(parts, width)

    def _dense(self, number: int) -> None:
        """Fields out of the messages that may be in a network."""
        dense = self.packed.dense[number]
        renamings = [Renaming(self.layout, self.elements, self.elements.swap(0, i)) for i in range(self.group.size)]
        parts = []
        for bit, code in enumerate(dense.codes):
            named = self.atoms.named(lambda colours, c=code: self.atoms.message(c, colours))  # type: ignore[misc]
            parts.append((_start(dense.place, 0) + bit, named, [renamings[i].code(code) for i in named]))
        self._join(parts, 1)

    def _join(self, parts: Iterable[tuple[int, Sequence[int], Sequence[int]]], width: int) -> None:
        """Fields out of parts that name one instance each: a position, who is named, and what it is if instance 0 is."""
        found: dict[int, dict[int, int]] = {}
        for at, named, zero in parts:
            if len(named) > 1:
                raise Unsupported("two of them stand together in a message, or in an element or key of a collection")
            for i, key in zip(named, zero, strict=True):
                found.setdefault(key, {})[i] = at
        for positions in found.values():
            self._field([positions[i] for i in range(self.group.size)], width)


def _start(place: Place, copy: int) -> int:
    """The position of a copy."""
    word, shift = place.at(copy)
    return 64 * word + shift
