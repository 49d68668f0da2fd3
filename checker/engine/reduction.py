"""Partial-order reduction: a search that leaves out steps whose order does not matter.

Where two processes do things that have nothing to do with each other, a search takes both orders and all states between. For
deadlocks, errors, and properties of states it is enough to take some of the enabled steps of a state now, an **ample set**,
and the others later, if

- **(C1)** on no way from the state that avoids the set, something happens first that depends on a step of the set;
- **(C2)** unless all steps are taken, none in the set changes what a judged property reads;
- **(C3)** unless all steps are taken, one in the set leads to a state that is not explored yet. Otherwise a step could be put
  off for ever round a cycle. In a breadth-first search that is the *queue proviso*;
- **(C4)** one in the set is a step that changes the state and is no fault. So a state that `NoDeadlock` calls stuck is met by
  no way that avoids the set, and is found.

**How C1 is met.** Steps are put into classes: a handler of a process, whatever its message and parameters. Two classes are
dependent if one writes what the other touches (`footprints`). A stubborn set of classes is closed: with a class that has an
enabled (or erring) step, all classes that depend on it are in the set; and with every class, some classes of which one has to
run before a step of it that is disabled now becomes enabled. These are those who could open a lock of its guard that is
closed; if none is, those who send what it waits for or write what the rest of its guard reads. The enabled steps of a
stubborn set are an ample set. One closure is tried for each class that fulfils C4, and the smallest that is allowed is taken.

Faults of the surroundings depend on everything. So, as long as a crash, stop, lost or doubled message or cut is still to come,
all steps are taken; budgets never grow again, and behind the last fault the reduction begins.

**Why it is right.** Take a way from a state to one that violates something. If a step of it is in the set, that step can come
first, and the rest is shorter. If none is, take the step of C3: the way is still there behind it, as the step depends on
nothing on it, and leads to a state with the same values of what is judged. The new state comes later in the queue, and the
queue ends. An error is the end of a way likewise, since a step errs for what it reads.

Sources: A. Valmari, *Stubborn sets for reduced state space generation* (1990); D. Peled, *All from one, one for all* (1993);
P. Godefroid, *Partial-Order Methods for the Verification of Concurrent Systems* (1996); D. Bosnacki and G. J. Holzmann,
*Improving Spin's partial-order reduction for breadth-first search* (2005), for the queue proviso.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from checker.base.diagnostics import error
from checker.engine.footprints import Footprint, Footprints, Lock, Resource
from checker.engine.interface import Exploration, Limits, Observer
from checker.engine.moves import Failure, Move, Successor
from checker.engine.runtime import Fail, State
from checker.engine.search import Interpreter, Search
from checker.model.layout import DOWN, UP
from checker.model.machine import Machine, Step

Key = tuple[int, int]
"""A class: the number of a unit, and the process that runs it; -1 for the surroundings."""

REDUCIBLE = ("invariant", "reach")
"""The kinds of properties that speak of states alone."""


@dataclass(frozen=True, slots=True)
class Class:
    """The steps of one handler of one process. Sets of classes are numbers with a bit for each.

    Attributes:
        locks: tests that are false while no step of the class can be enabled, with who could change that.
        openers: who could enable a step of the class, where no lock is closed.
    """

    key: Key
    locks: tuple[tuple[Callable[[State, int], Any], int], ...]
    openers: int


class Reducer:
    """The classes of a machine, and the ample sets of its states."""

    def __init__(self, search: Search) -> None:
        self._search = search
        self._steps = search.steps
        layout = self._steps.layout
        self._footprints = Footprints(layout)
        machine = search.machine
        faults = ("crash", "stop", "lose", "dup", "cut")
        self._faults = [layout.budgets[b.key] for b in machine.budgets if b.kind in faults and b.count]
        self._tick = next((n for n, u in enumerate(self._steps.units) if u.name == "tick" and u.step is None), None)
        prints = dict(self._classes(machine))
        keys = list(prints)
        self._numbers = {key: i for i, key in enumerate(keys)}
        self._touched = _by_resource(prints.values())
        self.dependent = [self._dependent(prints[key]) for key in keys]
        """For each class, those that depend on it."""
        judged = Footprint()
        for prop in machine.properties:
            if prop.body is not None:
                self._footprints.reads(prop.body, None, judged)
        visible = self._writers(judged.reads)
        self._visible = (1 << len(keys)) - 1 if judged.everything else visible
        senders: dict[str, int] = {}
        for i, key in enumerate(keys):
            for kind in prints[key].sends:
                senders[kind] = senders.get(kind, 0) | 1 << i
        self._class = [self._made(key, senders) for key in keys]

    # ---- classes

    def _classes(self, machine: Machine) -> Iterator[tuple[Key, Footprint]]:
        steps, layout = self._steps, self._steps.layout
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
        for number, unit in enumerate(steps.units):
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
            return (1 << len(self._numbers)) - 1
        found = everything
        for resource in mine.reads:
            found |= writers.get(resource, 0) | gatherers.get(resource, 0)
        for resource in mine.writes:
            found |= writers.get(resource, 0) | gatherers.get(resource, 0) | readers.get(resource, 0)
        for resource in mine.gathers:
            found |= writers.get(resource, 0) | readers.get(resource, 0)
        return found

    def _made(self, key: Key, senders: Mapping[str, int]) -> Class:
        number, process = key
        layout, step = self._steps.layout, self._steps.units[number].step
        everyone = (1 << len(self._numbers)) - 1
        locks: list[tuple[Callable[[State, int], Any], int]] = []
        status = layout.status.get(process)
        restarts = step.kind == "restart" if step is not None else self._steps.units[number].kind == "restart"
        if status is not None:
            wanted = DOWN if restarts else UP
            locks.append((lambda s, me, at=status, is_=wanted: s[at] == is_, self._writers([status])))  # type: ignore[misc]
        if step is None:  # nobody but faults makes a restart or healing necessary; a tick asks all clocks
            return Class(key, tuple(locks), everyone if number == self._tick else 0)
        if layout.faulty is not None:
            locks.append((lambda s, me, at=layout.faulty: not s[at] >> me & 1, 0))  # type: ignore[misc]
        if step.kind == "fault":
            locks.append((lambda s, me, at=layout.budgets[step.label]: s[at] > 0, 0))  # type: ignore[misc]
        found = tuple(self._footprints.locks(step, process))
        locks += [(self._compiled(lock), self._writers(lock.reads)) for lock in found]
        opening = self._footprints.opening(step, process, found)
        openers = everyone if opening.everything else self._writers(opening.reads)
        return Class(key, tuple(locks), openers | self._deliverers(step, process, senders))

    def _deliverers(self, step: Step, process: int, senders: Mapping[str, int]) -> int:
        """Who could make a message deliverable that is not yet: who sends it, takes what stands before it, or heals a cut."""
        if step.kind not in ("message", "ignore"):
            return 0
        machine, layout = self._search.machine, self._steps.layout
        found = senders.get(step.name, 0)
        network = machine.messages[step.name].network
        if machine.networks[network].kind == "fifo":
            found |= self._writers([("consumes", network, process)])
        if layout.cut is not None:
            found |= self._writers([layout.cut])
        return found

    def _compiled(self, lock: Lock) -> Callable[[State, int], Any]:
        return self._search.program.expression(lock.test, "s, me")

    # ---- ample sets

    def ample(
        self, state: State, done: list[Successor], failed: list[Failure], is_open: Callable[[State], bool]
    ) -> list[Successor]:
        """The steps of a state that have to be taken: an ample set, or all.

        Args:
            state: The state.
            done: Its enabled steps.
            failed: Those that err.
            is_open: Whether a state is still to be explored.
        """
        if any(state[slot] > 0 for slot in self._faults):
            return done
        classes = [self._class_of(unit, move) for unit, move, _ in done]
        erring = {self._class_of(unit, move) for unit, move, _ in failed}
        if len({*classes, *erring}) < 2:
            return done
        enabled = 0
        for number in {*classes, *erring}:
            enabled |= 1 << number
        blocking: dict[int, int] = {}
        best = done
        units = self._steps.units
        seeds = {
            number
            for number, (unit, move, target) in zip(classes, done, strict=True)
            if not units[unit].fault and not move.forged and target != state
        }
        for seed in sorted(seeds):
            found = self._closure(seed, state, enabled, blocking)
            if found is None:
                continue
            some = [step for number, step in zip(classes, done, strict=True) if found >> number & 1]
            if len(some) < len(best) and any(is_open(target) for _, _, target in some):
                best = some
        return best

    def _class_of(self, unit: int, move: Move) -> int:
        kind = self._steps.units[unit].kind
        if kind in ("tick", "drift"):
            assert self._tick is not None
            return self._numbers[self._tick, -1]
        return self._numbers[unit, move.process if kind != "heal" else -1]

    def _closure(self, seed: int, state: State, enabled: int, blocking: dict[int, int]) -> int | None:
        """The stubborn set of a class; None if something enabled in it is visible."""
        found = 1 << seed
        waiting = [seed]
        while waiting:
            number = waiting.pop()
            if enabled >> number & 1:
                if self._visible >> number & 1:
                    return None
                needed = self.dependent[number]
            else:
                needed = 0
            if number not in blocking:
                blocking[number] = self._openers(number, state)
            new = (needed | blocking[number]) & ~found
            found |= new
            while new:
                low = new & -new
                waiting.append(low.bit_length() - 1)
                new ^= low
        return found

    def _openers(self, number: int, state: State) -> int:
        """Of whom one has to run before another step of a class becomes enabled."""
        made = self._class[number]
        closed = []
        for test, openers in made.locks:
            try:
                if not test(state, made.key[1]):
                    closed.append(openers)
            except Fail:
                break
        return min(closed, key=int.bit_count, default=made.openers)


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


class ReducedSearch(Search):
    """A search that takes the steps of ample sets only."""

    def __init__(self, machine: Machine) -> None:
        super().__init__(machine)
        self._reducer = Reducer(self)

    def _taken(self, at: int, state: State) -> tuple[list[Successor], list[Failure]]:
        done, failed = super()._taken(at, state)
        number = self.numbers.get
        return self._reducer.ample(state, done, failed, lambda target: number(target, at + 1) > at), failed


class ReducedInterpreter:
    """The interpreter with partial-order reduction. It looks at expected properties of states, and at no others."""

    name = Interpreter.name

    def explore(self, machine: Machine, limits: Limits, observe: Observer | None = None) -> Exploration:
        """See `Engine.explore`.

        Raises:
            SpecError: as every engine does; PSM902 where the machine cannot be reduced.
        """
        if machine.bound is not None:
            raise error(
                "PSM902",
                "partial-order reduction cannot keep to a `bound`: a state that is left out may lie within it",
                source=machine.source,
                help="explore this check without `--por`",
            )
        looked_at = tuple(p for p in machine.properties if p.kind in REDUCIBLE and p.name in machine.expectations)
        found = ReducedSearch(replace(machine, properties=looked_at)).run(limits, observe)
        return replace(found, reduced=True)
