"""Records of what an adapter did: a run of an implementation in this process, written as any other run is.

Each step is an entry with its whole name, its arguments and everything that could be seen after it. Such a record needs no
mapping: the spec reads it as it stands. Traces for tests of `validation` come from here, and their mutants.
"""

from __future__ import annotations

from collections.abc import Iterable

from checker.conformance.adapter import UNSEEN, Adapter, Observation
from checker.conformance.compare import comparable
from checker.conformance.event import Event, Events
from checker.conformance.growing import Graph
from checker.conformance.record import Kind, Record, Recorder
from checker.properties.kinds import Json


def recorded(adapter: Adapter, graph: Graph, path: Iterable[int], start: int) -> Record:
    """Takes a fresh implementation along a path of edges, without comparing anything, and records it."""
    events = Events(graph.labels)
    recorder = Recorder({"spec": graph.machine.spec, "check": graph.machine.check, "source": type(adapter).__name__})
    values = {**graph.labels.variables(graph.states[start]), "network": graph.labels.network(graph.states[start])}
    adapter.begin(values)
    recorder.add(0, None, Kind.OBS, "initial", obs=_json(adapter.observe()))
    for now, number in enumerate(path, 1):
        edge = graph.edges[number]
        event = events.of(edge)
        adapter.perform(event)
        kind = Kind.FAULT if edge.fault else Kind.ACTION
        recorder.add(now, event.node, kind, edge.label, args=_args(event), obs=_json(adapter.observe()))
    return recorder.record()


def _args(event: Event) -> dict[str, Json]:
    sender: dict[str, Json] = {} if event.sender is None else {"from": event.sender}
    return {**event.args, **event.chosen, **sender}


def _json(seen: Observation) -> dict[str, Json]:
    """What was seen, without what was not."""
    return {name: comparable(None, value) for name, value in seen.items() if value is not UNSEEN}
