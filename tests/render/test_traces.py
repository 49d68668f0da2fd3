"""Traces on a terminal: each change where there is room for it, and in short where there is not."""

from __future__ import annotations

from io import StringIO

from rich.console import Console
from rich.padding import Padding

import checker
from checker.properties.kinds import Json, Trace, TraceStep
from checker.render.plain import UNICODE
from checker.render.traces import SCREEN, SHORT, TraceText, Whole
from checker.render.values import Names

ATOMIC = """spec Atomic
shared durable value: 0..1? = none
role Object {
  action Write(v: 0..1) { value := v }
  action Read(v: 0..1?) when v == value { }
}
final: true
check alone { }
"""

CACHED = """spec Cached
message Get, Got(v: 0..1?)
network bag[1]
role Server { durable x: 0..1? = none  on Get from c { send Got(x) to c } }
role Reader {
  volatile asks: bool = false
  volatile lies: bool = false
  action Ask when not asks { asks := true  invoke Read  send Get to Server }
  on Got(v) { asks := false  respond Read(if lies then 1 else v) }
  fault Forget when not lies { lies := true }
}
linearizable Atomic
final: true
check c { faults Reader.Forget <= 1  expect fails Atomic }
"""


def lines(trace: Trace, *, screen: bool = True, names: Names | None = None) -> list[str]:
    out = Console(width=80, file=StringIO())
    out.print(TraceText(names or Names(), UNICODE, 80).trace(trace, screen=screen))
    assert isinstance(out.file, StringIO)
    return [line.rstrip() for line in out.file.getvalue().splitlines()]


def rounds(count: int) -> Trace:
    """A asks B, B answers, again and again; four lines for two steps where each change has its line."""
    steps: list[TraceStep] = []
    for n in range(1, count + 1):
        asked: dict[str, Json] = {"added": [f"Ask({n}) A -> B"], "removed": []}
        taken: dict[str, Json] = {"added": [], "removed": [f"Ask({n}) A -> B"]}
        steps.append(TraceStep("A.Go()", {"A.n": n, "network": asked}))
        steps.append(TraceStep(f"B.Ask({n}) <- A", {"B.n": n, "A.seen": n, "network": taken}))
    return Trace({"A.n": 0, "A.seen": 0, "B.n": 0}, tuple(steps), loop=2 * count)


def test_what_fits_is_told_in_full() -> None:
    shown = lines(rounds(2))
    assert shown == lines(rounds(2), screen=False)
    assert "    1  A.Go()         A.n: 0 → 1" in shown
    assert "    4  B.Ask(2) <- A  - Ask(2) A -> B" in shown


def test_what_does_not_fit_is_told_in_short_and_says_so() -> None:
    """The name of the process and the message that the step takes are in the name of the step already."""
    full, short = lines(rounds(12), screen=False), lines(rounds(12))
    assert len(full) > SCREEN >= len(short)
    assert short[2:5] == [
        "    1  A.Go()          n = 1; +Ask(1) -> B",
        "    2  B.Ask(1) <- A   n = 1, A.seen = 1",
        "    3  A.Go()          n = 2; +Ask(2) -> B",
    ]
    assert short[-2:] == ["    ↻  for ever        nothing happens any more", f"     {SHORT}"]


def test_what_is_too_long_in_short_flows() -> None:
    """In columns the 26 steps take two lines each, since their names are wide."""
    sent: dict[str, Json] = {"added": ["Announcement(1) Coordinator -> Participant1"], "removed": []}
    name = "Coordinator.AnnounceTheOutcome(Participant0)"
    steps = tuple(TraceStep(name, {"Coordinator.log": n, "network": sent}) for n in range(1, 26))
    told = Trace({"Coordinator.log": 0}, (*steps, TraceStep("Coordinator.crash", {"Coordinator.log": 0})), loop=26)
    shown = lines(told)
    assert sum(name in line for line in shown) == 25
    assert shown[1:3] == [f"    1  {name}  log = 1; +Announcement(1)", "       -> Participant1"]
    assert " ! 26  Coordinator.crash  log = 0" in shown
    assert shown[-2:] == ["    ↻  for ever  nothing happens any more", f"     {SHORT}"]


def test_operations_are_told_by_what_happens_to_them(tmp_path) -> None:  # type: ignore[no-untyped-def]
    (tmp_path / "atomic.psm").write_text(ATOMIC)
    (tmp_path / "cached.psm").write_text(CACHED)
    spec = checker.load(tmp_path / "cached.psm")
    result = spec.check("c").property("Atomic")
    assert result.trace is not None
    shown = lines(result.trace, names=Names(spec.machine("c")))
    assert sum("Atomic: Reader invokes Read()" in line for line in shown) == 1
    assert " ".join(" ".join(shown[-2:]).split()).endswith(
        "Atomic: Read() of Reader responds 1: no order explains the answers"
    )
    assert not any("Atomic.pending" in line for line in shown[3:])


def test_faults_are_marked() -> None:
    steps = ("A.Go()", "A.crash", "A.restart", "A.Slip()", "lose M() A -> B", "A.Go() [crash after 1 effect]")
    told = Trace({"A.n": 0}, tuple(TraceStep(s, {}) for s in steps))
    names = Names()
    names.own_faults = frozenset({"A.Slip"})
    assert [line[:5].strip() for line in lines(told, names=names)[1:]] == ["1", "! 2", "3", "! 4", "! 5", "! 6"]


def test_what_belongs_together_stands_on_one_line() -> None:
    text = Whole("Server0: aaaaaaa = bbbbbbb, m = {one: 1, two: 2}, + Vote(1) -> Server0, x: 1 → 2")
    out = Console(width=22, file=StringIO())
    out.print(Padding(text, 0))
    assert isinstance(out.file, StringIO)
    assert [line.rstrip() for line in out.file.getvalue().splitlines()] == [
        "Server0:", "aaaaaaa = bbbbbbb,", "m = {one: 1, two: 2},", "+ Vote(1) -> Server0,", "x: 1 → 2",
    ]  # fmt: skip


def test_what_is_wider_than_a_line_is_broken_all_the_same() -> None:
    out = Console(width=12, file=StringIO())
    out.print(Padding(Whole("variable: value → another"), 0))
    assert isinstance(out.file, StringIO)
    assert [line.rstrip() for line in out.file.getvalue().splitlines()] == ["variable:", "value →", "another"]
