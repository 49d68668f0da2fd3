"""What every engine owes: a suite that is given an engine and runs on each of them.

`EngineContract` is the base of a test class; `make` gives the engine. It is held against counts that were not made by any
engine: the oracles, which search by hand, and the counts that are recorded in the specs of the library. Everything beside
counts (paths, errors, coverage) is held against the reference interpreter, on random models. Last come the limits: an
exploration that was cut off says so, and counts the same on every run.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path
from random import Random

import pytest

import checker
from checker.base.diagnostics import SpecError
from checker.engine.interface import Engine, Exploration, Finding, Limits, Progress, Stop
from checker.engine.search import Interpreter
from checker.model.machine import Machine
from checker.model.symmetry import without_symmetry
from tests.oracles.bfs import Count, Oracle
from tests.oracles.test_oracles import ORACLES
from tests.random_specs import random_spec, soup_spec, wide_spec

ROOT = Path(__file__).resolve().parents[2]
SPECS = sorted((ROOT / "specs").glob("*/*.psm"))

SMALL = Limits(max_states=200)
"""Most random models are larger, so the limit is met, too."""

LONG = frozenset(
    {
        "EWD 998, 3 nodes, counters to 1",
        "Lamport's mutex, 3 processes, clocks to 3",
        "a soup, 0 faulty, 1 crashes",
        "a soup, 1 faulty, 1 crashes",
        "detection of termination, four nodes",
        "leases, 1 cuts",
        "leases, 2 cuts",
        "sequences, bags, sets and maps",
        "several networks",
        "two-phase commit, crashes of both roles",
    }
)
"""Oracles that only the slow suite holds every engine to; `tests/oracles` holds the one to it that a check runs on."""

BLOCK = 100

CROWD = """\
spec Crowd
message Ping(n: 0..63), Pong(n: 0..63)
network soup
role A {
  durable n: 0..45 = 0
  durable back: 0..2 = 0
  action Say when n < 45 { send Ping(n) to B  n += 1 }
  on Pong(m) from b when m > 40 and back < 2 { back += 1 }
}
role B[2] {
  durable least: 0..63 = 63
  on Ping(m) from a when m < least and m > 41 { least := m  send Pong(m) to a }
}
invariant Few: A.back < 2
step Falls: forall b in B: b.least <= old(b.least)
final: true
check c { bound A.n < 3 or A.n > 35 or (at(B, 0).least == 63 and at(B, 1).least == 63) }
"""
"""More messages than are looked at at once, where native code compares them by vectors."""

COUNTER = """spec Counter
const MAX: 1..100000 = 5
role C[2] { durable n: 0..MAX = 0
  action Up when n < MAX { n += 1 }
  action Down when n > 0 { n -= 1 } }
invariant Low: forall c in C: c.n < MAX
final: true
check c { expect fails Low }
"""

ALONE = """spec Alone
role A { durable x: bool = false  action Stay { x := x } }
final: true
check c { }
"""


def summary(found: Exploration) -> Mapping[str, object]:
    """Everything about an exploration but its time and who made it. The order of what was found says nothing."""
    tally = found.tally
    return {
        "counts": (found.states, found.transitions, found.depth),
        "stop": found.stop,
        "violations": {name: told(f) for name, f in found.violations.items()},
        "reached": {name: told(f) for name, f in found.reached.items()},
        "broken": {name: told(f) for name, f in found.broken.items()},
        "tally": replace(tally, enum_values=tuple(sorted(tally.enum_values)), units=dict(sorted(tally.units.items()))),
    }


def told(finding: Finding) -> object:
    error = finding.error
    return finding.path, None if error is None else (error.code, error.message, error.span)


def outcome(engine: Engine, machine: Machine, limits: Limits) -> Mapping[str, object]:
    """What an engine says of a machine, and be it that it cannot be started."""
    try:
        return summary(engine.explore(machine, limits))
    except SpecError as problem:
        return {"error": str(problem)}


def lengths(reached: object) -> Mapping[str, int]:
    """How long the ways to what was reached are."""
    assert isinstance(reached, Mapping)
    return {name: len(path.steps) for name, (path, _) in reached.items()}


def ways(found: Exploration) -> Mapping[str, int]:
    """The same of an exploration: all that is certain where several workers search."""
    return {name: len(finding.path.steps) for name, finding in found.reached.items()}


def plain(text: str) -> Machine:
    """The check `c` of a spec, without symmetry: which states stand for others depends on the engine (see `reduction`)."""
    return without_symmetry(checker.loads(text).machine("c"))


@cache
def expected(text: str, limits: Limits) -> Mapping[str, object]:
    """What the interpreter says of a check `c`."""
    return outcome(Interpreter(), plain(text), limits)


@cache
def counted(name: str) -> Count:
    """What an oracle counts, once for all engines."""
    return next(oracle for oracle in ORACLES if oracle.name == name).count()


def oracles() -> list[object]:
    return [pytest.param(o, id=o.name, marks=[pytest.mark.slow] if o.slow or o.name in LONG else []) for o in ORACLES]


def recorded(most: int = 3_000) -> list[object]:
    """The checks of the library that record counts; those with more than `most` states are slow."""
    checks: list[object] = []
    for path in SPECS:
        spec = checker.load(path)
        for name in spec.checks:
            counts = spec.machine(name).counts
            if counts is not None:
                marks = [pytest.mark.slow] if counts.states > most else []
                checks.append(pytest.param(path, name, id=f"{path.stem}-{name}", marks=marks))
    return checks


def examine(engine: Engine, text: str, limits: Limits = SMALL, *, any_witness: bool = False) -> None:
    """The engine says of a check `c` what the interpreter says; of the ways to what is reached maybe only how long they are."""
    found, wanted = outcome(engine, plain(text), limits), expected(text, limits)
    for part in wanted:  # one after the other: a difference is shorter then
        shown = lengths if any_witness and part == "reached" else lambda value: value
        assert shown(found.get(part)) == shown(wanted[part]), part
    assert found.keys() == wanted.keys()


class EngineContract:
    """Tests for an engine. Subclasses say which."""

    models = 50
    """How many random models of each of two kinds the normal suite looks at."""

    refuses: tuple[type[Exception], ...] = ()
    """What the engine raises of a machine that it cannot hold: fewer than one in three of those with every construct."""

    any_witness = False
    """Whether chance decides which of the shortest ways to what is reached the engine shows."""

    def make(self) -> Engine:
        raise NotImplementedError

    @pytest.mark.parametrize("oracle", oracles())
    def test_it_counts_what_an_oracle_counts(self, oracle: Oracle) -> None:
        found = self.make().explore(checker.loads(oracle.text).machine(oracle.check), Limits())
        lengths = {name: len(f.path.steps) for name, f in {**found.violations, **found.reached}.items()}
        assert found.stop is Stop.DONE
        assert not found.broken
        assert Count(found.states, found.transitions, found.depth, lengths) == counted(oracle.name)

    @pytest.mark.parametrize(("path", "check"), recorded())
    def test_it_counts_what_a_spec_records(self, path: Path, check: str) -> None:
        machine = checker.load(path).machine(check)
        assert machine.counts is not None
        found = self.make().explore(machine, Limits())
        counts = machine.counts
        assert (found.states, found.transitions, found.depth) == (counts.states, counts.transitions, counts.depth)

    def test_it_is_equal_on_random_models_of_all_constructs(self) -> None:
        self.examine_any(wide_spec)

    def test_it_is_equal_on_random_models_with_many_steps(self) -> None:
        self.examine_any(random_spec)

    def test_it_is_equal_on_random_models_whose_messages_stay(self) -> None:
        self.examine_any(soup_spec)

    def test_it_is_equal_where_one_state_has_many_messages(self) -> None:
        assert self.examine(CROWD)

    @pytest.mark.slow
    @pytest.mark.parametrize("block", range(20))
    def test_it_is_equal_on_many_random_models_of_all_constructs(self, block: int) -> None:
        refused = sum(not self.examine(wide_spec(Random(seed))) for seed in range(block * BLOCK, block * BLOCK + BLOCK))
        assert refused <= BLOCK // 3

    @pytest.mark.slow
    @pytest.mark.parametrize("block", range(10))
    def test_it_is_equal_on_many_random_models_whose_messages_stay(self, block: int) -> None:
        assert all(self.examine(soup_spec(Random(seed))) for seed in range(block * BLOCK, block * BLOCK + BLOCK))

    @pytest.mark.slow
    @pytest.mark.parametrize("block", range(10))
    def test_it_is_equal_on_many_random_models_with_many_steps(self, block: int) -> None:
        assert all(self.examine(random_spec(Random(seed))) for seed in range(block * BLOCK, block * BLOCK + BLOCK))

    def examine_any(self, write: Callable[[Random], str]) -> None:
        """Compares the first models of a generator: always the same ones, of which none takes the interpreter long."""
        for seed in range(self.models):
            assert self.examine(write(Random(seed))) or self.refuses, seed

    def examine(self, text: str) -> bool:
        """Compares one model, whole where it is small, and up to the limit otherwise. Whether the engine can hold it."""
        whole = expected(text, SMALL).get("stop") is Stop.DONE
        try:
            examine(self.make(), text, Limits() if whole else SMALL, any_witness=self.any_witness)
        except self.refuses:
            return False
        return True

    @pytest.mark.parametrize("most", [1, 2, 10, 120, 121, 122])
    def test_a_limit_on_states_is_exact(self, most: int) -> None:
        machine = checker.loads(COUNTER).machine("c", constants={"MAX": 10})
        found = self.make().explore(machine, Limits(max_states=most))
        assert summary(found) == summary(Interpreter().explore(machine, Limits(max_states=most)))
        if most > 121:
            assert (found.states, found.stop) == (121, Stop.DONE)
        else:  # a state is explored to its end, and has at most two successors that are new
            assert most <= found.states <= most + 2
            assert found.stop is Stop.STATES

    def test_a_limit_on_states_that_is_met_at_the_end_stops_nothing(self) -> None:
        found = self.make().explore(checker.loads(ALONE).machine("c"), Limits(max_states=1))
        assert (found.states, found.transitions, found.stop) == (1, 1, Stop.DONE)

    def test_a_limit_on_time_is_kept(self) -> None:
        machine = checker.loads(COUNTER).machine("c", constants={"MAX": 100_000})
        self.make().explore(machine, Limits(timeout=0.001))  # so that code is there: to make it may take as long
        found = self.make().explore(machine, Limits(timeout=0.4))
        assert found.stop is Stop.TIME
        assert found.seconds >= 0.4
        assert found.states > 100
        assert not found.tally.vacuous

    def test_a_limit_on_memory_is_kept(self) -> None:
        machine = checker.loads(COUNTER).machine("c", constants={"MAX": 100_000})
        found = self.make().explore(machine, Limits(max_memory=1))
        assert found.stop is Stop.MEMORY

    def test_an_interrupt_keeps_what_was_covered(self) -> None:
        machine = checker.loads(COUNTER).machine("c", constants={"MAX": 100_000})
        seen: list[Progress] = []

        def interrupt(progress: Progress) -> None:
            seen.append(progress)
            raise KeyboardInterrupt

        found = self.make().explore(machine, Limits(timeout=20), interrupt)
        assert found.stop is Stop.INTERRUPTED
        assert found.states >= seen[0].states > 0
        assert found.depth > 0

    def test_progress_is_told_several_times_a_second(self) -> None:
        machine = checker.loads(COUNTER).machine("c", constants={"MAX": 100_000})
        seen: list[Progress] = []
        self.make().explore(machine, Limits(timeout=0.8), seen.append)
        assert len(seen) >= 3
        assert [p.states for p in seen] == sorted(p.states for p in seen)
        assert all(p.queue >= 0 and p.memory > 0 for p in seen)

    def test_it_can_be_used_again(self) -> None:
        engine = self.make()
        machine = checker.loads(COUNTER).machine("c")
        first, second = engine.explore(machine, Limits()), engine.explore(machine, Limits())
        assert summary(first) == summary(second)

    def test_a_bound_that_explores_nothing_is_an_error(self) -> None:
        machine = checker.loads(COUNTER.replace("expect", "bound at(C, 0).n > 0  expect")).machine("c")
        with pytest.raises(SpecError, match="PSM508: the bound excludes every initial state"):
            self.make().explore(machine, Limits())
