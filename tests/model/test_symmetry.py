"""Which symmetric types are used to explore less, and that those which are refused would give wrong counts."""

from __future__ import annotations

import pytest

import checker
from checker.engine.interface import Limits
from checker.engine.search import Interpreter
from checker.model.symmetry import without_symmetry
from tests.engine.reduction import forced, told

ORDERED = {
    "a quantifier stops before an error": (
        "shared m: Map[A, bool?] = none",
        "action Put when m[self] == none { m[self] := true }",
        "action Go when not done and (exists a in A: m[a]) { done := true }",
        "`exists a` stops early, and may err for some of its values",
    ),
    "a procedure stores what comes last": (
        "",
        "",
        "durable last_: A? = none  proc put(a: A) { last_ := a }  action Go { for a in A { put(a) } }",
        "a procedure is called in a loop over it, and writes or sends in order",
    ),
    "a set is added to and taken from": (
        "",
        "",
        "durable s: Set[A] = {}  durable b: A? = none  action Pick(a: A) when b == none { b := a }"
        "  action Go when b != none { let c = b  for a in A { s += a  if a != c { s -= c } } } }"
        "  invariant Small: B.s != A  role C {",
        "the order of its rounds may decide what is stored, or whether a number leaves its range",
    ),
    "a number leaves its range on the way": (
        "",
        "",
        "durable d: Map[A, -1..1] = 0  durable n: 0..2 = 0"
        "  action Pick(a: A, b: A) when a != b and n == 0 { d[a] := 1  d[b] := -1 }"
        "  action Go when n == 0 { for a in A { n += d[a] } }",
        "the order of its rounds may decide what is stored, or whether a number leaves its range",
    ),
    "a loop over a bag": (
        "",
        "",
        "durable bag_: Bag[A, 2] = []  durable last_: A? = none"
        "  action Add(a: A) when size(bag_) < 2 { bag_ += [a] }"
        "  action Go when size(bag_) == 2 { for a in bag_ { last_ := a } }",
        "the order of its rounds may decide what is stored",
    ),
    "a round errs and another is no step": (
        "",
        "",
        "durable good: Set[A] = {}  durable free: Map[A, bool] = false  durable x: 0..1 = 0"
        "  action Pick(a: A, b: A) when good == {} { good += a  free[b] := true }"
        "  action Go when good != {} { for a in A { assert a in good  choose y in {z in 0..1 where free[a]}  x += 0 * y } }",
        "of its rounds one may err and another be no step",
    ),
    "clocks write what they share": (
        "shared last_: A? = none",
        "on tick { last_ := self }",
        "",
        "the order of its rounds may decide what is stored",
    ),
    "a clock errs where another does not allow a tick": (
        "shared m: Map[A, bool?] = true",
        "durable t: 0..1 = 0  on tick when m[self] { t := 1 }",
        "action Go(a: A, b: A) when a != b and not done { m[a] := false  m[b] := none  done := true }",
        "of its clocks one may err where another does not allow a tick",
    ),
}  # fmt: skip
"""For each: what is shared, what symmetric processes do, what another one does, and why the order shows."""


def text(shared: str, a: str, b: str) -> str:
    return f"""spec Ordered
{shared}
role A[2] symmetric {{ {a} }}
role B {{ durable done: bool = false  {b} }}
final: true
check c {{ }}
"""


@pytest.mark.parametrize("name", ORDERED)
def test_an_order_that_shows_is_refused_with_a_reason(name: str) -> None:
    shared, a, b, reason = ORDERED[name]
    machine = checker.loads(text(shared, a, b)).machine("c")
    assert machine.symmetric == ()
    (note,) = machine.notes
    assert note.startswith(f"the symmetry of A is not used: {reason}")
    plain = Interpreter().explore(machine, Limits())
    wrong = Interpreter().explore(forced(machine), Limits())
    assert plain.orbits is None
    assert told(wrong) != told(plain)


ALLOWED = {
    "a question before the value is used": (
        "shared m: Map[A, bool?] = none",
        "action Put when m[self] == none { m[self] := true }",
        "action Go when not done and (exists a in A: m[a] != none and m[a]) { done := true }",
    ),
    "all values are asked": (
        "shared m: Map[A, bool?] = none",
        "action Put when m[self] == none { m[self] := true }",
        "action Go when not done and size({a in A where m[a]}) > 0 { done := true }",
    ),
    "a loop that counts and collects": (
        "shared m: Map[A, bool] = false",
        "action Put when not m[self] { m[self] := true }",
        "durable n: 0..2 = 0  durable s: Set[A] = {}"
        "  action Go when n == 0 { for a in A { if m[a] { n += 1  s += a }  m[a] := false } }",
    ),
    "clocks of their own": (
        "shared n: 0..9 = 0",
        "durable t: 0..2 = 0  action Start when t == 0 { t := 1 }  on tick { if t == 1 { t := 2  n += 1 } }",
        "",
    ),
    "no order is left of those that stop together": (
        "shared m: Map[A, 0..2] = 0",
        "action Up when m[self] < 2 { m[self] += 1 }",
        "action Go when (forall a in A: m[a] == 1) and not done { done := true }",
    ),
}


@pytest.mark.parametrize("name", ALLOWED)
def test_an_order_that_does_not_show_is_used(name: str) -> None:
    machine = checker.loads(text(*ALLOWED[name])).machine("c")
    assert [g.name for g in machine.symmetric] == ["A"]
    assert machine.notes == ()
    plain, found = (Interpreter().explore(m, Limits()) for m in (without_symmetry(machine), machine))
    assert told(found) == told(plain)
    assert found.orbits is not None
    assert found.orbits < found.states


def test_symmetry_can_be_turned_off_by_a_check() -> None:
    source = text(*ALLOWED["a loop that counts and collects"])
    assert not checker.loads(source.replace("check c { }", "check c { symmetry off }")).machine("c").symmetric


def test_a_check_that_expects_liveness_explores_every_state() -> None:
    source = text(*ALLOWED["a loop that counts and collects"]).replace(
        "check c { }", "live L: eventually B.n == 2\ncheck c { expect holds L }\ncheck d { }"
    )
    spec = checker.loads(source)
    assert spec.machine("c").symmetric == ()
    assert spec.machine("c").notes == ("explored without symmetry, since L is judged over all states",)
    assert spec.machine("d").symmetric != ()


def test_a_premise_that_is_not_judged_does_not_matter() -> None:
    """Left of `~>` an order may show: where the property is judged there is no symmetry, elsewhere it is not evaluated."""
    shared, a, b = ALLOWED["a question before the value is used"]
    live = "live L: (exists a in A: m[a]) ~> B.done\ncheck c { }"
    machine = checker.loads(text(shared, a, b).replace("check c { }", live)).machine("c")
    assert [g.name for g in machine.symmetric] == ["A"]
    assert machine.notes == ()


def test_one_instance_is_no_symmetry() -> None:
    source = text("", "durable x: bool = false  action Go { x := not x }", "").replace("A[2]", "A[1]")
    machine = checker.loads(source).machine("c")
    assert machine.symmetric == ()
    assert machine.notes == ()
