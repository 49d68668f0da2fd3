"""What could make a step in a state, without asking whether it does.

The search lists every enabled step of a state. That is what makes it exact, and what a simulation cannot afford: a cut has
2^(n-1) sides, a faulty process has a lie for every payload, a handler that chooses has an outcome for each choice, and a
crash tears it in every place. Here a state has *sources* instead: a message that could be delivered, an action of a
process, the clocks, a fault. Listing them evaluates no guard. `draws` asks a source for one step, and keeps it as a `Draw`.
"""

from __future__ import annotations

from typing import NamedTuple

from checker.engine import networks
from checker.engine.moves import Call
from checker.engine.program import Program
from checker.engine.runtime import State
from checker.engine.simulation.tapes import Answers
from checker.engine.steps import Steps
from checker.model.layout import DOWN, UP
from checker.model.machine import Budget

MOST_KEPT = 200_000
"""How many messages are remembered with the handlers that they may run."""

WORK = frozenset({"call", "restart", "tick", "heal"})
"""The kinds of sources that `NoDeadlock` may rely on; the others are faults and lies."""


class Source:
    """What may make a step. Sources are made once, so that schedules can tell them apart by identity. `late`: a timeout."""

    __slots__ = ("budget", "call", "kind", "late", "process", "unit")

    def __init__(
        self, kind: str, *, unit: int = -1, process: int = -1, call: Call | None = None, budget: Budget | None = None
    ) -> None:
        self.kind = kind
        self.unit = unit
        self.process = process
        self.call = call
        self.budget = budget
        self.late = call is not None and call.code.step.kind == "timeout"


class Draw(NamedTuple):
    """A step that was drawn. `mask` is the side of a cut, or how often an odd clock runs; `answers` are those of its choices."""

    source: Source
    call: Call | None = None
    process: int = -1
    network: int = -1
    code: int = -1
    position: int = 0
    mask: int = 0
    effects: int = 0
    answers: Answers = ()


class Sources(Steps):
    """The steps of one program by what makes them."""

    def __init__(self, program: Program) -> None:
        super().__init__(program)
        self._sources: dict[Call, Source] = {}
        self._work: dict[int, list[Source]] = {}
        self._own_faults: dict[int, list[Source]] = {}
        for me, calls in self._own.items():
            self._work[me] = [self._source(c) for c in calls if c.code.step.kind != "fault"]
            self._own_faults[me] = [Source("slip", process=me, call=c) for c in calls if c.code.step.kind == "fault"]
        self._restarts = {me: self._restart_source(me) for me in self.layout.status}
        self._tick_source = Source("tick")
        self._heal_source = Source("heal")
        self._crash_sources = [
            Source("crash", unit=unit, process=me, budget=budget)
            for crashes in self._crashes.values()
            for unit, budget in crashes
            for me in budget.roles[0].processes
        ]
        self._fault_sources = [
            Source("tear", unit=unit, budget=budget)
            for name, crashes in self._crashes.items()
            if any(c.torn is not None and c.step.role.name == name for c in program.steps)
            for unit, budget in crashes
        ]
        self._fault_sources += [
            Source("drift", unit=unit, budget=budget)
            for unit, budget in self._drifts.values()
            if budget.roles[0].processes  # a role may have no instances
        ]
        self._fault_sources += [Source("link", unit=unit, budget=budget) for unit, budget in self._links]
        self._cut_source = None if self._cut is None else Source("cut", unit=self._cut[0], budget=self._cut[1])
        self._lies: dict[int, list[Call]] = {}
        for call in self._forgeries:
            self._lies.setdefault(call.sender, []).append(call)
        self._liars = {liar: Source("lie", process=liar) for liar in self._lies}

    def _source(self, call: Call) -> Source:
        return Source("call", process=call.process, call=call)

    def _restart_source(self, me: int) -> Source:
        written = self._restart.get(self.machine.role_of(me).name)
        return Source("restart", process=me, call=None if written is None else Call(*written, (me,)))

    # ---- who could make a step

    def forget(self) -> None:
        """Between two runs: keeps what is remembered about messages small."""
        if len(self._deliveries) > MOST_KEPT:
            self._deliveries.clear()
            self._sources.clear()
            self.layout.forget()

    def work(self, state: State) -> list[Source]:
        """What may happen without a fault: deliveries, actions, timeouts, restarts, clocks, the end of a cut."""
        found: list[Source] = []
        undisturbed = not self.layout.status and self.layout.faulty is None and self._cut is None
        sources = self._sources
        for index, slot in enumerate(self.layout.networks):
            for message in networks.deliverable(self.machine.networks[index], state[slot]):
                for call in self._calls_of(message, index):
                    if undisturbed or (
                        self.is_up(state, call.process) and not self.separated(state, call.process, call.sender)
                    ):
                        source = sources.get(call)
                        if source is None:
                            source = sources[call] = self._source(call)
                        found.append(source)
        status = self.layout.status
        for me, own in self._work.items():
            if me in status and state[status[me]] != UP:
                if state[status[me]] == DOWN:
                    found.append(self._restarts[me])
            elif self.layout.faulty is None or not state[self.layout.faulty] >> me & 1:
                found += own
        if self._ticks:
            found.append(self._tick_source)
        if self.layout.cut is not None and state[self.layout.cut]:
            found.append(self._heal_source)
        return found

    def faults(self, state: State) -> list[Source]:
        """What else may strike, as far as budgets go."""
        found = [
            source
            for me, own in self._own_faults.items()
            if own and self.is_up(state, me)
            for source in own
            if source.call is not None and self._may_strike(state, source.call.code.step)
        ]
        found += [s for s in self._fault_sources if self._left(state, s)]
        found += [s for s in self._crash_sources if self._left(state, s) and self.is_up(state, s.process)]
        if self._cut_source is not None and self.layout.cut is not None and not state[self.layout.cut]:
            found += [self._cut_source] if self._left(state, self._cut_source) else []
        return found

    def lies(self, state: State) -> list[Source]:
        """The processes that may send what they like."""
        if self.layout.faulty is None:
            return []
        return [source for liar, source in self._liars.items() if state[self.layout.faulty] >> liar & 1]

    def _left(self, state: State, source: Source) -> bool:
        assert source.budget is not None
        return bool(state[self.layout.budget(source.budget)] > 0)

    # ---- what is possible

    def can_lie(self, state: State, call: Call) -> bool:
        assert self.layout.faulty is not None
        return bool(
            state[self.layout.faulty] >> call.sender & 1
            and self.is_up(state, call.process)
            and not self.separated(state, call.process, call.sender)
        )

    def _may_run(self, state: State, call: Call) -> bool:
        """Whether a handler may be asked: its process is there, and so is its message."""
        kind = call.code.step.kind
        if kind == "restart":
            return bool(state[self.layout.status[call.process]] == DOWN)
        if call.forged:
            return self.can_lie(state, call)
        if not self.is_up(state, call.process):
            return False
        if kind == "fault":
            return self._may_strike(state, call.code.step)
        if call.message < 0:
            return True
        number = self.machine.messages[self.layout.decode(call.message).kind].network
        there = networks.deliverable(self.machine.networks[number], state[self.layout.networks[number]])
        return call.message in there and not self.separated(state, call.process, call.sender)

    def is_possible(self, draw: Draw, state: State) -> bool:
        """Whether what a step needs beside its guard is there."""
        source = draw.source
        if source.budget is not None and not self._left(state, source):
            return False
        if draw.call is not None:
            return self._may_run(state, draw.call)
        match source.kind:
            case "restart":
                return bool(state[self.layout.status[draw.process]] == DOWN)
            case "heal" | "cut":
                assert self.layout.cut is not None
                return bool(state[self.layout.cut]) == (source.kind == "heal")
            case "crash":
                return self.is_up(state, draw.process)
            case "link":
                network, slot = self.machine.networks[draw.network], self.layout.networks[draw.network]
                return (draw.code, draw.position) in networks.positions(network, state[slot])
        return True
