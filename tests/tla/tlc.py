"""TLC itself, from the jar that the environment variable `TLA2TOOLS_JAR` names: what it says about a module."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from benchmarks.peers import TLC_COUNTS, tlc_command
from checker.render.tla import Ask, TlaModule

INITIAL = re.compile(r"^Finished computing initial states: ([\d,]+) (?:distinct )?states? generated", re.MULTILINE)
DEPTH = re.compile(r"^The depth of the complete state graph search is (\d+)", re.MULTILINE)
VIOLATED = re.compile(
    r"^Error: (?:Invariant .* is violated|The invariant of .* is equal to FALSE|Action property .* is violated"
    r"|Temporal properties were violated)",
    re.MULTILINE,
)
ERROR = re.compile(r"^Error: ", re.MULTILINE)
STATE = re.compile(r"^State \d+: ", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Answer:
    """What TLC says.

    Attributes:
        counts: states, transitions and depth as the checker counts them, where TLC found no error.
        violated: whether something that was asked does not hold. If neither, TLC met an error.
        length: how many states the way there has.
    """

    output: str
    counts: tuple[int, int, int] | None
    violated: bool
    length: int


def ask(module: TlaModule, asks: Iterable[Ask], folder: Path, *, timeout: float = 3600) -> Answer:
    """Runs TLC on one worker, so that what it finds first is nearest, and with hashes that do not depend on chance."""
    (folder / f"{module.name}.tla").write_text(module.text)
    (folder / f"{module.name}.cfg").write_text("\n".join([*module.settings, *(a.line for a in asks)]) + "\n")
    command = tlc_command(folder, "-seed", "1", "-fp", "0", module.name)
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=timeout, check=False)
    text = done.stdout + done.stderr
    counted, initial, depth = (found.search(text) for found in (TLC_COUNTS, INITIAL, DEPTH))
    counts = None
    if counted and initial and depth and not ERROR.search(text):
        generated, distinct, first = (int(n.replace(",", "")) for n in (*counted.groups(), initial[1]))
        counts = distinct, generated - first, int(depth[1]) - 1
    # An initial state that violates something stands alone, without a number.
    return Answer(text, counts, VIOLATED.search(text) is not None, max(len(STATE.findall(text)), 1))
