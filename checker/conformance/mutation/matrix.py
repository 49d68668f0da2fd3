"""The kill matrix: mutants by detectors, with the time to kill.

A *mutant* is something right with one mistake put in. A *detector* is whatever may notice. A cell says whether it did, where
and after how many seconds of its own. A mutant that any detector kills is dead. The score is the share of dead ones among
those that are
valid: a mutant that is no spec any more, or that no detector had the time to look at, counts neither way and is shown.

A mutant that survives is either a hole in the tests, or it is no mistake: it changes nothing that anybody could see, or nothing
that these detectors could. Which of them is for a person to say, so survivors are listed by name, with the `reason` that a person
gave.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from enum import Enum
from typing import Any, Literal

from checker.base.data import dataclass

VERSION = 1


class Fate(Enum):
    """What became of a mutant."""

    KILLED = "killed"
    SURVIVED = "survived"
    INVALID = "invalid"
    NOT_RUN = "not run"


@dataclass(frozen=True, slots=True)
class Cell:
    """What one detector made of one mutant.

    Attributes:
        killed: whether it noticed.
        seconds: how long it looked.
        check: of the spec, where it noticed.
        how: by what, in a line.
        decided: False where it came to no result, such as an exploration that a limit ended.
    """

    killed: bool
    seconds: float
    check: str = ""
    how: str = ""
    decided: bool = True


MISTAKE = "mistake"
"""The operator of a wrong implementation."""


def in_words(name: str) -> str:
    """`ForgetsItsDecision`: forgets its decision."""
    words = "".join(f" {c.lower()}" if c.isupper() else c for c in name).replace("_", " ")
    return words.strip()


@dataclass(frozen=True, slots=True)
class Mutant:
    """One mutant with its cells, by detector.

    `operator` is the kind of mistake, `text` says what was changed, `line` where: in the spec; 0 elsewhere. `reason` says why no
    detector here can notice it, if somebody knows.
    """

    name: str
    operator: str
    text: str
    line: int = 0
    problem: str = ""
    reason: str = ""
    cells: Mapping[str, Cell] = field(default_factory=dict)

    @property
    def fate(self) -> Fate:
        """What became of it."""
        if self.problem:
            return Fate.INVALID
        if any(cell.killed for cell in self.cells.values()):
            return Fate.KILLED
        return Fate.SURVIVED if any(cell.decided for cell in self.cells.values()) else Fate.NOT_RUN


@dataclass(frozen=True, slots=True)
class Group:
    """All mutants of one kind, and the detectors that looked at them, in order."""

    kind: Literal["spec", "implementation", "trace"]
    detectors: tuple[str, ...]
    mutants: tuple[Mutant, ...]

    def count(self, fate: Fate) -> int:
        """How many ended so."""
        return sum(mutant.fate is fate for mutant in self.mutants)

    @property
    def score(self) -> float | None:
        """The share of dead mutants among those that were looked at; None where there are none."""
        valid = self.count(Fate.KILLED) + self.count(Fate.SURVIVED)
        return self.count(Fate.KILLED) / valid if valid else None

    @property
    def survivors(self) -> tuple[Mutant, ...]:
        """Those that nobody noticed."""
        return tuple(mutant for mutant in self.mutants if mutant.fate is Fate.SURVIVED)

    def kills(self, detector: str) -> int:
        """How many a detector noticed."""
        return sum(detector in mutant.cells and mutant.cells[detector].killed for mutant in self.mutants)


@dataclass(frozen=True, slots=True)
class Matrix:
    """All groups of one spec. `adapter` names the implementation; empty where there was none. `checks` were looked at."""

    path: str
    spec: str
    adapter: str
    checks: tuple[str, ...]
    groups: tuple[Group, ...]
    seed: int

    @property
    def complete(self) -> bool:
        """Whether every mutant was looked at."""
        return not any(group.count(Fate.NOT_RUN) for group in self.groups)


def document_of(matrix: Matrix) -> dict[str, Any]:
    """The matrix as JSON; `docs/reference/json.md` documents it."""
    return {
        "version": VERSION,
        "path": matrix.path,
        "spec": matrix.spec,
        "adapter": matrix.adapter or None,
        "checks": list(matrix.checks),
        "seed": matrix.seed,
        "complete": matrix.complete,
        "groups": [_group(group) for group in matrix.groups],
    }


def _group(group: Group) -> dict[str, Any]:
    return {
        "kind": group.kind,
        "detectors": list(group.detectors),
        "killed": group.count(Fate.KILLED),
        "survived": group.count(Fate.SURVIVED),
        "invalid": group.count(Fate.INVALID),
        "not_run": group.count(Fate.NOT_RUN),
        "score": None if group.score is None else round(group.score, 4),
        "mutants": [
            {
                "name": mutant.name,
                "operator": mutant.operator,
                "text": mutant.text,
                "line": mutant.line or None,
                "fate": mutant.fate.value,
                "problem": mutant.problem or None,
                "reason": mutant.reason or None,
                "cells": {
                    name: {
                        "killed": cell.killed,
                        "decided": cell.decided,
                        "seconds": round(cell.seconds, 4),
                        "check": cell.check or None,
                        "how": cell.how or None,
                    }
                    for name, cell in mutant.cells.items()
                },
            }
            for mutant in group.mutants
        ],
    }
