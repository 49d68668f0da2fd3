"""Running the checker for the pages: every check of every spec, and the drawings, with what is stored used again.

Checks are independent of each other, so where several have to be run they are spread over processes. The order of the
result never depends on who finished first.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor, as_completed
from dataclasses import replace
from multiprocessing import get_context
from pathlib import Path
from typing import Any, TypeVar

from checker.api import LoadedSpec
from checker.base.data import dataclass
from checker.base.diagnostics import SpecError
from checker.lang.parser import read_source
from checker.site.conforming import adapters, conform, kills, surroundings
from checker.site.console import Command, Printed, run_command
from checker.site.drawings import draw
from checker.site.facts import NO_KILLS, CheckFacts, Conformance, Figures, Kills, Levels, SpecFacts
from checker.site.levels import levels_of
from checker.site.running import loaded, run_check
from checker.site.store import Store, key, sources_hash

FEW = 8
"""So many checks are run one after the other; for more it pays to start processes."""

_ENGINES = ("api.py", "base", "lang", "model", "engine", "native", "properties")
_RUNS = (*_ENGINES, "render", "site/running.py")
_DRAWS = (*_ENGINES, "render", "site/drawings.py", "site/svg.py")
_COUNTS = (*_ENGINES, "site/levels.py")
_CONFORMS = (*_ENGINES, "render", "conformance", "site/conforming.py", "refimpl")
_PROGRAM = (*_ENGINES, "render", "conformance", "cli", "site/console.py")
"""The sources on which an answer depends, for each kind of question."""

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class SpecFile:
    """A spec as it was found: `path` is where pages say it is, below the root of the repository.

    `folder` is where it was, and where the specs are that it refines.
    """

    path: str
    text: str
    folder: str = ""


def find_specs(root: Path) -> tuple[SpecFile, ...]:
    """Every spec below a folder, in order of path. Raises `SpecError` for one that cannot be read."""
    files = sorted(path for path in root.rglob("*.psm") if path.is_file())
    return tuple(
        SpecFile((Path(root.name) / path.relative_to(root)).as_posix(), read_source(path).text, path.parent.as_posix())
        for path in files
    )


def gather(files: Sequence[SpecFile], store: Store, *, workers: int | None = None) -> tuple[SpecFacts, ...]:
    """What is known about each spec, from the store or by running it.

    Raises:
        SpecError: the diagnostics of all specs that do not parse.
    """
    specs: list[tuple[LoadedSpec, str]] = []
    problems: list[SpecError] = []
    for file in files:
        try:
            specs.append((loaded(file.path, file.text, file.folder), file.folder))
        except SpecError as problem:
            problems.append(problem)
    if problems:
        raise SpecError(d for problem in problems for d in problem.diagnostics)
    missing = {module: surroundings(module) for spec, _ in specs for module in adapters(spec.path)}
    checks = _Jobs(store)
    for spec, folder in specs:  # what takes longest comes first, so that nobody waits for it alone in the end
        for module in adapters(spec.path):
            texts = (spec.path, spec.source.text, *spec.refined, module, missing[module])
            args = spec.path, spec.source.text, folder, module, missing[module]
            checks.add(key("kills", *texts, sources_hash(_CONFORMS)), Kills, run_kills, *args)
            checks.add(key("conformance", *texts, sources_hash(_CONFORMS)), Conformance, run_conformance, *args)
    for spec, folder in specs:
        texts = (spec.path, spec.source.text, *spec.refined)
        for check in spec.checks:
            name = key("check", *texts, check, sources_hash(_RUNS))
            checks.add(name, CheckFacts, run_check, spec.path, spec.source.text, check, folder)
        name = key("figures", *texts, sources_hash(_DRAWS))
        checks.add(name, Figures, run_drawings, spec.path, spec.source.text, folder)
    done = iter(checks.run(workers))
    held = [tuple((next(done), next(done)) for _ in adapters(s.path)) for s, _ in specs]
    facts = [
        SpecFacts(
            s.path,
            s.source.text,
            tuple(next(done) for _ in s.checks),
            next(done),
            tuple(conformance for _, conformance in found),
            next((kills for kills, _ in found if kills.document is not None), NO_KILLS),
        )
        for (s, _), found in zip(specs, held, strict=True)
    ]
    shapes = _Jobs(store)
    for found, (spec, folder) in zip(facts, specs, strict=True):
        largest = found.largest
        if largest is not None:
            texts = (spec.path, spec.source.text, *spec.refined)
            name = key("levels", *texts, largest.result.name, sources_hash(_COUNTS))
            states = str(largest.result.states)
            shapes.add(name, Levels, run_levels, spec.path, spec.source.text, folder, largest.result.name, states)
    counted = iter(shapes.run(workers))
    facts = [f if f.largest is None else replace(f, levels=next(counted).sizes) for f in facts]
    return tuple(facts)


class _Jobs:
    """Things to find out, in order; those that the store does not know are run."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.names: list[str] = []
        self.known: list[Any] = []
        self.calls: dict[int, tuple[Callable[..., Any], tuple[str, ...]]] = {}

    def add(self, name: str, kind: type[_T], run: Callable[..., _T], *args: str) -> None:
        found = self.store.get(name, kind)
        if found is None:
            self.calls[len(self.names)] = run, args
        self.names.append(name)
        self.known.append(found)

    def run(self, workers: int | None) -> list[Any]:
        """The values of all jobs. Each is stored as soon as it is there."""
        workers = min(workers or os.cpu_count() or 1, len(self.calls))
        if workers < 2 or len(self.calls) <= FEW:
            for number, (run, args) in self.calls.items():
                self._take(number, run(*args))
        else:
            # A fresh interpreter for each worker: the caller may have threads, which a fork would break.
            with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
                self._spread(pool)
        return self.known

    def _spread(self, pool: Executor) -> None:
        """Runs jobs in parallel, and takes each when it ends: what is done by then outlives an interrupt or a job that fails."""
        running = {pool.submit(run, *args): number for number, (run, args) in self.calls.items()}
        try:
            for future in as_completed(running):
                self._take(running[future], future.result())
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)  # else nobody is told before all the rest has been run
            raise

    def _take(self, number: int, value: Any) -> None:
        self.known[number] = value
        self.store.put(self.names[number], value)


# ---- one spec


def gather_consoles(commands: Sequence[Command], store: Store, *, workers: int | None = None) -> tuple[Printed, ...]:
    """What the commands of a tutorial print."""
    jobs = _Jobs(store)
    for one in commands:
        files = [text for pair in one.files.items() for text in pair]
        name = key("console", one.name, one.command, *files, sources_hash(_PROGRAM))
        jobs.add(name, Printed, run_command, one.name, one.command, *files)
    return tuple(jobs.run(workers))


def run_drawings(path: str, text: str, folder: str = "") -> Figures:
    """The drawings of a spec."""
    return draw(loaded(path, text, folder))


def run_levels(path: str, text: str, folder: str, check: str, states: str) -> Levels:
    """How many states of a check each depth has."""
    return Levels(levels_of(loaded(path, text, folder), check, int(states)))


def run_conformance(path: str, text: str, folder: str, module: str, absent: str) -> Conformance:
    """What an implementation does along the spec."""
    return conform(loaded(path, text, folder), module, absent)


def run_kills(path: str, text: str, folder: str, module: str, absent: str) -> Kills:
    """What becomes of mistakes in an implementation."""
    return kills(loaded(path, text, folder), module, absent)
