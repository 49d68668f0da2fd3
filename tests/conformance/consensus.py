"""What the tests of Raft, Paxos and PBFT share: graphs under constants, and how a mistake is found."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Literal

import checker
from checker.conformance.adapter import Adapter
from checker.conformance.mismatch import Mismatch
from checker.conformance.probe import probe_all
from checker.conformance.replay import Outcome, replay_all
from checker.engine.graph import StateGraph
from checker.model.machine import Machine

SPECS = Path(__file__).resolve().parents[2] / "specs/consensus"

Make = Callable[[Machine], Adapter]


@lru_cache(maxsize=4)  # the large ones take hundreds of megabytes
def graph_of(spec: str, check: str, **constants: int) -> StateGraph:
    return checker.load(SPECS / f"{spec}.psm").graph(check, constants=constants)


def conforms(make: Make, graph: StateGraph, transitions: int, unseen: tuple[str, ...] = ()) -> None:
    """Takes every transition of the graph; of one that a bound cuts, every transition inside of it."""
    result = replay_all(make(graph.machine), graph)
    assert result.mismatch is None, result.mismatch.text()
    assert result.outcome is (Outcome.CONFORMS if graph.complete else Outcome.INCOMPLETE)
    assert result.taken == result.total == transitions
    assert result.unseen == unseen


def refuses(make: Make, graph: StateGraph, tried: int) -> None:
    """Tries in every state what the spec forbids there."""
    result = probe_all(make(graph.machine), graph)
    assert result.mismatch is None, result.mismatch.text()
    assert (result.states, result.tried) == (len(graph.states), tried)


@dataclass(frozen=True, slots=True)
class Caught:
    """How a mistake is found: `by` asks for what the spec allows (`replay`) or for what it forbids (`probe`). `after` steps that
    match, `step` does not, and `shows` is what then differs.
    """

    mistake: str
    by: Literal["replay", "probe"]
    where: str
    after: int
    step: str
    shows: tuple[str, ...]

    def check(self, make: Make, graph: StateGraph) -> None:
        adapter = make(graph.machine)
        found: Mismatch | None = (replay_all if self.by == "replay" else probe_all)(adapter, graph).mismatch
        assert found is not None
        assert found.problem is None
        assert (len(found.matched), found.step, found.differing) == (self.after, self.step, self.shows)
