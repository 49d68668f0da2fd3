"""Tables of known values: whether a value is one of thousands, in about one look.

The constant set of a refinement has a pair of records for each step of the abstract machine. As a pattern of bits it would
be huge, and a binary search costs a dozen loads that depend on each other, for every transition. So the patterns stand in a
hash table that is made when the code is written: at most half of its slots are taken, a value stands in the first free one
from its hash on, and `reach` is the longest way that any value is from there. Free slots hold a copy of a member, so
none needs a mark: whatever equals a slot is in the set.
"""

from __future__ import annotations

from collections.abc import Collection

from checker.base.data import dataclass
from checker.model.types import RecordT, Type
from checker.model.values import Value
from checker.native.code.width import bits, to_bits

MULTIPLIER = 0x9E3779B97F4A7C15
"""Spreads the bits of a number over those at its top (Knuth's multiplicative hashing)."""

_WORD = (1 << 64) - 1


@dataclass(frozen=True, slots=True)
class Known:
    """A table with `1 << size` slots, and `reach` copies of its first ones behind them, so that no look wraps around."""

    slots: tuple[int, ...]
    size: int
    reach: int


def patterns_of(t: Type, values: Collection[Value]) -> list[int]:
    """The patterns of values of a type. Records that share their parts, as the pairs of a relation do, are quickly done."""
    if not isinstance(t, RecordT):
        return [to_bits(t, value) for value in values]
    done: dict[tuple[int, Value], int] = {}
    patterns = []
    for value in values:
        pattern = at = 0
        for number, ((_, field), part) in enumerate(zip(t.fields, value, strict=True)):
            if (number, part) not in done:
                done[number, part] = to_bits(field, part)
            pattern |= done[number, part] << at
            at += bits(field)
        patterns.append(pattern)
    return patterns


def hash_of(pattern: int, size: int) -> int:
    """Where the search for a pattern begins."""
    folded = 0
    while pattern:
        folded ^= pattern & _WORD
        pattern >>= 64
    return (folded * MULTIPLIER & _WORD) >> (64 - size)


def known(patterns: Collection[int]) -> Known:
    """The table of some patterns; there is at least one."""
    size = max(1, (2 * len(patterns) - 1).bit_length())
    taken: list[int | None] = [None] * (1 << size)
    reach = 0
    for pattern in sorted(patterns):
        home = hash_of(pattern, size)
        away = 0
        while taken[(home + away) % len(taken)] is not None:
            away += 1
        taken[(home + away) % len(taken)] = pattern
        reach = max(reach, away)
    some = min(patterns)
    slots = [some if pattern is None else pattern for pattern in taken]
    return Known((*slots, *slots[:reach]), size, reach)
