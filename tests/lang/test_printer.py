"""The formatter: what it keeps, what it decides, and that it decides once."""

from __future__ import annotations

import random
import re
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from checker.base.diagnostics import SpecError
from checker.base.source import Source, Span
from checker.lang import ast
from checker.lang.lalr import MAX_DEPTH
from checker.lang.parser import parse_expr
from checker.lang.printer import format_expr, format_source, format_type
from tests.lang.support import EXPRESSIONS, SPECS, TYPES, comments, parsed, shaken, text_of

GOLDEN = Path(__file__).parents[1] / "golden"


def formatted(text: str) -> str:
    return format_source(Source("test.psm", text))


def expression(text: str) -> ast.Expr:
    return parse_expr(Source("test.psm", text))


def assert_kept(text: str) -> str:
    """Formats a text, and checks the three promises of the formatter."""
    once = formatted(text)
    assert parsed(once) == parsed(text)
    assert formatted(once) == once
    assert comments(once) == comments(text)
    return once


# ---- the promises


@pytest.mark.parametrize("path", SPECS, ids=lambda path: path.stem)
def test_corpus_is_kept(path: Path) -> None:
    once = assert_kept(text_of(path))
    assert once.endswith("\n")
    assert not once.endswith("\n\n")
    long = [line for line in once.splitlines() if len(line) > 100 and "#" not in line and "///" not in line]
    assert long == []
    assert [line for line in once.splitlines() if line != line.rstrip()] == []


@pytest.mark.parametrize("path", SPECS, ids=lambda path: path.stem)
def test_comments_and_blanks_in_any_place_are_kept(path: Path) -> None:
    rng = random.Random(path.name)
    assert_kept(shaken(text_of(path), rng, rng.choice([0.05, 0.2, 0.5])))


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(40))
def test_comments_and_blanks_in_any_place_are_kept_often(seed: int) -> None:
    rng = random.Random(seed)
    for path in rng.sample(SPECS, 8):
        assert_kept(shaken(text_of(path), rng, rng.choice([0.02, 0.1, 0.3, 0.6, 1.0])))


@settings(deadline=None, max_examples=150)
@given(EXPRESSIONS)
def test_expressions_come_back(expr: ast.Expr) -> None:
    text = format_expr(expr)
    assert "\n" not in text
    assert expression(text) == expr


@settings(deadline=None, max_examples=60)
@given(EXPRESSIONS)
def test_parentheses_of_an_expression_are_minimal(expr: ast.Expr) -> None:
    text = format_expr(expr)
    opened: list[int] = []
    for at, char in enumerate(text):
        if char == "(":
            opened.append(at)
        elif char == ")":
            begin = opened.pop()
            without = f"{text[:begin]} {text[begin + 1 : at]} {text[at + 1 :]}"
            with suppress(SpecError):
                assert expression(without) != expr, f"{text} needs no parentheses at {begin}"


@settings(deadline=None, max_examples=60)
@given(TYPES, EXPRESSIONS)
def test_declarations_come_back(type_: ast.Type, expr: ast.Expr) -> None:
    text = f"spec T const C: {format_type(type_)} = {format_expr(expr)} invariant I: {format_expr(expr)}"
    once = assert_kept(text)
    (const, prop) = parsed(once).decls
    assert isinstance(const, ast.ConstDecl) and isinstance(prop, ast.PropDecl)
    assert (const.type, const.value, prop.body) == (type_, expr, expr)


@settings(deadline=None, max_examples=40)
@given(st.lists(EXPRESSIONS, min_size=1, max_size=4), st.randoms(use_true_random=False))
def test_statements_come_back(exprs: list[ast.Expr], rng: random.Random) -> None:
    texts = [format_expr(expr) for expr in exprs]
    shapes = [
        "x := {}", "let y = {}", "send M({}) to r", "if {} {{ p(1) }} else {{ }}", "for z in {} {{ z := 1 }}",
        "assert {}", "choose w in {}", "either {{ x := {} }} or {{ }}", "p({})", "m[{}].f += 1", "atomic {{ x := {} }}",
    ]  # fmt: skip
    stmts = [rng.choice(shapes).format(text) for text in texts]
    joined = rng.choice(["  ", "\n", "\n\n"]).join(stmts)
    guard = f"when {texts[0]} " if rng.random() < 0.5 else ""
    assert_kept(f"spec T role R {{ action A {guard}{{{rng.choice([' ', chr(10)])}{joined} }} }}")


@pytest.mark.parametrize(
    ("opening", "closing", "levels"),
    [
        ("1 + (", ")", 1),
        ("if ", " then b else c", 1),
        ("{x in S where ", "}", 1),
        ("-", "", 1),
        ("(a => ", ") => b", 2),
        ("a with (f = ", ")", 2),
    ],
)
def test_the_deepest_texts_that_parse_are_formatted(opening: str, closing: str, levels: int) -> None:
    depth = (MAX_DEPTH - 3) // levels
    assert_kept(f"spec T const N = {opening * depth}x{closing * depth}")


def test_a_syntax_error_is_raised() -> None:
    with pytest.raises(SpecError) as caught:
        formatted("spec T\nconst N := 3\n")
    assert [d.code for d in caught.value.diagnostics] == ["PSM101"]


# ---- the style


@pytest.mark.parametrize("path", sorted(GOLDEN.glob("*.psm")), ids=lambda path: path.stem)
def test_golden_files_are_formatted(path: Path) -> None:
    """Each golden file is the formatted form of the corpus file of its name, or a text in formatted form itself."""
    source = next((spec for spec in SPECS if spec.name == path.name), path)
    assert formatted(text_of(source)) == text_of(path)
    assert formatted(text_of(path)) == text_of(path)


@pytest.mark.parametrize(
    ("written", "minimal"),
    [
        ("((a))", "a"),
        ("(a or (b and c))", "a or b and c"),
        ("(a or b) and c", "(a or b) and c"),
        ("(a and b) and c", "(a and b) and c"),
        ("a - (b - c)", "a - (b - c)"),
        ("(a - b) - c", "a - b - c"),
        ("a * (b + c) % d", "a * (b + c) % d"),
        ("not (a == b)", "not a == b"),
        ("(not a) == b", "(not a) == b"),
        ("(a in s) == (b not  in t)", "(a in s) == (b not in t)"),
        ("a => (b => c)", "a => b => c"),
        ("(a => b) => c", "(a => b) => c"),
        ("a => (forall x in S: b)", "a => forall x in S: b"),
        ("(exists x in S, y in 0..3: b) and c", "(exists x in S, y in 0..3: b) and c"),
        ("forall x in 0..n-1: (b)", "forall x in 0 .. n - 1: b"),
        ("- (-a)", "--a"),
        ("-(a + b)", "-(a + b)"),
        ("(-a).f", "(-a).f"),
        ("(if a then b else c) + 1", "(if a then b else c) + 1"),
        ("if a then b else (if c then d else e)", "if a then b else if c then d else e"),
        ("{(a == b), c}", "{(a == b), c}"),
        ("[(a == b), c]", "[a == b, c]"),
        ("{x in S where (a)}", "{x in S where a}"),
        ("{k in K:(e)}", "{k in K: e}"),
        ("(v with (f = 1, [k] = 2)).g", "v with (f = 1, [k] = 2).g"),
        ("r.f( ).g?.h[(i)]", "r.f().g?.h[i]"),
        ("sent(M from p) and sent(M(1) from p)", "sent(M from p) and sent(M(1) from p)"),
        ("inflight(M to q)", "inflight(M to q)"),
        ("old(( a ))", "old(a)"),
        ("007", "7"),
        ("{ }", "{}"),
    ],
)
def test_expression_on_one_line(written: str, minimal: str) -> None:
    assert format_expr(expression(written)) == minimal


def test_a_range_and_a_type_on_one_line() -> None:
    at = Span(0, 0)
    low, high = ast.Int(at, 0), ast.Name(at, "N")
    assert format_expr(ast.Range(at, low, high)) == "0..N"
    assert format_type(ast.OptType(at, ast.SeqType(at, ast.RangeType(at, low, high), high))) == "Seq[0..N, N]?"


@pytest.mark.parametrize(
    ("body", "clear"),
    [
        ("a or b and c", "a or (b and c)"),
        ("not a == b", "not (a == b)"),
        ("a => forall x in S: b", "a => (forall x in S: b)"),
        ("(a) and ((b))", "a and b"),
        ("forall x in S: (exists y in T: a)", "forall x in S: exists y in T: a"),
        ("v with (f = 1).g == 1", "(v with (f = 1)).g == 1"),
    ],
)
def test_a_file_has_the_parentheses_that_readers_need(body: str, clear: str) -> None:
    assert formatted(f"spec T invariant I: {body}") == f"spec T\ninvariant I: {clear}\n"


@pytest.mark.parametrize(
    "text",
    [
        "spec T\nlive L: forall x in S: a ~> (exists y in S: b)\n",
        "spec T\nlive L: (forall x in S: a) ~> (exists y in S: b)\n",
        "spec T\nlive L(x in S, y in S): a ~> b\n",
        "spec T\nlive L: eventually always (forall x in S: a)\n",
    ],
)
def test_a_bare_quantifier_before_leads_to_is_not_repaired(text: str) -> None:
    assert formatted(text) == text


def member(text: str) -> str:
    """The formatted form of one member of a role, with its indentation taken away."""
    lines = formatted(f"spec T role R {{\n{text}\n}}").splitlines()[2:-1]
    return "\n".join(line[2:] for line in lines)


def test_a_block_stays_on_the_line_on_which_it_was_written() -> None:
    assert (
        member("timeout Quit   when st==working {st := aborted}") == "timeout Quit when st == working { st := aborted }"
    )
    assert member("on M { x := 1   y := 2 }") == "on M { x := 1  y := 2 }"
    assert member("on M {\nx := 1 }") == "on M {\n  x := 1\n}"
    assert member("on M { }") == "on M { }"
    assert member("on M {\n\n}") == "on M { }"


def test_statements_that_shared_a_line_still_do() -> None:
    assert member("on M {\nx := 1 y := 2\n\n\nz := 3 }") == "on M {\n  x := 1  y := 2\n\n  z := 3\n}"
    long = "variable_with_a_long_name := another_variable_with_a_long_name"
    assert member(f"on M {{ {long} {long} }}") == f"on M {{\n  {long}\n  {long}\n}}"


def test_the_arms_of_a_statement() -> None:
    assert member("on M { if a { x := 1 } else if b { } else { y := 1 } }") == (
        "on M { if a { x := 1 } else if b { } else { y := 1 } }"
    )
    assert member("on M {\nif a { x := 1 }\nelse { y := 1 }\n}") == "on M {\n  if a { x := 1 }\n  else { y := 1 }\n}"
    assert member("on M {\nif a {\nx := 1 }\nelse { y := 1 }\n}") == (
        "on M {\n  if a {\n    x := 1\n  } else { y := 1 }\n}"
    )
    assert member("on M { toss { x := 1 }\n or { } }") == "on M {\n  toss { x := 1 }\n  or { }\n}"


def test_a_long_head_breaks_before_its_guard() -> None:
    guard = " and ".join(f"cond_number_{n}" for n in range(4))
    assert member(f"fair action Action(x: T) when {guard} {{ x := 1 }}") == (
        f"fair action Action(x: T)\n  when {guard} {{ x := 1 }}"
    )
    longer = " and ".join(f"condition_number_{n}" for n in range(6))
    assert member(f"fair action Act(x: T) when {longer} limit y < 3 {{ x := 1 }}").splitlines() == [
        "fair action Act(x: T)",
        "  when condition_number_0 and condition_number_1 and condition_number_2 and condition_number_3 and",
        "    condition_number_4 and condition_number_5",
        "  limit y < 3 { x := 1 }",
    ]


def test_a_property_breaks_behind_its_quantifier() -> None:
    parts = [f"some_condition({n}, a, b)" for n in range(4)]
    text = f"spec T invariant Inv: forall a in R, b in R: {' and '.join(parts)} => {parts[0]}"
    assert formatted(text).splitlines()[1:] == [
        "invariant Inv: forall a in R, b in R:",
        f"  {' and '.join(parts[:3])} and",
        f"  {parts[3]} =>",
        f"    {parts[0]}",
    ]


def test_blank_lines_are_kept_one_at_a_time() -> None:
    text = (
        "\n\nspec T\n\n\n\nconst N = 1\nconst M = 2\n\nrole R {\n\n\n  durable x: bool = a\n\n\n  on M { }\n\n}\n\n\n"
    )
    assert formatted(text) == (
        "spec T\n\nconst N = 1\nconst M = 2\n\nrole R {\n  durable x: bool = a\n\n  on M { }\n}\n"
    )


def test_checks() -> None:
    assert formatted(
        "spec T check c { N=2 faults lose<=1,cut(A,B)<=2, R.Slip <= 1 expect holds A ,B symmetry off }"
    ) == ("spec T\ncheck c { N = 2  faults lose <= 1, cut(A, B) <= 2, R.Slip <= 1  expect holds A, B  symmetry off }\n")
    assert formatted(
        "spec T check c { expect states 5 transitions 6 depth 7\n strong R.A, B network q bag[2] drop }"
    ) == ("spec T\ncheck c {\n  expect states 5 transitions 6 depth 7\n  strong R.A, B  network q bag[2] drop\n}\n")


# ---- comments


def test_comments_keep_their_places() -> None:
    text = text_of(GOLDEN / "comments.psm")
    assert formatted(text) == text
    assert comments(text)


@pytest.mark.parametrize(
    ("written", "printed"),
    [
        ("spec T # name\n", "spec T  # name\n"),
        ("# one\n\n# two\nspec T", "# one\n\n# two\nspec T\n"),
        ("spec T\n# end", "spec T\n# end\n"),
        ("spec T\nconst N = 1 + # why\n 2\n", "spec T\nconst N =\n  1 +  # why\n    2\n"),
        ("spec T\nenum E { a, # first\n b, # second\n}", "spec T\nenum E {\n  a,  # first\n  b  # second\n}\n"),
        ("spec T\nrole R { # why\n}", "spec T\nrole R {  # why\n}\n"),
        ("spec T\nrole R {\n# why\n}", "spec T\nrole R {\n  # why\n}\n"),
        ("spec T\n/// doc\n# not doc\nconst N = 1", "spec T\n/// doc\n# not doc\nconst N = 1\n"),
        ("spec T\nconst N = (a # in\n ) # out\n", "spec T\nconst N = a  # in\n# out\n"),
    ],
)
def test_comments_in_odd_places(written: str, printed: str) -> None:
    assert formatted(written) == printed
    assert_kept(written)


def test_doc_lines_are_kept() -> None:
    text = "///a\n///\n///   indented\nspec T\n/// of N\nconst N = 1\n"
    assert formatted(text) == "/// a\n///\n///   indented\nspec T\n/// of N\nconst N = 1\n"


def test_columns_are_not_kept() -> None:
    assert not re.search(r"\S {3,}\S", formatted("spec T\nrole R {\n  durable   x:  bool   =  a\n}"))
