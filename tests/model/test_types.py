"""Types as sets of values: what fits, what joins, how large they are."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checker.model.intervals import interval
from checker.model.types import (
    INT,
    NONE,
    BoolT,
    IdT,
    IntT,
    MapT,
    NeverT,
    OptT,
    SetT,
    Type,
    TypeTooLarge,
    cardinality,
    fits,
    is_ordered,
    is_symmetric,
    join,
    matches,
    show,
)
from checker.model.values import conforms, domain
from tests.strategies import TYPES


@given(TYPES, TYPES)
def test_what_fits_has_only_values_of_the_other(a: Type, b: Type) -> None:
    if fits(a, b):
        assert all(conforms(b, v) for v in domain(a))


@given(TYPES, TYPES)
def test_a_join_has_the_values_of_both_and_does_not_depend_on_the_order(a: Type, b: Type) -> None:
    both = join(a, b)
    assert both == join(b, a)
    if both is not None:
        assert fits(a, both)
        assert fits(b, both)


@given(TYPES)
def test_every_type_fits_and_matches_itself(t: Type) -> None:
    assert fits(t, t)
    assert matches(t, t)
    assert join(t, t) == t


@given(TYPES, TYPES)
def test_what_fits_matches(a: Type, b: Type) -> None:
    if fits(a, b):
        assert matches(a, b)


INTERVALS = st.tuples(st.integers(-6, 6), st.integers(0, 6)).map(lambda p: IntT(p[0], p[0] + p[1]))


@given(st.sampled_from("+-*/%"), INTERVALS, INTERVALS)
def test_an_interval_holds_every_result(op: str, a: IntT, b: IntT) -> None:
    result = interval(op, a, b)
    for x in domain(a):
        for y in domain(b):
            if op in "/%" and y == 0:
                continue
            value = {"+": x + y, "-": x - y, "*": x * y}.get(op, (x // y if op == "/" else x % abs(y)) if y else 0)
            assert conforms(result, value), (op, x, y, result)


def test_the_literals_without_a_type_fit_everything_of_their_shape() -> None:
    assert fits(NONE, OptT(BoolT()))
    assert fits(SetT(NeverT(), 0), SetT(IntT(0, 3), 2))
    assert not fits(NONE, BoolT())
    assert not matches(NONE, BoolT())
    assert matches(OptT(BoolT()), BoolT())


def test_an_optional_inside_a_collection_is_not_silently_a_value() -> None:
    assert not matches(SetT(OptT(BoolT())), SetT(BoolT()))


def test_maps_with_other_keys_are_other_types() -> None:
    assert not matches(MapT(IntT(0, 1), BoolT()), MapT(IntT(0, 2), BoolT()))


def test_cardinalities() -> None:
    assert cardinality(SetT(IntT(0, 3))) == 16
    assert cardinality(SetT(IntT(0, 3), 1)) == 5
    assert cardinality(MapT(IntT(0, 2), BoolT())) == 8
    with pytest.raises(TypeTooLarge):
        cardinality(SetT(IntT(0, 1 << 20)))
    with pytest.raises(ValueError, match="unbounded"):
        cardinality(INT)


def test_symmetry_and_order() -> None:
    val = IdT("Val", 2, symmetric=True)
    assert is_symmetric(OptT(SetT(val)))
    assert is_ordered(OptT(IntT(0, 1)))
    assert not is_ordered(SetT(IntT(0, 1)))
    assert show(MapT(val, OptT(IntT(0, 1)))) == "Map[Val, 0..1?]"
