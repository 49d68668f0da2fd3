"""Probes: what the spec does not allow in a state, the implementation must not do there.

A replay asks an implementation for the steps that the spec allows, and never for the others. So it cannot see a guard that is
missing: a coordinator that would commit without counting the votes is only told to commit once all votes are there. A probe
does ask. In a state of the graph, each action and timeout that the spec refuses there is tried, and each message in flight
whose handler is refused is delivered, and nothing must happen that can be seen.

"Nothing" has one exception. One method of an implementation may stand for several steps, such as a timer that means one
thing before the vote and another behind it. Where the state after a probe is one that another step of the same method
and process leads to, the implementation has taken that step, as it may.

Only messages on a soup are delivered: elsewhere a delivery takes a message away, and one that is refused must stay, so a
driver must not hand it over. Processes that are down or faulty are left alone.

**Lies.** A faulty process may say what it likes, and the spec lets it say what some guard accepts. What no guard accepts has to
be passed over: a second proposal, or a proposal by one who does not lead. So whatever anybody says anywhere in the graph is also
delivered from each process that is faulty and of the same role, wherever the spec refuses it from there.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import replace

from checker.base.data import dataclass
from checker.conformance.adapter import Adapter, Observation
from checker.conformance.compare import NETWORK
from checker.conformance.cover import Path, Ways
from checker.conformance.event import Event
from checker.conformance.mapping import Treatment
from checker.conformance.mismatch import Mismatch
from checker.conformance.replay import unsupported_by
from checker.conformance.run import Run
from checker.engine.graph import StateGraph

Question = tuple[str, str | None, str | None, str]
"""What is tried, whatever the choices that follow: the step, its process, the sender, and the arguments."""


@dataclass(frozen=True, slots=True)
class Probes:
    """The result: in how many states, how many steps were tried that the spec refuses, and the first that was taken."""

    states: int
    tried: int
    mismatch: Mismatch | None = None

    def __str__(self) -> str:
        outcome = "refused" if self.mismatch is None else "mismatch"
        return f"{outcome}: {self.tried:,} forbidden steps tried in {self.states:,} states"


def probe_all(adapter: Adapter, graph: StateGraph) -> Probes:
    """Probes every state that the adapter can be brought into, along shortest paths."""
    ways = Ways(graph, unsupported_by(adapter))
    return _probe(adapter, graph, ways, ((ways.shortest(state), ways.start(state)) for state in ways.reachable))


def probe(adapter: Adapter, graph: StateGraph, paths: Iterable[Path]) -> Probes:
    """Probes the states at the ends of these paths, up to the first mismatch. An empty path is that to the first state."""
    starts = ((path, graph.edges[path[0]].source if path else graph.initial[0]) for path in paths)
    return _probe(adapter, graph, Ways(graph), starts)


def _probe(adapter: Adapter, graph: StateGraph, ways: Ways, paths: Iterable[tuple[Path, int]]) -> Probes:
    prober = _Prober(adapter, graph, ways)
    states = 0
    for path, start in paths:
        states += 1
        mismatch = prober.probe(path, start)
        if mismatch is not None:
            return Probes(states, prober.tried, mismatch)
    return Probes(states, prober.tried)


class _Prober:
    """Knows what can be tried at all, and tries it where the spec refuses it."""

    def __init__(self, adapter: Adapter, graph: StateGraph, ways: Ways) -> None:
        self.tried = 0
        self._run = Run(adapter, graph, ways)
        self._out: list[list[int]] = [[] for _ in graph.states]
        self._all: dict[Question, Event] = {}
        self._lies: dict[Question, Event] = {}
        self._roles = {name: role for role in graph.machine.roles for name in adapter.instances(role)}
        first = (self._run.comparison.values(state).get("faulty") for state in graph.initial)
        liars = sorted({str(name) for faulty in first if isinstance(faulty, list) for name in faulty})
        soups = {m.name for m in graph.machine.messages.values() if graph.machine.networks[m.network].kind == "soup"}
        for number, edge in enumerate(graph.edges):
            self._out[edge.source].append(number)
            event = self._run.event(number)
            if event.torn is not None or adapter.treatment(event.unit) is not Treatment.MAPPED:
                continue
            if event.kind == "message":
                for liar in liars:
                    if self._role(liar) == self._role(event.sender):
                        lie = _lie(event, liar)
                        self._lies.setdefault(_question(lie), lie)
            if event.forged:
                continue
            if event.kind in ("action", "timeout") or (event.kind == "message" and event.name in soups):
                self._all.setdefault(_question(event), event)

    def probe(self, path: Path, start: int) -> Mismatch | None:
        """Tries everything that the spec refuses at the end of a path."""
        state = self._run.graph.edges[path[-1]].target if path else start
        there = False
        for event in self._refused(state):
            if not there and (mismatch := self._run.follow(path, start)) is not None:
                return mismatch
            there = True
            self.tried += 1
            objection = self._run.attempt(event)
            if objection is not None and not objection.refused:
                return self._run.mismatch(path, event.label, problem=objection.text, forbidden=True)
            seen = self._run.look()
            if self._run.comparison.same(state, seen):
                continue
            if not self._is_another_step(state, event, seen):
                return self._run.mismatch(path, event.label, sight=(state, state, seen), forbidden=True)
            there = False  # the next one needs the state that this one has left
        return None

    def _refused(self, state: int) -> list[Event]:
        """What can be tried in a state although the spec does not allow it."""
        values = self._run.comparison.values(state)
        allowed = {_question(self._run.event(number)) for number in self._out[state]}
        network = values[NETWORK]
        assert isinstance(network, list)
        faulty = values.get("faulty")
        result = []
        for question, event in self._all.items():
            if question in allowed or values.get(f"{event.node}.status", "up") != "up":
                continue
            if isinstance(faulty, list) and event.node in faulty:
                continue
            if event.kind == "message" and (values.get("cut") or self._letter(event) not in network):
                continue
            result.append(event)
        if isinstance(faulty, list) and not values.get("cut"):
            result += [
                lie
                for question, lie in self._lies.items()
                if lie.sender in faulty
                and lie.node not in faulty
                and question not in allowed
                and values.get(f"{lie.node}.status", "up") == "up"
            ]
        return result

    def _role(self, process: str | None) -> str | None:
        return None if process is None else self._roles.get(process)

    def _letter(self, event: Event) -> str:
        assert event.sender is not None and event.node is not None
        return self._run.adapter.letter(event.sender, event.node, event.name, **event.args)

    def _is_another_step(self, state: int, event: Event, seen: Observation) -> bool:
        """Whether the implementation has taken an allowed step of the same process that the same method stands for."""
        adapter = self._run.adapter
        for number in self._out[state]:
            other = self._run.event(number)
            if (
                event.kind != "message"
                and other.node == event.node
                and adapter.method(other.unit) == adapter.method(event.unit)
                and self._run.comparison.same(self._run.graph.edges[number].target, seen)
            ):
                return True
        return False


def _lie(event: Event, sender: str) -> Event:
    """The message of an event as somebody says it who is faulty."""
    what = event.label.partition(" <- ")[0]
    return replace(event, label=f"{what} <- {sender} [forged]", sender=sender, forged=True)


def _question(event: Event) -> Question:
    return event.unit, event.node, event.sender, json.dumps(event.args, sort_keys=True)
