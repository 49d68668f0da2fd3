"""Running the checker for the pages: every check of every spec, and the drawings, with what is stored used again.

Checks are independent of each other, so where several have to be run they are spread over processes. The order of the
result never depends on who finished first.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

from checker.api import LoadedSpec, failed_check, loads
from checker.base.diagnostics import SpecError
from checker.engine.interface import Limits
from checker.engine.search import Search
from checker.lang import ast
from checker.lang.parser import read_source
from checker.model.machine import Machine
from checker.model.values import instance_name, show_value
from checker.properties.kinds import CheckResult
from checker.properties.safety import judge
from checker.render.sequence import all_changes
from checker.render.values import Names
from checker.site.facts import CheckFacts, Figures, Setting, SpecFacts
from checker.site.store import Store, key, sources_hash

LONGEST = 300.0
"""Seconds after which a check is given up. It is then incomplete, and the page says so."""

_ENGINE = ("base", "lang", "model", "engine", "properties", "render")
_FEW = 3
"""So many checks are run at once where they are; more are worth a process each."""


@dataclass(frozen=True, slots=True)
class SpecFile:
    """A spec as it was found: `path` is where pages say it is, below the root of the repository."""

    path: str
    text: str


def find_specs(root: Path) -> tuple[SpecFile, ...]:
    """Every spec below a folder, in order of path. Raises `SpecError` for one that cannot be read."""
    files = sorted(path for path in root.rglob("*.psm") if path.is_file())
    return tuple(
        SpecFile((Path(root.name) / path.relative_to(root)).as_posix(), read_source(path).text) for path in files
    )


def gather(files: Sequence[SpecFile], store: Store, *, workers: int | None = None) -> tuple[SpecFacts, ...]:
    """What is known about each spec, from the store or by running it.

    Raises:
        SpecError: the diagnostics of all specs that do not parse.
    """
    specs: list[LoadedSpec] = []
    problems: list[SpecError] = []
    for file in files:
        try:
            specs.append(loads(file.text, file.path))
        except SpecError as problem:
            problems.append(problem)
    if problems:
        raise SpecError(d for problem in problems for d in problem.diagnostics)
    jobs = [(spec, check) for spec in specs for check in spec.checks]
    checks = {(s.path, c): store.get(_check_key(s, c), CheckFacts) for s, c in jobs}
    figures = {s.path: store.get(_figures_key(s), Figures) for s in specs}
    missing = [(s, c) for s, c in jobs if checks[s.path, c] is None]
    undrawn = [s for s in specs if figures[s.path] is None]
    with _executor(len(missing), workers) as pool:
        running = [(s, c, pool.submit(run_check, s.path, s.source.text, c)) for s, c in missing]
        drawing = [(s, pool.submit(run_drawings, s.path, s.source.text)) for s in undrawn]
        for spec, check, future in running:
            facts = checks[spec.path, check] = future.result()
            store.put(_check_key(spec, check), facts)
        for spec, drawn in drawing:
            figures[spec.path] = drawn.result()
            store.put(_figures_key(spec), figures[spec.path])
    store.keep_only([*(_check_key(s, c) for s, c in jobs), *(_figures_key(s) for s in specs)])
    return tuple(
        SpecFacts(s.path, s.source.text, tuple(_known(checks[s.path, c]) for c in s.checks), _known(figures[s.path]))
        for s in specs
    )


def _known[T](value: T | None) -> T:
    assert value is not None
    return value
