"""Comparing what was seen of an implementation with a state of its spec.

States of the spec come as slots of the engine, observations as JSON from somebody else's code, so both are brought to one
form: JSON by the names of variables, in which sets and bags are listed in one order. Two values are equal if their texts in
that form are; `1` and `true` are not, nor are `1` and `"1"`. The forms of the spec's states are kept, since a replay meets
the same state many times.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator

from checker.conformance.adapter import UNSEEN, Observation, ObservationError, Unseen
from checker.conformance.growing import Graph
from checker.conformance.mismatch import Field, Letters, Sight
from checker.model.types import BagT, MapT, OptT, RecordT, SeqT, SetT, Type
from checker.properties.kinds import Json
from checker.render.values import Names

NETWORK = "network"
"""The name under which the messages in flight are observed, as a list of texts: `Vote(true) RM0 -> TM`."""

BOOKKEEPING = "left of "
"""How the names of variables begin that only the checker has: what is left of a fault budget."""


class Comparison:
    """Compares observations with the states of one graph."""

    def __init__(self, graph: Graph) -> None:
        self._graph = graph
        self._names = Names(graph.machine)
        self._values: dict[int, dict[str, Json]] = {}
        self._keys: dict[int, dict[str, str]] = {}
        self._written: dict[int, dict[str, str]] = {}
        self.observable = tuple(n for n in self.values(graph.initial[0]) if not n.startswith(BOOKKEEPING))
        """The variables of the spec that an implementation could have, with the network as the last one."""
        self._observable = frozenset(self.observable)

    def values(self, state: int) -> dict[str, Json]:
        """A state of the spec by the names of its variables, and with the network."""
        found = self._values.get(state)
        if found is None:
            labels, slots = self._graph.labels, self._graph.states[state]
            found = self._values[state] = {**labels.variables(slots), NETWORK: [*labels.network(slots)]}
        return found

    def same(self, state: int, seen: Observation) -> bool:
        """Whether everything that was seen is as in this state.

        Raises:
            ObservationError: something was seen that is no variable of the spec.
        """
        return next(self._differing(state, seen), None) is None

    def differing(self, state: int, seen: Observation) -> tuple[str, ...]:
        """The names of what was seen otherwise than in this state, as `same` compares."""
        return tuple(self._differing(state, seen))

    def show(self, name: str, value: object) -> str:
        """A value of a variable as a reader wants it."""
        return self._names.show(name, comparable(self._names.types.get(name), value))

    def _differing(self, state: int, seen: Observation) -> Iterator[str]:
        written = self._written_as(state)
        for name, value in seen.items():
            if name not in self._observable:
                raise ObservationError(f"{name} is no variable of the spec, which has {', '.join(self.observable)}")
            if value is UNSEEN or repr(value) == written[name]:  # most that are equal are so as they stand
                continue
            if self._key(name, value) != self._key_of(state, name):
                yield name

    def fields(self, before: int, after: int, seen: Observation) -> tuple[Field, ...]:
        """All variables side by side."""
        return tuple(self._field(name, before, after, seen) for name in self.observable if name != NETWORK)

    def letters(self, after: int, seen: Observation) -> Letters | None:
        """The network side by side; None where it was not seen."""
        value = seen.get(NETWORK, UNSEEN)
        if value is UNSEEN:
            return None
        spec, mine = Counter(_texts(self.values(after)[NETWORK])), Counter(_texts(value))
        return Letters(
            both=tuple(sorted((spec & mine).elements())),
            spec=tuple(sorted((spec - mine).elements())),
            implementation=tuple(sorted((mine - spec).elements())),
        )

    def _field(self, name: str, before: int, after: int, seen: Observation) -> Field:
        old = self._names.show(name, self.values(before)[name])
        new = self._names.show(name, self.values(after)[name])
        value = seen.get(name, UNSEEN)
        if isinstance(value, Unseen):
            return Field(name, old, new, UNSEEN.value, Sight.UNSEEN)
        if self._key(name, value) == self._key_of(after, name):
            return Field(name, old, new, new, Sight.SAME)
        shown = self.show(name, value)
        return Field(name, old, new, repr(value) if shown == new else shown, Sight.DIFFERENT)

    def _written_as(self, state: int) -> dict[str, str]:
        found = self._written.get(state)
        if found is None:
            found = self._written[state] = {name: repr(value) for name, value in self.values(state).items()}
        return found

    def _key_of(self, state: int, name: str) -> str:
        keys = self._keys.setdefault(state, {})
        found = keys.get(name)
        if found is None:
            found = keys[name] = self._key(name, self.values(state)[name])
        return found

    def _key(self, name: str, value: object) -> str:
        """A text that two values share only if they are equal."""
        if name == NETWORK:
            return "\n".join(sorted(_texts(value)))
        if isinstance(value, str):
            return f'"{value}'  # what JSON begins with a quotation mark is a string, too
        return _text(comparable(self._names.types.get(name), value))


def comparable(t: Type | None, value: object) -> Json:
    """A value with its sets and bags in an order of their own, so that equal values are equal as JSON.

    An adapter may give sets and tuples, too. What does not fit the type stays as it is, or becomes text.
    """
    match t, value:
        case OptT(inner), _ if value is not None:
            return comparable(inner, value)
        case ((SetT(elem) | BagT(elem)), (list() | tuple() | set() | frozenset())):
            return sorted((comparable(elem, v) for v in value), key=_text)
        case SeqT(elem), (list() | tuple()):
            return [comparable(elem, v) for v in value]
        case MapT(_, inner), dict():
            return {str(k): comparable(inner, v) for k, v in value.items()}
        case RecordT(_, fields), dict():
            types = dict(fields)
            return {str(k): comparable(types.get(k), v) for k, v in value.items()}
        case _, None | bool() | int() | float() | str():
            return value
        case _, (list() | tuple() | set() | frozenset()):
            return [comparable(None, v) for v in value]
        case _, dict():
            return {str(k): comparable(None, v) for k, v in value.items()}
    return repr(value)


def _text(value: Json) -> str:
    return json.dumps(value, sort_keys=True)


def _texts(messages: object) -> list[str]:
    return [str(m) for m in messages] if isinstance(messages, Iterable) else [repr(messages)]
