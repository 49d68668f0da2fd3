"""Time: one tick moves the clocks of all processes in one step.

A tick happens only if it changes something and the guard of every clock allows it, so time waits for what is urgent. With a
drift budget one clock may stand still or run twice in a tick.
"""

from __future__ import annotations

from checker.engine.faults import Faults
from checker.engine.moves import Failure, Move, Successor
from checker.engine.program import Program, StepCode
from checker.engine.runtime import Disabled, Effects, Fail, State, Tape
from checker.model.machine import Budget

Clock = tuple[int, StepCode, int]
"""The number and code of an `on tick`, and the process whose clock it is."""


class Clocks(Faults):
    """The tick, and its odd forms."""

    def __init__(self, program: Program, effects: type[Effects] = Effects) -> None:
        super().__init__(program, effects)
        self._ticks = [(n, c) for n, c in enumerate(program.steps) if c.step.kind == "tick"]
        if self._ticks:
            self._tick = self._unit("tick", "tick", fault=False)

    def _run_tick(self, state: State, done: list[Successor], failed: list[Failure]) -> None:
        """One tick moves the clock of every process; with a drift budget, one of them not at all or twice."""
        clocks = self._ready_clocks(state, failed)
        if clocks is None:
            return
        self._tick_once(state, clocks, self._tick, None, 1, done, failed)
        for name, (unit, budget) in self._drifts.items():
            if state[self.layout.budget(budget)] > 0:
                for _, code, me in clocks:
                    if code.step.role.name == name:
                        for times in (0, 2):
                            self._tick_once(state, clocks, unit, (me, budget), times, done, failed)

    def _clocks(self, state: State) -> list[Clock]:
        """The clocks of all processes that are not faulty."""
        return [
            (number, code, me)
            for number, code in self._ticks
            for me in code.step.role.processes
            if self.layout.faulty is None or not state[self.layout.faulty] >> me & 1
        ]

    def _ready_clocks(self, state: State, failed: list[Failure]) -> list[Clock] | None:
        """The clocks that a tick moves; None where one of them forbids it."""
        clocks = self._clocks(state)
        for number, code, me in clocks:
            try:
                if code.blocked is not None and (first := code.blocked(state, me)) >= 0:
                    self.counters.blocked[first] = 1
                    return None
                if code.limit is not None and not code.limit(state, me):
                    self.counters.limit_cut += 1
                    return None
            except Fail as problem:
                failed.append((number, Move(self._tick, me), problem))
                return None
        return clocks

    def _tick_once(
        self,
        state: State,
        clocks: list[Clock],
        unit: int,
        odd: tuple[int, Budget] | None,
        times: int,
        done: list[Successor],
        failed: list[Failure],
    ) -> None:
        tape = Tape()
        while True:
            self._tick_outcome(state, clocks, unit, odd, times, tape, done, failed)
            if not tape.advance():
                return

    def _tick_outcome(
        self,
        state: State,
        clocks: list[Clock],
        unit: int,
        odd: tuple[int, Budget] | None,
        times: int,
        tape: Tape,
        done: list[Successor],
        failed: list[Failure],
    ) -> None:
        """One tick with the answers of a tape, if it changes something."""
        target = list(state)
        try:
            for _, code, me in clocks:
                for _ in range(times if odd is not None and odd[0] == me else 1):
                    code.body(target, tape, me)
        except Disabled:
            self.counters.empty_choices["tick"] = self.counters.empty_choices.get("tick", 0) + 1
        except Fail as problem:
            failed.append((unit, Move(unit, odd[0] if odd else -1, labels=tuple(tape.labels), mask=times), problem))
        else:
            if tuple(target) != state:
                if odd is not None:
                    target[self.layout.budget(odd[1])] -= 1
                move = Move(unit, odd[0] if odd else -1, labels=tuple(tape.labels), mask=times)
                done.append((unit, move, tuple(target)))
