"""What all functions of one compiled machine have to know: units, budgets, sizes.

A **unit** is what steps are counted by: a step of the machine, or something that its surroundings do, such as a crash or a tick.
Units are numbered as the interpreter numbers them (`engine.faults`): the steps first, then one for each budget, then restarts,
healing and ticks.
"""

from __future__ import annotations

from checker.engine import moves
from checker.engine.classes import Classes
from checker.engine.idle import first_numbers
from checker.model.machine import Budget, Step
from checker.native.code.packed import MAX_LANES
from checker.native.code.unit import Unit
from checker.native.code.vectors import MOST

SLACK = 3
"""Words behind a state that `support.copy_words` may overwrite; where there is a list of messages, a vector of them may be."""

IN_PLACE = 8
"""States with more words than this are built where they are to stay."""


class Program:
    """What all functions of one compiled machine have to know: units, sizes, which roles may crash."""

    def __init__(self, unit: Unit, *, coverage: bool = True, reduced: bool = False) -> None:
        self.unit = unit
        self.coverage = coverage
        machine = unit.machine
        self.names: list[str] = [s.label for s in machine.steps]
        self.kinds: list[str] = [s.kind for s in machine.steps]
        self.faults: list[bool] = [s.kind == "fault" for s in machine.steps]
        self.conjuncts = first_numbers(machine) if coverage else [0]
        self.liars: dict[str, int] = {}
        """The unit that counts what processes of a role forge."""
        self._numbers: dict[str, int] = {}
        self.crashes: dict[str, list[tuple[int, Budget]]] = {}
        self.links: list[tuple[int, Budget]] = []
        self.drifts: dict[str, tuple[int, Budget]] = {}
        self.cut: tuple[int, Budget, list[int]] | None = None
        self._declare()
        self.classes = Classes(unit.layout, self._units()) if reduced else None
        """The classes of steps, where a search is to be reduced."""
        packed = unit.packed
        self.record = (
            packed.words
            + (0 if packed.fixed else -(-MAX_LANES * packed.lane // 64))
            + max(SLACK, MOST * packed.lane // 64)
        )
        self.in_place = not packed.fixed or packed.words > IN_PLACE
        self.has_steps = not unit.edges and any(
            p.judged_as == "step" and p.body is not None for p in machine.properties
        )

    def number(self, name: str, kind_: str, *, fault: bool) -> int:
        """The number of a unit that is no handler."""
        if name not in self._numbers:
            self._numbers[name] = len(self.names)
            self.names.append(name)
            self.kinds.append(kind_)
            self.faults.append(fault)
        return self._numbers[name]

    def _units(self) -> list[moves.Unit]:
        """The units as the interpreter has them."""
        steps = dict(enumerate(self.unit.machine.steps))
        parts = zip(self.names, self.kinds, self.faults, strict=True)
        return [moves.Unit(*of, steps.get(n)) for n, of in enumerate(parts)]

    def _declare(self) -> None:
        """The units that are no handlers, numbered as `engine.faults` numbers them."""
        machine = self.unit.machine
        for budget in machine.budgets:
            if not budget.count or budget.kind == "own":
                continue
            number = self.number(budget.key, budget.kind, fault=True)
            match budget.kind:
                case "byzantine":
                    self.liars[budget.roles[0].name] = number
                case "crash" | "stop" if budget.roles[0].size:
                    self.crashes.setdefault(budget.roles[0].name, []).append((number, budget))
                case "lose" | "dup":
                    self.links.append((number, budget))
                case "drift":
                    self.drifts[budget.roles[0].name] = (number, budget)
                case "cut":
                    self.cut = (number, budget, list(self.unit.layout.cut_group))
        restarting = {b.roles[0].name for b in machine.budgets if b.kind == "crash" and b.count}
        for role in machine.roles.values():
            if role.name in restarting and self.restart_of(role.name) is None:
                self.number(f"restart {role.name}", "restart", fault=False)
        if self.cut is not None:
            self.heal = self.number("heal", "heal", fault=False)
        if any(s.kind == "tick" for s in machine.steps):
            self.tick = self.number("tick", "tick", fault=False)

    def restart_of(self, role: str) -> int | None:
        """The number of a role's `on restart`."""
        found = None
        for number, step in enumerate(self.unit.machine.steps):
            if step.kind == "restart" and step.role.name == role:
                found = number
        return found

    def can_tear(self, step: Step) -> bool:
        """Handlers of a process can be torn; what its surroundings do to it cannot."""
        return step.role.name in self.crashes and step.kind not in ("fault", "tick", "ignore")
