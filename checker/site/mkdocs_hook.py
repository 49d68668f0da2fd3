"""The hook by which MkDocs generates the pages of the protocols before each build, lists them and the decisions, and links
the languages of a page.

Each language has a configuration and a build of its own; the theme's language says which pages it lists.

`mkdocs.yml` names this file. It is thin on purpose: all work is done by `publish`, which `lockstep docs` calls, too, so a
generator without hooks builds the same site from the files that the command wrote.
"""

from __future__ import annotations

import html
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.exceptions import PluginError
from mkdocs.structure.pages import Page

from checker.base.diagnostics import SpecError
from checker.site.editor.build import editor_state
from checker.site.facts import SpecFacts
from checker.site.languages import linked
from checker.site.offline import as_files, shims
from checker.site.pages import INDEX, families, language_of, page_names
from checker.site.publish import Project, publish
from checker.site.text import words_of

DECISIONS = "adr/README.md"


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Generates the pages and puts them into the navigation, behind the page that lists them."""
    language = config.theme.get("language", "en")
    project = Project(Path(config.config_file_path).parent)
    try:
        published = publish(project)
    except SpecError as problem:
        raise PluginError("\n".join(d.headline() for d in problem.diagnostics)) from None
    except ValueError as problem:
        raise PluginError(str(problem)) from None
    if config.nav is not None:
        specs = published.languages.get(language, published.specs)
        config.nav = [_with_decisions(_with_pages(entry, specs), Path(config.docs_dir)) for entry in config.nav]
    if not config.use_directory_urls:
        assets = "assets" if language == "en" else "../assets"
        config.extra["polyfills"] = shims(config.extra.get("polyfills", []), editor_state(project.editor), assets)
    return config


def on_post_page(output: str, page: Page, config: MkDocsConfig) -> str:
    """The menu of languages leads to the same page, and pages that are opened without a server name files."""
    roots = config.extra.get("alternate") or []
    html = linked(output, roots, Path(config.docs_dir), page.file.src_uri, page.url)
    return html if config.use_directory_urls else as_files(html, Path(str(page.file.abs_src_path)))


def _with_decisions(entry: Any, docs: Path) -> Any:
    """Puts the records behind the page that lists them."""
    if isinstance(entry, list):
        return [_with_decisions(one, docs) for one in entry]
    if isinstance(entry, dict):
        return {title: _with_decisions(value, docs) for title, value in entry.items()}
    records = sorted(path.relative_to(docs).as_posix() for path in docs.glob("adr/[0-9]*.md"))
    return [entry, *records] if entry == DECISIONS else entry


def _with_pages(entry: Any, specs: Sequence[SpecFacts]) -> Any:
    page = f"protocols/{INDEX}"
    if not isinstance(entry, dict) or list(entry.values()) != [page]:
        return entry
    names, words = page_names(specs), language_of(specs)
    # Titles of the navigation are written into pages as they are.
    groups = [
        {html.escape(words(words_of(family))): [{html.escape(s.title): f"protocols/{names[s.path]}"} for s in group]}
        for family, group in families(specs)
    ]
    return {next(iter(entry)): [page, *groups]}
