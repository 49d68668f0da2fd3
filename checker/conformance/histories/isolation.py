"""Isolation levels: which of them a history of transactions is consistent with.

Each level forbids anomalies. A history that shows one rules out the levels that forbid it, and with them all stronger
ones. What is left is consistent with what was seen; nobody can prove more than that by looking from outside.

| Level | forbids, beside what weaker levels forbid |
|---|---|
| `read-uncommitted` | `G0`, and reads that no order of versions explains |
| `read-committed` | `G1a`, `G1b`, `G1c`, reads that disagree about an order |
| `consistent-view` | `G-single`, lost updates |
| `snapshot-isolation` | `G-nonadjacent`, transactions that contradict themselves |
| `repeatable-read` | `G2-item`, `G-single`, lost updates, transactions that contradict themselves |
| `serializable` | nothing more: there are no predicates here |
| `strong-session-serializable` | the same cycles with edges of processes |
| `strict-serializable` | the same cycles with edges of real time |

`snapshot-isolation` and `repeatable-read` are stronger than what stands above them, and neither than the other.

Sources: Adya, Liskov and O'Neil, "Generalized Isolation Level Definitions", ICDE 2000; Kingsbury and Alvaro, "Elle".
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from checker.base.collector import no_collector
from checker.conformance.histories.anomalies import anomalies
from checker.conformance.histories.dependencies import Effort
from checker.conformance.histories.history import History, Outcome
from checker.conformance.histories.list_append import ListAppend
from checker.conformance.histories.rw_register import RwRegister
from checker.conformance.histories.transactions import Analysis
from checker.conformance.histories.verdict import Judgement, judged

LEVELS: Final[dict[str, tuple[str, ...]]] = {
    "read-uncommitted": (),
    "read-committed": ("read-uncommitted",),
    "consistent-view": ("read-committed",),
    "snapshot-isolation": ("consistent-view",),
    "repeatable-read": ("read-committed",),
    "serializable": ("snapshot-isolation", "repeatable-read"),
    "strong-session-serializable": ("serializable",),
    "strict-serializable": ("strong-session-serializable",),
}
"""Each level with those that it contains, weakest first."""

FORBIDDEN: Final[dict[str, str]] = {
    "unexpected element": "read-uncommitted",
    "duplicate elements": "read-uncommitted",
    "cyclic versions": "read-uncommitted",
    "G0": "read-uncommitted",
    "incompatible order": "read-committed",
    "G1a": "read-committed",
    "G1b": "read-committed",
    "G1c": "read-committed",
    "lost update": "consistent-view repeatable-read",
    "G-single": "consistent-view repeatable-read",
    "internal": "snapshot-isolation repeatable-read",
    "G-nonadjacent": "snapshot-isolation repeatable-read",
    "G2-item": "repeatable-read",
}
"""The weakest levels that forbid an anomaly, worst anomalies first."""


ANALYSES: Final[dict[str, type[Analysis[Any]]]] = {"list-append": ListAppend, "rw-register": RwRegister}


def isolated(history: History, model: str, level: str = "serializable", *, effort: int = 3_000_000) -> Judgement:
    """Whether transactions are as isolated as a level demands, and the strongest levels that they are consistent with.

    Args:
        history: operations of which each is a transaction.
        model: `list-append` or `rw-register`.
        level: one of LEVELS.
        effort: how many edges the search for short cycles may look at.

    Raises:
        SpecError: PSM852 for what is no transaction of the model.
    """
    work = Effort(effort)
    with no_collector():
        analysis = ANALYSES[model](history)
        found = [*analysis.findings, *anomalies(analysis.dependencies, analysis.why, work)]
    found.sort(key=lambda finding: _rank(finding.kind))
    kinds = list(dict.fromkeys(finding.kind for finding in found))
    edges = analysis.dependencies
    out = ruled_out(kinds) | ({"strict-serializable"} if edges.crowded else set())
    figures: dict[str, int | str] = {
        "transactions": len(history.operations),
        "committed": history.count(Outcome.OK),
        "dependencies": len(edges.ww[0]) + len(edges.wr[0]) + len(edges.rw[0]),
        "anomalies": ", ".join(kinds) or "none",
        "consistent with": " and ".join(strongest(out)) or "no level",
    }
    if work.short:
        figures["search"] = "cut short: cycles may be longer than need be, and there may be more kinds"
    relevant = [finding for finding in found if level in ruled_out([finding.kind])]
    crowded = "so many transactions overlap that real time is not followed" if edges.crowded else ""
    return judged(model, level, relevant, figures, open=crowded if level == "strict-serializable" else "")


def ruled_out(kinds: Iterable[str]) -> set[str]:
    """The levels that forbid one of these anomalies."""
    out: set[str] = set()
    for kind in kinds:
        for time, least in (
            ("-process", "strong-session-serializable"),
            ("-realtime", "strict-serializable"),
            ("", ""),
        ):
            if kind.endswith(time):
                out.update((least or FORBIDDEN[kind]).split())
                break
    for level, weaker in LEVELS.items():
        if not out.isdisjoint(weaker):
            out.add(level)
    return out


def strongest(out: set[str]) -> list[str]:
    """The levels that are left, without those that another one contains."""
    left = [level for level in LEVELS if level not in out]
    return [level for level in left if not any(level in LEVELS[other] for other in left)]


def _rank(kind: str) -> tuple[int, int]:
    for at, suffix in enumerate(("", "-process", "-realtime")):
        name = kind.removesuffix(suffix) if suffix else kind
        if name in FORBIDDEN:
            return at, list(FORBIDDEN).index(name)
    return 3, 0
