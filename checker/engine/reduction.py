"""Partial-order reduction: a search that leaves out steps whose order does not matter.

Where two processes do things that have nothing to do with each other, a search takes both orders and all states between. For
deadlocks, errors, and properties of states it is enough to take some of the enabled steps of a state now, an **ample set**,
and the others later, if

- **(C1)** on no way from the state that avoids the set, something happens first that depends on a step of the set;
- **(C2)** unless all steps are taken, none in the set changes what a judged property reads;
- **(C3)** unless all steps are taken, one in the set leads to a state of a later level: one that was not found when the level of
  the state began. Otherwise a step could be put off for ever round a cycle;
- **(C4)** one in the set is a step that changes the state and is no fault. So a state that `NoDeadlock` calls stuck is met by
  no way that avoids the set, and is found.

**How C1 is met.** Steps are put into `classes`, and a stubborn set of classes is closed: with a class that has an enabled (or
erring) step, all classes that depend on it are in the set; and with every class, some classes of which one has to run before a
step of it that is disabled now becomes enabled. These are those who could open a lock that is closed; if none is, its openers.
The enabled steps of a stubborn set are an ample set. One closure is tried for each class that fulfils C4, and the one with the
fewest steps that is allowed is taken.

**How C3 is met.** The *queue proviso* of breadth-first searches asks for a state that is still to be explored. Here all states
that were known when the level began count as closed, so that the order inside of a level makes no difference, and several
workers choose the same sets as one, whoever is first.

Faults of the surroundings depend on everything. So, as long as a crash, stop, lost or doubled message or cut is still to come,
all steps are taken; budgets never grow again, and behind the last fault the reduction begins.

**Why it is right.** Take a way from a state to one that violates something. If a step of it is in the set, that step can come
first, and the rest is shorter. If none is, take the step of C3: the way is still there behind it, as the step depends on
nothing on it, and leads to a state with the same values of what is judged. The new state is of a later level, and levels
end. An error is the end of a way likewise, since a step errs for what it reads.

Sources: A. Valmari, *Stubborn sets for reduced state space generation* (1990); D. Peled, *All from one, one for all* (1993);
P. Godefroid, *Partial-Order Methods for the Verification of Concurrent Systems* (1996); D. Bosnacki and G. J. Holzmann,
*Improving Spin's partial-order reduction for breadth-first search* (2005), for the queue proviso; D. Bosnacki, S. Leue and
A. Lluch Lafuente, *Partial-order reduction for general state exploring algorithms* (2009), for provisos that regard a set of
closed states.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from checker.base.diagnostics import error
from checker.engine.classes import BudgetLeft, Classes, HasStatus, Lock, NotFaulty
from checker.engine.interface import Exploration, Limits, Observer
from checker.engine.moves import Failure, Successor
from checker.engine.runtime import Fail, State
from checker.engine.search import Interpreter, Search
from checker.model.machine import Machine
from checker.model.symmetry import without_symmetry

REDUCIBLE = ("invariant", "reach")
"""The kinds of properties that speak of states alone."""


def reducible(machine: Machine) -> Machine:
    """A machine as a reduced search looks at it: with the expected properties of states, and every state for itself.

    Raises:
        SpecError: PSM902 where the machine cannot be reduced.
    """
    if machine.bound is not None:
        raise error(
            "PSM902",
            "partial-order reduction cannot keep to a `bound`: a state that is left out may lie within it",
            source=machine.source,
            help="explore this check without `--por`",
        )
    looked_at = tuple(p for p in machine.properties if p.kind in REDUCIBLE and p.name in machine.expectations)
    return without_symmetry(replace(machine, properties=looked_at))


class Reducer:
    """The ample sets of the states of a machine."""

    def __init__(self, search: Search) -> None:
        self._program = search.program
        self._units = search.steps.units
        self.classes = Classes(search.steps.layout, self._units)
        self._locks = [[(self._compiled(lock), lock.openers) for lock in made.locks] for made in self.classes.all]

    def _compiled(self, lock: Lock) -> Callable[[State, int], Any]:
        """A lock's test of a state and a process."""
        match lock.test:
            case HasStatus(slot, wanted):
                return lambda s, me: s[slot] == wanted
            case NotFaulty(slot):
                return lambda s, me: not s[slot] >> me & 1
            case BudgetLeft(slot):
                return lambda s, me: s[slot] > 0
        return self._program.expression(lock.test, "s, me")

    def ample(
        self, state: State, done: list[Successor], failed: list[Failure], is_later: Callable[[State], bool]
    ) -> list[Successor]:
        """The steps of a state that have to be taken: an ample set, or all.

        Args:
            state: The state.
            done: Its enabled steps.
            failed: Those that err.
            is_later: Whether a state belongs to a later level of the search.
        """
        if any(state[slot] > 0 for slot in self.classes.faults):
            return done
        classes = [self.classes.number(unit, move.process) for unit, move, _ in done]
        active = {*classes, *(self.classes.number(unit, move.process) for unit, move, _ in failed)}
        if len(active) < 2:
            return done
        enabled = sum(1 << number for number in active)
        blocking: dict[int, int] = {}
        best = done
        seeds = {
            number
            for number, (unit, move, target) in zip(classes, done, strict=True)
            if not self._units[unit].fault and not move.forged and target != state
        }
        for seed in sorted(seeds):
            found = self._closure(seed, state, enabled, blocking)
            if found is None:
                continue
            some = [step for number, step in zip(classes, done, strict=True) if found >> number & 1]
            if len(some) < len(best) and any(is_later(target) for _, _, target in some):
                best = some
        return best

    def _closure(self, seed: int, state: State, enabled: int, blocking: dict[int, int]) -> int | None:
        """The stubborn set of a class; None if something enabled in it is visible."""
        found = 1 << seed
        waiting = [seed]
        while waiting:
            number = waiting.pop()
            needed = 0
            if enabled >> number & 1:
                if self.classes.visible >> number & 1:
                    return None
                needed = self.classes.dependent[number]
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
        made = self.classes.all[number]
        closed = []
        for test, openers in self._locks[number]:
            try:
                if not test(state, made.key[1]):
                    closed.append(openers)
            except Fail:
                break
        return min(closed, key=int.bit_count, default=made.openers)


class ReducedSearch(Search):
    """A search that takes the steps of ample sets only."""

    def __init__(self, machine: Machine) -> None:
        super().__init__(machine)
        self._reducer = Reducer(self)

    def _taken(self, at: int, state: State) -> tuple[list[Successor], list[Failure]]:
        done, failed = super()._taken(at, state)
        number, later = self.numbers.get, self.levels[-1]
        return self._reducer.ample(state, done, failed, lambda target: number(target, later) >= later), failed


class ReducedInterpreter:
    """The interpreter with partial-order reduction. It looks at expected properties of states, and at no others."""

    name = Interpreter.name

    def explore(self, machine: Machine, limits: Limits, observe: Observer | None = None) -> Exploration:
        """See `Engine.explore`.

        Raises:
            SpecError: as every engine does; PSM902 where the machine cannot be reduced.
        """
        return replace(ReducedSearch(reducible(machine)).run(limits, observe), reduced=True)
