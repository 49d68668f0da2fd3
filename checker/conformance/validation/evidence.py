"""What a record could have shown, whatever it matches: a run in which nothing was at stake is no pass.

It needs steps of the spec, variables that were observed, operations of clients that succeeded, and faults that struck while
something was under way. An operation is under way from its beginning to its end; it counts, too, if it begins before a fault is
healed, or after a `kill`: the clients of a node see it die and wait, and what it lost shows after its restart. Where a record
tells of no clients, steps and messages of the processes take their place: a fault then has to strike between two of them.
Evidence of several records can be added, since together they are one test.
"""

from __future__ import annotations

from checker.base.data import dataclass
from checker.conformance.record import HEALING, Kind, Record


@dataclass(frozen=True, slots=True)
class Evidence:
    """How much there is of it.

    Attributes:
        steps: entries that are steps of the spec; `seen` are the variables that were observed.
        operations: of clients; `succeeded` of them ended well.
        faults: how many struck, and how many of them `overlapping` something.
    """

    steps: int
    seen: frozenset[str]
    operations: int
    succeeded: int
    faults: int
    overlapping: int

    def __add__(self, other: Evidence) -> Evidence:
        return Evidence(
            self.steps + other.steps,
            self.seen | other.seen,
            self.operations + other.operations,
            self.succeeded + other.succeeded,
            self.faults + other.faults,
            self.overlapping + other.overlapping,
        )

    @property
    def lacks(self) -> tuple[str, ...]:
        """Why it is not enough, one reason each."""
        found = []
        if not self.steps:
            found.append("it has no step of the spec")
        if not self.seen:
            found.append("it observes no variable of the spec, so that nothing was compared but the order of steps")
        if self.operations and not self.succeeded:
            found.append(f"none of {self.operations:,} operations succeeded")
        if self.faults and not self.overlapping:
            what = "an operation was under way" if self.operations else "the processes were at work"
            found.append(f"none of {self.faults:,} faults struck while {what}")
        return tuple(found)


NOTHING = Evidence(0, frozenset(), 0, 0, 0, 0)


def evidence_of(record: Record, steps: int, seen: tuple[str, ...]) -> Evidence:
    """That of one record, in which so many steps and these variables of the spec were found."""
    asked = sum(e.kind is Kind.INVOKE for e in record.entries)
    succeeded = sum(e.kind is Kind.RETURN and e.obs.get("type") == "ok" for e in record.entries)
    faults, overlapping = overlapping_faults(record, clients=bool(asked))
    return Evidence(steps, frozenset(seen), asked, succeeded, faults, overlapping)


def overlapping_faults(record: Record, *, clients: bool) -> tuple[int, int]:
    """How many faults a record tells of, and how many of them struck while clients, or processes, were at work."""
    begins = (Kind.INVOKE,) if clients else (Kind.ACTION, Kind.SEND, Kind.RECV)
    under_way: set[str | None] = set()
    faults = overlapping = waiting = kills = 0
    for entry in record.entries:
        if entry.kind in begins:
            under_way.add(entry.node)
            overlapping, waiting, kills = overlapping + waiting + kills, 0, 0
        elif entry.kind is Kind.RETURN:
            under_way.discard(entry.node)
        elif entry.kind is Kind.FAULT and entry.name not in HEALING:
            faults += 1
            if clients and under_way:
                overlapping += 1
            elif clients and entry.name == "kill":
                kills += 1
            elif clients or under_way:
                waiting += 1
        elif entry.kind is Kind.FAULT and clients:
            waiting = 0
    return faults, overlapping
