"""Snowflake: along its spec, on real clocks and disks, through kills, and with clocks that are set back."""

from __future__ import annotations

import signal
import subprocess
import sys
from functools import cache
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import checker
from checker.conformance.explore import explore
from checker.conformance.probe import probe_all
from checker.conformance.replay import Outcome, replay_all
from checker.engine.graph import StateGraph
from refimpl.adapters.snowflake import Snowflake
from refimpl.idempotence.snowflake import EPOCH, DiskMark, Layout, Node, NotNow
from refimpl.idempotence.snowflake_mistakes import MISTAKES
from refimpl.runtime.files import FileDisk

ROOT = Path(__file__).resolve().parents[2]
SPEC = ROOT / "specs/idempotence/snowflake.psm"


@cache
def graph_of(check: str) -> StateGraph:
    return checker.load(SPEC).graph(check)


@pytest.mark.parametrize(("check", "transitions"), [("calm", 1_182), ("set_back", 8_422), ("drifting", 5_362)])
def test_every_transition_is_as_in_the_spec(check: str, transitions: int) -> None:
    graph = graph_of(check)
    result = replay_all(Snowflake(graph.machine), graph)
    assert result.mismatch is None, result.mismatch.text()
    assert result.outcome is Outcome.CONFORMS
    assert result.taken == result.total == transitions
    assert result.unseen == ("network",)


def test_what_the_spec_forbids_does_not_happen() -> None:
    graph = graph_of("set_back")
    result = probe_all(Snowflake(graph.machine), graph)
    assert result.mismatch is None, result.mismatch.text()
    assert (result.states, result.tried > 1_000) == (4_136, True)


def test_explored_with_crashes() -> None:
    result = explore(Snowflake(checker.load(SPEC).machine("crashes")), runs=100, steps=30)
    assert result.outcome is Outcome.CONFORMS, result.mismatch and result.mismatch.text()


@pytest.mark.slow
def test_every_transition_with_crashes_is_as_in_the_spec() -> None:
    graph = graph_of("crashes")
    result = replay_all(Snowflake(graph.machine), graph)
    assert result.mismatch is None, result.mismatch.text()
    assert result.taken == result.total == 65_956


@pytest.mark.parametrize("mistake", MISTAKES, ids=[mistake.__name__ for mistake in MISTAKES])
def test_mistakes_are_caught_along_the_spec(mistake: type[Node]) -> None:
    found = []
    for check in ("calm", "set_back"):
        adapter = Snowflake(checker.load(SPEC).machine(check), node=mistake)
        found += [replay_all(adapter, graph_of(check)).mismatch, probe_all(adapter, graph_of(check)).mismatch]
    assert any(found)


@pytest.mark.parametrize(("milliseconds", "highest"), [(1, 0), (1, 1), (2, 1), (1, 2)])
def test_states_without_faults_can_be_counted(milliseconds: int, highest: int) -> None:
    """Each node has given out 0 to `highest + 1` numbers in each millisecond so far, whatever the other one has done."""
    result = checker.load(SPEC).check("calm", constants={"T": milliseconds, "HIGHEST": highest})
    choices = (highest + 2) ** 2
    upto = [choices**passed for passed in range(1, milliseconds + 2)]
    takes = sum(2 * n * (highest + 1) // (highest + 2) for n in upto)
    assert (result.states, result.transitions) == (sum(upto), takes + sum(upto[:-1]))


# ---- numbers


class Memory:
    """A mark in memory, which notes what is written."""

    def __init__(self, milliseconds: int | None = None) -> None:
        self.written: list[int] = []
        self._first = milliseconds

    def read(self) -> int | None:
        return self.written[-1] if self.written else self._first

    def write(self, milliseconds: int) -> None:
        self.written.append(milliseconds)


class Clock:
    """A clock that shows what it is told to, in milliseconds since the epoch."""

    def __init__(self, now: int = 0) -> None:
        self.now = now

    def __call__(self) -> int:
        return EPOCH + self.now

    def sleep(self, seconds: float) -> None:
        self.now += round(seconds * 1000)


@given(st.integers(0, (1 << 41) - 1), st.integers(0, 1023), st.integers(0, 4095))
def test_a_number_fits_a_signed_word_and_has_its_parts(milliseconds: int, node: int, count: int) -> None:
    number = Layout().join(milliseconds, node, count)
    assert 0 <= number < 1 << 63
    assert Layout().split(number) == (milliseconds, node, count)


def test_numbers_of_real_clocks_grow_and_differ(tmp_path: Path) -> None:
    nodes = [Node(i, DiskMark(FileDisk(tmp_path / str(i)))) for i in range(3)]
    taken = [[node.take_soon() for _ in range(10_000)] for node in nodes]
    assert all(a < b for numbers in taken for a, b in pairwise(numbers))
    assert len({number for numbers in taken for number in numbers}) == 30_000
    assert [{Layout().split(number)[1] for number in numbers} for numbers in taken] == [{0}, {1}, {2}]


def test_a_millisecond_has_4096_numbers() -> None:
    clock = Clock(5)
    node = Node(7, Memory(), clock)
    assert [node.take() for _ in range(4096)] == [Layout().join(5, 7, n) for n in range(4096)]
    with pytest.raises(NotNow, match=r"^no number for another 1 ms$"):
        node.take()
    assert node.take_soon(sleep=clock.sleep) == Layout().join(6, 7, 0)


def test_a_clock_that_is_set_back_is_waited_for() -> None:
    clock = Clock(500)
    node = Node(0, Memory(), clock)
    first = node.take()
    clock.now = 200
    with pytest.raises(NotNow) as problem:
        node.take()
    assert problem.value.wait == 300
    with pytest.raises(NotNow):
        node.take_soon(patience=0.25, sleep=clock.sleep)
    assert clock.now == 200, "it is not waited for in vain"
    assert node.take_soon(patience=0.5, sleep=clock.sleep) > first


def test_patience_is_for_all_waiting() -> None:
    clock = Clock(10)
    node = Node(0, Memory(), clock)
    node.take()
    clock.now = 0
    slept: list[float] = []
    with pytest.raises(NotNow):
        node.take_soon(patience=0.025, sleep=slept.append)  # the clock stands
    assert slept == [0.01, 0.01]


def test_the_mark_is_written_ahead_and_seldom() -> None:
    clock, mark = Clock(), Memory()
    node = Node(0, mark, clock, ahead=100)
    for clock.now in range(1_000):
        node.take()
        assert mark.written[-1] >= clock.now
    assert mark.written == [*range(100, 1_100, 101)]


def test_a_new_process_waits_for_the_mark() -> None:
    clock, mark = Clock(30), Memory()
    Node(0, mark, clock, ahead=100).take()
    again = Node(0, mark, clock, ahead=100)
    with pytest.raises(NotNow) as problem:
        again.take()
    assert problem.value.wait == 100
    clock.now = 130
    with pytest.raises(NotNow) as problem:
        again.take()
    assert problem.value.wait == 1, "in the millisecond of the mark there may be numbers"
    clock.now = 131
    assert Layout().split(again.take()) == (131, 0, 0)


@pytest.mark.parametrize("number", [-1, 1024])
def test_numbers_of_nodes_have_to_fit(number: int) -> None:
    with pytest.raises(ValueError, match=f"^{number} is no number of a node: there are 1024, from 0 on$"):
        Node(number, Memory())


@pytest.mark.parametrize("now", [-1, 1 << 41])
def test_times_have_to_fit(now: int) -> None:
    with pytest.raises(OverflowError, match=f"^{now} ms since the epoch do not fit a number of 41 bits$"):
        Node(0, Memory(), Clock(now)).take()


# ---- kills

PROGRAM = """
import sys
from pathlib import Path
from refimpl.idempotence.snowflake import DiskMark, Node
from refimpl.runtime.files import FileDisk

node = Node(1, DiskMark(FileDisk(Path(sys.argv[1]))), ahead=20)
while True:
    print(node.take_soon(), flush=True)
"""


def numbers_until_killed(folder: Path, wanted: int) -> list[int]:
    """What a process gives out that is killed after so many numbers, at whatever it does."""
    with subprocess.Popen(
        [sys.executable, "-c", PROGRAM, str(folder)], stdout=subprocess.PIPE, text=True, cwd=ROOT
    ) as process:
        assert process.stdout is not None
        found = [int(process.stdout.readline()) for _ in range(wanted)]
        process.send_signal(signal.SIGKILL)
        # What it has written until then has got out, too; a last line may be cut short.
        return found + [int(line) for line in process.stdout.read().splitlines(keepends=True) if line.endswith("\n")]


def test_processes_that_are_killed_give_out_nothing_twice(tmp_path: Path) -> None:
    lives = [numbers_until_killed(tmp_path, wanted) for wanted in (1, 50, 2_000, 3)]
    numbers = [number for life in lives for number in life]
    assert len(numbers) > 2_000
    assert all(a < b for a, b in pairwise(numbers)), "which is more than that they differ"


def test_a_mark_outlives_a_crash(tmp_path: Path) -> None:
    for milliseconds in (0, 1, 1 << 41):
        assert DiskMark(FileDisk(tmp_path / str(milliseconds))).read() is None
        DiskMark(FileDisk(tmp_path / str(milliseconds))).write(milliseconds)
        assert DiskMark(FileDisk(tmp_path / str(milliseconds))).read() == milliseconds
