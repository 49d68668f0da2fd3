"""The typed intermediate representation: what a handler does, with nothing left to decide.

`elaborate` translates the syntax tree into these nodes for one binding of the constants. Names are gone (a variable is
a `Var` with its place in the state, a local is a number), every implicit conversion is a node of its own, and every
expression has a closed type. Whatever can go wrong at run time is a node with a place: `Unwrap` (none), `Narrow` (another
role), `Checked` (range), `GetIndex` (outside), `Arith` (division), `MinMax` and `Last` (nothing).

Engines compile this representation and read nothing else, so it is the definition of what they must agree on. Nodes are
frozen; `match` over `Expr` and `Stmt` is exhaustive.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from checker.base.source import Span
from checker.model.types import BOOL, BoolT, IntT, MapT, ProcT, RecordT, SetT, Type
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


# ---- statements -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class FieldStep:
    """A field on the way to the assigned place; `unwrap`: the record is optional, and none is an error."""

    index: int
    unwrap: bool
    span: Span


@dataclass(frozen=True, slots=True)
class IndexStep:
    """An entry of a map or of a sequence on the way to the assigned place."""

    key: Expr
    of: Type
    unwrap: bool
    span: Span


Path = tuple[FieldStep | IndexStep, ...]


@dataclass(frozen=True, slots=True)
class SetVar:
    """Stores `value`, converted and checked already, at `path` in a shared or own variable. An effect unless ghost."""

    var: Var
    path: Path
    value: Expr
    span: Span

    @property
    def is_effect(self) -> bool:
        return self.var.keep == "durable"


@dataclass(frozen=True, slots=True)
class SetLocal:
    """`let`, or an assignment to a local."""

    local: Local
    path: Path
    value: Expr
    span: Span


@dataclass(frozen=True, slots=True)
class SendMsg:
    """Sends one message to a process, a set of processes, or `nobody` (recorded in a soup for `sent`, never delivered).

    Each recipient is one effect, in the order of the processes.
    """

    message: str
    args: tuple[Expr, ...]
    to: Expr | None
    many: bool
    span: Span


@dataclass(frozen=True, slots=True)
class IfS:
    arms: tuple[tuple[Expr, tuple[Stmt, ...]], ...]
    orelse: tuple[Stmt, ...]


@dataclass(frozen=True, slots=True)
class ForS:
    local: Local
    domain: Expr
    body: tuple[Stmt, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class ChooseS:
    """An outcome for each element; none at all disables the step."""

    local: Local
    domain: Expr
    span: Span


@dataclass(frozen=True, slots=True)
class EitherS:
    kind: Literal["either", "toss"]
    branches: tuple[tuple[Stmt, ...], ...]
    span: Span


@dataclass(frozen=True, slots=True)
class DoProc:
    proc: str
    args: tuple[Expr, ...]


@dataclass(frozen=True, slots=True)
class AssertS:
    cond: Expr
    span: Span


@dataclass(frozen=True, slots=True)
class AtomicS:
    """One effect, whatever it writes; it sends nothing."""

    body: tuple[Stmt, ...]


Stmt = SetVar | SetLocal | SendMsg | IfS | ForS | ChooseS | EitherS | DoProc | AssertS | AtomicS
