"""`lockstep explain` as text and as JSON.

    TwoPhaseCommit  specs/transactions/two_phase_commit.psm  check recovery
      7,850 states · 31,124 transitions · depth 16 · python

    What multiplies the states
      N = 2          × 14.7   533 states with N = 1
      crash RM <= 1  × 4.71   1,666 states without it

The table of what multiplies comes first: it is what can be changed. Then the parts of a state, who found how many states, and
how many there are at each depth. What was measured on a sample says so above the table that it concerns.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from checker.engine.interface import Stop
from checker.properties.explanation import Change, Explanation, Part
from checker.render.check_text import CheckText
from checker.render.inspection_text import MAX_JSON
from checker.render.plain import ASCII, duration, plural, power

BAR = 40
"""The columns of the longest bar."""

ROWS = 24
"""The most rows of a histogram; more levels share a row."""

WORTH_SAYING = 1.5
"""From which factor on a ghost is worth a remark."""


def factor_text(factor: float) -> str:
    """Three significant digits: `14.7`, `123`."""
    return f"{factor:,.0f}" if factor >= 99.95 else f"{factor:.3g}"


class ExplanationText(CheckText):
    """Writes explanations for a terminal."""

    def all(self, found: Explanation) -> RenderableType:
        """The whole page about one check."""
        head = self.head(found.spec, found.path, found.check)
        depth = max(len(found.levels) - 1, 0)
        counts = [
            plural(found.states, "state"),
            plural(found.transitions, "transition"),
            f"depth {depth}",
            found.engine,
        ]
        parts: list[RenderableType] = [head, self.text(f"  {' · '.join(counts)}", "dim")]
        if found.stop is not Stop.DONE:
            reason = "interrupted" if found.stop is Stop.INTERRUPTED else f"cut off by the {found.stop.value}"
            parts.append(Text(f"  {reason}: all that follows is about the states found until then", "yellow"))
        if found.changes:
            parts += self.section("What multiplies the states", self._changes(found))
        remarks = list(self.advice(found))
        parts += [Padding(self.text(remark), (0, 0, 0, 2)) for remark in remarks]
        sampled = f", of a sample of {found.looked_at:,}" * found.sampled
        parts += self.section(f"Variables and faults{sampled}", self._parts(found.parts, found.sampled, "kept"))
        if found.messages:
            parts += self.section(f"Messages{sampled}", self._parts(found.messages, found.sampled, "network"))
        if found.finders:
            traced = f", estimated from {found.traced:,} of them" * found.sampled
            parts += self.section(f"Who found the states{traced}", self._finders(found))
        parts += self.section("States at each depth", self._levels(found.levels))
        bits = f"A state takes {plural(found.fixed_bits, 'bit')}"
        more = f", and {found.message_bits} more for each message in flight" if found.messages else ""
        return Group(*parts, "", self.text(f"{bits}{more}. {duration(found.seconds)}", "dim"))

    # ---- what can be changed

    def _changes(self, found: Explanation) -> Table:
        table = Table.grid(padding=(0, 3, 0, 0))
        table.add_column()
        table.add_column(justify="right")
        table.add_column(overflow="fold")
        for change in sorted(found.changes, key=lambda c: -(c.factor or 0)):
            table.add_row(self.text(setting(change)), self._factor(change), self.text(outcome(change), "dim"))
        return table

    def _factor(self, change: Change) -> Text:
        if change.factor is None:
            return Text("?", "yellow")
        sign = {"exactly": "×", "at least": "≥", "at most": "≤"}[change.bound]
        return self.text(f"{sign} {factor_text(change.factor)}", "bold" if change.factor >= 2 else "")

    def advice(self, found: Explanation) -> Iterator[str]:
        """What follows from the figures, in words."""
        sure = [c for c in found.changes if c.factor is not None and c.bound != "at most"]
        most = max(sure, key=lambda c: c.factor or 0, default=None)
        if most is not None and most.factor is not None and most.factor > 1:
            least = "at least " * (most.bound == "at least")
            yield f"{setting(most)} multiplies the states most: by {least}{factor_text(most.factor)}."
        idle = [setting(c) for c in found.changes if c.complete and c.factor == 1 and c.bound == "exactly"]
        if idle:
            yield f"Lowering {' or '.join(idle)} changes nothing."
        for part in found.parts:
            if part.keep == "ghost" and part.times is not None and part.times >= WORTH_SAYING:
                yield f"The ghost {part.name}, which properties alone read, multiplies the states by {factor_text(part.times)}."

    # ---- parts

    def _parts(self, parts: Iterable[Part], sampled: bool, keep: str) -> Table:
        table = Table(box=None, pad_edge=False, padding=(0, 3, 0, 0), header_style="dim")
        table.add_column("", overflow="fold")
        table.add_column(keep)
        messages = keep == "network"
        for title in ("seen", "possible", "together", "most at once" if messages else "bits", "multiplies by"):
            table.add_column(title, justify="right")
        if sampled:
            table.columns.pop()
        for part in parts:
            least = "≥ " * sampled
            bits = f"{part.bits} × {part.copies}" if part.copies > 1 else str(part.bits)
            row = [
                self.text(part.name),
                self.text(part.keep, "dim"),
                self.text(f"{least if part.values < part.possible else ''}{part.values:,}"),
                self.text(power(part.possible)),
                self.text(f"{least}{part.together:,}"),
                self.text(f"{least}{part.most:,}" if part.most is not None else bits),
            ]
            if part.times is not None:
                row.append(self.text(factor_text(part.times), "bold" if part.times >= 2 else ""))
            table.add_row(*row)
        return table

    def _finders(self, found: Explanation) -> Table:
        table = Table.grid(padding=(0, 3, 0, 0))
        table.add_column(overflow="fold")
        table.add_column(justify="right")
        table.add_column()
        top = max(f.states for f in found.finders)
        for finder in found.finders:
            about = "≈ " * found.sampled
            table.add_row(self.text(finder.name), self.text(f"{about}{finder.states:,}"), self._bar(finder.states, top))
        return table

    def _levels(self, levels: tuple[int, ...]) -> Table:
        table = Table.grid(padding=(0, 3, 0, 0))
        table.add_column()
        table.add_column(justify="right")
        table.add_column()
        width = -(-len(levels) // ROWS)
        rows = [(i, levels[i : i + width]) for i in range(0, len(levels), width)]
        top = max((sum(part) for _, part in rows), default=0)
        for first, part in rows:
            last = first + len(part) - 1
            name = f"{first}" if last == first else f"{first} to {last}"
            table.add_row(self.text(name, "dim"), self.text(f"{sum(part):,}"), self._bar(sum(part), top))
        return table

    def _bar(self, count: int, top: int) -> Text:
        length = max(round(BAR * count / max(top, 1)), 1 if count else 0)
        return Text(("#" if self.signs is ASCII else "█") * length, "cyan")


def setting(change: Change) -> str:
    """`N = 3`, `crash RM <= 1`."""
    return f"{change.name} {'=' if change.kind == 'constant' else '<='} {change.before}"


def outcome(change: Change) -> str:
    """What came of lowering it, in words."""
    if change.states is None:
        return change.reason or ""
    fewer = change.before - 1
    how = f"with {change.name} {'=' if change.kind == 'constant' else '<='} {fewer}"
    if change.kind == "fault" and not fewer:
        how = "without it"
    states = plural(change.states, "state")
    return f"{states} {how}" if change.complete else f"more than {states} {how}: {change.reason}"


def explanation_object(found: Explanation) -> dict[str, Any]:
    """An explanation as JSON."""
    return {
        "path": found.path,
        "spec": found.spec,
        "check": found.check,
        "complete": found.stop is Stop.DONE,
        "engine": found.engine,
        "states": found.states,
        "transitions": found.transitions,
        "looked_at": found.looked_at,
        "traced": found.traced,
        "fixed_bits": found.fixed_bits,
        "message_bits": found.message_bits,
        "levels": list(found.levels),
        "parts": [_part(part) for part in found.parts],
        "messages": [_part(part) for part in found.messages],
        "finders": [{"name": finder.name, "states": finder.states} for finder in found.finders],
        "changes": [
            {
                "name": change.name,
                "kind": change.kind,
                "before": change.before,
                "states": change.states,
                "complete": change.complete,
                "factor": change.factor,
                "bound": change.bound,
                "reason": change.reason,
            }
            for change in found.changes
        ],
        "seconds": found.seconds,
    }


def _part(part: Part) -> dict[str, Any]:
    return {
        "name": part.name,
        "keep": part.keep,
        "copies": part.copies,
        "bits": part.bits,
        "possible": part.possible if part.possible <= MAX_JSON else None,
        "values": part.values,
        "together": part.together,
        "most": part.most,
        "times": part.times,
    }
