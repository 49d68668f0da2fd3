"""`lockstep conform SPEC` and `lockstep mutate`: what a user sees, and exit codes."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

import pytest

from checker.conformance.record import Entry, Kind, Record, read_record, text_of
from tests.cli.support import lockstep
from tests.conformance.toy import TEXT

SPECS = Path(__file__).resolve().parents[2] / "specs"
ADAPTER = "tests.conformance.toy:Library"
WRONG = "tests.conformance.test_replay:Greedy"


@pytest.fixture
def spec(tmp_path: Path) -> Path:
    path = tmp_path / "library.psm"
    path.write_text(TEXT)
    return path


def record(path: Path, *entries: Entry, truncated: bool = False) -> Path:
    path.write_text(text_of(Record(entries, {}, truncated)))
    return path


TAKE = Entry(0.0, "Reader", Kind.ACTION, "Take", {"wanted": "Book1"}, {"hands": ["Book1"]})
RETURN = Entry(1.0, "Reader", Kind.ACTION, "Return", {}, {"hands": []})
OTHERS = "Shelf.Put,Reader.Thanks"

# ---- adapters


def test_adapter_that_conforms(spec: Path, tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    result = lockstep("conform", spec, "--adapter", ADAPTER, "--mode", "replay,probe", "--html", page)
    assert result.code == 0
    lines = result.out.splitlines()
    assert lines[0] == f"conforms: {ADAPTER} and Library, check calm"
    assert lines[1].startswith("  replay   conforms: 105 of 105 transitions")
    assert lines[2].startswith("  probe    refused: 94 forbidden steps tried in 32 states")
    assert lines[4] == "  observed 2 of 3 variables; not network"
    assert "105 of 105" in page.read_text()


def test_adapter_that_does_not(spec: Path) -> None:
    result = lockstep("conform", spec, "--adapter", WRONG, "--mode", "explore")
    assert result.code == 1
    assert "The implementation leaves the spec in step" in result.out
    choices = result.out.rstrip().rpartition("explore_again(adapter, ")[2].rstrip(")")
    again = lockstep("conform", spec, "--adapter", WRONG, "--choices", choices)
    assert again.code == 1
    assert "1 runs" in again.out
    assert again.out.rpartition("The implementation")[2] == result.out.rpartition("The implementation")[2]


def test_adapter_as_json(spec: Path) -> None:
    result = lockstep("conform", spec, "--adapter", WRONG, "--mode", "replay", "--json")
    assert result.code == 1
    document = json.loads(result.out)
    assert document["result"] == "mismatch"
    (phase,) = document["phases"]
    assert phase["mismatch"]["fields"][0]["sight"] == "different"
    assert len(phase["trace"]["steps"]) == len(phase["mismatch"]["matched"]) + 1


def test_scenes_are_gone_through(spec: Path, tmp_path: Path) -> None:
    staged, amnesiac = "tests.conformance.toy:Staged", "tests.conformance.toy:Amnesiac"
    result = lockstep("conform", spec, "--adapter", staged, "--mode", "replay,scenes")
    assert result.code == 0
    assert [line.split()[0] for line in result.out.splitlines()[1:4]] == ["replay", "scenes", "scenes"]
    assert "scenes" not in lockstep("conform", spec, "--adapter", staged, "--mode", "replay").out
    assert lockstep("conform", spec, "--check", "calm", "--adapter", amnesiac, "--mode", "scenes").code == 0
    page = tmp_path / "page.html"
    wrong = lockstep("conform", spec, "--adapter", amnesiac, "--mode", "scenes", "--html", page)
    assert wrong.code == 1
    assert "The implementation leaves the spec in step 4 (Library, check rough)." in wrong.out
    assert "rough, the shelf&#x27;s crash" in page.read_text() and page.read_text().count("<svg") == 1
    *again, flag, name = shlex.split(wrong.out.rstrip().rpartition("Or:    lockstep ")[2])
    assert (flag, name) == ("--scene", "the shelf's crash")
    repeated = lockstep(*again, flag, name)
    assert repeated.code == 1
    assert repeated.out.rpartition("The implementation")[2] == wrong.out.rpartition("The implementation")[2]
    phase = json.loads(lockstep(*again, flag, name, "--json").out)["phases"][0]
    assert (phase["mode"], phase["scene"], phase["mismatch"]["step"]) == ("scenes", name, "Shelf.restart")
    assert phase["processes"] == ["Reader", "Shelf"]
    unknown = lockstep(*again, flag, "the shelf")
    assert unknown.code == 2
    assert "PSM871" in unknown.err and "Amnesiac has no scene `the shelf`" in unknown.err
    assert "`--mode scenes` goes through all of them" in unknown.err


def test_too_small_a_coverage_is_incomplete(spec: Path) -> None:
    result = lockstep(
        "conform", spec, "--adapter", ADAPTER, "--check", "rough", "--mode", "replay", "--min-coverage", "95"
    )
    assert result.code == 3
    assert "of the transitions were taken, and 95.0% are demanded" in result.out


@pytest.mark.parametrize(
    ("adapter", "message"),
    [
        ("tests.conformance.toy", "names no adapter"),
        ("tests.conformance.nowhere:Library", "cannot be imported"),
        ("tests.conformance.toy:Libary", "did you mean `Library`?"),
        ("tests.conformance.toy:TEXT", "is no subclass of Adapter"),
        ("refimpl.adapters.two_phase_commit:TwoPhaseCommit", "does not fit the spec Library"),
    ],
)
def test_adapter_that_cannot_be_used(spec: Path, adapter: str, message: str) -> None:
    result = lockstep("conform", spec, "--adapter", adapter)
    assert result.code == 2
    assert "PSM871" in result.err
    assert message in result.err
    if message.startswith("does not fit"):
        assert "\n   note: Reader.Take: not accounted for; write `@step(" in result.err


# ---- scenarios

COMMIT = SPECS / "transactions/two_phase_commit.psm"
SCENARIO = "refimpl.adapters.two_phase_commit_runs:TwoPhaseCommitRuns"


def test_runs_that_the_spec_allows(tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    simulate = ("conform", COMMIT, "--check", "recovery", "--simulate", SCENARIO)
    result = lockstep(*simulate, "--runs", "30", "--html", page)
    assert result.code == 0
    assert result.out.startswith(
        f"conforms: {SCENARIO} and TwoPhaseCommit, check recovery, in 30 runs with seeds from 0: "
    )
    assert "4 of 8 variables observed" in result.out
    assert "in 30 runs" in page.read_text()
    few = lockstep(*simulate, "--runs", "1")
    assert few.code == 3
    assert "in 1 run with" in few.out
    assert "lacks: no run shows TM.GiveUp" in few.out
    rare = few.out.rpartition("no run shows ")[2].strip().replace(", ", ",")
    assert lockstep(*simulate, "--runs", "1", "--rare", rare).code == 0


def test_runs_that_the_spec_does_not_allow(tmp_path: Path) -> None:
    """A check without crashes does not allow that anything is forgotten in one."""
    file, page = tmp_path / "run.jsonl", tmp_path / "page.html"
    simulate = ("conform", COMMIT, "--check", "small", "--simulate", SCENARIO)
    result = lockstep(*simulate, "--record", file, "--html", page)
    assert result.code == 1
    document = json.loads(lockstep(*simulate, "--json").out)
    seed = document["failing"]["seed"]
    assert f"The run with seed {seed} fails:" in result.out
    assert "The spec does not allow entry" in result.out
    assert page.read_text().count("<svg") == 1
    with file.open() as lines:
        assert read_record(lines).about["seed"] == seed
    again = lockstep(*simulate, "--seed", seed, "--runs", "1", "--json")
    assert json.loads(again.out)["failing"] == document["failing"]
    reference = (SPECS.parent / "docs/reference/json.md").read_text()
    assert all(f"`{key}`" in reference for key in (*document, *document["failing"]) if key != "version")


def test_scenario_that_cannot_be_used() -> None:
    result = lockstep("conform", COMMIT, "--simulate", "refimpl.adapters.two_phase_commit:TwoPhaseCommit")
    assert result.code == 2
    assert "is no subclass of Scenario" in result.err
    assert "`--simulate` needs a spec" in lockstep("conform", "--simulate", SCENARIO).err
    unknown = lockstep("conform", SPECS / "consensus/paxos.psm", "--simulate", SCENARIO)
    assert unknown.code == 2
    assert "error PSM873: KeyError: 'RM'\n   note: " in unknown.err
    assert "two_phase_commit_runs.py, line " in unknown.err


@pytest.mark.parametrize("method", ["__init__", "observe"])
def test_what_an_adapter_raises_is_not_a_mistake_of_this_program(spec: Path, method: str, tmp_path: Path) -> None:
    lines = ["import json", "from tests.conformance.toy import Library", "class Broken(Library):"]
    lines += [f"    def {method}(self, *args): json.loads('nonsense')"]
    (tmp_path / f"broken_{method}.py").write_text("\n".join(lines))
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(tmp_path)
        result = lockstep("conform", spec, "--adapter", f"broken_{method}:Broken", "--json")
    assert result.code == 2
    assert "error PSM873: JSONDecodeError: Expecting value: line 1 column 1 (char 0)" in result.err
    assert f"broken_{method}.py, line 4, in {method}" in result.err
    assert [d["code"] for d in result.json["diagnostics"]] == ["PSM873"]


# ---- records


def test_record_that_is_allowed(spec: Path, tmp_path: Path) -> None:
    file = record(tmp_path / "run.jsonl", TAKE, RETURN)
    result = lockstep("conform", spec, "--trace", file, "--rare", OTHERS)
    assert result.code == 0
    assert result.out.startswith("conforms: 2 of 2 entries match Library, check calm")
    strict = lockstep("conform", spec, "--trace", file)
    assert strict.code == 3
    assert "no record shows Reader.Thanks, Shelf.Put" in strict.out


def test_record_that_is_not(spec: Path, tmp_path: Path) -> None:
    file = record(tmp_path / "run.jsonl", TAKE, TAKE)
    result = lockstep("conform", spec, "--trace", file)
    assert result.code == 1
    assert "The spec does not allow entry 2 of the record, Take." in result.out
    assert "guard: " in result.out
    document = json.loads(lockstep("conform", spec, "--trace", file, "--json").out)
    assert document["traces"][0]["refused"]["states"][0]["refusals"][0]["by"] == "guard"


def test_record_that_was_cut_off(spec: Path, tmp_path: Path) -> None:
    cut = record(tmp_path / "cut.jsonl", TAKE, RETURN, truncated=True)
    result = lockstep("conform", spec, "--trace", cut, "--rare", OTHERS)
    assert result.code == 3
    assert "lacks: the record was cut off" in result.out


def test_record_in_other_words(spec: Path, tmp_path: Path) -> None:
    words = Entry(0.0, "bob", Kind.ACTION, "grab", {"wanted": "Book0"}, {"bag": ["Book0"]})
    file = record(tmp_path / "run.jsonl", words)
    unknown = lockstep("conform", spec, "--trace", file)
    assert unknown.code == 2
    assert "PSM872" in unknown.err
    mapping = tmp_path / "mapping.json"
    mapping.write_text('{"steps": {"grab": "Reader.Take"}, "nodes": {"bob": "Reader"}, "variables": {"bag": "hands"}}')
    known = lockstep("conform", spec, "--trace", file, "--mapping", mapping, "--rare", f"{OTHERS},Reader.Return")
    assert known.code == 0


def test_files_that_are_none(spec: Path, tmp_path: Path) -> None:
    assert "PSM001" in lockstep("conform", spec, "--trace", tmp_path / "nothing").err
    other = tmp_path / "other"
    other.write_text("{}\n")
    assert "PSM872" in lockstep("conform", spec, "--trace", other).err
    other.write_bytes(b"\xff\xfe\x00")
    assert "PSM872" in lockstep("conform", spec, "--trace", other).err
    file = record(tmp_path / "run.jsonl", TAKE)
    assert "PSM872" in lockstep("conform", spec, "--trace", file, "--mapping", other).err


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ([], "give one of `--adapter MODULE:CLASS`"),
        (["--adapter", ADAPTER, "--trace", "x"], "give one of"),
        (["--adapter", ADAPTER, "--budget", "3"], "`--budget` belongs to `--trace`"),
        (["--trace", "x", "--runs", "3"], "`--runs` belongs to `--adapter`"),
        (["--trace", "x", "--rare", "Shelf.Putt"], "Shelf.Putt, which is no step of Library"),
        (["--adapter", ADAPTER, "--mode", "guess"], "`guess` is no mode"),
        (["--trace", "x", "--scene", "any"], "`--scene` belongs to `--adapter`"),
        (["--adapter", ADAPTER, "--choices", "1,x"], "`1,x` is no list of whole numbers"),
        (["--adapter", ADAPTER, "--choices", "999"], "choice 1 is 999"),
        (["--history", "x"], "leave SPEC out"),
    ],
)
def test_options_that_do_not_fit(spec: Path, options: list[str], message: str) -> None:
    result = lockstep("conform", spec, *options)
    assert result.code == 2
    assert message in result.err


def test_spec_is_needed() -> None:
    result = lockstep("conform", "--adapter", ADAPTER)
    assert result.code == 2
    assert "`--adapter` needs a spec" in result.err


# ---- mutate


def test_mutants_of_a_spec(spec: Path, tmp_path: Path) -> None:
    output = tmp_path / "kill.json"
    result = lockstep("mutate", spec, "--kind", "spec", "--check", "calm", "--output", output)
    assert result.code == 0
    assert "mutants of the spec" in result.out
    assert "killed" in result.out
    document = json.loads(output.read_text())
    assert document["groups"][0]["detectors"] == ["properties", "counts"]
    demanding = lockstep("mutate", spec, "--kind", "spec", "--check", "calm", "--min-score", "100")
    assert demanding.code == (0 if document["groups"][0]["score"] == 1 else 1)


def test_mutants_that_were_not_run_are_incomplete(spec: Path) -> None:
    result = lockstep("mutate", spec, "--kind", "spec", "--time", "0.000001", "--format", "json")
    assert result.code == 3
    assert json.loads(result.out)["complete"] is False


def test_mutate_without_small_checks(spec: Path) -> None:
    result = lockstep("mutate", spec, "--max-states", "2")
    assert result.code == 2
    assert "no check of Library has at most 2 states" in result.err
    assert "PSM502" in lockstep("mutate", spec, "--check", "clam").err
    assert "`scenes` is no mode" in lockstep("mutate", spec, "--mode", "scenes").err
    assert "`specs` cannot be broken" in lockstep("mutate", spec, "--kind", "specs").err
