"""The first spec of the README does at each stage what the text beside it says."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

import checker
from checker.properties.kinds import CheckVerdict, Verdict
from tests.cli.support import lockstep, steady

PAGE = Path(__file__).resolve().parents[2] / "README.md"
README = PAGE.read_text(encoding="utf-8")
OUTPUT = re.compile(r"^<!-- output: (lockstep check .*?) -->\n```text\n(.*?)^```$", re.MULTILINE | re.DOTALL)
BLOCKS = re.findall(r"^```psm\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)
ROLE = re.compile(r"^role Bank \{.*?^\}\n", re.MULTILINE | re.DOTALL)
LINE = re.compile(r"^    if not seen .*\n", re.MULTILINE)


def stages() -> dict[str, str]:
    """The text of the spec as it grows, by the name of the step that makes it."""
    first, repaired, crash, atomic = BLOCKS
    remembering = ROLE.sub(lambda _: repaired, first)
    crashing = remembering + crash
    return {
        "begin": first,
        "repair": remembering,
        "crash": crashing,
        "atomic": LINE.sub(lambda _: atomic, crashing),
        "volatile": LINE.sub(lambda _: atomic, crashing).replace("durable seen", "volatile seen"),
    }


@pytest.mark.parametrize(
    ("stage", "check", "verdict", "steps"),
    [
        ("begin", "calm", CheckVerdict.FAIL, 3),
        ("repair", "calm", CheckVerdict.PASS, None),
        ("crash", "calm", CheckVerdict.PASS, None),
        ("crash", "crash", CheckVerdict.FAIL, 4),
        ("atomic", "calm", CheckVerdict.PASS, None),
        ("atomic", "crash", CheckVerdict.PASS, None),
        ("volatile", "crash", CheckVerdict.FAIL, None),
    ],
)
def test_first_spec(stage: str, check: str, verdict: CheckVerdict, steps: int | None, tmp_path: Path) -> None:
    path = tmp_path / "transfer.psm"
    path.write_text(stages()[stage], encoding="utf-8")
    result = checker.load(path).check(check)
    assert result.verdict is verdict
    paid_once = result.property("PaidOnce")
    assert paid_once.verdict is (Verdict.HOLDS if verdict is CheckVerdict.PASS else Verdict.VIOLATED)
    if steps is not None:
        assert paid_once.trace is not None
        assert len(paid_once.trace.steps) == steps


@pytest.mark.parametrize(
    ("number", "stage", "args"),
    [(0, "begin", []), (1, "repair", []), (2, "crash", ["--check", "crash"]), (3, "atomic", [])],
)
def test_output_is_what_the_command_prints(
    number: int, stage: str, args: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With `LOCKSTEP_UPDATE_GOLDEN=1` the page is written anew."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "transfer.psm").write_text(stages()[stage], encoding="utf-8")
    printed = lockstep("check", "transfer.psm", *args).out
    found = list(OUTPUT.finditer(PAGE.read_text(encoding="utf-8")))[number]
    assert " ".join(["lockstep check transfer.psm", *args]) == found.group(1)
    if os.environ.get("LOCKSTEP_UPDATE_GOLDEN") and steady(found.group(2)) != steady(printed):
        text = PAGE.read_text(encoding="utf-8")
        PAGE.write_text(text[: found.start(2)] + printed + text[found.end(2) :], encoding="utf-8")
    else:
        assert steady(found.group(2)) == steady(printed)


def test_every_marked_output_is_filled_in() -> None:
    assert re.findall(r"<!-- output: (.*?) -->\n```text\n```", README) == []
