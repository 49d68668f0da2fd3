"""What compiled specs say of the classes of their steps, where a search is reduced (`engine.classes`, `native.ample`).

All that does not depend on the state stands in one table of words, for n classes:

| words | |
|---|---|
| n | for each class, where in the table the set of the classes stands that depend on it |
| n | for each class, where its **ways to open** stand: pairs of a bit and the place of a set, the smallest set first |
| sets | the visible classes, then all other sets, each once |
| pairs | the ways to open |

What depends on the state is `locked`, which gives a bit for each way there is. The set of the first one is that of the openers.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count

from checker.engine.classes import BudgetLeft, Class, Classes, HasStatus, Lock, NotFaulty
from checker.native.code import frame
from checker.native.code.functions import Functions
from checker.native.code.outcomes import Outcomes
from checker.native.code.program import Program
from checker.native.code.width import Unsupported
from checker.native.code.writer import normal

MOST_CLASSES = 1 << 10
MOST_LOCKS = 62
"""Those of one class, each of which has a bit."""

UNKNOWN = MOST_LOCKS
"""The bit that says that 64 bits cannot tell; then anybody may open."""
OPEN = MOST_LOCKS + 1
"""The bit that is always set, for where no lock is closed."""


def sizes(classes: Classes) -> dict[str, int]:
    """How many classes there are, and how many words a set of them has."""
    return {"classes": len(classes.all), "set_words": -(-len(classes.all) // 64)}


def begin_notes(code: Outcomes, classes: Classes) -> None:
    """Makes room for the notes of one state, and clears what is noted of each class."""
    n, words = sizes(classes).values()
    notes = code.stack("i64", max(2 * n + 5 * words, 1))
    code.loop("0", str(n), lambda i: code.store("0", code.word(notes, i)))
    code.store(code.address(notes), code.word(code.frame, frame.CLASSES))


def choose(code: Outcomes, classes: Classes, state: str) -> None:
    """Chooses the successors to be kept, among those that stand in the output buffer."""
    whole = "0"
    for slot in classes.faults:
        place = code.slot(slot)
        whole = code.either(whole, code.compare("ne", place.width, code.read(state, place), "0"))
    given = ("%ctx.address", code.address(code.frame), "%state.address", "%out", code.resize(whole, 1, 64))
    code.emit(f"call i64 @ample({', '.join(f'i64 {a}' for a in given)})")


def write_classes(program: Program, classes: Classes) -> None:
    """Adds `relations()`, the address of the table, and `locked(ctx, state, number)`."""
    if len(classes.all) > MOST_CLASSES:
        raise Unsupported(f"there are more than {MOST_CLASSES:,} handlers of processes")
    if any(len(made.locks) > MOST_LOCKS for made in classes.all):
        raise Unsupported(f"a guard has more than {MOST_LOCKS} conjuncts")
    unit = program.unit
    table = unit.table("i64", [int(normal(word, 64)) for word in _relations(classes)])
    unit.functions.append(f"define i64 @relations() alwaysinline {{\n  ret i64 ptrtoint (ptr {table} to i64)\n}}\n")
    _write_locked(program, classes)


def _relations(classes: Classes) -> Iterator[int]:
    """The words of the table."""
    n, words = sizes(classes).values()
    ways = [list(_ways(classes, made)) for made in classes.all]
    sets = {classes.visible: None} | dict.fromkeys(classes.dependent)
    sets |= dict.fromkeys(openers for way in ways for _, openers in way)
    place = dict(zip(sets, count(2 * n, words), strict=False))
    yield from (place[found] for found in classes.dependent)
    at = 2 * n + words * len(sets)
    for way in ways:
        yield at
        at += 2 * len(way)
    for found in sets:
        yield from (found >> 64 * i & (1 << 64) - 1 for i in range(words))
    for way in ways:
        for bit, openers in way:
            yield from (bit, place[openers])


def _ways(classes: Classes, made: Class) -> Iterator[tuple[int, int]]:
    yield UNKNOWN, classes.everyone
    yield from sorted(((i, lock.openers) for i, lock in enumerate(made.locks)), key=lambda way: way[1].bit_count())
    yield OPEN, made.openers


def _write_locked(program: Program, classes: Classes) -> None:
    """Adds `locked`: a bit for each lock of a class that is closed, up to the first that errs; and UNKNOWN, and OPEN.

    The classes of one handler have the same locks; the processes that open them differ.
    """
    code = Functions(program.unit, "locked", "i64", [("i64", n) for n in ("ctx.address", "state.address", "number")])
    code.linkage = ""
    code.ctx, code.state = code.pointer("%ctx.address"), code.pointer("%state.address")
    code.fail, code.defer, none = code.block("errs"), code.block("unknown"), code.block("none")
    closed = code.stack("i64")
    code.store(normal(1 << OPEN, 64), closed)
    handlers = {made.key[0]: (number, made) for number, made in reversed(list(enumerate(classes.all)))}
    labels = {unit: code.block("handler") for unit in handlers}
    code.switch("%number", {n: labels[made.key[0]] for n, made in enumerate(classes.all)}, none)
    for unit, (first, made) in handlers.items():
        code.place(labels[unit])
        code.me = code.op("add", 64, "%number", str(made.key[1] - first))
        for i, lock in enumerate(made.locks):
            bit = code.op("shl", 64, code.resize(code.negate(_holds(code, lock)), 1, 64), str(i))
            code.store(code.op("or", 64, code.load(closed), bit), closed)
        code.go(none)
    code.place(none)
    code.ret(code.load(closed))
    for label, more in ((code.fail, 0), (code.defer, 1 << UNKNOWN)):
        code.place(label)
        code.ret(code.op("or", 64, code.load(closed), str(more)))
    program.unit.functions.append(code.text())


def _holds(code: Functions, lock: Lock) -> str:
    match lock.test:
        case HasStatus(_, wanted):
            return code.compare("eq", 64, code.status(code.state, code.me), str(wanted))
        case NotFaulty():
            return code.negate(code.is_faulty(code.me))
        case BudgetLeft(slot):
            place = code.slot(slot)
            return code.compare("ne", place.width, code.read(code.state, place), "0")
    return code.expr(lock.test).op
