"""Text of strangers comes out as text."""

from __future__ import annotations

import html

import pytest

from checker.site.text import (
    doc_html,
    escape,
    escape_markdown,
    first_sentence,
    listed,
    paragraphs,
    slug,
    title_of,
    words_of,
)


@pytest.mark.parametrize("text", ["<script>", "a & b", "\"'", "x\u202ey", "\x1b[1m"])
def test_escape(text: str) -> None:
    shown = escape(text)
    assert not set("<>\"'\u202e\x1b") & set(shown)
    assert html.unescape(shown).replace("\\u202e", "\u202e").replace("\\x1b", "\x1b") == text


@pytest.mark.parametrize(
    "text", ["*a* _b_ `c` # d", "[x](y) ![z]", "<b> &amp; {: #i }", "--8<-- :smile: | ~~x~~", "1. a\n- b"]
)
def test_escape_markdown_leaves_no_syntax(text: str) -> None:
    shown = escape_markdown(text)
    assert html.unescape(shown) == " ".join(text.split())
    assert not set(shown.replace("&#", "").replace(";", "")) - set("abcdefghijklmnopqrstuvwxyz0123456789 ")


def test_titles() -> None:
    assert title_of(["Paxos: servers agree.", "More."]) == ("Paxos", (("Servers agree.", "More."),))
    assert title_of(["A lock in Redis, with a time to live."])[0] is None
    assert title_of(["What `x: y` means"])[0] is None
    assert title_of([]) == (None, ())


def test_words_of_names() -> None:
    assert words_of("TwoPhaseCommit") == "Two phase commit"
    assert words_of("two_phase") == "Two phase"
    assert words_of("RedisDB") == "Redis DB"


def test_first_sentence_does_not_end_at_an_initial() -> None:
    assert (
        first_sentence(paragraphs(["As J. Gray and", "L. Lamport wrote. And more."]))
        == "As J. Gray and L. Lamport wrote."
    )
    assert first_sentence([]) == ""


def test_doc_comments() -> None:
    shown = doc_html(["One `a < b`,", "two.", "", "Steps:", "1. first", "   and more", "2. second", "", "- x", "* y"])
    assert shown == (
        "<p>One <code>a &lt; b</code>, two.</p><p>Steps:</p><ol><li>first and more</li><li>second</li></ol>"
        "<ul><li>x</li><li>y</li></ul>"
    )


def test_only_https_is_linked() -> None:
    shown = doc_html(["https://a.example/b?c=d&e=f. javascript:alert(1) http://x.example"])
    assert shown.count("<a ") == 1
    assert 'href="https://a.example/b?c=d&amp;e=f"' in shown


def test_slugs() -> None:
    assert slug("../../etc/passwd") == "etc-passwd"
    assert slug("<<>>") == "x"


def test_lists() -> None:
    assert listed([]) == ""
    assert listed(["a"]) == "a"
    assert listed(["a", "b", "c"]) == "a, b and c"
