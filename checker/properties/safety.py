"""Verdicts on invariants, step properties, `reach`, liveness, `NoError` and `NoDeadlock`.

An engine says what it found; the author said what should come of it. This module puts the two together. A violation is
certain however the exploration ended; "holds" is only said of a whole state space; "unreached" likewise. Every path is gone
again by the interpreter before anything is said of it (`replay`), and what it breaks is told for whom (`blame`). Where the engine
kept hashes instead of states, it may have missed one, and the result says with which probability. Where it left out steps
whose order does not matter (partial-order reduction), counts and coverage say nothing, and only what that regards is judged.
Liveness is judged on the whole graph or not at all; what an engine left open is `incomplete` with its reason, so that it
never looks like a pass.

The verdict of a check is the worst of its parts: an error, then an unmet expectation, then something incomplete.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from checker.engine.interface import Exploration, Finding, Path, Stop
from checker.engine.labels import StateView
from checker.engine.program import Program
from checker.lang.resolve import BUILTIN_PROPERTIES
from checker.model.layout import Layout
from checker.model.liveness import fairness_text
from checker.model.machine import Counts, Machine, Property
from checker.model.symmetry import is_about_symmetry
from checker.properties.answers import with_answers
from checker.properties.blame import blamed, left_out
from checker.properties.kinds import (
    CheckResult,
    CheckVerdict,
    CountExpectation,
    Coverage,
    Expected,
    Kind,
    PropertyResult,
    Trace,
    TraceStep,
    Verdict,
)
from checker.properties.levels import abstract_trace
from checker.properties.replay import verify

REDUCED = "partial-order reduction: the counts are those of a reduced graph, and traces may not be shortest"
STATES = "the limit on states was reached"
_STOPPED = {
    Stop.STATES: STATES,
    Stop.MEMORY: "the limit on memory was reached",
    Stop.TIME: "the limit on time was reached",
    Stop.INTERRUPTED: "interrupted",
}


def judge(machine: Machine, found: Exploration) -> CheckResult:
    """The result of a check."""
    program = verify(machine, found)
    view = StateView(Layout(machine))
    stopped = sampled(found) if found.sample is not None else _STOPPED.get(found.stop)
    inexact = (
        None if found.missed is None else f"not exact, a missed state has a probability of at most {found.missed:.1e}"
    )
    results = [_property(machine, found, view, p.name, Kind(p.kind), stopped) for p in machine.properties]
    if program is not None:
        results = [_blaming(program, p, r, found) for p, r in zip(machine.properties, results, strict=True)]
        results = [_answering(program, r, found) for r in results]
    results += [_property(machine, found, view, name, Kind.BUILTIN, stopped) for name in BUILTIN_PROPERTIES]
    if "bound" in found.broken:
        error = found.broken["bound"]
        results.append(_broken("bound", Kind.BUILTIN, None, error, view))
    counts = _counts(machine.counts, found)
    return CheckResult(
        name=machine.check,
        verdict=verdict_of(results, counts),
        states=found.states,
        transitions=found.transitions,
        depth=found.depth,
        seconds=found.seconds,
        engine=found.engine,
        properties=tuple(results),
        coverage=_coverage(machine, found),
        reason=stopped if stopped is not None else inexact,
        counts=counts,
        notes=(
            *(n for n in machine.notes if found.sample is None or not is_about_symmetry(n)),
            *([REDUCED] if found.reduced else []),
            *([] if program is None else _left_out(program, results, found)),
        ),
        diagnostics=machine.warnings,
        missed=found.missed,
        sample=found.sample,
        orbits=found.orbits,
        reduced=found.reduced,
    )


def sampled(found: Exploration) -> str:
    """How much a simulation tried, in words."""
    assert found.sample is not None
    early = "" if found.stop is Stop.SAMPLED else f", {_STOPPED[found.stop]}"
    runs, steps = found.sample.runs, found.transitions
    return f"only sampled, {runs:,} run{'s' * (runs != 1)} with {steps:,} step{'s' * (steps != 1)}{early}"


def verdict_of(results: list[PropertyResult], counts: CountExpectation | None) -> CheckVerdict:
    """The worst of the parts."""
    if any(r.verdict is Verdict.ERROR for r in results):
        return CheckVerdict.ERROR
    if any(r.met is False for r in results) or (counts is not None and counts.met is False):
        return CheckVerdict.FAIL
    if any(r.expected is not None and r.verdict is Verdict.INCOMPLETE for r in results):
        return CheckVerdict.INCOMPLETE
    return CheckVerdict.PASS


def _property(
    machine: Machine, found: Exploration, view: StateView, name: str, kind: Kind, stopped: str | None
) -> PropertyResult:
    expectation = machine.expectations.get(name)
    expected = expectation.verdict if expectation is not None else None
    if name in found.broken:
        return _broken(name, kind, expected, found.broken[name], view)
    unjudged = next((p.unjudged for p in machine.properties if p.name == name), None)
    if unjudged is not None:
        return PropertyResult(name, kind, expected, Verdict.INCOMPLETE, unjudged)
    if found.reduced and (expected is None or kind not in (Kind.INVARIANT, Kind.REACH, Kind.BUILTIN)):
        why = "not expected" if expected is None else "about more than single states"
        return PropertyResult(name, kind, expected, Verdict.INCOMPLETE, f"{why}, so not looked at with `--por`")
    if name in found.open:
        return PropertyResult(name, kind, expected, Verdict.INCOMPLETE, stopped or found.open[name])
    where = found.reached if kind is Kind.REACH else found.violations
    finding = where.get(name)
    if finding is not None:
        verdict = Verdict.HOLDS if kind is Kind.REACH else Verdict.VIOLATED
        reason = finding.note if finding.error is None else finding.error.headline()
        shown = trace(finding.path, view)
        if kind is Kind.REFINES:
            shown = replace(shown, abstract=abstract_trace(machine, name, finding.path))
        fairness = fairness_text(machine) if kind is Kind.LIVE else None
        return PropertyResult(name, kind, expected, verdict, reason, shown, finding.error, fairness)
    if stopped is not None:
        return PropertyResult(name, kind, expected, Verdict.INCOMPLETE, stopped)
    if kind is Kind.LIVE:
        if name not in found.held:
            return PropertyResult(name, kind, expected, Verdict.INCOMPLETE, "this exploration did not judge liveness")
        return PropertyResult(name, kind, expected, Verdict.HOLDS, fairness=fairness_text(machine))
    verdict = Verdict.UNREACHED if kind is Kind.REACH else Verdict.HOLDS
    return PropertyResult(name, kind, expected, verdict, None if found.missed is None else "not exact")


def _blaming(program: Program, prop: Property, result: PropertyResult, found: Exploration) -> PropertyResult:
    """A violation of an invariant or a step property, with who breaks it as its reason."""
    if result.verdict is not Verdict.VIOLATED or result.kind not in (Kind.INVARIANT, Kind.STEP):
        return result
    return replace(result, reason=blamed(program, prop, found.violations[prop.name].path))


def _left_out(program: Program, results: list[PropertyResult], found: Exploration) -> Iterator[str]:
    """What could have gone on where a run that should not exist stops."""
    for result in results:
        if result.kind is Kind.LIVE and result.met is False and result.trace is not None and result.trace.stutters:
            names = left_out(program, found.violations[result.name].path)
            if names:
                where = f"{', '.join(names)} {'is' if len(names) == 1 else 'are'} possible"
                yield f"{result.name} fails by a run that stops where {where}: what is not `fair` may be left out for ever"


def _answering(program: Program, result: PropertyResult, found: Exploration) -> PropertyResult:
    """A result whose trace tells what operations answered."""
    findings = found.reached if result.kind is Kind.REACH else found.violations
    if result.trace is None or result.name not in findings:
        return result
    return replace(result, trace=with_answers(program, result.trace, findings[result.name].path))


def _broken(name: str, kind: Kind, expected: Expected | None, finding: Finding, view: StateView) -> PropertyResult:
    reason = "cannot be evaluated" if finding.error is None else f"cannot be evaluated: {finding.error.headline()}"
    return PropertyResult(name, kind, expected, Verdict.ERROR, reason, trace(finding.path, view), finding.error)


def trace(path: Path, view: StateView) -> Trace:
    """A path as people and programs read it: the initial state, and what each step changes."""
    pairs = zip(path.states, path.states[1:], path.steps, strict=False)
    steps = tuple(TraceStep(step, view.changes(before, after)) for before, after, step in pairs)
    return Trace(view.initial(path.states[0]), steps, path.error, loop=path.loop)


def _counts(expected: Counts | None, found: Exploration) -> CountExpectation | None:
    if expected is None:
        return None
    met: bool | None = None
    if expected.judged and found.stop is Stop.DONE and not found.reduced:
        met = (
            expected.states == found.states
            and expected.transitions in (None, found.transitions)
            and expected.depth in (None, found.depth)
        )
    return CountExpectation(expected.states, expected.transitions, expected.depth, met)


def _coverage(machine: Machine, found: Exploration) -> Coverage:
    if found.reduced:  # what was left out would look as if it never happened
        return Coverage()
    tally = found.tally
    budgets = [b.key for b in machine.budgets if b.count and b.kind != "own"]
    own = {b.key for b in machine.budgets if b.kind == "own"}
    steps: Mapping[str, int] = {
        s.label: tally.units.get(s.label, 0)
        for s in machine.steps
        if s.kind != "tick" and (s.kind != "fault" or s.label in own)
    }
    if any(s.kind == "tick" for s in machine.steps):
        steps = {**steps, "tick": tally.units.get("tick", 0)}
    return Coverage(
        steps=steps,
        faults={key: tally.units.get(key, 0) for key in budgets},
        unreached=tuple(
            p.name
            for p in machine.properties
            if p.kind == "reach" and p.name not in found.reached and found.stop is Stop.DONE
        ),
        vacuous=tally.vacuous,
        enum_values=tally.enum_values,
        never_received=tally.never_received,
        empty_choices=tally.empty_choices,
        bound_cut=tally.bound_cut,
        limit_cut=tally.limit_cut,
        dropped=tally.dropped,
        never_false=tally.never_false,
    )
