"""The operators of TLA+ and of its standard modules, on values."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import combinations, product

from tests.tla.values import (
    EvalError,
    Lazy,
    Value,
    a_set,
    boolean,
    contains,
    equal,
    function,
    make_set,
    number,
    pairs_of,
)


def _subseq(q: Value, a: Value, b: Value) -> Value:
    if number(a) > number(b):
        return ()
    if a < 1 or b > len(q):
        raise EvalError(f"SubSeq({q!r}, {a}, {b})")
    return q[a - 1 : b]


def _first(q: Value) -> Value:
    if not isinstance(q, tuple) or not q:
        raise EvalError(f"Head of {q!r}")
    return q[0]


def _rest(q: Value) -> Value:
    if not isinstance(q, tuple) or not q:
        raise EvalError(f"Tail of {q!r}")
    return q[1:]


def _divide(a: Value, b: Value) -> Value:
    if number(b) == 0:
        raise EvalError("division by zero")
    return number(a) // b


def _modulo(a: Value, b: Value) -> Value:
    if number(b) <= 0:
        raise EvalError("% by what is not positive")
    return number(a) % b


def _sequence(q: Value) -> tuple[Value, ...]:
    if not isinstance(q, tuple):
        raise EvalError(f"{q!r} is no sequence")
    return q


def _subsets(of: Value) -> Value:
    def items() -> Iterator[Value]:
        listed = a_set(of)
        return (frozenset(c) for n in range(len(listed) + 1) for c in combinations(listed, n))

    return Lazy(lambda x: all(contains(of, v) for v in a_set(x)), items)


def _union(parts: Value) -> Value:
    parts = a_set(parts)
    if any(isinstance(p, Lazy) for p in parts):
        return Lazy(lambda x: any(contains(p, x) for p in parts), lambda: (x for p in parts for x in a_set(p)))
    return make_set(x for part in parts for x in a_set(part))


BUILT_IN: dict[str, Callable[..., Value]] = {
    "Len": lambda q: len(_sequence(q)),
    "Append": lambda q, x: (*_sequence(q), x),
    "Head": _first,
    "Tail": _rest,
    "SubSeq": _subseq,
    "Cardinality": lambda v: len(a_set(v)),
}
PREFIX: dict[str, Callable[[Value], Value]] = {
    "~": lambda v: not boolean(v),
    "-": lambda v: -number(v),
    "SUBSET": _subsets,
    "UNION": _union,
    "DOMAIN": lambda v: frozenset(pairs_of(v)),
}
INFIX: dict[str, Callable[[Value, Value], Value]] = {
    "=": equal,
    "#": lambda a, b: not equal(a, b),
    "<": lambda a, b: number(a) < number(b),
    ">": lambda a, b: number(a) > number(b),
    "<=": lambda a, b: number(a) <= number(b),
    ">=": lambda a, b: number(a) >= number(b),
    "+": lambda a, b: number(a) + number(b),
    "-": lambda a, b: number(a) - number(b),
    "*": lambda a, b: number(a) * number(b),
    "\\div": _divide,
    "%": _modulo,
    "..": lambda a, b: frozenset(range(number(a), number(b) + 1)),
    "\\cup": lambda a, b: _union(frozenset((a, b))),
    "\\cap": lambda a, b: a_set(a) & a_set(b),
    "\\": lambda a, b: a_set(a) - a_set(b),
    "\\subseteq": lambda a, b: all(contains(b, x) for x in a_set(a)),
    "\\X": lambda a, b: frozenset(product(a_set(a), a_set(b))),
    "\\o": lambda a, b: _sequence(a) + _sequence(b),
    ":>": lambda a, b: function({a: b}),
    "@@": lambda a, b: function({**pairs_of(b), **pairs_of(a)}),
}
