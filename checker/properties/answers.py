"""What operations of a `linearizable` object answered in the steps of a trace.

The ghost of such an object keeps which histories are possible, and not what was answered: so a counterexample would end in "no
order explains the answers" and leave it to its reader to find them. The interpreter takes the steps of the path once more
and listens to what `respond` is given. A step that is torn is not listened to, nor is a path that nobody would read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from itertools import pairwise
from typing import Any

from checker.engine.interface import Path
from checker.engine.labels import Labels
from checker.engine.moves import Call, Failure, Successor
from checker.engine.program import Program
from checker.engine.runtime import State, Tape
from checker.engine.steps import Steps
from checker.model.machine import History
from checker.model.values import Value, instance_name, show_value
from checker.properties.kinds import Trace, TraceStep
from checker.properties.replay import LONGEST

Answer = tuple[str, str]
"""An object, and a process with its operation, `Register Reader0.Read`, and what it was answered."""


def with_answers(program: Program, trace: Trace, path: Path) -> Trace:
    """The trace of a path, with what operations answered in each step."""
    histories = [history for history in program.machine.histories if history.states]
    if not histories or len(path.steps) > LONGEST:
        return trace
    steps: list[TraceStep] = []
    with _listening(program, histories) as listener:
        labels = Labels(listener)
        for (before, after), step in zip(pairwise(path.states), trace.steps, strict=True):
            told = any(before[h.var.slot] != after[h.var.slot] for h in histories)
            steps.append(replace(step, answers=listener.answers(labels, before, after, step.step)) if told else step)
    return replace(trace, steps=tuple(steps))


class _Listener(Steps):
    """The step relation, which notes the answers of each step that it takes."""

    def __init__(self, program: Program) -> None:
        super().__init__(program)
        self.now: list[Answer] = []
        self.heard: list[tuple[Successor, tuple[Answer, ...]]] = []

    def _outcome(
        self, target: list[Any], call: Call, tape: Tape | None, done: list[Successor], failed: list[Failure]
    ) -> None:
        self.now.clear()
        count = len(done)
        super()._outcome(target, call, tape, done, failed)
        self.heard += [(successor, tuple(self.now)) for successor in done[count:]]

    def answers(self, labels: Labels, before: State, after: State, name: str) -> dict[str, str]:
        """What was answered in the step of a name from one state to another."""
        self.heard.clear()
        with self.uncounted():
            self.expand(before)
        return next((dict(a) for (_, move, to), a in self.heard if to == after and labels.step(move) == name), {})


@contextmanager
def _listening(program: Program, histories: list[History]) -> Iterator[_Listener]:
    """A listener, with a program that tells it what `respond` is given."""
    listener, made, before = _Listener(program), program.names.globals, {}
    for history in histories:
        for name in history.operations:
            function = program.names.functions[history.function("respond", name)]
            before[function] = made[function]
            made[function] = _telling(program, listener, history, name, made[function])
    try:
        yield listener
    finally:
        made.update(before)


def _telling(
    program: Program, listener: _Listener, history: History, name: str, function: Callable[..., int]
) -> Callable[..., int]:
    """The function of an answer, which tells a listener about it."""
    types = [t for _, t in history.operations[name].values("respond")]

    def told(state: State, who: int, *values: Value) -> int:
        process = instance_name(program.machine.role_of(who), who)
        listener.now.append((f"{history.name} {process}.{name}", ", ".join(map(show_value, types, values))))
        return function(state, who, *values)

    return told
