"""Highlighting of specs: a Pygments lexer for `.psm`, used by code blocks of the documentation and by the pages of protocols.

It cuts text as `checker.lang.tokens` does and colours words by what they usually are. Some words of the language are
keywords only in their place (`drop`, `stop`, `final`); a lexer cannot know the place, and colours them everywhere.
"""

from __future__ import annotations

from typing import ClassVar

from pygments.lexer import RegexLexer, bygroups, words
from pygments.token import Comment, Keyword, Name, Number, Operator, Punctuation, String, Text


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


class PsmLexer(RegexLexer):
    """Specs of Lockstep."""

    name = "Lockstep spec"
    url = "https://pypi.org/project/lockstep/"
    aliases: ClassVar = ["psm", "lockstep"]
    filenames: ClassVar = ["*.psm"]
    mimetypes: ClassVar = ["text/x-psm"]

    tokens: ClassVar = {
        "root": [
            (r"\s+", Text),
            (r"///[^\n]*", String.Doc),
            (r"#[^\n]*", Comment.Single),
            # the name that a declaration gives; what may follow `on` and `step` is left to the words below
            (
                r"\b(spec|role|message|enum|record|type|id|const|fun|proc|check|invariant|reach|live|refines|linearizable|action|timeout)"
                r"(\s+)([A-Za-z_]\w*)",
                bygroups(Keyword.Declaration, Text, Name.Class),  # type: ignore[no-untyped-call]
            ),
            (words(DECLARATIONS, r"\b", r"\b"), Keyword.Declaration),
            (words(STORAGE, r"\b", r"\b"), Keyword.Declaration),
            (words(STATEMENTS, r"\b", r"\b"), Keyword),
            (words(SETTINGS, r"\b", r"\b"), Keyword.Pseudo),
            (words(TYPES, r"\b", r"\b"), Keyword.Type),
            (words(CONSTANTS, r"\b", r"\b"), Keyword.Constant),
            (words(OPERATORS, r"\b", r"\b"), Operator.Word),
            (words(FUNCTIONS, r"\b", r"(?=\s*\()"), Name.Builtin),
            (r"[A-Za-z_]\w*", Name),
            (r"[0-9]+", Number.Integer),
            (r":=|\+=|-=|==|!=|<=|>=|=>|~>|\.\.|\?\.|[-+*/%&<>=?]", Operator),
            (r"[][(){}.,:;]", Punctuation),
            (r"\S", Text),
        ]
    }
