"""Every call is enabled or refused, and each refusal has the reason that is there."""

from __future__ import annotations

from pathlib import Path

import pytest

import checker
from checker.engine.program import Program
from checker.engine.refusals import Refusals
from checker.engine.runtime import State
from checker.model.machine import Machine

ROOT = Path(__file__).resolve().parents[2]

SPEC = """spec Reasons
const N: 1..3 = 2
message Ping(n: 0..2), Pong
network NETWORK

role A[2] {
  durable x: 0..3 = 0
  durable seen: Set[0..2] = {}
  action Send(n: 0..2)
    when x < 2 and
      n != 1
    limit x < N { x += 1  send Ping(n) to B }
  action Pick { choose v in seen  x := v }
  on Pong from b { x := 3 }
}

role B {
  durable last: 0..2 = 0
  on Ping(n) from a when n > last { last := n }
  fault Slip when last == 2 { last := 0 }
}

final: true
check c { faults crash B <= 1, B.Slip <= 1 }
check still { expect holds NoError }
"""


def machine(network: str = "bag[2]", check: str = "c") -> Machine:
    return checker.loads(SPEC.replace("NETWORK", network)).machine(check)


def after(machine: Machine, *names: str) -> tuple[Refusals, State]:
    steps = Refusals(Program(machine))
    state = steps.program.initial_states()[0]
    for name in names:
        done, _ = steps.expand(state)
        state = next(target for _, move, target in done if steps.labels.step(move) == name)
    return steps, state


def told(machine: Machine, *names: str) -> dict[str, str]:
    """Each refusal after some steps, with its reason."""
    steps, state = after(machine, *names)
    done, failed = steps.expand(state)
    return {
        r.step: (f"{r.count} times, " if r.count > 1 else "")
        + (f"line {r.reason.line}: " if r.reason.line else "")
        + r.reason.text
        for r in steps.refusals(state, done, failed)
    }


def test_the_first_false_conjunct_is_named_with_its_line() -> None:
    found = told(machine())
    assert found["A0.Send(1)"] == "line 11: n != 1"
    assert "A0.Send(0)" not in found


def test_calls_with_the_same_reason_are_one() -> None:
    found = told(machine("bag[3]", "c"), "A0.Send(0)", "A0.Send(0)")
    assert found["A0.Send(…)"] == "3 times, line 10: x < 2"


def test_limits_and_choices() -> None:
    small = checker.loads(SPEC.replace("NETWORK", "bag[2]")).machine("c", constants={"N": 1})
    found = told(small, "A0.Send(0)")
    assert found["A0.Send(…)"] == "2 times, its limit is reached"
    assert found["A0.Pick()"] == "there is nothing to choose from"
    assert found["A1.Pick()"] == "there is nothing to choose from"


def test_messages_in_flight_that_are_not_taken() -> None:
    assert told(machine(), "A0.Send(0)")["B.Ping(0) <- A0"] == "line 19: n > last"
    queued = told(machine("fifo[2]"), "A0.Send(0)", "A0.Send(2)")
    assert queued["B.Ping(2) <- A0"] == "another message is before it in its queue"


def test_a_full_network_that_blocks() -> None:
    assert told(machine("bag[1] block"), "A0.Send(0)")["A0.Send(0)"] == "a network that it sends to is full"


def test_processes_that_are_down() -> None:
    found = told(machine(), "A0.Send(2)", "B.crash")
    assert found["every step of B"] == "B is down"
    assert found["B.Ping(2) <- A0"] == "B is down"
    assert found["crash B"] == "its budget is spent"


def test_own_faults_without_a_budget_are_not_told_again_and_again() -> None:
    found = told(machine(), "A0.Send(2)", "B.Ping(2) <- A0", "B.Slip()")
    assert found["B.Slip"] == "its budget is spent"
    assert "B.Slip()" not in found


def test_cuts_and_liars() -> None:
    spec = SPEC.replace("NETWORK", "bag[2]").replace(
        "check still {", "check still { faults cut <= 1, byzantine A <= 1 "
    )
    steps = Refusals(Program(checker.loads(spec).machine("still")))
    state = next(s for s in steps.program.initial_states() if steps.labels.variables(s)["faulty"] == ["A1"])
    for name in ("A0.Send(2)", "cut {B}"):
        done, _ = steps.expand(state)
        state = next(target for _, move, target in done if steps.labels.step(move) == name)
    done, failed = steps.expand(state)
    found = {r.step: r.reason.text for r in steps.refusals(state, done, failed)}
    assert found["B.Ping(2) <- A0"] == "a cut lies between sender and receiver"
    assert found["every step of A1"] == "A1 is faulty"


def test_ticks() -> None:
    text = """spec Clocks
role A[2] { durable t: 0..9 = 0  on tick when t < 2 { t += 1 } action Rest { t := 9 } }
final: true
"""
    steps = checker.loads(text).machine()
    assert told(steps, "A1.Rest()")["tick"] == "line 2: t < 2 (of A1)"
    idle = checker.loads(text.replace("t += 1", "t := 0")).machine()
    assert told(idle)["tick"] == "it would change nothing"


@pytest.mark.parametrize(
    "name", ["transactions/two_phase_commit", "locks/redis_lock", "consensus/raft", "transactions/outbox"]
)
def test_every_call_is_enabled_or_refused(name: str) -> None:
    """In the first states of every check: each call of a process that is up is listed once, here or there."""
    spec = checker.load(ROOT / "specs" / f"{name}.psm")
    for check in spec.checks:
        steps = Refusals(Program(spec.machine(check)))
        states = dict.fromkeys(steps.program.initial_states())
        queue = list(states)
        for state in queue[:150]:
            done, failed = steps.expand(state)
            queue += [target for _, _, target in done if target not in states]
            states.update(dict.fromkeys(target for _, _, target in done))
        for state in queue[:150]:
            done, failed = steps.expand(state)
            moves = [m for _, m, _ in (*done, *failed) if not m.forged and m.torn is None]
            enabled = {(m.unit, m.process, m.args) for m in moves if steps.units[m.unit].kind in ("action", "timeout")}
            refused = steps.refusals(state, done, failed)
            own = sum(r.count for r in refused if "<-" not in r.step and steps_of(steps, r.step))
            calls = sum(
                len(code.bindings)
                for code in steps.program.steps
                if code.step.kind in ("action", "timeout")
                for me in code.step.role.processes
                if steps.is_up(state, me)
            )
            assert len(enabled) + own == calls, (check, state)


def steps_of(steps: Refusals, name: str) -> bool:
    """Whether a name is that of an action or timeout."""
    label = name.partition(".")[2].partition("(")[0]
    return any(c.step.name == label and c.step.kind in ("action", "timeout") for c in steps.program.steps)
