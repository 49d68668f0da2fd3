"""EDN, the data notation of Clojure, in which Jepsen writes histories: a reader for input from strangers, and a writer.

The reader goes over the text once with a regular expression for tokens and a stack of its own, so depth costs no recursion,
and is bounded. It knows what histories are made of: nil, booleans, numbers, strings, characters, keywords, symbols, lists,
vectors, maps, sets, comments, `#_` and tagged values, whose tags are dropped. Lists and vectors become lists, sets become
frozensets and maps dicts; elements of sets and keys of maps become hashable.

Source: github.com/edn-format/edn
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, Final

MAX_DEPTH: Final = 100
"""How deep brackets may be nested."""

MAX_DIGITS: Final = 1_000
"""The longest number that is read, in characters; Python takes quadratic time to read one."""


class MalformedError(Exception):
    """The text is not what it should be. `offset` says where, `ends` whether it merely ends too early."""

    def __init__(self, message: str, offset: int, *, ends: bool = False) -> None:
        super().__init__(message)
        self.offset = offset
        self.ends = ends


class Keyword:
    """`:append`. Equal to other keywords of its name alone: `:a` and `"a"` are two values."""

    __slots__ = ("name",)

    def __init__(self, name: str) -> None:
        self.name = name

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Keyword) and other.name == self.name

    def __hash__(self) -> int:
        return hash((Keyword, self.name))

    def __repr__(self) -> str:
        return f":{self.name}"


class Exact:
    """A number or truth value that equals those of its own kind alone: in Python `True` equals 1, and `1.0` does."""

    __slots__ = ("value",)

    def __init__(self, value: float) -> None:
        self.value = value

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Exact) and type(other.value) is type(self.value) and other.value == self.value

    def __hash__(self) -> int:
        return hash((type(self.value), self.value))

    def __repr__(self) -> str:
        return repr(self.value)


_TOKEN = re.compile(
    r"""[\s,]*(?:;[^\n]*\n?[\s,]*)*(?:
      (?P<numbers>\[[-0-9\s,]*\])
    | (?P<open>[\[({]|\#\{)
    | (?P<close>[\])}])
    | (?P<keyword>:[^\s,;"\[\](){}\\@^`~]+)
    | (?P<integer>[+-]?[0-9]+N?(?=[\s,;"\[\](){}]|$))
    | (?P<string>"(?:[^"\\]|\\.)*")
    | (?P<discard>\#_)
    | (?P<tag>\#[A-Za-z][^\s,;"\[\](){}\\@^`~]*)
    | (?P<real>[+-]?[0-9]+(?:\.[0-9]*)?(?:[eE][+-]?[0-9]+)?M?(?=[\s,;"\[\](){}]|$))
    | (?P<char>\\(?:[A-Za-z][A-Za-z0-9]*|[^\sA-Za-z]))
    | (?P<symbol>(?:\#\#-?(?:NaN|Inf)(?![A-Za-z])|[A-Za-z.*+!\-_?$%&=<>/|'])[^\s,;"\[\](){}\\@^`~]*)
    | (?P<rest>.)
    )?""",
    re.VERBOSE | re.DOTALL,
)
_CONSTANTS = {"nil": None, "true": True, "false": False, "##NaN": "##NaN", "##Inf": "##Inf", "##-Inf": "##-Inf"}
_CHARS = {"newline": "\n", "space": " ", "tab": "\t", "return": "\r", "backspace": "\b", "formfeed": "\f"}
_CLOSERS = {"[": "]", "(": ")", "{": "}", "#{": "}"}
_ESCAPE = re.compile(r"\\(u[0-9a-fA-F]{4}|.)", re.DOTALL)
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f", '"': '"', "\\": "\\"}


def read(text: str) -> Iterator[tuple[Any, int]]:
    """The values of a text, one after the other, each with the offset where it begins.

    Raises:
        MalformedError: what follows is no EDN.
    """
    yield from _Reader(text).values(0)


def elements(text: str) -> Iterator[tuple[Any, int]]:
    """The elements of a text that is one vector or list, each with its offset. A text that ends inside is malformed.

    Raises:
        MalformedError: what follows is no EDN.
    """
    begin = len(text) - len(text.lstrip())
    yield from _Reader(text, _CLOSERS[text[begin]]).values(begin + 1)


class _Reader:
    """Reads values at the top level; `closer` ends them, where they stand in brackets."""

    def __init__(self, text: str, closer: str | None = None) -> None:
        self._text = text
        self._closer = closer
        self._keywords: dict[str, Keyword] = {}

    def values(self, offset: int) -> Iterator[tuple[Any, int]]:
        stack: list[tuple[str, int, list[Any]]] = []
        prefixes: list[tuple[int, str]] = []
        """Where `#_` or a tag waits for its value: how deep, and which."""
        begin = offset
        match = _TOKEN.match
        while True:
            token = match(self._text, offset)
            assert token is not None
            kind = token.lastgroup
            offset = token.end()
            if kind is None:
                if stack or prefixes or self._closer is not None:
                    raise MalformedError("the text ends inside of a value", len(self._text), ends=True)
                return
            at = token.start(kind)
            if not stack and not prefixes:
                begin = at
            if kind == "open":
                stack.append((token[kind], at, []))
                if len(stack) > MAX_DEPTH:
                    raise MalformedError(f"more than {MAX_DEPTH} levels of brackets", at)
                continue
            if kind in ("discard", "tag"):
                prefixes.append((len(stack), kind))
                if len(prefixes) > MAX_DEPTH:
                    raise MalformedError(f"more than {MAX_DEPTH} tags", at)
                continue
            if kind == "close":
                if prefixes and prefixes[-1][0] == len(stack):
                    raise MalformedError("a tag or `#_` without a value", at)
                if not stack and token[kind] == self._closer:
                    self._nothing_after(offset)
                    return
                value = self._closed(stack, token[kind], at)
            else:
                value = self._atom(kind, token[kind], at)
            dropped = False
            while not dropped and prefixes and prefixes[-1][0] == len(stack):
                dropped = prefixes.pop()[1] == "discard"
            if dropped:
                continue
            if stack:
                stack[-1][2].append(value)
            else:
                yield value, begin

    def _nothing_after(self, offset: int) -> None:
        token = _TOKEN.match(self._text, offset)
        if token is not None and token.lastgroup is not None:
            raise MalformedError("something follows the end of the history", token.start(token.lastgroup))

    def _closed(self, stack: list[tuple[str, int, list[Any]]], closer: str, at: int) -> Any:
        if not stack or _CLOSERS[stack[-1][0]] != closer:
            raise MalformedError(f"`{closer}` closes nothing", at)
        opener, begin, items = stack.pop()
        if opener == "{":
            if len(items) % 2:
                raise MalformedError("a map with a key and no value", begin)
            keys = [hashable(k) for k in items[::2]]
            result = dict(zip(keys, items[1::2], strict=True))
            if len(result) != len(keys):
                raise MalformedError("a map with the same key twice", begin)
            return result
        return frozenset(map(hashable, items)) if opener == "#{" else items

    def _atom(self, kind: str, text: str, at: int) -> Any:
        match kind:
            case "numbers":  # nearly all of a history of lists are lists of numbers
                try:
                    return list(map(int, text[1:-1].replace(",", " ").split()))
                except ValueError:
                    raise MalformedError("a list of numbers with something that is none", at) from None
            case "keyword":
                found = self._keywords.get(text)
                if found is None:
                    found = self._keywords[text] = Keyword(text[1:])
                return found
            case "integer" | "real" if len(text) > MAX_DIGITS:
                raise MalformedError(f"a number of {len(text):,} characters; at most {MAX_DIGITS:,} are read", at)
            case "integer":
                return int(text.rstrip("N"))
            case "real":
                return float(text.rstrip("M"))
            case "string":
                body = text[1:-1]
                return _ESCAPE.sub(lambda m: self._escape(m[1], at), body) if "\\" in body else body
            case "char":
                return _CHARS.get(text[1:], text[1:])
            case "symbol":
                return _CONSTANTS.get(text, text)
        if text == '"':
            raise MalformedError("a string without an end", at, ends=True)
        raise MalformedError(f"`{text}` is no EDN", at)

    def _escape(self, code: str, at: int) -> str:
        if code.startswith("u") and len(code) == 5:
            return chr(int(code[1:], 16))
        if code not in _ESCAPES:
            raise MalformedError(f"`\\{code}` is no escape of a string", at)
        return _ESCAPES[code]


def hashable(value: Any) -> Any:
    """A value that can be a key: lists become tuples, dicts sets of pairs."""
    match value:
        case list() | tuple():
            return tuple(map(hashable, value))
        case dict():
            return frozenset((k, hashable(v)) for k, v in value.items())
        case set() | frozenset():
            return frozenset(map(hashable, value))
    return value


def show(value: Any) -> str:
    """A value as EDN. What EDN cannot say is written as the string that Python shows for it."""
    match value:
        case None:
            return "nil"
        case bool():
            return "true" if value else "false"
        case int() | float():
            return str(value)
        case Keyword():
            return repr(value)
        case Exact():
            return show(value.value)
        case str():
            return json.dumps(value, ensure_ascii=False)
        case list() | tuple():
            return f"[{' '.join(map(show, value))}]"
        case dict():
            return f"{{{', '.join(f'{show(k)} {show(v)}' for k, v in value.items())}}}"
        case set() | frozenset():
            return f"#{{{' '.join(sorted(map(show, value)))}}}"
    return json.dumps(repr(value))
