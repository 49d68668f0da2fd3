"""The vocabulary of steps: what coverage counts, and what names a step."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NamedTuple

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


Successor = tuple[int, Move, State]
Failure = tuple[int, Move, Fail]


@dataclass(slots=True)
class Counters:
    """What happened on the way that is no step. Reset by whoever reads it."""

    limit_cut: int = 0
    empty_choices: dict[str, int] = field(default_factory=dict)
