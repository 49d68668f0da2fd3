"""The lexer cuts every spec without a rest, and knows every word of the grammar."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from pygments.token import Comment, Error, Keyword, Name, Operator, String

from checker.site.lexer import KEYWORDS, PsmLexer

ROOT = Path(__file__).resolve().parents[2]
SPECS = sorted([*(ROOT / "specs").rglob("*.psm"), *(ROOT / "tests" / "lang" / "corpus").glob("*.psm")])
GRAMMAR = (ROOT / "checker" / "lang" / "grammar.lark").read_text(encoding="utf-8")


def kinds(text: str) -> dict[str, object]:
    """The kind of each token of a text."""
    return {piece: kind for kind, piece in PsmLexer().get_tokens(text) if piece.strip()}


@pytest.mark.parametrize("path", SPECS, ids=lambda p: p.stem)
def test_nothing_is_lost_and_nothing_is_wrong(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    tokens = list(PsmLexer(stripnl=False).get_tokens(text))
    assert "".join(piece for _, piece in tokens) == text
    assert [piece for kind, piece in tokens if kind is Error] == []


def test_every_word_of_the_grammar_is_coloured() -> None:
    rules = re.sub(r"//[^\n]*", "", GRAMMAR)
    words = set(re.findall(r'"([a-zA-Z]+)"', rules))
    for terminal in re.findall(r"^[A-Z]+(?:\.\d)?\s*: /(.*)/$", rules, re.MULTILINE):
        words |= set(re.findall(r"[a-z]+", re.sub(r"\\[a-z]|\[[^]]*\]", " ", terminal)))
    assert words - KEYWORDS == set()


def test_kinds() -> None:
    found = kinds("/// doc\nspec Door # note\nrole Guest { durable open: bool = false\n on Knock when not open { } }")
    assert found["/// doc"] is String.Doc
    assert found["# note"] is Comment.Single
    assert found["Door"] is Name.Class
    assert found["Guest"] is Name.Class
    assert found["durable"] is Keyword.Declaration
    assert found["bool"] is Keyword.Type
    assert found["false"] is Keyword.Constant
    assert found["when"] is Keyword
    assert found["not"] is Operator.Word
    assert found["Knock"] is Name


def test_functions_only_where_they_are_called() -> None:
    assert kinds("size(x)")["size"] is Name.Builtin
    assert kinds("let size = 1")["size"] is Name


def test_text_that_is_no_spec_still_comes_out() -> None:
    text = 'é "quoted" $ \\ `x`\n'
    assert "".join(piece for _, piece in PsmLexer().get_tokens(text)) == text


def test_pygments_is_told_of_it() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["entry-points"]["pygments.lexers"] == {"psm": f"{PsmLexer.__module__}:PsmLexer"}
