"""The explorer says of a run what the checker says, and nothing of a spec becomes markup or script."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

import checker
from checker.render.explorer import explorer_data
from checker.render.values import Names, all_changes
from checker.site.explorer import SCRIPT, bundle, data_files, explorer_html
from checker.site.facts import SpecFacts
from checker.site.pages import build_pages, page_names
from checker.site.running import _story

ROOT = Path(__file__).resolve().parents[2]
HERE = Path(__file__).parent / "explorer"

SHAPES = """spec Shapes
enum Kind { plain, odd }
record Entry(term: 0..2, kind: Kind?)
message Note(e: Entry)
network fifo[2]
role Log[2] {
  durable entries: Seq[Entry, 2] = []
  durable seen: Map[Log, Set[0..9]] = {}
  durable best: Entry? = none
  action Append when size(entries) < 2 {
    entries := entries + [Entry(size(entries), odd)]
    best := Entry(1, none)
    for i in 0..9 { seen[self] += i }
    send Note(Entry(2, plain)) to Log
  }
  on Note(e) from l { best := e  seen[l] -= 3 }
}
reach Full: exists l in Log: size(l.entries) == 2 and l.best == Entry(2, plain)
final: true
check c { expect holds Full }
"""


@pytest.fixture(scope="module")
def node() -> str:
    found = shutil.which("node")
    if found is None:
        if os.environ.get("LOCKSTEP_REQUIRE_SERVICES") == "1":
            pytest.fail("these tests need `node` (JavaScript), and LOCKSTEP_REQUIRE_SERVICES forbids to skip them")
        pytest.skip("`node` is not installed")
    return found


def run(command: list[str], text: str = "") -> str:
    done = subprocess.run(command, input=text, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_its_logic(node: str) -> None:
    run([node, "--test", f"{HERE}{os.sep}"])


def load(name: str) -> checker.LoadedSpec:
    return checker.loads(SHAPES) if name == "shapes" else checker.load(ROOT / "specs" / f"{name}.psm")


@pytest.mark.parametrize(
    ("name", "check"),
    [("transactions/two_phase_commit", "heuristic"), ("transactions/outbox", "two_transactions"), ("shapes", "c")],
)
def test_runs_are_told_as_the_checker_tells_them(node: str, name: str, check: str, tmp_path: Path) -> None:
    spec = load(name)
    machine, result = spec.machine(check), spec.check(check)
    data = explorer_data(machine, result)
    names = Names(machine)
    told: list[dict[str, Any]] = json.loads(run([node, str(HERE / "follow.mjs")], json.dumps(data)))
    assert [t["name"] for t in told] == [p.name for p in result.properties if p.trace is not None]
    assert told
    for found, prop in zip(told, [p for p in result.properties if p.trace is not None], strict=True):
        trace = prop.trace
        assert trace is not None
        assert found["whole"] and found["same"]
        assert found["steps"] == [*(s.step for s in trace.steps), *([] if trace.error is None else [trace.error])]
        changes = [[c for c in step if not c.place.startswith("left of ")] for step in all_changes(trace, names)]
        assert found["changes"] == [[[c.kind, c.place, c.old, c.new] for c in step] for step in changes]
        assert found["first"] == list(_story(trace, names).initial)
        if name != "shapes":
            (tmp_path / "test_copied.py").write_text(found["test"], encoding="utf-8")
            passes(tmp_path / "test_copied.py", name)


def passes(path: Path, name: str) -> None:
    """Runs the tests of a file that was copied from the explorer, where the specs are."""
    text = path.read_text(encoding="utf-8")
    names: dict[str, Any] = {}
    spec = re.search(r'checker\.load\((".*?")\)', text)
    assert spec is not None
    assert json.loads(spec[1]).endswith(f"specs/{name}.psm")
    exec(compile(text, str(path), "exec"), names)
    tests = [value for key, value in names.items() if key.startswith("test_")]
    assert len(tests) == 1
    tests[0]()


def test_a_copied_test_fails_once_the_spec_has_changed() -> None:
    spec = checker.loads(SHAPES)
    assert spec.walk(["Log0.Append()"])[0]["Log0.best"] == {"term": 1, "kind": None}
    with pytest.raises(checker.SpecError, match=r"PSM906.*step 2, Log0\.Gone\(\), is not possible"):
        spec.walk(["Log0.Append()", "Log0.Gone()"])
    broken = checker.loads(SHAPES.replace("when size(entries) < 2", ""))
    with pytest.raises(checker.SpecError, match="goes wrong"):
        broken.walk(["Log0.Append()"] * 3)


# ---- script and data


def test_the_script_is_one_classic_script(node: str, tmp_path: Path) -> None:
    text = bundle()
    assert not re.search(r"^\s*(import|export)\b", text, re.MULTILINE)
    (tmp_path / "explorer.js").write_text(text, encoding="utf-8")
    run([node, "--check", str(tmp_path / "explorer.js")])


def test_modules_of_another_form_are_refused(tmp_path: Path) -> None:
    (tmp_path / "main.mjs").write_text('import * as x from "./y.mjs";\n', encoding="utf-8")
    with pytest.raises(AssertionError, match="import"):
        bundle(tmp_path)


def test_every_module_is_in_the_script_once() -> None:
    text = bundle()
    for path in (ROOT / "checker" / "site" / "assets" / "explorer").glob("*.mjs"):
        assert text.count(f"const module_{path.stem} =") == 1
        body = path.read_text(encoding="utf-8")
        assert "innerHTML" not in body and "eval(" not in body


class Elements(HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[dict[str, str]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "state-explorer":
            self.found.append({name: value or "" for name, value in attrs})


def test_pages_name_their_data(relay: SpecFacts, hostile: SpecFacts) -> None:
    specs = [relay, hostile]
    names = page_names(specs)
    files = build_pages(specs)
    assert files[SCRIPT] == bundle()
    for spec in specs:
        element = Elements(explorer_html(spec, names[spec.path])).found[0]
        checks = json.loads(element["checks"])
        assert [check for check, _ in checks] == [f.result.name for f in spec.checks]
        for check, file in checks:
            assert re.fullmatch(r"[\w/-]+\.js", file)
            call = re.fullmatch(r"lockstepExplorer\.provide\((\".*?\"), (\{.*\})\);\n", files[file], re.DOTALL)
            assert call is not None
            assert json.loads(call[1]) == file
            assert json.loads(call[2])["check"] == check
            assert "<" not in files[file]
    assert set(data_files(specs, names)) <= set(files)


def test_a_page_opens_on_a_flaw(relay: SpecFacts) -> None:
    assert Elements(explorer_html(relay, "toys/relay.md")).found[0]["opens"] == "small/Calm"


def test_a_check_that_cannot_run_has_no_explorer() -> None:
    from tests.site.conftest import facts_of

    bad = facts_of("specs/a/b.psm", "spec B\nrole R { durable x: 0..1 = yes }\ncheck c { expect holds NoError }\n")
    assert explorer_html(bad, "a/b.md") == ""
