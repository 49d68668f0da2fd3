"""Why a step is not enabled: the question that a reader of a state asks next.

For each state, what could have happened and did not, with the first thing that forbids it:

- an action, a timeout or a message in flight, whose guard has a false conjunct. The first one is named, as the guard itself
  would find it: those before it hold;
- a handler whose `limit` is reached, whose `choose` finds nothing, or that sends to a full network which blocks;
- a process that is down, stopped or faulty, a cut between sender and receiver, a message that waits behind another;
- a tick that a clock forbids, or that would change nothing; a fault whose budget is spent.

Calls that differ in their parameters alone and are refused for the same reason are one refusal. What a faulty process could
forge is not listed: that is every message there is. A message that is not in flight is not listed either; whoever shows a
state knows which kinds each process waits for (`Refusals.waits`).

Every call that is neither refused here nor forged is enabled, and errs or has an outcome: `refusals` is given what `expand`
found and looks at the rest. `blocked` is for those who ask an implementation, or a record, for what the spec forbids: the calls
that nothing but a guard keeps from running.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from checker.base.data import dataclass
from checker.engine import networks
from checker.engine.idle import first_numbers
from checker.engine.labels import STATUS, Labels
from checker.engine.moves import Call, Failure, Successor
from checker.engine.program import Program, StepCode
from checker.engine.runtime import Fail, State
from checker.engine.steps import Steps
from checker.model.layout import UP


@dataclass(frozen=True, slots=True)
class Reason:
    """Why: the conjunct of a guard with its line, or words; `line` is then None."""

    text: str
    line: int | None = None


@dataclass(frozen=True, slots=True)
class Refusal:
    """A step that is not enabled: `Leader0.Propose(Val1)`, or `Leader0.Propose(…)` for `count` calls with the same reason."""

    step: str
    reason: Reason
    count: int = 1


_Called = tuple[int, int, int, tuple[object, ...]]


class Refusals(Steps):
    """A step relation that also says what it leaves out."""

    def __init__(self, program: Program) -> None:
        super().__init__(program)
        self.labels = Labels(self)
        self._conjuncts = [text for step in self.machine.steps for text in step.conjuncts]
        assert len(self._conjuncts) == first_numbers(self.machine)[-1]

    @property
    def waits(self) -> tuple[tuple[int, str], ...]:
        """The kinds of messages that each process has a handler for."""
        return tuple(
            dict.fromkeys((me, s.name) for s in self.machine.steps if s.kind == "message" for me in s.role.processes)
        )

    def refusals(self, state: State, done: Sequence[Successor], failed: Sequence[Failure]) -> list[Refusal]:
        """What is not enabled in a state of which `expand` gave `done` and `failed`."""
        enabled: set[_Called] = {
            (m.unit, m.process, m.sender, m.args) for _, m, _ in (*done, *failed) if not m.forged and m.torn is None
        }
        with self.uncounted():
            found = [*self._messages(state, enabled), *self._own_steps(state, enabled)]
            ticks = {self.units[unit].kind for unit, _, _ in done} | {self.units[m.unit].kind for _, m, _ in failed}
            if self._ticks and "tick" not in ticks:
                found.append(Refusal("tick", self._idle_clock(state)))
        found += [
            Refusal(key, Reason("its budget is spent")) for key, at in self.layout.budgets.items() if not state[at]
        ]
        return found

    def blocked(self, state: State) -> Iterator[tuple[int, Call, Reason]]:
        """The calls of processes that are up which a guard refuses, and why: a conjunct is false, or cannot be evaluated.

        Before them the number of the network with the message that could be delivered; -1 for what needs none.
        """
        for network, call in self._askable(state):
            reason = self._guard(state, call.code, call.args)
            if reason is not None:
                yield network, call, reason

    def _askable(self, state: State) -> Iterator[tuple[int, Call]]:
        """Calls of processes that are up, whether guards hold or not; with the network of a message that can arrive, or -1."""
        for me, own in self._own.items():
            if self.is_up(state, me):
                yield from ((-1, call) for call in own)
        for index, slot in enumerate(self.layout.networks):
            for message in networks.deliverable(self.machine.networks[index], state[slot]):
                for call in self._calls_of(message, index):
                    if self.is_up(state, call.process) and not self.separated(state, call.process, call.sender):
                        yield index, call

    def _messages(self, state: State, enabled: set[_Called]) -> Iterator[Refusal]:
        for index, slot in enumerate(self.layout.networks):
            network = self.machine.networks[index]
            first = set(networks.deliverable(network, state[slot]))
            for message in dict.fromkeys(networks.all_codes(network, state[slot])):
                for call in self._calls_of(message, index):
                    if _called(call) in enabled:
                        continue
                    if message not in first:
                        reason = Reason("another message is before it in its queue")
                    elif not self.is_up(state, call.process):
                        reason = self._absence(state, call.process)
                    elif self.separated(state, call.process, call.sender):
                        reason = Reason("a cut lies between sender and receiver")
                    else:
                        reason = self._why(state, call)
                    yield Refusal(self.labels.step(call.sole_move), reason)

    def _own_steps(self, state: State, enabled: set[_Called]) -> Iterator[Refusal]:
        for me, calls in self._own.items():
            if not self.is_up(state, me):
                if calls:
                    yield Refusal(f"every step of {self.labels.process(me)}", self._absence(state, me))
                continue
            groups: dict[tuple[int, Reason], list[Call]] = {}
            for call in calls:
                if _called(call) in enabled:
                    continue
                if call.code.step.kind == "fault" and not self._may_strike(state, call.code.step):
                    continue  # the refusal of its budget says so
                groups.setdefault((call.number, self._why(state, call)), []).append(call)
            for (_, reason), alike in groups.items():
                name = self.labels.step(alike[0].sole_move)
                if len(alike) > 1:
                    name = f"{name.partition('(')[0]}(…)"
                yield Refusal(name, reason, len(alike))

    def _absence(self, state: State, process: int) -> Reason:
        name, slot = self.labels.process(process), self.layout.status.get(process)
        if slot is not None and state[slot] != UP:
            return Reason(f"{name} is {STATUS[state[slot]]}")
        return Reason(f"{name} is faulty")

    def _why(self, state: State, call: Call) -> Reason:
        """The reason for a call that is not enabled, whose process is there."""
        code, args = call.code, call.args
        guard = self._guard(state, code, args)
        if guard is not None:
            return guard
        if code.limit is not None and not code.limit(state, *args):
            return Reason("its limit is reached")
        self.counters.empty_choices.clear()
        done: list[Successor] = []
        self._run(state, call, done, [])
        assert not done, "a call that is enabled was taken for one that is not"
        if self.counters.empty_choices:
            return Reason("there is nothing to choose from")
        return Reason("a network that it sends to is full")

    def _guard(self, state: State, code: StepCode, args: Sequence[Any]) -> Reason | None:
        """The first conjunct of a guard that is false, None where it holds, or why it cannot be evaluated."""
        if code.blocked is None:
            return None
        try:
            first = code.blocked(state, *args)
        except Fail:
            return Reason("its guard cannot be evaluated")
        if first < 0:
            return None
        place, _, text = self._conjuncts[first].partition(": ")
        return Reason(text, int(place.removeprefix("line ")))

    def _idle_clock(self, state: State) -> Reason:
        for _, code, me in self._clocks(state):
            guard = self._guard(state, code, (me,))
            if guard is not None:
                return Reason(f"{guard.text} (of {self.labels.process(me)})", guard.line)
            if code.limit is not None and not code.limit(state, me):
                return Reason(f"the limit of {self.labels.process(me)} is reached")
        return Reason("it would change nothing")


def _called(call: Call) -> _Called:
    move = call.sole_move
    return move.unit, move.process, move.sender, move.args
