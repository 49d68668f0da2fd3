"""A check of a small spec starts and ends quickly, because it loads only what it needs.

Time on a shared machine is noise, so the test counts what is loaded instead: one forgotten import at the top of a module
costs more than everything else.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.support import COUNTER, environment, write

NEVER = {
    "asyncio", "concurrent.futures", "ctypes", "email", "graphviz", "http", "hypothesis", "jinja2", "llvmlite", "lxml",
    "markdown", "mkdocs", "multiprocessing", "numba", "numpy", "pip", "pkg_resources", "pydoc", "pygments",
    "pygraphviz", "pytest", "ray", "setuptools", "socket", "sqlite3", "ssl", "unittest", "urllib.request", "xml", "yaml",
}  # fmt: skip
"""Heavy, and of no use for a check."""

LAZY = {
    "checker.site",
    "checker.conformance",
    "checker.render.dot",
    "checker.lang.printer",
    "checker.lang.syntax_hints",
}
"""Our own, for other commands or for errors."""


def loaded(folder: Path, *args: str) -> set[str]:
    """The modules that a run of the command has loaded at its end."""
    script = "import sys; from checker.cli.main import main; main(sys.argv[1:]); print(*sys.modules, file=sys.stderr)"
    done = subprocess.run(
        [sys.executable, "-c", script, *args],
        cwd=folder, env=environment(), capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return set(done.stderr.split())


def among(modules: set[str], names: set[str]) -> set[str]:
    return {name for name in names if any(m == name or m.startswith(f"{name}.") for m in modules)}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write(tmp_path, small=COUNTER)
    return tmp_path


def test_json_loads_nothing_for_terminals(folder: Path) -> None:
    modules = loaded(folder, "check", "small.psm", "--format", "json")
    assert "checker.engine.search" in modules
    assert among(modules, NEVER | LAZY | {"rich"}) == set()


def test_text_loads_rich_alone(folder: Path) -> None:
    modules = loaded(folder, "check", "small.psm")
    assert "rich.table" in modules
    assert among(modules, (NEVER | LAZY) - {"pygments"}) == set()


def test_version_loads_almost_nothing(folder: Path) -> None:
    modules = loaded(folder, "--version")
    assert among(modules, NEVER | {"rich", "lark", "json", "difflib"}) == set()
    assert {m for m in modules if m.startswith("checker")} == {
        "checker",
        "checker.cli",
        "checker.cli.main",
        "checker.cli.exits",
    }
