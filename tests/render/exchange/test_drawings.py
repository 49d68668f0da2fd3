"""Mermaid and ShiViz tell what the sequence diagram tells."""

from __future__ import annotations

import json
import re

from checker.properties.kinds import Trace, TraceStep
from checker.render.events import Event, read_events
from checker.render.exchange.mermaid import mermaid
from checker.render.exchange.shiviz import shiviz
from checker.render.values import all_changes

NAMES = ("A", "B", "C")


def events(*steps: tuple[str, list[str]], error: str | None = None) -> list[Event]:
    """Events of steps, each with the messages that it sends."""
    told = Trace(
        {},
        tuple(TraceStep(s, {"network": {"added": [*added], "removed": []}} if added else {}) for s, added in steps),
        error,
    )
    return read_events(told, NAMES, all_changes(told), frozenset({"C.Slip"}), "5 is outside 0..3")


STORY: tuple[tuple[str, list[str]], ...] = (
    ("A.Go()", ["M(1) A -> B", "M(1) A -> C"]),
    ("C.Slip()", []),
    ("B.M(1) <- A", ["Ok() B -> A"]),
    ("lose Ok() B -> A", []),
    ("B.Lie(2) <- C [forged]", []),
    ("cut {B}", []),
    ("A.crash", []),
)


def test_mermaid() -> None:
    text = mermaid(events(*STORY, error="A.Go()"), NAMES, title="T")
    assert text == (
        "sequenceDiagram\n"
        "    title T\n"
        "    participant p0 as A\n"
        "    participant p1 as B\n"
        "    participant p2 as C\n"
        "    Note over p0: 1: Go<br/>sent: M(1) → C\n"
        "    rect rgba(229, 72, 77, 0.18)\n"
        "        Note over p2: 2: Slip\n"
        "    end\n"
        "    p0->>p1: 3: M(1) (sent in 1)\n"
        "    rect rgba(229, 72, 77, 0.18)\n"
        "        p1--xp0: 4: lost: Ok\n"
        "    end\n"
        "    p2-->>p1: 5: Lie(2)\n"
        "    Note over p1: forged\n"
        "    rect rgba(229, 72, 77, 0.18)\n"
        "        Note over p0,p2: 6: cut {B}\n"
        "    end\n"
        "    rect rgba(229, 72, 77, 0.18)\n"
        "        Note over p0: 7: crash\n"
        "    end\n"
        "    rect rgba(229, 72, 77, 0.18)\n"
        "        Note over p0: 8: Go<br/>5 is outside 0..3\n"
        "    end\n"
    )


def test_mermaid_with_hostile_names() -> None:
    text = mermaid(events(('A."<b>#;\u202e%%', [])), NAMES, title='x; <script> %% "')
    assert not set('<>"&%').intersection(text.replace("<br/>", "").replace("->>", ""))
    assert "\u202e" not in text
    assert all(line.count(";") == len(re.findall(r"#\d+;", line)) for line in text.splitlines())


def test_shiviz() -> None:
    expression, empty, *lines = shiviz(events(*STORY), NAMES).splitlines()
    assert empty == ""
    python = re.compile(expression.replace("(?<", "(?P<"))
    matches = [python.fullmatch(line) for line in lines]
    assert [m and (m["host"], json.loads(m["clock"]), m["event"]) for m in matches] == [
        ("A", {"A": 1}, "Go"),
        ("C", {"C": 1}, "Slip [fault]"),
        ("B", {"A": 1, "B": 1}, "M(1) <- A"),
        ("surroundings", {"A": 1, "B": 1, "surroundings": 1}, "lost: Ok B -> A [fault]"),
        ("B", {"A": 1, "B": 2}, "Lie(2) <- C [forged]"),
        ("surroundings", {"A": 1, "B": 1, "surroundings": 2}, "cut {B} [fault]"),
        ("A", {"A": 2}, "crash [fault]"),
    ]


def test_a_process_that_is_called_surroundings() -> None:
    told = Trace({}, (TraceStep("cut {surroundings}", {}),))
    log = shiviz(read_events(told, ("surroundings",), all_changes(told)), ("surroundings",))
    assert log.splitlines()[2].startswith("surroundings_ {")


def test_what_is_sent_without_an_arrow_is_named() -> None:
    first, *_ = events(("A.Go()", ["M(1) A -> B", "M(1) A -> C", "Ok() A -> C"]), ("B.M(1) <- A", []))
    assert first.unread == "M(1) → C; Ok → C"
    doubled = events(("A.Go()", ["M(1) A -> B"]), ("dup M(1) A -> B", ["M(1) A -> B"]), ("B.M(1) <- A", []))
    assert [e.unread for e in doubled] == ["", "", ""]
    assert doubled[2].origin == 0
