"""Judges a recorded run: allowed by the spec, not allowed, or not shown.

A record is `incomplete`, whatever matched, where it was cut off, where it shows no step or no variable, where it tells of
clients and none of their operations succeeded, or of faults and none of them struck while an operation was under way, and
where the search gave up. A record that does not match is a mismatch even then: what was cut off cannot mend it. Steps that
never fired are listed; whether that is too little depends on how many records there are, so whoever has all of them judges it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from checker.conformance.growing import GraphTooLarge, GrowingGraph
from checker.conformance.mapping import required_units
from checker.conformance.record import Kind, Record
from checker.conformance.replay import Outcome
from checker.conformance.validation.frontier import BUDGET, Frontier, OutOfBudget, Way
from checker.conformance.validation.mapping import TraceMapping
from checker.conformance.validation.refusals import MOST_STATES, Stuck, stuck_in
from checker.conformance.validation.sightings import Part, sightings
from checker.model.machine import Machine

HEALING = ("restart", "heal", "resume", "honest", "exit")
"""Entries of kind `fault` that end one."""


@dataclass(frozen=True, slots=True)
class Validated:
    """What came of a record.

    Attributes:
        entries: how many entries were compared; `matched` is how many of them the spec allows, up to the first that it does not.
        points: how many points of the product of spec and record were looked at, of at most `budget`.
        hidden: how many hidden steps the way takes that was found.
        seen, unseen: the variables of the spec that were observed at least once, and the others.
        passed_over: entries that are no steps of the spec, by kind and name, with their number.
        fired: the steps of the spec that the record shows; `never` are those that it does not, faults left aside.
        lacks: why the record does not show that the implementation is right, one reason each.
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
    lacks: tuple[str, ...]
    graph: GrowingGraph = field(repr=False, compare=False)
    way: Way | None = None
    part: Part | None = None
    frontier: int = 0
    stuck: tuple[Stuck, ...] = ()

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
    machine: Machine, record: Record, mapping: TraceMapping | None = None, *, budget: int = BUDGET
) -> Validated:
    """Judges a record.

    Raises:
        TraceMappingError: it does not speak of this spec.
    """
    mapping = mapping or TraceMapping()
    graph = GrowingGraph(machine)
    probe = Frontier(graph, (), ())
    observed = sightings(record, machine, mapping, probe.comparison.observable)
    parts = observed.parts
    accepting = Frontier(graph, parts, mapping.hidden, budget)
    explaining = Frontier(graph, parts, mapping.hidden, budget)
    lacks = _lacks(record, observed.seen, any(part.pattern is not None for part in parts))
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
        lacks = (*lacks, f"the search gave up: {text}; record more, or allow a larger budget")
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
        never=tuple(u for u in _own_steps(machine) if u not in fired and u not in mapping.hidden),
        lacks=lacks,
        graph=graph,
        way=way,
        part=part,
        frontier=count,
        stuck=stuck,
    )


def _distance(stuck: Stuck) -> int:
    """How far a state is from what was recorded."""
    return min((refusal.differing for refusal in stuck.refusals), default=99)


def _own_steps(machine: Machine) -> list[str]:
    """The steps that are no faults and no restarts: what a run of any length should show."""
    kinds = {step.label: step.kind for step in machine.steps}
    return [u for u in required_units(machine) if kinds.get(u) in ("message", "action", "timeout")]


def _lacks(record: Record, seen: tuple[str, ...], steps: bool) -> tuple[str, ...]:
    """Why a record cannot show anything, whatever it matches."""
    result = []
    if record.truncated:
        result.append("the record was cut off: its last line is missing")
    if not steps:
        result.append("it has no step of the spec")
    if not seen:
        result.append("it observes no variable of the spec, so that nothing was compared but the order of steps")
    asked = [e for e in record.entries if e.kind is Kind.INVOKE]
    succeeded = sum(e.kind is Kind.RETURN and e.obs.get("type") == "ok" for e in record.entries)
    if asked and not succeeded:
        result.append(f"none of {len(asked):,} operations succeeded")
    faults, overlapping = overlapping_faults(record)
    if asked and faults and not overlapping:
        result.append(f"none of {faults:,} faults struck while an operation was under way")
    return tuple(result)


def overlapping_faults(record: Record) -> tuple[int, int]:
    """How many faults a record tells of, and how many of them struck while an operation of a client was under way."""
    under_way: set[str | None] = set()
    faults = overlapping = 0
    for entry in record.entries:
        match entry.kind:
            case Kind.INVOKE:
                under_way.add(entry.node)
            case Kind.RETURN:
                under_way.discard(entry.node)
            case Kind.FAULT if entry.name not in HEALING:
                faults += 1
                overlapping += bool(under_way)
    return faults, overlapping
