"""A strict parser for the part of TLA+ that the exporter writes, for tests alone.

It follows the rules of the language that a careless writer breaks: lists of `/\\` and `\\/` are read by their columns; two
operators stand beside each other only where the precedence ranges of "Specifying Systems" (table 6) say which binds more,
whatever meaning would be meant; words are reserved. What it does not know it refuses, so that it cannot accept by accident.

A tree is made of tuples: `(tag, …)`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

Tree = tuple[Any, ...]

TOKEN = re.compile(
    r"""(?P<skip>\s+|\\\*[^\n]*)
    | (?P<string>"[^"`\\\n]*")
    | (?P<number>[0-9]+)
    | (?P<rule>-{4,}|={4,})
    | (?P<word>[A-Za-z_][A-Za-z_0-9]*)
    | (?P<op>/\\|\\/|\\[A-Za-z]+|\|->|->|<<|>>_|>>|<=|>=|=>|==|:>|@@|\.\.
       |\[\]\[|\[\]|<>|<-|~>|\]_|\\|[-+*%~=#<>(){}\[\],:.!'@])
    """,
    re.VERBOSE,
)

INFIX = {
    "=>": (1, 1), "~>": (2, 2), "/\\": (3, 3), "\\/": (3, 3),
    **dict.fromkeys(("=", "#", "<", ">", "<=", ">=", "\\in", "\\notin", "\\subseteq"), (5, 5)),
    "@@": (6, 6), ":>": (7, 7), "\\cup": (8, 8), "\\cap": (8, 8), "\\": (8, 8), "..": (9, 9), "+": (10, 10), "-": (11, 11),
    "%": (10, 11), "\\X": (10, 13), "*": (13, 13), "\\div": (13, 13), "\\o": (13, 13),
}  # fmt: skip
LEFT = {"/\\", "\\/", "\\cup", "\\cap", "+", "-", "*", "\\o", "@@", "\\"}
PREFIX = {
    "~": (4, 4),
    "[]": (4, 15),
    "<>": (4, 15),
    "ENABLED": (4, 15),
    "UNCHANGED": (4, 15),
    "SUBSET": (8, 13),
    "UNION": (8, 13),
    "DOMAIN": (9, 9),
    "-": (12, 12),
}
WORDS = frozenset(
    """
    IF THEN ELSE LET IN CHOOSE LAMBDA EXCEPT ENABLED UNCHANGED SUBSET UNION DOMAIN EXTENDS CONSTANT CONSTANTS VARIABLE VARIABLES
    MODULE CASE OTHER RECURSIVE ASSUME INSTANCE WITH
""".split()
)
CLOSING = (")", "]", "}", ">>", ">>_", "]_", ",", "THEN", "ELSE", "IN")
"""What ends a list although it stands right of its bullets."""


class TlaSyntaxError(Exception):
    pass


@dataclass(frozen=True, slots=True)
class Token:
    kind: str
    text: str
    line: int
    column: int


def tokens(text: str) -> list[Token]:
    found, at, line, start = [], 0, 1, 0
    while at < len(text):
        match = TOKEN.match(text, at)
        if match is None:
            raise TlaSyntaxError(f"line {line}: {text[at : at + 20]!r}")
        if match.lastgroup != "skip":
            kind = match.lastgroup or ""
            if kind == "word" and match.group() in WORDS:
                kind = "op"
            found.append(Token(kind, match.group(), line, at - start))
        at = match.end()
        breaks = match.group().count("\n")
        if breaks:
            line += breaks
            start = match.start() + match.group().rindex("\n") + 1
    return [*found, Token("end", "", line + 1, -1)]


class Parser:
    """`module()` reads a whole module."""

    def __init__(self, text: str) -> None:
        self.tokens = tokens(text)
        self.at = 0
        self.columns = [-1]

    # ---- tokens

    @property
    def next(self) -> Token:
        """The next token; an end where it stands left of the list that is being read."""
        token = self.tokens[self.at]
        return token if token.column > self.columns[-1] else Token("end", "", token.line, token.column)

    def fail(self, wanted: str) -> TlaSyntaxError:
        t = self.tokens[self.at]
        return TlaSyntaxError(f"line {t.line}, column {t.column}: {wanted} expected, not {t.text!r}")

    def take(self, *texts: str) -> Token:
        token = self.next
        if token.text not in texts:
            raise self.fail(" or ".join(texts))
        self.at += 1
        return token

    def has(self, *texts: str) -> bool:
        return self.next.kind in ("op", "rule") and self.next.text in texts

    def name(self) -> str:
        if self.next.kind != "word":
            raise self.fail("a name")
        self.at += 1
        text = self.tokens[self.at - 1].text
        if text.startswith(("WF_", "SF_")) or not re.search("[A-Za-z]", text):
            raise TlaSyntaxError(f"{text} is no name")
        return text

    def names(self) -> list[str]:
        found = [self.name()]
        while self.has(","):
            self.at += 1
            found.append(self.name())
        return found

    # ---- module

    def module(self) -> tuple[str, list[Tree]]:
        found = self._module()
        if self.next.kind != "end":
            raise self.fail("the end")
        return found

    def _module(self) -> tuple[str, list[Tree]]:
        self._rule("-")
        self.take("MODULE")
        title = self.name()
        self._rule("-")
        units: list[Tree] = []
        while not (self.next.kind == "rule" and self.next.text[0] == "="):
            if self.next.kind == "rule" and self.tokens[self.at + 1].text == "MODULE":
                units.append(("MODULE", *self._module()))
            elif self.next.kind == "rule":
                self.at += 1
            elif self.has("EXTENDS", "CONSTANT", "VARIABLES"):
                units.append((self.take("EXTENDS", "CONSTANT", "VARIABLES").text, self.names()))
            else:
                units.append(self.definition())
        self.at += 1
        return title, units

    def _rule(self, sign: str) -> None:
        if self.next.kind != "rule" or self.next.text[0] != sign:
            raise self.fail("a rule")
        self.at += 1

    def definition(self) -> Tree:
        """`f == e`, `f(x, y) == e`, `f[x \\in S] == e`."""
        name = self.name()
        if self.has("["):
            self.at += 1
            bound = self.bound()
            self.take("]")
            self.take("==")
            return ("function", name, bound, self.expr())
        params: list[str] = []
        if self.has("("):
            self.at += 1
            params = self.names()
            self.take(")")
        self.take("==")
        if self.has("INSTANCE"):
            return self.instance(name)
        return ("define", name, params, self.expr())

    def instance(self, name: str) -> Tree:
        """`I == INSTANCE M WITH x <- e, y <- f`."""
        self.take("INSTANCE")
        module = self.name()
        given: list[tuple[str, Tree]] = []
        while not given or self.has(","):
            self.take("," if given else "WITH")
            x = self.name()
            self.take("<-")
            given.append((x, self.expr()))
        return ("INSTANCE", name, module, given)

    def bound(self) -> Tree:
        name = self.name()
        self.take("\\in")
        return (name, self.expr())

    # ---- expressions

    def expr(self, level: tuple[int, int] = (0, 0), above: str = "") -> Tree:
        if self.has("/\\", "\\/"):
            return self.junction()
        left = self.operand()
        while self.next.text in INFIX and self.next.kind == "op":
            op = self.next.text
            low, high = INFIX[op]
            if high < level[0] or (op == above and op in LEFT):
                break
            if low <= level[1]:
                raise self.fail(f"parentheses: `{above}` and `{op}` side by side are ambiguous; something else")
            self.at += 1
            left = ("infix", op, left, self.expr((low, high), op))
        return left

    def junction(self) -> Tree:
        bullet = self.next
        items = []
        while self.next.text == bullet.text and self.next.column == bullet.column:
            self.at += 1
            self.columns.append(bullet.column)
            items.append(self.expr())
            ended = self.next.kind == "end"
            self.columns.pop()
            if not ended and not self.has(*CLOSING):
                raise self.fail("the end of an item")
        return ("and" if bullet.text == "/\\" else "or", items)

    def operand(self) -> Tree:
        if self.next.text in PREFIX and self.next.kind == "op":
            op = self.take(*PREFIX).text
            if op == "ENABLED" and self.has("<<"):
                return ("prefix", op, self.angle())
            return ("prefix", op, self.expr(PREFIX[op], op))
        tree = self.primary()
        while self.has("[", ".", "'"):
            op = self.take("[", ".", "'").text
            if op == "[":
                tree = ("apply", tree, self.expr())
                self.take("]")
            elif op == ".":
                tree = ("apply", tree, ("string", self.name()))
            else:
                tree = ("prime", tree)
        return tree

    def primary(self) -> Tree:
        token = self.next
        match token.kind:
            case "number":
                self.at += 1
                return ("number", int(token.text))
            case "string":
                self.at += 1
                return ("string", token.text[1:-1])
            case "word":
                return self.word()
            case "op":
                return self.construct(token.text)
        raise self.fail("an expression")

    def word(self) -> Tree:
        text = self.tokens[self.at].text
        if text in ("WF_vars", "SF_vars"):
            self.at += 1
            self.take("(")
            inner = self.expr()
            self.take(")")
            return ("fair", text[:2], inner)
        name = self.name()
        if self.has("!") and self.tokens[self.at + 1].kind == "word":
            self.at += 1
            return ("of", name, self.name())
        if not self.has("("):
            return ("name", name)
        self.at += 1
        args = self.several(")")
        return ("call", name, args)

    def several(self, closing: str) -> list[Tree]:
        found: list[Tree] = []
        if not self.has(closing):
            found.append(self.expr())
            while self.has(","):
                self.at += 1
                found.append(self.expr())
        self.take(closing)
        return found

    def construct(self, op: str) -> Tree:
        match op:
            case "(":
                self.at += 1
                inner = self.expr()
                self.take(")")
                return inner
            case "<<":
                return self.angle()
            case "{":
                return self.braces()
            case "[":
                return self.brackets()
            case "[][":
                self.at += 1
                if self.next.kind == "word" and self.tokens[self.at + 1].text == "\\in":
                    raise self.fail("not the look of a function: parentheses")
                inner = self.expr()
                self.take("]_")
                return ("box", inner, self.name())
            case "\\A" | "\\E" | "CHOOSE":
                self.at += 1
                bound = self.bound()
                self.take(":")
                return ({"\\A": "forall", "\\E": "exists"}.get(op, "choose"), bound, self.expr())
            case "IF":
                self.at += 1
                cond = self.expr()
                self.take("THEN")
                then = self.expr()
                self.take("ELSE")
                return ("if", cond, then, self.expr())
            case "LET":
                self.at += 1
                definitions = []
                while not self.has("IN"):
                    definitions.append(self.definition())
                self.at += 1
                return ("let", definitions, self.expr())
            case "LAMBDA":
                self.at += 1
                names = self.names()
                self.take(":")
                return ("lambda", names, self.expr())
            case "@":
                self.at += 1
                return ("name", "@")
        raise self.fail("an expression")

    def angle(self) -> Tree:
        self.take("<<")
        items: list[Tree] = []
        if not self.has(">>", ">>_"):
            items.append(self.expr())
            while self.has(","):
                self.at += 1
                items.append(self.expr())
        if self.take(">>", ">>_").text == ">>":
            return ("tuple", items)
        if len(items) != 1:
            raise self.fail("one action")
        return ("angle", items[0], self.name())

    def braces(self) -> Tree:
        self.take("{")
        if self.has("}"):
            self.at += 1
            return ("set", [])
        first = self.expr()
        if self.has(":"):
            self.at += 1
            if first[0] == "infix" and first[1] == "\\in" and first[2][0] == "name":
                inner = self.expr()
                self.take("}")
                return ("filter", (first[2][1], first[3]), inner)
            bound = self.bound()
            self.take("}")
            return ("map", first, bound)
        items = [first]
        while self.has(","):
            self.at += 1
            items.append(self.expr())
        self.take("}")
        return ("set", items)

    def brackets(self) -> Tree:
        self.take("[")
        ahead = self.tokens[self.at + 1].text
        if ahead in ("|->", ":"):
            fields = []
            while True:
                field = self.name()
                self.take(ahead)
                fields.append((field, self.expr()))
                if self.take(",", "]").text == "]":
                    return ("record" if ahead == "|->" else "records", fields)
        if ahead == "\\in":
            bound = self.bound()
            self.take("|->")
            inner = self.expr()
            self.take("]")
            return ("fn", bound, inner)
        first = self.expr()
        if self.take("->", "EXCEPT").text == "->":
            second = self.expr()
            self.take("]")
            return ("functions", first, second)
        self.take("!")
        way = []
        while not self.has("="):
            if self.take("[", ".").text == "[":
                way.append(self.expr())
                self.take("]")
            else:
                way.append(("string", self.name()))
        self.at += 1
        value = self.expr()
        self.take("]")
        return ("except", first, way, value)


def parse(text: str) -> tuple[str, list[Tree]]:
    """The name of a module, and its units."""
    return Parser(text).module()
