"""Types as the generator of random specs knows them: how they are written, and what may stand where.

The generator does not import the checker's own types, so a mistake there does not hide itself. It keeps to a rule that is
narrower than the language's: `agrees` says that a value of one kind may stand wherever one of another is wanted, in every
place; `converts` says that it may stand where a conversion is made, such as the right side of an assignment.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import comb


@dataclass(frozen=True)
class Kind:
    """A type. `parts` are those inside of it; `low` and `high` the ends of a range; `high` of a collection its limit.

    Attributes:
        name: how the type is written in a spec.
        labels: the values of an enum, or the fields of a record.
        size: how many ids or processes there are.
        single: whether a role has one process, whose name is that of the role.
    """

    form: str
    name: str
    parts: tuple[Kind, ...] = ()
    low: int = 0
    high: int = 0
    labels: tuple[str, ...] = ()
    size: int = 0
    single: bool = False
    symmetric: bool = False
    constrained: bool = False

    @property
    def elem(self) -> Kind:
        """What is inside of an optional value or a collection; the values of a map."""
        return self.parts[-1]


BOOL = Kind("bool", "bool")


def integers(low: int, high: int) -> Kind:
    return Kind("int", f"{low}..{high}", low=low, high=high)


SMALL = integers(0, 2)


def enum(name: str, values: tuple[str, ...]) -> Kind:
    return Kind("enum", name, labels=values)


def ids(name: str, size: int, *, symmetric: bool) -> Kind:
    return Kind("id", name, size=size, symmetric=symmetric)


def role(name: str, size: int, *, single: bool = False, symmetric: bool = False) -> Kind:
    return Kind("proc", name, size=size, single=single, symmetric=symmetric)


def either_of(*roles: Kind) -> Kind:
    """A process of one of several roles, which no declaration can name."""
    return roles[0] if len(roles) == 1 else Kind("union", " or ".join(r.name for r in roles), roles)


def record(name: str, fields: dict[str, Kind], *, constrained: bool = False) -> Kind:
    return Kind("record", name, tuple(fields.values()), labels=tuple(fields), constrained=constrained)


def opt(inner: Kind) -> Kind:
    return Kind("opt", f"{inner.name}?", (inner,))


def set_of(elem: Kind, limit: int | None = None) -> Kind:
    return Kind(
        "set", f"Set[{elem.name}{'' if limit is None else f', {limit}'}]", (elem,), high=-1 if limit is None else limit
    )


def seq_of(elem: Kind, limit: int) -> Kind:
    return Kind("seq", f"Seq[{elem.name}, {limit}]", (elem,), high=limit)


def bag_of(elem: Kind, limit: int) -> Kind:
    return Kind("bag", f"Bag[{elem.name}, {limit}]", (elem,), high=limit)


def map_of(key: Kind, value: Kind) -> Kind:
    return Kind("map", f"Map[{key.name}, {value.name}]", (key, value))


def count(kind: Kind) -> int:
    """How many values there are; at most 2 ** 64, which is too many for anything."""
    return min(_count(kind), 1 << 64)


def _count(kind: Kind) -> int:
    match kind.form:
        case "bool":
            return 2
        case "int":
            return kind.high - kind.low + 1
        case "enum":
            return len(kind.labels)
        case "id" | "proc":
            return max(1, kind.size)
        case "union":
            return sum(map(count, kind.parts))
        case "opt":
            return 1 + count(kind.elem)
        case "record":
            product = 1
            for part in kind.parts:
                product *= count(part)
            return product
    n = min(count(kind.elem), 1 << 20)
    match kind.form:
        case "set":
            return 1 << min(n, 64) if kind.high < 0 or n > 64 else sum(comb(n, k) for k in range(kind.high + 1))
        case "map":
            return int(n ** min(count(kind.parts[0]), 64))
        case "seq":
            return sum(n**k for k in range(kind.high + 1))
    return sum(comb(n + k - 1, k) for k in range(kind.high + 1)) if n else 1


def width(kind: Kind) -> int:
    """How many bits a number for each value may need at most."""
    match kind.form:
        case "opt":
            return 1 + width(kind.elem)
        case "record":
            return sum(map(width, kind.parts))
        case "set":
            return 1 << min(width(kind.elem), 64)
        case "map":
            return count(kind.parts[0]) * width(kind.elem)
        case "seq" | "bag":
            return kind.high * (width(kind.elem) + 1) + 1
    return (count(kind) - 1).bit_length()


def bare(kind: Kind) -> bool:
    """Whether no value can be written without a name that has one: ids whose order is hidden, roles without a process."""
    match kind.form:
        case "id" | "proc":
            return not kind.single and (kind.symmetric or kind.size == 0)
        case "record":
            return any(bare(p) for p in kind.parts)
        case "map":
            return bare(kind.elem)
        case "union":
            return all(bare(p) for p in kind.parts)
    return False


def symmetric(kind: Kind) -> bool:
    """Whether values of it have ids or processes in them whose order is hidden."""
    return kind.symmetric or any(symmetric(p) for p in kind.parts)


def ordered(kind: Kind) -> bool:
    """Whether `<` works."""
    if kind.form in ("opt", "record"):
        return all(ordered(p) for p in kind.parts)
    return kind.form in ("int", "enum", "id", "proc") and not kind.symmetric


def constrained(kind: Kind) -> bool:
    """Whether a record in it has a `where`."""
    return kind.constrained or any(constrained(p) for p in kind.parts)


def agrees(have: Kind, want: Kind) -> bool:
    """Whether an expression of one kind may stand for another one anywhere. Ranges and limits do not matter."""
    if have == want:
        return True
    match have.form, want.form:
        case "int", "int":
            return True
        case "opt", "opt":
            return agrees(have.elem, want.elem)
        case ("set", "set") | ("seq", "seq") | ("bag", "bag"):
            return agrees(have.elem, want.elem)
        case "map", "map":
            return have.parts[0] == want.parts[0] and agrees(have.elem, want.elem)
        case "proc", "union":
            return have in want.parts
        case "union", "union":
            return set(have.parts) <= set(want.parts)
        case _, "opt":
            return agrees(have, want.elem)
    return False


def converts(have: Kind, want: Kind) -> bool:
    """Whether a value of one kind is converted to another where it is stored: an error at run time, if it does not fit."""
    if have.form == "opt" and want.form not in ("opt", "map"):
        return converts(have.elem, want) or agrees(have.elem, want)
    inner = want.elem if want.form == "opt" else want
    return have.form == "union" and inner in have.parts
