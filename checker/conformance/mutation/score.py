"""Makes the kill matrix of a spec: all mutants, all detectors, within a time."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

from checker.api import LoadedSpec
from checker.conformance.adapter import Adapter
from checker.conformance.drive import Mode, Plan
from checker.conformance.mutation import traces
from checker.conformance.mutation.implementations import ImplementationDetectors
from checker.conformance.mutation.matrix import Group, Matrix, Mutant
from checker.conformance.mutation.specs import SpecDetectors
from checker.engine.graph import StateGraph
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
        most_states: checks with larger graphs are left out.
        runs: of each exploration.
        seed: of explorations and traces.
    """

    kinds: tuple[str, ...] = KINDS
    modes: tuple[Mode, ...] = (Mode.REPLAY, Mode.PROBE, Mode.EXPLORE)
    seconds: float = 600.0
    most_states: int = 5_000
    runs: int = 100
    seed: int = 0


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
        checks: which checks are looked at; None: all that are small enough. Those that are named may be of any size.
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

    limits = Limits(max_states=effort.most_states) if checks is None else Limits(max_states=200_000)
    graphs = {check: spec.graph(check, limits=limits) for check in (spec.checks if checks is None else checks)}
    graphs = {check: graph for check, graph in graphs.items() if graph.complete}
    if not graphs:
        raise NoChecks(f"no check of {spec.name} has at most {limits.max_states:,} states and no bound")
    graphs = dict(sorted(graphs.items(), key=lambda item: len(item[1].edges)))
    plan = Plan(modes=effort.modes, seed=effort.seed, runs=effort.runs, most_states=limits.max_states or 0)
    groups = []
    if "spec" in effort.kinds:
        # a broken spec may have a far larger graph than its original, and is cut off where that is plain
        beyond = Limits(max_states=20 * max(len(g.states) for g in graphs.values()), timeout=30)
        detectors = SpecDetectors(spec, tuple(graphs), plan, beyond, adapter)
        groups.append(Group("spec", detectors.names, tuple(_noted(_of_spec(detectors, left), "spec", tell))))
    if adapter is not None and "implementation" in effort.kinds:
        found = ImplementationDetectors(adapter, graphs, plan)
        wrong = (found.judged(mistake, make, left) for mistake, make in adapter.mistakes().items())
        groups.append(Group("implementation", found.names, tuple(_noted(wrong, "implementation", tell))))
    if adapter is not None and "trace" in effort.kinds:
        mutants = _of_traces(adapter, graphs, effort.seed, left)
        groups.append(Group("trace", tuple(traces.SIGHTS), tuple(_noted(mutants, "trace", tell))))
    return Matrix(spec.path, spec.name, name, tuple(graphs), tuple(groups), effort.seed)


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
