"""Reports of conformance as JSON: what programs read, what workers of a test run send, and what the page of results shows.

The shape is part of the interface (`docs/reference/json.md`). Keys may be added within a version and are never renamed.
"""

from __future__ import annotations

from typing import Any

from checker.conformance.drive import Phase, Report
from checker.conformance.mismatch import Mismatch
from checker.properties.kinds import Trace
from checker.render.events import Cast

VERSION = 1


def document_of(report: Report) -> dict[str, Any]:
    """A report of `drive`."""
    return {
        "version": VERSION,
        "adapter": report.name,
        "spec": report.spec,
        "check": report.check,
        "result": report.outcome.value,
        "phases": [_phase(phase) for phase in report.phases],
        "coverage": counts_of(report),
        "observed": list(report.observed),
        "unobserved": list(report.unobserved),
        "lacks": list(report.lacks),
        **cast_object(report.cast),
    }


def cast_object(cast: Cast) -> dict[str, Any]:
    """Who takes part."""
    return {"processes": list(cast.processes), "own_faults": sorted(cast.own_faults)}


def counts_of(report: Report) -> dict[str, Any]:
    """The coverage in numbers, with the names of what is missing, but for transitions, which have none that say something."""
    return {
        "bound": report.coverage.bound,
        **{
            name: {
                "taken": len(share.taken),
                "total": share.total,
                "missing": [] if name == "transitions" else list(share.missing),
            }
            for name, share in report.coverage.parts.items()
        },
    }


def _phase(phase: Phase) -> dict[str, Any]:
    document: dict[str, Any] = {
        "mode": phase.mode.value,
        "result": phase.outcome.value,
        "text": phase.text,
        "seconds": round(phase.seconds, 3),
    }
    if phase.scene:
        document["scene"] = phase.scene
    if phase.mismatch is not None:
        document["mismatch"] = mismatch_object(phase.mismatch)
        document["choices"] = list(phase.choices)
        document["trace"] = None if phase.trace is None else trace_object(phase.trace)
    if phase.cast is not None:
        document |= cast_object(phase.cast)
    return document


def mismatch_object(mismatch: Mismatch) -> dict[str, Any]:
    """Where an implementation left its spec."""
    letters = mismatch.letters
    return {
        "matched": list(mismatch.matched),
        "step": mismatch.step,
        "forbidden": mismatch.forbidden,
        "problem": mismatch.problem,
        "fields": [
            {
                "name": f.name,
                "before": f.before,
                "spec": f.spec,
                "implementation": f.implementation,
                "sight": f.sight.name.lower(),
            }
            for f in mismatch.fields
        ],
        "network": None
        if letters is None
        else {"both": list(letters.both), "spec": list(letters.spec), "implementation": list(letters.implementation)},
        "text": mismatch.text(),
    }


def trace_object(trace: Trace) -> dict[str, Any]:
    """The way there."""
    return {
        "initial": dict(trace.initial),
        "steps": [{"step": step.step, "changes": dict(step.changes)} for step in trace.steps],
        "error": trace.error,
    }
