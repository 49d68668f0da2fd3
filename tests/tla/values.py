"""Values of TLA+ as TLC holds them, as strict as TLC: things of different kinds are not compared, but an error.

Integers, booleans and strings are Python's; sets are frozensets; a function is an `Fn`, or a tuple where its domain is 1..n;
`NONE` is the model value, which differs from everything else and may be compared with everything.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import islice
from typing import Any

Value = Any


class EvalError(Exception):
    pass


class TooLarge(Exception):
    """A set has too many elements for this evaluator."""


class AssertionFailed(EvalError):
    pass


class ModelValue:
    def __repr__(self) -> str:
        return "none"


NONE = ModelValue()


class Fn:
    """A function whose domain is not 1..n."""

    __slots__ = ("_hash", "pairs")

    def __init__(self, pairs: dict[Value, Value]) -> None:
        self.pairs = pairs
        self._hash = hash(frozenset(pairs.items()))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Fn) and self.pairs == other.pairs

    def __hash__(self) -> int:
        return self._hash

    def __repr__(self) -> str:
        return f"[{', '.join(f'{k}: {v}' for k, v in self.pairs.items())}]"


class Lazy:
    """A set that is asked for members without being listed, as TLC holds `SUBSET S`, `[S -> T]` and the like."""

    __slots__ = ("has", "items")

    def __init__(self, has: Callable[[Value], bool], items: Callable[[], Iterable[Value]]) -> None:
        self.has, self.items = has, items


def contains(of: Value, x: Value) -> bool:
    """Whether x is in a set."""
    if isinstance(of, Lazy):
        return of.has(x)
    if x is not NONE:
        for v in a_set(of):
            if v is not NONE:
                equal(x, v)
                break
    return x in of


def function(pairs: dict[Value, Value]) -> Value:
    n = len(pairs)
    if all(type(k) is int and 1 <= k <= n for k in pairs):
        return tuple(pairs[i] for i in range(1, n + 1))
    return Fn(pairs)


def pairs_of(f: Value) -> dict[Value, Value]:
    if isinstance(f, tuple):
        return {i + 1: v for i, v in enumerate(f)}
    if isinstance(f, Fn):
        return f.pairs
    raise EvalError(f"{f!r} is no function")


def kind(value: Value) -> str:
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int):
        return "number"
    if isinstance(value, str):
        return "string"
    if isinstance(value, frozenset):
        return "set"
    if isinstance(value, tuple | Fn):
        return "function"
    if value is NONE:
        return "model value"
    if isinstance(value, Lazy):
        return "set"
    raise EvalError(f"{value!r} is no value")


def equal(a: Value, b: Value) -> bool:
    if a is NONE or b is NONE:
        return a is b
    if kind(a) != kind(b):
        raise EvalError(f"{a!r} and {b!r} are compared")
    return bool(a == b)


def make_set(items: Iterable[Value]) -> frozenset[Value]:
    made = frozenset(items)
    if len({kind(v) for v in made} - {"model value"}) > 1:
        raise EvalError(f"a set of different kinds: {made!r}")
    return made


def boolean(value: Value) -> bool:
    if not isinstance(value, bool):
        raise EvalError(f"{value!r} is no boolean")
    return value


def number(value: Value) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise EvalError(f"{value!r} is no number")
    return value


MOST = 1 << 16


def a_set(value: Value) -> frozenset[Value]:
    if isinstance(value, Lazy):
        listed = list(islice(value.items(), MOST + 1))
        if len(listed) > MOST:
            raise TooLarge
        return frozenset(listed)
    if not isinstance(value, frozenset):
        raise EvalError(f"{value!r} is no set that can be listed")
    return value


def apply(f: Value, x: Value) -> Value:
    if isinstance(f, tuple):
        if 1 <= number(x) <= len(f):
            return f[x - 1]
        raise EvalError(f"{f!r} has no element {x!r}")
    if isinstance(f, Fn):
        if x in f.pairs:
            return f.pairs[x]
        raise EvalError(f"{f!r} has no entry {x!r}")
    raise EvalError(f"{f!r} is no function, and has no {x!r}")


def note_kinds(value: Value, seen: dict[str, set[str]]) -> None:
    """Notes of which kind the fields of records are: TLC compares those of one name, which fails for different kinds."""
    if isinstance(value, frozenset):
        for v in value:
            note_kinds(v, seen)
    elif isinstance(value, tuple | Fn):
        for k, v in pairs_of(value).items():
            note_kinds(k, seen)
            note_kinds(v, seen)
            if "kind" in pairs_of(value) and v is not NONE:
                seen.setdefault(k, set()).add(kind(v))
