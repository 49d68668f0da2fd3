"""What judges states and steps: properties, antecedents, the bound.

Each item has a flag that says whether it is still looked at, and a result that the driver reads when `visit` or `transition`
reports something. An item reports once; an antecedent that was true does so in silence, and is read at the end.

A state is found from another one, and most steps change little. A property that reads nothing of what changed (`footprint`) says
about the state what it said about its parent, and is not asked again.
"""

from __future__ import annotations

from typing import Literal

from checker.base.data import dataclass
from checker.engine.idle import antecedents
from checker.model import ir
from checker.model.machine import LiveCase
from checker.model.types import EnumT
from checker.native import abi
from checker.native.code import frame
from checker.native.code.footprint import Mask, masks, split, union
from checker.native.code.functions import Functions
from checker.native.code.seen import write_collect
from checker.native.code.unit import Unit
from checker.native.code.width import Unsupported
from checker.native.code.writer import normal

ItemKind = Literal["invariant", "reach", "when", "step", "step when", "no error", "no deadlock", "final", "bound"]


@dataclass(frozen=True, slots=True)
class Item:
    """Something that is judged. `name` is that of the property, or the text of an antecedent."""

    kind: ItemKind
    name: str
    body: ir.Expr | None

    @property
    def is_antecedent(self) -> bool:
        """Whether this is the left side of an `=>` or a `~>`, of which coverage asks whether it was ever true."""
        return self.kind in ("when", "step when")

    @property
    def is_over_steps(self) -> bool:
        """Whether it speaks about the state before a step, too."""
        return self.kind in ("step", "step when")

    @property
    def usual(self) -> int:
        """What is found nearly always, and is nothing to report."""
        return frame.FALSE if self.kind == "reach" or self.is_antecedent else frame.HOLDS


def items_of(unit: Unit) -> tuple[Item, ...]:
    """Everything that is judged, in the order in which it is."""
    machine = unit.machine
    items: list[Item] = []
    kinds: tuple[ItemKind, ...] = ("invariant", "reach", "step")
    for kind in kinds:
        items += [Item(kind, p.name, p.body) for p in machine.properties if p.judged_as == kind and p.body is not None]
    items += [Item("when", text, test) for text, test in antecedents(machine, "states")]
    items += [Item("step when", text, test) for text, test in antecedents(machine, "steps")]
    items += [Item("no error", "NoError", None), Item("no deadlock", "NoDeadlock", None)]
    items += [Item("final", "NoDeadlock", None), Item("bound", "bound", None)]
    return tuple(items)


def read_by_parts(unit: Unit, items: tuple[Item, ...]) -> list[Mask]:
    """For each part of what is judged of steps, and for each fixed word, the bits that it reads.

    The parts of an item are those that all have to say the usual, for the whole to say it. Nothing where there are no
    such items, or one may read messages.
    """
    read = [
        masks(unit, part)
        for item in items
        if item.is_over_steps and item.body is not None
        for part in split(unit, item.body, true=item.usual == frame.HOLDS)
    ]
    known = [m for m in read if m is not None]
    return known if len(known) == len(read) else []


def read_by_steps(parts: list[Mask]) -> Mask | None:
    """For each fixed word the bits that all parts read; None where there are none (`read_by_parts`)."""
    return union(parts) if parts else None


def number_of(items: tuple[Item, ...], kind: ItemKind) -> int:
    """The number of the only item of a kind."""
    return next(i for i, item in enumerate(items) if item.kind == kind)


def write_predicate(unit: Unit, name: str, body: ir.Expr, *, old: bool = False, may_defer: bool = True) -> None:
    """Adds `name(ctx, s[, o]) -> HOLDS, FALSE, ERROR, DEFERRED`."""
    params = [("ptr", "ctx"), ("ptr", "s")] + ([("ptr", "o")] if old else [])
    code = Functions(unit, name, "i64", params)
    code.ctx, code.state, code.old = "%ctx", "%s", "%o" if old else None
    code.fail, code.defer = code.block("fail"), code.block("defer")
    code.ret(code.resize(code.expr(body).op, 1, 64))
    if not may_defer and code.leads_to(code.defer):
        raise Unsupported(f"{name} may need numbers of more than 64 bits")
    for label, result in ((code.fail, frame.ERROR), (code.defer, frame.DEFERRED)):
        if code.leads_to(label):
            code.place(label)
            code.ret(str(result))
    unit.functions.append(code.text())


class Judge(Functions):
    """Writes `visit`, `transition` and `inside`."""

    def __init__(self, unit: Unit, name: str, params: list[tuple[str, str]], shape: frame.Shape) -> None:
        super().__init__(unit, name, "i64", params)
        self.linkage = ""
        self.shape = shape
        self.ctx = self.pointer("%ctx.address")
        self.spec = self.pointer(self.load(self.word(self.ctx, abi.CTX_SPEC)))
        """The spec's block (`frame`)."""
        self.event = self.stack("i64")
        """Where it says whether something is to be reported."""
        self.store("0", self.event)

    def flag(self, item: int) -> str:
        """The word that says whether an item is still looked at."""
        return self.word(self.spec, self.shape.active + item)

    def result_of(self, item: int) -> str:
        """The word with what was found about an item."""
        return self.word(self.spec, self.shape.results + item)

    def changes(self, before: str, after: str, all_masks: list[Mask]) -> list[str | None]:
        """For each fixed word that some mask looks at, the bits in which two states differ."""
        found: list[str | None] = []
        for i, looked_at in enumerate(union(all_masks)):
            if looked_at:
                found.append(self.op("xor", 64, self.load(self.word(before, i)), self.load(self.word(after, i))))
            else:
                found.append(None)
        return found

    def touched(self, changed: list[str | None], mask: Mask) -> str:
        """Whether one of the bits of a mask is among those that differ."""
        found = "0"
        for bits, part in zip(mask, changed, strict=True):
            if bits:
                assert part is not None
                found = self.op("or", 64, found, self.op("and", 64, part, normal(bits, 64)))
        return self.compare("ne", 64, found, "0")

    def ask(self, number: int, item: Item, arguments: str, touched: str = "1") -> None:
        """Judges one item, if it is still looked at and something that it reads may have changed."""
        skip = self.block("skip")
        self.require(touched, skip, likely=False)
        self.require(self.compare("ne", 64, self.load(self.flag(number)), "0"), skip)
        answer = self.let(f"call i64 @q{number}({arguments})")
        self.require(self.compare("ne", 64, answer, str(item.usual)), skip, likely=False)
        if item.is_antecedent:
            ignore = self.compare("eq", 64, answer, str(frame.ERROR))
            self.require(self.negate(ignore), skip)
        deferred = self.compare("eq", 64, answer, str(frame.DEFERRED))
        self.store(self.resize(deferred, 1, 64), self.flag(number))
        if item.is_antecedent:
            self.require(deferred, skip)
        self.store(self.op("add", 64, answer, "1"), self.result_of(number))
        self.store("1", self.event)
        self.place(skip)


def write_judges(
    unit: Unit, items: tuple[Item, ...], shape: frame.Shape, enums: tuple[EnumT, ...], *, symmetry: bool, memo: int
) -> None:
    """Adds what judges states and steps."""
    for i, item in enumerate(items):
        if item.body is not None:
            write_predicate(unit, f"q{i}", item.body, old=item.is_over_steps)
    if unit.machine.final is not None:
        write_predicate(unit, "final", unit.machine.final)
    _write_visit(unit, items, shape, enums, symmetry)
    _write_transition(unit, items, shape, memo)
    if any(item.is_over_steps for item in items):
        _write_stutter(unit, items, shape)
    _write_inside(unit, items, shape)


def write_asking(unit: Unit, cases: tuple[LiveCase, ...]) -> None:
    """Adds `ask(ctx, state, number)`, which says of the left (even) or right side of a live property what predicates say."""
    sides = [
        (2 * i + j, side) for i, c in enumerate(cases) for j, side in enumerate((c.left, c.right)) if side is not None
    ]
    for number, body in sides:
        write_predicate(unit, f"l{number}", body)
    targets = " ".join(f"i64 {number}, label %a{number}" for number, _ in sides)
    lines = [
        "define i64 @ask(i64 %ctx.address, i64 %state.address, i64 %number) {",
        "entry:",
        "  %ctx = inttoptr i64 %ctx.address to ptr",
        "  %state = inttoptr i64 %state.address to ptr",
        f"  switch i64 %number, label %none [ {targets} ]",
    ]
    for number, _ in sides:
        lines += [f"a{number}:", f"  %r{number} = call i64 @l{number}(ptr %ctx, ptr %state)", f"  ret i64 %r{number}"]
    unit.functions.append("\n".join([*lines, "none:", f"  ret i64 {frame.FALSE}", "}", ""]))


def _write_visit(
    unit: Unit, items: tuple[Item, ...], shape: frame.Shape, enums: tuple[EnumT, ...], symmetry: bool
) -> None:
    has_bound = unit.machine.bound is not None
    code = Judge(unit, "visit", [("i64", "ctx.address"), ("i64", "state.address")], shape)
    state = code.pointer("%state.address")
    judged = [(i, item) for i, item in enumerate(items) if item.kind in ("invariant", "reach", "when")]
    read = {i: masks(unit, item.body) for i, item in judged if item.body is not None}
    parent = code.parent(state)
    changed = code.changes(parent, state, [m for m in read.values() if m is not None])
    first = code.compare("eq", 64, code.address(parent), code.address(state))
    for i, item in judged:
        mask = read[i]
        touched = "1" if mask is None else code.either(first, code.touched(changed, mask))
        code.ask(i, item, f"ptr {code.ctx}, ptr {state}", touched)
    if has_bound:  # `inside` was asked before, and noted that the bound could not be evaluated
        number = number_of(items, "bound")
        skip = code.block("skip")
        code.require(code.compare("ne", 64, code.load(code.flag(number)), "0"), skip)
        code.require(code.compare("eq", 64, code.load(code.result_of(number)), str(frame.ERROR + 1)), skip)
        code.store("0", code.flag(number))
        code.store("1", code.event)
        code.place(skip)
    if symmetry:
        _count_orbit(code, state, parent, first)
    if enums:
        skip = code.block("skip")
        code.require(code.compare("ne", 64, code.load(code.word(code.spec, shape.unseen)), "0"), skip)
        if has_bound:
            code.require(code.compare("ne", 64, code.load(code.word(code.spec, shape.inside)), "0"), skip)
        code.emit(f"call void @collect(ptr {code.spec}, ptr {state})")
        code.place(skip)
        write_collect(unit, shape, enums)
    code.ret(code.load(code.event))
    unit.functions.append(code.text())


def _count_orbit(code: Judge, state: str, parent: str, initial: str) -> None:
    """Counts a state for all of its orbit; one outside the bound for each step that leads there from that of its parent."""
    counted = code.block("counted")
    if code.unit.machine.bound is not None:
        inside, outside = code.block("inside"), code.block("outside")
        code.when(code.compare("ne", 64, code.load(code.word(code.spec, code.shape.inside)), "0"), inside, outside)
        code.place(outside)
        code.require(code.negate(initial), counted)
        code.bump(code.word(code.spec, frame.CUT), code.op("sub", 64, code.orbit(parent), "1"))
        code.go(counted)
        code.place(inside)
    code.bump(code.word(code.spec, frame.STATES), code.orbit(state))
    code.go(counted)
    code.place(counted)


def _write_transition(unit: Unit, items: tuple[Item, ...], shape: frame.Shape, memo: int) -> None:
    params = [("i64", name) for name in ("ctx.address", "old.address", "new.address")]
    given = ", ".join(f"i64 %{name}" for _, name in params)
    code = Judge(unit, "transition", params, shape)
    old, new = code.pointer("%old.address"), code.pointer("%new.address")
    read = read_by_steps(read_by_parts(unit, items))
    done = code.block("done")
    if read is not None:
        # where nothing changes that they read, steps from one state are all alike: one of them is judged
        code.attributes = "alwaysinline"
        judge, alike = code.block("judge"), code.block("alike")
        code.when(code.touched(code.changes(old, new, [read]), read), judge, alike)
        code.place(alike)
        if memo:  # or was already: a header with an origin says so
            told = code.op("lshr", 64, code.load(code.word(new, -1)), str(abi.SETTLED))
            code.require(code.compare("ne", 64, told, "3"), done, likely=False)
        last = code.word(code.spec, shape.stuttered)
        code.require(code.compare("ne", 64, code.load(last), "%old.address"), done, likely=False)
        code.store("%old.address", last)
        code.place(judge)
    if any(item.is_over_steps for item in items):
        code.ret(code.let(f"call i64 @judged({given})"))
        _write_judged(unit, items, shape)
    if code.leads_to(done):
        code.place(done)
    code.ret("0")
    unit.functions.append(code.text())


def _write_judged(unit: Unit, items: tuple[Item, ...], shape: frame.Shape) -> None:
    """Adds `judged`, which does what `transition` says where there is something to judge."""
    params = [("i64", name) for name in ("ctx.address", "old.address", "new.address")]
    code = Judge(unit, "judged", params, shape)
    code.linkage = "internal "
    old, new = code.pointer("%old.address"), code.pointer("%new.address")
    for i, item in enumerate(items):
        if item.is_over_steps:
            code.ask(i, item, f"ptr {code.ctx}, ptr {new}, ptr {old}")
    code.ret(code.load(code.event))
    unit.functions.append(code.text())


def _write_stutter(unit: Unit, items: tuple[Item, ...], shape: frame.Shape) -> None:
    """Adds `stutter(ctx, s)`: whether `transition` would find something in a step that leaves a state as it is.

    Hardly any such step is remarkable, so the state need not be looked up once more just to be told about the step to it.
    """
    code = Functions(unit, "stutter", "i64", [("ptr", "ctx"), ("ptr", "s")])
    code.ctx = "%ctx"
    spec = code.pointer(code.load(code.word(code.ctx, abi.CTX_SPEC)))
    remarkable = code.block("remarkable")
    for number, item in enumerate(items):
        if item.is_over_steps:
            skip = code.block("skip")
            code.require(code.compare("ne", 64, code.load(code.word(spec, shape.active + number)), "0"), skip)
            answer = code.let(f"call i64 @q{number}(ptr %ctx, ptr %s, ptr %s)")
            code.require(code.compare("eq", 64, answer, str(item.usual)), remarkable)
            code.go(skip)
            code.place(skip)
    code.ret("0")
    code.place(remarkable)
    code.ret("1")
    unit.functions.append(code.text())


def _write_inside(unit: Unit, items: tuple[Item, ...], shape: frame.Shape) -> None:
    bound = unit.machine.bound
    code = Judge(unit, "inside", [("i64", "ctx.address"), ("i64", "state.address")], shape)
    if bound is None:
        code.ret("1")
        unit.functions.append(code.text())
        return
    write_predicate(unit, "bound", bound, may_defer=False)
    answer = code.let(f"call i64 @bound(ptr {code.ctx}, ptr {code.pointer('%state.address')})")
    erred, on = code.block("erred"), code.block("on")
    code.when(code.compare("eq", 64, answer, str(frame.ERROR)), erred, on)
    code.place(erred)
    code.store(str(frame.ERROR + 1), code.result_of(number_of(items, "bound")))
    code.go(on)
    code.place(on)
    holds = code.resize(code.compare("eq", 64, answer, str(frame.HOLDS)), 1, 64)
    code.store(holds, code.word(code.spec, shape.inside))
    code.ret(holds)
    unit.functions.append(code.text())
