"""Explores every state of one check with the native engine, and counts nothing for its coverage. The difference is what it costs.

    python -m benchmarks.uncounted SPEC CHECK [N]

Prints what the benchmark reads of `lockstep check --format json`. Users have no such switch: coverage is always on.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence

import checker
from checker.engine.interface import Limits
from checker.model.symmetry import without_symmetry
from checker.native import jit
from checker.native.engine import NativeEngine


def main(arguments: Sequence[str]) -> None:
    """Explores and prints."""
    spec, check, *n = arguments
    jit.unavailable()  # the command asks, too, and so its clock starts when LLVM is loaded
    machine = without_symmetry(checker.load(spec).machine(check, constants={"N": int(n[0])} if n else {}))
    found = NativeEngine(coverage=False).explore(machine, Limits())
    counts = {"states": found.states, "transitions": found.transitions, "seconds": found.seconds}
    print(json.dumps({"specs": [{"checks": [counts]}]}))


if __name__ == "__main__":
    main(sys.argv[1:])
