"""The specs of the library, and counts that are known from elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from io import StringIO
from itertools import product
from pathlib import Path

import pytest
from rich.console import Console

import checker
from checker.base.source import Source
from checker.engine.interface import Limits
from checker.engine.labels import Labels
from checker.engine.runtime import Effects, State, Tape
from checker.engine.search import Search
from checker.engine.steps import Steps
from checker.lang import ast
from checker.lang.printer import format_source
from checker.properties.kinds import CheckVerdict
from checker.render.plain import UNICODE
from checker.render.traces import SCREEN, TraceText
from checker.render.values import Names

ROOT = Path(__file__).resolve().parents[2]
SPECS = sorted((ROOT / "specs").glob("*/*.psm"))

SLOW = {("Paxos", "reboot")}
"""Checks that take more than ten seconds."""

VACUOUS = {
    ("Raft", "alone"): "with one term, there is no leader of a later one",
    ("Raft", "forgetful"): "the same",
    ("Consensus", "two_values"): "no step is possible after the one choice",
}
"""Checks in which the left side of some `=>` is never true, and why that is as it should be."""

UNHEARD = {
    ("ThreePhaseCommit", "nobody_left"): "a single database has nobody to ask",
    ("ThreePhaseCommit", "lossy"): "the same",
}
"""Checks in which some message is sent to nobody, and why."""


def all_checks() -> list[object]:
    checks: list[object] = []
    for path in SPECS:
        spec = checker.load(path)
        for name in spec.checks:
            marks = [pytest.mark.slow] if (spec.name, name) in SLOW else []
            checks.append(pytest.param(path, name, id=f"{path.stem}-{name}", marks=marks))
    return checks


@pytest.mark.parametrize(("path", "check"), all_checks())
def test_check_passes_with_recorded_counts_and_without_warnings(path: Path, check: str) -> None:
    result = checker.load(path).check(check)
    assert result.verdict is CheckVerdict.PASS
    assert result.counts is not None, "expect states … transitions … depth …"
    assert (result.states, result.transitions, result.depth) == (
        result.counts.states,
        result.counts.transitions,
        result.counts.depth,
    )
    assert [d.headline() for d in result.diagnostics] == []
    assert result.coverage.unused_faults == ()
    assert bool(result.coverage.vacuous) == ((checker.load(path).name, check) in VACUOUS)
    assert result.coverage.enum_values == ()
    assert bool(result.coverage.never_received) == ((checker.load(path).name, check) in UNHEARD)
    names = Names(checker.load(path).machine(check))
    for width, prop in product((80, 100), result.properties):
        if prop.trace is not None and prop.expected == "fails":
            told = TraceText(names, UNICODE, width).trace(prop.trace, prop.diagnostic, screen=True)
            lines = Console(width=width, file=StringIO()).render_lines(told)
            assert len(lines) <= SCREEN, f"the counterexample of {prop.name} takes more than a screen"


@pytest.mark.parametrize("path", SPECS, ids=lambda path: path.stem)
def test_spec_is_in_canonical_style_and_says_what_it_is(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert format_source(Source(path.name, text)) == text
    assert max(map(len, text.splitlines())) <= 100
    spec = checker.load(path).tree
    assert spec.doc, "the protocol, what the model shows, the source"
    undocumented = [d.name.text for d in spec.decls if isinstance(d, ast.ConstDecl | ast.RoleDecl) and not d.doc]
    assert undocumented == []


# ---- two-phase commit as it was published: counts that many checkers have found


@pytest.mark.parametrize(
    ("managers", "counts"),
    [
        (3, (288, 1_145, 10)),
        (4, (1_568, 8_257, 13)),
        (5, (8_832, 58_145, 16)),
        (6, (50_816, 402_305, 19)),
        pytest.param(7, (296_448, 2_744_705, 22), marks=pytest.mark.slow),
    ],
)
def test_published_two_phase_commit(managers: int, counts: tuple[int, int, int]) -> None:
    spec = checker.load(ROOT / "specs/transactions/two_phase.psm")
    result = spec.check("three", constants={"N": managers})
    assert (result.states, result.transitions, result.depth) == counts


# ---- a torn crash, read in four ways


class Whole(Effects):
    """A handler happens as a whole or not at all."""

    __slots__ = ()

    def hit(self, state: list[object]) -> None:
        pass

    def recipients(self, of: Sequence[int]) -> Sequence[int]:
        return of


class OneMulticast(Effects):
    """A message to many is one effect."""

    __slots__ = ("_begun", "_left")

    def __init__(self, limit: int, tape: Tape) -> None:
        super().__init__(limit, tape)
        self._left = 0
        self._begun = False

    def recipients(self, of: Sequence[int]) -> Sequence[int]:
        self._left = len(of)
        self._begun = False
        return of

    def hit(self, state: list[object]) -> None:
        inside = self._left > 0
        if not (inside and self._begun):
            super().hit(state)
        self._begun = inside
        self._left -= inside


class InOrder(Effects):
    """Recipients are reached in the order of their numbers."""

    __slots__ = ()

    def recipients(self, of: Sequence[int]) -> Sequence[int]:
        return of


@pytest.mark.parametrize(
    ("reading", "counts"),
    [
        (Whole, (3_240, 13_922, 16)),
        (OneMulticast, (4_882, 21_056, 16)),
        (InOrder, (6_274, 27_315, 16)),
        (Effects, (7_850, 33_938, 16)),
    ],
)
def test_readings_of_a_torn_crash(reading: type[Effects], counts: tuple[int, int, int]) -> None:
    search = searched(ROOT / "specs/transactions/two_phase_commit.psm", "recovery", reading)
    assert (len(search.states), search.transitions, search.depth) == counts


def test_readings_contain_each_other() -> None:
    path = ROOT / "specs/transactions/two_phase_commit.psm"
    states: list[set[State]] = [
        set(searched(path, "recovery", reading).states) for reading in (Whole, OneMulticast, InOrder, Effects)
    ]
    assert states[0] < states[1] < states[2] < states[3]


def searched(path: Path, check: str, reading: type[Effects]) -> Search:
    """A search that reads torn crashes in another way."""
    search = Search(checker.load(path).machine(check))
    search.steps = Steps(search.program, reading)
    search.labels = Labels(search.steps)
    search.run(Limits())
    return search
