"""The vocabulary of steps: what coverage counts, and what names a step."""

from __future__ import annotations

from dataclasses import field
from typing import Any, NamedTuple

from checker.base.data import dataclass
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


class Call:
    """A handler with its arguments: process, sender of a message, payload or parameters.

    A delivered message is consumed from the network with number `network`, unless that is a soup; then, and for a forged
    message, the number is -1. Calls are made once and
    run in many states, so what does not depend on the state is kept: the move of an outcome without choices, and whether
    the call is `simple`, that is, has one outcome at most, no limit, no budget and nothing that could tear it.
    """

    __slots__ = ("args", "code", "forged", "message", "network", "number", "process", "sender", "simple", "sole_move")

    def __init__(
        self,
        number: int,
        code: StepCode,
        args: tuple[Any, ...],
        network: int = -1,
        message: int = -1,
        *,
        forged: bool = False,
    ) -> None:
        step = code.step
        self.number = number
        self.code = code
        self.args = args
        self.network = network
        self.message = message
        self.forged = forged
        self.process: int = args[0]
        self.sender: int = -1 if step.sender is None else args[1]
        rest = args[1:] if step.sender is None else args[2:]
        self.sole_move = Move(number, self.process, self.sender, rest, (), forged)
        self.simple = not step.has_choices and code.limit is None and code.torn is None and step.kind != "fault"

    def move(self, labels: tuple[tuple[Any, Value], ...]) -> Move:
        """What names the outcome with these answers."""
        return self.sole_move._replace(labels=labels) if labels else self.sole_move


Successor = tuple[int, Move, State]
Failure = tuple[int, Move, Fail]


@dataclass(slots=True)
class Counters:
    """What happened on the way that is no step. Reset by whoever reads it."""

    blocked: bytearray
    """For each conjunct of a guard, by its number, whether it was the first false one."""
    limit_cut: int = 0
    empty_choices: dict[str, int] = field(default_factory=dict)
