"""Replay: takes an implementation along paths of its spec and compares the states after every step.

The state graph of a small check holds every situation that the protocol can get into within the check's bounds, so an
implementation that follows the spec along every transition does in each of them what the spec says. A step is compared in
three ways: the implementation must be able to take it, must take it without an error, and must then show the state that the
spec has, as far as it lets itself be seen. That it does nothing else is what `probe` finds out.

The first difference ends a replay: what follows it means nothing. It is found in the middle of a long walk, so the same kind
of step is then tried on the shortest paths to it, nearest first, for an example that is easy to read.

A result says how much was compared, too: transitions of the graph, and variables that were ever seen. A replay that left out
what it could have taken is `incomplete`, and never counts as conformance.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from enum import Enum

from checker.base.data import dataclass
from checker.conformance.adapter import Adapter
from checker.conformance.cover import Path, Ways, cover
from checker.conformance.mapping import Treatment
from checker.conformance.mismatch import Mismatch
from checker.conformance.run import Run
from checker.engine.graph import Edge, StateGraph

MAX_TRIES = 1_000
"""How many shorter paths are tried for a mismatch."""


class Outcome(Enum):
    """What a replay came to."""

    CONFORMS = "conforms"
    MISMATCH = "mismatch"
    INCOMPLETE = "incomplete"


@dataclass(frozen=True, slots=True)
class Replay:
    """The result of a replay.

    Attributes:
        spec: the name of the spec; `check` is that of the check whose graph was followed.
        paths: how many paths were begun; `steps` is how many steps of them matched.
        taken: how many transitions of the graph were compared at least once.
        total: how many transitions it has.
        left_out: those that cannot be reached without a step that the adapter declares unsupported.
        bounded: whether the graph itself is only a part of what the spec allows.
        seen: the variables of the spec, and `network`, that were observed at least once; `unseen` are the others.
        mismatch: where the implementation left the spec, if it did.
    """

    spec: str
    check: str
    paths: int
    steps: int
    taken: int
    total: int
    left_out: int
    bounded: bool
    seen: tuple[str, ...]
    unseen: tuple[str, ...]
    mismatch: Mismatch | None = None

    @property
    def outcome(self) -> Outcome:
        """Whether the implementation conforms, as far as this replay goes."""
        if self.mismatch is not None:
            return Outcome.MISMATCH
        whole = self.taken + self.left_out == self.total and not self.bounded
        return Outcome.CONFORMS if whole and self.taken and self.seen else Outcome.INCOMPLETE

    def __str__(self) -> str:
        """One line with everything that the outcome rests on."""
        left = f" ({self.left_out:,} left out as unsupported)" if self.left_out else ""
        bounded = "; the graph is only a part of what the spec allows" if self.bounded else ""
        return (
            f"{self.outcome.value}: {self.taken:,} of {self.total:,} transitions{left} of {self.spec}, check "
            f"{self.check}, in {self.paths:,} paths and {self.steps:,} steps; "
            f"{len(self.seen)} of {len(self.seen) + len(self.unseen)} variables observed{bounded}"
        )


def replay_all(adapter: Adapter, graph: StateGraph, *, longest: int | None = None) -> Replay:
    """Replays paths that together take every transition of the graph which the adapter supports; `longest` as in `cover`."""
    return replay(adapter, graph, cover(graph, avoid=unsupported_by(adapter), longest=longest).paths)


def replay(adapter: Adapter, graph: StateGraph, paths: Iterable[Path]) -> Replay:
    """Takes an adapter along paths, up to the first mismatch.

    Raises:
        ObservationError: the adapter observes something that is no variable of the spec.
    """
    return replayed(adapter, graph, paths)[0]


def replayed(adapter: Adapter, graph: StateGraph, paths: Iterable[Path]) -> tuple[Replay, Run]:
    """The same, with the run, whose `taken` and `seen` coverage needs."""
    ways = Ways(graph, unsupported_by(adapter))
    run = Run(adapter, graph, ways)
    mismatch: Mismatch | None = None
    count = 0
    for path in paths:
        count += 1
        mismatch = run.follow(path, graph.edges[path[0]].source if path else graph.initial[0])
        if mismatch is not None:
            break
    result = Replay(
        spec=graph.machine.spec,
        check=graph.machine.check,
        paths=count,
        steps=run.steps,
        taken=len(run.taken),
        total=len(graph.edges),
        left_out=len(graph.edges) - sum(len(ways.out[state]) for state in ways.reachable),
        bounded=not graph.complete,
        seen=tuple(name for name in run.comparison.observable if name in run.seen),
        unseen=tuple(name for name in run.comparison.observable if name not in run.seen),
    )
    return (result if mismatch is None else replace(result, mismatch=_nearest(run, ways, mismatch))), run


def unsupported_by(adapter: Adapter) -> Callable[[Edge], bool]:
    """Tells which transitions an adapter cannot take."""
    return lambda edge: adapter.treatment(edge.unit) is Treatment.UNSUPPORTED


def _nearest(run: Run, ways: Ways, found: Mismatch) -> Mismatch:
    """The first mismatch on a shortest path to a step of the same kind, nearest first; the one found, if none is nearer."""
    if not found.path:
        return found
    unit = run.graph.edges[found.path[-1]].unit
    tries = 0
    for state in ways.reachable:
        way = ways.shortest(state)
        if len(way) + 1 >= len(found.path):
            break
        for number in ways.out[state]:
            if run.graph.edges[number].unit != unit:
                continue
            tries += 1
            mismatch = run.follow((*way, number), ways.start(state))
            if mismatch is not None:
                return mismatch
            if tries == MAX_TRIES:
                return found
    return found
