"""The limits of the machine, to be printed beside what the peers reach.

An explorer looks up every successor in a table that is larger than any cache. How fast memory answers bounds it from
above, whatever the language, and so the same speed can be good on one machine and poor on another. `limits.c` measures
three kinds of access. It is C because loops in Python would measure Python; where no compiler is installed, the limits
are not measured, and nothing else changes.
"""

from __future__ import annotations

import re
import shutil
import tempfile
from pathlib import Path
from statistics import median

from benchmarks.peers import completed
from benchmarks.process import Failed, measure

SOURCE = Path(__file__).with_name("limits.c")
NAMES = ("dependent", "independent", "batched")
MEANINGS = {
    "dependent": "loads that wait for the one before",
    "independent": "loads that overlap",
    "batched": "probes, prefetched 64 at a time",
}
LINE = re.compile(r"^(\w+) ([\d.]+)$", re.MULTILINE)


def missing() -> str | None:
    """Why the limits cannot be measured here; None if they can."""
    return "gcc is not installed" if shutil.which("gcc") is None else None


def parse(output: str) -> dict[str, float]:
    """Nanoseconds for one access, by the names in `NAMES`. Raises `Failed`."""
    found = dict(LINE.findall(output))
    try:
        return {name: float(found[name]) for name in NAMES}
    except KeyError as error:
        raise Failed(f"limits.c did not measure {error}") from error


def measure_limits(runs: int) -> dict[str, float]:
    """Medians of several runs. Raises `Failed`."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        completed(measure(["gcc", "-O2", "-o", "limits", SOURCE], folder), "gcc")
        found = [parse(completed(measure([folder / "limits"], folder), "limits").output) for _ in range(runs)]
    return {name: median(one[name] for one in found) for name in NAMES}
