"""What the surroundings do: crashes between steps, lost and doubled messages, partitions, lies, clocks that run oddly.

Each fault has a budget in the state. A crash between two steps is here, one inside a step in `outcomes`.
"""

from __future__ import annotations

from itertools import product

from checker.engine import networks
from checker.engine.moves import Call, Failure, Move, Successor
from checker.engine.names import DomainTooLarge
from checker.engine.outcomes import Outcomes
from checker.engine.program import Program, too_large
from checker.engine.runtime import Effects, State
from checker.model.layout import UP
from checker.model.machine import Budget
from checker.model.types import roles_of


class Faults(Outcomes):
    """The steps that faults take, and what they do to the others."""

    def __init__(self, program: Program, effects: type[Effects] = Effects) -> None:
        super().__init__(program, effects)
        self.liars: dict[int, int] = {}
        """The unit that counts what a process forges, for each that may be faulty."""
        self._links: list[tuple[int, Budget]] = []
        self._cut: tuple[int, Budget, list[int]] | None = None
        self._drifts: dict[str, tuple[int, Budget]] = {}
        self._restarting = {b.roles[0].name for b in self.machine.budgets if b.kind == "crash" and b.count}
        self._declare_faults()
        self._forgeries = self._forgery_table()

    def _declare_faults(self) -> None:
        """The kinds of faults that the budgets allow, with their budgets."""
        for budget in self.machine.budgets:
            if not budget.count or budget.kind == "own":
                continue
            unit = self._unit(budget.key, budget.kind, fault=True)
            match budget.kind:
                case "byzantine":
                    self.liars.update(dict.fromkeys(budget.roles[0].processes, unit))
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
            written = any(c.step.kind == "restart" and c.step.role == role for c in self.program.steps)
            if role.name in self._restarting and not written:
                self._unit(f"restart {role.name}", "restart", fault=False)
        if self._cut is not None:
            self._heal = self._unit("heal", "heal", fault=False)

    def _forgery_table(self) -> list[Call]:
        """Every handler, receiver and possible liar, with every well-typed payload."""
        if self.layout.faulty is None:
            return []
        liars = [p for b in self.machine.budgets if b.kind == "byzantine" for p in b.roles[0].processes]
        table: list[Call] = []
        for number, code in enumerate(self.program.steps):
            step = code.step
            if step.kind != "message" or step.sender is None:
                continue
            senders = {p for r in roles_of(step.sender.type) for p in r.processes}
            try:
                payloads = tuple(product(*(self.program.names.values(p.type) for p in step.params)))
            except DomainTooLarge as problem:
                raise too_large(problem, self.machine, step.span) from None
            for me in step.role.processes:
                for liar in liars:
                    if liar in senders and liar != me:
                        table += [Call(number, code, (me, liar, *payload), forged=True) for payload in payloads]
        return table

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

    def _forge(self, state: State, done: list[Successor], failed: list[Failure]) -> None:
        assert self.layout.faulty is not None
        faulty = state[self.layout.faulty]
        for call in self._forgeries:
            me, liar = call.process, call.sender
            if faulty >> liar & 1 and self.is_up(state, me) and not self.separated(state, me, liar):
                self._run(state, call, done, failed)

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
