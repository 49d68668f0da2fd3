"""What several workers look back for is what one worker, and the interpreter, find first."""

from __future__ import annotations

from collections.abc import Callable
from ctypes import addressof, c_uint64
from random import Random

import pytest

import checker
from checker.engine.interface import Exploration, Finding, Limits
from checker.engine.search import Interpreter
from checker.model.machine import Machine
from checker.model.symmetry import without_symmetry
from checker.native import abi, firsts, jit
from checker.native.engine import NativeEngine
from checker.native.explorer import Explorer, Outcome
from checker.native.memory import Region
from checker.native.notices import Notices
from checker.native.workers import Sizes, Words
from tests.native.rig import FORMS, Recorder, Spec, counters, noted_stacks, opened, rounds, stacks
from tests.random_specs import random_spec

pytestmark = pytest.mark.skipif(jit.unavailable() is not None, reason=jit.unavailable() or "")

# ---- the kernels


def searched(spec: Spec, form: str, workers: int) -> tuple[Explorer, Recorder]:
    """A search that is complete, with several rounds to each level."""
    recorder = Recorder(spec)
    explorer = opened(spec, form, Sizes(spec_words=6, workers=workers, quota=20, flush=1, memo=spec.memo), recorder)
    explorer.add_initial(spec.initial())
    assert {*rounds(explorer)} <= {Outcome.MORE}
    recorder.events.clear()
    return explorer, recorder


def by_level(explorer: Explorer) -> list[dict[Words, int]]:
    """The states of each level, with their references."""
    depths: list[dict[Words, int]] = [{} for _ in explorer.levels]
    for ref in explorer.references():
        depths[len(explorer.path(ref)) - 1][explorer.state(ref)] = ref
    return depths


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("workers", [2, 3])
@pytest.mark.parametrize(
    "spec",
    [counters(), counters(abi.INDIRECT, defer=3), stacks(), noted_stacks()],
    ids=["inline", "indirect", "stacks", "noted"],
)
def test_states_that_lead_to_wanted_ones_are_found(spec: Spec, workers: int, form: str) -> None:
    explorer, _ = searched(spec, form, workers)
    levels = by_level(explorer)
    assert explorer.may_revisit
    for depth in range(len(levels) - 1):
        wanted = {s: ref for i, (s, ref) in enumerate(sorted(levels[depth + 1].items())) if i % 3 == 0}
        entries = (c_uint64 * (2 * len(wanted)))()
        entries[::2] = list(wanted.values())
        start, end = addressof(entries), addressof(entries) + 16 * len(wanted)
        assert len(wanted) < 1 << 9
        table = Region(firsts.SLOT << 10)
        explorer.look_for(table.start, 10, [(start, end)])
        lists = [(c_uint64 * (2 * len(levels[depth]) + 2))() for _ in range(workers)]
        for worker, found in zip(explorer.searchers, lists, strict=True):
            worker.ctx[abi.CTX_FOUND] = addressof(found) + 16
        assert explorer.revisit(depth, abi.RETRACE) == len(levels[depth])
        while explorer.round() is not Outcome.LEVEL:
            pass
        ways = [
            (explorer.state(found[i]), explorer.state(c_uint64.from_address(found[i + 1]).value))
            for worker, found in zip(explorer.searchers, lists, strict=True)
            for i in range(2, (worker.ctx[abi.CTX_FOUND] - addressof(found)) // 8, 2)
        ]
        expected = {s: next((to for to in spec.successors(s) if to in wanted), None) for s in levels[depth]}
        assert sorted(ways) == sorted((s, to) for s, to in expected.items() if to is not None)
    explorer.close()


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("spec", [counters(seen=4), counters(seen=4, step=1, report=3)], ids=["states", "all"])
def test_a_level_is_judged_once_more(spec: Spec, form: str) -> None:
    explorer, recorder = searched(spec, form, 2)
    levels = by_level(explorer)
    depth = next(d for d, states in enumerate(levels) if (4 << 16 | 4,) in states)
    explorer.look_for(0, 4, [])
    for mode, kinds in ((abi.SURVEY, {"state"}), (abi.RETRACE, {"step", "expanded"} if spec.steps else set())):
        recorder.events.clear()
        explorer.revisit(depth, mode)
        while explorer.round() is not Outcome.LEVEL:
            pass
        assert {event[0] for event in recorder.events} == kinds
        if mode == abi.SURVEY:  # is told the state itself, not where it was found from
            assert recorder.events == [("state", (4 << 16 | 4,), (4 << 16 | 4,))]
    explorer.close()


def test_one_worker_has_nothing_to_go_back_to() -> None:
    explorer, _ = searched(counters(), "O2", 1)
    assert not explorer.may_revisit
    explorer.close()


# ---- whole checks

GRID = """\
spec Grid
role P[3] {
  durable x: 0..5 = 0
  durable y: 0..3 = 0
  action Right when x < 5 { x += 1 }
  action Up when y < 3 and x > 1 { y += 1 }
  action Back when y > 0 and x > 3 and OFF != 3 { x -= 2  y -= 1 }
  action Odd when OFF == 1 and x == 4 and y == 2 { assert y == 1 }
  action Over when OFF == 2 and y == 3 { y += x }
}
const OFF: 0..3 = 0
"""

GROUNDS = {
    "invariant": "invariant Low: forall p in P: p.x + p.y < 6\nfinal: true\n",
    "one of few states": "invariant Not: not (forall p in P: p.x == 5 and p.y == 2)\nfinal: true\n",
    "initial": "invariant Not: exists p in P: p.x > 0\nfinal: true\n",
    "invariant that errs": "invariant Div: forall p in P: 10 / (6 - p.x - p.y) > 0\nfinal: true\n",
    "step": "step Once: forall p in P: p.y >= old(p.y)\nfinal: true\n",
    "step that errs": "step Div: forall p in P: 6 / (4 - p.x + old(p.x) - p.y) > 0\nfinal: true\n",
    "deadlock": "",
    "several": "invariant Low: forall p in P: p.x + p.y < 6\nstep Once: forall p in P: p.y >= old(p.y)\nfinal: true\n",
}


def told(findings: dict[str, Finding]) -> object:
    return {name: (f.path, f.error and (f.error.code, f.error.message)) for name, f in findings.items()}


def found_by(found: Exploration) -> object:
    counts = found.states, found.transitions, found.depth, found.stop
    return counts, told(dict(found.violations)), told(dict(found.broken))


@pytest.fixture
def looks(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """For each look back, whether it came to an end."""
    outcomes: list[bool] = []
    original = firsts.look_back

    def spy(search: Notices, levels: dict[int, int], ended: Callable[[], object]) -> None:
        outcomes.append(False)
        try:
            original(search, levels, ended)
            outcomes[-1] = True
        finally:
            assert not search.detour, "a search that follows has other references"

    monkeypatch.setattr("checker.native.search.look_back", spy)
    return outcomes


def grid(name: str, off: int = 0) -> Machine:
    off = 3 if name == "deadlock" else off
    return checker.loads(GRID + GROUNDS[name] + "check c { }\n").machine("c", constants={"OFF": off})


@pytest.mark.parametrize("symmetry", [False, True], ids=["", "symmetry"])
@pytest.mark.parametrize("workers", [2, 3])
@pytest.mark.parametrize("name", GROUNDS)
def test_looking_back_finds_what_one_worker_finds(name: str, workers: int, symmetry: bool, looks: list[bool]) -> None:
    machine = grid(name) if symmetry else without_symmetry(grid(name))
    alone = NativeEngine(1, level=0).explore(machine, Limits())
    assert alone.violations or alone.broken
    assert found_by(NativeEngine(workers, level=0).explore(machine, Limits())) == found_by(alone)
    assert looks == [True]
    if not symmetry:
        assert found_by(alone) == found_by(Interpreter().explore(machine, Limits()))


@pytest.mark.parametrize("off", [1, 2])
def test_looking_back_finds_the_first_error(off: int, looks: list[bool]) -> None:
    machine = without_symmetry(grid("one of few states", off))
    together = NativeEngine(2, level=0).explore(machine, Limits())
    assert "NoError" in together.violations
    assert found_by(together) == found_by(Interpreter().explore(machine, Limits()))
    assert looks == [True]


@pytest.mark.parametrize(
    ("name", "count"), [("initial", 1), ("invariant", 9), ("one of few states", 1), ("step", 3), ("deadlock", 1)]
)
def test_every_state_with_a_finding_is_an_end(name: str, count: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """As many as there are at that depth: one process alone has taken six steps, in three ways, for instance."""
    ends: list[int] = []

    def enlisted(self: firsts._Back, refs: dict[int, int]) -> firsts.Span:
        ends.append(len(refs))
        return original(self, refs)

    original = firsts._Back._enlist
    monkeypatch.setattr(firsts._Back, "_enlist", enlisted)
    for workers in (2, 3):
        NativeEngine(workers, level=0).explore(without_symmetry(grid(name)), Limits())
    assert ends == [count, count]


def test_one_worker_sees_to_it_where_there_are_too_many(looks: list[bool], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(firsts, "MOST", 2)
    machine = without_symmetry(grid("step"))
    together = NativeEngine(2, level=0).explore(machine, Limits())
    assert found_by(together) == found_by(Interpreter().explore(machine, Limits()))
    assert looks == [False]


def test_one_worker_sees_to_the_rest(looks: list[bool], monkeypatch: pytest.MonkeyPatch) -> None:
    """What was found by looking back leaves nothing behind in the search that follows."""
    paths: list[int] = []

    def path(self: firsts._Back, number: int, level: int) -> tuple[list[int], int]:
        paths.append(number)
        if len(paths) == 2:
            raise firsts.Abandoned
        return original(self, number, level)

    original = firsts._Back.path
    monkeypatch.setattr(firsts._Back, "path", path)
    machine = without_symmetry(grid("several"))
    together = NativeEngine(2, level=0).explore(machine, Limits())
    assert found_by(together) == found_by(Interpreter().explore(machine, Limits()))
    assert (len(paths), looks) == (2, [False])


def test_memory_that_is_refused_leaves_it_to_one_worker(looks: list[bool], monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*sizes: int) -> object:
        raise MemoryError

    monkeypatch.setattr(firsts, "Region", refuse)
    machine = without_symmetry(grid("step"))
    together = NativeEngine(2, level=0).explore(machine, Limits())
    assert found_by(together) == found_by(Interpreter().explore(machine, Limits()))
    assert looks == [False]


def test_random_models_are_looked_back_in(looks: list[bool]) -> None:
    """Most of what is found in them can be looked back for."""
    for seed in range(12):
        machine = without_symmetry(checker.loads(random_spec(Random(seed))).machine("c"))
        try:
            together = NativeEngine(3, level=0).explore(machine, Limits())
        except checker.SpecError:
            continue
        assert found_by(together) == found_by(Interpreter().explore(machine, Limits())), seed
    assert looks.count(True) >= 3
