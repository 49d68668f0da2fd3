"""Mutants: each is what it says, and somebody notices, or it is a survivor with a reason."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import ClassVar

import pytest

import checker
from checker.base.source import Source
from checker.conformance.adapter import Instance, Mistake
from checker.conformance.drive import Plan
from checker.conformance.modes import Mode
from checker.conformance.mutation.implementations import ImplementationDetectors, Place
from checker.conformance.mutation.matrix import Cell, Fate, Group, Matrix, Mutant, document_of
from checker.conformance.mutation.operators import SpecMutant, mutants_of
from checker.conformance.mutation.report import lines_of
from checker.conformance.mutation.score import Effort, kill_matrix
from checker.conformance.mutation.specs import SpecDetectors
from checker.conformance.mutation.traces import trace_mutants
from checker.engine.interface import Limits
from checker.lang.parser import parse
from checker.lang.printer import format_tree
from refimpl.adapters.raft import Raft
from refimpl.adapters.two_phase_commit import TwoPhaseCommit
from tests.conformance.test_two_phase_commit import SPEC, graph_of

QUORUM = """
spec Vote
const Q: 0..3 = 2
message Yes
network soup
role Voter[3] { action Say { send Yes to Counter } }
role Counter {
  durable votes: Set[Voter] = {}
  volatile rounds: 0..3 = 0
  durable done: bool = false
  on Yes from v when v not in votes and not done { votes += v  if enough { done := true  send Yes to Counter } }
  action Round when rounds < 3 { rounds += 1 }
  fun enough: bool = size(votes) >= Q
}
fun never: bool = size(Counter.votes) > 3
invariant Right: Counter.done => size(Counter.votes) >= Q
final: true
check small { expect holds Right }
"""


def mutants(text: str) -> list[tuple[str, str]]:
    return [(m.operator, m.text) for m in mutants_of(checker.loads(text).tree)]


def test_mutants_of_a_spec() -> None:
    assert mutants(QUORUM) == [
        ("durable to volatile", "Counter.votes is kept in memory alone"),
        ("durable to volatile", "Counter.done is kept in memory alone"),
        ("drop conjunct", "the guard of Counter.Yes lacks `v not in votes`"),
        ("drop conjunct", "the guard of Counter.Yes lacks `not done`"),
        ("delete update", "`votes` is not updated in Counter.Yes"),
        ("delete update", "`done` is not updated in Counter.Yes"),
        ("send before write", "Yes is sent before `done` is written in Counter.Yes"),
        ("drop conjunct", "the guard of Counter.Round lacks `rounds < 3`"),
        ("weaken comparison", "`rounds <= 3` in place of `rounds < 3` in Counter.Round"),
        ("delete update", "`rounds` is not updated in Counter.Round"),
        ("strengthen comparison", "`size(votes) > Q` in place of `size(votes) >= Q` in Counter.enough"),
        ("off by one", "`size(votes) >= Q - 1` in place of `size(votes) >= Q` in Counter.enough"),
    ]


def test_mutants_can_be_written_and_read() -> None:
    spec = checker.load(SPEC)
    found = list(mutants_of(spec.tree))
    texts = {format_tree(m.tree, spec.source) for m in found}
    assert len(texts) == len(found) == 26
    assert all(parse(Source("mutant", format_tree(m.tree, spec.source))) == m.tree for m in found)


def test_mutants_name_the_line_that_they_change() -> None:
    spec = checker.load(SPEC)
    for mutant in mutants_of(spec.tree):
        if mutant.operator == "drop conjunct":
            part = mutant.text.partition("`")[2].rstrip("`")
            line = spec.source.line(spec.source.place(mutant.offset).line)
            assert part in line
    assert Counter(m.operator for m in mutants_of(spec.tree)) == {
        "drop conjunct": 11,
        "delete update": 8,
        "send before write": 5,
        "durable to volatile": 2,
    }


@cache
def matrix_of_vote() -> Matrix:
    return kill_matrix(checker.loads(QUORUM), Effort(kinds=("spec",)))


def test_checks_notice_mutants_of_a_spec() -> None:
    (group,) = matrix_of_vote().groups
    fates = {m.text.partition(" in place of")[0]: m for m in group.mutants}
    small = fates["`size(votes) >= Q - 1`"]
    assert small.fate is Fate.KILLED
    assert small.cells["properties"].how == "Right not as expected"
    more = fates["`size(votes) > Q`"]
    assert not more.cells["properties"].killed
    assert more.cells["counts"].killed
    disk = fates["Counter.votes is kept in memory alone"]
    assert disk.fate is Fate.SURVIVED, "nothing crashes in this check"
    overflow = fates["`rounds <= 3`"]
    assert overflow.cells["properties"].how == "NoError not as expected"


@pytest.mark.slow
def test_implementation_notices_mutants_of_its_spec() -> None:
    effort = Effort(kinds=("spec",), modes=(Mode.REPLAY, Mode.PROBE))
    matrix = kill_matrix(checker.load(SPEC), effort, checks=("small",), adapter=TwoPhaseCommit)
    (group,) = matrix.groups
    assert group.detectors == ("properties", "counts", "replay", "probe")
    assert group.count(Fate.INVALID) == 0
    assert group.kills("replay") >= 14
    undone = next(m for m in group.mutants if m.text == "`log` is not updated in TM.Commit")
    assert undone.cells["replay"].killed
    assert undone.cells["replay"].how.startswith("TM.")
    assert {m.operator for m in group.survivors} <= {"send before write", "durable to volatile"}, "they need a crash"


def test_mistakes_of_an_implementation_are_killed() -> None:
    """What needs no crash is found in a check without crashes, by one of two modes; some of it by each of them alone."""
    effort = Effort(kinds=("implementation",), modes=(Mode.REPLAY, Mode.PROBE))
    (group,) = kill_matrix(checker.load(SPEC), effort, checks=("small",), adapter=TwoPhaseCommit).groups
    assert {m.name for m in group.survivors} == {
        "ForgetsItsDecision",
        "TellsBeforeItLogs",
        "VotesBeforeItLogs",
        "LosesItsLog",
    }, "in a check without crashes, what crashes show cannot be seen"
    assert group.kills("replay") == 6
    assert group.kills("probe") >= 4


class Hasty(TwoPhaseCommit):
    """With a mistake that only a crash shows, and one that a check without crashes does."""

    @classmethod
    def mistakes(cls) -> Mapping[str, Mistake]:
        return {name: TwoPhaseCommit.mistakes()[name] for name in ("VotesBeforeItLogs", "CommitsOnPaper")}


def test_a_mistake_says_what_is_wrong() -> None:
    """In its own words; where it has none, in those of its name."""
    place = Place(Instance("small"), checker.load(SPEC).machine("small"))
    detectors = ImplementationDetectors(Hasty, (place,), Plan(modes=(Mode.REPLAY,)))
    make = Hasty.mistakes()["CommitsOnPaper"]
    mutant = detectors.judged("CommitsOnPaper", make, lambda: 0.0)
    assert make.text and mutant.text == make.text
    silent = Mistake(make.make)
    assert detectors.judged("CommitsOnPaper", silent, lambda: 0.0).text == "commits on paper"
    matrix = Matrix("a.psm", "A", "", ("small",), (Group("implementation", ("replay",), (mutant,)),), 0)
    assert "? commits on paper" in "\n".join(lines_of(matrix)), "a sentence would be too long for a column"


def test_a_mistake_is_looked_for_in_the_cheapest_place_first() -> None:
    """In the only check with a small graph, then in the smaller instance of a large check; the rest would be explored."""
    effort = Effort(kinds=("implementation",), most_states=200, runs=5)
    matrix = kill_matrix(checker.load(SPEC), effort, adapter=Hasty)
    assert matrix.checks == ("small", "recovery (N = 1)", "three", "recovery", "blocking", "lost_log", "heuristic")
    (group,) = matrix.groups
    hasty, paper = group.mutants
    assert {cell.check for cell in paper.cells.values() if cell.killed} == {"small"}
    assert hasty.cells["replay"].killed and hasty.cells["replay"].check == "recovery (N = 1)"
    assert all(cell.check in ("", "recovery (N = 1)") for cell in hasty.cells.values())


def test_what_is_large_can_still_be_explored() -> None:
    place = Place(Instance("recovery"), checker.load(SPEC).machine("recovery"))
    detectors = ImplementationDetectors(Hasty, (place,), Plan(modes=(Mode.REPLAY, Mode.EXPLORE), runs=50))
    mutant = detectors.judged("CommitsOnPaper", Hasty.mistakes()["CommitsOnPaper"], lambda: 1.0)
    assert set(mutant.cells) == {"explore"} and mutant.fate is Fate.KILLED
    assert detectors.judged("CommitsOnPaper", Hasty.mistakes()["CommitsOnPaper"], lambda: 0.0).fate is Fate.NOT_RUN


class Told(TwoPhaseCommit):
    """With a mistake that tells of itself, one that does not, and one that changes nothing."""

    @classmethod
    def mistakes(cls) -> Mapping[str, Mistake]:
        class DoesNothing(TwoPhaseCommit):
            """Is the right one.

            So nobody can notice, unless
            somebody reads it.
            """

        known = TwoPhaseCommit.mistakes()["CommitsOnPaper"]
        return {
            "CommitsOnPaper": known,
            "WithoutWords": Mistake(known.make),
            "DoesNothing": Mistake.of(DoesNothing, DoesNothing),
        }


def test_what_is_told_of_mistakes() -> None:
    effort = Effort(kinds=("implementation",), modes=(Mode.REPLAY,))
    matrix = kill_matrix(checker.load(SPEC), effort, checks=("small",), adapter=Told)
    (group,) = matrix.groups
    paper, wordless, nothing = group.mutants
    assert paper.text == "Writes to its log that it committed, and does not tell the database."
    assert (wordless.text, wordless.reason) == ("without words", "")
    assert (nothing.text, nothing.reason) == ("Is the right one.", "So nobody can notice, unless somebody reads it.")
    assert group.survivors == (nothing,), "a reason is no kill"
    assert "  DoesNothing survives: So nobody can notice, unless somebody reads it." in lines_of(matrix)


def test_what_shows_in_a_scene_alone_is_looked_for_there_last() -> None:
    spec = checker.load(SPEC.parents[1] / "consensus/raft.psm")
    effort = Effort(kinds=("implementation",), modes=(Mode.REPLAY, Mode.PROBE), most_states=300)
    matrix = kill_matrix(spec, effort, adapter=OnlyCounts)
    assert matrix.checks[-len(Raft.scenes) :] == tuple(map(str, Raft.scenes))
    (mutant,) = matrix.groups[0].mutants
    assert {cell.check for cell in mutant.cells.values()} == {str(Raft.scenes[0])}


@pytest.mark.parametrize(
    ("broken", "how"),
    [
        ("the guard of Server.Vote lacks `t == term`", "Server0.Vote(1) <- Server1"),
        ("`mode` is not updated in Server.Lead", "the scene is not possible"),
    ],
)
def test_a_scene_notices_a_broken_spec(broken: str, how: str) -> None:
    """Either something else happens along it, or it cannot happen any more."""
    spec = checker.load(SPEC.parents[1] / "consensus/raft.psm")
    detectors = SpecDetectors(spec, (), Plan(modes=(Mode.REPLAY,)), Limits(), Raft, Raft.scenes)
    mutant = next(m for m in detectors.mutants() if m.text == broken)
    cell = detectors.judged(1, mutant, lambda: 1.0).cells["replay"]
    assert (cell.killed, cell.check, cell.how) == (True, str(Raft.scenes[0]), how)


def test_a_scene_says_nothing_of_a_right_spec() -> None:
    spec = checker.load(SPEC.parents[1] / "consensus/raft.psm")
    detectors = SpecDetectors(spec, (), Plan(modes=(Mode.REPLAY, Mode.PROBE)), Limits(), Raft, Raft.scenes)
    mutant = detectors.judged(1, SpecMutant(spec.tree, "by hand", "right", 0), lambda: 1.0)
    assert not any(cell.killed for cell in mutant.cells.values())


class OnlyCounts(Raft):
    """With one mistake, and no smaller instance than that with one entry."""

    smaller: ClassVar[tuple[Instance, ...]] = Raft.smaller[:1]

    @classmethod
    def mistakes(cls) -> Mapping[str, Mistake]:
        return {name: Raft.mistakes()[name] for name in ("CommitsByCounting",)}


@pytest.mark.slow
def test_every_mistake_is_killed_where_processes_crash() -> None:
    effort = Effort(kinds=("implementation",), modes=(Mode.REPLAY, Mode.EXPLORE))
    matrix = kill_matrix(checker.load(SPEC), effort, checks=("small", "recovery"), adapter=TwoPhaseCommit)
    (group,) = matrix.groups
    assert len(group.mutants) == 14
    assert group.score == 1


def test_mutants_of_traces() -> None:
    graphs = {"small": graph_of("small")}
    found = list(trace_mutants(TwoPhaseCommit, graphs, seed=2, each=3))
    assert Counter(m.operator for m in found) == {"drop": 3, "duplicate": 3, "swap": 3, "alter": 3}
    assert found == list(trace_mutants(TwoPhaseCommit, graphs, seed=2, each=3))
    (group,) = kill_matrix(
        checker.load(SPEC), Effort(kinds=("trace",), seed=2), checks=("small",), adapter=TwoPhaseCommit
    ).groups
    whole, _, steps = group.detectors
    altered = [m for m in group.mutants if m.operator == "alter"]
    assert all(m.cells[whole].killed for m in altered)
    assert not any(m.cells[steps].killed for m in altered), "what is not observed cannot be wrong"
    assert group.kills(whole) > group.kills(steps)


# ---- the matrix


def test_time_that_runs_out_is_no_kill() -> None:
    matrix = kill_matrix(checker.loads(QUORUM), Effort(kinds=("spec",), seconds=1e-9))
    (group,) = matrix.groups
    assert {m.fate for m in group.mutants} == {Fate.NOT_RUN}
    assert group.score is None
    assert not matrix.complete


def test_score_counts_what_was_looked_at() -> None:
    cells = {"a": Cell(True, 0.5, "c", "x")}
    group = Group(
        "spec",
        ("a",),
        (
            Mutant("S1", "o", "one", cells=cells),
            Mutant("S2", "o", "two", cells={"a": Cell(False, 1.0)}),
            Mutant("S3", "o", "three", problem="does not type"),
            Mutant("S4", "o", "four"),
        ),
    )
    assert [group.count(fate) for fate in Fate] == [1, 1, 1, 1]
    assert group.score == 0.5
    assert [m.name for m in group.survivors] == ["S2"]


def test_matrix_as_text_and_as_json() -> None:
    matrix = matrix_of_vote()
    text = "\n".join(lines_of(matrix))
    assert "! line 8: Counter.votes is kept in memory alone" in text
    (group,) = matrix.groups
    killed = group.count(Fate.KILLED)
    assert f"{killed} of {killed + group.count(Fate.SURVIVED)} killed" in text
    document = json.loads(json.dumps(document_of(matrix)))
    assert document["groups"][0]["killed"] == killed
    reference = (Path(__file__).resolve().parents[2] / "docs/reference/json.md").read_text()
    for keys in (document, document["groups"][0], document["groups"][0]["mutants"][0]):
        assert all(f"`{key}`" in reference for key in keys)
    assert all(f"`{key}`" in reference for key in document["groups"][0]["mutants"][0]["cells"]["counts"])
