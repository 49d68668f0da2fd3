"""Highlighting of specs: a Pygments lexer for `.psm`, used by code blocks of the documentation and by the pages of protocols.

It cuts text as `checker.lang.tokens` does and colours words by what they usually are. Some words of the language are
keywords only in their place (`drop`, `stop`, `final`); a lexer cannot know the place, and colours them everywhere.
"""

from __future__ import annotations

from typing import ClassVar

from pygments.lexer import RegexLexer, bygroups, words
from pygments.token import (
    STANDARD_TYPES,
    Comment,
    Keyword,
    Name,
    Number,
    Operator,
    Punctuation,
    String,
    Text,
    _TokenType,
)


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


DECLARATIONS = _words(
    "action check const enum fault final fun id ignore invariant linearizable live message network on proc reach record "
    "refines role shared spec step timeout type"
)
STATEMENTS = _words(
    "always any assert atomic bound choose either else eventually expect fails fair faults for from holds if invoke let "
    "limit off respond restart send states strong symmetry then tick to toss transitions depth unfair when where with"
)
STORAGE = _words("durable ghost symmetric volatile")
SETTINGS = _words("bag block byzantine crash cut drift drop dup fifo lose session soup stop")
TYPES = _words("Bag Map Seq Set bool")
CONSTANTS = _words("all false none self true")
OPERATORS = _words("and exists forall in not or sum")
FUNCTIONS = _words("at count honest index inflight last max min old opt sent silent size take")

KEYWORDS = frozenset((*DECLARATIONS, *STATEMENTS, *STORAGE, *SETTINGS, *TYPES, *CONSTANTS, *OPERATORS, *FUNCTIONS))
"""Every word that is coloured."""


_BEGINS = r"spec|role|message|enum|record|type|id|const|fun|proc|check|invariant|reach|live|refines|linearizable|action|timeout"


def _any(of: tuple[str, ...], after: str = r"\b") -> str:
    return words(of, r"\b", after).get()  # type: ignore[no-untyped-call, no-any-return]


RULES: tuple[tuple[str, tuple[_TokenType, ...]], ...] = (
    (r"\s+", (Text,)),
    (r"///[^\n]*", (String.Doc,)),
    (r"#[^\n]*", (Comment.Single,)),
    # the name that a declaration gives; what may follow `on` and `step` is left to the words below
    (rf"\b({_BEGINS})(\s+)([A-Za-z_]\w*)", (Keyword.Declaration, Text, Name.Class)),
    (_any(DECLARATIONS), (Keyword.Declaration,)),
    (_any(STORAGE), (Keyword.Declaration,)),
    (_any(STATEMENTS), (Keyword,)),
    (_any(SETTINGS), (Keyword.Pseudo,)),
    (_any(TYPES), (Keyword.Type,)),
    (_any(CONSTANTS), (Keyword.Constant,)),
    (_any(OPERATORS), (Operator.Word,)),
    (_any(FUNCTIONS, r"(?=\s*\()"), (Name.Builtin,)),
    (r"[A-Za-z_]\w*", (Name,)),
    (r"[0-9]+", (Number.Integer,)),
    (r":=|\+=|-=|==|!=|<=|>=|=>|~>|\.\.|\?\.|[-+*/%&<>=?]", (Operator,)),
    (r"[\]\[(){}.,:;]", (Punctuation,)),
    (r"\S", (Text,)),
)
"""Patterns, tried in order, with what their groups are; one kind alone is that of the whole. The editor of the site has the
same rules, so the patterns keep to what regular expressions of Python and of JavaScript mean alike."""


class PsmLexer(RegexLexer):
    """Specs of Lockstep."""

    name = "Lockstep spec"
    url = "https://pypi.org/project/lockstep/"
    aliases: ClassVar = ["psm", "lockstep"]
    filenames: ClassVar = ["*.psm"]
    mimetypes: ClassVar = ["text/x-psm"]

    tokens: ClassVar = {
        "root": [
            (pattern, kinds[0] if len(kinds) == 1 else bygroups(*kinds))  # type: ignore[no-untyped-call]
            for pattern, kinds in RULES
        ]
    }


def editor_rules() -> list[tuple[str, list[str]]]:
    """The rules for the editor of the site: patterns with the classes that code blocks have in HTML."""
    return [(pattern, [class_of(kind) for kind in kinds]) for pattern, kinds in RULES]


def class_of(kind: _TokenType) -> str:
    """The class of a piece of code in HTML; empty for what needs no colour."""
    name = next((STANDARD_TYPES[k] for k in reversed(kind.split()) if k in STANDARD_TYPES), "")
    return "" if name == "w" else name
