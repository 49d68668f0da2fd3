"""Lark's LALR(1) parser at work: text in, `ast.Spec` or all the syntax errors of the file out.

The tables for `grammar.lark` are kept in the user's cache directory (`base.cache`), and made each time where that is not
possible. A syntax error must not hide the next one: after each error parsing goes on at the next declaration, at most
`MAX_ERRORS` times. All text before that is replaced by blanks, so places stay true and no part of a file is parsed twice. Errors
are put into words by `syntax_hints`, from a table of examples.
"""

from __future__ import annotations

import re
import sys
from functools import lru_cache
from importlib.resources import files
from io import BytesIO
from typing import Any

import lark
from lark import Lark, Token, Tree, UnexpectedInput
from lark.exceptions import UnexpectedToken, VisitError
from lark.lexer import PatternRE, PatternStr, TerminalDef

from checker.base.cache import Cache, digest, users_directory, version_of
from checker.base.collector import no_collector
from checker.base.diagnostics import Diagnostic, Reporter, SpecError, error
from checker.base.source import Source, Span
from checker.lang import ast
from checker.lang.build import AstBuilder

MAX_ERRORS = 20
"""How many syntax errors of one file are reported."""

MAX_DEPTH = 80
"""How deeply expressions, types and blocks may nest."""

SHIPPED_TABLES = "grammar.lalr"

_DECLARATION = re.compile(
    r"^(?:///|(?:const|type|id|enum|record|message|network|shared|role|fun|invariant|step|reach|live|final|refines|linearizable|check)\b)",
    re.MULTILINE,
)
"""What begins a declaration at the left margin, where parsing may go on after an error."""

_COMMENT = re.compile(r"#[^\n]*|///[^\n]*")
_HEADER = "spec _ "


def spec_of(source: Source) -> ast.Spec:
    """The syntax tree of a text. Raises `SpecError` for what is wrong with it."""
    with no_collector():
        spec = _build(source, _tree(source))
    assert isinstance(spec, ast.Spec)
    return spec


def expr_of(source: Source) -> ast.Expr:
    """The syntax tree of a text that is one expression. Raises `SpecError` for its syntax error."""
    try:
        tree = lark_parser().parse(source.text, start="expr")
    except UnexpectedInput as problem:
        from checker.lang.syntax_hints import explain

        raise SpecError([explain(source, problem)]) from None
    expr: ast.Expr = _build(source, tree)
    return expr


def _tree(source: Source) -> Tree[Token]:
    """Lark's tree of a text, or all its syntax errors."""
    found: list[Diagnostic] = []
    text = source.text
    begin = 0
    for _ in range(MAX_ERRORS):
        try:
            tree = lark_parser().parse(text, start="start")
        except UnexpectedInput as problem:
            from checker.lang.syntax_hints import explain  # only on errors: it builds a table of examples

            diagnostic = explain(source, problem)
            assert diagnostic.span is not None
            # a closing bracket that closes nothing, behind an error, is most often that error again
            if not (found and _closes_nothing(source.text, begin, diagnostic.span.start)):
                found.append(diagnostic)
            next_begin = _resume(source.text, begin, problem, diagnostic.span)
            if next_begin is None:
                break
            begin = next_begin
            text = _HEADER + " " * (begin - len(_HEADER)) + source.text[begin:]
        else:
            if not found:
                return tree
            break
    raise SpecError(sorted(found, key=lambda d: d.span or Span(0, 0)))


def _closes_nothing(text: str, begin: int, at: int) -> bool:
    """Whether a closing bracket stands at `at` without an open one of its kind in what is parsed from `begin` on."""
    closer = text[at : at + 1]
    opener = {")": "(", "]": "[", "}": "{"}.get(closer)
    if opener is None:
        return False
    code = _COMMENT.sub("", text[begin:at])
    return code.count(opener) <= code.count(closer)


def _resume(text: str, begin: int, problem: UnexpectedInput, blamed: Span) -> int | None:
    """Where to go on after an error in what was parsed from `begin` on: at the next declaration, if there is one.

    That may be the line of the error itself, where what is to blame stands before it, such as a bracket.
    """
    offset: int | None = getattr(problem, "pos_in_stream", None)
    if offset is None or (isinstance(problem, UnexpectedToken) and problem.token.type == "$END"):
        return None
    line = text.rfind("\n", 0, offset) + 1
    start = line if blamed.start <= line else offset
    match = _DECLARATION.search(text, max(start, begin + 1, len(_HEADER)))
    return None if match is None else match.start()


def _build(source: Source, tree: Tree[Token]) -> Any:
    """The syntax tree that Lark's tree stands for."""
    _check_depth(source, tree)
    reporter = Reporter(source)
    try:
        built = AstBuilder(reporter).transform(tree)
    except VisitError as problem:  # pragma: no cover - a bug in the builder, shown as what it is
        raise problem.orig_exc from problem
    reporter.raise_if_errors()
    return built


def _check_depth(source: Source, tree: Tree[Token]) -> None:
    stack: list[tuple[Tree[Token], int]] = [(tree, 0)]
    while stack:
        node, depth = stack.pop()
        if depth > MAX_DEPTH:
            raise error(
                "PSM103",
                f"nested more than {MAX_DEPTH} deep",
                source=source,
                span=Span(node.meta.start_pos, node.meta.end_pos),
                help="name parts of it with `fun`, `proc` or `let`; a long chain of `+` is nested, too",
            )
        stack.extend((child, depth + 1) for child in node.children if isinstance(child, Tree))


@lru_cache(maxsize=1)
def lark_parser() -> Lark:
    """The parser, made once. Its tables, which take a quarter of a second to make, are kept on disk.

    Where tables stand beside the grammar, as in the archive for browsers, they belong to it and are used as they are.
    """
    tables = files("checker.lang").joinpath(SHIPPED_TABLES)
    if tables.is_file():
        with tables.open("rb") as file:
            return Lark.load(file)
    cache, key = Cache(users_directory()), digest("tables", lark.__version__, sys.version, version_of("lang"))
    kept = cache.get(key)
    if kept is not None:
        return Lark.load(BytesIO(kept))
    made = Lark(
        files("checker.lang").joinpath("grammar.lark").read_text(encoding="utf-8"),
        parser="lalr",
        propagate_positions=True,
        maybe_placeholders=True,
        start=["start", "expr"],
        edit_terminals=_whole_words,
    )
    target = BytesIO()
    made.save(target)
    cache.put(key, target.getvalue())
    return made


def _whole_words(terminal: TerminalDef) -> None:
    """Makes a keyword end where the word does: `constN` is a name, also where the parser would take no name."""
    if isinstance(terminal.pattern, PatternStr) and terminal.pattern.value.isalpha():
        terminal.pattern = PatternRE(rf"{terminal.pattern.value}\b")
        terminal.priority = 1  # above NAME
