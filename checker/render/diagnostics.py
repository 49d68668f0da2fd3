"""Diagnostics as lines of text.

    lock.psm:14:22: error PSM201: unknown variable `ower`
       14 |   on Take from c when ower == none {
          |                       ^^^^
       help: did you mean `owner`?

The result is lines of styled pieces, not a string, so that a terminal can colour them and a file can have them plain,
without a library for either. The source line comes from a stranger: it is cleaned, and a long one is cut to a window
around the marked place, so that the caret always stands below what it means.
"""

from __future__ import annotations

from collections.abc import Iterable

from checker.base.diagnostics import Diagnostic, Severity
from checker.base.source import Place, Source, Span
from checker.render.plain import ASCII, UNICODE, Signs, clean, columns, fitted, plural

Piece = tuple[str, str]
"""A text and a style: `error`, `warning`, `code`, `place`, `bar`, `caret`, `label` or nothing."""

Line = tuple[Piece, ...]

WINDOW = 96
"""The most columns of a source line that are shown."""


def diagnostic_lines(diagnostic: Diagnostic, signs: Signs = UNICODE) -> list[Line]:
    """A diagnostic with its place, the source line, notes and help."""
    severity = diagnostic.severity.value
    place = _where(diagnostic)
    head: list[Piece] = [(fitted(place, signs) + ": ", "place")] if place else []
    head += [
        (f"{severity} ", severity),
        (diagnostic.code, "code"),
        (f": {fitted(diagnostic.message, signs)}", "message"),
    ]
    lines: list[Line] = [tuple(head)]
    if diagnostic.source is not None and diagnostic.span is not None:
        lines += excerpt(diagnostic.source, diagnostic.span, severity, signs)
    lines += [(("   ", ""), ("note: ", "label"), (fitted(note, signs), "")) for note in diagnostic.notes]
    if diagnostic.help is not None:
        lines.append((("   ", ""), ("help: ", "label"), (fitted(diagnostic.help, signs), "")))
    return lines


def _where(diagnostic: Diagnostic) -> str:
    if diagnostic.source is None:
        return ""
    if diagnostic.span is None:
        return diagnostic.source.name
    place = diagnostic.source.place(diagnostic.span.start)
    return f"{diagnostic.source.name}:{place.line}:{place.column}"


def excerpt(source: Source, span: Span, style: str = "error", signs: Signs = UNICODE) -> list[Line]:
    """The line of a place, and below it a mark; of a place over several lines, the first line that has text."""
    start, end = _first_text(source, span)
    text = source.line(start.line)
    stop = end.column - 1 if end.line == start.line else len(text.rstrip())
    before, marked, after = _window(text, start.column - 1, max(stop, start.column), signs)
    number = f"{start.line:>5} "
    mark = "^" * max(1, columns(marked))
    if end.line != start.line:
        mark += signs.more
    return [
        ((number, "bar"), ("|", "bar"), (f" {before}{marked}{after}".rstrip(), "source")),
        ((" " * len(number), "bar"), ("|", "bar"), (" " * (columns(before) + 1), ""), (mark, style)),
    ]


def _first_text(source: Source, span: Span) -> tuple[Place, Place]:
    """The places of a span, without blanks at its start."""
    text = source.slice(span)
    start = span.start + (len(text) - len(text.lstrip()) if text.strip() else 0)
    return source.place(start), source.place(max(span.end, start))


def _window(text: str, start: int, stop: int, signs: Signs) -> tuple[str, str, str]:
    """The parts of a line before, in and after the marked place, cleaned, and cut where the line is long."""
    stop = min(stop, start + WINDOW)
    first = max(0, start - WINDOW // 2) if columns(text) > WINDOW else 0
    last = min(len(text), max(stop, first + WINDOW))
    left = signs.more if first else ""
    right = signs.more if last < len(text) else ""
    return (
        left + _shown(text[first:start], signs),
        _shown(text[start:stop], signs),
        _shown(text[stop:last], signs) + right,
    )


def _shown(text: str, signs: Signs) -> str:
    return fitted(text, signs) if signs is ASCII else clean(text)


def plain_text(lines: Iterable[Line]) -> str:
    """Lines without styles."""
    return "".join("".join(text for text, _ in line) + "\n" for line in lines)


def count_line(diagnostics: Iterable[Diagnostic]) -> str | None:
    """`2 errors and 1 warning`; None where there is none."""
    found = list(diagnostics)
    errors = sum(d.severity is Severity.ERROR for d in found)
    parts = [plural(errors, "error")] if errors else []
    if len(found) > errors:
        parts.append(plural(len(found) - errors, "warning"))
    return " and ".join(parts) or None
