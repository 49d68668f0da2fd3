"""Comments and blank lines: taken from the text, given to a document.

The syntax tree knows no comments, and they may stand between any two tokens. But the printed text has the same tokens
as the written one, in the same order, but for parentheses (the printer sets its own) and a comma behind the last value
of an enum. So the place of a comment is the *gap* before a token, and a token is found again in the document by its
number: `attach` walks the document along the gaps of the source and puts a `Remark` where a gap holds comments.

The first comment of a gap stays at the end of its line if it was there; all others get lines of their own. Formatting
twice changes nothing more, since each comment is then found in the same gap and in the same role.
"""

from __future__ import annotations

from dataclasses import replace
from typing import assert_never

from checker.base.data import dataclass
from checker.base.source import Source
from checker.lang.document import ArmBreak, Break, Concat, Doc, Fill, Group, Line, Nest, Remark, Text
from checker.lang.tokens import Word, scan

_PARENTHESES = frozenset("()")
_CLOSING = frozenset("}]")


@dataclass(frozen=True, slots=True)
class _Gap:
    """What stands in the source before one token: comments, and whether a blank line precedes the token itself."""

    token: str
    trailing: str | None
    own: tuple[tuple[str, bool], ...]
    blank: bool


def attach(doc: Doc, source: Source) -> Doc:
    """The document of a whole file with the comments and the blank lines of its source."""
    walk = _Attach(_gaps(source))
    lead, body = walk.visit(doc)
    end = walk.gaps[walk.at]
    assert end.token == "", f"printed too little: {end.token!r} is left"
    parts = [body] if lead is None else [lead, body]
    if end.own or end.trailing is not None:
        parts += [Break(separator=True), Remark(end.trailing, end.own, blank=False, last=True)]
    return Concat(tuple(parts))


def _gaps(source: Source) -> list[_Gap]:
    """The gaps before all tokens that are not parentheses, and the one before the end, whose token is empty."""
    gaps: list[_Gap] = []
    trailing: str | None = None
    own: list[tuple[str, bool]] = []
    begun = False  # something stands before this place
    end = 0

    def lines(start: int) -> int:
        return source.text.count("\n", end, start)

    for word in scan(source.text):
        newlines = lines(word.start)
        end = word.end
        if word.kind == "comment":
            text = word.text.rstrip()
            if begun and newlines == 0 and trailing is None and not own:
                trailing = text
            else:
                own.append((text, newlines > 1))
        elif word.text not in _PARENTHESES:
            gaps.append(_Gap(_plain(word), trailing, tuple(own), newlines > 1))
            trailing, own = None, []
        begun = True
    gaps.append(_Gap("", trailing, tuple(own), blank=False))
    return gaps


def _plain(word: Word) -> str:
    """The text by which a token is recognised: doc lines are all alike, and `007` is printed as `7`."""
    if word.kind == "doc":
        return "///"
    if word.kind == "int":
        return word.text.lstrip("0") or "0"
    return word.text


class _Attach:
    """A walk over the document in the order of its text; `at` is the gap before the next token."""

    def __init__(self, gaps: list[_Gap]) -> None:
        self.gaps = gaps
        self.at = 0

    def visit(self, doc: Doc) -> tuple[Remark | None, Doc]:
        """The document with its remarks; one before its first token is handed out, to stand outside its group."""
        match doc:
            case Text():
                return self._text(doc)
            case Break():
                return None, replace(doc, blank=doc.separator and self._blank_next())
            case Line() | ArmBreak() | Remark():
                return None, doc
            case Nest():
                lead, body = self.visit(doc.body)
                return lead, Nest(body, doc.by)
            case Group():
                lead, body = self.visit(doc.body)
                return lead, Group(body)
            case Concat():
                return self._concat(doc)
            case Fill():
                visited = [self.visit(item) for item in doc.items]
                items = [item if lead is None else Concat((lead, item)) for lead, item in visited[1:]]
                if not visited:
                    return None, doc
                return visited[0][0], Fill((visited[0][1], *items), doc.gap)
            case _:
                assert_never(doc)

    def _concat(self, doc: Concat) -> tuple[Remark | None, Doc]:
        first: Remark | None = None
        parts: list[Doc] = []
        for part in doc.parts:
            lead, body = self.visit(part)
            if lead is not None and not parts:
                first = lead
            elif lead is not None:
                parts.append(lead)
            parts.append(body)
        return first, Concat(tuple(parts))

    def _text(self, doc: Text) -> tuple[Remark | None, Doc]:
        lead: Remark | None = None
        parts: list[Doc] = []
        done = 0
        for word in scan(doc.text):
            if word.text in _PARENTHESES:
                continue
            remark = self._take(word)
            if remark is None:
                continue
            before = doc.text[done : word.start].rstrip()
            if before:
                parts.append(Text(before))
            if parts:
                parts.append(remark)
            else:
                lead = remark
            done = word.start
        return lead, Concat((*parts, Text(doc.text[done:]))) if parts else doc

    def _blank_next(self) -> bool:
        gap = self.gaps[self.at]
        return gap.blank and not gap.own and gap.trailing is None

    def _take(self, word: Word) -> Remark | None:
        """Goes past a token, and returns the comments before it."""
        gap = self.gaps[self.at]
        if gap.token == "," and word.text != ",":  # the comma behind the last value of an enum
            after = self.gaps[self.at + 1]
            if gap.trailing is None and not gap.own:
                gap = after
            else:
                spare = () if after.trailing is None else ((after.trailing, False),)
                gap = _Gap(after.token, gap.trailing, (*gap.own, *spare, *after.own), after.blank)
            self.at += 1
        self.at += 1
        assert gap.token == _plain(word), f"printed {word.text!r} instead of {gap.token!r}"
        if gap.trailing is None and not gap.own:
            return None
        return Remark(gap.trailing, gap.own, gap.blank, closes=word.text in _CLOSING)
