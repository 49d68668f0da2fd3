"""Partial-order reduction in native code chooses what the interpreter chooses, state for state, with any number of workers.

So all that is said of a reduced graph has to be equal, counts and paths included. That this choice is right is tested with the
interpreter; here, too, verdicts are compared with those of a plain search, on models of all kinds.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

import checker
from checker.base.diagnostics import SpecError
from checker.engine.interface import Engine, Exploration, Limits, Stop
from checker.engine.reduction import ReducedInterpreter
from checker.model.machine import Machine
from checker.native import jit
from checker.native.code.width import Unsupported
from checker.native.engine import NativeEngine
from checker.native.notices import Notices
from checker.native.workers import Words
from tests.engine.contract import lengths
from tests.engine.reduced import ALONE, ReductionContract, judged, random_machines, recorded, told

pytestmark = pytest.mark.skipif(jit.unavailable() is not None, reason=jit.unavailable() or "")

LOCK = Path(__file__).resolve().parents[2] / "specs" / "locks" / "redis_lock.psm"

SMALL = Limits(max_states=800)


class TestOneWorker(ReductionContract):
    def make(self) -> Engine:
        return NativeEngine(level=0, reduced=True)


class TestTwoWorkers(ReductionContract):
    def make(self) -> Engine:
        return NativeEngine(2, level=0, reduced=True)


def compare(machine: Machine, wanted: Exploration, workers: int, limits: Limits) -> Exploration | None:
    """What native code finds, compared with what is wanted; None if a limit ended it, or native code cannot hold it."""
    if workers > 1 and wanted.stop is not Stop.DONE:  # with a limit one worker explores
        return None
    try:
        found = NativeEngine(workers, level=0, reduced=True).explore(machine, limits if workers == 1 else Limits())
    except Unsupported:
        return None
    given, expected = dict(told(found)), dict(told(wanted))
    if workers > 1:
        given["reached"], expected["reached"] = lengths(given["reached"]), lengths(expected["reached"])
    for part, value in expected.items():
        assert given[part] == value, part
    return found if found.stop is Stop.DONE else None


def compare_random(writer: str, seeds: range, workers: int = 1) -> tuple[int, int]:
    """Compares random models; counts those that were explored whole, and those whose graph became smaller."""
    count = smaller = 0
    for seed, machine in random_machines(writer, seeds):
        try:
            reduced = compare(machine, ReducedInterpreter().explore(machine, SMALL), workers, SMALL)
            if reduced is None:
                continue
            plain = NativeEngine(level=0).explore(machine, Limits())
            for part in ("violations", "reached", "broken"):
                assert getattr(reduced, part).keys() == getattr(plain, part).keys(), part
        except SpecError:
            continue
        except AssertionError as problem:
            raise AssertionError(f"{writer}, seed {seed}") from problem
        count += 1
        smaller += reduced.states < plain.states
    return count, smaller


@pytest.mark.parametrize("workers", [1, 2])
def test_random_models_of_nearly_independent_processes(workers: int) -> None:
    count, smaller = compare_random("loose", range(8), workers)
    assert count > 8 and smaller > 1


def test_random_models() -> None:
    assert compare_random("random", range(5))[0] > 4


def test_sets_of_more_than_one_word() -> None:
    count, smaller = compare_random("crowded", range(16, 20))
    assert count > 4 and smaller > 3


def test_it_makes_no_difference_who_comes_first() -> None:
    """On levels of some hundred states, workers meet what others find meanwhile."""
    machine = checker.load(LOCK).machine("unfenced")
    found = [NativeEngine(n, level=0, reduced=True).explore(machine, Limits()) for n in (1, 2, 3, 3, 3)]
    counts = [(f.states, f.transitions, f.depth) for f in found]
    assert counts == [counts[0]] * 5 and counts[0][0] < 3_000
    assert all(f.violations == found[0].violations for f in found)


def test_a_state_that_is_left_to_the_interpreter_is_reduced_there(monkeypatch: pytest.MonkeyPatch) -> None:
    """64 bits are not enough for the guard of a process that has begun and is not done."""
    left: list[int] = []
    expand = Notices.on_defer

    def counted(self: Notices, worker: int, state: Words, ref: int) -> tuple[Sequence[Words], int]:
        left.append(ref)
        return expand(self, worker, state, ref)

    monkeypatch.setattr(Notices, "on_defer", counted)
    text = ALONE.replace("when n < 3", "when n < 3 and n * 10000000000 * 10000000000 >= 0")
    found = NativeEngine(level=0, reduced=True).explore(checker.loads(text).machine("blind"), Limits())
    assert (found.states, len(left)) == (10, 6)


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("block", range(10))
def test_many_random_models(block: int) -> None:
    workers = 1 + block % 2
    count, smaller = compare_random("loose", range(60 * block, 60 * block + 60), workers)
    for writer in ("random", "wide"):
        more = compare_random(writer, range(20 * block, 20 * block + 20), workers)
        count, smaller = count + more[0], smaller + more[1]
    assert count > 100 and smaller > 10


@pytest.mark.parametrize(("path", "check"), recorded(600))
def test_specs_of_the_library(path: Path, check: str) -> None:
    """A check with a `bound` is compared without it, as far as 50,000 states."""
    written = checker.load(path).machine(check)
    machine = judged(written)
    limits = Limits() if written.bound is None else Limits(max_states=50_000)
    wanted = ReducedInterpreter().explore(machine, limits)
    for workers in (1, 2):
        assert compare(machine, wanted, workers, limits) is not None or wanted.stop is not Stop.DONE
