"""Closed types: every bound is a number, every type a finite set of values.

A machine is typed for one binding of its constants, so a type here is exact: `0..N` is `IntT(0, 3)`. Types describe both
what is stored and what an expression may yield; an expression over integers has the interval that its operands allow,
which is how a store knows whether it needs a range check at all (`fits`).

The value of each type, as the interpreter holds it, does not depend on the static type of the expression that made it:

| type | value |
|---|---|
| `IntT`, `EnumT`, `IdT` | int (an enum by its position, an id by its index) |
| `ProcT` | int, the number of the process, counted over all roles in their order |
| `BoolT` | bool |
| `OptT` | None or the inner value |
| `RecordT` | tuple of field values |
| `SetT` | frozenset |
| `MapT` | tuple, in the order of the key's values |
| `SeqT` | tuple |
| `BagT` | tuple, sorted by `values.order_key` |

`NeverT` has no value. It types the elements of `{}` and `[]`, and `none` is `OptT(NeverT())`.
"""

from __future__ import annotations

from math import comb
from typing import assert_never

from checker.base.data import dataclass


@dataclass(frozen=True, slots=True)
class NeverT:
    """The type without a value."""


@dataclass(frozen=True, slots=True)
class BoolT:
    pass


@dataclass(frozen=True, slots=True)
class IntT:
    """Integers from `lo` to `hi`, both included; None where there is no bound (only of expressions, never stored)."""

    lo: int | None
    hi: int | None


@dataclass(frozen=True, slots=True)
class EnumT:
    name: str
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class IdT:
    name: str
    size: int
    symmetric: bool


@dataclass(frozen=True, slots=True)
class RoleInfo:
    """The instances of a role: processes `base` to `base + size - 1`. `single` roles are written without `[N]`."""

    name: str
    base: int
    size: int
    single: bool
    symmetric: bool

    @property
    def processes(self) -> range:
        return range(self.base, self.base + self.size)


@dataclass(frozen=True, slots=True)
class ProcT:
    """A process of one of several roles, in the order of their declaration."""

    roles: tuple[RoleInfo, ...]


@dataclass(frozen=True, slots=True)
class RecordT:
    """`constrained` says that the record has a `where`, kept by the machine under the record's name."""

    name: str
    fields: tuple[tuple[str, Type], ...]
    constrained: bool = False

    def index(self, field: str) -> int | None:
        return next((i for i, (name, _) in enumerate(self.fields) if name == field), None)


@dataclass(frozen=True, slots=True)
class OptT:
    inner: Type


@dataclass(frozen=True, slots=True)
class SetT:
    """Sets over `elem`, of at most `limit` elements where that is not None."""

    elem: Type
    limit: int | None = None


@dataclass(frozen=True, slots=True)
class MapT:
    key: Type
    value: Type


@dataclass(frozen=True, slots=True)
class SeqT:
    """Sequences of at most `limit` elements; None: no bound (only of expressions)."""

    elem: Type
    limit: int | None


@dataclass(frozen=True, slots=True)
class BagT:
    """Multisets of at most `limit` elements in all; None: no bound (only of expressions)."""

    elem: Type
    limit: int | None


Type = NeverT | BoolT | IntT | EnumT | IdT | ProcT | RecordT | OptT | SetT | MapT | SeqT | BagT

INT = IntT(None, None)
BOOL = BoolT()
NONE = OptT(NeverT())


def show(t: Type) -> str:
    """The type as an author writes it."""
    match t:
        case NeverT():
            return "nothing"
        case BoolT():
            return "bool"
        case IntT(lo, hi):
            if lo is None or hi is None:
                return "int"
            return str(lo) if lo == hi else f"{lo}..{hi}"
        case EnumT(name) | IdT(name) | RecordT(name):
            return name
        case ProcT(roles):
            return " or ".join(r.name for r in roles) or "nothing"
        case OptT(NeverT()):
            return "none"
        case OptT(inner):
            return f"{show(inner)}?"
        case SetT(NeverT()):
            return "{}"
        case SetT(elem, limit):
            return f"Set[{show(elem)}]" if limit is None else f"Set[{show(elem)}, {limit}]"
        case MapT(key, value):
            return f"Map[{show(key)}, {show(value)}]"
        case SeqT(NeverT(), _):
            return "[]"
        case SeqT(elem, limit):
            return f"Seq[{show(elem)}]" if limit is None else f"Seq[{show(elem)}, {limit}]"
        case BagT(elem, limit):
            return f"Bag[{show(elem)}]" if limit is None else f"Bag[{show(elem)}, {limit}]"
    assert_never(t)


def fits(a: Type, b: Type) -> bool:
    """Whether every value of `a` is certainly a value of `b`, so that a store needs no check."""
    match a, b:
        case NeverT(), _:
            return True
        case OptT(x), OptT(y):
            return fits(x, y)
        case _, OptT(y):
            return fits(a, y)
        case IntT(lo, hi), IntT(low, high):
            below = low is None or (lo is not None and lo >= low)
            return below and (high is None or (hi is not None and hi <= high))
        case ProcT(some), ProcT(more):
            return set(some) <= set(more)
        case RecordT(), RecordT():
            return a == b
        case SetT(x, n), SetT(y, m):
            return fits(x, y) and _within(n, m)
        case SeqT(x, n), SeqT(y, m):
            return fits(x, y) and _within(n, m)
        case BagT(x, n), BagT(y, m):
            return fits(x, y) and _within(n, m)
        case MapT(k, x), MapT(key, y):
            return k == key and fits(x, y)
    return a == b


def _within(limit: int | None, allowed: int | None) -> bool:
    return allowed is None or (limit is not None and limit <= allowed)


def matches(a: Type, b: Type) -> bool:
    """Whether a value of `a` may be stored as `b` at all; ranges and limits are left to a check at run time."""
    match a, b:
        case NeverT(), _:
            return True
        case OptT(x), OptT(y):
            return matches(x, y)
        case OptT(x), _:
            return not isinstance(x, NeverT) and matches(x, b)
        case _, OptT(y):
            return matches(a, y)
        case IntT(), IntT():
            return True
        case ProcT(some), ProcT(more):
            return bool(set(some) & set(more))
        case (SetT(x), SetT(y)) | (SeqT(x), SeqT(y)) | (BagT(x), BagT(y)):
            return _inside(x, y)
        case MapT(k, x), MapT(key, y):
            return k == key and _inside(x, y)
    return a == b


def _inside(a: Type, b: Type) -> bool:
    """Like `matches`, for elements of collections: a `T?` inside one is not silently a `T`."""
    if isinstance(a, OptT) and not isinstance(b, OptT):
        return False
    return matches(a, b)


def join(a: Type, b: Type) -> Type | None:
    """The smallest type that has the values of both, or None where the two do not go together."""
    match a, b:
        case NeverT(), _:
            return b
        case _, NeverT():
            return a
        case (OptT(x), OptT(y)) | (OptT(x), y) | (x, OptT(y)):
            inner = join(x, y)
            return None if inner is None else OptT(inner)
        case IntT(lo, hi), IntT(low, high):
            return IntT(
                None if lo is None or low is None else min(lo, low),
                None if hi is None or high is None else max(hi, high),
            )
        case ProcT(some), ProcT(more):
            both = {r.base: r for r in (*some, *more)}
            return ProcT(tuple(both[base] for base in sorted(both)))
        case SetT(x, n), SetT(y, m):
            elem = join(x, y)
            return None if elem is None else SetT(elem, None if n is None or m is None else max(n, m))
        case SeqT(x, n), SeqT(y, m):
            elem = join(x, y)
            return None if elem is None else SeqT(elem, None if n is None or m is None else max(n, m))
        case BagT(x, n), BagT(y, m):
            elem = join(x, y)
            return None if elem is None else BagT(elem, None if n is None or m is None else max(n, m))
        case MapT(k, x), MapT(key, y) if k == key:
            value = join(x, y)
            return None if value is None else MapT(k, value)
    return a if a == b else None


def cardinality(t: Type) -> int:
    """How many values the type has; a record's `where` is not counted.

    Raises:
        ValueError: for a type without bounds, which is never stored.
    """
    match t:
        case NeverT():
            return 0
        case BoolT():
            return 2
        case IntT(lo, hi):
            if lo is None or hi is None:
                raise ValueError("an unbounded integer has no cardinality")
            return max(0, hi - lo + 1)
        case EnumT(_, values):
            return len(values)
        case IdT(_, size):
            return size
        case ProcT(roles):
            return sum(r.size for r in roles)
        case OptT(inner):
            return 1 + cardinality(inner)
        case RecordT(_, fields):
            product = 1
            for _, field in fields:
                product *= cardinality(field)
            return product
        case SetT(elem, limit):
            n = cardinality(elem)
            _refuse_huge(n)
            return 1 << n if limit is None or limit >= n else sum(comb(n, k) for k in range(limit + 1))
        case MapT(key, value):
            n = cardinality(key)
            _refuse_huge(n)
            return int(cardinality(value) ** n)
        case SeqT(elem, limit):
            return sum(cardinality(elem) ** k for k in range(_limit(limit) + 1))
        case BagT(elem, limit):
            n = cardinality(elem)
            return sum(comb(n + k - 1, k) if n else int(k == 0) for k in range(_limit(limit) + 1))
    assert_never(t)


class TypeTooLarge(ValueError):
    """A set or map over so many values that it cannot be represented. `args[0]` is the number of values."""


MAX_INDEX = 1 << 16
"""The most values that the elements of a set or the keys of a map may have."""


def _refuse_huge(n: int) -> None:
    if n > MAX_INDEX:
        raise TypeTooLarge(n)


def _limit(limit: int | None) -> int:
    if limit is None:
        raise ValueError("an unbounded sequence or bag has no cardinality")
    if limit > MAX_INDEX:
        raise TypeTooLarge(limit)
    return limit


def roles_of(t: Type) -> tuple[RoleInfo, ...]:
    """The roles of a process type; none of any other type."""
    return t.roles if isinstance(t, ProcT) else ()


def is_symmetric(t: Type) -> bool:
    """Whether the type contains identifiers whose order must not be looked at."""
    match t:
        case IdT():
            return t.symmetric
        case ProcT(roles):
            return any(r.symmetric for r in roles)
        case OptT(inner):
            return is_symmetric(inner)
        case RecordT(_, fields):
            return any(is_symmetric(f) for _, f in fields)
        case SetT(elem) | SeqT(elem) | BagT(elem):
            return is_symmetric(elem)
        case MapT(key, value):
            return is_symmetric(key) or is_symmetric(value)
        case _:
            return False


def has_where(t: Type) -> bool:
    """Whether the type contains a record with a `where`, so that not all its values are listed."""
    match t:
        case RecordT(_, fields, constrained):
            return constrained or any(has_where(f) for _, f in fields)
        case OptT(inner):
            return has_where(inner)
        case SetT(elem) | SeqT(elem) | BagT(elem):
            return has_where(elem)
        case MapT(key, value):
            return has_where(key) or has_where(value)
        case _:
            return False


def is_ordered(t: Type) -> bool:
    """Whether `<` works: integers, enums, ids, optionals and records of these."""
    match t:
        case IntT() | EnumT() | IdT() | ProcT() | BoolT() | NeverT():
            return not isinstance(t, BoolT)
        case OptT(inner):
            return is_ordered(inner)
        case RecordT(_, fields):
            return all(is_ordered(f) for _, f in fields)
        case _:
            return False
