"""Declarations, members of roles, and what stands in a check."""

from __future__ import annotations

from typing import Literal

from checker.base.data import dataclass
from checker.lang.ast.expressions import Binder, Expr, Ident, Node, Param, Range, Type
from checker.lang.ast.statements import Block


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
    """`NAME = expr` in a check."""

    name: Ident
    value: Expr


@dataclass(frozen=True, slots=True)
class Mapped(Node):
    """`NAME = expr` or `ROLE.NAME = expr` in `refines`: what a variable of the abstract spec is here."""

    role: Ident | None
    name: Ident
    value: Expr

    @property
    def target(self) -> str:
        """The variable as it is written."""
        return self.name.text if self.role is None else f"{self.role}.{self.name}"


@dataclass(frozen=True, slots=True)
class RefinesDecl(Documented):
    name: Ident
    mapping: tuple[Mapped, ...]


@dataclass(frozen=True, slots=True)
class LinearDecl(Documented):
    """`linearizable NAME`: the operations that the spec invokes and responds to are those of the abstract spec."""

    name: Ident


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
    | LinearDecl
    | CheckDecl
)


@dataclass(frozen=True, slots=True)
class Spec(Documented):
    """A whole file: its doc comment, its name, and its declarations in the order of the text."""

    name: Ident
    decls: tuple[Decl, ...]
