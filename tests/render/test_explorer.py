"""The data of the explorer is the state graph, and its paths are the traces of the properties."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import checker
from checker.engine.graph import StateGraph, state_graph
from checker.engine.labels import StateView
from checker.model.layout import Layout
from checker.model.machine import Machine
from checker.model.types import BagT, EnumT, IntT, MapT, OptT, RecordT, SeqT, SetT
from checker.properties.kinds import CheckResult
from checker.render import explorer
from checker.render.explorer import CUT, OUTSIDE, explorer_data, tree
from checker.render.values import Names

ROOT = Path(__file__).resolve().parents[2]
COMMIT = "transactions/two_phase_commit.psm"

BAD = """spec Bad
role R { durable x: 0..2 = 0  action Up { x += 1 } action Down when x > 0 { x -= 1 } }
invariant Low: R.x < 2
final: true
check whole { expect fails Low, NoError }
check bounded { bound R.x < 2  expect fails Low }
"""


def made(path: str, check: str) -> tuple[Machine, CheckResult, dict[str, Any]]:
    spec = checker.load(ROOT / "specs" / path)
    machine = spec.machine(check)
    result = spec.check(check)
    return machine, result, explorer_data(machine, result)


def decoded(data: dict[str, Any], places: int) -> list[list[int]]:
    """The rows of all states, as a reader of the data makes them."""
    rows: list[list[int]] = []
    for parent, *differences in data["states"]:
        row = [-1] * places if parent < 0 else rows[parent].copy()
        for at, value in zip(differences[::2], differences[1::2], strict=True):
            row[at] = value
        rows.append(row)
    return rows


@pytest.mark.parametrize(
    ("path", "check"),
    [(COMMIT, "small"), ("transactions/two_phase.psm", "three"), ("transactions/outbox.psm", "calm")],
)
def test_states_and_steps_are_those_of_the_graph(path: str, check: str) -> None:
    machine, _, data = made(path, check)
    graph = state_graph(machine)
    view = StateView(Layout(machine))
    rows = decoded(data, len(data["places"]))
    names = Names(machine)
    shown = [
        {
            **{
                p: values[n] for p, n, values in zip(data["places"], row, data["values"], strict=True) if p != "network"
            },
            "network": [data["messages"][m] for m in data["values"][-1][row[-1]]],
        }
        for row in rows
    ]
    expected = [
        {
            **{p: tree(names.types.get(p), v) for p, v in view.variables(s).items()},
            "network": view.network(s),
        }
        for s in graph.states
    ]
    assert data["complete"]
    assert sorted(map(repr, shown)) == sorted(map(repr, expected))
    assert edges_of(data, shown) == edges_of_graph(graph, expected)


def edges_of(data: dict[str, Any], shown: list[dict[str, Any]]) -> list[str]:
    return sorted(
        f"{shown[n]} {data['steps'][step][0]} {shown[target]}"
        for n, edges in enumerate(data["edges"])
        for step, target in zip(edges[::2], edges[1::2], strict=True)
    )


def edges_of_graph(graph: StateGraph, expected: list[dict[str, Any]]) -> list[str]:
    return sorted(f"{expected[e.source]} {e.label} {expected[e.target]}" for e in graph.edges)


@pytest.mark.parametrize("most", [explorer.MOST_STATES, 10])
@pytest.mark.parametrize("path", [COMMIT, None])
def test_paths_are_the_traces(path: str | None, most: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(explorer, "MOST_STATES", most)
    monkeypatch.setattr(explorer, "SOME_STATES", 20)
    if path is None:
        spec = checker.loads(BAD)
        machine, result = spec.machine("whole"), spec.check("whole")
        data = explorer_data(machine, result)
    else:
        machine, result, data = made(path, "heuristic")
    shown = [p for p in result.properties if p.trace is not None]
    assert [p["name"] for p in data["properties"]] == [p.name for p in shown]
    assert shown
    for found, expected in zip(data["properties"], shown, strict=True):
        first, *indices = found["path"]
        state = data["initial"][first]
        steps = []
        for index in indices:
            edges = data["edges"][state]
            assert isinstance(edges, list), "a path leads to where the data ends"
            steps.append(data["steps"][edges[2 * index]][0])
            state = edges[2 * index + 1]
        trace = expected.trace
        assert trace is not None
        assert steps == [*(s.step for s in trace.steps), *([] if trace.error is None else [trace.error])]
        assert found["loop"] == trace.loop
        assert (state < 0) == (trace.error is not None)
        assert state < 0 or isinstance(data["edges"][state], list), "the end of a path can be left"


def test_a_run_without_end_comes_back() -> None:
    spec = checker.loads(
        "spec Turn\nrole R { durable x: 0..3 = 0 action Go when x < 3 { x += 1 } action Back when x == 3 { x := 1 } }\n"
        "live Rests: eventually always R.x == 0\nfinal: true\ncheck c { expect fails Rests }\n"
    )
    data = explorer_data(spec.machine("c"), spec.check("c"))
    found = next(p for p in data["properties"] if p["name"] == "Rests")
    states = [data["initial"][0]]
    for index in found["path"][1:]:
        states.append(data["edges"][states[-1]][2 * index + 1])
    assert found["loop"] is not None
    assert states[-1] == states[found["loop"]]


def test_errors_and_bounds() -> None:
    spec = checker.loads(BAD)
    data = explorer_data(spec.machine("whole"), spec.check("whole"))
    error = next(p for p in data["properties"] if p["name"] == "NoError")
    state = data["initial"][0]
    for index in error["path"][1:-1]:
        state = data["edges"][state][2 * index + 1]
    target = data["edges"][state][2 * error["path"][-1] + 1]
    assert target < 0
    text, line = data["errors"][-1 - target]
    assert "PSM601" in text
    assert line == 2
    assert data["complete"]
    bounded = explorer_data(spec.machine("bounded"), spec.check("bounded"))
    assert OUTSIDE in bounded["edges"]
    assert CUT not in bounded["edges"]


def test_states_outside_of_the_bound_are_not_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    """A check of three states is given whole, although seven more are seen from them."""
    spec = checker.loads(
        "spec Wide\nrole R { durable x: 0..2 = 0 durable y: 0..7 = 0 action Up when x < 2 { x += 1 }\n"
        "action Far(n: 1..7) when x == 2 { y := n } }\nfinal: true\ncheck c { bound R.y == 0 }\n"
    )
    result = spec.check("c")
    monkeypatch.setattr(explorer, "MOST_STATES", 3)
    monkeypatch.setattr(explorer, "SOME_STATES", 2)
    data = explorer_data(spec.machine("c"), result)
    assert (result.states, data["complete"], data["edges"].count(OUTSIDE), len(data["states"])) == (3, True, 7, 10)
    monkeypatch.setattr(explorer, "MOST_STATES", 2)
    assert not explorer_data(spec.machine("c"), result)["complete"]


def test_a_large_graph_says_where_its_data_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(explorer, "MOST_STATES", 10)
    monkeypatch.setattr(explorer, "SOME_STATES", 20)
    _, result, data = made(COMMIT, "heuristic")
    assert not data["complete"]
    assert CUT in data["edges"]
    assert len(data["states"]) < result.states
    assert data["refusals"][data["edges"].index(CUT)] == -1
    longest = max(len(p["path"]) for p in data["properties"])
    assert longest > 5


def test_no_key_is_a_name_of_the_spec() -> None:
    """Such as `__proto__`, which is no key like others where the data is read."""
    spec = checker.loads(
        "spec Keys\nrole __proto__ { durable constructor: Set[0..1] = {} action toString { constructor += 1 } }\nfinal: true\n"
    )
    data = explorer_data(spec.machine(), spec.check())
    assert set(data) | {k for p in data["properties"] for k in p} <= set(
        "abstract calls check complete edges errors expected faulty format initial kind lists loop messages name path places"
        " processes properties reason reasons refusals spec states steps values verdict version waits".split()
    )


def test_trees() -> None:
    small = IntT(0, 3)
    record = RecordT("Pair", (("a", small), ("b", OptT(SetT(small)))))
    assert tree(record, {"a": 1, "b": None}) == ["r", "Pair", "a", "1", "b", "none"]
    assert tree(record, {"a": 1, "b": [2]}) == ["r", "Pair", "a", "1", "b", ["{", "2"]]
    assert tree(MapT(EnumT("E", ("u", "v")), SeqT(small, 2)), {"u": [], "v": [0, 1]}) == [
        "m",
        "u",
        ["["],
        "v",
        ["[", "0", "1"],
    ]
    assert tree(BagT(small, 2), [1, 1]) == ["b", "1", "1"]
