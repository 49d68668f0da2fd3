"""Which values of enums were seen in some state, for the coverage of a check.

`collect` adds the values in the variables of a state to masks with a bit for each value, and says whether some value is still
unseen. As soon as all were seen, nobody calls it any more; that is usually after a few thousand states.
"""

from __future__ import annotations

from checker.model import ir
from checker.model.types import BagT, EnumT, MapT, OptT, RecordT, SeqT, SetT, Type
from checker.native.code import frame
from checker.native.code.functions import Functions
from checker.native.code.unit import Unit
from checker.native.code.values import Val
from checker.native.code.width import bits, elements, entries
from checker.native.code.writer import normal


def enums_of(unit: Unit) -> tuple[EnumT, ...]:
    """The enums that some variable holds, in the order in which they are first found."""
    found: dict[EnumT, None] = {}

    def look(t: Type) -> None:
        match t:
            case EnumT():
                found.setdefault(t)
            case OptT(inner):
                look(inner)
            case SetT(elem) | SeqT(elem) | BagT(elem):
                look(elem)
            case MapT(_, value):
                look(value)
            case RecordT(_, fields):
                for _, field in fields:
                    look(field)

    for var in unit.machine.variables:
        look(var.type)
    return tuple(found)


def holds_enum(t: Type) -> bool:
    """Whether values of a type contain values of an enum; keys of maps do not count."""
    match t:
        case EnumT():
            return True
        case OptT(inner) | SetT(inner) | SeqT(inner) | BagT(inner) | MapT(_, inner):
            return holds_enum(inner)
        case RecordT(_, fields):
            return any(holds_enum(f) for _, f in fields)
    return False


def enum_words(enums: tuple[EnumT, ...]) -> tuple[int, ...]:
    """How many words the mask of each enum has."""
    return tuple(-(-len(e.values) // 64) for e in enums)


class Collector(Functions):
    """Writes `collect(block, state)`: adds the enum values of a state to those that were seen."""

    def see(self, v: Val, places: dict[EnumT, int]) -> None:
        """Adds the enum values in a value; `places` has the word of the block in which the mask of each enum begins."""
        match v.type:
            case EnumT(_, values):
                first = self.word("%block", places[v.type])
                pointer, bit = first, v.op
                if len(values) > 64:
                    pointer = self.word(first, self.op("lshr", 64, v.op, "6"))
                    bit = self.op("and", 64, v.op, "63")
                mask = self.op("shl", 64, "1", bit)
                self.store(self.op("or", 64, self.load(pointer), mask), pointer)
            case OptT(inner) if holds_enum(inner):
                self.if_(self.is_some(v), lambda: self.see(self.inner(v), places))
            case SetT(elem) | SeqT(elem) | BagT(elem) if holds_enum(elem):
                self.each_element(v, lambda x: self.see(x, places))
            case MapT(key, value) if holds_enum(value):
                for i in range(entries(key)):
                    self.see(self.part(value, v.op, bits(v.type), str(i * bits(value))), places)
            case RecordT(_, fields):
                for i, (_, field) in enumerate(fields):
                    if holds_enum(field):
                        self.see(self.field(v, i), places)


def write_collect(unit: Unit, shape: frame.Shape, enums: tuple[EnumT, ...]) -> None:
    code = Collector(unit, "collect", "void", [("ptr", "block"), ("ptr", "s")], "noinline cold")
    code.ctx, code.state = "null", "%s"
    places, at = {}, shape.seen
    for enum, words in zip(enums, enum_words(enums), strict=True):
        places[enum] = at
        at += words
    for var in unit.machine.variables:
        if not holds_enum(var.type):
            continue
        if var.role is None:
            code.see(code.variable(var, "0"), places)
        else:
            role = unit.machine.roles[var.role]

            def see(process: str, var: ir.Var = var) -> None:
                code.see(code.variable(var, process), places)

            code.loop(str(role.base), str(role.base + role.size), see)
    unseen = "0"
    for enum, words in zip(enums, enum_words(enums), strict=True):
        for i in range(words):
            full = (1 << min(64, elements(enum) - 64 * i)) - 1
            mask = code.load(code.word("%block", places[enum] + i))
            missing = code.op("xor", 64, mask, normal(full, 64))
            unseen = code.op("or", 64, unseen, missing)
    code.store(unseen, code.word("%block", shape.unseen))
    code.ret_void()
    unit.functions.append(code.text())
