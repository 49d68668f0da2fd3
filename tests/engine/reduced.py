"""What partial-order reduction owes on every engine: equal verdicts where it may reduce, refusals where it may not."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest

import checker
from checker.base.diagnostics import SpecError
from checker.engine.interface import Engine, Exploration, Limits
from checker.engine.reduction import REDUCIBLE
from checker.model.machine import Expectation, Machine
from tests.engine.contract import summary
from tests.random_specs import loose_spec, random_spec, wide_spec

SPECS = sorted((Path(__file__).resolve().parents[2] / "specs").glob("*/*.psm"))


def crowded_spec(rng: Random) -> str:
    """A loose spec beside processes that do nothing: more handlers of processes than a word has bits."""
    return loose_spec(rng).replace(
        "role A", "role Idle[31] { action One when false { }  action Two when false { } }\nrole A", 1
    )


WRITERS = {"loose": loose_spec, "random": random_spec, "wide": wide_spec, "crowded": crowded_spec}

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


ALIKE = """spec Alike
role A[3] symmetric { durable n: 0..3 = 0  action Up when n < 3 { n += 1 } }
final: forall a in A: a.n == 3
check c { }
"""


def judged(machine: Machine) -> Machine:
    """The same machine with the properties that a reduced search looks at, all of them expected, and no bound."""
    kept = tuple(p for p in machine.properties if p.kind in REDUCIBLE)
    expectations = {p.name: Expectation("holds", p.span) for p in kept}
    return replace(machine, properties=kept, bound=None, expectations={**machine.expectations, **expectations})


def random_machines(writer: str, seeds: range) -> Iterator[tuple[int, Machine]]:
    """Random models, each with all properties and with one alone, of which less is visible."""
    for seed in seeds:
        try:
            machine = judged(checker.loads(WRITERS[writer](Random(seed))).machine("c"))
        except SpecError:  # a random spec need not have a state within its bound, or be a spec at all
            continue
        yield seed, machine
        yield seed, replace(machine, properties=machine.properties[seed % (len(machine.properties) + 1) :][:1])


def recorded(most: int) -> list[object]:
    """The checks of the library that can be reduced, up to 60,000 states; those with more than `most` are slow."""
    found: list[object] = []
    for path in SPECS:
        spec = checker.load(path)
        for name in spec.checks:
            counts = spec.machine(name).counts
            if counts is not None and counts.states < 60_000:
                marks = [pytest.mark.slow, pytest.mark.timeout(3600)] if counts.states > most else []
                found.append(pytest.param(path, name, id=f"{path.stem}-{name}", marks=marks))
    return found


def told(found: Exploration) -> Mapping[str, object]:
    """All that a reduced exploration says."""
    said = {**summary(found), "reduced": found.reduced}
    del said["tally"]
    return said


class ReductionContract:
    """Tests for an engine that reduces. Subclasses say which."""

    def make(self) -> Engine:
        raise NotImplementedError

    def test_independent_processes_run_one_after_the_other(self) -> None:
        """4^3 states in any order, 3 + 3 + 3 steps in one; seen from the first process, only what it does not see is ordered."""
        spec = checker.loads(ALONE)
        found = {check: self.make().explore(spec.machine(check), Limits()) for check in ("blind", "first")}
        assert found["blind"].states == 10
        assert found["first"].states == 3 + 3 + 4
        assert found["first"].reached.keys() == {"Done"} and not found["first"].violations
        assert all(f.reduced for f in found.values())

    def test_a_bound_is_refused(self) -> None:
        with pytest.raises(SpecError, match="PSM902: partial-order reduction cannot keep to a `bound`"):
            self.make().explore(checker.loads(ALONE).machine("bounded"), Limits())

    def test_symmetry_is_left_to_others(self) -> None:
        """A reduced search explores each state for itself."""
        found = self.make().explore(checker.loads(ALIKE).machine("c"), Limits())
        assert (found.states, found.orbits) == (10, None)
