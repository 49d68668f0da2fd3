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
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from benchmarks.cases import CASES, LARGE, ROOT, Case
from benchmarks.compiling import measure_compilation
from benchmarks.figures import YARDSTICK, Compiled, Result, document, ratio
from benchmarks.limits import MEANINGS, measure_limits
from benchmarks.limits import missing as limits_missing
from benchmarks.peers import COVERED, PEERS, UNCOVERED, Peer, Sample
from benchmarks.process import Failed
from benchmarks.provenance import machine, today, versions
from checker.native import jit

OUTPUT = ROOT / "build" / "bench" / "results.json"
ENOUGH = 10_000
"""From how many states on bytes a state say something about the engine, and not about the size of an empty process."""


def measure_case(case: Case, peers: Sequence[Peer], runs: int, console: Console) -> list[Result]:
    """All peers on one case, in interleaved rounds. A peer that fails is not asked again."""
    absent = {peer.name: reason for peer in peers if (reason := peer.skips(case))}
    failed: set[str] = set()
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
            peer.alone,
            peer.confined,
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


def limits_here(runs: int, console: Console) -> tuple[dict[str, float] | str, bool]:
    """The limits of the machine, or why they were not measured; and whether that is a failure."""
    if reason := limits_missing():
        return reason, False
    with console.status("limits of the machine"):
        try:
            return measure_limits(runs), False
        except Failed as error:
            return str(error), True


def compilation_here(runs: int, console: Console) -> tuple[Compiled | str, bool]:
    """How long the compiler takes, or why that was not measured; and whether that is a failure."""
    if reason := jit.unavailable():
        return reason, False
    with console.status(f"{LARGE.name}: compilation"):
        try:
            return measure_compilation(LARGE, runs), False
        except Failed as error:
            return str(error), True


def show(results: Sequence[Result], runs: int) -> Table:
    """One row for each case and peer; none for a peer without a model, or that nothing was measured of."""
    shown = {one.peer for one in results if one.samples or one.failed}
    table = Table(title=f"Medians of {runs}" if runs > 1 else "One run", title_justify="left")
    table.add_column("Model")
    table.add_column("Peer")
    headings = ("States", "Transitions", "Transitions/s", f"× {YARDSTICK}", "First verdict", "Bytes/state")
    for heading in headings:
        table.add_column(heading, justify="right")
    last = None
    for one in results:
        if one.absent == "no model of it" or one.peer not in shown:
            continue
        if last not in (None, one.case.name):
            table.add_section()
        model = one.case.name if one.case.name != last else ""
        last = one.case.name
        rate, verdict, size, times = one.rate, one.verdict, one.bytes_a_state, ratio(one, results)
        if rate is None or verdict is None:
            reason = "failed" if one.failed else "not measured"
            table.add_row(model, one.peer, "", "", Text(reason, "red" if one.failed else "dim"))
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
        found = [
            ("one worker", ratio(one, results, one.alone)),
            ("one on one processor", ratio(one, results, one.confined)),
        ]
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
    console = Console() if sys.stdout.isatty() else Console(width=120)
    status = Console(stderr=True)
    cases = [case for case in CASES if (options.full or not case.full) and options.only in case.name]
    if not cases:
        console.print(f"no case has {options.only!r} in its name", style="red")
        return 1
    kind = machine()
    console.print(
        f"{kind['processor'] or kind['architecture']}, {kind['system']}, Python {kind['python']}", style="dim"
    )

    limits, broken = limits_here(options.runs, status)
    absent, failed = availability(peers)
    present = [peer for peer in peers if peer.name not in absent]
    results: list[Result] = []
    for case in cases:
        measured = {one.peer: one for one in measure_case(case, present, options.runs, status)}
        for peer in peers:
            reason = absent.get(peer.name)
            broke = peer.name in failed
            why = peer.skips(case) or reason
            gone = Result(case, peer.name, absent=why, failed=broke, alone=peer.alone, confined=peer.confined)
            results.append(measured.get(peer.name, gone))

    console.print(show(results, options.runs))
    for line in (*scaling(results), *liveness(results), *coverage_cost(results)):
        console.print(line, highlight=False, markup=False)
    compiled: Compiled | str | None = None
    if options.only in LARGE.name:
        compiled, uncompiled = compilation_here(options.runs, status)
        broken = broken or uncompiled
    if isinstance(compiled, str):
        console.print(f"{LARGE.name}: compilation not measured: {compiled}", highlight=False, markup=False)
    elif compiled is not None:
        first, best = compiled.first.median, compiled.optimised.median
        line = f"{LARGE.name}: compiled to the first explored state in {first:.2f} s, optimised in {best:.2f} s"
        console.print(line, highlight=False)
    if isinstance(limits, str):
        console.print(f"limits of the machine: not measured: {limits}")
    else:
        for name, nanoseconds in limits.items():
            rate = f"{1e3 / nanoseconds:,.0f} million a second"
            console.print(f"memory, {name} ({MEANINGS[name]}): {nanoseconds:.1f} ns, {rate}", highlight=False)
    for line in reasons(results):
        console.print(line, highlight=False, markup=False)
    options.output.parent.mkdir(parents=True, exist_ok=True)
    known = None if isinstance(compiled, str) else compiled
    written = document(
        results, limits, options.runs, description=kind, versions=versions(), day=today(), compiled=known
    )
    options.output.write_text(json.dumps(written, indent=2) + "\n", encoding="utf-8")

    wrong = [line for one in results for line in one.wrong()]
    for line in wrong:
        console.print(f"WRONG COUNT: {line}", style="bold red", markup=False)
    return 1 if wrong or broken or any(one.failed for one in results) else 0


if __name__ == "__main__":
    sys.exit(main())
