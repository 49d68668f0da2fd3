"""The text of exported modules: rules of TLA+, names, what is refused; and the command."""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest

import checker
from checker.base.diagnostics import SpecError
from checker.render.tla import export_tla
from tests.cli.support import lockstep
from tests.random_specs import random_spec, wide_spec
from tests.tla.compare import module_of
from tests.tla.rules import RuleError, check_names
from tests.tla.syntax import TlaSyntaxError, parse

SPECS = sorted(Path("specs").glob("*/*.psm"))


def modules(text: str) -> list[str]:
    """The module of a random spec; none if it is refused or no model."""
    try:
        return [export_tla(checker.loads(text).machine("c")).text]
    except SpecError:
        return []


def test_the_rules_for_names_hold() -> None:
    for path in SPECS:
        spec = checker.load(path)
        for check in spec.checks[-2:]:
            module_of(spec.machine(check))
    for seed in range(6):
        for text in [*modules(random_spec(Random(seed))), *modules(wide_spec(Random(seed)))]:
            check_names(parse(text)[1])


@pytest.mark.filterwarnings("ignore:int argument support")
def test_the_grammar_of_the_community_accepts_modules() -> None:
    tree_sitter = pytest.importorskip("tree_sitter", reason="tree-sitter is not installed")
    grammar = pytest.importorskip("tree_sitter_tlaplus", reason="tree-sitter-tlaplus is not installed")
    parser = tree_sitter.Parser(tree_sitter.Language(grammar.language()))
    texts = [export_tla(checker.load(p).machine(c)).text for p in SPECS for c in checker.load(p).checks[-2:]]
    texts += [t for seed in range(6) for t in modules(random_spec(Random(seed))) + modules(wide_spec(Random(seed)))]
    assert len(texts) > 20
    for text in texts:
        assert not parser.parse(text.encode()).root_node.has_error, text
    assert parser.parse(texts[0].replace("EXTENDS", "EXTEND S").encode()).root_node.has_error


def test_the_parser_is_strict() -> None:
    rule = "----"
    for body in (
        "f == a /\\ b \\/ c",
        "f == a = b = c",
        "f == x % y + z",
        "f ==\n  /\\ a\n  b",
        "WF_x == 1",
        'f == "`x"',
        "f == [][x \\in {}]_v",
        "f == <>a ~> b ~> c",
        "f == INSTANCE M",
    ):
        with pytest.raises(TlaSyntaxError):
            parse(f"{rule} MODULE M {rule}\n{body}\n====")
    inner = f"{rule} MODULE I {rule}\nVARIABLES x\ng == x\n====\n"
    for body in (
        "f == g\ng == 1",
        "f == 1\nf == 2",
        "f(x) == \\E x \\in {} : TRUE",
        "f == LET g == 1 IN g(2)",
        f"{inner}f == g",
        f"{inner}I2 == INSTANCE I WITH y <- 1",
        f"{inner}x(a) == a\nI2 == INSTANCE I WITH x <- 1",
        f"{inner}I2 == INSTANCE I WITH x <- 1\nf == I2!h",
    ):
        with pytest.raises(RuleError):
            check_names(parse(f"{rule} MODULE M {rule}\n{body}\n====")[1])


def test_names_of_tla_are_renamed() -> None:
    text = """spec Names
message IF(CASE: bool), Len
network soup
role WF_a { durable CHOOSE: bool = false  durable x: 0..1 = 0  action LET when x == 0 { x := 1 } }
check c { }
"""
    module = module_of(checker.loads(text).machine("c"))
    assert "xWF_a_CHOOSE" in module.variables or "xWF_a" in {u[1] for u in module.units if u[0] == "define"}


def test_a_step_property_about_membership_is_no_function() -> None:
    """`[x \\in` begins a function."""
    text = """spec S
shared durable x: 0..1 = 0
role R { action Go { x := 1 - x } }
step Known: old(x) in {0, 1}
check c { expect holds Known }
"""
    assert "[][(" in export_tla(checker.loads(text).machine("c")).text
    module_of(checker.loads(text).machine("c"))


def test_comments_cannot_break_out() -> None:
    text = """spec S
/// *) ==== evil \\* (*
shared durable x: 0..1 = 0
role R {
  /// ----
  action Go { x := 1 - x }
}
check c { }
"""
    module_of(checker.loads(text).machine("c"))


def test_a_torn_loop_is_refused_with_its_place() -> None:
    text = """spec S
role R[2] {
  durable x: 0..2 = 0
  durable y: 0..2 = 0
  action Go { for i in R { x := 1  y := 1 } }
}
check c { faults crash R <= 1 }
check d { }
"""
    spec = checker.loads(text)
    with pytest.raises(SpecError) as caught:
        export_tla(spec.machine("c"))
    (diagnostic,) = caught.value.diagnostics
    assert diagnostic.code == "PSM920"
    assert diagnostic.span is not None
    assert text[diagnostic.span.start :].startswith("for i in R")
    export_tla(spec.machine("d"))


def test_expected_failures_are_not_asked_for() -> None:
    config = export_tla(checker.load("specs/transactions/two_phase_commit.psm").machine("lost_log")).config
    assert "\n\\* INVARIANT Atomic\n" in config
    assert "\nSPECIFICATION FairSpec\n" in config


def test_the_command(tmp_path: Path) -> None:
    spec = str(Path("specs/transactions/two_phase.psm").resolve())
    done = lockstep("export", spec, "--check", "four", "--to", "tla", "-o", str(tmp_path))
    assert done.code == 0
    assert (tmp_path / "TwoPhase_four.cfg").read_text().count("INVARIANT Consistent") == 1
    printed = lockstep("export", spec, "--check", "four", "--to", "tla")
    assert printed.out == (tmp_path / "TwoPhase_four.tla").read_text()
    assert lockstep("export", spec, "--to", "tla", "--seed", "3").code == 2
    assert lockstep("export", spec, "--to", "tla", "-o", str(tmp_path / "made" / "here")).code == 0
    assert (tmp_path / "made" / "here" / "TwoPhase_three.cfg").is_file()
    refused = lockstep("export", spec, "--to", "tla", "-o", str(tmp_path / "TwoPhase_four.cfg" / "below"))
    assert refused.code == 2 and "PSM007" in refused.err
