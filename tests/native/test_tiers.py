"""When optimised code is made, and what a later check finds of it."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from pathlib import Path

import pytest

import checker
from checker.base.cache import Cache
from checker.engine.interface import Limits, Stop
from checker.native import jit
from checker.native.code.module import Plan, plan
from checker.native.compiling import Compilation
from checker.native.engine import NativeEngine
from checker.native.tiers import AGAIN, BEST, FAST, KERNELS, PATIENCE, Tiers

pytestmark = pytest.mark.skipif(jit.unavailable() is not None, reason=jit.unavailable() or "")

COMMIT = Path(__file__).parents[2] / "specs/transactions/two_phase_commit.psm"


@pytest.fixture
def layout() -> Plan:
    return plan(checker.load(COMMIT).machine("small"))


def wait_for(condition: Callable[[], object]) -> None:
    end = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


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
    wait_for(first.better)
    second = Tiers(layout, Cache(tmp_path))
    second.begin()
    assert second.level == BEST
    second.improve()
    assert second.better() is None, "there is nothing better"


def test_optimised_code_that_comes_too_late_is_kept(layout: Plan, tmp_path: Path) -> None:
    """Where liveness is judged after a short search, say."""
    first = Tiers(layout, Cache(tmp_path))
    first.begin()
    first.improve()
    wait_for(lambda: not first.is_improving)
    first.close()
    second = Tiers(layout, Cache(tmp_path))
    second.begin()
    assert second.level == BEST


def test_compilers_that_are_stopped_leave_nothing(layout: Plan, tmp_path: Path) -> None:
    first = Tiers(layout, Cache(tmp_path))
    first.begin()
    first.improve()
    first.close()
    second = Tiers(layout, Cache(tmp_path))
    second.begin()
    assert second.level == FAST


@pytest.mark.parametrize(
    ("improving", "moment", "idle", "crew"), [(True, 0, 0, 1), (True, 0, 1, 2), (True, 3600, 0, 2), (False, 0, 0, 2)]
)
def test_a_worker_waits_where_compilers_have_no_processor(
    improving: bool, moment: float, idle: int, crew: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Tiers, "is_improving", improving)
    monkeypatch.setattr("checker.native.search.MOMENT", moment)
    monkeypatch.setattr("checker.native.search.idle_processors", lambda workers: idle)
    crews: list[int] = []
    engine = NativeEngine(2, look=lambda search: crews.append(search.explorer.crew))
    machine = checker.load(COMMIT).machine("small")
    found = engine.explore(machine, Limits())
    assert (found.stop, found.states, found.transitions) == (Stop.DONE, 194, 662)
    assert crews == [crew]


def test_what_was_kept_in_part_is_no_optimised_code(layout: Plan, tmp_path: Path) -> None:
    first = Tiers(layout, Cache(tmp_path))
    first.begin(BEST)
    assert Tiers(layout, Cache(tmp_path)).begin() is not None
    (tmp_path / f"{first.key(BEST, 1)}.o").unlink()
    second = Tiers(layout, Cache(tmp_path))
    second.begin()
    assert second.level == FAST


def test_other_specs_share_the_kernels(layout: Plan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    other = plan(checker.load(COMMIT).machine("small", constants={"N": 3}))
    assert other.constants == layout.constants
    first, second = Tiers(layout, Cache(tmp_path)), Tiers(other, Cache(tmp_path))
    first.begin()
    assert first.key(FAST, KERNELS) == second.key(FAST, KERNELS)
    assert first.key(FAST, KERNELS) != Tiers(plan(layout.machine, peers=False), Cache(tmp_path)).key(FAST, KERNELS)
    compiled: list[str] = []

    def noted(text: str, level: int) -> bytes:
        compiled.append(text)
        return jit.compile_object(text, level)

    monkeypatch.setattr("checker.native.tiers.compile_object", noted)
    second.begin()
    assert compiled == [second.spec_text]


def test_kernels_that_llvm_refuses(layout: Plan, tmp_path: Path) -> None:
    tiers = Tiers(layout, Cache(tmp_path))
    tiers.kernels_text = "nonsense"
    with pytest.raises(jit.JitError, match="expected top-level entity"):
        tiers.begin()


@pytest.mark.parametrize("failing", [0, 1])
def test_optimised_code_that_cannot_be_made_is_done_without(
    failing: int, layout: Plan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str] = []
    tiers = Tiers(layout, Cache(tmp_path), tell=told.append)
    tiers.begin()
    good = tiers.halves
    tiers.halves = (good[0], "nonsense") if failing else ("nonsense", good[1])
    tiers.improve()
    running: list[Compilation] = list(tiers._compilations)
    wait_for(lambda: tiers.better() is None and not tiers._compilations)
    assert len(running) == 2 and not any(one._output.exists() for one in running)
    assert (tiers.better(), tiers.level) == (None, BEST)
    tiers.improve()
    assert not tiers._compilations, "it would fail again"
    assert told == ["no optimised code could be made, so the search goes on with slower code: the compiler failed"]


def test_a_compiler_that_cannot_be_started_is_done_without(
    layout: Plan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str] = []
    tiers = Tiers(layout, Cache(tmp_path / "cache"), tell=told.append)
    tiers.begin()
    monkeypatch.setattr("sys.executable", str(tmp_path / "python"))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    tiers.improve()
    assert (tiers.better(), tiers.level, len(told)) == (None, BEST, 1)
    assert "No such file" in told[0]
    assert not list(tmp_path.glob("*.o"))


def test_halves_share_nothing_that_changes(layout: Plan, tmp_path: Path) -> None:
    """Each has a copy of the constants."""
    tiers = Tiers(layout, Cache(tmp_path))
    known = re.findall("^@.*$", f"{tiers.kernels_text}\n{tiers.spec_text}", re.MULTILINE)
    assert known and all(re.match(r"@\w+ = (internal|private) (unnamed_addr )?constant ", line) for line in known)
