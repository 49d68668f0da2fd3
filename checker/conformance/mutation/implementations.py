"""Wrong implementations, and which mode notices them in which check.

An adapter lists its mistakes (`Adapter.mistakes`): variants that stand beside the right implementation. A mistake is driven
through one *place* after the other, cheapest first: checks, and the smaller instances that the adapter names, with their state
graphs; checks that are too large for that, which can still be explored; and last the scenes that the adapter has (`scenes`), for
what shows nowhere else. In each place every mode has its say. The first place where somebody notices is the last, so that only
what is hard to notice takes long. A mode that came to the end of all places has survived it.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace

from checker.base.data import dataclass
from checker.conformance.adapter import Adapter, Instance, Mistake
from checker.conformance.drive import Plan, drive
from checker.conformance.modes import Make, Mode
from checker.conformance.mutation.matrix import MISTAKE, Cell, Mutant, in_words
from checker.conformance.mutation.specs import Left
from checker.conformance.scenes import MODES, Comb
from checker.engine.graph import StateGraph
from checker.model.machine import Machine

EXPLORING = 5
"""How many steps of a replay are as dear as one of an exploration, about."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where implementations are driven; without a graph, it can only be explored. Of a `scene`, the graph is a comb."""

    instance: Instance
    machine: Machine
    graph: StateGraph | None = None
    scene: Comb | None = None

    @property
    def name(self) -> str:
        """What reports call it."""
        return str(self.instance if self.scene is None else self.scene.scene)

    def looks(self, mode: Mode) -> bool:
        """Whether a mode has anything to do here."""
        if self.scene is not None:
            return mode in MODES
        return self.graph is not None or mode is Mode.EXPLORE

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
        mutant = Mutant(name, MISTAKE, in_words(name))
        if isinstance(make, Mistake):
            mutant = replace(mutant, text=make.text or mutant.text, reason=make.reason)
        cells: dict[str, Cell] = {}
        for place in sorted(self.places, key=lambda place: (place.scene is not None, place.cost(self.plan))):
            for mode in self.plan.modes:
                if left() <= 0:
                    # what a mode has not looked at, it has not survived
                    return replace(mutant, cells={n: _undecided(c) for n, c in cells.items()})
                if place.looks(mode):
                    cells[mode.value] = self._driven(place, make, mode, cells.get(mode.value))
            if any(cell.killed for cell in cells.values()):
                break
        return replace(mutant, cells=cells)

    def _driven(self, place: Place, make: Make, mode: Mode, before: Cell | None) -> Cell:
        """What a mode makes of a mistake in a place, after what it made of it in those before."""
        started = time.perf_counter()
        if place.scene is None:
            # that somebody noticed is enough; and an exploration needs no graph, of which one state costs nothing
            plan = replace(self.plan, modes=(mode,), most_states=1, shrink=False)
            mismatch = drive(make, place.machine, plan, graph=place.graph).mismatch
        else:
            mismatch = place.scene.noticed(mode, make)
        seconds = time.perf_counter() - started + (0 if before is None else before.seconds)
        if mismatch is None:
            return Cell(False, seconds)
        return Cell(True, seconds, place.name, mismatch.step or "the initial state")


def _undecided(cell: Cell) -> Cell:
    return cell if cell.killed else replace(cell, decided=False)
