"""A real browser and a built site for the tests beside this file.

Chromium is the one of the system, driven by Playwright, whose own browsers are not used. axe-core comes from the npm registry
(`make test-browser` puts it into `build/browser`). Where one of them is missing, the tests are skipped and say so; with
`LOCKSTEP_REQUIRE_BROWSER=1` they fail instead.

The site is built once, from the results that `lockstep docs` keeps, so that it is always that of the sources. `LOCKSTEP_SITE`
names a folder where it has just been built.
"""

from __future__ import annotations

import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, NoReturn, Self

import pytest

from tests.site.conftest import RELAY
from tests.site.test_build import CONFIGS, build, copy_config

ROOT = Path(__file__).resolve().parents[2]
AXE = ROOT / "build" / "browser" / "node_modules" / "axe-core" / "axe.min.js"
SWITCHES = (
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-gpu",
    "--disable-quic",
    "--disable-sync",
    "--no-first-run",
    "--no-sandbox",  # its own pages are all it sees, and root, as which CI runs, has no sandbox
)
PATIENCE = 20_000
"""Milliseconds to wait for what should be there at once."""


def lacking(what: str) -> NoReturn:
    if os.environ.get("LOCKSTEP_REQUIRE_BROWSER") == "1":
        pytest.fail(f"these tests need {what}, and LOCKSTEP_REQUIRE_BROWSER forbids to skip them")
    pytest.skip(f"needs {what}")


@pytest.fixture(scope="session")
def chromium() -> str:
    """Where Chromium is; there is Playwright to drive it, too."""
    if importlib.util.find_spec("playwright") is None:
        lacking("Playwright: make test-browser installs it")
    found = shutil.which("chromium")
    if found is None:
        lacking("`chromium` (on Debian: apt install chromium)")
    return found


@pytest.fixture(scope="module")
def browser(chromium: str) -> Iterator[Any]:
    """Chromium, started once for the tests of a module, and gone before those of others run.

    Playwright keeps an event loop running in the thread that started it, where no other code can call `asyncio.run` then.
    """
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=chromium, args=[*SWITCHES])
        yield started
        started.close()


@pytest.fixture(scope="session")
def axe() -> str:
    """The script of axe-core."""
    if not AXE.is_file():
        lacking("axe-core: make test-browser installs it")
    return AXE.read_text(encoding="utf-8")


@pytest.fixture(scope="session")
def site(chromium: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site of this repository."""
    if "LOCKSTEP_SITE" in os.environ:
        return Path(os.environ["LOCKSTEP_SITE"]).resolve()
    folder = tmp_path_factory.mktemp("site")
    for config, target in (("mkdocs.yml", folder), ("mkdocs.zh.yml", folder / "zh")):
        command = ("mkdocs", "build", "--strict", "--quiet", "--config-file", config, "--site-dir", str(target))
        done = subprocess.run(
            [sys.executable, "-m", *command],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT), "NO_MKDOCS_2_WARNING": "1"},
            capture_output=True,
            text=True,
            timeout=900,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
    return folder


@pytest.fixture(scope="session")
def address(site: Path) -> Iterator[str]:
    """Where the site is served."""
    with served(site) as found:
        yield found


class served:  # noqa: N801
    """A folder behind HTTP, as a context whose value is its address."""

    def __init__(self, folder: Path) -> None:
        class Quiet(SimpleHTTPRequestHandler):
            def log_message(self, format: str, *args: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder)))

    def __enter__(self) -> str:
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return f"http://127.0.0.1:{self.server.server_port}/"

    def __exit__(self, *_: object) -> None:
        self.server.shutdown()
        self.server.server_close()


class Visit:
    """A page with what went wrong in it: errors of the console and of scripts, and requests that failed."""

    def __init__(self, browser: Any, *, search: bool = True) -> None:
        self.context = browser.new_context(viewport={"width": 1280, "height": 900}, color_scheme="light")
        self.context.set_default_timeout(PATIENCE)
        if not search:  # every page builds the index of the whole site anew, which takes longer than all the rest
            fields = {name: {"boost": 1} for name in ("title", "text", "tags")}
            config = {"lang": ["en"], "separator": "[\\s]+", "pipeline": [], "fields": fields}
            empty = json.dumps({"config": config, "docs": []})
            self.context.route("**/search_index.json", lambda route: route.fulfill(body=empty))
        self.page = self.context.new_page()
        self.problems: list[str] = []
        self.requests: list[str] = []
        self.page.on("console", self._console)
        self.page.on("pageerror", lambda problem: self.problems.append(f"script: {problem}"))
        self.page.on("requestfailed", lambda request: self.problems.append(f"not loaded: {request.url}"))
        self.page.on("request", lambda request: self.requests.append(request.url))

    def _console(self, message: Any) -> None:
        if message.type in ("error", "warning"):
            self.problems.append(f"{message.type}: {message.text}")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.context.close()


@pytest.fixture(scope="session")
def small_project(chromium: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with one small spec, to be built with other settings of MkDocs."""
    project = tmp_path_factory.mktemp("small")
    (project / "docs").mkdir()
    shutil.copytree(ROOT / "docs" / "assets", project / "docs" / "assets")
    (project / "docs" / "index.md").write_text("# Home\n\n[Relay](protocols/toys/relay.md)\n", encoding="utf-8")
    (project / "specs" / "toys").mkdir(parents=True)
    (project / "specs" / "toys" / "relay.psm").write_text(RELAY, encoding="utf-8")
    copy_config(project)
    config = (project / "mkdocs.yml").read_text(encoding="utf-8")
    before, _, rest = config.partition("nav:\n")
    _, _, after = rest.partition("\n\n")
    nav = "nav:\n  - Home: index.md\n  - Protocols: protocols/index.md\n\n"
    text = re.sub(r"^  alternate:\n(?:    .*\n)+", "  alternate: []\n", f"{before}{nav}{after}", flags=re.MULTILINE)
    (project / "mkdocs.yml").write_text(text, encoding="utf-8")
    return project


def built_with(project: Path, name: str, old: str, new: str) -> Path:
    """The site of a project whose settings are changed in one place."""
    folder = project.with_name(f"{project.name}-{name}")
    shutil.copytree(project, folder)
    text = (folder / "mkdocs.yml").read_text(encoding="utf-8")
    assert old in text
    (folder / "mkdocs.yml").write_text(text.replace(old, new), encoding="utf-8")
    build(folder, CONFIGS[:1])
    return folder / "site"
