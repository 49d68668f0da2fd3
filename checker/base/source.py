"""Source texts and places in them.

Everything that a reader may have to be shown (a syntax error, an overflow at run time, the guard that refused a step) is
addressed by a `Span`: two character offsets into one `Source`. Lines and columns are computed only when a person looks,
so syntax trees stay small and can be compared without regard to where they were written.

Spec files come from strangers, so reading one is where the limits stand: at most `MAX_BYTES`, UTF-8, no NUL byte. Each
refusal is a `Diagnostic` of its own (see `checker.base.diagnostics`), never a Python exception from the codec.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import field
from pathlib import Path
from typing import NamedTuple

from checker.base.data import dataclass

MAX_BYTES = 1 << 20
"""The largest spec that is read, in bytes. The longest spec of the library has about 10,000."""


class Span(NamedTuple):
    """A half-open range of character offsets, `start <= end`."""

    start: int
    end: int

    def to(self, other: Span) -> Span:
        """The range from the start of this span to the end of `other`."""
        return Span(self.start, other.end)


class Place(NamedTuple):
    """A line and a column, both counted from 1, as editors show them."""

    line: int
    column: int


@dataclass(frozen=True, slots=True)
class Source:
    """One text and the name under which it is shown. Lines end with a line feed; offsets count characters, not bytes."""

    name: str
    text: str
    _starts: tuple[int, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        starts = [0, *(i + 1 for i, char in enumerate(self.text) if char == "\n")]
        object.__setattr__(self, "_starts", tuple(starts))

    def place(self, offset: int) -> Place:
        """The line and column of an offset; an offset past the end is the end."""
        offset = min(max(offset, 0), len(self.text))
        line = bisect_right(self._starts, offset)
        return Place(line, offset - self._starts[line - 1] + 1)

    def line(self, number: int) -> str:
        """The text of line `number` (from 1) without its line end; empty past the last line."""
        if not 1 <= number <= len(self._starts):
            return ""
        start = self._starts[number - 1]
        end = self.text.find("\n", start)
        return self.text[start : len(self.text) if end < 0 else end].rstrip("\r")

    def slice(self, span: Span) -> str:
        """The text that a span covers."""
        return self.text[span.start : span.end]

    def quoted(self, span: Span) -> str:
        """`line 17: n.asked and n.up`: the text that a span covers, on one line, and where it begins."""
        return f"line {self.place(span.start).line}: {' '.join(self.slice(span).split())}"


def display_name(path: Path) -> str:
    """A path as messages show it: relative to the working directory where that is shorter, with forward slashes."""
    try:
        return path.resolve().relative_to(Path.cwd()).as_posix()
    except (ValueError, OSError, RuntimeError):  # elsewhere; no working directory; a link to itself
        return path.as_posix()
