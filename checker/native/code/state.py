"""The fixed parts of a packed state, read and written: variables, the status of processes, who is faulty, cuts.

Where a part lies is known (`packed.Place`); which copy of it is meant may be known only at run time. Then the copy's word and
bit are computed, which takes a shift and an addition, or nothing if all copies lie in one word.

Questions about processes are answered as far as possible while code is written: one that cannot crash is up, and where
nobody can lie, nobody is faulty.
"""

from __future__ import annotations

from collections.abc import Callable

from checker.model import ir
from checker.model.layout import STOPPED, UP
from checker.model.types import ProcT, Type
from checker.native import abi
from checker.native.code.conversion import Conversions
from checker.native.code.packed import Place
from checker.native.code.values import Val
from checker.native.code.writer import is_number


class States(Conversions):
    """Code that works on states. `ctx` is the worker's context, `state` the state that is read, `me` the process that acts."""

    ctx: str
    state: str
    me: str = "0"

    # ---- parts

    def locate(self, base: str, place: Place, copy: str) -> tuple[str, str]:
        """The pointer to the word of a copy, and its lowest bit in it."""
        if is_number(copy):
            word, shift = place.at(int(copy))
            return self.word(base, word), str(shift)
        if place.stride:
            index = self.op("add", 64, self.op("mul", 64, copy, str(place.stride)), str(place.word))
            return self.word(base, index), "0"
        if place.log == 6:
            pointer = self.word(base, place.word)
            return pointer, self.op("add", 64, self.op("mul", 64, copy, str(place.width)), str(place.shift))
        index = self.op("add", 64, self.op("lshr", 64, copy, str(place.log)), str(place.word))
        inside = self.op("and", 64, copy, str((1 << place.log) - 1))
        return self.word(base, index), self.op("mul", 64, inside, str(place.width))

    def read(self, base: str, place: Place, copy: str = "0") -> str:
        """The pattern of a part of a state."""
        pointer, shift = self.locate(base, place, copy)
        if place.width > 64:
            return self.load(pointer, f"i{place.width}")
        return self.extract(self.load(pointer), 64, shift, place.width)

    def write(self, base: str, place: Place, copy: str, pattern: str) -> None:
        """Stores the pattern of a part of a state."""
        pointer, shift = self.locate(base, place, copy)
        if place.width > 64:
            self.store(pattern, pointer, f"i{place.width}")
        else:
            self.store(self.insert(self.load(pointer), 64, shift, place.width, pattern), pointer)

    def slot(self, slot: int) -> Place:
        """Where the part with that first slot of the layout lies."""
        return self.unit.packed.places[slot]

    def copy_of(self, var: ir.Var, process: str) -> str:
        """Which copy of a variable a process has."""
        if var.role is None:
            return "0"
        role = self.unit.machine.roles[var.role]
        return "0" if role.size == 1 else self.op("sub", 64, process, str(role.base))

    def variable(self, var: ir.Var, process: str) -> Val:
        """The value of a variable; of one that nobody has, whatever stands there."""
        if var.role is not None and not self.unit.machine.roles[var.role].size:
            return Val(var.type, "0")
        return self.unpack(var.type, self.read(self.state, self.slot(var.slot), self.copy_of(var, process)))

    def parent(self, state: str) -> str:
        """The pointer to the state that a state was found from; to the state itself for an initial one."""
        header = self.load(self.word(state, -1))
        ref = self.op("and", 64, header, str((1 << abi.REF_BITS) - 1))
        worker = self.op("lshr", 64, ref, str(abi.WORKER_SHIFT))
        initial = self.compare("eq", 64, ref, str(abi.NO_PARENT))
        shared = self.pointer(self.load(self.word(self.ctx, abi.CTX_SHARED)))
        arenas = self.pointer(self.load(self.word(shared, abi.SHARED_ARENAS)))
        arena = self.load(self.word(arenas, self.select(initial, "i64", "0", worker)))
        offset = self.op("and", 64, ref, str((1 << abi.WORKER_SHIFT) - 1))
        address = self.op("add", 64, arena, self.op("shl", 64, self.op("add", 64, offset, "1"), "3"))
        return self.pointer(self.select(initial, "i64", self.address(state), address))

    # ---- processes

    def status(self, base: str, process: str) -> str:
        """Whether a process is up, down or stopped, as an i64; it is one of those that can be."""
        first = min(self.unit.layout.status.values())
        order = sorted(self.unit.layout.status, key=self.unit.layout.status.__getitem__)
        return self.resize(self.read(base, self.slot(first), self.index_in(order, process)), 2, 64)

    def index_in(self, processes: list[int], process: str) -> str:
        """The position of a process among others, in ascending order, of which it is one: runs without gaps are one case."""
        index = "0"
        for i, p in enumerate(processes):
            if i == 0 or processes[i - 1] != p - 1:
                here = self.op("sub", 64, process, str(p - i))
                index = here if i == 0 else self.select(self.compare("sge", 64, process, str(p)), "i64", here, index)
        return index

    def set_status(self, base: str, role: str, process: str, status: int) -> None:
        """Makes a process of a role that has a status up, down or stopped."""
        statuses = self.unit.layout.status
        order = sorted(statuses, key=statuses.__getitem__)
        first = self.unit.machine.roles[role].base
        copy = self.op("sub", 64, process, str(first - order.index(first)))
        self.write(base, self.slot(min(statuses.values())), copy, str(status))

    def with_status(self, t: Type | None, process: str, yes: Callable[[], str], no: str) -> str:
        """A truth about a process that may crash or stop; `no` for one that cannot. `t`: what is known of the process."""
        able = set(self.unit.layout.status)
        possible = set(range(self.unit.layout.processes))
        if isinstance(t, ProcT):
            possible = {p for r in t.roles for p in r.processes}
        if is_number(process):
            possible = {int(process)}
        if not possible & able:
            return no
        if possible <= able:
            return yes()
        inside = "0"
        for role in self.unit.machine.roles.values():
            if role.size and role.base in able:
                here = self.both(
                    self.compare("sge", 64, process, str(role.base)),
                    self.compare("slt", 64, process, str(role.base + role.size)),
                )
                inside = self.either(inside, here)
        result = self.stack("i1")
        self.store(no, result, "i1")
        then, on = self.block("able"), self.block("on")
        self.when(inside, then, on)
        self.place(then)
        self.store(yes(), result, "i1")
        self.go(on)
        self.place(on)
        return self.load(result, "i1")

    def is_up(self, base: str, process: str, t: Type | None = None) -> str:
        """Whether a process takes steps of its own."""
        up = self.with_status(t, process, lambda: self.compare("eq", 64, self.status(base, process), str(UP)), "1")
        return self.both(up, self.negate(self.is_faulty(process, base)))

    def is_stopped(self, base: str, process: str, t: Type) -> str:
        """Whether a process has stopped for good."""
        return self.with_status(
            t, process, lambda: self.compare("eq", 64, self.status(base, process), str(STOPPED)), "0"
        )

    def is_faulty(self, process: str, base: str | None = None) -> str:
        """Whether a process is faulty."""
        slot = self.unit.layout.faulty
        if slot is None:
            return "0"
        width = self.unit.layout.processes
        return self.extract(self.read(base or self.state, self.slot(slot)), width, process, 1)

    def separated(self, base: str, a: str, b: str) -> str:
        """Whether a cut lies between two processes."""
        slot = self.unit.layout.cut
        if slot is None:
            return "0"
        width = self.unit.layout.processes
        group = str(sum(1 << p for p in self.unit.layout.cut_group))
        side = self.read(base, self.slot(slot))
        inside = self.both(self.extract(group, width, a, 1), self.extract(group, width, b, 1))
        apart = self.op("xor", 1, self.extract(side, width, a, 1), self.extract(side, width, b, 1))
        return self.both(self.both(inside, apart), self.compare("ne", width, side, "0"))
