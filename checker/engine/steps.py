"""The steps of a state, as the semantics defines them: this module is the reference for every other engine.

A step is a handler with its instance, its parameters or message, and the outcome of every choice. `Steps.expand` lists the
enabled steps of a state in a fixed order: deliveries by network, message code and handler; messages invented by faulty
processes; then for each process its actions, timeouts and restart; the tick; healing; and last what faults do.

Each step comes as `(unit, move, next state)`. A unit is what coverage counts: a handler or a kind of fault. A move is what
`labels` needs to name the step. A step that errs has no next state and is listed apart.
"""

from __future__ import annotations

from typing import Any

from checker.engine import networks
from checker.engine.clocks import Clocks
from checker.engine.moves import Failure, Move, Successor
from checker.engine.program import Program, StepCode
from checker.engine.runtime import Effects, State
from checker.model.layout import DOWN, UP
from checker.model.types import RoleInfo, roles_of

Delivery = tuple[int, StepCode, tuple[Any, ...]]
"""The number and code of a handler, and its arguments: receiver, sender, payload."""


class Steps(Clocks):
    """The step relation of one program."""

    def __init__(self, program: Program, effects: type[Effects] = Effects) -> None:
        super().__init__(program, effects)
        self._handlers: dict[tuple[str, str], list[tuple[int, StepCode]]] = {}
        self._restart: dict[str, tuple[int, StepCode]] = {}
        for number, code in enumerate(program.steps):
            kind, role = code.step.kind, code.step.role
            if kind in ("message", "ignore"):
                self._handlers.setdefault((code.step.name, role.name), []).append((number, code))
            elif kind == "restart":
                self._restart[role.name] = (number, code)
        self._own = [
            (
                role,
                [
                    (number, code)
                    for number, code in enumerate(program.steps)
                    if code.step.role == role and code.step.kind in ("action", "timeout", "fault")
                ],
            )
            for role in self.machine.roles.values()
        ]
        self._deliveries: dict[int, tuple[Delivery, ...]] = {}
        program.silent = self._silent

    def expand(self, state: State) -> tuple[list[Successor], list[Failure]]:
        """The enabled steps of a state and those that err, in order."""
        done: list[Successor] = []
        failed: list[Failure] = []
        self._deliver(state, done, failed)
        if self._forgeries:
            self._forge(state, done, failed)
        self._act(state, done, failed)
        if self._ticks:
            self._run_tick(state, done, failed)
        if self._cut is not None:
            self._cut_or_heal(state, done)
        if self._crashes:
            self._crash(state, done)
        if self._links:
            self._lose_or_duplicate(state, done)
        return done, failed

    # ---- deliveries

    def _handlers_of(self, code: int) -> tuple[Delivery, ...]:
        """Which handlers a message may run, with their arguments."""
        found = self._deliveries.get(code)
        if found is None:
            letter = self.layout.decode(code)
            list_ = []
            if letter.receiver >= 0:
                role = self.machine.role_of(letter.receiver)
                for number, step in self._handlers.get((letter.kind, role.name), ()):
                    sender = step.step.sender
                    assert sender is not None
                    if any(letter.sender in r.processes for r in roles_of(sender.type)):
                        list_.append((number, step, (letter.receiver, letter.sender, *letter.payload)))
            found = self._deliveries[code] = tuple(list_)
        return found

    def _deliver(self, state: State, done: list[Successor], failed: list[Failure]) -> None:
        quiet = not self.layout.status and self.layout.faulty is None and self._cut is None
        for index, slot in enumerate(self.layout.networks):
            network = self.machine.networks[index]
            net = state[slot]
            if not net:
                continue
            for code in networks.deliverable(network, net):
                for number, step, args in self._handlers_of(code):
                    if quiet or (self.is_up(state, args[0]) and not self.separated(state, args[0], args[1])):
                        self._run(state, number, step, args, done, failed, slot, code)

    # ---- what a process does by itself

    def _act(self, state: State, done: list[Successor], failed: list[Failure]) -> None:
        status = self.layout.status
        for role, steps in self._own:
            restart = role.name in self._restarting
            for me in role.processes:
                if me in status and state[status[me]] != UP:
                    if restart and state[status[me]] == DOWN:
                        self._run_restart(state, role, me, done, failed)
                    continue
                if self.layout.faulty is not None and state[self.layout.faulty] >> me & 1:
                    continue
                for number, step in steps:
                    if step.step.kind == "fault" and not self._own_fault(state, step):
                        continue
                    for binding in step.bindings:
                        self._run(state, number, step, (me, *binding), done, failed)

    def _own_fault(self, state: State, step: StepCode) -> bool:
        budget = self.machine.budget("own", step.step.role.name, step.step.name)
        return budget is not None and budget.count > 0 and state[self.layout.budget(budget)] > 0

    def _run_restart(self, state: State, role: RoleInfo, me: int, done: list[Successor], failed: list[Failure]) -> None:
        entry = self._restart.get(role.name)
        slot = self.layout.status[me]
        up = (*state[:slot], UP, *state[slot + 1 :])
        if entry is None:
            unit = self._unit_numbers[f"restart {role.name}"]
            done.append((unit, Move(unit, me), up))
            return
        number, step = entry
        self._run(up, number, step, (me,), done, failed)

    # ---- failure detection

    def _silent(self, state: State, me: int, process: int) -> bool:
        """Whether a process is down, stopped or cut off from `me`, and no message of it can still change anything here."""
        slot = self.layout.status.get(process)
        gone = slot is not None and state[slot] != UP
        if not gone and not self.separated(state, me, process):
            return False
        if self.separated(state, me, process):
            return True
        state = tuple(state)
        for index, slot in enumerate(self.layout.networks):
            network = self.machine.networks[index]
            for code in networks.deliverable(network, state[slot]):
                letter = self.layout.decode(code)
                if letter.sender != process or letter.receiver != me:
                    continue
                for number, step, args in self._handlers_of(code):
                    if step.step.kind == "ignore":
                        continue
                    done: list[Successor] = []
                    failed: list[Failure] = []
                    self._run(state, number, step, args, done, failed, slot, code)
                    if failed or any(target != state for _, _, target in done):
                        return False
        return True
