"""A scene is a way through a spec: everything that is possible along it is taken, and nothing else may happen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest

import checker
from checker.conformance.adapter import Adapter, Instance, Observation, Scene
from checker.conformance.documents import document_of
from checker.conformance.drive import Driver, Plan, Report, drive
from checker.conformance.event import Event
from checker.conformance.mapping import step
from checker.conformance.modes import Mode
from checker.conformance.page import page
from checker.conformance.replay import Outcome
from checker.conformance.scenes import SceneError, along, comb, visit
from checker.properties.kinds import Json
from tests.conformance.toy import TEXT, TWO_BOOKS, Amnesiac, Library, Staged


def story(*steps: str, check: str = "calm") -> Scene:
    return Scene("a book comes back", Instance(check), steps)


def test_every_step_along_the_way_is_taken() -> None:
    found = comb(checker.loads(TEXT).machine("calm"), story(*TWO_BOOKS))
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

    found = comb(checker.loads(TEXT).machine("calm"), story(*TWO_BOOKS[:2]))
    mismatch = found.replay(Greedy(found.graph.machine)).mismatch
    assert mismatch is not None
    assert mismatch.step == TWO_BOOKS[2], "the way ends before it, and it is possible there"


def test_a_scene_that_the_spec_does_not_allow_is_an_error() -> None:
    machine = checker.loads(TEXT).machine("calm")
    with pytest.raises(SceneError, match=r"step 2, Reader.Take\(Book1\), is not allowed; these are:\n  Reader.Return"):
        comb(machine, story("Reader.Take(Book0)", "Reader.Take(Book1)"))


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


# ---- with everything else that is done with an adapter

SPEC = checker.loads(TEXT)


def driven(make: type[Library], check: str = "calm", plan: Plan | None = None) -> Report:
    return drive(make, SPEC.machine(check), plan or Plan(runs=20), spec=SPEC)


def test_scenes_are_phases() -> None:
    report = driven(Staged)
    assert [phase.mode.value for phase in report.phases] == ["replay", "probe", "scenes", "scenes", "explore"]
    assert report.outcome is Outcome.CONFORMS, report.text()
    assert (
        "  scenes   conforms: calm, a book comes back: 12 of 12 transitions, 6 forbidden steps tried" in report.text()
    )
    assert "rough, the shelf's crash: 27 of 28 transitions (1 left out as unsupported), 8 forbidden" in report.text()
    assert [phase.scene for phase in driven(Library).phases] == ["", "", ""], "it has none"
    assert [p.scene for p in drive(Staged, SPEC.machine("calm"), Plan(runs=1)).phases] == ["", "", ""], (
        "no spec, no scenes"
    )


def test_scenes_of_other_checks_can_be_left_out() -> None:
    plan = Plan(modes=(Mode.SCENES,), elsewhere=False)
    assert [phase.scene for phase in driven(Staged, "rough", plan).phases] == ["the shelf's crash"]
    nothing = driven(Library, "calm", plan)
    assert nothing.outcome is Outcome.INCOMPLETE
    assert nothing.lacks == ("there is no scene to go through",)


def test_a_scene_shows_what_the_check_does_not() -> None:
    report = driven(Amnesiac)
    assert [phase.outcome.value for phase in report.phases] == ["conforms"] * 3 + ["mismatch"], "that is the last one"
    found = report.mismatch
    assert found is not None and found.check == "rough"
    assert found.step == "Shelf.restart"
    assert report.phases[-1].trace is not None
    assert [step.step for step in report.phases[-1].trace.steps] == [*found.matched, found.step]
    again = report.text().rstrip().rpartition("Again: ")[2]
    assert eval(again, {"visit": visit, "adapter": Amnesiac, "spec": SPEC}).mismatch == found
    alone = driven(Amnesiac, plan=Plan(scene="the shelf's crash"))
    assert [phase.mismatch for phase in alone.phases] == [found]
    assert "covered" not in alone.text()


def test_what_a_scene_takes_counts_for_its_check() -> None:
    taken = len(along(SPEC, Staged.scenes[1]).visit(Staged).edges)
    assert taken > len(Staged.scenes[1].steps)
    for check, share in (("rough", taken), ("calm", 0)):
        machine = SPEC.machine(check)
        plan = Plan(scene="the shelf's crash")
        driver = Driver(Staged(machine), machine, plan, make=Staged, spec=SPEC)
        driver.report()
        assert len(driver.coverage.summary().transitions.taken) == share


def test_a_scene_that_observes_nothing_is_incomplete() -> None:
    class Blind(Staged):
        def observe(self) -> dict[str, object]:
            return {}

    report = driven(Blind, plan=Plan(scene="a book comes back"))
    assert report.outcome is Outcome.INCOMPLETE
    assert report.phases[0].text.startswith("incomplete: calm, a book comes back")


def test_a_scene_that_ends_before_its_end_is_incomplete() -> None:
    class Firm(Staged):
        unsupported = ("Shelf.Fire", "Reader.Return")

        give_back = None  # type: ignore[assignment]

    found = along(SPEC, Staged.scenes[0]).visit(Firm)
    assert found.outcome is Outcome.INCOMPLETE and not found.arrived
    assert found.replay.taken + found.replay.left_out == found.replay.total


def test_a_scene_that_is_not_there() -> None:
    with pytest.raises(SceneError, match="Staged has no scene `the shelfs crash`; did you mean `the shelf's crash`"):
        driven(Staged, plan=Plan(scene="the shelfs crash"))
    with pytest.raises(SceneError, match="Library has no scene `any`; it has none"):
        visit(Library, SPEC, "any")


def test_who_repeats_one_run_goes_through_no_scene() -> None:
    assert [p.scene for p in driven(Staged, plan=replace(Plan(), path=())).phases if p.mode is Mode.SCENES] == []


MANY = """
spec Many
const N: 1..3 = 1
role R[N] { durable lit: bool = false  action Go when not lit { lit := true } }
final: true
check c { }
"""


class Some(Adapter):
    """Of three processes, the last one does nothing."""

    scenes = (Scene("the last one", Instance("c", {"N": 3}), ("R2.Go()",)),)

    def begin(self, initial: Mapping[str, Json]) -> None:
        self.lit: set[str | None] = set()

    @step("R.Go")
    def go(self, event: Event) -> None:
        if event.node != "R2":
            self.lit.add(event.node)

    def observe(self) -> Observation:
        return {f"{name}.lit": name in self.lit for name in self.instances("R")}


def test_a_drawing_has_the_processes_of_its_scene() -> None:
    spec = checker.loads(MANY)
    report = drive(Some, spec.machine("c"), Plan(modes=(Mode.REPLAY, Mode.SCENES)), spec=spec)
    assert [phase.outcome.value for phase in report.phases] == ["conforms", "mismatch"]
    drawing = page([("Some", document_of(report))], []).partition("<svg")[2]
    assert ">R2</text>" in drawing
