"""Documents: texts that know where they may be broken into lines.

A printer that decides on line breaks while it prints has to look ahead everywhere. Here it only says what belongs
together: a `Group` stands on one line if it fits and breaks at each of its own `Line`s if it does not; a `Fill` breaks
only where the next item would not fit, as words in a paragraph do. `render` takes these decisions from the outside
inwards, in one pass over the document, with a look-ahead of at most one line (Wadler, "A prettier printer"; the
treatment of what follows a group is that of Prettier).

Two kinds of breaks are not a matter of width: a `Break` always ends its line, and a `Remark` carries comments, of which
each ends a line. A group that holds one of them is never flat. Whitespace is written only when the next text is, so
that a remark can still put its first comment at the end of the line before.
"""

from __future__ import annotations

from typing import assert_never

from checker.base.data import dataclass

INDENT = 2
WIDTH = 100


@dataclass(frozen=True, slots=True)
class Text:
    """Text without line breaks."""

    text: str


@dataclass(frozen=True, slots=True)
class Line:
    """`flat` in a group that fits, else a line break."""

    flat: str = " "


@dataclass(frozen=True, slots=True)
class Break:
    """Always a line break. A `separator` may be doubled into a blank line (`blank`), where the author had one."""

    separator: bool = False
    blank: bool = False


@dataclass(frozen=True, slots=True)
class ArmBreak:
    """Between `}` and `else` or `or`: a blank behind a `}` alone on its line, else a line break.

    In a flat group it is a blank, unless the author had a line break here (`forced`): then the group is not flat.
    """

    forced: bool


@dataclass(frozen=True, slots=True)
class Remark:
    """The comments before a token: one at the end of the line, then those on lines of their own.

    `own` has for each comment whether a blank line stood before it; `blank` says so of the token that follows.
    `closes`: that token closes a block, to whose inside the comments belong. `last`: it is the end of the file.
    """

    trailing: str | None
    own: tuple[tuple[str, bool], ...]
    blank: bool
    closes: bool = False
    last: bool = False


@dataclass(frozen=True, slots=True)
class Concat:
    parts: tuple[Doc, ...]


@dataclass(frozen=True, slots=True)
class Nest:
    """Lines begun inside are indented by `by` more."""

    body: Doc
    by: int = INDENT


@dataclass(frozen=True, slots=True)
class Group:
    body: Doc


@dataclass(frozen=True, slots=True)
class Fill:
    """Items with `gap` between them where two share a line.

    `start` and `joined` are for the renderer: the item to print next, and whether the one before it was flat.
    """

    items: tuple[Doc, ...]
    gap: str = " "
    start: int = 0
    joined: bool = True


Doc = Text | Line | Break | ArmBreak | Remark | Concat | Nest | Group | Fill


def concat(*parts: Doc | str) -> Doc:
    """The parts in a row, those of inner rows among them; strings stand for texts."""
    row: list[Doc] = []
    for part in parts:
        if isinstance(part, str):
            row.append(Text(part))
        elif isinstance(part, Concat):
            row += part.parts
        else:
            row.append(part)
    return Concat(tuple(row))


def flat(doc: Doc) -> str:
    """The text of a document on one line."""
    return render(doc, width=1 << 60)


# An instruction: how far to indent, whether flat, and what to print.
_Todo = tuple[int, bool, Doc]


def render(doc: Doc, *, width: int = WIDTH) -> str:
    """The text of a document, with lines of at most `width` characters where its breaks allow that."""
    out = _Writer()
    todo: list[_Todo] = [(0, False, Group(doc) if width > WIDTH else doc)]
    while todo:
        indent, is_flat, doc = todo.pop()
        match doc:
            case Text():
                out.text(doc.text)
            case Line():
                if is_flat:
                    out.blank(doc.flat)
                else:
                    out.line(indent)
            case Break():
                out.line(indent, doc)
            case ArmBreak():
                out.arm(indent, is_flat)
            case Remark():
                out.remark(doc, indent)
            case Concat():
                todo.extend((indent, is_flat, part) for part in reversed(doc.parts))
            case Nest():
                todo.append((indent + doc.by, is_flat, doc.body))
            case Group():
                todo.append((indent, is_flat or _fits([(indent, True, doc.body)], todo, width - out.column), doc.body))
            case Fill():
                _fill(doc, indent, is_flat, todo, out, width)
            case _:
                assert_never(doc)
    return out.finish()


def _fill(fill: Fill, indent: int, is_flat: bool, todo: list[_Todo], out: _Writer, width: int) -> None:
    """Prints the item at `fill.start`, behind a gap or a line break, and leaves the items after it for later."""
    at = fill.start
    if at >= len(fill.items):
        return
    item: list[_Todo] = [(indent, True, fill.items[at])]
    if is_flat:
        fits = True
        if at:
            out.blank(fill.gap)
    else:
        behind: list[_Todo] = todo
        if at + 1 < len(fill.items):
            behind = [(indent, False, Fill((), start=1))]  # a line break may follow
        fits = _fits(item, behind, width - out.column - (len(fill.gap) if at else 0))
        if at and fits and fill.joined:
            out.blank(fill.gap)
        elif at:
            out.line(indent)
            fits = _fits(item, behind, width - indent)
    if at + 1 < len(fill.items):
        todo.append((indent, is_flat, Fill(fill.items, fill.gap, at + 1, fits)))
    todo.append((indent, fits, fill.items[at]))


def _fits(first: list[_Todo], rest: list[_Todo], width: int) -> bool:
    """Whether `first` and what follows it up to the next possible line break needs at most `width` columns."""
    todo = list(first)
    below = len(rest)
    inside = True  # still in `first`, where a forced break means that it does not fit
    while width >= 0:
        if not todo:
            if below == 0:
                return True
            below -= 1
            inside = False
            todo.append(rest[below])
        indent, is_flat, doc = todo.pop()
        match doc:
            case Text():
                width -= len(doc.text)
            case Line():
                if not is_flat:
                    return True
                width -= len(doc.flat)
            case Break() | Remark():
                return not inside
            case ArmBreak():
                if not inside and not is_flat:
                    return True
                if doc.forced:
                    return False
                width -= 1
            case Concat():
                todo.extend((indent, is_flat, part) for part in reversed(doc.parts))
            case Nest() | Group():
                todo.append((indent, is_flat, doc.body))
            case Fill():
                if doc.start and not is_flat:
                    return True
                if doc.start:
                    width -= len(doc.gap)
                if doc.start + 1 < len(doc.items):
                    todo.append((indent, is_flat, Fill(doc.items, doc.gap, doc.start + 1)))
                if doc.start < len(doc.items):
                    todo.append((indent, is_flat, doc.items[doc.start]))
            case _:
                assert_never(doc)
    return False


class _Writer:
    """The text so far, and the whitespace that is due before the next text."""

    def __init__(self) -> None:
        self._done: list[str] = []
        self._line: list[str] = []
        self._column = 0
        self._gap = ""
        self._break: Break | None = None
        self._indent = 0
        self._at_arm = False

    @property
    def column(self) -> int:
        """Where the next text will begin."""
        return self._indent if self._break else self._column + len(self._gap)

    def text(self, text: str) -> None:
        if not text:
            return
        if self._break:
            self._end_line(blank=self._break.blank)
            self._gap = " " * self._indent
        self._line += (self._gap, text)
        self._column += len(self._gap) + len(text)
        self._gap = ""
        self._at_arm = False

    def blank(self, gap: str) -> None:
        self._gap += gap

    def line(self, indent: int, due: Break | None = None) -> None:
        self._break, self._indent, self._gap = due or Break(), indent, ""

    def arm(self, indent: int, is_flat: bool) -> None:
        if is_flat or "".join(self._line).strip() == "}":
            self.blank(" ")
            self._at_arm = True
        else:
            self.line(indent)

    def remark(self, remark: Remark, indent: int) -> None:
        """Comments, and the line break that must follow them; they take up one that is due already."""
        due = self._break
        if due:
            indent = self._indent
        elif self._line and not (remark.closes or self._at_arm):
            indent += INDENT
        inside = indent + INDENT if remark.closes else indent
        if remark.trailing is not None:
            self._line = ["".join(self._line).rstrip(), "  ", remark.trailing]
        for number, (comment, blank) in enumerate(remark.own):
            allowed = number > 0 or remark.closes or remark.last or (due is not None and due.separator)
            self._end_line(blank=blank and allowed)
            self._line.append(" " * inside + comment)
        apart = remark.blank and not remark.closes and due is not None and (bool(remark.own) or due.separator)
        self.line(indent, Break(due is not None and due.separator, apart))

    def _end_line(self, *, blank: bool) -> None:
        if self._line or self._done:
            self._done.append("".join(self._line).rstrip())
            if blank:
                self._done.append("")
        self._line, self._column, self._gap, self._break = [], 0, "", None

    def finish(self) -> str:
        return "\n".join([*self._done, "".join(self._line).rstrip()])
