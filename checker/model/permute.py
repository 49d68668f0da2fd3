"""Values under a permutation of symmetric instances.

A permutation is an array: entry e is where element e goes. Elements number the instances of all groups one after the other
(`Elements`). `renaming` makes a function for the values of one type, or None where the type mentions no group, so that
nothing is done for what cannot change.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property

from checker.model.machine import Group
from checker.model.types import BagT, IdT, MapT, OptT, ProcT, RecordT, SeqT, SetT, Type
from checker.model.values import Value, domain, key_index, order_key

Permutation = Sequence[int]
Renaming = Callable[[Value, Permutation], Value]


class Elements:
    """The instances of several groups, numbered through."""

    def __init__(self, groups: Sequence[Group]) -> None:
        self.groups = tuple(groups)
        self.first: dict[str, int] = {}
        """The element of the first instance of each group, by the group's name."""
        self.of_process: dict[int, int] = {}
        self.group_of: list[int] = []
        for number, group in enumerate(self.groups):
            self.first[group.name] = len(self.group_of)
            if group.is_role:
                self.of_process |= {group.base + i: len(self.group_of) + i for i in range(group.size)}
            self.group_of += [number] * group.size
        self._renamings: dict[Type, Renaming | None] = {}

    def __len__(self) -> int:
        return len(self.group_of)

    @cached_property
    def process_of(self) -> dict[int, int]:
        """The process of an element of a role."""
        return {element: process for process, element in self.of_process.items()}

    def process(self, process: int, to: Permutation) -> int:
        """Where a process goes."""
        element = self.of_process.get(process)
        return process if element is None else self.process_of[to[element]]

    def mentioned(self, t: Type) -> frozenset[str]:
        """The groups whose instances may stand in values of a type."""
        match t:
            case IdT(name):
                return frozenset((name,)) & self.first.keys()
            case ProcT(roles):
                return frozenset(r.name for r in roles) & self.first.keys()
            case OptT(inner) | SetT(inner) | SeqT(inner) | BagT(inner):
                return self.mentioned(inner)
            case RecordT(_, fields):
                return frozenset().union(*(self.mentioned(f) for _, f in fields))
            case MapT(key, value):
                return self.mentioned(key) | self.mentioned(value)
        return frozenset()

    def renaming(self, t: Type) -> Renaming | None:
        """What a permutation makes of a value of a type; None: nothing."""
        if t not in self._renamings:
            self._renamings[t] = self._renaming(t) if self.mentioned(t) else None
        return self._renamings[t]

    def _renaming(self, t: Type) -> Renaming:
        match t:
            case IdT(name):
                first = self.first[name]
                return lambda v, to: to[first + v] - first
            case ProcT():
                return self.process
            case OptT(inner):
                some = self._of(inner)
                return lambda v, to: None if v is None else some(v, to)
            case RecordT(_, fields):
                each = [self._of(f) for _, f in fields]
                return lambda v, to: tuple([f(x, to) for f, x in zip(each, v, strict=True)])
            case SetT(elem):
                one = self._of(elem)
                return lambda v, to: frozenset([one(x, to) for x in v])
            case SeqT(elem):
                one = self._of(elem)
                return lambda v, to: tuple([one(x, to) for x in v])
            case BagT(elem):
                one = self._of(elem)
                return lambda v, to: tuple(sorted([one(x, to) for x in v], key=order_key))
            case MapT(key, value):
                return self._map(key, value)
        raise AssertionError(t)

    def _of(self, t: Type) -> Renaming:
        return self.renaming(t) or (lambda v, to: v)

    def _map(self, key: Type, value: Type) -> Renaming:
        entry = self._of(value)
        moved = self.renaming(key)
        if moved is None:
            return lambda v, to: tuple([entry(x, to) for x in v])
        keys = list(domain(key))

        def rename(v: Value, to: Permutation) -> Value:
            result = list(v)
            for k, x in zip(keys, v, strict=True):
                at = key_index(key, moved(k, to))
                assert at is not None
                result[at] = entry(x, to)
            return tuple(result)

        return rename

    def swap(self, a: int, b: int) -> Permutation:
        """The permutation that exchanges two elements."""
        to = list(range(len(self)))
        to[a], to[b] = b, a
        return to
