"""The graph on which liveness is judged: every step as an edge, with the fair unit that it takes.

Edges are recorded while a search expands its states, for afterwards they could only be found by expanding them again. Steps that
change nothing are left out. A step that tosses coins is a small tree: its source, then a vertex for each toss (and for each
choice behind one), then states; a choice before all tosses is just several edges. Such inner vertices are numbered behind all
states, so their numbers are known only at the end.

Units get numbers as they are met. There are as many as there are messages in flight with their handlers, and more than a
few thousand of them are usual.
"""

from __future__ import annotations

from array import array
from collections.abc import Mapping, Sequence
from typing import Any

from checker.base.data import dataclass
from checker.engine.liveness.cells import COIN, INITIAL, INNER, Cells
from checker.engine.moves import Move, Successor, Unit
from checker.engine.runtime import State
from checker.engine.steps import Steps
from checker.model.liveness import Fairness, fairness_of, tick_fairness, tosses

UnitKey = tuple[Any, ...]
"""A unit: its number in `Steps.units`, the process, the sender, and the parameters or payload."""


@dataclass(frozen=True, slots=True)
class Graph:
    """The whole graph, in arrays that kernels read; see `components`.

    Attributes:
        states: how many states there are; inner vertices have the numbers behind theirs.
        vertices: how many there are with these.
        units: how many numbers of units there are, 0 included, which means none that is fair.
        first: for each vertex where its edges begin, and where the last ones end.
        target: for each edge the vertex that it leads to.
        unit: for each edge its unit.
        flags: of each vertex.
        strong: for each unit whether it is strongly fair.
        owner: for each inner vertex the state whose step it belongs to.
        cut: the states of which a `limit` refused a step, in order.
    """

    states: int
    vertices: int
    units: int
    first: Cells
    target: Cells
    unit: Cells
    flags: Cells
    strong: Cells
    owner: Sequence[int]
    cut: Sequence[int]


class UnitsOf:
    """Which fair unit a step takes."""

    def __init__(self, steps: Steps) -> None:
        machine = steps.machine
        self.fairness: list[Fairness] = [self._fairness(steps, unit) for unit in steps.units]
        clocks = any(tosses(s.body, machine.procedures) for s in machine.steps if s.kind == "tick")
        self.tosses = [
            tosses(u.step.body, machine.procedures) if u.step is not None else u.kind == "tick" and clocks
            for u in steps.units
        ]
        """For each number of `Steps.units`, whether such a step may toss a coin."""

    def _fairness(self, steps: Steps, unit: Unit) -> Fairness:
        if unit.fault:
            return ""
        if unit.step is not None:
            return fairness_of(steps.machine, unit.step)
        return tick_fairness(steps.machine) if unit.kind == "tick" else "weak"

    def key(self, number: int, move: Move) -> UnitKey:
        """What tells a unit from others, be it fair or not."""
        return (number, move.process, move.sender, move.args)

    def is_fair(self, number: int, move: Move) -> bool:
        """Whether a step takes a unit that is fair. What a faulty process sends is up to it."""
        return self.fairness[number] != "" and not move.forged


@dataclass(frozen=True, slots=True)
class Inner:
    """A vertex inside a step: the state whose step it is, and where it leads."""

    flags: int
    owner: int
    targets: list[int]


class Recorder:
    """Records the edges of a search that visits states in the order of their numbers."""

    def __init__(self, steps: Steps) -> None:
        self._steps = steps
        self._units = UnitsOf(steps)
        self._numbers: dict[UnitKey, int] = {}
        self._strong = array("I", [0])
        self._first = array("I", [0])
        self._target = array("I")
        self._unit = array("I")
        self._cut: list[int] = []
        self.inner: list[Inner] = []
        """The inner vertices. Number i is -1 - i among targets."""

    @property
    def fairness(self) -> list[Fairness]:
        """How fair runs are to each number of `Steps.units`."""
        return self._units.fairness

    def state(self, at: int, done: Sequence[Successor], numbers: Mapping[State, int], *, cut: bool) -> None:
        """Records the steps of the next state, whose number is `at`. `cut`: a `limit` refused a step."""
        for target, unit in self.edges(at, done, numbers):
            self._target.append(target & 0xFFFFFFFF)
            self._unit.append(unit)
        self._first.append(len(self._target))
        if cut:
            self._cut.append(at)

    def edges(self, at: int, done: Sequence[Successor], numbers: Mapping[State, int]) -> list[tuple[int, int]]:
        """The edges of a state: where they lead, below 0 for inner vertices, and their units."""
        found: list[tuple[int, int]] = []
        coins: dict[UnitKey, list[tuple[Move, int]]] = {}
        fairness, tossing = self._units.fairness, self._units.tosses
        for number, move, state in done:
            target = numbers[state]
            if tossing[number] and move.torn is None:
                coins.setdefault((*self._units.key(number, move), move.forged), []).append((move, target))
            elif target != at:
                unit = 0
                if fairness[number] and not move.forged:
                    unit = self.number(number, move)
                found.append((target, unit))
        for outcomes in coins.values():
            if any(target != at for _, target in outcomes):
                move = outcomes[0][0]
                unit = self.number(move.unit, move) if self._units.is_fair(move.unit, move) else 0
                found += [(target, unit) for target in self._tree(at, outcomes, 0) if target != at]
        return found

    def number(self, number: int, move: Move) -> int:
        """The number of a fair unit."""
        key = self._units.key(number, move)
        known = self._numbers.get(key)
        if known is None:
            known = self._numbers[key] = len(self._strong)
            self._strong.append(self._units.fairness[number] == "strong")
        return known

    def _tree(self, owner: int, outcomes: list[tuple[Move, int]], depth: int) -> list[int]:
        """Where a step leads whose first `depth` choices have been made: one place, unless an adversary has the choice."""
        targets: dict[int, None] = {target: None for move, target in outcomes if len(move.labels) == depth}
        branches: dict[Any, list[tuple[Move, int]]] = {}
        coin = False
        for move, target in outcomes:
            if len(move.labels) > depth:
                label, answer = move.labels[depth]
                coin = coin or label == "toss"
                branches.setdefault(answer, []).append((move, target))
        for branch in branches.values():
            below = self._tree(owner, branch, depth + 1)
            if coin and len(below) > 1:
                below = [self._vertex(False, owner, below)]
            targets |= dict.fromkeys(below)
        changes = any(target != owner for target in targets)
        return [self._vertex(True, owner, list(targets))] if coin and changes else list(targets)

    def _vertex(self, coin: bool, owner: int, targets: list[int]) -> int:
        self.inner.append(Inner(INNER | (COIN if coin else 0), owner, targets))
        return -len(self.inner)

    def graph(self, initial: Sequence[int]) -> Graph:
        """The graph of all that was recorded, with the numbers of the initial states."""
        states = len(self._first) - 1
        flags = array("I", bytes(4 * states))
        for v in initial:
            flags[v] |= INITIAL
        if self.inner:
            last = 0xFFFFFFFF
            least = last - len(self.inner)
            for e, target in enumerate(self._target):
                if target > least:
                    self._target[e] = states + last - target
        for vertex in self.inner:
            flags.append(vertex.flags)
            self._target.extend(t if t >= 0 else states - 1 - t for t in vertex.targets)
            self._unit.extend(0 for _ in vertex.targets)
            self._first.append(len(self._target))
        owner = [vertex.owner for vertex in self.inner]
        return Graph(
            states,
            states + len(self.inner),
            len(self._strong),
            self._first,
            self._target,
            self._unit,
            flags,
            self._strong,
            owner,
            self._cut,
        )
