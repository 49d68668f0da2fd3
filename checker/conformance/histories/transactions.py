"""What analyses of transactions share: their order, their two passes, and what is said about a malformed one.

An `Analysis` reads all transactions first, one after the other in the order of their ends, and notes for each key what they tell.
Then it looks at each key by itself. What it gives is the graph of dependencies, and the mistakes that show without a cycle.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import Any, ClassVar, Final, Generic, Protocol, TypeVar

from checker.base.diagnostics import SpecError, error
from checker.conformance.histories.dependencies import PROCESS, REALTIME, Dependencies, Edge
from checker.conformance.histories.edn import Keyword, show
from checker.conformance.histories.history import History, Operation, Outcome
from checker.conformance.histories.model import freeze
from checker.conformance.histories.verdict import Finding

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


def twice(op: Operation, key: Any, value: Any) -> SpecError:
    """A refusal of a value that is written to a key for the second time."""
    return error(
        "PSM852",
        f"line {op.line}: {show(value)} is written to key {show(key)} for the second time",
        help="versions are told apart by their values: write each value to a key once at most",
    )


class Versions(Protocol):
    """What every analysis knows of a key: who wrote each value, and which transactions failed that had one to write."""

    writers: dict[Any, int]
    failed: dict[Any, Operation]


Key = TypeVar("Key", bound=Versions)


class Analysis(ABC, Generic[Key]):
    """The analysis of one history. `findings` are what needs no cycle, `dependencies` the graph.

    A class of its own for each kind of transaction says how the parts look that write, and what writing is called.
    """

    writing: ClassVar[frozenset[Any]]
    parts: ClassVar[tuple[str, str]]
    verb: ClassVar[str]
    other: ClassVar[str]
    """The name of the model for the other kind."""

    def __init__(self, history: History) -> None:
        """Reads all transactions.

        Raises:
            SpecError: PSM852 for what is no transaction of this kind, or a value that is written twice.
        """
        self._nodes = nodes_of(history)
        self.dependencies = Dependencies(self._nodes)
        self.findings: list[Finding] = []
        self._keys: dict[Any, Key] = {}
        for node, op in enumerate(self._nodes):
            try:
                self._take(node, op)
            except (TypeError, ValueError):
                raise self._malformed(op) from None
        for op in history.operations:
            if op.outcome is Outcome.FAIL:
                self._fail(op)
        for key, about in self._keys.items():
            self._key(key, about)

    @abstractmethod
    def _take(self, node: int, op: Operation) -> None:
        """Notes what one transaction tells.

        Raises:
            TypeError, ValueError: it is none of this kind.
        """

    @abstractmethod
    def _key(self, key: Any, about: Key) -> None:
        """Draws the edges of one key."""

    @abstractmethod
    def _reasons(self, edge: Edge) -> Iterator[str]:
        """What an edge between two transactions rests on."""

    def why(self, edge: Edge) -> str:
        """What an edge rests on."""
        if edge.kinds == PROCESS:
            return "the same process ended it before"
        return "it ended before the other began" if edge.kinds == REALTIME else next(self._reasons(edge), "")

    def _fail(self, op: Operation) -> None:
        """Notes what a transaction that failed had to write, as far as it is any."""
        for part in op.value if isinstance(op.value, list | tuple) else ():
            if isinstance(part, list | tuple) and len(part) == 3:
                f, key, value = part
                if f in self.writing and freeze(key) in self._keys:
                    self._keys[freeze(key)].failed[freeze(value)] = op

    def _stranger(self, key: Any, value: Any, about: Key, reader: int) -> None:
        """A value was read that no transaction wrote which took place."""
        read = self._nodes[reader]
        message = f"key {show(key)}: a transaction reads {show(value)}, which"
        if value in about.failed:
            found = Finding("G1a", f"{message} another {self.verb} that failed", (about.failed[value], read))
        else:
            found = Finding("unexpected element", f"{message} nobody {self.verb}", (read,))
        self.findings.append(found)

    def _malformed(self, op: Operation) -> SpecError:
        write, read = self.parts
        return error(
            "PSM852",
            f"line {op.line}: a transaction is a list of `{write}` and `{read}`",
            notes=(f"this one is {show(parts_of(op))[:200]}",),
            help=f"keys are numbers or texts; `--model {self.other}` is for the other kind of transaction",
        )
