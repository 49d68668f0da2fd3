"""Comparing what was seen of an implementation with a state of its spec.

States of the spec come as slots of the engine, observations as JSON from somebody else's code, so both are brought to one
form: JSON by the names of variables, in which sets and bags are listed in one order. Two values are equal if their texts in
that form are; `1` and `true` are not, nor are `1` and `"1"`. The states of a graph are made of few values, so it is for values
and not for states that these forms are kept: that takes little memory, and the next state is made of them, too.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from checker.conformance.adapter import UNSEEN, Observation, ObservationError, Unseen
from checker.conformance.growing import Graph
from checker.conformance.mismatch import Field, Letters, Sight
from checker.engine.runtime import State
from checker.model.types import BagT, MapT, OptT, RecordT, SeqT, SetT, Type
from checker.properties.kinds import Json
from checker.render.values import Names

NETWORK = "network"
"""The name under which the messages in flight are observed, as a list of texts: `Vote(true) RM0 -> TM`."""

BOOKKEEPING = "left of "
"""How the names of variables begin that only the checker has: what is left of a fault budget."""


class _Variable:
    """One variable of a spec, and the forms of the values that states have in it."""

    def __init__(self, slot: int, show: Callable[[Any], Json], type_: Type | None) -> None:
        self._slot = slot
        self._show = show
        self._type = type_
        self._forms: dict[object, tuple[Json, str, str]] = {}

    def forms(self, slots: State) -> tuple[Json, str, str]:
        """The value in a state: as JSON, as Python writes that, and as a text that only equal values share."""
        value = slots[self._slot]
        found = self._forms.get(value)
        if found is None:
            shown = self._show(value)
            found = self._forms[value] = shown, repr(shown), self.key(shown)
        return found

    def key(self, value: object) -> str:
        """A text that two values share only if they are equal."""
        if isinstance(value, str):
            return f'"{value}'  # what JSON begins with a quotation mark is a string, too
        return _text(comparable(self._type, value))


class Comparison:
    """Compares observations with the states of one graph."""

    def __init__(self, graph: Graph) -> None:
        self._graph = graph
        self._names = Names(graph.machine)
        types = self._names.types
        self._variables = {name: _Variable(slot, show, types.get(name)) for name, slot, show in graph.labels.parts}
        own = [name for name in self._variables if not name.startswith(BOOKKEEPING)]
        self.observable = (*own, NETWORK)
        """The variables of the spec that an implementation could have, with the network as the last one."""
        self._observable = {name: self._variables[name] for name in own}

    def values(self, state: int) -> dict[str, Json]:
        """A state of the spec by the names of its variables, and with the network."""
        slots = self._graph.states[state]
        found = {name: variable.forms(slots)[0] for name, variable in self._variables.items()}
        return {**found, NETWORK: [*self._graph.labels.network(slots)]}

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
        slots = self._graph.states[state]
        for name, value in seen.items():
            variable = self._observable.get(name)
            if variable is not None:
                if value is UNSEEN:
                    continue
                _, written, key = variable.forms(slots)
                if repr(value) != written and variable.key(value) != key:  # most are equal as they stand
                    yield name
            elif name != NETWORK:
                raise ObservationError(f"{name} is no variable of the spec, which has {', '.join(self.observable)}")
            elif value is not UNSEEN and sorted(_texts(value)) != sorted(self._graph.labels.network(slots)):
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
        variable = self._variables[name]
        if variable.key(value) == variable.forms(self._graph.states[after])[2]:
            return Field(name, old, new, new, Sight.SAME)
        shown = self.show(name, value)
        return Field(name, old, new, repr(value) if shown == new else shown, Sight.DIFFERENT)


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
