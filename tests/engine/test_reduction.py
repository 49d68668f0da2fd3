"""Partial-order reduction finds what a plain search finds, where it may reduce; and refuses the rest.

Beyond verdicts, three sets have to be equal, from which all verdicts follow: the truths of the judged properties together in
some state, the states in which nothing but faults can go on, and the places of errors. A reduction that forgets a dependency
or a cycle loses some of them long before it loses a verdict; the last test breaks it on purpose and sees that noticed.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

import checker
from checker.base.diagnostics import SpecError
from checker.engine.classes import Classes
from checker.engine.interface import Engine, Limits, Stop
from checker.engine.reduction import ReducedInterpreter, ReducedSearch, Reducer
from checker.engine.runtime import Fail
from checker.engine.search import Search
from checker.model.machine import Machine
from tests.engine.reduced import ReductionContract, judged, random_machines, recorded

MOST = 800

Facts = tuple[frozenset[object], frozenset[object], frozenset[object]]


def facts(search: Search) -> Facts:
    """Truths of properties, stuck states and places of errors among the states that a search has found."""
    program, steps = search.program, search.steps
    tests = [c.test for c in program.invariants] + [test for _, test in program.reach]
    truths, stuck, errors = set(), set(), set()

    def answer(test: Callable[..., bool], state: object) -> bool | int:
        try:
            return bool(test(state))
        except Fail as problem:
            return problem.site

    for state in search.states:
        truths.add(tuple(answer(test, state) for test in tests))
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


def compare_random(writer: str, seeds: range) -> tuple[int, int]:
    """Compares random models, and counts those that are small enough, and those that became smaller."""
    count = smaller = 0
    for seed, machine in random_machines(writer, seeds):
        try:
            pair = compare(machine)
        except SpecError:
            continue
        except AssertionError as problem:
            raise AssertionError(f"{writer}, seed {seed}") from problem
        count += pair is not None
        smaller += pair is not None and pair[1] < pair[0]
    return count, smaller


class TestInterpreter(ReductionContract):
    def make(self) -> Engine:
        return ReducedInterpreter()


def test_random_models_of_nearly_independent_processes() -> None:
    count, smaller = compare_random("loose", range(30))
    assert count > 25 and smaller > 3


def test_random_models() -> None:
    assert compare_random("random", range(20))[0] > 20


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("block", range(10))
def test_many_random_models(block: int) -> None:
    count, smaller = compare_random("loose", range(60 * block, 60 * block + 60))
    for writer in ("random", "wide"):
        more = compare_random(writer, range(20 * block, 20 * block + 20))
        count, smaller = count + more[0], smaller + more[1]
    assert count > 100 and smaller > 10


@pytest.mark.parametrize(("path", "check"), recorded(600))
def test_specs_of_the_library(path: Path, check: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A check with a `bound` cannot be reduced. Without the bound it can, and is compared if its graph is not too large then."""
    monkeypatch.setattr("tests.engine.test_reduction.MOST", 100_000)
    machine = checker.load(path).machine(check)
    assert compare(judged(machine)) is not None or machine.bound is not None


def without_dependencies(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Classes, "_dependent", lambda self, mine: 0)


def without_openers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Reducer, "_openers", lambda self, number, state: 0)


def without_senders(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Classes, "_deliverers", lambda self, step, process, senders: 0)


def without_the_levels(monkeypatch: pytest.MonkeyPatch) -> None:
    ample = Reducer.ample
    monkeypatch.setattr(
        Reducer, "ample", lambda self, s, done, failed, is_later: ample(self, s, done, failed, lambda t: True)
    )


def without_visibility(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Classes, "_seen", lambda self, machine: 0)


@pytest.mark.parametrize(
    ("broken", "seed"),
    [
        (without_dependencies, 6), (without_openers, 210), (without_senders, 347), (without_the_levels, 26),
        (without_visibility, 6),
    ],
)  # fmt: skip
def test_a_broken_reduction_is_noticed(
    broken: Callable[[pytest.MonkeyPatch], None], seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each part is needed by some model: the first that notices, so there is no need to search for it again."""
    broken(monkeypatch)
    with pytest.raises(AssertionError, match=f"loose, seed {seed}"):
        compare_random("loose", range(seed, seed + 1))
