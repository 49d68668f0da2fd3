"""Holding the reference implementations to their specs for the pages, and trying what would be noticed if they were wrong.

The adapter of `specs/<family>/NAME.psm` stands in a module `NAME` somewhere below `refimpl.adapters`. For each check whose graph
is small enough, the implementation is taken along paths that cover every transition, and is asked in every state for what the
spec forbids there. Of a larger check the build takes a sample, and the smaller instances that the adapter names are tried in
full, and so is everything along its scenes. Then each mistake that the adapter lists is put in, and what notices it is written
down.

What is done is bounded by states and runs, not by time, so that pages are equal on slow machines and on fast ones. Where an
adapter needs a service, that service is used if it answers; where it does not, the page says so. That is a part of what a
result depends on: see `surroundings`.
"""

from __future__ import annotations

import importlib
import inspect
from contextlib import closing
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path, PurePosixPath

from checker.api import LoadedSpec
from checker.base.diagnostics import SpecError
from checker.conformance.adapter import Adapter, Instance, Scene
from checker.conformance.explore import Explored, explore
from checker.conformance.modes import Mode
from checker.conformance.mutation.matrix import document_of
from checker.conformance.mutation.score import Effort, NoChecks, kill_matrix
from checker.conformance.probe import Probes, probe_all
from checker.conformance.replay import Outcome, Replay, replay_all
from checker.conformance.scenes import along
from checker.engine.graph import StateGraph, small_graph
from checker.model.machine import Machine
from checker.site.facts import Conformance, Kills, Replayed

MOST_STATES = 8_000
"""The most states of a check whose every transition is tried by the build; tests try larger ones."""

RUNS = 50
"""How many runs an exploration makes, of a check that is larger, and of each mistake."""

MUTATED_STATES = 1_200
"""The most states of a check in which every mistake is replayed."""

LONGEST = 300.0
"""Seconds after which the rest of the mistakes is not run. The page then says so."""

CALM = "no fault struck after something had begun"
CROWDED = "too many states agree with what can be seen"
PARTIAL = "not every transition could be taken"
BLIND = "nothing was compared"
"""Why a result is incomplete."""

_ADAPTERS = Path(__file__).resolve().parents[2] / "refimpl" / "adapters"


def adapters(path: str) -> tuple[str, ...]:
    """The modules with adapters of a spec."""
    wanted = PurePosixPath(path).stem
    if not wanted.isidentifier() or wanted.startswith("_"):
        return ()
    found = sorted(_ADAPTERS.rglob(f"{wanted}.py"))
    return tuple(".".join(p.relative_to(_ADAPTERS.parents[1]).with_suffix("").parts) for p in found)


def surroundings(module: str) -> str:
    """What is missing on this machine for an adapter; empty where nothing is."""
    try:
        kind = adapter_in(module)
    except ImportError as problem:
        return str(problem)
    return "" if kind is None else kind.absent() or ""


def conform(spec: LoadedSpec, module: str, absent: str = "") -> Conformance:
    """Takes the implementation of an adapter along the checks of its spec; `absent` as `surroundings` has it."""
    kind = None if absent else adapter_in(module)
    if kind is None:
        return Conformance(module, (), absent=absent)
    instances = (*map(Instance, kind.checks or spec.checks), *kind.smaller)
    checks = (*(_one(spec, kind, instance) for instance in instances), *(_scene(spec, kind, s) for s in kind.scenes))
    return Conformance(module, checks, tuple(sorted(kind.unsupported)), kind.services)


def kills(spec: LoadedSpec, module: str, absent: str = "") -> Kills:
    """The kill matrix of an adapter's mistakes; without a document where there is none."""
    kind = None if absent else adapter_in(module)
    if kind is None or not kind.mistakes():
        return Kills(None)
    effort = Effort(kinds=("implementation",), modes=_modes(), seconds=LONGEST, most_states=MUTATED_STATES, runs=RUNS)
    try:
        return Kills(document_of(kill_matrix(spec, effort, adapter=kind, name=f"{module}:{kind.__name__}")))
    except (NoChecks, SpecError):
        return Kills(None)


def _modes() -> tuple[Mode, ...]:
    """Explorations need Hypothesis, which not every environment has that builds the site."""
    return (Mode.REPLAY, Mode.PROBE, Mode.EXPLORE) if find_spec("hypothesis") else (Mode.REPLAY, Mode.PROBE)


def adapter_in(module: str) -> type[Adapter] | None:
    """The adapter that a module defines."""
    loaded = importlib.import_module(module)
    kinds = [
        kind
        for kind in vars(loaded).values()
        if inspect.isclass(kind) and issubclass(kind, Adapter) and kind.__module__ == module
    ]
    return next((kind for kind in kinds if not inspect.isabstract(kind)), None)


def _one(spec: LoadedSpec, kind: type[Adapter], instance: Instance) -> Replayed:
    name = str(instance)
    try:
        machine = spec.machine(instance.check, constants=instance.constants)
        graph = small_graph(machine, MOST_STATES)
    except SpecError:
        return Replayed(name, "incomplete")
    with closing(kind(machine)) as adapter:
        return _sampled(name, adapter, machine) if graph is None else _replayed(name, adapter, graph)


def _replayed(name: str, adapter: Adapter, graph: StateGraph) -> Replayed:
    return _compared(name, replay_all(adapter, graph), probe_all(adapter, graph))


def _scene(spec: LoadedSpec, kind: type[Adapter], scene: Scene) -> Replayed:
    visit = along(spec, scene).visit(kind)
    shown = _compared(str(scene.instance), visit.replay, visit.probes)
    report = "" if visit.mismatch is None else visit.mismatch.text()
    # a scene is judged by other rules than a check, of which it is a part only: what is wrong with it has to be its own
    why = "" if visit.outcome is not Outcome.INCOMPLETE else shown.why or PARTIAL
    return replace(shown, outcome=visit.outcome.value, why=why, report=report, scene=scene.name)


def _compared(name: str, result: Replay, probes: Probes) -> Replayed:
    mismatch = result.mismatch or probes.mismatch
    return Replayed(
        name,
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
        why="" if result.outcome is not Outcome.INCOMPLETE else PARTIAL if result.taken and result.seen else BLIND,
    )


def _why(result: Explored) -> str:
    return CALM if result.calm else CROWDED if result.crowded else BLIND


def _sampled(name: str, adapter: Adapter, machine: Machine) -> Replayed:
    if Mode.EXPLORE not in _modes():
        return Replayed(name, "left")
    result = explore(adapter, runs=RUNS)
    counts = machine.counts
    return Replayed(
        name,
        "sampled" if result.outcome is Outcome.CONFORMS else result.outcome.value,
        taken=result.transitions,
        total=0 if counts is None else counts.transitions or 0,
        paths=result.runs,
        steps=result.steps,
        seen=len(result.seen),
        variables=len(result.seen) + len(result.unseen),
        tried=result.probes,
        report="" if result.mismatch is None else result.mismatch.text(),
        why="" if result.outcome is not Outcome.INCOMPLETE else _why(result),
    )
