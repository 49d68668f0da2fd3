"""The strict build passes, every link of the built site leads somewhere, and hostile specs stay text to the end."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urljoin, urlsplit

import pytest

from checker.site.facts import SpecFacts

ROOT = Path(__file__).resolve().parents[2]
CONFIGS = ("mkdocs.yml", "mkdocs.zh.yml")


def build(project: Path, configs: Sequence[str] = CONFIGS) -> None:
    """Runs the strict builds of a project, one for each language."""
    for config in configs:
        done = subprocess.run(
            [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--config-file", config],
            cwd=project,
            env={**os.environ, "PYTHONPATH": str(ROOT), "NO_MKDOCS_2_WARNING": "1"},
            capture_output=True,
            text=True,
            timeout=300,
        )
        assert done.returncode == 0, done.stdout + done.stderr


def copy_config(project: Path) -> None:
    text = (ROOT / "mkdocs.yml").read_text(encoding="utf-8")
    hook = "  - checker/site/mkdocs_hook.py\n"
    assert hook in text
    (project / "mkdocs.yml").write_text(
        text.replace(hook, f"  - {ROOT / hook.strip(' -')}".rstrip() + "\n"), encoding="utf-8"
    )
    shutil.copy(ROOT / CONFIGS[1], project / CONFIGS[1])


@pytest.fixture(scope="module")
def site(relay: SpecFacts, hostile: SpecFacts, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site of two small specs, with the pages that are written by hand; other sections are a line each."""
    project = tmp_path_factory.mktemp("project")
    docs = project / "docs"
    for name in ("index.md", "getting-started.md", "assets", "tutorial", "zh"):
        source = ROOT / "docs" / name
        if source.is_dir():
            shutil.copytree(source, docs / name, ignore=shutil.ignore_patterns("protocols"))
        else:
            docs.mkdir(exist_ok=True)
            shutil.copy(source, docs / name)
    copy_config(project)
    nav = re.findall(r"(\S+\.md)$", (project / "mkdocs.yml").read_text(encoding="utf-8"), re.MULTILINE)
    for name in nav:
        page = docs / name
        if not page.exists() and not name.startswith("protocols/"):
            page.parent.mkdir(parents=True, exist_ok=True)
            page.write_text(
                "# Elsewhere\n\n## Simulation\n", encoding="utf-8"
            )  # what the tutorial, a real page, points at
    for path, spec in (("toys/relay.psm", relay), ("toys/hostile.psm", hostile)):
        file = project / "specs" / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(spec.text, encoding="utf-8")
    build(project)
    return project / "site"


class Page(HTMLParser):
    """The addresses, ids and scripts of a built page."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.links: list[str] = []
        self.ids: set[str] = set()
        self.handlers: list[str] = []
        self.scripts = ""
        self._script = False
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self._script = tag == "script"
        self.ids |= {given[name] for name in ("id", "name") if name in given}
        self.links += [given[name] for name in ("href", "src") if name in given]
        self.handlers += [name for name in given if name.startswith("on")]

    def handle_endtag(self, tag: str) -> None:
        self._script = False

    def handle_data(self, data: str) -> None:
        if self._script:
            self.scripts += data


def test_every_link_leads_somewhere(site: Path) -> None:
    pages = {path: Page(path) for path in site.rglob("*.html") if path.name != "404.html"}
    broken = []
    for path, page in pages.items():
        for link in page.links:
            parts = urlsplit(link)
            if parts.scheme or parts.netloc or link == "":
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            if target.is_dir():
                target /= "index.html"
            known = pages[target].ids if target in pages else set()
            if not target.is_file() or (parts.fragment and known and unquote(parts.fragment) not in known):
                broken.append(f"{path.relative_to(site)}: {link}")
    assert broken == []
    assert site / "protocols" / "toys" / "relay" / "index.html" in pages


def test_nothing_of_a_spec_is_markup_in_the_end(site: Path) -> None:
    for path in site.rglob("*.html"):
        page = Page(path)
        assert "alert(" not in page.scripts, path
        assert page.handlers == [], path
        assert not [link for link in page.links if link.startswith("javascript:")], path
    shown = (site / "protocols" / "toys" / "hostile" / "index.html").read_text(encoding="utf-8")
    assert "<h1" in shown and "&lt;/h1&gt;" in shown
    assert "<em>b</em>" not in shown


def test_each_language_has_its_pages(site: Path) -> None:
    page = (site / "zh" / "protocols" / "toys" / "relay" / "index.html").read_text(encoding="utf-8")
    assert '<html lang="zh"' in page and "检查了什么" in page and "Nothing is upset" in page
    index = json.loads((site / "zh" / "search" / "search_index.json").read_text(encoding="utf-8"))
    assert "协议" in {doc["title"] for doc in index["docs"]}
    assert not (site / "zh" / "words.json").exists()


@pytest.mark.parametrize(
    ("page", "english", "chinese"),
    [
        ("", ".", "zh/"),
        ("zh/", "..", "."),
        ("protocols/", ".", "../zh/protocols/"),
        ("protocols/toys/relay/", ".", "../../../zh/protocols/toys/relay/"),
        ("zh/protocols/toys/relay/", "../../../../protocols/toys/relay/", "."),
        ("getting-started/", ".", "../zh/"),  # there is none in Chinese
    ],
)
def test_the_menu_of_languages_leads_to_the_same_page(site: Path, page: str, english: str, chinese: str) -> None:
    html = (site / page / "index.html").read_text(encoding="utf-8")
    root = "https://x.example/"
    expected = [urljoin(root + page, english), urljoin(root + page, chinese)]
    menu = re.findall(r'<a href="([^"]*)" hreflang="\w+" class="md-select__link">', html)
    head = re.findall(r'<link rel="alternate " href="([^"]*)" hreflang="\w+">', html)
    assert [urljoin(root + page, link) for link in menu] == expected
    assert head == menu
    assert 'rel="alternate" href' not in html  # the theme would look for sitemaps there


def test_the_search_finds_protocols(site: Path) -> None:
    index = json.loads((site / "search" / "search_index.json").read_text(encoding="utf-8"))
    titles = {doc["title"] for doc in index["docs"]}
    assert "Relay" in titles
    assert not [title for title in titles if "<" in title]


def test_the_home_page_shows_the_protocols(site: Path) -> None:
    home = (site / "index.html").read_text(encoding="utf-8")
    assert 'href="protocols/toys/relay/"' in home
    for said in ("1 check holds", "2 known flaws", "1 check fails"):
        assert said in home
    assert [path.name for path in (site / "protocols").glob("*.html")] == ["index.html"]


def test_the_navigation_lists_the_protocols(site: Path) -> None:
    other = (site / "protocols" / "toys" / "hostile" / "index.html").read_text(encoding="utf-8")
    assert re.search(r'href="\.\./relay/"[^>]*>\s*<span class="md-ellipsis">\s*Relay\s*<', other)


def test_getting_started_is_the_path_of_the_readme() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    blocks = re.findall(r"^```psm\n(.*?)^```$", readme, re.MULTILINE | re.DOTALL)
    stages = sorted((ROOT / "docs" / "tutorial").glob("*.psm"))
    assert stages[0].read_text(encoding="utf-8") == blocks[0]
    for stage, block in zip(stages[1:], blocks[1:], strict=False):
        assert block in stage.read_text(encoding="utf-8"), stage.name


@pytest.mark.slow
def test_the_whole_documentation_builds(tmp_path: Path) -> None:
    for name in ("docs", "specs"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("protocols"))
    copy_config(tmp_path)
    build(tmp_path)
    page = (tmp_path / "site" / "protocols" / "transactions" / "two_phase_commit" / "index.html").read_text(
        encoding="utf-8"
    )
    assert 'class="ls-sequence"' in page
    assert page.count('class="ls-graph"') >= 2
