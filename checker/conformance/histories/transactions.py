"""What analyses of transactions share: their order, their parts, and what is said about a malformed one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from checker.base.diagnostics import SpecError, error
from checker.conformance.histories.dependencies import PROCESS, REALTIME, Edge
from checker.conformance.histories.edn import Keyword, show
from checker.conformance.histories.history import History, Operation, Outcome

APPEND: Final = frozenset(("append", Keyword("append")))
WRITE: Final = frozenset(("w", "write", Keyword("w"), Keyword("write")))
READ: Final = frozenset(("r", "read", Keyword("r"), Keyword("read")))


def nodes_of(history: History) -> list[Operation]:
    """The transactions that took place, or may have, in the order that `Dependencies` wants."""
    return sorted(
        (op for op in history.operations if op.outcome is not Outcome.FAIL),
        key=lambda op: op.end if op.outcome is Outcome.OK else op.begin,
    )


def parts_of(op: Operation) -> Any:
    """The parts of a transaction, with what they read where that is known."""
    return op.result if op.outcome is Outcome.OK else op.value


def failed_parts(history: History) -> list[tuple[Operation, Sequence[Any]]]:
    """The parts of transactions that failed, as far as they are any."""
    return [
        (op, part)
        for op in history.operations
        if op.outcome is Outcome.FAIL and isinstance(op.value, list | tuple)
        for part in op.value
        if isinstance(part, list | tuple) and len(part) == 3
    ]


def reason_of_time(edge: Edge) -> str:
    """What an edge of a process or of real time rests on; empty for others."""
    if edge.kinds == PROCESS:
        return "the same process ended it before"
    return "it ended before the other began" if edge.kinds == REALTIME else ""


def malformed(op: Operation, write: str, read: str, other: str) -> SpecError:
    """A refusal of what is no transaction; `write` and `read` show how parts look."""
    return error(
        "PSM852",
        f"line {op.line}: a transaction is a list of `{write}` and `{read}`",
        notes=(f"this one is {show(parts_of(op))[:200]}",),
        help=f"keys are numbers or texts; `--model {other}` is for the other kind of transaction",
    )


def twice(op: Operation, key: Any, value: Any) -> SpecError:
    """A refusal of a value that is written to a key for the second time."""
    return error(
        "PSM852",
        f"line {op.line}: {show(value)} is written to key {show(key)} for the second time",
        help="versions are told apart by their values: write each value to a key once at most",
    )
