"""A judgement for people, as text, and for programs, as an object for JSON.

People see the verdict, what is wrong, and for each finding the fewest operations that show it, one in a line: where it stands
in the file, who asked, what was asked and answered, and how it leads to the next. Texts of a history come from strangers, so
what hides is made visible.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from checker.conformance.histories.edn import Keyword
from checker.conformance.histories.history import History, Operation
from checker.conformance.histories.phrases import phrase
from checker.conformance.histories.verdict import Finding, Judgement, Verdict
from checker.render.plain import Signs, fitted, plural

SHOWN: Final = 40
"""How many operations of a finding are shown."""

LAST: Final = 8
"""How many of the order that explains everything before it."""


def lines_of(judgement: Judgement, history: History, signs: Signs) -> Iterable[str]:
    """The lines that a terminal shows."""
    mark = {Verdict.OK: signs.met, Verdict.ILLEGAL: signs.unmet}.get(judgement.verdict, signs.incomplete)
    what = f"{judgement.model}, {judgement.consistency}" if judgement.consistency else judgement.model
    yield f"{mark} {fitted(history.name, signs)}: {judgement.verdict.value} ({what})"
    if judgement.reason:
        yield f"  {fitted(judgement.reason, signs)}"
    for finding in judgement.findings:
        yield ""
        yield from _finding(finding, signs)
    if judgement.more:
        yield ""
        yield f"  and {judgement.more:,} more of these kinds"
    yield ""
    figures = (
        f"{name}: {value:,}" if isinstance(value, int) else f"{name}: {value}"
        for name, value in judgement.figures.items()
    )
    yield f"  {fitted('; '.join(figures), signs)}"


def _finding(finding: Finding, signs: Signs) -> Iterable[str]:
    yield f"  {signs.unmet} {finding.kind}: {fitted(finding.message, signs)}"
    remarks = finding.remarks or ("",) * len(finding.operations)
    rows = [(_where(op), _who(op), phrase(op), remark) for op, remark in zip(finding.operations, remarks, strict=True)]
    cyclic = len(finding.operations) > 1 and any(" to T" in remark for remark in remarks)
    yield from _table(rows, signs, numbered=cyclic)
    if finding.order:
        last = finding.order[-LAST:]
        which = "" if len(last) == len(finding.order) else f", which ends with these {LAST}"
        yield f"    what came before has an order, of {plural(len(finding.order), 'operation')}{which}:"
        yield from _table([(_where(op), _who(op), phrase(op), "") for op in last], signs, numbered=False)


def _table(rows: list[tuple[str, str, str, str]], signs: Signs, *, numbered: bool) -> Iterable[str]:
    shown = rows if len(rows) <= SHOWN else [*rows[: SHOWN // 2], *rows[-SHOWN // 2 :]]
    widths = [max((len(row[column]) for row in shown), default=0) for column in range(3)]
    for number, row in enumerate(shown, 1):
        if len(rows) > SHOWN and number == SHOWN // 2 + 1:
            yield f"      {len(rows) - SHOWN:,} more {signs.more}"
        name = f"T{number}  " if numbered else ""
        cells = "  ".join(fitted(row[column], signs).ljust(widths[column]) for column in range(3))
        yield f"      {name}{cells}  {fitted(row[3], signs)}".rstrip()


def _where(op: Operation) -> str:
    return f"line {op.line}" if op.line else f"#{op.number}"


def _who(op: Operation) -> str:
    return f"process {op.process}"


def document(judgement: Judgement, history: History) -> dict[str, Any]:
    """The object of `--format json`, version 1."""
    return {
        "version": 1,
        "history": history.name,
        "model": judgement.model,
        "consistency": judgement.consistency,
        "verdict": judgement.verdict.value,
        "reason": judgement.reason,
        "findings": [_finding_object(finding) for finding in judgement.findings],
        "more": judgement.more,
        "figures": dict(judgement.figures),
    }


def _finding_object(finding: Finding) -> dict[str, Any]:
    remarks = finding.remarks or ("",) * len(finding.operations)
    return {
        "kind": finding.kind,
        "message": finding.message,
        "operations": [
            {**_operation(op), "remark": remark} for op, remark in zip(finding.operations, remarks, strict=True)
        ],
        "order": [_operation(op) for op in finding.order],
    }


def _operation(op: Operation) -> dict[str, Any]:
    return {
        "line": op.line,
        "process": op.process,
        "f": op.f,
        "key": plain(op.key),
        "value": plain(op.value),
        "result": plain(op.result),
        "outcome": op.outcome.value,
    }


def plain(value: Any) -> Any:
    """A value of EDN as one of JSON: keywords are texts, sets are sorted lists, other keys of maps are texts."""
    match value:
        case Keyword():
            return value.name
        case dict():
            return {str(plain(k)): plain(v) for k, v in value.items()}
        case list() | tuple():
            return [plain(v) for v in value]
        case set() | frozenset():
            return sorted((plain(v) for v in value), key=repr)
    return value
