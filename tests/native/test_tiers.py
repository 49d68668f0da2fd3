"""When optimised code is made, and what a later check finds of it."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

import checker
from checker.base.cache import Cache
from checker.native import jit
from checker.native.code.module import Plan, plan
from checker.native.tiers import AGAIN, BEST, FAST, PATIENCE, Tiers

pytestmark = pytest.mark.skipif(jit.unavailable() is not None, reason=jit.unavailable() or "")

COMMIT = Path(__file__).parents[2] / "specs/transactions/two_phase_commit.psm"


@pytest.fixture
def layout() -> Plan:
    return plan(checker.load(COMMIT).machine("small"))


def test_a_check_that_was_short_before_waits_longer_for_optimised_code(layout: Plan, tmp_path: Path) -> None:
    first = Tiers(layout, Cache(tmp_path))
    first.begin()
    assert (first.level, first.patience) == (FAST, PATIENCE)
    second = Tiers(layout, Cache(tmp_path))
    second.begin()
    assert (second.level, second.patience) == (FAST, AGAIN)


def test_optimised_code_is_found_by_the_next_check(layout: Plan, tmp_path: Path) -> None:
    first = Tiers(layout, Cache(tmp_path))
    first.begin()
    first.improve()
    better = None
    end = time.monotonic() + 60
    while better is None and time.monotonic() < end:
        better = first.better()
        time.sleep(0.01)
    assert better is not None
    second = Tiers(layout, Cache(tmp_path))
    second.begin()
    assert second.level == BEST
    second.improve()
    assert second.better() is None, "there is nothing better"
