"""The editor in a real browser: a spec is edited, a mistake is shown, mended, and the spec is checked.

JavaScript comes from the npm registry, once. Where it cannot be had, the tests are skipped or fail as those without a browser.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from checker.site.editor.build import build_editor
from checker.site.publish import Project, publish
from tests.browser.conftest import lacking, served

ROOT = Path(__file__).resolve().parents[2]
PAGE = "protocols/toys/relay/"
WAIT = 120_000  # milliseconds; on a busy machine the checker takes a while to start

RELAY = """\
/// Relay: one process passes a number on.
spec Relay

message Go(n: 0..3)
network bag[1]

role Source {
  durable left: 0..3 = 2
  action Send when left > 0 { left -= 1  send Go(left) to Sink }
}

role Sink {
  durable seen: Set[0..3] = {}
  on Go(n) from s { seen += n }
}

invariant Few: size(Sink.seen) <= 2
final: true

check small { expect holds Few }
"""

CONFIG = """\
site_name: Test
theme: {name: material, font: false}
plugins: []
extra_css: [assets/lockstep.css]
extra_javascript: [protocols/explorer.js, assets/edit-spec.js]
exclude_docs: |
  /protocols/*.html
"""


@pytest.fixture(scope="module")
def site(chromium: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a built site with one protocol and the editor."""
    project = Project(tmp_path_factory.mktemp("project"))
    (project.specs / "toys").mkdir(parents=True)
    (project.specs / "toys" / "relay.psm").write_text(RELAY, encoding="utf-8")
    shutil.copytree(ROOT / "docs" / "assets", project.editor.parent, ignore=shutil.ignore_patterns("editor"))
    state = build_editor(project.editor, Project(ROOT).packages)
    if not state.ready:
        lacking(f"an editor, which cannot be made: {state.why}")
    publish(project)
    (project.root / "docs" / "index.md").write_text("# Test\n", encoding="utf-8")
    (project.root / "mkdocs.yml").write_text(CONFIG, encoding="utf-8")
    subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet"],
        cwd=project.root, env={**os.environ, "NO_MKDOCS_2_WARNING": "1"}, timeout=120, check=True,
    )  # fmt: skip
    return project.root / "site"


@pytest.fixture(scope="module")
def address(site: Path) -> Iterator[str]:
    """Where it is served."""
    with served(site) as found:
        yield found


@contextmanager
def clean_page(browser: Any) -> Iterator[Any]:
    """A page that may write no errors to the console, and may ask no other machine for anything. `asked` has the addresses."""
    page = browser.new_page()
    page.set_default_timeout(WAIT)
    errors: list[str] = []
    page.asked = []
    page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.context.on("request", lambda request: page.asked.append(request.url))
    yield page
    page.close()
    assert errors == []
    assert [url for url in page.asked if not url.startswith(("http://127.0.0.1:", "file:", "data:", "blob:"))] == []


@pytest.fixture
def page(browser: Any) -> Iterator[Any]:
    with clean_page(browser) as page:
        yield page


@pytest.fixture(scope="module")
def editor(browser: Any, address: str) -> Iterator[Any]:
    """A page with the editor opened: to start the checker takes seconds, so tests share it. Each sets the text it needs."""
    with clean_page(browser) as page:
        page.goto(address + PAGE)
        page.get_by_role("button", name="Edit this spec").click()
        page.locator(".cm-content").wait_for()
        yield page


def replace(page: Any, text: str) -> None:
    """Types another text over that of the editor."""
    page.locator(".cm-content").click()
    page.keyboard.press("Control+A")
    page.keyboard.insert_text(text)


def told(page: Any, text: str) -> None:
    """Waits until the line of the editor about what it does contains a text."""
    page.locator(".ls-edit-status", has_text=text).wait_for()


def check(page: Any) -> None:
    page.get_by_role("button", name="Check", exact=True).click()
    told(page, "in this browser")


def test_a_spec_is_edited_mended_and_checked(editor: Any) -> None:
    page = editor
    replace(page, RELAY.replace("seen += n", "seen += m"))
    problem = page.locator(".ls-edit-problems li")
    problem.wait_for()
    assert problem.inner_text().startswith("line 14 error PSM201: unknown name m")
    assert page.locator(".cm-lintRange-error").inner_text() == "m"
    page.get_by_role("button", name="Check", exact=True).click()
    told(page, "Nothing was checked")
    # mended, but with less room: the property fails now
    replace(page, RELAY.replace("<= 2", "<= 1"))
    problem.wait_for(state="detached")
    check(page)
    assert "1 fail" in page.locator(".ls-edit-status").inner_text()
    results = page.locator(".ls-edit-results")
    assert "fails" in results.inner_text()
    assert results.locator("svg.ls-sequence").count() == 1
    assert results.locator(".ls-trace .ls-step").all_inner_texts()[:2] == ["initial state", "Source.Send()"]
    # and as it was
    page.get_by_role("button", name="Undo all changes").click()
    check(page)
    assert "1 pass" in page.locator(".ls-edit-status").inner_text()
    row = [cell.inner_text() for cell in results.locator("table").first.locator("tbody tr").first.locator("td").all()]
    assert row[0].endswith("pass") and row[2] == "7"


def test_links_of_results_lead_into_the_editor(editor: Any, address: str) -> None:
    page = editor
    replace(page, RELAY)
    check(page)
    page.locator(".ls-edit-results a", has_text="Few").first.click()
    page.locator(".cm-activeLine", has_text="invariant Few").wait_for()
    assert page.url == address + PAGE


def test_the_explorer_walks_through_what_was_edited(editor: Any, address: str) -> None:
    replace(editor, RELAY.replace("<= 2", "<= 1"))
    check(editor)
    editor.get_by_role("group", name="Walk through the states").get_by_role("button", name="small").click()
    explorer = editor.locator(".ls-edit state-explorer")
    explorer.get_by_role("button", name="Few fails").click()
    place = explorer.get_by_label("Place in the run")
    assert place.get_attribute("aria-valuetext") == "Step 4 of 4: Sink.Go(0) <- Source"
    explorer.get_by_role("button", name="To the initial state").click()
    assert place.input_value() == "0"
    assert editor.url == address + PAGE  # its steps are not those of the page's spec


def test_what_was_checked_can_be_walked_through_after_an_edit(editor: Any) -> None:
    page = editor
    few = RELAY.replace("<= 2", "<= 1")
    replace(page, few)
    check(page)
    old = page.get_by_text("The text has changed since")
    assert not old.is_visible()
    replace(page, few.replace("check small", "check sm???"))
    page.locator(".ls-edit-problems li").first.wait_for()
    assert old.is_visible()
    page.get_by_role("group", name="Walk through the states").get_by_role("button", name="small").click()
    told(page, "are below")
    page.locator(".ls-edit state-explorer").get_by_role("button", name="Few fails").wait_for()
    replace(page, few)
    old.wait_for(state="hidden")


def test_an_edit_while_a_check_runs_is_not_part_of_it(editor: Any) -> None:
    page = editor
    replace(page, RELAY + "".join(f"check more{n} {{ expect holds Few }}\n" for n in range(30)))
    page.get_by_role("button", name="Check", exact=True).click()
    page.locator(".ls-edit-status", has_text=re.compile(r"Check \d+ of 31")).wait_for()
    replace(page, RELAY.replace("<= 2", "<= 1"))
    told(page, "in this browser")
    assert page.locator(".ls-edit-status").inner_text().startswith("31 pass")
    assert page.locator(".ls-edit-results table").first.locator("tbody tr").count() == 31
    assert page.get_by_text("The text has changed since").is_visible()


def test_lines_in_the_explorer_are_those_of_the_editor(editor: Any, address: str) -> None:
    page = editor
    replace(page, RELAY.replace("<= 2", "<= 1"))
    check(page)
    page.get_by_role("group", name="Walk through the states").get_by_role("button", name="small").click()
    explorer = page.locator(".ls-edit state-explorer")
    explorer.get_by_text("What cannot happen").click()
    explorer.get_by_role("link", name="line").first.click()
    page.locator(".cm-activeLine", has_text="action Send").wait_for()
    assert page.url == address + PAGE


def test_a_check_that_takes_long_ends_by_its_limits_or_is_stopped(editor: Any) -> None:
    page = editor
    large = "spec Large\nrole R {\n" + "".join(
        f"  durable v{n}: 0..9 = 0\n  action Up{n} when v{n} < 9 {{ v{n} += 1 }}\n" for n in range(9)
    )
    replace(page, large + "}\nfinal: true\ncheck big { }\n")
    page.get_by_label("states ≤").fill("300")
    check(page)
    assert "1 incomplete" in page.locator(".ls-edit-status").inner_text()
    assert "the limit on states was reached" in page.locator(".ls-edit-results").inner_text()
    page.get_by_label("states ≤").fill("1000000")
    page.get_by_label("seconds for each check ≤").fill("600")
    page.get_by_role("button", name="Check", exact=True).click()
    told(page, "at depth")  # progress is shown while it runs, so the page is alive
    page.get_by_role("button", name="Stop").click()
    told(page, "ready")  # another checker
    replace(page, RELAY)
    check(page)
    assert "1 pass" in page.locator(".ls-edit-status").inner_text()


def test_nothing_of_the_editor_is_loaded_before_the_click(page: Any, address: str) -> None:
    page.goto(address + PAGE, wait_until="networkidle")
    assert [url for url in page.asked if "/assets/editor/" in url] == []
    assert [url for url in page.asked if url.endswith("/assets/edit-spec.js")] != []


def test_from_the_file_system_the_button_says_why_not(page: Any, site: Path) -> None:
    page.goto((site / PAGE / "index.html").as_uri())
    page.get_by_role("button", name="Edit this spec").click()
    note = page.locator("edit-spec [role=status]").inner_text()
    assert "cannot run on pages that are opened from the file system" in note and "http.server" in note


def test_it_fits_a_phone(editor: Any) -> None:
    editor.set_viewport_size({"width": 390, "height": 844})
    replace(editor, RELAY.replace("<= 2", "<= 1") + f"# {'long ' * 40}\n")
    check(editor)
    assert editor.evaluate("document.documentElement.scrollWidth") <= 390
