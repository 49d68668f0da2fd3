"""The key of a unit: a number that tells it from others of the same handler, equal in native code and here.

Native code notes it for each step (`code.outcomes`): of a message its bit or its number, of other steps the process and the
parameters, of what happens to all processes at once nothing.
"""

from __future__ import annotations

from checker.engine.moves import Move, Unit
from checker.native.code.packed import Packed
from checker.native.code.width import bits, to_bits


def key_of(packed: Packed, unit: Unit, move: Move) -> int:
    """The key of the unit that a step takes."""
    step = unit.step
    if step is None:
        return move.process if unit.kind == "restart" else 0
    if step.kind in ("message", "ignore"):
        code = packed.layout.encode(step.name, move.sender, move.process, move.args)
        dense = packed.dense.get(packed.machine.messages[step.name].network)
        return dense.codes.index(code) if dense is not None else packed.to_lane(code) - packed.kinds[step.name].base
    key = move.process
    for param, value in zip(step.params, move.args, strict=True):
        key = key << bits(param.type) | to_bits(param.type, value)
    return key
