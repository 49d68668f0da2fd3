"""Values and changes as text, in the notation of the language.

A result holds values as JSON, which does not say whether a list is a set or a sequence. `Names` knows the type of each
variable of a machine and shows the value as the language writes it. `changes` takes two values of one variable apart, so
that a step that changes one entry of a map shows that entry alone. Of an object that is to be linearizable, the state has what is
pending; what is told is which operations are invoked and respond.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Literal, assert_never

from checker.base.data import dataclass
from checker.model.machine import Machine
from checker.model.types import BagT, MapT, NeverT, OptT, RecordT, SeqT, SetT, Type
from checker.model.values import instance_name
from checker.properties.kinds import AbstractTrace, Json, Trace, TraceStep
from checker.render.plain import Say, english

SHORT = 32
"""Sets and sequences whose two texts are together at most so long are shown whole."""


@dataclass(frozen=True, slots=True)
class Change:
    """One line of what a step changed.

    `set`: `place` had the value `old` and has `new`. `add` and `remove`: what came to or left a collection or, where
    `place` is empty, the network; the text stands in `new`. `invoke` and `respond`: the process `old` begins or ends the
    operation `new` of the object `place`. `refute`: no order of its operations explains what they answered; the last that
    responded is told as in `respond`, where it is known. `answer` is what an operation responds. A `detail` follows from the
    rest: the message that a step takes is gone, and what is possible by now.
    """

    kind: Literal["set", "add", "remove", "invoke", "respond", "refute"]
    place: str
    old: str
    new: str
    detail: bool = False
    answer: str = ""

    def brief(self, process: str, say: Say = english) -> str:
        """The change in a few words, without what was there before and the name of the process whose step it is."""
        place, new = self.place.removeprefix(f"{process}."), self.new
        match self.kind:
            case "set":
                return f"{place} = {new}"
            case "add":
                return f"{place} += {new}" if place else f"+{new}".replace(f" {process} -> ", " -> ")
            case "remove":
                return f"{place} -= {new}" if place else f"-{new}"
            case "invoke":
                return f"{say('invokes')} {new}" if self.old == process else f"{self.old} {say('invokes')} {new}"
            case "respond":
                return self._responds(process, say)
            case "refute":
                told = self._responds(process, say) + say(": ") if new else ""
                return told + say("no order explains the answers")
            case _:
                assert_never(self.kind)

    def _responds(self, process: str, say: Say) -> str:
        whose = self.new
        if self.old != process:
            whose = say("{operation} of {process}", operation=self.new, process=self.old)
        return f"{whose} {say('responds')} {self.answer}".rstrip()


class Names:
    """The types of a machine's variables, by the names that traces use. Without a machine: JSON as it stands.

    `abstract` has the same for the abstract specs that it refines, `own_faults` the steps that are faults of the spec itself.
    """

    def __init__(self, machine: Machine | None = None) -> None:
        self.types: dict[str, Type] = {"faulty": SetT(NeverT()), "cut": SetT(NeverT())}
        self.abstract: dict[str, Names] = {}
        self.own_faults: frozenset[str] = frozenset()
        self._histories: dict[str, str] = {}
        if machine is None:
            return
        faults = [(s.role, s.name) for s in machine.steps if s.kind == "fault"]
        self.own_faults = frozenset(f"{instance_name(role, p)}.{name}" for role, name in faults for p in role.processes)
        for prop in machine.properties:
            if prop.abstraction is not None:
                self.abstract[prop.name] = Names(prop.abstraction.machine)
        for history in machine.histories:
            for part in ("pending", "possible"):
                self.types[f"{history.name}.{part}"] = SetT(NeverT())
                self._histories[f"{history.name}.{part}"] = history.name
        for var in machine.variables:
            if var.role is None:
                self.types[var.name] = var.type
            else:
                role = machine.roles[var.role]
                for process in role.processes:
                    self.types[f"{instance_name(role, process)}.{var.name}"] = var.type

    def show(self, name: str, value: Json) -> str:
        """The value of a variable."""
        return show(self.types.get(name), value)

    def step(self, before: Mapping[str, Json], step: TraceStep) -> list[Change]:
        """What a step changed, given the values before it: messages taken, variables in order, messages sent."""
        found = step.changes.get("network")
        network = found if isinstance(found, dict) else {}
        lines = [Change("remove", "", "", text, _takes(step.step, text)) for text in grouped(network.get("removed"))]
        for name, value in step.changes.items():
            if name in self._histories:
                lines += self._events(name, before, step)
            elif name != "network":
                lines += changes(self.types.get(name), name, before.get(name), value)
        return lines + [Change("add", "", "", text) for text in grouped(network.get("added"))]

    def _events(self, name: str, before: Mapping[str, Json], step: TraceStep) -> list[Change]:
        """What happened to an object that is to be linearizable, from what was pending, or possible, and is now."""
        history, old, new = self._histories[name], before.get(name), step.changes[name]
        assert isinstance(old, list)
        assert isinstance(new, list)
        refuted = step.changes.get(f"{history}.possible") == []
        if name == f"{history}.possible" and refuted:
            pending = before.get(f"{history}.pending")
            last = [
                text for text in (pending if isinstance(pending, list) else ()) if _key(history, text) in step.answers
            ]
            return [replace(_responds(history, text, step), kind="refute") for text in last] or [
                Change("refute", history, "", "")
            ]
        if name == f"{history}.possible":
            return [replace(c, detail=True) for c in changes(self.types[name], name, old, new)]
        ended = [] if refuted else [_responds(history, text, step) for text in old if text not in new]
        return ended + [Change("invoke", history, *_call(text)) for text in new if text not in old]


def show(t: Type | None, value: Json) -> str:
    """A JSON value as the language writes it; `t` is its type, where it is known."""
    match t, value:
        case _, None:
            return "none"
        case _, bool():
            return "true" if value else "false"
        case OptT(inner), _:
            return show(inner, value)
        case SetT(elem), list():
            return "{" + ", ".join(show(elem, v) for v in value) + "}"
        case BagT(elem), list():
            return "bag[" + ", ".join(show(elem, v) for v in value) + "]"
        case SeqT(elem), list():
            return "[" + ", ".join(show(elem, v) for v in value) + "]"
        case MapT(_, inner), dict():
            return "{" + ", ".join(f"{k}: {show(inner, v)}" for k, v in value.items()) + "}"
        case RecordT(name, fields), dict():
            return f"{name}({', '.join(show(f, value.get(n)) for n, f in fields)})"
        case _, list():
            return "[" + ", ".join(show(None, v) for v in value) + "]"
        case _, dict():
            return "{" + ", ".join(f"{k}: {show(None, v)}" for k, v in value.items()) + "}"
    return str(value)


def changes(t: Type | None, place: str, old: Json, new: Json) -> list[Change]:
    """The parts of a value that differ, each with its place: `log[RM0]`, `ballot.round`."""
    match t, old, new:
        case OptT(inner), _, _ if old is not None and new is not None:
            return changes(inner, place, old, new)
        case RecordT(_, fields), dict(), dict():
            parts = [(f"{place}.{name}", f, old.get(name), new.get(name)) for name, f in fields]
        case MapT(_, inner), dict(), dict():
            parts = [(f"{place}[{key}]", inner, old.get(key), value) for key, value in new.items()]
        case SetT(elem), list(), list() if len(show(t, old)) + len(show(t, new)) > SHORT:
            gone, come = [v for v in old if v not in new], [v for v in new if v not in old]
            lines = [Change("remove", place, "", "{" + ", ".join(show(elem, v) for v in gone) + "}")] if gone else []
            return lines + (
                [Change("add", place, "", "{" + ", ".join(show(elem, v) for v in come) + "}")] if come else []
            )
        case SeqT(), list(), list() if len(show(t, old)) > SHORT and new[: len(old)] == old:
            return [Change("add", place, "", show(t, new[len(old) :]))]
        case _:
            return [Change("set", place, show(t, old), show(t, new))]
    return [line for name, part, a, b in parts if a != b for line in changes(part, name, a, b)]


def _call(text: Json) -> tuple[str, str]:
    """Process and operation of what is pending: `Reader0.Read()`."""
    process, _, operation = str(text).partition(".")
    return process, operation


def _key(history: str, text: Json) -> str:
    """What `TraceStep.answers` calls an operation that is pending."""
    return f"{history} {str(text).partition('(')[0]}"


def _responds(history: str, text: Json, step: TraceStep) -> Change:
    """What is pending responds."""
    return Change("respond", history, *_call(text), answer=step.answers.get(_key(history, text), ""))


def _takes(step: str, message: str) -> bool:
    """Whether a step, by its name, takes a message: `RM0.Prepare() <- TM` takes `Prepare() TM -> RM0`."""
    content, _, receiver = message.rpartition(" -> ")
    content, _, sender = content.rpartition(" ")
    return f"{step} ".replace(".ignore ", ".", 1).startswith(f"{receiver}.{content} <- {sender} ")


def grouped(messages: Json) -> list[str]:
    """Messages as lines: one message to several receivers is one line, equal copies are counted."""
    receivers: dict[str, list[str]] = {}
    for message in messages if isinstance(messages, list) else ():
        content, arrow, receiver = str(message).rpartition(" -> ")
        receivers.setdefault(content + arrow, []).append(receiver)
    lines = []
    for content, all_of_them in receivers.items():
        once = list(dict.fromkeys(all_of_them))
        if len(once) == len(all_of_them):
            lines.append(content + ", ".join(once))
        else:
            lines += [content + r + (f" (× {all_of_them.count(r)})" if all_of_them.count(r) > 1 else "") for r in once]
    return lines


def as_trace(above: AbstractTrace) -> Trace:
    """An abstract trace as one of its own; steps that have no name there have none here."""
    return Trace(above.initial, tuple(TraceStep(step.step or "", step.changes) for step in above.steps))


def all_changes(trace: Trace, names: Names | None = None) -> tuple[tuple[Change, ...], ...]:
    """What each step of a trace changed."""
    names = names or Names()
    before = dict(trace.initial)
    result = []
    for step in trace.steps:
        result.append(tuple(names.step(before, step)))
        before.update(step.changes)
    return tuple(result)
