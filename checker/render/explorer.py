"""The state graph of a check as data for the explorer, a page's tool for walking through it.

The explorer asks nothing of anybody: what it shows was computed here. For each state there is its value at every place, the
enabled steps with where they lead, and the steps that are refused with the reason; for each property with a trace, the path
to follow. Everything is in tables and refers to them by number, so that ten thousand states take a few hundred kilobytes:

- a state is the number of the state that it was found from, and the places whose values differ, with the values;
- a value is a tree (`tree`) which the explorer shows and compares as `render.values` does; a network is a list of messages;
- steps, messages and lists of refusals are written once. No key of the data is a name from the spec.

Which states? All, where a check has at most `MOST_STATES`. Otherwise those around the paths of its properties and its initial
states, by distance: counterexamples can be followed to their end, and left at any point for some steps. Where the data ends,
it says so (`CUT`, `OUTSIDE`), and the explorer shows it. States outside of the bound are not counted, as in the result.

A path is an initial state and the numbers of the steps among those that its states offer, in the order of the step relation. The
same numbers stand in addresses, so an address stays good as long as the spec and the order of steps do.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import field
from itertools import count
from typing import Any

from checker.base.data import dataclass
from checker.engine.program import Program
from checker.engine.refusals import Refusals
from checker.engine.replay import Mismatch, Replay
from checker.engine.runtime import State
from checker.model.machine import Machine
from checker.model.types import BagT, MapT, OptT, RecordT, SeqT, SetT, Type
from checker.properties.kinds import AbstractStep, CheckResult, Json, PropertyResult, Trace
from checker.render.events import cast, event_of
from checker.render.plain import clean
from checker.render.values import Names, show

FORMAT, VERSION = "lockstep-explorer", 1

MOST_STATES = 10_000
"""The most states of a graph that is given whole, without those outside of its bound."""

SOME_STATES = 2_000
"""So many are given of a larger one."""

CUT, OUTSIDE = 0, 1
"""In place of the steps of a state: the data ends here, and the state is outside the bound of the check."""

FAULT, FORGED, LOST, DOWN, UP = 1, 2, 4, 8, 16
"""Flags of a step, for drawing it."""


def explorer_data(machine: Machine, result: CheckResult) -> dict[str, Any]:
    """The data of one check, as JSON.

    Raises:
        Mismatch: a trace of the result is no path of the machine.
        SpecError: the machine cannot be started.
    """
    return _Builder(machine).build(result)


class _Table:
    """Things with the numbers that they get when they are first asked for."""

    def __init__(self) -> None:
        self.numbers: dict[Any, int] = {}

    def __getitem__(self, key: Any) -> int:
        return self.numbers.setdefault(key, len(self.numbers))

    def __iter__(self) -> Any:
        return iter(self.numbers)


@dataclass(slots=True)
class _Graph:
    """States by number, with the state that each was found from; their steps, as pairs of step and target, and refusals."""

    numbers: dict[State, int] = field(default_factory=dict)
    parents: list[int] = field(default_factory=list)
    edges: dict[int, list[int]] = field(default_factory=dict)
    refusals: dict[int, int] = field(default_factory=dict)
    outside: set[int] = field(default_factory=set)

    def add(self, state: State, parent: int) -> int:
        number = self.numbers.setdefault(state, len(self.numbers))
        if number == len(self.parents):
            self.parents.append(parent)
        return number


class _Builder:
    def __init__(self, machine: Machine) -> None:
        self.machine = machine
        program = Program(machine)
        self.steps = Refusals(program)
        self.bound, self.initial = program.bound, program.initial_states()
        self.program = program
        self.view = self.steps.labels
        self.replay = Replay(self.steps, self.view)
        self.cast = cast(machine)
        self.names = Names(machine)
        self.labels, self.reasons, self.messages = _Table(), _Table(), _Table()
        self.calls, self.errors, self.lists = _Table(), _Table(), _Table()
        self.graph = _Graph()

    def build(self, result: CheckResult) -> dict[str, Any]:
        shown = [p for p in result.properties if p.trace is not None]
        paths = [self._follow(p.trace) for p in shown if p.trace is not None]
        self._explore([state for _, states in paths for state in states], result.states)
        places, values, states = self._states()
        graph = self.graph
        at = range(len(graph.numbers))
        return {
            "format": FORMAT,
            "version": VERSION,
            "spec": self.machine.source.name,
            "check": self.machine.check,
            "complete": len(graph.edges) + len(graph.outside) == len(graph.numbers),
            "processes": list(self.cast.processes),
            "faulty": self.view.variables(self.initial[0]).get("faulty", []),
            "waits": [[me, name] for me, name in self.steps.waits],
            "places": places,
            "values": values,
            "messages": [clean(m) for m in self.messages],
            "steps": [self._step(name) for name in self.labels],
            "errors": [[clean(text), line] for text, line in self.errors],
            "initial": [graph.numbers[s] for s in self.initial],
            "states": states,
            "edges": [graph.edges.get(n, OUTSIDE if n in graph.outside else CUT) for n in at],
            "calls": [[clean(name), number] for name, number in self.calls],
            "reasons": [[clean(r.text), r.line or 0] for r in self.reasons],
            "lists": [list(found) for found in self.lists],
            "refusals": [graph.refusals.get(n, -1) for n in at],
            "properties": [self._property(p, path) for p, (path, _) in zip(shown, paths, strict=True)],
        }

    # ---- the graph

    def _follow(self, trace: Trace) -> tuple[list[int], list[State]]:
        """A trace as an initial state and numbers of steps, and its states."""
        number = next((n for n, s in enumerate(self.initial) if self.view.initial(s) == trace.initial), None)
        if number is None:
            raise Mismatch("a trace begins in no initial state", machine=self.machine)
        path, states = [number], [self.initial[number]]
        for step in trace.steps:
            done, _ = self.replay.expand(states[-1])
            for at, (_, move, target) in enumerate(done):
                if self.view.step(move) == step.step and self.view.changes(states[-1], target) == step.changes:
                    path.append(at)
                    states.append(target)
                    break
            else:
                raise Mismatch(f"a trace has a step that is none: {step.step}", machine=self.machine)
        if trace.error is not None:
            done, failed = self.replay.expand(states[-1])
            names = [self.view.step(move) for _, move, _ in failed]
            if trace.error in names:
                path.append(len(done) + names.index(trace.error))
        return path, states

    def _explore(self, seeds: Sequence[State], size: int) -> None:
        """Breadth first from the initial states and all seeds at once."""
        graph = self.graph
        most = MOST_STATES if size <= MOST_STATES else SOME_STATES
        queue: list[State] = []
        for state in (*self.initial, *seeds):
            self._found(state, -1, queue)
        sure = len(queue)
        for at in count():
            if at == len(queue) or (at >= sure and len(queue) - len(graph.outside) > most):
                return
            if at in graph.outside:
                continue
            state = queue[at]
            done, failed = self.replay.expand(state)
            graph.edges[at] = edges = []
            for _, move, target in done:
                edges += [self.labels[self.view.step(move)], self._found(target, at, queue)]
            for _, move, problem in failed:
                found = self.program.diagnose(problem)
                line = found.source.place(found.span.start).line if found.source and found.span else 0
                edges += [self.labels[self.view.step(move)], -1 - self.errors[found.headline(), line]]
            refused = self.steps.refusals(state, done, failed)
            graph.refusals[at] = self.lists[
                tuple(n for r in refused for n in (self.calls[r.step, r.count], self.reasons[r.reason]))
            ]

    def _found(self, state: State, parent: int, queue: list[State]) -> int:
        """The number of a state, which is new where the queue does not have it."""
        number = self.graph.add(state, parent)
        if number == len(queue):
            queue.append(state)
            if self.bound is not None and not self.bound(state):
                self.graph.outside.add(number)
        return number

    def _states(self) -> tuple[list[str], list[list[Any]], list[list[int]]]:
        """Places with their names, the values of each, and states as differences to those they were found from."""
        places = [name for name in self.view.variables(self.initial[0]) if name != "faulty"]
        tables = [_Table() for _ in places]
        letters = _Table()
        rows: list[list[int]] = []
        states: list[list[int]] = []
        for state, parent in zip(self.graph.numbers, self.graph.parents, strict=True):
            variables = self.view.variables(state)
            row = [
                table[_hashable(tree(self.names.types.get(name), variables[name]))]
                for name, table in zip(places, tables, strict=True)
            ]
            row.append(letters[tuple(self.messages[m] for m in self.view.network(state))])
            rows.append(row)
            old = rows[parent] if parent >= 0 else [-1] * len(row)
            states.append(
                [parent, *(n for at, (a, b) in enumerate(zip(old, row, strict=True)) if a != b for n in (at, b))]
            )
        values = [[_plain(v) for v in table] for table in tables]
        return [*map(clean, places), "network"], [*values, [list(v) for v in letters]], states

    # ---- parts

    def _step(self, name: str) -> list[Any]:
        """A step: name, name beside its process, process and sender (-1: none), flags, message that it takes, and choices."""
        event = event_of(name, self.cast.processes, self.cast.own_faults)
        place = {p: n for n, p in enumerate(self.cast.processes)}
        on = ((event.fault, FAULT), (event.forged, FORGED), (event.lost, LOST), (event.down, DOWN), (event.up, UP))
        return [
            clean(name),
            clean(event.text),
            -1 if event.process is None else place[event.process],
            -1 if event.sender is None else place[event.sender],
            sum(flag for is_set, flag in on if is_set),
            clean(event.message or ""),
            clean(event.changes),
        ]

    def _property(self, result: PropertyResult, path: list[int]) -> dict[str, Any]:
        trace = result.trace
        assert trace is not None
        found: dict[str, Any] = {
            "name": clean(result.name),
            "kind": result.kind.value,
            "verdict": result.verdict.value,
            "expected": result.expected,
            "reason": clean(result.diagnostic.headline()) if result.diagnostic is not None else None,
            "path": path,
            "loop": trace.loop,
        }
        if trace.abstract is not None:
            first = "an initial state" if trace.abstract.matched else "not an initial state"
            found["abstract"] = [clean(trace.abstract.spec), [first, *map(_in_abstract, trace.abstract.steps)]]
        return found


def _in_abstract(step: AbstractStep) -> str:
    return clean(step.step) if step.step else "stutters" if step.matched else "no step does this"


# ---- values


def tree(t: Type | None, value: Json) -> Any:
    """A value as what it is made of: a text, or a list that begins with its kind.

    `["{", …]` is a set, `["[", …]` a sequence, `["b", …]` a bag, `["m", key, value, …]` a map, `["r", name, field, value, …]`
    a record.
    """
    match t, value:
        case OptT(inner), _ if value is not None:
            return tree(inner, value)
        case SetT(elem), list():
            return ["{", *(tree(elem, v) for v in value)]
        case BagT(elem), list():
            return ["b", *(tree(elem, v) for v in value)]
        case SeqT(elem), list():
            return ["[", *(tree(elem, v) for v in value)]
        case MapT(_, inner), dict():
            return ["m", *_pairs((k, tree(inner, v)) for k, v in value.items())]
        case RecordT(name, fields), dict():
            return ["r", clean(name), *_pairs((n, tree(f, value.get(n))) for n, f in fields)]
    return clean(show(t, value))


def _pairs(items: Iterable[tuple[str, Any]]) -> Iterable[Any]:
    return (part for key, value in items for part in (clean(key), value))


def _hashable(value: Any) -> Any:
    return tuple(map(_hashable, value)) if isinstance(value, list) else value


def _plain(value: Any) -> Any:
    return [_plain(v) for v in value] if isinstance(value, tuple) else value
