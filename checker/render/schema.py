"""The JSON that `lockstep check` prints, version 1: results as dictionaries, and nothing else.

The shape is part of the interface and is documented in `docs/reference/json.md`; a test keeps the two together. Keys may
be added within a version, and are never renamed or removed. A trace has one element for each step, so its length is that
of the counterexample; where it begins and the step that erred at its end stand beside it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from checker.base.data import dataclass
from checker.base.diagnostics import Diagnostic
from checker.engine.interface import Sample
from checker.properties.kinds import AbstractTrace, CheckResult, Coverage, PropertyResult, Trace

VERSION = 1

Object = dict[str, Any]


@dataclass(frozen=True, slots=True)
class SpecReport:
    """What came of one file. `spec` is None, and `checks` empty, where it could not be read or parsed."""

    path: str
    spec: str | None
    checks: tuple[CheckResult, ...] = ()
    diagnostics: tuple[Diagnostic, ...] = ()


def document(
    specs: Iterable[SpecReport], *, diagnostics: Sequence[Diagnostic] = (), interrupted: bool = False
) -> Object:
    """The document of a run. `diagnostics` are those of the command line, which belong to no spec."""
    result: Object = {"version": VERSION, "specs": [spec_object(s) for s in specs]}
    if diagnostics:
        result["diagnostics"] = [diagnostic_object(d) for d in diagnostics]
    if interrupted:
        result["interrupted"] = True
    return result


def spec_object(report: SpecReport) -> Object:
    """One file."""
    return {
        "path": report.path,
        "spec": report.spec,
        "checks": [check_object(c) for c in report.checks],
        "diagnostics": [diagnostic_object(d) for d in report.diagnostics],
    }


def check_object(check: CheckResult) -> Object:
    """One check."""
    return {
        "name": check.name,
        "verdict": check.verdict.value,
        "reason": check.reason,
        "states": check.states,
        "transitions": check.transitions,
        "depth": check.depth,
        "seconds": round(check.seconds, 6),
        "engine": check.engine,
        "missed": check.missed,
        "sample": None if check.sample is None else sample_object(check.sample),
        "orbits": check.orbits,
        "reduced": check.reduced,
        "counts": None
        if check.counts is None
        else {
            "states": check.counts.states,
            "transitions": check.counts.transitions,
            "depth": check.counts.depth,
            "met": check.counts.met,
        },
        "properties": [property_object(p) for p in check.properties],
        "coverage": coverage_object(check.coverage),
        "notes": list(check.notes),
        "diagnostics": [diagnostic_object(d) for d in check.diagnostics],
    }


def sample_object(sample: Sample) -> Object:
    """How much a simulation tried, and the runs that found something."""
    return {
        "seed": sample.seed,
        "runs": sample.runs,
        "depth": sample.length,
        "schedule": sample.schedule,
        "bug_depth": sample.depth,
        "counted": sample.counted,
        "found": {
            name: {"seed": origin.seed, "steps": origin.steps, "minimal": origin.minimal}
            for name, origin in sample.origins.items()
        },
    }


def property_object(result: PropertyResult) -> Object:
    """One property."""
    return {
        "name": result.name,
        "kind": result.kind.value,
        "expected": result.expected,
        "verdict": result.verdict.value,
        "reason": result.reason,
        "trace": None if result.trace is None else steps_list(result.trace),
        "initial": None if result.trace is None else dict(result.trace.initial),
        "error_step": None if result.trace is None else result.trace.error,
        "loop": None if result.trace is None else result.trace.loop,
        "abstract": None if result.trace is None else abstract_object(result.trace.abstract),
        "fairness": result.fairness,
        "diagnostic": None if result.diagnostic is None else diagnostic_object(result.diagnostic),
    }


def steps_list(trace: Trace) -> list[Object]:
    """The steps of a trace with what each changed."""
    return [{"step": s.step, "changes": dict(s.changes)} for s in trace.steps]


def abstract_object(trace: AbstractTrace | None) -> Object | None:
    """What a trace is in the abstract spec of a refinement."""
    if trace is None:
        return None
    return {
        "spec": trace.spec,
        "initial": dict(trace.initial),
        "matched": trace.matched,
        "steps": [{"step": s.step, "changes": dict(s.changes), "matched": s.matched} for s in trace.steps],
    }


def coverage_object(coverage: Coverage) -> Object:
    """What an exploration exercised, and what it did not."""
    return {
        "steps": dict(coverage.steps),
        "never_fired": list(coverage.never_fired),
        "faults": dict(coverage.faults),
        "unused_faults": list(coverage.unused_faults),
        "unreached": list(coverage.unreached),
        "vacuous": list(coverage.vacuous),
        "never_false": list(coverage.never_false),
        "enum_values": list(coverage.enum_values),
        "never_received": list(coverage.never_received),
        "empty_choices": dict(coverage.empty_choices),
        "bound_cut": coverage.bound_cut,
        "limit_cut": coverage.limit_cut,
        "dropped": coverage.dropped,
    }


def diagnostic_object(diagnostic: Diagnostic) -> Object:
    """One diagnostic; `path`, `line` and the rest of its place are null where it has none."""
    source, span = diagnostic.source, diagnostic.span
    start = source.place(span.start) if source is not None and span is not None else None
    end = source.place(span.end) if source is not None and span is not None else None
    return {
        "code": diagnostic.code,
        "severity": diagnostic.severity.value,
        "message": diagnostic.message,
        "path": None if source is None else source.name,
        "line": None if start is None else start.line,
        "column": None if start is None else start.column,
        "end_line": None if end is None else end.line,
        "end_column": None if end is None else end.column,
        "notes": list(diagnostic.notes),
        "help": diagnostic.help,
    }
