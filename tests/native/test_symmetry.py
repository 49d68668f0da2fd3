"""The reduction by symmetry in native code: it counts what the interpreter counts without it, with one worker and with two."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from itertools import pairwise
from math import factorial
from pathlib import Path
from random import Random

import pytest

import checker
from checker.base.diagnostics import SpecError
from checker.engine.canonical import Canonical
from checker.engine.interface import Limits
from checker.engine.runtime import State
from checker.engine.search import Search
from checker.model.machine import Machine
from checker.native.code.columns import neighbours, network, orders_of
from checker.native.code.packed import Packed
from checker.native.code.width import Unsupported
from checker.native.engine import NativeEngine
from tests.engine.reduction import agree, agree_on, all_permutations, models, safety_of
from tests.engine.test_symmetry import ORBITS, RING
from tests.native.test_known_counts import TWO_PHASE
from tests.random_specs import alike_spec

ROOT = Path(__file__).resolve().parents[2]
FAST = 0


# ---- columns


def columns(machine: Machine, count: int) -> bool:
    """Holds the readable form of canonical states against the interpreter's; False where native code uses no group."""
    try:
        packed = Packed(machine)
        orders, _ = orders_of(packed)
        if orders is None:
            return False
        machine = replace(machine, symmetric=orders.groups)
        search = Search(machine)
        search.run(Limits(max_states=200))
    except (SpecError, Unsupported):
        return False
    canonical, rng = Canonical(search.program.layout), Random(1)
    of_key: dict[State, list[int]] = {}
    every = list(all_permutations(canonical.elements))
    for state in rng.sample(search.states, min(len(search.states), count)):
        key, size = canonical(state)
        for to in (every[0], *rng.sample(every, min(len(every), 4))):
            words, found = orders.canonical(packed.pack(canonical.rename(state, to)), packed.words)
            assert found == size
            assert of_key.setdefault(key, words) == words
            assert canonical(packed.unpack(words))[0] == key
    return True


@pytest.mark.parametrize(
    ("path", "check"),
    [
        ("transactions/two_phase", "five"), ("transactions/two_phase_commit", "recovery"), ("locks/redis_lock", "retry"),
        ("consensus/paxos", "reboot"), ("consensus/pbft", "f1"),
    ],
)  # fmt: skip
def test_sorted_columns_are_canonical(path: str, check: str) -> None:
    assert columns(safety_of(path, check), 40)


def test_sorted_columns_are_canonical_in_random_models() -> None:
    assert sum(columns(machine, 10) for machine in models(range(15), alike_spec)) >= 10


@pytest.mark.slow
@pytest.mark.parametrize("block", range(10))
def test_sorted_columns_are_canonical_in_many_random_models(block: int) -> None:
    seeds = range(block * 100, block * 100 + 100)
    assert sum(columns(machine, 40) for machine in models(seeds)) >= 5
    assert sum(columns(machine, 40) for machine in models(seeds, alike_spec)) >= 80


@pytest.mark.parametrize("n", range(1, 7))
def test_exchanges_of_neighbours_lead_through_all_orders(n: int) -> None:
    now = list(range(n))
    seen = {tuple(now)}
    for i in neighbours(n):
        now[i], now[i + 1] = now[i + 1], now[i]
        seen.add(tuple(now))
    assert len(seen) == factorial(n) == len(neighbours(n)) + 1


@pytest.mark.parametrize("n", range(1, 13))
def test_the_network_sorts(n: int) -> None:
    """What sorts all sequences of zeros and ones sorts everything (Knuth, volume 3, 5.3.4 Z)."""
    for bits in range(1 << n):
        row = [bits >> i & 1 for i in range(n)]
        for i, j in network(n):
            if row[i] > row[j]:
                row[i], row[j] = row[j], row[i]
        assert all(a <= b for a, b in pairwise(row))


# ---- searches


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("n", ORBITS)
def test_orbits_of_two_phase_commit(n: int, workers: int) -> None:
    found = NativeEngine(workers, level=FAST).explore(safety_of("transactions/two_phase", "three", N=n), Limits())
    assert found.orbits == ORBITS[n]
    assert (found.states, found.transitions, found.depth) == TWO_PHASE[n]


def test_optimised_code_finds_the_same_orbits() -> None:
    found = NativeEngine(1, level=2).explore(safety_of("transactions/two_phase", "three", N=9), Limits())
    assert (found.states, found.transitions, found.depth) == TWO_PHASE[9]


def test_with_fingerprints() -> None:
    engine = NativeEngine(1, level=FAST, fingerprints=True)
    found = engine.explore(safety_of("transactions/two_phase", "three", N=6), Limits())
    assert (found.states, found.orbits) == (TWO_PHASE[6][0], ORBITS[6])


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize(
    ("path", "check"),
    [
        ("transactions/two_phase", "blocking"), ("transactions/two_phase_commit", "heuristic"),
        ("transactions/two_phase_commit", "lost_log"), ("transactions/two_phase_commit", "three"),
        ("locks/redis_lock", "unfenced"), ("consensus/pbft", "q2"),
        *[pytest.param(*slow, marks=pytest.mark.slow) for slow in (
            ("transactions/two_phase_commit", "recovery"), ("locks/redis_lock", "retry"),
            ("consensus/paxos", "safe"), ("consensus/paxos", "quorum"), ("consensus/pbft", "f2"),
        )],
    ],
)  # fmt: skip
def test_specs_say_the_same_with_symmetry(path: str, check: str, workers: int) -> None:
    found = agree(NativeEngine(workers, level=FAST), safety_of(path, check))
    assert found is not None
    assert found.orbits is not None
    assert found.orbits < found.states * 0.7


SLIPS = """spec Slips
message Go
network bag[1] drop
shared n: 0..3 = 0
role A[3] symmetric {
  durable x: 0..2 = 0
  action Up when x < 2 { x += 1  send Go to B }
}
role B {
  durable last_: A? = none
  on Go from a limit last_ != a { n += 1  last_ := a  choose b in {c in A where c != a and n != 1 or c == a} }
  on Go from a when n == 1 { choose b in {c in A where n == 0} }
}
step Grows: forall a in A: a.x >= old(a.x)
step Small: n == old(n) or n < 2
invariant Last: B.last_ == none or B.last_.x > 1
reach Far: forall a in A: a.x == 2
final: true
check c { bound n < 2  expect fails Small, Last }
"""


@pytest.mark.parametrize("workers", [1, 2])
def test_everything_that_is_counted_is_counted_for_all_states(workers: int) -> None:
    found = agree(NativeEngine(workers, level=FAST), checker.loads(SLIPS).machine("c"))
    assert found is not None
    assert found.orbits is not None
    assert found.states > 2 * found.orbits
    tally = found.tally
    assert min(tally.bound_cut, tally.limit_cut, tally.dropped, tally.empty_choices["B.Go"]) > 0
    assert len(found.violations["Small"].path.steps) == 4


DEFERRED = """spec Deferred
const BIG: 0..4611686018427387904 = 4611686018427387904
role A[3] symmetric {
  durable x: 0..2 = 0
  action Up when x < 2 and BIG * BIG * 4 > x { x += 1 }
}
step Never: forall a in A: a.x < 2 or old(a.x) == 2
final: true
check c { expect fails Never }
"""


@pytest.mark.parametrize("workers", [1, 2])
def test_what_the_interpreter_expands_is_counted_for_all_states(workers: int) -> None:
    found = agree(NativeEngine(workers, level=FAST), checker.loads(DEFERRED).machine("c"))
    assert found is not None
    assert (found.states, found.orbits) == (27, 10)


@pytest.mark.parametrize("large", [True, False])
def test_what_native_code_cannot_exchange_it_says(large: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where that would have made a difference to somebody who waits."""
    told: list[str] = []
    ring = checker.loads(RING.replace("[4]", "[3]"))
    monkeypatch.setattr("checker.native.engine.LARGE", ring.check("c").states + (0 if large else 1))
    found = agree(NativeEngine(1, level=FAST, tell=told.append), ring.machine("c"))
    assert found is not None
    assert found.orbits is None
    assert told == ([] if not large else ["native code does not use the symmetry of Node: `next` of one names others"])


def test_random_models_say_the_same_with_symmetry() -> None:
    one, two = partial(NativeEngine, 1, level=FAST), partial(NativeEngine, 2, level=FAST)
    assert agree_on(models(range(30), alike_spec), one, (Unsupported,)) >= 6
    assert agree_on(models(range(30, 40), alike_spec), two, (Unsupported,)) >= 2


@pytest.mark.slow
@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("block", range(10))
def test_many_random_models_say_the_same_with_symmetry(block: int, workers: int) -> None:
    seeds = range(block * 100, block * 100 + 100)
    make = partial(NativeEngine, workers, level=FAST)
    assert agree_on(models(seeds, alike_spec), make, (Unsupported,)) >= 20
    agree_on(models(seeds), make, (Unsupported,))
