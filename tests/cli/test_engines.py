"""Which engine runs, what is said about it, and that the result does not depend on it."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

import checker
from checker.native import jit
from tests.cli.support import COUNTER, LARGE, TRANSFER, Done, lockstep, write

needs_native = pytest.mark.skipif(jit.unavailable() is not None, reason=jit.unavailable() or "")

MEDIUM = LARGE.replace("R[6]", "R[2]").replace("..30", "..60").replace("< 30", "< 60").replace("<= 30", "<= 60")
"""3,721 states: more than the interpreter explores before it hands over."""

WIDE = """\
spec Wide
role R {
  durable log: Seq[0..1000000000, 200] = []
  durable n: 0..3000 = 0
  action Up when n < 2500 { n += 1 }
}
invariant Fine: R.n <= 2500
final: true
check one { expect holds Fine }
"""
"""More bits than native code holds in one value, and enough states for `auto` to ask it."""


@pytest.fixture(autouse=True)
def specs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    write(tmp_path, counter=COUNTER, transfer=TRANSFER, medium=MEDIUM, wide=WIDE)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def without_llvmlite(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [n for n in sys.modules if n.partition(".")[0] == "llvmlite"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "llvmlite", None)


def check_of(done: Done) -> dict[str, object]:
    (check,) = done.json["specs"][0]["checks"]
    del check["seconds"]
    return dict(check)


def run(*args: str) -> Done:
    return lockstep("check", *args, "--format", "json")


@needs_native
def test_auto_takes_the_interpreter_for_what_is_small_and_native_code_for_the_rest() -> None:
    assert check_of(run("counter.psm", "--check", "one"))["engine"] == "python"
    done = run("medium.psm", "--check", "one")
    assert check_of(done)["engine"] == "native"
    assert done.err == ""


@needs_native
@pytest.mark.parametrize(
    "args", [("medium.psm", "--check", "one"), ("counter.psm", "--check", "small"), ("transfer.psm",)]
)
def test_engines_agree(args: tuple[str, ...]) -> None:
    python, *others = (
        check_of(run(*args, *more))
        for more in (("--engine", "python"), ("--engine", "native"), ("--engine", "native", "--workers", "2"), ())
    )
    assert python.pop("engine") == "python"
    for other in others:
        other.pop("engine")
        assert other == python


def test_fallback_without_llvmlite_is_said_once(without_llvmlite: None) -> None:
    done = run("counter.psm", "transfer.psm")
    assert done.code == 1
    assert done.err == (
        "note: llvmlite is not installed: `pip install llvmlite` brings it; the interpreter explores instead\n"
    )
    assert {c["engine"] for spec in done.json["specs"] for c in spec["checks"]} == {"python"}


@pytest.mark.parametrize("option", ["--fingerprints", "--engine=native", "--checkpoint=kept"])
def test_what_only_native_code_can_do_is_refused_without_llvmlite(option: str, without_llvmlite: None) -> None:
    done = run("counter.psm", option)
    assert (done.code, done.json["specs"]) == (2, [])
    assert done.err.startswith(
        "error PSM902: the native engine cannot run: llvmlite is not installed\n   help: `pip install"
    )


@pytest.mark.parametrize("option", ["--fingerprints", "--checkpoint=kept", "--resume=kept"])
def test_what_the_interpreter_cannot_do_is_refused(option: str) -> None:
    done = run("counter.psm", "--engine", "python", option)
    assert done.code == 2
    assert "error PSM902: the python engine has no" in done.err


@needs_native
def test_a_machine_that_native_code_cannot_hold() -> None:
    done = run("wide.psm")
    assert check_of(done)["engine"] == "python"
    assert done.err.startswith("note: the native engine cannot explore this: a value of")
    assert done.err.endswith("; the interpreter explores instead\n")
    assert done.err.count("note:") == 1
    refused = run("wide.psm", "--engine", "native")
    assert refused.code == 2
    assert "error PSM902: the native engine cannot explore this: a value of" in refused.err
    assert check_of(refused)["verdict"] == "error"


@needs_native
def test_a_limit_on_states_is_exact_with_any_number_of_workers() -> None:
    limited = ("medium.psm", "--check", "one", "--max-states", "3000")
    results = []
    for more in (("--engine", "python"), ("--workers", "2"), ("--engine", "native", "--workers", "2")):
        done = run(*limited, *more)
        check = check_of(done)
        check.pop("engine")
        results.append(check)
        if "--workers" in more:
            assert done.err == (
                "note: with `--max-states` one worker explores, so that the counts are always the same\n"
            )
    assert results[0] == results[1] == results[2]
    assert results[0]["states"] == 3000


def test_workers_of_the_interpreter() -> None:
    done = run("counter.psm", "--engine", "python", "--workers", "4", "-q")
    assert done.err == "note: the python engine runs one worker; `--workers 4` changes nothing\n"
    assert run("counter.psm", "--engine", "python", "--workers", "1").err == ""


@needs_native
def test_from_python(specs: Path) -> None:
    said: list[str] = []
    result = checker.load(specs / "wide.psm").check(workers=2, tell=said.append)
    assert (result.engine, len(said)) == ("python", 1)
    assert checker.load(specs / "medium.psm").check("one", workers=2).engine == "native"


@needs_native
def test_hashes_are_never_silently_exact() -> None:
    done = run("medium.psm", "--check", "one", "--fingerprints")
    check = check_of(done)
    missed = 3721 * 3720 / 2 / 2**63
    assert check["missed"] == missed
    assert check["reason"] == f"not exact, a missed state has a probability of at most {missed:.1e}"
    holds = [p for p in check["properties"] if p["verdict"] == "holds"]  # type: ignore[attr-defined]
    assert holds and {p["reason"] for p in holds} == {"not exact"}
    text = lockstep("check", "medium.psm", "--check", "one", "--fingerprints", "-q").out
    assert "✓ one  pass: not exact, a missed state has a probability of at most 7.5e-13" in text
    exact = check_of(run("medium.psm", "--check", "one"))
    assert exact["missed"] is None
    assert (exact["states"], exact["transitions"]) == (check["states"], check["transitions"])


def test_por_marks_what_it_found_as_reduced(tmp_path: Path) -> None:
    """Two processes that share nothing: one order of their steps is left, and the step property is not judged."""
    spec = tmp_path / "apart.psm"
    spec.write_text(APART, encoding="utf-8")
    done = lockstep("check", str(spec), "--por", "--format", "json")
    (check,) = done.json["specs"][0]["checks"]
    assert (done.code, check["verdict"], check["reduced"], check["states"]) == (3, "incomplete", True, 7)
    assert check["counts"]["met"] is None
    assert check["coverage"]["steps"] == {} and check["coverage"]["never_fired"] == []
    verdicts = {p["name"]: p["verdict"] for p in check["properties"]}
    assert verdicts == {
        "Grows": "incomplete", "Ends": "incomplete", "NoError": "holds", "NoDeadlock": "holds"
    }  # fmt: skip
    assert "reduced graph" in check["notes"][0]


@needs_native
def test_por_leaves_out_the_same_on_every_engine(tmp_path: Path) -> None:
    """Large enough for `auto` to hand over: of ten processes that share nothing, three are seen."""
    spec = tmp_path / "apart.psm"
    spec.write_text(MANY, encoding="utf-8")
    python, *others = (
        check_of(lockstep("check", str(spec), "--por", "--format", "json", *more))
        for more in (("--engine", "python"), (), ("--engine", "native"), ("--workers", "2"))
    )
    assert python.pop("engine") == "python" and python["states"] == 16**3 + 7 * 15
    for other in others:
        assert other.pop("engine") == "native"
        assert other == python


def test_por_refuses_what_it_does_not_go_with(tmp_path: Path) -> None:
    spec = tmp_path / "apart.psm"
    spec.write_text(APART, encoding="utf-8")
    for other in (["--fingerprints"], ["--checkpoint", str(tmp_path / "kept")]):
        done = lockstep("check", str(spec), "--por", *other)
        assert done.code == 2 and "error PSM902" in done.err and "partial-order reduction" in done.err


APART = """spec Apart
role A[2] { durable n: 0..3 = 0  action Up when n < 3 { n += 1 } }
step Grows: at(A, 0).n >= old(at(A, 0).n)
reach Ends: at(A, 0).n == 3
final: forall a in A: a.n == 3
check c { expect holds Grows  expect states 16 }
"""

MANY = """spec Apart
role A[10] { durable n: 0..15 = 0  action Up when n < 15 { n += 1 } }
invariant Seen: at(A, 0).n + at(A, 1).n + at(A, 2).n <= 45
final: forall a in A: a.n == 15
check c { expect holds Seen }
"""
