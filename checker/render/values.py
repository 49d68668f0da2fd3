"""Values and changes as text, in the notation of the language.

A result holds values as JSON, which does not say whether a list is a set or a sequence. `Names` knows the type of each
variable of a machine and shows the value as the language writes it. `changes` takes two values of one variable apart, so
that a step that changes one entry of a map shows that entry alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from checker.model.machine import Machine
from checker.model.types import BagT, MapT, NeverT, OptT, RecordT, SeqT, SetT, Type
from checker.model.values import instance_name
from checker.properties.kinds import Json

SHORT = 32
"""Sets and sequences whose two texts are together at most so long are shown whole."""


@dataclass(frozen=True, slots=True)
class Change:
    """One line of what a step changed.

    `set`: `place` had the value `old` and has `new`. `add` and `remove`: what came to or left a collection or, where
    `place` is empty, the network; the text stands in `new`.
    """

    kind: Literal["set", "add", "remove"]
    place: str
    old: str
    new: str


class Names:
    """The types of a machine's variables, by the names that traces use. Without a machine: JSON as it stands.

    `abstract` has the same for the abstract specs that it refines.
    """

    def __init__(self, machine: Machine | None = None) -> None:
        self.types: dict[str, Type] = {"faulty": SetT(NeverT()), "cut": SetT(NeverT())}
        self.abstract: dict[str, Names] = {}
        if machine is None:
            return
        for prop in machine.properties:
            if prop.abstraction is not None:
                self.abstract[prop.name] = Names(prop.abstraction.machine)
        for history in machine.histories:
            for part in ("pending", "possible"):
                self.types[f"{history.name}.{part}"] = SetT(NeverT())
        for var in machine.variables:
            if var.role is None:
                self.types[var.name] = var.type
            else:
                role = machine.roles[var.role]
                for process in role.processes:
                    self.types[f"{instance_name(role, process)}.{var.name}"] = var.type

    def show(self, name: str, value: Json) -> str:
        """The value of a variable."""
        return show(self.types.get(name), value)

    def step(self, before: Mapping[str, Json], changed: Mapping[str, Json]) -> list[Change]:
        """What a step changed, given the values before it: messages taken, variables in order, messages sent."""
        found = changed.get("network")
        network = found if isinstance(found, dict) else {}
        lines = [Change("remove", "", "", text) for text in grouped(network.get("removed"))]
        for name, value in changed.items():
            if name != "network":
                lines += changes(self.types.get(name), name, before.get(name), value)
        return lines + [Change("add", "", "", text) for text in grouped(network.get("added"))]


def show(t: Type | None, value: Json) -> str:
    """A JSON value as the language writes it; `t` is its type, where it is known."""
    match t, value:
        case _, None:
            return "none"
        case _, bool():
            return "true" if value else "false"
        case OptT(inner), _:
            return show(inner, value)
        case SetT(elem), list():
            return "{" + ", ".join(show(elem, v) for v in value) + "}"
        case BagT(elem), list():
            return "bag[" + ", ".join(show(elem, v) for v in value) + "]"
        case SeqT(elem), list():
            return "[" + ", ".join(show(elem, v) for v in value) + "]"
        case MapT(_, inner), dict():
            return "{" + ", ".join(f"{k}: {show(inner, v)}" for k, v in value.items()) + "}"
        case RecordT(name, fields), dict():
            return f"{name}({', '.join(show(f, value.get(n)) for n, f in fields)})"
        case _, list():
            return "[" + ", ".join(show(None, v) for v in value) + "]"
        case _, dict():
            return "{" + ", ".join(f"{k}: {show(None, v)}" for k, v in value.items()) + "}"
    return str(value)


def changes(t: Type | None, place: str, old: Json, new: Json) -> list[Change]:
    """The parts of a value that differ, each with its place: `log[RM0]`, `ballot.round`."""
    match t, old, new:
        case OptT(inner), _, _ if old is not None and new is not None:
            return changes(inner, place, old, new)
        case RecordT(_, fields), dict(), dict():
            parts = [(f"{place}.{name}", f, old.get(name), new.get(name)) for name, f in fields]
        case MapT(_, inner), dict(), dict():
            parts = [(f"{place}[{key}]", inner, old.get(key), value) for key, value in new.items()]
        case SetT(elem), list(), list() if len(show(t, old)) + len(show(t, new)) > SHORT:
            gone, come = [v for v in old if v not in new], [v for v in new if v not in old]
            lines = [Change("remove", place, "", "{" + ", ".join(show(elem, v) for v in gone) + "}")] if gone else []
            return lines + (
                [Change("add", place, "", "{" + ", ".join(show(elem, v) for v in come) + "}")] if come else []
            )
        case SeqT(), list(), list() if len(show(t, old)) > SHORT and new[: len(old)] == old:
            return [Change("add", place, "", show(t, new[len(old) :]))]
        case _:
            return [Change("set", place, show(t, old), show(t, new))]
    return [line for name, part, a, b in parts if a != b for line in changes(part, name, a, b)]


def grouped(messages: Json) -> list[str]:
    """Messages as lines: one message to several receivers is one line, equal copies are counted."""
    receivers: dict[str, list[str]] = {}
    for message in messages if isinstance(messages, list) else ():
        content, arrow, receiver = str(message).rpartition(" -> ")
        receivers.setdefault(content + arrow, []).append(receiver)
    lines = []
    for content, all_of_them in receivers.items():
        once = list(dict.fromkeys(all_of_them))
        if len(once) == len(all_of_them):
            lines.append(content + ", ".join(once))
        else:
            lines += [content + r + (f" (× {all_of_them.count(r)})" if all_of_them.count(r) > 1 else "") for r in once]
    return lines
