"""Text of strangers as HTML: escaped, visible, and never markup.

Specs come from anywhere, and their names, comments and values end up on pages. Three rules keep that harmless:

- Everything passes `escape` on its way into HTML. It writes characters that hide or reorder what a reader sees as
  escapes (`clean`), and escapes `&`, `<`, `>` and both quotes.
- What stands in Markdown passes `escape_markdown`, which writes all but letters, digits and blanks as character
  references, so that no sequence of characters is syntax.
- Doc comments know a handful of conventions (paragraphs, lists, `code`, https addresses), turned into HTML by `doc_html`
  here, not by a Markdown library.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Sequence

from checker.render.plain import clean

_CODE_OR_LINK = re.compile(r"`([^`]+)`|(https://[^\s<>\"'`]*[\w/])")
_ITEM = re.compile(r"\s*([-*]|[0-9]{1,2}\.) +(.*)")
_TITLE_LENGTH = 40


def escape(text: str) -> str:
    """The text for HTML, in an element or in a quoted attribute."""
    return html.escape(clean(text), quote=True)


def escape_markdown(text: str) -> str:
    """The text for Markdown: no character but letters, digits and single blanks stands for itself."""
    one_line = " ".join(clean(text).split())
    return "".join(c if c.isalnum() or c == " " else f"&#{ord(c)};" for c in one_line)


def scrolling(content: str, label: str, *, kind: str = "ls-figure") -> str:
    """HTML in a container of its own: where it is too wide, the container scrolls and not the page.

    The labels of a drawing are not searched for: they say again, out of order, what the page says in words.
    """
    name = f"ls-scroll {kind}".strip()
    drawing = " data-search-exclude" if kind else ""
    return f'<div class="{name}" tabindex="0" role="region" aria-label="{escape(label)}"{drawing}>{content}</div>'


def slug(text: str) -> str:
    """A name for files, addresses and anchors: ASCII letters, digits, `_` and `-`; never empty."""
    return re.sub(r"[^A-Za-z0-9_-]+", "-", text).strip("-") or "x"


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


def title_of(doc: Sequence[str]) -> tuple[str | None, tuple[tuple[str, ...], ...]]:
    """The title that a doc comment begins with (`Paxos: several servers agree …`), and its paragraphs without it."""
    parts = paragraphs(doc)
    if not parts:
        return None, ()
    title, colon, rest = parts[0][0].partition(": ")
    if not colon or len(title) > _TITLE_LENGTH or "`" in title:
        return None, parts
    return title.strip(), ((rest[:1].upper() + rest[1:], *parts[0][1:]), *parts[1:])


def words_of(name: str) -> str:
    """`TwoPhaseCommit` and `two_phase_commit` as words: `Two phase commit`."""
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|_+", " ", name).split()
    text = " ".join(w if w.isupper() and len(w) > 1 else w.lower() for w in words)
    return text[:1].upper() + text[1:]


def first_sentence(parts: Sequence[Sequence[str]]) -> str:
    """The first sentence of paragraphs, on one line, without the marks of code."""
    if not parts:
        return ""
    text = " ".join(" ".join(parts[0]).split()).replace("`", "")
    # A full stop behind a single letter ends an initial.
    end = re.search(r"(?<!\b[A-Z])[.?!](?= |$)", text)
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
    return paragraphs_html(paragraphs(doc))


def paragraphs_html(parts: Iterable[Sequence[str]]) -> str:
    """Paragraphs in HTML; from its first line that begins with `- ` or `1. ` on, a paragraph is a list."""
    return "".join(_paragraph(lines) for lines in parts)


def _paragraph(lines: Sequence[str]) -> str:
    plain: list[str] = []
    items: list[list[str]] = []
    tag = "ul"
    for line in lines:
        item = _ITEM.fullmatch(line)
        if item:
            if not items and item.group(1)[0].isdigit():
                tag = "ol"
            items.append([item.group(2)])
        else:
            (items[-1] if items else plain).append(line.strip())
    result = f"<p>{inline_html(' '.join(plain))}</p>" if plain else ""
    if items:
        result += f"<{tag}>" + "".join(f"<li>{inline_html(' '.join(item))}</li>" for item in items) + f"</{tag}>"
    return result
