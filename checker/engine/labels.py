"""The names of steps, and states as people and programs read them.

A step prints as `RM1.Prepare() <- TM`, an action as `Leader0.Propose(Val1)`; choices stand behind it in brackets. Graphs,
traces, test ids and addresses use the same names. Instances count from 0.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

from checker.engine.moves import Move
from checker.engine.networks import all_codes
from checker.engine.runtime import State
from checker.engine.steps import Steps
from checker.model.ir import Local
from checker.model.layout import DOWN, STOPPED, UP, Layout
from checker.model.values import instance_name, show_value, to_json

STATUS = {UP: "up", DOWN: "down", STOPPED: "stopped"}
"""The words for the status of a process."""


class StateView:
    """The states of one machine, and what changes between two of them."""

    def __init__(self, layout: Layout) -> None:
        self.layout = layout
        self.machine = layout.machine
        self._processes = [instance_name(self.machine.role_of(p), p) for p in range(layout.processes)]
        self.histories = {history.var: history for history in self.machine.histories if history.states}
        """What their ghosts stand for is shown instead of numbers."""
        self.parts = tuple(self._parts())
        """Every part of a state that has a name, with its slot and what makes JSON of it. Networks are not among them."""
        self._messages: dict[int, str] = {}

    def process(self, number: int) -> str:
        """`RM1`, or `TM` for a single role."""
        return self._processes[number]

    def message(self, code: int) -> str:
        """`Vote(true) RM0 -> TM`."""
        text = self._messages.get(code)
        if text is None:
            letter = self.layout.decode(code)
            receiver = "all" if letter.receiver < 0 else self.process(letter.receiver)
            text = self._messages[code] = f"{self.content(code)} {self.process(letter.sender)} -> {receiver}"
        return text

    def content(self, code: int) -> str:
        """`Vote(true)`."""
        letter = self.layout.decode(code)
        fields = self.machine.messages[letter.kind].fields
        return f"{letter.kind}({', '.join(show_value(t, v) for (_, t), v in zip(fields, letter.payload, strict=True))})"

    def variables(self, state: State) -> dict[str, Any]:
        """Every part of a state that has a name, as JSON; the networks are not among them."""
        return {name: show(state[slot]) for name, slot, show in self.parts}

    def _parts(self) -> Iterator[tuple[str, int, Callable[[Any], Any]]]:
        layout = self.layout
        for var in self.machine.variables:
            history = self.histories.get(var)
            if history is not None:
                for number, part in enumerate(("pending", "possible")):
                    yield f"{history.name}.{part}", var.slot, partial(_part_of, history.states, number)
            elif var.role is None:
                yield var.name, var.slot, partial(to_json, var.type)
            else:
                for process in self.machine.roles[var.role].processes:
                    yield f"{self.process(process)}.{var.name}", layout.slot(var, process), partial(to_json, var.type)
        for process, slot in layout.status.items():
            yield f"{self.process(process)}.status", slot, STATUS.__getitem__
        for name, mask in (("faulty", layout.faulty), ("cut", layout.cut)):
            if mask is not None:
                yield name, mask, self._processes_of
        for key, slot in layout.budgets.items():
            yield f"left of {key}", slot, int

    def _processes_of(self, mask: int) -> list[str]:
        return [name for number, name in enumerate(self._processes) if mask >> number & 1]

    def network(self, state: State) -> list[str]:
        """Every copy of every message in flight, as text, in order."""
        messages = []
        for index, slot in enumerate(self.layout.networks):
            messages += [self.message(code) for code in all_codes(self.machine.networks[index], state[slot])]
        return messages

    def initial(self, state: State) -> dict[str, Any]:
        """A whole state: its variables, and `network` with the messages."""
        return {**self.variables(state), "network": self.network(state)}

    def changes(self, before: State, after: State) -> dict[str, Any]:
        """What a step changed: variables with their new values, and `network` with what was added and removed."""
        old, new = self.variables(before), self.variables(after)
        result = {name: value for name, value in new.items() if old[name] != value}
        gone, added = self.network(before), self.network(after)
        for message in list(added):
            if message in gone:
                gone.remove(message)
                added.remove(message)
        if gone or added:
            result["network"] = {"added": added, "removed": gone}
        return result


def _part_of(states: Sequence[tuple[Any, ...]], part: int, number: int) -> list[Any]:
    """One part of what a number of a history stands for."""
    return list(states[number][part])


class Labels(StateView):
    """The names of steps, beside the states."""

    def __init__(self, steps: Steps) -> None:
        super().__init__(steps.layout)
        self.steps = steps

    def step(self, move: Move) -> str:
        """The name of a step."""
        unit = self.steps.units[move.unit]
        notes = [self._answer(label, value) for label, value in move.labels]
        if move.torn is not None:
            kind, effects = move.torn
            name = self._handler(self.steps.units[move.code], move)
            notes.append(f"{kind} after {effects} effect{'s' * (effects != 1)}")
        elif unit.step is not None and unit.kind != "tick":
            name = self._handler(unit, move)
        else:
            name = self._fault(unit.kind, move, notes)
        if move.forged:
            notes.append("forged")
        return f"{name} [{', '.join(notes)}]" if notes else name

    def _handler(self, unit: Any, move: Move) -> str:
        step = unit.step
        args = ", ".join(show_value(p.type, v) for p, v in zip(step.params, move.args, strict=True))
        if step.kind == "restart":
            return f"{self.process(move.process)}.restart"
        name = f"{self.process(move.process)}.{step.name}({args})"
        if step.kind == "ignore":
            name = f"{self.process(move.process)}.ignore {step.name}({args})"
        return name if move.sender < 0 else f"{name} <- {self.process(move.sender)}"

    def _fault(self, kind: str, move: Move, notes: list[str]) -> str:
        match kind:
            case "crash" | "stop" | "restart":
                return f"{self.process(move.process)}.{kind}"
            case "lose" | "dup":
                if move.position:
                    notes.append(f"place {move.position} of its queue")
                return f"{kind} {self.message(move.code)}"
            case "cut" | "heal":
                named = [p for p in range(self.layout.processes) if move.mask >> p & 1]
                sides = "{" + ", ".join(self.process(p) for p in named) + "}"
                return f"{kind} {sides}"
            case "drift":
                notes.append(f"{self.process(move.process)} {'skips' if move.mask == 0 else 'twice'}")
                return "tick"
        return kind

    def _answer(self, label: Any, value: Any) -> str:
        if isinstance(label, Local):
            return f"{label.name} = {show_value(label.type, value)}"
        if label == "reached":
            return "reached " + ", ".join(self.process(p) for p in value)
        return f"{'coin' if label == 'toss' else 'branch'} {value + 1}"
