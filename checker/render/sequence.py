"""A trace as a sequence diagram in SVG: lifelines, messages as arrows, faults as bands.

Time runs downwards, one row for each step, as high as its texts. A step is a numbered box on the lifeline of its process,
with its name beside it and what it changed there and in shared variables. A step that consumes a message has an arrow from
the box of the step that sent it, so a long arrow is a message that was late, and two arrows from one box to one lifeline
are a message that arrived twice. Messages that no step of the trace takes are named below the step that sent them. Whatever
was broken stands on a band across the picture, the name of a faulty process is red, and the lifeline of one that is down is
dotted.

An arrow leaves along the row of its sender, where no other box is, and turns towards its receiver shortly before it, where
no names are. Names stand on the side of their box that has no arrow.

The input is a trace and the names of the processes; everything else is read from the names of the steps, whose form
`engine.labels` defines. Colours are `currentColor` and tones that can be read on light and on dark ground. Coordinates
are whole numbers, so the same trace gives the same bytes.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from html import escape
from itertools import accumulate, pairwise
from textwrap import wrap

from checker.model.machine import Machine
from checker.model.values import instance_name
from checker.properties.kinds import Json, Trace
from checker.render.plain import Say, clean, ending, english, plural, shortened
from checker.render.values import Change, all_changes, grouped

_STEP = re.compile(
    r"(?P<process>\w+)\.(?P<ignore>ignore )?(?P<name>\w+)(?:\((?P<args>.*)\))?"
    r"(?: <- (?P<sender>\w+))?(?: \[(?P<notes>.*)\])?"
)
_LINK = re.compile(r"lose (?P<content>.*) (?P<sender>\w+) -> (?P<receiver>\w+)(?: \[.*\])?")
_TORN = re.compile(r"\b(crash|stop) after \d+ effects?")

_CHAR = 7.3  # the width of a character of the labels, in pixels; a little more than what fonts need
_ROW, _TOP, _BOX, _MARGIN, _GAP, _TURN = 50, 46, 13, 24, 12, 34
_LABEL, _CHANGE, _WIDE = 34, 40, 90  # the longest lines, in characters
_LINE, _LINES = 13, 3  # the height of a small line, and the most lines of one text
_FAULT, _ACCENT = "#e5484d", "#6b7fd7"
_STYLE = 'font-family="ui-monospace,SFMono-Regular,Menlo,Consolas,monospace" font-size="12"'


@dataclass(frozen=True, slots=True)
class Event:
    """One row. `process` is None for what concerns all.

    `message` is what the step takes or a fault strikes, `origin` the row that sent it, if it is known. `unread` are the messages
    that the step sent and no later step takes. `left`: the texts stand left of the lifeline. `ending`: no step,
    but how a run without end goes on.
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


@dataclass(frozen=True, slots=True)
class Cast:
    """Who takes part in the runs of a machine: its processes in order, and the steps that are faults of the spec itself."""

    processes: tuple[str, ...]
    own_faults: frozenset[str]


def cast(machine: Machine) -> Cast:
    """The cast of a machine."""
    return Cast(
        tuple(instance_name(r, p) for r in machine.roles.values() for p in r.processes),
        frozenset(
            f"{instance_name(s.role, p)}.{s.name}" for s in machine.steps if s.kind == "fault" for p in s.role.processes
        ),
    )


def sequence_svg(
    trace: Trace,
    processes: Sequence[str],
    *,
    changes: Sequence[Sequence[Change]] | None = None,
    own_faults: AbstractSet[str] = frozenset(),
    reason: str | None = None,
    alone: bool = False,
    say: Say = english,
) -> str:
    """The diagram of a trace.

    `changes` says what each step changed, as `Names.step` gives it with the types of a machine. `own_faults` names the
    steps that are faults of the spec itself (`RM0.AbortByHand`). `reason` says how the step at the end errs. `alone`: the
    drawing is a file and not part of a page, so it brings its own ground. `say` has the language of what is not from the spec.
    """
    told = all_changes(trace) if changes is None else changes
    events = read_events(trace, processes, told, own_faults, reason, say)
    used = {name for e in events for name in (e.process, e.sender)}
    faulty = trace.initial.get("faulty")
    shown = [p for p in processes if p in used] or list(processes[:1])
    liars = frozenset(map(str, faulty)) if isinstance(faulty, list) else frozenset()
    return _Drawing(shown, events, liars, trace.loop if not trace.stutters else None, say, alone).svg()


def read_events(
    trace: Trace,
    processes: Sequence[str],
    changes: Sequence[Sequence[Change]],
    own_faults: AbstractSet[str] = frozenset(),
    reason: str | None = None,
    say: Say = english,
) -> list[Event]:
    """What each step of a trace shows; a step that could not be carried out is one more, and `reason` says why."""
    sent: dict[str, int] = {}
    unread: list[dict[str, None]] = []
    events: list[Event] = []
    for row, (step, changed) in enumerate(zip(trace.steps, changes, strict=True)):
        event = event_of(step.step, processes, own_faults, sent, _told(changed, step.step, processes))
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
        last = event_of(trace.error, processes, own_faults, sent, reason or say("this step errs"))
        events.append(replace(last, error=True, down=False, up=False))
        unread.append({})
    events = [replace(e, unread=_unread(list(letters))) for e, letters in zip(events, unread, strict=True)]
    return _sides(events, {name: i for i, name in enumerate(processes)})


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
) -> Event:
    """What one step shows, read from its name. `sent` has the rows that sent the messages in flight."""
    sent = sent or {}
    link = _LINK.fullmatch(step)
    if link and link["receiver"] in processes:
        message = f"{link['content']} {link['sender']} -> {link['receiver']}"
        text = f"lost: {link['content'].removesuffix('()')}"
        return Event(
            text, link["receiver"], link["sender"], sent.get(message), True, lost=True, changes=changes, message=message
        )
    match = _STEP.fullmatch(step)
    if match is None or match["process"] not in processes:
        return Event(step, fault=step.startswith(("cut ", "dup ", "lose ")), changes=changes)
    process, name, args, sender, notes = match.group("process", "name", "args", "sender", "notes")
    torn = _TORN.search(notes or "")
    text = (match["ignore"] or "") + (name if args is None else f"{name}({args})".removesuffix("()"))
    changes = ", ".join(part for part in (notes, changes) if part)
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


def _told(changes: Sequence[Change], step: str, processes: Sequence[str]) -> str:
    """What a step changed in its own process and in what is shared, in a few words."""
    own = step.partition(".")[0]
    told = [c for c in changes if not c.detail and not c.place.endswith(".status")]
    return ", ".join(c.brief(own) for c in told if c.place.startswith(f"{own}.") or _is_shared(c.place, processes))


def _is_shared(place: str, processes: Sequence[str]) -> bool:
    """Whether a place lies in a shared variable, and is not the checker's own: a budget, a cut, or who lies."""
    owner = re.split(r"[.\[]", place, maxsplit=1)[0]
    return bool(place) and owner not in processes and owner not in ("cut", "faulty") and " " not in owner


class _Drawing:
    """Coordinates and shapes of one diagram."""

    def __init__(
        self,
        processes: list[str],
        events: list[Event],
        faulty: AbstractSet[str],
        loop: int | None,
        say: Say,
        alone: bool,
    ) -> None:
        self.events, self.faulty, self.loop, self.say, self.alone = events, faulty, loop, say, alone
        heights = (_ROW // 2 + max(_ROW // 2, _LINE * len(self.below(e)) + 5) for e in events)
        self.tops = list(accumulate(heights, initial=_TOP))
        """Where each row begins, and the last one ends."""
        half = [len(shortened(p, _LABEL)) * _CHAR / 2 + 10 for p in processes]
        # left of the first lifeline, between each two, and right of the last: the room that names and texts need there
        room = [half[0], *(max(2 * _MARGIN + 60, a + b + _GAP) for a, b in pairwise(half)), half[-1]]
        columns = {name: i for i, name in enumerate(processes)}
        for event in events:
            if event.process is not None:
                place = columns[event.process] + (not event.left)
                arrow = _BOX + _TURN if 0 < place < len(processes) else 0
                room[place] = max(room[place], self.width(event) + _BOX + _GAP + arrow)
        first, *between, last = map(round, room)
        places = accumulate(between, initial=first + _MARGIN // 2)
        self.columns = dict(zip(processes, places, strict=True))
        across = max((self.width(e) + _MARGIN for e in events if e.process is None), default=0)
        self.total = max(sum((first, *between, last)) + _MARGIN, round(across))
        self.height = self.tops[-1] + 14

    def width(self, event: Event) -> float:
        """The room that the texts of an event need."""
        limit, number = (_WIDE, 4) if event.process is None else (_LABEL, 4 * event.lost)
        below = max(map(len, self.below(event)), default=0)
        return max(number + len(shortened(event.text, limit)), below * 0.92) * _CHAR

    def below(self, event: Event) -> list[str]:
        """The small lines below the name of a step: what it changed, and what it sent that nobody takes."""
        found = []
        for text in (event.changes, self._unread(event)):
            together = text.replace(" = ", "\xa0=\xa0")
            found += [line.replace("\xa0", " ") for line in wrap(together, _CHANGE, max_lines=_LINES, placeholder=" …")]
        return found

    def _unread(self, event: Event) -> str:
        """What was sent that nobody takes."""
        return f"{self.say('sent')}: {event.unread}" if event.unread else ""

    def y(self, row: int) -> int:
        return self.tops[row] + _ROW // 2

    def svg(self) -> str:
        bands = [self.band(row, e) for row, e in enumerate(self.events) if e.fault or e.error or e.process is None]
        arrows = [self.arrow(row, e) for row, e in enumerate(self.events) if e.sender is not None]
        boxes = [self.box(row, e) for row, e in enumerate(self.events)]
        lives = [self.lifeline(p) for p in self.columns]
        ground = f'<rect width="{self.total}" height="{self.height}" fill="#fff"/>' if self.alone else ""
        title = f"Sequence diagram of {plural(sum(not e.ending for e in self.events), 'step')}"
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" class="ls-sequence" role="img" aria-label="{title}" '
            f'width="{self.total}" height="{self.height}" viewBox="0 0 {self.total} {self.height}" '
            f'style="min-width:{round(self.total * 0.75)}px" '
            f'fill="currentColor" {_STYLE}>'
            + "".join((ground, *bands, *lives, *arrows, *boxes, self.again()))
            + "</svg>"
        )

    def again(self) -> str:
        """The way back from the last row to the first one of a cycle, at the left edge."""
        if self.loop is None:
            return ""
        top, bottom = self.tops[self.loop] + 6, self.y(len(self.events) - 1)
        return (
            f'<path d="M12 {bottom}H5V{top}H12" fill="none" stroke="{_ACCENT}" stroke-width="2"/>'
            f'<path d="M11 {top - 4}l6 4-6 4z" fill="{_ACCENT}"/>'
        )

    def lifeline(self, process: str) -> str:
        """The name and the line, dotted while the process is down."""
        x, label, colour = (
            self.columns[process],
            shortened(process, _LABEL),
            _FAULT if process in self.faulty else _ACCENT,
        )
        half = round(len(label) * _CHAR / 2) + 8
        parts = [
            f'<rect x="{x - half}" y="8" width="{2 * half}" height="26" rx="5" fill="{colour}" fill-opacity=".16" '
            f'stroke="{colour}"/><text x="{x}" y="25" text-anchor="middle" font-weight="600">{_text(label)}</text>'
        ]
        start, down = 34, False
        steps = [e for e in self.events if not e.ending]
        for row, event in enumerate((*steps, Event("", process, down=True, up=True))):
            end = self.y(row) if row < len(steps) else self.height if row == len(self.events) else self.tops[row]
            if event.process == process and (event.down or event.up):
                dots = ' stroke-dasharray="2 5"' if down else ""
                parts.append(f'<path d="M{x} {start}V{end}" stroke="currentColor" stroke-opacity=".45"{dots}/>')
                start, down = end, event.down
        return "".join(parts)

    def band(self, row: int, event: Event) -> str:
        colour, opacity = (_FAULT, ".14") if event.fault or event.error else ("currentColor", ".07")
        top, bottom = self.tops[row : row + 2]
        place = f'x="0" y="{top + 2}" width="{self.total}" height="{bottom - top - 4}"'
        return f'<rect {place} fill="{colour}" fill-opacity="{opacity}"/>'

    def arrow(self, row: int, event: Event) -> str:
        """From the box that sent a message, or from the lifeline where that is not known, to the box that takes it."""
        assert event.sender is not None
        if event.process is None or event.sender == event.process:
            return ""
        x1, x2, y2 = self.columns[event.sender], self.columns[event.process], self.y(row)
        y1 = y2 if event.origin is None else self.y(event.origin)
        side = 1 if x2 > x1 else -1
        x1 += side * (_BOX if event.origin is not None else 0)
        knee = x2 - side * (_BOX + _TURN)
        x2 -= side * _BOX
        path = f"M{x1} {y1}H{knee}L{x2} {y2}"
        dash = ' stroke-dasharray="6 4"' if event.forged or event.lost else ""
        colour = _FAULT if event.lost or event.forged else _ACCENT
        if event.lost:
            end = f"M{x2 - side * 5 - 5} {y2 - 5}l10 10m0 -10l-10 10"
        else:
            # the head follows the direction of the arrow
            length = max(1.0, ((x2 - knee) ** 2 + (y2 - y1) ** 2) ** 0.5)
            ux, uy = (x2 - knee) / length, (y2 - y1) / length
            ends = [(round(x2 - 9 * ux + s * 4 * uy), round(y2 - 9 * uy - s * 4 * ux)) for s in (1, -1)]
            end = f"M{ends[0][0]} {ends[0][1]}L{x2} {y2}L{ends[1][0]} {ends[1][1]}"
        return (
            f'<path d="{path}" fill="none" stroke="{colour}" stroke-width="1.5" stroke-linejoin="round"{dash}/>'
            f'<path d="{end}" fill="none" stroke="{colour}" stroke-width="1.5"/>'
        )

    def box(self, row: int, event: Event) -> str:
        """The numbered box of a step with its texts."""
        y = self.y(row)
        if event.ending:
            return self.label(_MARGIN, y, "start", event.text, event, _WIDE)
        if event.process is None:
            return self.label(_MARGIN // 2, y, "start", f"{row + 1}: {event.text}", event, _WIDE)
        x = self.columns[event.process]
        anchor, at = ("end", x - _BOX - 7) if event.left else ("start", x + _BOX + 7)
        if event.lost:
            return self.label(at, y, anchor, f"{row + 1}: {event.text}", event, _LABEL)
        colour = _FAULT if event.fault or event.error else _ACCENT
        return (
            f'<rect x="{x - _BOX}" y="{y - 10}" width="{2 * _BOX}" height="20" rx="4" fill="{colour}"/>'
            f'<text x="{x}" y="{y + 4}" text-anchor="middle" fill="#fff" font-size="11">{row + 1}</text>'
        ) + self.label(at, y, anchor, event.text, event, _LABEL)

    def label(self, x: int, y: int, anchor: str, text: str, event: Event, limit: int) -> str:
        """The lines beside a point; what has no room in them shows when they are pointed at."""
        ground = "#fff" if self.alone else "var(--md-default-bg-color,transparent)"
        below = self.below(event)
        whole = "; ".join(part for part in (text, event.changes, self._unread(event)) if part)
        parts = [
            f'<g text-anchor="{anchor}" style="paint-order:stroke;stroke:{ground};stroke-width:3px">'
            f"<title>{_text(whole)}</title>"
            f'<text x="{x}" y="{y - 4 if below else y + 4}">{_text(shortened(text, limit))}</text>'
        ]
        for number, line in enumerate(below):
            place = f'x="{x}" y="{y + 10 + _LINE * number}"'
            parts.append(f'<text {place} font-size="11" fill-opacity=".75">{_text(line)}</text>')
        return "".join((*parts, "</g>"))


def _text(text: str) -> str:
    return escape(clean(text), quote=True)
