"""Who is asked first for the next step.

**Random**: every source of work has the same chance, and every now and then a fault, a lie or a timeout comes first.
Timeouts wait like this, since a timeout that fires as often as everything else ends most runs before anything has
happened. How often is drawn for each run, so that some runs are calm and some are stormy: bugs differ in what they need,
and a mixture of such runs finds more of them than runs of one kind (Groce et al., Swarm Testing, ISSTA 2012).

**PCT**: probabilistic concurrency testing (Burckhardt, Kothari, Musuvathi and Nagarakatte: A Randomized Scheduler with
Probabilistic Guarantees of Finding Bugs, ASPLOS 2010). Each source gets a random priority when it is first seen, and the
enabled source of the highest priority makes the step. d - 1 times in a run, at steps drawn beforehand, the source that
would be next falls below all initial priorities, at the i-th change to the priority i. A bug of depth d is one that shows
in every run in which d certain steps stand in the order that it needs. A run finds it with a probability of at least
1 / (n * k^(d-1)), for n sources and k steps.

In the paper, sources are threads. Here they are messages, actions and faults, since a process may take its messages in any
order. The proof asks no more of a thread than that it goes one way when it is chosen, so the guarantee holds for steps
without choices of their own; those are drawn. Drawing a priority when a source is first seen is the same as drawing all of
them beforehand.

A source that would change nothing is passed over like one that is not enabled.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterator
from random import Random
from typing import Protocol

from checker.engine.moves import Successor
from checker.engine.runtime import State
from checker.engine.simulation.draws import Draws
from checker.engine.simulation.sources import Draw, Source

SCHEDULES = ("mixed", "random", "pct")

RATES = (0.01, 0.05, 0.15, 0.4)
"""How often a fault, or a timeout, comes first, in different runs."""

LIE_RATE = 0.3

Made = tuple[Draw, Successor]
Ask = Callable[[Source], Made | None]
"""Asks a source for a step that changes the state."""


class Schedule(Protocol):
    """Chooses the steps of one run."""

    def next(self, state: State, at: int, work: list[Source], ask: Ask) -> Made | None:
        """The next step, with the number `at`; None where no source makes one. `work` may be changed."""
        ...


class RandomSchedule:
    """See the module."""

    def __init__(self, draws: Draws, chance: Random) -> None:
        self._draws = draws
        self._chance = chance
        self._faults = RATES[chance.randrange(len(RATES))]
        self._timeouts = RATES[chance.randrange(len(RATES))]

    def next(self, state: State, at: int, work: list[Source], ask: Ask) -> Made | None:
        """See `Schedule.next`."""
        chance = self._chance
        for pool in self._pools(state, work):
            while pool:
                place = int(chance.random() * len(pool))
                pool[place], pool[-1] = pool[-1], pool[place]
                made = ask(pool.pop())
                if made is not None:
                    return made
        return None

    def _pools(self, state: State, work: list[Source]) -> Iterator[list[Source]]:
        """Who is asked, in turn. What comes late is listed only if it is needed."""
        lies = self._draws.lies(state)
        late = [s for s in work if s.late]
        if late:
            work = [s for s in work if not s.late]
        stormy = self._chance.random() < self._faults
        lying = bool(lies) and self._chance.random() < LIE_RATE
        hasty = bool(late) and self._chance.random() < self._timeouts
        if stormy:
            yield self._draws.faults(state)
        if lying:
            yield lies
        if hasty:
            yield late
        yield work
        yield lies
        yield late
        if not stormy:
            yield self._draws.faults(state)


class PctSchedule:
    """See the module. `length` is the k and `depth` the d of the paper."""

    def __init__(self, draws: Draws, chance: Random, *, length: int, depth: int) -> None:
        self._draws = draws
        self._chance = chance
        self._priorities: dict[Source, float] = {}
        self._changes: dict[int, list[float]] = {}
        for number in range(1, depth):
            self._changes.setdefault(chance.randrange(length), []).append(number / depth)

    def next(self, state: State, at: int, work: list[Source], ask: Ask) -> Made | None:
        """See `Schedule.next`."""
        priorities = self._priorities
        queue: list[tuple[float, int, Source, Made | None]] = []
        everybody = (*work, *self._draws.lies(state), *self._draws.faults(state))
        for number, source in enumerate(everybody):
            if source not in priorities:
                priorities[source] = 1 + self._chance.random()
            queue.append((-priorities[source], number, source, None))
        heapq.heapify(queue)
        changes = self._changes.pop(at, [])
        while queue:
            _, number, source, made = heapq.heappop(queue)
            made = ask(source) if made is None else made
            if made is None:
                continue
            if not changes:
                return made
            priorities[source] = changes.pop()
            heapq.heappush(queue, (-priorities[source], number, source, made))
        return None


def schedule_for(kind: str, seed: int, draws: Draws, chance: Random, *, length: int, depth: int) -> Schedule:
    """The schedule of one run: `mixed` gives even seeds a random one and odd seeds PCT."""
    if kind == "pct" or (kind == "mixed" and seed % 2):
        return PctSchedule(draws, chance, length=length, depth=depth)
    return RandomSchedule(draws, chance)
