"""Hypothesis strategies shared by the tests: closed types, and values of them."""

from __future__ import annotations

from hypothesis import strategies as st

from checker.model.types import (
    BagT,
    BoolT,
    EnumT,
    IdT,
    IntT,
    MapT,
    OptT,
    ProcT,
    RecordT,
    RoleInfo,
    SeqT,
    SetT,
    Type,
    cardinality,
)
from checker.model.values import Value, unrank

A = RoleInfo("A", 0, 2, single=False, symmetric=False)
B = RoleInfo("B", 2, 1, single=True, symmetric=False)

ATOMS: st.SearchStrategy[Type] = st.one_of(
    st.just(BoolT()),
    st.tuples(st.integers(-3, 3), st.integers(0, 3)).map(lambda p: IntT(p[0], p[0] + p[1])),
    st.just(EnumT("Color", ("red", "green", "blue"))),
    st.just(IdT("Val", 2, symmetric=False)),
    st.just(ProcT((A,))),
    st.just(ProcT((A, B))),
)


def _optional(t: Type) -> Type:
    return t if isinstance(t, OptT) else OptT(t)


def _wider(inner: st.SearchStrategy[Type]) -> st.SearchStrategy[Type]:
    small = inner.filter(lambda t: cardinality(t) <= 6)
    return st.one_of(
        inner.map(_optional),
        small.map(SetT),
        st.tuples(small, inner).map(lambda p: MapT(*p)),
        st.tuples(small, st.integers(0, 2)).map(lambda p: SeqT(*p)),
        st.tuples(small, st.integers(0, 2)).map(lambda p: BagT(*p)),
        st.lists(inner, min_size=1, max_size=2).map(
            lambda ts: RecordT("R", tuple((f"f{i}", t) for i, t in enumerate(ts)))
        ),
    )


TYPES = st.recursive(ATOMS, _wider, max_leaves=3).filter(lambda t: 0 < cardinality(t) <= 3000)
"""Closed types with at most 3,000 values."""


def values_of(t: Type) -> st.SearchStrategy[Value]:
    """Values of a type, by their rank."""
    from checker.model.values import domain

    return st.sampled_from(list(domain(t)))


__all__ = ["ATOMS", "TYPES", "A", "B", "unrank", "values_of"]
