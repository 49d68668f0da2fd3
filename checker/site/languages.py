"""The same page in another language: where the menu of languages leads, and what a page tells search engines about it.

Each language has a build of its own, and `extra.alternate` of its configuration names the roots of all of them. A page that is
in another one, too, is linked there by its own name; from all others the menu leads to the root. Folders of sources lie to each
other as built sites do, so that the link to a root leads to its sources as well.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

_LINK = re.compile(r'<(a|link rel="alternate") href="[^"]*" hreflang="([^"]*)"')


def linked(html: str, roots: Sequence[Mapping[str, str]], docs: Path, source: str, url: str) -> str:
    """A page whose links to its languages lead to itself in each of them that has it.

    The theme takes the links in the head for roots, and asks for a sitemap below each. So they are given a blank, which makes no
    difference to what the attribute says, but to the selector by which they are looked for.

    Args:
        html: the page, as the theme makes it.
        roots: `extra.alternate`, as it is configured.
        docs: the folder of the sources of this language.
        source: the file of the page in it.
        url: the address of the page, below the root.
    """
    own = "" if url in (".", "./") else url
    up = "../" * own.count("/")
    there = {root["lang"]: root["link"] for root in roots if (docs / root["link"] / source).is_file()}

    def changed(match: re.Match[str]) -> str:
        tag, lang = match[1].replace('"alternate"', '"alternate "'), match[2]
        if lang not in there:
            return f"<{tag}{match[0].removeprefix(f'<{match[1]}')}"
        address = f"{up}{there[lang].removeprefix('./')}{own}" or "./"
        return f'<{tag} href="{address}" hreflang="{lang}"'

    return _LINK.sub(changed, html)
