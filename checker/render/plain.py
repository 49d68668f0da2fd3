"""Text that is safe to show, and the few signs that output is made of.

Specs and file names come from strangers. What is taken from them for a message may hold escape sequences that move a
terminal's cursor, or characters that reverse the direction of writing, so that a line seems to say something else. `clean`
makes all of them visible. Terminals that know no UTF-8 get signs and words in ASCII: `Signs` for what this package draws
itself, `ascii_only` for what comes from elsewhere.
"""

from __future__ import annotations

import unicodedata
from typing import Protocol

from checker.base.data import dataclass

_HIDDEN = {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"}
"""Categories of characters that do something instead of being seen."""

_ASCII = str.maketrans(
    {
        "→": "->",
        "←": "<-",
        "…": "...",
        "·": "-",
        "—": "-",
        "–": "-",
        "×": "x",
        "≈": "~",
        "↻": "@",
        "≤": "<=",
        "≥": ">=",
        "✓": "+",
        "✗": "x",
        "“": '"',
        "”": '"',
        "‘": "'",
        "’": "'",
    }
)


@dataclass(frozen=True, slots=True)
class Signs:
    """What marks a verdict, and what joins words; each mark is also said in words beside it."""

    met: str
    unmet: str
    incomplete: str
    error: str
    unjudged: str
    arrow: str
    dot: str
    more: str
    again: str


UNICODE = Signs("✓", "✗", "…", "!", "·", "→", "·", "…", "↻")
ASCII = Signs("+", "x", "?", "!", "-", "->", "-", "...", "@")


def signs_for(encoding: str | None) -> Signs:
    """The signs that a stream of this encoding can show."""
    return UNICODE if (encoding or "").lower().replace("_", "-") in ("utf-8", "utf8", "utf-8-sig") else ASCII


def clean(text: str) -> str:
    """A line in which every character is seen: tabs and line breaks are blanks, others that hide are written as escapes."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(_visible(c) for c in text)


def _visible(char: str) -> str:
    if char in "\t\n\r":
        return " "
    if unicodedata.category(char) in _HIDDEN:
        return f"\\x{ord(char):02x}" if ord(char) < 0x100 else f"\\u{ord(char):04x}"
    return char


def ascii_only(text: str) -> str:
    """The nearest text in ASCII; what has no near one is written as an escape."""
    return text.translate(_ASCII).encode("ascii", "backslashreplace").decode("ascii")


def fitted(text: str, signs: Signs) -> str:
    """Text from elsewhere for a stream with these signs."""
    text = clean(text)
    return ascii_only(text) if signs is ASCII else text


def columns(text: str) -> int:
    """How many columns of a terminal a text takes: wide characters take two, combining ones none."""
    if text.isascii():
        return len(text)
    return sum(
        0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in ("W", "F") else 1 for c in text
    )


def plural(count: int, one: str, many: str | None = None) -> str:
    """`1 step`, `1,145 transitions`."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def length(steps: int, loop: int | None) -> str:
    """How long a trace is: `5 steps`, or, of a run without end, `3 steps and then 2 for ever`."""
    if loop is None:
        return plural(steps, "step")
    if loop == steps:
        return f"{plural(steps, 'step')} and then nothing for ever"
    return f"{plural(loop, 'step')} and then {steps - loop} for ever"


class Say(Protocol):
    """Puts values into a sentence, which another language may know by its English text."""

    def __call__(self, text: str, **values: object) -> str: ...


def english(text: str, **values: object) -> str:
    """A sentence as it is written in the code."""
    return text.format(**values) if values else text


def ending(steps: int, loop: int, say: Say = english) -> tuple[str, str]:
    """How a run without end goes on behind its last step, in two parts: `back to 3`, `steps 4 to 7 again and again`."""
    if loop == steps:
        return say("for ever"), say("nothing happens any more")
    if loop + 1 == steps:
        return say("back to {loop}", loop=loop), say("step {last} again and again", last=steps)
    return say("back to {loop}", loop=loop), say("steps {first} to {last} again and again", first=loop + 1, last=steps)


def shortened(text: str, limit: int, more: str = "…") -> str:
    """A text of at most `limit` characters."""
    return text if len(text) <= limit else text[: max(0, limit - len(more))] + more


def duration(seconds: float) -> str:
    """`14 ms`, `0.25 s`, `12.3 s`, `4 min 10 s`, `2 h 05 min`."""
    if seconds < 0.001:
        return "under 1 ms"
    if seconds < 0.0995:
        return f"{round(seconds * 1000)} ms"
    if seconds < 10:
        return f"{seconds:.2f} s"
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest:02} s"
    return f"{minutes // 60} h {minutes % 60:02} min"


def rate(count: int, seconds: float) -> str | None:
    """How many a second, in three significant digits: `141,000/s`; None where too little was measured."""
    if seconds < 0.005 or count <= 0:
        return None
    value = count / seconds
    scale = 10 ** max(0, len(str(int(value))) - 3)
    return f"{int(value / scale + 0.5) * scale:,}/s"


def power(values: int) -> str:
    """A number of values; large ones as a power of two, since nobody reads thirty digits and Python refuses to print 5,000."""
    return f"{values:,}" if values < 1 << 40 else f"≈ 2^{(values - 1).bit_length()}"
