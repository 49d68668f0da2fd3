"""From samples to figures: medians, ratios, mismatches, and the document that is written.

The median of several runs is robust against the one run that something else disturbed, and unlike the best of them it
does not reward luck. The least and the greatest are kept beside it, so that a reader sees how far to trust it. A ratio
is a quotient of medians; it compares peers on one machine in one session, which absolute numbers cannot do.

`document` is for programs, such as the site. Its `version` is 1: within a version keys may be added, and none is
renamed, removed or given another meaning.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Any

from benchmarks.cases import Case
from benchmarks.peers import Sample

VERSION = 1
YARDSTICK = "Spin"
"""The peer whose speed is 1 in the column of ratios."""

COMPARISONS = {
    "one_worker": "one worker",
    "one_processor": "one on one processor",
    "apart": "processes that share nothing",
}
"""What a peer is compared with besides that: the name in the document, and in words."""


@dataclass(frozen=True, slots=True)
class Spread:
    """The median of some numbers, and the range that they lie in."""

    median: float
    least: float
    greatest: float

    @staticmethod
    def of(values: Sequence[float]) -> Spread:
        return Spread(median(values), min(values), max(values))


@dataclass(frozen=True, slots=True)
class Compiled:
    """Seconds from the typed machine to its first explored state, and to optimised code."""

    case: Case
    first: Spread
    optimised: Spread


@dataclass(frozen=True, slots=True)
class Prompt:
    """How soon a long search answers, with so many workers."""

    case: Case
    workers: int
    interrupt: Spread
    """Seconds from Ctrl-C to the end of the process."""
    report: Spread
    """Seconds, the most between two reports of progress."""
    time: Spread
    """How long it took, as a ratio to the limit on time."""
    memory: Spread
    """The peak of the whole process, as a ratio to the limit on memory."""


@dataclass(frozen=True, slots=True)
class Result:
    """All runs of one peer on one case, or why there are none."""

    case: Case
    peer: str
    samples: tuple[Sample, ...] = ()
    absent: str | None = None
    failed: bool = False
    """Whether `absent` is an error and not merely something that is not installed."""

    against: Mapping[str, str] = field(default_factory=dict)
    """Names of other peers, by the names of `COMPARISONS`."""

    @property
    def rate(self) -> Spread | None:
        """Transitions a second."""
        rates = [one.transitions / max(one.explore, 1e-9) for one in self.samples]
        return Spread.of(rates) if rates else None

    @property
    def verdict(self) -> Spread | None:
        """Seconds until the whole process had answered."""
        return Spread.of([one.verdict for one in self.samples]) if self.samples else None

    @property
    def bytes_a_state(self) -> Spread | None:
        """Peak memory of the whole process by the number of states; on a small graph, the process is most of it."""
        found = [one.peak / one.states for one in self.samples if one.peak is not None and one.states]
        return Spread.of(found) if found else None

    def wrong(self) -> list[str]:
        """What is not as it is known to be, one line for each."""
        lines = []
        for what in ("states", "transitions"):
            known = getattr(self.case, what)
            lines += [
                f"{self.peer} on {self.case.name}: {number:,} {what}, and {known:,} are known"
                for number in sorted({getattr(one, what) for one in self.samples} - {known})
            ]
        return lines


def ratio(result: Result, results: Sequence[Result], other: str | None = YARDSTICK) -> float | None:
    """How many times as fast as another peer on the same case; None where either was not measured."""
    others = [one for one in results if one.case == result.case and one.peer == other]
    if result.rate is None or not others or others[0].rate is None:
        return None
    return result.rate.median / others[0].rate.median


def document(
    results: Sequence[Result],
    limits: Mapping[str, float] | str,
    runs: int,
    *,
    description: Mapping[str, Any],
    versions: Mapping[str, str] | None = None,
    day: str | None = None,
    compiled: Compiled | None = None,
    prompt: Sequence[Prompt] = (),
) -> dict[str, Any]:
    """Everything that was measured, as data for JSON. `limits` is a reason where they were not measured.

    `description`, `versions` and `day` are as `provenance` has them.
    """
    measured = not isinstance(limits, str)
    return {
        "version": VERSION,
        "runs": runs,
        "day": day,
        "machine": dict(description),
        "versions": dict(versions or {}),
        "limits_ns": dict(limits) if not isinstance(limits, str) else None,
        "limits_absent": None if measured else limits,
        "yardstick": YARDSTICK,
        "compilation": None
        if compiled is None
        else {
            "spec": compiled.case.spec,
            "check": compiled.case.check,
            "first_state_seconds": spread(compiled.first),
            "optimised_seconds": spread(compiled.optimised),
        },
        "promptness": [
            {
                "spec": one.case.spec,
                "check": one.case.check,
                "n": one.case.n,
                "workers": one.workers,
                "interrupt_seconds": spread(one.interrupt),
                "report_seconds": spread(one.report),
                "time_ratio": spread(one.time),
                "memory_ratio": spread(one.memory),
            }
            for one in prompt
        ],
        "results": [
            {
                "model": one.case.name,
                "spec": one.case.spec,
                "check": one.case.check,
                "n": one.case.n,
                "warm": one.case.warm,
                "peer": one.peer,
                "absent": one.absent,
                "failed": one.failed,
                "states": one.samples[0].states if one.samples else None,
                "transitions": one.samples[0].transitions if one.samples else None,
                "transitions_a_second": spread(one.rate),
                "verdict_seconds": spread(one.verdict),
                "bytes_a_state": spread(one.bytes_a_state),
                "ratio": ratio(one, results),
                **{what: one.against.get(what) for what in COMPARISONS},
                **{f"{what}_ratio": ratio(one, results, one.against.get(what)) for what in COMPARISONS},
                "wrong": one.wrong(),
            }
            for one in results
        ],
    }


def spread(found: Spread | None) -> dict[str, float] | None:
    """For JSON."""
    if found is None:
        return None
    return {"median": found.median, "least": found.least, "greatest": found.greatest}
