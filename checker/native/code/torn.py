"""Crashes: the state after one, and what a crash in the middle of a handler leaves behind.

A torn handler has done some of its effects, in an order in which they can happen, and no others. Its body runs again and again
in the torn form (`sending`), with the crash before the first effect, the second, and so on, until it never strikes; for each
of these with every sequence of choices and orders. Each run that the crash strikes gives a picture of the state at that
moment. Pictures are kept once, and from each of them the process goes down.

The compiled form of `engine.outcomes`, with its bounds on how much is tried; what is beyond them is left to the interpreter.
"""

from __future__ import annotations

from checker.model.layout import DOWN, STOPPED
from checker.model.machine import Budget, Step
from checker.native.code import frame
from checker.native.code.outcomes import Outcomes, bind, body_params, call_body, parameters, start
from checker.native.code.program import Program
from checker.native.code.statements import BODY_PARAMETERS, Bodies, write_body
from checker.native.code.unit import Unit


def write_torn(program: Program, number: int) -> None:
    """Adds `t`: every state in which a crash or stop can leave a call. See `engine.outcomes._tear`."""
    unit = program.unit
    step = unit.machine.steps[number]
    write_body(unit, f"tb{number}", body_params(step), step.body, torn=True)
    code = Outcomes(program, f"t{number}", parameters(step), "noinline")
    bind(code, step)
    budgets = program.crashes[step.role.name]
    able, leave = "0", code.block("leave")
    for _, budget in budgets:
        able = code.either(able, code.compare("ne", 64, code.budget("%base", budget), "0"))
    code.require(able, leave)
    pictures, count = _pictures(code, step, f"tb{number}")
    for unit_number, budget in budgets:
        skip = code.block("spent")
        code.require(code.compare("ne", 64, code.budget("%base", budget), "0"), skip)
        group = code.load(code.word(code.frame, frame.OUT))

        def each(i: str, unit_number: int = unit_number, budget: Budget = budget, group: str = group) -> None:
            at = code.word(pictures, code.op("add", 64, code.op("mul", 64, i, str(code.shape.picture)), "1"))
            crashed(code, at, "%state", "%me", step.role.name, unit_number, budget, group)

        code.loop("0", code.load(count), each)
        code.place(skip)
    code.place(leave)
    unit.functions.append(code.close())


def _pictures(code: Outcomes, step: Step, body: str) -> tuple[str, str]:
    """Takes all pictures of a torn step: pointers to them and to their number."""
    shape = code.shape
    first, work = code.third(0), code.third(1)
    code.copy(first, "%base")
    start(code, step, first)
    tape, effects, pictures = code.scratch(frame.TAPE), code.scratch(frame.EFFECTS), code.scratch(shape.pictures)
    dropped = code.load(code.word(code.frame, frame.DROPPED))
    count, limit, more = code.stack("i64"), code.stack("i64"), code.stack("i64")
    code.store("0", count)
    code.store("1", limit)
    round_, run = code.block("round"), code.block("run")
    code.place(round_)  # the crash strikes before the effect with number `limit`
    code.store("0", more)
    code.support("tape_reset", code.address(tape))
    code.place(run)
    code.copy(work, first)
    code.support("effects_reset", code.address(effects), code.load(limit))
    status = call_body(code, step, body, work, tape, effects)
    code.require(code.compare("ne", 64, status, str(frame.DEFER)), code.defer)
    torn, on = code.block("torn"), code.block("on")
    struck = code.compare("ne", 64, code.load(code.word(effects, frame.EFFECTS_TORN)), "0")
    code.when(struck, torn, on)
    code.place(torn)
    code.store("1", more)
    keep = code.block("keep")
    code.when(code.compare("eq", 64, status, str(frame.OK)), keep, on)
    code.place(keep)
    picture = code.word(effects, frame.EFFECTS_PICTURE)
    args = (code.address(pictures), code.load(count), str(shape.picture), code.address(picture), code.words_of(picture))
    known = code.support("picture_add", *args)
    code.store(known, count)
    code.require(code.compare("ult", 64, known, str(shape.most_pictures)), code.defer)
    code.go(on)
    code.place(on)
    again, done = code.block("again"), code.block("pictured")
    code.when(code.compare("ne", 64, code.support("tape_advance", code.address(tape)), "0"), run, again)
    code.place(again)
    code.store(code.op("add", 64, code.load(limit), "1"), limit)
    code.when(code.compare("ne", 64, code.load(more), "0"), round_, done)
    code.place(done)
    code.store(dropped, code.word(code.frame, frame.DROPPED))  # the plain outcomes have counted them
    return pictures, count


def crashed(
    code: Outcomes, source: str, state: str, me: str, role: str, unit: int, budget: Budget, group: str | None
) -> None:
    """The states after a process went down in `source`, one for each choice of its `any` variables.

    `group`: where successors of the same torn step begin; equal ones are one step.
    """
    tape = code.scratch(frame.RESET_TAPE)
    chooses = any(i.any and i.var.role == role and i.var.keep == "volatile" for i in code.unit.machine.inits)
    code.support("tape_reset", code.address(tape))
    again = code.block("again")
    code.place(again)
    code.reserve()
    work = code.word(code.pointer(code.load(code.word(code.frame, frame.OUT))), 1)
    code.copy(work, source)
    given = f"ptr {code.ctx}, ptr {code.frame}, ptr {work}, ptr {tape}, ptr null, i64 {me}"
    status = code.let(f"call i64 @reset_{_role_number(code.unit, role)}({given})")
    code.require(code.compare("eq", 64, status, "0"), code.defer)
    code.set_status(work, role, me, DOWN if budget.kind == "crash" else STOPPED)
    code.spend(work, code.unit.layout.budget(budget))
    for index, network in enumerate(code.unit.machine.networks):
        if network.session:
            hang_up(code, work, index, me)
    skip = code.block("seen")
    if group is not None:
        out = code.load(code.word(code.frame, frame.OUT))
        known = code.support("seen_before", group, out, code.address(work), code.words_of(work))
        code.require(code.compare("eq", 64, known, "0"), skip)
    code.commit(state, work, unit, "0")
    code.go(skip)
    code.place(skip)
    if chooses:
        done = code.block("done")
        code.when(code.compare("ne", 64, code.support("tape_advance", code.address(tape)), "0"), again, done)
        code.place(done)


def hang_up(code: Outcomes, work: str, network: int, me: str) -> None:
    """Empties all queues of a process, as a broken connection does."""
    dense = code.unit.packed.dense.get(network)
    width = code.unit.layout.processes
    if dense is not None:
        masks = []
        for process in range(width):
            mask = 0
            for i, c in enumerate(dense.codes):
                if process not in (c // (width + 1) % width, c % (width + 1) - 1):
                    mask |= 1 << i
            masks.append(mask)
        kind_ = f"i{dense.place.width}"
        pointer = code.let(f"getelementptr {kind_}, ptr {code.unit.table(kind_, masks)}, i64 {me}")
        kept = code.op("and", dense.place.width, code.read(work, dense.place), code.load(pointer, kind_))
        code.write(work, dense.place, "0", kept)
    elif network in code.unit.packed.listed:
        packed = code.unit.packed
        begin, end = code.span_of(work, network)
        where, size = code.list_of(work)
        ends = str(packed.sender_bits), str(packed.receiver_bits)
        left = code.support("without_endpoint", where, size, begin, end, code.all_lanes(work), me, *ends)
        code.set_count(work, network, left)


def _role_number(unit: Unit, role: str) -> int:
    return list(unit.machine.roles).index(role)


def write_resets(program: Program) -> None:
    """Adds a function for each role that may crash: it forgets what is volatile."""
    unit = program.unit
    for role in program.crashes:
        code = Bodies(unit, f"reset_{_role_number(unit, role)}", list(BODY_PARAMETERS), {}, torn=False)
        for init in unit.machine.inits:
            if init.var.role == role and init.var.keep == "volatile":
                v = code.chosen(init.value) if init.any else code.expr(init.value)
                place = code.slot(init.var.slot)
                pattern = code.pack(code.narrowed(v, init.var.type))
                code.write(code.state, place, code.copy_of(init.var, code.me), pattern)
        unit.functions.append(code.finish())
