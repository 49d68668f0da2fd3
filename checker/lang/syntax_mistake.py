"""A row in the tables of syntax errors: one mistake, how to recognise it, and what to say.

A row is an example of a mistake, turned into patterns over the words around the error (see `syntax_scene`) and over the
terminals that the parser would have taken there. Words are joined by one blank each, so that a pattern need not care
for layout. In the texts, `<at>` is the word that did not fit, `<previous>` the one before it, and any other `<name>`
what the group of that name matched.
"""

from __future__ import annotations

import re

from checker.base.data import dataclass
from checker.lang.syntax_scene import Scene

NAME = r"[A-Za-z_]\w*"
COMPARISON = r"(?:==|!=|<=|>=|<|>|in|not in)"
KEEP = r"(?:durable|volatile|ghost|shared)"
CLOSERS = r"(?:[)\]},]|$)"

OPERAND = "INFLIGHT OLD"
OPERATOR = "ADD AND OR CMP __ANON_3"
STATEMENT = "SEND"
MEMBER = "IGNORE"
DECLARATION = "CONST"
TYPE = "BOOL"
ITEM = "EXPECT"
"""Terminals that tell by themselves what may stand at a place."""


@dataclass(frozen=True, slots=True)
class Mistake:
    """One row. `at` fits the words from the error on, `before` those up to it, `takes` what would have been right.

    `takes` needs one of its terminals to be acceptable, `lacks` none of them, and `only` allows no others. The word to
    point at is the one that did not fit, or the one before it (`blame_previous`).
    """

    code: str
    message: str
    help: str
    at: str = ""
    before: str = ""
    takes: str = ""
    only: str = ""
    lacks: str = ""
    inside: bool | None = None
    blame_previous: bool = False

    def match(self, scene: Scene) -> dict[str, str] | None:
        """The groups of a fitting row, or None."""
        if self.takes and not scene.takes(*self.takes.split()):
            return None
        if self.lacks and scene.takes(*self.lacks.split()):
            return None
        if self.only and not (scene.accepts and scene.accepts <= set(self.only.split())):
            return None
        if self.inside is not None and self.inside != scene.inside:
            return None
        after = re.match(self.at + r"(?= |$)", scene.after) if self.at else None
        if self.at and after is None:
            return None
        before = re.search(r"(?:^|(?<= ))" + self.before + "$", scene.before) if self.before else None
        if self.before and before is None:
            return None
        groups: dict[str, str] = {}
        for found in (before, after):
            if found is not None:
                groups |= {name: text for name, text in found.groupdict().items() if text is not None}
        return groups
