"""Patterns of bits: every value has one, every type as many bits as it says, and ranks are what they promise to be."""

from __future__ import annotations

from itertools import islice, pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from checker.model.types import BagT, BoolT, EnumT, IdT, IntT, MapT, NeverT, OptT, ProcT, RecordT, SeqT, SetT, Type
from checker.model.values import domain, order_key, rank, space
from checker.native.code.width import MAX_BITS, Unsupported, bits, elements, entries, from_bits, is_dense, to_bits
from tests.strategies import TYPES, A, B

BOOL = BoolT()
COLOR = EnumT("Color", ("red", "green", "blue"))
SMALL = IntT(-3, 1)
PAIR = RecordT("Pair", (("a", SMALL), ("b", OptT(BOOL))))
ONE_OF_EACH: tuple[Type, ...] = (
    BOOL,
    COLOR,
    SMALL,
    IntT(5, 5),
    IdT("V", 3, symmetric=False),
    ProcT((A,)),
    ProcT((A, B)),
    OptT(COLOR),
    OptT(NeverT()),
    PAIR,
    RecordT("Nothing", ()),
    SetT(SMALL),
    SetT(PAIR),
    SetT(SetT(BOOL)),
    SetT(OptT(ProcT((A, B)))),
    MapT(COLOR, SMALL),
    MapT(OptT(BOOL), COLOR),
    MapT(BOOL, SetT(COLOR)),
    SeqT(COLOR, 3),
    SeqT(SeqT(BOOL, 1), 2),
    SeqT(COLOR, 0),
    BagT(COLOR, 3),
    BagT(SetT(BOOL), 2),
    SetT(BagT(BOOL, 2)),
)


def examine(t: Type) -> None:
    values = list(islice(domain(t), 1000))
    patterns = [to_bits(t, v) for v in values]
    assert [from_bits(t, p) for p in patterns] == values
    assert len(set(patterns)) == len(values)
    assert all(0 <= p < 1 << bits(t) for p in patterns)


@pytest.mark.parametrize("t", ONE_OF_EACH, ids=str)
def test_values_come_back_from_their_patterns(t: Type) -> None:
    examine(t)


@settings(max_examples=80, deadline=None)
@given(TYPES)
def test_values_of_random_types_come_back(t: Type) -> None:
    examine(t)


@pytest.mark.parametrize("t", [t for t in ONE_OF_EACH if is_dense(t)], ids=str)
def test_a_dense_type_has_a_value_for_every_rank_and_in_order(t: Type) -> None:
    values = sorted(domain(t), key=order_key)
    assert [rank(t, v) for v in values] == list(range(space(t)))


@pytest.mark.parametrize("t", ONE_OF_EACH, ids=str)
def test_a_set_has_a_bit_for_the_rank_of_each_element(t: Type) -> None:
    try:
        bits(SetT(t))
    except Unsupported:
        return
    for v in islice(domain(t), 200):
        assert to_bits(SetT(t), frozenset({v})) == 1 << rank(t, v)
    assert bits(SetT(t)) == elements(t) == space(t)


@pytest.mark.parametrize("t", [SetT(SMALL), SetT(COLOR), SetT(SetT(BOOL))], ids=str)
def test_the_pattern_of_a_set_is_its_rank(t: Type) -> None:
    assert all(to_bits(t, v) == rank(t, v) for v in domain(t))


@pytest.mark.parametrize("t", [BOOL, COLOR, SMALL, IntT(0, 6), IdT("V", 3, symmetric=False), ProcT((A,))], ids=str)
def test_the_pattern_of_a_scalar_is_its_rank(t: Type) -> None:
    values = sorted(domain(t), key=order_key)
    assert [to_bits(t, v) for v in values] == [rank(t, v) for v in values]
    assert all(a < b for a, b in pairwise(to_bits(t, v) for v in values))


def test_parts_lie_from_the_lowest_bit_upwards() -> None:
    assert to_bits(PAIR, (1, True)) == 4 | (1 | 1 << 1) << 3
    assert to_bits(OptT(COLOR), None) == 0
    assert to_bits(OptT(COLOR), 2) == 1 | 2 << 1
    assert to_bits(SeqT(COLOR, 3), (1, 2)) == 1 | 2 << 2 | 2 << 6
    assert to_bits(MapT(COLOR, BOOL), (False, True, True)) == 0b110


def test_a_map_has_an_entry_for_each_key() -> None:
    assert entries(NeverT()) == 0
    assert bits(MapT(COLOR, SMALL)) == 3 * bits(SMALL)


@pytest.mark.parametrize(
    "t",
    [
        IntT(None, 3),
        IntT(-(1 << 63), 1 << 63),
        SetT(IntT(0, None)),
        SeqT(BOOL, None),
        SetT(IntT(0, MAX_BITS)),
        SetT(IntT(0, 1 << 40)),
        MapT(IntT(0, 1 << 20), BOOL),
        SeqT(IntT(0, 255), MAX_BITS),
    ],
    ids=str,
)
def test_what_has_no_width_says_so(t: Type) -> None:
    with pytest.raises(Unsupported, match=r"\w"):
        bits(t)


@settings(max_examples=50, deadline=None)
@given(TYPES, st.data())
def test_equal_patterns_are_equal_values(t: Type, data: st.DataObject) -> None:
    values = list(islice(domain(t), 500))
    a, b = data.draw(st.sampled_from(values)), data.draw(st.sampled_from(values))
    assert (to_bits(t, a) == to_bits(t, b)) == (a == b)
