"""How long it takes to compile a large spec: until the first state is explored, and until optimised code can take over.

Both begin with the typed machine and an empty cache, in a process of its own. The first ends when unoptimised code has
expanded a state; the second when the optimised code, which a child process makes from then on, has been linked.
`python -m benchmarks.compiling SPEC CHECK` prints the two in seconds.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks.cases import ROOT, Case
from benchmarks.figures import Compiled, Spread
from benchmarks.process import measure, two_numbers


def measure_compilation(case: Case, runs: int) -> Compiled:
    """Measures one case. Raises `Failed`."""
    command = [sys.executable, "-m", "benchmarks.compiling", str(ROOT / case.spec), case.check]
    samples = [two_numbers(measure(command, ROOT).output, "compilation") for _ in range(runs)]
    return Compiled(case, *(Spread.of(one) for one in zip(*samples, strict=True)))


def main(given: Sequence[str]) -> None:
    """Measures once, in this process."""
    import checker
    from checker.base.cache import Cache
    from checker.engine.interface import Limits
    from checker.native.code.module import plan
    from checker.native.search import NativeSearch
    from checker.native.tiers import FAST, Tiers

    path, check = given
    with tempfile.TemporaryDirectory() as folder:
        machine = checker.load(path).machine(check)
        begin = time.perf_counter()
        layout = plan(machine, peers=False, resumes=False)
        tiers = Tiers(layout, Cache(Path(folder)))
        NativeSearch(layout, tiers, 1, FAST).run(Limits(max_states=1))
        first = time.perf_counter() - begin
        tiers.improve()
        while tiers.better() is None:
            time.sleep(0.001)
        print(first, time.perf_counter() - begin)
        tiers.close()


if __name__ == "__main__":
    main(sys.argv[1:])
