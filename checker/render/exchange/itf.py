"""Paths in the Informal Trace Format, the JSON of Apalache and Quint.

Source: Apalache's ADR-015, https://apalache-mc.org/docs/adr/015adr-trace.html. A document has the names of the variables and a
list of states; what is no state of the model stands under `#meta`. Values are written by their types:

| in the language | in ITF |
|---|---|
| number | `{"#bigint": "3"}`, small ones, too |
| truth value | `true`, `false` |
| enum value, id, process | its name, a string |
| `T?` | `{"tag": "None", "value": {"#tup": []}}` or `{"tag": "Some", "value": …}`, as Quint writes its options |
| record | an object |
| set | `{"#set": […]}` |
| map | `{"#map": [[key, value], …]}` |
| sequence | a list |
| bag | `{"#map": [[element, how often], …]}` |

The variable `x` of a role with several instances is the map `Role.x` from instances to values; of a single role, it is
its value. What only the checker has begins with `$`, which no name of the language does: `$status` of processes that can fall,
`$faulty`, `$cut`, `$left` of each fault budget, and `$network` (or `$network.NAME`, where there are several): the set of
messages of a soup, how often each is in a bag, and the queue of each pair of sender and receiver. Networks without
names of their own are counted from 0.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, assert_never

from checker.engine.interface import Path
from checker.engine.labels import STATUS, StateView
from checker.engine.networks import Slot
from checker.engine.runtime import State
from checker.model.machine import Network
from checker.model.types import BagT, BoolT, EnumT, IdT, IntT, MapT, NeverT, OptT, ProcT, RecordT, SeqT, SetT, Type
from checker.model.values import Value, domain, in_order, to_json

Itf = Any
"""JSON as it stands in an ITF document."""

DESCRIPTION = "https://apalache-mc.org/docs/adr/015adr-trace.html"


def number_of(value: int) -> Itf:
    """A number."""
    return {"#bigint": str(value)}


def set_of(elements: Iterable[Itf]) -> Itf:
    """A set."""
    return {"#set": list(elements)}


def map_of(pairs: Iterable[tuple[Itf, Itf]]) -> Itf:
    """A map."""
    return {"#map": [[key, value] for key, value in pairs]}


def encode(t: Type, value: Value) -> Itf:
    """A value of the engine in ITF; see the module for the forms."""
    match t:
        case BoolT():
            return bool(value)
        case IntT():
            return number_of(value)
        case EnumT() | IdT() | ProcT():
            return to_json(t, value)
        case OptT(inner):
            if value is None:
                return {"tag": "None", "value": {"#tup": []}}
            return {"tag": "Some", "value": encode(inner, value)}
        case RecordT(_, fields):
            return {name: encode(f, v) for (name, f), v in zip(fields, value, strict=True)}
        case SetT(elem):
            return set_of(encode(elem, v) for v in in_order(value))
        case SeqT(elem):
            return [encode(elem, v) for v in value]
        case BagT(elem):
            return map_of((encode(elem, v), number_of(n)) for v, n in _counted(value).items())
        case MapT(key, inner):
            return map_of((encode(key, k), encode(inner, v)) for k, v in zip(domain(key), value, strict=True))
        case NeverT():
            raise AssertionError("no value")
    assert_never(t)


def _counted(values: Iterable[Value]) -> dict[Value, int]:
    counts: dict[Value, int] = {}
    for value in values:
        counts[value] = counts.get(value, 0) + 1
    return counts


class ItfStates:
    """The states of one machine in ITF. `names` are the variables, in order."""

    def __init__(self, view: StateView) -> None:
        self._view = view
        self._readers: dict[str, Callable[[State], Itf]] = {}
        layout, machine = view.layout, view.machine
        for var in machine.variables:
            role = None if var.role is None else machine.roles[var.role]
            if role is None or role.single:
                slot = layout.slot(var, None if role is None else role.base)
                name = var.name if role is None else f"{role.name}.{var.name}"
                self._readers[name] = lambda s, t=var.type, at=slot: encode(t, s[at])  # type: ignore[misc]
            else:
                slots = [(view.process(p), layout.slot(var, p)) for p in role.processes]
                self._readers[f"{role.name}.{var.name}"] = lambda s, t=var.type, at=slots: map_of(  # type: ignore[misc]
                    (name, encode(t, s[i])) for name, i in at
                )
        if layout.status:
            self._readers["$status"] = lambda s: map_of(
                (view.process(p), STATUS[s[i]]) for p, i in layout.status.items()
            )
        for name, place in (("$faulty", layout.faulty), ("$cut", layout.cut)):
            if place is not None:
                self._readers[name] = lambda s, at=place: set_of(  # type: ignore[misc]
                    view.process(p) for p in range(layout.processes) if s[at] >> p & 1
                )
        if layout.budgets:
            self._readers["$left"] = lambda s: map_of((key, number_of(s[i])) for key, i in layout.budgets.items())
        named = len({network.name for network in machine.networks}) == len(machine.networks)
        for number, (network, slot) in enumerate(zip(machine.networks, layout.networks, strict=True)):
            name = f"$network.{network.name if named else number}" if len(machine.networks) > 1 else "$network"
            self._readers[name] = lambda s, n=network, at=slot: self._network(n, s[at])  # type: ignore[misc]

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self._readers)

    def value(self, state: State, name: str) -> Itf:
        """One variable of a state."""
        return self._readers[name](state)

    def state(self, state: State) -> dict[str, Itf]:
        """All variables of a state."""
        return {name: read(state) for name, read in self._readers.items()}

    def _network(self, network: Network, net: Slot) -> Itf:
        match network.kind:
            case "soup":
                return set_of(self._message(code) for code in net)
            case "bag":
                return map_of((self._message(code), number_of(n)) for code, n in _counted(net).items())
            case "fifo":
                queues = []
                for _, *codes in net:
                    letter = self._view.layout.decode(codes[0])
                    ends = {"#tup": [self._view.process(letter.sender), self._view.process(letter.receiver)]}
                    queues.append((ends, [self._message(code) for code in codes]))
                return map_of(queues)
        assert_never(network.kind)

    def _message(self, code: int) -> Itf:
        letter = self._view.layout.decode(code)
        fields = self._view.machine.messages[letter.kind].fields
        return {
            "kind": letter.kind,
            "from": self._view.process(letter.sender),
            "to": "all" if letter.receiver < 0 else self._view.process(letter.receiver),
            "fields": {name: encode(t, v) for (name, t), v in zip(fields, letter.payload, strict=True)},
        }


def document(path: Path, view: StateView, *, meta: dict[str, Itf] | None = None) -> Itf:
    """A path as an ITF document.

    The last state of a run that goes on for ever is one that it has met before. `loop` is the number of the state behind that
    one, to which the last one leads; or its own, where nothing happens any more.

    Args:
        path: What to write.
        view: The states of its machine.
        meta: What else stands under `#meta`.
    """
    states = ItfStates(view)
    about: dict[str, Itf] = {
        "format": "ITF",
        "format-description": DESCRIPTION,
        "source": view.machine.source.name,
        "spec": view.machine.spec,
        "check": view.machine.check,
        **(meta or {}),
    }
    if path.error is not None:
        about["error_step"] = path.error
    result: dict[str, Itf] = {"#meta": about, "vars": list(states.names), "states": []}
    for index, state in enumerate(path.states):
        label = {} if index == 0 else {"step": path.steps[index - 1]}
        result["states"].append({"#meta": {"index": index, **label}, **states.state(state)})
    if path.loop is not None:
        result["loop"] = min(path.loop + 1, len(path.states) - 1)
    return result
