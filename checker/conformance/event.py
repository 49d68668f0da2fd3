"""Steps of a spec as an implementation's side reads them: names and JSON, no numbers of the engine.

The engine names a step by a `Move`: numbers of units and processes, values in the representation of the machine. Whoever
drives an implementation needs the same step in words that do not depend on the engine, that can be written into a record of
a run and sent to another process. That is an `Event`: who does what, with which arguments, and how each choice came out.

A crash in the middle of a handler is an event of its own, which carries the handler's event and what of it happened.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field

from checker.base.data import dataclass
from checker.engine.graph import Edge, StateGraph
from checker.engine.labels import Labels
from checker.engine.moves import Move, Unit
from checker.model.ir import Local
from checker.model.values import to_json
from checker.properties.kinds import Json


@dataclass(frozen=True, slots=True)
class Torn:
    """A handler that a crash or a stop struck between two of its effects.

    Attributes:
        event: the handler, as if it had run to its end.
        effects: how many of its effects happened, in order: forced writes, and single recipients of sends.
        reached: the recipients that were reached, where the tear lies among those of one send; they may be any of them,
            since recipients are reached in no certain order. None where the tear lies elsewhere.
    """

    event: Event
    effects: int
    reached: tuple[str, ...] | None


@dataclass(frozen=True, slots=True)
class Event:
    """One step.

    Attributes:
        unit: what the step is an instance of, as coverage names it: `RM.Prepare`, `crash TM`, `restart TM`, `lose`.
        label: the name of the step, as graphs and traces print it: `RM1.Prepare() <- TM [branch 1]`.
        kind: `message`, `ignore`, `action`, `timeout`, `restart`, `tick`, or a kind of fault.
        node: the process that takes the step or is struck by it; None for steps of the network and of all clocks.
        name: the message or action without its role; of a fault, its kind.
        sender: who sent the message.
        args: the fields of the message by name, or the parameters. Of `lose` and `dup`: `message` and `place`; of `cut` and
            `heal`: `side`; of a drifting tick: `times`.
        branches: how each `either` and `toss` came out, in order, counted from 0.
        chosen: what each `choose` chose.
        forged: whether a faulty process made the message up.
    """

    unit: str
    label: str
    kind: str
    node: str | None = None
    name: str = ""
    sender: str | None = None
    args: Mapping[str, Json] = field(default_factory=dict)
    branches: tuple[int, ...] = ()
    chosen: Mapping[str, Json] = field(default_factory=dict)
    forged: bool = False
    torn: Torn | None = None


class Events:
    """The events of one machine's steps. Each is made once, since many edges of a graph are one step in several states."""

    def __init__(self, labels: Labels) -> None:
        self._labels = labels
        self._machine = labels.machine
        self._made: dict[Move, Event] = {}

    def of(self, edge: Edge) -> Event:
        """The event of an edge of the state graph."""
        event = self._made.get(edge.move)
        if event is None:
            event = self._made[edge.move] = self._event(edge)
        return event

    def _event(self, edge: Edge) -> Event:
        move = edge.move
        unit = self._labels.steps.units[move.unit]
        if move.torn is not None:
            return self._torn(edge, unit)
        if unit.step is not None and unit.kind != "tick":
            return self._handler(unit, move, edge.label)
        return self._surroundings(edge, unit)

    def _handler(self, unit: Unit, move: Move, label: str) -> Event:
        step = unit.step
        assert step is not None
        names = [p.name for p in step.params]
        if step.kind in ("message", "ignore"):  # a handler may call a field what it likes, or `_`
            names = [name for name, _ in self._machine.messages[step.name].fields]
        args = {n: to_json(p.type, v) for n, p, v in zip(names, step.params, move.args, strict=True)}
        branches, chosen, _ = self._answers(move)
        return Event(
            unit=unit.name,
            label=label,
            kind=unit.kind,
            node=self._labels.process(move.process),
            name=step.name,
            sender=None if move.sender < 0 else self._labels.process(move.sender),
            args=args,
            branches=branches,
            chosen=chosen,
            forged=move.forged,
        )

    def _torn(self, edge: Edge, fault: Unit) -> Event:
        move = edge.move
        assert move.torn is not None
        handler = self._labels.steps.units[move.code]
        whole = self._labels.step(move._replace(unit=move.code, torn=None, labels=_choices(move)))
        _, _, reached = self._answers(move)
        torn = Torn(self._handler(handler, move, whole), move.torn[1], reached)
        return Event(fault.name, edge.label, fault.kind, self._labels.process(move.process), fault.kind, torn=torn)

    def _surroundings(self, edge: Edge, unit: Unit) -> Event:
        """What is done to processes and messages from outside."""
        move = edge.move
        args: dict[str, Json] = {}
        match unit.kind:
            case "lose" | "dup":
                args = {"message": self._labels.message(move.code), "place": move.position}
            case "cut" | "heal":
                named = [p for p in range(self._machine.processes) if move.mask >> p & 1]
                args = {"side": [self._labels.process(p) for p in named]}
            case "drift":
                args = {"times": move.mask}
        branches, chosen, _ = self._answers(move)
        node = None if move.process < 0 else self._labels.process(move.process)
        return Event(unit.name, edge.label, unit.kind, node, unit.kind, args=args, branches=branches, chosen=chosen)

    def _answers(self, move: Move) -> tuple[tuple[int, ...], dict[str, Json], tuple[str, ...] | None]:
        """How the choices of a step came out: branches, chosen values, and whom a torn send reached."""
        branches: list[int] = []
        chosen: dict[str, Json] = {}
        reached: tuple[str, ...] | None = None
        for label, value in move.labels:
            if isinstance(label, Local):
                chosen[label.name] = to_json(label.type, value)
            elif label == "reached":
                reached = tuple(self._labels.process(p) for p in value)
            else:
                branches.append(value)
        return tuple(branches), chosen, reached


def _choices(move: Move) -> tuple[tuple[object, object], ...]:
    """The answers of a torn step that its handler would have given, too."""
    return tuple((label, value) for label, value in move.labels if label != "reached")


def events_along(graph: StateGraph, path: tuple[int, ...]) -> tuple[Event, ...]:
    """The events along a path of edge numbers."""
    events = Events(graph.labels)
    return tuple(events.of(graph.edges[number]) for number in path)
