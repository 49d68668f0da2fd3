"""Typed expressions, and the variables and locals that they read."""

from __future__ import annotations

from typing import Literal

from checker.base.data import dataclass
from checker.base.source import Span
from checker.model.ir.operations import (
    At,
    CallFun,
    Checked,
    CountOf,
    FillMap,
    Inflight,
    Last,
    MinMax,
    Narrow,
    Old,
    Ordinal,
    Sent,
    Silent,
    Size,
    Slice,
    Unwrap,
)
from checker.model.types import BOOL, BoolT, MapT, ProcT, RecordT, SetT, Type
from checker.model.values import Value


@dataclass(frozen=True, slots=True)
class Var:
    """A variable of the state. A role's variable has one slot for each instance: `slot + process - role.base`."""

    name: str
    type: Type
    role: str | None
    keep: Literal["durable", "volatile", "ghost"]
    slot: int
    span: Span


@dataclass(frozen=True, slots=True)
class Local:
    """A local value: a parameter, a `let`, a bound variable. Numbers are unique within a machine."""

    number: int
    name: str
    type: Type


# ---- expressions ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Const:
    value: Value
    type: Type


@dataclass(frozen=True, slots=True)
class GetLocal:
    local: Local

    @property
    def type(self) -> Type:
        return self.local.type


@dataclass(frozen=True, slots=True)
class Self:
    """The process that runs the handler, or whose function was called."""

    type: ProcT


@dataclass(frozen=True, slots=True)
class GetVar:
    """A shared variable, one of the running process (`of` is None), or one of the process `of`."""

    var: Var
    of: Expr | None

    @property
    def type(self) -> Type:
        return self.var.type


@dataclass(frozen=True, slots=True)
class Arith:
    op: Literal["+", "-", "*", "/", "%"]
    left: Expr
    right: Expr
    type: Type
    span: Span


@dataclass(frozen=True, slots=True)
class Compare:
    """`==` and `!=` are structural; the others order by `values.order_key`, or plainly where both sides are numbers."""

    op: Literal["==", "!=", "<", "<=", ">", ">="]
    left: Expr
    right: Expr
    type: BoolT = BOOL


@dataclass(frozen=True, slots=True)
class Not:
    operand: Expr
    type: BoolT = BOOL


@dataclass(frozen=True, slots=True)
class Logic:
    """Left to right, stopping early. `implies` has two items."""

    op: Literal["and", "or", "implies"]
    items: tuple[Expr, ...]
    span: Span
    type: BoolT = BOOL


@dataclass(frozen=True, slots=True)
class Cond:
    cond: Expr
    then: Expr
    orelse: Expr
    type: Type


@dataclass(frozen=True, slots=True)
class DomainSet:
    """All values of a type as a set: `Val`, `RM`, `opt(Cert)`. Iterated lazily, made only where it is a value."""

    of: Type
    type: SetT


@dataclass(frozen=True, slots=True)
class RangeSet:
    """`lo .. hi` as a domain."""

    lo: Expr
    hi: Expr
    type: SetT


@dataclass(frozen=True, slots=True)
class Honest:
    """The processes of a role that are not faulty."""

    type: SetT
    role: ProcT


@dataclass(frozen=True, slots=True)
class In:
    """Membership in a set, a sequence or a bag; in a `DomainSet` it is a test of the type, in a `SetLit` of equality."""

    item: Expr
    of: Expr
    type: BoolT = BOOL


@dataclass(frozen=True, slots=True)
class Quant:
    """`forall`, `exists` (stopping early) or `sum` over a domain in its order."""

    kind: Literal["forall", "exists", "sum"]
    local: Local
    domain: Expr
    body: Expr
    type: Type


@dataclass(frozen=True, slots=True)
class Filter:
    """`{x in S where P}`."""

    local: Local
    domain: Expr
    cond: Expr
    type: SetT


@dataclass(frozen=True, slots=True)
class MakeMap:
    """`{k in K: e}` over all values of the key's type."""

    local: Local
    body: Expr
    type: MapT


@dataclass(frozen=True, slots=True)
class MakeSet:
    items: tuple[Expr, ...]
    type: SetT


@dataclass(frozen=True, slots=True)
class MakeSeq:
    items: tuple[Expr, ...]
    type: Type


@dataclass(frozen=True, slots=True)
class MakeRecord:
    items: tuple[Expr, ...]
    type: RecordT


@dataclass(frozen=True, slots=True)
class Collect:
    """An operation on two collections of one kind: union, difference, intersection; `concat` on sequences."""

    op: Literal["union", "minus", "meet", "concat", "bag_plus", "bag_minus"]
    left: Expr
    right: Expr
    type: Type


@dataclass(frozen=True, slots=True)
class GetField:
    obj: Expr
    index: int
    type: Type


@dataclass(frozen=True, slots=True)
class GetOptField:
    """`e?.f`: none where e is none. The type is optional; an optional field is not wrapped twice."""

    obj: Expr
    index: int
    type: Type


@dataclass(frozen=True, slots=True)
class GetIndex:
    """An entry of a map or of a sequence; outside is an error."""

    obj: Expr
    key: Expr
    type: Type
    span: Span


@dataclass(frozen=True, slots=True)
class WithField:
    obj: Expr
    index: int
    value: Expr
    type: Type


@dataclass(frozen=True, slots=True)
class WithIndex:
    obj: Expr
    key: Expr
    value: Expr
    type: Type
    span: Span


Expr = (
    Const
    | GetLocal
    | Self
    | GetVar
    | Arith
    | Compare
    | Not
    | Logic
    | Cond
    | DomainSet
    | RangeSet
    | Honest
    | In
    | Quant
    | Filter
    | MakeMap
    | MakeSet
    | MakeSeq
    | MakeRecord
    | Collect
    | GetField
    | GetOptField
    | GetIndex
    | WithField
    | WithIndex
    | Unwrap
    | Narrow
    | Checked
    | FillMap
    | Size
    | CountOf
    | MinMax
    | Slice
    | Last
    | At
    | Ordinal
    | CallFun
    | Old
    | Sent
    | Inflight
    | Silent
)
