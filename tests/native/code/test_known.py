"""Tables of known values have each of their values where it is looked for."""

from __future__ import annotations

from random import Random

import pytest

from checker.model.types import BOOL, IntT, MapT, OptT, RecordT
from checker.native.code.known import Known, hash_of, known, patterns_of
from checker.native.code.width import to_bits


def found(table: Known, pattern: int) -> bool:
    """As the compiled code looks."""
    home = hash_of(pattern, table.size)
    return pattern in table.slots[home : home + table.reach + 1]


@pytest.mark.parametrize(("count", "width"), [(1, 1), (2, 1), (5, 7), (300, 20), (2000, 64), (300, 150)])
def test_members_are_found_and_others_are_not(count: int, width: int) -> None:
    random = Random(count)
    members = {random.getrandbits(width) for _ in range(count)}
    table = known(sorted(members))
    assert len(table.slots) == (1 << table.size) + table.reach
    assert all(found(table, m) for m in members)
    assert not any(found(table, p) for p in (random.getrandbits(width) for _ in range(1000)) if p not in members)
    assert set(table.slots) == members


def test_patterns_are_those_of_the_values() -> None:
    t = RecordT("pair", (("old", OptT(IntT(-2, 9))), ("new", MapT(BOOL, IntT(0, 3)))))
    values = [(None, (1, 2)), (3, (1, 2)), (None, (1, 3)), (-2, (0, 0))]
    assert patterns_of(t, values) == [to_bits(t, v) for v in values]
    assert patterns_of(IntT(1, 4), [2, 4]) == [1, 3]
