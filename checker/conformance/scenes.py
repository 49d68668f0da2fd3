"""Scenes: a situation that someone has thought of, in a check that is too large to be tried in full.

Some rules of a protocol matter only after a long story. That a leader of Raft must not count copies of old entries shows in the
fourth term; the smallest graph with that has hundreds of thousands of transitions, and a run of chance does not get there. The
story itself has some twenty steps. A scene is such a story, in the labels of the spec: nothing in it says what is right. The
spec is asked at every step whether it allows it, and an implementation is held to the spec all along the way:

- In each state on the way, every step that the spec allows there is taken once, and what it leads to is compared.
- In each of them, what the spec does not allow there is tried (`probe`), as far as it happens anywhere along the way.

So a scene is a small part of a large graph, a comb: the states of the way and their successors. It needs no exploration.

A scene that the spec does not allow, after a change of it, is an error and not a result.
"""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass

from checker.conformance.adapter import Adapter, Scene
from checker.conformance.compare import Comparison
from checker.conformance.cover import Path
from checker.conformance.drive import Make, Mode
from checker.conformance.growing import GrowingGraph
from checker.conformance.mismatch import Mismatch
from checker.conformance.probe import Probes, probe
from checker.conformance.replay import Replay, replay_all
from checker.engine.graph import StateGraph
from checker.model.machine import Machine

MODES = (Mode.REPLAY, Mode.PROBE)
"""Those that can be kept to a scene."""


class SceneError(Exception):
    """The spec does not allow a scene; the text says from where on, and what it allows there."""


@dataclass(frozen=True, slots=True)
class Comb:
    """The states of a way with all their successors, and the way in it."""

    scene: Scene
    graph: StateGraph
    way: Path

    def noticed(self, mode: Mode, make: Make) -> Mismatch | None:
        """What an implementation does otherwise on the way, as one of MODES sees it."""
        with closing(make(self.graph.machine)) as adapter:
            return (self.replay(adapter) if mode is Mode.REPLAY else self.probe(adapter)).mismatch

    def replay(self, adapter: Adapter) -> Replay:
        """Takes every step that is possible on the way."""
        return replay_all(adapter, self.graph)

    def probe(self, adapter: Adapter) -> Probes:
        """Tries what the spec refuses in the states of the way. Beside it, nobody knows what the spec allows."""
        return probe(adapter, self.graph, self.ways)

    @property
    def ways(self) -> tuple[Path, ...]:
        """The ways to the states on the way, each once."""
        found: dict[int, Path] = {self.graph.initial[0]: ()}
        for end, number in enumerate(self.way, 1):
            found.setdefault(self.graph.edges[number].target, self.way[:end])
        return tuple(found.values())


def comb(machine: Machine, scene: Scene) -> Comb:
    """The part of the graph that a scene goes through.

    Raises:
        SceneError: the spec does not allow it.
    """
    grown = GrowingGraph(machine)
    state = start = _start(grown, scene)
    way = []
    grown.out(start)
    for place, label in enumerate(scene.steps, 1):
        number = next((n for n in grown.out(state) if grown.edges[n].label == label), None)
        if number is None:
            possible = "\n".join(f"  {grown.edges[n].label}" for n in grown.out(state))
            raise SceneError(f"{scene}: step {place}, {label}, is not allowed; these are:\n{possible}")
        way.append(number)
        state = grown.edges[number].target
    grown.out(state)
    depths = [0] * len(grown.states)
    for depth, number in enumerate(way, 1):
        for near in (number, *grown.out(grown.edges[number].source)):
            depths[grown.edges[near].target] = depths[grown.edges[near].target] or depth
    graph = StateGraph(
        machine, grown.labels, tuple(grown.states), (start,), tuple(grown.edges), tuple(depths), complete=False
    )
    return Comb(scene, graph, tuple(way))


def _start(grown: GrowingGraph, scene: Scene) -> int:
    """The initial state of a scene."""
    comparison = Comparison(grown)
    for state in grown.initial:
        values = comparison.values(state)
        if all(values[name] == value for name, value in scene.initial.items()):
            return state
    raise SceneError(f"{scene}: no initial state has {scene.initial}")
