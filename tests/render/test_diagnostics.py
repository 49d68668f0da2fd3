"""Diagnostics as text, and text that is safe to show."""

from __future__ import annotations

import pytest

from checker.base.diagnostics import Diagnostic, Severity
from checker.base.source import Source, Span
from checker.render.diagnostics import WINDOW, count_line, diagnostic_lines, plain_text
from checker.render.plain import ASCII, UNICODE, ascii_only, clean, columns, duration, plural, power, rate, signs_for

TEXT = "spec A\nrole R {\n\tdurable x: bool = yes  # ünïcödé 漢字\n}\n"


def shown(text: str, start: int, end: int, notes: tuple[str, ...] = (), help: str | None = None) -> str:
    source = Source("a.psm", text)
    return plain_text(diagnostic_lines(Diagnostic("PSM201", "unknown", source, Span(start, end), notes, help)))


def test_whole_diagnostic() -> None:
    at = TEXT.index("yes")
    assert shown(TEXT, at, at + 3, notes=("a fact",), help="do this") == (
        "a.psm:3:20: error PSM201: unknown\n"
        "    3 |  durable x: bool = yes  # ünïcödé 漢字\n"
        "      |                    ^^^\n"
        "   note: a fact\n"
        "   help: do this\n"
    )


def test_caret_counts_columns_not_characters() -> None:
    text = "# 漢字 x y\n"
    lines = shown(text, text.index("y"), text.index("y") + 1).splitlines()
    assert columns(lines[1][: lines[1].index("y")]) == lines[2].index("^")


def test_place_over_several_lines() -> None:
    assert shown("a {\n  b\n}\n", 2, 9).splitlines()[2] == "      |   ^…"


def test_place_that_begins_with_blanks() -> None:
    assert shown("a\n\n  b\n", 1, 6).startswith("a.psm:1:2: ")
    assert shown("a\n\n  b\n", 1, 6).splitlines()[1] == "    3 |   b"


def test_end_of_the_file() -> None:
    assert shown("a\n", 2, 2).splitlines()[1:] == ["    2 |", "      | ^"]


@pytest.mark.parametrize("at", [0, 50, 5_000, 9_998])
def test_long_line_is_cut_around_the_place(at: int) -> None:
    text = "x" * at + "HERE" + "y" * (10_000 - at)
    _, line, mark = shown(text, at, at + 4).splitlines()
    assert len(line) < WINDOW + 20
    assert line[mark.index("^") : mark.index("^") + 4] == "HERE"
    assert mark.count("^") == 4


def test_long_place_is_cut() -> None:
    _, line, mark = shown("x" * 10_000, 0, 10_000).splitlines()
    assert len(line) < WINDOW + 20 and len(mark) < WINDOW + 20


def test_without_a_place() -> None:
    assert plain_text(diagnostic_lines(Diagnostic("PSM001", "gone", help="look"))) == (
        "error PSM001: gone\n   help: look\n"
    )
    warning = Diagnostic("PSM702", "nothing", Source("a", ""), severity=Severity.WARNING)
    assert plain_text(diagnostic_lines(warning)) == "a: warning PSM702: nothing\n"


def test_what_hides_is_made_visible() -> None:
    text = "a # \x1b[31m \u202e \x07 \u200b \x9b"
    line = shown(text, 0, 1).splitlines()[1]
    assert line == "    1 | a # \\x1b[31m \\u202e \\x07 \\u200b \\x9b"
    assert clean("a\tb\nc") == "a b c"


def test_ascii() -> None:
    source = Source("a.psm", TEXT)
    lines = diagnostic_lines(Diagnostic("PSM201", "“x” → …", source, Span(0, 9)), ASCII)
    assert plain_text(lines).isascii()
    assert ascii_only("é→…") == "\\xe9->..."
    assert signs_for("utf-8") is UNICODE and signs_for("UTF8") is UNICODE
    assert signs_for("latin-1") is ASCII and signs_for(None) is ASCII


def test_counts() -> None:
    error, warning = Diagnostic("PSM001", "a"), Diagnostic("PSM702", "b", severity=Severity.WARNING)
    assert count_line([]) is None
    assert count_line([error]) == "1 error"
    assert count_line([error, error, warning]) == "2 errors and 1 warning"


def test_numbers() -> None:
    assert [plural(n, "state") for n in (0, 1, 1145)] == ["0 states", "1 state", "1,145 states"]
    assert [duration(s) for s in (0.0001, 0.014, 0.25, 9.994, 12.34, 59.94, 250, 7500)] == [
        "under 1 ms", "14 ms", "0.25 s", "9.99 s", "12.3 s", "59.9 s", "4 min 10 s", "2 h 05 min",
    ]  # fmt: skip
    assert [rate(n, s) for n, s in ((0, 1.0), (10, 0.001), (141_234, 1.0), (7, 2.0))] == [
        None,
        None,
        "141,000/s",
        "4/s",
    ]
    assert [power(n) for n in (3, 1 << 39, 1 << 40, 10**6000)] == ["3", f"{1 << 39:,}", "≈ 2^40", "≈ 2^19932"]
