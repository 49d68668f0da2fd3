"""Wrong implementations, and which mode notices them in which check.

An adapter lists its mistakes (`Adapter.mistakes`): variants that stand beside the right implementation. Each is driven in one
mode after the other, in the given order of checks, until it leaves the spec. A mode that was through with every check has
survived it.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace

from checker.conformance.adapter import Adapter
from checker.conformance.drive import Make, Mode, Plan, drive
from checker.conformance.mutation.matrix import Cell, Mutant
from checker.conformance.mutation.specs import Left
from checker.conformance.replay import Outcome
from checker.engine.graph import StateGraph


@dataclass(frozen=True, slots=True)
class ImplementationDetectors:
    """What looks at wrong implementations.

    `graphs` are the state graphs of the checks, in the order in which they are looked at.
    """

    adapter: type[Adapter]
    graphs: Mapping[str, StateGraph]
    plan: Plan

    @property
    def names(self) -> tuple[str, ...]:
        """In the order in which they look."""
        return tuple(mode.value for mode in self.plan.modes)

    def judged(self, name: str, make: Make, left: Left) -> Mutant:
        """A mistake with what every mode makes of it."""
        cells = {}
        for mode in self.plan.modes:
            if left() <= 0:
                break
            cells[mode.value] = self._driven(make, mode, left)
        return Mutant(name, "mistake", _told(name), cells=cells)

    def _driven(self, make: Make, mode: Mode, left: Left) -> Cell:
        started = time.perf_counter()
        decided = bool(self.graphs)
        for check, graph in self.graphs.items():
            if left() <= 0:
                return Cell(False, time.perf_counter() - started, decided=False)
            report = drive(make, graph.machine, replace(self.plan, modes=(mode,)), graph=graph)
            if report.outcome is Outcome.MISMATCH:
                step = None if report.mismatch is None else report.mismatch.step
                return Cell(True, time.perf_counter() - started, check, step or "the initial state")
        return Cell(False, time.perf_counter() - started, decided=decided)


def _told(name: str) -> str:
    """`ForgetsItsDecision`: forgets its decision."""
    words = "".join(f" {c.lower()}" if c.isupper() else c for c in name).replace("_", " ")
    return words.strip()
