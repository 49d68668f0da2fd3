"""What engines owe where liveness is concerned, beside verdicts: reasons, limits, and an end when somebody asks for one."""

from __future__ import annotations

from dataclasses import replace

import pytest

import checker
from checker.engine.interface import Exploration, Limits, Stop
from checker.engine.liveness.components import decompose
from checker.engine.liveness.verdicts import BOUND, HASHES, TIME, UNLISTED
from checker.engine.search import Interpreter, Search
from checker.native import jit
from checker.native.engine import NativeEngine
from checker.properties.kinds import Verdict
from checker.properties.safety import judge

needs_llvm = pytest.mark.skipif(jit.unavailable() is not None, reason=jit.unavailable() or "")

RING = """spec Ring
role R[4] {
  durable n: 0..6 = 0
  timeout Up { n := (n + 1) % 7 }
}
live Again(r in R): always eventually r.n == 0
live Never: eventually at(R, 0).n > 6
final: true
check listed { expect holds Again }
check bounded { bound at(R, 0).n < 3  expect holds Again }
check silent { expect states 2401 }
"""


def explored(engine: str, check: str, limits: Limits | None = None, **more: bool) -> Exploration:
    machine = checker.loads(RING).machine(check)
    made = Interpreter() if engine == "python" else NativeEngine(level=0, **more)  # type: ignore[arg-type]
    return made.explore(machine, limits or Limits())


ENGINES = ["python", pytest.param("native", marks=needs_llvm)]


@pytest.mark.parametrize("engine", ENGINES)
def test_only_what_is_listed_is_judged(engine: str) -> None:
    found = explored(engine, "silent")
    assert found.held == ()
    assert found.open == {"Again": UNLISTED, "Never": UNLISTED}


@pytest.mark.parametrize("engine", ENGINES)
def test_a_bound_refuses(engine: str) -> None:
    found = explored(engine, "bounded")
    assert found.open == {"Again": BOUND, "Never": UNLISTED}


@pytest.mark.parametrize("engine", ENGINES)
def test_a_limit_on_states_judges_nothing(engine: str) -> None:
    found = explored(engine, "listed", Limits(max_states=100))
    assert (found.stop, found.held) == (Stop.STATES, ())
    result = judge(checker.loads(RING).machine("listed"), found).property("Again")
    assert (result.verdict, result.reason) == (Verdict.INCOMPLETE, "the limit on states was reached")


@needs_llvm
def test_a_large_ring_holds() -> None:
    assert explored("native", "listed").held == ("Again",)


@needs_llvm
def test_hashes_refuse() -> None:
    assert explored("native", "listed", fingerprints=True).open["Again"] == HASHES


@needs_llvm
def test_time_ends_the_judging(monkeypatch: pytest.MonkeyPatch) -> None:
    from checker.native import search

    monkeypatch.setattr(search.NativeSearch, "_timed_out", lambda self: self.explorer.states == self.explorer.expanded)
    found = explored("native", "listed")
    assert found.open["Again"] == TIME
    assert found.states == 7**4


def test_an_exploration_that_was_not_asked_says_nothing() -> None:
    machine = checker.loads(RING).machine("listed")
    found = Search(machine).run(Limits(max_states=1 << 20))
    result = judge(machine, replace(found, stop=Stop.DONE)).property("Again")
    assert result.verdict is Verdict.INCOMPLETE
    assert result.fairness is None


def test_kernels_end_when_they_are_asked() -> None:
    cells = [[0] * 8 for _ in range(8)]
    first, target, group, member, popped, ends, low, stack = cells
    first[1], group[0] = 0, 1
    assert decompose(first, target, group, member, popped, ends, low, stack, [0] * 6, [1], 0, 1) == 1
    assert decompose(first, target, group, member, popped, ends, low, stack, [0] * 6, [0], 0, 1) == 0
