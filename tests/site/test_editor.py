"""The files of the editor, with and without what they are made of, and what pages say of them.

npm and esbuild are played by small scripts here, so that no network is needed; `tests/browser` uses the real ones.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from html import unescape
from pathlib import Path

import pytest

from checker.site.code import code_html
from checker.site.editor.build import (
    MANIFEST,
    NOT_BUILT,
    SOURCES,
    TAKEN,
    EditorState,
    build_editor,
    editor_state,
)
from checker.site.facts import SpecFacts
from checker.site.gather import SpecFile, gather
from checker.site.lexer import editor_rules
from checker.site.pages import build_pages
from checker.site.store import Store
from tests.cli.support import lockstep

ROOT = Path(__file__).resolve().parents[2]
PINNED = json.loads((SOURCES / "package.json").read_text(encoding="utf-8"))["dependencies"]

NPM = f"""\
#!{sys.executable}
import json, pathlib, sys
with open("calls", "a") as calls:
    print(*sys.argv[1:], file=calls)
for name, version in json.load(open("package.json"))["dependencies"].items():
    folder = pathlib.Path("node_modules", name)
    folder.mkdir(parents=True)
    (folder / "package.json").write_text(json.dumps(dict(name=name, version=version, license="MIT")))
for name in {[*TAKEN.values()]!r}:
    file = pathlib.Path("node_modules", name)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(name)
"""

NODE = f"""\
#!{sys.executable}
import sys
target = next(word for word in sys.argv if word.startswith("--outfile=")).partition("=")[2]
with open(sys.argv[2]) as source, open(target, "w") as file:
    file.write("bundled " + str(len(source.read())))
"""


def program(folder: Path, name: str, text: str) -> None:
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(text, encoding="utf-8")
    (folder / name).chmod(0o755)


@pytest.fixture
def tools(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with all programs that there are."""
    folder = tmp_path / "bin"
    program(folder, "npm", NPM)
    program(folder, "node", NODE)
    monkeypatch.setenv("PATH", str(folder))
    return folder


def build(tmp_path: Path) -> EditorState:
    return build_editor(tmp_path / "editor", tmp_path / "cache")


def test_all_files_are_there_and_a_second_build_makes_nothing(tools: Path, tmp_path: Path) -> None:
    state = build(tmp_path)
    assert state.ready
    assert set(state.files) == {*TAKEN, "NOTICE.txt", "checker.zip", "editor.js", "worker.js"}
    assert {path.name for path in (tmp_path / "editor").iterdir()} == {*state.files, MANIFEST}
    assert editor_state(tmp_path / "editor") == state
    times = {path: path.stat().st_mtime_ns for path in (tmp_path / "editor").iterdir()}
    assert build(tmp_path) == state
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "editor").iterdir()} == times
    (calls,) = tmp_path.glob("cache/*/calls")
    (call,) = calls.read_text().splitlines()
    assert "--no-package-lock" in call and "--ignore-scripts" in call


def test_a_file_that_was_lost_is_made_again_from_the_cache(tools: Path, tmp_path: Path) -> None:
    build(tmp_path)
    (tmp_path / "editor" / "worker.js").unlink()
    (tools / "npm").unlink()
    assert build(tmp_path).ready
    assert (tmp_path / "editor" / "worker.js").is_file()


def test_changed_sources_are_bundled_again(tools: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    build(tmp_path)
    old = (tmp_path / "editor" / "editor.js").read_text()
    monkeypatch.setattr("checker.site.editor.build.SOURCES", shutil.copytree(SOURCES, tmp_path / "sources"))
    source = tmp_path / "sources" / "editor.js"
    source.write_text(source.read_text() + "// more\n")
    build(tmp_path)
    assert (tmp_path / "editor" / "editor.js").read_text() != old


@pytest.mark.parametrize("missing", ["npm", "node"])
def test_without_a_program_there_is_no_editor(tools: Path, tmp_path: Path, missing: str) -> None:
    (tools / missing).unlink()
    state = build(tmp_path)
    assert (state.ready, state.why) == (False, f"{missing} is not installed")
    assert [path.name for path in (tmp_path / "editor").iterdir()] == [MANIFEST]
    program(tools, missing, NPM if missing == "npm" else NODE)
    assert build(tmp_path).ready  # tried again


def test_what_npm_says_is_told(tools: Path, tmp_path: Path) -> None:
    program(
        tools,
        "npm",
        f"#!{sys.executable}\nimport sys\nsys.exit('npm error code E1\\nnpm error failed, reason: no net')",
    )
    why = build(tmp_path).why
    assert why == "npm could not install the packages of the editor: npm error failed, reason: no net"


def test_files_of_an_editor_that_cannot_be_made_again_are_removed(tools: Path, tmp_path: Path) -> None:
    build(tmp_path)
    other = tmp_path / "editor" / "mine.txt"
    other.write_text("kept")
    (tmp_path / "editor" / "worker.js").write_text("changed")
    (tools / "node").unlink()
    assert not build(tmp_path).ready
    assert {path.name for path in (tmp_path / "editor").iterdir()} == {MANIFEST, "mine.txt"}


def test_a_manifest_that_cannot_be_read_is_none(tmp_path: Path) -> None:
    assert editor_state(tmp_path) == NOT_BUILT
    for text in ("", "[]", "{", '{"files": 3}'):
        (tmp_path / MANIFEST).write_text(text)
        assert editor_state(tmp_path) == NOT_BUILT


def test_versions_are_exact_and_nothing_is_fetched_by_address() -> None:
    assert [v for v in PINNED.values() if not re.fullmatch(r"\d+\.\d+\.\d+", v)] == []


# ---- pages


def test_pages_have_the_editor_and_the_spec_as_a_file(relay: SpecFacts) -> None:
    files = build_pages([relay], EditorState(None, {"editor.js": 1}))
    assert '<edit-spec data-source="../../toys/relay.psm" data-related="">' in files["toys/relay.md"]
    assert files["toys/relay.psm"] == relay.text


def test_pages_say_why_there_is_no_editor(relay: SpecFacts) -> None:
    page = build_pages([relay], EditorState("npm <is> not installed"))["toys/relay.md"]
    assert "<edit-spec" not in page
    assert "The editor is not part of this build of the site: npm &lt;is&gt; not installed." in page
    assert 'href="../../toys/relay.psm"' in page


def test_specs_that_are_refined_come_along() -> None:
    abstract = "spec Up\nrole R { durable x: 0..1 = 0  action Go when x == 0 { x := 1 } }\nfinal: true\n"
    low = abstract.replace("Up", "Low") + "refines Up { R.x = R.x }\n"
    found = gather(
        [
            SpecFile("specs/abstract/up.psm", abstract),
            SpecFile("specs/a/low.psm", low),
            SpecFile("specs/a/o.psm", abstract),
        ],
        Store(None),
    )
    files = build_pages(found, EditorState())
    assert 'data-related="../../abstract/up.psm ../../a/o.psm"' in files["a/low.md"]
    assert 'data-related=""' in files["abstract/up.md"]


@pytest.mark.usefixtures("tools")
def test_the_command_makes_the_editor_unless_told_not_to(
    tmp_path: Path, relay: SpecFacts, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = tmp_path / "project"
    (project / "specs" / "toys").mkdir(parents=True)
    (project / "docs").mkdir()
    (project / "specs" / "toys" / "relay.psm").write_text(relay.text, encoding="utf-8")
    monkeypatch.chdir(project)
    without = lockstep("docs", "--no-editor")
    assert without.code == 0 and "editor" not in without.out
    page = project / "docs" / "protocols" / "toys" / "relay.md"
    assert "<code>lockstep docs</code> has not been run" in page.read_text(encoding="utf-8")
    made = lockstep("docs")
    assert made.out.startswith("editor: 10 files, ")
    assert "<edit-spec" in page.read_text(encoding="utf-8")
    (project / "docs" / "assets" / "editor" / "worker.js").unlink()
    monkeypatch.setenv("PATH", str(tmp_path))
    failed = lockstep("docs")
    assert failed.code == 0 and "note: the site has no editor: node is not installed" in failed.err
    assert "<edit-spec" not in page.read_text(encoding="utf-8")


# ---- highlighting

PIECES = """
import { readFileSync } from "node:fs";
const { pieces } = await import(process.argv[2]);
for (const line of JSON.parse(readFileSync(0, "utf8"))) {
  const found = [];
  for (let at = 0; at < line.length; ) {
    for (const [end, name] of pieces(line, at)) {
      found.push([line.slice(at, end), name]);
      at = end;
    }
  }
  console.log(JSON.stringify(found));
}
"""


def shown(line: str) -> list[tuple[str, str]]:
    """The coloured pieces of a line on a page."""
    html = re.search(r"<code>(.*)\n</code>", code_html(line, anchors=None))
    assert html is not None
    return [(unescape(text), name) for name, text in re.findall(r'<span class="(\w+)">(.*?)</span>', html.group(1))]


def test_the_editor_colours_specs_as_pages_do(tmp_path: Path) -> None:
    node = shutil.which("node")
    if node is None:
        assert "LOCKSTEP_REQUIRE_SERVICES" not in os.environ, "node is not installed"
        pytest.skip("node is not installed")
    rules = "const rules = " + json.dumps(editor_rules())
    source = (SOURCES / "highlighting.js").read_text(encoding="utf-8")
    assert 'import rules from "./highlighting.json"' in source
    module, script = tmp_path / "highlighting.mjs", tmp_path / "pieces.mjs"
    module.write_text(source.replace('import rules from "./highlighting.json"', rules), encoding="utf-8")
    script.write_text(PIECES, encoding="utf-8")
    texts = [path.read_text(encoding="utf-8") for path in (ROOT / "specs").rglob("*.psm")]
    lines = sorted({line for text in texts for line in text.splitlines() if line.strip()})
    done = subprocess.run(
        [node, script, module.as_uri()], input=json.dumps(lines), capture_output=True, text=True, timeout=60, check=True
    )
    for line, told in zip(lines, map(json.loads, done.stdout.splitlines()), strict=True):
        assert "".join(text for text, _ in told) == line
        assert [(text, name) for text, name in told if name] == shown(line), line
