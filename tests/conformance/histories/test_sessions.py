"""Session guarantees and causal consistency: textbook histories, and histories of objects that have them by construction."""

from __future__ import annotations

import random
from typing import Any

import pytest

from checker.base.diagnostics import SpecError
from checker.conformance.histories.history import History, Moment, history_of
from checker.conformance.histories.models import KeyValue
from checker.conformance.histories.ordered import linearizable, sequential
from checker.conformance.histories.sessions import GUARANTEES, causal, session
from checker.conformance.histories.verdict import Verdict
from tests.conformance.histories.worlds import simulate


def history(*sessions: str) -> History:
    """Each text is a process: `wx1 rx1 ry-`, a write, a read, a read of nil. All processes begin before any ends."""
    moments: list[Moment] = []
    steps = [[(t[0], t[1], None if t[2:] == "-" else int(t[2:])) for t in text.split()] for text in sessions]
    for process in range(len(steps)):
        for kind, key, value in steps[process]:
            f = "write" if kind == "w" else "read"
            asked: Any = [key, value] if kind == "w" else [key, None]
            moments.append(Moment(process, "invoke", f, asked, None, -1, len(moments) + 1))
            moments.append(Moment(process, "ok", f, [key, value], None, -1, len(moments) + 1))
    return history_of(moments)


CASES: dict[str, tuple[History, set[str]]] = {
    "nothing wrong": (history("wx1 wx2", "rx1 rx2", "rx2 wx3 rx3"), set()),
    "own write not seen": (history("wx1 rx-"), {"read-your-writes", "causal"}),
    "own write unseen behind one's own older one": (history("wx1 wx2 rx1"), {"read-your-writes", "causal"}),
    "back in time": (history("wx1 wx2", "rx2 rx1"), {"monotonic-reads", "causal"}),
    "back to nil": (history("wx1", "rx1 rx-"), {"monotonic-reads", "causal"}),
    "two readers, two orders": (history("wx1", "wx2", "rx1 rx2", "rx2 rx1"), {"monotonic-reads", "causal"}),
    "a second write seen, the first not": (history("wx1 wy1", "ry1 rx-"), {"monotonic-writes", "causal"}),
    "an answer seen, its question not": (history("wx1", "rx1 wy1", "ry1 rx-"), {"writes-follow-reads", "causal"}),
    "an older question": (history("wx1 wx2", "rx2 wy1", "ry1 rx1"), {"writes-follow-reads", "causal"}),
    "transitive": (history("wx1 wz1", "rz1 wy1", "ry1 rx-"), {"causal"}),
    "concurrent writes seen in any order before one sees both": (history("wx1", "wx2", "rx1", "rx2"), set()),
    "store buffering is causal": (history("wx1 ry-", "wy1 rx-"), set()),
}


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("guarantee", [*GUARANTEES, "causal"])
def test_textbook(name: str, guarantee: str) -> None:
    case, broken = CASES[name]
    judgement = causal(case, KeyValue) if guarantee == "causal" else session(case, KeyValue, (guarantee,))
    assert judgement.verdict is (Verdict.ILLEGAL if guarantee in broken else Verdict.OK), judgement.findings


@pytest.mark.parametrize("guarantee", [*GUARANTEES, "causal"])
def test_a_crashed_write_need_not_be_seen(guarantee: str) -> None:
    """The process goes on after it, and what it writes then is seen without it."""
    events = [
        (0, "invoke", "write", ["x", 1]), (0, "info", "write", ["x", 1]), (0, "invoke", "write", ["y", 1]),
        (0, "ok", "write", ["y", 1]), (0, "invoke", "read", ["x", None]), (0, "ok", "read", ["x", None]),
        (1, "invoke", "read", ["y", None]), (1, "ok", "read", ["y", 1]),
        (1, "invoke", "read", ["x", None]), (1, "ok", "read", ["x", None]),
    ]  # fmt: skip
    made = history_of(Moment(p, t, f, v, None, -1, 0) for p, t, f, v in events)
    judgement = causal(made, KeyValue) if guarantee == "causal" else session(made, KeyValue, (guarantee,))
    assert judgement.verdict is Verdict.OK, judgement.findings


def test_a_crashed_write_that_was_seen_is_not_unseen() -> None:
    events = [
        (0, "invoke", "write", ["x", 1]), (0, "info", "write", ["x", 1]),
        (1, "invoke", "read", ["x", None]), (1, "ok", "read", ["x", 1]),
        (1, "invoke", "read", ["x", None]), (1, "ok", "read", ["x", None]),
    ]  # fmt: skip
    made = history_of(Moment(p, t, f, v, None, -1, 0) for p, t, f, v in events)
    assert causal(made, KeyValue).verdict is Verdict.ILLEGAL
    assert session(made, KeyValue, ("monotonic-reads",)).verdict is Verdict.ILLEGAL


@pytest.mark.parametrize("later", ["x", "y"])
def test_a_crashed_write_that_was_seen_is_not_unseen_though_its_process_goes_on(later: str) -> None:
    crashed = [(0, "invoke", "write", ["x", 1]), (0, "info", "write", ["x", 1])]
    goes_on = [(0, "invoke", "write", [later, 2]), (0, "ok", "write", [later, 2])]
    seen = [(1, "invoke", "read", ["x", None]), (1, "ok", "read", ["x", 1])]
    unseen = [(1, "invoke", "read", ["x", None]), (1, "ok", "read", ["x", None])]
    for order in ((crashed, seen, goes_on, unseen), (crashed, goes_on, seen, unseen), (crashed, goes_on, unseen, seen)):
        made = history_of(Moment(p, t, f, v, None, -1, 0) for events in order for p, t, f, v in events)
        expected = Verdict.OK if order[-1] is seen else Verdict.ILLEGAL
        assert causal(made, KeyValue).verdict is expected
        assert session(made, KeyValue, ("monotonic-reads",)).verdict is expected


def test_a_crashed_write_is_not_in_the_past_of_what_its_process_does_later() -> None:
    """It takes effect after the second one, and one process sees that, while another does not see it yet."""
    events = [
        (0, "invoke", "write", ["x", 1]), (0, "info", "write", ["x", 1]),
        (0, "invoke", "write", ["x", 2]), (0, "ok", "write", ["x", 2]),
        (1, "invoke", "read", ["x", None]), (1, "ok", "read", ["x", 2]),
        (1, "invoke", "read", ["x", None]), (1, "ok", "read", ["x", 1]),
        (0, "invoke", "read", ["x", None]), (0, "ok", "read", ["x", 2]),
    ]  # fmt: skip
    made = history_of(Moment(p, t, f, v, None, -1, 0) for p, t, f, v in events)
    assert causal(made, KeyValue).verdict is Verdict.OK
    assert session(made, KeyValue).verdict is Verdict.OK


@pytest.mark.parametrize("seed", range(60))
def test_linearizable_histories_are_causal_with_processes_that_go_on_after_crashes(seed: int) -> None:
    """Lists, of which the last value is read, are registers that are written each value once."""
    moments = []
    for moment in simulate("list", random.Random(seed), operations=40, clients=3, keys=2, crash=0.2, goes_on=True):
        key, value = moment.value  # type: ignore[misc]
        f = "write" if moment.f == "append" else "read"
        last = value[-1] if isinstance(value, list) and value else None  # type: ignore[has-type]
        moments.append(moment._replace(f=f, value=[key, value if f == "write" else last]))  # type: ignore[has-type]
    made = history_of(moments)
    assert causal(made, KeyValue).verdict is Verdict.OK
    assert session(made, KeyValue).verdict is Verdict.OK


def test_a_finding_shows_who_wrote_and_who_read() -> None:
    (finding,) = session(history("wx1 wx2", "rx2 rx1"), KeyValue, ("monotonic-reads",)).findings
    assert finding.kind == "not monotonic-reads"
    assert {(op.process, op.f) for op in finding.operations} == {(0, "write"), (1, "read")}
    assert len(finding.operations) == len(finding.remarks)


def random_history(seed: int) -> History:
    """Few processes and values, reads of anything: mostly wrong in some way."""
    rng = random.Random(seed)
    fresh = iter(range(1, 99))
    written: dict[str, list[str]] = {"x": ["-"], "y": ["-"]}
    sessions: list[list[str]] = [[] for _ in range(rng.randrange(2, 4))]
    for _ in range(rng.randrange(3, 8)):
        key = rng.choice("xy")
        if rng.random() < 0.5:
            value = str(next(fresh))
            written[key].append(value)
            rng.choice(sessions).append(f"w{key}{value}")
        else:
            rng.choice(sessions).append(f"r{key}{rng.choice(written[key])}")
    return history(*(" ".join(s) for s in sessions))


def test_stronger_consistency_implies_weaker_on_random_histories() -> None:
    """Sequential histories are causal, and causal ones keep every session guarantee."""
    counts = {"sequential": 0, "causal": 0, "wrong": 0}
    for seed in range(300):
        made = random_history(seed)
        is_causal = causal(made, KeyValue).verdict is Verdict.OK
        keeps = session(made, KeyValue).verdict is Verdict.OK
        if sequential(made, KeyValue).verdict is Verdict.OK:
            counts["sequential"] += 1
            assert is_causal, made
        if is_causal:
            counts["causal"] += 1
            assert keeps, made
        counts["wrong"] += not is_causal
    assert counts["causal"] > counts["sequential"] > 20
    assert counts["wrong"] > 20


def replicated(seed: int) -> History:
    """Replicas that take over each other's writes in causal order, last writer wins: causal, and not linearizable."""
    rng = random.Random(seed)
    logs: list[list[tuple[int, str, int]]] = [[] for _ in range(3)]
    seen: list[dict[int, int]] = [dict.fromkeys(range(3), 0) for _ in range(3)]
    after: dict[tuple[int, int], dict[int, int]] = {}
    stores: list[dict[str, tuple[int, int]]] = [{} for _ in range(3)]
    moments: list[Moment] = []
    stamp = 0
    for _ in range(120):
        here = rng.randrange(3)
        there = rng.randrange(3)
        at = seen[here][there]
        ready = at < len(logs[there]) and all(seen[here][p] >= n for p, n in after[there, at].items() if p != there)
        if here != there and rng.random() < 0.4 and ready:
            time, key, value = logs[there][at]
            stores[here][key] = max(stores[here].get(key, (0, 0)), (time, value))
            seen[here][there] += 1
            stamp = max(stamp, time)
            continue
        key = rng.choice("xyz")
        if rng.random() < 0.4:
            stamp += 1
            after[here, len(logs[here])] = dict(seen[here])
            logs[here].append((stamp, key, stamp))
            seen[here][here] += 1
            stores[here][key] = (stamp, stamp)
            f, asked, answered = "write", stamp, stamp
        else:
            f, asked, answered = "read", None, stores[here].get(key, (0, None))[1]  # type: ignore[assignment]
        moments += [Moment(here, t, f, [key, v], None, -1, 0) for t, v in (("invoke", asked), ("ok", answered))]
    return history_of(moments)


def test_replicas_in_causal_order_are_causal() -> None:
    strong = 0
    for seed in range(15):
        made = replicated(seed)
        judgement = causal(made, KeyValue)
        assert judgement.verdict is Verdict.OK, judgement.findings
        assert session(made, KeyValue).verdict is Verdict.OK
        strong += linearizable(made, KeyValue).verdict is Verdict.OK
    assert strong < 5


def test_what_nobody_wrote_and_what_is_written_twice() -> None:
    (finding,) = causal(history("rx7"), KeyValue).findings
    assert finding.kind == "unexpected value"
    with pytest.raises(SpecError, match='1 is written to key "x" for the second time'):
        causal(history("wx1", "wx1"), KeyValue)
