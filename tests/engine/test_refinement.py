"""Refinement: verdicts and shortest counterexamples, held against a search by hand over random tables of steps."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from random import Random

import pytest

import checker
from checker.base.diagnostics import SpecError
from checker.engine import refinement
from checker.engine.interface import Engine, Limits
from checker.engine.search import Interpreter
from checker.lang.library import Library, file_name
from checker.native import jit
from checker.native.checkpoint import identity
from checker.native.code.module import plan
from checker.native.engine import NativeEngine
from checker.properties.kinds import AbstractStep, PropertyResult, Verdict
from checker.properties.safety import judge

ROOT = Path(__file__).resolve().parents[2]
ENGINES: list[Engine] = [Interpreter()]
if jit.unavailable() is None:
    ENGINES += [NativeEngine(level=0), NativeEngine(2, level=0)]

LIGHT = """spec Light
shared durable lit: bool = false
role Lamp { action Switch when not lit { lit := true } }
"""

SWITCH = """spec C
role R { durable n: 0..1 = 0  action Up when n == 0 { n := 1 } }
refines Light { lit = R.n == 1 }
final: true
"""


def refined(text: str, name: str, engines: list[Engine] = ENGINES, **others: str) -> PropertyResult:
    """What engines say of a refinement in the first check of a spec. Abstract specs are given by their names."""
    machine = checker.loads(text, library=Library(texts=others)).machine()
    found = [judge(machine, engine.explore(machine, Limits())).property(name) for engine in engines]
    assert all(f == found[0] for f in found)
    return found[0]


# ---- random tables


@dataclass(frozen=True, slots=True)
class Table:
    """A machine with one number: where it may begin, and its steps."""

    size: int
    initial: tuple[int, ...]
    steps: tuple[tuple[int, int], ...]

    def text(self, name: str, more: str = "") -> str:
        actions = "".join(f"  action S{i} when n == {a} {{ n := {b} }}\n" for i, (a, b) in enumerate(self.steps))
        begin = ", ".join(map(str, self.initial))
        return f"spec {name}\nshared durable n: 0..{self.size - 1} = any {{{begin}}}\nrole R {{\n{actions}}}\n{more}"


def table(random: Random, size: int, steps: int) -> Table:
    edges = [(random.randrange(size), random.randrange(size)) for _ in range(steps)]
    initial = sorted(random.sample(range(size), random.choice([1, 1, 2])))
    return Table(size, tuple(initial), tuple(dict.fromkeys(edges)))


def first_violation(concrete: Table, abstract: Table, image: Mapping[int, int]) -> int | None:
    """The steps of a shortest counterexample, by hand; None where there is none."""
    if any(image[s] not in abstract.initial for s in concrete.initial):
        return 0
    depth, level, seen = 0, set(concrete.initial), set(concrete.initial)
    while level:
        depth += 1
        edges = [(a, b) for a, b in concrete.steps if a in level]
        if any(image[a] != image[b] and (image[a], image[b]) not in abstract.steps for a, b in edges):
            return depth
        level = {b for _, b in edges} - seen
        seen |= level
    return None


def cases(seeds: range) -> Iterator[tuple[str, str, int | None]]:
    """A concrete and an abstract spec, and the length of the counterexample."""
    for seed in seeds:
        random = Random(seed)
        abstract = table(random, 4, random.randrange(6, 14))
        concrete = table(random, 7, random.randrange(5, 14))
        image = {s: random.choice([0, 0, 1, 2, 3]) for s in range(7)}
        if random.random() < 0.7:  # begin where the abstract one begins, or too little else would be tried
            image |= dict.fromkeys(concrete.initial, abstract.initial[0])
        mapping = "".join(f"if n == {s} then {v} else " for s, v in image.items()) + "0"
        more = f"refines Abstract {{ n = {mapping} }}\nfinal: true\n"
        yield concrete.text("Concrete", more), abstract.text("Abstract"), first_violation(concrete, abstract, image)


def examine(seeds: range, engines: list[Engine]) -> list[int | None]:
    lengths = []
    for concrete, abstract, wanted in cases(seeds):
        found = refined(concrete, "Abstract", engines, Abstract=abstract)
        length = None if found.trace is None else len(found.trace.steps)
        assert (found.verdict is Verdict.HOLDS, length) == (wanted is None, wanted), concrete + abstract
        lengths.append(wanted)
    return lengths


def test_random_tables_are_judged_as_by_hand() -> None:
    lengths = examine(range(150), ENGINES[:1])
    assert lengths.count(None) > 20 and lengths.count(0) > 10 and sum(n is not None and n > 1 for n in lengths) > 10
    assert len(set(examine(range(8), ENGINES))) > 2


@pytest.mark.slow
@pytest.mark.parametrize("block", range(10))
def test_many_random_tables_are_judged_as_by_hand(block: int) -> None:
    examine(range(1000 + 100 * block, 1100 + 100 * block), ENGINES)


# ---- the library


@pytest.mark.parametrize(
    ("path", "check", "name", "length"),
    [
        ("consensus/paxos.psm", "quorum", "Consensus", 10),
        ("transactions/two_phase.psm", "four", "AtomicCommit", None),
        ("transactions/two_phase_commit.psm", "lost_log", "AtomicCommit", 10),
        ("transactions/two_phase_commit.psm", "heuristic", "AtomicCommit", 8),
        ("transactions/two_phase_commit.psm", "recovery", "AtomicCommit", None),
    ],
)
def test_specs_of_the_library(path: str, check: str, name: str, length: int | None) -> None:
    machine = checker.load(ROOT / "specs" / path).machine(check)
    found = judge(machine, ENGINES[-2 if len(ENGINES) > 1 else 0].explore(machine, Limits())).property(name)
    assert found.met is True
    assert (None if found.trace is None else len(found.trace.steps)) == length


def test_a_counterexample_has_both_levels() -> None:
    found = checker.load(ROOT / "specs/transactions/two_phase_commit.psm").check("lost_log").property("AtomicCommit")
    assert found.trace is not None and found.trace.abstract is not None
    above = found.trace.abstract
    assert above.initial == {"state": {"RM0": "working", "RM1": "working"}} and above.matched
    assert [s.step for s in above.steps] == [
        None, "RM0.Prepare()", "RM1.Prepare()", None, None, None, "RM0.Commit()", None, None, None,
    ]  # fmt: skip
    assert [s.matched for s in above.steps] == [True] * 9 + [False]
    assert above.steps[-1] == AbstractStep(None, {"state": {"RM0": "committed", "RM1": "aborted"}}, matched=False)
    assert all(not s.changes for s in above.steps if s.step is None and s.matched)


# ---- what corresponds


def test_processes_have_other_numbers_here() -> None:
    abstract = """spec Lock
role Node[2] { durable holds: bool = false  durable next: Node? = none
  action Take when owner == none { owner := self  holds := true  next := self }
  action Give when owner == self and size(seen) < 2 { seen += [self]  owner := none  holds := false } }
shared durable owner: Node? = none
shared durable seen: Seq[Node, 2] = []
"""
    concrete = """spec Server
role Other[3] { durable x: bool = false }
role Node[2] {
  action Take when mine == {} { mine += self  last := self }
  action Give when self in mine and size(seen) < 2 { seen += [self]  mine := {} }
  fault Steal when mine != {} and self not in mine { mine := {self} } }
shared durable mine: Set[Node] = {}
shared durable seen: Seq[Node, 2] = []
shared durable last: Node? = none
refines Lock {
  owner = if exists n in Node: n in mine then (if at(Node, 0) in mine then at(Node, 0) else at(Node, 1)) else none
  seen = seen
  Node.holds = {n in Node: n in mine}
  Node.next = {n in Node: if last == n or n in mine or (exists i in 0 .. size(seen) - 1: seen[i] == n) then n else none}
}
final: true
check fine { expect holds Lock }
check theft { faults Node.Steal <= 1  expect fails Lock }
"""
    spec = checker.loads(concrete, library=Library(texts={"Lock": abstract}))
    for engine in ENGINES:
        machine = spec.machine("fine")
        assert judge(machine, engine.explore(machine, Limits())).property("Lock").verdict is Verdict.HOLDS
        machine = spec.machine("theft")
        found = judge(machine, engine.explore(machine, Limits())).property("Lock")
        assert found.trace is not None and found.trace.abstract is not None
        assert [s.step for s in found.trace.abstract.steps] == ["Node0.Take()", None]
        assert found.trace.abstract.steps[-1].changes == {
            "owner": "Node1", "Node0.holds": False, "Node1.holds": True, "Node1.next": "Node1",
        }  # fmt: skip


def test_a_violation_where_everything_begins() -> None:
    text = """spec Bright
shared durable lit: bool = any {false, true}
role R { action Off when lit { lit := false } }
refines Light { lit = lit }
final: true
"""
    found = refined(text, "Light", Light=LIGHT)
    assert found.verdict is Verdict.VIOLATED and found.trace is not None and found.trace.abstract is not None
    assert (len(found.trace.steps), found.trace.abstract.matched) == (0, False)
    assert found.trace.initial["lit"] is True


def test_a_mapping_that_cannot_be_evaluated() -> None:
    text = """spec Half
shared durable n: 0..3 = {}
role R {{ action Up when n < 3 {{ n += 1 }} }}
refines Count {{ m = 6 / (n - {}) }}
final: true
"""
    count = "spec Count\nshared durable m: 0..9 = 9\nrole R { action Any(k: 0..9) { m := k } }\n"
    found = refined(text.format(0, 2).replace("m = ", "m = 12 + "), "Count", Count=count)
    assert (found.verdict, found.diagnostic and found.diagnostic.code) == (Verdict.ERROR, "PSM606")
    found = refined(text.format(2, 2), "Count", Count=count)
    assert found.verdict is Verdict.ERROR and found.trace is not None and found.trace.steps == ()
    found = refined(text.format(0, 9), "Count", Count=count)
    assert (found.verdict, found.diagnostic and found.diagnostic.code) == (Verdict.ERROR, "PSM601")


# ---- what is not judged


def test_what_is_not_judged_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    text = SWITCH
    assert refined(text, "Light", Light=LIGHT).verdict is Verdict.HOLDS
    unlisted = refined(text + "check c { }", "Light", Light=LIGHT)
    assert (unlisted.verdict, unlisted.reason) == (Verdict.INCOMPLETE, "judged where a check expects something of it")
    alone = checker.loads(text + "check c { expect holds Light }").check()
    assert alone.verdict is checker.CheckVerdict.INCOMPLETE
    assert "not read from a file" in (alone.property("Light").reason or "")
    monkeypatch.setattr(refinement, "MAX_STATES", 1)
    large = refined(text, "Light", Light=LIGHT)
    assert (large.verdict, large.reason) == (
        Verdict.INCOMPLETE, "Light has more than 1 states here, too many to list them",
    )  # fmt: skip
    monkeypatch.setattr(refinement, "MAX_STATES", 9)
    monkeypatch.setattr(refinement, "MAX_EDGES", 2)
    assert "more than 2 steps" in (refined(text, "Light", Light=LIGHT).reason or "")


def refused(text: str, **others: str) -> list[tuple[str, str]]:
    with pytest.raises(SpecError) as caught:
        checker.loads(text, library=Library(texts=others)).machine()
    return [(d.code, d.message) for d in caught.value.diagnostics]


def test_what_does_not_correspond_is_refused() -> None:
    head = "spec C\nid Key[2] symmetric\nenum Mood { calm, angry }\nrecord P(x: 0..1)\nshared durable n: 0..3 = 0\n"
    role = "role R[2] { action Up when n < 3 { n += 1 } }\n"

    def against(declared: str, mapping: str) -> list[tuple[str, str]]:
        return refused(f"{head}{role}refines A {{ {mapping} }}\n", A=f"spec A\n{declared}")

    key, mood = "shared durable k: Key? = none", "shared durable m: Mood = calm"
    assert against(f"id Key[2]\n{key}", "k = none") == [("PSM412", "Key is symmetric here, and not in A")]
    assert against(f"id Key[3] symmetric\n{key}", "k = none") == [("PSM412", "Key has 2 here and 3 in A")]
    assert against(f"enum Mood {{ angry, calm }}\n{mood}", "m = calm")[0][0] == "PSM412"
    assert against("record P(x: 0..2)\nshared durable p: P? = none", "p = none")[0][0] == "PSM412"
    assert against("id Other[2]\nshared durable k: Other? = none", "k = none")[0] == (
        "PSM412", "there is no id type Other here, as in A",
    )  # fmt: skip
    assert against("role R[3] { durable x: bool = false }", "R.x = false")[0][0] == "PSM412"
    assert against("role R[2] { durable x: bool = false }", "x = false")[0] == ("PSM412", "A has no variable `x`")
    assert against("shared durable x: bool = false", "x = true x = false")[0] == ("PSM412", "`x` is mapped twice")
    assert against("role R[2] { action Up { } }\nconst N: 0..1 = 2", "")[0][0] == "PSM501"
    assert refused(f"{head}{role}refines A {{ }}", A="spec B")[0][0] == "PSM413"
    assert refused(f"{head}{role}refines A {{ }}", A="spec A\nmessage M\nnetwork soup")[0][0] == "PSM413"
    erring = "spec A\nshared durable x: 0..1 = 0\nrole R { action Up { x += 1 } }"
    assert refused(f"{head}{role}refines A {{ x = 0 }}", A=erring)[0][0] == "PSM413"


def test_constants_of_equal_names_have_the_value_of_the_concrete_spec() -> None:
    count = (
        "spec Count\nconst TOP: 1..9 = 1\nshared durable m: 0..TOP = 0\nrole R { action Up when m < TOP { m += 1 } }\n"
    )
    text = "spec C\nconst TOP: 1..5 = 3\nrole R { durable n: 0..TOP = 0  action Up when n < TOP { n += 1 } }\n"
    assert refined(f"{text}refines Count {{ m = R.n }}\nfinal: true", "Count", Count=count).verdict is Verdict.HOLDS


# ---- files


def test_where_an_abstract_spec_is_looked_for(tmp_path: Path) -> None:
    text = SWITCH
    family = tmp_path / "specs" / "family"
    family.mkdir(parents=True)
    (family / "c.psm").write_text(text)
    with pytest.raises(SpecError) as caught:
        checker.load(family / "c.psm").machine()
    (problem,) = caught.value.diagnostics
    assert (problem.code, len(problem.notes), problem.span is not None) == ("PSM411", 3, True)
    for folder in (tmp_path / "specs" / "abstract", family / "abstract", family):
        folder.mkdir(exist_ok=True)
        (folder / "light.psm").write_text(LIGHT)
        assert checker.load(family / "c.psm").check().property("Light").verdict is Verdict.HOLDS
        (folder / "light.psm").unlink()


@pytest.mark.parametrize(
    ("name", "file"),
    [
        ("AtomicCommit", "atomic_commit.psm"), ("Consensus", "consensus.psm"), ("TCommit", "t_commit.psm"),
        ("ABDRegister", "abd_register.psm"), ("Raft2", "raft_2.psm"), ("two_phase", "two_phase.psm"),
    ],
)  # fmt: skip
def test_the_file_of_a_name(name: str, file: str) -> None:
    assert file_name(name) == file


@pytest.mark.skipif(len(ENGINES) == 1, reason="there is no native engine")
def test_a_checkpoint_is_of_both_texts() -> None:
    text = SWITCH
    found = [
        identity(plan(checker.loads(text, library=Library(texts={"Light": light})).machine()))["text"]
        for light in (LIGHT, LIGHT.replace("Switch", "Toggle"))
    ]
    assert found[0] != found[1]


@pytest.mark.skipif(len(ENGINES) == 1, reason="there is no native engine")
def test_code_that_is_kept_is_of_both_texts() -> None:
    """An abstract spec that changes is not judged by what was compiled before."""
    found = [refined(SWITCH, "Light", Light=light).verdict for light in (LIGHT, LIGHT.replace("not lit", "lit"), LIGHT)]
    assert found == [Verdict.HOLDS, Verdict.VIOLATED, Verdict.HOLDS]
