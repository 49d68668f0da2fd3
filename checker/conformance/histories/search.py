"""Is there an order of operations that explains all answers? The search behind linearizability and sequential consistency.

The search places one operation after the other, and goes back where none fits. It remembers every situation that it has been
in, so that none is tried twice: which operations are placed, and the state of the object (Wing and Gong 1993; the memo is
Lowe's, 2017). Which operations may come next is the business of an `Order`; two exist:

- `Intervals`, for linearizability: an operation comes before all that begin after its end. Operations are placed only when
  the end of one that is not placed yet is reached (Lowe's just-in-time linearization), so a situation is the number of ends
  that lie behind, and a mask of those operations that are placed before their end.
- `Chains`, for sequential consistency: each process's operations in its own order. A situation is how far each one is, and
  a mask of the crashed operations that are placed.

Four facts keep searches short, and none changes a result:

- An operation that changes nothing is placed as soon as it fits: every order from here on that has it later also works with
  it now. So reads do not branch.
- Of crashed operations that do the same, those that began first come first: two of them can always change places.
- The operation whose end is near is tried first, crashed ones last: most of them never took effect.
- Without the answer of an operation that ended there is no way on, so a situation that cannot place it is left at once.

A search runs in slices, so that several can take turns; it can end without an answer when budgets run out.

Sources: Wing and Gong, "Testing and Verifying Concurrent Objects", JPDC 1993. Lowe, "Testing for linearizability", CCPE 2017.
Horn and Kroening, "Faster linearizability checking via P-compositionality", FORTE 2015.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable, Sequence
from typing import Any, NamedTuple, Protocol

from checker.conformance.histories.history import NEVER, Operation
from checker.conformance.histories.model import REFUSED, Effect, State

Position = tuple[int, Any]
"""Where a search is. The first part counts what lies behind and never falls."""


class Step(NamedTuple):
    """An operation with its effect, ready to be placed."""

    op: Operation
    effect: Effect


Choice = tuple[int, Any]
"""The number of a step that may come next, and a token for `take`."""


class Order(Protocol):
    """Which operations may come next."""

    start: Position
    goal: int
    """The first part of the position in which everything that ended is placed."""

    def ahead(self, position: Position) -> Sequence[Choice]:
        """What may come next, most promising first."""
        ...

    def take(self, position: Position, token: Any) -> Position:
        """Where that leads."""
        ...

    def blocked(self, progress: int) -> Step | None:
        """The step that has to be placed before more lies behind than `progress`, where it is one."""
        ...


class Intervals:
    """The order of real time. Steps are in the order of their beginnings; of those that may come next, `rank` goes first."""

    def __init__(self, steps: Sequence[Step], rank: Callable[[Effect], int]) -> None:
        ended = sorted((s.op.end, number) for number, s in enumerate(steps) if s.op.end != NEVER)
        self._steps = steps
        self._ended = [number for _, number in ended]
        self.goal = len(ended)
        bits = _slots(steps)
        self._needed = [bits[number] for number in self._ended]
        self._bits = bits
        self._ends = [end for end, _ in ended]
        self._places = {number: (rank(steps[number].effect), place) for place, (_, number) in enumerate(ended)}
        self._rows: list[list[Choice]] = []
        self._next = 0
        crashed = [number for number, s in enumerate(steps) if s.op.end == NEVER]
        self._crashed = self._twins(crashed, bits)
        begins = [steps[number].op.begin for number in crashed]
        self._begun: list[int] = []
        count = 0
        for end, _ in ended:
            while count < len(begins) and begins[count] < end:
                count += 1
            self._begun.append(count)
        self.start: Position = (0, 0)

    def _row(self, place: int) -> list[Choice]:
        """Which ended operations are open at an end, by rank, then the one that ends first; made when it is first needed."""
        rows, steps = self._rows, self._steps
        while len(rows) <= place:
            at = len(rows)
            row = [choice for choice in rows[-1] if choice[0] != self._ended[at - 1]] if rows else []
            while self._next < len(steps) and steps[self._next].op.begin < self._ends[at]:
                if self._next in self._places:
                    row.append((self._next, self._bits[self._next]))
                self._next += 1
            row.sort(key=lambda choice: self._places[choice[0]])
            rows.append(row)
        return rows[place]

    def _twins(self, crashed: list[int], bits: list[int]) -> list[tuple[Choice, int]]:
        last: dict[Hashable, int] = {}
        result = []
        for number in crashed:
            twin = self._steps[number].effect.twin
            result.append(((number, bits[number]), last.get(twin, 0)))
            last[twin] = bits[number]
        return result

    def ahead(self, position: Position) -> list[Choice]:
        at, mask = position
        choices = [choice for choice in self._row(at) if not mask & choice[1]]
        for choice, before in self._crashed[: self._begun[at]]:
            if not mask & choice[1] and mask & before == before:
                choices.append(choice)
        return choices

    def take(self, position: Position, token: Any) -> Position:
        at, mask = position
        mask |= token
        needed = self._needed
        while at < self.goal and mask & needed[at]:
            mask ^= needed[at]
            at += 1
        return at, mask

    def blocked(self, progress: int) -> Step | None:
        return self._steps[self._ended[progress]]


def _slots(steps: Sequence[Step]) -> list[int]:
    """A bit for each step: one that no step has which it overlaps, so that masks stay short."""
    free: list[int] = []
    busy: list[tuple[int, int]] = []
    bits = []
    highest = 0
    for step in steps:
        still = []
        for end, slot in busy:
            if end < step.op.begin:
                free.append(slot)
            else:
                still.append((end, slot))
        busy = still
        if free:
            slot = free.pop()
        else:
            slot, highest = highest, highest + 1
        if step.op.end != NEVER:
            busy.append((step.op.end, slot))
        bits.append(1 << slot)
    return bits


class Chains:
    """The order of each process, and no other.

    A crashed operation comes after what its process had ended before, and nothing has to come after it: its process may go on
    while it is still under way. So it stands in no chain. Each one has a bit in a mask, and may be placed as soon as its process
    is as far as it was, or never. Once that is so it stays so, which is why of those that do the same the first is enough.
    """

    def __init__(self, steps: Sequence[Step]) -> None:
        chains: dict[object, list[int]] = defaultdict(list)
        crashed: list[tuple[int, object, int]] = []
        for number, step in enumerate(steps):
            chain = chains[step.op.process]
            if step.op.end == NEVER:
                crashed.append((number, step.op.process, len(chain)))
            else:
                chain.append(number)
        places = {process: place for place, process in enumerate(chains)}
        self._chains = list(chains.values())
        self._crashed = [
            (number, 1 << at, places[process], least, steps[number].effect.twin)
            for at, (number, process, least) in enumerate(crashed)
        ]
        self.goal = sum(map(len, self._chains))
        self.start: Position = (0, ((0,) * len(self._chains), 0))

    def ahead(self, position: Position) -> list[Choice]:
        places, mask = position[1]
        choices: list[Choice] = [
            (chain[at], process)
            for process, (at, chain) in enumerate(zip(places, self._chains, strict=True))
            if at < len(chain)
        ]
        twins: set[Hashable] = set()
        for number, bit, process, least, twin in self._crashed:
            if not mask & bit and places[process] >= least and twin not in twins:
                twins.add(twin)
                choices.append((number, -bit))
        return choices

    def take(self, position: Position, token: Any) -> Position:
        count, (places, mask) = position
        if token < 0:
            return count, (places, mask | -token)
        return count + 1, ((*places[:token], places[token] + 1, *places[token + 1 :]), mask)

    def blocked(self, progress: int) -> Step | None:
        return None


Trail = tuple[int, "Trail"] | None
"""Steps that are placed, the last one first."""

MOST_STATES = 5


class Search:
    """One search, to be run in slices.

    Attributes:
        result: whether there is such an order; None as long as nobody knows.
        situations: how many were looked into.
        spent: what they cost: one each, more where many operations may come next or the state is long.
        furthest: how much lay behind at most.
        states: states in which the search then was, some of them.
    """

    def __init__(self, steps: Sequence[Step], order: Order, initial: State) -> None:
        self.steps = steps
        self.order = order
        self.result: bool | None = None
        self.situations = 0
        self.spent = 0
        self.furthest = -1
        self.states: list[State] = []
        self._trail: Trail = None
        self._seen: set[tuple[Position, State]] = set()
        self._stack: list[tuple[Position, State, Trail]] = [(order.start, initial, None)]

    def run(self, budget: int) -> bool | None:
        """Spends so much more, or a little above, and gives `result`."""
        steps, order, seen, stack = self.steps, self.order, self._seen, self._stack
        ahead, take, goal = order.ahead, order.take, order.goal
        while stack and budget > 0:
            position, state, trail = stack.pop()
            fitting = True
            choices: Sequence[Choice] = ()
            while fitting and position[0] < goal:  # what changes nothing is placed as soon as it fits
                fitting = False
                choices = ahead(position)
                for number, token in choices:
                    if steps[number].effect.pure and steps[number].effect.apply(state) is not REFUSED:
                        position, trail, fitting = take(position, token), (number, trail), True
                        break
            if position[0] > self.furthest:
                self.furthest, self._trail, self.states = position[0], trail, []
            if position[0] == goal:
                self.result, self.states = True, [state]
                return True
            situation = (position, state)
            if situation in seen:
                continue
            seen.add(situation)
            cost = 1 + len(choices) // 4 + (len(state) // 16 if isinstance(state, tuple) else 0)
            budget -= cost
            self.spent += cost
            self.situations += 1
            if position[0] == self.furthest and len(self.states) < MOST_STATES and state not in self.states:
                self.states.append(state)
            for number, token in reversed(choices):
                if not steps[number].effect.pure:
                    after = steps[number].effect.apply(state)
                    if after is not REFUSED:
                        stack.append((take(position, token), after, (number, trail)))
        if not stack:
            self.result = False
            self._seen = set()
        return self.result

    @property
    def placed(self) -> tuple[Operation, ...]:
        """The operations up to the furthest point, in an order that explains them."""
        result = []
        trail = self._trail
        while trail is not None:
            number, trail = trail
            result.append(self.steps[number].op)
        return tuple(reversed(result))
