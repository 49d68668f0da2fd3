"""States under a permutation of symmetric instances: variables, who is down or faulty, cuts, and messages.

A permutation (`model.permute`) moves the variables of a process to another one, and renames what stands in them and in
messages. A cut names one of its two sides, the one without the lowest process; after a renaming that may be the other.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from checker.engine.runtime import State
from checker.model.layout import Layout
from checker.model.permute import Elements, Permutation
from checker.model.values import Value

MOST_CODES = 1 << 16
"""The most renamed messages that are kept for one permutation."""


class Renaming:
    """One permutation of the instances of a machine."""

    def __init__(self, layout: Layout, elements: Elements, to: Permutation) -> None:
        self.layout = layout
        self.elements = elements
        self.to = to
        self._moves = self._variables()
        self._codes: dict[int, int] = {}
        width = layout.processes
        self._processes = [elements.process(p, to) for p in range(width)]

    def _variables(self) -> list[tuple[int, int, Callable[[Value, Permutation], Value] | None]]:
        """Where the value of each slot goes, and how it is renamed, for those slots that change."""
        layout, moves = self.layout, []
        for var in layout.machine.variables:
            processes = (None,) if var.role is None else layout.machine.roles[var.role].processes
            rename = self.elements.renaming(var.type)
            for process in processes:
                other = None if process is None else self.elements.process(process, self.to)
                if other != process or rename is not None:
                    moves.append((layout.slot(var, process), layout.slot(var, other), rename))
        for process, slot in layout.status.items():
            other = self.elements.process(process, self.to)
            if other != process:
                moves.append((slot, layout.status[other], None))
        return moves

    def state(self, state: State) -> State:
        """The state with its instances renamed."""
        layout, to = self.layout, self.to
        new: list[Any] = list(state)
        for slot, target, rename in self._moves:
            value = state[slot]
            new[target] = value if rename is None else rename(value, to)
        if layout.faulty is not None:
            new[layout.faulty] = self.mask(state[layout.faulty])
        if layout.cut is not None and state[layout.cut]:
            new[layout.cut] = self._side(self.mask(state[layout.cut]))
        for index, slot in enumerate(layout.networks):
            if state[slot]:
                new[slot] = self._network(layout.machine.networks[index].kind, state[slot])
        return tuple(new)

    def mask(self, mask: int) -> int:
        """A set of processes, as bits."""
        return sum(1 << other for process, other in enumerate(self._processes) if mask >> process & 1)

    def _side(self, side: int) -> int:
        group = self.layout.cut_group
        return sum(1 << p for p in group) ^ side if side >> group[0] & 1 else side

    def _network(self, kind: str, net: tuple[Any, ...]) -> tuple[Any, ...]:
        if kind != "fifo":
            return tuple(sorted([self.code(c) for c in net]))
        queues = []
        for queue in net:
            codes = [self.code(c) for c in queue[1:]]
            letter = self.layout.decode(codes[0])
            queues.append((letter.sender * self.layout.processes + letter.receiver, *codes))
        return tuple(sorted(queues))

    def code(self, code: int) -> int:
        """A message."""
        found = self._codes.get(code)
        if found is None:
            if len(self._codes) >= MOST_CODES:
                self._codes.clear()
            found = self._codes[code] = self._code(code)
        return found

    def _code(self, code: int) -> int:
        letter = self.layout.decode(code)
        payload = []
        for (_, t), value in zip(self.layout.machine.messages[letter.kind].fields, letter.payload, strict=True):
            rename = self.elements.renaming(t)
            payload.append(value if rename is None else rename(value, self.to))
        sender = self._processes[letter.sender]
        receiver = letter.receiver if letter.receiver < 0 else self._processes[letter.receiver]
        return self.layout.encode(letter.kind, sender, receiver, tuple(payload))
