"""Traces tell what operations of a linearizable object answered."""

from __future__ import annotations

from pathlib import Path

import pytest

import checker
from checker.render.values import Change, Names, all_changes

ROOT = Path(__file__).resolve().parents[2]


def told(path: str, check: str, name: str) -> list[tuple[int, Change]]:
    spec = checker.load(ROOT / "specs" / f"{path}.psm")
    trace = spec.check(check).property(name).trace
    assert trace is not None
    changes = all_changes(trace, Names(spec.machine(check)))
    return [(n, c) for n, step in enumerate(changes, 1) for c in step if c.kind in ("respond", "refute")]


@pytest.mark.parametrize(
    ("path", "check", "answers"),
    [
        (
            "consistency/abd",
            "hasty",
            [(9, "respond", "Reader0", "Read()", "Val0"), (14, "refute", "Reader0", "Read()", "none")],
        ),
        (
            "consistency/stale_read",
            "early",
            [(3, "respond", "Client0", "Write(Val0)", ""), (6, "refute", "Client0", "Read()", "none")],
        ),
    ],
)
def test_answers(path: str, check: str, answers: list[tuple[int, str, str, str, str]]) -> None:
    assert [(n, c.kind, c.old, c.new, c.answer) for n, c in told(path, check, "Register")] == answers


def test_in_a_few_words() -> None:
    respond = Change("respond", "Register", "R", "Read()", answer="Val0")
    assert (respond.brief("R"), respond.brief("S")) == ("Read() responds Val0", "Read() of R responds Val0")
    refute = Change("refute", "Register", "R", "Read()", answer="none")
    assert refute.brief("R") == "Read() responds none: no order explains the answers"
    assert Change("refute", "Register", "", "").brief("R") == "no order explains the answers"


def test_runs_that_reach_something_tell_answers_too() -> None:
    found = told("consistency/abd", "quorum", "AllDone")
    assert [c.answer for _, c in found if c.new == "Read()"] in (["none"], ["Val0"])


def test_a_spec_without_operations_has_no_answers() -> None:
    trace = checker.load(ROOT / "specs/locks/redis_lock.psm").check("fenced").property("OneBeliever").trace
    assert trace is not None
    assert not any(step.answers for step in trace.steps)
