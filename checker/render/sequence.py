"""A trace as a sequence diagram in SVG: lifelines, messages as arrows, faults as bands.

Time runs downwards, one row for each step, as high as its texts. A step is a numbered box on the lifeline of its process,
with its name beside it and what it changed there and in shared variables. A step that consumes a message has an arrow from
the box of the step that sent it, so a long arrow is a message that was late, and two arrows from one box to one lifeline
are a message that arrived twice. Messages that no step of the trace takes are named below the step that sent them. Whatever
was broken stands on a band across the picture, the name of a faulty process is red, also where its lies need no message, the
lifeline of one that is down is dotted, and one that is cut off has a red line beside it. What a step is in the abstract spec
that it should refine stands at the right edge.

An arrow leaves along the row of its sender, where no other box is, and turns towards its receiver shortly before it, where
no names are. Names stand on the side of their box that has no arrow.

The input is a trace and the names of the processes; `events` reads the rest from the names of the steps. Colours are
`currentColor` and tones that can be read on light and on dark ground; a drawing that is a file of its own brings both grounds,
and light is what programs see that know no media queries. Coordinates are whole numbers, so the same trace gives the same bytes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import replace
from html import escape
from itertools import accumulate, pairwise
from textwrap import wrap

from checker.properties.kinds import AbstractTrace, Trace
from checker.render.events import Event, read_above, read_events
from checker.render.plain import Say, clean, english, shortened
from checker.render.values import Change, all_changes, as_trace

_CHAR = 7.3  # the width of a character of the labels, in pixels; a little more than what fonts need
_ROW, _TOP, _BOX, _MARGIN, _GAP, _TURN = 50, 46, 13, 24, 12, 34
_LABEL, _CHANGE, _WIDE = 34, 40, 90  # the longest lines, in characters
_LINE, _LINES = 13, 3  # the height of a small line, and the most lines of one text
_FAULT, _ACCENT = "#e5484d", "#6b7fd7"
_DARK = (
    "<style>@media (prefers-color-scheme:dark){.ls-alone{color:#e6e8ec}.ls-ground{fill:#1b1e24}.ls-halo{stroke:#1b1e24}}"
    "</style>"
)
_STYLE = 'font-family="ui-monospace,SFMono-Regular,Menlo,Consolas,monospace" font-size="12"'


def sequence_svg(
    trace: Trace,
    processes: Sequence[str],
    *,
    changes: Sequence[Sequence[Change]] | None = None,
    above: Sequence[Sequence[Change]] | None = None,
    own_faults: AbstractSet[str] = frozenset(),
    timeouts: AbstractSet[str] = frozenset(),
    reason: str | None = None,
    verdict: str | None = None,
    alone: bool = False,
    say: Say = english,
) -> str:
    """The diagram of a trace.

    `changes` says what each step changed, as `Names.step` gives it with the types of a machine, and `above` the same for an
    abstract trace. `own_faults` and `timeouts` are those of the `Cast`. `reason` says how the step at the end errs, and
    `verdict` what the trace shows. `alone`: the drawing is a file and not part of a page, so it brings its own ground. `say` has
    the language of what is not from the spec.
    """
    told = all_changes(trace) if changes is None else changes
    events = read_events(trace, processes, told, own_faults, reason, say, timeouts)
    if trace.abstract is not None:
        levels = read_above(trace.abstract, all_changes(as_trace(trace.abstract)) if above is None else above, say)
        events[: len(levels)] = [replace(e, above=a) for e, a in zip(events, levels, strict=False)]
    if verdict is not None:
        events.append(Event(verdict, ending=True))
    used = {name for e in events for name in (e.process, e.sender, *(e.parted or ()))}
    faulty = trace.initial.get("faulty")
    liars = frozenset(map(str, faulty)) if isinstance(faulty, list) else frozenset()
    shown = [p for p in processes if p in used or p in liars] or list(processes[:1])
    loop = trace.loop if not trace.stutters else None
    return _Drawing(shown, events, liars, loop, trace.abstract, say, alone).svg()


class _Drawing:
    """Coordinates and shapes of one diagram."""

    def __init__(
        self,
        processes: list[str],
        events: list[Event],
        faulty: AbstractSet[str],
        loop: int | None,
        abstract: AbstractTrace | None,
        say: Say,
        alone: bool,
    ) -> None:
        self.events, self.faulty, self.loop, self.abstract = events, faulty, loop, abstract
        self.say, self.alone, self.ground = say, alone, "#fff" if alone else "var(--md-default-bg-color,transparent)"
        heights = (_ROW // 2 + max(_ROW // 2, _LINE * max(len(self.below(e)), len(_higher(e))) + 5) for e in events)
        self.tops = list(accumulate(heights, initial=_TOP))
        """Where each row begins, and the last one ends."""
        half = [len(self.title(p)) * _CHAR / 2 + 10 for p in processes]
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
        self.level = self.total + _MARGIN
        """Where the column of the abstract spec begins."""
        if abstract is not None:
            lines = [self.over(), *(line for e in events if e.above for line in (e.above.text, *_higher(e)))]
            self.total = round(self.level + max(map(len, lines)) * _CHAR) + _MARGIN
        self.height = self.tops[-1] + 14

    def title(self, process: str) -> str:
        """The name of a process, and what is to be known of it."""
        name = shortened(process, _LABEL)
        return f"{name}, {self.say('faulty')}" if process in self.faulty else name

    def over(self) -> str:
        """The name of the abstract spec."""
        assert self.abstract is not None
        wrong = "" if self.abstract.matched else f": {self.say('not an initial state')}"
        return f"{shortened(self.abstract.spec, _LABEL)}{wrong}"

    def width(self, event: Event) -> float:
        """The room that the texts of an event need."""
        limit, number = (_WIDE, 4) if event.process is None else (_LABEL, 4 * event.lost)
        below = max(map(len, self.below(event)), default=0)
        return max(number + len(shortened(event.text, limit)), below * 0.92) * _CHAR

    def below(self, event: Event) -> list[str]:
        """The small lines below the name of a step: what it changed, and what it sent that nobody takes."""
        return [line for text in (event.changes, self._unread(event)) for line in _lines(text)]

    def _unread(self, event: Event) -> str:
        """What was sent that nobody takes."""
        return f"{self.say('sent')}: {event.unread}" if event.unread else ""

    def y(self, row: int) -> int:
        return self.tops[row] + _ROW // 2

    def svg(self) -> str:
        bands = [
            self.band(row, e)
            for row, e in enumerate(self.events)
            if e.fault or e.error or e.process is None or (e.above is not None and e.above.wrong)
        ]
        arrows = [self.arrow(row, e) for row, e in enumerate(self.events) if e.sender is not None]
        boxes = [self.box(row, e) for row, e in enumerate(self.events)]
        lives = [self.lifeline(p) for p in self.columns]
        higher = (
            []
            if self.abstract is None
            else [self.higher(), *(self.higher_step(r, e) for r, e in enumerate(self.events))]
        )
        kind = ' class="ls-sequence"'
        ground = ""
        if self.alone:
            kind = ' class="ls-sequence ls-alone" color="#1f2328"'
            ground = f'{_DARK}<rect class="ls-ground" width="{self.total}" height="{self.height}" fill="#fff"/>'
        steps = sum(not e.ending for e in self.events)
        title = self.say(f"Sequence diagram of {{number}} {'step' if steps == 1 else 'steps'}", number=f"{steps:,}")
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg"{kind} role="img" aria-label="{title}" '
            f'width="{self.total}" height="{self.height}" viewBox="0 0 {self.total} {self.height}" '
            f'style="min-width:{round(self.total * 0.75)}px" '
            f'fill="currentColor" {_STYLE}>'
            + "".join((ground, *bands, *lives, *arrows, *boxes, *higher, self.again()))
            + "</svg>"
        )

    def again(self) -> str:
        """The way back from the last row to the first one of a cycle, at the left edge."""
        if self.loop is None:
            return ""
        last = next(row for row, event in enumerate(self.events) if event.ending)
        top, bottom = self.tops[self.loop] + 6, self.y(last)
        return (
            f'<path d="M12 {bottom}H5V{top}H12" fill="none" stroke="{_ACCENT}" stroke-width="2"/>'
            f'<path d="M11 {top - 4}l6 4-6 4z" fill="{_ACCENT}"/>'
        )

    def lifeline(self, process: str) -> str:
        """The name and the line, dotted while the process is down."""
        x, label = self.columns[process], self.title(process)
        colour = _FAULT if process in self.faulty else _ACCENT
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
        return "".join((*parts, *self.parted(process)))

    def parted(self, process: str) -> Iterator[str]:
        """Where a process is cut off, beside its line, from the cut to where it heals."""
        since: int | None = None
        for row, event in enumerate((*self.events, Event("", parted=()))):
            if event.parted is None:
                continue
            if since is not None:
                x, end = self.columns[process] + 4, self.y(row) if row < len(self.events) else self.height
                yield f'<path d="M{x} {since}V{end}" stroke="{_FAULT}" stroke-width="2" stroke-dasharray="7 3"/>'
            since = self.y(row) if process in event.parted else None

    def band(self, row: int, event: Event) -> str:
        wrong = event.fault or event.error or (event.above is not None and event.above.wrong)
        colour, opacity = (_FAULT, ".14") if wrong else ("currentColor", ".07")
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
        whole = "; ".join(part for part in (text, event.changes, self._unread(event)) if part)
        return self.lines(x, y, anchor, shortened(text, limit), self.below(event), whole)

    def lines(self, x: int, y: int, anchor: str, text: str, below: Sequence[str], whole: str, colour: str = "") -> str:
        """A text with small lines below it; `whole` shows when they are pointed at."""
        paint = f' fill="{colour}"' if colour else ""
        parts = [
            f'<g class="ls-halo" text-anchor="{anchor}" stroke="{self.ground}" stroke-width="3" paint-order="stroke">'
            f"<title>{_text(whole)}</title>"
            f'<text x="{x}" y="{y - 4 if below else y + 4}"{paint}>{_text(text)}</text>'
        ]
        for number, line in enumerate(below):
            place = f'x="{x}" y="{y + 10 + _LINE * number}"'
            parts.append(f'<text {place} font-size="11" fill-opacity=".75">{_text(line)}</text>')
        return "".join((*parts, "</g>"))

    # ---- the abstract spec

    def higher(self) -> str:
        """The name of the abstract spec, and a line that parts it from the processes."""
        x, end = self.level - _MARGIN // 2, self.tops[sum(not e.ending for e in self.events)]
        return (
            f'<text x="{self.level}" y="25" font-weight="600" font-style="italic">{_text(self.over())}</text>'
            f'<path d="M{x} 8V{end}" stroke="currentColor" stroke-opacity=".45" stroke-dasharray="1 3"/>'
        )

    def higher_step(self, row: int, event: Event) -> str:
        """What a step is there."""
        above = event.above
        if above is None or not above.text:
            return ""
        whole = "; ".join(part for part in (above.text, above.changes) if part)
        colour = _FAULT if above.wrong else ""
        return self.lines(self.level, self.y(row), "start", above.text, _higher(event), whole, colour)


def _higher(event: Event) -> list[str]:
    """The small lines below a step of the abstract spec."""
    return [] if event.above is None else _lines(event.above.changes)


def _lines(text: str) -> list[str]:
    """A text in a few short lines; `a = b` stays together."""
    lines = wrap(text.replace(" = ", "\xa0=\xa0"), _CHANGE, max_lines=_LINES, placeholder=" …")
    return [line.replace("\xa0", " ") for line in lines]


def _text(text: str) -> str:
    return escape(clean(text), quote=True)
