"""The steps of a state, as the semantics defines them: this module is the reference for every other engine.

A step is a handler with its instance, its parameters or message, and the outcome of every choice. `Steps.expand` lists the
enabled steps of a state in a fixed order: deliveries by network, message code and handler; messages invented by faulty
processes; then for each process its actions, timeouts and restart; the tick; healing; and last what faults do.

Each step comes as `(unit, move, next state)`. A unit is what coverage counts: a handler or a kind of fault. A move is what
`labels` needs to name the step. A step that errs has no next state and is listed apart.
"""

from __future__ import annotations

from checker.engine import networks
from checker.engine.clocks import Clocks
from checker.engine.moves import Call, Failure, Move, Successor
from checker.engine.program import Program, StepCode
from checker.engine.runtime import Effects, Fail, State
from checker.model.layout import DOWN, UP
from checker.model.machine import Step
from checker.model.types import roles_of


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
        self._own = {
            me: [
                Call(number, code, (me, *binding))
                for number, code in enumerate(program.steps)
                if code.step.role == role and code.step.kind in ("action", "timeout", "fault")
                for binding in code.bindings
            ]
            for role in self.machine.roles.values()
            for me in role.processes
        }
        self._deliveries: dict[int, tuple[Call, ...]] = {}
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

    def is_dead_end(self, state: State) -> bool:
        """Whether a state violates `NoDeadlock`: it is not final, no step but faults changes it, none errs, no limit holds one.

        Raises:
            Fail: `final` cannot be evaluated.
        """
        unclear: Fail | None = None
        try:
            if self.program.final is not None and self.program.final(state):
                return False
        except Fail as problem:
            unclear = problem
        with self.uncounted() as counters:
            done, failed = self.expand(state)
            alive = bool(failed or counters.limit_cut) or any(
                target != state and not self.units[unit].fault and not move.forged and move.torn is None
                for unit, move, target in done
            )
        if unclear is not None and not alive:
            raise unclear
        return not alive

    # ---- deliveries

    def _calls_of(self, message: int, network: int) -> tuple[Call, ...]:
        """The handlers that a message may run, with their arguments."""
        found = self._deliveries.get(message)
        if found is None:
            letter = self.layout.decode(message)
            calls = []
            consumed_from = -1 if self.machine.networks[network].kind == "soup" else network
            if letter.receiver >= 0:
                role = self.machine.role_of(letter.receiver)
                for number, code in self._handlers.get((letter.kind, role.name), ()):
                    assert code.step.sender is not None
                    if any(letter.sender in r.processes for r in roles_of(code.step.sender.type)):
                        args = (letter.receiver, letter.sender, *letter.payload)
                        calls.append(Call(number, code, args, consumed_from, message))
            found = self._deliveries[message] = tuple(calls)
        return found

    def _deliver(self, state: State, done: list[Successor], failed: list[Failure]) -> None:
        undisturbed = not self.layout.status and self.layout.faulty is None and self._cut is None
        for index, slot in enumerate(self.layout.networks):
            if not state[slot]:
                continue
            for message in networks.deliverable(self.machine.networks[index], state[slot]):
                for call in self._calls_of(message, index):
                    me, sender = call.args[0], call.args[1]
                    if undisturbed or (self.is_up(state, me) and not self.separated(state, me, sender)):
                        self._run(state, call, done, failed)

    # ---- what a process does by itself

    def _act(self, state: State, done: list[Successor], failed: list[Failure]) -> None:
        status = self.layout.status
        for me, calls in self._own.items():
            if me in status and state[status[me]] != UP:
                if state[status[me]] == DOWN:
                    self._run_restart(state, me, done, failed)
                continue
            if self.layout.faulty is not None and state[self.layout.faulty] >> me & 1:
                continue
            for call in calls:
                if call.code.step.kind != "fault" or self._may_strike(state, call.code.step):
                    self._run(state, call, done, failed)

    def _may_strike(self, state: State, step: Step) -> bool:
        """Whether an own fault has a budget left; the budget has the name of the step."""
        slot = self.layout.budgets.get(step.label)
        return slot is not None and state[slot] > 0

    def _run_restart(self, state: State, me: int, done: list[Successor], failed: list[Failure]) -> None:
        role = self.machine.role_of(me)
        slot = self.layout.status[me]
        up = (*state[:slot], UP, *state[slot + 1 :])
        if role.name in self._restart:
            number, code = self._restart[role.name]
            self._run(up, Call(number, code, (me,)), done, failed)
        else:
            unit = self._unit_numbers[f"restart {role.name}"]
            done.append((unit, Move(unit, me), up))

    # ---- failure detection

    def _silent(self, state: State, me: int, process: int) -> bool:
        """Whether a process is down, stopped or cut off from `me`, and no message of it can still change anything here."""
        if self.separated(state, me, process):
            return True
        status = self.layout.status.get(process)
        if status is None or state[status] == UP:
            return False
        with self.uncounted():
            return not any(
                self._changes_something(tuple(state), call)
                for index, slot in enumerate(self.layout.networks)
                for message in networks.deliverable(self.machine.networks[index], state[slot])
                for call in self._calls_of(message, index)
                if (call.process, call.sender) == (me, process) and call.code.step.kind != "ignore"
            )

    def _changes_something(self, state: State, call: Call) -> bool:
        done: list[Successor] = []
        failed: list[Failure] = []
        self._run(state, call, done, failed)
        return bool(failed) or any(move.torn is None and target != state for _, move, target in done)
