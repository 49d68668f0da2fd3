"""Speed of exploration and start-up time, measured through the command line as a user meets them.

Each case is one check in a fresh process, repeated; the best run counts, since noise only adds time. The counts are
printed beside the rates, so that a fast wrong answer is seen. Run it with `make bench`, alone on the machine.
"""

from __future__ import annotations

import json
import platform
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
REPEATS = 3
TWO_PHASE = "specs/transactions/two_phase.psm"


@dataclass(frozen=True, slots=True)
class Case:
    """One check with one choice of constants; `transitions` is the published or recounted number."""

    path: str
    check: str
    constants: tuple[str, ...] = ()
    transitions: int | None = None


@dataclass(frozen=True, slots=True)
class Run:
    """What one process did. `total` is the wall time of the process, `seconds` that of the exploration in it."""

    states: int
    transitions: int
    seconds: float
    total: float


CASES = (
    Case(TWO_PHASE, "three", ("N=3",), 1_145),
    Case(TWO_PHASE, "three", ("N=5",), 58_145),
    Case(TWO_PHASE, "three", ("N=6",), 402_305),
)


def run(case: Case) -> Run:
    """Runs a case once. Raises SystemExit with the command's own words if it does not complete."""
    command = [sys.executable, "-m", "checker", "check", case.path, "--check", case.check, "--format", "json"]
    for constant in case.constants:
        command += ["--set", constant]
    begin = time.perf_counter()
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    total = time.perf_counter() - begin
    if done.returncode not in (0, 1):
        raise SystemExit(f"{' '.join(command[1:])} ended with {done.returncode}\n{done.stderr or done.stdout}")
    (check,) = json.loads(done.stdout)["specs"][0]["checks"]
    return Run(check["states"], check["transitions"], check["seconds"], total)


def main() -> int:
    """Prints one line for each case; the exit code is 1 if a count is not the known one."""
    print(f"Python {platform.python_version()}, {platform.machine()}, best of {REPEATS}")
    print(f"{'case':44} {'states':>10} {'transitions':>12} {'explored in':>12} {'transitions/s':>14} {'process':>9}")
    wrong = 0
    for case in CASES:
        best = min((run(case) for _ in range(REPEATS)), key=lambda one: one.total)
        name = " ".join((Path(case.path).stem, case.check, *case.constants))
        rate = best.transitions / max(best.seconds, 1e-9)
        verdict = ""
        if case.transitions not in (None, best.transitions):
            wrong += 1
            verdict = f"  WRONG: {case.transitions:,} transitions are known"
        print(
            f"{name:44} {best.states:>10,} {best.transitions:>12,} {best.seconds:>10.3f} s {rate:>14,.0f}"
            f" {best.total:>7.2f} s{verdict}"
        )
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
