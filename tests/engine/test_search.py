"""The search: exact counts, shortest paths, limits that are never silent, the same result on every run."""

from __future__ import annotations

from itertools import pairwise

import pytest

import checker
from checker.engine.graph import state_graph
from checker.engine.interface import Limits, Progress, Stop
from checker.engine.search import Interpreter, Search
from checker.properties.kinds import CheckVerdict, Verdict

COUNTER = """spec Counter
const MAX: 1..1000 = 5
network soup
role C { durable n: 0..MAX = 0
  action Up when n < MAX { n += 1 }
  action Down when n > 0 { n -= 1 }
  action Jump when n == 1 { n := MAX } }
invariant Low: C.n < MAX
step Slow: C.n <= old(C.n) + 1
reach Top: C.n == MAX
final: true
check small { expect fails Low, Slow  expect holds Top }
check bounded { bound C.n <= 3  expect fails Low  expect fails Slow }
"""


def test_counts_of_a_counter() -> None:
    # 6 values; up from 5 of them, down from 5, one jump; the jump makes 5 reachable in 2 steps, and 4 in 3
    result = checker.loads(COUNTER).check("small")
    assert (result.states, result.transitions, result.depth) == (6, 11, 3)
    assert result.verdict is CheckVerdict.PASS


def test_counterexamples_are_shortest() -> None:
    result = checker.loads(COUNTER).check("small")
    low = result.property("Low").trace
    assert low is not None
    assert [s.step for s in low.steps] == ["C.Up()", "C.Jump()"]
    assert low.steps[-1].changes == {"C.n": 5}


def test_a_bound_checks_what_it_does_not_store() -> None:
    # 0..3 are stored; from 3 up to 4 and from 1 by the jump to 5 are two steps that leave
    result = checker.loads(COUNTER).check("bounded")
    assert (result.states, result.coverage.bound_cut) == (4, 2)
    assert result.transitions == 3 + 1 + 3 + 1
    assert result.property("Low").verdict is Verdict.VIOLATED
    assert result.property("Top").verdict is Verdict.HOLDS


@pytest.mark.parametrize(
    ("limits", "stop", "reason"),
    [
        (Limits(max_states=3), Stop.STATES, "the limit on states was reached"),
        (Limits(timeout=0.0), Stop.TIME, "the limit on time was reached"),
        (Limits(max_memory=1), Stop.MEMORY, "the limit on memory was reached"),
    ],
)
def test_a_limit_is_never_a_pass(limits: Limits, stop: Stop, reason: str) -> None:
    spec = checker.loads(COUNTER.replace("expect fails Low, Slow  expect holds Top", "expect holds Top"))
    machine = spec.machine("small", constants={"MAX": 900})
    assert Interpreter().explore(machine, limits).stop is stop
    result = spec.check("small", constants={"MAX": 900}, limits=limits)
    assert result.verdict is CheckVerdict.INCOMPLETE
    assert result.reason == reason
    assert result.property("NoDeadlock").verdict is Verdict.INCOMPLETE


def test_progress_is_observed() -> None:
    seen: list[Progress] = []
    machine = checker.loads(COUNTER).machine("small", constants={"MAX": 1000})
    Search(machine).run(Limits(), seen.append)
    assert all(p.states >= 1 and p.queue >= 0 and p.memory > 0 for p in seen)


def test_an_interrupt_keeps_what_was_covered() -> None:
    search = Search(checker.loads(COUNTER).machine("small", constants={"MAX": 1000}))

    def interrupt(progress: Progress) -> None:
        raise KeyboardInterrupt

    real = search._explore  # the interrupt has to come from inside the loop

    def explore(at: int) -> None:
        if at == 100:
            raise KeyboardInterrupt
        real(at)

    search._explore = explore  # type: ignore[method-assign]
    found = search.run(Limits(), interrupt)
    assert found.stop is Stop.INTERRUPTED
    assert found.states > 100


def test_every_run_gives_the_same_graph() -> None:
    machine = checker.loads(COUNTER).machine("small")
    first, second = state_graph(machine), state_graph(machine)
    assert first.states == second.states
    assert first.edges == second.edges


def test_the_graph_has_every_transition_and_true_depths() -> None:
    graph = state_graph(checker.loads(COUNTER).machine("small"))
    assert (len(graph.states), len(graph.edges), graph.complete) == (6, 11, True)
    assert graph.depths[0] == 0
    for edge in graph.edges:
        assert graph.depths[edge.target] <= graph.depths[edge.source] + 1
    assert not state_graph(checker.loads(COUNTER).machine("bounded")).complete


def test_paths_are_made_of_real_steps() -> None:
    search = Search(checker.loads(COUNTER).machine("small"))
    search.run(Limits())
    for number in range(len(search.states)):
        path = search.path(number)
        for before, after in pairwise(path.states):
            done, _ = search.steps.expand(before)
            assert after in [target for _, _, target in done]


def test_a_bound_that_explores_nothing_is_an_error() -> None:
    spec = checker.loads(COUNTER.replace("bound C.n <= 3", "bound C.n > 3"))
    with pytest.raises(checker.SpecError, match="PSM508: the bound excludes every initial state"):
        spec.check("bounded")
