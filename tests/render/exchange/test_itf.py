"""ITF: what is written, and what is made of anything that a stranger may have written."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

import checker
from checker.base.diagnostics import SpecError
from checker.engine.walk import Walk, random_walk
from checker.render.exchange.itf import ItfStates, document
from checker.render.exchange.itf_reader import MOST_DEPTH, key_of, parse_itf, show_itf

EVERYTHING = """spec Everything
id Val[2]
enum Colour { red, green }
record Pair(a: 0..9, b: Val?)
message M(p: Pair), Q
network gossip soup for M
network queue fifo[2] for Q
shared total: -3..9 = -2
role A[2] {
  durable c: Colour = green
  durable p: Pair? = none
  durable s: Set[0..3] = {2, 1}
  durable m: Map[A, bool] = {a in A: a == self}
  durable q: Seq[Val, 2] = []
  action Go(v: Val) when p == none { p := Pair(1, v)  q += [v, v]  send M(Pair(1, v)) to A  send Q to B }
}
role B { durable g: Bag[0..3, 3] = {}
  on Q from a { } }
final: true
check c { faults crash A <= 1, cut <= 1, byzantine B <= 1 }
"""


NETWORKS = ("$network.gossip", "$network.queue")


def test_every_type() -> None:
    machine = checker.loads(EVERYTHING).machine()
    walk = Walk(machine)
    go = next(c for c in walk.choices() if c.name.startswith("A0.Go(Val1)"))
    walk.take(go)
    written = document(walk.path(), walk.view, meta={"property": "P"})
    assert written["vars"] == [
        "total", "A.c", "A.p", "A.s", "A.m", "A.q", "B.g", "$status", "$faulty", "$cut", "$left", *NETWORKS,
    ]  # fmt: skip
    first, second = written["states"]
    assert first["#meta"] == {"index": 0}
    assert second["#meta"] == {"index": 1, "step": go.name}
    assert first["total"] == {"#bigint": "-2"}
    assert first["A.c"] == {"#map": [["A0", "green"], ["A1", "green"]]}
    assert first["A.s"]["#map"][0] == ["A0", {"#set": [{"#bigint": "1"}, {"#bigint": "2"}]}]
    assert first["A.m"]["#map"][1] == ["A1", {"#map": [["A0", False], ["A1", True]]}]
    assert first["B.g"] == {"#map": []}
    assert first["A.p"]["#map"][0] == ["A0", {"tag": "None", "value": {"#tup": []}}]
    some = {"tag": "Some", "value": {"a": {"#bigint": "1"}, "b": {"tag": "Some", "value": "Val1"}}}
    assert second["A.p"]["#map"][0] == ["A0", some]
    assert second["A.q"]["#map"][0] == ["A0", ["Val1", "Val1"]]
    assert first["$status"] == {"#map": [["A0", "up"], ["A1", "up"]]}
    assert first["$faulty"] == {"#set": ["B"]}
    assert first["$cut"] == {"#set": []}
    assert first["$left"] == {"#map": [["crash A", {"#bigint": "1"}], ["cut", {"#bigint": "1"}]]}
    message = {"kind": "M", "from": "A0", "to": "A0", "fields": {"p": some["value"]}}
    assert message in second[NETWORKS[0]]["#set"]
    assert {"#tup": ["A0", "B"]} not in [ends for ends, _ in second[NETWORKS[1]]["#map"]], "a liar takes no messages"
    assert written["#meta"]["property"] == "P"
    assert "loop" not in written
    json.dumps(written)


def test_queues_and_bags() -> None:
    text = (
        "spec Q message M(n: 0..3)\nnetwork {network}\n"
        "role A { durable n: 0..2 = 0 action Go when n < 2 { n += 1  send M(3) to B } }\nrole B { on M(n) { } }\n"
        "final: true check c { }"
    )
    message = {"kind": "M", "from": "A", "to": "B", "fields": {"n": {"#bigint": "3"}}}
    for network, wanted in [
        ("bag[2]", {"#map": [[message, {"#bigint": "2"}]]}),
        ("fifo[2]", {"#map": [[{"#tup": ["A", "B"]}, [message, message]]]}),
        ("soup", {"#set": [message]}),
    ]:
        walk = Walk(checker.loads(text.replace("{network}", network)).machine())
        for _ in range(2):
            walk.take(next(c for c in walk.choices() if c.name == "A.Go()"))
        assert ItfStates(walk.view).value(walk.states[-1], "$network") == wanted


def test_what_is_written_can_be_read() -> None:
    walk, _ = random_walk(checker.loads(EVERYTHING).machine(), 5, 30)
    written = document(walk.path(), walk.view)
    trace = parse_itf(json.dumps(written).encode())
    assert list(trace.names) == written["vars"]
    assert [s.step for s in trace.states] == [None, *walk.names]
    for state, read in zip(walk.states, trace.states, strict=True):
        assert read.keys == {n: key_of(v) for n, v in ItfStates(walk.view).state(state).items()}


# ---- strangers


def doc(**more: object) -> dict[str, object]:
    return {"vars": ["x"], "states": [{"x": {"#bigint": "1"}}], **more}


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "it is not JSON"),
        ("\0\xff", "it is not JSON"),
        ("[]", "it is no object"),
        ("{}", "`vars` is no list of names"),
        ('{"vars": ["x"], "vars": ["y"], "states": []}', "`vars` stands twice in one object"),
        (doc(vars=["x", "x"]), "a name stands twice in `vars`"),
        (doc(vars=[1]), "`vars` is no list of names"),
        (doc(states=[]), "`states` is no list, or empty"),
        (doc(states=[3]), "state 0 is no object"),
        (doc(states=[{}]), "state 0 has no variables"),
        (doc(states=[{"y": 1}]), "state 0 has `y`, which `vars` does not name"),
        (doc(states=[{"x": None}]), "`x` in state 0 has a value that ITF does not have: null"),
        (doc(states=[{"x": 1.5}]), "`1.5` is no whole number"),
        ('{"vars": ["x"], "states": [{"x": NaN}]}', "`NaN` is no whole number"),
        (doc(states=[{"x": {"#bigint": "1x"}}]), "malformed `#bigint`"),
        (doc(states=[{"x": {"#bigint": "9" * 2000}}]), "malformed `#bigint`"),
        (doc(states=[{"x": {"#bigint": 1}}]), "malformed `#bigint`"),
        (doc(states=[{"x": {"#set": 1}}]), "malformed `#set`"),
        (doc(states=[{"x": {"#map": [[1]]}}]), "malformed `#map`"),
        (doc(states=[{"x": {"#map": [[1, 2], [1, 3]]}}]), "a map with a key that stands twice"),
        (doc(states=[{"x": {"#set": [], "y": 1}}]), "a value that ITF does not have"),
        (doc(states=[{"x": {"#unserializable": "Int"}}]), "malformed `#unserializable`"),
        (doc(states=[{"x": json.loads("[" * 80 + "]" * 80)}]), f"nested deeper than {MOST_DEPTH} levels"),
        ("[" * 100_000, "nested deeper"),
        ('{"vars": ["x"], "states": [{"x": ' + "9" * 5000 + "}]}", "it is not JSON that ITF allows"),
        (doc(loop=1), "`loop` is not the number of a state"),
        (doc(loop=True), "`loop` is not the number of a state"),
        (doc(states=[{"x": 1}] * 20_001), "it has 20,001 states"),
    ],
    ids=lambda value: value if isinstance(value, str) and len(value) < 60 and "\0" not in value else "",
)
def test_what_is_no_trace_is_refused(text: object, why: str) -> None:
    data = (text if isinstance(text, str) else json.dumps(text)).encode("latin-1")
    with pytest.raises(SpecError) as problem:
        parse_itf(data, "t.json")
    (diagnostic,) = problem.value.diagnostics
    assert diagnostic.code == "PSM905"
    assert diagnostic.message.startswith("t.json cannot be used as a trace: ")
    assert why in diagnostic.message
    assert len(diagnostic.message) < 300


@given(st.binary(max_size=200))
def test_any_bytes(data: bytes) -> None:
    with pytest.raises(SpecError, match="PSM905"):
        parse_itf(data)


values = st.recursive(
    st.booleans() | st.integers() | st.text(max_size=3) | st.none() | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["a", "#set", "#map", "#tup", "#bigint", "tag", "value"]), inner, max_size=2)
    ),
    max_leaves=8,
)


@given(values)
def test_any_value(value: object) -> None:
    data = json.dumps({"vars": ["x"], "states": [{"x": value}]}).encode()
    try:
        trace = parse_itf(data)
    except SpecError as problem:
        (diagnostic,) = problem.diagnostics
    else:
        hash(trace.states[0].keys["x"])
        show_itf(trace.states[0].values["x"])
        return
    assert diagnostic.code == "PSM905"


def test_equal_values_are_equal() -> None:
    assert key_of({"#set": [1, {"#bigint": "02"}]}) == key_of({"#set": [2, {"#bigint": "1"}, 1]})
    assert key_of({"#map": [["a", 1], ["b", 2]]}) == key_of({"#map": [["b", 2], ["a", 1]]})
    assert key_of({"#tup": [1]}) == key_of([1])
    different = [1, True, "1", [1], {"#set": [1]}, {"#map": []}, {"a": 1}, {"#set": []}, []]
    assert len({key_of(v) for v in different}) == len(different)
