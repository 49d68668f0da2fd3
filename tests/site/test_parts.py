"""Parts of pages: notes beside code, implementations, drawings, measurements, and commands that the build runs."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import checker
from checker.site.annotated import annotated_html, pieces
from checker.site.benchmarks import benchmarks_html, read_results
from checker.site.charts import Dot, dot_plot
from checker.site.conformance import conformance_section
from checker.site.conforming import MOST_STATES, adapters, conform, kills, surroundings
from checker.site.console import console_html, read_commands, run_command
from checker.site.drawings import MOST_MOVED, MOST_NEAR, MOST_NODES, draw
from checker.site.facts import Conformance, Kills, Replayed, SpecFacts
from checker.site.graphs import states_section
from checker.site.killing import read_matrices
from checker.site.levels import levels_of
from checker.site.publish import Project, publish
from checker.site.running import run_check
from checker.site.words import Words

ROOT = Path(__file__).resolve().parents[2]

# ---- notes beside the code


def test_every_line_of_code_stands_once_and_in_order(relay: SpecFacts, hostile: SpecFacts) -> None:
    for spec in (relay, hostile):
        shown = [int(n) for n in re.findall(r'id="L(\d+)"', annotated_html(spec))]
        lines = spec.text.rstrip().split("\n")
        assert shown == sorted(set(shown))
        code = [n for n, line in enumerate(lines, 1) if line.strip() and not line.strip().startswith("///")]
        assert set(code) <= set(shown)


def test_notes_are_doc_comments_and_facts(relay: SpecFacts) -> None:
    rows = annotated_html(relay).split('<div class="ls-row">')
    sink = next(row for row in rows if "Takes what comes." in row)
    assert "<p>Takes what comes.</p>" in sink and ">Sink</span>" in sink
    assert "survives a crash" in annotated_html(relay)
    times = relay.checks[0].result.coverage.steps["Sink.Go"]
    assert re.search(rf"taken {max(times, *(c.result.coverage.steps['Sink.Go'] for c in relay.checks))} times", sink)


def test_what_is_linearizable_has_notes_like_other_properties() -> None:
    path = "specs/consistency/stale_read.psm"
    text = (ROOT / path).read_text(encoding="utf-8")
    facts = run_check(path, text, "late", str((ROOT / path).parent), explorer=False)
    rows = annotated_html(SpecFacts(path, text, (facts,))).split('<div class="ls-row">')
    (row,) = (row for row in rows if "<code>linearizable</code>: one order of the operations" in row)
    assert 'fails in <a href="#trace-late.Register"><code>late</code></a>' in row


def test_pieces_end_where_a_declaration_ends() -> None:
    text = (
        "/// Lead.\nspec A\n\nconst N: 1..2 = 1\nconst M: 1..2 = 1\n\n"
        "/// Doc.\nrole R {\n  durable x: 0..1 = 0\n\n  /// In.\n  action Go { x := 1 }\n}\n"
    )
    found = [(p.doc, p.first, p.last) for p in pieces(text)]
    assert found == [((), 2, 2), ((), 4, 5), (("Doc.",), 8, 9), (("In.",), 12, 13)]


# ---- implementations


def test_an_implementation_is_found_and_followed() -> None:
    path = "specs/transactions/two_phase_commit.psm"
    (module,) = adapters(path)
    spec = checker.load(ROOT / path)
    text = spec.source.text
    small = (
        text[: text.index("check three")] + text[text.index("check lost_log") : text.index("/// One database does not")]
    )
    found = conform(checker.loads(small, library=spec.library), module)
    assert [(c.check, c.outcome, c.taken, c.total, c.left_out) for c in found.checks if "(" not in c.check] == [
        ("small", "conforms", 662, 662, 0),
        ("lost_log", "conforms", 2155, 2155, 0),
    ]
    assert found.checks[0].tried > 1_000
    assert found.unsupported == ()


def two_phase_commit(checks: str) -> checker.LoadedSpec:
    """The spec with other checks."""
    spec = checker.load(ROOT / "specs/transactions/two_phase_commit.psm")
    text = spec.source.text
    return checker.loads(text[: text.index("check small")] + checks, library=spec.library)


COMMITMENT = "refimpl.adapters.two_phase_commit"


def test_of_a_large_check_there_is_a_sample_and_a_smaller_instance() -> None:
    spec = two_phase_commit(
        f"check recovery {{ N = 3  faults crash TM <= 1  expect states {MOST_STATES + 1} transitions 99999 }}\n"
    )
    large, smaller = conform(spec, COMMITMENT).checks
    assert (large.check, large.outcome, large.total) == ("recovery", "sampled", 99_999)
    assert 50 < large.taken < large.steps
    assert (smaller.check, smaller.outcome) == ("recovery (N = 1)", "conforms")
    assert smaller.taken == smaller.total > 0


def test_the_build_puts_mistakes_in() -> None:
    found = kills(two_phase_commit("check recovery { N = 1  faults crash RM <= 1 }\n"), COMMITMENT)
    assert found.built and found.document is not None and found.document["complete"]
    (group,) = found.document["groups"]
    assert group["detectors"] == ["replay", "probe", "explore"]
    assert "VotesBeforeItLogs" in {mutant["name"] for mutant in group["mutants"] if mutant["fate"] == "killed"}


def test_what_is_missing_is_said_and_nothing_is_run(relay: SpecFacts, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGHOST", "127.0.0.1")
    monkeypatch.setenv("PGPORT", "1")
    outbox = "refimpl.adapters.outbox"
    absent = surroundings(outbox)
    assert absent == "no PostgreSQL answers where PGHOST and the other variables say"
    assert surroundings(COMMITMENT) == "" and "No module" in surroundings("refimpl.adapters.nothing")
    spec = checker.load(ROOT / "specs/transactions/outbox.psm")
    held = conform(spec, outbox, absent)
    assert held.checks == () and kills(spec, outbox, absent).document is None
    assert f"when this site was built: {absent}" in conformance_section(replace(relay, conformance=(held,)))


@pytest.mark.parametrize(
    "path", ["specs/locks/nothing.psm", "specs/../../etc/passwd", "specs/a/*.psm", "specs/a/__init__.psm"]
)
def test_no_implementation_is_made_up(path: str) -> None:
    assert adapters(path) == ()


def test_the_section_says_what_there_is(relay: SpecFacts) -> None:
    assert "No implementation is held to this spec yet" in conformance_section(relay)
    held = Conformance("refimpl.x", (Replayed("<b>", "mismatch", 5, 10, 2, 1, 5, 1, 2, 3, "a\n<script>"),), ("A.B",))
    shown = conformance_section(replace(relay, conformance=(held,)))
    assert "5 of 10 (50 %)" in shown and "2 left out" in shown and "a\n&lt;script&gt;" in shown
    assert "<b>" not in shown and "<script" not in shown


def test_scenes_are_shown_with_what_happens_in_them(relay: SpecFacts) -> None:
    paxos = checker.load(ROOT / "specs/consensus/paxos.psm")
    text = paxos.source.text
    one_ballot = "check safe { BALLOTS = 1 }\ncheck reboot { BALLOTS = 1  A = 1 }\n"
    few = checker.loads(text[: text.index("check safe")] + one_ballot, library=paxos.library)
    found = conform(few, "refimpl.adapters.paxos")
    *checks, scene = found.checks
    assert {check.outcome for check in checks} == {"conforms"} and not any(check.scene for check in checks)
    assert (scene.check, scene.outcome, scene.why) == ("safe (BALLOTS = 3)", "conforms", ""), "and nothing is missing"
    assert scene.taken == scene.total > 0 and scene.tried > 0
    assert "scene: the higher vote is heard of first" in conformance_section(replace(relay, conformance=(found,)))


MATRIX = {
    "version": 1,
    "path": "specs/toys/relay.psm",
    "complete": False,
    "checks": ["small", "<small>"],
    "groups": [
        {
            "kind": "implementation",
            "detectors": ["replay", "<probe>"],
            "killed": 1,
            "survived": 2,
            "mutants": [
                {"name": "forgets", "text": "<i>", "line": None, "fate": "killed", "problem": None, "cells": {
                    "replay": {"killed": True, "decided": True, "seconds": 0.5, "check": "small",
                               "how": "<b>state</b>"},
                    "<probe>": {"killed": False, "decided": True, "seconds": 0.5, "how": None}}},
                {"name": "late", "text": "x", "line": 3, "fate": "survived", "problem": "p", "cells": {}},
                {"name": "early", "text": "Comes `early`.", "line": None, "fate": "survived", "problem": None,
                 "reason": "Nobody <i>waits</i>; `tests/x.py::test_y` does.", "cells": {}},
            ],
        }
    ],
}  # fmt: skip


def test_a_kill_matrix_is_shown(relay: SpecFacts, tmp_path: Path) -> None:
    (tmp_path / "relay.json").write_text(json.dumps(MATRIX))
    found = read_matrices(tmp_path)
    shown = conformance_section(replace(relay, kills=Kills(found[relay.path], built=False)))
    assert "1 of 3 noticed" in shown and "✓ 0.50 s" in shown and 'href="#L3"' in shown
    assert "ended before all" in shown
    assert "small: &lt;b&gt;state" in shown and "lockstep mutate" in shown
    assert not re.search("<b>|<i>|<probe>|<small>", shown)
    assert "Comes <code>early</code>." in shown
    assert "Nobody &lt;i&gt;waits&lt;/i&gt;; <code>tests/x.py::test_y</code> does." in shown
    assert shown.count("Nobody has said why.") == 1, "of the survivor without a reason"
    chinese = replace(relay, kills=Kills(found[relay.path], built=False), words=Words("zh", {"x": "未知"}))
    shown = conformance_section(chinese)
    assert ">未知<" in shown and '<span lang="en">Comes <code>early</code>.</span>' in shown
    (tmp_path / "other.json").write_text('{"version": 7}')
    with pytest.raises(ValueError, match=r"other\.json is no kill matrix"):
        read_matrices(tmp_path)


# ---- graphs


def counting(states: int, width: int = 0) -> checker.LoadedSpec:
    """A spec with so many states in a row, or 2 to the power of `width` times as many."""
    flags = "".join(f"  durable f{i}: 0..1 = 0\n  action F{i} when f{i} == 0 {{ f{i} := 1 }}\n" for i in range(width))
    last = states - 1
    role = f"role R {{\n  durable n: 0..{last} = 0\n  action Go when n < {last} {{ n += 1 }}\n{flags}}}\n"
    return checker.loads(f"spec C\n{role}final: true\ncheck c {{ }}\n")


def test_a_small_graph_is_drawn_whole() -> None:
    figures = draw(counting(MOST_NODES))
    assert figures.graph is not None and figures.graph.nodes == MOST_NODES and figures.near is None


def test_a_graph_of_few_states_is_all_there_is_and_not_too_large() -> None:
    figures = draw(counting(2))
    assert figures.graph is not None and figures.graph.nodes == 2 and figures.near is None


def test_a_larger_one_is_moved(relay: SpecFacts) -> None:
    figures = draw(counting(MOST_NODES + 20))
    assert figures.graph is not None and MOST_NODES < figures.graph.nodes <= MOST_MOVED
    section = states_section(replace(relay, figures=figures))
    assert "ls-movable" in section and f"All {MOST_NODES + 20} states" in section
    ids = re.findall(r'<g id="([^"]*)"', section)
    assert "graph-s0" in ids and len(ids) == len(set(ids)) >= MOST_NODES + 20


def test_of_what_is_too_large_the_surroundings_are_drawn(relay: SpecFacts) -> None:
    figures = draw(counting(50, 8))
    assert figures.graph is None and figures.quotient is None and figures.near is not None
    assert figures.near.nodes <= MOST_NEAR and (figures.near.steps or 0) >= 1
    assert "too large to be drawn" in states_section(replace(relay, figures=figures))


@pytest.mark.parametrize("spec", [counting(30), counting(200, 5)], ids=["interpreter", "native"])
def test_levels_add_up_to_all_states(spec: checker.LoadedSpec) -> None:
    states = spec.check("c").states
    levels = levels_of(spec, "c", states)
    assert sum(levels) == states and levels[0] == 1
    assert levels_of(spec, "c", states + 1) == ()


# ---- commands


def test_a_command_is_run_in_a_folder_of_its_own() -> None:
    printed = run_command("x", "lockstep check a.psm", "a.psm", counting(3).source.text)
    assert printed.code == 0 and "3 states" in printed.text
    assert "$</span> <strong>lockstep check a.psm</strong>" in console_html(printed)
    wrong = run_command("x", "lockstep check b.psm")
    assert wrong.code == 2 and "/tmp" not in wrong.text


def test_output_is_escaped() -> None:
    printed = run_command("x", "lockstep check '<img src=x>.psm'")
    assert "<img" not in console_html(printed)


def test_lists_of_commands_are_checked(tmp_path: Path) -> None:
    assert read_commands(tmp_path) == ()
    listed = tmp_path / "commands.toml"
    listed.write_text('[[run]]\nname = "x"\ncommand = "rm -r /"\n')
    with pytest.raises(ValueError, match="none of lockstep, pytest"):
        read_commands(tmp_path)
    (tmp_path / "a.psm").write_text("spec A")
    listed.write_text(
        '[[run]]\nname="x"\ncommand="lockstep"\nfiles={"a.psm"="a.psm"}\nchange={"a.psm"=["spec B", "x"]}\n'
    )
    with pytest.raises(ValueError, match="changes what is not in"):
        read_commands(tmp_path)


@pytest.mark.slow
def test_the_tutorial_ends_with_a_program_that_conforms_and_one_that_does_not() -> None:
    commands = {c.name: c for c in read_commands(ROOT / "docs" / "tutorial")}
    for name, code, said in (
        ("test", 0, "conforms: 7 of 7 transitions"),
        ("test-wrong", 1, "leaves the spec in step 3"),
    ):
        files = [text for pair in commands[name].files.items() for text in pair]
        printed = run_command(name, commands[name].command, *files)
        assert (printed.code, said in printed.text) == (code, True), printed.text


# ---- measurements

SPREAD = {"median": 2e6, "least": 1e6, "greatest": 3e6}


def document(**more: object) -> dict[str, Any]:
    one = {
        "model": "<two>", "warm": False, "peer": "native", "absent": None, "states": 10, "transitions": 20,
        "transitions_a_second": SPREAD, "verdict_seconds": {"median": 1.0, "least": 1.0, "greatest": 2.0},
        "bytes_a_state": {"median": 800.0, "least": 800.0, "greatest": 800.0}, "ratio": 1.5, "wrong": [],
    }  # fmt: skip
    gone = {**one, "peer": "TLC", "absent": "not <installed>"}
    machine = {"processor": "P & Q", "processors": 2, "memory_gib": 4, "system": "Linux", "python": "3.11"}
    return {"version": 1, "runs": 3, "machine": machine, "yardstick": "Spin", "results": [one, gone], **more}


def test_measurements_are_shown_as_they_are() -> None:
    shown = benchmarks_html(document(), address="results.json")
    assert "2.00 M" in shown and "1.00 M – 3.00 M" in shown and ">1.50<" in shown and "P &amp; Q" in shown
    assert "<two>" not in shown and "TLC</code>: not &lt;installed&gt;" in shown and 'href="results.json"' in shown
    assert "Bytes" in shown and ">800<" not in shown, "of a small graph, it says nothing"


def test_what_else_was_measured_is_shown() -> None:
    compiled = {"spec": "a.psm", "check": "c", "first_state_seconds": SPREAD, "optimised_seconds": SPREAD}
    soon, kept = ({"median": n, "least": n, "greatest": n} for n in (0.064, 1.0031))
    prompt = {"spec": "<b>.psm", "n": 11, "workers": 1, "interrupt_seconds": soon, "report_seconds": soon}
    prompt |= {"time_ratio": kept, "memory_ratio": kept}
    one, gone = document()["results"]
    workers = {**one, "states": 200_000, "peer": "native, 2 workers", "one_worker": "native", "one_worker_ratio": 1.75}
    workers |= {"one_processor": "native, one processor", "one_processor_ratio": 1.875}
    workers |= {"apart": "native, 2 processes", "apart_ratio": 1.125}
    apart = {**one, "states": 200_000, "peer": "native, 2 processes"}
    shown = benchmarks_html(
        document(
            results=[workers, apart, one, gone, {**gone, "peer": "Spin", "absent": "no model of it"}],
            compilation=compiled,
            promptness=[prompt],
            limits_ns={"dependent": 98.4},
            day="2026-01-31",
            versions={"Spin": "6.5", "gcc": "<12>"},
            runs=1,
        )
    )
    assert (
        "<code>native, 2 workers</code> is so many times as fast as <code>native</code>: 1.75 on "
        "<code>&lt;two&gt;</code>." in shown
    )
    assert "times as fast as <code>native, one processor</code>: 1.88 on <code>&lt;two&gt;</code>." in shown
    assert "times as fast as <code>native, 2 processes</code>: 1.12 on <code>&lt;two&gt;</code>." in shown
    assert "native, 2 workers: 2 M" in shown and "native, 2 processes: 2 M" not in shown, "not in a chart"
    assert ">800<" in shown
    assert "&lt;b&gt;.psm</code> with N = 11, one worker: Ctrl-C is answered after 64 ms, progress is told" in shown
    assert "ends at 1.003 of a limit on time and 1.003 of a limit on memory." in shown
    assert "<code>a.psm</code>" in shown and "98.4 ns for dependent loads" in shown
    assert "Measured on 2026-01-31" in shown and "With Spin 6.5 and gcc &lt;12&gt;." in shown
    assert "a single run, which says little" in shown and "no model" not in shown


def test_a_model_is_named_once_for_all_its_peers() -> None:
    one, _ = document()["results"]
    peers = ("python", "native", "native, 2 workers", "Spin")
    first = [{**one, "model": "small", "peer": peer} for peer in (peers[0], peers[3])]
    second = [{**one, "model": "large", "peer": peer, "warm": True} for peer in peers]
    shown = benchmarks_html(document(results=[*first, *second]))
    assert shown.count("<code>small</code>") == shown.count("<code>large</code>") == 1
    assert '<code>large</code> <span class="ls-small">10 states, 20 transitions, warm cache</span>' in shown
    assert shown.count("warm cache") == 1
    legend = [shown.rindex(f">{peer}</text>") for peer in peers]
    assert legend == sorted(legend), "kin stand together, in the order of the model that most have"
    assert "\n\n## Time to the answer: less is better\n\n" in shown, "a heading of the page"
    assert "Memory" not in shown, "of small graphs alone, there is no chart"


def test_measurements_of_this_machine_come_first(relay: SpecFacts, tmp_path: Path) -> None:
    project = Project(tmp_path)
    for path, day in ((project.benchmarks, "2026-01-01"), (project.measured, "2026-02-02")):
        path.parent.mkdir(parents=True)
        path.write_text(json.dumps(document(day=day)))
        (project.specs / "toys").mkdir(parents=True, exist_ok=True)
        (project.specs / "toys" / "relay.psm").write_text(relay.text)
        publish(project)
        shown = (project.pages() / "benchmarks.html").read_text()
        assert day in shown and ("results.json" in shown) == (path == project.benchmarks)


def test_without_measurements_the_page_says_so(tmp_path: Path) -> None:
    assert read_results(tmp_path / "no.json") is None
    assert "make bench" in benchmarks_html(None)
    old = tmp_path / "old.json"
    old.write_text(json.dumps(document(version=9)))
    with pytest.raises(ValueError, match="version 1"):
        read_results(old)


def test_a_chart_has_a_dot_for_each_figure_on_a_scale_of_powers() -> None:
    rows = [
        ("<one>", [Dot("a", 100.0, 90.0, 120.0), Dot("b", 1000.0, 1000.0, 1000.0)]),
        ("two", [Dot("a", 1.0, 1.0, 1.0)]),
    ]
    drawn = dot_plot(rows, ("c", "a", "b"), title="Speed", unit="steps & more", show=lambda n: f"{n:g}")
    assert drawn.count("<title>") == 3 and "<title>&lt;one&gt;, b: 1000</title>" in drawn
    assert [drawn.count(f">{power}<") for power in (1, 10, 100, 1000)] == [1, 1, 1, 1]
    assert "steps &amp; more" in drawn and "<one>" not in drawn and 'aria-hidden="true"' in drawn
    assert drawn.count("<rect") == 3 and "<circle" not in drawn, "the sign of a series is the same in all charts"
    assert dot_plot([("none", [])], (), title="x", unit="y", show=str) == ""
