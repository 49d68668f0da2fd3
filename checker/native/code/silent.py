"""`silent`: whether nothing can come from a process any more.

It asks about messages that are under way from that process to the one that asks: whether some of their handlers would
change anything. They are tried as in an expansion, into a frame that keeps no successors (`frame.PROBE`).
See `engine.steps.Steps._silent`.
"""

from __future__ import annotations

from checker.model.layout import UP
from checker.native.code import frame
from checker.native.code.classes import begin_notes
from checker.native.code.deliver import Deliveries, Only
from checker.native.code.program import Program


class Probe(Deliveries):
    """Writes `silent(ctx, state, me, process)`: 1 if nothing can come from a process any more, 0 if not, else 2."""

    heard: str
    """Where it goes if something can."""

    def leave(self, code: str) -> None:
        self.go(self.defer)

    def after_probe(self) -> None:
        changed = self.op(
            "or", 64, self.load(self.word(self.frame, frame.ALIVE)), self.load(self.word(self.frame, frame.FAILED))
        )
        self.require(self.compare("eq", 64, changed, "0"), self.heard)


def write_silent(program: Program, shape: frame.Shape) -> None:
    """Adds `silent`. See `engine.steps.Steps._silent`."""
    unit = program.unit
    names = [("ptr", "ctx"), ("ptr", "s"), ("i64", "me"), ("i64", "process")]
    code = Probe(program, "silent", names, "noinline")
    code.state, code.me = "%s", "%me"
    code.heard, quiet = code.block("heard"), code.block("quiet")
    code.require(code.negate(code.separated("%s", "%me", "%process")), quiet)
    up = code.with_status(None, "%process", lambda: code.compare("eq", 64, code.status("%s", "%process"), str(UP)), "1")
    code.require(code.negate(up), code.heard)
    code.frame = code.stack("i64", shape.frame)
    for i in range(shape.frame):
        code.store("0", code.word(code.frame, i))
    code.store("1", code.word(code.frame, frame.PROBE))
    unheeded = code.stack("i64", max(shape.notes, 1))
    code.store(code.address(unheeded), code.word(code.frame, frame.NOTES))
    if program.classes is not None:
        begin_notes(code, program.classes)
    room = code.address(code.scratch(shape.pictures))
    code.store(room, code.word(code.frame, frame.OUT))
    code.store(code.op("add", 64, room, str(8 * 2 * (2 + shape.record))), code.word(code.frame, frame.END))
    code.deliver("%s", Only("%me", "%process"))
    code.go(quiet)
    code.place(quiet)
    code.ret("1")
    code.place(code.heard)
    code.ret("0")
    for label in (code.defer, code.need, code.fail):
        code.place(label)
        code.ret("2")
    unit.functions.append(code.text())
