"""Refinements are judged along runs, too: at the start, over steps, and where the mapping cannot be evaluated."""

from __future__ import annotations

from pathlib import Path

import pytest

import checker
from checker.engine.interface import Limits
from checker.engine.simulation.simulator import Plan, Simulator
from checker.properties.kinds import Verdict
from checker.properties.safety import judge

COUNT = "spec Count shared m: 0..9 = 0 role A { action Up when m < 9 { m += 1 } } final: true check c { }"

SPEC = """spec Steps
shared n: 0..9 = FIRST
role R { action Up when n < 8 { n += BY } }
refines Count { m = MAPPING }
final: true
check c { expect fails Count }
"""


@pytest.mark.parametrize(
    ("first", "by", "mapping", "verdict", "steps"),
    [
        ("0", "1", "n", Verdict.INCOMPLETE, None),
        ("2", "1", "n", Verdict.VIOLATED, 0),
        ("0", "2", "n", Verdict.VIOLATED, 1),
        ("0", "1", "if n < 5 then n else 0", Verdict.VIOLATED, 5),
        ("0", "1", "n + 0 / (3 - n)", Verdict.ERROR, 3),
    ],
)
def test_refinement(tmp_path: Path, first: str, by: str, mapping: str, verdict: Verdict, steps: int | None) -> None:
    (tmp_path / "count.psm").write_text(COUNT, encoding="utf-8")
    path = tmp_path / "steps.psm"
    path.write_text(SPEC.replace("FIRST", first).replace("BY", by).replace("MAPPING", mapping), encoding="utf-8")
    machine = checker.load(path).machine()
    found = judge(machine, Simulator(Plan(runs=10, steps=20)).explore(machine, Limits())).property("Count")
    assert (found.verdict, found.trace and len(found.trace.steps)) == (verdict, steps)
