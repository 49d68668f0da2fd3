"""Why a check has so many states: what is computed by hand for products, and alike on a sample and on all states."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest

import checker
from checker.engine.interface import Limits, Stop
from checker.native import jit
from checker.native.engine import NativeEngine
from checker.native.search import NativeSearch
from checker.properties import survey
from checker.properties.explanation import Explanation

PRODUCT = """spec Product
const N: 1..5 = 2
const M: 0..5 = 3
const DOUBLE: 0..10 = 2 * N
role A { durable n: 0..N = 0  action Up when n < N { n += 1 } }
role B[2] { durable m: 0..M = 0  ghost seen: bool = false
  action Up when m < M { m += 1 }  action See { seen := true } }
final: true
check c { }
check one { M = 0 }
"""

QUEUE = """spec Queue
const K: 0..3 = 2
message Job(n: 0..3), Done
network fifo[4]
role Client { durable next: 0..3 = 0  action Ask when next < K { send Job(next) to Server  next += 1 }  on Done { } }
role Server { on Job(n) from c { send Done to c } }
final: true
check c { faults lose <= 1 }
"""

native = pytest.mark.skipif(jit.unavailable() is not None, reason=jit.unavailable() or "")


def named(found: Explanation) -> dict[str, float | None]:
    return {part.name: part.times for part in (*found.parts, *found.messages)}


def test_independent_parts_multiply_by_their_sizes() -> None:
    found = checker.loads(PRODUCT).explain()
    assert found.states == 3 * 4**2 * 2**2
    assert named(found) == {"A.n": 3, "B.m": 16, "B.seen": 4}
    (m,) = (part for part in found.parts if part.name == "B.m")
    assert (m.copies, m.bits, m.possible, m.values, m.together) == (2, 2, 4, 4, 16)


def test_constants_are_lowered_one_by_one() -> None:
    found = checker.loads(PRODUCT).explain()
    changes = {change.name: (change.states, change.factor, change.bound) for change in found.changes}
    assert changes == {"N": (2 * 64, 1.5, "exactly"), "M": (3 * 36, 16 / 9, "exactly")}


def test_what_cannot_be_lowered_says_why() -> None:
    (m,) = (change for change in checker.loads(PRODUCT).explain("one").changes if change.name == "M")
    assert m.factor is None and m.reason is not None and "M = -1 is outside 0..5" in m.reason


def test_everybody_finds_what_nobody_found_before() -> None:
    found = checker.loads(PRODUCT).explain()
    assert sum(finder.states for finder in found.finders) == found.states - 1
    assert sum(found.levels) == found.states
    assert (found.levels[0], len(found.levels)) == (1, 2 + 2 * 3 + 2 + 1)


def test_messages_and_fault_budgets() -> None:
    """By hand: jobs 0 and 1 in a queue there, up to two answers in one back; at most one message is lost."""
    found = checker.loads(QUEUE).explain()
    kinds = {part.name: (part.values, part.together, part.most) for part in found.messages}
    assert kinds == {"Job": (2, 4, 2), "Done": (1, 3, 2)}
    lose = next(change for change in found.changes if change.kind == "fault")
    without = checker.loads(QUEUE.replace("faults lose <= 1", "")).check()
    assert (lose.name, lose.states, lose.factor) == ("lose", without.states, found.states / without.states)
    assert {finder.name for finder in found.finders} >= {"lose", "Client.Ask", "Server.Job", "Client.Done"}


def test_a_check_that_is_cut_off_gives_bounds() -> None:
    found = checker.loads(PRODUCT).explain(limits=Limits(max_states=120, timeout=60))
    assert found.stop is Stop.STATES
    bounds = {change.name: (change.factor, change.bound, change.complete) for change in found.changes}
    assert bounds["M"] == (found.states / 108, "at least", True)
    assert bounds["N"] == (None, "at most", False)


def test_without_time_nothing_is_lowered() -> None:
    found = checker.loads(PRODUCT).explain(limits=Limits(timeout=0.001))
    assert {change.reason for change in found.changes} == {"no time was left"}


@native
def test_the_native_engine_says_the_same_of_all_states(monkeypatch: pytest.MonkeyPatch) -> None:
    for text in (PRODUCT, QUEUE):
        whole = checker.loads(text).explain()
        with monkeypatch.context() as patch:
            patch.setattr(survey, "WHOLE", 3)
            found = checker.loads(text).explain()
        assert found.engine == "native"
        assert replace(found, engine="python", seconds=whole.seconds) == whole


@native
def test_a_sample_says_that_it_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(survey, "WHOLE", 3)
    monkeypatch.setattr(survey, "SAMPLE", 50)
    found = checker.loads(PRODUCT).explain()
    assert found.sampled and 40 <= found.looked_at <= 50
    assert set(named(found).values()) == {None}
    assert all(part.values <= part.possible for part in found.parts)
    assert abs(sum(finder.states for finder in found.finders) - found.states) < len(found.finders) + 2


@native
@pytest.mark.parametrize("most", [1, 7, 100, 5_000, 100_000])
def test_samples_are_spread_evenly(most: int) -> None:
    machine = checker.loads(PRODUCT).machine("c", constants={"N": 5, "M": 5})
    text = PRODUCT.replace("role B[2]", "role B[4]")
    machine = checker.loads(text).machine("c", constants={"N": 5, "M": 5})
    seen: list[tuple[int, int, list[int]]] = []

    def look(search: NativeSearch) -> None:
        found = search.explorer.sample(most)
        order = {ref: i for i, ref in enumerate(search.explorer.references())}
        seen.append((search.explorer.states, len(found), [order[ref] for ref in found]))

    NativeEngine(level=0, look=look).explore(machine, Limits())
    ((states, count, places),) = seen
    assert states == 6**5 * 2**4
    assert 1 <= count <= most + 1 and count >= min(most, states) // 2
    gaps = {b - a for a, b in pairwise(places)}
    assert len(gaps) <= 1 and places[0] == 0
