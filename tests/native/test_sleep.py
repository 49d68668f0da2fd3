"""Steps that sleep: what is left out changes nothing, not even the order in which states are found."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from ctypes import c_uint64
from pathlib import Path
from random import Random

import pytest

import checker
from checker.base.cache import Cache
from checker.engine.interface import Exploration, Limits
from checker.engine.search import Interpreter
from checker.model.machine import Machine
from checker.model.symmetry import without_symmetry
from checker.native import abi, jit, tiers
from checker.native.code import recallable
from checker.native.code.module import plan
from checker.native.code.sleep import Sleeping
from checker.native.explorer import Explorer
from checker.native.search import NativeSearch
from tests.random_specs import soup_spec

pytestmark = pytest.mark.skipif(jit.unavailable() is not None, reason=jit.unavailable() or "")

ROOT = Path(__file__).resolve().parents[2]

SIDES = """\
spec Sides
message Note(n: 0..255)
network soup
role A[3] {{
  durable n: 0..2 = 0
  action Up when n < 2 {{ n += 1  send Note(n) to B  {up} }}
}}
role B {{
  durable t: 0..2 = 0
  on Note(m) from a when m == 63 {{ t := 1 }}
  {more}
}}
{last}
final: true
check c {{ {bound} }}
"""
"""Three processes side by side, and one that takes nothing of what they send."""

Kept = list[tuple[int, tuple[int, ...]]]


def explored(machine: Machine, monkeypatch: pytest.MonkeyPatch, folder: Path) -> tuple[Exploration, Kept, int]:
    """What one worker finds; each state with the reference of its parent; and how many steps were taken to their end."""
    kept: Kept = []
    linked: list[jit.Linked] = []

    def close(self: Explorer) -> None:
        worker = self.everybody[0]
        at = worker.arena.start + 8
        while at < worker.ctx[abi.CTX_ARENA_NEXT]:
            kept.append((c_uint64.from_address(at).value & abi.REF_MASK, self.words(at + 8)))
            at += self._record_size(at)
        original(self)

    def counting(self: tiers.Tiers) -> str:
        entry = re.search(r"define [^\n]*@commit\([^\n]*\n[^\n]*entry:\n", found := text(self))
        assert entry is not None
        bump = "  %taken = load i64, ptr @taken\n  %more = add i64 %taken, 1\n  store i64 %more, ptr @taken\n"
        reading = "define i64 @how_many() {\n  %n = load i64, ptr @taken\n  ret i64 %n\n}\n"
        found = found[: entry.end()] + bump + found[entry.end() :]
        return f"{found}\n@taken = internal global i64 0\n{reading}"

    def link(images: Iterable[bytes], exports: list[str]) -> jit.Linked:
        linked.append(jit.link(images, [*exports, "how_many"]))
        return linked[-1]

    original: Callable[[Explorer], None] = Explorer.close
    text: Callable[[tiers.Tiers], str] = vars(tiers.Compiled)["spec_text"].func
    with monkeypatch.context() as patch:
        patch.setattr(Explorer, "close", close)
        patch.setattr(tiers.Compiled, "spec_text", property(counting))
        patch.setattr(tiers, "link", link)
        layout = plan(machine)
        found = NativeSearch(layout, tiers.Tiers(layout, Cache(folder)), 1, 0).run(Limits())
    return found, kept, linked[0].function("how_many", 0)()


def both(text: str, monkeypatch: pytest.MonkeyPatch, folder: Path) -> tuple[int, int]:
    """How many steps are taken where some sleep, and where none does. Everything else has to be equal."""
    machine = without_symmetry(checker.loads(text).machine("c"))
    found, kept, taken = explored(machine, monkeypatch, folder / "asleep")
    with monkeypatch.context() as patch:
        patch.setattr(Sleeping, "asleep", lambda *_: ["0", "0"])
        other, awake, most = explored(machine, monkeypatch, folder / "awake")
    assert (found.states, found.transitions, found.depth) == (other.states, other.transitions, other.depth)
    assert found.tally == other.tally
    assert kept == awake
    return taken, most


def counts(text: str, monkeypatch: pytest.MonkeyPatch, folder: Path) -> tuple[int, int]:
    found, _, _ = explored(without_symmetry(checker.loads(text).machine("c")), monkeypatch, folder)
    return found.states, found.transitions


def true_counts(text: str) -> tuple[int, int]:
    found = Interpreter().explore(without_symmetry(checker.loads(text).machine("c")), Limits())
    return found.states, found.transitions


def sides(*, up: str = "", more: str = "", last: str = "", bound: str = "") -> str:
    return SIDES.format(up=up, more=more, last=last, bound=bound)


def taken_side_by_side() -> int:
    """By the rule itself: a process sleeps if one that comes later led to the state, as it could step before that did."""
    found: dict[tuple[int, ...], int] = {(0, 0, 0): -1}
    taken = 0
    for state in (waiting := list(found)):
        for process in range(3):
            if state[process] < 2 and process >= found[state]:
                taken += 1
                following = (*state[:process], state[process] + 1, *state[process + 1 :])
                if following not in found:
                    found[following] = process
                    waiting.append(following)
    assert len(found) == 27
    return taken


def test_processes_side_by_side(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert true_counts(sides()) == (27, 54)
    assert both(sides(), monkeypatch, tmp_path) == (taken_side_by_side(), 54)


def test_random_models_are_explored_in_the_same_order(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    taken = most = 0
    for seed in range(12):
        a, b = both(soup_spec(Random(seed)), monkeypatch, tmp_path / str(seed))
        taken, most = taken + a, most + b
    assert taken < most


def test_raft_is_explored_in_the_same_order(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    text = (ROOT / "benchmarks" / "models" / "raft.psm").read_text(encoding="utf-8")
    text = text.replace("check one_candidate", "check c")
    taken, most = both(text, monkeypatch, tmp_path)
    assert taken < 0.9 * most


def test_steps_that_do_not_commute_are_taken(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """What B reads differs before and after a step of A, though B changes nothing that A touches."""
    text = sides(up="s := n", more="action Look when t != s { t := s }", last="shared s: 0..2 = 0")
    both(text, monkeypatch, tmp_path)
    assert counts(text, monkeypatch, tmp_path / "right") == true_counts(text)
    with monkeypatch.context() as patch:
        patch.setattr(recallable, "_commute", lambda touches, _: {a: frozenset(touches) for a in touches})
        assert counts(text, monkeypatch, tmp_path / "wrong") != true_counts(text)


def test_nothing_sleeps_within_a_bound(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    text = sides(bound="bound at(A, 0).n < 2 or at(A, 1).n < 2")
    taken, most = both(text, monkeypatch, tmp_path)
    assert taken == most
    assert counts(text, monkeypatch, tmp_path / "right") == true_counts(text)


def test_step_properties_see_what_they_speak_of(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The second step of the last process, which comes last, is a violation only behind the first of the first one."""
    text = sides(last="step Never: at(A, 2).n < 2 or old(at(A, 2).n) == 2 or at(A, 0).n == 0")
    both(text, monkeypatch, tmp_path)
    machine = without_symmetry(checker.loads(text).machine("c"))
    found, _, _ = explored(machine, monkeypatch, tmp_path / "again")
    path = Interpreter().explore(machine, Limits()).violations["Never"].path
    assert found.violations["Never"].path == path


EACH = "step Slowly: forall a in A: a.n <= old(a.n) + 1"


def test_steps_sleep_though_a_step_property_reads_what_others_change(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """It says something of each process alone, and each step is one of a single process."""
    assert both(sides(last=EACH), monkeypatch, tmp_path) == (taken_side_by_side(), 54)
    together = "step Slowly: (sum a in A: a.n) <= old(sum a in A: a.n) + 1"
    assert both(sides(last=together), monkeypatch, tmp_path / "together") == (54, 54)


def test_a_part_of_a_step_property_sees_what_it_speaks_of(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The second step of the first process is a violation behind a step of the last one, and is asked about each process."""
    text = sides(last="step Never: forall a in A: a.n < 2 or old(a.n) == 2 or index(a) > 0 or at(A, 2).n == 0")
    assert both(text, monkeypatch, tmp_path)[0] > taken_side_by_side()
    machine = without_symmetry(checker.loads(text).machine("c"))
    found, _, _ = explored(machine, monkeypatch, tmp_path / "again")
    path = Interpreter().explore(machine, Limits()).violations["Never"].path
    assert found.violations["Never"].path == path
    with monkeypatch.context() as patch:
        patch.setattr(recallable.Recall, "waking", lambda recall, _: recall.touch)
        wrong, _, _ = explored(machine, monkeypatch, tmp_path / "wrong")
    assert "Never" not in wrong.violations


def test_deadlocks_are_seen_where_all_others_sleep(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    text = sides().replace("final: true", "final: false")
    machine = without_symmetry(checker.loads(text).machine("c"))
    found, _, _ = explored(machine, monkeypatch, tmp_path)
    whole = Interpreter().explore(machine, Limits())
    assert found.broken.keys() == whole.broken.keys() and found.violations.keys() == whole.violations.keys()


TELL = """\
spec Tell
message Note(n: 0..255)
network soup
role A {{
  durable k: 0..1 = 0
  {actions}
}}
role B[3] {{
  durable t: 0..2 = 0
  on Note(m) from a when m == 63 {{ t := 1 }}
}}
final: {final}
check c {{ }}
"""
"""A process that tells three others things, each of which it could just as well tell first."""


def tell(*actions: str, final: str = "true") -> str:
    return TELL.format(actions="\n  ".join(actions), final=final)


def test_one_process_tells_several_others(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    text = tell("action Tell(b: B) { send Note(k) to b }", "action Up when k == 0 { k := 1 }")
    assert true_counts(text)[0] == 8 + 8 * 8
    taken, most = both(text, monkeypatch, tmp_path)
    with monkeypatch.context() as patch:
        patch.setattr(Sleeping, "_beside", lambda *_: "0")
        alone, again = both(text, monkeypatch, tmp_path / "alone")
    assert taken < alone <= most == again


def test_actions_that_send_the_same_are_taken(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Once the second has been taken, the first changes nothing any more, and a deadlock is one."""
    text = tell("action One { send Note(1) to at(B, 0) }", "action Two { send Note(1) to B }", final="false")
    taken, most = both(text, monkeypatch, tmp_path)
    assert taken == most
    machine = without_symmetry(checker.loads(text).machine("c"))
    found, _, _ = explored(machine, monkeypatch, tmp_path / "again")
    path = Interpreter().explore(machine, Limits()).violations["NoDeadlock"].path
    assert found.violations["NoDeadlock"].path == path
