"""Running one handler: its outcomes, its errors, and what a crash in the middle of it leaves behind.

A handler is run on a copy of the state, once for each sequence of answers to its choices. Where a crash or stop may strike
its process, it is run again in its torn form: once for each number of effects, each subset of reached recipients and each
order of a torn loop (`runtime.Effects`). Tears of one step that leave the same state are one step.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from checker.engine import networks
from checker.engine.moves import Counters, Failure, Move, Successor, Unit
from checker.engine.program import Program, StepCode
from checker.engine.runtime import Disabled, Discarded, Effects, Fail, State, Tape
from checker.model.layout import DOWN, STOPPED
from checker.model.machine import Budget


class Outcomes:
    """Handlers with arguments, applied to states."""

    def __init__(self, program: Program, effects: type[Effects] = Effects) -> None:
        self.program = program
        self.effects = effects
        self.machine = program.machine
        self.layout = program.layout
        self.counters = Counters()
        self.units: list[Unit] = [
            Unit(c.step.label, c.step.kind, c.step.kind == "fault", c.step) for c in program.steps
        ]
        self._unit_numbers: dict[str, int] = {}
        self._crashes: dict[str, list[tuple[int, Budget]]] = {}

    def _unit(self, name: str, kind: str, *, fault: bool) -> int:
        if name not in self._unit_numbers:
            self.units.append(Unit(name, kind, fault, None))
            self._unit_numbers[name] = len(self.units) - 1
        return self._unit_numbers[name]

    def _run(
        self,
        state: State,
        number: int,
        code: StepCode,
        args: tuple[Any, ...],
        done: list[Successor],
        failed: list[Failure],
        slot: int = -1,
        message: int = -1,
        forged: bool = False,
    ) -> None:
        """Adds the outcomes of one handler with its arguments; `message` is consumed from the network in `slot`."""
        step = code.step
        has_sender = step.sender is not None
        try:
            if code.guard is not None and not code.guard(state, *args):
                return
            if code.limit is not None and not code.limit(state, *args):
                self.counters.limit_cut += 1
                return
        except Fail as problem:
            failed.append((number, self._move(number, args, has_sender, (), forged), problem))
            return
        start = list(state)
        if message >= 0:
            network = self.machine.networks[self.layout.networks.index(slot)]
            start[slot] = networks.remove(network, state[slot], message, self.layout.processes)
        if step.kind == "fault":
            budget = self.machine.budget("own", step.role.name, step.name)
            assert budget is not None
            start[self.layout.budget(budget)] -= 1
        if not step.has_choices:
            self._outcome(start, number, code, args, has_sender, forged, None, done, failed)
        else:
            tape = Tape()
            while True:
                self._outcome(start.copy(), number, code, args, has_sender, forged, tape, done, failed)
                if not tape.advance():
                    break
        if code.torn is not None:
            self._tear(start if step.has_choices else None, state, number, code, args, slot, message, forged, done)

    def _move(
        self, number: int, args: tuple[Any, ...], has_sender: bool, labels: tuple[Any, ...], forged: bool
    ) -> Move:
        if has_sender:
            return Move(number, args[0], args[1], args[2:], labels, forged)
        return Move(number, args[0], -1, args[1:], labels)

    def _outcome(
        self,
        target: list[Any],
        number: int,
        code: StepCode,
        args: tuple[Any, ...],
        has_sender: bool,
        forged: bool,
        tape: Tape | None,
        done: list[Successor],
        failed: list[Failure],
    ) -> None:
        try:
            code.body(target, tape, *args)
        except Disabled as reason:
            if reason.empty:
                name = code.step.label
                self.counters.empty_choices[name] = self.counters.empty_choices.get(name, 0) + 1
            return
        except Fail as problem:
            labels = tuple(tape.labels) if tape is not None else ()
            failed.append((number, self._move(number, args, has_sender, labels, forged), problem))
            return
        labels = tuple(tape.labels) if tape is not None else ()
        done.append((number, self._move(number, args, has_sender, labels, forged), tuple(target)))

    # ---- crashes

    def _tear(
        self,
        start: list[Any] | None,
        state: State,
        number: int,
        code: StepCode,
        args: tuple[Any, ...],
        slot: int,
        message: int,
        forged: bool,
        done: list[Successor],
    ) -> None:
        """Adds what is left of a handler that a crash or stop strikes between two of its effects.

        Tears of one step that leave the same state are one step.
        """
        budgets = [(u, b) for u, b in self._crashes[code.step.role.name] if state[self.layout.budget(b)] > 0]
        if not budgets:
            return
        if start is None:
            start = list(state)
            if message >= 0:
                network = self.machine.networks[self.layout.networks.index(slot)]
                start[slot] = networks.remove(network, state[slot], message, self.layout.processes)
        pictures: dict[State, tuple[tuple[Any, ...], int]] = {}
        assert code.torn is not None
        before = self.program.dropped.count
        for effects in range(1, 1 << 30):
            any_left = False
            tape = Tape()
            while True:
                fx = self.effects(effects, tape)
                try:
                    code.torn(start.copy(), tape, fx, *args)
                except (Disabled, Discarded, Fail):
                    any_left = any_left or fx.picture is not None
                else:
                    if fx.picture is not None:
                        any_left = True
                        pictures.setdefault(tuple(fx.picture), (tuple(tape.labels), effects))
                if not tape.advance():
                    break
            if not any_left:
                break
        self.program.dropped.count = before
        has_sender = code.step.sender is not None
        for unit, budget in budgets:
            seen: set[State] = set()
            for picture, (labels, effects) in pictures.items():
                move = self._move(number, args, has_sender, labels, forged)._replace(torn=(budget.kind, effects))
                for _, target in self._crashed(picture, args[0], budget):
                    if target not in seen:
                        seen.add(target)
                        done.append((unit, move._replace(unit=unit, code=number), target))

    def _crashed(self, state: State, process: int, budget: Budget) -> Iterator[tuple[tuple[Any, ...], State]]:
        """The states after a process went down, one for each choice of its `any` variables."""
        tape = Tape()
        while True:
            target = list(state)
            self.program.reset(target, process, tape)
            target[self.layout.status[process]] = DOWN if budget.kind == "crash" else STOPPED
            target[self.layout.budget(budget)] -= 1
            for index, slot in enumerate(self.layout.networks):
                network = self.machine.networks[index]
                if network.session:
                    target[slot] = networks.without_endpoint(network, target[slot], process, self.layout.processes)
            yield tuple(tape.labels), tuple(target)
            if not tape.advance():
                return
