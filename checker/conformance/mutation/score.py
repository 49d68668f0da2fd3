"""Makes the kill matrix of a spec: all mutants, all detectors, within a time."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Literal

from checker.api import LoadedSpec
from checker.base.data import dataclass
from checker.conformance.adapter import Adapter, Instance, Scene
from checker.conformance.drive import Plan
from checker.conformance.modes import Mode
from checker.conformance.mutation import traces
from checker.conformance.mutation.implementations import ImplementationDetectors, Place
from checker.conformance.mutation.matrix import Group, Matrix, Mutant
from checker.conformance.mutation.specs import SpecDetectors
from checker.conformance.scenes import along
from checker.engine.graph import StateGraph, small_graph
from checker.engine.interface import Limits

KINDS: tuple[Literal["spec", "implementation", "trace"], ...] = ("spec", "implementation", "trace")

Tell = Callable[[str, int, str], None]
"""Is told the kind, how many mutants of it were looked at, and the name of the last one."""


@dataclass(frozen=True, slots=True)
class Effort:
    """How much is done.

    Attributes:
        kinds: which mutants; those of implementations and traces need an adapter.
        modes: how an implementation is driven.
        seconds: for everything; mutants that it does not reach are not run.
        most_states: checks with larger graphs are left out, or only explored.
        runs: of each exploration.
        seed: of explorations and traces.
    """

    kinds: tuple[str, ...] = KINDS
    modes: tuple[Mode, ...] = (Mode.REPLAY, Mode.PROBE, Mode.EXPLORE)
    seconds: float = 600.0
    most_states: int = 5_000
    runs: int = 100
    seed: int = 0


MOST_STATES = 200_000
"""How large the graph of a check may be that is asked for by name, or of an instance that an adapter calls small."""


class NoChecks(Exception):
    """No check of the spec is small enough."""


def kill_matrix(
    spec: LoadedSpec,
    effort: Effort,
    *,
    checks: tuple[str, ...] | None = None,
    adapter: type[Adapter] | None = None,
    name: str = "",
    tell: Tell | None = None,
) -> Matrix:
    """The matrix of a spec.

    Args:
        spec: the spec.
        effort: how much is done.
        checks: which checks are looked at, of any size; None: all that the adapter is to follow, and its smaller instances.
        adapter: that of the right implementation.
        name: what the adapter is called.
        tell: is told of each mutant.

    Raises:
        SpecError: of the spec itself.
        NoChecks: there is none that is small enough.
    """
    end = time.monotonic() + effort.seconds

    def left() -> float:
        return end - time.monotonic()

    most_states = effort.most_states if checks is None else MOST_STATES
    places = [_place(spec, instance, most_states) for instance in _checks(spec, checks, adapter)]
    if checks is None and adapter is not None:
        places += [_place(spec, instance, MOST_STATES) for instance in adapter.smaller]
        places += [_scene(spec, scene) for scene in adapter.scenes]
    found = [(place.instance, place.graph) for place in places if place.graph is not None]
    if not found:
        raise NoChecks(f"no check of {spec.name} has at most {most_states:,} states and no bound")
    found.sort(key=lambda one: len(one[1].edges))
    graphs = {str(instance): graph for instance, graph in found}
    plan = Plan(modes=effort.modes, seed=effort.seed, runs=effort.runs, most_states=most_states)
    groups = []
    if "spec" in effort.kinds:
        # a broken spec may have a far larger graph than its original, and is cut off where that is plain
        beyond = Limits(max_states=20 * max(len(g.states) for g in graphs.values()), timeout=30)
        scenes = adapter.scenes if adapter is not None and checks is None else ()
        judges = SpecDetectors(spec, tuple(instance for instance, _ in found), plan, beyond, adapter, scenes)
        groups.append(Group("spec", judges.names, tuple(_noted(_of_spec(judges, left), "spec", tell))))
    if adapter is not None and "implementation" in effort.kinds:
        detectors = ImplementationDetectors(adapter, places, plan)
        wrong = (detectors.judged(mistake, make, left) for mistake, make in adapter.mistakes().items())
        groups.append(Group("implementation", detectors.names, tuple(_noted(wrong, "implementation", tell))))
    if adapter is not None and "trace" in effort.kinds:
        mutants = _of_traces(adapter, graphs, effort.seed, left)
        groups.append(Group("trace", tuple(traces.SIGHTS), tuple(_noted(mutants, "trace", tell))))
    explored = adapter is not None and "implementation" in effort.kinds and Mode.EXPLORE in effort.modes
    large = [place.name for place in places if place.graph is None and explored and place.scene is None]
    large += [place.name for place in places if place.scene is not None]
    return Matrix(spec.path, spec.name, name, (*graphs, *large), tuple(groups), effort.seed)


def _checks(spec: LoadedSpec, checks: tuple[str, ...] | None, adapter: type[Adapter] | None) -> Iterator[Instance]:
    followed = None if adapter is None else adapter.checks
    return map(Instance, checks or followed or spec.checks)


def _place(spec: LoadedSpec, instance: Instance, most_states: int) -> Place:
    machine = spec.machine(instance.check, constants=instance.constants)
    return Place(instance, machine, small_graph(machine, most_states))


def _scene(spec: LoadedSpec, scene: Scene) -> Place:
    found = along(spec, scene)
    return Place(scene.instance, found.graph.machine, scene=found)


def _of_spec(detectors: SpecDetectors, left: Callable[[], float]) -> Iterator[Mutant]:
    for number, mutant in enumerate(detectors.mutants(), 1):
        yield detectors.judged(number, mutant, left)


def _of_traces(
    adapter: type[Adapter], graphs: dict[str, StateGraph], seed: int, left: Callable[[], float]
) -> Iterator[Mutant]:
    for mutant in traces.trace_mutants(adapter, graphs, seed=seed):
        yield traces.judged(mutant, graphs, left)


def _noted(mutants: Iterator[Mutant], kind: str, tell: Tell | None) -> Iterator[Mutant]:
    for number, mutant in enumerate(mutants, 1):
        if tell is not None:
            tell(kind, number, mutant.name)
        yield mutant
