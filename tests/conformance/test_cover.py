"""Path covers: every transition, from the beginning, the same on every run."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest

import checker
from checker.conformance.cover import Cover, Ways, cover
from checker.engine.graph import StateGraph
from tests.conformance.toy import graph_of

SPECS = Path(__file__).resolve().parents[2] / "specs"


def assert_paths(graph: StateGraph, found: Cover) -> set[int]:
    """Every path begins at an initial state and holds together; the result is what they take."""
    taken: set[int] = set()
    for path in found.paths:
        assert graph.edges[path[0]].source in graph.initial
        for a, b in pairwise(path):
            assert graph.edges[a].target == graph.edges[b].source
        assert not taken.issuperset(path), "a path takes something new"
        taken.update(path)
    assert found.taken == len(taken)
    return taken


@pytest.mark.parametrize("check", ["calm", "rough"])
@pytest.mark.parametrize("longest", [None, 1, 5])
def test_every_transition_is_taken(check: str, longest: int | None) -> None:
    graph = graph_of(check)
    found = cover(graph, longest=longest)
    assert assert_paths(graph, found) == set(range(len(graph.edges)))
    assert (found.total, found.left_out) == (len(graph.edges), 0)


def test_covers_are_equal_on_every_run() -> None:
    assert cover(graph_of("rough")) == cover(graph_of("rough"))


def test_long_paths_are_ended() -> None:
    graph = graph_of("rough")
    free, short = cover(graph), cover(graph, longest=8)
    assert max(map(len, short.paths)) < max(map(len, free.paths))
    assert len(short.paths) > len(free.paths)


def test_what_is_avoided_and_what_lies_behind_it_is_left_out() -> None:
    graph = graph_of("rough")
    found = cover(graph, avoid=lambda edge: edge.unit == "Shelf.Fire")
    taken = assert_paths(graph, found)
    assert not any(graph.edges[number].unit == "Shelf.Fire" for number in taken)
    assert found.taken + found.left_out == found.total
    fires = sum(edge.unit == "Shelf.Fire" for edge in graph.edges)
    assert found.left_out > fires, "after a fire there is no way back, since its budget is spent"


def test_several_initial_states() -> None:
    graph = checker.loads(
        """
        spec Die
        role Player { durable eyes: 1..3 = any 1..3  action Turn when eyes < 3 { eyes += 1 } }
        final: true
        """
    ).graph()
    assert len(graph.initial) == 3
    found = cover(graph)
    assert assert_paths(graph, found) == {0, 1}
    ways = Ways(graph)
    assert [ways.start(state) for state in ways.reachable] == list(graph.initial)


def test_graph_without_transitions() -> None:
    graph = checker.loads("spec Still\nrole Stone { durable here: bool = true }\nfinal: true\n").graph()
    assert cover(graph) == Cover((), 0, 0, 0)


def test_cover_of_two_phase_commit_stays_small() -> None:
    graph = checker.load(SPECS / "transactions/two_phase_commit.psm").graph("small")
    found = cover(graph)
    assert assert_paths(graph, found) == set(range(662))
    assert str(found) == "662 of 662 transitions in 187 paths of 1,390 steps"
