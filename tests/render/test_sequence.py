"""Sequence diagrams show what a trace says."""

from __future__ import annotations

import re
from dataclasses import replace
from xml.etree import ElementTree as ET

import pytest

import checker
from checker.properties.kinds import AbstractStep, AbstractTrace, Json, Trace, TraceStep
from checker.render.events import cast, is_fault, read_above, read_events
from checker.render.sequence import sequence_svg
from checker.render.values import all_changes, as_trace

SENT = {"network": {"added": ["M(1) A -> B"], "removed": []}}


def trace(*steps: str, error: str | None = None) -> Trace:
    """A trace whose first step sends M(1) from A to B."""
    return Trace({}, tuple(TraceStep(s, SENT if i == 0 else {}) for i, s in enumerate(steps)), error)  # type: ignore[arg-type]


def events(*steps: str, error: str | None = None) -> list:  # type: ignore[type-arg]
    told = trace(*steps, error=error)
    return read_events(told, ("A", "B"), all_changes(told), frozenset({"A.Slip"}))


def test_an_arrow_begins_where_the_message_was_sent() -> None:
    _, other, taken, again = events("A.Send()", "A.Send()", "B.M(1) <- A", "B.M(1) <- A")
    assert (taken.process, taken.sender, taken.origin, taken.text) == ("B", "A", 0, "M(1)")
    assert again.origin == 0
    assert other.sender is None


def test_a_message_that_nobody_sent() -> None:
    forged = events("A.Send()", "B.M(2) <- A [forged]")[1]
    assert forged.forged
    assert forged.origin is None


@pytest.mark.parametrize(
    ("step", "process", "down", "up"),
    [
        ("A.crash", "A", True, False),
        ("B.stop", "B", True, False),
        ("A.restart", "A", False, True),
        ("B.M(1) <- A [crash after 1 effect]", "B", True, False),
        ("A.Slip()", "A", False, False),
        ("A.Send(Cert(0, [1, 2])) [x = F(1), stop after 2 effects]", "A", True, False),
    ],
)
def test_faults_of_processes(step: str, process: str, down: bool, up: bool) -> None:
    event = events("A.Send()", step)[1]
    assert (event.process, event.down, event.up, event.fault) == (process, down, up, not up)


def test_faults_of_the_network() -> None:
    _, lost, cut, heal, tick, twice = events(
        "A.Send()", "lose M(1) A -> B", "cut {B}", "heal {B}", "tick", "dup M(1) A -> B"
    )
    assert (twice.fault, twice.process, twice.lost) == (True, None, False)
    assert (lost.sender, lost.process, lost.origin, lost.lost) == ("A", "B", 0, True)
    assert (cut.fault, cut.process, heal.fault, tick.process) == (True, None, False, None)


def test_a_step_that_errs_is_one_more() -> None:
    last = events("A.Send()", error="B.M(1) <- A")[-1]
    assert (last.error, last.process, last.origin) == (True, "B", 0)


def test_a_run_without_end_says_how_it_goes_on() -> None:
    told = replace(trace("A.Send()", "B.M(1) <- A", "A.tick"), loop=1)
    *steps, last = read_events(told, ("A", "B"), all_changes(told))
    assert (len(steps), last.ending, last.process) == (3, True, None)
    assert last.text == "↻ back to 1: steps 2 to 3 again and again"
    drawn = sequence_svg(told, ("A", "B"))
    assert "3 steps" in drawn
    assert drawn.count("<path") == 2 + sequence_svg(trace("A.Send()", "B.M(1) <- A", "A.tick"), ("A", "B")).count(
        "<path"
    )


def test_a_run_that_stops_has_no_way_back() -> None:
    told = replace(trace("A.Send()"), loop=1)
    assert read_events(told, ("A", "B"), all_changes(told))[-1].text == "↻ for ever: nothing happens any more"
    drawn = sequence_svg(told, ("A", "B"))
    assert drawn.count("<path") == sequence_svg(trace("A.Send()"), ("A", "B")).count("<path")


def test_changes_of_the_process_and_of_what_is_shared_are_told() -> None:
    changes: dict[str, Json] = {
        "A.x": 1, "A.status": "down", "B.x": 2, "paid": [1], "stock": {"k": 3}, "left of crash A": 0, "cut": ["A"],
    }  # fmt: skip
    told = Trace({**dict.fromkeys(changes, None), "stock": {"k": 0}}, (TraceStep("A.Go()", changes),))
    (event,) = read_events(told, ("A", "B"), all_changes(told))
    assert event.changes == "x = 1, paid = [1], stock = {k: 3}"


def test_names_stand_where_no_arrow_is() -> None:
    sends, takes = events("A.Send()", "B.M(1) <- A")
    assert sends.left
    assert not takes.left


def test_the_drawing_is_xml_and_the_same_each_time() -> None:
    steps = ("A.Send()", "B.M(1) <- A", "A.crash", "A.restart", "lose M(1) A -> B", "cut {B}", "tick")
    drawn = sequence_svg(trace(*steps, error="A.Slip()"), ("A", "B", "C"))
    assert drawn == sequence_svg(trace(*steps, error="A.Slip()"), ("A", "B", "C"))
    ET.fromstring(drawn)
    assert ">C<" not in drawn, "who takes no part is left out"


def test_hostile_names_are_text() -> None:
    drawn = sequence_svg(trace("<script>alert(1)</script>", 'A."><b>', "A.Go(\u202e)"), ("A", "B"))
    ET.fromstring(drawn)
    assert "<script" not in drawn
    assert "<b>" not in drawn
    assert "\u202e" not in drawn


def test_everything_lies_inside_the_picture() -> None:
    spec = checker.loads(
        "spec S message M(n: 0..1) network soup\n"
        "role A { action AVeryLongNameOfAnAction { send M(1) to B } }\n"
        "role B { durable aVariableWithALongName: 0..1 = 0  on M(n) from a { aVariableWithALongName := n } }\n"
        "invariant P: B.aVariableWithALongName == 0 final: true check c { expect fails P }"
    )
    found = spec.check().property("P").trace
    assert found is not None
    drawn = sequence_svg(found, ("A", "B"))
    root = ET.fromstring(drawn)
    width = float(root.attrib["width"])
    texts = [(group, text) for group in root.iter() for text in group.findall("{http://www.w3.org/2000/svg}text")]
    assert {group.attrib.get("text-anchor") for group, _ in texts} == {None, "start", "end"}
    for group, text in texts:
        shown = text.text or ""
        x, room = float(text.attrib["x"]), len(shown) * 7.2
        anchor = text.attrib.get("text-anchor", group.attrib.get("text-anchor"))
        start = {"start": x, "middle": x - room / 2, "end": x - room}[anchor or "start"]
        assert start >= 0
        assert start + room <= width + 1, shown
    assert re.search(r'stroke-width="1.5"', drawn)


def test_who_gets_what_is_not_cut_off() -> None:
    """A row is as high as its texts, and what follows is moved down."""
    names = [f"Acceptor{i}" for i in range(6)]
    sent: dict[str, Json] = {
        "network": {"added": [f"Accepted(Leader0, 12) A -> {name}" for name in names], "removed": []}
    }
    drawn = [sequence_svg(Trace({}, (TraceStep("A.Send()", c), TraceStep("A.Go()", {}))), ("A",)) for c in (sent, {})]
    texts = [re.findall(r'<text x="\d+" y="(\d+)"[^>]*>([^<]*)', d) for d in drawn]
    assert " ".join(text for _, text in texts[0][3:-2]) == f"sent: Accepted(Leader0, 12) → {', '.join(names)}"
    assert len(texts[0]) == len(texts[1]) + 3
    assert int(texts[0][-1][0]) > max(int(texts[0][-3][0]) + 15, int(texts[1][-1][0]))


def test_lifelines_end_where_a_run_goes_on_for_ever() -> None:
    drawn = sequence_svg(replace(trace("A.Send()"), loop=1), ("A", "B"))
    (band,) = re.findall(r'<rect x="0" y="(\d+)"', drawn)
    lines = re.findall(r'<path d="M\d+ 34V(\d+)"', drawn)
    assert lines
    assert all(int(end) < int(band) for end in lines)


def test_faulty_processes_are_marked() -> None:
    steps = (TraceStep("B.M(2) <- A [forged]", {}),)
    honest = sequence_svg(Trace({}, steps), ("A", "B"))
    faulty = sequence_svg(Trace({"faulty": ["A"]}, steps), ("A", "B"))
    assert faulty.count("#e5484d") == honest.count("#e5484d") + 2


# ---- what is to be known besides


def test_a_process_that_lies_is_shown_and_named_so_even_if_it_sends_nothing() -> None:
    told = replace(trace("A.Send()", "B.M(1) <- A"), initial={"faulty": ["C"]})
    assert ">C, faulty<" in sequence_svg(told, ("A", "B", "C", "D"))


def test_a_timeout_says_that_it_is_one() -> None:
    told = trace("A.Send()", "A.Late(1)")
    sends, late = read_events(told, ("A", "B"), all_changes(told), timeouts=frozenset({"A.Late"}))
    assert (sends.changes, late.changes) == ("", "timeout")


def test_the_cast_of_a_machine() -> None:
    spec = checker.loads(
        "spec S role A[2] { durable x: 0..1 = 0  timeout Late when x == 0 { x := 1 }  fault Slip when x == 1 { x := 0 } }\n"
        "final: true check c { faults A.Slip <= 1 }"
    )
    found = cast(spec.machine("c"))
    assert found.timeouts == {"A0.Late", "A1.Late"}
    assert found.own_faults == {"A0.Slip", "A1.Slip"}


def test_both_levels_of_a_refinement_are_drawn() -> None:
    levels = AbstractTrace(
        "Above", {"x": 0}, (AbstractStep("P.Go()", {"x": 1}), AbstractStep(None, {"x": 2}, matched=False))
    )
    told = replace(trace("A.Send()", "B.M(1) <- A"), abstract=levels)
    drawn = sequence_svg(told, ("A", "B"))
    root = ET.fromstring(drawn)
    shown = [text.text for text in root.iter("{http://www.w3.org/2000/svg}text")]
    assert [t for t in shown if t in ("Above", "P.Go()", "x = 1", "no step does this", "x = 2")] == [
        "Above", "P.Go()", "x = 1", "no step does this", "x = 2",
    ]  # fmt: skip
    assert drawn.count("<rect") == sequence_svg(trace("A.Send()", "B.M(1) <- A"), ("A", "B")).count("<rect") + 1
    assert "Above: not an initial state" in sequence_svg(
        replace(told, abstract=replace(levels, matched=False)), ("A", "B")
    )


def test_a_step_that_stutters_above_is_passed_over() -> None:
    levels = AbstractTrace("Above", {}, (AbstractStep(None, {}), AbstractStep("P.Go()", {})))
    told = replace(trace("A.Send()", "B.M(1) <- A"), abstract=levels)
    read = read_above(levels, all_changes(as_trace(levels)))
    assert [(a.text, a.wrong) for a in read] == [("", False), ("P.Go()", False)]
    assert "stutters" not in sequence_svg(told, ("A", "B"))


def test_a_drawing_of_its_own_can_be_read_wherever_it_is_put() -> None:
    """On a dark page the colour of the page is light, and the ground of the drawing is not."""
    alone = ET.fromstring(sequence_svg(trace("A.Send()"), ("A", "B"), alone=True, verdict="P is violated after 1 step"))
    assert alone.attrib["color"] == "#1f2328"
    assert "P is violated after 1 step" in [t.text for t in alone.iter("{http://www.w3.org/2000/svg}text")]
    part = ET.fromstring(sequence_svg(trace("A.Send()"), ("A", "B")))
    assert "color" not in part.attrib
    assert "prefers-color-scheme" not in sequence_svg(trace("A.Send()"), ("A", "B"))


def test_the_way_back_ends_where_the_run_does() -> None:
    told = replace(trace("A.Send()", "B.M(1) <- A", "A.tick"), loop=1)
    plain, with_verdict = sequence_svg(told, ("A", "B")), sequence_svg(told, ("A", "B"), verdict="violated")
    way = re.compile(r'<path d="M12 \d+H5V\d+H12"')
    assert way.findall(plain) == way.findall(with_verdict) != []


@pytest.mark.parametrize(
    "step",
    [
        "A.crash", "A.stop", "A.Slip()", "B.M(1) <- A [forged]", "B.M(1) <- A [branch 1, crash after 2 effects]", "cut {A}",
        "dup M(1) A -> B", "lose M(1) A -> B", "tick [A twice]", "tick [A skips]",
    ],
)  # fmt: skip
def test_what_is_a_fault(step: str) -> None:
    assert is_fault(step, frozenset({"A.Slip"}))


@pytest.mark.parametrize("step", ["A.restart", "A.crash()", "A.Send()", "B.M(1) <- A [branch 1]", "heal {A}", "tick"])
def test_what_is_none(step: str) -> None:
    assert not is_fault(step, frozenset({"A.Slip"}))


def test_who_is_cut_off_is_so_until_it_heals() -> None:
    apart = re.compile(r'<path d="M(\d+) (\d+)V(\d+)" stroke="#e5484d"')
    healed = sequence_svg(trace("A.Send()", "cut {B}", "A.Send()", "heal {B}", "B.M(1) <- A"), ("A", "B"))
    ((x, start, end),) = apart.findall(healed)
    for_ever = sequence_svg(trace("A.Send()", "cut {B}", "A.Send()"), ("A", "B"))
    ((_, begins, at_the_end),) = apart.findall(for_ever)
    assert begins == start
    assert int(start) < int(end) < int(at_the_end) + 100
    assert f'd="M{int(x) - 4} ' in healed, "it stands beside the line of B"
    assert len(apart.findall(sequence_svg(trace("A.Send()", "cut {A, B}"), ("A", "B")))) == 2


def test_a_tick_says_which_clocks_it_moved() -> None:
    moved: dict[str, Json] = {"A.clock": 1, "B.clock": 2, "left of drift A": 0}
    told = Trace(dict.fromkeys(moved, 0), (TraceStep("tick [A skips]", moved),))
    (event,) = read_events(told, ("A", "B"), all_changes(told))
    assert (event.changes, event.fault) == ("A.clock = 1, B.clock = 2", True)
