"""Syntax errors in words: what does not fit, where, and what to write instead.

`explain` looks at the surroundings of an error (`syntax_scene`) and asks, in this order: Is it text that no spec has,
such as a string? Is a bracket missing or too much? Is it a mistake of the tables (`syntax_declarations` and
`syntax_statements`)? Is it a word or an operator of another language (`syntax_words`)? A keyword at a place where it
cannot stand? If nothing fits, the message says what the parser could have gone on with (`syntax_expected`). Each answer
is a guess at what the author meant; the place and the offending text are always facts.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

from lark import UnexpectedInput
from lark.exceptions import UnexpectedCharacters

from checker.base.diagnostics import Diagnostic, did_you_mean
from checker.base.source import Source
from checker.lang.syntax_declarations import CHECKS, HEADS, NAMES, TYPES
from checker.lang.syntax_expected import ended, expected, literals
from checker.lang.syntax_mistake import Mistake
from checker.lang.syntax_scene import Bracket, Scene, Word, look
from checker.lang.syntax_statements import ASSIGNMENT, EXPRESSIONS, STATEMENTS
from checker.lang.syntax_words import (
    BEGIN_DECLARATION,
    BEGIN_ITEM,
    BEGIN_MEMBER,
    BEGIN_STATEMENT,
    CHARACTERS,
    FAULTS,
    FOREIGN_DECLARATIONS,
    FOREIGN_ITEMS,
    FOREIGN_MEMBERS,
    FOREIGN_PREFIXES,
    FOREIGN_STATEMENTS,
    NAMING,
    OPERATORS,
    STRUCTURE,
    VALUES,
    WORD_OPERATORS,
)

_UNFINISHED = re.compile(
    r"(?:^| )([-+*/%&=:(,<>.]|\[|==|!=|<=|>=|=>|~>|:=|\.\.|\?\.|and|or|not|in|where|then|else|to|when|if|limit|any|eventually"
    rf"|always|{'|'.join(sorted(NAMING))}) \w+$"
)
"""The words before an error, where the last but one wants an operand or a name."""

_SPECIAL = (*ASSIGNMENT, *HEADS, *TYPES, *EXPRESSIONS, *STATEMENTS, *CHECKS)
"""The rows in the order in which they are tried."""

_BEGINS_ASSIGNMENT = re.compile(r"\w+ (?:\. \w+ )*(?::=|\+=|-=)")

_OWN = frozenset({"=>", "~>", "+=", "-=", "?."})
"""Operators that the language has, at other places."""

_LONGEST = 30
"""Offending text is cut behind so many characters."""


def explain(source: Source, problem: UnexpectedInput) -> Diagnostic:
    """The diagnostic of a syntax error in `source`, whose place the parser gave in `problem`."""
    scene = look(source, problem)
    return (
        _header(scene)
        or _foreign_text(scene, problem)
        or _unknown_character(scene, problem)
        or _bracket(scene)
        or _dangling(scene)
        or _from_table(scene, _SPECIAL)
        or _foreign_word(scene)
        or _misplaced(scene)
        or _from_table(scene, NAMES)
        or _general(scene)
    )


def _say(
    scene: Scene, code: str, message: str, help: str | None, *, word: Word | None = None, notes: Iterable[str] = ()
) -> Diagnostic:
    return Diagnostic(code, message, scene.source, (word or scene.at).span, tuple(notes), help)


def _shown(word: Word | None) -> str:
    """A word as a message shows it."""
    if word is None or word.kind == "end":
        return "the end of the file"
    text = word.text.rstrip()
    return f"`{text if len(text) <= _LONGEST else text[: _LONGEST - 1] + '…'}`"


# ---- the beginning of the file


def _header(scene: Scene) -> Diagnostic | None:
    if scene.takes("SPEC"):
        if scene.at.kind == "end":
            return _say(scene, "PSM105", "there is no spec in this file", "begin with `spec NAME`")
        if scene.at.text.startswith(("//", "/*", "--", '"')) or not scene.at.text.isascii():
            return None
        near = did_you_mean(scene.at.text, ["spec"]) if len(scene.at.text) <= _LONGEST else None
        help = "write `spec NAME` in the first line" + (f"; {near}" if near else f", before {_shown(scene.at)}")
        return _say(scene, "PSM105", f"a file begins with `spec NAME`, not with {_shown(scene.at)}", help)
    if scene.before == "spec" or re.fullmatch(r"(?:/// )*spec", scene.before):
        if scene.at.kind == "end":
            return _say(scene, "PSM105", "the spec has no name", "write `spec NAME`")
        help = "write `spec NAME` with letters, digits and `_`, and a letter first"
        return _say(scene, "PSM105", f"{_shown(scene.at)} is no name for a spec", help)
    if re.fullmatch(r"(?:/// )*spec \S+", scene.before) and scene.at.text in ("{", ":", "=", ";", "(", "is"):
        return _say(
            scene, "PSM105", f"{_shown(scene.at)} behind the spec's name", "write `spec NAME` alone in its line"
        )
    return None


# ---- text that no spec has


def _foreign_text(scene: Scene, problem: UnexpectedInput) -> Diagnostic | None:
    at = scene.at
    if at.kind == "doc":
        help = "write `# …` for a comment; `///` stands before a declaration or a member of a role"
        return _say(scene, "PSM110", "a doc comment where no declaration begins", help)
    if scene.previous is not None and scene.previous.kind == "doc":
        help = "put it before the declaration that it describes, or write `# …`"
        return _say(
            scene, "PSM110", f"a doc comment before {_shown(at)}, which it cannot describe", help, word=scene.previous
        )
    if at.text in ("//", "/*", "*/") or (at.text == "*" and scene.before.endswith("(")):
        return _say(
            scene, "PSM108", f"{_shown(at)} does not begin a comment", "write `# …`, in each line of the comment"
        )
    if at.text.startswith("--") and scene.takes("CONST", "IGNORE", "SEND"):
        return _say(scene, "PSM108", "`--` does not begin a comment", "write `# …`")
    if at.text == ";":
        help = "leave it out: statements and declarations end where the next one begins"
        return _say(scene, "PSM108", "`;` separates nothing", help)
    if at.kind == "string" and at.text != "'":
        return _say(scene, "PSM114", f"{_shown(at)} is a string, and there are none", "use the values of an `enum`")
    if at.kind == "name" and scene.previous is not None and scene.previous.kind == "int":
        number = scene.previous
        if number.end == at.start and not scene.takes("NAME"):
            word = Word("int", number.text + at.text, number.start, at.end)
            return _say(
                scene, "PSM114", f"{_shown(word)} is neither a number nor a name", "numbers have digits only", word=word
            )
    if at.kind == "float" and scene.inside:
        help = "count in smaller units: every number is an integer"
        return _say(scene, "PSM114", f"{_shown(at)} is not an integer", help)
    return None


def _unknown_character(scene: Scene, problem: UnexpectedInput) -> Diagnostic | None:
    if not isinstance(problem, UnexpectedCharacters) or not scene.at.text or scene.at.text in OPERATORS:
        return None
    char = scene.source.text[scene.offset]
    word = Word("symbol", char, scene.offset, scene.offset + 1)
    plain = unicodedata.normalize("NFKC", char)
    shown = f"`{char}`" if char.isprintable() and not char.isspace() else f"U+{ord(char):04X}"
    name = unicodedata.name(char, "")
    notes = [f"it is U+{ord(char):04X}{f', {name.lower()}' if name else ''}"] if not char.isascii() else []
    if char in CHARACTERS:
        help = CHARACTERS[char]
    elif plain != char and plain.isascii() and plain.strip():
        help = f"write `{plain}`; it only looks alike"
    elif char.isalpha():
        help = "names have the letters a to z and A to Z, digits and `_`"
    elif char.isspace():
        help = "replace it by a plain blank"
    else:
        help = "remove it"
    return _say(scene, "PSM112", f"unknown character {shown}", help, word=word, notes=notes)


# ---- brackets


def _bracket(scene: Scene) -> Diagnostic | None:
    text = scene.at.text
    top = scene.brackets[-1] if scene.brackets else None
    if scene.at.kind == "end":
        return None if top is None else _unclosed(scene, scene.suspect or top, scene.at)
    if text in (")", "]", "}") and scene.at.kind == "symbol":
        if not any(bracket.closing == text for bracket in scene.brackets):
            opening = {")": "(", "]": "[", "}": "{"}[text]
            help = f"remove it, or look for a `{text}` too many before it"
            return _say(scene, "PSM102", f"`{text}` closes nothing: no `{opening}` is open", help)
        return None if top is None or top.closing == text else _unclosed(scene, top, scene.at)
    if top is None:
        return None
    if top.word.text != "{":
        ends = text in STRUCTURE or _BEGINS_ASSIGNMENT.match(scene.after)
        return _unclosed(scene, top, scene.at) if ends and scene.takes("COMMA", "RPAR", "RSQB") else None
    # a declaration, or a handler, that begins no further right than the line of the open brace
    for word, misread in ((scene.at, False), (scene.previous, True)):
        if word is None or (misread and not scene.takes("ASSIGN", "EQUAL")):
            continue
        indent = scene.indent(word)
        if word.text in BEGIN_DECLARATION | BEGIN_MEMBER and indent is not None and indent <= top.indent:
            return _unclosed(scene, scene.suspect or top, word)
    return None


def _unclosed(scene: Scene, bracket: Bracket, noticed: Word) -> Diagnostic:
    place = scene.source.place(noticed.start)
    if noticed.kind == "end":
        help = f"write `{bracket.closing}` where it ends"
        notes = ["the file ends before it is closed"]
    else:
        help = f"write `{bracket.closing}` before {_shown(noticed)} in line {place.line}, or earlier"
        notes = [f"{_shown(noticed)} in line {place.line}, column {place.column}, cannot stand inside it"]
    message = f"missing `{bracket.closing}`: this `{bracket.word.text}` is not closed"
    return _say(scene, "PSM102", message, help, word=bracket.word, notes=notes)


# ---- the tables


def _from_table(scene: Scene, rows: Iterable[Mistake]) -> Diagnostic | None:
    for row in rows:
        groups = row.match(scene)
        if groups is None:
            continue
        known = {"at": _shown(scene.at).strip("`"), "previous": _shown(scene.previous).strip("`"), **groups}

        def fill(text: str, known: dict[str, str] = known) -> str:
            return re.sub(r"<(\w+)>", lambda match: known.get(match[1], match[0]), text).replace(" . ", ".")

        blame = (row.blame_previous and scene.previous) or scene.at
        message = fill(row.message)
        notes = [] if _shown(blame).strip("`") in message else [f"found {_shown(blame)}"]
        return _say(scene, row.code, message, fill(row.help), word=blame, notes=notes)
    return None


def _foreign_word(scene: Scene) -> Diagnostic | None:
    at, previous = scene.at, scene.previous
    if previous is not None and scene.takes("ASSIGN"):  # read as the name of a variable
        advice = FOREIGN_STATEMENTS.get(previous.text)
        if advice:
            return _say(scene, "PSM108", f"`{previous.text}` is not a statement", advice, word=previous)
        advice = WORD_OPERATORS.get(previous.text)
        if advice and at.kind in ("name", "int"):
            message = f"`{previous.text}` is not an operator of this language"
            return _say(scene, "PSM108", message, advice, word=previous)
    if previous is not None and scene.accepts == {"EQUAL"} and previous.text in FOREIGN_ITEMS:
        message = f"`{previous.text}` is nothing that a check has"
        return _say(scene, "PSM108", message, FOREIGN_ITEMS[previous.text], word=previous)
    if previous is not None and previous.text in FOREIGN_PREFIXES and at.kind == "name" and ended(scene):
        message = f"`{previous.text}` is not an operator of this language"
        return _say(scene, "PSM108", message, FOREIGN_PREFIXES[previous.text], word=previous)
    if at.kind == "symbol" and at.text in OPERATORS:
        fits = "does not fit here" if at.text in _OWN else "is not an operator of this language"
        return _say(scene, "PSM108", f"{_shown(at)} {fits}", OPERATORS[at.text])
    begins = scene.indent(at) is not None
    for words, terminal, what in (
        (FOREIGN_DECLARATIONS if begins else {}, "CONST", "begins no declaration"),
        (FOREIGN_MEMBERS, "IGNORE", "begins nothing in a role"),
        (WORD_OPERATORS, "", "is not an operator of this language"),
        (FOREIGN_DECLARATIONS, "CONST", "begins no declaration"),
    ):
        if at.text in words and (not terminal or scene.takes(terminal)):
            return _say(scene, "PSM108", f"`{at.text}` {what}", words[at.text])
    return None


def _dangling(scene: Scene) -> Diagnostic | None:
    """A declaration begins where an expression should: the parser took its keyword for a name, and went one word on."""
    word = scene.previous
    if word is None or word.text not in BEGIN_DECLARATION | BEGIN_MEMBER or scene.indent(word) is None:
        return None
    match = _UNFINISHED.search(scene.before)
    if match is None:
        return None
    help = f"write it behind `{match[1]}`"
    missing = {",": "something", ".": "a name", "?.": "a name"}.get(match[1]) or (
        "a name" if match[1] in NAMING else "an expression"
    )
    return _say(scene, "PSM111", f"{missing} is missing before {_shown(word)}", help, word=word)


def _misplaced(scene: Scene) -> Diagnostic | None:
    """A keyword of one level of the file at another level."""
    at, previous = scene.at, scene.previous
    if scene.takes("CONST") and at.text in BEGIN_MEMBER:
        return _say(scene, "PSM115", f"`{at.text}` stands inside a role", "move it into the `role` that it belongs to")
    if scene.takes("IGNORE") and at.text in BEGIN_DECLARATION - BEGIN_MEMBER:
        return _say(scene, "PSM115", f"`{at.text}` stands outside of roles", "move it before or behind the role")
    if previous is None:
        return None
    word = previous.text
    if scene.takes("ASSIGN") and word in BEGIN_MEMBER | BEGIN_DECLARATION:
        where = "in a role" if word in BEGIN_MEMBER else "outside of roles"
        help = "write `let x = …` for a local" if word in VALUES else "close the handler before it"
        return _say(scene, "PSM115", f"`{word}` stands {where}, not in a handler", help, word=previous)
    if scene.accepts == {"EQUAL"} and word in BEGIN_DECLARATION:
        help = "move it out of the check, and write `expect holds …` or `expect fails …` here"
        if word == "const":
            help = "write `N = …` alone: a check only changes the values of constants"
        return _say(scene, "PSM115", f"`{word}` stands outside of checks", help, word=previous)
    if scene.accepts == {"EQUAL"} and word in ("holds", "fails", "states", "transitions", "depth"):
        return _say(scene, "PSM111", f"`{word}` without `expect`", f"write `expect {word} …`", word=previous)
    return None


# ---- what else might follow


def _general(scene: Scene) -> Diagnostic:
    at, previous = scene.at, scene.previous
    code, word, near = "PSM100", at, None
    if at.kind == "name" and not scene.takes("NAME"):
        candidates = literals(scene.accepts)
        if scene.indent(at) is None:
            candidates -= BEGIN_DECLARATION
        if ended(scene):
            candidates |= {"and", "or", "not", "in", "with"}
        near = _near(at.text, candidates)
    if near is None and previous is not None and scene.takes("ASSIGN") and at.kind == "name":
        near = _near(previous.text, BEGIN_STATEMENT)
        word = previous if near else at
    for accepts, words in (({"EQUAL"}, BEGIN_ITEM), ({"DOT"}, FAULTS)):
        if near is None and previous is not None and scene.accepts == accepts and at.kind == "name":
            near = _near(previous.text, words)
            word = previous if near else at
    if near is None and previous is not None and previous.kind == "name" and scene.takes("ASSIGN"):
        message = f"{_shown(previous)} is not a statement"
        help = f"write `{previous.text[:_LONGEST]} := …`, or what is missing between it and the word before"
        return _say(scene, code, message, help, word=previous)
    if at.kind == "end":
        code, message = "PSM111", "the text ends too early"
    else:
        message = f"did not expect {_shown(word)} here"
        if previous is not None and word is at and previous.kind != "doc":
            message = f"did not expect {_shown(at)} behind {_shown(previous)}"
    return _say(scene, code, message, near or f"expected {expected(scene)}", word=word)


def _near(name: str, candidates: Iterable[str]) -> str | None:
    return did_you_mean(name, candidates) if 1 < len(name) <= _LONGEST else None
