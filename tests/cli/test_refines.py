"""What users see of a refinement that fails: both levels side by side, in the terminal, as JSON, and on a page."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from checker.site.gather import SpecFile, gather
from checker.site.store import Store
from checker.site.traces import failures, trace_html
from tests.cli.support import lockstep

LIGHT = """spec Light
shared durable lit: bool = false
role Lamp { action Switch when not lit { lit := true } }
"""
VOTES = """spec Votes
shared durable yes: Set[Voter] = {}
role Voter[2] {
  action Vote when self not in yes { yes += self }
  action Withdraw when self in yes { yes -= self }
}
refines Light { lit = size(yes) == 2 }
final: true
check c { expect fails Light }
"""


@pytest.fixture
def votes(tmp_path: Path) -> Path:
    (tmp_path / "light.psm").write_text(LIGHT, encoding="utf-8")
    (tmp_path / "votes.psm").write_text(VOTES, encoding="utf-8")
    return tmp_path / "votes.psm"


def test_the_terminal_shows_both_levels(votes: Path) -> None:
    lines = lockstep("check", votes, "--traces").out.splitlines()
    at = next(i for i, line in enumerate(lines) if "Light is violated after 3 steps:" in line)
    assert [re.split(r"\s{2,}", line.strip()) for line in lines[at + 1 : at + 8]] == [
        ["Light"],
        ["0", "initial state", "yes = {}", "lit = false"],
        ["1", "Voter0.Vote()", "yes: {} → {Voter0}", "stutters"],
        ["2", "Voter1.Vote()", "yes: {Voter0} → {Voter0, Voter1}", "Lamp.Switch()"],
        ["lit: false → true"],
        ["3", "Voter0.Withdraw()", "yes: {Voter0, Voter1} → {Voter1}", "no step does this"],
        ["lit: true → false"],
    ]


def test_json_has_both_levels(votes: Path) -> None:
    document = lockstep("check", votes, "--format", "json").json
    (light,) = [p for p in document["specs"][0]["checks"][0]["properties"] if p["kind"] == "refines"]
    assert light["abstract"] == {
        "spec": "Light",
        "initial": {"lit": False},
        "matched": True,
        "steps": [
            {"step": None, "changes": {}, "matched": True},
            {"step": "Lamp.Switch()", "changes": {"lit": True}, "matched": True},
            {"step": None, "changes": {"lit": False}, "matched": False},
        ],
    }
    walked = lockstep("trace", votes, "--to", "Light", "--format", "json").json
    assert walked["abstract"] == light["abstract"]


def test_an_abstract_spec_that_is_missing_is_said_with_its_places(votes: Path) -> None:
    (votes.parent / "light.psm").unlink()
    done = lockstep("check", votes)
    assert done.code == 2
    assert "votes.psm:7:9: error PSM411: there is no spec Light" in done.err + done.out
    assert (done.err + done.out).count("light.psm") >= 3


def test_a_page_shows_both_levels(votes: Path) -> None:
    (facts,) = gather([SpecFile("specs/a/votes.psm", VOTES, str(votes.parent))], Store(None))
    (shown,) = [s for s in failures(facts) if s.result.name == "Light"]
    drawn, _, html = trace_html(facts, shown).partition("<details")
    assert (drawn.count(">no step does this<"), drawn.count(">Lamp.Switch()<")) == (1, 1)
    assert html.count('<div class="ls-abstract">') == 4
    assert html.count("stutters") == html.count("no step does this") == html.count("Lamp.Switch()") == 1


def test_a_page_is_made_anew_when_the_abstract_spec_changes(votes: Path, tmp_path: Path) -> None:
    store = Store(tmp_path / "store")
    file = SpecFile("specs/a/votes.psm", VOTES, str(votes.parent))
    before = gather([file], store)[0].checks[0].result.property("Light")
    (votes.parent / "light.psm").write_text(LIGHT.replace("when not lit", "").replace("true", "not lit"))
    after = gather([file], store)[0].checks[0].result.property("Light")
    assert (before.verdict.value, after.verdict.value) == ("violated", "holds")
