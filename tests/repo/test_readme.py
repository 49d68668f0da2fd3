"""The first spec of the README does at each stage what the text beside it says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import checker
from checker.properties.kinds import CheckVerdict, Verdict

README = (Path(__file__).resolve().parents[2] / "README.md").read_text(encoding="utf-8")
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


def test_every_marked_output_is_filled_in() -> None:
    assert re.findall(r"<!-- output: (.*?) -->\n```text\n```", README) == []
