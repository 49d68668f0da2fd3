"""No witness is believed: whatever an engine gets wrong about its paths is noticed, and becomes a report."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path as FilePath
from typing import Any

import pytest

import checker
from checker.engine import search
from checker.engine.interface import Exploration, Finding, Limits, Path
from checker.engine.replay import Mismatch
from checker.engine.search import Interpreter
from checker.model.machine import Machine
from checker.native.choose import engine_named
from checker.native.engine import NativeEngine
from checker.native.notices import Notices
from checker.properties.safety import judge
from tests.cli.support import lockstep

TEXT = """spec Witness
role A { durable x: 0..5 = any 0..1
  action Up when x < 4 { x += 1 }  action Jump when x == 4 { x += 2 } }
invariant Low: A.x < 3
invariant Odd: 10 / (4 - A.x) > 0
step Rising: A.x > old(A.x) and A.x < 4
reach Three: A.x == 3
final: A.x == 5
check c { expect fails Low, NoError, Rising  expect holds Three }
check d { expect fails NoDeadlock  bound A.x < 4 }
"""


def explored() -> tuple[Machine, Exploration]:
    machine = checker.loads(TEXT).machine("c")
    return machine, Interpreter().explore(machine, Limits())


def test_true_witnesses_pass() -> None:
    machine, found = explored()
    assert found.violations.keys() == {"Low", "NoError", "Rising"}
    assert found.reached.keys() == {"Three"}
    assert found.broken.keys() == {"Odd"}
    judge(machine, found)


OTHER = checker.Diagnostic("PSM605", "something else")

Change = Callable[[Finding], Finding]


def path(change: Callable[[Path], Path]) -> Change:
    return lambda finding: replace(finding, path=change(finding.path))


@pytest.mark.parametrize(
    ("name", "change", "why"),
    [
        ("Low", path(lambda p: replace(p, states=p.states[1:], steps=p.steps[1:])), "the first state is not an initial one"),
        ("Low", path(lambda p: replace(p, states=p.states[:-1], steps=p.steps[:-1])), "it is true there"),
        ("Low", path(lambda p: replace(p, steps=("A.Jump()", *p.steps[1:]))), "step 1, `A.Jump()`, does not lead there"),
        ("Low", path(lambda p: replace(p, states=(p.states[0], *p.states[2:]), steps=p.steps[1:])), "step 1"),
        ("Low", path(lambda p: replace(p, steps=p.steps[1:])), "steps do not join"),
        ("Low", lambda f: replace(f, error=OTHER), "it can be evaluated"),
        ("Three", path(lambda p: replace(p, states=p.states[:-1], steps=p.steps[:-1])), "it is false there"),
        ("Rising", path(lambda p: replace(p, states=p.states[:1], steps=())), "the path has no step"),
        ("Rising", path(lambda p: replace(p, states=p.states[:2], steps=p.steps[:1])), "it is true there"),
        ("Odd", path(lambda p: replace(p, states=p.states[:2], steps=p.steps[:1])), "it can be evaluated"),
        ("Odd", lambda f: replace(f, error=OTHER), "it cannot be evaluated: division of 10 by zero"),
        ("NoError", path(lambda p: replace(p, error="A.Up()")), "does not go wrong like that"),
        ("NoError", path(lambda p: replace(p, states=p.states[:-1], steps=p.steps[:-1])), "does not go wrong like that"),
        ("NoError", lambda f: replace(f, error=OTHER), "does not go wrong like that"),
    ],
)  # fmt: skip
def test_planted_mistakes_are_noticed(name: str, change: Change, why: str) -> None:
    machine, found = explored()
    parts = {"Three": "reached", "Odd": "broken"}
    part = parts.get(name, "violations")
    changed: dict[str, Any] = {part: {**getattr(found, part), name: change(getattr(found, part)[name])}}
    wrong = replace(found, **changed)
    with pytest.raises(Mismatch) as problem:
        judge(machine, wrong)
    assert why in str(problem.value)
    assert problem.value.machine is machine
    assert problem.value.engine == "python"
    assert problem.value.path is not None


def test_a_dead_end_that_is_none() -> None:
    machine = checker.loads(TEXT).machine("c")
    found = Interpreter().explore(machine, Limits())
    wrong = replace(found, violations={"NoDeadlock": Finding(Path(((0,),), ()))})
    with pytest.raises(Mismatch, match="NoDeadlock"):
        judge(machine, wrong)


def test_a_property_that_there_is_not() -> None:
    machine, found = explored()
    with pytest.raises(Mismatch, match="no such property"):
        judge(machine, replace(found, violations={"Nothing": found.violations["Low"]}))


# ---- on every engine, as a user meets it


def mismatch_report(file: FilePath, *args: str) -> str:
    done = lockstep("check", file, *args)
    assert done.code == 70
    assert "violated" not in done.out
    match = re.fullmatch(r"internal error: Mismatch: (.*); a report with the details is in (\S+)\n", done.err)
    assert match is not None, done.err
    report = FilePath(match[2])
    try:
        return report.read_text(encoding="utf-8")
    finally:
        report.unlink()


def test_report_about_the_interpreter(tmp_path: FilePath, monkeypatch: pytest.MonkeyPatch) -> None:
    """A search that names its steps wrongly."""
    file = tmp_path / "witness.psm"
    file.write_text(TEXT, encoding="utf-8")
    monkeypatch.setattr(search.Search, "_step_between", lambda self, a, b: "A.Wrong()")
    text = mismatch_report(file, "--check", "c", "--engine", "python")
    assert "step 1, `A.Wrong()`, does not lead there" in text
    assert f"lockstep {checker.__version__}, Python 3." in text
    assert "llvmlite " in text
    assert "arguments: ['check', " in text
    assert "engine: python" in text
    assert f"spec: Witness in {file}" in text
    assert f"sha256 of its text: {hashlib.sha256(TEXT.encode()).hexdigest()}" in text
    assert "check: c" in text
    assert '1: A.Wrong()\n   {"A.x": 2, "network": []}\n   (2,)' in text


def test_report_about_native_code(tmp_path: FilePath, monkeypatch: pytest.MonkeyPatch) -> None:
    """Native code that takes a step which the interpreter does not have."""
    pytest.importorskip("llvmlite")
    file = tmp_path / "witness.psm"
    file.write_text(TEXT, encoding="utf-8")
    expanded = Notices.expanded
    monkeypatch.setattr(Notices, "expanded", lambda self, state: ([], expanded(self, state)[1]))
    text = mismatch_report(file, "--check", "c", "--engine", "native")
    assert "native code took a step that the interpreter does not have" in text
    assert "engine: native" in text
    assert "check: c" in text


def test_report_about_a_simulation(tmp_path: FilePath, monkeypatch: pytest.MonkeyPatch) -> None:
    """A run whose end is lost on the way to the verdict."""
    from checker.engine.replay import Replay

    named = Replay.named
    monkeypatch.setattr(Replay, "named", lambda self, states: named(self, states[:-1]))
    file = tmp_path / "witness.psm"
    file.write_text(TEXT, encoding="utf-8")
    text = mismatch_report(file, "--check", "c", "--simulate")
    assert "engine: simulation" in text


@pytest.mark.parametrize("name", ["python", "native"])
def test_what_engines_really_find_passes(name: str) -> None:
    if name == "native":
        pytest.importorskip("llvmlite")
    for check in ("c", "d"):
        machine = checker.loads(TEXT).machine(check)
        judge(machine, engine_named(name).explore(machine, Limits()))


def test_the_native_engine_says_that_it_was_it(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("llvmlite")
    monkeypatch.setattr(Notices, "expanded", lambda self, state: ([], []))
    machine = checker.loads(TEXT).machine("c")
    with pytest.raises(Mismatch) as problem:
        NativeEngine().explore(machine, Limits())
    assert problem.value.engine == "native"
    assert problem.value.machine is machine
