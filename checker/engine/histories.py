"""Linearizability, judged: what is possible after each history, numbered before the search.

A history is a sequence of events: operations are invoked and respond. It is linearizable if some order of the operations
that have responded, and of some that are pending, keeps their order in time and is a run of the object. To decide that
for each reachable state, its history need not be kept, nor orders searched anew (as Wing and Gong, 1993, and Lowe, 2017, do
for a history that is given). Herlihy and Wing's *possibilities* suffice: all pairs of a state of the object, and of those
pending operations that have taken effect there, with their results.

- `invoke`: the operation is pending. Then, from each pair, any pending operation may take effect, and so on (`_Possible.closed`).
- `respond`: only pairs remain in which the operation has taken effect with this result; it is pending no more.

The history is linearizable if and only if a pair remains. Since a pair only needs to be kept for what may follow, and an object
and its processes are finite, there are finitely many sets of pairs, however long histories are. All that any events can
lead to are numbered; an event is then a look into a table, on every engine. Where a history is refuted, it stays so.

A process with a pending operation invokes no other: a client that crashed and forgot its operation counts as having it
pending for ever. To let it go on, give it another name.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from itertools import product
from typing import Literal

from checker.base.data import dataclass
from checker.base.diagnostics import error
from checker.engine.labels import StateView
from checker.engine.program import Program
from checker.engine.refinement import renumbered
from checker.engine.runtime import State, describe
from checker.engine.steps import Steps
from checker.model import ir
from checker.model.elaborate import DEFAULT_CHECK
from checker.model.histories import NUMBER
from checker.model.layout import Layout
from checker.model.machine import EVENTS, IMPOSSIBLE, MAX_HISTORIES, REFUTED, Function, History, Machine
from checker.model.types import MAX_INDEX, IntT, MapT, RecordT, Type, cardinality
from checker.model.values import Value, domain, instance_name, key_index, show_value

MAX_STATES = 5_000
"""The most states of an object."""

MAX_NUMBERS = 20_000
"""The most histories that are numbered; they take a second or two."""

Kind = Literal["invoke", "respond"]
Values = tuple[Value, ...]
Pending = tuple[tuple[str, Values] | None, ...]
"""For each process the operation that is pending, with its arguments."""
Pair = tuple[State, tuple[Values | None, ...]]
"""A state of the object, and for each process the results of its pending operation, if that has taken effect."""
Point = tuple[Pending, frozenset[Pair]]
"""All that matters of a history."""

NOTHING: Point = ((), frozenset())
"""Stands for what has no pairs: a history that is refuted, and what cannot be."""


class TooLarge(Exception):
    """`args[0]` says of what there is too much."""


def with_histories(machine: Machine) -> Machine:
    """The machine with its linearizable objects ready to be judged.

    As with a refinement, that is done in checks that expect something of it. In others nothing is recorded.

    Raises:
        SpecError: PSM413 for an object with a step that errs.
    """
    for history in machine.histories:
        prop = next(p for p in machine.properties if p.name == history.name)
        if prop.name not in machine.expectations and machine.check != DEFAULT_CHECK:
            why = "judged where a check expects something of it"
        else:
            try:
                machine = _recording(machine, history)
                continue
            except TooLarge as problem:
                why = f"{problem.args[0]}, too many to list them"
        unjudged = tuple(replace(p, body=None, unjudged=why) if p is prop else p for p in machine.properties)
        machine = replace(machine, properties=unjudged)
    return machine


def _recording(machine: Machine, history: History) -> Machine:
    """The machine whose events change the history."""
    possible = _Possible(machine, history)
    points = possible.all()
    functions = dict(machine.functions)
    for operation in history.operations.values():
        for kind in EVENTS:
            params = operation.values(kind)
            key = history.function(kind, operation.name)
            functions[key] = _function(
                functions[key], history, len(points), params, possible.tables[kind, operation.name]
            )
    told = tuple(possible.told(point) for point in points)
    others = tuple(replace(history, states=told) if h is history else h for h in machine.histories)
    return replace(machine, functions=functions, histories=others)


def _function(
    function: Function,
    history: History,
    numbers: int,
    params: tuple[tuple[str, Type], ...],
    table: Mapping[Values, int],
) -> Function:
    """The function that looks an event up. What is not in the table is impossible."""
    number = IntT(0, numbers - 1)
    fields: tuple[tuple[str, Type], ...] = (("history", number), ("who", history.processes), *params)
    key = RecordT("event", fields)
    size = math.prod(int(cardinality(t)) for _, t in fields)
    if size > MAX_INDEX:
        raise TooLarge(f"{history.name} has {size:,} events here")
    entries = [IMPOSSIBLE] * size
    for values, after in table.items():
        at = key_index(key, values)
        assert at is not None
        entries[at] = after
    now = ir.Checked(ir.GetVar(history.var, None), number, f"the history of {history.name}", history.var.span)
    event = ir.MakeRecord((now, *(ir.GetLocal(p) for p in function.params)), key)
    whole = ir.Const(tuple(entries), MapT(key, NUMBER))
    return replace(function, body=ir.GetIndex(whole, event, NUMBER, history.var.span))


@dataclass(slots=True)
class _Effect:
    """A step of the object: by whom (None: by anybody), with what, and where it leads."""

    who: int | None
    values: Values
    after: State


class _Possible:
    """The possibilities of an object. `tables` has for each event the number of what comes of it."""

    def __init__(self, machine: Machine, history: History) -> None:
        self.history = history
        self.machine = machine
        self.processes = [p for role in history.processes.roles for p in role.processes]
        self.program = Program(history.machine)
        self.steps = Steps(self.program)
        self.view = StateView(Layout(history.machine))
        self.tables: dict[tuple[Kind, str], dict[Values, int]] = {
            (kind, name): {} for kind in EVENTS for name in history.operations
        }
        self._effects: dict[State, dict[str, list[_Effect]]] = {}

    # ---- the object

    def effects(self, state: State) -> dict[str, list[_Effect]]:
        """What the operations may do in a state of the object."""
        found = self._effects.get(state)
        if found is not None:
            return found
        if len(self._effects) >= MAX_STATES:
            raise TooLarge(f"{self.history.name} has more than {MAX_STATES:,} states")
        found = self._effects[state] = {name: [] for name in self.history.operations}
        done, failed = self.steps.expand(state)
        for _, _, problem in failed:
            site = self.program.names.sites[problem.site]
            text = f"a step of {self.history.name} errs: {describe(site, problem.value)}"
            raise error("PSM413", text, source=self.machine.source, span=self.history.var.span)
        for unit, move, after in done:
            step = self.steps.units[unit].step
            assert step is not None
            operation, shift = self.history.operations[step.name], self.history.shift
            values = tuple(renumbered(p.type, v, shift) for p, v in zip(step.params, move.args, strict=True))
            who = None if operation.performer is None else move.process + shift[operation.performer]
            found[step.name].append(_Effect(who, values, after))
        return found

    def closed(self, pending: Pending, pairs: Iterable[Pair]) -> frozenset[Pair]:
        """The pairs, and all that come of them when pending operations take effect."""
        found = set(pairs)
        waiting = list(found)
        while waiting:
            state, done = waiting.pop()
            for i, call in enumerate(pending):
                if call is None or done[i] is not None:
                    continue
                name, args = call
                for effect in self.effects(state)[name]:
                    if effect.who not in (None, self.processes[i]) or effect.values[: len(args)] != args:
                        continue
                    pair = effect.after, (*done[:i], effect.values[len(args) :], *done[i + 1 :])
                    if pair not in found:
                        found.add(pair)
                        waiting.append(pair)
        return frozenset(found)

    # ---- histories

    def all(self) -> list[Point]:
        """All that events can lead to, by number; fills the tables."""
        nobody = (None,) * len(self.processes)
        first: Point = nobody, frozenset((state, nobody) for state in self.program.initial_states())
        points = [first, NOTHING, NOTHING]
        numbers = {first: 0}
        for at, point in enumerate(points):  # it grows
            if point is NOTHING:
                continue
            for kind, name, who, values, after in self.events(point):
                if after[1] and after not in numbers:
                    numbers[after] = len(points)
                    points.append(after)
                    if len(points) > min(MAX_NUMBERS, MAX_HISTORIES):
                        raise TooLarge(f"{self.history.name} has more than {MAX_NUMBERS:,} histories here")
                self.tables[kind, name][at, who, *values] = numbers[after] if after[1] else REFUTED
        for kind, name in self.tables:
            for who in self.processes:
                for values in _all(self.history.operations[name].values(kind)):
                    self.tables[kind, name][REFUTED, who, *values] = REFUTED
        return points

    def events(self, point: Point) -> Iterator[tuple[Kind, str, int, Values, Point]]:
        """Every event that may come next, and what it leads to."""
        pending, pairs = point
        for i, who in enumerate(self.processes):
            call = pending[i]
            if call is None:
                for name, operation in self.history.operations.items():
                    for args in _all(operation.values("invoke")):
                        calls = (*pending[:i], (name, args), *pending[i + 1 :])
                        yield "invoke", name, who, args, (calls, self.closed(calls, pairs))
                continue
            calls = (*pending[:i], None, *pending[i + 1 :])
            left: dict[Values, set[Pair]] = {v: set() for v in _all(self.history.operations[call[0]].values("respond"))}
            for state, done in pairs:
                results = done[i]
                if results is not None:
                    left[results].add((state, (*done[:i], None, *done[i + 1 :])))
            for results, remaining in left.items():
                yield "respond", call[0], who, results, (calls, frozenset(remaining))

    # ---- for readers

    def told(self, point: Point) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """What is pending, and what may be the case, as text."""
        pending, pairs = point
        calls = [self._call(i, *call) for i, call in enumerate(pending) if call is not None]
        return tuple(calls), tuple(sorted(self._pair(pending, pair) for pair in pairs))

    def _call(self, at: int, name: str, values: Values) -> str:
        types = [t for _, t in self.history.operations[name].params]
        text = ", ".join(show_value(t, v) for t, v in zip(types, values, strict=False))
        number = self.processes[at]
        return f"{instance_name(self.machine.role_of(number), number)}.{name}({text})"

    def _pair(self, pending: Pending, pair: Pair) -> str:
        state, done = pair
        parts = [f"{name} = {_json(value)}" for name, value in self.view.variables(state).items()]
        effects = []
        for i, (call, results) in enumerate(zip(pending, done, strict=True)):
            if call is not None and results is not None:
                effects.append(self._call(i, call[0], (*call[1], *results)))
        return ", ".join(parts) + (f" after {' and '.join(effects)}" if effects else "")


def _all(params: tuple[tuple[str, Type], ...]) -> Iterator[Values]:
    """Everything that an event may carry."""
    return product(*(tuple(domain(t)) for _, t in params))


def _json(value: object) -> str:
    """A value of a state as text."""
    match value:
        case None:
            return "none"
        case bool():
            return str(value).lower()
        case list():
            return "[" + ", ".join(map(_json, value)) + "]"
        case dict():
            return "{" + ", ".join(f"{k}: {_json(v)}" for k, v in value.items()) + "}"
    return str(value)
