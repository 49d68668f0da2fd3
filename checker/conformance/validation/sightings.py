"""What a record says, entry by entry, in the words of a spec.

A `Part` is one thing that the spec has to account for: a step that fits a pattern, or nothing at all (stuttering), and what
was observed afterwards. One entry is one part; where an entry stands for several steps it is several, and the last one has
the observation.

An entry of kind `action` is a step. One of kind `fault` is a step where the spec can have that fault: `crash`, `stop` and
`restart` of a node, torn handlers included, what nodes record as `kill` and `cut` (see `faults`), or what is mapped. One of
kind `obs` is an observation alone. The others (`send`, `recv`, `invoke`, `return`) tell of messages and clients; they are steps
only where they are mapped, as `recv Vote`. What is passed over for such a reason is counted by name.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import field

from checker.base.data import dataclass
from checker.base.diagnostics import did_you_mean
from checker.conformance.adapter import Observation
from checker.conformance.event import Event
from checker.conformance.jsonlines import canonical, excerpt
from checker.conformance.mapping import possible_units, required_units
from checker.conformance.record import Entry, Kind, Record
from checker.conformance.validation.faults import CUT_ARGS, Faults
from checker.conformance.validation.mapping import TraceMapping, TraceMappingError
from checker.model.machine import Machine
from checker.model.values import instance_name
from checker.properties.kinds import Json

SENDER = "from"
"""The argument of an entry that names the sender of the message that a step takes."""


@dataclass(frozen=True, slots=True)
class Pattern:
    """Which steps of the spec an entry may be.

    Attributes:
        units: the step by its name, in one of several spellings; empty where `label` says it all.
        label: the whole name of the step.
        process: who takes it; `sender` is whose message. None: anybody.
        args: what is known of its arguments and choices, each as canonical JSON.
    """

    units: frozenset[str] = frozenset()
    label: str | None = None
    process: str | None = None
    sender: str | None = None
    args: Mapping[str, str] = field(default_factory=dict)

    def objection(self, event: Event) -> str | None:
        """Why a step is not what was recorded; None where it may be."""
        if self.label is not None:
            return None if event.label == self.label else f"the record has {self.label}"
        if event.unit not in self.units:
            return f"the record has {self.text}"
        if self.process is not None and event.node != self.process:
            return f"the record has it at {self.process}"
        if self.sender is not None and event.sender != self.sender:
            return f"the record has it from {self.sender}"
        known = {**event.args, **event.chosen}
        for name, value in self.args.items():
            if name not in known:
                return f"it has no argument `{name}`"
            if canonical(known[name]) != value:
                return f"`{name}` is {canonical(known[name])} and {value} in the record"
        return None

    @property
    def text(self) -> str:
        """What the record says."""
        return self.label or " or ".join(sorted(self.units))


@dataclass(frozen=True, slots=True)
class Part:
    """See the module.

    Attributes:
        entry: the number of the entry, counted from 1; `name` is how it calls itself.
        pattern: the step; None where it is none.
        repeated: the step was taken any number of times.
        seen: what was observed after it, by the variables of the spec.
    """

    entry: int
    name: str
    pattern: Pattern | None = None
    repeated: bool = False
    seen: Observation = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Sightings:
    """All parts in order, what was passed over by kind and name, and which variables were ever observed."""

    parts: tuple[Part, ...]
    passed_over: Mapping[str, int]
    seen: tuple[str, ...]


def sightings(record: Record, machine: Machine, mapping: TraceMapping, observable: tuple[str, ...]) -> Sightings:
    """Reads a record.

    Raises:
        TraceMappingError: something in it, or in the mapping, means nothing in this spec.
    """
    return _Reader(machine, mapping, observable).read(record)


class _Reader:
    def __init__(self, machine: Machine, mapping: TraceMapping, observable: tuple[str, ...]) -> None:
        self._machine = machine
        self._mapping = mapping
        self._observable = observable
        self._units = set(required_units(machine))
        self._possible = possible_units(machine)
        self._roles = {
            instance_name(role, process): role.name for role in machine.roles.values() for process in role.processes
        }
        self._faults = self._new_faults()
        for unit in (*(u for units in mapping.steps.values() for u in units), *mapping.hidden):
            name = unit.removesuffix("*")
            if name not in self._possible:
                raise TraceMappingError(f"the mapping names the step {excerpt(name)}: {self._hint(name)}")
        for target in mapping.variables.values():
            if target is not None and target not in self._local_names():
                hint = did_you_mean(target, self._local_names()) or f"it has {', '.join(observable)}"
                raise TraceMappingError(f"the mapping names the variable {excerpt(target)}, which is none: {hint}")

    def _new_faults(self) -> Faults:
        return Faults(self._machine, self._units, lambda node: self._mapping.nodes.get(node, node))

    def read(self, record: Record) -> Sightings:
        parts: list[Part] = []
        passed: Counter[str] = Counter()
        self._faults = self._new_faults()
        for number, entry in enumerate(record.entries, 1):
            found = self._parts(number, entry)
            if not found:
                passed[f"{entry.kind.value} {entry.name}"] += 1
            parts += found
        named = {name for part in parts for name in part.seen}
        return Sightings(tuple(parts), dict(passed), tuple(n for n in self._observable if n in named))

    def _parts(self, number: int, entry: Entry) -> list[Part]:
        key = f"{entry.kind.value} {entry.name}"
        names = (entry.name, key) if entry.kind in (Kind.ACTION, Kind.FAULT, Kind.OBS) else (key,)
        if any(name in self._mapping.ignored for name in names):
            return []
        mapped = next((self._mapping.steps[name] for name in names if name in self._mapping.steps), None)
        stutters = entry.kind is Kind.OBS or any(name in self._mapping.stutter for name in names)
        if mapped is None and stutters:
            return [Part(number, entry.name, seen=self._seen(number, entry))]
        if mapped is None and entry.kind not in (Kind.ACTION, Kind.FAULT):
            return []
        process = self._process(number, entry)
        args = {name: canonical(value) for name, value in self._args(entry).items() if name != SENDER}
        sender = self._args(entry).get(SENDER)
        who = None if sender is None else self._mapping.nodes.get(str(sender), str(sender))
        if mapped is None:
            pattern = self._named(number, entry, process, who, args)
            return [] if pattern is None else [Part(number, entry.name, pattern, seen=self._seen(number, entry))]
        last = len(mapped) - 1
        return [
            Part(
                number,
                entry.name,
                Pattern(frozenset({unit.removesuffix("*")}), None, process, who, args if last == 0 else {}),
                repeated=unit.endswith("*"),
                seen=self._seen(number, entry) if i == last else {},
            )
            for i, unit in enumerate(mapped)
        ]

    def _args(self, entry: Entry) -> Mapping[str, Json]:
        """The arguments of a step: those of a message that was received stand in its body."""
        body = entry.args.get("body")
        if entry.kind is Kind.RECV and isinstance(body, dict):
            fields = {name for message in self._machine.messages.values() for name, _ in message.fields}
            sender = {SENDER: entry.args[SENDER]} if SENDER in entry.args else {}
            return {**{name: value for name, value in body.items() if name in fields}, **sender}
        if entry.kind is Kind.FAULT and entry.name == "cut":
            return {name: value for name, value in entry.args.items() if name not in CUT_ARGS}
        return entry.args

    def _named(
        self, number: int, entry: Entry, process: str | None, sender: str | None, args: dict[str, str]
    ) -> Pattern | None:
        """The step of an entry that is not mapped; None for a fault that the spec does not have."""
        role = self._roles.get(process or "")
        said = self._faults.said(entry, role)
        if said is not None:
            return None if said.unit is None else Pattern(frozenset({said.unit}), None, process, None, said.args)
        for unit in (entry.name, f"{role}.{entry.name}", f"{entry.name} {role}"):
            if unit in self._units:
                return Pattern(frozenset({unit}), None, process, sender, args)
        if role is not None and entry.name == "restart" and f"{role}.restart" in self._units:
            return Pattern(frozenset({f"{role}.restart"}), None, process, sender, args)
        if " " in entry.name or "(" in entry.name or entry.name.partition(".")[0] in self._roles:
            return Pattern(label=entry.name)
        if entry.kind is Kind.FAULT:
            return None
        raise TraceMappingError(f"entry {number} is called {excerpt(entry.name)}: {self._hint(entry.name)}")

    def _hint(self, name: str) -> str:
        hint = did_you_mean(name, self._possible) or f"there are {', '.join(sorted(self._units))}"
        return f"no such step in {self._machine.spec}; {hint}"

    def _process(self, number: int, entry: Entry) -> str | None:
        if entry.node is None:
            return None
        process = self._mapping.nodes.get(entry.node, entry.node)
        if process not in self._roles:
            raise TraceMappingError(
                f"entry {number} is of the node {excerpt(entry.node)}, which is no process of {self._machine.spec} "
                f"({', '.join(self._roles)}): map it under `nodes`, or list {excerpt(entry.name)} under `ignored`"
            )
        return process

    def _seen(self, number: int, entry: Entry) -> dict[str, object]:
        seen: dict[str, object] = {}
        node = self._mapping.nodes.get(entry.node or "", entry.node)
        for name, value in entry.obs.items():
            mapped = self._mapping.variables.get(name, name)
            if mapped is None:
                continue
            target = next((n for n in (mapped, f"{node}.{mapped}") if n in self._observable), None)
            if target is None:
                hint = did_you_mean(mapped, self._local_names()) or f"it has {', '.join(self._observable)}"
                raise TraceMappingError(
                    f"entry {number} observes {excerpt(name)}, which is no variable of {self._machine.spec}: {hint}; map it "
                    "under `variables`, to null if it says nothing"
                )
            seen[target] = value
        return seen

    def _local_names(self) -> list[str]:
        """The names of variables, with and without their process."""
        return list(dict.fromkeys([*self._observable, *(n.partition(".")[2] or n for n in self._observable)]))
