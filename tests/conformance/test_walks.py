"""Walks beyond the cover of transitions."""

from __future__ import annotations

from itertools import pairwise

from checker.conformance.adapter import Refused
from checker.conformance.cover import Ways
from checker.conformance.event import Event
from checker.conformance.mapping import step
from checker.conformance.replay import Outcome, replay, replay_all
from checker.conformance.walks import n_step_walks, random_walks, sequences
from checker.engine.graph import StateGraph
from tests.conformance.toy import Library, graph_of


def joined(graph: StateGraph, path: tuple[int, ...]) -> bool:
    return all(graph.edges[a].target == graph.edges[b].source for a, b in pairwise(path))


def test_all_pairs_are_walked() -> None:
    graph = graph_of("calm")
    pairs = {(a, b) for a, e in enumerate(graph.edges) for b, f in enumerate(graph.edges) if e.target == f.source}
    walks = n_step_walks(graph, 2)
    assert walks.total == walks.taken == len(pairs)
    assert {pair for path in walks.paths for pair in pairwise(path)} == pairs
    assert all(joined(graph, path) and graph.edges[path[0]].source in graph.initial for path in walks.paths)


def test_sequences_are_counted() -> None:
    graph = graph_of("calm")
    assert sequences(graph, Ways(graph), 1) == len(graph.edges)
    assert n_step_walks(graph, 1).taken == len(graph.edges)


def test_a_limit_leaves_some_out() -> None:
    walks = n_step_walks(graph_of("calm"), 3, most=50)
    assert walks.total is not None
    assert walks.taken < walks.total


def test_random_walks_have_a_seed() -> None:
    graph = graph_of("rough")
    first, again = (random_walks(graph, seed=4, walks=10, steps=12) for _ in range(2))
    assert first == again
    assert first != random_walks(graph, seed=5, walks=10, steps=12)
    assert all(joined(graph, path) for path in first.paths)


def test_memory_that_the_spec_does_not_have_is_found() -> None:
    """Whoever gets a book right after a return gets stuck: right in every transition of the cover, wrong in a pair."""

    class Sticky(Library):
        before = ""

        @step("Reader.Take")
        def take(self, event: Event) -> None:
            if self.hands or self.before == "returned with the shelf empty":
                raise Refused("the reader's hands are full")
            self.hands.add(str(event.args["wanted"]))

        @step("Reader.Return")
        def give_back(self, event: Event) -> None:
            super().give_back(event)
            self.before = "" if self.books or self.hands else "returned with the shelf empty"

        @step("Shelf.Put")
        def put(self, event: Event) -> None:
            super().put(event)
            self.before = ""

    graph = graph_of("calm")
    adapter = Sticky(graph.machine)
    result = replay(adapter, graph, n_step_walks(graph, 2).paths)
    assert result.outcome is Outcome.MISMATCH
    assert replay_all(Library(graph.machine), graph).outcome is Outcome.CONFORMS
