"""How a value is held in bits: the widths of types, and values as numbers of so many bits.

Each type has an exact width, and each of its values one pattern of bits, so two values of one type are equal if and only
if their bits are. Parts are laid from the lowest bit upwards.

| type | bits |
|---|---|
| int | the value less the lower end of its range |
| enum, id, bool | the position |
| process | its number less that of the first process of the type |
| `T?` | one bit whether there is a value, then its bits, zero for none |
| record | the fields, one after the other |
| set | one bit for each value of the element's type, by its rank |
| map | the entries, in the order of the key's values |
| sequence, bag | the elements, zero behind the last, then their number |

A type without bounds has no width; neither has one too wide for machine code. Both are `Unsupported`: then the interpreter
explores the machine.
"""

from __future__ import annotations

from functools import cache
from typing import assert_never

from checker.model.types import (
    BagT,
    BoolT,
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
    cardinality,
    show,
)
from checker.model.values import Value, rank, space, unrank, width

MAX_BITS = 4096
"""The widest value that is held as one number of LLVM."""

WORD_LIMIT = 1 << 62
"""Integers up to here can be added without a look at the overflow."""


def fits_word(t: IntT) -> bool:
    """Whether all integers of a type lie within WORD_LIMIT."""
    return t.lo is not None and t.hi is not None and t.lo >= -WORD_LIMIT and t.hi <= WORD_LIMIT


class Unsupported(Exception):
    """Native code cannot hold this machine. `args[0]` says why, for people."""


def bits_for(values: int) -> int:
    """The bits of a number below `values`; at least one, since LLVM has no number without bits."""
    return max(1, (values - 1).bit_length())


def is_scalar(t: Type) -> bool:
    """Whether values are held as numbers of 64 bits while they are computed with; truth values are one bit."""
    return isinstance(t, IntT | EnumT | IdT | ProcT | NeverT)


def span(t: ProcT) -> tuple[int, int]:
    """The first process of a type and how many numbers lie from there to its last."""
    if not t.roles:
        return 0, 1
    base = min(r.base for r in t.roles)
    return base, max(1, max(r.base + r.size for r in t.roles) - base)


@cache
def bits(t: Type) -> int:
    """The width of a type in bits. Raises `Unsupported` where it has none."""
    match t:
        case NeverT() | BoolT():
            return 1
        case IntT(lo, hi):
            if lo is None or hi is None:
                raise Unsupported("a collection of integers without bounds")
            if hi - lo >= 1 << 64:
                raise Unsupported(f"the range {show(t)} needs more than 64 bits")
            return bits_for(hi - lo + 1)
        case EnumT(_, values):
            return bits_for(len(values))
        case IdT(_, size):
            return bits_for(size)
        case ProcT():
            return bits_for(span(t)[1])
        case OptT(inner):
            return _limited(t, 1 + bits(inner))
        case RecordT(_, fields):
            return _limited(t, max(1, sum(bits(f) for _, f in fields)))
        case SetT(elem):
            return _limited(t, max(1, elements(elem)))
        case MapT(key, value):
            return _limited(t, max(1, entries(key) * bits(value)))
        case SeqT(elem, limit) | BagT(elem, limit):
            if limit is None:
                raise Unsupported("a sequence without a limit")
            return _limited(t, limit * bits(elem) + bits_for(limit + 1))
    assert_never(t)


def _limited(t: Type, width: int) -> int:
    if width > MAX_BITS:
        raise Unsupported(f"a value of {show(t)} needs {width:,} bits, more than {MAX_BITS:,}")
    return width


@cache
def elements(t: Type) -> int:
    """The bound of the ranks of a set's elements."""
    bits(t)
    if width(t) > 17:
        raise Unsupported(f"a set over {show(t)} has too many possible elements")
    return space(t)


def entries(key: Type) -> int:
    """How many entries a map has."""
    if isinstance(key, NeverT):
        return 0
    elements(key)
    return cardinality(key)


@cache
def is_dense(t: Type) -> bool:
    """Whether every rank below `space` belongs to a value, and ranks are in the order of the values."""
    match t:
        case BagT() | SetT():
            return False
        case RecordT(_, fields, constrained):
            return not constrained and all(is_dense(f) for _, f in fields)
        case OptT(inner):
            return is_dense(inner)
        case SeqT(elem):
            return is_dense(elem)
        case MapT(key, value):
            return is_dense(key) and is_dense(value)
        case _:
            return True


def to_bits(t: Type, value: Value) -> int:
    """The pattern of a value."""
    match t:
        case NeverT():
            return 0
        case BoolT():
            return int(value)
        case IntT(lo):
            assert lo is not None
            return int(value) - lo
        case EnumT() | IdT():
            return int(value)
        case ProcT():
            return int(value) - span(t)[0]
        case OptT(inner):
            return 0 if value is None else 1 | to_bits(inner, value) << 1
        case RecordT(_, fields):
            return _joined([(f, v) for (_, f), v in zip(fields, value, strict=True)])
        case SetT(elem):
            return sum(1 << rank(elem, v) for v in value)
        case MapT(_, inner):
            return _joined([(inner, v) for v in value])
        case SeqT(elem, limit) | BagT(elem, limit):
            assert limit is not None
            return _joined([(elem, v) for v in value]) | len(value) << limit * bits(elem)
    assert_never(t)


def _joined(parts: list[tuple[Type, Value]]) -> int:
    result = at = 0
    for t, value in parts:
        result |= to_bits(t, value) << at
        at += bits(t)
    return result


def from_bits(t: Type, pattern: int) -> Value:
    """The value with that pattern: the inverse of `to_bits`."""
    match t:
        case NeverT():
            return None
        case BoolT():
            return pattern == 1
        case IntT(lo):
            assert lo is not None
            return pattern + lo
        case EnumT() | IdT():
            return pattern
        case ProcT():
            return pattern + span(t)[0]
        case OptT(inner):
            return from_bits(inner, pattern >> 1) if pattern & 1 else None
        case RecordT(_, fields):
            return _parts([f for _, f in fields], pattern)
        case SetT(elem):
            return frozenset(unrank(elem, i) for i in range(pattern.bit_length()) if pattern >> i & 1)
        case MapT(key, inner):
            return _parts([inner] * entries(key), pattern)
        case SeqT(elem, limit) | BagT(elem, limit):
            assert limit is not None
            return _parts([elem] * (pattern >> limit * bits(elem)), pattern)
    assert_never(t)


def _parts(types: list[Type], pattern: int) -> tuple[Value, ...]:
    values = []
    for t in types:
        values.append(from_bits(t, pattern & ((1 << bits(t)) - 1)))
        pattern >>= bits(t)
    return tuple(values)
