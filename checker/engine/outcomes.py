"""Running one handler: its outcomes, its errors, and what a crash in the middle of it leaves behind.

A handler is run on a copy of the state, once for each sequence of answers to its choices. Where a crash or stop may strike
its process, it is run again in its torn form: once for each number of effects, each subset of reached recipients and each
order of a torn loop (`runtime.Effects`). Tears of one step that leave the same state are one step.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from checker.base.diagnostics import SpecError, error
from checker.engine import networks
from checker.engine.idle import first_numbers
from checker.engine.moves import Call, Counters, Failure, Successor, Unit
from checker.engine.program import Program
from checker.engine.runtime import (
    MAX_TEARS,
    Disabled,
    Discarded,
    Effects,
    Fail,
    State,
    Tape,
    TooManyTears,
)
from checker.model.layout import DOWN, STOPPED
from checker.model.machine import Budget


class Outcomes:
    """Handlers with arguments, applied to states."""

    def __init__(self, program: Program, effects: type[Effects] = Effects) -> None:
        self.program = program
        self.effects = effects
        self.machine = program.machine
        self.layout = program.layout
        self.counters = Counters(bytearray(first_numbers(self.machine)[-1]))
        self.units: list[Unit] = [
            Unit(c.step.label, c.step.kind, c.step.kind == "fault", c.step) for c in program.steps
        ]
        self._unit_numbers: dict[str, int] = {}
        self._crashes: dict[str, list[tuple[int, Budget]]] = {}

    @contextmanager
    def uncounted(self) -> Iterator[Counters]:
        """Whatever is tried inside counts for nothing, but in the counters that are given."""
        saved, dropped = self.counters, self.program.dropped.count
        self.counters = Counters(bytearray(len(saved.blocked)))
        try:
            yield self.counters
        finally:
            self.counters, self.program.dropped.count = saved, dropped

    def _unit(self, name: str, kind: str, *, fault: bool) -> int:
        if name not in self._unit_numbers:
            self.units.append(Unit(name, kind, fault, None))
            self._unit_numbers[name] = len(self.units) - 1
        return self._unit_numbers[name]

    def _run(self, state: State, call: Call, done: list[Successor], failed: list[Failure]) -> None:
        """Adds the outcomes of one call in a state."""
        code, args = call.code, call.args
        try:
            if code.blocked is not None and (first := code.blocked(state, *args)) >= 0:
                self.counters.blocked[first] = 1
                return
            if code.limit is not None and not code.limit(state, *args):
                self.counters.limit_cut += 1
                return
        except Fail as problem:
            failed.append((call.number, call.move(()), problem))
            return
        start = self._start(state, call)
        if call.simple:
            self._outcome(start, call, None, done, failed)
            return
        if not code.step.has_choices:
            self._outcome(start.copy(), call, None, done, failed)
        else:
            tape = Tape()
            while True:
                self._outcome(start.copy(), call, tape, done, failed)
                if not tape.advance():
                    break
        if code.torn is not None:
            self._tear(state, start, call, done)

    def _start(self, state: State, call: Call) -> list[Any]:
        """The state in which a body begins: its message is consumed, its budget spent."""
        start = list(state)
        if call.network >= 0:
            slot = self.layout.networks[call.network]
            network = self.machine.networks[call.network]
            start[slot] = networks.remove(network, state[slot], call.message, self.layout.processes)
        step = call.code.step
        if step.kind == "fault":
            start[self.layout.budgets[step.label]] -= 1
        return start

    def _outcome(
        self, target: list[Any], call: Call, tape: Tape | None, done: list[Successor], failed: list[Failure]
    ) -> None:
        try:
            call.code.body(target, tape, *call.args)
        except Disabled as reason:
            if reason.empty:
                name = call.code.step.label
                self.counters.empty_choices[name] = self.counters.empty_choices.get(name, 0) + 1
            return
        except Fail as problem:
            failed.append((call.number, call.move(tuple(tape.labels) if tape is not None else ()), problem))
            return
        done.append((call.number, call.move(tuple(tape.labels) if tape is not None else ()), tuple(target)))

    # ---- crashes

    def _tear(self, state: State, start: list[Any], call: Call, done: list[Successor]) -> None:
        """Adds what is left of a call that a crash or stop strikes between two of its effects."""
        budgets = [(u, b) for u, b in self._crashes[call.code.step.role.name] if state[self.layout.budget(b)] > 0]
        if not budgets:
            return
        pictures = self._pictures(start, call)
        for unit, budget in budgets:
            seen: set[State] = set()
            for picture, (labels, effects) in pictures.items():
                move = call.move(labels)._replace(unit=unit, torn=(budget.kind, effects), code=call.number)
                for _, target in self._crashed(picture, call.process, budget):
                    if target not in seen:
                        seen.add(target)
                        done.append((unit, move, target))

    def _pictures(self, start: list[Any], call: Call) -> dict[State, tuple[tuple[Any, ...], int]]:
        """Every state that a call can be torn in, with the answers and the number of effects that lead there first."""
        pictures: dict[State, tuple[tuple[Any, ...], int]] = {}
        torn = call.code.torn
        assert torn is not None
        dropped = self.program.dropped.count
        effects, more = 1, True
        while more:
            more = False
            tape = Tape()
            while True:
                fx = self.effects(effects, tape)
                try:
                    torn(start.copy(), tape, fx, *call.args)
                except TooManyTears as problem:
                    raise self._torn_too_often(call, problem) from None
                except (Disabled, Discarded, Fail):
                    more = more or fx.picture is not None
                else:
                    if fx.picture is not None:
                        more = True
                        pictures.setdefault(tuple(fx.picture), (tuple(tape.labels), effects))
                if not tape.advance():
                    break
            effects += 1
        self.program.dropped.count = dropped
        return pictures

    def _torn_too_often(self, call: Call, problem: TooManyTears) -> SpecError:
        return error(
            "PSM507",
            f"a crash can tear {call.code.step.label} in more than {MAX_TEARS:,} ways",
            source=self.machine.source,
            span=call.code.step.span,
            notes=[f"one send or loop of it alone gives {problem.args[0]:,}"],
            help="use fewer recipients, an `atomic` block, or no crash budget for this role",
        )

    def _crashed(self, state: State, process: int, budget: Budget) -> Iterator[tuple[tuple[Any, ...], State]]:
        """The states after a process went down, one for each choice of its `any` variables."""
        tape = Tape()
        while True:
            target = self._crash_once(state, process, budget, tape)
            yield tuple(tape.labels), target
            if not tape.advance():
                return

    def _crash_once(self, state: State, process: int, budget: Budget, tape: Tape) -> State:
        """The state after a process went down, with the answers of a tape."""
        target = list(state)
        self.program.reset(target, process, tape)
        target[self.layout.status[process]] = DOWN if budget.kind == "crash" else STOPPED
        target[self.layout.budget(budget)] -= 1
        for index, slot in enumerate(self.layout.networks):
            network = self.machine.networks[index]
            if network.session:
                target[slot] = networks.without_endpoint(network, target[slot], process, self.layout.processes)
        return tuple(target)
