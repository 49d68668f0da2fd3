"""Parsing: files and their limits, what the words of a text mean, and the trees of the corpus."""

from __future__ import annotations

import gc
import logging
import pickle
import subprocess
import sys
from importlib.resources import files
from pathlib import Path

import pytest
from lark import Lark, logger

from checker.base.cache import VARIABLE, Cache
from checker.base.diagnostics import Diagnostic, SpecError
from checker.base.source import MAX_BYTES, Source, Span
from checker.lang import ast, lalr
from checker.lang.lalr import MAX_DEPTH, lark_parser
from checker.lang.parser import MAX_BRACKETS, MAX_TOKENS, parse_cached, parse_expr, parse_file, read_source
from checker.lang.printer import format_tree
from checker.model.walk import children
from tests.lang.support import CORPUS, REFUSED, SPECS, parsed, text_of

ROOT = Path(__file__).resolve().parents[2]


def refusal(text: str) -> Diagnostic:
    """The one diagnostic of a text that is refused."""
    with pytest.raises(SpecError) as caught:
        parsed(text)
    (diagnostic,) = caught.value.diagnostics
    return diagnostic


def expression(text: str) -> ast.Expr:
    return parse_expr(Source("test.psm", text))


def shape(expr: ast.Expr) -> str:
    """An expression with every operator in parentheses, to see how it was read."""
    match expr:
        case ast.Name():
            return expr.text
        case ast.Int():
            return str(expr.value)
        case ast.Unary():
            return f"({expr.op} {shape(expr.operand)})"
        case ast.Binary():
            return f"({shape(expr.left)} {expr.op} {shape(expr.right)})"
        case ast.Logic():
            return f"({f' {expr.op} '.join(shape(item) for item in expr.items)})"
        case ast.IfExpr():
            return f"(if {shape(expr.cond)} {shape(expr.then)} {shape(expr.orelse)})"
        case ast.Quant():
            return f"({expr.kind} {' '.join(b.name.text for b in expr.binders)}: {shape(expr.body)})"
        case ast.Field():
            return f"({shape(expr.obj)}{'?' if expr.optional else ''}.{expr.name})"
        case ast.Index():
            return f"({shape(expr.obj)}[{shape(expr.key)}])"
        case _:
            return type(expr).__name__


# ---- files


def test_a_file_is_read_and_parsed(tmp_path: Path) -> None:
    path = tmp_path / "a.psm"
    path.write_bytes(b"\xef\xbb\xbfspec A\r\nconst N = 1\r\n")
    spec = parse_file(path)
    assert (spec.name.text, len(spec.decls)) == ("A", 1)
    assert read_source(path).text == "spec A\nconst N = 1\n"


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "PSM005"),
        (b" \r\n\t", "PSM005"),
        (b"spec A\0", "PSM003"),
        (b"spec A # \xff", "PSM003"),
        (b"#" * (MAX_BYTES + 1), "PSM004"),
    ],
)
def test_a_file_that_cannot_be_a_spec(tmp_path: Path, data: bytes, code: str) -> None:
    path = tmp_path / "a.psm"
    path.write_bytes(data)
    with pytest.raises(SpecError) as caught:
        read_source(path)
    assert [d.code for d in caught.value.diagnostics] == [code]


def test_a_missing_file_and_a_folder(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match="PSM001"):
        read_source(tmp_path / "missing.psm")
    with pytest.raises(SpecError, match="PSM006"):
        read_source(tmp_path)


# ---- the grammar


def test_the_grammar_has_no_conflicts(caplog: pytest.LogCaptureFixture) -> None:
    grammar = files("checker.lang").joinpath("grammar.lark").read_text(encoding="utf-8")
    with caplog.at_level(logging.DEBUG, logger=logger.name):
        Lark(grammar, parser="lalr", start=["start", "expr"], debug=True)  # raises on reduce/reduce conflicts
    assert [record.getMessage() for record in caplog.records if "onflict" in record.getMessage()] == []


def test_the_parser_is_made_once() -> None:
    assert lark_parser() is lark_parser()


@pytest.mark.parametrize("path", SPECS, ids=lambda path: path.stem)
def test_the_corpus_parses(path: Path) -> None:
    text = text_of(path)
    spec = parsed(text)
    assert spec.decls
    for decl in spec.decls:
        assert text[decl.span.start : decl.span.end].strip()


@pytest.mark.parametrize("path", [path for path in CORPUS if path.name in REFUSED], ids=lambda path: path.stem)
def test_a_keyword_as_a_name_is_refused(path: Path) -> None:
    diagnostic = refusal(text_of(path))
    assert (diagnostic.code, diagnostic.message) == ("PSM104", "`sum` is a keyword and cannot be a name")


def test_garbage_is_collected_again_after_parsing() -> None:
    assert gc.isenabled()
    parsed("spec T")
    assert gc.isenabled()
    refusal("spec T const")
    assert gc.isenabled()


# ---- words


def test_names_and_keywords() -> None:
    spec = parsed("spec T const constant = 1 const holds = 1 const crash = 1 const soupy = 1 fun in_: bool = true")
    assert [decl.name.text for decl in spec.decls if isinstance(decl, ast.ConstDecl)] == [
        "constant",
        "holds",
        "crash",
        "soupy",
    ]


@pytest.mark.parametrize("text", ["spec T constN = 1", "spec T roleR { }", "specT", "spec T role R { onM { } }"])
def test_a_keyword_ends_where_its_word_ends(text: str) -> None:
    assert refusal(text).code in {"PSM100", "PSM105"}


@pytest.mark.parametrize("word", ["step", "type", "in", "Set", "forall", "symmetric", "restart"])
def test_keywords_are_reserved_everywhere(word: str) -> None:
    diagnostic = refusal(f"spec T const {word} = 1")
    assert (diagnostic.code, diagnostic.help) == ("PSM104", f"write `{word}_` instead")


def test_numbers() -> None:
    assert expression("9223372036854775807") == expression("009223372036854775807".lstrip("0"))
    assert refusal("spec T const N = 9223372036854775808").code == "PSM113"
    diagnostic = refusal("spec T const N = " + "9" * 100_000)
    assert diagnostic.code == "PSM113"
    assert len(diagnostic.message) < 80


def test_comments_and_docs() -> None:
    spec = parsed("# one\n/// about T\nspec T # two\n/// about N\n///\n///   indented\nconst N = 1 # /// three\n# four")
    assert spec.doc == ("about T",)
    assert spec.decls[0].doc == ("about N", "", "  indented")


def test_equality_ignores_places() -> None:
    assert parsed("spec T const N=1") == parsed("# moved\nspec  T\n\nconst N\n=\n1")
    assert parsed("spec T const N = 1") != parsed("spec T const N = 2")


# ---- expressions


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("a or b and c or d", "(a or (b and c) or d)"),
        ("not a == b and c", "((not (a == b)) and c)"),
        ("a => b => c", "(a => (b => c))"),
        ("a or b => c and d", "((a or b) => (c and d))"),
        ("a - b - c + d", "(((a - b) - c) + d)"),
        ("a + b * c % d & e", "(a + (((b * c) % d) & e))"),
        ("-a * -b", "((- a) * (- b))"),
        ("a not  in b", "(a not in b)"),
        ("a in b + c", "(a in (b + c))"),
        ("forall x in a, y in b: x => y", "(forall x y: (x => y))"),
        ("a => exists x in b: x or c", "(a => (exists x: (x or c)))"),
        ("if a then b else if c then d else e + f", "(if a b (if c d (e + f)))"),
        ("a.b?.c[d].e", "((((a.b)?.c)[d]).e)"),
        ("-a.b", "(- (a.b))"),
    ],
)
def test_operators(text: str, read: str) -> None:
    assert shape(expression(text)) == read


@pytest.mark.parametrize("text", ["a < b < c", "a == not b", "a..b", "a and forall x in S: x", "f()", "a b", "", "a)"])
def test_what_is_no_expression(text: str) -> None:
    with pytest.raises(SpecError):
        expression(text)


# ---- hostile texts


def test_nesting_is_limited() -> None:
    half = (MAX_DEPTH - 2) // 2
    parsed(f"spec T const N = {'[' * half}1{']' * half}")
    parsed(f"spec T const N = {'(' * MAX_BRACKETS}1{')' * MAX_BRACKETS}")
    for text in (
        f"{'[' * MAX_BRACKETS}1{']' * MAX_BRACKETS}",
        f"{'(' * (MAX_BRACKETS + 1)}1{')' * (MAX_BRACKETS + 1)}",
        f"1{' + 1' * MAX_DEPTH}",
    ):
        assert refusal(f"spec T const N = {text}").code == "PSM103"


def test_brackets_in_comments_do_not_count() -> None:
    brackets = "(" * (MAX_BRACKETS + 1)
    parsed(f"spec T # {brackets}\n/// {brackets}\nconst N = 1")


def test_length_is_limited() -> None:
    diagnostic = refusal("spec T const N = 1" + " or 1" * (MAX_TOKENS // 2))
    assert diagnostic.code == "PSM004"
    parsed("spec T # " + "word " * (MAX_TOKENS * 2) + "\nconst N = 1")


# ---- trees on disk

TEXT = "spec Kept\n\nrole R[2] {\n  volatile x: 0..2 = 0\n  action Go when x < 2 { x += 1 }\n}\n"


def test_tables_are_made_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lalr, "users_directory", lambda: tmp_path)
    expected = lark_parser().parse("spec S", start="start")
    make = lark_parser.__wrapped__
    assert make().parse("spec S", start="start") == expected
    (entry,) = tmp_path.iterdir()
    with monkeypatch.context() as patch:
        patch.setattr(Lark, "__init__", lambda *_, **__: pytest.fail("made again"))
        assert make().parse("spec S", start="start") == expected
    entry.write_bytes(entry.read_bytes()[:-1])
    assert make().parse("spec S", start="start") == expected, "what is damaged is made again"


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(VARIABLE, str(tmp_path))
    return tmp_path


def test_a_text_is_parsed_once(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = Source("kept.psm", TEXT)
    first = parse_cached(source)
    assert first == parsed(TEXT)
    (entry,) = cache.iterdir()
    with monkeypatch.context() as patched:
        patched.setattr(lalr, "spec_of", lambda _: pytest.fail("parsed again"))
        again = parse_cached(source)
        assert again == first
        assert spans(again) == spans(first)
        assert b"lark" not in entry.read_bytes(), "or a tree could not be read without Lark"
    assert parse_cached(Source("kept.psm", TEXT.replace("x < 2", "x < 1"))) != first


def spans(node: ast.Node) -> list[Span]:
    return [node.span, *(span for inner in children(node) for span in spans(inner))]


@pytest.mark.parametrize("path", SPECS, ids=lambda p: p.stem)
def test_a_tree_that_was_kept_is_the_same(path: Path, cache: Path) -> None:
    source = Source(path.name, text_of(path))
    first, again = parse_cached(source), parse_cached(source)
    assert first == again
    assert spans(first) == spans(again)
    assert format_tree(again, source) == format_tree(first, source)


@pytest.mark.parametrize("kept", [b"", b"no pickle", pickle.dumps(3), pickle.dumps(parsed(TEXT))[:-9]])
def test_what_is_no_tree_is_parsed_again(kept: bytes, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Cache, "get", lambda *_: kept)
    assert parse_cached(Source("kept.psm", TEXT)) == parsed(TEXT)


def test_the_deepest_tree_can_be_kept(cache: Path) -> None:
    guard = "x < 2"
    for _ in range(MAX_DEPTH - 8):
        guard = f"if {guard} then true else false"
    source = Source("deep.psm", TEXT.replace("x < 2", guard))
    assert spans(parse_cached(source)) == spans(parse_cached(source))
    assert len(list(cache.iterdir())) == 1


def test_errors_are_not_kept(cache: Path) -> None:
    for _ in range(2):
        with pytest.raises(SpecError, match=r"."):
            parse_cached(Source("kept.psm", TEXT.replace("role", "rule")))
    assert list(cache.iterdir()) == []


def test_without_a_cache_everything_is_as_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, "off")
    assert parse_cached(Source("kept.psm", TEXT)) == parsed(TEXT)


def test_a_command_that_finds_a_tree_does_without_lark(cache: Path) -> None:
    spec = cache / "kept.psm"
    spec.write_text(TEXT)
    loading = "import sys, checker; checker.load(sys.argv[1]); print('lark' in sys.modules)"
    said = [
        subprocess.run(
            [sys.executable, "-c", loading, spec], capture_output=True, text=True, check=True, cwd=ROOT
        ).stdout
        for _ in range(2)
    ]
    assert said == ["True\n", "False\n"]
