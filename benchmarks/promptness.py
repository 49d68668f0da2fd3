"""How soon a long search answers: to Ctrl-C, to a limit on time or on memory, and to whoever watches its progress.

The search is one that would take minutes. Ctrl-C comes to the command in the midst of its work, later in each run, and what
counts is the time until the process has ended. A limit on memory is one on the whole process, so its peak is measured from
outside. For progress and the limit on time, `python -m benchmarks.promptness SPEC CHECK N WORKERS SECONDS` searches for so many
seconds and prints the longest time without a report, and the time that the search took, both in seconds.
"""

from __future__ import annotations

import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

from benchmarks.cases import ROOT, Case, two_phase
from benchmarks.figures import Prompt, Spread
from benchmarks.peers import CACHE, Lockstep
from benchmarks.process import ENVIRONMENT, Failed, measure, two_numbers

LONG = two_phase(11, 366_993_408, 5_371_377_665, 29)
"""Nobody waits for its end."""

FIRST, LATER = 1.0, 0.37
"""After how many seconds Ctrl-C comes, and how much later in each run."""

SECONDS = 3.0
MEMORY = 200 << 20
INTERRUPTED, CUT_OFF = 130, 3
"""What `lockstep check` ends with."""


def measure_promptness(case: Case, workers: int, runs: int) -> Prompt:
    """Measures the native engine on one case. Raises `Failed`."""
    command = Lockstep("native", workers).command(case)
    searched = [sys.executable, "-m", "benchmarks.promptness", str(ROOT / case.spec), case.check]
    searched += [str(case.n), str(workers), str(SECONDS)]
    interrupts, gaps, times, peaks = [], [], [], []
    with tempfile.TemporaryDirectory() as cache:
        environment = {CACHE: cache}
        for number in range(runs):
            gap, passed = two_numbers(measure(searched, ROOT, environment=environment).output, "search")
            gaps.append(gap)
            times.append(passed / SECONDS)
            interrupts.append(interrupted(command, FIRST + LATER * number, environment))
            limited = measure([*command, "--max-memory", str(MEMORY)], ROOT, environment=environment)
            if limited.code != CUT_OFF or limited.peak is None:
                raise Failed(f"a limit on memory ended with {limited.code}\n{limited.errors}")
            peaks.append(limited.peak / MEMORY)
    return Prompt(case, workers, *map(Spread.of, (interrupts, gaps, times, peaks)))


def interrupted(command: Sequence[str], after: float, environment: dict[str, str]) -> float:
    """How many seconds a command goes on after Ctrl-C. Raises `Failed`."""
    # In the background of a shell Ctrl-C is ignored, and a process would inherit that.
    handler = signal.signal(signal.SIGINT, signal.default_int_handler)
    with subprocess.Popen(
        command, env={**ENVIRONMENT, **environment}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as process:
        signal.signal(signal.SIGINT, handler)
        time.sleep(after)
        process.send_signal(signal.SIGINT)
        begin = time.perf_counter()
        try:
            process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            process.kill()
        passed = time.perf_counter() - begin
    if process.returncode != INTERRUPTED:
        raise Failed(f"Ctrl-C after {after:.2f} s ended with {process.returncode}")
    return passed


def main(given: Sequence[str]) -> None:
    """Searches once, in this process."""
    import checker
    from checker.engine.interface import Limits, Progress
    from checker.model.symmetry import without_symmetry
    from checker.native.engine import NativeEngine

    path, check, n, workers, seconds = given
    machine = without_symmetry(checker.load(Path(path)).machine(check, constants={"N": int(n)}))
    moments = [time.perf_counter()]

    def observe(_: Progress) -> None:
        moments.append(time.perf_counter())

    NativeEngine(int(workers)).explore(machine, Limits(timeout=float(seconds)), observe)
    moments.append(time.perf_counter())
    print(max(b - a for a, b in pairwise(moments)), moments[-1] - moments[0])


if __name__ == "__main__":
    main(sys.argv[1:])
