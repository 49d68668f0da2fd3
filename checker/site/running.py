"""Running one check, and noting what a reader has to know of it: what it assumed, and what each step of a trace changed.

This is what a page shows of a check, wherever it runs: while the site is built (`gather`), or in a browser, where somebody has
changed the spec. So nothing here needs a native package, a process or a file beyond the spec; where there are native
packages, the engine that is fastest runs.
"""

from __future__ import annotations

from pathlib import Path

from checker.api import LoadedSpec, failed_check, loads
from checker.base.diagnostics import SpecError
from checker.engine.interface import Limits, Observer
from checker.lang import ast
from checker.lang.library import Library
from checker.model.machine import Machine
from checker.model.values import instance_name, show_value
from checker.properties.kinds import Trace
from checker.render.events import cast
from checker.render.values import Names, all_changes, as_trace
from checker.site.explorer import explorer_json
from checker.site.facts import CheckFacts, Setting, Story

LONGEST = 300.0
"""Seconds after which a check is given up. It is then incomplete, and the page says so."""

BUDGET = "left of "
"""How a trace calls what is left of a fault budget."""


def loaded(path: str, text: str, folder: str) -> LoadedSpec:
    """A spec that is called `path` on pages. `folder` is where the specs are that it refines; empty, where there are none."""
    return loads(text, path, library=Library.around(Path(folder)) if folder else None)


def run_check(
    path: str,
    text: str,
    check: str,
    folder: str = "",
    *,
    limits: Limits | None = None,
    observe: Observer | None = None,
    explorer: bool = True,
) -> CheckFacts:
    """Runs a check and notes what it assumed.

    `observe` is told a few times a second how far it is. `explorer`: the data for walking through its states is wanted.
    """
    spec = loaded(path, text, folder)
    try:
        machine = spec.machine(check)
        result = spec.check(check, limits=limits or Limits(timeout=LONGEST), observe=observe)
    except SpecError as problem:
        return CheckFacts(failed_check(check, problem))
    if result.reason == "interrupted":
        raise KeyboardInterrupt  # half a result must not be stored
    names = Names(machine)
    return CheckFacts(
        result,
        _setting(spec, machine, check),
        {p.name: _story(p.trace, names) for p in result.properties if p.trace is not None},
        explorer_json(machine, result) if explorer else "",
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
    return _story(as_trace(trace.abstract), names.abstract[trace.abstract.spec])


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
        timeouts=tuple(sorted(cast(machine).timeouts)),
    )
