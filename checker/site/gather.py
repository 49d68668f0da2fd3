"""Running the checker for the pages: every check of every spec, and the drawings, with what is stored used again.

Checks are independent of each other, so where several have to be run they are spread over processes. The order of the
result never depends on who finished first.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any, TypeVar

from checker.api import LoadedSpec, failed_check, loads
from checker.base.diagnostics import SpecError
from checker.engine.interface import Limits, Stop
from checker.engine.search import Search
from checker.lang import ast
from checker.lang.library import Library
from checker.lang.parser import read_source
from checker.model.machine import Machine
from checker.model.values import instance_name, show_value
from checker.properties.kinds import Trace, TraceStep
from checker.properties.safety import judge
from checker.render.sequence import all_changes, cast
from checker.render.values import Names
from checker.site.drawings import draw
from checker.site.explorer import explorer_json
from checker.site.facts import CheckFacts, Figures, Setting, SpecFacts, Story
from checker.site.store import Store, key, sources_hash

LONGEST = 300.0
"""Seconds after which a check is given up. It is then incomplete, and the page says so."""

FEW = 8
"""So many checks are run one after the other; for more it pays to start processes."""

BUDGET = "left of "
"""How a trace calls what is left of a fault budget."""

_RUNS = ("base", "lang", "model", "engine", "properties", "render")
_DRAWS = (*_RUNS, "site")

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
            specs.append((_loaded(file.path, file.text, file.folder), file.folder))
        except SpecError as problem:
            problems.append(problem)
    if problems:
        raise SpecError(d for problem in problems for d in problem.diagnostics)
    jobs = _Jobs(store)
    for spec, folder in specs:
        texts = (spec.path, spec.source.text, *spec.refined)
        for check in spec.checks:
            name = key("check", *texts, check, sources_hash(_RUNS))
            jobs.add(name, CheckFacts, run_check, spec.path, spec.source.text, check, folder)
        name = key("figures", *texts, sources_hash(_DRAWS))
        jobs.add(name, Figures, run_drawings, spec.path, spec.source.text, folder)
    done = iter(jobs.run(workers))
    return tuple(
        SpecFacts(s.path, s.source.text, tuple(next(done) for _ in s.checks), next(done)) for s, _ in specs
    )  # fmt: skip


def _loaded(path: str, text: str, folder: str) -> LoadedSpec:
    return loads(text, path, library=Library.around(Path(folder)) if folder else None)


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
        self.store.keep_only(self.names)
        return self.known

    def _spread(self, pool: Executor) -> None:
        running: list[tuple[int, Future[Any]]] = []
        for number, (run, args) in self.calls.items():
            running.append((number, pool.submit(run, *args)))
        for number, future in running:
            self._take(number, future.result())

    def _take(self, number: int, value: Any) -> None:
        self.known[number] = value
        self.store.put(self.names[number], value)


# ---- one spec


def run_drawings(path: str, text: str, folder: str = "") -> Figures:
    """The drawings of a spec."""
    return draw(_loaded(path, text, folder))


def run_check(path: str, text: str, check: str, folder: str = "", *, limits: Limits | None = None) -> CheckFacts:
    """Runs a check and notes what it assumed."""
    spec = _loaded(path, text, folder)
    try:
        machine = spec.machine(check)
        search = Search(machine, live=True)
        found = search.run(limits or Limits(timeout=LONGEST))
        if found.stop is Stop.INTERRUPTED:
            raise KeyboardInterrupt  # half a result must not be stored
        result = judge(machine, found)
    except SpecError as problem:
        return CheckFacts(failed_check(check, problem))
    ends = [*search.levels[1:], len(search.states)]
    levels = [end - start for start, end in zip(search.levels, ends, strict=True)]
    names = Names(machine)
    return CheckFacts(
        result,
        _setting(spec, machine, check),
        tuple(levels[: result.depth + 1]),
        {p.name: _story(p.trace, names) for p in result.properties if p.trace is not None},
        explorer_json(machine, result),
    )


def _story(trace: Trace, names: Names) -> Story:
    """What a trace shows beside its steps. What is left of fault budgets is not told: the names of the faults say it."""
    owners: dict[str, list[str]] = {}
    for name, value in trace.initial.items():
        if name != "network" and not name.startswith(BUDGET):
            owner, _, variable = name.rpartition(".")
            owners.setdefault(owner, []).append(f"{variable} = {names.show(name, value)}")
    equal: dict[str, list[str]] = {}
    for owner, parts in owners.items():
        equal.setdefault(", ".join(parts), []).append(owner)
    initial = [f"{', '.join(who)}: {what}" if who != [""] else what for what, who in equal.items()]
    changes = tuple(tuple(c for c in step if not c.place.startswith(BUDGET)) for step in all_changes(trace, names))
    return Story(tuple(initial), changes, _abstract_story(trace, names))


def _abstract_story(trace: Trace, names: Names) -> Story | None:
    if trace.abstract is None:
        return None
    steps = tuple(TraceStep(s.step or "", s.changes) for s in trace.abstract.steps)
    return _story(Trace(trace.abstract.initial, steps), names.abstract[trace.abstract.spec])


def _setting(spec: LoadedSpec, machine: Machine, check: str) -> Setting:
    decl = next((d for d in spec.tree.decls if isinstance(d, ast.CheckDecl) and d.name.text == check), None)
    items = decl.items if decl is not None else ()
    networks = []
    for network in machine.networks:
        capacity = "" if network.capacity is None else f"[{network.capacity}]"
        options = " ".join(
            [*([network.overflow] if network.overflow != "error" else []), *(["session"] if network.session else [])]
        )
        text = f"{network.kind}{capacity} {options}".strip()
        networks.append(f"{network.name}: {text}" if len(machine.networks) > 1 else text)
    return Setting(
        constants={name: show_value(t, value) for name, (t, value) in machine.constants.items()},
        given=tuple(i.name.text for i in items if isinstance(i, ast.Bind)),
        faults=tuple(f"{b.key} ≤ {b.count}" for b in machine.budgets if b.count),
        networks=tuple(networks),
        bound=next((spec.source.slice(i.cond.span) for i in items if isinstance(i, ast.Bound)), None),
        processes={instance_name(r, p): r.name for r in machine.roles.values() for p in r.processes},
        own_faults=tuple(sorted(cast(machine).own_faults)),
    )
