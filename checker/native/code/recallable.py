"""What may be recalled of a machine from state to state (`recall`), asked of the text of its steps (`engine.footprints`).

A step may be recalled if it has one outcome, which no crash can tear; if it asks for no messages; and if it sends only where
messages stay, so that those that were there are there still. What the steps of a process touch, and what their guards ask,
are bits of the fixed words of a state.

Two such steps of different processes **commute** if neither writes what the other reads or writes: whichever comes first, both
can be taken, and the same state is reached (`sleep`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import product

from checker.engine.footprints import Footprint, Footprints
from checker.model.machine import Step
from checker.model.values import Value
from checker.native import abi
from checker.native.code.packed import Packed
from checker.native.code.program import Program
from checker.native.code.vectors import MOST
from checker.native.code.width import Unsupported

WORDS = 2
"""Behind each state: for its messages, and for what processes do by themselves."""

PROCESSES = 16
"""With more processes, it is not worth the code."""

FEW = 64
"""The most values of a parameter of an action that is recalled."""

Slots = dict[int, dict[int, set[int]]]
"""For steps by their numbers, and processes: slots of the state."""

Site = tuple[int, int, tuple[Value, ...]]
"""An action with its arguments: process, number of the step, arguments."""


@dataclass(frozen=True, slots=True)
class Recall:
    """What is recalled of a machine."""

    network: int
    kinds: Mapping[str, int]
    """The messages whose taking is recalled, with the only step that takes each of them."""
    sites: Mapping[Site, int]
    """The actions that are recalled, with their bits, in the order in which they are taken."""
    touch: tuple[Mapping[int, tuple[int, ...]], Mapping[int, tuple[int, ...]]]
    """For each process, the bits of the fixed words that its recalled steps touch: those that take messages, and the actions."""
    ask: tuple[Mapping[int, tuple[int, ...]], Mapping[int, tuple[int, ...]]]
    """The same for what their guards read."""
    commute: Mapping[int, frozenset[int]]
    """For each recalled step by its number, those that it commutes with where other processes take them."""


def recall_of(program: Program) -> Recall | None:
    """What can be recalled of a machine; None where that is nothing."""
    unit, machine = program.unit, program.unit.machine
    packed = unit.packed
    if len(packed.listed) != 1 or program.links or unit.layout.faulty is not None:
        return None
    network = packed.listed[0]
    processes = [p for role in machine.roles.values() for p in role.processes]
    if machine.networks[network].kind != "soup" or len(processes) > PROCESSES or program.record >= 128 * abi.FEW_WORDS:
        return None
    footprints = Footprints(unit.layout)
    always = set(unit.layout.status.values()) | ({unit.layout.cut} if unit.layout.cut is not None else set())
    touch, ask = ([{p: set(always) for p in processes} for _ in range(WORDS)] for _ in range(2))
    touches: Slots = {}
    writes: Slots = {}

    def add(number: int, step: Step, word: int) -> bool:
        """Whether a step can be recalled; if so, adds what it touches."""
        if step.limit is not None or step.has_choices or program.can_tear(step):
            return False
        touched, written = {}, {}
        for me in step.role.processes:
            found = footprints.step(step, me)
            sent = {("messages", message) for message in found.sends}
            own = found.reads | found.writes | (found.gathers - sent)
            if found.everything or found.may_be_disabled or not all(isinstance(r, int) for r in own):
                return False
            if any(machine.messages[m].network != network for m in found.sends):
                return False
            touched[me] = {r for r in own if isinstance(r, int)}
            written[me] = {r for r in found.writes | found.gathers if isinstance(r, int)}
        touches[number], writes[number] = touched, written
        for me, some in touched.items():
            touch[word][me] |= some
            if step.guard is not None:
                guard = Footprint()
                footprints.reads(step.guard, me, guard)
                ask[word][me] |= {r for r in guard.reads if isinstance(r, int)}
        return True

    kinds: dict[str, int] = {}
    for message in machine.messages.values():
        takers = [
            (n, s) for n, s in enumerate(machine.steps) if s.name == message.name and s.kind in ("message", "ignore")
        ]
        if message.network == network and len(takers) == 1 and takers[0][1].kind == "message" and add(*takers[0], 0):
            kinds[message.name] = takers[0][0]
    found: list[Site] = []
    for number, step in enumerate(machine.steps):
        if step.kind in ("action", "timeout"):
            try:
                values = [unit.values(p.type) for p in step.params]
            except Unsupported:
                continue
            new = [(me, number, args) for me in step.role.processes for args in product(*values)]
            if all(len(v) <= FEW for v in values) and len(found) + len(new) <= MOST and add(number, step, 1):
                found += new
    # in the order in which they are taken: process by process; the arguments of a step are in order already
    sites = {site: bit for bit, site in enumerate(sorted(found, key=lambda site: site[:2]))}
    if not kinds and not sites:
        return None

    def masks(slots: list[dict[int, set[int]]]) -> tuple[dict[int, tuple[int, ...]], dict[int, tuple[int, ...]]]:
        messages, actions = ({p: _mask(packed, some) for p, some in each.items()} for each in slots)
        return messages, actions

    return Recall(network, kinds, sites, masks(touch), masks(ask), _commute(touches, writes))


def _commute(touches: Slots, writes: Slots) -> dict[int, frozenset[int]]:
    """For each step those that it commutes with, given what each process touches and writes with each of them."""

    def apart(a: int, b: int) -> bool:
        return all(
            writes[a][p].isdisjoint(touches[b][q]) and writes[b][q].isdisjoint(touches[a][p])
            for p in touches[a]
            for q in touches[b]
            if p != q
        )

    return {a: frozenset(b for b in touches if apart(a, b)) for a in touches}


def _mask(packed: Packed, slots: set[int]) -> tuple[int, ...]:
    """The bits of the fixed words in which some slots lie."""
    found = [0] * packed.words
    for slot in slots:
        packed.cover(slot, found)
    return tuple(found)
