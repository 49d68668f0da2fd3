"""Sets, queues, identifiers, locks, counters and convergence: what each check finds and what it lets pass."""

from __future__ import annotations

from typing import Any

import pytest

from checker.base.diagnostics import SpecError
from checker.conformance.histories.history import History, Moment, history_of
from checker.conformance.histories.judge import NAMES, judge, levels
from checker.conformance.histories.verdict import Verdict
from tests.conformance.histories.worlds import world

Event = tuple[Any, ...]


def history(*events: Event) -> History:
    """Events as (process, type, f, value)."""
    return history_of(Moment(p, t, f, v, None, -1, n) for n, (p, t, f, v) in enumerate(events, 1))


def done(process: object, f: str, asked: Any, answered: Any = None, how: str = "ok") -> list[Event]:
    return [(process, "invoke", f, asked), (process, how, f, asked if answered is None else answered)]


def overlapping(f: str, value: Any) -> list[Event]:
    """Two operations at once, so that a history can show something."""
    return [("a", "invoke", f, value), *done("b", f, value), ("a", "ok", f, value)]


ADDS = [(0, "invoke", "add", 1), *done(1, "add", 2), (0, "ok", "add", 1)]
PUTS = [(0, "invoke", "enqueue", 1), *done(1, "enqueue", 2), (0, "ok", "enqueue", 1)]
LOCKS = [*done(0, "acquire", None, 1), (0, "invoke", "release", None), (1, "invoke", "acquire", None)]

CASES: dict[str, tuple[str, list[Event], Verdict, list[str]]] = {
    "set": ("grow-set", [*ADDS, *done(0, "read", None, [1, 2])], Verdict.OK, []),
    "set, recovered": (
        "grow-set", [*ADDS, *done(2, "add", 3, how="info"), *done(0, "read", None, [1, 2, 3])], Verdict.OK, [],
    ),
    "set, failed": ("grow-set", [*ADDS, *done(2, "add", 3, how="fail"), *done(0, "read", None, [1, 2])], Verdict.OK, []),
    "set, lost": ("grow-set", [*ADDS, *done(0, "read", None, [2])], Verdict.ILLEGAL, ["lost element"]),
    "set, unexpected": ("grow-set", [*ADDS, *done(0, "read", None, [1, 2, 9])], Verdict.ILLEGAL, ["unexpected element"]),
    "set, never read": ("grow-set", ADDS, Verdict.INCOMPLETE, []),
    "queue": ("total-queue", [*PUTS, *done(0, "dequeue", None, 2), *done(0, "drain", None, [1])], Verdict.OK, []),
    "queue, lost": ("total-queue", [*PUTS, *done(0, "drain", None, [1])], Verdict.ILLEGAL, ["lost element"]),
    "queue, twice": (
        "total-queue", [*PUTS, *done(0, "dequeue", None, 2), *done(0, "drain", None, [1, 2])], Verdict.ILLEGAL,
        ["duplicate element"],
    ),
    "queue, unexpected": (
        "total-queue", [*PUTS, *done(0, "drain", None, [1, 2, 3])], Verdict.ILLEGAL, ["unexpected element"],
    ),
    "queue, not drained": ("total-queue", [*PUTS, *done(0, "dequeue", None, 2)], Verdict.INCOMPLETE, []),
    "queue, a crashed dequeue": (
        "total-queue", [*PUTS, *done(0, "dequeue", None, None, "info"), *done(2, "drain", None, [1])], Verdict.INCOMPLETE, [],
    ),
    "set, failed to be added again": (
        "grow-set", [*ADDS, *done(0, "add", 1, how="fail"), *done(0, "read", None, [2])], Verdict.ILLEGAL, ["lost element"],
    ),
    "set, added again and crashed": (
        "grow-set", [*ADDS, *done(0, "add", 1, how="info"), *done(0, "read", None, [2])], Verdict.ILLEGAL, ["lost element"],
    ),
    "set, failed and read": (
        "grow-set", [*ADDS, *done(0, "add", 3, how="fail"), *done(0, "read", None, [1, 2, 3])], Verdict.ILLEGAL,
        ["unexpected element"],
    ),
    "set, failed, added and read": (
        "grow-set", [*ADDS, *done(0, "add", 3, how="fail"), *done(0, "add", 3), *done(0, "read", None, [1, 2, 3])],
        Verdict.OK, [],
    ),
    "set, read before": (
        "grow-set", [*done(2, "read", None, [1]), *ADDS, *done(0, "read", None, [1, 2])], Verdict.ILLEGAL,
        ["unexpected element"],
    ),
    "set, read at once": (
        "grow-set", [(2, "invoke", "read", None), *ADDS, (2, "ok", "read", [1]), *done(0, "read", None, [1, 2])],
        Verdict.OK, [],
    ),
    "queue, empty while something is put in": (
        "total-queue", [(0, "invoke", "enqueue", 1), *done(1, "dequeue", None), (0, "ok", "enqueue", 1)], Verdict.INCOMPLETE, [],
    ),
    "queue, put in again and crashed": (
        "total-queue",
        [(0, "invoke", "enqueue", 1), *done(1, "enqueue", 1, how="info"), (0, "ok", "enqueue", 1), *done(0, "dequeue", None)],
        Verdict.ILLEGAL, ["lost element"],
    ),
    "queue, put in again and failed": (
        "total-queue",
        [(0, "invoke", "enqueue", 1), *done(1, "enqueue", 1, how="fail"), (0, "ok", "enqueue", 1), *done(0, "dequeue", None)],
        Verdict.ILLEGAL, ["lost element"],
    ),
    "queue, put in twice and taken out once": (
        "total-queue", [*overlapping("enqueue", 1), *done(0, "dequeue", None, 1), *done(0, "dequeue", None)],
        Verdict.ILLEGAL, ["lost element"],
    ),
    "queue, one for certain and one perhaps": (
        "total-queue",
        [(0, "invoke", "enqueue", 1), *done(1, "enqueue", 1, how="info"), (0, "ok", "enqueue", 1),
         *done(0, "dequeue", None, 1), *done(0, "dequeue", None)],
        Verdict.OK, [],
    ),
    "queue, out before in": (
        "total-queue", [*done(2, "dequeue", None, 1), *PUTS, *done(0, "dequeue", None, 2)], Verdict.ILLEGAL,
        ["unexpected element"],
    ),
    "queue, out while in": (
        "total-queue", [(2, "invoke", "dequeue", None), *PUTS, (2, "ok", "dequeue", 1), *done(0, "drain", None, [2])],
        Verdict.OK, [],
    ),
    "queue, out twice before in twice": (
        "total-queue", [*PUTS, *done(2, "drain", None, [1, 2]), *done(2, "dequeue", None, 1), *done(0, "enqueue", 1)],
        Verdict.ILLEGAL, ["duplicate element"],
    ),
    "ids": ("unique-ids", [(0, "invoke", "generate", None), *done(1, "generate", None, 2), (0, "ok", "generate", 1)],
            Verdict.OK, []),
    "ids, twice": ("unique-ids", [*overlapping("generate", None), *done(0, "generate", None, 7), *done(1, "generate", None, 7)],
                   Verdict.ILLEGAL, ["duplicate id", "duplicate id"]),
    "mutex": ("mutex", [*LOCKS, (0, "ok", "release", None), (1, "ok", "acquire", None)], Verdict.OK, []),
    "mutex, granted while it is being released": (
        "mutex", [*LOCKS, (1, "ok", "acquire", None), (0, "ok", "release", None)], Verdict.OK, [],
    ),
    "mutex, two": (
        "mutex", [*LOCKS[:2], *done(1, "acquire", None, 1), *done(1, "release", None), *done(0, "release", None)],
        Verdict.ILLEGAL, ["held twice"],
    ),
    "mutex, never released": ("mutex", [*LOCKS[:2], *done(1, "acquire", None, 1)], Verdict.ILLEGAL, ["held twice"]),
    "mutex, a failed release": (
        "mutex", [*LOCKS[:2], *done(0, "release", None, how="fail"), *done(1, "acquire", None, 1)], Verdict.ILLEGAL,
        ["held twice"],
    ),
    "fencing": (
        "fenced-lock", [*LOCKS, (0, "ok", "release", None), (1, "ok", "acquire", 2), *done(0, "acquire", None, 5)],
        Verdict.OK, [],
    ),
    "fencing, back": (
        "fenced-lock", [*LOCKS, (0, "ok", "release", None), (1, "ok", "acquire", 9), *done(0, "acquire", None, 5)],
        Verdict.ILLEGAL, ["token not larger"],
    ),
    "fencing, the same": (
        "fenced-lock", [*LOCKS, (0, "ok", "release", None), (1, "ok", "acquire", 1)], Verdict.ILLEGAL, ["token given twice"],
    ),
    "counter": ("counter-bounds", [*ADDS, *done(0, "read", None, 3)], Verdict.OK, []),
    "counter, during an addition": (
        "counter-bounds", [(0, "invoke", "add", 5), *done(1, "read", None, 5), *done(1, "read", None, 0), (0, "ok", "add", 5)],
        Verdict.OK, [],
    ),
    "counter, crashed and negative": (
        "counter-bounds", [*ADDS, *done(2, "add", -2, how="info"), *done(0, "read", None, 1), *done(0, "read", None, 3)],
        Verdict.OK, [],
    ),
    "counter, too little": ("counter-bounds", [*ADDS, *done(0, "read", None, 2)], Verdict.ILLEGAL, ["total out of bounds"]),
    "counter, too much": ("counter-bounds", [*ADDS, *done(0, "read", None, 4)], Verdict.ILLEGAL, ["total out of bounds"]),
    "converging": ("converging", [*ADDS, *done(0, "read", None, [1, 2]), *done(1, "read", None, [1, 2])], Verdict.OK, []),
    "converging, late": (
        "converging", [*ADDS, *done(0, "read", None, [1]), *done(0, "read", None, [1, 2]), *done(1, "read", None, [1, 2])],
        Verdict.OK, [],
    ),
    "diverging": ("converging", [*ADDS, *done(0, "read", None, [1]), *done(1, "read", None, [1, 2])], Verdict.ILLEGAL,
                  ["no convergence"]),
    "diverging with a crashed write": (
        "converging", [*ADDS, *done(2, "add", 3, how="info"), *done(0, "read", None, [1]), *done(1, "read", None, [1, 2])],
        Verdict.INCOMPLETE, [],
    ),
    "converging, a key each": (
        "converging",
        [*ADDS, *done(0, "read", ["x", None], ["x", 1]), *done(1, "read", ["y", None], ["y", 2]),
         *done(2, "read", ["x", None], ["x", 1])],
        Verdict.OK, [],
    ),
    "diverging at a key": (
        "converging",
        [*ADDS, *done(0, "read", ["x", None], ["x", 1]), *done(1, "read", ["y", None], ["y", 2]),
         *done(2, "read", ["x", None], ["x", 2])],
        Verdict.ILLEGAL, ["no convergence"],
    ),
    "diverging lists of two": (
        "converging", [*ADDS, *done(0, "read", None, [1, 2]), *done(1, "read", None, [1, 3])], Verdict.ILLEGAL,
        ["no convergence"],
    ),
    "one reader": ("converging", [*ADDS, *done(0, "read", None, [1])], Verdict.INCOMPLETE, []),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_case(name: str) -> None:
    model, events, verdict, kinds = CASES[name]
    judgement = judge(history(*events), model)
    assert ([f.kind for f in judgement.findings], judgement.verdict) == (kinds, verdict), judgement
    assert bool(judgement.reason) == (verdict is Verdict.INCOMPLETE)


@pytest.mark.parametrize(("model", "kind"), [("counter-bounds", "counter"), ("grow-set", "set"), ("mutex", "lock")])
@pytest.mark.parametrize("seed", range(10))
def test_linearizable_objects_pass(model: str, kind: str, seed: int) -> None:
    assert judge(world(kind, seed, operations=150, crash=0.02), model).verdict is Verdict.OK


@pytest.mark.parametrize("seed", range(20))
def test_linearizable_queues_lose_nothing(seed: int) -> None:
    """What is left in the end is open; the queue was seen empty often enough before."""
    assert (
        judge(world("queue", seed, operations=40, crash=seed % 2 * 0.02), "total-queue").verdict is not Verdict.ILLEGAL
    )


def test_what_is_said_about_values_that_come_up_often() -> None:
    late = [*PUTS, *done(2, "drain", None, [1, 2]), *done(2, "dequeue", None, 1), *done(0, "enqueue", 1)]
    (finding,) = judge(history(*late), "total-queue").findings
    assert finding.message == "1 is put in 1 times until then and taken out 2 times"
    lost = [*overlapping("enqueue", 1), *done(0, "dequeue", None, 1), *done(0, "dequeue", None)]
    judgement = judge(history(*lost), "total-queue")
    assert judgement.findings[0].message == "1 is put in 2 times and comes out 1 times"
    assert judgement.figures == {"put in": 2, "taken out": 1, "left": 1}
    early = [*done(2, "dequeue", None, 1), *PUTS]
    assert judge(history(*early), "total-queue").findings[0].message == "1 is taken out before it is put in"
    before = judge(history(*done(2, "read", None, [1]), *ADDS, *done(2, "add", 3, how="fail"), *done(2, "read", None, [1, 2, 3])),
                   "grow-set")  # fmt: skip
    assert [f.message for f in before.findings] == [
        "a read sees 1, which is added later", "a read sees 3, which failed to be added",
    ]  # fmt: skip


# ---- nothing is good that could not have been bad


@pytest.mark.parametrize("model", ["register", "unique-ids", "list-append", "mutex"])
def test_without_success_nothing_is_proved(model: str) -> None:
    f, value = {"register": ("write", 1), "list-append": ("txn", [["append", 1, 1]]), "mutex": ("acquire", None)}.get(
        model, ("generate", None)
    )
    judgement = judge(history(*done(0, f, value, how="fail")), model)
    assert (judgement.verdict, judgement.reason) == (Verdict.INCOMPLETE, "no operation succeeded")


def test_without_overlap_nothing_is_proved() -> None:
    judgement = judge(history(*done(0, "write", 1), *done(1, "read", None, 1)), "register")
    assert (judgement.verdict, judgement.reason) == (
        Verdict.INCOMPLETE, "no two operations overlap, so nothing was at risk",
    )  # fmt: skip


def test_what_is_wrong_is_wrong_also_in_a_part() -> None:
    events = [*done(0, "write", 1), *done(1, "read", None, 2), (2, "invoke", "write", 3)]
    assert judge(history(*events), "register").verdict is Verdict.ILLEGAL
    cut = judge(history(*overlapping("write", 1), (2, "invoke", "write", 3)), "register")
    assert (cut.verdict, cut.reason) == (Verdict.INCOMPLETE, "the record is cut off: 1 operation has no completion")


# ---- names


@pytest.mark.parametrize("model", NAMES)
def test_every_model_is_judged_at_every_level(model: str) -> None:
    """An operation that no model has is refused by all alike, and nothing else goes wrong."""
    for level in levels(model) or (None,):
        if model == "converging":
            continue
        with pytest.raises(SpecError, match="PSM852"):
            judge(history(*done(0, "dance", [1])), model, level)


@pytest.mark.parametrize(("model", "level", "message"), [
    ("registre", None, "there is no model `registre`"),
    ("register", "linearisable", "`register` has no level `linearisable`"),
    ("mutex", "linearizable", "`mutex` has no level `linearizable`"),
])  # fmt: skip
def test_unknown_names(model: str, level: str | None, message: str) -> None:
    with pytest.raises(SpecError, match=message):
        judge(history(*done(0, "read", None)), model, level)
