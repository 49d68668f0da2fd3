"""Which bits of a state an expression reads.

A property that read nothing of what a step changed says the same after it as before. So a state found from another by a
step that leaves all that a property reads as it was need not be judged again; the words of both states, and a mask for each
property, tell. What holds for all processes is made of one condition for each of them, which reads that process alone (`split`).
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import reduce
from itertools import islice
from operator import or_

from checker.model import ir
from checker.model.liveness import substituted
from checker.model.walk import parts
from checker.native.code.packed import Place
from checker.native.code.unit import Unit
from checker.native.code.width import Unsupported

Mask = tuple[int, ...]
"""For each fixed word of a state some of its bits."""

MOST_PARTS = 64
"""Into more parts nothing is split."""


def split(unit: Unit, e: ir.Expr, *, true: bool) -> list[ir.Expr]:
    """Conditions that all are true where a condition is true, and only there; or with `true=False` the same for false.

    A condition that goes wrong is neither, so no part of one that is true or false goes wrong.
    """
    found = [*islice(_split(unit, e, ("and", "forall") if true else ("or", "exists")), MOST_PARTS + 1)]
    return found if len(found) <= MOST_PARTS else [e]


def _split(unit: Unit, e: ir.Expr, joined: tuple[str, str]) -> Iterator[ir.Expr]:
    match e:
        case ir.Logic(op, items) if op == joined[0]:
            for item in items:
                yield from _split(unit, item, joined)
        case ir.Quant(kind, local, ir.DomainSet(), body) if kind == joined[1]:
            try:
                values = unit.values(local.type)
            except Unsupported:
                yield e
                return
            for value in values:
                yield from _split(unit, substituted(body, local, ir.Const(value, local.type)), joined)
        case _:
            yield e


def union(masks: list[Mask]) -> Mask:
    """For each word the bits that some mask has."""
    return tuple(reduce(or_, words) for words in zip(*masks, strict=True))


def masks(unit: Unit, e: ir.Expr) -> Mask | None:
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
