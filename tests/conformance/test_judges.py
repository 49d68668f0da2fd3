"""Judges of workloads on small histories: what is wrong, what only looks so, and what nobody knows."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from random import Random
from typing import Any

import pytest

from checker.cli.commands import conform as command
from checker.conformance.histories.history import History, Moment, history_of
from checker.conformance.histories.isolation import LEVELS
from checker.conformance.histories.verdict import Judgement, Verdict
from checker.conformance.links import Spread
from checker.conformance.nodes import faults, judges
from checker.conformance.nodes.protocol import NodeKilled
from checker.conformance.nodes.workloads import WORKLOADS, MalformedAnswer

Row = tuple[str, object, str, object]
"""The name of an operation, its value, how it ended, its result."""


def history(*rows: Row) -> History:
    """Each operation by a process of its own; all begin, and then end in this order."""
    moments = [Moment(i, "invoke", f, value, None, -1, 0) for i, (f, value, _, _) in enumerate(rows)]
    moments += [Moment(i, kind, f, result, None, -1, 0) for i, (f, _, kind, result) in enumerate(rows)]
    return history_of(moments)


def judged(judge: object, rows: Iterable[Row], final: int) -> Judgement:
    """The last `final` operations are those that are asked for in the end."""
    h = history(*rows)
    return judge(h, h.operations[len(h.operations) - final :])  # type: ignore[operator,no-any-return]


def kinds(judgement: Judgement) -> list[str]:
    return [f.kind for f in judgement.findings]


ADDED: list[Row] = [("add", 1, "ok", None), ("add", 2, "info", None), ("add", 3, "fail", None)]


@pytest.mark.parametrize(
    ("rows", "found"),
    [
        ([("read", None, "ok", [1])], []),
        ([("read", None, "ok", [2, 1])], []),
        ([("read", None, "ok", [2])], ["lost element"]),
        ([("read", None, "ok", [1, 4])], ["phantom element", "lost element"]),
        ([("read", None, "ok", [1, 1])], ["repeated element"]),
        ([("read", None, "ok", [True])], ["phantom element", "lost element", "lost element"]),
    ],
)
def test_sets(rows: list[Row], found: list[str]) -> None:
    last: Row = ("read", None, "ok", [1] if "phantom element" in found else rows[0][3])
    judgement = judged(judges.grow_only_set, [*ADDED, *rows, last], 1)
    assert sorted(set(kinds(judgement))) == sorted(set(found))
    assert judgement.verdict is (Verdict.ILLEGAL if found else Verdict.OK)


def test_what_was_seen_once_must_stay() -> None:
    rows: list[Row] = [("add", 2, "info", None), ("read", None, "ok", [2]), ("read", None, "ok", [])]
    assert kinds(judged(judges.grow_only_set, rows, 1)) == ["lost element"]


@pytest.mark.parametrize(
    ("value", "right"), [(5, True), (3, True), (9, True), (7, True), (4, False), (6, False), (2, False), (10, False)]
)
def test_counters(value: int, right: bool) -> None:
    """5 is known, and -2 and +4 may have happened: 5, 3, 9 or 7."""
    adds: list[Row] = [
        ("add", 5, "ok", None),
        ("add", -2, "info", None),
        ("add", 4, "info", None),
        ("add", 7, "fail", None),
    ]
    judgement = judged(judges.counter, [*adds, ("read", None, "ok", value)], 1)
    assert judgement.verdict is (Verdict.OK if right else Verdict.ILLEGAL)


@pytest.mark.parametrize("judge", [judges.grow_only_set, judges.counter, judges.logs])
def test_without_a_final_answer_nothing_is_known(judge: object) -> None:
    judgement = judged(judge, [("add", 1, "ok", None), ("add", 2, "ok", None)], 0)
    assert judgement.verdict is Verdict.INCOMPLETE
    assert "no node gave a final answer" in judgement.reason


def test_ids_and_echoes() -> None:
    rows: list[Row] = [("generate", None, "ok", v) for v in (1, True, "1", [1], 1.0)]
    assert judges.unique_ids(history(*rows)).verdict is Verdict.OK, "they are all different"
    assert kinds(judges.unique_ids(history(*rows, ("generate", None, "ok", [1])))) == ["duplicate id"]
    assert kinds(judges.echo(history(("echo", "a", "ok", "a"), ("echo", "b", "ok", "a")))) == ["other answer"]


def poll(start: int, *pairs: tuple[int, object]) -> dict[str, object]:
    return {"from": {"k": start}, "msgs": {"k": [list(pair) for pair in pairs]}}


SENT: list[Row] = [("send", ["k", m], "ok", ["k", o, m]) for o, m in ((0, "a"), (2, "b"), (5, "c"))]


@pytest.mark.parametrize(
    ("seen", "found"),
    [
        (poll(0, (0, "a"), (2, "b"), (5, "c")), set()),
        (poll(0, (0, "a"), (5, "c")), {"lost write"}),
        (poll(2, (2, "b"), (5, "c")), set()),
        (poll(0, (0, "a"), (2, "x"), (5, "c")), {"two messages at one offset", "phantom message"}),
        (poll(0, (0, "a"), (2, "b"), (4, "b"), (5, "c")), {"repeated message"}),
        (poll(0, (2, "b"), (0, "a"), (5, "c")), {"offsets go back"}),
        (poll(0, (0, "a"), (2, "b")), {"lost write"}),
    ],
)
def test_logs_in_the_end(seen: dict[str, object], found: set[str]) -> None:
    moments = [Moment(0, "invoke", "send", ["k", "z"], None, -1, 0)]  # overlaps everything, and nobody knows its end
    for _, value, kind, result in SENT:
        moments += [Moment(1, "invoke", "send", value, None, -1, 0), Moment(1, kind, "send", result, None, -1, 0)]
    moments += [Moment(2, "invoke", "poll all", None, None, -1, 0), Moment(2, "ok", "poll all", seen, None, -1, 0)]
    moments += [Moment(0, "info", "send", None, None, -1, 0)]
    h = history_of(moments)
    assert set(kinds(judges.logs(h, [op for op in h.operations if op.f == "poll all"]))) == found


def test_a_poll_may_end_early_but_not_pass_over() -> None:
    rows: list[Row] = [("poll", None, "ok", poll(0, (0, "a"))), ("poll", None, "ok", poll(0, (0, "a"), (5, "c")))]
    moments = []
    for i, (f, value, kind, result) in enumerate([*SENT, *rows]):
        moments += [Moment(i, "invoke", f, value, None, -1, 0), Moment(i, kind, f, result, None, -1, 0)]
    judgement = judges.logs(history_of(moments), [])
    assert kinds(judgement) == ["lost write"]
    assert judgement.findings[0].operations[1].result == rows[1][3]


@pytest.mark.parametrize(
    ("listed", "found"),
    [
        ({}, []),
        ({"k": 2}, []),
        ({"k": 0}, []),  # lower is allowed: a consumer sees some messages twice
        ({"k": 3}, ["made-up commit"]),
        ({"k": 7}, ["made-up commit"]),
        ({"other": 9}, []),  # nothing is known to be there, so nothing is passed over
    ],
)
def test_offsets_are_not_made_up(listed: dict[str, object], found: list[str]) -> None:
    rows: list[Row] = [*SENT, ("poll", None, "ok", {**poll(0, (0, "a"), (2, "b")), "commit": {"k": 2}})]
    rows += [
        ("assign", None, "ok", listed),
        ("poll", None, "ok", {**poll(0, (0, "a"), (2, "b"), (5, "c")), "commit": {"k": 5}}),
    ]
    moments = []
    for i, (f, value, kind, result) in enumerate(rows):
        moments += [Moment(i, "invoke", f, value, None, -1, 0), Moment(i, kind, f, result, None, -1, 0)]
    assert kinds(judges.logs(history_of(moments), [])) == found


@pytest.mark.parametrize(("offset", "found"), [(0, ["made-up commit"]), (-1, [])])
def test_without_a_commit_nothing_is_committed(offset: int, found: list[str]) -> None:
    moments = []
    for i, (f, value, kind, result) in enumerate([*SENT, ("assign", None, "ok", {"k": offset})]):
        moments += [Moment(i, "invoke", f, value, None, -1, 0), Moment(i, kind, f, result, None, -1, 0)]
    assert kinds(judges.logs(history_of(moments), [])) == found


def test_a_commit_that_is_under_way_may_be_listed() -> None:
    done = {**poll(0, (0, "a")), "commit": {"k": 0}, "error": "no answer in time"}
    rows: list[Row] = [*SENT, ("poll", None, "ok", done), ("assign", None, "ok", {"k": 0})]
    assert kinds(judges.logs(history(*rows), [])) == []


def test_a_poll_whose_commit_fails_has_seen_what_it_has_seen() -> None:
    async def call(body: dict[str, Any]) -> dict[str, Any]:
        if body["type"] == "poll":
            return {"type": "poll_ok", "msgs": {"k0": [[0, "a"], [1, "b"]]}}
        raise NodeKilled

    mind: dict[str, Any] = {}
    done = asyncio.run(WORKLOADS["kafka"](Random(1), ["n1"]).perform(call, "poll", None, mind))
    assert isinstance(done, dict)
    assert (done["commit"], done["error"]) == ({"k0": 1}, "the node was killed")
    assert mind == {"k0": 2}


@pytest.mark.parametrize("offsets", [{"k0": "1"}, {"k0": True}, {"k0": None}, {"k9": 1}])
def test_listed_offsets_are_numbers_for_keys(offsets: dict[str, object]) -> None:
    async def call(_: dict[str, Any]) -> dict[str, Any]:
        return {"type": "list_committed_offsets_ok", "offsets": offsets}

    with pytest.raises(MalformedAnswer, match="no whole number"):
        asyncio.run(WORKLOADS["kafka"](Random(1), ["n1"]).perform(call, "assign", None, {}))


# ---- plans and names


def test_plans_come_from_the_seed_and_have_every_kind() -> None:
    nodes = ("n1", "n2", "n3", "n4", "n5")
    for seed in range(20):
        windows = faults.plan(faults.KINDS, nodes, time=3, seed=seed)
        assert windows == faults.plan(faults.KINDS, nodes, time=3, seed=seed)
        assert {w.kind for w in windows} == set(faults.KINDS)
        ends = [0.0, *(t for w in windows for t in (w.begin, w.end)), 3.0]
        assert ends == sorted(ends)
        assert all(len(w.nodes) <= 2 for w in windows if w.kind in ("kill", "pause"))
        assert all(w.nodes and w.others and not set(w.nodes) & set(w.others) for w in windows if w.kind == "partition")
    assert len(faults.plan(("kill",), nodes, time=60, seed=1)) == 6
    assert faults.plan((), nodes, time=60, seed=1) == ()


def test_the_command_knows_every_name() -> None:
    assert set(command.WORKLOADS) == set(WORKLOADS)
    assert set(command.LEVELS) == set(LEVELS)
    assert command.FAULTS == faults.KINDS
    assert set(command.SPREADS) == {spread.value for spread in Spread}


@pytest.mark.parametrize("name", WORKLOADS)
def test_operations_come_from_the_seed(name: str) -> None:
    def drawn(seed: int) -> list[tuple[str, Any]]:
        workload = WORKLOADS[name](Random(seed), ["n1", "n2"])
        return [workload.choose() for _ in range(300)]

    assert drawn(1) == drawn(1)
    steps: list[list[object]] = [step for f, txn in drawn(1) if f == "txn" for step in txn]
    written = [(key, value) for f, key, value in steps if f != "r"]
    assert len(written) == len(set(written)), "no value is written twice to a key"


def test_the_topology_is_a_grid() -> None:
    body = WORKLOADS["broadcast"](Random(1), [f"n{i}" for i in range(1, 6)]).setup()
    assert body is not None
    assert body["topology"] == {
        "n1": ["n2", "n4"], "n2": ["n1", "n3", "n5"], "n3": ["n2"], "n4": ["n1", "n5"], "n5": ["n2", "n4"],
    }  # fmt: skip
