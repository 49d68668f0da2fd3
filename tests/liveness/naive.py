"""A second judge of liveness, as plain as it can be, and written apart from the first.

It shares the interpreter's step relation and nothing else. A set of states S is *fair* if a run can go round in it for
ever: sets are Python sets, and whatever cannot belong to a fair set is taken away until nothing changes. Coins are not
vertices here: of all outcomes of a step, those are usable inside S that the tree of its choices allows, where one answer of
an adversary has to be allowed and all outcomes of a coin.
"""

from __future__ import annotations

from dataclasses import dataclass

from checker.engine.interface import Limits
from checker.engine.moves import Move
from checker.engine.runtime import Fail, State
from checker.engine.search import Search
from checker.model.liveness import fairness_of
from checker.model.machine import LiveCase, Machine

Unit = tuple[object, ...]
Outcomes = list[tuple[tuple[tuple[object, object], ...], State]]


@dataclass
class Step:
    """One call in one state: its unit, how fair runs are to it, and its outcomes."""

    unit: Unit
    fairness: str
    outcomes: Outcomes

    def usable(self, inside: set[State]) -> list[State]:
        """Where an adversary can make this step lead, and chance cannot make it lead out."""
        return allowed(self.outcomes, 0, inside)


def allowed(outcomes: Outcomes, depth: int, inside: set[State]) -> list[State]:
    found = [target for labels, target in outcomes if len(labels) == depth and target in inside]
    rest = [(labels, target) for labels, target in outcomes if len(labels) > depth]
    branches = [[o for o in rest if o[0][depth][1] == a] for a in dict.fromkeys(o[0][depth][1] for o in rest)]
    below = [allowed(branch, depth + 1, inside) for branch in branches]
    if rest and rest[0][0][depth][0] == "toss" and not all(below):
        return found
    return found + [t for targets in below for t in targets]


class Naive:
    """The graph of a machine, and what holds on it."""

    def __init__(self, machine: Machine, most: int) -> None:
        self.machine = machine
        search = Search(machine)
        search.run(Limits(max_states=most))
        self.search = search
        self.small = len(search.states) < most
        self.states = search.states
        self.initial = [s for s, parent in zip(search.states, search.parents, strict=True) if parent < 0]
        self.cut: set[State] = set()
        self.steps: dict[State, list[Step]] = {}
        self.next: dict[State, set[State]] = {}
        if self.small:
            for state in self.states:
                self._expand(state)

    def _expand(self, state: State) -> None:
        before = self.search.steps.counters.limit_cut
        done, _ = self.search.steps.expand(state)
        if self.search.steps.counters.limit_cut > before:
            self.cut.add(state)
        steps: dict[Unit, Step] = {}
        for number, move, target in done:
            unit: Unit = (
                number,
                move.process,
                move.sender,
                move.args,
                move.forged,
                move.torn,
                move.code,
                move.position,
                move.mask,
            )
            if self.search.steps.units[number].step is None and move.torn is None:
                unit = (number, move.process, move.code, move.position, move.mask if number else 0)
            step = steps.setdefault(unit, Step(unit, self._fairness(number, move), []))
            step.outcomes.append((move.labels if move.torn is None else (), target))
        self.steps[state] = [s for s in steps.values() if any(target != state for _, target in s.outcomes)]
        self.next[state] = {target for _, _, target in done}

    def _fairness(self, number: int, move: Move) -> str:
        unit = self.search.steps.units[number]
        if unit.fault or move.forged or move.torn is not None:
            return ""
        if unit.kind == "tick":
            clocks = {fairness_of(self.machine, s) for s in self.machine.steps if s.kind == "tick"}
            return "" if "" in clocks else "weak" if "weak" in clocks else "strong"
        return "weak" if unit.step is None else fairness_of(self.machine, unit.step)

    # ---- fair sets

    def fair(self, among: set[State], visit: set[State] | None) -> set[State]:
        """All states of fair sets within some states, each of which has a state of `visit`."""
        found: set[State] = set()
        waiting = [among]
        while waiting:
            some = waiting.pop()
            if not some:
                continue
            edges = {s: {t for step in self.steps[s] for t in step.usable(some)} for s in some}
            classes = connected(some, edges)
            if len(classes) > 1:
                waiting += classes
                continue
            if visit is not None and not some & visit:
                continue
            avoid: set[State] = set()
            units = {step.unit: step.fairness for s in some for step in self.steps[s] if step.fairness}
            for unit, fairness in units.items():
                enabled = {s for s in some for step in self.steps[s] if step.unit == unit}
                taken = any(
                    step.unit == unit and changes(step.outcomes, 0, some, s) for s in some for step in self.steps[s]
                )
                if not taken and (enabled == some or fairness == "strong"):
                    avoid |= enabled
            if avoid:
                waiting.append(some - avoid)
            else:
                found |= some
        return found

    # ---- properties

    def verdict(self, case: LiveCase) -> str:
        """`holds`, `violated`, `limited` or `error`."""
        left, right = (self._table(e) if e is not None else None for e in (case.left, case.right))
        assert left is not None
        everything = set(self.states)
        match case.form:
            case "eventually":
                stay = {s for s in self.states if left[s] is not True}
                begin, needed = {s for s in self.initial if s in stay}, "bad"
            case "always eventually":
                stay, begin, needed = {s for s in self.states if left[s] is not True}, everything, "all"
            case "eventually always":
                stay, begin, needed = everything, everything, "all"
            case _:
                assert right is not None
                stay = {s for s in self.states if right[s] is not True}
                begin, needed = {s for s in stay if left[s] is True}, "all"
        bad = closure(begin & stay, {s: self.next[s] & stay for s in stay})
        if any(left[s] is None for s in (bad if needed == "bad" else everything)):
            return "error"
        if right is not None and any(right[s] is None for s in bad):
            return "error"
        visit = {s for s in self.states if left[s] is False} if case.form == "eventually always" else None
        if bad & self.fair(stay - self.cut, visit):
            return "violated"
        if self.cut & (bad if needed == "bad" else everything):
            return "limited"
        return "holds"

    def _table(self, e: object) -> dict[State, bool | None]:
        test = self.search.program.expression(e)  # type: ignore[arg-type]
        table: dict[State, bool | None] = {}
        for state in self.states:
            try:
                table[state] = bool(test(state))
            except Fail:
                table[state] = None
        return table


def changes(outcomes: Outcomes, depth: int, inside: set[State], source: State) -> bool:
    """Whether some allowed outcome is a change, or comes from a coin of which another outcome is one."""
    for labels, target in outcomes:
        if len(labels) == depth and target in inside and target != source:
            return True
    rest = [(labels, target) for labels, target in outcomes if len(labels) > depth]
    if not rest:
        return False
    branches = [[o for o in rest if o[0][depth][1] == a] for a in dict.fromkeys(o[0][depth][1] for o in rest)]
    if rest[0][0][depth][0] == "toss":
        return all(allowed(b, depth + 1, inside) for b in branches) and any(t != source for _, t in rest)
    return any(changes(b, depth + 1, inside, source) for b in branches)


def closure(begin: set[State], edges: dict[State, set[State]]) -> set[State]:
    found, waiting = set(begin), list(begin)
    while waiting:
        for target in edges[waiting.pop()]:
            if target not in found:
                found.add(target)
                waiting.append(target)
    return found


def connected(states: set[State], edges: dict[State, set[State]]) -> list[set[State]]:
    """The strongly connected classes, by what each state reaches and is reached from."""
    back: dict[State, set[State]] = {s: set() for s in states}
    for s, targets in edges.items():
        for t in targets:
            back[t].add(s)
    left, classes = set(states), []
    while left:
        s = next(iter(left))
        one = closure({s}, edges) & closure({s}, back)
        classes.append(one)
        left -= one
    return classes
