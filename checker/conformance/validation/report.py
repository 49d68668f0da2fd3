"""The result of a validation as text and as JSON."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from checker.conformance.documents import trace_object
from checker.conformance.mismatch import Mismatch
from checker.conformance.replay import Outcome
from checker.conformance.validation.refusals import Refusal, Refuser, Stuck
from checker.conformance.validation.validate import Validated
from checker.properties.kinds import Trace, TraceStep
from checker.render.events import cast

SHOWN = 20
"""How many of the last steps that matched are shown."""


def text_of(result: Validated) -> str:
    """The result as a reader wants it."""
    return "\n".join(_lines(result)) + "\n"


def headline(result: Validated) -> str:
    """One line with everything that the outcome rests on."""
    hidden = f", with {result.hidden:,} hidden steps" if result.hidden else ""
    total = len(result.seen) + len(result.unseen)
    return (
        f"{result.outcome.value}: {result.matched:,} of {result.entries:,} entries match {result.spec}, "
        f"check {result.check}{hidden}; "
        f"{len(result.seen)} of {total} variables observed; {result.points:,} of {result.budget:,} points looked at"
    )


def _lines(result: Validated) -> Iterator[str]:
    yield headline(result)
    yield from (f"  lacks: {reason}" for reason in result.lacks)
    if result.passed_over:
        passed = ", ".join(f"{count:,} × {name}" for name, count in sorted(result.passed_over.items()))
        yield f"  passed over: {passed}"
    if result.never:
        yield f"  never taken: {', '.join(result.never)}"
    if result.part is None:
        return
    yield ""
    yield from _story(result)
    told: set[tuple[Refusal, ...]] = set()
    for number, stuck in enumerate(result.stuck):
        if stuck.refusals not in told:
            yield from ("", *_explained(result, stuck, number))
        told.add(stuck.refusals)


def _story(result: Validated) -> Iterator[str]:
    part = result.part
    assert part is not None
    yield f"The spec does not allow entry {part.entry} of the record, {part.name}."
    yield ""
    steps = [] if result.way is None else list(result.way.edges)
    if len(steps) > SHOWN:
        yield f"       … {len(steps) - SHOWN:,} steps"
    for at, (number, taken_for) in list(enumerate(steps, 1))[-SHOWN:]:
        hidden = "" if taken_for is not None else "  (hidden)"
        yield f"  {at:5}  {result.graph.edges[number].label}{hidden}"
    yield f"≠ {len(steps) + 1:5}  {part.name}"


def _explained(result: Validated, stuck: Stuck, number: int) -> Iterator[str]:
    where = "" if result.frontier == 1 else f" ({number + 1} of {result.frontier:,} that agree so far)"
    yield f"State{where}: what the spec could do, and what refused it"
    near = [r for r in stuck.refusals if r.by is not Refuser.NAME]
    others = [r.step or "" for r in stuck.refusals if r.by is Refuser.NAME]
    width = max((len(r.step or "the state") for r in near), default=0)
    for refusal in near:
        yield f"  {(refusal.step or 'the state').ljust(width)}  {refusal.by.value}: {refusal.text}"
    if others:
        more = f" and {stuck.more:,} more" if stuck.more else ""
        yield f"  not what the record has: {', '.join(others)}{more}"
    if not stuck.refusals:
        yield "  nothing: no step is possible"
    if stuck.fields and number == 0:
        yield ""
        if stuck.nearest is not None:
            yield f"Nearest: {stuck.nearest}"
        yield from mismatch_of(result, stuck).table()


def mismatch_of(result: Validated, stuck: Stuck) -> Mismatch:
    """A state of the frontier as a mismatch, for its tables: the nearest step beside what was observed."""
    return Mismatch(
        spec=result.spec,
        check=result.check,
        path=(),
        matched=result.labels,
        step=stuck.nearest,
        fields=stuck.fields,
        letters=stuck.letters,
        again="",
    )


def drawing_of(result: Validated) -> dict[str, Any]:
    """What a page needs to draw the way that a record takes, beside the document: the trace and who takes part."""
    labels, states = result.graph.labels, result.graph.states
    if result.way is None:
        return {"text": text_of(result)}
    edges = [result.graph.edges[number] for number, _ in result.way.edges]
    steps = tuple(TraceStep(e.label, labels.changes(states[e.source], states[e.target])) for e in edges)
    who = cast(result.graph.machine)
    trace = Trace(labels.initial(states[result.way.start]), steps, None if result.part is None else result.part.name)
    return {
        "text": text_of(result),
        "trace": trace_object(trace),
        "processes": list(who.processes),
        "own_faults": sorted(who.own_faults),
    }


def document_of(result: Validated) -> dict[str, Any]:
    """The result for programs."""
    document: dict[str, Any] = {
        "version": 1,
        "spec": result.spec,
        "check": result.check,
        "mode": "validate",
        "result": result.outcome.value,
        "entries": result.entries,
        "matched": result.matched,
        "hidden": result.hidden,
        "points": result.points,
        "budget": result.budget,
        "observed": list(result.seen),
        "unobserved": list(result.unseen),
        "passed_over": dict(result.passed_over),
        "never_taken": list(result.never),
        "lacks": list(result.lacks),
        "steps": list(result.labels),
    }
    if result.outcome is Outcome.MISMATCH and result.part is not None:
        document["refused"] = {
            "entry": result.part.entry,
            "name": result.part.name,
            "frontier": result.frontier,
            "states": [
                {
                    "nearest": stuck.nearest,
                    "refusals": [{"step": r.step, "by": r.by.value, "text": r.text} for r in stuck.refusals],
                    "fields": [
                        {"name": f.name, "spec": f.spec, "observed": f.implementation, "sight": f.sight.name.lower()}
                        for f in stuck.fields
                    ],
                }
                for stuck in result.stuck
            ],
        }
    return document
