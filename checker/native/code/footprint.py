"""Which bits of a state an expression reads.

A property that read nothing of what a step changed says the same after it as before. So a state found from another by a
step that leaves all that a property reads as it was need not be judged again; the words of both states, and a mask for each
property, tell.
"""

from __future__ import annotations

from checker.model import ir
from checker.model.walk import parts
from checker.native.code.packed import Place
from checker.native.code.unit import Unit


def masks(unit: Unit, e: ir.Expr) -> tuple[int, ...] | None:
    """For each fixed word the bits that an expression reads; None where it may read the list of messages."""
    found = [0] * unit.packed.words
    return tuple(found) if _read(unit, e, found, set()) else None


def _read(unit: Unit, e: ir.Expr, found: list[int], seen: set[str]) -> bool:
    packed, layout = unit.packed, unit.layout
    match e:
        case ir.GetVar(var, of):
            copies = None
            if var.role is not None and isinstance(of, ir.Const):
                copies = [int(of.value) - unit.machine.roles[var.role].base]
            _add(packed.places.get(var.slot), copies, found)
        case ir.Honest() if layout.faulty is not None:
            _add(packed.places[layout.faulty], None, found)
        case ir.Sent(message) | ir.Inflight(message):
            network = unit.machine.messages[message].network
            if network in packed.listed:
                return False
            if network in packed.dense:
                _add(packed.dense[network].place, None, found)
            if isinstance(e, ir.Sent) and layout.faulty is not None:
                _add(packed.places[layout.faulty], None, found)
        case ir.Silent():
            return False
        case ir.CallFun(fun) if fun not in seen:
            seen.add(fun)
            if not _read(unit, unit.machine.functions[fun].body, found, seen):
                return False
    return all(_read(unit, p, found, seen) for p in parts(e))


def _add(place: Place | None, copies: list[int] | None, found: list[int]) -> None:
    if place is None:
        return
    for copy in copies if copies is not None else range(place.copies):
        place.cover(copy, found)
