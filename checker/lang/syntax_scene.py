"""What there is to see around a syntax error.

The parser says at which offset it could not go on and which terminals it would have taken. A message for a person needs
more: the whole word at that offset (the parser stops in the middle of `&&`), the words on both sides, and the brackets
that are open. `look` gathers them in a `Scene`, from the text of the declarations around the error alone, so that many
errors in a long file do not cost a scan of the file each.

Which bracket is missing cannot be known, but is told well by indentation: a `}` that begins a line further left than
the line of the `{` that it would close was meant for an outer one, so that this `{` is the suspect.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from lark import UnexpectedInput
from lark.exceptions import UnexpectedCharacters, UnexpectedToken

from checker.base.data import dataclass
from checker.base.source import Source, Span

NEAR = 24
"""How many words on each side of an error the examples may look at."""

_WORD = re.compile(
    r"""(?P<comment>\#[^\n]*)
    | (?P<doc>///[^\n]*)
    | (?P<string>"[^"\n]*"?|(?<![A-Za-z_0-9)\]])'[^'\n]*'?)
    | (?P<float>[0-9]+\.[0-9]+)
    | (?P<name>[A-Za-z_][A-Za-z_0-9]*)
    | (?P<int>[0-9]+)
    | (?P<symbol>\\[A-Za-z]+|<=>|<->|==>|===|!==|\|->|\.\.\.|:=|[-+*/%&|]=|==|!=|<=|>=|=>|=<|~>|~=|->|<-|<>|<<|>>|\.\.
        |\?\.|\?\?|&&|\|\||\+\+|--|\*\*|//|/\*|\*/|/\\|\\/|::|[^\s])
    """,
    re.VERBOSE,
)

_BLANKS = re.compile(r"[ \t]*")

_TOP = re.compile(
    r"^(?:const|type|id|enum|record|message|network|shared|role|invariant|reach|live|refines|linearizable|check)\b",
    re.MULTILINE,
)
"""A word that begins a declaration at the left margin, and never anything inside one."""

_PAIRS = {"(": ")", "[": "]", "{": "}"}


class Word(NamedTuple):
    """A word of the text; `kind` is also `end`, at the end of the file."""

    kind: str
    text: str
    start: int
    end: int

    @property
    def span(self) -> Span:
        return Span(self.start, self.end)


class Bracket(NamedTuple):
    """An open bracket, and how far its line is indented."""

    word: Word
    indent: int

    @property
    def closing(self) -> str:
        return _PAIRS[self.word.text]


@dataclass(frozen=True, slots=True)
class Scene:
    """A syntax error and its surroundings.

    `at` is the word that does not fit; if `inside`, the parser had already taken its first part, as the `:` of `:=`.
    `offset` is where the parser stopped.
    `before` and `after` are the words on both sides, joined by blanks; `after` begins with `at`.
    """

    source: Source
    at: Word
    inside: bool
    offset: int
    previous: Word | None
    before: str
    after: str
    accepts: frozenset[str]
    brackets: tuple[Bracket, ...]
    suspect: Bracket | None

    def takes(self, *terminals: str) -> bool:
        """Whether the parser would have gone on with one of these terminals."""
        return not self.accepts.isdisjoint(terminals)

    def indent(self, word: Word) -> int | None:
        """How far a word is indented that is the first one of its line; None for any other."""
        column = self.source.place(word.start).column - 1
        return column if _margin(self.source.text, word.start - column) == column else None


def look(source: Source, problem: UnexpectedInput) -> Scene:
    """The surroundings of an error in `source`."""
    text = source.text
    at_end = isinstance(problem, UnexpectedToken) and problem.token.type == "$END"
    reached: int | None = getattr(problem, "pos_in_stream", None)
    offset = len(text) if at_end or reached is None else reached
    tops = [match.start() for match in _TOP.finditer(text, 0, offset)]
    words = _words(text, tops[-3] if len(tops) > 3 else 0, offset)
    number = next((i for i, word in enumerate(reversed(words), 1) if word.start <= offset < word.end), None)
    if number is None:
        last = next((word.end for word in reversed(words) if word.start < offset), 0)
        at = Word("end", "", last, last)
        if not at_end and offset < len(text):  # a blank that is none
            at = Word("symbol", text[offset], offset, offset + 1)
        number = sum(word.start < offset for word in words)
        words.insert(number, at)
    else:
        number = len(words) - number
        at = words[number]
    brackets, suspect = _open_brackets(source, words[:number], set(tops))
    return Scene(
        source=source,
        at=at,
        inside=offset > at.start and at.kind != "end",
        offset=offset,
        previous=words[number - 1] if number else None,
        before=" ".join(_short(word) for word in words[max(0, number - NEAR) : number]),
        after=" ".join(_short(word) for word in words[number : number + NEAR]),
        accepts=_accepts(problem),
        brackets=brackets,
        suspect=suspect,
    )


def _words(text: str, start: int, offset: int) -> list[Word]:
    """The words from `start` on, to a little behind `offset`; comments are left out."""
    words: list[Word] = []
    behind = 0
    for match in _WORD.finditer(text, start):
        if match.lastgroup == "comment":
            continue
        words.append(Word(match.lastgroup or "symbol", match.group(), match.start(), match.end()))
        behind += match.start() > offset
        if behind > NEAR:
            break
    return words


def _short(word: Word) -> str:
    return "///" if word.kind == "doc" else word.text[:40]


def _accepts(problem: UnexpectedInput) -> frozenset[str]:
    parser = getattr(problem, "interactive_parser", None)
    if parser is not None:
        return frozenset(parser.accepts())
    known: set[str] | None = None
    if isinstance(problem, UnexpectedToken):
        known = problem.expected
    elif isinstance(problem, UnexpectedCharacters):
        known = problem.allowed
    return frozenset(known or ())


def _open_brackets(source: Source, words: list[Word], tops: set[int]) -> tuple[tuple[Bracket, ...], Bracket | None]:
    """The brackets open behind `words`, and the one that seems to lack its partner.

    A declaration at the left margin forgets what is open before it: the parser has got that far, or an error in it has
    been reported. The last word does not count, since the parser may have taken a keyword for a name there.
    """
    stack: list[Bracket] = []
    suspect: Bracket | None = None
    margins: dict[int, int] = {}  # by line, so that a long line is measured once
    for number, word in enumerate(words):
        if word.start in tops and number < len(words) - 1:
            stack.clear()
            suspect = None
        closes = bool(stack) and word.text == stack[-1].closing
        if not (closes or word.text in _PAIRS):
            continue
        line, column = source.place(word.start)
        margin = margins.get(line)
        if margin is None:
            margin = margins[line] = _margin(source.text, word.start - column + 1)
        if not closes:
            stack.append(Bracket(word, margin))
            continue
        bracket = stack.pop()
        if column - 1 == margin < bracket.indent and suspect is None:
            suspect = bracket
    return tuple(stack), suspect if stack else None


def _margin(text: str, line_start: int) -> int:
    """How many blanks the line has that starts there."""
    match = _BLANKS.match(text, line_start)
    return 0 if match is None else match.end() - line_start
