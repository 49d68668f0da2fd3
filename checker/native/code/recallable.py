"""What may be recalled of a machine from state to state (`recall`), asked of the text of its steps (`engine.footprints`).

A step may be recalled if it has one outcome, which no crash can tear; if it asks for no messages; and if it sends only where
messages stay, so that those that were there are there still. What the steps of a process touch, and what their guards ask,
are bits of the fixed words of a state.

Two such steps **commute** if neither writes what the other reads or writes: whichever comes first, both can be taken, and the
same state is reached (`sleep`). Those of one process have to send different messages, too, which here means that they are of
different kinds or that the arguments say to whom they go.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import product

from checker.base.data import dataclass
from checker.engine.footprints import Footprint, Footprints
from checker.model import ir
from checker.model.machine import Step
from checker.model.types import ProcT
from checker.model.values import Value
from checker.model.walk import statements_in
from checker.native import abi
from checker.native.code.footprint import Mask, union
from checker.native.code.packed import Packed
from checker.native.code.program import Program
from checker.native.code.vectors import MOST
from checker.native.code.width import Unsupported

WORDS = 2
"""Of each state: for its messages, and for what processes do by themselves."""

PROCESSES = 16
"""With more processes, it is not worth the code."""

FEW = 64
"""The most values of a parameter of an action that is recalled."""

MOST_GROUPS = 32
"""The most groups of messages that are told apart."""

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
    touch: Mapping[tuple[int, int], Mask]
    """For each recalled step by its number, and process: what it touches."""
    ask: Mapping[tuple[int, int], Mask]
    """The same for what its guard reads."""
    write: Mapping[tuple[int, int], Mask]
    """The same for what it writes."""
    commute: Mapping[int, frozenset[int]]
    """For each recalled step by its number, those that it commutes with where other processes take them."""
    beside: tuple[int, ...]
    """For each recalled action by its bit, the bits of those of the same process that it commutes with."""

    def groups(self, masks: Mapping[tuple[int, int], Mask]) -> list[tuple[int, tuple[str, ...], Mask]]:
        """The recalled messages by receiver, those of kinds with equal masks together: receiver, kinds, mask.

        If there are more than MOST_GROUPS, all kinds are together.
        """
        found: dict[tuple[int, Mask], tuple[str, ...]] = {}
        for name, number in self.kinds.items():
            for (step, me), mask in masks.items():
                if step == number:
                    found[me, mask] = (*found.get((me, mask), ()), name)
        if len(found) <= MOST_GROUPS:
            return [(me, names, mask) for (me, mask), names in found.items()]
        receivers = dict.fromkeys(me for me, _ in found)
        return [(me, tuple(self.kinds), union([m for p, m in found if p == me])) for me in receivers]

    def waking(self, parts: Sequence[Mask]) -> Mapping[tuple[int, int], Mask]:
        """For each step what it touches, and all that is read by those of some parts of properties that read what it writes."""
        return {
            key: union(
                [touched, *(part for part in parts if any(a & b for a, b in zip(part, self.write[key], strict=True)))]
            )
            for key, touched in self.touch.items()
        }


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
    touches: Slots = {}
    asks: Slots = {}
    writes: Slots = {}
    sends: dict[int, set[str]] = {}

    def add(number: int, step: Step) -> bool:
        """Whether a step can be recalled; if so, adds what it touches."""
        if step.limit is not None or step.has_choices or program.can_tear(step):
            return False
        touched, asked, written = {}, {}, {}
        kinds_sent: set[str] = set()
        for me in step.role.processes:
            found = footprints.step(step, me)
            sent = {("messages", message) for message in found.sends}
            own = found.reads | found.writes | (found.gathers - sent)
            if found.everything or found.may_be_disabled or not all(isinstance(r, int) for r in own):
                return False
            if any(machine.messages[m].network != network for m in found.sends):
                return False
            guard = Footprint()
            if step.guard is not None:
                footprints.reads(step.guard, me, guard)
            touched[me], asked[me] = ({r for r in some if isinstance(r, int)} | always for some in (own, guard.reads))
            written[me] = {r for r in found.writes | found.gathers if isinstance(r, int)}
            kinds_sent |= found.sends
        sends[number] = kinds_sent
        touches[number], asks[number], writes[number] = touched, asked, written
        return True

    kinds: dict[str, int] = {}
    for message in machine.messages.values():
        takers = [
            (n, s) for n, s in enumerate(machine.steps) if s.name == message.name and s.kind in ("message", "ignore")
        ]
        if message.network == network and len(takers) == 1 and takers[0][1].kind == "message" and add(*takers[0]):
            kinds[message.name] = takers[0][0]
    found: list[Site] = []
    for number, step in enumerate(machine.steps):
        if step.kind in ("action", "timeout"):
            try:
                values = [unit.values(p.type) for p in step.params]
            except Unsupported:
                continue
            new = [(me, number, args) for me in step.role.processes for args in product(*values)]
            if all(len(v) <= FEW for v in values) and len(found) + len(new) <= MOST and add(number, step):
                found += new
    # in the order in which they are taken: process by process; the arguments of a step are in order already
    sites = {site: bit for bit, site in enumerate(sorted(found, key=lambda site: site[:2]))}
    if not kinds and not sites:
        return None

    touch, ask, write = (
        {(number, me): _mask(packed, some) for number, each in slots.items() for me, some in each.items()}
        for slots in (touches, asks, writes)
    )

    def side_by_side(a: Site, b: Site) -> bool:
        """Whether two actions of one process commute."""
        (me, one, _), (_, other, _) = a, b
        if writes[one][me] & touches[other][me] or writes[other][me] & touches[one][me]:
            return False
        to = _addressee(machine.steps[one]) if one == other else None
        return not sends[one] & sends[other] or (to is not None and a[2][to] != b[2][to])

    order = sorted(sites, key=sites.__getitem__)
    beside = tuple(sum(1 << sites[b] for b in order if a[0] == b[0] and side_by_side(a, b)) for a in order)
    return Recall(network, kinds, sites, touch, ask, write, _commute(touches, writes), beside)


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


def _addressee(step: Step) -> int | None:
    """Which parameter names the only receiver of all that a step sends; None where none does."""
    sent = [s for s in statements_in(step.body) if isinstance(s, ir.SendMsg | ir.DoProc)]
    to = {s.to.local.number if isinstance(s, ir.SendMsg) and isinstance(s.to, ir.GetLocal) else None for s in sent}
    assigned = {s.local.number for s in statements_in(step.body) if isinstance(s, ir.SetLocal)}
    for position, param in enumerate(step.params):
        if to == {param.number} and param.number not in assigned and isinstance(param.type, ProcT):
            return position
    return None


def _mask(packed: Packed, slots: set[int]) -> Mask:
    """The bits of the fixed words in which some slots lie."""
    found = [0] * packed.words
    for slot in slots:
        packed.cover(slot, found)
    return tuple(found)
