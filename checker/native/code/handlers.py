"""One handler with its arguments: guard, limit, and all outcomes of its body.

The compiled form of `engine.outcomes`, in the same order: the body runs once for every sequence of choices, each time on a
new copy of the state, and what it made of it is a successor. Then come the states that a crash in the middle leaves (`torn`).
"""

from __future__ import annotations

from checker.model.liveness import tosses
from checker.native import abi
from checker.native.code import frame
from checker.native.code.outcomes import Outcomes, bind, body_params, call_body, parameters, start
from checker.native.code.program import Program
from checker.native.code.statements import write_body
from checker.native.code.torn import write_torn


def write_handler(program: Program, number: int, inline: str) -> None:
    """Adds `b`, `h` and, where a crash may strike, `t` of one step."""
    unit = program.unit
    step = unit.machine.steps[number]
    if not step.role.size or (step.kind == "fault" and step.label not in unit.layout.budgets):
        return
    write_body(unit, f"b{number}", body_params(step), step.body, torn=False)
    if step.kind == "tick":
        return
    code = Outcomes(program, f"h{number}", parameters(step), inline)
    bind(code, step)
    on = code.block("enabled")
    leave = code.block("disabled")
    code.guard(number, leave)
    if step.limit is not None:
        within, cut = code.block("within"), code.block("cut")
        code.when(code.expr(step.limit).op, within, cut)
        code.place(cut)
        code.bump(code.word(code.frame, frame.LIMIT_CUT))
        code.go(leave)
        code.place(within)
    code.go(on)
    code.place(on)
    if unit.edges and tosses(step.body, unit.machine.procedures):
        code.go(code.defer)  # the interpreter knows which outcomes belong to one coin
    alive = "0" if program.faults[number] else code.op("xor", 64, "%forged", "1")
    memory = code.memory()
    tape = code.scratch(frame.TAPE) if step.has_choices else "null"
    if step.has_choices:
        code.support("tape_reset", code.address(tape))
    again = code.block("again")
    code.place(again)
    work = code.begin("%base", memory)
    start(code, step, work)
    status = call_body(code, step, f"b{number}", work, tape, "null")
    good, bad, next_ = code.block("good"), code.block("bad"), code.block("next")
    code.when(code.compare("eq", 64, status, str(frame.OK)), good, bad)
    code.place(good)
    code.commit("%state", work, number, alive)
    code.go(next_)
    code.place(bad)
    code.by_status(status, str(number), next_)
    code.place(next_)
    if step.has_choices:
        more = code.support("tape_advance", code.address(tape))
        done = code.block("done")
        code.when(code.compare("ne", 64, more, "0"), again, done)
        code.place(done)
    if program.can_tear(step):
        skip = code.block("whole")
        code.require(code.compare("eq", 64, code.load(code.word(code.frame, frame.PROBE)), "0"), skip)
        names = ", ".join(f"{t} %{n}" for t, n in parameters(step))
        code.ret(code.let(f"call i64 @t{number}({names})"))
        code.place(skip)
    code.go(leave)
    code.place(leave)
    unit.functions.append(code.close())
    if program.can_tear(step):
        write_torn(program, number)


def _note(code: Outcomes) -> None:
    """Notes which unit a successor takes: one more than its number, or 0 for what is never fair, and its key."""
    notes = code.load(code.word("%ctx", abi.CTX_NOTES))
    note = code.pointer(notes)
    fair = code.compare("ne", 64, "%alive", "0")
    code.store(code.select(fair, "i64", code.op("add", 64, "%unit", "1"), "0"), note)
    code.store(code.load(code.word("%frame", frame.KEY)), code.word(note, 1))
    code.store(code.op("add", 64, notes, "16"), code.word("%ctx", abi.CTX_NOTES))


def write_commit(program: Program, inline: str, *, recalls: bool) -> None:
    """Adds `commit(ctx, frame, state, work, unit, alive)`, which completes a step."""
    names = [("ptr", "ctx"), ("ptr", "frame"), ("ptr", "state"), ("ptr", "work"), ("i64", "unit"), ("i64", "alive")]
    code = Outcomes(program, "commit", names, inline)
    code.result = "void"
    if program.coverage:
        code.bump(code.word("%frame", code.op("add", 64, "%unit", str(frame.FIRED))))
    code.bump(code.word("%frame", frame.TRANSITIONS))
    changed = code.differs("%state", "%work")
    alive = code.word("%frame", frame.ALIVE)
    leads = code.op("and", 64, code.resize(changed, 1, 64), "%alive")
    code.store(code.op("or", 64, code.load(alive), leads), alive)
    if program.classes is not None:
        tally = code.tally()
        more = code.op("add", 64, code.load(tally), "1")
        code.store(code.op("or", 64, more, code.op("shl", 64, leads, "63")), tally)
    done = code.block("done")
    if program.has_steps:  # step properties judge one step that changes nothing, and need not judge another
        stutter, on = code.block("stutter"), code.block("on")
        code.when(changed, on, stutter)
        code.place(stutter)
        again = code.word("%frame", frame.STUTTERED)
        code.require(code.compare("eq", 64, code.load(again), "0"), done)
        code.store("1", again)
        told = code.let("call i64 @stutter(ptr %ctx, ptr %state)")
        code.require(code.compare("ne", 64, told, "0"), done, likely=False)
        code.store(str(frame.TOLD), again)
        code.place(on)
    else:
        code.require(changed, done, likely=False)
    code.require(code.compare("eq", 64, code.load(code.word("%frame", frame.PROBE)), "0"), done)
    out = code.load(code.word("%frame", frame.OUT))
    record = code.pointer(out)
    words = code.words_of("%work")
    found_from = code.word("%ctx", abi.CTX_PARENT) if program.classes is None else code.word("%frame", frame.KEY)
    header = code.op("or", 64, code.load(found_from), code.op("shl", 64, words, str(abi.REF_BITS)))
    if recalls:  # then the frame has what the header is to say of the step under way
        few = code.compare("ult", 64, words, str(abi.FEW_WORDS))
        origin = code.select(few, "i64", code.load(code.word("%frame", frame.KEY)), "0")
        if program.has_steps:  # a word that is 1 where it is to be said that this was judged
            settled = code.op("shl", 64, code.load(code.word("%frame", frame.STUTTERED)), str(abi.SETTLED))
            given = code.op("lshr", 64, origin, str(63 - abi.SETTLED))
            origin = code.op("or", 64, origin, code.op("and", 64, settled, given))
        header = code.op("or", 64, header, origin)
    code.store(header, record)
    if not program.in_place:
        code.copy(code.word(record, 1), "%work")
    size = code.op("shl", 64, code.op("add", 64, words, "1"), "3")
    code.store(code.op("add", 64, out, size), code.word("%frame", frame.OUT))
    if program.unit.edges:
        _note(code)
    code.go(done)
    code.place(done)
    code.ret_void()
    program.unit.functions.append(code.text())
