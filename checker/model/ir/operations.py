"""Conversions, built-in functions, calls, and what asks the network."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from checker.base.data import dataclass
from checker.base.source import Span
from checker.model.types import BOOL, BoolT, IntT, MapT, ProcT, Type

if TYPE_CHECKING:
    from checker.model.ir.expressions import Expr


@dataclass(frozen=True, slots=True)
class Unwrap:
    """A `T?` where a T is needed: an error if it is none."""

    obj: Expr
    type: Type
    span: Span


@dataclass(frozen=True, slots=True)
class Narrow:
    """A process where one of certain roles is needed: an error if it is of another."""

    obj: Expr
    type: ProcT
    span: Span


@dataclass(frozen=True, slots=True)
class Checked:
    """The value, if it is one of the type: an error otherwise. `what` names the variable, field or message it goes to."""

    obj: Expr
    type: Type
    what: str
    span: Span


@dataclass(frozen=True, slots=True)
class FillMap:
    """A map with the same value for every key."""

    value: Expr
    type: MapT


@dataclass(frozen=True, slots=True)
class Size:
    obj: Expr
    type: IntT


@dataclass(frozen=True, slots=True)
class CountOf:
    """How many copies of an item a bag or sequence has."""

    obj: Expr
    item: Expr
    type: IntT


@dataclass(frozen=True, slots=True)
class MinMax:
    """Of several values, or of the elements of one collection (`of_collection`); of nothing it is an error."""

    op: Literal["min", "max"]
    items: tuple[Expr, ...]
    of_collection: bool
    type: Type
    span: Span


@dataclass(frozen=True, slots=True)
class Slice:
    """`take(q, n)` and `drop(q, n)`; a negative n is an error, one past the end is the end."""

    op: Literal["take", "drop"]
    obj: Expr
    count: Expr
    type: Type
    span: Span


@dataclass(frozen=True, slots=True)
class Last:
    obj: Expr
    type: Type
    span: Span


@dataclass(frozen=True, slots=True)
class At:
    """`at(R, i)`: the i-th instance or id, counted from 0; outside is an error."""

    of: Type
    index: Expr
    type: Type
    span: Span


@dataclass(frozen=True, slots=True)
class Ordinal:
    """`index(r)`: the position of an instance, id or enum value, counted from 0."""

    obj: Expr
    type: IntT


@dataclass(frozen=True, slots=True)
class CallFun:
    """A call of a function; `of` is the process whose function it is, None for one of the running process or of no role."""

    fun: str
    of: Expr | None
    args: tuple[Expr, ...]
    type: Type


@dataclass(frozen=True, slots=True)
class Old:
    """The value of an expression before the step; bound variables keep their values."""

    expr: Expr

    @property
    def type(self) -> Type:
        return self.expr.type


@dataclass(frozen=True, slots=True)
class Sent:
    """Whether the message is in its soup from `sender` to anyone, or `sender` is faulty. A set of senders: any of them."""

    message: str
    args: tuple[Expr, ...]
    sender: Expr
    many: bool
    type: BoolT = BOOL


@dataclass(frozen=True, slots=True)
class Inflight:
    """How many messages of a kind are in the network, from and to these processes (a process or a set; None: any)."""

    message: str
    sender: Expr | None
    receiver: Expr | None
    type: IntT


@dataclass(frozen=True, slots=True)
class Silent:
    """Whether a process is down, stopped or cut off, and nothing from it can be delivered here."""

    process: Expr
    type: BoolT = BOOL
