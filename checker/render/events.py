"""What each step of a trace shows in a sequence diagram: who acted, what it took and from whom, and what broke.

Everything is read from the names of the steps, whose form `engine.labels` defines, and from what they changed; so traces of
models and runs of implementations are told alike. An event that takes a message knows the row that sent it: the network
remembers, message by message, who put it there last. What stands in the network at the end was sent and not taken, and is told
with the step that sent it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import replace

from checker.base.data import dataclass
from checker.model.machine import Machine
from checker.model.values import instance_name
from checker.properties.kinds import AbstractTrace, Json, Trace
from checker.render.plain import Say, ending, english
from checker.render.values import Change, grouped

_STEP = re.compile(
    r"(?P<process>\w+)\.(?P<ignore>ignore )?(?P<name>\w+)(?:\((?P<args>.*)\))?"
    r"(?: <- (?P<sender>\w+))?(?: \[(?P<notes>.*)\])?"
)
_LINK = re.compile(r"lose (?P<content>.*) (?P<sender>\w+) -> (?P<receiver>\w+)(?: \[.*\])?")
_CUT = re.compile(r"(?P<kind>cut|heal) \{(?P<names>[^}]*)\}")
_DRIFT = "tick ["  # a clock that runs slow or fast, as in `tick [Server twice]`
_TORN = re.compile(r"\b(crash|stop) after (\d+) effects?")
_AFTER = ("{kind} after {number} effect", "{kind} after {number} effects")


@dataclass(frozen=True, slots=True)
class Above:
    """What a step is in the abstract spec of a refinement; nothing is said of one that stutters. `wrong`: no step does this."""

    text: str = ""
    changes: str = ""
    wrong: bool = False


@dataclass(frozen=True, slots=True)
class Event:
    """One row. `process` is None for what concerns all.

    `message` is what the step takes or a fault strikes, `origin` the row that sent it, if it is known. `unread` are the messages
    that the step sent and no later step takes. `left`: the texts stand left of the lifeline. `ending`: no step, but how a
    run without end goes on, or what the trace shows. `above` is what it is in an abstract spec. `parted`: who is cut off from
    here on.
    """

    text: str
    process: str | None = None
    sender: str | None = None
    origin: int | None = None
    fault: bool = False
    lost: bool = False
    forged: bool = False
    down: bool = False
    up: bool = False
    error: bool = False
    changes: str = ""
    message: str | None = None
    unread: str = ""
    left: bool = False
    ending: bool = False
    above: Above | None = None
    parted: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class Cast:
    """Who takes part in the runs of a machine: its processes in order, and the steps that are no plain ones.

    `own_faults` are faults of the spec itself (`RM0.AbortByHand`), `timeouts` steps that nothing but time brings about.
    """

    processes: tuple[str, ...]
    own_faults: frozenset[str]
    timeouts: frozenset[str] = frozenset()


def cast(machine: Machine) -> Cast:
    """The cast of a machine."""
    named = {
        kind: frozenset(
            f"{instance_name(s.role, p)}.{s.name}" for s in machine.steps if s.kind == kind for p in s.role.processes
        )
        for kind in ("fault", "timeout")
    }
    processes = tuple(instance_name(r, p) for r in machine.roles.values() for p in r.processes)
    return Cast(processes, named["fault"], named["timeout"])


def read_events(
    trace: Trace,
    processes: Sequence[str],
    changes: Sequence[Sequence[Change]],
    own_faults: AbstractSet[str] = frozenset(),
    reason: str | None = None,
    say: Say = english,
    timeouts: AbstractSet[str] = frozenset(),
) -> list[Event]:
    """What each step of a trace shows; a step that could not be carried out is one more, and `reason` says why."""
    sent: dict[str, int] = {}
    unread: list[dict[str, None]] = []
    events: list[Event] = []
    for row, (step, changed) in enumerate(zip(trace.steps, changes, strict=True)):
        told = _told(changed, step.step, processes, say)
        if step.step.partition("(")[0] in timeouts:
            told = ", ".join(part for part in (say("timeout"), told) if part)
        event = event_of(step.step, processes, own_faults, sent, told, say)
        events.append(event)
        if event.origin is not None and event.message is not None:
            unread[event.origin].pop(event.message, None)
        network = step.changes.get("network")
        added = network.get("added") if isinstance(network, dict) else None
        unread.append({})
        if step.step.startswith("dup "):
            continue  # one more copy was not sent by anybody
        for message in added if isinstance(added, list) else ():
            sent[str(message)] = row
            unread[row][str(message)] = None
    if trace.loop is not None:
        events.append(Event(f"↻ {': '.join(ending(len(trace.steps), trace.loop, say))}", ending=True))
        unread.append({})
    if trace.error is not None:
        last = event_of(trace.error, processes, own_faults, sent, reason or say("this step errs"), say)
        events.append(replace(last, error=True, down=False, up=False))
        unread.append({})
    events = [replace(e, unread=_unread(list(letters))) for e, letters in zip(events, unread, strict=True)]
    return _sides(events, {name: i for i, name in enumerate(processes)})


def read_above(trace: AbstractTrace, changes: Sequence[Sequence[Change]], say: Say = english) -> list[Above]:
    """What each step of a trace is in the abstract spec that it should refine."""
    found = []
    for step, changed in zip(trace.steps, changes, strict=True):
        name = step.step or ("" if step.matched else say("no step does this"))
        told = ", ".join(c.brief("", say) for c in changed if not c.detail) if name else ""
        found.append(Above(name, told, not step.matched))
    return found


def _unread(letters: Json) -> str:
    """Messages in a few words: `Prepare → RM0, RM1`."""
    texts = []
    for line in grouped(letters):
        content, _, receivers = line.partition(" -> ")
        texts.append(f"{content.rpartition(' ')[0].removesuffix('()')} → {receivers}")
    return "; ".join(texts)


def _sides(events: list[Event], columns: Mapping[str, int]) -> list[Event]:
    """Puts the texts of each event on a side without arrows, where there is one; on the right where there are two."""
    busy: list[set[bool]] = [set() for _ in events]
    for row, event in enumerate(events):
        if event.process is None or event.sender is None or event.sender == event.process:
            continue
        from_right = columns[event.sender] > columns[event.process]
        busy[row].add(from_right)
        if event.origin is not None:
            busy[event.origin].add(not from_right)
    return [replace(e, left=busy[row] == {True}) for row, e in enumerate(events)]


def event_of(
    step: str,
    processes: Sequence[str],
    own_faults: AbstractSet[str],
    sent: Mapping[str, int] | None = None,
    changes: str = "",
    say: Say = english,
) -> Event:
    """What one step shows, read from its name. `sent` has the rows that sent the messages in flight."""
    sent = sent or {}
    link = _LINK.fullmatch(step)
    if link and link["receiver"] in processes:
        message = f"{link['content']} {link['sender']} -> {link['receiver']}"
        text = say("lost: {message}", message=link["content"].removesuffix("()"))
        return Event(
            text, link["receiver"], link["sender"], sent.get(message), True, lost=True, changes=changes, message=message
        )
    match = _STEP.fullmatch(step)
    if match is None or match["process"] not in processes:
        cut = _CUT.fullmatch(step)
        names = () if cut is None or cut["kind"] == "heal" else tuple(cut["names"].split(", "))
        return Event(step, fault=is_fault(step), changes=changes, parted=None if cut is None else names)
    process, name, args, sender, notes = match.group("process", "name", "args", "sender", "notes")
    torn = _TORN.search(notes or "")
    text = (match["ignore"] or "") + (name if args is None else f"{name}({args})".removesuffix("()"))
    changes = ", ".join(part for part in (_noted(notes or "", say), changes) if part)
    fatal = args is None and name in ("crash", "stop")
    taken = None if sender is None else f"{name}({args}) {sender} -> {process}"
    return Event(
        text,
        process,
        sender if sender in processes else None,
        None if taken is None else sent.get(taken),
        fault=fatal or torn is not None or f"{process}.{name}" in own_faults,
        forged="forged" in (notes or ""),
        down=fatal or torn is not None,
        up=name == "restart",
        changes=changes,
        message=taken,
    )


def _noted(notes: str, say: Say) -> str:
    """What stands in brackets behind the name of a step: what it chose, which the spec says, and what broke, which we do."""
    if notes == "forged" or notes.endswith(", forged"):
        notes = notes.removesuffix("forged") + say("forged")
    return _TORN.sub(lambda torn: say(_AFTER[torn[2] != "1"], kind=torn[1], number=torn[2]), notes)


def is_fault(step: str, own_faults: AbstractSet[str] = frozenset()) -> bool:
    """Whether a step, by its name, is something that breaks, or is torn, or takes a lie."""
    match = _STEP.fullmatch(step)
    if match is None or match["process"] is None:
        return step.startswith(("cut ", "dup ", "lose ", _DRIFT))
    process, name, args, notes = match.group("process", "name", "args", "notes")
    broken = (args is None and name in ("crash", "stop")) or _TORN.search(notes or "") or "forged" in (notes or "")
    return bool(broken) or f"{process}.{name}" in own_faults


def _told(changes: Sequence[Change], step: str, processes: Sequence[str], say: Say) -> str:
    """What a step changed in its own process and in what is shared, in a few words; of a tick, what it changed anywhere."""
    own = step.partition(".")[0]
    told = [c for c in changes if not c.detail and not c.place.endswith(".status")]
    if own.partition(" ")[0] == "tick":
        return ", ".join(c.brief("", say) for c in told if c.place and " " not in c.place)
    return ", ".join(c.brief(own, say) for c in told if c.place.startswith(f"{own}.") or _is_shared(c.place, processes))


def _is_shared(place: str, processes: Sequence[str]) -> bool:
    """Whether a place lies in a shared variable, and is not the checker's own: a budget, a cut, or who lies."""
    owner = re.split(r"[.\[]", place, maxsplit=1)[0]
    return bool(place) and owner not in processes and owner not in ("cut", "faulty") and " " not in owner
