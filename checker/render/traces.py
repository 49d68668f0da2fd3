"""Traces for a terminal: numbered steps, each with what it changed and nothing else.

    0  initial state             TM: log = none, yes = {}
                                 RM0, RM1: st = working
    1  TM.Begin()                + Prepare() TM -> RM0, RM1
    2  RM0.Prepare() <- TM       RM0.st: working → prepared
                                 + Vote(true) RM0 -> TM

Where a refinement fails, a third column has what each step is in the abstract spec.

A run without end closes with a line that says where it goes back to, and which steps come again and again.

A trace that takes more than a screen is told in short, where that is asked for: what a step changed stands in one line, as
long as it has room, without the values before and what follows from the name of the step.

   12  Server0.Elect()              term = 3, voted = Server0, mode = candidate; +Ask(3) -> Server1, Server2

Where that is too long as well, in a narrow terminal, it stands right behind the name.

Names of steps stand in one column and their effects in another, so that the story can be read down the left side. A step that
is a fault, is torn or takes a lie has a `!` before its number. What is left of fault budgets is not shown: the names of the
faults say it. Lines break where a reader would break them (`Whole`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from io import StringIO
from typing import Any, assert_never

from rich.console import Console, Group, RenderableType
from rich.containers import Lines
from rich.table import Table
from rich.text import Text

from checker.base.diagnostics import Diagnostic
from checker.properties.kinds import AbstractTrace, Json, Trace, TraceStep
from checker.render.diagnostics import Line, diagnostic_lines
from checker.render.events import is_fault
from checker.render.plain import Signs, columns, ending, fitted
from checker.render.values import Change, Names, grouped

_LOOKS = {"set": "", "add": "green", "remove": "dim red", "invoke": "cyan", "respond": "cyan", "refute": "bold red"}

BUDGET = "left of "

SCREEN = 50
"""How many lines can be taken in at a glance."""

SHORT = "told in short, since it is long; `--verbose` shows every change"

STYLES = {
    "error": "bold red",
    "warning": "bold yellow",
    "code": "bold",
    "message": "bold",
    "place": "bold",
    "bar": "cyan",
    "caret": "red",
    "label": "cyan",
    "source": "",
    "": "",
}
"""How the pieces of a diagnostic look on a terminal."""


def styled(lines: Iterable[Line]) -> Text:
    """Lines of pieces as one text."""
    result = Text()
    for number, line in enumerate(lines):
        if number:
            result.append("\n")
        for text, style in line:
            result.append(text, STYLES[style])
    return result


_STICKS = re.compile(r"(?<=:) | (?=[=→] )|(?<= [=→]) |(?<=<-) |(?<=->) ")
"""Blanks after which no line begins: those in `a = b`, `x: y`, `old → new`, and behind the arrow of a message."""

_JOINT = "\ue000"
"""Stands for such a blank while lines are broken; `fitted` leaves no such character in a text."""


class Whole(Text):
    """Text whose lines are broken between what belongs together, unless that is wider than a line."""

    def wrap(self, console: Console, width: int, **how: Any) -> Lines:
        """The lines."""
        words = _STICKS.sub(_JOINT, self.plain).split(" ")
        joined = self.copy()
        joined.plain = " ".join(_fitting(word, width) for word in words)
        lines = joined.wrap(console, width, **how)
        for line in lines:
            line.plain = line.plain.replace(_JOINT, " ")
        return lines


def _fitting(word: str, width: int) -> str:
    """What sticks together, taken apart where it is wider than a line: first behind colons."""
    if columns(word) <= width:
        return word
    parts = word.split(f":{_JOINT}")
    return word.replace(_JOINT, " ") if len(parts) == 1 else ": ".join(_fitting(part, width) for part in parts)


def _lines(parts: Iterable[Text]) -> Text:
    """Parts below each other."""
    whole = Whole()
    for number, part in enumerate(parts):
        whole.append("\n" * (number > 0)).append(part)
    return whole


class TraceText:
    """Writes the traces of one machine for a terminal of some width."""

    def __init__(self, names: Names, signs: Signs, width: int) -> None:
        self.names = names
        self.signs = signs
        self.width = width

    def trace(self, trace: Trace, diagnostic: Diagnostic | None = None, *, screen: bool = False) -> RenderableType:
        """A whole trace; `diagnostic` is what went wrong in its last step, which is then shown in its place.

        `screen`: it is told in short where it would take more than a screen.
        """
        parts = [self._whole(trace)]
        if screen and self._height(parts[0]) > SCREEN:
            told = self._whole(trace, short=True)
            if self._height(told) >= SCREEN and trace.abstract is None:
                told = self._flowing(trace)
            parts = [told, self.text(f"{' ' * 5}{SHORT}", "dim")]
        if diagnostic is not None:
            parts += [indented(line, 5) for line in diagnostic_lines(diagnostic, self.signs)]
        return Group(*parts)

    def _height(self, told: RenderableType) -> int:
        return len(Console(width=self.width, file=StringIO()).render_lines(told))

    def _flowing(self, trace: Trace) -> RenderableType:
        """A trace in short, with what each step changed right behind its name."""
        table = Table.grid(padding=(0, 2, 0, 0))
        table.add_column(justify="right", width=5, style="dim", no_wrap=True)
        table.add_column(overflow="fold")
        table.add_row("0", self.state(trace.initial))
        values = dict(trace.initial)
        for number, step in enumerate(trace.steps, 1):
            bad = is_fault(step.step, self.names.own_faults)
            told = self.changes(values, step, short=True)
            line = Whole().append(self.text(step.step, "bold red" if bad else "bold")).append("  ").append(told)
            table.add_row(f"! {number}" if bad else str(number), line)
            values |= step.changes
        if trace.error is not None:
            table.add_row(self.signs.unmet, self.text(f"{trace.error}  this step goes wrong", "bold red"))
        if trace.loop is not None:
            where, how = ending(len(trace.steps), trace.loop)
            table.add_row(self.signs.again, Text(f"{where}  {how}", "bold"))
        return table

    def _whole(self, trace: Trace, *, short: bool = False) -> RenderableType:
        table = self.table([*(s.step for s in trace.steps), trace.error or ""], 0.33 if short else 0.45)
        above = self._abstract(trace.abstract, short)
        if trace.abstract is not None:
            table.add_column(overflow="fold")
            table.add_row("", "", "", Text(trace.abstract.spec, "bold underline"))
        table.add_row("0", Text("initial state", "dim"), self.state(trace.initial), *above[:1])
        values = dict(trace.initial)
        for number, step in enumerate(trace.steps, 1):
            bad = is_fault(step.step, self.names.own_faults)
            table.add_row(
                f"! {number}" if bad else str(number),
                self.text(step.step, "red" if bad else ""),
                self.changes(values, step, short=short),
                *above[number : number + 1],
            )
            values |= step.changes
        if trace.error is not None:
            table.add_row(self.signs.unmet, self.text(trace.error, "bold red"), Text("this step goes wrong", "red"))
        if trace.loop is not None:
            where, how = ending(len(trace.steps), trace.loop)
            table.add_row(self.signs.again, Text(where, "bold"), Text(how, "bold"))
        return table

    def _abstract(self, trace: AbstractTrace | None, short: bool) -> list[Text]:
        """What the initial state and each step are in the abstract spec; nothing where there is none."""
        if trace is None:
            return []
        writer = TraceText(self.names.abstract.get(trace.spec, Names()), self.signs, self.width)
        first = writer.state(trace.initial)
        found = [first if trace.matched else Text.assemble(("not initial\n", "bold red"), first)]
        values = dict(trace.initial)
        for step in trace.steps:
            if step.step is None and step.matched:
                found.append(Text("stutters", "dim"))
                continue
            name = Text("no step does this", "bold red") if step.step is None else writer.text(step.step)
            told = writer.changes(values, TraceStep(step.step or "", step.changes), short=short)
            found.append(_lines([name, told]))
            values |= step.changes
        return found

    def table(self, names: Iterable[str], most: float = 0.45) -> Table:
        """An empty table for steps of these names: number, name, changes. Names take at most this part of the width."""
        longest = max((len(name) for name in names), default=0)
        table = Table.grid(padding=(0, 2, 0, 0))
        table.add_column(justify="right", width=5, style="dim", no_wrap=True)
        table.add_column(width=max(13, min(longest, int(self.width * most))), overflow="fold")
        table.add_column(overflow="fold")
        return table

    def text(self, text: str, style: str = "") -> Text:
        """Text from elsewhere, made safe."""
        return Whole(fitted(text, self.signs), style)

    def state(self, values: Mapping[str, Json]) -> Text:
        """A whole state: processes whose variables are equal share a line."""
        owners: dict[str, list[str]] = {}
        for name, value in values.items():
            if name == "network" or name.startswith(BUDGET):
                continue
            owner, _, variable = name.rpartition(".")
            owners.setdefault(owner, []).append(f"{variable} = {self.names.show(name, value)}")
        equal: dict[str, list[str]] = {}
        for owner, parts in owners.items():
            equal.setdefault(", ".join(parts), []).append(owner)
        lines = [f"{', '.join(who)}: {what}" if who != [""] else what for what, who in equal.items()]
        lines += grouped(values.get("network"))
        return _lines([self.text(line, "dim") for line in lines])

    def changes(self, before: Mapping[str, Json], step: TraceStep, *, short: bool = False) -> Text:
        """What a step changed: a line for each change or, in short, one after the other."""
        told = {name: value for name, value in step.changes.items() if not name.startswith(BUDGET)}
        found = self.names.step(before, replace(step, changes=told))
        if not found:
            return Text("nothing changes", "dim")
        if short:
            return self._brief(step.step.partition(".")[0], [c for c in found if not c.detail])
        return _lines([self._change(change) for change in found])

    def _brief(self, process: str, found: Sequence[Change]) -> Text:
        """Changes by a step of a process: `term = 3, voted = Server0; +Ask(3) -> Server1, Server2`."""
        line = Whole()
        for change in found:
            if line:
                line.append(", " if change.kind == "set" else "; ")
            line.append(self.text(change.brief(process), _LOOKS[change.kind]))
        return line

    def _change(self, change: Change) -> Text:
        match change.kind:
            case "set":
                return Text.assemble(
                    self.text(f"{change.place}: "),
                    self.text(change.old, "dim"),
                    (f" {self.signs.arrow} ", "dim"),
                    self.text(change.new, "bold"),
                )
            case "add" | "remove" if change.place:
                return self.text(change.brief(""), _LOOKS[change.kind])
            case "add":
                return self.text(f"+ {change.new}", _LOOKS[change.kind])
            case "remove":
                return self.text(f"- {change.new}", _LOOKS[change.kind])
            case "invoke" | "respond" | "refute":
                return self.text(f"{change.place}: {change.brief('')}", _LOOKS[change.kind])
            case _:
                assert_never(change.kind)


def indented(line: Line, columns: int) -> Text:
    """A line of pieces, moved to the right."""
    return Text(" " * columns) + styled([line])
