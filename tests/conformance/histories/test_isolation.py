"""Isolation levels: each anomaly is found where it was planted, with the cycle that is known, and none in clean histories."""

from __future__ import annotations

import random
import time
from typing import Any

import pytest

from checker.base.diagnostics import SpecError
from checker.conformance.histories.dependencies import ALL, Graph, strong
from checker.conformance.histories.history import History, Moment, history_of
from checker.conformance.histories.isolation import LEVELS, isolated, ruled_out, strongest
from checker.conformance.histories.verdict import Judgement, Verdict
from tests.conformance.histories import brute
from tests.conformance.histories.databases import database, serial

Parts = list[list[Any]]


def together(*transactions: Parts, ends: str = "ok") -> History:
    """Transactions of one process each, all of which overlap; `ends` is how each ends, or all do."""
    kinds = ends.split() * (len(transactions) if " " not in ends else 1)
    moments = [Moment(n, "invoke", "txn", t, None, -1, n + 1) for n, t in enumerate(transactions)]
    moments += [Moment(n, k, "txn", t, None, -1, 0) for n, (k, t) in enumerate(zip(kinds, transactions, strict=True))]
    return history_of(moments)


def one_by_one(*transactions: tuple[int, Parts]) -> History:
    """Transactions of the given processes, one after the other."""
    moments = [
        Moment(process, kind, "txn", parts, None, -1, n + 1)
        for n, (process, parts) in enumerate(transactions)
        for kind in ("invoke", "ok")
    ]
    return history_of(moments)


def kinds(judgement: Judgement) -> set[str]:
    found = str(judgement.figures["anomalies"])
    return set() if found == "none" else set(found.split(", "))


def consistent(judgement: Judgement) -> str:
    return str(judgement.figures["consistent with"])


def a(key: str, value: int) -> list[Any]:
    return ["append", key, value]


def w(key: str, value: int) -> list[Any]:
    return ["w", key, value]


def r(key: str, value: Any = None) -> list[Any]:
    return ["r", key, value]


LISTS: dict[str, tuple[History, set[str], str]] = {
    "G0": (
        together([a("x", 1), a("y", 1)], [a("x", 2), a("y", 2)], [r("x", [1, 2]), r("y", [2, 1])]),
        {"G0"},
        "no level",
    ),
    "G1a": (together([a("x", 1)], [r("x", [1])], ends="fail ok"), {"G1a"}, "read-uncommitted"),
    "G1b": (
        together([a("x", 1), a("x", 2)], [r("x", [1])], [r("x", [1, 2])]),
        {"G1b", "G-single"},
        "read-uncommitted",
    ),
    "G1c": (together([a("x", 1), r("y", [1])], [a("y", 1), r("x", [1])]), {"G1c"}, "read-uncommitted"),
    "G-single": (
        together([a("x", 1), a("y", 1)], [r("x", [1]), r("y", [])], [r("y", [1])]),
        {"G-single"},
        "read-committed",
    ),
    "G-nonadjacent": (
        together(  # T1 rw T2 wr T3 rw T4 wr T1
            [r("x", []), r("w", [1])], [a("x", 1), a("y", 1)], [r("y", [1]), r("z", [])], [a("z", 1), a("w", 1)],
            [r("x", [1]), r("z", [1])],
        ),
        {"G-nonadjacent"},
        "consistent-view",
    ),
    "G2-item": (
        together([r("x", []), a("y", 1)], [r("y", []), a("x", 1)], [r("x", [1]), r("y", [1])]),
        {"G2-item"},
        "snapshot-isolation",
    ),
    "lost update": (
        together([r("x", []), a("x", 1)], [r("x", []), a("x", 2)], [r("x", [1, 2])]),
        {"lost update", "G-single"},
        "read-committed",
    ),
    "internal": (together([a("x", 1), r("x", [])], [r("x", [1])]), {"internal"}, "consistent-view"),
    "internal, changed between two reads": (
        together([r("x", []), r("x", [1])], [a("x", 1)], [r("x", [1])]), {"internal"}, "consistent-view",
    ),
    "duplicate elements": (together([a("x", 1)], [r("x", [1, 1])]), {"duplicate elements"}, "no level"),
    "unexpected element": (together([a("x", 1)], [r("x", [1, 7])]), {"unexpected element"}, "no level"),
    "incompatible order": (
        together([a("x", 1)], [a("x", 2)], [r("x", [1, 2])], [r("x", [2, 1])]), {"incompatible order"}, "read-uncommitted",
    ),
    "incompatible order, each behind its own": (
        together([a("x", 1), r("x", [1])], [a("x", 2), r("x", [2])]), {"incompatible order"}, "read-uncommitted",
    ),
    "internal, read before it is appended": (
        together([r("x", [1]), a("x", 1)], [r("x", [1])]), {"internal"}, "consistent-view",
    ),
    "internal, read before it is appended, where others disagree": (
        together([r("x", [1]), a("x", 1)], [a("x", 2), a("x", 3)], [r("x", [2, 3])]), {"internal", "incompatible order"},
        "read-uncommitted",
    ),
    "incompatible order, of one transaction": (
        together([a("x", 1), a("x", 2)], [a("x", 3)], [r("x", [2, 1, 3])]), {"incompatible order"}, "read-uncommitted",
    ),
    "incompatible order, of one transaction in part": (
        together([a("x", 1), a("x", 2)], [r("x", [2])]), {"incompatible order", "G-single"}, "read-uncommitted",
    ),
    "appended around a read": (
        together([a("x", 1), r("x", [1]), a("x", 2)], [r("x", [1, 2])], [r("x", [1, 2, 3])], [r("x", [1, 2]), a("x", 3)]),
        set(), "strict-serializable",
    ),
    "floats are values": (together([["append", "x", 1.5], r("x", [1.5])], [r("x", [1.5])]), set(), "strict-serializable"),
}  # fmt: skip
"""What is planted, everything that follows from it, and the strongest levels that are left."""

REGISTERS: dict[str, tuple[History, set[str], str]] = {
    "G0": (
        together([r("x", 9), w("x", 1), r("y", 2), w("y", 1)], [r("x", 1), w("x", 2), r("y", 9), w("y", 2)],
                 [w("x", 9), w("y", 9)]),
        {"G0", "G1c"},
        "no level",
    ),
    "G1a": (together([w("x", 1)], [r("x", 1)], ends="fail ok"), {"G1a"}, "read-uncommitted"),
    "G1b": (together([w("x", 1), w("x", 2)], [r("x", 1)]), {"G1b", "G-single"}, "read-uncommitted"),
    "G1c": (together([w("x", 1), r("y", 1)], [w("y", 1), r("x", 1)]), {"G1c"}, "read-uncommitted"),
    "G-single": (together([w("x", 1), w("y", 1)], [r("x", 1), r("y", None)]), {"G-single"}, "read-committed"),
    "G2-item": (together([r("x"), w("y", 1)], [r("y"), w("x", 1)]), {"G2-item"}, "snapshot-isolation"),
    "lost update": (
        together([r("x"), w("x", 1)], [r("x"), w("x", 2)]), {"lost update", "G2-item"}, "read-committed",
    ),
    "internal": (together([w("x", 1), r("x", 2)], [w("x", 2)]), {"internal"}, "consistent-view"),
    "internal, read before it is written": (together([r("x", 1), w("x", 1)], [r("x", 1)]), {"internal"}, "consistent-view"),
    "internal, read before it is written and overwritten": (
        together([r("x", 2), w("x", 1), w("x", 2)]), {"internal"}, "consistent-view",
    ),
    "cyclic versions": (
        together([r("x", 2), w("x", 1)], [r("x", 1), w("x", 2)]), {"cyclic versions", "G0", "G1c"}, "no level",
    ),
    "unexpected element": (together([w("x", 1)], [r("x", 7)]), {"unexpected element"}, "no level"),
}  # fmt: skip


@pytest.mark.parametrize("name", LISTS)
def test_planted_in_lists(name: str) -> None:
    history, expected, level = LISTS[name]
    judgement = isolated(history, "list-append", "strict-serializable")
    assert judgement.verdict is (Verdict.ILLEGAL if expected else Verdict.OK)
    assert kinds(judgement) == expected
    assert consistent(judgement) == level


@pytest.mark.parametrize("name", REGISTERS)
def test_planted_in_registers(name: str) -> None:
    history, expected, level = REGISTERS[name]
    judgement = isolated(history, "rw-register", "strict-serializable")
    assert judgement.verdict is Verdict.ILLEGAL
    assert kinds(judgement) == expected
    assert consistent(judgement) == level


def test_a_read_that_is_too_old_violates_real_time_alone() -> None:
    history = one_by_one((0, [a("x", 1)]), (1, [r("x", [])]), (2, [r("x", [1])]))
    judgement = isolated(history, "list-append", "strict-serializable")
    assert kinds(judgement) == {"G-single-realtime"}
    assert consistent(judgement) == "strong-session-serializable"
    assert isolated(history, "list-append", "serializable").verdict is Verdict.OK


def test_a_process_that_does_not_see_its_own_writes() -> None:
    history = one_by_one((0, [a("x", 1)]), (0, [r("x", [])]), (2, [r("x", [1])]))
    judgement = isolated(history, "list-append", "strict-serializable")
    assert kinds(judgement) == {"G-single-process"}
    assert consistent(judgement) == "serializable"


def timed(*events: tuple[int, str, Parts]) -> History:
    """Events as (process, type, parts)."""
    return history_of(Moment(p, k, "txn", parts, None, -1, n) for n, (p, k, parts) in enumerate(events, 1))


LOST: dict[str, tuple[History, set[str], str]] = {
    "of one process": (
        one_by_one((0, [w("x", 1)]), (0, [w("x", 2)]), (0, [r("x", 1)])), {"G-single-process"}, "serializable",
    ),
    "of one process, seen by it after another write": (
        one_by_one((0, [w("x", 1)]), (0, [w("x", 2), w("y", 1)]), (1, [r("y", 1), r("x", 1)])), {"G-single-process"},
        "serializable",
    ),
    "of several": (
        one_by_one((0, [w("x", 1)]), (1, [w("x", 2)]), (2, [r("x", 1)]), (3, [r("x", 1)])), {"G-single-realtime"},
        "strong-session-serializable",
    ),
    "of several, two writes ago": (
        one_by_one((0, [w("x", 1)]), (1, [w("x", 2)]), (2, [w("x", 3)]), (3, [r("x", 1)])), {"G-single-realtime"},
        "strong-session-serializable",
    ),
    "read at once, and the other then": (
        timed((0, "invoke", [w("x", 1)]), (0, "ok", [w("x", 1)]), (1, "invoke", [w("x", 2)]), (2, "invoke", [r("x")]),
              (2, "ok", [r("x", 2)]), (3, "invoke", [r("x")]), (3, "ok", [r("x", 1)]), (1, "info", [w("x", 2)])),
        {"G-single-realtime"}, "strong-session-serializable",
    ),
    "nil behind many writes": (
        one_by_one(*((n, [w("x", n)]) for n in range(1, 12)), (99, [r("x")])), {"G-single-realtime"},
        "strong-session-serializable",
    ),
    "nil behind many writes of one process": (
        one_by_one(*((7, [w("x", n)]) for n in range(1, 12)), (7, [r("x")])), {"G-single-process"}, "serializable",
    ),
    "write skew in time": (
        one_by_one((0, [w("x", 1)]), (0, [w("y", 1)]), (1, [w("x", 2)]), (2, [w("y", 2)]), (3, [r("x", 2), r("y", 1)])),
        {"G-single-realtime"}, "strong-session-serializable",
    ),
}  # fmt: skip
"""Writes of registers that are lost, which only time tells."""


@pytest.mark.parametrize("name", LOST)
def test_a_write_that_is_lost_violates_levels_that_follow_time(name: str) -> None:
    history, expected, level = LOST[name]
    judgement = isolated(history, "rw-register", "strict-serializable")
    assert (kinds(judgement), consistent(judgement)) == (expected, level)
    assert isolated(history, "rw-register", "serializable").findings == ()


def test_an_edge_that_rests_on_time_says_so() -> None:
    (finding,) = isolated(LOST["of several"][0], "rw-register", "strict-serializable").findings
    assert finding.remarks[0] == (
        'rw to T2: it reads 1 at key "x", after the writing of which the other wrote 2'
    )  # fmt: skip


@pytest.mark.parametrize("last", [1, 2, 3])
def test_writes_that_overlap_may_be_in_any_order(last: int) -> None:
    """The third follows the first, and the second overlaps both."""
    history = timed(
        (0, "invoke", [w("x", 1)]), (1, "invoke", [w("x", 2)]), (0, "ok", [w("x", 1)]), (2, "invoke", [w("x", 3)]),
        (1, "ok", [w("x", 2)]), (2, "ok", [w("x", 3)]), (3, "invoke", [r("x")]), (3, "ok", [r("x", last)]),
    )  # fmt: skip
    assert kinds(isolated(history, "rw-register")) == ({"G-single-realtime"} if last == 1 else set())


def test_a_cycle_is_shown_with_its_edges_and_reasons() -> None:
    (finding,) = isolated(LISTS["G2-item"][0], "list-append").findings
    assert finding.message == "a cycle of 2 transactions: T1 rw T2 rw T1"
    assert [op.number for op in finding.operations] == [0, 1]
    assert finding.remarks == (
        'rw to T2: it reads key "x" without 1, which the other appends',
        'rw to T1: it reads key "y" without 1, which the other appends',
    )


def test_the_shortest_cycle_is_shown() -> None:
    """A chain of ten transactions that ends in its beginning, with a short cut from the third to the last."""
    chain: list[Parts] = [[a(f"k{n}", 1), r(f"k{n - 1}", [1])] for n in range(10)]
    chain[0][1] = r("k9", [1])
    chain[9].append(r("k2", [1]))
    (finding,) = isolated(together(*chain), "list-append").findings
    assert finding.kind == "G1c"
    assert len(finding.operations) == 4


def altered(seed: int, *, registers: bool) -> History:
    """A few transactions of a serial database; some reads are of another time, and some processes go on after a crash."""
    rng = random.Random(seed)
    crash, fail = rng.choice((0.0, 0.2)), rng.choice((0.0, 0.2))
    moments = serial(
        seed, transactions=rng.randrange(3, 6), clients=rng.randrange(2, 4), keys=rng.randrange(1, 3), longest=3,
        registers=registers, crash=crash, fail=fail,
    )  # fmt: skip
    if rng.random() < 0.5:
        moments = [m._replace(process=m.process % 3) for m in moments]  # type: ignore[operator]
    for at, moment in enumerate(moments):
        parts: Any = [list(part) for part in moment.value]  # type: ignore[attr-defined]
        for part in parts:
            if moment.type == "ok" and part[0] == "r" and rng.random() < 0.3:
                part[2] = rng.choice((None, 1, 2, 3)) if registers else (part[2] or [])[: rng.randrange(3)]
        moments[at] = moment._replace(value=parts)
    return history_of(moments)


def compare(registers: bool, seeds: range) -> dict[str, tuple[int, int]]:
    """At each level, how many histories are wrong, and how many of these are found to be."""
    wrong = dict.fromkeys(list(LEVELS)[-3:], (0, 0))
    for seed in seeds:
        try:
            history = altered(seed, registers=registers)
        except SpecError:  # processes of the same name overlap
            continue
        for level, (all_, found) in wrong.items():
            legal = brute.serializable(history, level)
            finds = bool(isolated(history, "rw-register" if registers else "list-append", level).findings)
            assert not (legal and finds), (seed, level)
            wrong[level] = all_ + (not legal), found + finds
    return wrong


@pytest.mark.parametrize("registers", [False, True])
def test_what_all_orders_allow_is_not_refused(registers: bool) -> None:
    for all_, found in compare(registers, range(250)).values():
        assert found > 0.95 * all_ > 40


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("registers", [False, True])
def test_clean_histories_are_strictly_serializable(seed: int, registers: bool) -> None:
    history = database(seed, transactions=800, clients=3 + 4 * seed, registers=registers, crash=0.02, fail=0.05)
    judgement = isolated(history, "rw-register" if registers else "list-append", "strict-serializable")
    assert judgement.verdict is Verdict.OK, judgement.findings
    assert kinds(judgement) == set()


@pytest.mark.parametrize("seed", range(6))
def test_a_stale_read_planted_in_a_clean_history_is_found(seed: int) -> None:
    """A read of an earlier version by a transaction that also saw something later."""
    rng = random.Random(seed)
    moments = serial(seed, transactions=250, clients=8, keys=4, per_key=1_000)
    done: list[tuple[int, Parts]] = [(n, m.value) for n, m in enumerate(moments) if m.type == "ok"]  # type: ignore[misc]
    full = [(n, at) for n, parts in done for at, (f, _, seen) in enumerate(parts) if f == "r" and len(seen) > 30]
    where, at = rng.choice(full)
    moment = moments[where]
    parts = [list(part) for part in moment.value]  # type: ignore[attr-defined]
    parts[at][2] = parts[at][2][:10]
    moments[where] = moment._replace(value=parts)
    judgement = isolated(history_of(moments), "list-append", "strict-serializable")
    assert judgement.verdict is Verdict.ILLEGAL


@pytest.mark.parametrize("seed", range(40))
def test_cycles_are_those_of_all_pairs(seed: int) -> None:
    """Strongly connected components against reachability between all pairs, on random graphs."""
    rng = random.Random(seed)
    size = rng.randrange(2, 14)
    graph: Graph = {n: [] for n in range(size)}
    for _ in range(rng.randrange(size * 2)):
        graph[rng.randrange(size)].append((rng.randrange(size), 1))
    reach = {n: {t for t, _ in targets} for n, targets in graph.items()}
    for _ in range(size):
        reach = {n: seen.union(*(reach[t] for t in seen)) for n, seen in reach.items()}
    expected = {frozenset(m for m in reach[n] if n in reach[m]) for n in graph if n in reach[n]}
    assert {frozenset(nodes) for nodes in strong(graph, ALL)} == {nodes for nodes in expected if len(nodes) > 1}


def test_levels_contain_each_other_as_the_literature_has_it() -> None:
    assert strongest(set()) == ["strict-serializable"]
    assert strongest(ruled_out(["G2-item"])) == ["snapshot-isolation"]
    assert strongest(ruled_out(["G-nonadjacent"])) == ["consistent-view"]
    assert strongest(ruled_out(["G1c"])) == ["read-uncommitted"]
    assert ruled_out(["G0"]) == set(LEVELS)
    assert strongest(ruled_out(["G0-realtime"])) == ["strong-session-serializable"]


def test_a_weaker_level_is_met_where_a_stronger_one_is_not() -> None:
    history = LISTS["G2-item"][0]
    assert isolated(history, "list-append", "snapshot-isolation").verdict is Verdict.OK
    assert isolated(history, "list-append", "repeatable-read").verdict is Verdict.ILLEGAL


@pytest.mark.parametrize(
    "value",
    ["x", [["append", 1]], [["move", 1, 2]], [[["append"], 1, 2]], None, [3], [["r", 1, "abc"]], [["r", [1], 2]]],
)
def test_what_is_no_transaction_is_refused_with_its_line(value: Any) -> None:
    with pytest.raises(SpecError, match="line 1: a transaction is a list of"):
        isolated(together(value), "list-append")


def test_a_value_that_is_appended_twice_cannot_be_judged() -> None:
    with pytest.raises(SpecError, match='written to key "x" for the second time'):
        isolated(together([a("x", 1)], [a("x", 1)]), "list-append")


def test_a_history_that_is_wrong_everywhere_is_refuted_in_bounded_time() -> None:
    """Each transaction reads what the next one appends: one component of all of them."""
    n = 5_000
    history = together(*([a(f"k{i}", 1), r(f"k{(i + 1) % n}", [1])] for i in range(n)))
    begin = time.process_time()
    judgement = isolated(history, "list-append", effort=100_000)
    assert time.process_time() - begin < 10
    assert judgement.verdict is Verdict.ILLEGAL
    assert {f.kind for f in judgement.findings} == {"G1c"}


@pytest.mark.slow
def test_a_hundred_thousand_transactions_take_two_seconds() -> None:
    history = database(1, transactions=100_000)
    best = 99.0
    for _ in range(3):
        begin = time.process_time()
        assert isolated(history, "list-append", "strict-serializable").verdict is Verdict.OK
        best = min(best, time.process_time() - begin)
    assert best <= 2
