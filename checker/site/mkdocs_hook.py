"""The hook by which MkDocs generates the pages of the protocols before each build, and lists them in the navigation.

`mkdocs.yml` names this file. It is thin on purpose: all work is done by `publish`, which `lockstep docs` calls, too, so a
generator without hooks builds the same site from the files that the command wrote.
"""

from __future__ import annotations

import html
from pathlib import Path
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.exceptions import PluginError

from checker.base.diagnostics import SpecError
from checker.site.pages import INDEX, families, page_names
from checker.site.publish import Project, Published, publish
from checker.site.text import words_of

SECTION = "Protocols"
"""The title that the page of all protocols has in the navigation."""


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Generates the pages and puts them into the navigation, behind the page that lists them."""
    try:
        published = publish(Project(Path(config.config_file_path).parent))
    except SpecError as problem:
        raise PluginError("\n".join(d.headline() for d in problem.diagnostics)) from None
    if config.nav is not None:
        config.nav = [_with_pages(entry, published) for entry in config.nav]
    return config


def _with_pages(entry: Any, published: Published) -> Any:
    if entry != {SECTION: f"protocols/{INDEX}"}:
        return entry
    names = page_names(published.specs)
    # Titles of the navigation are written into pages as they are.
    groups = [
        {html.escape(words_of(family)): [{html.escape(s.title): f"protocols/{names[s.path]}"} for s in group]}
        for family, group in families(published.specs)
    ]
    return {SECTION: [f"protocols/{INDEX}", *groups]}
