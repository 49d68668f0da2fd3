"""Why a check has so many states: what its state graph is made of, as data.

A state space is a product that the protocol cuts down. So the question is which factors it has. Four views answer it, each
computed from states and not from types:

- **parts**: which values each variable, fault and kind of message takes; and how many states would be left if it were not
  there, that is, how many differ in something else. Their ratio is what the part multiplies the states by;
- **finders**: which step found how many states first;
- **levels**: how many states there are at each depth;
- **changes**: how many states the check has with one constant or fault budget lowered by one. These are explorations of
  their own (`lowering`).

Where there are too many states to look at each, a sample is looked at, spread evenly over the order in which they were
found, and the explanation says so: then distinct values are a lower bound, the finders are an estimate, and what a part
multiplies by cannot be said.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import compress
from typing import Literal

from checker.base.data import dataclass
from checker.engine import networks
from checker.engine.interface import Stop
from checker.engine.runtime import State
from checker.model.layout import Layout, Width


@dataclass(frozen=True, slots=True)
class Part:
    """Something that a state consists of.

    Attributes:
        name: such as `RM.st`, `left of crash RM`, or the name of a message.
        keep: `durable`, `volatile`, `ghost`, `shared`, `fault`; of messages, the kind of their network.
        copies: how many processes have it.
        bits: of one copy in a packed state; of a message, those of its payload and ends.
        possible: how many values its type has.
        values: how many values were seen, of any copy; of a kind of message, how many different messages.
        together: how many combinations of its copies were seen; of messages, of those in flight at one time.
        most: of messages, the most copies in flight at one time.
        times: by how much it multiplies the states; None where only a sample was looked at.
    """

    name: str
    keep: str
    copies: int
    bits: int
    possible: int
    values: int
    together: int
    most: int | None
    times: float | None


@dataclass(frozen=True, slots=True)
class Finder:
    """A step, or a fault, and how many states it was the first to find; an estimate where a sample was looked at."""

    name: str
    states: int


@dataclass(frozen=True, slots=True)
class Change:
    """The same check with something lowered by one.

    Attributes:
        name: `N`, or a fault budget as it is written: `crash RM`.
        kind: which of the two.
        before: its value in the check.
        states: how many were found with `before - 1`; None where that cannot be checked.
        complete: whether these are all.
        factor: how many times as many states the check has; None where nothing certain can be said.
        bound: whether `factor` is exact, or at least or at most so much.
        reason: why it was not explored, or not to its end.
    """

    name: str
    kind: Literal["constant", "fault"]
    before: int
    states: int | None = None
    complete: bool = False
    factor: float | None = None
    bound: Literal["exactly", "at least", "at most"] = "exactly"
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Explanation:
    """Everything that `lockstep explain` says of one check.

    `looked_at` is the number of states that `parts` speak of, `traced` that of those whose finder was looked for; an initial
    state has none. `levels` are the numbers of states at each depth.
    """

    path: str
    spec: str
    check: str
    stop: Stop
    engine: str
    states: int
    transitions: int
    looked_at: int
    traced: int
    fixed_bits: int
    message_bits: int
    levels: tuple[int, ...]
    parts: tuple[Part, ...]
    messages: tuple[Part, ...]
    finders: tuple[Finder, ...]
    changes: tuple[Change, ...]
    seconds: float

    @property
    def sampled(self) -> bool:
        """Whether some state was not looked at."""
        return self.looked_at < self.states


def parts_of(layout: Layout, states: list[State], *, whole: bool) -> tuple[Part, ...]:
    """The variables and faults of the states, what multiplies them most first."""
    machine = layout.machine
    found = []
    for var, width in zip(machine.variables, layout.variable_widths, strict=True):
        keep = "shared" if var.role is None and var.keep != "ghost" else var.keep
        found.append(_part(width, keep, range(var.slot, var.slot + width.copies), states, whole))
    slots = [list(layout.status.values())] if layout.status else []
    slots += [[slot] for slot in (layout.faulty, layout.cut, *layout.budgets.values()) if slot is not None]
    for width, places in zip(layout.fault_widths, slots, strict=True):
        found.append(_part(width, "fault", places, states, whole))
    return _sorted(found)


def _part(width: Width, keep: str, slots: Iterable[int], states: list[State], whole: bool) -> Part:
    places = tuple(slots)
    together = {tuple(state[slot] for slot in places) for state in states}
    values = {value for combination in together for value in combination}
    times = None
    if whole and states:
        others = [slot not in places for slot in range(len(states[0]))]
        times = len(states) / len({tuple(compress(state, others)) for state in states})
    return Part(width.name, keep, width.copies, width.bits, width.values, len(values), len(together), None, times)


def messages_of(layout: Layout, states: list[State], *, whole: bool) -> tuple[Part, ...]:
    """The kinds of messages of the states, what multiplies them most first."""
    machine = layout.machine
    flights = [_flight(layout, state) for state in states]
    rest = layout.networks[0] if layout.networks else layout.slots
    found = []
    for message, width in zip(machine.messages.values(), layout.message_widths, strict=True):
        first = layout.offsets[message.name]
        end = first + layout.payloads(message) * layout.processes * (layout.processes + 1)
        together = {tuple(code for code in flight if first <= code < end) for flight in flights}
        others = None
        if whole and states:
            others = {
                (state[:rest], tuple(code for code in flight if not first <= code < end))
                for state, flight in zip(states, flights, strict=True)
            }
        found.append(
            Part(
                message.name,
                machine.networks[message.network].kind,
                1,
                width.bits,
                width.values,
                len({code for codes in together for code in codes}),
                len(together),
                max(map(len, together), default=0),
                None if others is None else len(states) / len(others),
            )
        )
    return _sorted(found)


def _flight(layout: Layout, state: State) -> tuple[int, ...]:
    """Every copy of every message in flight, network by network."""
    kinds = layout.machine.networks
    return tuple(code for i, slot in enumerate(layout.networks) for code in networks.all_codes(kinds[i], state[slot]))


def _sorted(parts: list[Part]) -> tuple[Part, ...]:
    return tuple(sorted(parts, key=lambda p: (-(p.times or 0), -p.together)))
