"""The vocabulary of steps: what coverage counts, and what names a step."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NamedTuple

from checker.engine.program import StepCode
from checker.engine.runtime import Fail, State
from checker.model.machine import Step
from checker.model.values import Value


class Unit(NamedTuple):
    """Something that coverage counts. `fault`: not a step that `NoDeadlock` may rely on."""

    name: str
    kind: str
    fault: bool
    step: Step | None


class Move(NamedTuple):
    """What names a step. `labels` are the answers to choices; `torn` says how many effects happened before a crash."""

    unit: int
    process: int = -1
    sender: int = -1
    args: tuple[Value, ...] = ()
    labels: tuple[tuple[Any, Value], ...] = ()
    forged: bool = False
    torn: tuple[str, int] | None = None
    code: int = -1
    position: int = 0
    mask: int = 0


class Call(NamedTuple):
    """A handler with its arguments: process, sender of a message, payload or parameters.

    A delivered message is consumed from the network with number `network`; a forged one is in none.
    """

    number: int
    code: StepCode
    args: tuple[Any, ...]
    network: int = -1
    message: int = -1
    forged: bool = False

    @property
    def process(self) -> int:
        """The process that runs the handler."""
        return self.args[0]  # type: ignore[no-any-return]

    @property
    def sender(self) -> int:
        """The process that sent the message; -1 where there is none."""
        return -1 if self.code.step.sender is None else self.args[1]

    def move(self, labels: tuple[tuple[Any, Value], ...]) -> Move:
        """What names the outcome with these answers."""
        if self.code.step.sender is None:
            return Move(self.number, self.args[0], -1, self.args[1:], labels)
        return Move(self.number, self.args[0], self.args[1], self.args[2:], labels, self.forged)


Successor = tuple[int, Move, State]
Failure = tuple[int, Move, Fail]


@dataclass(slots=True)
class Counters:
    """What happened on the way that is no step. Reset by whoever reads it."""

    limit_cut: int = 0
    empty_choices: dict[str, int] = field(default_factory=dict)
