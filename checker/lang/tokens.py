"""A plain scan of a spec's text into words, symbols and comments.

The parser's own lexer depends on the parser's state and stops at the first error. Two readers need less and more than
that: the formatter asks where comments stand between tokens, and the messages about syntax errors look around in text
that does not parse. The language has no strings, so one regular expression tells comments from all the rest, and it
cuts texts that parse exactly as the parser does.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

_TOKEN = re.compile(
    r"""(?P<comment>\#[^\n]*)
    | (?P<doc>///[^\n]*)
    | (?P<name>[A-Za-z_][A-Za-z_0-9]*)
    | (?P<int>[0-9]+)
    | (?P<symbol>:=|\+=|-=|==|!=|<=|>=|=>|~>|\.\.|\?\.|[^\s])
    """,
    re.VERBOSE,
)


class Word(NamedTuple):
    """A token of the text: `kind` is `comment`, `doc`, `name`, `int` or `symbol`."""

    kind: str
    text: str
    start: int
    end: int


def scan(text: str, start: int = 0, end: int | None = None) -> Iterator[Word]:
    """The words of `text[start:end]` in order, comments among them."""
    for match in _TOKEN.finditer(text, start, len(text) if end is None else end):
        yield Word(match.lastgroup or "symbol", match.group(), match.start(), match.end())
