"""Classes of steps, and what relates them: all of a partial-order reduction (`reduction`) that does not depend on the state.

A **class** is the steps of one handler of one process, whatever their messages and parameters; the surroundings have one class
that heals, and one that ticks. A class stands in these relations, found in the text of a machine once:

- it **depends** on others: one writes what the other touches (`footprints`);
- it is **visible** if it may change what a judged property reads;
- it may be **locked**: a lock is a test of its process that is false while no step of the class can be enabled, and only some
  other classes could make it true;
- where none of its locks is closed, its **openers** are those who could enable a step of it that is disabled: who send what it
  waits for, or write what the rest of its guard reads.

Every relation may say too much and never too little. Each engine that reduces takes them from here, numbers included, so that
all of them choose the same steps. Sets of classes are integers with a bit for each.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from checker.base.data import dataclass
from checker.engine.footprints import Footprint, Footprints, Resource
from checker.engine.moves import Unit
from checker.model import ir
from checker.model.layout import DOWN, UP, Layout
from checker.model.machine import Machine, Step

Key = tuple[int, int]
"""What a class is known by: the number of a unit, and the process that runs it; -1 for the surroundings."""

FAULTS = ("crash", "stop", "lose", "dup", "cut")
"""The kinds of faults that depend on everything."""


@dataclass(frozen=True, slots=True)
class HasStatus:
    """The process is up, or down; `slot` is where its status stands."""

    slot: int
    wanted: int


@dataclass(frozen=True, slots=True)
class NotFaulty:
    """The process is none of the faulty ones."""

    slot: int


@dataclass(frozen=True, slots=True)
class BudgetLeft:
    """Something is left of a budget."""

    slot: int


@dataclass(frozen=True, slots=True)
class Lock:
    """A test that is false while no step of a class can be enabled, and the classes that could make it true."""

    test: ir.Expr | HasStatus | NotFaulty | BudgetLeft
    openers: int


@dataclass(frozen=True, slots=True)
class Class:
    """What is asked of the state about a class.

    Attributes:
        locks: in the order of its guard, in which one that errs hides those behind it.
        openers: who could enable a step of the class, where no lock is closed.
    """

    key: Key
    locks: tuple[Lock, ...]
    openers: int


class Classes:
    """The classes of a machine. `units` are those of its steps, numbered as `engine.steps` numbers them."""

    def __init__(self, layout: Layout, units: Sequence[Unit]) -> None:
        machine = layout.machine
        self._layout = layout
        self._units = units
        self._footprints = Footprints(layout)
        self._tick = next((n for n, u in enumerate(units) if u.name == "tick" and u.step is None), None)
        self.faults = [layout.budgets[b.key] for b in machine.budgets if b.kind in FAULTS and b.count]
        """The slots of budgets for faults that depend on everything."""
        prints = dict(self._found(machine))
        self.numbers: dict[Key, int] = {key: i for i, key in enumerate(prints)}
        self.everyone = (1 << len(prints)) - 1
        """All classes."""
        self._touched = _by_resource(prints.values())
        self.dependent = [self._dependent(found) for found in prints.values()]
        """For each class, those that depend on it."""
        self.visible = self._seen(machine)
        """The classes that may change what a property reads."""
        senders: dict[str, int] = {}
        for i, found in enumerate(prints.values()):
            for kind in found.sends:
                senders[kind] = senders.get(kind, 0) | 1 << i
        self.all = [self._made(key, senders) for key in prints]

    def number(self, unit: int, process: int = -1) -> int:
        """The number of the class that a step of a unit belongs to. Clocks that drift tick, too."""
        match self._units[unit].kind:
            case "tick" | "drift":
                assert self._tick is not None
                return self.numbers[self._tick, -1]
            case "heal":
                return self.numbers[unit, -1]
        return self.numbers[unit, process]

    def _found(self, machine: Machine) -> Iterator[tuple[Key, Footprint]]:
        """All classes with what they touch."""
        layout = self._layout
        tick = Footprint()
        for number, step in enumerate(machine.steps):
            if step.kind == "fault" and step.label not in layout.budgets:
                continue
            for process in step.role.processes:
                found = self._footprints.step(step, process)
                if step.kind == "tick":
                    tick.add(found)
                else:
                    yield (number, process), found
        for number, unit in enumerate(self._units):
            if unit.step is None and unit.kind == "restart":
                role = machine.roles[unit.name.removeprefix("restart ")]
                for process in role.processes:
                    yield (number, process), Footprint(writes={layout.status[process]})
            elif unit.kind == "heal" and layout.cut is not None:
                yield (number, -1), Footprint(writes={layout.cut})
        if self._tick is not None:
            tick.writes |= {layout.budgets[b.key] for b in machine.budgets if b.kind == "drift" and b.count}
            yield (self._tick, -1), tick

    def _writers(self, resources: Iterable[Resource]) -> int:
        """The classes that may change one of these."""
        found = self._touched[3]
        for resource in resources:
            found |= self._touched[1].get(resource, 0) | self._touched[2].get(resource, 0)
        return found

    def _dependent(self, mine: Footprint) -> int:
        readers, writers, gatherers, everything = self._touched
        if mine.everything:
            return self.everyone
        found = everything
        for resource in mine.reads:
            found |= writers.get(resource, 0) | gatherers.get(resource, 0)
        for resource in mine.writes:
            found |= writers.get(resource, 0) | gatherers.get(resource, 0) | readers.get(resource, 0)
        for resource in mine.gathers:
            found |= writers.get(resource, 0) | readers.get(resource, 0)
        return found

    def _seen(self, machine: Machine) -> int:
        judged = Footprint()
        for prop in machine.properties:
            if prop.body is not None:
                self._footprints.reads(prop.body, None, judged)
        return self.everyone if judged.everything else self._writers(judged.reads)

    def _made(self, key: Key, senders: Mapping[str, int]) -> Class:
        number, process = key
        layout, unit = self._layout, self._units[number]
        step = unit.step
        locks: list[Lock] = []
        status = layout.status.get(process)
        if status is not None:
            wanted = DOWN if unit.kind == "restart" else UP
            locks.append(Lock(HasStatus(status, wanted), self._writers([status])))
        if step is None:  # nobody but faults makes a restart or healing necessary; a tick asks all clocks
            return Class(key, tuple(locks), self.everyone if number == self._tick else 0)
        if layout.faulty is not None:
            locks.append(Lock(NotFaulty(layout.faulty), 0))
        if step.kind == "fault":
            locks.append(Lock(BudgetLeft(layout.budgets[step.label]), 0))
        found = dict(self._footprints.locks(step, process))
        locks += [Lock(test, self._writers(reads)) for test, reads in found.items()]
        opening = self._footprints.opening(step, process, found)
        openers = self.everyone if opening.everything else self._writers(opening.reads)
        return Class(key, tuple(locks), openers | self._deliverers(step, process, senders))

    def _deliverers(self, step: Step, process: int, senders: Mapping[str, int]) -> int:
        """Who could make a message deliverable that is not yet: who sends it, takes what stands before it, or heals a cut."""
        if step.kind not in ("message", "ignore"):
            return 0
        machine, layout = self._layout.machine, self._layout
        found = senders.get(step.name, 0)
        network = machine.messages[step.name].network
        if machine.networks[network].kind == "fifo":
            found |= self._writers([("consumes", network, process)])
        if layout.cut is not None:
            found |= self._writers([layout.cut])
        return found


def _by_resource(
    prints: Iterable[Footprint],
) -> tuple[dict[Resource, int], dict[Resource, int], dict[Resource, int], int]:
    """Who reads, writes and gathers each resource, and who touches everything."""
    readers: dict[Resource, int] = {}
    writers: dict[Resource, int] = {}
    gatherers: dict[Resource, int] = {}
    everything = 0
    for i, found in enumerate(prints):
        for into, resources in ((readers, found.reads), (writers, found.writes), (gatherers, found.gathers)):
            for resource in resources:
                into[resource] = into.get(resource, 0) | 1 << i
        everything |= found.everything << i
    return readers, writers, gatherers, everything
