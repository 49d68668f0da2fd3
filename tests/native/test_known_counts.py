"""Counts that are known from outside: the published two-phase commit, whose graph has a closed form, and Raft, which Spin counts.

Two workers race for every state, and a lost race would be a state too many or too few, so they go through the same graph
again and again, also with the slow code of the first tier, where the window between two looks at the table is widest.
"""

from __future__ import annotations

from pathlib import Path

import pytest

import checker
from checker.engine.interface import Exploration, Limits
from checker.model.symmetry import without_symmetry
from checker.native.engine import NativeEngine

ROOT = Path(__file__).resolve().parents[2]

TWO_PHASE = {
    3: (288, 1_145, 10),
    4: (1_568, 8_257, 13),
    5: (8_832, 58_145, 16),
    6: (50_816, 402_305, 19),
    7: (296_448, 2_744_705, 22),
    8: (1_745_408, 18_507_777, 25),
    9: (10_340_352, 123_558_401, 28),
}
"""States, transitions and depth by the number of resource managers."""


def two_phase(n: int, workers: int, level: int | None) -> Exploration:
    spec = checker.load(ROOT / "specs" / "transactions" / "two_phase.psm")
    machine = without_symmetry(spec.machine("three", constants={"N": n}))
    return NativeEngine(workers, level=level).explore(machine, Limits())


def counts(found: Exploration) -> tuple[int, int, int]:
    return found.states, found.transitions, found.depth


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("n", [3, 4, 5, 6, 7])
def test_two_phase_commit(n: int, workers: int) -> None:
    assert counts(two_phase(n, workers, None)) == TWO_PHASE[n]


@pytest.mark.slow
@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("n", [8, 9])
def test_large_two_phase_commit(n: int, workers: int) -> None:
    assert counts(two_phase(n, workers, None)) == TWO_PHASE[n]


@pytest.mark.slow
@pytest.mark.parametrize("workers", [1, 2])
def test_raft(workers: int) -> None:
    machine = checker.load(ROOT / "benchmarks" / "models" / "raft.psm").machine("large")
    assert counts(NativeEngine(workers).explore(machine, Limits())) == (2_792_337, 30_034_982, 38)


@pytest.mark.parametrize("level", [0, 2])
def test_workers_that_race_count_the_same(level: int) -> None:
    for _ in range(3):
        assert counts(two_phase(6, 3, level)) == TWO_PHASE[6]


@pytest.mark.slow
@pytest.mark.parametrize("level", [0, 2])
def test_workers_that_race_for_long_count_the_same(level: int) -> None:
    for _ in range(30):
        assert counts(two_phase(7, 2, level)) == TWO_PHASE[7]
