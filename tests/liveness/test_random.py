"""Liveness on random models: against a second judge, and the native engine against the interpreter.

Two generators: `live_spec` makes graphs with cycles, coins and all kinds of fairness; `with_liveness` adds live properties to the
specs that use every construct of the language.
"""

from __future__ import annotations

import re
from random import Random

import pytest

import checker
from checker.base.diagnostics import SpecError
from checker.engine.interface import Engine, Exploration, Finding, Limits, Stop
from checker.engine.search import Interpreter
from checker.model.machine import Machine, Property
from checker.native import graphs, jit, liveness
from checker.native.code.width import Unsupported
from checker.native.engine import NativeEngine
from tests.liveness.naive import Naive
from tests.random_specs import live_spec, random_spec, wide_spec

needs_llvm = pytest.mark.skipif(jit.unavailable() is not None, reason=jit.unavailable() or "")

SMALL = 300
"""States of the models that are judged."""


def with_liveness(text: str) -> str:
    """A random spec with live properties made of its invariants; a `bound` would only have them refused."""
    bodies = re.findall(r"^(?:invariant|reach) \w+: (.*)$", text, re.MULTILINE)[:3]
    forms = ("eventually", "eventually always", "always eventually")
    lines = [f"live Live{i}: {forms[i % 3]} {body}" for i, body in enumerate(bodies)]
    lines.append(f"live Leads: ({bodies[0]}) ~> ({bodies[1]})")
    names = ", ".join(line.split()[1].rstrip(":") for line in lines)
    head, _, items = text.partition("check c {")
    return f"{head}{chr(10).join(lines)}\ncheck c {{ expect holds {names} {without_bounds(items)}"


def without_bounds(items: str) -> str:
    """What stands in a check, without `bound (…)` and `bound inflight(…) <= n`."""
    while (at := items.find("bound ")) >= 0:
        end, open_ = at + 6, 0
        while open_ or items[end] in "(i" or not items[end].isspace():
            open_ += (items[end] == "(") - (items[end] == ")")
            end += 1
        rest = re.sub(r"^ <= \d+", "", items[end:])
        items = items[:at] + rest
    return items


def machine_of(text: str) -> Machine:
    return checker.loads(text).machine("c")


def refused(machine: Machine, engine: Engine) -> list[str] | None:
    """Why a machine cannot be explored at all: a random spec need not have a proper initial state. None for one that can."""
    try:
        engine.explore(machine, Limits(max_states=1))
    except SpecError as problem:
        return [d.headline() for d in problem.diagnostics]
    return None


def said(found: Exploration, prop: Property) -> str:
    if prop.name in found.violations:
        return "violated"
    if prop.name in found.broken:
        return "error"
    assert (prop.name in found.held) != (prop.name in found.open)
    return "limited" if prop.name in found.open else "holds"


def against_naive(text: str) -> tuple[str, ...]:
    """Compares the verdicts on a model; gives them, or nothing where the model is too large."""
    machine = machine_of(text)
    if refused(machine, Interpreter()):
        return ()
    found = Interpreter().explore(machine, Limits(max_states=SMALL))
    if found.stop is not Stop.DONE:
        return ()
    naive = Naive(machine, SMALL)
    verdicts = []
    for prop in machine.properties:
        if prop.kind == "live" and prop.name in machine.expectations:
            each = [naive.verdict(case) for case in prop.cases]
            serious = [v for v in each if v in ("violated", "error")]
            expected = serious[0] if serious else "limited" if "limited" in each else "holds"
            assert said(found, prop) == expected, f"{prop.name}\n{text}"
            verdicts.append(expected)
    return tuple(verdicts)


def told(findings: dict[str, Finding]) -> dict[str, object]:
    return {name: (f.path, f.note, f.error and f.error.headline()) for name, f in findings.items()}


def engines_agree(text: str, workers: int = 1) -> bool:
    machine = machine_of(text)
    native = NativeEngine(workers, level=0)
    why = refused(machine, Interpreter())
    try:
        if why is not None:
            assert refused(machine, native) == why, text
            return False
        first = Interpreter().explore(machine, Limits(max_states=4 * SMALL))
        if first.stop is not Stop.DONE:
            return False
        second = native.explore(machine, Limits())
    except Unsupported:
        return False
    assert (first.states, first.transitions) == (second.states, second.transitions), text
    assert (first.held, first.open) == (second.held, second.open), text
    assert first.tally.vacuous == second.tally.vacuous, text
    assert told(dict(first.violations)) == told(dict(second.violations)), text
    assert told(dict(first.broken)) == told(dict(second.broken)), text
    return True


def test_the_second_judge_agrees() -> None:
    verdicts = [v for seed in range(50) for v in against_naive(live_spec(Random(seed)))]
    assert min(verdicts.count(v) for v in ("holds", "violated", "limited")) > 0
    assert min(verdicts.count(v) for v in ("holds", "violated")) > 50


@needs_llvm
def test_the_engines_agree() -> None:
    assert sum(engines_agree(live_spec(Random(seed))) for seed in range(8)) > 4


@needs_llvm
def test_the_engines_agree_where_workers_share_the_judging(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(graphs, "LARGE", 0)
    monkeypatch.setattr(liveness, "SPARSE", 0)
    monkeypatch.setattr(liveness, "STRETCH", 3)
    assert sum(engines_agree(live_spec(Random(seed)), workers=2) for seed in range(8)) > 4


@pytest.mark.slow
@pytest.mark.parametrize("block", range(10))
def test_the_second_judge_agrees_on_many(block: int) -> None:
    for seed in range(100 * block, 100 * block + 100):
        against_naive(live_spec(Random(seed)))


@pytest.mark.slow
@pytest.mark.parametrize("block", range(10))
def test_the_second_judge_agrees_on_all_constructs(block: int) -> None:
    for seed in range(100 * block, 100 * block + 100):
        for make in (random_spec, wide_spec):
            against_naive(with_liveness(make(Random(seed))))


@needs_llvm
@pytest.mark.slow
@pytest.mark.parametrize("block", range(10))
def test_the_engines_agree_on_many(block: int) -> None:
    for seed in range(100 * block, 100 * block + 100):
        engines_agree(live_spec(Random(seed)), workers=1 + seed % 2)


@needs_llvm
@pytest.mark.slow
@pytest.mark.parametrize("block", range(10))
def test_the_engines_agree_on_all_constructs(block: int) -> None:
    for seed in range(50 * block, 50 * block + 50):
        for make in (random_spec, wide_spec):
            engines_agree(with_liveness(make(Random(seed))))
