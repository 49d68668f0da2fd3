"""The graph that several workers write is the one that a single worker writes, but for the numbers of states and units."""

from __future__ import annotations

from collections import Counter
from ctypes import addressof, c_uint32, c_uint64, memmove
from pathlib import Path
from random import Random
from typing import Any

import pytest

import checker
from checker.engine.interface import Limits, Stop
from checker.engine.liveness.graph import Graph
from checker.engine.search import Interpreter
from checker.model.machine import Machine
from checker.native import abi, graphs, jit
from checker.native.edges import layout, linking, numbering
from checker.native.engine import NativeEngine
from checker.native.kernels.table import publish
from tests.liveness.test_engines import RING
from tests.liveness.test_random import machine_of, refused
from tests.random_specs import live_spec

pytestmark = pytest.mark.skipif(jit.unavailable() is not None, reason=jit.unavailable() or "")

COMMIT = Path(__file__).parents[2] / "specs/transactions/two_phase_commit.psm"

Written = tuple[Counter[Any], Counter[Any], Counter[Any]]


def written(machine: Machine, workers: int, monkeypatch: pytest.MonkeyPatch) -> Written:
    """Edges, the sets of edges that have a unit in common, and vertices, with states in place of numbers."""
    found: list[Written] = []
    make = graphs.StoredGraph.make

    def look(self: graphs.StoredGraph) -> Graph:
        graph = make(self)

        def named(v: int) -> object:
            return self.state(v) if v < graph.states else ("inner", self.state(graph.owner[v - graph.states]))

        edges: list[tuple[object, object, int]] = []
        for v in range(graph.vertices):
            assert graph.first[v] <= graph.first[v + 1]
            for e in range(graph.first[v], graph.first[v + 1]):
                assert graph.unit[e] < graph.units
                edges.append((named(v), named(graph.target[e]), graph.unit[e]))
        units: dict[int, Counter[object]] = {}
        for source, target, unit in edges:
            units.setdefault(unit, Counter())[source, target] += 1
        assert len(units.keys() - {0}) == graph.units - 1, "every number is in use"
        kinds = Counter((bool(u), graph.strong[u], frozenset(of.items())) for u, of in units.items())
        vertices = Counter((named(v), graph.flags[v]) for v in range(graph.vertices))
        found.append((Counter((a, b) for a, b, _ in edges), kinds, vertices))
        return graph

    with monkeypatch.context() as patch:
        patch.setattr(graphs.StoredGraph, "make", look)
        stop = NativeEngine(workers, level=0).explore(machine, Limits()).stop
    assert stop is Stop.DONE
    (only,) = found
    return only


@pytest.fixture
def many_rounds(monkeypatch: pytest.MonkeyPatch) -> None:
    """All workers take part in small graphs, too, a few states and a few bytes at a time; tables of units have to grow."""
    for name, value in (("LARGE", 0), ("QUANTUM", 5), ("PIECE", 40), ("UNIT_BITS", 8)):
        monkeypatch.setattr(graphs, name, value)


@pytest.mark.usefixtures("many_rounds")
@pytest.mark.parametrize("workers", [2, 3])
@pytest.mark.parametrize(
    "machine",
    [checker.loads(RING).machine("listed"), checker.load(COMMIT).machine("small")],
    ids=["ring", "two-phase commit"],
)
def test_workers_write_one_graph(machine: Machine, workers: int, monkeypatch: pytest.MonkeyPatch) -> None:
    alone = written(machine, 1, monkeypatch)
    for _ in range(3):  # who is first at a unit is chance
        assert written(machine, workers, monkeypatch) == alone


@pytest.mark.usefixtures("many_rounds")
def test_workers_write_the_graphs_of_random_specs(monkeypatch: pytest.MonkeyPatch) -> None:
    sizes = []
    for seed in range(12):
        machine = machine_of(live_spec(Random(seed)))
        if refused(machine, Interpreter()):
            continue
        alone = written(machine, 1, monkeypatch)
        assert written(machine, 3, monkeypatch) == alone
        sizes.append(len(alone[0]))
    assert max(sizes) > 100


@pytest.mark.usefixtures("many_rounds")
@pytest.mark.parametrize("workers", [1, 3])
@pytest.mark.parametrize("tag", [0, 1])
def test_states_that_look_alike_are_told_apart(tag: int, workers: int, monkeypatch: pytest.MonkeyPatch) -> None:
    machine = checker.loads(RING).machine("listed")
    twins: list[int] = []
    link = graphs.StoredGraph._link

    def counted(self: graphs.StoredGraph) -> None:
        twins.append(sum(share.block[layout.TWINS] for share in self._shares))
        link(self)

    monkeypatch.setattr(graphs.StoredGraph, "_link", counted)
    usual = written(machine, 1, monkeypatch)
    monkeypatch.setattr(numbering, "TAG", tag)
    monkeypatch.setenv("LOCKSTEP_CACHE_DIR", "off")
    assert written(machine, workers, monkeypatch) == usual
    assert twins[0] == 0 < twins[1]


def test_a_slot_that_another_worker_takes_meanwhile_is_not_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    units, work = ((c_uint64 * words)() for words in (layout.UNIT_WORDS, layout.WORDS))
    table, strong, fairness = (c_uint64 * (3 * 16))(), (c_uint32 * 4)(), (c_uint32 * 4)(0, 1, 2)
    units[layout.UNIT_TABLE], units[layout.UNIT_SHIFT], units[layout.UNIT_COUNT] = addressof(table), 60, 1
    units[layout.UNIT_STRONG], units[layout.UNIT_FAIRNESS] = addressof(strong), addressof(fairness)
    work[layout.UNITS], work[layout.CLAIMS] = addressof(units), 2
    place_for = linking.place_for
    ours = place_for(addressof(units), 1, 50)
    key = next(key for key in range(1000) if place_for(addressof(units), 2, key) == ours)
    theirs = (c_uint64 * 3)(2, key, 1)

    def overtaken(at: int, unit: int, other: int) -> int:
        slot = place_for(at, unit, other)
        monkeypatch.setattr(linking, "place_for", place_for)
        memmove(slot, theirs, 24)
        units[layout.UNIT_COUNT] = 2
        return slot

    monkeypatch.setattr(linking, "place_for", overtaken)
    numbers = [linking.number_of(0, addressof(work), *unit) for unit in ((1, 50), (2, key), (1, 50), (2, 1000))]
    assert numbers == [2, 1, 2, 3]
    assert list(strong) == [0, 0, 0, 1]
    assert work[layout.CLAIMS] == 0


def test_a_state_that_another_worker_numbers_meanwhile_may_look_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    work, table, notes, flags = (c_uint64 * layout.WORDS)(), (c_uint64 * 16)(), (c_uint64 * 4)(), (c_uint32 * 9)()
    context, shared = (c_uint64 * abi.CTX_WORDS)(), (c_uint64 * abi.SHARED_WORDS)()
    records, references = (c_uint64 * 2)(), (c_uint64 * 9)()
    context[abi.CTX_SHARED], shared[abi.SHARED_WORKERS] = addressof(shared), 2
    for word, value in (
        (layout.NEXT, 7),
        (layout.PAUSE, 8),
        (layout.REFERENCES, addressof(references)),
        (layout.TABLE, addressof(table)),
        (layout.TABLE_SHIFT, 60),
        (layout.HASHES, addressof(notes)),
        (layout.HASHES_END, addressof(notes) + 32),
        (layout.FLAGS, addressof(flags)),
    ):
        work[word] = value

    def overtaken(at: int, slot: int, value: int) -> int:
        monkeypatch.setattr(numbering, "publish", publish)
        table[3] = (5 << 32) | 1
        return publish(at, slot, value)

    monkeypatch.setattr(numbering, "hash_of", lambda record: (3 << 60) | 5)
    monkeypatch.setattr(numbering, "record_at", lambda shared, ref: addressof(records))
    monkeypatch.setattr(numbering, "publish", overtaken)
    numbering.index(addressof(context), addressof(work))
    assert (table[3], table[4], work[layout.TWINS], work[layout.NEXT]) == ((5 << 32) | 1, (5 << 32) | 8, 1, 8)
