"""Partial-order reduction finds what a plain search finds, where it may reduce; and refuses the rest.

Beyond verdicts, three sets have to be equal, from which all verdicts follow: the truths of the judged properties together in
some state, the states in which nothing but faults can go on, and the places of errors. A reduction that forgets a dependency
or a cycle loses some of them long before it loses a verdict; the last test breaks it on purpose and sees that noticed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest

import checker
from checker.base.diagnostics import SpecError
from checker.engine.interface import Limits, Stop
from checker.engine.reduction import REDUCIBLE, ReducedInterpreter, ReducedSearch, Reducer
from checker.engine.runtime import Fail
from checker.engine.search import Search
from checker.model.machine import Expectation, Machine
from tests.random_specs import loose_spec, random_spec, wide_spec

SPECS = sorted((Path(__file__).resolve().parents[2] / "specs").glob("*/*.psm"))
MOST = 800

Facts = tuple[frozenset[object], frozenset[object], frozenset[object]]


def reducible(machine: Machine) -> Machine:
    """The same machine with the properties that a reduced search looks at, all of them expected, and no bound."""
    kept = tuple(p for p in machine.properties if p.kind in REDUCIBLE)
    expectations = {p.name: Expectation("holds", p.span) for p in kept}
    return replace(machine, properties=kept, bound=None, expectations={**machine.expectations, **expectations})


def facts(search: Search) -> Facts:
    """Truths of properties, stuck states and places of errors among the states that a search has found."""
    program, steps = search.program, search.steps
    tests = [c.test for c in program.invariants] + [test for _, test in program.reach]
    truths, stuck, errors = set(), set(), set()

    def judged(test: Callable[..., bool], state: object) -> bool | int:
        try:
            return bool(test(state))
        except Fail as problem:
            return problem.site

    for state in search.states:
        truths.add(tuple(judged(test, state) for test in tests))
        cut = steps.counters.limit_cut
        done, failed = steps.expand(state)
        errors |= {(move.unit, move.process, problem.site) for _, move, problem in failed}
        alive = any(t != state and not steps.units[u].fault and not m.forged and m.torn is None for u, m, t in done)
        if not alive and not failed and steps.counters.limit_cut == cut:
            stuck.add(state)
    return frozenset(truths), frozenset(stuck), frozenset(errors)


def compare(machine: Machine) -> tuple[int, int] | None:
    """The states of the plain and of the reduced search, which say the same; None for a machine that is too large."""
    plain, reduced = Search(machine), ReducedSearch(machine)
    full = plain.run(Limits(max_states=MOST))
    if full.stop is not Stop.DONE:
        return None
    found = reduced.run(Limits())
    assert set(reduced.states) <= set(plain.states)
    for part in ("violations", "reached", "broken"):
        assert getattr(found, part).keys() == getattr(full, part).keys(), part
    assert facts(reduced) == facts(plain)
    return full.states, found.states


def compare_random(write: Callable[[Random], str], seeds: range) -> tuple[int, int]:
    """Compares random models, with all properties and with one alone, of which less is visible; counts the smaller ones."""
    count = smaller = 0
    for seed in seeds:
        try:
            machine = reducible(checker.loads(write(Random(seed))).machine("c"))
            some = machine.properties[seed % (len(machine.properties) + 1) :][:1]
            pairs = [compare(m) for m in (machine, replace(machine, properties=some))]
        except SpecError:
            continue
        except AssertionError as problem:
            raise AssertionError(f"{write.__name__}, seed {seed}") from problem
        count += sum(pair is not None for pair in pairs)
        smaller += sum(pair is not None and pair[1] < pair[0] for pair in pairs)
    return count, smaller


def test_random_models_of_nearly_independent_processes() -> None:
    count, smaller = compare_random(loose_spec, range(30))
    assert count > 25 and smaller > 3


def test_random_models() -> None:
    assert compare_random(random_spec, range(20))[0] > 20


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("block", range(10))
def test_many_random_models(block: int) -> None:
    count, smaller = compare_random(loose_spec, range(60 * block, 60 * block + 60))
    for write in (random_spec, wide_spec):
        more = compare_random(write, range(20 * block, 20 * block + 20))
        count, smaller = count + more[0], smaller + more[1]
    assert count > 100 and smaller > 10


def recorded() -> list[object]:
    """The checks of the library that can be reduced; those with more than 600 states are slow."""
    found: list[object] = []
    for path in SPECS:
        spec = checker.load(path)
        for name in spec.checks:
            counts = spec.machine(name).counts
            if counts is not None and counts.states < 60_000:
                marks = [pytest.mark.slow, pytest.mark.timeout(3600)] if counts.states > 600 else []
                found.append(pytest.param(path, name, id=f"{path.stem}-{name}", marks=marks))
    return found


@pytest.mark.parametrize(("path", "check"), recorded())
def test_specs_of_the_library(path: Path, check: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.engine.test_reduction.MOST", 100_000)
    assert compare(reducible(checker.load(path).machine(check))) is not None


ALONE = """spec Apart
role A[3] { durable n: 0..3 = 0  action Up when n < 3 { n += 1 } }
invariant First: at(A, 0).n < 4
reach Done: at(A, 0).n == 3
step Grows: at(A, 0).n >= old(at(A, 0).n)
final: forall a in A: a.n == 3
check blind { }
check first { expect holds First, Done }
check bounded { bound at(A, 0).n < 2 }
"""


def test_independent_processes_run_one_after_the_other() -> None:
    """4^3 states in any order, 3 + 3 + 3 steps in one; seen from the first process, only what it does not see is ordered."""
    spec = checker.loads(ALONE)
    found = {check: ReducedInterpreter().explore(spec.machine(check), Limits()) for check in ("blind", "first")}
    assert found["blind"].states == 10
    assert found["first"].states == 3 + 3 + 4
    assert found["first"].reached.keys() == {"Done"} and not found["first"].violations
    assert all(f.reduced for f in found.values())


def test_a_bound_is_refused() -> None:
    with pytest.raises(SpecError, match="PSM902: partial-order reduction cannot keep to a `bound`"):
        ReducedInterpreter().explore(checker.loads(ALONE).machine("bounded"), Limits())


def without_dependencies(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Reducer, "_dependent", lambda self, mine: 0)


def without_openers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Reducer, "_openers", lambda self, number, state: 0)


def without_senders(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Reducer, "_deliverers", lambda self, step, process, senders: 0)


def without_the_queue(monkeypatch: pytest.MonkeyPatch) -> None:
    ample = Reducer.ample
    monkeypatch.setattr(
        Reducer, "ample", lambda self, s, done, failed, is_open: ample(self, s, done, failed, lambda t: True)
    )


def without_visibility(monkeypatch: pytest.MonkeyPatch) -> None:
    begin = Reducer.__init__

    def blind(self: Reducer, search: Search) -> None:
        begin(self, search)
        self._visible = 0

    monkeypatch.setattr(Reducer, "__init__", blind)


@pytest.mark.parametrize(
    ("broken", "seed"),
    [
        (without_dependencies, 6), (without_openers, 210), (without_senders, 347), (without_the_queue, 26),
        (without_visibility, 6),
    ],
)  # fmt: skip
def test_a_broken_reduction_is_noticed(
    broken: Callable[[pytest.MonkeyPatch], None], seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each part is needed by some model: the first that notices, so there is no need to search for it again."""
    broken(monkeypatch)
    with pytest.raises(AssertionError, match=f"loose_spec, seed {seed}"):
        compare_random(loose_spec, range(seed, seed + 1))
