"""Names, expressions, types and parameters."""

from __future__ import annotations

from dataclasses import field
from typing import Literal

from checker.base.data import dataclass
from checker.base.source import Span


@dataclass(frozen=True, slots=True)
class Node:
    """Something written at a place."""

    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Ident(Node):
    """A name where it is written, without a claim of what it means."""

    text: str

    def __str__(self) -> str:
        return self.text


# ---- expressions ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Int(Node):
    value: int


@dataclass(frozen=True, slots=True)
class Name(Node):
    """A bare name: a variable, a constant, an enum value, a type as the set of its values, `self`, `none`, `true` …"""

    text: str


@dataclass(frozen=True, slots=True)
class Call(Node):
    """`f(a, b)`: a function, a built-in, or a record constructor. A parameterless function is a `Name`."""

    func: Ident
    args: tuple[Expr, ...]


@dataclass(frozen=True, slots=True)
class Unary(Node):
    op: Literal["not", "-"]
    operand: Expr


BinaryOp = Literal["+", "-", "*", "/", "%", "&", "==", "!=", "<", "<=", ">", ">=", "in", "not in", "=>"]


@dataclass(frozen=True, slots=True)
class Binary(Node):
    op: BinaryOp
    left: Expr
    right: Expr


@dataclass(frozen=True, slots=True)
class Logic(Node):
    """A flat chain of `and` or of `or`, at least two items, evaluated left to right."""

    op: Literal["and", "or"]
    items: tuple[Expr, ...]


@dataclass(frozen=True, slots=True)
class IfExpr(Node):
    cond: Expr
    then: Expr
    orelse: Expr


@dataclass(frozen=True, slots=True)
class Range(Node):
    """`lo .. hi`, both included. Only where a domain stands: in a binder, `for`, `choose`, `any`."""

    lo: Expr
    hi: Expr


@dataclass(frozen=True, slots=True)
class Binder(Node):
    name: Ident
    domain: Expr | Range


@dataclass(frozen=True, slots=True)
class Quant(Node):
    kind: Literal["forall", "exists", "sum"]
    binders: tuple[Binder, ...]
    body: Expr


@dataclass(frozen=True, slots=True)
class Field(Node):
    """`e.name`, or `e?.name` when `optional`: none where `e` is none."""

    obj: Expr
    name: Ident
    optional: bool


@dataclass(frozen=True, slots=True)
class Index(Node):
    obj: Expr
    key: Expr


@dataclass(frozen=True, slots=True)
class Method(Node):
    """`r.f(a)`: a function of r's role."""

    obj: Expr
    name: Ident
    args: tuple[Expr, ...]


@dataclass(frozen=True, slots=True)
class Update(Node):
    """One change inside `with (…)`: `name = value` or `[key] = value`, one of `name` and `key` set."""

    name: Ident | None
    key: Expr | None
    value: Expr


@dataclass(frozen=True, slots=True)
class With(Node):
    obj: Expr
    updates: tuple[Update, ...]


@dataclass(frozen=True, slots=True)
class SetLit(Node):
    items: tuple[Expr, ...]


@dataclass(frozen=True, slots=True)
class SeqLit(Node):
    items: tuple[Expr, ...]


@dataclass(frozen=True, slots=True)
class SetComp(Node):
    """`{x in S where P}`."""

    binder: Binder
    cond: Expr


@dataclass(frozen=True, slots=True)
class MapComp(Node):
    """`{k in K: e}`."""

    binder: Binder
    body: Expr


@dataclass(frozen=True, slots=True)
class MsgExpr(Node):
    """`Vote(true)`: a message in `send` and `sent`."""

    name: Ident
    args: tuple[Expr, ...]


@dataclass(frozen=True, slots=True)
class Sent(Node):
    msg: MsgExpr
    sender: Expr


@dataclass(frozen=True, slots=True)
class Inflight(Node):
    message: Ident
    sender: Expr | None
    receiver: Expr | None


@dataclass(frozen=True, slots=True)
class Old(Node):
    expr: Expr


Expr = (
    Int
    | Name
    | Call
    | Unary
    | Binary
    | Logic
    | IfExpr
    | Quant
    | Field
    | Index
    | Method
    | With
    | SetLit
    | SeqLit
    | SetComp
    | MapComp
    | Sent
    | Inflight
    | Old
)


# ---- types ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class BoolType(Node):
    pass


@dataclass(frozen=True, slots=True)
class RangeType(Node):
    lo: Expr
    hi: Expr


@dataclass(frozen=True, slots=True)
class NamedType(Node):
    name: str


@dataclass(frozen=True, slots=True)
class SetType(Node):
    elem: Type
    limit: Expr | None


@dataclass(frozen=True, slots=True)
class MapType(Node):
    key: Type
    value: Type


@dataclass(frozen=True, slots=True)
class SeqType(Node):
    elem: Type
    limit: Expr


@dataclass(frozen=True, slots=True)
class BagType(Node):
    elem: Type
    limit: Expr


@dataclass(frozen=True, slots=True)
class OptType(Node):
    inner: Type


Type = BoolType | RangeType | NamedType | SetType | MapType | SeqType | BagType | OptType


@dataclass(frozen=True, slots=True)
class Param(Node):
    """`name: type`, in records, messages, functions, procs, actions, timeouts and faults."""

    name: Ident
    type: Type
