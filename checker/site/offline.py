"""Pages for the file system: what a site without a server needs beside the theme's own plugin.

With `OFFLINE=true`, MkDocs names a page `paxos.html` and not `paxos/`, because a browser looks for no index in a folder of files.
Three things are left to do here:

- generated pieces and the menu of languages name pages as folders, so those links are rewritten;
- files beside a page are one folder nearer than they were;
- browsers let no page from the file system have a worker, which the theme's search needs. Its plugin takes a script that helps
  from a server of others; here it is one of the files that the editor of specs brings along.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from checker.site.editor.build import SHIM, EditorState

_ADDRESS = re.compile(r'\b(href|data-source|data-related)="([^"#?]*)')
_ELSEWHERE = re.compile(r"https?://\S*iframe-worker")


def as_files(html: str, source: Path) -> str:
    """A page whose links lead to files. `source` is the file that it was made of."""

    def changed(match: re.Match[str]) -> str:
        return f'{match[1]}="{" ".join(_address(one, source) for one in match[2].split(" "))}'

    return _ADDRESS.sub(changed, html)


def _address(address: str, source: Path) -> str:
    if address.endswith(".psm"):
        return address if source.stem == "index" else address.removeprefix("../")
    if not address.endswith("/") or address.startswith("/") or ":" in address:
        return address
    if (source.parent / address / "index.md").is_file():
        return f"{address}index.html"
    page = address.removesuffix("/")
    return f"{page}.html" if (source.parent / f"{page}.md").is_file() else address


def shims(found: Sequence[str], state: EditorState, assets: str) -> list[str]:
    """The scripts that come before all others. `assets` is where ours is; without it there is no search, and nobody is asked."""
    kept = [script for script in found if _ELSEWHERE.match(script) is None]
    return [*kept, f"{assets}/editor/{SHIM}"] if SHIM in state.files else kept
