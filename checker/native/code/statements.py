"""Bodies of handlers, as LLVM code that changes a state in place.

A body is a function from a copy of the state to a status (`frame`): it went through, a network blocks it, a choice has nothing
to choose from, an error. Choices are asked of a tape, and the body runs again for the next answers, as in the interpreter.
The torn form goes through the elements of a loop in every order (`sending` has its other differences).

A local has one type in compiled code, that of all values which it ever gets. They are known when the body has been written, so
it is written again until no type grows any more.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import factorial
from typing import assert_never

from checker.engine.runtime import MAX_TEARS
from checker.model import ir
from checker.model.types import BagT, IntT, MapT, NeverT, OptT, RecordT, SeqT, SetT, Type, fits
from checker.model.walk import has_effect
from checker.native.code import frame
from checker.native.code.logic import Slot
from checker.native.code.sending import Sending
from checker.native.code.unit import Unit
from checker.native.code.values import Val, closed, kind, widened
from checker.native.code.width import Unsupported, bits

BODY_PARAMETERS = (*(("ptr", name) for name in ("ctx", "frame", "work", "tape", "effects")), ("i64", "me"))
"""What every body is given, as LLVM types and names."""

ROUNDS = 6
"""How often a body is written at most until the types of its locals are known; then values that do not fit are left to the
interpreter, as those of a sequence that grows in a loop."""


class Bodies(Sending):
    """Translates the statements of one body. `slots` has the types of its locals as far as they are known."""

    def __init__(
        self, unit: Unit, name: str, params: list[tuple[str, str]], slots: dict[int, Type], *, torn: bool
    ) -> None:
        super().__init__(unit, name, params, torn=torn)
        self.slots = slots
        self.settled = False
        """Whether the types of locals stay as they are, and values are tested."""
        self.unstable = False
        """Whether the type of a local turned out to be wider than `slots` said."""

    # ---- statements

    def stmts(self, body: tuple[ir.Stmt, ...]) -> None:
        """Several statements, one after the other."""
        for s in body:
            self.stmt(s)

    def stmt(self, s: ir.Stmt) -> None:
        """One statement."""
        match s:
            case ir.SetVar(var, path, value):
                v = self.expr(value)
                if s.is_effect:
                    self.hit()
                if path:
                    v = self.updated(self.variable(var, self.me), path, v)
                place = self.slot(var.slot)
                self.write(self.state, place, self.copy_of(var, self.me), self.pack(self.convert(v, var.type)))
            case ir.SetLocal(local, path, value):
                v = self.expr(value)
                self.assign(local, self.updated(self.local(local), path, v) if path else v)
            case ir.SendMsg():
                self.send(s)
            case ir.IfS(arms, orelse):
                self.branches(arms, orelse)
            case ir.ForS():
                self.loop_over(s)
            case ir.ChooseS(local, domain):
                self.bound(local, self.chosen(domain))
            case ir.EitherS(_, branches):
                self.either_of(branches)
            case ir.DoProc(proc, args):
                procedure = self.unit.machine.procedures[proc]
                values = [self.expr(a) for a in args]
                for p, v in zip(procedure.params, values, strict=True):
                    self.bound(p, self.convert(v, p.type) if fits(v.type, p.type) else v)
                self.stmts(procedure.body)
            case ir.AssertS(cond):
                self.require(self.expr(cond).op, self.fail)
            case ir.AtomicS(body):
                self.hit()
                before, self.quiet = self.quiet, True
                self.stmts(body)
                self.quiet = before
            case _:
                assert_never(s)

    def branches(self, arms: Sequence[tuple[ir.Expr, tuple[ir.Stmt, ...]]], orelse: tuple[ir.Stmt, ...]) -> None:
        """The first arm whose condition holds, or `orelse`."""
        done = self.block("merge")
        for cond, body in arms:
            yes, no = self.block("then"), self.block("else")
            self.when(self.expr(cond).op, yes, no)
            self.place(yes)
            self.stmts(body)
            self.go(done)
            self.place(no)
        self.stmts(orelse)
        self.place(done)

    def either_of(self, branches: Sequence[tuple[ir.Stmt, ...]]) -> None:
        """The branch that the tape says."""
        answer = self.ask(str(len(branches)))
        done = self.block("merge")
        for i, body in enumerate(branches):
            here, on = self.block("branch"), self.block("on")
            self.when(self.compare("eq", 64, answer, str(i)), here, on)
            self.place(here)
            self.stmts(body)
            self.go(done)
            self.place(on)
        self.place(done)

    def assign(self, local: ir.Local, v: Val) -> None:
        """Stores a local. Its type is that of all values it ever gets, which takes more than one writing to know."""
        known = self.slots.get(local.number)
        if known is None:
            known = self.slots[local.number] = v.type
        if not isinstance(known, IntT):
            bits(known)
        slot = self.locals.get(local.number)
        if not isinstance(slot, Slot):
            slot = self.locals[local.number] = Slot(self.stack(kind(known)), known)
        if fits(v.type, known):
            self.store(self.convert(v, known).op, slot.pointer, kind(known))
        elif not self.settled:
            self.slots[local.number] = widened(known, v.type)
            self.unstable = True
        else:
            self.require(self.conforms(v, known, plain=True), self.defer)
            self.store(self.narrowed(v, known).op, slot.pointer, kind(known))

    def updated(self, whole: Val, path: ir.Path, new: Val) -> Val:
        """A value whose part at `path` becomes `new`; the parts on the way are read first."""
        step, rest = path[0], path[1:]
        holder = whole
        if step.unwrap:
            self.require(self.is_some(whole), self.fail)
            holder = self.inner(whole)
        if isinstance(step, ir.FieldStep):
            inner = self.updated(self.field(holder, step.index), rest, new) if rest else new
            assert isinstance(holder.type, RecordT)
            changed = self.with_field(holder, step.index, inner)
        elif isinstance(holder.type, MapT):
            at = self.position(holder.type, self.expr(step.key))
            if rest:
                place = self.op("mul", 64, at, str(bits(holder.type.value)))
                new = self.updated(self.part(holder.type.value, holder.op, bits(holder.type), place), rest, new)
            changed = self.put(holder, at, new)
        else:
            key = self.expr(step.key)
            if rest:
                new = self.updated(self.entry(holder, key), rest, new)
            changed = self.with_entry(holder, key, new)
        if step.unwrap:
            return self.convert(changed, OptT(changed.type))
        return changed

    # ---- choices

    def ask(self, alternatives: str) -> str:
        """The answer to a choice among so many."""
        self.require(self.compare("ne", 64, alternatives, "0"), self.exits[frame.EMPTY])
        answer = self.support("tape_choose", self.address("%tape"), alternatives)
        self.require(self.compare("ne", 64, answer, "-1"), self.defer)
        return answer

    def chosen(self, domain: ir.Expr) -> Val:
        """The element of a domain that the tape says."""
        if isinstance(domain, ir.RangeSet):
            low, high = self.expr(domain.lo), self.expr(domain.hi)
            assert isinstance(low.type, IntT) and isinstance(high.type, IntT)
            count = self.op("add", 64, self.op("sub", 64, high.op, low.op), "1")
            count = self.select(self.compare("slt", 64, count, "0"), "i64", "0", count)
            return Val(IntT(low.type.lo, high.type.hi), self.op("add", 64, low.op, self.ask(count)))
        of = self.expr(domain)
        assert isinstance(of.type, SetT | SeqT | BagT)
        elem = of.type.elem
        if isinstance(elem, NeverT):
            self.go(self.exits[frame.EMPTY])
            t = closed(domain.type)
            assert isinstance(t, SetT | SeqT | BagT)
            return Val(t.elem, "0")
        count = self.count_bits(of.op, bits(of.type)) if isinstance(of.type, SetT) else self.length(of)
        answer = self.ask(count)
        slot, left = self.stack(kind(elem)), self.stack("i64")
        self.store("0", slot, kind(elem))
        self.store(answer, left)

        def look(v: Val) -> None:
            n = self.load(left)
            here = self.compare("eq", 64, n, "0")
            self.store(self.select(here, kind(elem), v.op, self.load(slot, kind(elem))), slot, kind(elem))
            self.store(self.op("sub", 64, n, "1"), left)

        self.each_element(of, look)
        return Val(elem, self.load(slot, kind(elem)))

    # ---- loops

    def loop_over(self, s: ir.ForS) -> None:
        """A loop over a domain; a torn one over a set in every order."""

        def body(v: Val) -> None:
            self.bound(s.local, v)
            self.stmts(s.body)

        ordered = (
            not self.quiet and isinstance(s.domain.type, SetT) and has_effect(s.body, self.unit.machine.procedures)
        )
        if not ordered:
            if isinstance(s.domain, ir.DomainSet | ir.RangeSet | ir.Honest):
                self.iterate(s.domain, body)
            else:  # the body may change what the domain depends on, so that is computed first
                self.each_element(self.expr(s.domain), body)
            return
        of = self.expr(s.domain)
        assert isinstance(of.type, SetT)
        if isinstance(of.type.elem, NeverT):
            return
        if not self.unit.in_rank_order(of.type.elem):
            raise Unsupported("a torn loop over a set of collections")
        self._in_every_order(of, body)

    def _in_every_order(self, of: Val, body: Callable[[Val], None]) -> None:
        """See `engine.runtime.Effects.order`, which this follows."""
        assert isinstance(of.type, SetT)
        elem, width = of.type.elem, bits(of.type)
        size = self.count_bits(of.op, width)
        torn_at = self.word("%effects", frame.EFFECTS_TORN)
        plain_first = self.either(self.compare("ne", 64, self.load(torn_at), "0"), self.compare("slt", 64, size, "2"))
        most = next(n for n in range(1, 30) if factorial(n) > MAX_TEARS)
        free = self.negate(plain_first)
        self.require(self.negate(self.both(free, self.compare("sge", 64, size, str(most)))), self.defer)
        left, in_place = self.stack(f"i{width}"), self.stack("i1")
        self.store(of.op, left, f"i{width}")
        self.store("1", in_place, "i1")
        head, inside, done = self.block("head"), self.block("body"), self.block("done")
        self.place(head)
        now = self.load(left, f"i{width}")
        self.when(self.compare("ne", width, now, "0"), inside, done)
        self.place(inside)
        fixed = self.either(plain_first, self.compare("ne", 64, self.load(torn_at), "0"))
        at = self.choice(
            fixed,
            lambda: Val(IntT(None, None), "0"),
            lambda: Val(IntT(None, None), self.ask(self.count_bits(now, width))),
        ).op
        first = self.compare("eq", 64, at, "0")
        self.store(self.both(self.load(in_place, "i1"), first), in_place, "i1")
        bit, skip = self.stack("i64"), self.stack("i64")
        self.store(at, skip)
        self.store("0", bit)

        def look(i: str) -> None:
            n = self.load(skip)
            self.store(self.select(self.compare("eq", 64, n, "0"), "i64", i, self.load(bit)), bit)
            self.store(self.op("sub", 64, n, "1"), skip)

        self.each_bit(now, width, look)
        chosen = self.load(bit)
        self.store(self.insert(now, width, chosen, 1, "0"), left, f"i{width}")
        body(self.unrank(elem, chosen))
        self.go(head)
        self.place(done)
        torn = self.compare("ne", 64, self.load(torn_at), "0")
        good = self.either(self.either(plain_first, torn), self.load(in_place, "i1"))
        self.require(good, self.exits[frame.DISCARDED])


def write_body(
    unit: Unit, name: str, params: list[tuple[ir.Local, Type]], body: tuple[ir.Stmt, ...], *, torn: bool
) -> None:
    """Adds the function of a body: `(ctx, frame, work, tape, effects, me, params…) -> status`."""
    names = [*BODY_PARAMETERS, *((kind(t), f"p{p.number}") for p, t in params)]
    slots: dict[int, Type] = {}
    for round_ in range(ROUNDS + 1):
        code = Bodies(unit, name, names, slots, torn=torn)
        code.settled = round_ == ROUNDS
        for p, t in params:
            code.bound(p, Val(t, f"%p{p.number}"))
        code.stmts(body)
        if not code.unstable:
            unit.functions.append(code.finish())
            return
    raise AssertionError("a body whose types are settled is stable")
