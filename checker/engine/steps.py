"""The steps of a state, as the semantics defines them: this module is the reference for every other engine.

A step is a handler with its instance, its parameters or message, and the outcome of every choice. `Steps.expand` lists the
enabled steps of a state in a fixed order: deliveries by network, message code and handler; messages invented by faulty
processes; then for each process its actions, timeouts and restart; the tick; healing; and last what faults do.

Each step comes as `(unit, move, next state)`. A unit is what coverage counts: a handler or a kind of fault. A move is what
`labels` needs to name the step. A step that errs has no next state and is listed apart.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import product
from typing import Any, NamedTuple

from checker.engine import networks
from checker.engine.program import Program, StepCode
from checker.engine.runtime import Disabled, Discarded, Effects, Fail, State, Tape
from checker.model.layout import DOWN, STOPPED, UP
from checker.model.machine import Budget, Step
from checker.model.types import RoleInfo
from checker.model.values import Value


class Unit(NamedTuple):
    """Something that coverage counts. `fault`: not a step that `NoDeadlock` may rely on."""

    name: str
    kind: str
    fault: bool
    step: Step | None


class Move(NamedTuple):
    """What names a step. `labels` are the answers to choices; `torn` says how many effects happened before a crash."""

    unit: int
    process: int = -1
    sender: int = -1
    args: tuple[Value, ...] = ()
    labels: tuple[tuple[Any, Value], ...] = ()
    forged: bool = False
    torn: tuple[str, int] | None = None
    code: int = -1
    position: int = 0
    mask: int = 0


Successor = tuple[int, Move, State]
Failure = tuple[int, Move, Fail]


@dataclass(slots=True)
class Counters:
    """What happened on the way that is no step. Reset by whoever reads it."""

    limit_cut: int = 0
    empty_choices: dict[str, int] = field(default_factory=dict)


class Steps:
    """The step relation of one program."""

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
        self._handlers: dict[tuple[str, str], list[tuple[int, StepCode]]] = {}
        self._own: list[tuple[RoleInfo, list[tuple[int, StepCode]]]] = []
        self._restart: dict[str, tuple[int, StepCode] | None] = {}
        self._ticks: list[tuple[int, StepCode]] = []
        for number, code in enumerate(program.steps):
            kind, role = code.step.kind, code.step.role
            if kind in ("message", "ignore"):
                self._handlers.setdefault((code.step.name, role.name), []).append((number, code))
            elif kind == "restart":
                self._restart[role.name] = (number, code)
            elif kind == "tick":
                self._ticks.append((number, code))
        for role in self.machine.roles.values():
            mine = [
                (n, c)
                for n, c in enumerate(program.steps)
                if c.step.role == role and c.step.kind in ("action", "timeout", "fault")
            ]
            self._own.append((role, mine))
        self._deliveries: dict[int, tuple[tuple[int, StepCode, tuple[Any, ...]], ...]] = {}
        self._fault_units()
        self._forgeries = self._forgery_table()
        program.silent = self._silent

    def _unit(self, name: str, kind: str, *, fault: bool) -> int:
        if name not in self._unit_numbers:
            self.units.append(Unit(name, kind, fault, None))
            self._unit_numbers[name] = len(self.units) - 1
        return self._unit_numbers[name]

    def _fault_units(self) -> None:
        """The kinds of faults that the budgets allow, with their budgets."""
        self._crashes: dict[str, list[tuple[int, Budget]]] = {}
        self._links: list[tuple[int, Budget]] = []
        self._cut: tuple[int, Budget, list[int]] | None = None
        self._drifts: dict[str, tuple[int, Budget]] = {}
        for budget in self.machine.budgets:
            if not budget.count or budget.kind == "byzantine":
                continue
            if budget.kind == "own":
                continue
            unit = self._unit(budget.key, budget.kind, fault=True)
            match budget.kind:
                case "crash" | "stop":
                    self._crashes.setdefault(budget.roles[0].name, []).append((unit, budget))
                case "lose" | "dup":
                    self._links.append((unit, budget))
                case "drift":
                    self._drifts[budget.roles[0].name] = (unit, budget)
                case "cut":
                    roles = budget.roles or tuple(self.machine.roles.values())
                    self._cut = (unit, budget, [p for r in roles for p in r.processes])
        for role in self.machine.roles.values():
            crashing = any(b.kind == "crash" for _, b in self._crashes.get(role.name, ()))
            if crashing and role.name not in self._restart:
                self._restart[role.name] = None
                self._unit(f"restart {role.name}", "restart", fault=False)
        if self._cut is not None:
            self._heal = self._unit("heal", "heal", fault=False)
        if self._ticks:
            self._tick = self._unit("tick", "tick", fault=False)

    def _forgery_table(self) -> list[tuple[int, StepCode, int, int, tuple[tuple[Value, ...], ...]]]:
        """Every handler, receiver and possible liar, with every well-typed payload."""
        if self.layout.faulty is None:
            return []
        liars = [p for b in self.machine.budgets if b.kind == "byzantine" for p in b.roles[0].processes]
        table = []
        for number, code in enumerate(self.program.steps):
            step = code.step
            if step.kind != "message" or step.sender is None:
                continue
            senders = {p for r in getattr(step.sender.type, "roles", ()) for p in r.processes}
            payloads = tuple(product(*(self.program.names.values(p.type) for p in step.params)))
            for me in step.role.processes:
                for liar in liars:
                    if liar in senders and liar != me:
                        table.append((number, code, me, liar, payloads))
        return table

    # ---- the relation

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

    def is_up(self, state: State, process: int) -> bool:
        """Whether a process takes steps of its own."""
        slot = self.layout.status.get(process)
        if slot is not None and state[slot] != UP:
            return False
        return self.layout.faulty is None or not state[self.layout.faulty] >> process & 1

    def separated(self, state: State, a: int, b: int) -> bool:
        """Whether a cut lies between two processes."""
        if self._cut is None or a == b:
            return False
        assert self.layout.cut is not None
        side, group = state[self.layout.cut], self._cut[2]
        return bool(side) and a in group and b in group and (side >> a ^ side >> b) & 1 == 1

    def _handlers_of(self, code: int) -> tuple[tuple[int, StepCode, tuple[Any, ...]], ...]:
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
                    if any(letter.sender in r.processes for r in getattr(sender.type, "roles", ())):
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

    def _forge(self, state: State, done: list[Successor], failed: list[Failure]) -> None:
        assert self.layout.faulty is not None
        faulty = state[self.layout.faulty]
        for number, step, me, liar, payloads in self._forgeries:
            if not faulty >> liar & 1 or not self.is_up(state, me) or self.separated(state, me, liar):
                continue
            for payload in payloads:
                self._run(state, number, step, (me, liar, *payload), done, failed, forged=True)

    def _act(self, state: State, done: list[Successor], failed: list[Failure]) -> None:
        status = self.layout.status
        for role, steps in self._own:
            restart = role.name in self._restart
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
        entry = self._restart[role.name]
        slot = self.layout.status[me]
        up = (*state[:slot], UP, *state[slot + 1 :])
        if entry is None:
            unit = self._unit_numbers[f"restart {role.name}"]
            done.append((unit, Move(unit, me), up))
            return
        number, step = entry
        self._run(up, number, step, (me,), done, failed)

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

    # ---- faults

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

    def _crash(self, state: State, done: list[Successor]) -> None:
        for role in self.machine.roles.values():
            for unit, budget in self._crashes.get(role.name, ()):
                if state[self.layout.budget(budget)] <= 0:
                    continue
                for me in role.processes:
                    if not self.is_up(state, me):
                        continue
                    for labels, target in self._crashed(state, me, budget):
                        done.append((unit, Move(unit, me, labels=labels), target))

    def _lose_or_duplicate(self, state: State, done: list[Successor]) -> None:
        width = self.layout.processes
        for unit, budget in self._links:
            left = self.layout.budget(budget)
            if state[left] <= 0:
                continue
            for index, slot in enumerate(self.layout.networks):
                network = self.machine.networks[index]
                if budget.kind == "dup" and network.kind == "soup":
                    continue
                for code, position in networks.positions(network, state[slot]):
                    change = networks.take_out if budget.kind == "lose" else networks.duplicate
                    net = change(network, state[slot], code, position, width)
                    if net is None:
                        continue
                    target = list(state)
                    target[slot], target[left] = net, state[left] - 1
                    done.append((unit, Move(unit, code=code, position=position), tuple(target)))

    def _cut_or_heal(self, state: State, done: list[Successor]) -> None:
        assert self._cut is not None and self.layout.cut is not None
        unit, budget, group = self._cut
        slot, left = self.layout.cut, self.layout.budget(budget)
        if state[slot]:
            done.append((self._heal, Move(self._heal, mask=state[slot]), (*state[:slot], 0, *state[slot + 1 :])))
            return
        if state[left] <= 0:
            return
        # the lowest process stays on the side that is not named, so that each partition is listed once
        for number in range(1, 1 << (len(group) - 1)):
            side = sum(1 << p for i, p in enumerate(group[1:]) if number >> i & 1)
            target = list(state)
            target[slot], target[left] = side, state[left] - 1
            done.append((unit, Move(unit, mask=side), tuple(target)))

    # ---- time

    def _run_tick(self, state: State, done: list[Successor], failed: list[Failure]) -> None:
        """One tick moves the clock of every process; with a drift budget, one of them not at all or twice."""
        clocks = [
            (number, code, me)
            for number, code in self._ticks
            for me in code.step.role.processes
            if self.layout.faulty is None or not state[self.layout.faulty] >> me & 1
        ]
        for number, code, me in clocks:
            try:
                if code.guard is not None and not code.guard(state, me):
                    return
                if code.limit is not None and not code.limit(state, me):
                    self.counters.limit_cut += 1
                    return
            except Fail as problem:
                failed.append((number, Move(self._tick, me), problem))
                return
        self._tick_once(state, clocks, self._tick, None, 1, done, failed)
        for name, (unit, budget) in self._drifts.items():
            if state[self.layout.budget(budget)] > 0:
                for _, code, me in clocks:
                    if code.step.role.name == name:
                        for times in (0, 2):
                            self._tick_once(state, clocks, unit, (me, budget), times, done, failed)

    def _tick_once(
        self,
        state: State,
        clocks: list[tuple[int, StepCode, int]],
        unit: int,
        odd: tuple[int, Budget] | None,
        times: int,
        done: list[Successor],
        failed: list[Failure],
    ) -> None:
        tape = Tape()
        while True:
            target = list(state)
            try:
                for number, code, me in clocks:
                    for _ in range(times if odd is not None and odd[0] == me else 1):
                        code.body(target, tape, me)
            except Disabled:
                name = self.program.steps[number].step.label
                self.counters.empty_choices[name] = self.counters.empty_choices.get(name, 0) + 1
            except Fail as problem:
                failed.append(
                    (number, Move(unit, odd[0] if odd else -1, labels=tuple(tape.labels), mask=times), problem)
                )
            else:
                if tuple(target) != state:
                    if odd is not None:
                        target[self.layout.budget(odd[1])] -= 1
                    move = Move(unit, odd[0] if odd else -1, labels=tuple(tape.labels), mask=times)
                    done.append((unit, move, tuple(target)))
            if not tape.advance():
                return

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
