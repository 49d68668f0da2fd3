"""What the faults that runs are struck by are called in a spec.

Nodes and simulators record what was done to them in words of their own: a node is killed and started again, some nodes are cut
off from others. Where the check of a spec has such a fault, they are its steps:

| Recorded | In the spec |
|---|---|
| `kill` of a node | `crash` of the role of its process |
| `restart` of it | the restart of that role |
| `cut` with `from` and `to` | `cut`, with the side that is named there |
| `heal` | `heal` |

A spec cuts all its processes (or those of two roles) into two sides, in both directions, once at a time. What it cannot say is no
step of it and passed over, with the repair that ends it: a cut in one direction, of a part, or from services alone. That leaves
out a cause and claims nothing, since a message that did not arrive may be late. The same holds of kills where the check has no
crash of that role.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Final

from checker.base.data import dataclass
from checker.conformance.jsonlines import canonical
from checker.conformance.record import Entry, Kind
from checker.model.machine import Machine
from checker.model.values import instance_name
from checker.properties.kinds import Json

CUT_ARGS: Final = ("from", "to", "one_way")
"""What is recorded of a cut, in names of nodes."""


@dataclass(frozen=True, slots=True)
class Said:
    """What an entry is in the spec: a step with its arguments as canonical JSON, or, without a name, nothing."""

    unit: str | None
    args: Mapping[str, str]


NOTHING: Final = Said(None, {})


class Faults:
    """Reads the faults of one record, in order; see the module.

    Args:
        units: the steps that this check can take.
        process_of: the process that a node is, or whatever the name is where it is none.
    """

    def __init__(self, machine: Machine, units: Collection[str], process_of: Callable[[str], str]) -> None:
        self._units = units
        self._process_of = process_of
        self._order = {
            instance_name(role, process): process for role in machine.roles.values() for process in role.processes
        }
        self._cut = next((b.key for b in machine.budgets if b.kind == "cut" and b.count), None)
        groups = (b.roles or tuple(machine.roles.values()) for b in machine.budgets if b.key == self._cut)
        self._group = [instance_name(role, p) for roles in groups for role in roles for p in role.processes]
        self._killed: set[str] = set()
        self._cut_off = False
        self._left_out = False

    def said(self, entry: Entry, role: str | None) -> Said | None:
        """What an entry of kind `fault` is; None where it is one like any other."""
        if entry.kind is not Kind.FAULT:
            return None
        match entry.name:
            case "kill" if entry.node is not None:
                unit = f"crash {role}"
                if unit in self._units:
                    self._killed.discard(entry.node)
                    return Said(unit, {})
                self._killed.add(entry.node)
                return NOTHING
            case "restart" if entry.node in self._killed:
                self._killed.discard(entry.node)
                return NOTHING
            case "cut" if isinstance(entry.args.get("from"), list) and isinstance(entry.args.get("to"), list):
                return self._separated(entry.args)
            case "heal" if self._left_out:
                healed = "heal" if self._cut_off else None
                self._cut_off = self._left_out = False
                return Said(healed, {})
            case "heal":
                self._cut_off = False
        return None

    def _separated(self, args: Mapping[str, Json]) -> Said:
        one, other = self._side(args["from"]), self._side(args["to"])
        whole = one and other and not one & other and one | other == set(self._group)
        if self._cut is None or self._cut_off or not whole or args.get("one_way") is True:
            self._left_out = True
            return NOTHING
        self._cut_off = True
        named = other if self._group[0] in one else one
        return Said(self._cut, {"side": canonical(sorted(named, key=self._order.__getitem__))})

    def _side(self, nodes: Json) -> set[str]:
        """Those of some nodes that a cut of the spec may separate."""
        assert isinstance(nodes, list)
        return {self._process_of(str(node)) for node in nodes} & set(self._group)
