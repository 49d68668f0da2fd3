"""What the parser would have taken instead: keywords to compare a misspelt word with, and a list that people can read.

The parser knows terminals, thirty of them where an expression has just ended. `expected` puts those together that make
up one thing for a reader (an expression, an operator, a statement) and names at most six.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from checker.lang.build_code import KEYWORDS
from checker.lang.syntax_scene import Scene

_CHOICES = {
    "KEEP": "durable volatile ghost",
    "KIND": "soup bag fifo",
    "FAIR": "fair unfair",
    "STEPKIND": "action timeout fault",
    "ONKIND": "restart tick",
    "ANY": "any",
    "PKIND": "invariant step reach",
    "VERDICT": "holds fails",
    "LINK": "lose dup",
    "NODE": "crash stop byzantine drift",
    "QUANT": "forall exists sum",
    "EITHER": "either toss",
    "EVENT": "invoke respond",
    "NETOPT": "drop block session",
    "SYM": "symmetric",
    "NOT": "not",
    "CUT": "cut",
    "OFF": "off",
    "STATES": "states",
    "TRANSITIONS": "transitions",
    "DEPTH": "depth",
}
"""The words of the terminals that are not named like their one word, or whose word may be a name elsewhere."""

_CHOICE_WORDS = frozenset(word for words in _CHOICES.values() for word in words.split())

_SYMBOLS = {
    "ASSIGN": (":=", "+=", "-="),
    "COLON": (":",),
    "EQUAL": ("=",),
    "LPAR": ("(",),
    "RPAR": (")",),
    "LSQB": ("[",),
    "RSQB": ("]",),
    "LBRACE": ("{",),
    "RBRACE": ("}",),
    "COMMA": (",",),
    "DOT": (".",),
    "OPT": ("?",),
    "MINUS": ("-",),
    "__ANON_0": ("~>",),
    "__ANON_1": ("<=",),
    "__ANON_2": ("..",),
    "__ANON_3": ("=>",),
    "__ANON_4": ("?.",),
}

_OPERANDS = "INFLIGHT OLD SENT INT NAME LPAR LSQB LBRACE MINUS NOT IF QUANT"
_SUMMARIES = (
    ("BOOL", "a type", "BOOL SET MAP SEQ BAG " + _OPERANDS),
    ("INFLIGHT", "an expression", _OPERANDS),
    ("SEND", "a statement", "SEND LET IF FOR CHOOSE EITHER EVENT ASSERT ATOMIC NAME"),
    ("IGNORE", "a member of the role", "IGNORE PROC FUN ON FAIR KEEP STEPKIND DOC"),
    (
        "CONST",
        "a declaration",
        "CONST TYPE ID ENUM RECORD MESSAGE NETWORK SHARED ROLE FUN PKIND LIVE FINAL REFINES LINEARIZABLE CHECK DOC $END",
    ),
    ("EXPECT", "an item of the check", "EXPECT FAULTS NETWORK FINAL BOUND STRONG SYMMETRY NAME"),
    ("ADD", "an operator", "ADD MUL CMP AND OR __ANON_3 DOT __ANON_4 WITH LSQB LPAR"),
    ("AND", "an operator", "AND OR __ANON_3"),
    ("NAME", "a name", "NAME"),
    ("INT", "a number", "INT"),
    ("DOC", "a doc comment", "DOC"),
    ("$END", "the end of the file", "$END"),
)
"""A terminal, what to call it together with its like, and which these are; the first that applies takes them."""

_ENDED = re.compile(r"[=:] (?:[^=:]* )?(?:[\w)\]}]+)$")
"""The words before an error, where an expression has just ended."""


def literals(terminals: Iterable[str]) -> set[str]:
    """The keywords among some terminals."""
    found: set[str] = set()
    for terminal in terminals:
        found |= set(_CHOICES.get(terminal, terminal.lower() if terminal.isalpha() else "").split())
    return {text for text in found if text in KEYWORDS or text in _CHOICE_WORDS}


def ended(scene: Scene) -> bool:
    """Whether an expression ends just before the error, so that an operator might follow.

    The parser may have given up operators already: the words after the expression decide that it has ended.
    """
    if scene.takes("ADD", "AND") or not scene.accepts:
        return True
    return scene.takes("CONST", "IGNORE", "SEND") and _ENDED.search(scene.before) is not None


def expected(scene: Scene) -> str:
    """What the parser would have taken, in at most six names."""
    left = set(scene.accepts)
    names: list[str] = []
    if ended(scene) and not left & {"ADD", "AND"}:
        names.append("an operator")
    for mark, name, terminals in _SUMMARIES:
        if mark in left:
            names.append(name)
            left -= set(terminals.split())
    single: list[str] = []
    for terminal in sorted(left):
        words = _SYMBOLS.get(terminal) or tuple(_CHOICES.get(terminal, terminal.lower()).split())
        single += [f"`{word}`" for word in words]
    names = single[: max(1, 6 - len(names))] + names
    if not scene.accepts:
        names.append("the end of the text")
    return names[0] if len(names) == 1 else ", ".join(names[:-1]) + " or " + names[-1]
