"""What a run on nodes came to, as text and as data.

The text says first how much was done, since a verdict is worth what it rests on; then what is wrong, with the operations that
show it; then the command that does it again. What nodes answered is a stranger's text and is shown cleaned.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from typing import Any, Final

from checker.conformance.histories.history import Operation, Outcome
from checker.conformance.histories.phrases import phrase
from checker.conformance.histories.verdict import Finding, Judgement
from checker.conformance.nodes.conform import Plan, Report, Result
from checker.render.plain import UNICODE, Signs, fitted, plural, shortened

VERSION: Final = 1
WIDTH: Final = 160
SHOWN: Final = 3
"""Findings that the text shows."""


def text_of(report: Report, signs: Signs = UNICODE) -> str:
    """The report for people."""
    return "".join(f"{fitted(line, signs)}\n" for line in _lines(report, signs))


def _lines(report: Report, signs: Signs) -> Iterator[str]:
    plan, history = report.plan, report.history
    faults = f", faults {', '.join(plan.faults)}" if plan.faults else ""
    yield f"{plan.workload} on {plural(plan.nodes, 'node')}, seed {plan.seed}{faults}"
    yield f"  {_counts(report)}, {plural(report.messages, 'message')}"
    if plan.faults:
        yield f"  {plural(report.overlapped, 'operation')} while a fault was at work"
        yield from (f"    {window}" for window in report.windows)
    if report.restarts.killed:
        yield f"  {plural(report.restarts.succeeded, 'operation')} succeeded after a restart"
    mark = {Result.PASSED: signs.met, Result.FAILED: signs.unmet, Result.INCOMPLETE: signs.incomplete}[report.result]
    if report.judgement is None:
        yield f"{mark} failed: {report.problem or 'nothing could be judged'}"
    else:
        yield f"{mark} {report.result.value}: {_verdict(report, report.judgement)}"
        for finding in report.judgement.findings[:SHOWN]:
            yield from _finding(finding)
        hidden = len(report.judgement.findings) - SHOWN + report.judgement.more
        if hidden > 0:
            yield f"  and {plural(hidden, 'finding')} more"
    if report.result is not Result.FAILED:
        yield from (f"  {reason}" for reason in _reasons(report))
    if report.result is not Result.PASSED:
        yield f"  again: {command_of(plan)}"
    if len(history.operations) == 0:
        yield "  no operation was asked for: is the time too short?"


def _counts(report: Report) -> str:
    counts = ", ".join(f"{report.history.count(outcome):,} {outcome.value}" for outcome in Outcome)
    return f"{plural(len(report.history.operations), 'operation')}: {counts}"


def _verdict(report: Report, judgement: Judgement) -> str:
    match report.result:
        case Result.PASSED:
            figures = ", ".join(f"{name} {value:,}" if isinstance(value, int) else f"{name} {value}"
                                for name, value in judgement.figures.items())  # fmt: skip
            return f"{judgement.consistency} ({figures})"
        case Result.FAILED:
            return f"not {judgement.consistency}"
    return f"not known to be {judgement.consistency}"


def _reasons(report: Report) -> Iterator[str]:
    if report.judgement is not None and report.judgement.reason:
        yield report.judgement.reason
    for text in report.shortcomings:
        if report.judgement is None or text not in report.judgement.reason:
            yield text


def _finding(finding: Finding) -> Iterator[str]:
    yield shortened(f"  {finding.kind}: {finding.message}", WIDTH)
    remarks = finding.remarks or ("",) * len(finding.operations)
    for op, remark in zip(finding.operations, remarks, strict=False):
        yield shortened(f"    {_moment(op)}  {op.process}: {phrase(op)}{f'   {remark}' if remark else ''}", WIDTH)


def _moment(op: Operation) -> str:
    return f"{op.time / 1e9:8.3f} s"


def command_of(plan: Plan) -> str:
    """The command that runs a plan again."""
    default = Plan((), plan.workload)
    parts = ["lockstep", "conform", "--node", shlex.join(plan.command), "--workload", plan.workload]
    options: list[tuple[str, object, object]] = [
        ("--nodes", plan.nodes, default.nodes),
        ("--clients", plan.clients, default.clients),
        ("--time", f"{plan.time:g}", f"{default.time:g}"),
        ("--rate", f"{plan.rate:g}", f"{default.rate:g}"),
        ("--timeout", f"{plan.timeout:g}", f"{default.timeout:g}"),
        ("--patience", f"{plan.patience:g}", f"{default.patience:g}"),
        ("--latency", f"{plan.quality.latency * 1000:g}", f"{default.quality.latency * 1000:g}"),
        ("--latency-spread", plan.quality.spread.value, default.quality.spread.value),
        ("--level", plan.level, default.level),
        ("--fault", ",".join(plan.faults), ""),
        ("--seed", plan.seed, None),
    ]
    for name, value, usual in options:
        if value != usual:
            parts += [name, str(value)]
    return shlex.join(parts)


def document_of(report: Report) -> dict[str, Any]:
    """The report for programs."""
    judgement, problem = report.judgement, report.problem
    return {
        "version": VERSION,
        "result": report.result.value,
        "workload": report.plan.workload,
        "nodes": report.plan.nodes,
        "seed": report.plan.seed,
        "command": command_of(report.plan),
        "operations": {outcome.value: report.history.count(outcome) for outcome in Outcome},
        "messages": report.messages,
        "faults": [
            {"kind": w.kind, "begin": round(w.begin, 3), "end": round(w.end, 3), "nodes": [*w.nodes]}
            for w in report.windows
        ],
        "overlapped": report.overlapped,
        "after_restarts": report.restarts.succeeded,
        "shortcomings": [*report.shortcomings],
        "judgement": None if judgement is None else _judgement(judgement),
        "problem": None if problem is None else {
            "node": problem.node, "kind": problem.trouble.value, "message": str(problem), "log": [*problem.log],
        },
    }  # fmt: skip


def _judgement(judgement: Judgement) -> dict[str, Any]:
    return {
        "model": judgement.model,
        "demanded": judgement.consistency,
        "verdict": judgement.verdict.value,
        "reason": judgement.reason,
        "figures": dict(judgement.figures),
        "findings": [
            {"kind": f.kind, "message": f.message, "operations": [phrase(op) for op in f.operations]}
            for f in judgement.findings
        ],
        "more": judgement.more,
    }
