"""The doc comments of a spec on a page, in the language of the page; what is not translated is marked as English."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from checker.site.text import paragraphs, paragraphs_html
from checker.site.words import Words


def prose_html(words: Words, doc: Sequence[str]) -> str:
    """A doc comment as paragraphs and lists."""
    return parts_html(words, paragraphs(doc))


def parts_html(words: Words, parts: Iterable[Sequence[str]]) -> str:
    """Paragraphs of a doc comment in HTML."""
    return "".join(_part(words, part) for part in parts)


def _part(words: Words, part: Sequence[str]) -> str:
    found = words.prose(part)
    if found is None:
        return f'<div lang="en">{paragraphs_html([part])}</div>'
    return paragraphs_html([found])
