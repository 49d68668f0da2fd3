"""`lockstep check --simulate`, as users run it."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from checker.cli.progress import Estimate, progress_line
from checker.engine.interface import Limits, Progress
from tests.cli.support import COUNTER, OVERFLOW, TRANSFER, assert_golden, lockstep, steady, write


@pytest.fixture(autouse=True)
def specs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    write(tmp_path, transfer=TRANSFER, counter=COUNTER, overflow=OVERFLOW)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("name", "args", "code"),
    [
        ("simulated.txt", ["transfer.psm", "--runs", "50"], 1),
        ("simulated-quiet.txt", ["counter.psm", "overflow.psm", "-q", "--runs", "20"], 1),
    ],
)
def test_text(name: str, args: list[str], code: int) -> None:
    done = lockstep("check", "--simulate", *args, columns=100)  # wide enough for every time that it may take
    assert (done.code, done.err) == (code, "")
    assert_golden(name, steady(done.out))


def test_the_command_that_is_shown_makes_the_same_trace() -> None:
    done = lockstep(
        "check", "--simulate", "transfer.psm", "--runs", "50", "--seed", "9", "--schedule", "pct", "--depth", "33"
    )
    (command,) = re.findall(r"^    lockstep (.*)$", done.out, re.MULTILINE)
    again = lockstep(*shlex.split(command))
    head, tail = "PaidOnce is violated", "to find it again"
    assert done.out[done.out.index(head) :].split(tail)[0] == again.out[again.out.index(head) :].split(tail)[0]
    assert "--schedule pct" in command
    assert "--depth 33" in command


def test_the_command_has_the_constants() -> None:
    args = ["counter.psm", "--check", "one", "--set", "N=3", "--set", "MODE=fast", "--set", "STRICT=true", "--traces"]
    done = lockstep("check", "--simulate", *args, "--runs", "3")
    commands = re.findall(r"^    lockstep (.*)$", done.out, re.MULTILINE)
    assert commands
    for command in commands:
        assert "--set N=3 --set MODE=fast --set STRICT=true" in command
        assert lockstep(*shlex.split(command)).code in (0, 1, 3)


def test_json() -> None:
    document = lockstep("check", "--simulate", "transfer.psm", "--runs", "50", "--format", "json").json
    (check,) = document["specs"][0]["checks"]
    sample = check["sample"]
    assert (sample["seed"], sample["runs"], sample["depth"], sample["schedule"], sample["bug_depth"]) == (
        0,
        50,
        100,
        "mixed",
        3,
    )
    assert sample["counted"] is True
    assert sample["found"]["PaidOnce"]["minimal"] is True
    assert check["engine"] == "simulation"
    verdicts = {p["name"]: p["verdict"] for p in check["properties"]}
    assert verdicts == {
        "PaidOnce": "violated", "Finished": "holds", "NoError": "incomplete", "NoDeadlock": "incomplete",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("args", "text"),
    [
        (["--runs", "3"], "`--runs` belongs to `--simulate`"),
        (["--seed", "3"], "`--seed` belongs to `--simulate`"),
        (["--schedule", "pct"], "`--schedule` belongs to `--simulate`"),
        (["--simulate", "--engine", "native"], "`--simulate` excludes `--engine`"),
        (["--simulate", "--max-states", "5"], "`--simulate` excludes `--max-states`"),
        (["--simulate", "--workers", "2"], "`--simulate` excludes `--workers`"),
        (["--simulate", "--checkpoint", "d"], "`--simulate` excludes `--checkpoint`"),
        (["--simulate", "--schedule", "random", "--bug-depth", "2"], "`--bug-depth` belongs to the schedules"),
        (["--simulate", "--depth", "1000000"], "a run has at most 100,000 steps"),
    ],
)
def test_options_that_do_not_fit(args: list[str], text: str) -> None:
    done = lockstep("check", "transfer.psm", *args)
    assert done.code == 2
    assert text in done.err


def test_a_limit_on_time_decides_how_many_runs() -> None:
    done = lockstep("check", "--simulate", "counter.psm", "--check", "one", "--timeout", "0.2", "--format", "json")
    (check,) = done.json["specs"][0]["checks"]
    assert check["reason"].endswith("the limit on time was reached")
    assert 0.15 < check["seconds"] < 5


def test_progress() -> None:
    estimate = Estimate(Limits())
    reports = [Progress(50, runs * 20, 30, 0, runs / 100, 0, runs, 1_000) for runs in (0, 100, 200)]
    for progress in reports:
        estimate.add(progress)
    line = progress_line("S c", reports[-1], estimate)
    bar = "[====                ]"
    assert line == f"S c: {bar} 200 of 1,000 runs · 4,000 steps · 2,000/s · 50 states met · 2.0 s · about 8 s left"
    endless = Progress(50, 4_000, 30, 0, 2.0, 0, 200, None)
    assert progress_line("S c", endless, Estimate(Limits())).startswith("S c: 200 runs · 4,000 steps")


def test_nothing_is_said_twice_or_of_what_was_not_done() -> None:
    Path("two.psm").write_text(
        "spec Two\nrole A[2] symmetric { durable x: 0..2 = 0  fair action Up when x < 2 { x += 1 } }\n"
        "invariant Fine: true\nlive Ends: eventually (forall a in A: a.x == 2)\nlive Too: eventually true\n"
        "final: forall a in A: a.x == 2\ncheck c { expect holds Ends, Too }",
        encoding="utf-8",
    )
    done = lockstep("check", "--simulate", "two.psm", "--runs", "5")
    assert done.out.count("only sampled") == 1
    assert re.search(r"^  · Fine +invariant  open$", done.out, re.MULTILINE)
    assert "symmetry" not in done.out
    assert "explored without symmetry, since Ends, Too are judged over all states" in lockstep("check", "two.psm").out
