"""Drawings in pages: what Graphviz drew, made fit to stand inside HTML, and small charts of our own.

Inside a page a drawing takes its colours from the text around it, so that it can be read on light and on dark ground. Nodes
keep the names that the drawing gave them (`s7` is the state that the search numbers 7), as ids with the name of the drawing
before them (`graph-s7`), because a page may have several drawings. All other ids are dropped.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from checker.site.text import escape
from checker.site.words import ENGLISH, Words

_PROLOGUE = re.compile(r"^.*?(?=<svg\b)", re.DOTALL)
_COMMENT = re.compile(r"<!--.*?-->\s*", re.DOTALL)
_ID = re.compile(r'(<(?:g|svg|a|polygon|path)\b[^<>]*?) id="(?!\0)[^"]*"')
_NODE = re.compile(r'<g id="[^"]*" class="node([^"]*)">\s*<title>([a-z]+_?\w*)</title>')
_TITLE = re.compile(r"<title>[^<]*</title>\s*")
_SIZE = re.compile(r'<svg width="([0-9.]+)pt" height="([0-9.]+)pt"')
_PIXELS, _SMALLEST = 4 / 3, 0.75
_BLACK = re.compile(r'\b(fill|stroke)="(?:black|#000000)"')
_COUNT = re.compile(r">([0-9,]+) (state|message|instance)s?<")
_TITLED = re.compile(r'(<svg class="ls-graph" role="img" aria-label=)"[^"]*"')
_LEFT = re.compile(r">left of (\w[^<]*)<")
_VIOLATES = re.compile(r">violates (\w+)<")
_TEXT = re.compile(r"<text (?![^<>]*\bfill=)")


def inline_svg(drawn: bytes, title: str, name: str) -> str:
    """A drawing of Graphviz for a page, with a title for those who cannot see it. `name` begins the ids of its nodes."""
    text = _COMMENT.sub("", _PROLOGUE.sub("", drawn.decode("utf-8")))
    text = _NODE.sub(rf'<g id="\0{name}-\2" class="node\1">', text)
    text = _TITLE.sub("", text)
    text = _BLACK.sub(r'\1="currentColor"', text)
    text = _TEXT.sub('<text fill="currentColor" ', text)
    while _ID.search(text):
        text = _ID.sub(r"\1", text)
    text = text.replace("\0", "")
    text = _SIZE.sub(lambda m: f'<svg class="ls-graph" role="img" aria-label="{escape(title)}" {_size(m)}', text)
    return "".join(line.strip() + "\n" for line in text.splitlines()).strip()


def _size(match: re.Match[str]) -> str:
    """The size that Graphviz meant, and a smallest width: on a narrow page a drawing shrinks until its text is small."""
    width, height = (round(float(points) * _PIXELS) for points in match.groups())
    return f'width="{width}" height="{height}" style="min-width:{min(width, round(width * _SMALLEST))}px"'


def translated_svg(svg: str, title: str, words: Words) -> str:
    """A drawing that is told in the language of the page: its title, and what its labels say beside names of the spec."""
    if words is ENGLISH:
        return svg
    svg = _TITLED.sub(lambda m: f'{m[1]}"{escape(title)}"', svg, count=1)
    svg = _COUNT.sub(lambda m: f">{words.count(int(m[1].replace(',', '')), m[2])}<", svg)
    svg = _LEFT.sub(lambda m: f">{words('left of {budget}', budget=m[1])}<", svg)
    return _VIOLATES.sub(lambda m: f">{words('violates {property}', property=m[1])}<", svg)


def histogram_svg(counts: Sequence[int], title: str, words: Words = ENGLISH) -> str:
    """Bars, one for each depth, as high as there are states of that depth."""
    width, height, gap = max(6, min(22, 560 // max(1, len(counts)))), 120, 2
    most = max(counts, default=1) or 1
    bars = []
    for depth, number in enumerate(counts):
        bar = max(1, round(number / most * height)) if number else 0
        tip = f"{words('depth')} {depth}: {words.count(number, 'state')}"
        bars.append(
            f'<rect x="{8 + depth * width}" y="{14 + height - bar}" width="{width - gap}" height="{bar}" rx="1" '
            f'fill="#6b7fd7"><title>{escape(tip)}</title></rect>'
        )
    total = 16 + width * len(counts)
    base = 14 + height
    shown = max(total, 150)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="ls-histogram" role="img" aria-label="{escape(title)}" '
        f'width="{shown}" height="{base + 22}" viewBox="0 0 {shown} {base + 22}" fill="currentColor" font-size="11">'
        f'{"".join(bars)}<path d="M8 {base + 1}H{total - 8}" stroke="currentColor" stroke-opacity=".5"/>'
        f'<text x="8" y="{base + 16}">0</text>'
        f'<text x="{total - 8}" y="{base + 16}" text-anchor="end">{len(counts) - 1}</text>'
        f'<text x="{total / 2:g}" y="{base + 16}" text-anchor="middle">{escape(words("depth"))}</text>'
        f'<text x="8" y="10">{most:,}</text></svg>'
    )
