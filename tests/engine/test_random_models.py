"""Random models that between them use every construct of the language.

Whatever a well-typed spec does, the checker answers: with a result, the same on every run and for the formatted text, and
with counterexamples that are made of real steps.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import checker
from checker.base.source import Source
from checker.engine.interface import Exploration, Limits
from checker.engine.search import Search
from checker.lang.printer import format_source
from tests.random_specs import random_spec

LIMITS = Limits(max_states=600)


def explore(text: str) -> tuple[Search, Exploration]:
    search = Search(checker.loads(text).machine("c"))
    return search, search.run(LIMITS)


def summary(found: Exploration) -> object:
    """Everything about an exploration but its time."""
    findings = [
        {name: (f.path, f.error.code if f.error else None) for name, f in part.items()}
        for part in (found.violations, found.reached, found.broken)
    ]
    tally = found.tally
    lines = len(tally.vacuous), len(tally.never_false)
    tally = replace(tally, vacuous=(), never_false=())  # these are named with their lines, which the formatter moves
    return found.states, found.transitions, found.depth, found.stop, findings, tally, lines


def examine(text: str) -> None:
    """The properties that every model has."""
    search, found = explore(text)
    _, again = explore(text)
    assert summary(again) == summary(found)
    _, formatted = explore(format_source(Source("random.psm", text)))
    assert summary(formatted) == summary(found)
    for finding in (*found.violations.values(), *found.reached.values(), *found.broken.values()):
        assert len(finding.path.states) == len(finding.path.steps) + 1
        assert finding.path.states[0] in search.program.initial_states()
        for (before, after), label in zip(pairwise(finding.path.states), finding.path.steps, strict=True):
            done, _ = search.steps.expand(before)
            assert (label, after) in [(search.labels.step(move), target) for _, move, target in done]


@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.integers(0, 1 << 40))
def test_random_models(seed: int) -> None:
    examine(random_spec(Random(seed)))


@pytest.mark.slow
@pytest.mark.parametrize("block", range(20))
def test_many_random_models(block: int) -> None:
    for seed in range(block * 100, block * 100 + 100):
        examine(random_spec(Random(seed)))


@pytest.mark.parametrize("seed", [3, 9, 13, 2450, 2500, 29702, 219956926])
def test_models_that_once_went_wrong(seed: int) -> None:
    examine(random_spec(Random(seed)))
