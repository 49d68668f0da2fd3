"""Lockstep beside other checkers and the limits of the machine, on the same state graphs, in one session: `make bench`.

Everything runs one after the other, so nothing measured competes with anything measured. The rounds are interleaved:
every peer runs once on a case before any runs again, so that a machine that slows down slows all of them. Medians and
ratios are printed, and written to `build/bench/results.json`. Peers that are not installed are named below the table,
with the reason.

The exit code is 1 if a peer failed, or found other counts than the known ones: then its speed means nothing.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

from rich.console import Console
from rich.table import Table
from rich.text import Text

from benchmarks.cases import CASES, LARGE, ROOT, Case
from benchmarks.compiling import measure_compilation
from benchmarks.figures import COMPARISONS, YARDSTICK, Compiled, Prompt, Result, document, ratio
from benchmarks.limits import MEANINGS, measure_limits
from benchmarks.limits import missing as limits_missing
from benchmarks.peers import COVERED, PEERS, UNCOVERED, Peer, Sample
from benchmarks.process import Failed
from benchmarks.promptness import LONG, measure_promptness
from benchmarks.provenance import machine, today, versions
from checker.native import jit

OUTPUT = ROOT / "build" / "bench" / "results.json"
ENOUGH = 10_000
"""From how many states on bytes a state say something about the engine, and not about the size of an empty process."""

T = TypeVar("T")


def measure_case(
    case: Case, peers: Sequence[Peer], gone: tuple[Mapping[str, str], set[str]], runs: int, console: Console
) -> list[Result]:
    """All peers on one case, in interleaved rounds. A peer that fails is not asked again. `gone` is as `availability` has it."""
    absent = {peer.name: reason for peer in peers if (reason := peer.skips(case) or gone[0].get(peer.name))}
    failed = set(gone[1])
    samples: dict[str, list[Sample]] = {peer.name: [] for peer in peers}
    for number in range(1, runs + 1):
        for peer in peers:
            if peer.name in absent:
                continue
            with console.status(f"{case.name}: {peer.name}, run {number} of {runs}"):
                try:
                    samples[peer.name].append(peer.run(case))
                except Failed as error:
                    absent[peer.name] = str(error)
                    failed.add(peer.name)
                    samples[peer.name].clear()
    return [
        Result(
            case,
            peer.name,
            tuple(samples[peer.name]),
            absent.get(peer.name),
            peer.name in failed,
            peer.against,
        )
        for peer in peers
    ]


def availability(peers: Sequence[Peer]) -> tuple[dict[str, str], set[str]]:
    """Why some peers cannot be measured here, by name; and which of these are failures."""
    absent: dict[str, str] = {}
    failed: set[str] = set()
    for peer in peers:
        try:
            reason = peer.missing()
        except Failed as error:
            reason = str(error)
            failed.add(peer.name)
        if reason:
            absent[peer.name] = reason
    return absent, failed


def attempt(what: str, missing: str | None, measure: Callable[[], T], console: Console) -> tuple[T | str, bool]:
    """What was measured, or why it was not; and whether that is a failure."""
    if missing:
        return missing, False
    with console.status(what):
        try:
            return measure(), False
        except Failed as error:
            return str(error), True


def beside(
    options: argparse.Namespace, console: Console
) -> tuple[Compiled | str | None, list[Prompt] | str | None, bool]:
    """How long the compiler takes and how soon a long search answers, where asked for; and whether one of them failed."""
    compiled: Compiled | str | None = None
    prompt: list[Prompt] | str | None = None
    failures = [False, False]
    if options.only in LARGE.name:
        compiled, failures[0] = attempt(
            f"{LARGE.name}: compilation", jit.unavailable(), lambda: measure_compilation(LARGE, options.runs), console
        )
    if options.only in LONG.name:
        prompt, failures[1] = attempt(
            f"{LONG.name}: promptness",
            jit.unavailable(),
            lambda: [measure_promptness(LONG, workers, options.runs) for workers in (1, 2)],
            console,
        )
    return compiled, prompt, any(failures)


def show(results: Sequence[Result], runs: int) -> Table:
    """One row for each case and peer that something was measured of, or that failed. Who is missing, `reasons` says."""
    table = Table(title=f"Medians of {runs}" if runs > 1 else "One run", title_justify="left")
    table.add_column("Model")
    table.add_column("Peer")
    headings = ("States", "Transitions", "Transitions/s", f"× {YARDSTICK}", "First verdict", "Bytes/state")
    for heading in headings:
        table.add_column(heading, justify="right")
    last = None
    for one in results:
        if not one.samples and not one.failed:
            continue
        if last not in (None, one.case.name):
            table.add_section()
        model = one.case.name if one.case.name != last else ""
        last = one.case.name
        rate, verdict, size, times = one.rate, one.verdict, one.bytes_a_state, ratio(one, results)
        if rate is None or verdict is None:
            table.add_row(model, one.peer, "", "", Text("failed", "red"))
            continue
        first = one.samples[0]
        table.add_row(
            model,
            one.peer,
            f"{first.states:,}",
            f"{first.transitions:,}",
            f"{rate.median:,.0f}",
            "–" if times is None else f"{times:.2f}",
            f"{verdict.median:.2f} s",
            "–" if size is None or first.states < ENOUGH else f"{size.median:,.0f}",
            style="red" if one.wrong() else None,
        )
    return table


def scaling(results: Sequence[Result]) -> list[str]:
    """What several workers gain over one, where a graph is large enough to share."""
    lines = []
    for one in results:
        found = [(COMPARISONS[what], ratio(one, results, other)) for what, other in one.against.items()]
        times = [f"{times:.2f} times as fast as {other}" for other, times in found if times is not None]
        if one.case.states >= ENOUGH and times:
            lines.append(f"{one.case.name}: {one.peer}: {', '.join(times)}")
    return lines


def liveness(results: Sequence[Result]) -> list[str]:
    """How much longer a verdict takes where liveness is judged, too."""
    lines = []
    for one in results:
        plain = next((r for r in results if r.case.name == one.case.safety and r.peer == one.peer), None)
        if plain is not None and one.verdict is not None and plain.verdict is not None:
            times = one.verdict.median / plain.verdict.median
            lines.append(f"{one.case.name}: {one.peer}: {times:.2f} times as long as safety alone")
    return lines


def coverage_cost(results: Sequence[Result]) -> list[str]:
    """How much longer an exploration takes that counts what it exercises."""
    return [
        f"{one.case.name}: coverage costs {times - 1:.0%} of the time"
        for one in results
        if one.peer == UNCOVERED.name and (times := ratio(one, results, COVERED.name)) is not None
    ]


def compilation(found: Compiled | str) -> str:
    """How long the compiler takes."""
    if isinstance(found, str):
        return f"{LARGE.name}: compilation not measured: {found}"
    first, best = found.first.median, found.optimised.median
    return f"{LARGE.name}: compiled to the first explored state in {first:.2f} s, optimised in {best:.2f} s"


def promptness(found: Sequence[Prompt] | str) -> list[str]:
    """How soon a long search answers."""
    if isinstance(found, str):
        return [f"{LONG.name}: promptness not measured: {found}"]
    return [
        f"{one.case.name}: {workers(one.workers)}: Ctrl-C answered in {one.interrupt.median:.2f} s, "
        f"progress every {one.report.median:.2f} s, "
        f"stopped at {one.time.median:.3f} of a limit on time, {one.memory.median:.3f} of one on memory"
        for one in found
    ]


def workers(number: int) -> str:
    return "one worker" if number == 1 else f"{number} workers"


def memory(found: Mapping[str, float] | str) -> list[str]:
    """The limits of the machine."""
    if isinstance(found, str):
        return [f"limits of the machine: not measured: {found}"]
    return [
        f"memory, {name} ({MEANINGS[name]}): {nanoseconds:.1f} ns, {1e3 / nanoseconds:,.0f} million a second"
        for name, nanoseconds in found.items()
    ]


def reasons(results: Sequence[Result]) -> list[str]:
    """Each peer with why it was not measured, once where it is the same for several cases."""
    found: dict[tuple[str, str], list[str]] = {}
    for one in results:
        if one.absent and one.absent != "no model of it":
            found.setdefault((one.peer, one.absent), []).append(one.case.name)
    every = len({one.case.name for one in results})
    lines = []
    for (peer, reason), cases in found.items():
        where = "" if len(cases) == every else f" on {', '.join(cases)}"
        lines.append(f"{peer}: not measured{where}: {reason}")
    return lines


def arguments(given: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.run", description="Measure Lockstep beside its peers.")
    parser.add_argument("--runs", type=int, default=3, metavar="N", help="how often each is measured (default: 3)")
    parser.add_argument("--full", action="store_true", help="the large graphs, too; needs 4 GB of memory")
    parser.add_argument("--only", default="", metavar="TEXT", help="only cases with this in their name")
    parser.add_argument("--output", type=Path, default=OUTPUT, metavar="FILE", help="where the JSON document goes")
    options = parser.parse_args(given)
    if options.runs < 1:
        parser.error("--runs must be at least 1")
    return options


def main(given: Sequence[str] | None = None, peers: Sequence[Peer] = PEERS) -> int:
    """Measures, prints, writes; the exit code is 1 if something failed or a count is wrong."""
    options = arguments(given)
    # Wide enough for the table where the output is not a terminal.
    console = Console() if sys.stdout.isatty() else Console(width=130)
    status = Console(stderr=True)
    cases = [case for case in CASES if (options.full or not case.full) and options.only in case.name]
    if not cases:
        console.print(f"no case has {options.only!r} in its name", style="red")
        return 1
    kind = machine()
    console.print(
        f"{kind['processor'] or kind['architecture']}, {kind['system']}, Python {kind['python']}", style="dim"
    )

    limits, broken = attempt("limits of the machine", limits_missing(), lambda: measure_limits(options.runs), status)
    gone = availability(peers)
    results = [one for case in cases for one in measure_case(case, peers, gone, options.runs, status)]
    compiled, prompt, also_broken = beside(options, status)

    console.print(show(results, options.runs))
    for line in (
        *scaling(results),
        *liveness(results),
        *coverage_cost(results),
        *([] if compiled is None else [compilation(compiled)]),
        *([] if prompt is None else promptness(prompt)),
        *memory(limits),
        *reasons(results),
    ):
        console.print(line, highlight=False, markup=False)
    options.output.parent.mkdir(parents=True, exist_ok=True)
    written = document(
        results,
        limits,
        options.runs,
        description=kind,
        versions=versions(),
        day=today(),
        compiled=None if isinstance(compiled, str) else compiled,
        prompt=prompt if isinstance(prompt, list) else (),
    )
    options.output.write_text(json.dumps(written, indent=2) + "\n", encoding="utf-8")

    wrong = [line for one in results for line in one.wrong()]
    for line in wrong:
        console.print(f"WRONG COUNT: {line}", style="bold red", markup=False)
    return 1 if wrong or broken or also_broken or any(one.failed for one in results) else 0


if __name__ == "__main__":
    sys.exit(main())
