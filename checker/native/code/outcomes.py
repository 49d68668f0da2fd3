"""What functions that run handlers have in common: successors under construction, and what becomes of them.

A successor is a copy of the state that a body changes. Small states are built on the stack and copied to the output buffer
if the step changes something; large ones are built in the buffer at once, where the next one overwrites what is not kept.

Such a function returns 0, or a code of `abi` that ends the expansion. For each step of the machine there are

    h(ctx, frame, base, state, me, sender, consume, forged, params…)   all outcomes of a call (`handlers`)
    b(ctx, frame, work, tape, effects, me, [sender], params…)          the body, on a copy of the state (`statements`)
    t(…as h)                                                           the torn outcomes, if a crash may strike (`torn`)

`base` is what the step begins in and `state` what its outcomes are compared with; only a restart has two of them. `consume` is
the bit or lane of the message that is delivered, -1 for a forged one.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce

from checker.base.data import dataclass
from checker.model import ir
from checker.model.machine import Budget, Step
from checker.model.types import Type
from checker.model.walk import conjuncts
from checker.native import abi
from checker.native.code import frame
from checker.native.code.functions import Functions
from checker.native.code.program import IN_PLACE, Program
from checker.native.code.unit import Unit
from checker.native.code.values import Val, kind
from checker.native.code.vectors import MOST
from checker.native.code.width import Unsupported, bits

PROCESS_BITS = 16
"""More than the number of a process has."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A call of a handler. `base` is what it begins in, where that is not the state that is expanded."""

    number: int
    state: str
    me: str
    sender: str = "-1"
    consume: str = "-1"
    forged: bool = False
    args: Sequence[Val] = ()
    base: str | None = None
    key: str = "0"
    """What tells a delivered message from others of its kind: its bit, or its number."""


class Outcomes(Functions):
    """A function that runs handlers: `expand`, `h`, `t`, `silent`, `commit`."""

    def __init__(self, program: Program, name: str, params: list[tuple[str, str]], attributes: str = "") -> None:
        super().__init__(program.unit, name, "i64", params, attributes)
        self.program = program
        self.fail, self.defer, self.need = self.block("failed"), self.block("defer"), self.block("need")
        self.ctx, self.frame, self.me = "%ctx", "%frame", "%me"

    def close(self) -> str:
        """Ends the function; its blocks for errors, deferral and want of space are placed where they are used."""
        self.ret("0")
        if self.leads_to(self.fail):
            self.place(self.fail)
            self.note_failure()
            self.ret("0")
        for label, code in ((self.defer, abi.DEFER), (self.need, abi.NEED_SPACE)):
            if self.leads_to(label):
                self.place(label)
                self.ret(str(code))
        return self.text()

    # ---- guards

    def guard(self, number: int, leave: str) -> None:
        """Goes on if the guard of a step holds; else notes which conjunct was the first that does not, and leaves.

        Cheap conjuncts are computed with the one before them, and one branch asks for all (`logic.stopping`).
        """
        guard = self.unit.machine.steps[number].guard
        if guard is None:
            return
        if not self.program.coverage:
            self.require(self.expr(guard).op, leave, likely=False)
            return
        groups: list[list[tuple[int, ir.Expr]]] = []
        for n, part in enumerate(conjuncts(guard), self.program.conjuncts[number]):
            if groups and self.is_cheap(part):
                groups[-1].append((n, part))
            else:
                groups.append([(n, part)])
        for group in groups:
            values = [(n, self.expr(part).op) for n, part in group]
            holds = reduce(self.both, (value for _, value in values))
            if holds == "1":
                continue
            blocked, on = self.block("blocked"), self.block("unblocked")
            self.when(holds, on, blocked)
            self.place(blocked)
            first = str(values[-1][0])
            for n, value in reversed(values[:-1]):
                first = self.select(value, "i64", first, str(n))
            notes = self.pointer(self.load(self.word(self.frame, frame.NOTES)))
            self.store("1", self.let(f"getelementptr i8, ptr {notes}, i64 {first}"), "i8")
            self.go(leave)
            self.place(on)

    # ---- states under construction

    def scratch(self, word: int) -> str:
        """A pointer into the scratch memory of the worker."""
        return self.word(self.pointer(self.load(self.word(self.ctx, abi.CTX_SPEC_SCRATCH))), word)

    def third(self, number: int) -> str:
        """One of the three states under construction in the scratch memory."""
        return self.scratch(self.shape.states + number * (1 + self.program.record))

    @property
    def shape(self) -> frame.Shape:
        """The sizes of the blocks. Only what does not depend on the properties may be asked for here."""
        return frame.Shape(len(self.program.names), 0, (), self.program.record)

    def copy(self, target: str, source: str) -> None:
        """Copies a state."""
        packed = self.unit.packed
        if packed.fixed and packed.words <= IN_PLACE:
            for i in range(packed.words):
                self.store(self.load(self.word(source, i)), self.word(target, i))
        elif packed.fixed or packed.words > IN_PLACE:
            self.support("copy_words", self.address(target), self.address(source), self.words_of(source))
        else:  # vectors are written as they will be read: what comes in parts is slow to read as a whole
            for i in range(packed.words):
                self.store(self.load(self.word(source, i)), self.word(target, i))
            count, at = self.all_lanes(source), self.stack("i64")
            self.store("0", at)
            head, done = self.block("head"), self.block("copied")
            self.place(head)
            lane = self.load(at)
            self.put_vector(target, lane, self.vector(source, lane))
            following = self.op("add", 64, lane, str(MOST))
            self.store(following, at)
            self.when(self.compare("ult", 64, following, count), head, done)
            self.place(done)

    def memory(self) -> str | None:
        """Room for a state on the stack, where states are small."""
        return None if self.program.in_place else self.stack("i64", self.unit.packed.words)

    def reserve(self) -> None:
        """Makes sure that one more successor finds room."""
        out = self.load(self.word(self.frame, frame.OUT))
        end = self.op("add", 64, out, str(8 * (1 + self.program.record)))
        self.require(self.compare("ule", 64, end, self.load(self.word(self.frame, frame.END))), self.need)

    def begin(self, source: str, memory: str | None) -> str:
        """A copy of a state that becomes a successor; `memory` holds it unless it is built in place."""
        self.reserve()
        if self.program.in_place or memory is None:
            work = self.word(self.pointer(self.load(self.word(self.frame, frame.OUT))), 1)
        else:
            work = memory
        self.copy(work, source)
        return work

    def commit(self, state: str, work: str, unit: int, alive: str) -> None:
        """A step is complete. `alive` says whether it keeps its state from being a deadlock, if it changes something."""
        args = f"ptr {self.ctx}, ptr {self.frame}, ptr {state}, ptr {work}, i64 {unit}, i64 {alive}"
        self.emit(f"call void @commit({args})")

    def differs(self, a: str, b: str) -> str:
        """Whether two states differ. Where messages are only added, it shows in their number."""
        packed, machine = self.unit.packed, self.unit.machine
        grows = all(machine.networks[n].kind == "soup" for n in packed.listed) and not self.program.links
        if grows and packed.words <= IN_PLACE:
            apart = "0"
            for i in range(packed.words):
                one = self.op("xor", 64, self.load(self.word(a, i)), self.load(self.word(b, i)))
                apart = self.op("or", 64, apart, one)
            return self.compare("ne", 64, apart, "0")
        args = (self.address(a), self.words_of(a), self.address(b), self.words_of(b))
        return self.compare("eq", 64, self.support("same_state", *args), "0")

    # ---- what steps use up

    def budget(self, base: str, budget: Budget) -> str:
        """What is left of a budget, as an i64."""
        place = self.slot(self.unit.layout.budget(budget))
        return self.resize(self.read(base, place), place.width, 64)

    def spend(self, work: str, slot: int) -> None:
        """Takes one from a budget."""
        place = self.slot(slot)
        left = self.op("sub", place.width, self.read(work, place), "1")
        self.write(work, place, "0", left)

    def consume(self, work: str, network: int, where: str) -> None:
        """Takes a delivered message out of its network, unless it was forged (`where` is -1 then)."""
        if self.unit.machine.networks[network].kind == "soup" or where == "-1":
            return
        on = self.block("consumed")
        if where[0] == "%":
            self.require(self.compare("ne", 64, where, "-1"), on)
        dense = self.unit.packed.dense.get(network)
        if dense is not None:
            self.clear_bit(work, dense, where)
        elif network in self.unit.packed.listed:
            self.remove_lane(work, network, where)
        self.place(on)

    # ---- handlers and bodies

    def handler(self, call: Call) -> None:
        """Runs a handler; ends the function where the expansion has to end."""
        step = self.unit.machine.steps[call.number]
        pointers = (self.ctx, self.frame, call.base or call.state, call.state)
        numbers = (call.me, call.sender, call.consume, str(int(call.forged)))
        given = [*(f"ptr {p}" for p in pointers), *(f"i64 {n}" for n in numbers)]
        values = [self.convert(v, p.type) for p, v in zip(step.params, call.args, strict=True)]
        given += [f"{kind(v.type)} {v.op}" for v in values]
        if self.unit.edges:
            self.note_key(call.key if step.kind in ("message", "ignore") else self.key(call.me, values))
        self.note_class(call.number, step.role.base, call.me)
        code = self.let(f"call i64 @h{call.number}({', '.join(given)})")
        on, leave = self.block("on"), self.block("leave")
        self.when(self.compare("eq", 64, code, "0"), on, leave)
        self.place(leave)
        self.leave(code)
        self.place(on)

    def note_key(self, key: str) -> None:
        """The next steps are of the unit with this key."""
        if self.unit.edges:
            self.store(key, self.word(self.frame, frame.KEY))

    def note_class(self, unit: int, first: int = -1, me: str = "-1") -> None:
        """The next steps are of the class of a unit and a process; `first` is the first process that has one with that unit."""
        classes = self.program.classes
        if classes is not None:
            number = self.op("add", 64, me, str(classes.number(unit, first) - first))
            self.store(number, self.word(self.frame, frame.KEY))

    def tally(self) -> str:
        """The pointer to what is noted of the class of the step under way."""
        notes = self.pointer(self.load(self.word(self.frame, frame.CLASSES)))
        return self.word(notes, self.load(self.word(self.frame, frame.KEY)))

    def note_failure(self) -> None:
        """A step errs."""
        self.store("1", self.word(self.frame, frame.FAILED))
        if self.program.classes is not None:
            tally = self.tally()
            self.store(self.op("or", 64, self.load(tally), str(frame.ERRS)), tally)

    def key(self, me: str, values: Sequence[Val]) -> str:
        """What tells a step of a process with some parameters from others; `units.key_of` gives the same."""
        if PROCESS_BITS + sum(bits(v.type) for v in values) > 64:
            raise Unsupported("a step has parameters of more than 48 bits")
        key = me
        for v in values:
            width = bits(v.type)
            shifted = self.op("shl", 64, key, str(width)) if width < 64 else "0"
            key = self.op("or", 64, shifted, self.resize(self.pack(v), width, 64)) if width else key
        return key

    def leave(self, code: str) -> None:
        """Ends the function with a code of `abi`."""
        self.ret(code)

    def by_status(self, status: str, unit: str, on: str) -> None:
        """What an outcome that did not go through counts as; goes on at `on`."""
        empty, other, failed, rest = (self.block(h) for h in ("empty", "other", "failed", "rest"))
        self.when(self.compare("eq", 64, status, str(frame.EMPTY)), empty, other)
        self.place(empty)
        at = self.op("add", 64, unit, str(self.shape.empty))
        self.bump(self.word(self.frame, at))
        self.go(on)
        self.place(other)
        self.when(self.compare("eq", 64, status, str(frame.FAIL)), failed, rest)
        self.place(failed)
        self.note_failure()
        self.go(on)
        self.place(rest)
        self.when(self.compare("eq", 64, status, str(frame.DEFER)), self.defer, on)


def parameters(step: Step) -> list[tuple[str, str]]:
    """The parameters of `h` and `t`."""
    names = [*(("ptr", n) for n in ("ctx", "frame", "base", "state"))]
    names += [*(("i64", n) for n in ("me", "sender", "consume", "forged"))]
    return names + [(kind(p.type), f"p{p.number}") for p in step.params]


def bind(code: Outcomes, step: Step) -> None:
    """Makes the arguments of a handler known."""
    code.state = "%base"
    if step.sender is not None:
        code.bound(step.sender, Val(step.sender.type, "%sender"))
    for p in step.params:
        code.bound(p, Val(p.type, f"%p{p.number}"))


def body_params(step: Step) -> list[tuple[ir.Local, Type]]:
    """Sender and parameters of a body."""
    sender = [] if step.sender is None else [step.sender]
    return [(p, p.type) for p in (*sender, *step.params)]


def call_body(code: Outcomes, step: Step, name: str, work: str, tape: str, effects: str) -> str:
    """Calls a body with the arguments of the handler, and gives its status."""
    given = [f"ptr {code.ctx}", f"ptr {code.frame}", f"ptr {work}", f"ptr {tape}", f"ptr {effects}", f"i64 {code.me}"]
    if step.sender is not None:
        given.append(f"{kind(step.sender.type)} %sender")
    given += [f"{kind(p.type)} %p{p.number}" for p in step.params]
    return code.let(f"call i64 @{name}({', '.join(given)})")


def network_of(unit: Unit, step: Step) -> int | None:
    """The network that a handler of messages takes them from."""
    return unit.machine.messages[step.name].network if step.kind in ("message", "ignore") else None


def start(code: Outcomes, step: Step, work: str) -> None:
    """What happens before a body runs: its message is consumed, its budget spent."""
    network = network_of(code.unit, step)
    if network is not None:
        code.consume(work, network, "%consume")
    if step.kind == "fault":
        code.spend(work, code.unit.layout.budgets[step.label])
