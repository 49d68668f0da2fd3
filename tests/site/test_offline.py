"""A site that is opened from the file system names files, and takes no script from anybody."""

from __future__ import annotations

from pathlib import Path

import pytest

from checker.site.editor.build import NOT_BUILT, SHIM, EditorState
from checker.site.offline import as_files, shims

ELSEWHERE = "https://unpkg.com/iframe-worker/shim"


@pytest.fixture
def docs(tmp_path: Path) -> Path:
    for name in ("index.md", "protocols/index.md", "protocols/toys/relay.md", "zh/index.md"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    return tmp_path


@pytest.mark.parametrize(
    ("source", "address", "expected"),
    [
        ("index.md", "protocols/toys/relay/", "protocols/toys/relay.html"),
        ("index.md", "protocols/", "protocols/index.html"),
        ("index.md", "./zh/", "./zh/index.html"),
        ("zh/index.md", "../protocols/#toys", "../protocols/index.html#toys"),
        ("protocols/toys/relay.md", "../../zh/", "../../zh/index.html"),
        ("protocols/toys/relay.md", "../../toys/relay.psm", "../toys/relay.psm"),
        ("protocols/toys/relay.md", "../index.html", "../index.html"),
        ("index.md", "https://example.org/relay/", "https://example.org/relay/"),
        ("index.md", "elsewhere/", "elsewhere/"),
        ("index.md", "#relay", "#relay"),
    ],
)
def test_links_lead_to_files(docs: Path, source: str, address: str, expected: str) -> None:
    assert as_files(f'<a href="{address}">x</a>', docs / source) == f'<a href="{expected}">x</a>'


def test_the_search_asks_nobody() -> None:
    built = EditorState(None, {SHIM: 1})
    assert shims(["mine.js", ELSEWHERE], built, "../assets") == ["mine.js", f"../assets/editor/{SHIM}"]
    assert shims([ELSEWHERE], NOT_BUILT, "assets") == []
