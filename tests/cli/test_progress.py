"""The line of progress: what it says, what it does not pretend to know, and that it leaves nothing behind."""

from __future__ import annotations

import os
import select
import subprocess
import time
from pathlib import Path

import pytest

from checker.cli.progress import Estimate, progress_line
from checker.engine.interface import Limits, Progress
from tests.cli.support import LARGE, command, ended, environment, write


def reports(*rows: tuple[float, int, int]) -> list[Progress]:
    """Reports of (seconds, states, queue), with four transitions for each explored state."""
    return [Progress(states, 4 * (states - queue), 7, queue, seconds, 0) for seconds, states, queue in rows]


def estimate(*rows: tuple[float, int, int], limits: Limits | None = None) -> Estimate:
    found = Estimate(limits)
    for progress in reports(*rows):
        found.add(progress)
    return found


def test_nothing_is_known_while_the_search_grows() -> None:
    assert estimate((1.0, 1_000, 600), (2.0, 3_000, 1_800)).seconds_left() is None


def test_nothing_is_known_at_the_start() -> None:
    assert Estimate().seconds_left() is None
    assert estimate((0.1, 100, 90)).seconds_left() is None


def test_estimate_behind_the_widest_level() -> None:
    # in one second 1,000 states were explored, and they brought 500 new ones: each queued state costs two explorations
    left = estimate((1.0, 10_000, 2_000), (2.0, 10_500, 1_500)).seconds_left()
    assert left == pytest.approx(3.0)


def test_estimate_is_never_longer_than_the_limit_on_time() -> None:
    rows = ((1.0, 10_000, 2_000), (2.0, 10_500, 1_500))
    assert estimate(*rows, limits=Limits(timeout=2.5)).seconds_left() == pytest.approx(0.5)
    growing = ((1.0, 1_000, 600), (2.0, 3_000, 1_800))
    assert estimate(*growing, limits=Limits(timeout=12)).seconds_left() == pytest.approx(10)
    assert estimate(*growing, limits=Limits(max_states=5_000)).seconds_left() == pytest.approx(1)


def test_rate_is_that_of_the_last_seconds() -> None:
    rows = [(second / 2, 1_000 * second, 0) for second in range(1, 20)]
    assert estimate(*rows).transitions_per_second() == "8,000/s"


def test_line() -> None:
    found = estimate((1.0, 10_000, 2_000), (2.0, 10_500, 1_500))
    line = progress_line("TwoPC five", reports((2.0, 10_500, 1_500))[0], found)
    assert line == "TwoPC five: 10,500 states · 4,000/s · depth 7 · queue 1,500 · 2.0 s · about 3 s left"
    assert progress_line("x", reports((2.0, 1, 1))[0], Estimate()).endswith("2.0 s · — left")


@pytest.mark.skipif(os.name == "nt", reason="terminals of POSIX")
def test_on_a_terminal(tmp_path: Path) -> None:
    import pty

    write(tmp_path, large=LARGE)
    ours, theirs = pty.openpty()
    running = subprocess.Popen(
        command("check", "large.psm", "--check", "one", "--timeout", "0.8", "--format", "json"),
        cwd=tmp_path, env={**environment(), "TERM": "xterm"}, stdout=subprocess.PIPE, stderr=theirs, text=True,
    )  # fmt: skip
    os.close(theirs)
    seen = b""
    end = time.monotonic() + 30
    while time.monotonic() < end and select.select([ours], [], [], 5)[0]:
        try:
            data = os.read(ours, 65536)
        except OSError:
            break
        if not data:
            break
        seen += data
    out, _ = ended(running)
    os.close(ours)
    text = seen.decode()
    assert running.returncode == 3
    assert out.startswith("{\n")
    assert "Large one" in text and "queue" in text
    assert text.rstrip("\r\n").endswith("\x1b[2K"), "the line is cleared"
    assert text.count("\x1b[?25l") == text.count("\x1b[?25h"), "the cursor is shown again"
