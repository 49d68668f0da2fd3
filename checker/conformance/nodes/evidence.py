"""What a run with faults could have shown: operations that were under way in a window, and answers of nodes that had crashed.

While a node is dead it cannot answer wrongly. What it lost in the crash shows only in what is said after its restart, so a
kill is no test until the node has answered there (with a success or a definite error), and somebody has had a success: a system
that only refuses what it is asked says nothing about what it knows. Answers after the restart are looked for node by node,
since the others may know what one has forgotten.

An operation that ended because its node was killed has seen the fault begin and nothing of what came of it. It is no evidence.
"""

from __future__ import annotations

from collections.abc import Sequence

from checker.base.data import dataclass
from checker.conformance.nodes.faults import Window
from checker.conformance.nodes.protocol import NodeKilled
from checker.conformance.record import Kind, Record

KILLED = str(NodeKilled())
"""How operations end whose node dies."""


@dataclass(frozen=True, slots=True)
class AfterRestarts:
    """What was answered after nodes were restarted.

    Attributes:
        killed: the nodes that were killed, in the order of their names; `silent` are those that answered nothing afterwards.
        succeeded: how many operations began after the first restart of a node, at any node, and succeeded.
    """

    killed: tuple[str, ...] = ()
    silent: tuple[str, ...] = ()
    succeeded: int = 0

    @property
    def shortcomings(self) -> list[str]:
        """Why the kills show nothing."""
        if self.silent:
            return [f"no operation was answered after the restart of {', '.join(self.silent)}"]
        if self.killed and not self.succeeded:
            return [f"no operation succeeded after the restart of {', '.join(self.killed)}"]
        return []


def after_restarts(record: Record) -> AfterRestarts:
    """What the nodes said that a record has as killed."""
    killed: set[str] = set()
    restarted: set[str] = set()
    answered: set[str] = set()
    asked: dict[str | None, str | None] = {}  # by client: the node, where a node was restarted before
    succeeded = 0
    for e in record.entries:
        if e.kind is Kind.FAULT and e.node is not None:
            if e.name == "kill":
                killed.add(e.node)
            elif e.name == "restart":
                restarted.add(e.node)
        elif e.kind is Kind.INVOKE and restarted:
            asked[e.node] = str(e.args.get("node"))
        elif e.kind is Kind.RETURN and (node := asked.pop(e.node, None)) is not None:
            succeeded += e.obs.get("type") == "ok"
            if e.obs.get("type") in ("ok", "fail") and node in restarted:
                answered.add(node)
    return AfterRestarts(tuple(sorted(killed)), tuple(sorted(killed - answered)), succeeded)


def overlapping(record: Record, windows: Sequence[Window]) -> int:
    """How many operations were open while a fault was at work."""
    begun: dict[str | None, float] = {}
    count = 0
    for e in record.entries:
        if e.kind is Kind.INVOKE:
            begun[e.node] = e.t
        elif e.kind is Kind.RETURN and (start := begun.pop(e.node, None)) is not None:
            met = any(start <= w.end and e.t >= w.begin for w in windows)
            count += met and e.obs.get("error") != KILLED
    return count
