"""Messages about syntax errors: one for each mistake of the table, several for one file, and none that fails."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from checker.base.diagnostics import CODES, Diagnostic, SpecError
from checker.base.source import MAX_BYTES, Source
from checker.lang import ast
from checker.lang.lalr import MAX_ERRORS
from checker.lang.parser import parse, parse_expr
from checker.lang.printer import format_source
from checker.lang.tokens import scan
from tests.lang.support import SPECS, text_of
from tests.lang.syntax_cases import CASES, CONTEXTS

Case = tuple[str, str, str, str, str]
ALL_CASES = [
    pytest.param(CONTEXTS[context], *case, id=f"{context}-{case[0]!r}") for context in CASES for case in CASES[context]
]


def errors(text: str) -> tuple[Diagnostic, ...]:
    with pytest.raises(SpecError) as caught:
        parse(Source("test.psm", text))
    return caught.value.diagnostics


def place(diagnostic: Diagnostic) -> str:
    assert diagnostic.source is not None and diagnostic.span is not None
    line, column = diagnostic.source.place(diagnostic.span.start)
    return f"{line}:{column}"


def check_form(diagnostic: Diagnostic, text: str) -> None:
    """What holds for every message, whatever the input."""
    assert diagnostic.code in CODES
    assert diagnostic.code.startswith("PSM1")
    assert diagnostic.span is not None
    assert 0 <= diagnostic.span.start <= diagnostic.span.end <= len(text)
    for part in (diagnostic.message, diagnostic.help, *diagnostic.notes):
        assert part
        assert len(part) < 200
        assert not re.search(r"[\n\r]", part)
        assert not re.search(r"<(?:at|previous|name|word|target|field|message|kind|number|domain)>", part)
    assert not diagnostic.message.endswith(".")


# ---- the table


@pytest.mark.parametrize(("context", "snippet", "code", "where", "message", "help"), ALL_CASES)
def test_mistake(context: str, snippet: str, code: str, where: str, message: str, help: str) -> None:
    text = context % snippet
    found = errors(text)
    first = found[0]
    for diagnostic in found:
        check_form(diagnostic, text)
    assert (first.code, place(first)) == (code, where)
    assert first.message.startswith(message)
    assert (first.help or "").startswith(help)


@pytest.mark.parametrize(
    ("snippet", "wanted"),
    [
        ("message", ["M yes: bool", "yes"]),
        ("durable x: bool", ["}"]),
        ("on M(x: T) { }", [":"]),
    ],
)
def test_the_offending_text_is_shown(snippet: str, wanted: list[str]) -> None:
    (diagnostic,) = (
        errors(CONTEXTS["MEMBER"] % snippet) if snippet != "message" else errors("spec T\nmessage M yes: bool")
    )
    assert any(f"`{text}`" in part for text in wanted for part in (diagnostic.message, *diagnostic.notes))


def test_long_offending_text_is_cut() -> None:
    (diagnostic,) = errors("spec T\n" + "x" * 1000)
    assert "`" + "x" * 29 + "…`" in diagnostic.message


def test_a_missing_brace_is_reported_where_it_was_opened() -> None:
    text = "spec T\nrole A {\n  on M {\n    if a {\n      x := 1\n  }\n  on N { }\n}\nconst C = 1\n"
    (diagnostic,) = errors(text)
    assert (diagnostic.code, place(diagnostic)) == ("PSM102", "4:10")
    assert diagnostic.notes == ("`on` in line 7, column 3, cannot stand inside it",)


@pytest.mark.parametrize(
    ("text", "message", "help"),
    [
        ("", "the text ends too early", "expected an expression"),
        ("a b", "did not expect `b` behind `a`", "expected an operator or the end of the text"),
        ("a = b", "`=` does not compare", "write `==`"),
        ("a)", "`)` closes nothing: no `(` is open", "remove it, or look for a `)` too many before it"),
        ("(a", "missing `)`: this `(` is not closed", "write `)` where it ends"),
    ],
)
def test_an_expression_alone(text: str, message: str, help: str) -> None:
    with pytest.raises(SpecError) as caught:
        parse_expr(Source("test.psm", text))
    assert [(d.message, d.help) for d in caught.value.diagnostics] == [(message, help)]


# ---- several errors


def test_every_declaration_with_an_error_is_reported() -> None:
    text = (
        "spec T\nconst N := 3\nrole A {\n  durable x: bool = false\n  on M { x = true }\n}\n"
        "/// doc\ninvariant I: a && b\nconst M = 2\nrole B {\n  on M { x := 1 }\nfun f: bool = true\nfinal: true;\n"
    )
    assert [(d.code, place(d)) for d in errors(text)] == [
        ("PSM101", "2:9"),
        ("PSM101", "5:12"),
        ("PSM108", "8:16"),
        ("PSM102", "10:8"),
        ("PSM108", "13:12"),
    ]


def test_a_missing_bracket_does_not_hide_the_next_declaration() -> None:
    text = "spec T\nrole A {\n  on M { }\nrole B {\n  on N { x = 1 }\n}\n"
    assert [(d.code, place(d)) for d in errors(text)] == [("PSM102", "2:8"), ("PSM101", "5:12")]


def test_a_closing_brace_too_many_behind_an_error_is_not_reported() -> None:
    text = "spec T\nrole A {\n  on M { x = 1 }\nfun f: bool = true\n}\nconst N = 1\n"
    assert [d.code for d in errors(text)] == ["PSM101"]


def test_an_error_found_at_a_closing_bracket_is_reported_behind_another_error() -> None:
    text = "spec T\nrole A { durable n 0..3 = 0 }\nrole B { durable n: 0..3 }\nrole C { durable q: Seq[0..3] = [] }\n"
    assert [d.code for d in errors(text)] == ["PSM111", "PSM111", "PSM111"]


def test_at_most_so_many_errors_are_reported() -> None:
    assert len(errors("spec T\n" + "const N := 3\n" * 50)) == MAX_ERRORS


# ---- no input makes it fail

WORDS = sorted({word.text for path in SPECS for word in scan(text_of(path)) if word.kind not in ("comment", "doc")})
ODD = [
    "@", "$", "\\", "`", "'", '"', "?", "!", "|", "~", ";", "：", "（", "“", "é", "\u00a0", "\u200b", "\ufeff", "\ud800",
    "\0", "\r", "\t", "\n", "\f", "&&", "||", "//", "/*", "->", "<-", "++", "1.5", '"a"', "while", "return", "///", "#",
    "elif", "::", "=>", "~>", "none?", "not", "\\in",
]  # fmt: skip


@st.composite
def damaged(draw: st.DrawFn) -> str:
    """A piece of a spec with a few characters deleted, words inserted and words swapped."""
    text = text_of(draw(st.sampled_from(SPECS)))
    start = draw(st.integers(0, len(text)))
    text = draw(st.sampled_from(["", "spec X\n"])) + text[start : start + draw(st.integers(0, 800))]
    for _ in range(draw(st.integers(0, 4))):
        at = draw(st.integers(0, len(text)))
        match draw(st.integers(0, 3)):
            case 0:
                text = text[:at] + text[at + draw(st.integers(1, 12)) :]
            case 1:
                text = f"{text[:at]} {draw(st.sampled_from(WORDS))} {text[at:]}"
            case 2:
                text = text[:at] + draw(st.sampled_from(ODD)) + text[at:]
            case _:
                words = list(scan(text))
                if len(words) > 1:
                    i = draw(st.integers(0, len(words) - 2))
                    a, b = words[i], words[i + 1]
                    text = text[: a.start] + b.text + text[a.end : b.start] + a.text + text[b.end :]
    return text


def outcome(source: Source) -> ast.Spec | tuple[Diagnostic, ...]:
    """The tree or the errors of a text; anything else that is raised is a bug."""
    try:
        return parse(source)
    except SpecError as problem:
        return problem.diagnostics


def assert_survives(text: str) -> None:
    source = Source("test.psm", text)
    result = outcome(source)
    if isinstance(result, ast.Spec):
        once = Source("test.psm", format_source(source))
        assert parse(once) == result
        assert format_source(once) == once.text
        return
    assert result
    for diagnostic in result:
        check_form(diagnostic, text)
    starts = [d.span.start for d in result if d.span]
    assert starts == sorted(starts)


@settings(deadline=None, max_examples=150)
@given(damaged())
def test_damaged_specs(text: str) -> None:
    assert_survives(text)


@settings(deadline=None, max_examples=100)
@given(st.lists(st.sampled_from(WORDS + ODD), max_size=30), st.sampled_from([" ", "\n", ""]))
@example(["on", "M", "when", "{", "}"], " ")
def test_random_words(words: list[str], between: str) -> None:
    assert_survives("spec T\n" + between.join(words))


@settings(deadline=None, max_examples=100)
@given(
    st.text() | st.binary().map(lambda data: data.decode("latin-1")) | st.text("{}()[]:=<>|.,'\" \n#/ax1", max_size=80)
)
def test_random_text(text: str) -> None:
    assert_survives(text)
    assert_survives("spec T\nconst N = " + text)


@pytest.mark.slow
@settings(deadline=None, max_examples=5000)
@given(damaged())
def test_damaged_specs_often(text: str) -> None:
    assert_survives(text)


HUGE = {
    "valid": ("spec X\n", "const N = 3\n", ""),
    "comments": ("spec X\n", "# a comment with some words\n", ""),
    "docs": ("spec X\n", "/// a doc line with some words\n", ""),
    "an error in each declaration": ("spec X\n", "const N := 3\n", ""),
    "an error at the end": ("spec X\n", "const some_long_name_of_a_constant = 3333333333\n", "const N := 3"),
    "one line": ("spec X\nrole R { ", "on Some_message_with_a_long_name_number_one { } ", "on M { x = 1 } }"),
    "open braces": ("spec X ", "{", ""),
    "closing braces": ("spec X ", "}", ""),
    "sums": ("spec X const N = 1", "+1", ""),
    "signs": ("spec X const N = ", "-", ""),
    "nots": ("spec X invariant I: ", "not\n", ""),
    "chains": ("spec X invariant I: (a", " or a", ""),
    "one number": ("spec X const N = ", "1", ""),
    "one name": ("spec ", "x", " y"),
    "quotes": ("spec X\n", '"', ""),
    "blanks": ("", " ", ""),
    "full width": ("spec X\n", "：", ""),
    "elements": ("spec X const N = {", "1,", "1}"),
    "arms": ("spec X role R { on M { if a { } ", "else if a { } ", "} }"),
    "indentation": ("spec X\nrole R {\n" + " " * 500_000, "{}", ""),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", HUGE)
def test_a_huge_file_takes_seconds(name: str) -> None:
    """The goal is about two seconds for a file of the largest size; the limit leaves room for slow machines."""
    begin, repeated, end = HUGE[name]
    text = begin + repeated * ((MAX_BYTES - len(begin) - len(end)) // len(repeated)) + end
    started = time.perf_counter()
    result = outcome(Source("test.psm", text))
    assert isinstance(result, ast.Spec) or all(len(d.message) < 200 for d in result)
    assert time.perf_counter() - started < 10
