"""Traces from elsewhere against a spec: what is allowed, and why something is not."""

from __future__ import annotations

import json
from typing import Any

import pytest

import checker
from checker.base.diagnostics import SpecError
from checker.conformance.recorded import STUTTER, Matched, match
from checker.render.exchange.itf_reader import parse_itf

TEXT = """spec Count
shared x: 0..9 = any 0..1
role A { durable y: 0..9 = 0
  action Up when x < 9 { x += 1 }
  action Both when x < 8 { x += 2  y := x }
  action Err when x == 3 { y := x + 9 } }
invariant Low: x < 9
final: true
check c { }
"""


def trace(*states: dict[str, Any], **more: object) -> Matched:
    names = list(dict.fromkeys(name for s in states for name in s if not name.startswith("#")))
    document = {"vars": names, "states": list(states), **more}
    return match(checker.loads(TEXT).machine(), parse_itf(json.dumps(document).encode()))


def test_steps_are_found() -> None:
    found = trace({"x": 0, "A.y": 0}, {"x": 1, "A.y": 0}, {"x": 3, "A.y": 3})
    assert found.miss is None
    assert found.path is not None
    assert found.path.steps == ("A.Up()", "A.Both()")
    assert found.path.states == ((0, 0), (1, 0), (3, 3))
    assert found.unseen == ()


def test_what_is_left_out_may_be_anything() -> None:
    """A.y tells which way was gone; without x, both starts and several ways are followed."""
    found = trace({"A.y": 0}, {"A.y": 0}, {"A.y": 3})
    assert found.path is not None
    assert found.path.states[-1] == (3, 3)
    assert found.path.states[:2] == ((0, 0), (1, 0))
    assert found.unseen == ("x",)


def test_variables_may_come_and_go() -> None:
    found = trace({"x": 0}, {"A.y": 2}, {"x": 3})
    assert found.path is not None
    assert found.path.steps == ("A.Both()", "A.Up()")


def test_names_decide_between_steps() -> None:
    same = {"x": 1}
    text = TEXT.replace(
        "action Up when x < 9 { x += 1 }", "action Up when x < 9 { x += 1 }  action Other when x < 9 { x += 1 }"
    )
    machine = checker.loads(text).machine()
    for name in ("A.Up()", "A.Other()"):
        document = {"vars": ["x"], "states": [{"x": 0}, {**same, "#meta": {"step": name}}]}
        found = match(machine, parse_itf(json.dumps(document).encode()))
        assert found.path is not None
        assert found.path.steps == (name,)


def test_nothing_happens() -> None:
    found = trace({"x": 0, "A.y": 0}, {"x": 0, "A.y": 0}, {"x": 1, "A.y": 0})
    assert found.path is not None
    assert found.path.steps == (STUTTER, "A.Up()")
    assert found.stutters == 1


def test_no_initial_state() -> None:
    miss = trace({"x": 7, "A.y": 0}).miss
    assert miss is not None
    assert (miss.state, miss.step, miss.variable, miss.trace, miss.others) == (0, None, "x", "7", 0)
    assert (miss.spec, miss.possible) == ("0", 2)


def test_the_nearest_miss() -> None:
    found = trace({"x": 0, "A.y": 0}, {"x": 2, "A.y": 4})
    assert found.path is not None
    assert found.path.steps == ()
    miss = found.miss
    assert miss is not None
    assert (miss.state, miss.step, miss.variable, miss.spec, miss.trace) == (1, "A.Both()", "A.y", "2", "4")
    assert miss.possible == 2


def test_no_step_is_possible() -> None:
    found = trace({"x": 1}, *({"x": n} for n in range(2, 10)), {"x": 0})
    assert found.miss is not None
    assert (found.miss.state, found.miss.step, found.miss.variable) == (9, None, None)


def test_a_step_that_errs() -> None:
    states = [{"x": 1}, {"x": 2}, {"x": 3}]
    found = trace(*states, **{"#meta": {"error_step": "A.Err()"}})
    assert found.miss is None
    assert found.path is not None
    assert found.path.error == "A.Err()"
    assert found.error is not None
    assert found.error.code == "PSM601"
    wrong = trace(*states[:2], **{"#meta": {"error_step": "A.Err()"}})
    assert wrong.miss is not None
    assert wrong.miss.step == "A.Err()"


def test_loops() -> None:
    text = "spec L shared x: 0..2 = 0 role A { action Go { x := (x + 1) % 3 } } check c { }"
    machine = checker.loads(text).machine()

    def looped(loop: int, *values: int) -> Matched:
        document = {"vars": ["x"], "states": [{"x": v} for v in values], "loop": loop}
        return match(machine, parse_itf(json.dumps(document).encode()))

    assert looped(0, 0, 1, 2).loop == 0
    assert looped(1, 0, 1, 2, 0).loop == 1
    assert looped(1, 0, 1).loop == 1, "the last state for ever"
    miss = looped(1, 0, 1, 2).miss
    assert miss is not None
    assert (miss.variable, miss.spec, miss.trace) == ("x", "0", "1")


def test_a_variable_that_there_is_not() -> None:
    with pytest.raises(SpecError, match=r"PSM905: the trace has the variable `A\.z`") as problem:
        trace({"A.z": 1})
    assert problem.value.diagnostics[0].help == "did you mean `A.y`?"


def test_too_much_is_left_open(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing but the number of steps is known, and every way has to be followed."""
    monkeypatch.setattr("checker.conformance.recorded.MOST_FOLLOWED", 30)
    text = (
        "spec O shared x: 0..99 = 0 shared y: 0..9 = 0 role A { action Go(n: 0..9) when x < 90 { x += n } } check c { }"
    )
    document = {"vars": ["y"], "states": [{"y": 0}] * 6}
    with pytest.raises(SpecError, match="more than 30 states agree with state 4"):
        match(checker.loads(text).machine(), parse_itf(json.dumps(document).encode()))
