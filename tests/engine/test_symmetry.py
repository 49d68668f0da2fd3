"""The reduction by symmetry in the interpreter: canonical states, sizes of orbits, and equal results without it."""

from __future__ import annotations

import re
from pathlib import Path
from random import Random

import pytest

import checker
from checker.base.diagnostics import SpecError
from checker.engine.canonical import Canonical
from checker.engine.interface import Limits
from checker.engine.search import Interpreter, Search
from checker.model.machine import Machine
from tests.engine.contract import LONG
from tests.engine.reduction import agree, agree_on, all_permutations, models, safety_of
from tests.oracles.bfs import Count, Oracle
from tests.oracles.test_oracles import ORACLES
from tests.random_specs import alike_spec

ROOT = Path(__file__).resolve().parents[2]
TWO_PHASE = ROOT / "specs/transactions/two_phase.psm"

ORBITS = {3: 80, 4: 166, 5: 314, 6: 553, 7: 920, 8: 1461}
"""Of the published two-phase commit, by the number of resource managers; counted independently."""

RING = """spec Ring
message Token(of: Node?)
network fifo[1]
role Node[4] symmetric {
  durable next: Node? = none
  durable told: Set[Node] = {}
  action Point(n: Node) when next == none and n != self { next := n }
  action Tell when next != none and next not in told { told += next  send Token(next.next2) to next }
  on Token(n) { if n != none { told += n } }
}
final: true
check c { }
""".replace("next.next2", "next")
"""Instances that name others: no sorting of what each of them says alone settles their order."""


def brute_force(machine: Machine, count: int) -> int:
    """Holds canonical states and sizes of orbits against all permutations; gives the number of states that some rename."""
    search = Search(machine)
    try:
        search.run(Limits(max_states=300))
    except SpecError:
        return 0
    canonical = Canonical(search.program.layout)
    every = list(all_permutations(canonical.elements))
    moved = 0
    for state in Random(1).sample(search.states, min(len(search.states), count)):
        orbit = {canonical.rename(state, to) for to in every}
        key, size = canonical(state)
        assert key in orbit
        assert size == len(orbit)
        assert {canonical(other) for other in orbit} == {(key, size)}
        moved += len(orbit) > 1
    return moved


@pytest.mark.parametrize(
    ("path", "check"),
    [
        ("transactions/two_phase", "four"), ("transactions/two_phase_commit", "recovery"),
        ("locks/redis_lock", "pause"), ("consensus/paxos", "reboot"), ("consensus/pbft", "q2"),
    ],
)  # fmt: skip
def test_canonical_states_are_those_of_all_permutations(path: str, check: str) -> None:
    assert brute_force(safety_of(path, check), 25) > 15


def test_canonical_states_where_instances_name_each_other() -> None:
    assert brute_force(checker.loads(RING).machine("c"), 60) > 40


def test_canonical_states_of_random_models() -> None:
    assert sum(brute_force(machine, 10) for machine in models(range(12), alike_spec)) > 50


@pytest.mark.slow
@pytest.mark.parametrize("block", range(10))
def test_canonical_states_of_many_random_models(block: int) -> None:
    assert sum(brute_force(machine, 25) for machine in models(range(block * 100, block * 100 + 100))) > 500


@pytest.mark.parametrize("n", ORBITS)
def test_orbits_of_two_phase_commit(n: int) -> None:
    found = Interpreter().explore(checker.load(TWO_PHASE).machine("three", constants={"N": n}), Limits())
    assert found.orbits == ORBITS[n]
    if n <= 5:
        counts = checker.load(TWO_PHASE).machine({3: "three", 4: "four", 5: "five"}[n]).counts
        assert counts is not None
        assert (found.states, found.transitions, found.depth) == (counts.states, counts.transitions, counts.depth)


@pytest.mark.parametrize(
    ("path", "check"),
    [
        ("transactions/two_phase", "four"), ("transactions/two_phase", "blocking"),
        ("transactions/two_phase_commit", "three"), ("transactions/two_phase_commit", "blocking"),
        ("transactions/two_phase_commit", "heuristic"), ("transactions/two_phase_commit", "lost_log"),
        ("locks/redis_lock", "fenced"), ("consensus/pbft", "q2"),
        *[pytest.param(*slow, marks=pytest.mark.slow) for slow in (
            ("transactions/two_phase_commit", "recovery"), ("locks/redis_lock", "pause"), ("locks/redis_lock", "retry"),
            ("consensus/paxos", "safe"), ("consensus/paxos", "quorum"), ("consensus/pbft", "f2"),
        )],
    ],
)  # fmt: skip
def test_specs_say_the_same_with_symmetry(path: str, check: str) -> None:
    found = agree(Interpreter(), safety_of(path, check))
    assert found is not None
    assert found.orbits is not None
    assert found.orbits < found.states * 0.7


def test_instances_that_name_each_other_are_reduced() -> None:
    found = agree(Interpreter(), checker.loads(RING.replace("Node[4]", "Node[3]")).machine("c"))
    assert found is not None
    assert found.orbits is not None
    assert found.states > 5 * found.orbits


def symmetric_oracles() -> list[object]:
    """The oracles with every role that may be symmetric made so."""
    cases: list[object] = []
    for oracle in ORACLES:
        text = re.sub(r"(role \w+ ?\[[^\]]+\]) \{", r"\1 symmetric {", oracle.text)
        try:
            machine = checker.loads(text.replace("symmetry off", "")).machine(oracle.check)
        except SpecError:  # something in it looks at the order
            continue
        if machine.symmetric:
            cases.append(
                pytest.param(
                    oracle, machine, id=oracle.name, marks=[pytest.mark.slow] * (oracle.slow or oracle.name in LONG)
                )
            )
    return cases


@pytest.mark.parametrize(("oracle", "machine"), symmetric_oracles())
def test_the_reduction_counts_what_an_oracle_counts(oracle: Oracle, machine: Machine) -> None:
    found = Interpreter().explore(machine, Limits())
    lengths = {name: len(f.path.steps) for name, f in {**found.violations, **found.reached}.items()}
    assert Count(found.states, found.transitions, found.depth, lengths) == oracle.count()


def test_random_models_say_the_same_with_symmetry() -> None:
    agree_on(models(range(8)), Interpreter)
    assert agree_on(models(range(30), alike_spec), Interpreter) >= 6


@pytest.mark.slow
@pytest.mark.parametrize("block", range(10))
def test_many_random_models_say_the_same_with_symmetry(block: int) -> None:
    seeds = range(block * 100, block * 100 + 100)
    agree_on(models(seeds), Interpreter)
    assert agree_on(models(seeds, alike_spec), Interpreter) >= 20


def test_no_graph_is_reduced() -> None:
    graph = checker.load(TWO_PHASE).graph("three")
    assert len(graph.states) == 288
