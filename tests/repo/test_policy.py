"""Rules of the repository, as tests: what a reviewer would otherwise have to remember."""

from __future__ import annotations

import ast as python_ast
import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from checker.base.diagnostics import CODES
from checker.lang import ast
from checker.lang.parser import parse_file

ROOT = Path(__file__).resolve().parents[2]
MAX_LINES = 400
BUILT = {Path(name) for name in ("build", "dist", "site", "docs/protocols", "docs/zh/protocols", "docs/assets/editor")}
ELSEWHERE = re.compile(r"(?<![\w.~$}])/(?:work|root|home)/\w")
"""A path on somebody's machine. It is spelt so that it does not match itself."""


def belongs(folder: Path) -> bool:
    """Whether a folder is source: not hidden (`.ci` is not hidden from us), not a cache, not built."""
    hidden = folder.name.startswith(".") and folder.name != ".ci"
    return not hidden and folder.name != "__pycache__" and folder.suffix != ".egg-info" and folder not in BUILT


def repository_files() -> Iterator[Path]:
    """Every file that belongs to the repository, relative to its root, in a fixed order."""
    for folder, subfolders, names in os.walk(ROOT):
        here = Path(folder).relative_to(ROOT)
        subfolders[:] = sorted(name for name in subfolders if belongs(here / name))
        yield from (here / name for name in sorted(names) if name != ".git")  # a file in a worktree


FILES = tuple(repository_files())
MODULES = tuple(path for path in FILES if path.suffix == ".py" and path.parts[0] in {"checker", "refimpl"})
SPECS = tuple(path for path in FILES if path.suffix == ".psm" and path.parts[0] == "specs")
ADRS = tuple(path for path in FILES if path.parts[:2] == ("docs", "adr") and path.name != "README.md")


def read(path: Path) -> str:
    return (ROOT / path).read_text(encoding="utf-8")


def package(requirement: str) -> str:
    """The normalised name in `Name[extra]>=1`."""
    return re.sub(r"[-_.]+", "-", re.split(r"[^A-Za-z0-9._-]", requirement)[0]).lower()


@pytest.mark.parametrize("path", MODULES, ids=str)
def test_module_says_what_it_is_for(path: Path) -> None:
    assert python_ast.get_docstring(python_ast.parse(read(path))), f"{path} has no docstring"


@pytest.mark.parametrize("path", MODULES, ids=str)
def test_module_is_short(path: Path) -> None:
    lines = len(read(path).splitlines())
    assert lines <= MAX_LINES, f"{path} has {lines} lines, and {MAX_LINES} are the limit: split it by responsibility"


def test_no_file_names_a_place_on_one_machine() -> None:
    found = []
    for path in FILES:
        data = (ROOT / path).read_bytes()
        if b"\0" in data:
            continue
        for number, line in enumerate(data.decode("utf-8", "replace").splitlines(), 1):
            if match := ELSEWHERE.search(line):
                found.append(f"{path}:{number}: {match.group()}")
    assert not found


def test_constraints_are_names_and_versions_alone() -> None:
    lines = read(Path("constraints.txt")).splitlines()
    assert [line for line in lines if not re.fullmatch(r"[A-Za-z0-9._-]+==[^ ]+", line)] == []
    assert not re.search(r"https?:|file:|@", "\n".join(lines))
    names = [package(line) for line in lines]
    assert len(names) == len(set(names)), "a package is pinned twice"


def test_constraints_cover_what_is_installed_by_make() -> None:
    project = tomllib.loads(read(Path("pyproject.toml")))["project"]
    extras = project["optional-dependencies"]
    wanted = [*project["dependencies"], *extras["dev"], *extras["docs"], *extras["services"], *extras["browser"]]
    pinned = {package(line) for line in read(Path("constraints.txt")).splitlines()}
    assert {package(requirement) for requirement in wanted} - pinned == set()


def test_imports_follow_the_layers() -> None:
    command = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run([command, "--no-cache"], cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_diagnostic_codes_are_well_formed_and_unique() -> None:
    # A dict keeps the last of two equal keys without a word, so look at the source.
    written = re.findall(r'^    "(PSM[^"]*)":', read(Path("checker/base/diagnostics.py")), re.MULTILINE)
    assert sorted(written) == sorted(set(written))
    assert set(written) == set(CODES)
    assert [code for code in written if not re.fullmatch(r"PSM\d{3}", code)] == []
    assert written == sorted(written), "codes stand in numerical order"


def test_diagnostic_codes_are_documented() -> None:
    page = read(Path("docs/reference/diagnostics.md"))
    headings = re.findall(r"^### (PSM\d{3}): (.*?) \{ #(\w+) \}$", page, re.MULTILINE)
    assert [(code, title) for code, title, _ in headings] == [(code, CODES[code]) for code in sorted(CODES)]
    assert [anchor for code, _, anchor in headings if anchor != code.lower()] == []


def test_diagnostic_codes_in_use_are_declared() -> None:
    used = {code for path in MODULES for code in re.findall(r'"(PSM\d{3})"', read(path))}
    assert used - set(CODES) == set()


def test_specs_exist() -> None:
    assert SPECS


@pytest.mark.parametrize("path", SPECS, ids=str)
def test_spec_expects_something_to_hold_and_something_to_fail(path: Path) -> None:
    """A spec shows what its protocol guarantees, and under which faults it breaks."""
    assert re.fullmatch(r"specs/[a-z0-9_]+/[a-z0-9_]+\.psm", path.as_posix()), "specs are specs/<family>/<name>.psm"
    spec = parse_file(ROOT / path)
    checks = [decl for decl in spec.decls if isinstance(decl, ast.CheckDecl)]
    expected = {item.verdict for check in checks for item in check.items if isinstance(item, ast.Expect)}
    assert expected == {"holds", "fails"}


@pytest.mark.parametrize("path", ADRS, ids=str)
def test_decision_is_complete_and_listed(path: Path) -> None:
    assert re.fullmatch(r"\d{4}-[a-z0-9-]+\.md", path.name)
    text = read(path)
    assert re.match(rf"# {path.name[:4]}\. \S", text), "the first line is `# NUMBER. Title`"
    for part in ("Status: ", "## Context", "## Decision", "## Consequences"):
        assert part in text, f"{path} lacks {part!r}"
    assert f"({path.name})" in read(Path("docs/adr/README.md")), "docs/adr/README.md lists every decision"


def test_text_files_end_with_one_line_break_and_have_no_tabs() -> None:
    kinds = {".py", ".md", ".psm", ".toml", ".yml", ".lark", ".txt"}
    wrong = []
    for path in FILES:
        if path.suffix in kinds and path.parts[0] != "tests":  # test data may be broken on purpose
            text = read(path)
            if text and (not text.endswith("\n") or text.endswith("\n\n") or "\t" in text or "\r" in text):
                wrong.append(str(path))
    assert wrong == []
