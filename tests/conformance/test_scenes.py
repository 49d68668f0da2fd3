"""A scene is a way through a spec: everything that is possible along it is taken, and nothing else may happen."""

from __future__ import annotations

import pytest

import checker
from checker.conformance.adapter import Instance, Scene
from checker.conformance.event import Event
from checker.conformance.mapping import step
from checker.conformance.replay import Outcome
from checker.conformance.scenes import SceneError, comb
from tests.conformance.toy import TEXT, Library

TWO_BOOKS = ("Reader.Take(Book0)", "Reader.Return() [one = Book0]", "Shelf.Put(Book0) <- Reader")


def along(*steps: str, check: str = "calm") -> Scene:
    return Scene("a book comes back", Instance(check), steps)


def test_every_step_along_the_way_is_taken() -> None:
    found = comb(checker.loads(TEXT).machine("calm"), along(*TWO_BOOKS))
    assert [found.graph.edges[number].label for number in found.way] == [*TWO_BOOKS]
    on_the_way = {found.graph.initial[0], *(found.graph.edges[number].target for number in found.way)}
    assert {edge.source for edge in found.graph.edges} == on_the_way
    assert len(found.graph.states) > len(on_the_way)
    assert found.graph.depths[0] == 0
    assert all(found.graph.depths[edge.target] <= found.graph.depths[edge.source] + 1 for edge in found.graph.edges)
    result = found.replay(Library(found.graph.machine))
    assert result.mismatch is None, result.mismatch.text()
    assert result.taken == result.total == len(found.graph.edges)
    assert result.outcome is Outcome.INCOMPLETE, "it is a part of the check"
    probes = found.probe(Library(found.graph.machine))
    assert probes.mismatch is None, probes.mismatch.text()
    assert probes.states == len(on_the_way)
    assert probes.tried > 0


def test_a_mistake_next_to_the_way_is_seen() -> None:
    class Greedy(Library):
        """Takes the other book, too, once it has brought one back."""

        @step("Shelf.Put")
        def put(self, event: Event) -> None:
            super().put(event)
            self.hands.add("Book1")

    found = comb(checker.loads(TEXT).machine("calm"), along(*TWO_BOOKS[:2]))
    mismatch = found.replay(Greedy(found.graph.machine)).mismatch
    assert mismatch is not None
    assert mismatch.step == TWO_BOOKS[2], "the way ends before it, and it is possible there"


def test_a_scene_that_the_spec_does_not_allow_is_an_error() -> None:
    machine = checker.loads(TEXT).machine("calm")
    with pytest.raises(SceneError, match=r"step 2, Reader.Take\(Book1\), is not allowed; these are:\n  Reader.Return"):
        comb(machine, along("Reader.Take(Book0)", "Reader.Take(Book1)"))


def test_the_initial_state_can_be_told() -> None:
    text = (
        "spec S\nrole R { durable x: 0..2 = any 0..2\n action Less when x > 0 { x -= 1 } }\nfinal: true\ncheck c { }\n"
    )
    machine = checker.loads(text).machine("c")
    found = comb(machine, Scene("down", Instance("c"), ("R.Less()", "R.Less()"), {"R.x": 2}))
    assert len(found.way) == 2
    with pytest.raises(SceneError, match="step 1"):
        comb(machine, Scene("down", Instance("c"), ("R.Less()",), {"R.x": 0}))
    with pytest.raises(SceneError, match="no initial state has"):
        comb(machine, Scene("down", Instance("c"), ("R.Less()",), {"R.x": 7}))
