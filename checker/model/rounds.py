"""Whether the rounds of a loop, or the ticks of several clocks, come to the same in any order.

A loop over a symmetric set runs in the order of declaration, and the clocks of a role tick one after the other. For the
reduction by symmetry no order may show. The elaborator refuses most of what would (PSM404). Here is the rest, which is
allowed and makes the reduction leave the type alone:

- a place is written in ways that do not commute, such as `+=` and `-=` on one set;
- a number that may leave its range on the way, though not at the end;
- what other rounds write is read, by a procedure or by ghost code;
- a round may err and another be no step at all: whichever comes first decides.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import field

from checker.base.data import dataclass
from checker.model import ir
from checker.model.failing import Failing
from checker.model.machine import Machine, Network
from checker.model.types import IntT, MapT, RoleInfo, fits
from checker.model.walk import blocks_of, parts, statements_in

Root = tuple[str, int]
"""A variable or a local."""


def expressions_of(s: ir.Stmt) -> Iterator[ir.Expr]:
    """The expressions directly inside of a statement."""
    match s:
        case ir.SetVar(_, path, value) | ir.SetLocal(_, path, value):
            yield from (p.key for p in path if isinstance(p, ir.IndexStep))
            yield value
        case ir.SendMsg(_, args, to):
            yield from args
            if to is not None:
                yield to
        case ir.IfS(arms):
            yield from (cond for cond, _ in arms)
        case ir.ForS(_, domain) | ir.ChooseS(_, domain):
            yield domain
        case ir.DoProc(_, args):
            yield from args
        case ir.AssertS(cond):
            yield cond


@dataclass(slots=True)
class _Write:
    """How a round writes to a root: `op` is None for a plain assignment. `definite`: never out of range only for a while."""

    own: bool
    op: str | None
    definite: bool


@dataclass(slots=True)
class _Seen:
    """What the rounds do. `own` of a read: only at the entry of the round itself."""

    writes: dict[Root, list[_Write]] = field(default_factory=dict)
    reads: set[Root] = field(default_factory=set)
    asks: bool = False
    sends: bool = False
    fails: bool = False
    stops: bool = False
    calls_writer: bool = False


class Rounds:
    """Answers for one machine."""

    def __init__(self, machine: Machine, failing: Failing) -> None:
        self.machine = machine
        self.failing = failing

    def of_loop(self, loop: ir.ForS) -> str | None:
        """Why the order of a loop may show; None where it does not."""
        seen = _Seen()
        self._block(loop.body, seen, loop.local, None)
        return self._verdict(seen)

    def of_ticks(self, body: tuple[ir.Stmt, ...], role: RoleInfo) -> str | None:
        """Why the order may show in which the clocks of a role tick; None where it does not."""
        seen = _Seen()
        self._block(body, seen, None, role)
        return self._verdict(seen)

    def _verdict(self, seen: _Seen) -> str | None:
        if seen.calls_writer:
            return "a procedure is called in a loop over it, and writes or sends in order"
        if seen.fails and seen.stops:
            return "of its rounds one may err and another be no step"
        if seen.asks and seen.sends:
            return "what is sent in a round may be seen in another"
        for root, writes in seen.writes.items():
            if root in seen.reads:
                return "what is written in a round may be read in another"
            if all(w.own for w in writes):
                continue
            ops = {w.op for w in writes}
            if any(w.own for w in writes) or None in ops or "concat" in ops:
                return "the order of its rounds may decide what is stored"
            if len(ops) > 1 or not all(w.definite for w in writes):
                return "the order of its rounds may decide what is stored, or whether a number leaves its range"
        return None

    # ---- what a round does

    def _block(
        self, body: tuple[ir.Stmt, ...], seen: _Seen, own: ir.Local | None, role: RoleInfo | None, depth: int = 0
    ) -> None:
        for s in body:
            self._stmt(s, seen, own, role, depth)
            for inner in blocks_of(s):
                self._block(inner, seen, own, role, depth)

    def _stmt(self, s: ir.Stmt, seen: _Seen, own: ir.Local | None, role: RoleInfo | None, depth: int) -> None:
        accumulated: ir.Expr | None = None
        match s:
            case ir.SetVar(var, path, value):
                accumulated = self._write(
                    seen, ("var", var.slot), path, value, own, role is not None and var.role == role.name
                )
            case ir.SetLocal(local, path, value) if own is not None and local.number < own.number and not depth:
                accumulated = self._write(seen, ("local", local.number), path, value, own, False)
            case ir.SendMsg(message):
                seen.sends = True
                network = self._network(message)
                seen.stops |= network.overflow == "block"
                seen.fails |= network.kind != "soup" and network.overflow == "error"
                seen.calls_writer |= depth > 0 and network.kind == "fifo"
            case ir.ChooseS():
                seen.stops = True
            case ir.AssertS():
                seen.fails = True
            case ir.DoProc(proc):
                inner = self.machine.procedures[proc].body
                if own is not None:
                    seen.calls_writer |= any(isinstance(x, ir.SetVar) for x in statements_in(inner))
                self._block(inner, seen, own, role, depth + 1)
        if isinstance(s, ir.SetVar | ir.SetLocal):
            seen.fails |= any(p.unwrap or not _is_safe(p) for p in s.path)
        for e in expressions_of(s):
            seen.fails |= self.failing.may_fail(e)
            if e is accumulated:
                inner_value = e.obj if isinstance(e, ir.Checked) else e
                assert isinstance(inner_value, ir.Arith | ir.Collect)
                self._reads(inner_value.right, seen, own, role)
            else:
                self._reads(e, seen, own, role)

    def _network(self, message: str) -> Network:
        return self.machine.networks[self.machine.messages[message].network]

    def _write(
        self, seen: _Seen, root: Root, path: ir.Path, value: ir.Expr, own: ir.Local | None, mine: bool
    ) -> ir.Expr | None:
        """Notes a write; gives the value where it is what stood there with something added or taken away."""
        keyed = own is not None and any(
            isinstance(p, ir.IndexStep) and isinstance(p.key, ir.GetLocal) and p.key.local == own for p in path
        )
        inner = value.obj if isinstance(value, ir.Checked) else value
        op = inner.op if isinstance(inner, ir.Arith | ir.Collect) and _root(inner.left) == root else None
        definite = True
        if isinstance(inner, ir.Arith) and isinstance(value, ir.Checked):
            right = inner.right.type
            definite = isinstance(right, IntT) and right.lo is not None and right.lo >= 0
        seen.writes.setdefault(root, []).append(_Write(keyed or mine, op, definite))
        return value if op is not None and not keyed and not mine else None

    def _reads(self, e: ir.Expr, seen: _Seen, own: ir.Local | None, role: RoleInfo | None) -> None:
        match e:
            case ir.GetIndex(ir.GetVar(_, None) | ir.GetLocal(), ir.GetLocal(local)) if (
                own is not None and local == own
            ):
                return
            case ir.GetVar(var, of):
                if of is not None or role is None or var.role != role.name:
                    seen.reads.add(("var", var.slot))
            case ir.GetLocal(local):
                seen.reads.add(("local", local.number))
            case ir.Sent() | ir.Inflight() | ir.Silent():
                seen.asks = True
            case ir.CallFun(fun, of):
                inner = self.machine.functions[fun].body
                self._reads(inner, seen, None, role if of is None else None)
        for part in parts(e):
            self._reads(part, seen, own, role)


def _root(e: ir.Expr) -> Root | None:
    match e:
        case ir.GetVar(var, None):
            return ("var", var.slot)
        case ir.GetLocal(local):
            return ("local", local.number)
        case ir.GetField(obj) | ir.GetIndex(obj) | ir.Unwrap(obj):
            return _root(obj)
    return None


def _is_safe(step: ir.FieldStep | ir.IndexStep) -> bool:
    """Whether a step on the way to a place always leads somewhere."""
    return isinstance(step, ir.FieldStep) or (isinstance(step.of, MapT) and fits(step.key.type, step.of.key))
