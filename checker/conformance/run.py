"""One adapter on its way through one state graph: what replays and probes are made of.

`follow` takes a path from its beginning and compares the states after every step. Events and states are made once for each
edge and state of the graph, since paths share most of theirs.
"""

from __future__ import annotations

from dataclasses import dataclass

from checker.conformance.adapter import UNSEEN, Adapter, Observation, Refused
from checker.conformance.compare import Comparison
from checker.conformance.cover import Path
from checker.conformance.event import Event, Events
from checker.conformance.growing import Graph
from checker.conformance.mismatch import Mismatch


@dataclass(frozen=True, slots=True)
class Objection:
    """Why an implementation did not take a step: the adapter refused it, or the implementation raised something."""

    refused: bool
    text: str


Sight = tuple[int, int, Observation]
"""The number of the state before a step, that of the state which the spec has after it, and what was seen then."""


class Run:
    """See the module. `steps`, `taken` and `seen` tell what was compared so far."""

    def __init__(self, adapter: Adapter, graph: Graph) -> None:
        self.adapter = adapter
        self.graph = graph
        self.comparison = Comparison(graph)
        self.steps = 0
        self.taken: set[int] = set()
        self.seen: set[str] = set()
        self._events = Events(graph.labels)
        self._made: dict[int, Event] = {}

    def event(self, number: int) -> Event:
        """The event of an edge."""
        event = self._made.get(number)
        if event is None:
            event = self._made[number] = self._events.of(self.graph.edges[number])
        return event

    def follow(self, path: Path, start: int) -> Mismatch | None:
        """Takes a fresh implementation along a path from an initial state, and says where it leaves the spec."""
        self.adapter.begin(self.comparison.values(start))
        seen = self.look()
        if not self.comparison.same(start, seen):
            return self.mismatch((), None, sight=(start, start, seen))
        for at, number in enumerate(path, 1):
            edge = self.graph.edges[number]
            objection = self.attempt(self.event(number))
            if objection is not None:
                return self.mismatch(path[:at], edge.label, problem=objection.text)
            seen = self.look()
            if not self.comparison.same(edge.target, seen):
                return self.mismatch(path[:at], edge.label, sight=(edge.source, edge.target, seen))
            self.steps += 1
            self.taken.add(number)
        return None

    def look(self) -> Observation:
        """What can be seen now."""
        seen = self.adapter.observe()
        self.seen.update(name for name, value in seen.items() if value is not UNSEEN)
        return seen

    def attempt(self, event: Event) -> Objection | None:
        """Lets the implementation take a step."""
        try:
            self.adapter.perform(event)
        except Refused as reason:
            return Objection(True, f"it is refused: {reason}")
        except Exception as error:  # noqa: BLE001 - whatever the implementation raises is its answer to the step
            return Objection(False, f"{type(error).__name__} is raised: {error}")
        return None

    def mismatch(
        self,
        path: Path,
        step: str | None,
        *,
        problem: str | None = None,
        sight: Sight | None = None,
        forbidden: bool = False,
    ) -> Mismatch:
        """The report of a step; `path` ends with it, unless the spec forbids it."""
        labels = tuple(self.graph.edges[number].label for number in path)
        machine = self.graph.machine
        return Mismatch(
            spec=machine.spec,
            check=machine.check,
            path=path,
            matched=labels if forbidden else labels[:-1],
            step=step,
            forbidden=forbidden,
            problem=problem,
            fields=() if sight is None else self.comparison.fields(*sight),
            letters=None if sight is None else self.comparison.letters(sight[1], sight[2]),
        )
