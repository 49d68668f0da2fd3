"""Where everything of a state lies: slots for the interpreter, codes for messages, bits for a packed state.

**Slots.** A state of the interpreter is a flat tuple: the variables (one slot for each instance), then the status of the
processes that may crash or stop, the faulty set, the cut, what is left of each budget, and one slot for each network.

**Message codes.** A message is one integer, `offset + (payload * P + sender) * (P + 1) + receiver + 1` with P processes;
receiver -1 is nobody. All copies of a payload from one sender are neighbours, so `sent` is a search in a sorted tuple, and
the order of codes is the order in which deliveries are listed, on every engine.

**Bits.** The exact width of each variable and each message kind, as a packed state stores it: the fixed part, and one code
for each message in the network. A dense bit for each possible message would explode.
"""

from __future__ import annotations

from functools import cached_property
from typing import NamedTuple

from checker.base.data import dataclass
from checker.model.ir import Var
from checker.model.machine import Budget, Machine, Message
from checker.model.types import ProcT, show
from checker.model.values import Value, rank, space, unrank

UP, DOWN, STOPPED = 0, 1, 2
"""The status of a process."""


class Envelope(NamedTuple):
    """A decoded message."""

    kind: str
    sender: int
    receiver: int
    payload: tuple[Value, ...]


@dataclass(frozen=True, slots=True)
class Width:
    """How wide something is in a packed state. `values` is how many it can take, `bits` the bits that need."""

    name: str
    type: str
    values: int
    bits: int
    copies: int = 1


def bits_for(values: int) -> int:
    """The bits that number `values` things."""
    return max(0, values - 1).bit_length()


class Layout:
    """The layout of one machine; computed once, then read-only."""

    def __init__(self, machine: Machine) -> None:
        self.machine = machine
        self.processes = machine.processes
        slot = machine.slots
        self.status: dict[int, int] = {}
        for role in machine.roles.values():
            if any(b.kind in ("crash", "stop") and role in b.roles and b.count for b in machine.budgets):
                for process in role.processes:
                    self.status[process] = slot
                    slot += 1
        self.faulty: int | None = None
        if any(b.kind == "byzantine" and b.count for b in machine.budgets):
            self.faulty, slot = slot, slot + 1
        self.cut: int | None = None
        if any(b.kind == "cut" and b.count for b in machine.budgets):
            self.cut, slot = slot, slot + 1
        self.budgets: dict[str, int] = {}
        for budget in machine.budgets:
            if budget.kind != "byzantine" and budget.count:
                self.budgets[budget.key] = slot
                slot += 1
        self.networks: list[int] = []
        for _ in machine.networks:
            self.networks.append(slot)
            slot += 1
        self.slots = slot
        self.offsets: dict[str, int] = {}
        self.spaces: dict[str, tuple[int, ...]] = {}
        offset = 0
        for message in machine.messages.values():
            self.offsets[message.name] = offset
            self.spaces[message.name] = tuple(space(t) for _, t in message.fields)
            offset += self.payloads(message) * self.processes * (self.processes + 1)
        self.codes = offset
        self._decoded: dict[int, Envelope] = {}

    def slot(self, var: Var, process: int | None) -> int:
        """The slot of a variable, of one process where a role has it."""
        if var.role is None:
            return var.slot
        assert process is not None
        return var.slot + process - self.machine.roles[var.role].base

    def budget(self, budget: Budget) -> int:
        return self.budgets[budget.key]

    @cached_property
    def cut_group(self) -> tuple[int, ...]:
        """The processes that a cut may separate: the side without the first of them is the one that a state names."""
        budget = next((b for b in self.machine.budgets if b.kind == "cut" and b.count), None)
        if budget is None:
            return ()
        return tuple(p for r in budget.roles or tuple(self.machine.roles.values()) for p in r.processes)

    # ---- message codes

    def payloads(self, message: Message) -> int:
        """How many numbers the payloads of a kind take."""
        product = 1
        for size in self.spaces[message.name]:
            product *= size
        return product

    def encode(self, kind: str, sender: int, receiver: int, payload: tuple[Value, ...]) -> int:
        """The code of a message."""
        number = 0
        for (_, t), size, value in zip(self.machine.messages[kind].fields, self.spaces[kind], payload, strict=True):
            number = number * size + rank(t, value)
        return self.offsets[kind] + (number * self.processes + sender) * (self.processes + 1) + receiver + 1

    def decode(self, code: int) -> Envelope:
        """The message of a code."""
        found = self._decoded.get(code)
        if found is None:
            found = self._decoded[code] = self._decode(code)
        return found

    def forget(self) -> None:
        """Drops the decoded messages that are kept, where memory has to stay small."""
        self._decoded.clear()

    def _decode(self, code: int) -> Envelope:
        kind = next(k for k in reversed(self.offsets) if self.offsets[k] <= code)
        number, receiver = divmod(code - self.offsets[kind], self.processes + 1)
        number, sender = divmod(number, self.processes)
        payload: list[Value] = []
        for (_, t), size in zip(reversed(self.machine.messages[kind].fields), reversed(self.spaces[kind]), strict=True):
            number, digit = divmod(number, size)
            payload.append(unrank(t, digit))
        return Envelope(kind, sender, receiver - 1, tuple(reversed(payload)))

    # ---- bits

    @cached_property
    def variable_widths(self) -> tuple[Width, ...]:
        widths = []
        for var in self.machine.variables:
            values = space(var.type)
            name = var.name if var.role is None else f"{var.role}.{var.name}"
            copies = 1 if var.role is None else self.machine.roles[var.role].size
            widths.append(Width(name, show(var.type), values, bits_for(values), copies))
        return tuple(widths)

    @cached_property
    def fault_widths(self) -> tuple[Width, ...]:
        widths = []
        if self.status:
            widths.append(Width("status", "up, down or stopped", 3, 2, len(self.status)))
        if self.faulty is not None:
            widths.append(Width("faulty", "Set of processes", 1 << self.processes, self.processes))
        if self.cut is not None:
            widths.append(Width("cut", "Set of processes", 1 << self.processes, self.processes))
        widths += [
            Width(f"left of {budget.key}", f"0..{budget.count}", budget.count + 1, bits_for(budget.count + 1))
            for budget in self.machine.budgets
            if budget.key in self.budgets
        ]
        return tuple(widths)

    @cached_property
    def message_widths(self) -> tuple[Width, ...]:
        """One for each kind: sender and receiver among those that the spec allows, and the payload."""
        widths = []
        for message in self.machine.messages.values():
            values = self.payloads(message) * max(1, _count(message.senders)) * max(1, _count(message.receivers))
            network = self.machine.networks[message.network]
            widths.append(Width(message.name, network.kind, values, bits_for(values)))
        return tuple(widths)

    @cached_property
    def code_bits(self) -> int:
        """The bits of one message in a packed network: a number among all possible messages."""
        return bits_for(sum(w.values for w in self.message_widths))

    @cached_property
    def fixed_bits(self) -> int:
        """The bits of a packed state without its messages."""
        return sum(w.bits * w.copies for w in (*self.variable_widths, *self.fault_widths))


def _count(t: ProcT) -> int:
    return sum(r.size for r in t.roles)
