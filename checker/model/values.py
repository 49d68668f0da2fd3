"""Values: their order, their enumeration, their numbering, and how they are shown.

`types` says how a value of each type is held. This module has the operations that depend on the type:

- `order_key` gives the order of `<`: `none` is below everything, records compare field by field.
- `domain` lists the values of a type in that order; quantifiers, Byzantine senders and parameters of actions use it.
- `rank` numbers the values of a type injectively below `space(t)`. Message codes and the bit layout are made of ranks,
  so the order of messages in a network, and with it the order of steps, does not depend on the engine.
- `show_value` and `to_json` are what people and programs see.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from itertools import combinations, product
from typing import Any, assert_never

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
    RoleInfo,
    SeqT,
    SetT,
    Type,
    cardinality,
)

Value = Any
"""A value in the representation that `types` describes; its type is always known from the context."""

Where = Callable[[str, Value], bool]
"""Says whether a record's `where` holds, given the record's name and value."""


def order_key(value: Value) -> Any:
    """A key by which Python orders values of one type: the order of `<` where there is one, and that of `domain` always.

    Shorter sequences, bags and sets come before longer ones.
    """
    if value is None:
        return ()
    if isinstance(value, tuple):
        return (len(value), *(order_key(v) for v in value))
    if isinstance(value, frozenset):
        return (len(value), *sorted(order_key(v) for v in value))
    return (value,)


def in_order(values: frozenset[Value]) -> list[Value]:
    """The elements of a set in the order of declaration, in which `for` runs."""
    for first in values:
        if isinstance(first, int):
            try:
                return sorted(values)
            except TypeError:
                break  # a set of optionals, with `none` in it
        break
    return sorted(values, key=order_key)


@lru_cache(maxsize=256)
def _positions(t: Type) -> dict[Value, int]:
    return {value: position for position, value in enumerate(domain(t))}


def key_index(t: Type, value: Value) -> int | None:
    """The position of a map's key in the map's tuple, or None where it is no value of the key's type."""
    return _positions(t).get(value)


def conforms(t: Type, value: Value, where: Where | None = None) -> bool:
    """Whether a value is one of the type; the kinds are known to agree, so only ranges, limits and `where` are looked at."""
    match t:
        case NeverT():
            return False
        case BoolT():
            return True
        case IntT(lo, hi):
            return bool((lo is None or lo <= value) and (hi is None or value <= hi))
        case EnumT(_, values):
            return bool(0 <= value < len(values))
        case IdT(_, size):
            return bool(0 <= value < size)
        case ProcT(roles):
            return any(value in r.processes for r in roles)
        case OptT(inner):
            return value is None or conforms(inner, value, where)
        case RecordT(name, fields, constrained):
            if not all(conforms(f, v, where) for (_, f), v in zip(fields, value, strict=True)):
                return False
            return not constrained or where is None or where(name, value)
        case SetT(elem, limit) | SeqT(elem, limit) | BagT(elem, limit):
            return (
                (limit is None or len(value) <= limit)
                and all(v is not None or isinstance(elem, OptT) for v in value)
                and all(conforms(elem, v, where) for v in value)
            )
        case MapT(_, inner):
            return all((v is not None or isinstance(inner, OptT)) and conforms(inner, v, where) for v in value)
    assert_never(t)


def domain(t: Type, where: Where | None = None) -> Iterator[Value]:
    """All values of a type, in order. Lazy: the caller limits how many it takes."""
    match t:
        case NeverT():
            return
        case BoolT():
            yield False
            yield True
        case IntT(lo, hi):
            assert lo is not None and hi is not None
            yield from range(lo, hi + 1)
        case EnumT(_, values):
            yield from range(len(values))
        case IdT(_, size):
            yield from range(size)
        case ProcT(roles):
            for role in roles:
                yield from role.processes
        case OptT(inner):
            yield None
            yield from domain(inner, where)
        case RecordT(name, fields, constrained):
            for value in _product([f for _, f in fields], where):
                if not constrained or where is None or where(name, value):
                    yield value
        case SetT(elem, limit):
            elements = list(domain(elem, where))
            for size in range(min(len(elements), limit if limit is not None else len(elements)) + 1):
                for chosen in combinations(elements, size):
                    yield frozenset(chosen)
        case MapT(key, value):
            yield from _product([value] * cardinality(key), where)
        case SeqT(elem, limit):
            assert limit is not None
            for size in range(limit + 1):
                yield from _product([elem] * size, where)
        case BagT(elem, limit):
            assert limit is not None
            for size in range(limit + 1):
                for value in _product([elem] * size, where):
                    keys = [order_key(v) for v in value]
                    if keys == sorted(keys):
                        yield value
        case _:
            assert_never(t)


def _product(types: Sequence[Type], where: Where | None) -> Iterator[tuple[Value, ...]]:
    if not types:
        return iter([()])
    return product(*(list(domain(t, where)) for t in types))


def space(t: Type) -> int:
    """The bound of `rank`: every rank is below it. Equal to `cardinality` but for sets, bags and sequences."""
    match t:
        case OptT(inner):
            return 1 + space(inner)
        case RecordT(_, fields):
            size = 1
            for _, field in fields:
                size *= space(field)
            return size
        case SetT(elem):
            return 1 << space(elem)
        case MapT(key, value):
            return int(space(value) ** cardinality(key))
        case SeqT(elem, limit) | BagT(elem, limit):
            assert limit is not None
            return sum(space(elem) ** k for k in range(limit + 1))
        case _:
            return cardinality(t)


def width(t: Type) -> int:
    """An upper bound of the bits that number the values of a type, without ever making a number of that many bits."""
    match t:
        case OptT(inner):
            return 1 + width(inner)
        case RecordT(_, fields):
            return sum(width(f) for _, f in fields)
        case SetT(elem):
            return 1 << width(elem) if width(elem) < 64 else 1 << 64
        case MapT(key, value):
            return cardinality(key) * width(value)
        case SeqT(elem, limit) | BagT(elem, limit):
            assert limit is not None
            return limit * (width(elem) + 1) + 1
        case _:
            return max(0, cardinality(t) - 1).bit_length()


def rank(t: Type, value: Value) -> int:
    """The number of a value among those of its type: injective, `0 <= rank < space(t)`."""
    match t:
        case BoolT():
            return int(value)
        case IntT(lo, _):
            assert lo is not None
            return int(value - lo)
        case EnumT() | IdT():
            return int(value)
        case ProcT(roles):
            before = 0
            for role in roles:
                if value in role.processes:
                    return int(before + value - role.base)
                before += role.size
            raise AssertionError("a process of another role")
        case OptT(inner):
            return 0 if value is None else 1 + rank(inner, value)
        case RecordT(_, fields):
            code = 0
            for (_, field), part in zip(fields, value, strict=True):
                code = code * space(field) + rank(field, part)
            return code
        case SetT(elem):
            return sum(1 << rank(elem, v) for v in value)
        case MapT(_, inner):
            code = 0
            for part in value:
                code = code * space(inner) + rank(inner, part)
            return code
        case SeqT(elem, _) | BagT(elem, _):
            base = space(elem)
            code = 0
            for part in value:
                code = code * base + rank(elem, part)
            return int(code + sum(base**k for k in range(len(value))))
        case NeverT():
            raise AssertionError("no value")
    assert_never(t)


def unrank(t: Type, code: int) -> Value:
    """The value with that number: the inverse of `rank`."""
    match t:
        case BoolT():
            return code == 1
        case IntT(lo, _):
            assert lo is not None
            return lo + code
        case EnumT() | IdT():
            return code
        case ProcT(roles):
            for role in roles:
                if code < role.size:
                    return role.base + code
                code -= role.size
            raise AssertionError("no such process")
        case OptT(inner):
            return None if code == 0 else unrank(inner, code - 1)
        case RecordT(_, fields):
            return _unrank_parts([f for _, f in fields], code)
        case SetT(elem):
            return frozenset(unrank(elem, i) for i in range(code.bit_length()) if code >> i & 1)
        case MapT(key, inner):
            return _unrank_parts([inner] * cardinality(key), code)
        case SeqT(elem, _) | BagT(elem, _):
            base, length = space(elem), 0
            while code >= base**length:
                code -= base**length
                length += 1
            return _unrank_parts([elem] * length, code)
        case NeverT():
            raise AssertionError("no value")
    assert_never(t)


def _unrank_parts(types: list[Type], code: int) -> tuple[Value, ...]:
    parts: list[Value] = []
    for t in reversed(types):
        code, digit = divmod(code, space(t))
        parts.append(unrank(t, digit))
    return tuple(reversed(parts))


def instance_name(role: RoleInfo, process: int) -> str:
    """`RM1`; a single role's name alone. Instances count from 0."""
    return role.name if role.single else f"{role.name}{process - role.base}"


def instance_names(role: RoleInfo) -> tuple[str, ...]:
    """The names of all instances of a role."""
    return tuple(instance_name(role, process) for process in role.processes)


def to_json(t: Type, value: Value) -> Any:
    """The value in JSON: names for enums, ids and processes, null for none, lists for sets, objects for records and maps."""
    match t:
        case BoolT() | IntT():
            return value
        case EnumT(_, values):
            return values[value]
        case IdT(name):
            return f"{name}{value}"
        case ProcT(roles):
            return next((instance_name(r, value) for r in roles if value in r.processes), str(value))
        case OptT(inner):
            return None if value is None else to_json(inner, value)
        case RecordT(_, fields):
            return {name: to_json(f, v) for (name, f), v in zip(fields, value, strict=True)}
        case SetT(elem):
            return [to_json(elem, v) for v in in_order(value)]
        case SeqT(elem) | BagT(elem):
            return [to_json(elem, v) for v in value]
        case MapT(key, inner):
            return {str(show_value(key, k)): to_json(inner, v) for k, v in zip(domain(key), value, strict=False)}
        case NeverT():
            return None
    assert_never(t)


def show_value(t: Type, value: Value) -> str:
    """The value as text, in the language's own notation where there is one."""
    match t:
        case BoolT():
            return "true" if value else "false"
        case IntT():
            return str(value)
        case OptT(inner):
            return "none" if value is None else show_value(inner, value)
        case RecordT(name, fields):
            return f"{name}({', '.join(show_value(f, v) for (_, f), v in zip(fields, value, strict=True))})"
        case SetT(elem):
            return "{" + ", ".join(show_value(elem, v) for v in in_order(value)) + "}"
        case SeqT(elem):
            return "[" + ", ".join(show_value(elem, v) for v in value) + "]"
        case BagT(elem):
            return "bag[" + ", ".join(show_value(elem, v) for v in value) + "]"
        case MapT(key, inner):
            pairs = zip(domain(key), value, strict=False)
            return "{" + ", ".join(f"{show_value(key, k)}: {show_value(inner, v)}" for k, v in pairs) + "}"
        case _:
            return str(to_json(t, value))
