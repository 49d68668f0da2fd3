"""A search that is kept and taken up again finds what it would have found, and what cannot be taken up is refused."""

from __future__ import annotations

import errno
import json
import os
import random
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

import checker
from checker.base.diagnostics import SpecError
from checker.engine.interface import Exploration, Limits, Stop
from checker.engine.liveness.verdicts import MEMORY, TIME
from checker.model.machine import Machine
from checker.model.symmetry import without_symmetry
from checker.native import checkpoint, jit
from checker.native.checkpoint import Keeping
from checker.native.code.module import plan
from checker.native.engine import NativeEngine
from checker.native.search import NativeSearch
from tests.cli.support import environment
from tests.engine.contract import ways

pytestmark = pytest.mark.skipif(jit.unavailable() is not None, reason=jit.unavailable() or "")

ROOT = Path(__file__).resolve().parents[2]
PUBLISHED = ROOT / "specs" / "transactions" / "two_phase.psm"

PLAY = """\
spec Play
message Ball(n: 0..3)
network soup
enum Mood { calm, happy, angry }
const TOP: 1..9 = 6
role R[2] {
  durable x: 0..9 = 0
  durable mood: Mood = calm
  action Up when x < TOP { x += 1 }
  action Down when x > 0 and x < 4 { x -= 1 }
  action Throw when x == 3 { send Ball(2) to R }
  on Ball(n) when x + n <= TOP { x += n  mood := happy }
  action Err when x == TOP and mood == calm { x += 9 }
}
invariant Low: forall r in R: r.x < 5
invariant Vague: forall r in R: r.x > 20 => r.mood == angry
invariant Odd: forall r in R: 10 / (TOP - 1 - r.x) < 50 or r.mood == calm
step Falls: forall r in R: r.x - old(r.x) < 3
reach Top: forall r in R: r.x == TOP
reach Never: exists r in R: r.mood == angry
final: true
check one {}
"""
"""Has findings of all kinds at several depths, and much that is not exercised."""


def play() -> Machine:
    return checker.loads(PLAY, "play.psm").machine()


def published() -> Machine:
    return without_symmetry(checker.load(PUBLISHED).machine("five"))


def orbits() -> Machine:
    return checker.load(ROOT / "specs" / "consensus" / "paxos.psm").machine("quorum")


def paxos() -> Machine:
    return without_symmetry(orbits())


MACHINES: dict[str, Callable[[], Machine]] = {"play": play, "published": published, "paxos": paxos, "orbits": orbits}


def explore(machine: Machine, workers: int = 1, limits: Limits | None = None, **more: object) -> Exploration:
    found = NativeEngine(workers, level=0, **more).explore(machine, limits or Limits())  # type: ignore[arg-type]
    return replace(found, seconds=0.0)


def start(machine: Machine, folder: Path, states: int, workers: int = 1, **more: object) -> None:
    """A search that stops after so many states, or with several workers at its next round."""
    limits = Limits(max_states=states) if workers == 1 else Limits(timeout=states / 500_000)
    found = explore(machine, workers, limits, keeping=Keeping(folder), **more)
    assert found.stop in (Stop.STATES, Stop.TIME, Stop.DONE)


def resume(
    machine: Machine, folder: Path, workers: int = 1, limits: Limits | None = None, **more: object
) -> Exploration:
    return explore(machine, workers, limits, keeping=Keeping(folder, resume=True), **more)


def same(found: Exploration, expected: Exploration) -> bool:
    """Whether two explorations found the same; of the ways to what was reached, only their lengths are compared."""
    return ways(found) == ways(expected) and replace(found, reached={}) == replace(expected, reached={})


@pytest.mark.parametrize(("before", "after"), [(1, 1), (1, 2), (2, 1), (2, 3)])
@pytest.mark.parametrize("name", MACHINES)
def test_nothing_is_lost(name: str, before: int, after: int, tmp_path: Path) -> None:
    machine = MACHINES[name]()
    expected = explore(machine)
    for number, share in enumerate((0.0, 0.02, 0.3, 0.9)):
        folder = tmp_path / str(number)
        start(machine, folder, 1 + int(expected.states * share), before)
        assert same(resume(machine, folder, after), expected)
        assert [p.name for p in folder.glob("*/*")] == ["lock"], "there is nothing to go on from any more"


def test_again_and_again(tmp_path: Path) -> None:
    machine = published()
    expected = explore(machine)
    start(machine, tmp_path, 50)
    for states in range(200, expected.states, 1500):
        workers = 1 + states % 3
        found = resume(machine, tmp_path, workers, Limits(max_states=states))
        assert (found.stop, found.states >= states) == (Stop.STATES, True)
    assert same(resume(machine, tmp_path, 2), expected)


def test_a_limit_on_states_holds_after_several_workers(tmp_path: Path) -> None:
    machine = published()
    start(machine, tmp_path, 500, workers=2)
    found = resume(machine, tmp_path, 1, Limits(max_states=8000))
    assert found.stop is Stop.STATES
    assert 8000 <= found.states < 8020, "it is looked at after each state"


def test_hashes(tmp_path: Path) -> None:
    machine = published()
    start(machine, tmp_path, 3000, fingerprints=True)
    assert resume(machine, tmp_path, fingerprints=True) == explore(machine, fingerprints=True)


def test_only_what_is_new_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checkpoint, "EVERY", 0.0)
    machine = published()
    start(machine, tmp_path, 4000)
    size = (tmp_path / "TwoPhase-five" / "arena-0").stat().st_size
    before = (tmp_path / "TwoPhase-five" / "arena-0").read_bytes()
    start_again = resume(machine, tmp_path, limits=Limits(max_states=6000))
    assert start_again.states == 6000
    after = (tmp_path / "TwoPhase-five" / "arena-0").read_bytes()
    assert len(after) > size
    assert after[:size] == before


# ---- what is refused


def message(call: Callable[[], object]) -> str:
    with pytest.raises(SpecError) as caught:
        call()
    (diagnostic,) = caught.value.diagnostics
    assert diagnostic.code == "PSM904"
    assert diagnostic.help
    return diagnostic.message


def damage(path: Path, how: str) -> None:
    data = bytearray(path.read_bytes())
    if how == "cut":
        del data[len(data) // 2 :]
    elif how == "flipped":
        data[len(data) // 2] ^= 4
    elif how == "emptied":
        data.clear()
    elif how == "removed":
        path.unlink()
        return
    path.write_bytes(data)


@pytest.mark.parametrize("how", ["cut", "flipped", "emptied", "removed"])
@pytest.mark.parametrize("name", ["manifest", "arena-0"])
def test_damage(name: str, how: str, tmp_path: Path) -> None:
    machine = published()
    start(machine, tmp_path, 3000)
    damage(tmp_path / "TwoPhase-five" / name, how)
    if (name, how) == ("manifest", "removed"):
        assert resume(machine, tmp_path) == explore(machine)  # there is no checkpoint, so it starts anew
        return
    assert f"the checkpoint in {tmp_path}/TwoPhase-five is damaged" in message(lambda: resume(machine, tmp_path))


def test_garbage_behind_the_last_checkpoint_is_no_damage(tmp_path: Path) -> None:
    machine = published()
    start(machine, tmp_path, 3000)
    with (tmp_path / "TwoPhase-five" / "arena-0").open("ab") as file:
        file.write(b"what a killed process wrote")
    (tmp_path / "TwoPhase-five" / "manifest.new").write_bytes(b"half")
    assert resume(machine, tmp_path) == explore(machine)


def test_all_that_makes_a_search_this_one_is_compared() -> None:
    """What is not told has to differ, too, so nothing may be compared that cannot be told."""
    assert list(checkpoint.identity(plan(orbits()))) == list(checkpoint._REASONS)


@pytest.mark.parametrize("reason", [TIME, MEMORY])
def test_a_limit_that_ends_the_judging_of_liveness_leaves_what_was_explored(
    reason: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = PLAY.replace("final: true", "live Happy: eventually forall r in R: r.mood == happy\nfinal: true")
    machine = checker.loads(text.replace("one {}", "one { expect holds Happy }"), "play.psm").machine()
    expected = explore(machine)
    with monkeypatch.context() as patch:
        patch.setattr(NativeSearch, "_ended", lambda self: reason)
        found = explore(machine, keeping=Keeping(tmp_path))
    assert (found.stop, found.states, dict(found.open)) == (Stop.DONE, expected.states, {"Happy": reason})
    assert (tmp_path / "Play-one" / "manifest").exists()
    assert resume(machine, tmp_path) == expected
    assert not (tmp_path / "Play-one" / "manifest").exists()


def test_another_search(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    machine = play()
    start(machine, tmp_path, 50)
    changed = checker.loads(PLAY + "\n# a remark\n", "play.psm").machine()
    assert message(lambda: resume(changed, tmp_path)).endswith("is of another search: the spec has changed since")
    other = checker.loads(PLAY, "play.psm").machine(constants={"TOP": 7})
    assert message(lambda: resume(other, tmp_path)).endswith("`--set` has changed since")
    assert "`--fingerprints` was given or left out" in message(lambda: resume(machine, tmp_path, fingerprints=True))
    start(orbits(), tmp_path, 50)
    assert message(lambda: resume(paxos(), tmp_path)).endswith("`--no-symmetry` was given or left out since")
    (tmp_path / "Play-two").mkdir()
    for path in (tmp_path / "Play-one").iterdir():
        shutil.copy(path, tmp_path / "Play-two")
    two = checker.loads(PLAY.replace("check one", "check two"), "play.psm").machine()
    assert "the check is another one" in message(lambda: resume(two, tmp_path))
    monkeypatch.setattr(checkpoint, "_sources", lambda: "others")
    assert "Lockstep has been updated" in message(lambda: resume(machine, tmp_path))
    monkeypatch.setattr(checkpoint, "FORMAT", checkpoint.FORMAT + 1)
    assert "the form of checkpoints has changed" in message(lambda: resume(machine, tmp_path))


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    machine = play()
    start(machine, tmp_path, 50)
    assert "holds a checkpoint already" in message(lambda: start(machine, tmp_path, 50))
    assert resume(machine, tmp_path) == explore(machine)
    start(machine, tmp_path, 50)  # the search is at its end, so nothing is lost


def test_two_processes(tmp_path: Path) -> None:
    machine = play()
    start(machine, tmp_path, 50)
    with (tmp_path / "Play-one" / "lock").open("ab") as lock:
        import fcntl

        fcntl.flock(lock, fcntl.LOCK_EX)
        assert "is used by another process" in message(lambda: resume(machine, tmp_path))
    assert resume(machine, tmp_path) == explore(machine)


def test_a_directory_that_is_not_there(tmp_path: Path) -> None:
    assert "there is no directory" in message(lambda: resume(play(), tmp_path / "nowhere"))


def test_a_full_disk_ends_no_search(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    machine = play()
    start(machine, tmp_path, 50)
    said: list[str] = []

    def full(handle: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        found = resume(machine, tmp_path, limits=Limits(max_states=150), tell=said.append)
    assert found.stop is Stop.STATES
    assert [text for text in said if "No space left on device; the last one stays" in text]
    assert resume(machine, tmp_path) == explore(machine)


# ---- killed

SCRIPT = """\
import sys
from checker.native import checkpoint, choose
checkpoint.EVERY = float(sys.argv[1])
from checker.cli.main import main
sys.exit(main(sys.argv[2:]))
"""


def killed(folder: Path, constant: str, times: int, seconds: tuple[float, float]) -> set[tuple[int, int, int]]:
    """Kills a search at random moments so many times and resumes it each time; gives the counts of all that came to an end."""
    chance = random.Random(times)
    counts: set[tuple[int, int, int]] = set()
    while times or not counts:
        running = subprocess.Popen(
            [sys.executable, "-c", SCRIPT, "0.05", "check", str(PUBLISHED), "--check", "three", "--set", constant,
             "--format", "json", "--workers", str(chance.choice((1, 2))),
             "--resume" if folder.is_dir() else "--checkpoint", str(folder)],
            env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        if times:
            time.sleep(chance.uniform(*seconds))
            running.kill()
            times -= 1
        out, err = running.communicate(timeout=120)
        if running.returncode >= 0:
            assert running.returncode == 0, out + err
            check = json.loads(out)["specs"][0]["checks"][0]
            counts.add((check["states"], check["transitions"], check["depth"]))
            shutil.rmtree(folder, ignore_errors=True)
    return counts


def test_killed_now_and_then(tmp_path: Path) -> None:
    assert killed(tmp_path / "kept", "N=7", 3, (0.5, 1.2)) == {(296_448, 2_744_705, 22)}


@pytest.mark.slow
def test_killed_again_and_again(tmp_path: Path) -> None:
    assert killed(tmp_path / "kept", "N=8", 24, (0.5, 2.5)) == {(1_745_408, 18_507_777, 25)}
