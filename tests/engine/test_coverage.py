"""What a check did not exercise, found alike by both engines."""

from __future__ import annotations

import pytest

import checker
from checker.properties.kinds import Coverage

GUARDS = """spec Guards
const LIMITED: bool = true
message Ask(n: 0..3), Answer
network bag[2]
role Client {
  durable n: 0..3 = 0  durable done: bool = false
  action Start when n < 3 and not done and LIMITED { n += 1  send Ask(n) to Server }
  on Answer when (done or n > 0) and not done { done := true }
  action Never when n < 0 and done { }
}
role Server {
  durable seen: 0..3 = 0
  on Ask(k) from c when k > 0 and (k > 2 and seen == 0) { seen := k  send Answer to c }
  ignore Ask when k_is_small(seen)
}
fun k_is_small(k: 0..3): bool = k < 3
final: true
check c { }
"""

STEPS = """spec Steps
role W { durable n: 0..3 = 0  action Up when n < 3 { n += 1 } }
step Early: old(W.n) == 0 => W.n == 1
step Late: old(W.n) == 3 => W.n == 3
step Nested: old(W.n) < 3 => (W.n == 0 => false)
step Every: forall k in 0..3: old(W.n) == k and k > 2 => false
final: true
check c { }
"""

LEADS = """spec Leads
enum Mode { idle, busy, broken }
role W[2] { durable mode: Mode = idle  action Work when mode == idle { mode := busy } }
live Mends: (exists w in W: w.mode == broken) ~> false
live Each(w in W): w.mode == busy ~> w.mode == busy
live None_(w in W, m in Mode): w.mode == m
  and w.mode != m ~> false
live Some(w in {v in W where v.mode == broken}): w.mode != idle ~> false
live Rests: eventually forall w in W: w.mode == idle
live Unlisted: false ~> true
final: true
check c { expect holds Mends, Each, None_, Some }
"""

UNHEARD = """spec Unheard
message Ping, Pong, Lost
network bag[1]
role A {
  durable on_: bool = false
  action Go when not on_ { on_ := true  send Ping to B }
  action Stop when on_ and not on_ { send Lost to B }
  on Pong { }
}
role B {
  durable up: bool = false
  on Ping when up { send Pong to A }
  on Lost { }
}
final: true
check c { }
"""

LIES = """spec Lies
message Vote(yes: bool)
network soup
role Node[2] {
  durable n: 0..1 = 0
  action Agree when n == 1 { send Vote(true) to Node }
  on Vote(yes) from s when yes and n == 0 { n := 1 }
}
role Calm[1] { durable m: bool = false  action Rest when not m { m := true } }
final: true
check c { faults byzantine Node <= 1, byzantine Calm <= 1 }
check idle { faults byzantine Calm <= 1 }
"""


def coverage(text: str, engine: str, check: str = "c") -> Coverage:
    return checker.loads(text).check(check, engine=engine).coverage


@pytest.mark.parametrize("engine", ["python", "native"])
def test_parts_of_guards_that_never_refuse(engine: str) -> None:
    """The server answers the third question alone, and the client asks no fourth: so it has one answer at most.

    `n < 3` and `k > 2` refuse something; `LIMITED` is a constant; `Never` never fires.
    """
    assert coverage(GUARDS, engine).never_false == (
        "line 7: Client.Start when not done",
        "line 8: Client.Answer when done or n > 0",
        "line 8: Client.Answer when not done",
        "line 13: Server.Ask when k > 0",
        "line 13: Server.Ask when seen == 0",
    )


@pytest.mark.parametrize("engine", ["python", "native"])
def test_antecedents_of_step_properties(engine: str) -> None:
    assert coverage(STEPS, engine).vacuous == (
        "line 4: old(W.n) == 3",
        "line 5: W.n == 0",
        "line 6: old(W.n) == k and k > 2",
    )


@pytest.mark.parametrize("engine", ["python", "native"])
def test_antecedents_of_live_properties(engine: str) -> None:
    """Of a family some member has to begin; what the check does not list is not judged and not reported."""
    assert coverage(LEADS, engine).vacuous == (
        "line 4: exists w in W: w.mode == broken",
        "line 6: w.mode == m and w.mode != m",
        "line 8: w.mode != idle",
    )


@pytest.mark.parametrize("engine", ["python", "native"])
def test_what_no_step_sent_is_not_missed(engine: str) -> None:
    assert coverage(UNHEARD, engine).never_received == ("Ping",)


@pytest.mark.parametrize("engine", ["python", "native"])
def test_forged_messages_use_the_budget_of_their_sender(engine: str) -> None:
    """Whichever of the two nodes is faulty, the other takes one vote that it forges."""
    found = coverage(LIES, engine)
    assert found.faults["byzantine Node"] == found.steps["Node.Vote"] == 2
    assert found.unused_faults == ("byzantine Calm",)


@pytest.mark.parametrize("engine", ["python", "native"])
def test_a_budget_of_liars_that_nobody_hears_is_unused(engine: str) -> None:
    assert coverage(LIES, engine, "idle").unused_faults == ("byzantine Calm",)


def test_a_limit_leaves_open_what_was_never_false() -> None:
    found = checker.loads(GUARDS).check(engine="python", limits=checker.Limits(max_states=2))
    assert found.coverage.never_false == ()
