"""Parsing: text in, `ast.Spec` or all the syntax errors of the file out.

`lalr` does the work, with Lark. Making a parser takes as long as running it, and both together half of the time of a small check.
So the tree of a file without errors is kept on disk (`base.cache`), and who comes with the same text again gets it from there,
without Lark being loaded at all.

Hostile input: the size is limited when the file is read, the open brackets here, and the nesting depth in `lalr`, before
anything recurses.
"""

from __future__ import annotations

import pickle
import re
import sys
from pathlib import Path

from checker.base.cache import Cache, default_directory, digest, version_of
from checker.base.diagnostics import error
from checker.base.source import MAX_BYTES, Source, Span, display_name
from checker.lang import ast

MAX_BRACKETS = 100
"""How many brackets may be open at once; checked on the text, since parentheses leave no trace in the tree."""

MAX_TOKENS = 200_000
"""How many words and symbols a spec may have, so that no file of `MAX_BYTES` keeps the parser busy for ten seconds."""


def read_source(path: Path) -> Source:
    """The text of a spec file.

    Raises:
        SpecError: PSM001 to PSM006, for what is missing, unreadable, too large, empty or not text.
    """
    name = display_name(path)
    try:
        if not (path.is_file() or path.is_dir()) and path.exists():
            raise error("PSM003", f"{name} is no file", help="a spec is a text file that begins with `spec NAME`")
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
            size = path.stat().st_size
    except FileNotFoundError:
        raise error("PSM001", f"{name} does not exist", help="check the path; a spec ends in `.psm`") from None
    except OSError as problem:
        raise error("PSM006", f"{name} cannot be read: {problem.strerror}", help="check its permissions") from None
    if len(data) > MAX_BYTES:
        raise error(
            "PSM004",
            f"{name} has {max(size, len(data)):,} bytes, and a spec may have at most {MAX_BYTES:,}",
            help="is it a spec? split a long one by family",
        )
    if b"\0" in data[:8192]:
        raise error("PSM003", f"{name} is a binary file", help="a spec is UTF-8 text that begins with `spec NAME`")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as problem:
        raise error(
            "PSM003",
            f"{name} is not UTF-8: byte {data[problem.start]:#04x} at offset {problem.start}",
            help="save it as UTF-8; a spec is text that begins with `spec NAME`",
        ) from None
    source = Source(name, text.replace("\r\n", "\n"))
    if not text.strip():
        raise error(
            "PSM005", f"{name} is empty", source=source, help="`lockstep new NAME` writes a first spec to start from"
        )
    return source


def parse_file(path: Path) -> ast.Spec:
    """Reads and parses one file. Raises `SpecError` as `read_source` and `parse` do."""
    return parse(read_source(path))


def parse(source: Source) -> ast.Spec:
    """The syntax tree of a text.

    Raises:
        SpecError: with one diagnostic (PSM100 to PSM115) for each declaration that has a syntax error.
    """
    from checker.lang.lalr import spec_of  # only where something has to be parsed

    _check_length(source)
    _check_brackets(source)
    return spec_of(source)


def parse_cached(source: Source) -> ast.Spec:
    """`parse` for the text of a file, which is likely to come again as it is."""
    cache = Cache(default_directory())
    key = digest("tree", version_of("base", "lang"), sys.version, source.text)
    spec = _unpickled(cache.get(key))
    if spec is None:
        spec = parse(source)
        cache.put(key, pickle.dumps(spec, pickle.HIGHEST_PROTOCOL))
    return spec


def _unpickled(data: bytes | None) -> ast.Spec | None:
    """A tree that was kept, if it is one. The cache is as trusted as the program: nobody else can write there."""
    try:
        kept = None if data is None else pickle.loads(data)  # noqa: S301 - see above
    except Exception:  # noqa: BLE001 - whatever is wrong with it, there is still the text
        return None
    return kept if isinstance(kept, ast.Spec) else None


def parse_expr(source: Source) -> ast.Expr:
    """A text that is one expression, such as the view of a graph.

    Raises:
        SpecError: with its syntax error.
    """
    from checker.lang.lalr import expr_of

    _check_length(source)
    _check_brackets(source)
    return expr_of(source)


def _check_length(source: Source) -> None:
    if len(source.text) <= MAX_TOKENS:
        return
    count = len(re.findall(r"#[^\n]*|///[^\n]*|\w+|[^\w\s]", source.text))
    if count > MAX_TOKENS:
        raise error(
            "PSM004",
            f"{source.name} has {count:,} words and symbols, and a spec may have at most {MAX_TOKENS:,}",
            source=source,
            help="is it a spec? split a long one by family",
        )


def _check_brackets(source: Source) -> None:
    depth = 0
    for match in re.finditer(r"#[^\n]*|///[^\n]*|[(\[{]|[)\]}]", source.text):
        first = match.group()[0]
        if first in "([{":
            depth += 1
            if depth > MAX_BRACKETS:
                raise error(
                    "PSM103",
                    f"more than {MAX_BRACKETS} brackets are open here",
                    source=source,
                    span=Span(match.start(), match.end()),
                    help="name parts of it with `fun`, `proc` or `let`",
                )
        elif first in ")]}":
            depth = max(0, depth - 1)
