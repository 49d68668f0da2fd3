"""What is counted as covered, and how it is merged."""

from __future__ import annotations

import json

from checker.conformance.coverage import PARTS, Coverage, merged, summary_of
from checker.conformance.growing import GrowingGraph
from tests.conformance.toy import graph_of


def test_everything_is_covered_by_a_cover() -> None:
    graph = graph_of("calm")
    coverage = Coverage(graph.machine, graph=graph)
    coverage.add(graph, range(len(graph.edges)))
    summary = coverage.summary()
    assert {name: (len(s.taken), s.total) for name, s in summary.parts.items()} == {
        "steps": (5, 5),
        "transitions": (105, 105),
        "conjuncts seen false": (4, 4),
        "branches": (2, 2),
        "fault × step": (0, 0),
    }
    assert tuple(summary.parts) == PARTS
    assert coverage.never(["Reader.Take", "Shelf.Fire"]) == ()


def test_a_part_is_a_part_and_says_what_is_missing() -> None:
    graph = graph_of("rough")
    coverage = Coverage(graph.machine, graph=graph)
    first = next(n for n, edge in enumerate(graph.edges) if edge.unit == "Reader.Take")
    coverage.add(graph, [first])
    summary = coverage.summary()
    assert summary.transitions.taken == {str(first)}
    assert summary.parts["steps"].taken == {"Reader.Take"}
    assert "crash Shelf" in summary.parts["steps"].missing
    assert "lose × restart Shelf" in summary.parts["fault × step"].missing
    assert coverage.never(["Reader.Take", "Reader.Return"]) == ("Reader.Return",)


def test_faults_lie_before_steps() -> None:
    graph = graph_of("rough")
    coverage = Coverage(graph.machine, graph=graph)
    crash = next(n for n, e in enumerate(graph.edges) if e.unit == "crash Shelf")
    after = next(
        n for n, e in enumerate(graph.edges) if e.source == graph.edges[crash].target and e.unit == "Reader.Take"
    )
    coverage.add(graph, [crash, after])
    assert coverage.summary().parts["fault × step"].taken == {"crash Shelf × Reader.Take"}


def test_runs_on_other_graphs_count_for_the_same_transitions() -> None:
    graph = graph_of("calm")
    growing = GrowingGraph(graph.machine)
    for state in range(len(graph.states)):
        growing.out(state)
    mine = Coverage(graph.machine, graph=graph)
    mine.add(growing, range(len(growing.edges)))
    assert mine.summary().transitions.taken == {str(n) for n in range(len(graph.edges))}


def test_summaries_are_merged() -> None:
    graph = graph_of("calm")
    halves = []
    for part in (range(60), range(50, 105)):
        coverage = Coverage(graph.machine, graph=graph)
        coverage.add(graph, part)
        halves.append(summary_of(json.loads(json.dumps(coverage.summary().document()))))
    (both,) = merged(halves)
    assert str(both.transitions) == "105 of 105"
    assert len(merged([*halves, Coverage(graph_of("rough").machine).summary()])) == 2


def test_large_graphs_have_no_totals() -> None:
    graph = graph_of("calm")
    coverage = Coverage(graph.machine, most=5)
    coverage.add(graph, range(105))
    summary = coverage.summary()
    assert len(summary.transitions.taken) == 105
    assert summary.transitions.total is None
    assert summary.transitions.ratio is None
    assert str(summary).startswith("Library, check calm: 5 steps, 105 transitions")
