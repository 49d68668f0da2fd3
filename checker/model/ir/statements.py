"""Typed statements."""

from __future__ import annotations

from typing import Literal

from checker.base.data import dataclass
from checker.base.source import Span
from checker.model.ir.expressions import Expr, Local, Var
from checker.model.types import Type


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
    """`text` says what is wrong where the condition is false."""

    cond: Expr
    span: Span
    text: str = "the assertion does not hold"


@dataclass(frozen=True, slots=True)
class AtomicS:
    """One effect, whatever it writes; it sends nothing."""

    body: tuple[Stmt, ...]


Stmt = SetVar | SetLocal | SendMsg | IfS | ForS | ChooseS | EitherS | DoProc | AssertS | AtomicS
