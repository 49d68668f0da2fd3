"""The machine: one check of one spec, closed and typed, ready for an engine.

A machine says everything that the semantics needs and nothing about how it is explored: roles and their processes,
variables with their slots, messages and networks, steps, budgets, properties, expectations. `elaborate` makes it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from typing import Literal

from checker.base.data import dataclass
from checker.base.diagnostics import Diagnostic
from checker.base.source import Source, Span
from checker.lang.ast import FaultKind, NetworkKind
from checker.model.ir import Expr, Local, Stmt, Var
from checker.model.types import ProcT, RecordT, RoleInfo, Type
from checker.model.values import Value

NOBODY = -1
"""The receiver of a message that `send … to all` records in a soup although no role handles it."""


BEGINNING, REFUTED, IMPOSSIBLE = 0, 1, 2
"""Numbers of histories: nothing has happened; no order explains what has; what no process can do."""

MAX_HISTORIES = 1 << 16
"""The most histories of an object that are told apart."""


@dataclass(frozen=True, slots=True)
class Message:
    """A message kind. `senders` and `receivers` are the roles that the `send` statements and handlers allow."""

    name: str
    fields: tuple[tuple[str, Type], ...]
    network: int
    senders: ProcT
    receivers: ProcT
    span: Span


@dataclass(frozen=True, slots=True)
class Network:
    """`capacity` copies of one message (bag), or messages in one queue (fifo); None for a soup.

    `overflow` says what a send beyond the capacity is.
    """

    name: str
    kind: NetworkKind
    capacity: int | None
    overflow: Literal["error", "drop", "block"]
    session: bool
    span: Span


@dataclass(frozen=True, slots=True)
class Function:
    """A pure function; `role` is the role it belongs to. `result` is its declared or inferred type."""

    key: str
    role: str | None
    params: tuple[Local, ...]
    result: Type
    body: Expr


@dataclass(frozen=True, slots=True)
class Procedure:
    key: str
    role: str
    params: tuple[Local, ...]
    body: tuple[Stmt, ...]


StepKind = Literal["message", "ignore", "action", "timeout", "fault", "restart", "tick"]


@dataclass(frozen=True, slots=True)
class Step:
    """A handler of one role.

    `params` are the message's fields (or `_`), or the parameters of an action; `sender` is the local bound by `from`, with
    its type (every possible sender where it has no name). `fair` is resolved to the default of its kind.
    """

    role: RoleInfo
    kind: StepKind
    name: str
    params: tuple[Local, ...]
    sender: Local | None
    guard: Expr | None
    limit: Expr | None
    body: tuple[Stmt, ...]
    fair: bool
    has_choices: bool
    span: Span
    doc: tuple[str, ...] = ()
    conjuncts: tuple[str, ...] = ()
    """The parts of the guard that `and` joins, as text with their lines, in the order of `walk.conjuncts`."""

    @property
    def label(self) -> str:
        """`Role.Step`, as coverage and `strong` name it."""
        prefix = "ignore " if self.kind == "ignore" else ""
        return f"{self.role.name}.{prefix}{self.name}"


@dataclass(frozen=True, slots=True)
class Budget:
    """How often a fault may strike. `key` is how it is written: `crash RM`, `lose`, `Clock.Slip`."""

    key: str
    kind: FaultKind
    roles: tuple[RoleInfo, ...]
    step: str | None
    count: int
    span: Span


@dataclass(frozen=True, slots=True)
class LiveCase:
    """One liveness property: `left` under `eventually` and its like, or `left ~> right`.

    `instance` says which member of a family it is, as `n = Node0`; it is empty where there is none.
    """

    instance: str
    form: Literal["eventually", "eventually always", "always eventually", "leads"]
    left: Expr
    right: Expr | None
    span: Span


@dataclass(frozen=True, slots=True)
class Abstraction:
    """What a `refines` is about.

    Attributes:
        machine: the abstract spec, with the constants and sizes of the concrete one; it has variables and steps alone.
        image: the function (in `Machine.functions`) that gives the abstract state of a concrete one, as a record with a
            field for each variable of `machine`: its value, or a map from the processes of a role that has several.
        type: the type of that record, in the types of the concrete machine.
        shift: what is added to the number of a process of each role of `machine` to get that of its counterpart.
    """

    machine: Machine
    image: str
    type: RecordT
    shift: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Operation:
    """An action of an abstract object, as an operation that takes time.

    Attributes:
        params: the parameters of the action, in the types of the concrete machine. The first `given` of them are known when
            the operation is invoked, the rest when it responds.
        performer: the role of the abstract machine whose instance stands for the process that performs it; None where
            the object does not tell processes apart.
    """

    name: str
    params: tuple[tuple[str, Type], ...]
    given: int
    performer: str | None

    def values(self, kind: Literal["invoke", "respond"]) -> tuple[tuple[str, Type], ...]:
        """What an event of the operation carries: the arguments, or the results."""
        return self.params[: self.given] if kind == "invoke" else self.params[self.given :]


EVENTS: tuple[Literal["invoke", "respond"], ...] = ("invoke", "respond")


@dataclass(frozen=True, slots=True)
class History:
    """What a `linearizable` is about: operations on an abstract object, recorded in a ghost.

    Attributes:
        machine: the object, as an abstract spec.
        var: the ghost. It holds the number of a history, which `engine.histories` gives a meaning.
        processes: who invokes operations.
        shift: as in `Abstraction`.
        states: for each number, which operations are pending, and what may be the case.
    """

    name: str
    machine: Machine
    var: Var
    processes: ProcT
    operations: Mapping[str, Operation]
    shift: Mapping[str, int]
    states: tuple[tuple[tuple[str, ...], tuple[str, ...]], ...] = ()

    def function(self, kind: str, operation: str) -> str:
        """The function (in `Machine.functions`) from an event to the history with it: process, then values."""
        return f"{kind} {self.name}.{operation}"


@dataclass(frozen=True, slots=True)
class Property:
    """A property, as it is judged.

    Attributes:
        body: what every state (`invariant`, `linearizable`), some state (`reach`) or every step (`step`, `refines`; it
            may use `Old`) has to satisfy. A live property has `cases` instead. That of a refinement is made by
            `engine.refinement`.
        antecedents: for each implication, its text and the question whether its left side was ever true; those of a `step`
            property may use `Old`.
        initial: what every initial state has to satisfy besides.
        cases: what a live property stands for: more than one where it is a family.
        abstraction: what a `refines` is about.
        unjudged: why there is no verdict, where there is none.
    """

    name: str
    kind: Literal["invariant", "step", "reach", "live", "refines", "linearizable"]
    body: Expr | None
    antecedents: tuple[tuple[str, Expr], ...]
    span: Span
    doc: tuple[str, ...] = ()
    cases: tuple[LiveCase, ...] = ()
    initial: Expr | None = None
    abstraction: Abstraction | None = None
    unjudged: str | None = None

    @property
    def judged_as(self) -> Literal["invariant", "step", "reach", "live"]:
        """What an engine takes it for."""
        match self.kind:
            case "refines":
                return "step"
            case "linearizable":
                return "invariant"
        return self.kind


@dataclass(frozen=True, slots=True)
class Expectation:
    verdict: Literal["holds", "fails"]
    span: Span


@dataclass(frozen=True, slots=True)
class Counts:
    states: int
    transitions: int | None
    depth: int | None
    judged: bool


@dataclass(frozen=True, slots=True)
class Init:
    """The initial value of a variable: one expression, or `any` of a domain."""

    var: Var
    value: Expr
    any: bool


@dataclass(frozen=True, slots=True)
class Group:
    """Instances that an engine may exchange: the processes `base` to `base + size - 1` of a role, or the ids of a type."""

    name: str
    is_role: bool
    base: int
    size: int


@dataclass(frozen=True, slots=True)
class Machine:
    """See the module. Mappings keep the order of the text."""

    source: Source
    spec: str
    check: str
    constants: Mapping[str, tuple[Type, Value]]
    roles: Mapping[str, RoleInfo]
    records: Mapping[str, tuple[RecordT, tuple[Local, ...], Expr | None]]
    variables: tuple[Var, ...]
    inits: tuple[Init, ...]
    messages: Mapping[str, Message]
    networks: tuple[Network, ...]
    functions: Mapping[str, Function]
    procedures: Mapping[str, Procedure]
    steps: tuple[Step, ...]
    budgets: tuple[Budget, ...]
    properties: tuple[Property, ...]
    expectations: Mapping[str, Expectation]
    counts: Counts | None
    final: Expr | None
    bound: Expr | None
    strong: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    histories: tuple[History, ...] = ()
    slots: int = 0
    """Slots of variables; `layout` appends those of faults and networks."""
    overrides: Mapping[str, Value] = field(default_factory=dict)
    declared: bool = True
    """Whether the spec declares this check; it is the implicit one of a spec without checks otherwise."""
    warnings: tuple[Diagnostic, ...] = ()
    symmetric: tuple[Group, ...] = ()
    """What is exchanged to explore less (`model.symmetry`). Whoever needs every state replaces it by nothing."""

    @property
    def texts(self) -> tuple[str, ...]:
        """All texts that it was made from: the spec, and those that it names. Whoever keeps something of it looks at them."""
        abstract = [p.abstraction.machine for p in self.properties if p.abstraction]
        abstract += [history.machine for history in self.histories]
        return (self.source.text, *(m.source.text for m in abstract))

    @property
    def processes(self) -> int:
        """How many processes there are in all roles."""
        return sum(r.size for r in self.roles.values())

    def role_of(self, process: int) -> RoleInfo:
        """The role of a process."""
        return next(r for r in self.roles.values() if process in r.processes)
