"""What the editor asks of the checker, without a browser: diagnostics, results within limits, and nothing native."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from checker.site.browser import ANCHOR, EditedSpec
from checker.site.editor.archive import archive, parser_tables, python_files
from checker.site.words import Words, read_catalogue
from tests.site.conftest import HOSTILE, RELAY

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def spec(tmp_path: Path) -> EditedSpec:
    return EditedSpec(tmp_path, "relay.psm")


def edit(spec: EditedSpec, text: str) -> dict[str, Any]:
    return dict(json.loads(spec.edit(text)))


def run(spec: EditedSpec, check: str, states: int = 10_000, seconds: float = 60.0) -> dict[str, Any]:
    return dict(json.loads(spec.run(check, states, seconds)))


def test_a_good_text_has_checks_and_no_diagnostics(spec: EditedSpec) -> None:
    assert edit(spec, RELAY) == {"checks": ["small", "lossy", "three", "strict"], "diagnostics": []}


def test_errors_have_places_in_the_text(spec: EditedSpec) -> None:
    told = edit(spec, RELAY.replace("seen += n", "seen += m"))
    assert told["checks"] == []
    (found,) = told["diagnostics"]
    line = RELAY.splitlines()[found["line"] - 1]
    assert (found["code"], found["here"]) == ("PSM201", True)
    assert line[found["column"] - 1 :].startswith("n  if n == 0")
    assert (found["end_line"], found["end_column"]) == (found["line"], found["column"] + 1)


def test_all_errors_of_the_syntax_and_of_all_checks_are_told_once(spec: EditedSpec) -> None:
    broken = RELAY + "\ncheck five { N = 5 }\ncheck more { M = 1 }\n"
    codes = [d["code"] for d in edit(spec, broken)["diagnostics"]]
    assert len(codes) == 2
    assert edit(spec, "spec X\n???")["checks"] == []


@pytest.mark.parametrize(("text", "code"), [("", "PSM005"), ("a\0b", "PSM003"), ("# é\n" * 300_000, "PSM004")])
def test_what_is_no_spec_is_refused_as_on_the_command_line(spec: EditedSpec, text: str, code: str) -> None:
    assert [d["code"] for d in edit(spec, text)["diagnostics"]] == [code]


def test_half_a_surrogate_pair_is_told_and_harms_nothing(spec: EditedSpec) -> None:
    assert edit(spec, f"spec X {chr(0xD800)}")["diagnostics"] != []


def test_results_grow_with_each_check(spec: EditedSpec) -> None:
    edit(spec, RELAY)
    first = run(spec, "small")
    assert first["verdict"] == "pass"
    assert "in this browser" in first["html"] and "<code>small</code>" in first["html"]
    assert "lossy" not in first["html"].replace("check lossy", "")
    second = run(spec, "three")
    assert second["verdict"] == "fail"  # `Calm` is expected to hold there
    assert "<code>small</code>" in second["html"] and "<code>three</code>" in second["html"]
    assert 'class="ls-sequence"' in second["html"]
    edit(spec, RELAY)
    assert "<code>small</code>" not in run(spec, "three")["html"]


def test_looking_at_another_text_changes_nothing_about_what_is_checked(spec: EditedSpec) -> None:
    told = edit(spec, RELAY)
    run(spec, "small")
    assert json.loads(spec.look("spec X\n???"))["checks"] == []
    assert json.loads(spec.explore("small"))["data"]["check"] == "small"
    assert json.loads(spec.look(RELAY.replace("check lossy", "check other")))["checks"] != told["checks"]
    html = run(spec, "lossy")["html"]
    assert "<code>small</code>" in html and "<code>lossy</code>" in html


def test_links_of_the_table_lead_to_traces_of_the_editor(spec: EditedSpec) -> None:
    edit(spec, RELAY)
    html = run(spec, "small")["html"]
    ids = re.findall(r' id="([^"]+)"', html)
    targets = [name for name in re.findall(r'href="#([^"]+)"', html) if not re.fullmatch(r"L\d+", name)]
    assert targets and set(targets) <= set(ids)
    assert all(name.startswith(ANCHOR) for name in ids)
    assert len(ids) == len(set(ids))


def test_states_are_given_to_the_explorer(spec: EditedSpec) -> None:
    edit(spec, RELAY)
    run(spec, "small")
    told = json.loads(spec.explore("small"))
    assert told["opens"] == "small/Calm"
    assert (told["data"]["check"], len(told["data"]["states"])) == ("small", 7)
    assert "<" not in spec.explore("small")
    with pytest.raises(KeyError):
        spec.explore("lossy")


def test_a_limit_makes_a_check_incomplete(spec: EditedSpec) -> None:
    edit(spec, RELAY)
    short = run(spec, "small", states=3)
    assert short["verdict"] == "incomplete"
    assert "the limit on states was reached" in short["html"]


def test_where_symmetry_is_used_a_limit_says_what_it_counts(spec: EditedSpec) -> None:
    text = "spec S\nrole R[4] symmetric { durable x: 0..3 = 0 action Up when x < 3 { x += 1 } }\nfinal: true\ncheck c { }\n"
    spec.words = Words("zh", read_catalogue(ROOT / "docs" / "zh" / "words.json"))
    edit(spec, text)
    assert "上限只计" not in run(spec, "c")["html"], "no limit was reached"
    short = run(spec, "c", states=10)["html"]
    found = re.search(r"<code>c</code>：上限只计 (\d+) 个状态，按对称性它们代表 (\d+) 个。", short)
    assert found is not None and int(found[1]) == 10 < int(found[2]) and f">{found[2]}<" in short


def test_progress_is_told(spec: EditedSpec, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("checker.engine.search.REPORT", 0.0)
    edit(spec, RELAY)
    told: list[str] = []
    spec.run("small", 10_000, 60.0, told.append)
    assert told and re.fullmatch(r"small: \d+ states? at depth \d+", told[0])


def test_specs_that_are_refined_are_found(tmp_path: Path) -> None:
    spec = EditedSpec(tmp_path, "two_phase_commit.psm")
    text = (ROOT / "specs" / "transactions" / "two_phase_commit.psm").read_text(encoding="utf-8")
    assert [d["code"] for d in edit(spec, text)["diagnostics"]] == ["PSM411"]
    abstract = ROOT / "specs" / "abstract" / "atomic_commit.psm"
    spec.supply({f"../../{abstract.name}": abstract.read_text(encoding="utf-8")})
    assert edit(spec, text)["diagnostics"] == []
    assert sorted(path.name for path in tmp_path.iterdir()) == ["atomic_commit.psm", "two_phase_commit.psm"]
    assert run(spec, "small")["verdict"] == "pass"


def test_hostile_text_stays_text(spec: EditedSpec) -> None:
    told = edit(spec, HOSTILE)
    assert told["checks"] == ["__c__"]
    html = run(spec, "__c__")["html"]
    tags = set(re.findall(r"<([a-z]+)", html))
    assert "script" not in tags and "img" not in tags
    assert "&lt;script&gt;alert(9)&lt;/script&gt;" in html
    assert not re.search(r"<[^>]* on[a-z]+=", html)


PROOF = """
import sys

class Nothing:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] not in allowed:
            raise ModuleNotFoundError(f"no {name} in a browser", name=name)

# Of the standard library a browser lacks what needs processes, threads or foreign functions.
lacking = {"ctypes", "multiprocessing", "concurrent", "socket", "ssl", "subprocess", "fcntl", "resource", "termios"}
allowed = (set(sys.stdlib_module_names) | {"checker", "lark"}) - lacking
sys.path[:] = [sys.argv[1], *(p for p in sys.path if "site-packages" not in p)]
sys.meta_path.insert(0, Nothing())
from pathlib import Path
from checker.site.browser import EditedSpec
import checker, lark
assert all(module.__file__.startswith(sys.argv[1]) for module in (checker, lark)), checker.__file__
spec = EditedSpec(Path(sys.argv[2]))
from checker.lang.lalr import SHIPPED_TABLES
assert Path(checker.__file__).with_name("lang").joinpath(SHIPPED_TABLES).is_file()
print(spec.edit(Path(sys.argv[3]).read_text()))
print(spec.run("small", 1000, 60.0))
"""


def test_the_archive_runs_without_any_other_package(tmp_path: Path) -> None:
    """The front end, the model, the interpreter and the search need Lark and nothing else: that is all the archive has."""
    (tmp_path / "checker.zip").write_bytes(archive(dict([*python_files().items(), parser_tables()])))
    unpacked, folder, relay = tmp_path / "packages", tmp_path / "spec", tmp_path / "relay.psm"
    shutil.unpack_archive(tmp_path / "checker.zip", unpacked)
    folder.mkdir()
    relay.write_text(RELAY, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-I", "-c", PROOF, str(unpacked), str(folder), str(relay)],
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    edited, ran = map(json.loads, done.stdout.splitlines())
    assert edited["checks"][0] == "small"
    assert ran["verdict"] == "pass"


def test_equal_sources_give_equal_archives() -> None:
    files = python_files()
    assert archive(files) == archive(dict(reversed(files.items())))
    assert "checker/lang/grammar.lark" in files
    assert not [name for name in files if name.startswith(("checker/cli", "checker/conformance", "checker/native/jit"))]
