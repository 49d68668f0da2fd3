"""Linearizability: every history of some length, judged by the checker and by a search through all orders."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from random import Random

import pytest

import checker
from checker.base.diagnostics import SpecError
from checker.engine import histories
from checker.engine.interface import Engine, Limits, Stop
from checker.engine.labels import Labels
from checker.engine.program import Program
from checker.engine.search import Interpreter
from checker.engine.steps import Steps
from checker.lang.library import Library
from checker.model.machine import REFUTED, Machine
from checker.native import jit
from checker.native.engine import NativeEngine
from checker.properties.kinds import PropertyResult, Verdict
from checker.properties.safety import judge

ABSTRACT = Path(__file__).resolve().parents[2] / "specs" / "abstract"
ENGINES: list[Engine] = [Interpreter()]
if jit.unavailable() is None:
    ENGINES += [NativeEngine(level=0), NativeEngine(2, level=0)]


def library(*names: str, **texts: str) -> Library:
    """Objects of the library, and others by their text."""
    return Library((ABSTRACT,), texts)


# ---- by hand

State = Hashable
Step = Callable[[State, str, str, tuple[str, ...], tuple[str, ...]], State | None]
"""The state after an operation (by whom, which, arguments, results), or None where that is not possible."""


@dataclass
class Op:
    """An operation of a history, with the places of its events."""

    who: str
    name: str
    args: tuple[str, ...]
    begin: int
    end: int | None = None
    results: tuple[str, ...] | None = None


def linearizable(step: Step, initial: State, ops: list[Op], results: dict[str, list[tuple[str, ...]]]) -> bool:
    """Tries every order, without any memory."""

    def search(state: State, left: list[Op]) -> bool:
        if all(op.end is None for op in left):
            return True  # what is pending need not have happened
        for op in left:
            if any(other.end is not None and other.end < op.begin for other in left):
                continue
            rest = [other for other in left if other is not op]
            for result in [op.results] if op.results is not None else results[op.name]:
                after = step(state, op.who, op.name, op.args, result)
                if after is not None and search(after, rest):
                    return True
        return False

    return search(initial, ops)


def register(state: State, who: str, name: str, args: tuple[str, ...], results: tuple[str, ...]) -> State | None:
    if name == "Write":
        return args[0]
    return state if results[0] == state else None


def queue(
    state: State, who: str, name: str, args: tuple[str, ...], results: tuple[str, ...], capacity: int = 2
) -> State | None:
    assert isinstance(state, tuple)
    if name == "Enqueue":
        return (*state, args[0]) if len(state) < capacity else None
    first = state[0] if state else "none"
    return state[1:] if results[0] == first else None


def lock(state: State, who: str, name: str, args: tuple[str, ...], results: tuple[str, ...]) -> State | None:
    if name == "Acquire":
        return who if state == "none" else None
    return "none" if state == who else None


def value_set(state: State, who: str, name: str, args: tuple[str, ...], results: tuple[str, ...]) -> State | None:
    assert isinstance(state, frozenset)
    there, said = args[0] in state, results[0] == "true"
    match name:
        case "Add":
            return state | {args[0]} if said != there else None
        case "Remove":
            return state - {args[0]} if said == there else None
    return state if said == there else None


@dataclass(frozen=True)
class Object:
    """An object of the library: its operations with their arguments and results, and what they do."""

    name: str
    operations: dict[str, tuple[str, str]]
    values: dict[str, list[str]]
    step: Step
    initial: State

    def spec(self, clients: int) -> str:
        """A spec in which everything may happen: it has all histories of so many clients."""
        lines = [f"spec All{self.name}", f"const CLIENTS: 1..8 = {clients}", "id Val[2]"]
        lines.append(f"enum Doing {{ idle, {', '.join('in' + name for name in self.operations)} }}")
        lines.append("role Client[CLIENTS] {\n  durable doing: Doing = idle")
        for name, (arg, result) in self.operations.items():
            given, got = (f"(x: {arg})", "(x)") if arg else ("", ""), (f"(y: {result})", "(y)") if result else ("", "")
            lines.append(
                f"  action Begin{name}{given[0]} when doing == idle {{ doing := in{name}  invoke {name}{given[1]} }}\n"
                f"  action End{name}{got[0]} when doing == in{name} {{ doing := idle  respond {name}{got[1]} }}"
            )
        lines.append(f"}}\nlinearizable {self.name}\nfinal: true\ncheck c {{ expect fails {self.name} }}\n")
        return "\n".join(lines)

    def all(self, kind: str) -> list[tuple[str, ...]]:
        return [(v,) for v in self.values[kind]] if kind else [()]


VALUES = {"Val": ["Val0", "Val1"], "Val?": ["none", "Val0", "Val1"], "bool": ["false", "true"]}
OBJECTS = [
    Object("Register", {"Write": ("Val", ""), "Read": ("", "Val?")}, VALUES, register, "none"),
    Object("Queue", {"Enqueue": ("Val", ""), "Dequeue": ("", "Val?")}, VALUES, queue, ()),
    Object("Lock", {"Acquire": ("", ""), "Release": ("", "")}, VALUES, lock, "none"),
    Object(
        "ValueSet",
        {"Add": ("Val", "bool"), "Remove": ("Val", "bool"), "Contains": ("Val", "bool")},
        VALUES,
        value_set,
        frozenset(),
    ),
]


class Walker:
    """Follows histories in the checker's steps, event by event, and by hand."""

    def __init__(self, of: Object, clients: int, **texts: str) -> None:
        self.of = of
        self.machine: Machine = checker.loads(of.spec(clients), library=library(**texts)).machine()
        assert all(p.unjudged is None for p in self.machine.properties)
        self.program = Program(self.machine)
        self.steps = Steps(self.program)
        self.labels = Labels(self.steps)
        (self.history,) = self.machine.histories
        self.results = {name: of.all(result) for name, (_, result) in of.operations.items()}

    def walk(self, random: Random, length: int) -> int:
        """Compares both along a random history; gives how many events were explained before one was not."""
        (state,) = self.program.initial_states()
        ops: list[Op] = []
        for at in range(length):
            done, failed = self.steps.expand(state)
            assert not failed
            _, move, state = random.choice(done)
            who, _, event = self.labels.step(move).partition(".")
            name, _, values = event.rstrip(")").partition("(")
            given = tuple(values.split(", ")) if values else ()
            if name.startswith("Begin"):
                ops.append(Op(who, name.removeprefix("Begin"), given, at))
            else:
                op = next(op for op in ops if op.who == who and op.end is None)
                op.end, op.results = at, given
            explained = linearizable(self.of.step, self.of.initial, ops, self.results)
            assert (state[self.history.var.slot] != REFUTED) is explained, ops
            if not explained:
                return at
        return length


@pytest.mark.parametrize("of", OBJECTS, ids=lambda of: of.name)
def test_random_histories_are_judged_as_by_trying_all_orders(of: Object) -> None:
    walker, random = Walker(of, 2), Random(1)
    lengths = [walker.walk(random, 9) for _ in range(250)]
    assert lengths.count(9) > 2 and sum(2 < n < 9 for n in lengths) > 20


@pytest.mark.slow
@pytest.mark.parametrize("of", OBJECTS[:3], ids=lambda of: of.name)
def test_histories_of_three_clients(of: Object) -> None:
    texts = {}
    if of.name == "Queue":  # one of two items has too many histories to be judged
        text = (ABSTRACT / "queue.psm").read_text(encoding="utf-8")
        texts["Queue"] = text.replace("const CAPACITY: 1..4 = 2", "const CAPACITY: 1..4 = 1")
        of = replace(of, step=partial(queue, capacity=1))
    walker, random = Walker(of, 3, **texts), Random(2)
    assert sum(walker.walk(random, 10) == 10 for _ in range(1500)) > 20


@pytest.mark.parametrize("of", OBJECTS[:3], ids=lambda of: of.name)
def test_engines_agree_on_all_histories(of: Object) -> None:
    machine = checker.loads(of.spec(2), library=library()).machine()
    (history,) = machine.histories
    found = [engine.explore(machine, Limits()) for engine in ENGINES]
    assert all(f.stop is Stop.DONE and not f.broken for f in found)
    assert len({(f.states, f.transitions, f.depth) for f in found}) == 1
    assert len({f.violations[of.name].path for f in found}) == 1
    # all histories occur, and as the only refuted one counts a state for each thing that clients may do then
    assert found[0].states == len(history.states) - 2 + (1 + len(of.operations)) ** 2


@pytest.mark.parametrize(("name", "clients", "count"), [("Register", 2, 192), ("Register", 3, 3328), ("Lock", 3, 207)])
def test_the_number_of_histories_is_known(name: str, clients: int, count: int) -> None:
    """Counted by a program of a page that knows nothing of this one: pending operations, and pairs."""
    of = next(o for o in OBJECTS if o.name == name)
    (history,) = checker.loads(of.spec(clients), library=library()).machine().histories
    assert len(history.states) - 2 == count


# ---- what specs say


def result(text: str, name: str, **texts: str) -> PropertyResult:
    machine = checker.loads(text, library=library(**texts)).machine()
    found = [judge(machine, engine.explore(machine, Limits())).property(name) for engine in ENGINES]
    assert all(f == found[0] for f in found)
    return found[0]


ONE = """spec One
id Val[2]
role Client {{
  durable n: 0..3 = 0
  {}
}}
linearizable Register
final: true
"""


def one(*bodies: str) -> str:
    """A client that does one thing after the other."""
    return ONE.format("\n  ".join(f"action A{i} when n == {i} {{ n += 1  {b} }}" for i, b in enumerate(bodies)))


def test_one_client() -> None:
    assert result(one("invoke Write(at(Val, 1))", "respond Write"), "Register").verdict is Verdict.HOLDS
    assert result(one("invoke Read", "respond Read(none)"), "Register").verdict is Verdict.HOLDS
    found = result(one("invoke Read", "respond Read(at(Val, 0))"), "Register")
    assert found.verdict is Verdict.VIOLATED and found.trace is not None
    assert found.trace.initial["Register.possible"] == ["value = none"]
    assert found.trace.steps[0].changes["Register.pending"] == ["Client.Read()"]
    assert found.trace.steps[1].changes["Register.possible"] == []
    at_once = one("invoke Write(at(Val, 1))  respond Write  invoke Read  respond Read(at(Val, 1))")
    assert result(at_once, "Register").verdict is Verdict.HOLDS


@pytest.mark.parametrize(
    ("bodies", "message"),
    [
        (["respond Write"], "no Write of this process is pending"),
        (["invoke Read", "invoke Write(at(Val, 0))"], "an operation of this process is pending already"),
        (["invoke Read", "respond Write"], "no Write of this process is pending"),
    ],
)
def test_what_a_process_cannot_do_is_an_error(bodies: list[str], message: str) -> None:
    found = result(one(*bodies, "invoke Write(at(Val, 1))"), "NoError")
    assert (found.verdict, found.diagnostic and found.diagnostic.code) == (Verdict.VIOLATED, "PSM605")
    assert found.diagnostic is not None and message in found.diagnostic.message


def test_an_operation_that_crashed_may_take_effect_later() -> None:
    text = """spec Crash
id Val[2]
message W(v: Val), R, V(v: Val?)
network bag[1]
role Server {
  durable x: Val? = none
  on W(v) { x := v }
  on R from c { send V(x) to c }
}
role Writer { durable gone: bool = false
  action Write(v: Val) when not gone { gone := true  invoke Write(v)  send W(v) to Server } }
role Reader { durable n: 0..2 = 0  volatile busy: bool = false
  action Read when not busy and n < 2 { n += 1  busy := true  invoke Read  send R to Server }
  on V(v) when busy { busy := false  respond Read(v) } }
linearizable Register
final: true
check c { faults stop Writer <= 1  expect holds Register }
"""
    assert result(text, "Register").verdict is Verdict.HOLDS
    assert result(text.replace("x := v }", "x := none }"), "Register").verdict is Verdict.HOLDS
    flips = text.replace("send V(x) to c }", "send V(x) to c  x := none }")
    assert result(flips, "Register").verdict is Verdict.VIOLATED


def test_what_is_not_judged_says_why_and_records_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    text = one("invoke Read", "respond Read(at(Val, 0))")
    unlisted = result(text + "check c { }", "Register")
    assert (unlisted.verdict, unlisted.reason) == (Verdict.INCOMPLETE, "judged where a check expects something of it")
    alone = checker.loads(text + "check c { expect holds Register }").check()
    assert alone.verdict is checker.CheckVerdict.INCOMPLETE
    assert "not read from a file" in (alone.property("Register").reason or "")
    monkeypatch.setattr(histories, "MAX_NUMBERS", 5)
    assert result(text, "Register").reason == "Register has more than 5 histories here, too many to list them"


def refused(text: str, **texts: str) -> Iterator[tuple[str, str]]:
    with pytest.raises(SpecError) as caught:
        checker.loads(text, library=library(**texts)).machine()
    yield from ((d.code, d.message) for d in caught.value.diagnostics)


@pytest.mark.parametrize(
    ("text", "code", "part"),
    [
        (one("invoke Write", "respond Write"), "PSM206", "respond Write"),
        (one("invoke Write(at(Val, 0))", "respond Write(at(Val, 0))"), "PSM206", "0 are left"),
        (one("respond Read(none)"), "PSM206", "never invoked"),
        (one("invoke Read", "invoke Swap"), "PSM201", "operation `Swap`"),
        (one("invoke Write(n)"), "PSM301", "must be Val"),
        (one("invoke Read").replace("id Val[2]", "id Val[2] symmetric"), "PSM414", "Val is symmetric"),
        (one("invoke Read").replace("role Client", "role Client[2] symmetric"), "PSM414", "Client is symmetric"),
        (one("invoke Read").replace("linearizable Register", ""), "PSM201", "operation `Read`"),
        (one("n := 0"), "PSM412", "nothing invokes"),
        (one("invoke Read").replace("Register", "Nothing"), "PSM411", "no spec Nothing"),
        (one("invoke Read").replace("Register", "Lazy"), "PSM413", "no action"),
        (one("invoke Acquire").replace("Register", "Lock").replace("Val", "Key"), "PSM412", "Client has 1 here"),
    ],
)
def test_mistakes(text: str, code: str, part: str) -> None:
    lazy = "spec Lazy\nshared durable x: 0..1 = 0\nrole Object { action Read { }  timeout Move { x := 1 } }"
    found = list(refused(text, Lazy=lazy))
    assert any(c == code and part in m for c, m in found), found
