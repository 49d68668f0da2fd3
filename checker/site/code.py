"""The text of a spec as highlighted HTML in which every line has an address.

The markup is that of the code blocks of the site's theme, which brings the colours and the copy button. It is made here and
not from a fenced block, because a line number is a link (`#L12`) that other parts of the page point to, and because the
text is a stranger's: whatever it holds, only escaped characters come out.
"""

from __future__ import annotations

from pygments.token import _TokenType

from checker.site.lexer import PsmLexer, class_of
from checker.site.text import escape
from checker.site.words import ENGLISH, Words


def code_html(text: str, *, anchors: str | None = "L") -> str:
    """A spec as a block of code. Lines get the ids `L1`, `L2` and so on; none where `anchors` is None."""
    shown = [
        line if anchors is None else numbered(line, number, anchors) for number, line in enumerate(code_lines(text), 1)
    ]
    return f'<div class="language-psm highlight ls-code"><pre><code>{chr(10).join(shown)}\n</code></pre></div>'


def code_lines(text: str) -> list[str]:
    """The lines of a spec as highlighted HTML."""
    lines: list[list[str]] = [[]]
    for kind, piece in PsmLexer(stripnl=False).get_tokens(text.rstrip() + "\n"):
        for number, part in enumerate(piece.split("\n")):
            if number:
                lines.append([])
            if part:
                lines[-1].append(_span(kind, part))
    if lines and not lines[-1]:
        lines.pop()
    return ["".join(parts) for parts in lines]


def numbered(line: str, number: int, anchors: str = "L", *, words: Words = ENGLISH) -> str:
    """A line of HTML with its number in front, and an address."""
    name, label = f"{anchors}{number}", words("line {line}", line=number)
    link = f'<a class="ls-number" href="#{name}" data-line="{number}" aria-label="{label}"></a>'
    return f'<span class="ls-line" id="{name}">{link}{line}</span>'


def _span(kind: _TokenType, text: str) -> str:
    name = class_of(kind)
    return f'<span class="{name}">{escape(text)}</span>' if name else escape(text)
