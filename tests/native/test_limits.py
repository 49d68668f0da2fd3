"""Limits on time and memory, Ctrl-C, and states on disk: a search ends where it should, and nothing is lost.

How soon it ends by the clock is measured in `benchmarks/`; here time is what the test says it is.
"""

from __future__ import annotations

import errno
import multiprocessing
import os
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from itertools import pairwise
from pathlib import Path

import pytest

import checker
from checker.engine.interface import Limits, Progress, Stop
from checker.engine.memory import resident
from checker.model.machine import Machine
from checker.model.symmetry import without_symmetry
from checker.native import jit, room
from checker.native.engine import NativeEngine
from checker.native.interrupts import Interrupts
from checker.native.room import Room, spill_directory
from checker.native.search import NativeSearch
from checker.native.store import Store
from tests.cli.support import command, ended, environment, has_worked
from tests.engine.contract import ways

pytestmark = pytest.mark.skipif(jit.unavailable() is not None, reason=jit.unavailable() or "")

ROOT = Path(__file__).resolve().parents[2]
PUBLISHED = ROOT / "specs" / "transactions" / "two_phase.psm"
COUNTS = (296_448, 2_744_705, 22)


def published(n: int) -> Machine:
    return without_symmetry(checker.load(PUBLISHED).machine("three", constants={"N": n}))


def paxos() -> Machine:
    return without_symmetry(checker.load(ROOT / "specs" / "consensus" / "paxos.psm").machine("safe"))


# ---- time


class Clock:
    """Time as a search sees it: so much for each expanded state, whoever else needs the processor."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, a_state: float) -> None:
        self.a_state = a_state
        self.search: NativeSearch | None = None
        open_ = NativeSearch._open

        def opened(search: NativeSearch) -> None:
            open_(search)
            self.search = search

        monkeypatch.setattr(NativeSearch, "_open", opened)
        for module in ("search", "explorer"):
            monkeypatch.setattr(f"checker.native.{module}.time", self)

    def perf_counter(self) -> float:
        return 0.0 if self.search is None else self.search.explorer.expanded * self.a_state


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("a_state", [2e-6, 2e-5, 2e-3])
def test_a_search_ends_soon_after_its_time(a_state: float, workers: int, monkeypatch: pytest.MonkeyPatch) -> None:
    Clock(monkeypatch, a_state)
    found = NativeEngine(workers, level=0).explore(published(11), Limits(timeout=1.0))
    assert found.stop is Stop.TIME
    assert 1.0 <= found.seconds < 1.05


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("a_state", [2e-6, 2e-5, 2e-3])
def test_progress_moves_twice_a_second(a_state: float, workers: int, monkeypatch: pytest.MonkeyPatch) -> None:
    Clock(monkeypatch, a_state)
    reports: list[Progress] = []
    NativeEngine(workers, level=0).explore(published(11), Limits(timeout=1.5), reports.append)
    assert max(b - a for a, b in pairwise([0.0, *(r.seconds for r in reports), 1.5])) < 0.5
    assert [r.states for r in reports] == sorted(r.states for r in reports)


def test_time_passes() -> None:
    found = NativeEngine(2).explore(published(11), Limits(timeout=0.5))
    assert (found.stop, found.seconds >= 0.5, found.states > 1000) == (Stop.TIME, True, True)


# ---- memory


@pytest.mark.parametrize("workers", [1, 2])
def test_memory(workers: int) -> None:
    machine = published(11)
    NativeEngine(level=0).explore(machine, Limits(max_states=1000))  # what is compiled and loaded for it counts, too
    most = resident() + (40 << 20)
    peak = 0

    def observe(progress: Progress) -> None:
        nonlocal peak
        peak = max(peak, progress.memory)

    found = NativeEngine(workers, level=0).explore(machine, Limits(max_memory=most), observe)
    assert found.stop is Stop.MEMORY
    assert found.states > 200_000
    assert 0.9 * most < peak < 1.05 * most


def raft() -> Machine:
    return checker.load(ROOT / "benchmarks" / "models" / "raft.psm").machine("large")


def high_water() -> int:
    """The most memory since `clear_high_water`, also between two looks."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(status.split("VmHWM:")[1].split()[0]) * 1024


def clear_high_water() -> None:
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")


@pytest.mark.slow
@pytest.mark.skipif(not os.access("/proc/self/clear_refs", os.W_OK), reason="only Linux tells")
@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("more", [30, 60, 100])
@pytest.mark.parametrize(
    "make", [lambda: published(9), lambda: published(11), raft], ids=["inline", "fixed", "variable"]
)
def test_no_moment_is_above_the_limit(make: Callable[[], Machine], more: int, workers: int) -> None:
    machine = make()
    NativeEngine(workers).explore(machine, Limits(max_states=1000))
    most = resident() + (more << 20)
    clear_high_water()
    found = NativeEngine(workers).explore(machine, Limits(max_memory=most))
    assert found.stop is Stop.MEMORY or (more > 30 and found.stop is Stop.DONE)
    assert found.states > 200_000
    assert 0.85 * most < high_water() < 1.05 * most


@pytest.mark.slow
@pytest.mark.skipif(not os.access("/proc/self/clear_refs", os.W_OK), reason="only Linux tells")
@pytest.mark.parametrize("more", [80, 120, 180])
def test_liveness_keeps_within_the_limit(more: int) -> None:
    machine = without_symmetry(checker.load(PUBLISHED).machine("obeyed", constants={"N": 8}))
    NativeEngine().explore(machine, Limits(max_states=1000))
    most = resident() + (more << 20)
    clear_high_water()
    found = NativeEngine().explore(machine, Limits(max_memory=most))
    assert (found.stop, found.states, found.transitions) == (Stop.DONE, 1_745_408, 18_507_777)
    assert found.open
    assert high_water() < 1.05 * most


@pytest.mark.parametrize("looks", [1, 12, 30])
def test_what_was_counted_stays_when_liveness_is_ended(looks: int, monkeypatch: pytest.MonkeyPatch) -> None:
    left = looks

    def ended(self: NativeSearch) -> str | None:
        nonlocal left
        left -= 1
        return "enough" if left < 0 else None

    monkeypatch.setattr(NativeSearch, "_ended", ended)
    machine = without_symmetry(checker.load(PUBLISHED).machine("obeyed", constants={"N": 7}))
    found = NativeEngine(level=0).explore(machine, Limits())
    assert (found.states, found.transitions, found.depth) == COUNTS
    assert set(found.open.values()) == {"enough"}


@pytest.mark.parametrize("make", [paxos, lambda: published(7)], ids=["indirect", "inline"])
def test_states_on_disk_change_nothing(make: Callable[[], Machine], monkeypatch: pytest.MonkeyPatch) -> None:
    """As if there was never room for anything: states go to disk whenever something grows."""
    monkeypatch.setattr("checker.native.store.SPILL_LEAST", 1)
    spilled = 0
    spill = Store.spill

    def counted(self: Store, directory: Path, *, everything: bool = False, most: int = 1 << 62) -> int:
        nonlocal spilled
        size = spill(self, directory, everything=True, most=most)
        spilled += size
        return size

    def grows(self: Room, explorer: object, size: int) -> bool:
        self._make_room(explorer, size)  # type: ignore[arg-type]
        return True

    monkeypatch.setattr(Store, "spill", counted)
    machine = make()
    expected = NativeEngine(level=0).explore(machine, Limits())
    monkeypatch.setattr(Room, "may_grow", grows)
    monkeypatch.setattr(Room, "keep", lambda self, explorer: True)
    for workers in (1, 2):
        found = NativeEngine(workers, level=0).explore(machine, Limits(max_memory=1))
        assert (found.states, found.transitions, found.depth) == (expected.states, expected.transitions, expected.depth)
        assert ways(found) == ways(expected)
        assert workers > 1 or found.reached == expected.reached
    assert spilled > 1 << 20


def spilling() -> tuple[Stop, tuple[int, int], int]:
    """How a search ends that has to spill, what it counted, and the bytes that went to disk.

    It needs 42 MB that cannot leave memory, and 62 MB where nothing does.
    """
    machine = published(8)
    NativeEngine(level=2).explore(machine, Limits(max_states=1000))  # what is compiled and loaded for it counts, too
    sizes: list[int] = []
    spill = Store.spill

    def noted(self: Store, *args: Path, everything: bool = False, most: int = 1 << 62) -> int:
        sizes.append(spill(self, *args, everything=everything, most=most))
        return sizes[-1]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Store, "spill", noted)
        found = NativeEngine(level=2).explore(machine, Limits(max_memory=resident() + (53 << 20)))
    return found.stop, (found.states, found.transitions), sum(sizes)


def test_a_search_that_has_to_spill_ends() -> None:
    """In a process of its own: what other tests left behind in this one would be counted against the limit."""
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        stop, counts, spilled = pool.submit(spilling).result()
    assert (stop, counts) == (Stop.DONE, (1_745_408, 18_507_777))
    assert spilled > 1 << 20


def test_a_full_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(**_: object) -> object:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    NativeEngine().explore(published(4), Limits())
    monkeypatch.setattr(tempfile, "TemporaryFile", full)
    said: list[str] = []
    engine = NativeEngine(tell=said.append)
    found = engine.explore(published(9), Limits(max_memory=resident() + (40 << 20)))
    assert found.stop is Stop.MEMORY
    assert said == [f"states cannot go to disk, so they stay in memory: {spill_directory()}: No space left on device"]


def test_hashes_leave_states_on_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "PIECE", 1 << 20)
    biggest = 0

    def keep(self: Room, explorer: Store) -> bool:
        nonlocal biggest
        result = original(self, explorer)  # type: ignore[arg-type]
        biggest = max(biggest, explorer.unspilled)
        return result

    original = Room.keep
    monkeypatch.setattr(Room, "keep", keep)
    found = NativeEngine(fingerprints=True).explore(published(7), Limits())
    assert (found.states, found.transitions, found.depth) == COUNTS
    assert found.missed == 296_448 * 296_447 / 2 / 2**63
    assert biggest < 2 << 20


# ---- Ctrl-C


def interrupted(seconds: float, *args: str) -> tuple[int, str]:
    running = subprocess.Popen(
        command("check", PUBLISHED, "--check", "three", "--set", "N=11", "--no-symmetry", "--format", "json", *args),
        env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    has_worked(running, seconds)
    running.send_signal(signal.SIGINT)
    out, _ = ended(running)
    return running.returncode, out


@pytest.mark.parametrize("workers", ["1", "2"])
@pytest.mark.parametrize("seconds", [1.2, 1.7, 2.3])
def test_an_interruption_is_answered(seconds: float, workers: str) -> None:
    code, out = interrupted(seconds, "--workers", workers)
    assert code == 130
    assert '"interrupted": true' in out


def test_an_interruption_while_code_is_made() -> None:
    environment_ = {**environment(), "LOCKSTEP_CACHE_DIR": "off"}
    for seconds in (0.35, 0.45, 0.55):
        running = subprocess.Popen(
            command("check", PUBLISHED, "--engine", "native", "--set", "N=11", "--no-symmetry"),
            env=environment_, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        time.sleep(seconds)
        running.send_signal(signal.SIGINT)
        _, err = ended(running)
        assert running.returncode in (130, -signal.SIGINT), err  # the latter: Python itself had not begun
        assert "internal error" not in err


def test_what_was_found_is_not_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the moment: a violation of the first level is reported."""
    delays = [n / 1000 for n in range(2, 60, 6)]
    begin = Interrupts.__enter__

    def enter(self: Interrupts) -> Interrupts:
        entered = begin(self)  # first, as a slow machine may take longer for it than the shortest delay
        threading.Timer(delays.pop(), os.kill, (os.getpid(), signal.SIGINT)).start()
        return entered

    monkeypatch.setattr(Interrupts, "__enter__", enter)
    text = PUBLISHED.read_text(encoding="utf-8") + "\ninvariant Calm: forall r in RM: r.state != aborted\n"
    machine = without_symmetry(checker.loads(text).machine("three", constants={"N": 11}))
    while delays:
        found = NativeEngine(2).explore(machine, Limits())
        assert found.stop is Stop.INTERRUPTED
        assert found.depth < 1 or found.violations["Calm"].path.steps


def test_whoever_has_a_handler_keeps_it() -> None:
    seen: list[int] = []
    before = signal.signal(signal.SIGINT, lambda number, frame: seen.append(number))
    try:
        with Interrupts() as interrupts:
            os.kill(os.getpid(), signal.SIGINT)
        assert (seen, interrupts.asked) == ([signal.SIGINT], False)
    finally:
        signal.signal(signal.SIGINT, before)
    with Interrupts() as interrupts:
        os.kill(os.getpid(), signal.SIGINT)
        assert interrupts.asked
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
