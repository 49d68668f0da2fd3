"""Statements: what stands in the body of a handler or procedure."""

from __future__ import annotations

from typing import Literal

from checker.base.data import dataclass
from checker.lang.ast.expressions import Expr, Ident, MsgExpr, Node, Range


@dataclass(frozen=True, slots=True)
class Block(Node):
    stmts: tuple[Stmt, ...]


@dataclass(frozen=True, slots=True)
class LValue(Node):
    """A variable and a path into it; each part of the path is a field's name or an index expression."""

    root: Ident
    path: tuple[Ident | Expr, ...]


@dataclass(frozen=True, slots=True)
class Assign(Node):
    target: LValue
    op: Literal[":=", "+=", "-="]
    value: Expr


@dataclass(frozen=True, slots=True)
class Let(Node):
    name: Ident
    value: Expr


@dataclass(frozen=True, slots=True)
class Send(Node):
    msg: MsgExpr
    to: Expr


@dataclass(frozen=True, slots=True)
class If(Node):
    """`if a { } else if b { } else { }`: the arms in order, flat; `orelse` is the last `else`, if there is one."""

    arms: tuple[tuple[Expr, Block], ...]
    orelse: Block | None


@dataclass(frozen=True, slots=True)
class For(Node):
    name: Ident
    domain: Expr | Range
    body: Block


@dataclass(frozen=True, slots=True)
class Choose(Node):
    """`choose x in S`: binds x for the statements that follow in its block."""

    name: Ident
    domain: Expr | Range


@dataclass(frozen=True, slots=True)
class Either(Node):
    """`either { } or { }`, or a coin when `kind` is `toss`."""

    kind: Literal["either", "toss"]
    branches: tuple[Block, ...]


@dataclass(frozen=True, slots=True)
class Do(Node):
    """A call of a `proc`."""

    name: Ident
    args: tuple[Expr, ...]


@dataclass(frozen=True, slots=True)
class Assert(Node):
    cond: Expr


@dataclass(frozen=True, slots=True)
class Event(Node):
    """`invoke Op(args)` and `respond Op(results)`: an operation of this process begins, or ends."""

    kind: Literal["invoke", "respond"]
    op: MsgExpr


@dataclass(frozen=True, slots=True)
class Atomic(Node):
    body: Block


Stmt = Assign | Let | Send | If | For | Choose | Either | Do | Assert | Event | Atomic
