"""TLC agrees with the checker about exported checks: states, steps, depth, and every verdict.

One run asks for all that holds, and has to count what the checker counted. Then each violation is asked for alone: TLC has to
find one, by a way of the same length, since both search in the order of breadth. That is not so for a live property, whose
cycle may be another.

It needs Java and a jar of TLC that the environment variable TLA2TOOLS_JAR names.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest

import checker
from benchmarks.cases import MODELS, ROOT, SMALLEST
from benchmarks.peers import Tlc
from checker.base.diagnostics import SpecError
from checker.engine.interface import Exploration, Limits, Stop
from checker.model.machine import Machine
from checker.model.symmetry import without_symmetry
from checker.native.choose import engine_named
from checker.render.tla import export_tla
from tests.liveness.test_known import CASES
from tests.random_specs import live_spec, random_spec, wide_spec
from tests.test_cases import Case
from tests.tla.tlc import ask

MISSING = Tlc().missing()
pytestmark = [pytest.mark.skipif(MISSING is not None, reason=f"needs TLC: {MISSING}"), pytest.mark.timeout(3600)]

SPECS = sorted([*(ROOT / "specs").glob("*/*.psm"), *MODELS.glob("*.psm")])
QUICK = {"two_phase_commit-small", "two_phase_commit-blocking", "two_phase_commit-lost_log"}
LARGE = {"raft-large"}
"""What TLC would take hours for."""

BIG = "TLC can't handle a number this big"
"""Numbers of TLC have 32 bits."""


def all_checks() -> Iterator[object]:
    for path in SPECS:
        for check in checker.load(path).checks:
            name = f"{path.stem}-{check}"
            if name not in LARGE:
                marks = [] if name in QUICK else [pytest.mark.slow]
                yield pytest.param(path, check, id=f"{path.parent.name}-{name}", marks=marks)


def explored(machine: Machine) -> Exploration:
    return engine_named("auto", 1).explore(without_symmetry(machine), Limits(max_states=400_000, timeout=600))


def agree(machine: Machine, found: Exploration, folder: Path) -> str:
    """Asserts that TLC agrees; the outcome is `equal`, or why there is nothing to compare."""
    if found.stop is not Stop.DONE:
        return "large"
    if found.broken or "NoError" in found.violations:
        return "errs"
    module = export_tla(machine)
    bad = {**found.violations, **found.reached}
    answer = ask(module, [a for a in module.asks if a.property not in {*bad, *found.open}], folder)
    if BIG in answer.output:
        return "big numbers"
    assert answer.counts == (found.states, found.transitions, found.depth), answer.output
    live = {p.name for p in machine.properties if p.kind == "live"}
    for one in module.asks:
        if one.property in bad:
            answer = ask(module, [one], folder)
            assert answer.violated, answer.output
            assert one.property in live or answer.length == len(bad[one.property].path.states), answer.output
    return "equal"


@pytest.mark.parametrize(("path", "check"), list(all_checks()))
def test_checks(path: Path, check: str, tmp_path: Path) -> None:
    machine = checker.load(path).machine(check)
    found = explored(machine)
    if "NoError" not in found.violations:
        assert agree(machine, found, tmp_path) == "equal"
    else:
        problem = found.violations["NoError"].error
        assert problem is not None and problem.span is not None
        place = machine.source.place(problem.span.start)
        answer = ask(export_tla(machine), [], tmp_path)
        assert f"at line {place.line}, column {place.column}" in answer.output, answer.output


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_liveness(case: Case, tmp_path: Path) -> None:
    """Where one side of a property cannot be evaluated, TLC stops, although it does not matter there."""
    spec = checker.loads(case.spec.text)
    for check in spec.checks:
        if spec.name != "Undefined":
            machine = spec.machine(check)
            assert agree(machine, explored(machine), tmp_path) == "equal"


@pytest.mark.slow
@pytest.mark.parametrize("make", [live_spec, random_spec, wide_spec])
@pytest.mark.parametrize("block", range(4))
def test_random_models(make: object, block: int, tmp_path: Path) -> None:
    outcomes: Counter[str] = Counter()
    for seed in range(block * 20, block * 20 + 20):
        try:
            machine = checker.loads(make(Random(seed))).machine("c")  # type: ignore[operator]
            outcomes[agree(machine, explored(machine), tmp_path)] += 1
        except SpecError as problem:
            outcomes[problem.diagnostics[0].code] += 1
    assert outcomes["equal"] > 0, outcomes


@pytest.mark.slow
def test_the_module_of_the_benchmark() -> None:
    """Written by hand, and counted by TLC as its case says."""
    case = SMALLEST["two_phase.pml"]
    sample = Tlc().run(case)
    assert (sample.states, sample.transitions) == (case.states, case.transitions)
