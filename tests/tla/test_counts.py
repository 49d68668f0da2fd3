"""Exported modules have the states, the steps and the verdicts of their checks.

The modules are parsed and run by the evaluator of this package, which reads nothing but the text. `test_tlc` asks TLC.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

import checker
from checker.engine.interface import Limits, Stop
from checker.engine.search import Interpreter
from checker.render.tla import export_tla
from tests.random_specs import random_spec, wide_spec
from tests.random_specs.features import used
from tests.tla.compare import compare, compare_seeds
from tests.tla.evaluate import Module
from tests.tla.explore import explore

SPECS = Path("specs")
SMALL = [
    ("transactions/two_phase.psm", "three", (288, 1145)),
    ("transactions/two_phase_commit.psm", "small", (194, 662)),
    ("transactions/two_phase_commit.psm", "heuristic", (338, 1238)),
    ("locks/row_update.psm", "given_away", (105, 156)),
]
LARGER = [
    ("transactions/two_phase_commit.psm", "lost_log", (548, 2155)),
    ("transactions/two_phase_commit.psm", "blocking", (494, 1768)),
    ("transactions/two_phase.psm", "four", (1568, 8257)),
    ("transactions/two_phase.psm", "five", (8832, 58145)),
    ("transactions/two_phase.psm", "blocking", (2168, 6844)),
    ("transactions/two_phase_commit.psm", "three", (1754, 8312)),
    ("transactions/two_phase_commit.psm", "recovery", (7850, 33938)),
    ("locks/redis_lock.psm", "fenced", (4192, 18892)),
    ("locks/redis_lock.psm", "unfenced", (5392, 23620)),
    ("locks/row_update.psm", "locked", (316, 756)),
    ("locks/row_update.psm", "versioned", (280, 658)),
    ("locks/row_update.psm", "found", (72, 132)),
    ("consensus/pbft.psm", "q2", (1966, 9612)),
    ("consensus/pbft.psm", "f2", (10058, 37820)),
]


def agree(path: str, check: str, counts: tuple[int, int]) -> None:
    machine = checker.load(SPECS / path).machine(check)
    found = Interpreter().explore(machine, Limits())
    assert (found.states, found.transitions) == counts
    assert compare(machine, found).outcome == "equal"


@pytest.mark.parametrize(("path", "check", "counts"), SMALL)
def test_specs(path: str, check: str, counts: tuple[int, int]) -> None:
    agree(path, check, counts)


@pytest.mark.slow
@pytest.mark.parametrize(("path", "check", "counts"), LARGER)
def test_larger_specs(path: str, check: str, counts: tuple[int, int]) -> None:
    agree(path, check, counts)


def test_random_models() -> None:
    outcomes = Counter(c.outcome for c in compare_seeds(random_spec, range(40), most=60))
    assert outcomes["equal"] >= 12


@pytest.mark.slow
@pytest.mark.parametrize("block", range(10))
def test_many_random_models(block: int) -> None:
    outcomes = Counter(c.outcome for c in compare_seeds(random_spec, range(block * 100, block * 100 + 100), most=150))
    assert outcomes["equal"] >= 25


@pytest.mark.slow
def test_random_models_of_every_construct() -> None:
    assert Counter(c.outcome for c in compare_seeds(wide_spec, range(25), most=60))["equal"] >= 3


def test_a_wrong_module_is_noticed() -> None:
    """A comparison that could not fail would prove nothing."""
    machine = checker.load(SPECS / "transactions/two_phase.psm").machine("three")
    text = export_tla(machine).text
    wrong = text.replace("/\\ TM_seen = RM\n", "")
    assert wrong != text
    right = explore(Module.read(text))
    other = explore(Module.read(wrong))
    assert (right.distinct, right.generated) == (288, 1146)
    assert (other.distinct, other.generated) != (right.distinct, right.generated)


CASES = {
    "a guard that is a disjunction is one step": ("", "action Go when x == 0 or y == 0 { x := 1 - x }"),
    "a loop": ("", "action Go { for i in 0..2 { if x < 2 { x += 1 }  y := i } }"),
    "a choice in a loop": ("", "action Go { for i in 0..1 { choose j in 0..1  y := j  x := (x + j) % 3 } }"),
    "an either with more behind it": (
        "",
        "action Go { either { x := 1 } or { x := 2 }  y := x  x := 0  y := (y + x) % 3 }",
    ),
    "a procedure": ("", "proc Add(k: 0..2) { x := (x + k) % 3 } action Go { Add(1)  y := x  Add(1) }"),
    "a torn step": ("faults crash P <= 1", "action Go { x := 1  y := 2  s := 1 }"),
    "a torn multicast": ("faults stop P <= 1", "action Go when x == 0 { x := 1  send M(x) to Q }"),
    "loss and copies": ("faults lose <= 1, dup <= 1", "action Go when x == 0 { x += 1  send M(x) to Q }"),
    "a partition": ("faults cut <= 1", "action Go when x == 0 { x += 1  send M(x) to Q }"),
    "a liar": ("faults byzantine P <= 1", "action Go when x == 0 { x += 1  send M(x) to Q }"),
    "a clock that drifts": ("faults drift P <= 1", "on tick { x := (x + 1) % 3 }"),
}
"""Faults, and what a role does: constructs one by one, so that a failure says which."""


def spec_of(network: str, faults: str, body: str) -> str:
    return f"""spec Case
message M(k: 0..2)
network {network}
role P[2] {{
  durable x: 0..2 = 0
  durable y: 0..2 = 0
  volatile s: 0..2 = 0
  {body}
}}
role Q[2] {{
  durable seen: Set[0..2] = {{}}
  on M(k) from p {{ seen += k }}
}}
final: true
check c {{ {faults} }}
"""


@pytest.mark.parametrize("network", ["bag[1] drop", "fifo[1] block"])
@pytest.mark.parametrize("case", CASES)
def test_constructs(network: str, case: str) -> None:
    faults, body = CASES[case]
    if "send" not in body:
        body += "\n  action Say when x == 2 { send M(1) to Q  x := 0 }"
    machine = checker.loads(spec_of(network, faults, body)).machine("c")
    found = Interpreter().explore(machine, Limits(max_states=3_000))
    assert found.stop is Stop.DONE
    assert "NoError" not in found.violations
    assert found.states > 3
    assert compare(machine, found).outcome == "equal"


@pytest.mark.slow
def test_random_models_cover_the_language() -> None:
    """Between them the models that agree use what the language has, but for what is refused or not reached by chance."""
    equal = [c for c in compare_seeds(random_spec, range(1000, 1200), most=150) if c.outcome == "equal"]
    seen = {f for c in equal if c.machine is not None for f in used(c.machine)}
    wanted = {f"budget {k}" for k in ("crash", "stop", "lose", "dup", "byzantine", "drift", "cut", "own")}
    assert wanted <= seen, wanted - seen
