"""The numbering, order and enumeration of values agree with each other for every type."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from checker.model.types import BoolT, EnumT, IntT, MapT, OptT, ProcT, RecordT, SeqT, SetT, Type, cardinality
from checker.model.values import (
    conforms,
    domain,
    in_order,
    key_index,
    order_key,
    rank,
    show_value,
    space,
    to_json,
    unrank,
)
from tests.strategies import TYPES, A, B

COLOR = EnumT("Color", ("red", "green"))


@given(TYPES)
def test_a_domain_lists_every_value_once(t: Type) -> None:
    values = list(domain(t))
    assert len(values) == cardinality(t)
    assert len(set(values)) == len(values)
    assert all(conforms(t, v) for v in values)


@given(TYPES)
def test_a_domain_is_listed_in_the_order_of_its_keys(t: Type) -> None:
    keys = [order_key(v) for v in domain(t)]
    assert keys == sorted(keys)


@given(TYPES)
def test_ranks_are_distinct_bounded_and_can_be_undone(t: Type) -> None:
    ranks = [rank(t, v) for v in domain(t)]
    assert len(set(ranks)) == len(ranks)
    assert all(0 <= r < space(t) for r in ranks)
    assert [unrank(t, r) for r in ranks] == list(domain(t))


@given(TYPES)
def test_the_entries_of_a_map_stand_in_the_order_of_its_keys(t: Type) -> None:
    assert [key_index(t, v) for v in domain(t)] == list(range(cardinality(t)))


def test_what_is_no_key_has_no_entry() -> None:
    assert key_index(IntT(0, 3), 4) is None
    assert key_index(SetT(IntT(0, 1)), frozenset({2})) is None


@given(TYPES.flatmap(lambda t: st.tuples(st.just(t), st.sampled_from(list(domain(t))))))
def test_every_value_can_be_shown(pair: tuple[Type, object]) -> None:
    t, value = pair
    assert isinstance(show_value(t, value), str)
    to_json(t, value)


def test_none_is_below_everything_and_records_compare_field_by_field() -> None:
    assert order_key(None) < order_key(0)
    assert order_key((0, None)) < order_key((0, 1)) < order_key((1, None))


def test_sets_are_iterated_in_the_order_of_declaration() -> None:
    assert in_order(frozenset({2, 0, 1})) == [0, 1, 2]
    assert in_order(frozenset({1, None, 0})) == [None, 0, 1]
    small, large = frozenset({5}), frozenset({0, 1})
    assert in_order(frozenset({large, small, frozenset()})) == [frozenset(), small, large]


def test_values_are_shown_as_an_author_writes_them() -> None:
    pair = RecordT("Pair", (("c", COLOR), ("p", OptT(ProcT((A, B))))))
    assert show_value(pair, (1, 2)) == "Pair(green, B)"
    assert show_value(pair, (0, None)) == "Pair(red, none)"
    assert show_value(SetT(ProcT((A,))), frozenset({1, 0})) == "{A0, A1}"
    assert show_value(MapT(COLOR, IntT(0, 9)), (3, 4)) == "{red: 3, green: 4}"
    assert show_value(SeqT(BoolT(), 2), (True, False)) == "[true, false]"
    assert to_json(pair, (1, None)) == {"c": "green", "p": None}


def test_a_value_outside_its_type_does_not_conform() -> None:
    assert not conforms(IntT(0, 3), 4)
    assert not conforms(SetT(IntT(0, 3), 1), frozenset({0, 1}))
    assert not conforms(SeqT(IntT(0, 3), 2), (0, 9))
    assert not conforms(RecordT("R", (("a", IntT(0, 1)),), constrained=True), (1,), lambda name, value: False)
    assert not conforms(ProcT((A,)), 2)
    assert not conforms(SetT(IntT(0, 1)), frozenset({None}))
