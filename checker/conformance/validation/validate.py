"""Judges a recorded run: allowed by the spec, not allowed, or not shown.

A record is `incomplete`, whatever matched, where it was cut off, where its `evidence` is not enough, or where the search gave up.
A record that does not match is a mismatch even then: what was cut off cannot mend it. Steps that never fired are listed; whether
that is too little depends on how many records there are, so whoever has all of them judges it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field

from checker.base.data import dataclass
from checker.conformance.growing import GraphTooLarge, GrowingGraph
from checker.conformance.mapping import required_units
from checker.conformance.record import Record
from checker.conformance.replay import Outcome
from checker.conformance.validation.evidence import Evidence, evidence_of
from checker.conformance.validation.frontier import BUDGET, Frontier, OutOfBudget, Way
from checker.conformance.validation.mapping import TraceMapping
from checker.conformance.validation.refusals import MOST_STATES, Stuck, stuck_in
from checker.conformance.validation.sightings import Part, sightings
from checker.model.machine import Machine


@dataclass(frozen=True, slots=True)
class Validated:
    """What came of a record.

    Attributes:
        entries: how many entries were compared; `matched` is how many of them the spec allows, up to the first that it does not.
        points: how many points of the product of spec and record were looked at, of at most `budget`.
        hidden: how many hidden steps the way takes that was found.
        seen, unseen: the variables of the spec that were observed at least once, and the others.
        passed_over: entries that are no steps of the spec, by kind and name, with their number.
        fired: the steps of the spec that the record shows; `never` are those that it does not, faults of the check among them.
        evidence: what the record could have shown; `spoilt` says what else keeps it from showing anything.
        graph, way: the way through the spec, as far as it goes; None where not even an initial state agrees.
        part: what the spec does not allow; `frontier` is how many states were left before it, `stuck` explains some of them.
    """

    spec: str
    check: str
    entries: int
    matched: int
    points: int
    budget: int
    hidden: int
    seen: tuple[str, ...]
    unseen: tuple[str, ...]
    passed_over: Mapping[str, int]
    fired: tuple[str, ...]
    never: tuple[str, ...]
    evidence: Evidence
    spoilt: tuple[str, ...]
    graph: GrowingGraph = field(repr=False, compare=False)
    way: Way | None = None
    part: Part | None = None
    frontier: int = 0
    stuck: tuple[Stuck, ...] = ()

    @property
    def lacks(self) -> tuple[str, ...]:
        """Why the record does not show that the implementation is right, one reason each."""
        return (*self.spoilt, *self.evidence.lacks)

    @property
    def outcome(self) -> Outcome:
        """Whether the spec allows the record, as far as it shows anything."""
        if self.part is not None:
            return Outcome.MISMATCH
        return Outcome.INCOMPLETE if self.lacks else Outcome.CONFORMS

    @property
    def labels(self) -> tuple[str, ...]:
        """The steps of the way."""
        return () if self.way is None else tuple(self.graph.edges[number].label for number, _ in self.way.edges)


def validate(
    machine: Machine,
    record: Record,
    mapping: TraceMapping | None = None,
    *,
    budget: int = BUDGET,
    graph: GrowingGraph | None = None,
) -> Validated:
    """Judges a record; where there are several, a `graph` that grows with all of them saves time.

    Raises:
        TraceMappingError: it does not speak of this spec.
    """
    mapping = mapping or TraceMapping()
    graph = GrowingGraph(machine) if graph is None else graph
    probe = Frontier(graph, (), ())
    observed = sightings(record, machine, mapping, probe.comparison.observable)
    parts = observed.parts
    accepting = Frontier(graph, parts, mapping.hidden, budget)
    explaining = Frontier(graph, parts, mapping.hidden, budget)
    evidence = evidence_of(record, sum(part.pattern is not None for part in parts), observed.seen)
    spoilt = ("the record was cut off: its last line is missing",) if record.truncated else ()
    way: Way | None = None
    part: Part | None = None
    stuck: tuple[Stuck, ...] = ()
    count, matched = 0, len(parts)
    try:
        way = accepting.accept()
        if way is None:
            matched, ways = explaining.last()
            part, count = parts[matched], len(ways)
            nearest = sorted(ways, key=lambda state: (ways[state].hidden, state))
            found = [stuck_in(explaining, state, part) for state in nearest[:MOST_STATES]]
            stuck = tuple(sorted(found, key=_distance))
            way = ways[stuck[0].state]
    except (OutOfBudget, GraphTooLarge) as problem:
        matched, part = max(0, accepting.deepest), None
        text = str(problem) or f"{budget:,} points of record and spec were looked at"
        spoilt = (*spoilt, f"the search gave up: {text}; record more, or allow a larger budget")
    fired = dict.fromkeys(graph.edges[number].unit for number, _ in (way.edges if way else ()))
    return Validated(
        spec=machine.spec,
        check=machine.check,
        entries=len({p.entry for p in parts}),
        matched=len({p.entry for p in parts[:matched]} - ({part.entry} if part is not None else set())),
        points=accepting.points + explaining.points,
        budget=budget,
        hidden=0 if way is None else way.hidden,
        seen=observed.seen,
        unseen=tuple(n for n in probe.comparison.observable if n not in observed.seen),
        passed_over=observed.passed_over,
        fired=tuple(fired),
        never=tuple(u for u in expected(machine) if u not in fired and u not in mapping.hidden),
        evidence=evidence,
        spoilt=spoilt,
        graph=graph,
        way=way,
        part=part,
        frontier=count,
        stuck=stuck,
    )


def _distance(stuck: Stuck) -> int:
    """How far a state is from what was recorded."""
    return min((refusal.differing for refusal in stuck.refusals), default=99)


def expected(machine: Machine) -> list[str]:
    """The steps that a run of any length should show, and the faults that its check is about; restarts follow from those."""
    kinds = {step.label: step.kind for step in machine.steps}
    faults = {budget.key for budget in machine.budgets if budget.count and budget.kind != "byzantine"}
    return [u for u in required_units(machine) if kinds.get(u) in ("message", "action", "timeout") or u in faults]
