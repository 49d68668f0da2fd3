"""One process, measured as a whole: how long it took from start to end, and how much memory it held at its peak.

Peers are written in different languages and count their own memory in different ways, so all are measured from outside,
by the same clock and the same operating system. The wall time includes everything that a user waits for.

The peak is trickier than it looks. `wait4` reports it exactly, but on Linux the number starts at the peak of the
process that forked, which is this one. So the kernel's number is used where it is above our own peak, as it is for
every large graph. Otherwise it is what a thread saw in `/proc` while the process ran; and where the process was too short to
be looked at often, there is no number, which is better than one that is too small.

Output goes to files, since a pipe that nobody empties would stop a process. POSIX only.
"""

from __future__ import annotations

import os
import re
import resource
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

POLL = 0.005
LONG_ENOUGH = 20 * POLL
"""From how many seconds on the memory that was last seen is close to the peak."""

TIMEOUT = 3600.0
UNIT = 1 if sys.platform == "darwin" else 1024
"""In how many bytes `ru_maxrss` counts."""

HIGH_WATER = re.compile(r"^VmHWM:\s+(\d+) kB$", re.MULTILINE)


ENVIRONMENT = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
"""What processes find: ours, but Python may keep compiled modules, as it does for nearly everybody."""


class Failed(Exception):
    """A process that was to be measured did not do what it was asked for."""


@dataclass(frozen=True, slots=True)
class Measured:
    """What one process did. `peak` is in bytes, None where the system does not tell."""

    code: int
    output: str
    errors: str
    seconds: float
    peak: int | None


class Watch(threading.Thread):
    """Looks at the peak memory of a process until it is told to stop, and kills the process when its time is over."""

    def __init__(self, process: subprocess.Popen[bytes], timeout: float) -> None:
        super().__init__(daemon=True)
        self.process = process
        self.timeout = timeout
        self.peak = 0
        self.late = False
        self.over = threading.Event()

    def run(self) -> None:
        status = Path(f"/proc/{self.process.pid}/status")
        deadline = time.monotonic() + self.timeout
        while True:
            try:
                found = HIGH_WATER.search(status.read_text(encoding="ascii", errors="replace"))
            except OSError:
                found = None
            if found:
                self.peak = max(self.peak, int(found[1]) * 1024)
            if self.over.wait(POLL):
                return
            if time.monotonic() > deadline:
                self.late = True
                self.process.kill()
                return


def two_numbers(output: str, what: str) -> tuple[float, float]:
    """What a process of our own has printed about `what`. Raises `Failed`."""
    try:
        one, other = map(float, output.split())
    except ValueError:
        raise Failed(f"unexpected output of the {what}: {output[:200]!r}") from None
    return one, other


@contextmanager
def confined(processors: int | None) -> Iterator[None]:
    """Processes that are started here may use only so many processors; None: all. Linux alone can see to that."""
    if processors is None:
        yield
        return
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, sorted(before)[:processors])
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def measure(
    command: Sequence[str | Path],
    folder: Path,
    *,
    timeout: float = TIMEOUT,
    environment: Mapping[str, str] | None = None,
    processors: int | None = None,
) -> Measured:
    """Runs a command in a folder, alone, to its end. With `processors`, on so many only, as `confined`.

    Raises:
        Failed: the command cannot be started, or took longer than `timeout` seconds.
    """
    own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * UNIT
    name = Path(command[0]).name
    with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as errors:
        begin = time.perf_counter()
        try:
            with confined(processors):
                process = subprocess.Popen(
                    command,
                    cwd=folder,
                    env={**ENVIRONMENT, **(environment or {})},
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=errors,
                )
        except OSError as error:
            raise Failed(f"{name} cannot be started: {error.strerror}") from error
        watch = Watch(process, timeout)
        watch.start()
        try:
            _, status, usage = os.wait4(process.pid, 0)
            seconds = time.perf_counter() - begin
            process.returncode = os.waitstatus_to_exitcode(status)
        except BaseException:
            process.kill()
            process.wait()
            raise
        finally:
            watch.over.set()
            watch.join()
        if watch.late:
            raise Failed(f"{name} took longer than {timeout:.0f} seconds")
        output.seek(0)
        errors.seek(0)
        exact = usage.ru_maxrss * UNIT
        seen = watch.peak if seconds >= LONG_ENOUGH else 0
        return Measured(
            process.returncode,
            output.read().decode("utf-8", "replace"),
            errors.read().decode("utf-8", "replace"),
            seconds,
            exact if exact > own else seen or None,
        )
