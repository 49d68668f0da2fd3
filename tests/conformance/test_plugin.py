"""The pytest plugin, run by pytest in a process of its own."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

ROOT = Path(__file__).resolve().parents[2]
pytest_plugins = ["pytester"]

TESTS = """
import pytest
from checker.conformance.record import Entry, Kind, Record
from tests.conformance.test_replay import Greedy
from tests.conformance.toy import Library

@pytest.mark.lockstep(spec="library.psm", check="calm")
def test_right(lockstep):
    report = lockstep.conform(Library)
    assert report.coverage.transitions.ratio == 1

@pytest.mark.lockstep(spec="library.psm", check="calm", modes=("explore",), runs=60)
def test_wrong(lockstep):
    lockstep.conform(Greedy, name="<Greedy>")

@pytest.mark.lockstep(spec="library.psm", check="calm")
def test_record(lockstep):
    took = Entry(0.0, "Reader", Kind.ACTION, "Take", {"wanted": "Book1"}, {"hands": ["Book1"]})
    lockstep.validate(Record((took,)))

@pytest.mark.lockstep(spec="library.psm", check="calm")
def test_wrong_record(lockstep):
    took = Entry(0.0, "Reader", Kind.ACTION, "Take", {"wanted": "Book1"}, {"hands": []})
    lockstep.validate(Record((took,)))

@pytest.mark.lockstep(spec="library.psm", check="calm", modes=("explore",), runs=1, steps=1)
def test_too_little(lockstep):
    lockstep.conform(Library)

def test_unmarked(lockstep):
    lockstep.conform(Library)

@pytest.mark.lockstep(spec="library.psm", chek="calm")
def test_misspelt(lockstep):
    lockstep.conform(Library)
"""


@pytest.fixture
def run(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    from tests.conformance.toy import TEXT

    # whether the plugin is installed or not, it is loaded once
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    pytester.path.joinpath("library.psm").write_text(TEXT)
    pytester.makepyfile(TESTS)
    pytester.makeini("[pytest]\naddopts = -p checker.conformance.plugin -p no:cacheprovider --strict-markers\n")
    return pytester


def test_results_and_reports(run: pytest.Pytester) -> None:
    result = run.runpytest_subprocess(
        "--lockstep-html=page.html", "--lockstep-save=again", "--junitxml=results.xml", "--lockstep-min-coverage=95"
    )
    result.assert_outcomes(passed=2, failed=4, errors=1)
    text = result.stdout.str()
    for line in (
        "mismatch: <Greedy> and Library, check calm",
        "The implementation leaves the spec in step ",
        "The spec does not allow entry 1 of the record, Take.",
        "lacks    never taken: ",
        'which spec? Write @pytest.mark.lockstep(spec="…", check="…") above the test',
        "the marker `lockstep` does not know chek; it takes spec, check,",
        "2 conforms, 2 mismatch, 1 incomplete",
        "covered: Library, check calm: 5 of 5 steps, 105 of 105 transitions, ",
        "page: page.html",
    ):
        assert line in text
    properties = {
        case.get("name"): {p.get("name"): p.get("value") for p in case.iter("property")}
        for case in ET.parse(run.path / "results.xml").iter("testcase")
    }
    assert properties["test_right"]["lockstep covered transitions"] == "105 of 105"
    assert properties["test_right"]["lockstep observed"] == "2 of 3 variables"
    assert properties["test_wrong"]["lockstep result"] == "mismatch"
    assert properties["test_wrong_record"]["lockstep entries"] == "0 of 1"
    page = (run.path / "page.html").read_text()
    assert "&lt;Greedy&gt;" in page and "<Greedy>" not in page
    assert page.count("<svg") == 2, "the way of the exploration, and that of the record that is allowed"
    assert "explore_again(adapter" in page

    # what failed is repeated, by a file and by choices
    (saved,) = (run.path / "again").iterdir()
    assert json.loads(saved.read_text())["mode"] == "explore"
    again = run.runpytest_subprocess(f"--lockstep-replay={saved}")
    again.assert_outcomes(failed=1, deselected=6)
    choices = re.search(r"--lockstep-choices='\[([0-9,]*)\]'", text)
    assert choices is not None
    direct = run.runpytest_subprocess("-k", "test_wrong and not record", f"--lockstep-choices={choices[1]}")
    direct.assert_outcomes(failed=1, deselected=6)
    assert "1 runs" in direct.stdout.str()


def test_coverage_is_demanded_of_all_tests_together(run: pytest.Pytester) -> None:
    few = run.runpytest_subprocess("-k", "test_record", "--lockstep-min-coverage=50%")
    few.assert_outcomes(passed=1, deselected=6)
    assert few.ret == pytest.ExitCode.TESTS_FAILED
    few.stdout.fnmatch_lines(
        ["incomplete: Library, check calm: 1 of 105 transitions were taken, and 50.0% are demanded"]
    )
    enough = run.runpytest_subprocess("-k", "test_right or test_record", "--lockstep-min-coverage=50")
    assert enough.ret == pytest.ExitCode.OK


def test_options_go_before_markers(run: pytest.Pytester) -> None:
    result = run.runpytest_subprocess("-k", "test_right", "--lockstep-mode=replay", "-rA")
    result.assert_outcomes(passed=1, deselected=6)
    wrong = run.runpytest_subprocess("--lockstep-mode=reply")
    assert wrong.ret == pytest.ExitCode.USAGE_ERROR
    missing = run.runpytest_subprocess("--lockstep-replay=nothing.json")
    assert missing.ret == pytest.ExitCode.USAGE_ERROR
    missing.stderr.fnmatch_lines(["*--lockstep-replay: nothing.json cannot be used*"])


STAGED = """
import pytest
from tests.conformance.toy import Amnesiac, Staged

@pytest.mark.lockstep(spec="library.psm", modes=("replay", "scenes"))
def test_right(lockstep):
    assert [phase.scene for phase in lockstep.conform(Staged).phases][1:] == ["a book comes back", "the shelf's crash"]

@pytest.mark.lockstep(spec="library.psm", check="calm", modes=("replay", "scenes"))
def test_of_one_check(lockstep):
    assert [phase.scene for phase in lockstep.conform(Amnesiac).phases][1:] == ["a book comes back"]

@pytest.mark.lockstep(spec="library.psm")
def test_wrong(lockstep):
    lockstep.conform(Amnesiac, runs=5)
"""


def test_scenes(run: pytest.Pytester) -> None:
    file = run.makepyfile(test_staged=STAGED)
    result = run.runpytest_subprocess(
        file, "--lockstep-save=again", "--junitxml=results.xml", "--lockstep-html=page.html"
    )
    result.assert_outcomes(passed=2, failed=1)
    results = ET.parse(run.path / "results.xml")
    scenes = [p.get("value") for p in results.iter("property") if p.get("name") == "lockstep scenes"]
    assert scenes == ["2 of 2 conform", "1 of 1 conform", "1 of 2 conform"]
    assert "rough, the shelf&#x27;s crash" in (run.path / "page.html").read_text()
    (saved,) = (run.path / "again").iterdir()
    by_file = run.runpytest_subprocess(f"--lockstep-replay={saved}")
    line = re.search(r"Or:    pytest (.*--lockstep-scene=.*)", result.stdout.str())
    assert line is not None
    for again in (by_file, run.runpytest_subprocess(*shlex.split(line[1]))):
        assert again.parseoutcomes()["failed"] == 1
        text = again.stdout.str()
        assert "(Library, check rough)" in text
        assert "  replay " not in text, "nothing else is done"
    unknown = run.runpytest_subprocess(file, "--lockstep-scene=other", "-k", "test_wrong")
    unknown.assert_outcomes(failed=1, deselected=2)
    assert "Amnesiac has no scene `other`; it has a book comes back, the shelf's crash" in unknown.stdout.str()


SCENARIOS = """
import pytest
from refimpl.adapters.two_phase_commit_runs import TwoPhaseCommitRuns

@pytest.mark.lockstep(spec="commit.psm", check="recovery", runs=30)
def test_runs(lockstep):
    result = lockstep.simulate(TwoPhaseCommitRuns)
    assert result.runs == 30

@pytest.mark.lockstep(spec="commit.psm", check="recovery", runs=30)
def test_wrong_runs(lockstep):
    lockstep.simulate(TwoPhaseCommitRuns.mistakes()["NeverSyncs"], name="never syncs")

@pytest.mark.lockstep(spec="commit.psm", check="recovery", runs=1)
def test_few_runs(lockstep):
    lockstep.simulate(TwoPhaseCommitRuns)
"""


def test_scenarios(run: pytest.Pytester) -> None:
    spec = ROOT / "specs/transactions/two_phase_commit.psm"
    file = run.makepyfile(test_scenarios=SCENARIOS.replace("commit.psm", str(spec)))
    result = run.runpytest_subprocess(file, "--lockstep-html=page.html")
    result.assert_outcomes(passed=1, failed=2)
    text = result.stdout.str()
    assert "1 conforms, 1 mismatch, 1 incomplete" in text
    assert "lacks: no run shows" in text
    again = re.search(r"--lockstep-seed=(\d+) --lockstep-runs=1", text)
    assert again is not None
    repeated = run.runpytest_subprocess(file, "-k", "test_wrong_runs", *again[0].split())
    repeated.assert_outcomes(failed=1, deselected=2)
    assert f"The run with seed {again[1]} fails:" in repeated.stdout.str()
    assert (run.path / "page.html").read_text().count("<svg") == 1
