"""Values in registers, and the patterns of bits in which they are kept.

While they are computed with, integers, enums, ids and processes are the numbers that the interpreter has, in 64 bits, truth
values are one bit, and everything else is its pattern (`width`). A `Val` knows its type exactly, as closed as the
operands make it, which may be narrower than what the elaborator wrote down; the pattern of a value depends on that type,
so operands are brought to a common one first (`conversion`).

A register never holds bits above those of its pattern, and a sequence none behind its last element. So to compare two values
of one type is to compare two numbers, and parts can be put together with `or`.
"""

from __future__ import annotations

from abc import ABC
from collections.abc import Callable

from checker.base.data import dataclass
from checker.model.types import (
    BOOL,
    BagT,
    EnumT,
    IdT,
    IntT,
    MapT,
    NeverT,
    OptT,
    ProcT,
    RecordT,
    SeqT,
    SetT,
    Type,
    fits,
    join,
)
from checker.native.code.unit import Unit
from checker.native.code.width import bits, bits_for, is_scalar, span
from checker.native.code.writer import Writer, is_number


@dataclass(frozen=True, slots=True)
class Val:
    """A value in a register. `type` is closed unless it is a plain integer."""

    type: Type
    op: str


def register(t: Type) -> int:
    """The bits of the register that holds a value of a type."""
    return 64 if is_scalar(t) else bits(t)


def kind(t: Type) -> str:
    """The LLVM type of that register."""
    return f"i{register(t)}"


LOOSE = IntT(-(1 << 31), (1 << 31) - 1)
LOOSE_ELEMENT = IntT(-128, 127)
"""What an integer without bounds is taken for inside of a collection, and inside of a set. Others are left to the interpreter."""


def closed(t: Type, *, element: bool = False) -> Type:
    """A type that has a width: integers without bounds are taken for some that have them."""
    match t:
        case IntT(lo, hi) if lo is None or hi is None:
            return LOOSE_ELEMENT if element else LOOSE
        case OptT(inner):
            return OptT(closed(inner, element=element))
        case SetT(elem, limit):
            return SetT(closed(elem, element=True), limit)
        case SeqT(elem, limit):
            return SeqT(closed(elem, element=element), limit or 0)
        case BagT(elem, limit):
            return BagT(closed(elem, element=element), limit or 0)
        case MapT(key, value):
            return MapT(key, closed(value, element=element))
    return t


def joined(a: Type, b: Type) -> Type:
    """The type of values that may be of either."""
    both = join(a, b)
    assert both is not None, f"{a} and {b} do not go together"
    return both


def widened(known: Type, more: Type) -> Type:
    """The type of a local that also takes values of another type: numbers grow without bounds at once, not step by step."""
    match known, more:
        case IntT(), IntT():
            return known if fits(more, known) else IntT(None, None)
        case OptT(a), OptT(b):
            return closed(OptT(widened(a, b)))
        case SetT(a), SetT(b) if NeverT() not in (a, b):
            return closed(SetT(widened(a, b)))
        case SeqT(a, n), SeqT(b, m) if NeverT() not in (a, b):
            return closed(SeqT(widened(a, b), max(n or 0, m or 0)))
        case BagT(a, n), BagT(b, m) if NeverT() not in (a, b):
            return closed(BagT(widened(a, b), max(n or 0, m or 0)))
        case MapT(key, a), MapT(_, b):
            return closed(MapT(key, widened(a, b)))
    return joined(known, more)


def field_at(t: RecordT, index: int) -> int:
    """The lowest bit of a field."""
    return sum(bits(f) for _, f in t.fields[:index])


class Values(Writer, ABC):
    """A function that computes with values. `fail` and `defer` are the blocks of an error and of what only Python can do."""

    fail: str
    defer: str

    def __init__(self, unit: Unit, name: str, result: str, params: list[tuple[str, str]], attributes: str = "") -> None:
        super().__init__(name, result, params, attributes)
        self.unit = unit

    # ---- registers and patterns

    def pack(self, v: Val) -> str:
        """The pattern of a value."""
        width = bits(v.type)
        match v.type:
            case IntT(lo):
                return self.resize(self.op("sub", 64, v.op, str(lo)), 64, width)
            case ProcT():
                return self.resize(self.op("sub", 64, v.op, str(span(v.type)[0])), 64, width)
            case EnumT() | IdT() | NeverT():
                return self.resize(v.op, 64, width)
        return v.op

    def unpack(self, t: Type, pattern: str) -> Val:
        """The value of a pattern."""
        match t:
            case IntT(lo):
                return Val(t, self.op("add", 64, self.resize(pattern, bits(t), 64), str(lo)))
            case ProcT():
                return Val(t, self.op("add", 64, self.resize(pattern, bits(t), 64), str(span(t)[0])))
            case EnumT() | IdT() | NeverT():
                return Val(t, self.resize(pattern, bits(t), 64))
        return Val(t, pattern)

    def truth(self, op: str) -> Val:
        """A truth value."""
        return Val(BOOL, op)

    # ---- parts

    def part(self, t: Type, whole: str, total: int, at: str) -> Val:
        """The value of type `t` that lies in a pattern from bit `at` on."""
        return self.unpack(t, self.extract(whole, total, at, bits(t)))

    def with_part(self, whole: str, total: int, at: str, v: Val) -> str:
        """A pattern with the value `v` from bit `at` on."""
        return self.insert(whole, total, at, bits(v.type), self.pack(v))

    def field(self, v: Val, index: int) -> Val:
        """A field of a record."""
        assert isinstance(v.type, RecordT)
        return self.part(v.type.fields[index][1], v.op, bits(v.type), str(field_at(v.type, index)))

    def is_some(self, v: Val) -> str:
        """Whether an optional value is there."""
        return self.resize(v.op, bits(v.type), 1) if isinstance(v.type, OptT) else "1"

    def inner(self, v: Val) -> Val:
        """The value inside of an optional one; of none it is the value whose pattern is zero."""
        if not isinstance(v.type, OptT):
            return v
        return self.part(v.type.inner, v.op, bits(v.type), "1")

    def some(self, t: OptT, v: Val) -> Val:
        """An optional value that is there."""
        total = bits(t)
        shifted = self.op("shl", total, self.resize(self.pack(v), bits(v.type), total), "1")
        return Val(t, self.op("or", total, shifted, "1"))

    def length(self, v: Val) -> str:
        """How many elements a sequence or bag has."""
        assert isinstance(v.type, SeqT | BagT) and v.type.limit is not None
        size = bits_for(v.type.limit + 1)
        at = bits(v.type) - size
        return self.resize(self.extract(v.op, bits(v.type), str(at), size), size, 64)

    def element(self, v: Val, index: str) -> Val:
        """An element of a sequence or bag; the index is known to be inside."""
        assert isinstance(v.type, SeqT | BagT)
        if not v.type.limit:
            return Val(v.type.elem, "0")
        at = self.op("mul", 64, index, str(bits(v.type.elem)))
        return self.part(v.type.elem, v.op, bits(v.type), at)

    def sequence(self, t: SeqT | BagT, items: str, count: str) -> Val:
        """A sequence of `count` elements (an i64) whose patterns lie in `items`, a number of the width of `t`."""
        assert t.limit is not None
        total, size = bits(t), bits_for(t.limit + 1)
        length = self.op("shl", total, self.resize(count, 64, total), str(total - size))
        return Val(t, self.op("or", total, items, length))

    def items(self, v: Val) -> str:
        """The elements of a sequence or bag without their number, in the width of its type."""
        assert isinstance(v.type, SeqT | BagT) and v.type.limit is not None
        ones = (1 << v.type.limit * bits(v.type.elem)) - 1
        return self.op("and", bits(v.type), v.op, str(ones))

    def repeated(self, pattern: str, width: int, times: int, total: int) -> str:
        """A pattern side by side with itself."""
        one = self.resize(pattern, width, total)
        return self.op("mul", total, one, str(sum(1 << i * width for i in range(times))))

    # ---- bits

    def count_bits(self, pattern: str, width: int) -> str:
        """How many bits are set, as an i64."""
        if is_number(pattern):
            return str((int(pattern) & ((1 << width) - 1)).bit_count())
        self.unit.declare(f"declare i{width} @llvm.ctpop.i{width}(i{width})")
        found = self.let(f"call i{width} @llvm.ctpop.i{width}(i{width} {pattern})")
        return self.resize(found, width, 64)

    def lowest_bit(self, pattern: str, width: int) -> str:
        """The number of the lowest bit that is set, as an i64; some bit is."""
        self.unit.declare(f"declare i{width} @llvm.cttz.i{width}(i{width}, i1)")
        return self.resize(self.let(f"call i{width} @llvm.cttz.i{width}(i{width} {pattern}, i1 true)"), width, 64)

    def highest_bit(self, pattern: str, width: int) -> str:
        """The number of the highest bit that is set, as an i64; some bit is."""
        self.unit.declare(f"declare i{width} @llvm.ctlz.i{width}(i{width}, i1)")
        zeros = self.resize(self.let(f"call i{width} @llvm.ctlz.i{width}(i{width} {pattern}, i1 true)"), width, 64)
        return self.op("sub", 64, str(width - 1), zeros)

    def each_bit(self, pattern: str, width: int, body: Callable[[str], None]) -> None:
        """Runs `body` for the number of each bit that is set, from the lowest."""
        if is_number(pattern) and (int(pattern) & ((1 << width) - 1)).bit_count() <= 1:
            if pattern != "0":
                body(str((int(pattern) & ((1 << width) - 1)).bit_length() - 1))
            return
        rest = self.stack(f"i{width}")
        self.store(pattern, rest, f"i{width}")
        head, inside, done = self.block("bits"), self.block("bit"), self.block("end")
        self.place(head)
        now = self.load(rest, f"i{width}")
        self.when(self.compare("ne", width, now, "0"), inside, done)
        self.place(inside)
        i = self.lowest_bit(now, width)
        self.store(self.op("and", width, now, self.op("sub", width, now, "1")), rest, f"i{width}")
        body(i)
        self.go(head)
        self.place(done)
