"""TLC agrees with the checker about exported checks: states, steps, depth, and every verdict.

One run asks for all that holds, and has to count what the checker counted. Then each violation is asked for alone: TLC has to
find one, by a way of the same length, since both search in the order of breadth. That is not so for a live property, whose
cycle may be another.

It needs a jar of TLC that the environment variable TLA2TOOLS_JAR names, and Java.
"""

from __future__ import annotations

from pathlib import Path

import pytest

import checker
from benchmarks.cases import MODELS, SMALLEST
from benchmarks.peers import Tlc
from checker.engine.interface import Exploration, Limits, Stop
from checker.engine.search import Interpreter
from checker.model.machine import Machine
from checker.model.symmetry import without_symmetry
from checker.native.choose import engine_named
from checker.render.tla import Ask, export_tla
from tests.liveness.test_known import CASES
from tests.tla.tlc import ask

pytestmark = pytest.mark.skipif(Tlc().missing() is not None, reason=f"needs TLC: {Tlc().missing()}")

SPECS = sorted([*Path("specs").glob("*/*.psm"), *MODELS.glob("*.psm")])
MOST = 600_000
"""The most steps of a check that TLC is asked about; it takes minutes for so many."""


def agree(machine: Machine, found: Exploration, folder: Path) -> None:
    assert found.stop is Stop.DONE and not found.broken and "NoError" not in found.violations
    module = export_tla(machine)
    bad = {**found.violations, **found.reached}
    held = [a for a in module.asks if a.property not in bad and a.property not in found.open]
    answer = ask(module, held, folder)
    assert answer.counts == (found.states, found.transitions, found.depth), answer.output
    live = {p.name for p in machine.properties if p.kind == "live"}
    for one in module.asks:
        if one.property in bad:
            answer = ask(module, [one], folder)
            assert answer.violated, answer.output
            assert one.property in live or answer.length == len(bad[one.property].path.states), answer.output


def explored(machine: Machine) -> Exploration:
    return engine_named("auto", 1).explore(machine, Limits())


@pytest.mark.parametrize("check", ["small", "blocking", "lost_log"])
def test_checks(check: str, tmp_path: Path) -> None:
    machine = checker.load("specs/transactions/two_phase_commit.psm").machine(check)
    agree(machine, Interpreter().explore(without_symmetry(machine), Limits()), tmp_path)
