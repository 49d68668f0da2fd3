"""Scenes: a situation that someone has thought of, in a check that is too large to be tried in full.

Some rules of a protocol matter only after a long story. That a leader of Raft must not count copies of old entries shows in the
fourth term; the smallest graph with that has hundreds of thousands of transitions, and a run of chance does not get there. The
story itself has some twenty steps. A scene is such a story, in the labels of the spec: nothing in it says what is right. The
spec is asked at every step whether it allows it, and an implementation is held to the spec all along the way:

- In each state on the way, every step that the spec allows there is taken once, and what it leads to is compared.
- In each of them, what the spec does not allow there is tried (`probe`), as far as it happens anywhere along the way.

So a scene is a small part of a large graph, a comb: the states of the way and their successors. It needs no exploration. `along`
makes it, and `visit` takes an implementation through it.

A scene that the spec does not allow, after a change of it, is an error and not a result.
"""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace

from checker.api import LoadedSpec
from checker.base.data import dataclass
from checker.base.diagnostics import did_you_mean
from checker.conformance.adapter import Adapter, Scene
from checker.conformance.compare import Comparison
from checker.conformance.cover import Path, cover
from checker.conformance.growing import GrowingGraph
from checker.conformance.mismatch import Mismatch
from checker.conformance.modes import Make, Mode
from checker.conformance.probe import Probes, probe
from checker.conformance.replay import Outcome, Replay, replayed, unsupported_by
from checker.conformance.run import Run
from checker.engine.graph import StateGraph
from checker.model.machine import Machine

MODES = (Mode.REPLAY, Mode.PROBE)
"""Those that can be kept to a scene."""


class SceneError(Exception):
    """The spec does not allow a scene; the text says from where on, and what it allows there."""


class UnknownScene(SceneError):
    """An adapter has no scene of this name; the text says which it has."""


@dataclass(frozen=True, slots=True)
class Visit:
    """What came of taking an implementation through a scene: first every step that is possible, then what is forbidden.

    `edges` are the numbers of those that it took, in the graph of the comb; `arrived` is whether those of the way are among them.
    """

    scene: Scene
    replay: Replay
    probes: Probes
    edges: frozenset[int]
    arrived: bool

    @property
    def mismatch(self) -> Mismatch | None:
        """What it does otherwise, with the call that shows it again."""
        found = self.replay.mismatch or self.probes.mismatch
        return None if found is None else replace(found, again=f"visit(adapter, spec, {self.scene.name!r})")

    @property
    def outcome(self) -> Outcome:
        """A scene is a part of its check by its nature. It is whole if it came to its end, with every step beside it that the
        adapter supports, and something was seen.
        """
        if self.mismatch is not None:
            return Outcome.MISMATCH
        whole = self.arrived and self.replay.taken + self.replay.left_out == self.replay.total
        return Outcome.CONFORMS if whole and self.replay.seen else Outcome.INCOMPLETE

    def __str__(self) -> str:
        left = f" ({self.replay.left_out:,} left out as unsupported)" if self.replay.left_out else ""
        return (
            f"{self.outcome.value}: {self.scene}: {self.replay.taken:,} of {self.replay.total:,} transitions{left}, "
            f"{self.probes.tried:,} forbidden steps tried"
        )


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

    def visit(self, make: Make) -> Visit:
        """Takes an implementation through it."""
        with closing(make(self.graph.machine)) as adapter:
            result, run = self._replayed(adapter)
            probes = self.probe(adapter) if result.mismatch is None else Probes(0, 0)
            return Visit(self.scene, result, probes, frozenset(run.taken), run.taken.issuperset(self.way))

    def replay(self, adapter: Adapter) -> Replay:
        """Takes every step that is possible on the way."""
        return self._replayed(adapter)[0]

    def _replayed(self, adapter: Adapter) -> tuple[Replay, Run]:
        return replayed(adapter, self.graph, cover(self.graph, avoid=unsupported_by(adapter)).paths)

    def probe(self, adapter: Adapter) -> Probes:
        """Tries what the spec refuses in the states of the way. Beside it, nobody knows what the spec allows."""
        avoid = unsupported_by(adapter)
        ways = (way for way in self.ways if not any(avoid(self.graph.edges[number]) for number in way))
        return probe(adapter, self.graph, ways)

    @property
    def ways(self) -> tuple[Path, ...]:
        """The ways to the states on the way, each once."""
        found: dict[int, Path] = {self.graph.initial[0]: ()}
        for end, number in enumerate(self.way, 1):
            found.setdefault(self.graph.edges[number].target, self.way[:end])
        return tuple(found.values())


def visit(make: Make, spec: LoadedSpec, name: str) -> Visit:
    """Takes an implementation through one scene of its adapter.

    Raises:
        SceneError: the spec does not allow it.
        UnknownScene: there is none of this name.
    """
    with closing(make(spec.machine())) as adapter:
        scene = named(adapter, name)
    return along(spec, scene).visit(make)


def named(adapter: Adapter, name: str) -> Scene:
    """The scene of an adapter that has this name.

    Raises:
        UnknownScene: there is none.
    """
    found = {scene.name: scene for scene in adapter.scenes}
    if name not in found:
        there = did_you_mean(name, found) or f"it has {', '.join(found) or 'none'}"
        raise UnknownScene(f"{type(adapter).__name__} has no scene `{name}`; {there}")
    return found[name]


def along(spec: LoadedSpec, scene: Scene) -> Comb:
    """The part of the graph of a spec that a scene goes through.

    Raises:
        SceneError: the spec does not allow it.
        SpecError: it has no such check or constant.
    """
    return comb(spec.machine(scene.instance.check, constants=scene.instance.constants), scene)


def comb(machine: Machine, scene: Scene) -> Comb:
    """The part of the graph of a check that a scene goes through.

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
