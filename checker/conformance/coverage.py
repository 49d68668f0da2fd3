"""How much of a spec tests have exercised, merged over all of them.

Everything is read off the transitions that an implementation took and that matched:

- **steps** of the spec, by the names that coverage has everywhere;
- **transitions** of the enumerated graph of a check, with its bound: 812 of 1,024 transitions of N = 2;
- **conjuncts** of guards that were the first false one in a state that the implementation was in;
- **branches**: how each `either` and `toss` came out, for each step;
- **fault × step**: a step taken after a fault of that kind had struck. Budgets are a part of the state, so a transition tells
  by itself which faults lie before it.

What is possible is counted on the enumerated graph, up to a limit of states; beyond it there are numbers of what was taken and
no totals. Transitions are known by their state and their name, so a run that was followed on a graph of its own (`growing`)
counts for the same totals as a replay.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import field, replace
from functools import cached_property
from hashlib import blake2b
from typing import Any

from checker.base.data import dataclass
from checker.conformance.growing import Graph
from checker.engine.graph import Edge, StateGraph, state_graph
from checker.engine.interface import Limits
from checker.engine.labels import Labels
from checker.engine.runtime import State
from checker.model.machine import Machine
from checker.model.values import show_value

MOST_STATES = 50_000
"""How large a graph may be to be enumerated for totals."""


@dataclass(frozen=True, slots=True)
class Share:
    """What was exercised of something that can be counted, by name; `possible` is None if it is not known."""

    taken: frozenset[str]
    possible: frozenset[str] | None

    @property
    def total(self) -> int | None:
        """How much there is."""
        return None if self.possible is None else len(self.possible)

    @property
    def ratio(self) -> float | None:
        """Between 0 and 1; None if it is not known, or there is nothing."""
        return None if not self.possible else len(self.taken) / len(self.possible)

    @property
    def missing(self) -> tuple[str, ...]:
        """The names of what was not exercised."""
        return tuple(sorted((self.possible or frozenset()) - self.taken))

    def merged(self, other: Share) -> Share:
        """Both together."""
        possible = None if self.possible is None or other.possible is None else self.possible | other.possible
        return Share(self.taken | other.taken, possible)

    def __str__(self) -> str:
        return f"{len(self.taken):,}" if self.total is None else f"{len(self.taken):,} of {self.total:,}"


PARTS = ("steps", "transitions", "conjuncts seen false", "branches", "fault × step")
"""The names of what is counted, in order."""


@dataclass(frozen=True, slots=True)
class Summary:
    """The coverage of one check. `bound` is its constants; `parts` has a share for each of `PARTS`.

    Transitions are named by their numbers in the enumerated graph, those outside of it by a hash that begins with `x`.
    """

    spec: str
    check: str
    bound: str
    parts: Mapping[str, Share]

    @property
    def transitions(self) -> Share:
        """That of transitions."""
        return self.parts["transitions"]

    def merged(self, other: Summary) -> Summary:
        """Both together; they have to be of the same check."""
        return replace(self, parts={name: share.merged(other.parts[name]) for name, share in self.parts.items()})

    def document(self) -> dict[str, Any]:
        """As JSON, with everything that merging needs."""
        return {
            "spec": self.spec,
            "check": self.check,
            "bound": self.bound,
            "parts": {
                name: {
                    "taken": sorted(share.taken),
                    "possible": None if share.possible is None else sorted(share.possible),
                }
                for name, share in self.parts.items()
            },
        }

    def __str__(self) -> str:
        shares = ", ".join(f"{share} {name}" for name, share in self.parts.items() if share.total != 0)
        bound = f" of {self.bound}" if self.bound else ""
        return f"{self.spec}, check {self.check}{bound}: {shares}"


def summary_of(document: Mapping[str, Any]) -> Summary:
    """A summary from its JSON."""
    parts = {
        name: Share(frozenset(part["taken"]), None if part["possible"] is None else frozenset(part["possible"]))
        for name, part in document["parts"].items()
    }
    return Summary(document["spec"], document["check"], document["bound"], parts)


def merged(summaries: Iterable[Summary]) -> tuple[Summary, ...]:
    """One summary for each check and its constants, in order of appearance."""
    found: dict[tuple[str, str, str], Summary] = {}
    for summary in summaries:
        key = summary.spec, summary.check, summary.bound
        found[key] = found[key].merged(summary) if key in found else summary
    return tuple(found.values())


@dataclass(slots=True)
class _Facts:
    """What some transitions exercise."""

    steps: set[str] = field(default_factory=set)
    branches: set[str] = field(default_factory=set)
    faults: set[str] = field(default_factory=set)

    def add(self, labels: Labels, counts: Mapping[str, int], state: State, edge: Edge) -> None:
        """Adds a transition."""
        self.steps.add(edge.unit)
        answers = [str(value + 1) for label, value in edge.move.labels if label in ("either", "toss")]
        if answers:
            self.branches.add(f"{edge.unit} × branch {', '.join(answers)}")
        for key, slot in labels.layout.budgets.items():
            if state[slot] < counts.get(key, 0):
                self.faults.add(f"{key} × {edge.unit}")


class Coverage:
    """What was taken of one check. `add` merges, so one object serves all tests of a run."""

    def __init__(self, machine: Machine, *, graph: StateGraph | None = None, most: int = MOST_STATES) -> None:
        self.machine = machine
        self._most = most
        self._given = graph
        self._taken: set[tuple[State, str]] = set()
        self._facts = _Facts()
        self.faults = 0
        """How many different transitions that were taken are faults; `begun` of them struck after something had begun."""
        self.begun = 0
        self._counts = {budget.key: budget.count for budget in machine.budgets}

    def add(self, graph: Graph, numbers: Iterable[int]) -> None:
        """Adds transitions that an implementation took."""
        initial = {graph.states[number] for number in graph.initial}
        for number in numbers:
            edge = graph.edges[number]
            state = graph.states[edge.source]
            if (state, edge.label) not in self._taken:
                self._taken.add((state, edge.label))
                self.faults += edge.fault
                self.begun += edge.fault and state not in initial
                self._facts.add(graph.labels, self._counts, state, edge)

    @cached_property
    def graph(self) -> StateGraph:
        """The enumerated graph, as far as the limit allows."""
        return self._given or state_graph(self.machine, Limits(max_states=self._most))

    # ---- the result

    def never(self, treated: Iterable[str]) -> tuple[str, ...]:
        """Of these steps, those that can be taken in this check and never were."""
        possible = {edge.unit for edge in self.graph.edges}
        return tuple(unit for unit in treated if unit in possible and unit not in self._facts.steps)

    def summary(self) -> Summary:
        """Everything in sets that can be merged and counted."""
        graph, facts = self.graph, self._facts
        possible = _Facts()
        numbers: dict[tuple[State, str], str] = {}
        for number, edge in enumerate(graph.edges):
            possible.add(graph.labels, self._counts, graph.states[edge.source], edge)
            numbers[graph.states[edge.source], edge.label] = str(number)
        taken = frozenset(numbers.get(key) or _hash(key) for key in self._taken)

        def share(mine: Iterable[str], every: Iterable[str]) -> Share:
            return Share(frozenset(mine), frozenset(every) if graph.complete else None)

        shares = (
            share(facts.steps, possible.steps),
            share(taken, numbers.values()),
            share(self._blocked({state for state, _ in self._taken}), self._blocked(graph.states)),
            share(facts.branches, possible.branches),
            share(facts.faults, possible.faults),
        )
        bound = ", ".join(f"{name} = {show_value(t, value)}" for name, (t, value) in self.machine.constants.items())
        return Summary(self.machine.spec, self.machine.check, bound, dict(zip(PARTS, shares, strict=True)))

    def _blocked(self, states: Iterable[State]) -> list[str]:
        """The conjuncts that are the first false one in some of these states."""
        texts = [f"{step.label}: {part}" for step in self.machine.steps for part in step.conjuncts]
        steps = self.graph.labels.steps
        with steps.uncounted() as counters:
            for state in states:
                steps.expand(state)
            return [text for text, found in zip(texts, counters.blocked, strict=True) if found]


def _hash(key: tuple[State, str]) -> str:
    return "x" + blake2b(repr(key).encode(), digest_size=8).hexdigest()
