"""A state graph that is explored only where somebody goes.

A replay needs the whole graph; an exploration or a recorded trace goes along a few thousand of its states, and the graph may
be far too large to list. So states and edges get their numbers when they are first met, by the step relation of the
interpreter, and
stay: `out` lists the edges of a state, and expands it the first time. It has the shape of a `StateGraph` otherwise, so that
whoever follows paths need not know which of the two it is.

A check's `bound` prunes a search and forbids nothing, so it is not looked at here.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from checker.engine.graph import Edge
from checker.engine.labels import Labels
from checker.engine.moves import Move, Unit
from checker.engine.program import Program
from checker.engine.refusals import Refusals
from checker.engine.runtime import State
from checker.model.ir import ChooseS
from checker.model.machine import Machine, Step
from checker.model.walk import statements_in

MOST_STATES = 500_000
"""How many states a graph may grow to."""


class Graph(Protocol):
    """What is common to graphs that are listed and graphs that grow."""

    @property
    def machine(self) -> Machine: ...
    @property
    def labels(self) -> Labels: ...
    @property
    def states(self) -> Sequence[State]: ...
    @property
    def initial(self) -> tuple[int, ...]: ...
    @property
    def edges(self) -> Sequence[Edge]: ...


class GraphTooLarge(Exception):
    """More states were met than are kept."""


class GrowingGraph:
    """See the module.

    Raises:
        GraphTooLarge: in `out`, beyond `most` states.
    """

    def __init__(self, machine: Machine, *, most: int = MOST_STATES) -> None:
        program = Program(machine)
        self.machine = machine
        self.steps = Refusals(program)
        self.labels: Labels = self.steps.labels
        self.states: list[State] = []
        self.edges: list[Edge] = []
        self._most = most
        self._numbers: dict[State, int] = {}
        self._out: dict[int, tuple[int, ...]] = {}
        self._refused: dict[int, tuple[Edge, ...]] = {}
        self.initial = tuple(self._number(state) for state in program.initial_states())

    def out(self, state: int) -> tuple[int, ...]:
        """The numbers of the edges that begin in a state, in the order of the engine."""
        found = self._out.get(state)
        if found is None:
            found = self._out[state] = self._expand(state)
        return found

    def refused(self, state: int) -> tuple[Edge, ...]:
        """What the spec does not allow in a state and could be asked for nevertheless, as edges that lead nowhere else.

        Where another handler takes the same message, nothing is forbidden; steps with a `choose` are passed over, since a step
        that is not allowed has nothing to choose from. Branches are the first ones.
        """
        found = self._refused.get(state)
        if found is None:
            units = self.steps.units
            allowed = {_question(self.edges[number].move, units) for number in self.out(state)}
            moves = [
                call.sole_move
                for network, call, reason in self.steps.blocked(self.states[state])
                if reason.line is not None and self._may_be_asked(network, call.code.step)
            ]
            found = self._refused[state] = tuple(
                Edge(state, state, self.labels.step(move), units[move.unit].name, False, move)
                for move in moves
                if _question(move, units) not in allowed
            )
        return found

    def _may_be_asked(self, network: int, step: Step) -> bool:
        """Whether a driver can ask for a step that is not allowed: a message has to stay, and nothing may have to be chosen."""
        stays = step.kind == "message" and self.machine.networks[network].kind == "soup"
        own = step.kind in ("action", "timeout")
        return (stays or own) and not any(isinstance(s, ChooseS) for s in statements_in(step.body))

    def _expand(self, state: int) -> tuple[int, ...]:
        with self.steps.uncounted():
            done, _ = self.steps.expand(self.states[state])
        numbers = []
        for unit, move, target in done:
            kind = self.steps.units[unit]
            numbers.append(len(self.edges))
            self.edges.append(Edge(state, self._number(target), self.labels.step(move), kind.name, kind.fault, move))
        return tuple(numbers)

    def _number(self, state: State) -> int:
        number = self._numbers.get(state)
        if number is None:
            if len(self.states) >= self._most:
                raise GraphTooLarge(f"more than {self._most:,} states of {self.machine.spec} were met")
            number = self._numbers[state] = len(self.states)
            self.states.append(state)
        return number


def _question(move: Move, units: Sequence[Unit]) -> tuple[object, ...]:
    """What is asked, whatever the choices that follow. Two handlers of one message are one question."""
    unit = units[move.unit]
    name = unit.step.name if unit.step is not None and unit.kind in ("message", "ignore") else unit.name
    return name, move.process, move.sender, move.args, move.torn
