"""One adapter on its way through one state graph: what replays and probes are made of.

`follow` takes a path from its beginning and compares the states after every step.

Paths begin alike: most steps of a cover only lead back to where something is left to try. Looking at an implementation takes far
longer than a step of it, so what was compared once on the shortest way to a state is not looked at again when a later path goes
the same way from the beginning; its steps are taken, and must not be refused. For an implementation that does the same whenever
it is asked the same, that is no less. One that does not is seen at the next look, if at all; explorations are made for it.
"""

from __future__ import annotations

from checker.base.data import dataclass
from checker.conformance.adapter import UNSEEN, Adapter, Observation, Refused
from checker.conformance.compare import Comparison
from checker.conformance.cover import Path, Ways
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
    """See the module. `steps`, `taken` and `seen` tell what was compared so far. Without `ways` nothing is known from before."""

    def __init__(self, adapter: Adapter, graph: Graph, ways: Ways | None = None) -> None:
        self.adapter = adapter
        self.graph = graph
        self.comparison = Comparison(graph)
        self.steps = 0
        self.taken: set[int] = set()
        self.seen: set[str] = set()
        self.events = Events(graph.labels)
        self._ways = ways
        self._compared: set[int] = set()
        """The states that were compared at the end of the shortest way to them."""

    def event(self, number: int) -> Event:
        """The event of an edge."""
        return self.events.of(self.graph.edges[number])

    def follow(self, path: Path, start: int) -> Mismatch | None:
        """Takes a fresh implementation along a path from an initial state, and says where it leaves the spec."""
        self.adapter.begin(self.comparison.values(start))
        shortest = self._ways is not None
        sight = self._difference(start, start, known=shortest)
        if sight is not None:
            return self.mismatch((), None, sight=sight)
        for at, number in enumerate(path, 1):
            edge = self.graph.edges[number]
            objection = self.attempt(self.event(number))
            if objection is not None:
                return self.mismatch(path[:at], edge.label, problem=objection.text)
            shortest = shortest and self._ways is not None and self._ways.is_shortest(number)
            sight = self._difference(edge.source, edge.target, known=shortest)
            if sight is not None:
                return self.mismatch(path[:at], edge.label, sight=sight)
            self.steps += 1
            self.taken.add(number)
        return None

    def _difference(self, before: int, state: int, *, known: bool) -> Sight | None:
        """What is seen, if it is not as in a state; one that is `known` by the way to it is looked at once."""
        if known and state in self._compared:
            return None
        seen = self.look()
        if not self.comparison.same(state, seen):
            return before, state, seen
        if known:
            self._compared.add(state)
        return None

    def look(self) -> Observation:
        """What can be seen now."""
        seen = self.adapter.observe()
        if not seen.keys() <= self.seen:
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
