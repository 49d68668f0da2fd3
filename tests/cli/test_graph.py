"""`lockstep graph`: drawings, views, and the refusal to draw what nobody could read."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

from checker.api import load, loads
from checker.engine.interface import Limits
from checker.render.dot import LONGEST, render, role_diagram_dot, state_graph_dot
from checker.render.marks import violating_states
from tests.cli.support import COUNTER, LARGE, OVERFLOW, ROOT, TRANSFER, assert_golden, lockstep, write


@pytest.fixture(autouse=True)
def specs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    write(tmp_path, transfer=TRANSFER, counter=COUNTER, overflow=OVERFLOW, large=LARGE)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_state_graph() -> None:
    done = lockstep("graph", "transfer.psm")
    assert (done.code, done.err) == (0, "")
    assert_golden("graph.dot", done.out)


def test_view() -> None:
    done = lockstep("graph", "transfer.psm", "--view", "Bank.balance")
    assert (done.code, done.err) == (0, "")
    assert_golden("view.dot", done.out)


def test_faults_are_dashed_and_loops_are_drawn_on_demand() -> None:
    crash = TRANSFER + "check crash { faults crash Bank <= 1 }\n"
    graph = loads(crash).graph("crash")
    plain, loops = state_graph_dot(graph), state_graph_dot(graph, loops=True)
    assert 'label=" Bank.crash " class=fault' in plain
    assert "style=dashed" in plain
    assert "s1 -> s1 " not in plain
    assert "s1 -> s1 " in loops


@pytest.mark.parametrize(("name", "magic"), [("a.svg", b"<?xml"), ("a.png", b"\x89PNG"), ("a.dot", b"digraph")])
def test_files(specs: Path, name: str, magic: bytes) -> None:
    done = lockstep("graph", "transfer.psm", "-o", name)
    assert (done.code, done.out, done.err) == (0, "", "")
    assert (specs / name).read_bytes().startswith(magic)


def test_format_wins_over_the_name(specs: Path) -> None:
    assert lockstep("graph", "transfer.psm", "-o", "drawing.txt", "--format", "svg").code == 0
    svg = (specs / "drawing.txt").read_text(encoding="utf-8")
    assert svg.count('class="node state') == 8
    assert "violates PaidOnce" in svg


def test_without_pygraphviz(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pygraphviz", None)
    done = lockstep("graph", "transfer.psm", "--format", "svg")
    assert done.code == 2
    assert "error PSM902: drawing SVG needs `pygraphviz`, which is not installed" in done.err
    assert lockstep("graph", "transfer.psm", "--format", "dot").code == 0


def test_too_large() -> None:
    done = lockstep("graph", "counter.psm", "--set", "N=3", "--set", "TOP=1")
    assert (done.code, done.out) == (2, "")
    assert "error PSM903: check small has 64 states, and a drawing of more than 60 cannot be read" in done.err
    assert "or draw it all the same with `--force`" in done.err
    assert lockstep("graph", "counter.psm", "--set", "N=3", "--set", "TOP=1", "--force").code == 0
    done = lockstep("graph", "large.psm", "--force")
    assert "check one has more than 5,000 states, and a drawing of more than 300" in done.err
    assert "with `--force`" not in done.err


def test_view_with_too_many_values() -> None:
    done = lockstep("graph", "large.psm", "--view", "{r in R: r.x}", "--max-states", "400")
    assert done.code == 2
    assert "error PSM903: the view has 400 values, and a drawing" in done.err


def test_part_of_a_graph_says_so() -> None:
    done = lockstep("graph", "large.psm", "--view", "forall r in R: r.x == 0", "--max-states", "400")
    assert done.code == 0
    assert done.err.startswith("note: this is not the whole graph: ")


@pytest.mark.parametrize(
    ("view", "message"),
    [
        ("Bank.balence", "view:1:6: error PSM201: unknown member of role Bank: `balence`"),
        ("Bank.balance +", "view:1:15: error PSM111"),
        ("", "error PSM111"),
        ("old(Bank.balance)", "error PSM310: `old` cannot stand in a property"),
        ("(" * 5000, "error PSM103"),
        ("1 / (Bank.balance - 3)", "error PSM606"),
    ],
    ids=lambda text: text[:20],
)
def test_wrong_view(view: str, message: str) -> None:
    done = lockstep("graph", "transfer.psm", "--view", view)
    assert done.code == 2
    assert message in done.err
    assert "Traceback" not in done.err


def test_values_cannot_break_the_drawing() -> None:
    done = lockstep("graph", "transfer.psm", "--view", 'Bank.balance # "]; <b>\\N</b> -> x [label="')
    assert done.code == 0
    assert render(done.out, "svg").count(b"<g ") > 3
    assert b"<b>" not in render(done.out, "svg")


@pytest.mark.parametrize("check", ["range", "capacity"])
def test_marks_agree_with_the_search(check: str) -> None:
    spec = load("overflow.psm")
    graph = spec.graph(check)
    marked = {name for names in violating_states(graph).values() for name in names}
    found = {p.name for p in spec.check(check).properties if p.verdict.value == "violated"}
    assert marked == found


@pytest.mark.parametrize("path", sorted((ROOT / "specs").glob("*/*.psm")), ids=lambda path: path.stem)
def test_marks_agree_with_the_search_on_specs(path: Path) -> None:
    """On the explored part of each spec, the marks name what the search found, where it looked at every state."""
    spec = load(path)
    for check in spec.checks[:2]:
        graph = spec.graph(check, limits=Limits(max_states=400))
        marked = {name for names in violating_states(graph).values() for name in names}
        judged = spec.check(check, limits=Limits(max_states=400))
        violated = {p.name for p in judged.properties if p.verdict.value == "violated" and p.kind.value != "step"}
        assert violated <= marked


def test_role_diagram() -> None:
    text = role_diagram_dot(load("transfer.psm").machine())
    assert "role_Client -> role_Bank [label=Pay class=message]" in text
    assert "role_Bank -> role_Client [label=Paid class=message]" in text
    several = role_diagram_dot(loads(COUNTER).machine())
    assert 'role_R [label="R\\n2 instances" class=role peripheries=2]' in several


def test_what_no_handler_takes_is_sent_to_all() -> None:
    paxos = role_diagram_dot(load(str(ROOT / "specs/consensus/paxos.psm")).machine())
    assert "role_Acceptor -> role_all" in paxos and "role_Leader -> role_all" not in paxos


def test_long_states_have_several_lines_and_may_name_only_what_has_changed() -> None:
    graph = load(str(ROOT / "specs/consensus/raft.psm")).graph("small", limits=Limits(max_states=40))
    whole, changed = state_graph_dot(graph), state_graph_dot(graph, changed=True)
    labels = re.findall(r's\d+ \[label="([^"]*)"', changed)
    assert max(len(line) for label in labels for line in label.split("\\n")) <= 2 * LONGEST
    first, second = labels[:2]
    assert "Server1: term=0" in first and "Server1" not in second and "Server0: term=1" in second
    assert re.findall(r's\d+ \[label="([^"]*)"', whole)[1].count("Server1: term=0") == 1
