"""What clients of a system asked for and were told: the history of a run.

A history is a sequence of events. A process invokes an operation and later learns how it ended: `ok`, it took place and the
answer is known; `fail`, it did not take place; `info`, nobody knows, so it may take effect at any later time, or never. The
names are Jepsen's. Events are paired to operations here, once, and checkers see operations alone.

Only the order of events counts, never their clocks: an operation that ended before another began precedes it, and all
others overlap. `begin` and `end` are positions in that order. An operation that nobody knows the end of ends at `NEVER`.

A history can be worth nothing as evidence. One without a successful operation, or one in which no two operations overlap,
is satisfied by systems that are badly broken; one that was cut off hides what came next. `shortcomings` names that, and no
checker calls such a history good.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from enum import Enum
from functools import cached_property
from typing import Final, NamedTuple

from checker.base.data import dataclass
from checker.base.diagnostics import SpecError, error

NEVER: Final = sys.maxsize
"""The end of an operation of which nobody knows whether it took place."""


class Outcome(Enum):
    """How an operation ended, as its client knows."""

    OK = "ok"
    FAIL = "fail"
    INFO = "info"


class Moment(NamedTuple):
    """One event: `type` is `invoke`, `ok`, `fail` or `info`, or `fault` for something that happens to the system, by nobody.

    `time` is in nanoseconds, for people; -1 where there is none.
    """

    process: object
    type: str
    f: str
    value: object
    key: object
    time: int
    line: int


class Operation(NamedTuple):
    """What a process asked for, and what came of it.

    Attributes:
        number: its place among all operations, in the order of their beginnings.
        process: who asked.
        f: the name of the operation: `read`, `txn`.
        value: what it was asked with.
        result: what the answer carried; what was asked with, where there is no answer.
        key: the object that it is about, where a record names it apart from the value; None otherwise.
        outcome: how it ended.
        begin: the position of its beginning among all events.
        end: that of its end; NEVER for INFO.
        line: where it begins in the file; 0 where there is no file.
        time: when it began, in nanoseconds; -1 where that is not known.
    """

    number: int
    process: object
    f: str
    value: object
    result: object
    key: object
    outcome: Outcome
    begin: int
    end: int
    line: int = 0
    time: int = -1


@dataclass(frozen=True)
class History:
    """The operations of a run, in the order of their beginnings.

    Attributes:
        name: what messages call it, such as its file.
        cut: why the record is known to end before the run did; None where it is whole.
        faults: where among all events those are that tell of faults.
    """

    name: str
    operations: tuple[Operation, ...]
    cut: str | None = None
    faults: tuple[int, ...] = ()

    def count(self, outcome: Outcome) -> int:
        """How many operations ended so."""
        return sum(op.outcome is outcome for op in self.operations)

    @cached_property
    def succeeded(self) -> tuple[Operation, ...]:
        """Those that took place for certain, in the order of their beginnings."""
        return tuple(op for op in self.operations if op.outcome is Outcome.OK)

    @cached_property
    def overlapping(self) -> bool:
        """Whether any two operations overlap that may both have taken place."""
        latest = -1
        for op in self.operations:
            if op.outcome is not Outcome.FAIL:
                if op.begin < latest:
                    return True
                latest = max(latest, op.end)
        return False

    @cached_property
    def shortcomings(self) -> tuple[str, ...]:
        """Why the history proves nothing even if nothing is wrong with it; empty for a sound one."""
        found = []
        if not self.succeeded:
            found.append("no operation succeeded")
        elif not self.overlapping:
            found.append("no two operations overlap, so nothing was at risk")
        if self.faults and not any(op.end > self.faults[0] for op in self.operations if op.outcome is not Outcome.FAIL):
            found.append("no operation was under way at or after a fault")
        if self.cut is not None:
            found.append(f"the record is cut off: {self.cut}")
        return tuple(found)


def history_of(moments: Iterable[Moment], *, name: str = "history", cut: str | None = None) -> History:
    """Pairs events to operations.

    A process that does not learn how its last operation ended leaves a record that is cut off: a driver that gives up
    waiting writes `info`. After an `info` the same process may go on, and its earlier operation stays pending.

    Raises:
        SpecError: PSM851 for an answer without a question, a question while another is open, or an answer to another one.
    """
    done: list[Operation | None] = []
    faults: list[int] = []
    pending: dict[object, tuple[int, int, Moment]] = {}
    position = 0
    for position, moment in enumerate(moments):
        if moment.type == "fault":
            faults.append(position)
            continue
        if moment.type == "invoke":
            if moment.process in pending:
                raise _misplaced(name, moment, pending[moment.process][2], "invokes while its operation is open")
            pending[moment.process] = (len(done), position, moment)
            done.append(None)
            continue
        asked = pending.pop(moment.process, None)
        if asked is None:
            raise _misplaced(name, moment, None, "completes what it never invoked")
        index, begin, first = asked
        if first.f != moment.f:
            raise _misplaced(name, moment, first, f"completes `{moment.f}`, having invoked `{first.f}`")
        done[index] = _operation(index, begin, position, first, moment)
    if pending:
        still = f"{len(pending)} operation{'s have' if len(pending) > 1 else ' has'} no completion"
        cut = still if cut is None else f"{cut}; {still}"
        for index, begin, first in pending.values():
            done[index] = _operation(index, begin, NEVER, first, first._replace(type="info"))
    return History(name, tuple(op for op in done if op is not None), cut, tuple(faults))


def _operation(index: int, begin: int, position: int, first: Moment, last: Moment) -> Operation:
    outcome = Outcome(last.type)
    end = NEVER if outcome is Outcome.INFO else position
    key = first.key if last.key is None else last.key
    return Operation(
        index, first.process, first.f, first.value, last.value, key, outcome, begin, end, first.line, first.time
    )


def _misplaced(name: str, moment: Moment, first: Moment | None, what: str) -> SpecError:
    notes = () if first is None else (f"its open operation is `{first.f}`, invoked in line {first.line}",)
    return error(
        "PSM851",
        f"{name}, line {moment.line}: process {moment.process!r} {what}",
        notes=notes,
        help="a process has one operation at a time: it writes `invoke`, then `ok`, `fail` or `info`",
    )
