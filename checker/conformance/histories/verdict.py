"""What a checker says about a history, as data.

"Unknown" is a verdict of its own: a budget ran out before the history was decided, and which one stands beside it. So is
"incomplete": nothing is wrong with the history, but it could not have shown that much. Neither is ever taken for good.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import field, replace
from enum import Enum

from checker.base.data import dataclass
from checker.conformance.histories.history import History, Operation


class Verdict(Enum):
    """What a history is under a model."""

    OK = "ok"
    ILLEGAL = "illegal"
    UNKNOWN = "unknown"
    INCOMPLETE = "incomplete"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong.

    Attributes:
        kind: a stable name, such as `not linearizable`, `G-single`, `lost element`.
        message: one sentence about it, without a full stop.
        operations: those that show it, fewest possible, in the order in which they are to be read.
        remarks: one for each of the operations, or none: how it leads to the next, what it saw.
        order: an order of operations that explains everything before what is wrong; only from searches.
    """

    kind: str
    message: str
    operations: tuple[Operation, ...] = ()
    remarks: tuple[str, ...] = ()
    order: tuple[Operation, ...] = ()


@dataclass(frozen=True, slots=True)
class Judgement:
    """The result of a check.

    Attributes:
        model: what the operations mean, such as `register`.
        consistency: what was demanded, such as `linearizable`.
        verdict: what came of it.
        reason: why it is unknown or incomplete, in one sentence; empty otherwise.
        findings: what is wrong, worst first.
        figures: what was counted, for people and programs.
        more: how many findings are left out, since they are like those that are listed.
    """

    model: str
    consistency: str
    verdict: Verdict
    reason: str = ""
    findings: tuple[Finding, ...] = ()
    figures: Mapping[str, int | str] = field(default_factory=dict)
    more: int = 0

    def within(self, history: History) -> Judgement:
        """The same, unless the history cannot support a good verdict."""
        if self.verdict is Verdict.OK and history.shortcomings:
            return replace(self, verdict=Verdict.INCOMPLETE, reason="; ".join(history.shortcomings))
        return self


MOST_FINDINGS = 10
"""How many findings of one kind are listed."""


def judged(
    model: str, consistency: str, findings: Iterable[Finding], figures: Mapping[str, int | str], *, open: str = ""
) -> Judgement:
    """A judgement from what was found; `open` says what could not be decided even so."""
    listed: list[Finding] = []
    kinds: dict[str, int] = {}
    for finding in findings:
        kinds[finding.kind] = kinds.get(finding.kind, 0) + 1
        if kinds[finding.kind] <= MOST_FINDINGS:
            listed.append(finding)
    more = sum(kinds.values()) - len(listed)
    verdict = Verdict.ILLEGAL if listed else Verdict.INCOMPLETE if open else Verdict.OK
    return Judgement(model, consistency, verdict, "" if listed else open, tuple(listed), figures, more)
