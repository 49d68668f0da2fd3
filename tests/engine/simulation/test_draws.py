"""Drawing a step gives steps of the interpreter, all of them in time, and the same one again."""

from __future__ import annotations

from contextlib import suppress
from random import Random

import pytest

import checker
from checker.base.diagnostics import SpecError
from checker.engine.interface import Limits
from checker.engine.labels import Labels
from checker.engine.runtime import Fail, State
from checker.engine.search import Search
from checker.engine.simulation.draws import Draws
from checker.model.machine import Machine
from tests.oracles.bfs import Oracle
from tests.oracles.test_oracles import ORACLES
from tests.random_specs import random_spec, wide_spec

STATES, DRAWS = 12, 12


def some_states(machine: Machine, chance: Random) -> list[State]:
    """The first states of a machine, and some of those behind them."""
    search = Search(machine)
    search.run(Limits(max_states=400))
    states = search.states
    return [states[0], *(states[chance.randrange(len(states))] for _ in range(STATES))]


def examine(machine: Machine, seed: int = 0) -> None:
    chance = Random(seed)
    draws = Draws(Search(machine).program)
    labels = Labels(draws)
    for state in some_states(machine, chance):
        done, failed = draws.expand(state)
        steps = {(labels.step(move), target) for _, move, target in done}
        targets = {target for _, _, target in done}
        errors = {(labels.step(move), problem.site) for _, move, problem in failed}
        for source in (*draws.work(state), *draws.faults(state), *draws.lies(state)):
            for _ in range(DRAWS):
                drawn = draws.draw(source, state, chance)
                if drawn is None:
                    continue
                draw, (unit, move, target) = drawn
                again = draws.again(draw, state)
                assert again is not None
                assert again[:2] == (unit, move)
                if isinstance(target, Fail):
                    assert (labels.step(move), target.site) in errors
                elif move.torn is not None:  # another way to the same picture may have given it its name
                    assert target in targets
                else:
                    assert (labels.step(move), target) in steps
                    assert again[2] == target


@pytest.mark.parametrize("oracle", [o for o in ORACLES if not o.slow][::3], ids=lambda o: o.name)
def test_oracles(oracle: Oracle) -> None:
    examine(checker.loads(oracle.text).machine(oracle.check))


@pytest.mark.parametrize("seed", range(16))
def test_random_models(seed: int) -> None:
    make = wide_spec if seed % 2 else random_spec
    with suppress(SpecError):  # it cannot be explored, either
        examine(checker.loads(make(Random(seed))).machine("c"), seed)


EMPTY = """spec Empty
message M(n: 0..1)
network bag[1]
role A[0] {
  durable c: 0..2 = 0
  durable d: 0..2 = 0
  action Go when c < 2 { c += 1  d += 1  send M(0) to B }
  on tick { c := min(2, c + 1) }
  on M(n) { }
  fault Slip when c > 0 { c := 0 }
}
role B { durable x: 0..2 = 0  action Up when x < 2 { x += 1  send M(1) to A }  on M(n) { }  on tick { } }
final: true
check c { faults %s }
"""


@pytest.mark.parametrize(
    "faults",
    ["drift A <= 1", "crash A <= 1", "stop A <= 1", "A.Slip <= 1", "cut(A, B) <= 1", "cut <= 1, lose <= 1, dup <= 1"],
)
def test_faults_of_a_role_without_instances(faults: str) -> None:
    """There is nothing that they could strike."""
    examine(checker.loads(EMPTY % faults).machine("c"))


def test_a_model_that_once_went_wrong() -> None:
    test_random_models(545)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(16, 1000))
def test_more_random_models(seed: int) -> None:
    test_random_models(seed)


FAULTS = """spec Faults
message M(n: 0..2)
network {network}
role A[3] {{ durable x: 0..2 = 0  volatile y: bool = false
  action Go(v: 0..2) when x < 2 {{ x += 1  choose k in 0..2  send M(k) to A  y := true }}
  on M(n) from p when n == w(p) {{ either {{ x := n }} or {{ y := not y }} }}
  fun w(p: A): 0..2 = if p == self then 0 else 1
  fault Slip {{ x := 0 }} }}
final: true
check c {{ faults {faults} }}
"""


@pytest.mark.parametrize(
    ("network", "faults"),
    [
        ("soup", "crash A <= 1, A.Slip <= 1, cut <= 1"),
        ("bag[2] drop", "lose <= 1, dup <= 1, stop A <= 1"),
        ("fifo[2] drop", "lose <= 1, dup <= 1"),
        ("soup", "byzantine A <= 1"),
    ],
)
def test_every_step_is_drawn_in_time(network: str, faults: str) -> None:
    """What the search lists and what many draws give is the same set, apart from what changes nothing."""
    machine = checker.loads(FAULTS.format(network=network, faults=faults)).machine()
    chance = Random(1)
    draws = Draws(Search(machine).program)
    for state in some_states(machine, chance)[:6]:
        done, _ = draws.expand(state)
        wanted = {target for _, _, target in done if target != state}
        found = set()
        for source in (*draws.work(state), *draws.faults(state), *draws.lies(state)):
            for _ in range(600 if source.kind in ("tear", "lie", "cut", "link") else 80):
                drawn = draws.draw(source, state, chance)
                if drawn is not None and not isinstance(drawn[1][2], Fail):
                    found.add(drawn[1][2])
        assert found - {state} == wanted


def test_listing_what_could_happen_asks_no_guard() -> None:
    """A model whose guards all err still has sources; only asking one of them shows the error."""
    text = "spec E role R[4] { durable x: 0..9 = 0  action Go when 1 / x > 0 { x := 1 } } final: true check c { }"
    draws = Draws(Search(checker.loads(text).machine()).program)
    (state,) = draws.program.initial_states()
    sources = draws.work(state)
    assert len(sources) == 4
    drawn = draws.draw(sources[0], state, Random(0))
    assert drawn is not None
    assert isinstance(drawn[1][2], Fail)


def test_a_huge_choice_is_not_listed() -> None:
    """A handler with 10^12 outcomes: the search could never list them, and a draw takes one."""
    chosen = "  ".join(f"choose v{i} in 0..9  x := x + v{i}" for i in range(12))
    text = f"spec C role R {{ durable x: 0..200 = 0  action Go when x == 0 {{ {chosen} }} }} final: true check c {{ }}"
    draws = Draws(Search(checker.loads(text).machine()).program)
    (state,) = draws.program.initial_states()
    (source,) = draws.work(state)
    drawn = draws.draw(source, state, Random(0))
    assert drawn is not None
    assert len(drawn[0].answers) == 12
    assert draws.again(drawn[0], state) == drawn[1]
