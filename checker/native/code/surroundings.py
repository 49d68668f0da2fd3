"""What the surroundings of processes do: time passes, networks are cut and heal, processes crash, messages get lost or doubled.

The compiled form of `engine.faults` and of its ticks, in the same order. A fault takes one from its budget, and where nothing is
left of that, it cannot happen. Equal faults are one: copies of one message, or different messages in one queue, are
struck once each.
"""

from __future__ import annotations

from checker.model.liveness import tosses
from checker.model.machine import Budget, Step
from checker.model.types import ProcT, RoleInfo
from checker.native.code import frame
from checker.native.code.deliver import Deliveries
from checker.native.code.torn import crashed
from checker.native.code.width import Unsupported


class Surroundings(Deliveries):
    """Writes the steps of the surroundings."""

    scratch_state: str | None
    """Room for a state on the stack, where states are small."""

    # ---- time

    def tick(self, state: str) -> None:
        """One tick moves the clocks of all processes; with a drift budget, one of them not at all or twice."""
        clocks = [(n, s) for n, s in enumerate(self.unit.machine.steps) if s.kind == "tick"]
        if not clocks:
            return
        leave = self.block("no_tick")
        before, self.fail, self.state = self.fail, self.block("tick_failed"), state
        mine = self.me
        self.note_class(self.program.tick)
        for number, step in clocks:

            def guard(me: str, number: int = number, step: Step = step) -> None:
                skip = self.block("skip")
                self.require(self.negate(self.is_faulty(me, state)), skip)
                self.me = me
                self.guard(number, leave)
                if step.limit is not None:
                    cut, on = self.block("cut"), self.block("on")
                    self.when(self.expr(step.limit).op, on, cut)
                    self.place(cut)
                    self.bump(self.word(self.frame, frame.LIMIT_CUT))
                    self.go(leave)
                    self.place(on)
                self.place(skip)

            self.loop(str(step.role.base), str(step.role.base + step.role.size), guard)
        self.me = mine
        if self.unit.edges:
            self.note_key("0")
            if any(tosses(s.body, self.unit.machine.procedures) for _, s in clocks):
                self.go(self.defer)  # the interpreter knows which outcomes belong to one coin
        self._tick_once(state, clocks, self.program.tick, None, "-1", 1)
        for name, (unit, budget) in self.program.drifts.items():
            spent = self.block("spent")
            self.require(self.compare("ne", 64, self.budget(state, budget), "0"), spent)
            for _, step in clocks:
                if step.role.name != name:
                    continue

                def drift(me: str, unit: int = unit, budget: Budget = budget) -> None:
                    skip = self.block("skip")
                    self.require(self.negate(self.is_faulty(me, state)), skip)
                    for times in (0, 2):
                        self._tick_once(state, clocks, unit, budget, me, times)
                    self.place(skip)

                self.loop(str(step.role.base), str(step.role.base + step.role.size), drift)
            self.place(spent)
        self.go(leave)
        failed, self.fail = self.fail, before
        self.place(failed)
        self.note_failure()
        self.go(leave)
        self.place(leave)

    def _tick_once(
        self, state: str, clocks: list[tuple[int, Step]], unit: int, budget: Budget | None, odd: str, times: int
    ) -> None:
        chooses = any(s.has_choices for _, s in clocks)
        tape = self.scratch(frame.TAPE) if chooses else "null"
        if chooses:
            self.support("tape_reset", self.address(tape))
        again, next_, bad = self.block("again"), self.block("next"), self.block("bad")
        status_at = self.stack("i64")
        self.place(again)
        work = self.begin(state, self.scratch_state)
        for number, step in clocks:

            def one(me: str, number: int = number) -> None:
                skip = self.block("skip")
                self.require(self.negate(self.is_faulty(me, state)), skip)
                repeat = "1"
                if budget is not None:
                    repeat = self.select(self.compare("eq", 64, me, odd), "i64", str(times), "1")

                def run(_: str) -> None:
                    args = f"ptr {self.ctx}, ptr {self.frame}, ptr {work}, ptr {tape}, ptr null, i64 {me}"
                    status = self.let(f"call i64 @b{number}({args})")
                    self.store(status, status_at)
                    self.require(self.compare("eq", 64, status, "0"), bad)

                self.loop("0", repeat, run)
                self.place(skip)

            self.loop(str(step.role.base), str(step.role.base + step.role.size), one)
        self.require(self.differs(state, work), next_)
        if budget is not None:
            self.spend(work, self.unit.layout.budget(budget))
        self.commit(state, work, unit, "0" if budget is not None else "1")
        self.go(next_)
        self.place(bad)
        status = self.load(status_at)
        # a tick that is disabled counts as one with nothing to choose from, whatever disabled it
        blocked = self.compare("eq", 64, status, str(frame.BLOCKED))
        status = self.select(blocked, "i64", str(frame.EMPTY), status)
        self.by_status(status, str(self.program.tick), next_)
        self.place(next_)
        if chooses:
            done = self.block("done")
            more = self.support("tape_advance", self.address(tape))
            self.when(self.compare("ne", 64, more, "0"), again, done)
            self.place(done)

    # ---- faults

    def cut_or_heal(self, state: str) -> None:
        """A cut is healed, or, if there is none, every cut that the budget allows."""
        if self.program.cut is None:
            return
        unit, budget, group = self.program.cut
        slot = self.unit.layout.cut
        assert slot is not None
        place = self.slot(slot)
        width = self.unit.layout.processes
        healed, whole, done = self.block("heal"), self.block("whole"), self.block("done")
        self.when(self.compare("ne", width, self.read(state, place), "0"), healed, whole)
        self.place(healed)
        self.note_key("0")
        self.note_class(self.program.heal)
        work = self.begin(state, self.scratch_state)
        self.write(work, place, "0", "0")
        self.commit(state, work, self.program.heal, "1")
        self.go(done)
        self.place(whole)
        self.require(self.compare("ne", 64, self.budget(state, budget), "0"), done)
        if len(group) > 40:
            raise Unsupported("a cut between more than 40 processes")

        def one(number: str) -> None:
            side = "0"
            for i, p in enumerate(group[1:]):
                bit = self.op("and", 64, self.op("lshr", 64, number, str(i)), "1")
                side = self.op("or", 64, side, self.op("shl", 64, bit, str(p)))
            work = self.begin(state, self.scratch_state)
            self.write(work, place, "0", self.resize(side, 64, width))
            self.spend(work, self.unit.layout.budget(budget))
            self.commit(state, work, unit, "0")

        self.loop("1", str(1 << (len(group) - 1)) if group else "1", one)
        self.go(done)
        self.place(done)

    def crash(self, state: str) -> None:
        """Every process that may crash or stop does."""
        for role in self.unit.machine.roles.values():
            for unit, budget in self.program.crashes.get(role.name, ()):
                spent = self.block("spent")
                self.require(self.compare("ne", 64, self.budget(state, budget), "0"), spent)

                def one(me: str, role: RoleInfo = role, unit: int = unit, budget: Budget = budget) -> None:
                    skip = self.block("skip")
                    self.require(self.is_up(state, me, ProcT((role,))), skip)
                    crashed(self, state, state, me, role.name, unit, budget, None)
                    self.place(skip)

                self.loop(str(role.base), str(role.base + role.size), one)
                self.place(spent)

    def lose_or_duplicate(self, state: str) -> None:
        """Every message is lost, or doubled where there is room for another."""
        for unit, budget in self.program.links:
            spent = self.block("spent")
            self.require(self.compare("ne", 64, self.budget(state, budget), "0"), spent)
            for network, net in enumerate(self.unit.machine.networks):
                if budget.kind == "dup" and net.kind == "soup":
                    continue
                dense = self.unit.packed.dense.get(network)
                if dense is not None:
                    if budget.kind == "lose":  # a bag of one copy has no room for another
                        self._lose_bits(state, network, unit, budget)
                elif network in self.unit.packed.listed:
                    self._strike_lanes(state, network, unit, budget)
            self.place(spent)

    def _lose_bits(self, state: str, network: int, unit: int, budget: Budget) -> None:
        dense = self.unit.packed.dense[network]

        def one(bit: str) -> None:
            work = self.begin(state, self.scratch_state)
            self.clear_bit(work, dense, bit)
            self.spend(work, self.unit.layout.budget(budget))
            self.commit(state, work, unit, "0")

        self.each_bit(self.read(state, dense.place), dense.place.width, one)

    def _strike_lanes(self, state: str, network: int, unit: int, budget: Budget) -> None:
        net = self.unit.machine.networks[network]
        begin, end = self.span_of(state, network)
        previous = self.stack("i64")
        self.store("-1", previous)
        lanes = self.list_of(state)

        def one(lane: str) -> None:
            code = self.lane(state, lane)
            skip = self.block("skip")
            if net.kind != "fifo":  # copies of one message are struck once
                known = self.load(previous)
                self.store(code, previous)
                self.require(self.compare("ne", 64, code, known), skip)
            if budget.kind == "dup":
                low, high = self.alike(net.kind, lanes, (begin, end), code)
                self.require(self.compare("ult", 64, self.op("sub", 64, high, low), str(net.capacity)), skip)
            work = self.begin(state, self.scratch_state)
            if budget.kind == "dup":
                self.insert_lane(work, network, self.op("add", 64, lane, "1"), code, self.defer)
            else:
                self.remove_lane(work, network, lane)
            self.spend(work, self.unit.layout.budget(budget))
            self.commit(state, work, unit, "0")
            self.place(skip)

        self.loop(begin, end, one)
