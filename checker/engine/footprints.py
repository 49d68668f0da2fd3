"""What a step may read and write, found in its text: the static part of partial-order reduction (`reduction`).

A **resource** is something that two steps could both touch: a slot of the state (one variable of one process, a status, a
budget, the cut), or one of these aspects of a network:

| resource | touched by |
|---|---|
| messages of a kind | who sends or consumes them *gathers*; `sent` and `inflight` read |
| room for a kind, or in queues | who sends *reads*, since a send may find no room; who consumes *gathers* |
| what a process sends of a kind, or at all | who sends writes |
| what a process consumes of a kind, or at all | who consumes writes |

The last three are those of bags (for each kind) and of fifos (for each network); a soup has no room to run out of, and
nothing is consumed. To *gather* is to write in a way that commutes with itself, as adding to a set does: `x += e` on a set,
where e does not read x, gathers x.

Everything here may be too much and never too little. A step that asks `silent` touches everything.
"""

from __future__ import annotations

from collections.abc import Collection, Hashable, Iterable, Iterator
from dataclasses import field

from checker.base.data import dataclass
from checker.model import ir
from checker.model.layout import Layout
from checker.model.machine import Machine, Step
from checker.model.types import IntT, ProcT, SeqT
from checker.model.walk import conjuncts, expressions_of, statements_in, subexpressions

Resource = Hashable


@dataclass(slots=True)
class Footprint:
    """Resources by how they are touched, and the kinds of messages that may be sent."""

    reads: set[Resource] = field(default_factory=set)
    writes: set[Resource] = field(default_factory=set)
    gathers: set[Resource] = field(default_factory=set)
    sends: set[str] = field(default_factory=set)
    everything: bool = False
    may_be_disabled: bool = False
    """Whether a body may have no outcome: an empty `choose`, or a full network marked `block`."""

    def add(self, other: Footprint) -> None:
        """Joins another one."""
        self.reads |= other.reads
        self.writes |= other.writes
        self.gathers |= other.gathers
        self.sends |= other.sends
        self.everything |= other.everything
        self.may_be_disabled |= other.may_be_disabled


class Footprints:
    """The footprints of one machine."""

    def __init__(self, layout: Layout) -> None:
        self.layout = layout
        self.machine: Machine = layout.machine

    # ---- expressions

    def reads(self, e: ir.Expr, me: int | None, into: Footprint) -> None:
        """Adds what an expression reads; `me` is the process that runs, None for a property."""
        self._reads(e, me, into, set())

    def _reads(self, e: ir.Expr, me: int | None, into: Footprint, seen: set[tuple[str, int | None]]) -> None:
        for part in subexpressions(e):
            match part:
                case ir.GetVar(var, of):
                    into.reads.update(self._slots(var, of, me))
                case ir.Sent(message) | ir.Inflight(message):
                    into.reads.add(("messages", message))
                case ir.Silent():
                    into.everything = True
                case ir.CallFun(fun, of):
                    whose = me if of is None or isinstance(of, ir.Self) else None
                    if (fun, whose) not in seen:
                        seen.add((fun, whose))
                        self._reads(self.machine.functions[fun].body, whose, into, seen)

    def _slots(self, var: ir.Var, of: ir.Expr | None, me: int | None) -> Iterable[int]:
        """The slots that a variable may stand for."""
        if var.role is None:
            return (var.slot,)
        role = self.machine.roles[var.role]
        match of:
            case ir.Const(value) if isinstance(value, int):
                return (var.slot + value - role.base,)
            case ir.At(ProcT((only,)), ir.Const(int() as index)) if 0 <= index < only.size:
                return (var.slot + only.base + index - role.base,)
        if (of is None or isinstance(of, ir.Self)) and me is not None and me in role.processes:
            return (var.slot + me - role.base,)
        return range(var.slot, var.slot + role.size)

    # ---- bodies

    def body(self, body: tuple[ir.Stmt, ...], me: int) -> Footprint:
        """What a body touches when a process runs it, procedures included."""
        found = Footprint()
        self._body(body, me, found, set())
        return found

    def _body(self, body: tuple[ir.Stmt, ...], me: int, found: Footprint, seen: set[str]) -> None:
        for s in statements_in(body):
            gathered = self._gathered(s)
            for e in expressions_of(s) if gathered is None else (gathered,):
                self.reads(e, me, found)
            match s:
                case ir.SetVar(var=var):
                    (found.writes if gathered is None else found.gathers).update(self._slots(var, None, me))
                case ir.SendMsg(message=message):
                    self._send(message, me, found)
                case ir.ChooseS():
                    found.may_be_disabled = True
                case ir.DoProc(proc) if proc not in seen:
                    seen.add(proc)
                    self._body(self.machine.procedures[proc].body, me, found, seen)

    def _gathered(self, s: ir.Stmt) -> ir.Expr | None:
        """What is added, if a statement adds to a set and does nothing else with it."""
        match s:
            case ir.SetVar(var=var, path=(), value=value):
                while isinstance(value, ir.Checked) and getattr(value.type, "limit", None) is None:
                    value = value.obj
                match value:
                    case ir.Collect("union", ir.GetVar(of=None | ir.Self()) as left, added) if left.var == var:
                        if not any(isinstance(e, ir.GetVar | ir.CallFun) for e in subexpressions(added)):
                            return added
        return None

    def _send(self, message: str, me: int, found: Footprint) -> None:
        number = self.machine.messages[message].network
        network = self.machine.networks[number]
        found.sends.add(message)
        found.gathers.add(("messages", message))
        if network.kind != "soup":
            group: object = message if network.kind == "bag" else number
            found.reads.add(("room", group))
            found.writes.add(("sends", group, me))
            found.may_be_disabled |= network.overflow == "block"

    def _consume(self, message: str, me: int, found: Footprint) -> None:
        number = self.machine.messages[message].network
        network = self.machine.networks[number]
        if network.kind != "soup":
            group: object = message if network.kind == "bag" else number
            found.gathers.update([("messages", message), ("room", group)])
            found.writes.add(("consumes", group, me))

    # ---- steps

    def step(self, step: Step, me: int) -> Footprint:
        """Everything that a step of a process touches, its guard included."""
        found = self.body(step.body, me)
        for e in (step.guard, step.limit):
            if e is not None:
                self.reads(e, me, found)
        if step.kind in ("message", "ignore"):
            self._consume(step.name, me, found)
            if self.layout.cut is not None:
                found.reads.add(self.layout.cut)
        if step.kind == "fault":
            found.writes.add(self.layout.budgets[step.label])
        status = self.layout.status.get(me)
        if status is not None:
            (found.writes if step.kind == "restart" else found.reads).add(status)
        return found

    def locks(self, step: Step, me: int) -> Iterator[tuple[ir.Expr, frozenset[Resource]]]:
        """The conjuncts of a guard that depend on the process alone, as far as those before them cannot go wrong.

        While one of them is false, no message enables the step. With each comes what it reads.
        """
        given = {p.number for p in step.params} | ({step.sender.number} if step.sender is not None else set())
        for part in () if step.guard is None else conjuncts(step.guard):
            inside = list(subexpressions(part))
            if not any(isinstance(e, ir.GetLocal) and e.local.number in given for e in inside):
                found = Footprint()
                self.reads(part, me, found)
                if not found.everything:
                    yield part, frozenset(found.reads)
            if not all(_is_safe(e) for e in inside):
                return

    def opening(self, step: Step, me: int, locks: Collection[ir.Expr]) -> Footprint:
        """What has to change before a step that is not locked and not enabled can be: what the other parts of it read."""
        found = Footprint()
        for part in () if step.guard is None else conjuncts(step.guard):
            if part not in locks or not all(map(_is_safe, subexpressions(part))):
                self.reads(part, me, found)
        if step.limit is not None:
            self.reads(step.limit, me, found)
        body = self.body(step.body, me)
        if body.may_be_disabled:
            found.reads |= body.reads
            found.everything |= body.everything
        return found


def _is_safe(e: ir.Expr) -> bool:
    """Whether this node cannot go wrong itself; True only where that is plain."""
    match e:
        case ir.Unwrap() | ir.Narrow() | ir.Checked() | ir.Slice() | ir.Last() | ir.At() | ir.CallFun() | ir.Silent():
            return False
        case ir.MinMax(of_collection=True) | ir.Arith(op="/" | "%") | ir.MakeMap():
            return False
        case ir.GetIndex(obj) | ir.WithIndex(obj):
            return not isinstance(obj.type, SeqT) and isinstance(e, ir.GetIndex) and not isinstance(e.key.type, IntT)
    return True
