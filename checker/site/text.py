"""Text of strangers as HTML: escaped, visible, and never markup.

Specs come from anywhere, and their names, comments and values end up on pages. Three rules keep that harmless:

- Everything passes `escape` on its way into HTML. It makes characters visible that would hide or reorder what a reader
  sees (controls, direction overrides), and escapes `&`, `<`, `>` and both quotes.
- What stands in Markdown passes `escape_markdown`, which writes all but letters, digits and blanks as character
  references, so that no sequence of characters is syntax.
- Doc comments know a handful of conventions (paragraphs, lists, `code`, https addresses), turned into HTML by `doc_html`
  here, not by a Markdown library.
"""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Iterable, Sequence

_HIDDEN = frozenset("\u2028\u2029\ufeff")
_CODE_OR_LINK = re.compile(r"`([^`]+)`|(https://[^\s<>\"'`]*[\w/])")
_BULLET = re.compile(r"\s*[-*] +(.*)")
_TITLE_LENGTH = 72


def visible(text: str) -> str:
    """The text with controls and format characters written as `\\u202e`; line breaks and tabs stay."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(
        f"\\u{ord(c):04x}" if c in _HIDDEN or (c not in "\n\t" and unicodedata.category(c) in ("Cc", "Cf", "Cs")) else c
        for c in text
    )


def escape(text: str) -> str:
    """The text for HTML, in an element or in a quoted attribute."""
    return html.escape(visible(text), quote=True)


def escape_markdown(text: str) -> str:
    """The text for Markdown: no character but letters, digits and single blanks stands for itself."""
    one_line = " ".join(visible(text).split())
    return "".join(c if c.isalnum() or c == " " else f"&#{ord(c)};" for c in one_line)


def slug(text: str) -> str:
    """A name for files, addresses and anchors: ASCII letters, digits, `_` and `-`; never empty."""
    return re.sub(r"[^A-Za-z0-9_-]+", "-", text).strip("-") or "x"


def count(number: int, noun: str) -> str:
    """`1 step`, `1,568 states`."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def listed(items: Iterable[str], *, last: str = "and") -> str:
    """`a`, `a and b`, `a, b and c`."""
    all_ = list(items)
    return all_[0] if len(all_) == 1 else f"{', '.join(all_[:-1])} {last} {all_[-1]}" if all_ else ""


def paragraphs(doc: Sequence[str]) -> tuple[tuple[str, ...], ...]:
    """The lines of a doc comment, cut at empty ones."""
    found: list[tuple[str, ...]] = []
    lines: list[str] = []
    for line in (*doc, ""):
        if line.strip():
            lines.append(line.rstrip())
        elif lines:
            found.append(tuple(lines))
            lines = []
    return tuple(found)


def title_of(doc: Sequence[str]) -> tuple[str | None, tuple[str, ...]]:
    """The title that a doc comment begins with, and the rest.

    A title is a short first paragraph of one line. It may end in a full stop, which is left out.
    """
    parts = paragraphs(doc)
    if not parts or len(parts) < 2 or len(parts[0]) != 1 or len(parts[0][0].strip()) > _TITLE_LENGTH:
        return None, tuple(doc)
    rest = list(doc)
    while rest and not rest[0].strip():
        rest.pop(0)
    return parts[0][0].strip().removesuffix("."), tuple(rest[1:])


def first_sentence(doc: Sequence[str]) -> str:
    """The first sentence of a doc comment, on one line, without the marks of code."""
    parts = paragraphs(doc)
    if not parts:
        return ""
    text = " ".join(" ".join(parts[0]).split()).replace("`", "")
    end = re.search(r"[.?!](?= |$)", text)
    return text[: end.end()] if end else text


def inline_html(text: str) -> str:
    """One piece of a doc comment: `code` and https addresses, all else escaped."""
    parts: list[str] = []
    at = 0
    for match in _CODE_OR_LINK.finditer(text):
        parts.append(escape(text[at : match.start()]))
        code, link = match.groups()
        if code is not None:
            parts.append(f"<code>{escape(code)}</code>")
        else:
            parts.append(f'<a href="{escape(link)}" rel="nofollow noopener">{escape(link)}</a>')
        at = match.end()
    return "".join(parts) + escape(text[at:])


def doc_html(doc: Sequence[str]) -> str:
    """A doc comment as paragraphs and lists."""
    return "".join(_paragraph(lines) for lines in paragraphs(doc))


def _paragraph(lines: tuple[str, ...]) -> str:
    """A paragraph; from its first line that begins with `- ` on, a list."""
    plain: list[str] = []
    items: list[list[str]] = []
    for line in lines:
        bullet = _BULLET.fullmatch(line)
        if bullet:
            items.append([bullet.group(1)])
        else:
            (items[-1] if items else plain).append(line.strip())
    result = f"<p>{inline_html(' '.join(plain))}</p>" if plain else ""
    if items:
        result += "<ul>" + "".join(f"<li>{inline_html(' '.join(item))}</li>" for item in items) + "</ul>"
    return result
