"""`expand`: all steps of one state, in the order of `engine.steps`, and what the state is judged by its steps.

Deliveries, forged messages, then for each process what it does by itself, the tick, cuts and healing, crashes, lost and doubled
messages. Counters are kept in a frame on the stack and added to the worker's when all steps have been taken: an expansion that
is given up half-way leaves no trace, and the interpreter does all of it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from itertools import product

from checker.model.layout import DOWN, UP
from checker.model.machine import Step
from checker.model.types import ProcT, RoleInfo, Type, roles_of
from checker.native import abi
from checker.native.code import frame
from checker.native.code.classes import begin_notes, choose
from checker.native.code.judge import Item, number_of, read_by_parts, read_by_steps
from checker.native.code.outcomes import Call
from checker.native.code.program import IN_PLACE, Program
from checker.native.code.recall import Recalling
from checker.native.code.recallable import Recall
from checker.native.code.surroundings import Surroundings
from checker.native.code.unit import Unit
from checker.native.code.values import Val
from checker.native.code.width import Unsupported

UNROLLED = 192
"""The most calls of handlers that are written out one by one."""

FEW = 64
"""The most values of a parameter of such a handler."""


class Expansion(Recalling, Surroundings):
    """Writes `expand`."""

    # ---- forged messages

    def forge(self, state: str) -> None:
        """Every message that a faulty process could send, to every handler that would take it."""
        layout, machine = self.unit.layout, self.unit.machine
        if layout.faulty is None:
            return
        liars = [b.roles[0] for b in machine.budgets if b.kind == "byzantine"]
        for number, step in enumerate(machine.steps):
            if step.kind == "message" and step.sender is not None:
                senders = roles_of(step.sender.type)
                self.each_process(step.role, partial(self._lie_to, state, number, [r for r in liars if r in senders]))

    def _lie_to(self, state: str, number: int, liars: list[RoleInfo], me: str) -> None:
        """Every message that some process of these roles could invent, to one handler of one process."""
        step = self.unit.machine.steps[number]

        def lie(role: RoleInfo, liar: str) -> None:
            on = self.block("on")
            self.require(self.compare("ne", 64, liar, me), on, likely=False)
            self.require(self.is_faulty(liar, state), on, likely=False)
            self.require(self.is_up(state, me, ProcT((step.role,))), on, likely=False)
            self.require(self.negate(self.separated(state, me, liar)), on, likely=False)
            taken = self.word(self.frame, frame.TRANSITIONS)
            before = self.load(taken)
            self.each_binding(step, Call(number=number, state=state, me=me, sender=liar, forged=True))
            forged = self.op("sub", 64, self.load(taken), before)
            self.bump(self.word(self.frame, frame.FIRED + self.program.liars[role.name]), forged)
            self.place(on)

        for role in liars:
            self.each_process(role, partial(lie, role))

    def each_process(self, role: RoleInfo, body: Callable[[str], None]) -> None:
        """Runs code for every process of a role, written out where little code comes of it."""
        if self.unroll:
            for process in role.processes:
                body(str(process))
        elif role.size:
            self.loop(str(role.base), str(role.base + role.size), body)

    def each_binding(self, step: Step, call: Call) -> None:
        """Runs a handler for every combination of its parameters."""

        def level(args: list[Val]) -> None:
            if len(args) == len(step.params):
                self.handler(replace(call, args=args))
                return
            self.each_value(step.params[len(args)].type, lambda v: level([*args, v]))

        level([])

    # ---- what a process does by itself

    def act(self, state: str) -> None:
        """Actions, timeouts, faults of their own and restarts of all processes."""
        for role in self.unit.machine.roles.values():
            self.each_process(role, partial(self._act_one, state, role.name))

    def _act_one(self, state: str, role: str, me: str) -> None:
        machine, layout = self.unit.machine, self.unit.layout
        steps = [
            (n, s)
            for n, s in enumerate(machine.steps)
            if s.role.name == role and s.kind in ("action", "timeout", "fault") and self._may_strike(s)
        ]
        done = self.block("acted")
        if machine.roles[role].base in layout.status:
            status = self.status(state, me)
            up, off, down = self.block("up"), self.block("off"), self.block("down")
            self.when(self.compare("eq", 64, status, str(UP)), up, off)
            self.place(off)
            self.when(self.compare("eq", 64, status, str(DOWN)), down, done)
            self.place(down)
            self._restart(state, role, me)
            self.go(done)
            self.place(up)
        if steps:
            self.require(self.negate(self.is_faulty(me, state)), done)
            self.unless_all_quiet(me, [number for number, _ in steps], done)
        for number, step in steps:
            skip = self.block("skip")
            if step.kind == "fault":
                place = self.slot(layout.budgets[step.label])
                left = self.read(state, place)
                self.require(self.compare("ne", place.width, left, "0"), skip, likely=False)
            call = Call(number=number, state=state, me=me)
            if self.unroll and all(self._few(p.type) for p in step.params):
                for binding in product(*(self.unit.values(p.type) for p in step.params)):
                    args = [self.constant(p.type, v) for p, v in zip(step.params, binding, strict=True)]
                    take = partial(self.handler, replace(call, args=args))
                    site = None if self.recall is None else self.recall.sites.get((int(me), number, binding))
                    take() if site is None else self.unless_quiet(1, str(site), take)
            else:
                self.each_binding(step, call)
            self.place(skip)
        self.go(done)
        self.place(done)

    def _few(self, t: Type) -> bool:
        try:
            return len(self.unit.values(t)) <= FEW
        except Unsupported:
            return False

    def _may_strike(self, step: Step) -> bool:
        return step.kind != "fault" or step.label in self.unit.layout.budgets

    def _restart(self, state: str, role: str, me: str) -> None:
        """A process that is down comes up."""
        number = self.program.restart_of(role)
        if number is None and f"restart {role}" not in self.program.names:
            return
        up = self.scratch_state or self.third(2)
        self.copy(up, state)
        self.set_status(up, role, me, UP)
        if number is not None:
            self.handler(Call(number=number, base=up, state=state, me=me))
            return
        number = self.program.names.index(f"restart {role}")
        self.note_key(me)
        self.note_class(number, self.unit.machine.roles[role].base, me)
        work = self.begin(up, self.scratch_state)
        self.commit(state, work, number, "1")


def call_sites(unit: Unit) -> int:
    """How many calls of handlers `expand` would have if all of them were written out."""
    count = 0
    for net in range(len(unit.machine.networks)):
        dense = unit.packed.dense.get(net)
        count += len(dense.codes) if dense is not None else 0
    for step in unit.machine.steps:
        if step.kind in ("action", "timeout", "fault"):
            bindings = 1
            for p in step.params:
                try:
                    bindings *= len(unit.values(p.type))
                except Unsupported:
                    return UNROLLED + 1
            count += step.role.size * bindings
    return count


def write_expand(
    program: Program, shape: frame.Shape, items: tuple[Item, ...], *, symmetry: bool, recall: Recall | None
) -> None:
    """Adds `expand`. With symmetry, what it counts, it counts for every state of the orbit, and successors are canonical."""
    unit = program.unit
    code = Expansion(program, "expand", [("i64", "ctx.address"), ("i64", "state.address"), ("i64", "out")])
    code.linkage = ""
    code.unroll = call_sites(unit) <= UNROLLED
    code.ctx = code.pointer("%ctx.address")
    given = code.pointer("%state.address")
    code.frame = code.stack("i64", shape.frame)
    empties = {n for n, s in enumerate(unit.machine.steps) if s.has_choices}
    if "tick" in program.names:
        empties.add(program.names.index("tick"))
    counted = [*range(frame.FIRED, shape.empty), *(shape.empty + n for n in sorted(empties))]
    for i in (*range(frame.FIRED), *counted):
        code.store("0", code.word(code.frame, i))
    code.store("%out", code.word(code.frame, frame.OUT))
    code.store(code.load(code.word(code.ctx, abi.CTX_OUT_END)), code.word(code.frame, frame.END))
    notes = code.stack("i64", max(shape.notes, 1))
    for i in range(shape.notes):
        code.store("0", code.word(notes, i))
    code.store(code.address(notes), code.word(code.frame, frame.NOTES))
    if program.classes is not None:
        begin_notes(code, program.classes)
    state = given
    if unit.packed.fixed and unit.packed.words <= IN_PLACE:  # what is written to the buffer cannot change this copy
        state = code.stack("i64", unit.packed.words)
        code.copy(state, given)
    code.scratch_state = code.memory()
    code.state = state
    code.recall = recall
    if recall is not None:
        parts = read_by_parts(unit, items)
        code.judged = read_by_steps(parts)
        code.wakes = recall.waking(parts)
        code.sleeps = not symmetry and unit.machine.bound is None and (not program.has_steps or code.judged is not None)
    code.look_back(state)
    code.deliver(state)
    code.forge(state)
    code.act(state)
    code.tick(state)
    code.cut_or_heal(state)
    code.crash(state)
    code.lose_or_duplicate(state)
    code.leave_behind(state)
    if not unit.edges:
        _report(code, shape, items)
    if program.classes is not None:
        choose(code, program.classes, state)
    weight = "1"
    if symmetry:
        _rename(code)
        weight = code.orbit(state)
    block = code.pointer(code.load(code.word(code.ctx, abi.CTX_SPEC)))
    transitions = code.word(code.ctx, abi.CTX_TRANSITIONS)
    code.bump(transitions, code.op("mul", 64, code.load(code.word(code.frame, frame.TRANSITIONS)), weight))
    for i in (frame.LIMIT_CUT, frame.DROPPED, *(counted if program.coverage else ())):
        code.bump(code.word(block, i), code.op("mul", 64, code.load(code.word(code.frame, i)), weight))
    for i in range(shape.notes):
        noted = code.word(block, shape.blocked + i)
        code.store(code.op("or", 64, code.load(noted), code.load(code.word(notes, i))), noted)
    code.ret(code.load(code.word(code.frame, frame.OUT)))
    for label, status in ((code.defer, abi.DEFER), (code.need, abi.NEED_SPACE)):
        code.place(label)
        code.ret(str(status))
    code.place(code.fail)
    code.unreachable()
    unit.functions.append(code.text())


def _rename(code: Expansion) -> None:
    """Makes the successors canonical, now that torn ones have been compared with each other.

    A step leads to the successor as it was. So step properties are judged here, and not where successors are looked up.
    """
    event = code.stack("i64")
    code.store("0", event)
    at = code.stack("i64")
    code.store("%out", at)
    head, inside, done = code.block("head"), code.block("inside"), code.block("renamed")
    code.place(head)
    record = code.load(at)
    code.when(code.compare("eq", 64, record, code.load(code.word(code.frame, frame.OUT))), done, inside)
    code.place(inside)
    header = code.load(code.pointer(record))
    successor = code.op("add", 64, record, "8")
    if code.program.has_steps:
        found = code.let(f"call i64 @transition(i64 %ctx.address, i64 %state.address, i64 {successor})")
        code.store(code.op("or", 64, code.load(event), found), event)
    code.emit(f"call i64 @canonical(ptr {code.pointer(successor)})")
    size = code.op("shl", 64, code.op("lshr", 64, header, str(abi.REF_BITS)), "3")
    code.store(code.op("add", 64, successor, size), at)
    code.go(head)
    code.place(done)
    report = code.word(code.ctx, abi.CTX_REPORT)
    code.store(code.op("or", 64, code.load(report), code.op("mul", 64, code.load(event), str(abi.REPORT_STEP))), report)


def _report(code: Expansion, shape: frame.Shape, items: tuple[Item, ...]) -> None:
    """Decides whether the driver has to hear of the state: an error, a deadlock."""
    block = code.pointer(code.load(code.word(code.ctx, abi.CTX_SPEC)))
    report = code.stack("i64")
    code.store("0", report)
    failed = code.compare("ne", 64, code.load(code.word(code.frame, frame.FAILED)), "0")
    alive = code.op(
        "or", 64, code.load(code.word(code.frame, frame.ALIVE)), code.load(code.word(code.frame, frame.LIMIT_CUT))
    )
    erred, on, stuck, judged = (code.block(h) for h in ("erred", "on", "stuck", "judged"))
    code.when(failed, erred, on)
    code.place(erred)
    flag = code.word(block, shape.active + number_of(items, "no error"))
    code.store(code.select(code.compare("ne", 64, code.load(flag), "0"), "i64", str(abi.REPORT_ERROR), "0"), report)
    code.store("0", flag)
    code.go(judged)
    code.place(on)
    code.when(code.compare("eq", 64, alive, "0"), stuck, judged)
    code.place(stuck)
    flag = code.word(block, shape.active + number_of(items, "no deadlock"))
    code.require(code.compare("ne", 64, code.load(flag), "0"), judged)
    dead = code.block("dead")
    if code.unit.machine.final is not None:
        answer = code.let(f"call i64 @final(ptr {code.ctx}, ptr {code.state})")
        code.require(code.compare("ne", 64, answer, str(frame.HOLDS)), judged)
        no, odd = code.block("no"), code.block("odd")
        code.when(code.compare("eq", 64, answer, str(frame.FALSE)), no, odd)
        code.place(odd)
        code.require(code.compare("eq", 64, answer, str(frame.ERROR)), code.defer)
        flag_broken = code.word(block, shape.active + number_of(items, "final"))
        code.require(code.compare("ne", 64, code.load(flag_broken), "0"), judged)
        code.store("0", flag_broken)
        code.store(str(abi.REPORT_FINAL), report)
        code.go(judged)
        code.place(no)
    code.go(dead)
    code.place(dead)
    code.store("0", flag)
    code.store(str(abi.REPORT_DEADLOCK), report)
    code.go(judged)
    code.place(judged)
    code.store(code.load(report), code.word(code.ctx, abi.CTX_REPORT))
