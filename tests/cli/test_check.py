"""`lockstep check`: what it prints, its exit codes, its limits."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from checker.cli.exits import Exit, worst
from tests.cli.support import (
    COUNTER,
    LARGE,
    LASSO,
    LIVE,
    OVERFLOW,
    ROOT,
    TRANSFER,
    Done,
    assert_golden,
    command,
    ended,
    environment,
    has_worked,
    hearing,
    lockstep,
    process,
    steady,
    write,
)


@pytest.fixture(autouse=True)
def specs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    write(tmp_path, transfer=TRANSFER, counter=COUNTER, overflow=OVERFLOW, large=LARGE, live=LIVE, lasso=LASSO)
    monkeypatch.chdir(tmp_path)
    return tmp_path


# ---- what a user sees


@pytest.mark.parametrize(
    ("name", "args", "code"),
    [
        ("fail.txt", ["transfer.psm"], 1),
        ("pass.txt", ["counter.psm"], 0),
        ("traces.txt", ["counter.psm", "--check", "one", "--traces"], 0),
        ("verbose.txt", ["counter.psm", "--check", "one", "-v"], 0),
        ("quiet.txt", ["-q", "counter.psm", "overflow.psm", "transfer.psm"], 1),
        ("constants.txt", ["counter.psm", "--check", "small", "--set", "N=1", "--set", "MODE=fast"], 0),
        ("errors.txt", ["overflow.psm"], 1),
        ("open.txt", ["live.psm"], 3),
        ("lasso.txt", ["lasso.psm"], 1),
        ("limit.txt", ["large.psm", "--check", "one", "--max-states", "1000"], 3),
    ],
)
def test_text(name: str, args: list[str], code: int) -> None:
    done = lockstep("check", *args)
    assert done.code == code
    assert done.err == ""
    assert_golden(name, steady(done.out))


def test_text_has_no_blanks_at_the_ends_of_lines() -> None:
    out = lockstep("check", "transfer.psm", "counter.psm").out
    assert [line for line in out.splitlines() if line != line.rstrip()] == []


def test_text_in_ascii() -> None:
    done = lockstep("check", "transfer.psm", encoding="latin-1")
    assert done.out.isascii()
    assert "x calm  fail" in done.out
    assert "Bank.balance: 3 -> 2" in done.out


def test_narrow_terminal() -> None:
    done = lockstep("check", "overflow.psm", columns=50)
    assert max(len(line) for line in done.out.splitlines() if "overflow.psm:" not in line and "|" not in line) <= 50


def test_wrong_spec_is_told_once(specs: Path) -> None:
    (specs / "wrong.psm").write_text(COUNTER.replace("x += 1", "y += 1"), encoding="utf-8")
    done = lockstep("check", "wrong.psm")
    assert done.code == 2
    assert done.err.count("PSM201") == 1
    assert_golden("wrong.txt", done.err + "----\n" + steady(done.out))


# ---- exit codes


@pytest.mark.parametrize(
    ("args", "code"),
    [
        (["counter.psm"], Exit.MET),
        (["transfer.psm"], Exit.UNMET),
        (["missing.psm"], Exit.WRONG),
        (["live.psm"], Exit.INCOMPLETE),
        (["counter.psm", "live.psm"], Exit.INCOMPLETE),
        (["live.psm", "transfer.psm", "counter.psm"], Exit.UNMET),
        (["live.psm", "transfer.psm", "missing.psm"], Exit.WRONG),
    ],
)
def test_exit_code_is_the_worst(args: list[str], code: Exit) -> None:
    assert lockstep("check", "-q", *args).code == code
    assert lockstep("check", *args, "--format", "json").code == code


def test_order_of_exit_codes() -> None:
    assert worst([]) is Exit.MET
    assert worst([Exit.MET, Exit.INCOMPLETE]) is Exit.INCOMPLETE
    assert worst([Exit.INCOMPLETE, Exit.UNMET]) is Exit.UNMET
    assert worst([Exit.UNMET, Exit.WRONG, Exit.INCOMPLETE]) is Exit.WRONG
    assert worst([Exit.WRONG, Exit.INTERRUPTED]) is Exit.INTERRUPTED


def test_wrong_spec_does_not_stop_the_others(specs: Path) -> None:
    (specs / "broken.psm").write_text("spec Broken\nrole {", encoding="utf-8")
    done = lockstep("check", "broken.psm", "missing.psm", "counter.psm")
    assert done.code == 2
    assert "error PSM001: missing.psm does not exist" in done.err
    assert "broken.psm:2:6: error PSM111" in done.err
    assert "✓ small  pass" in done.out
    for path in ("broken.psm", "missing.psm"):
        assert re.search(rf"^{re.escape(path)} +error +not checked *$", done.out, re.MULTILINE)
    assert "2 checks in 1 spec: 2 pass" in done.out


def test_directory(specs: Path) -> None:
    (specs / "family" / ".hidden").mkdir(parents=True)
    for name in ("family/b.psm", "family/a.psm", "family/.hidden/c.psm", "family/notes.txt"):
        (specs / name).write_text(LIVE.replace("Live", f"In{Path(name).stem.upper()}"), encoding="utf-8")
    done = lockstep("check", "family", "family/a.psm", "--format", "json")
    assert [s["path"] for s in done.json["specs"]] == ["family/a.psm", "family/b.psm"]


# ---- choosing


def test_check_runs_where_it_exists() -> None:
    done = lockstep("check", "counter.psm", "transfer.psm", "--check", "one", "--format", "json")
    assert done.code == 0
    assert [(s["spec"], [c["name"] for c in s["checks"]]) for s in done.json["specs"]] == [("Counter", ["one"])]


def test_check_that_none_has() -> None:
    done = lockstep("check", "counter.psm", "transfer.psm", "--check", "cal")
    assert (done.code, done.out) == (2, "")
    assert "error PSM502: none of the 2 specs has a check `cal`\n   help: did you mean `calm`?" in done.err


def test_constant_is_set_where_it_exists() -> None:
    done = lockstep("check", "counter.psm", "transfer.psm", "--set", "N=1", "-q")
    assert done.code == 1
    assert "Counter  counter.psm  N = 1\n" in done.out
    assert "Transfer  transfer.psm\n" in done.out


def test_counts_are_not_judged_with_set() -> None:
    check = lockstep("check", "counter.psm", "--check", "small", "--set", "N=1", "--format", "json").json["specs"][0][
        "checks"
    ][0]
    assert check["counts"] == {"states": 36, "transitions": 84, "depth": 6, "met": None}
    assert check["verdict"] == "pass"


def test_wrong_counts(specs: Path) -> None:
    (specs / "counter.psm").write_text(
        COUNTER.replace("states 36 transitions", "states 35 transitions"), encoding="utf-8"
    )
    done = lockstep("check", "counter.psm", "--check", "small")
    assert done.code == 1
    assert "✗ counts      expect     expected 35 states, but found 36 states" in done.out


# ---- limits


def only_check(done: Done) -> dict[str, object]:
    (check,) = done.json["specs"][0]["checks"]
    return dict(check)


@pytest.mark.parametrize(
    ("option", "value", "reason"),
    [
        ("--max-states", "2000", "the limit on states was reached"),
        ("--timeout", "0.05", "the limit on time was reached"),
        ("--max-memory", "1M", "the limit on memory was reached"),
    ],
)
def test_limits(option: str, value: str, reason: str) -> None:
    done = lockstep("check", "large.psm", "--check", "one", option, value, "--format", "json")
    check = only_check(done)
    assert done.code == 3
    assert (check["verdict"], check["reason"]) == ("incomplete", reason)
    properties = {p["name"]: p["verdict"] for p in check["properties"]}  # type: ignore[attr-defined]
    assert properties.pop("Small") == ("incomplete" if option == "--max-memory" else "violated")
    assert set(properties.values()) == {"incomplete"}


def test_limit_that_is_not_met() -> None:
    done = lockstep("check", "counter.psm", "--max-states", "1000", "--timeout", "60", "--max-memory", "64G", "-q")
    assert done.code == 0


# ---- the rest of the world


def interrupt(*args: str, number: int = signal.SIGINT) -> Done:
    """Runs the command and interrupts it while it explores."""
    with hearing():
        running = subprocess.Popen(
            command(*args), env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
    has_worked(running, 1.2)
    running.send_signal(number)
    out, err = ended(running)
    return Done(running.returncode, out, err)


@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
def test_interruption_shows_what_was_covered() -> None:
    done = interrupt("check", "transfer.psm", "large.psm")
    assert done.code == 130
    assert "✗ calm  fail" in done.out
    assert "… one  incomplete: interrupted" in done.out
    assert "Small       invariant  violated after 3 steps, as expected" in done.out
    assert "two" not in done.out
    assert "interrupted — 2 checks in 2 specs: 1 fail, 1 incomplete" in done.out
    assert done.err == ""


@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
def test_interruption_in_json() -> None:
    done = interrupt("check", "large.psm", "--format", "json")
    assert done.code == 130
    document = json.loads(done.out)
    assert document["interrupted"] is True
    (check,) = document["specs"][0]["checks"]
    assert check["reason"] == "interrupted"
    assert check["states"] > 1000


@pytest.mark.skipif(os.name == "nt", reason="pipes of POSIX")
def test_closed_pipe_is_silent() -> None:
    script = 'exec 3>&1; { "$@" 2>&3; echo "code $?" >&3; } | :'
    done = subprocess.run(
        ["sh", "-c", script, "sh", *command("check", "transfer.psm", "--format", "json")],
        env=environment(), capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.stdout in ("code 141\n", "code 1\n")  # 1 if the reader left so late that everything was written
    assert done.stderr == ""


def test_internal_error(monkeypatch: pytest.MonkeyPatch) -> None:
    inside: dict[str, Callable[..., None]] = {}
    exec('def broken(*_): raise ZeroDivisionError("a mistake\\nof this program")', inside)  # not in a file of ours
    monkeypatch.setattr("checker.properties.safety.judge", inside["broken"])
    done = lockstep("check", "counter.psm")
    assert done.code == 70
    first, _, name = done.err.strip().partition("; a report with the details is in ")
    assert first == "internal error: ZeroDivisionError: a mistake of this program"
    report = Path(name)
    text = report.read_text(encoding="utf-8")
    report.unlink()
    assert "Traceback" in text
    assert "['check', 'counter.psm']" in text


def test_module_and_version() -> None:
    assert process("--version").stdout == "lockstep 0.1.0\n"
    assert lockstep("--version").out == "lockstep 0.1.0\n"


def test_help_names_every_command() -> None:
    out = lockstep("--help").out
    for name in ("check", "inspect", "fmt", "graph", "trace", "new", "completion"):
        assert f"\n  {name} " in out
        assert lockstep(name, "--help").code == 0


def test_nothing_to_do_shows_the_help() -> None:
    done = lockstep()
    assert done.code == 2
    assert "Usage: lockstep" in done.err


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion(shell: str) -> None:
    done = lockstep("completion", shell)
    assert done.code == 0
    assert "_LOCKSTEP_COMPLETE" in done.out


def test_completion_of_checks() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "checker"],
        env={
            **environment(),
            "_LOCKSTEP_COMPLETE": "bash_complete",
            "COMP_WORDS": "lockstep check counter.psm --check s",
            "COMP_CWORD": "4",
        },
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.stdout == "plain,small\n"


@pytest.mark.parametrize("columns", [0, 1, 10**9])
def test_a_width_that_makes_no_sense_shows_all_that_is_found(columns: int, tmp_path: Path) -> None:
    write(tmp_path, counter=COUNTER)
    done = lockstep("check", tmp_path / "counter.psm", "--check", "small", columns=columns)
    assert done.code == 0
    assert all(len(line) < 300 for line in done.out.splitlines())
    assert "36" in done.out


def test_an_abstract_spec_beside_the_folder_one_stands_in(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT / "specs" / "transactions")
    for path in ("two_phase_commit.psm", "./two_phase_commit.psm", str(Path.cwd() / "two_phase_commit.psm")):
        assert lockstep("check", path, "--check", "small").code == 0


@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
@pytest.mark.parametrize("name", ["SIGTERM", "SIGHUP"])
def test_a_check_that_is_told_to_end_shows_what_it_covered(name: str) -> None:
    done = interrupt("check", "large.psm", "--check", "one", number=getattr(signal, name))
    assert done.code == 130
    assert "interrupted — 1 check: 1 incomplete" in done.out
