"""`lockstep check`: explores checks and says which expectations are met.

One spec after another, one check after another, each shown as soon as it is done. What is wrong with one spec is reported
and stops nothing else. The exit code is the worst of all parts (`checker.cli.exits`).
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import field
from typing import TYPE_CHECKING

import click

from checker.base.data import dataclass
from checker.cli.arguments import (
    PATH,
    SET_HELP,
    bindings,
    complete_check,
    constant,
    count,
    seconds,
    seed,
    show_constant,
    size,
)
from checker.cli.exits import Exit, worst
from checker.cli.sampling import BUG_DEPTH, RUNS, SCHEDULES, STEPS, check_sampling, simulator

if TYPE_CHECKING:
    from pathlib import Path

    from checker.api import LoadedSpec
    from checker.base.diagnostics import Diagnostic
    from checker.cli.display import Display
    from checker.engine.interface import Engine, Limits
    from checker.properties.kinds import CheckResult
    from checker.render.schema import SpecReport


@click.command("check")
@click.argument("paths", nargs=-1, required=True, type=PATH, metavar="PATH...")
@click.option(
    "names", "--check", multiple=True, metavar="NAME", shell_complete=complete_check,
    help="Only checks of this name. May be repeated.",
)  # fmt: skip
@click.option("constants", "--set", multiple=True, type=constant, metavar="CONST=VALUE", help=SET_HELP)
@click.option(
    "--engine", type=click.Choice(["auto", "native", "python"]), default="auto", show_default=True,
    help="What explores; `auto` is the fastest there is.",
)  # fmt: skip
@click.option("--workers", type=count, metavar="N", help="How many workers explore, where the engine has several.")
@click.option("--no-symmetry", is_flag=True, help="Explore every state, also where symmetry would spare most of them.")
@click.option("--fingerprints", is_flag=True,
              help="Keep hashes instead of states: less memory, and not exact; says with which probability.")  # fmt: skip
@click.option("--por", is_flag=True,
              help="Partial-order reduction: leave out steps whose order does not matter to what is expected.")  # fmt: skip
@click.option("format_", "--format", type=click.Choice(["text", "json"]), default="text", show_default=True,
              help="For people or for programs.")  # fmt: skip
@click.option("--max-states", type=count, metavar="N", help="Stop a check at so many states.")
@click.option("--max-memory", type=size, metavar="SIZE", help="Stop a check at so much memory, such as 512M or 2G.")
@click.option("--timeout", type=seconds, metavar="S", help="Stop a check after so many seconds.")
@click.option("--checkpoint", type=PATH, metavar="DIR", help="Keep what is found in DIR every few seconds.")
@click.option("--resume", type=PATH, metavar="DIR", help="Go on from what `--checkpoint DIR` kept.")
@click.option("--simulate", is_flag=True,
              help="Sample runs instead of exploring all states: for models that are too large. Never says `holds`.")  # fmt: skip
@click.option(
    "seed_", "--seed", type=seed, metavar="N", help="With --simulate: the seed of the first run; 0 by default."
)
@click.option("--runs", type=count, metavar="N",
              help=f"With --simulate: how many runs; {RUNS:,} by default, or as many as `--timeout` allows.")  # fmt: skip
@click.option("--depth", type=count, metavar="N", help=f"With --simulate: the most steps of a run; {STEPS} by default.")
@click.option("--schedule", type=click.Choice(SCHEDULES),
              help="With --simulate: who chooses the steps; `mixed`, the default, takes turns.")  # fmt: skip
@click.option("--bug-depth", type=count, metavar="D",
              help=f"With --simulate: how many orderings PCT aims at; {BUG_DEPTH} by default.")  # fmt: skip
@click.option("--traces", is_flag=True, help="Show traces of expected failures and of what is reached, too.")
@click.option("-q", "--quiet", is_flag=True, help="One line for each check; properties only where they surprise.")
@click.option("-v", "--verbose", is_flag=True,
              help="Show everything: all traces with every change, and how often each step fired.")  # fmt: skip
def command(
    paths: tuple[str, ...],
    names: tuple[str, ...],
    constants: tuple[tuple[str, int | bool | str], ...],
    engine: str,
    workers: int | None,
    no_symmetry: bool,
    fingerprints: bool,
    por: bool,
    format_: str,
    max_states: int | None,
    max_memory: int | None,
    timeout: float | None,
    checkpoint: str | None,
    resume: str | None,
    simulate: bool,
    traces: bool,
    quiet: bool,
    verbose: bool,
    **sampling: int | str | None,
) -> int:
    """Model-check specs, and compare what is found with what they expect.

    PATH is a spec, or a directory: then every .psm file in it and below it is checked.

    Each check of a spec explores all states that the protocol can reach. A property that was expected to hold and does
    not gets a shortest counterexample, step by step. Ctrl-C stops and shows what was covered. With `--simulate` it samples
    runs instead, and shows what they found, made short, with a command that finds it again.

    Exit codes: 0 every expectation is met, 1 one is not, 2 a spec or the command line is wrong, 3 incomplete,
    130 interrupted.
    """
    from pathlib import Path

    from checker.base.endings import interrupt, when_told_to_end
    from checker.cli.display import JsonDisplay, TextDisplay
    from checker.engine.interface import Limits
    from checker.native.choose import engine_named

    if quiet and verbose:
        raise click.UsageError("`--quiet` and `--verbose` exclude each other")
    if checkpoint is not None and resume is not None:
        raise click.UsageError("`--resume DIR` goes on writing to DIR, and excludes `--checkpoint`")
    check_sampling(sampling, simulate=simulate, others={
        "--engine": engine != "auto", "--workers": workers is not None, "--fingerprints": fingerprints,
        "--max-states": max_states is not None, "--checkpoint": checkpoint is not None, "--resume": resume is not None,
        "--por": por, "--no-symmetry": no_symmetry,
    })  # fmt: skip
    text = format_ == "text"
    display = TextDisplay(quiet=quiet, traces=traces, verbose=verbose) if text else JsonDisplay()
    kept = checkpoint if resume is None else resume
    chosen: Engine
    if simulate:
        chosen = simulator(sampling, timed=timeout is not None)
    else:
        chosen = engine_named(
            engine, workers or 1, fingerprints, checkpoint=None if kept is None else Path(kept), resume=resume is not None,
            reduced=por, tell=display.note,
        )  # fmt: skip
    limits = Limits(max_states, max_memory, timeout)
    run = _Run(names, bindings(constants), chosen, limits, display, symmetry=not no_symmetry)
    with when_told_to_end(interrupt):  # compilers and checkpoints would be left as they are
        return run.all(paths)


_CODES = {"pass": Exit.MET, "fail": Exit.UNMET, "incomplete": Exit.INCOMPLETE, "error": Exit.WRONG}


@dataclass(slots=True)
class _Run:
    """One run over all paths. `reports` and `codes` grow with it, so an interruption leaves what was done until then."""

    names: tuple[str, ...]
    constants: dict[str, int | bool | str]
    engine: Engine
    limits: Limits
    display: Display
    symmetry: bool = True
    reports: list[SpecReport] = field(default_factory=list)
    codes: list[Exit] = field(default_factory=list)

    def all(self, paths: Sequence[str]) -> Exit:
        """Checks everything that the paths stand for."""
        from checker.cli.specs import find_specs

        started = time.perf_counter()
        try:
            files, problems = find_specs(paths)
            self._wrong(problems)
            for loaded in self._loaded(files):
                self._spec(loaded)
        except KeyboardInterrupt:
            self.codes.append(Exit.INTERRUPTED)
        finally:
            self.display.close()
        code = worst(self.codes)
        self.display.finish(self.reports, time.perf_counter() - started, interrupted=code is Exit.INTERRUPTED)
        return code

    def _wrong(self, problems: Sequence[Diagnostic]) -> None:
        if problems:
            self.codes.append(Exit.WRONG)
            self.display.problems(problems)

    def _loaded(self, files: Sequence[Path]) -> Iterator[LoadedSpec | SpecReport]:
        """The specs, or a report on what could not be read.

        With names on the command line, all are read before the first is checked, so that a misspelt name is found at
        once. A name that none has may stand in a spec that cannot be read; then that is the thing to say.
        """
        if not self.names and not self.constants:
            for file in files:
                yield self._load(file)
            return
        from checker.api import LoadedSpec
        from checker.cli.specs import unknown_names

        everything = [self._load(file) for file in files]
        specs = [s for s in everything if isinstance(s, LoadedSpec)]
        if specs and len(specs) == len(everything):
            unknown = unknown_names(specs, self.names, self.constants)
            if unknown:
                self._wrong(unknown)
                return
        yield from everything

    def _load(self, file: Path) -> LoadedSpec | SpecReport:
        from checker.api import load
        from checker.base.diagnostics import SpecError
        from checker.base.source import display_name
        from checker.render.schema import SpecReport

        try:
            return load(file)
        except SpecError as problem:
            return SpecReport(display_name(file), None, (), problem.diagnostics)

    def _spec(self, loaded: LoadedSpec | SpecReport) -> None:
        from checker.cli.specs import constants_of
        from checker.render.schema import SpecReport

        if isinstance(loaded, SpecReport):
            self.reports.append(loaded)
            self._wrong(loaded.diagnostics)
            return
        names = [n for n in loaded.checks if not self.names or n in self.names]
        if not names:
            return
        constants = {k: v for k, v in self.constants.items() if k in constants_of(loaded)}
        self.display.begin(loaded, ", ".join(f"{k} = {show_constant(v)}" for k, v in constants.items()))
        results: list[CheckResult] = []
        try:
            for name in names:
                self._check(loaded, name, constants, results)
        finally:
            self.reports.append(SpecReport(loaded.path, loaded.name, tuple(results)))

    def _check(
        self, spec: LoadedSpec, name: str, constants: dict[str, int | bool | str], results: list[CheckResult]
    ) -> None:
        from checker.api import failed_check
        from checker.base.diagnostics import SpecError
        from checker.engine.interface import Stop
        from checker.model.symmetry import without_symmetry
        from checker.properties.safety import judge

        machine, stop = None, Stop.DONE
        try:
            machine = spec.machine(name, constants=constants)
            machine = machine if self.symmetry else without_symmetry(machine)
            found = self.engine.explore(machine, self.limits, self.display.watch(f"{spec.name} {name}", self.limits))
            stop = found.stop
            result = judge(machine, found)
        except SpecError as problem:
            result = failed_check(name, problem)
        results.append(result)
        self.display.check(result, machine)
        if stop is Stop.INTERRUPTED:
            raise KeyboardInterrupt
        self.codes.append(_CODES[result.verdict.value])
