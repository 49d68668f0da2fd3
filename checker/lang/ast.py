"""The syntax tree of a spec.

Nodes are frozen and say only what the text says: no type, no resolved name is ever written into them. Equality ignores
places, so that two texts with the same meaning give equal trees; the formatter's round trip is tested that way.

The classes follow `grammar.lark` rule by rule. `Expr`, `Stmt`, `Type`, `Decl`, `Member` and `CheckItem` are closed
unions, so a `match` over one of them can end in `assert_never`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

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


# ---- statements -----------------------------------------------------------------------------------------------------


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
class Atomic(Node):
    body: Block


Stmt = Assign | Let | Send | If | For | Choose | Either | Do | Assert | Atomic


# ---- declarations ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Documented(Node):
    """A declaration with the `///` lines before it, without their slashes and one leading blank."""

    doc: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ConstDecl(Documented):
    name: Ident
    type: Type | None
    value: Expr


@dataclass(frozen=True, slots=True)
class TypeDecl(Documented):
    name: Ident
    type: Type


@dataclass(frozen=True, slots=True)
class IdDecl(Documented):
    name: Ident
    size: Expr
    symmetric: bool


@dataclass(frozen=True, slots=True)
class EnumDecl(Documented):
    name: Ident
    values: tuple[Ident, ...]


@dataclass(frozen=True, slots=True)
class RecordDecl(Documented):
    name: Ident
    fields: tuple[Param, ...]
    where: Expr | None


@dataclass(frozen=True, slots=True)
class MessageSig(Node):
    name: Ident
    fields: tuple[Param, ...]


@dataclass(frozen=True, slots=True)
class MessageDecl(Documented):
    sigs: tuple[MessageSig, ...]


NetworkKind = Literal["soup", "bag", "fifo"]


@dataclass(frozen=True, slots=True)
class NetworkDecl(Documented):
    """`network NAME? kind[capacity] options for M, N`. Inside a check it overrides the network of that name."""

    name: Ident | None
    kind: NetworkKind
    capacity: Expr | None
    options: tuple[Literal["drop", "block", "session"], ...]
    messages: tuple[Ident, ...]


@dataclass(frozen=True, slots=True)
class VarDecl(Documented):
    """A variable of a role, or a shared one; `any` means one initial state for each element of `init`."""

    keep: Literal["durable", "volatile", "ghost"] | None
    name: Ident
    type: Type
    init: Expr | Range
    any: bool


@dataclass(frozen=True, slots=True)
class SharedDecl(Documented):
    var: VarDecl


@dataclass(frozen=True, slots=True)
class OnMessage(Documented):
    """`on M(a, b) from p: Role when guard limit e { … }`."""

    fair: Literal["fair", "unfair"] | None
    message: Ident
    names: tuple[Ident, ...]
    sender: Ident | None
    sender_role: Ident | None
    guard: Expr | None
    limit: Expr | None
    body: Block


@dataclass(frozen=True, slots=True)
class Handler(Documented):
    """A step that is not a message: `action`, `timeout` and own `fault` have a name, `restart` and `tick` have none."""

    fair: Literal["fair", "unfair"] | None
    kind: Literal["action", "timeout", "fault", "restart", "tick"]
    name: Ident | None
    params: tuple[Param, ...]
    guard: Expr | None
    limit: Expr | None
    body: Block


@dataclass(frozen=True, slots=True)
class Ignore(Documented):
    message: Ident
    names: tuple[Ident, ...]
    sender: Ident | None
    sender_role: Ident | None
    guard: Expr | None


@dataclass(frozen=True, slots=True)
class ProcDecl(Documented):
    name: Ident
    params: tuple[Param, ...]
    body: Block


@dataclass(frozen=True, slots=True)
class FunDecl(Documented):
    name: Ident
    params: tuple[Param, ...]
    result: Type | None
    body: Expr


Member = VarDecl | OnMessage | Handler | Ignore | ProcDecl | FunDecl


@dataclass(frozen=True, slots=True)
class RoleDecl(Documented):
    """`size` is None for a single process."""

    name: Ident
    size: Expr | None
    symmetric: bool
    members: tuple[Member, ...]


@dataclass(frozen=True, slots=True)
class PropDecl(Documented):
    kind: Literal["invariant", "step", "reach"]
    name: Ident
    body: Expr


@dataclass(frozen=True, slots=True)
class LiveDecl(Documented):
    """`form` with its operands: `right` only for `leads`."""

    name: Ident
    binders: tuple[Binder, ...]
    form: Literal["eventually", "eventually always", "always eventually", "leads"]
    left: Expr
    right: Expr | None


@dataclass(frozen=True, slots=True)
class FinalDecl(Documented):
    cond: Expr


@dataclass(frozen=True, slots=True)
class Bind(Node):
    """`NAME = expr`, in a check and in `refines`."""

    name: Ident
    value: Expr


@dataclass(frozen=True, slots=True)
class RefinesDecl(Documented):
    name: Ident
    binds: tuple[Bind, ...]


FaultKind = Literal["lose", "dup", "cut", "crash", "stop", "byzantine", "drift", "own"]


@dataclass(frozen=True, slots=True)
class Fault(Node):
    """One budget. `roles`: the role of a node fault, the two of a limited cut. `name`: the handler of an `own` fault."""

    kind: FaultKind
    roles: tuple[Ident, ...]
    name: Ident | None
    budget: Expr


@dataclass(frozen=True, slots=True)
class Faults(Node):
    faults: tuple[Fault, ...]


@dataclass(frozen=True, slots=True)
class Expect(Node):
    verdict: Literal["holds", "fails"]
    names: tuple[Ident, ...]


@dataclass(frozen=True, slots=True)
class ExpectCounts(Node):
    states: int
    transitions: int | None
    depth: int | None


@dataclass(frozen=True, slots=True)
class CheckFinal(Node):
    cond: Expr


@dataclass(frozen=True, slots=True)
class Bound(Node):
    cond: Expr


@dataclass(frozen=True, slots=True)
class StepName(Node):
    """`Role.Step`, or `Step` in any role."""

    role: Ident | None
    step: Ident


@dataclass(frozen=True, slots=True)
class Strong(Node):
    steps: tuple[StepName, ...]


@dataclass(frozen=True, slots=True)
class NoSymmetry(Node):
    pass


CheckItem = Bind | NetworkDecl | Faults | Expect | ExpectCounts | CheckFinal | Bound | Strong | NoSymmetry


@dataclass(frozen=True, slots=True)
class CheckDecl(Documented):
    name: Ident
    items: tuple[CheckItem, ...]


Decl = (
    ConstDecl
    | TypeDecl
    | IdDecl
    | EnumDecl
    | RecordDecl
    | MessageDecl
    | NetworkDecl
    | SharedDecl
    | RoleDecl
    | FunDecl
    | PropDecl
    | LiveDecl
    | FinalDecl
    | RefinesDecl
    | CheckDecl
)


@dataclass(frozen=True, slots=True)
class Spec(Documented):
    """A whole file: its doc comment, its name, and its declarations in the order of the text."""

    name: Ident
    decls: tuple[Decl, ...]
