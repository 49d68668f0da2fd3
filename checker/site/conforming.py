"""Holding the reference implementations to their specs for the pages.

The adapter of `specs/<family>/NAME.psm` stands in a module `NAME` somewhere below `refimpl.adapters`. For each check whose
graph is small enough, the implementation is taken along paths that cover every transition, and is asked in every state for
what the spec forbids there. Larger checks, and all of an implementation that needs a service, are left to the tests, and the page
says so.
"""

from __future__ import annotations

import importlib
import inspect
from pathlib import Path, PurePosixPath

from checker.api import LoadedSpec
from checker.base.diagnostics import SpecError
from checker.conformance.adapter import Adapter
from checker.conformance.probe import probe_all
from checker.conformance.replay import replay_all
from checker.engine.graph import state_graph
from checker.engine.interface import Limits
from checker.site.facts import Conformance, Replayed

MOST_STATES = 2_500
"""The most states of a check whose every transition is tried by the build; tests try larger ones."""

_ADAPTERS = Path(__file__).resolve().parents[2] / "refimpl" / "adapters"


def adapters(path: str) -> tuple[str, ...]:
    """The modules with adapters of a spec."""
    wanted = PurePosixPath(path).stem
    if not wanted.isidentifier() or wanted.startswith("_"):
        return ()
    found = sorted(_ADAPTERS.rglob(f"{wanted}.py"))
    return tuple(".".join(p.relative_to(_ADAPTERS.parents[1]).with_suffix("").parts) for p in found)


def conform(spec: LoadedSpec, module: str) -> Conformance:
    """Takes the implementation of an adapter along every small check of its spec."""
    kind = _adapter_in(module)
    if kind is None:
        return Conformance(module, ())
    checks = [c for c in spec.checks if kind.checks is None or c in kind.checks]
    return Conformance(module, tuple(_one(spec, kind, check) for check in checks), tuple(sorted(kind.unsupported)))


def _adapter_in(module: str) -> type[Adapter] | None:
    loaded = importlib.import_module(module)
    kinds = [
        kind
        for kind in vars(loaded).values()
        if inspect.isclass(kind) and issubclass(kind, Adapter) and kind.__module__ == module
    ]
    return next((kind for kind in kinds if not inspect.isabstract(kind)), None)


def _one(spec: LoadedSpec, kind: type[Adapter], check: str) -> Replayed:
    if kind.services:
        return Replayed(check, "left")
    try:
        graph = state_graph(spec.machine(check), Limits(max_states=MOST_STATES + 1))
    except SpecError:
        return Replayed(check, "incomplete")
    if len(graph.states) > MOST_STATES:
        return Replayed(check, "left")
    result = replay_all(kind(graph.machine), graph)
    probes = probe_all(kind(graph.machine), graph)
    mismatch = result.mismatch or probes.mismatch
    return Replayed(
        check,
        result.outcome.value if mismatch is None else "mismatch",
        taken=result.taken,
        total=result.total,
        left_out=result.left_out,
        paths=result.paths,
        steps=result.steps,
        seen=len(result.seen),
        variables=len(result.seen) + len(result.unseen),
        tried=probes.tried,
        report="" if mismatch is None else mismatch.text(),
    )
