"""Wrong implementations, and which mode notices them in which check.

An adapter lists its mistakes (`Adapter.mistakes`): variants that stand beside the right implementation. A mistake is driven
through one *place* after the other, cheapest first: checks, and the smaller instances that the adapter names, with their
state graphs; and checks that are too large for that, which can still be explored. In each place every mode has its say. The
first place where somebody notices is the last, so that only what is hard to notice takes long. A mode that came to the end
of all places has survived it.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

from checker.conformance.adapter import Adapter, Instance
from checker.conformance.drive import Make, Mode, Plan, drive
from checker.conformance.mutation.matrix import MISTAKE, Cell, Mutant, in_words
from checker.conformance.mutation.specs import Left
from checker.conformance.replay import Outcome
from checker.engine.graph import StateGraph
from checker.model.machine import Machine

EXPLORING = 5
"""How many steps of a replay are as dear as one of an exploration, about."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where implementations are driven; without a graph, it can only be explored."""

    instance: Instance
    machine: Machine
    graph: StateGraph | None = None

    def cost(self, plan: Plan) -> int:
        """How long it takes to get through, in steps of a replay. One of an exploration, which looks around, is dearer."""
        return EXPLORING * plan.runs * plan.steps if self.graph is None else len(self.graph.edges)


@dataclass(frozen=True, slots=True)
class ImplementationDetectors:
    """What looks at wrong implementations of an adapter."""

    adapter: type[Adapter]
    places: Sequence[Place]
    plan: Plan

    @property
    def names(self) -> tuple[str, ...]:
        """In the order in which they look."""
        return tuple(mode.value for mode in self.plan.modes)

    def judged(self, name: str, make: Make, left: Left) -> Mutant:
        """A mistake with what every mode makes of it."""
        cells: dict[str, Cell] = {}
        for place in sorted(self.places, key=lambda place: place.cost(self.plan)):
            for mode in self.plan.modes:
                if left() <= 0:
                    # what a mode has not looked at, it has not survived
                    return Mutant(name, MISTAKE, _told(name, make), cells={n: _undecided(c) for n, c in cells.items()})
                if place.graph is not None or mode is Mode.EXPLORE:
                    cells[mode.value] = self._driven(place, make, mode, cells.get(mode.value))
            if any(cell.killed for cell in cells.values()):
                break
        return Mutant(name, MISTAKE, _told(name, make), cells=cells)

    def _driven(self, place: Place, make: Make, mode: Mode, before: Cell | None) -> Cell:
        """What a mode makes of a mistake in a place, after what it made of it in those before."""
        started = time.perf_counter()
        # that somebody noticed is enough; and an exploration needs no graph, of which one state costs nothing
        plan = replace(self.plan, modes=(mode,), most_states=1, shrink=False)
        report = drive(make, place.machine, plan, graph=place.graph)
        seconds = time.perf_counter() - started + (0 if before is None else before.seconds)
        if report.outcome is not Outcome.MISMATCH:
            return Cell(False, seconds)
        step = None if report.mismatch is None else report.mismatch.step
        return Cell(True, seconds, str(place.instance), step or "the initial state")


def _undecided(cell: Cell) -> Cell:
    return cell if cell.killed else replace(cell, decided=False)


def _told(name: str, make: Make) -> str:
    """What is wrong, as the docstring of the maker says it, or else in the words of the name."""
    doc = make.__doc__
    if not doc or doc == type(make).__doc__:  # an object has that of its class
        return in_words(name)
    return " ".join(doc.strip().partition("\n\n")[0].split())
