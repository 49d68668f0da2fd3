"""The whole state graph of a small check, with stable numbers and named edges.

Drawing, exploring and replaying need every edge, which the search does not keep. States are numbered in the order of the
search, so the same spec gives the same graph on every run and every engine.
"""

from __future__ import annotations

from itertools import pairwise

from checker.base.data import dataclass
from checker.engine.interface import Limits, Path, Stop
from checker.engine.labels import Labels
from checker.engine.moves import Move
from checker.engine.replay import Replay
from checker.engine.runtime import State
from checker.engine.search import Search
from checker.model.machine import Machine


@dataclass(frozen=True, slots=True)
class Edge:
    """A step from one state to another. `unit` is the handler (`Role.Step`) or the kind of fault."""

    source: int
    target: int
    label: str
    unit: str
    fault: bool
    move: Move


@dataclass(frozen=True, slots=True)
class StateGraph:
    """States by number, the numbers of the initial ones, all edges in order, and the depth of each state.

    `complete` is False where a limit ended the exploration, or a bound cut edges off.
    """

    machine: Machine
    labels: Labels
    states: tuple[State, ...]
    initial: tuple[int, ...]
    edges: tuple[Edge, ...]
    depths: tuple[int, ...]
    complete: bool


def state_graph(machine: Machine, limits: Limits | None = None) -> StateGraph:
    """Explores a machine and lists its graph. Edges to states that have no number (outside a bound) are left out."""
    search = Search(machine)
    found = search.run(limits or Limits())
    edges: list[Edge] = []
    missing = False
    for number, state in enumerate(search.states):
        done, _ = search.steps.expand(state)
        for unit, move, target in done:
            if target in search.numbers:
                name = search.steps.units[unit]
                label = search.labels.step(move)
                edges.append(Edge(number, search.numbers[target], label, name.name, name.fault, move))
            else:
                missing = True
    ends = [*search.levels[1:], len(search.states)]
    depths = [
        depth for depth, (first, end) in enumerate(zip(search.levels, ends, strict=True)) for _ in range(first, end)
    ]
    return StateGraph(
        machine,
        search.labels,
        tuple(search.states),
        tuple(n for n, parent in enumerate(search.parents) if parent < 0),
        tuple(edges),
        tuple(depths),
        found.stop is Stop.DONE and not missing,
    )


def small_graph(machine: Machine, most_states: int) -> StateGraph | None:
    """The whole graph of a machine that has at most so many states, or None. The counts of its check are believed."""
    if machine.counts is not None and machine.counts.judged and machine.counts.states > most_states:
        return None
    graph = state_graph(machine, Limits(max_states=most_states))
    return graph if graph.complete else None


def path_graph(labels: Labels, path: Path) -> StateGraph:
    """A path as a graph of its states and steps alone. A state that it meets twice is one node."""
    numbers: dict[State, int] = {}
    for state in path.states:
        numbers.setdefault(state, len(numbers))
    replay = Replay(labels.steps, labels)
    edges: dict[Edge, None] = {}
    for (before, after), name in zip(pairwise(path.states), path.steps, strict=True):
        done, _ = replay.expand(before)
        unit, move = next((u, m) for u, m, target in done if target == after and labels.step(m) == name)
        kind = labels.steps.units[unit]
        edges[Edge(numbers[before], numbers[after], name, kind.name, kind.fault, move)] = None
    return StateGraph(
        labels.machine, labels, tuple(numbers), (0,), tuple(edges), tuple(range(len(numbers))), complete=False
    )
