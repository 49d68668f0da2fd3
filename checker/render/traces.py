"""Traces for a terminal: numbered steps, each with what it changed and nothing else.

    0  initial state             TM: log = none, yes = {}
                                 RM0, RM1: st = working
    1  TM.Begin()                + Prepare() TM -> RM0, RM1
    2  RM0.Prepare() <- TM       RM0.st: working → prepared
                                 + Vote(true) RM0 -> TM

Where a refinement fails, a third column has what each step is in the abstract spec.

A run without end closes with a line that says where it goes back to, and which steps come again and again.

Names of steps stand in one column and their effects in another, so that the story can be read down the left side. What is
left of fault budgets is not shown: the names of the faults say it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from checker.base.diagnostics import Diagnostic
from checker.properties.kinds import AbstractTrace, Json, Trace, TraceStep
from checker.render.diagnostics import Line, diagnostic_lines
from checker.render.plain import Signs, ending, fitted
from checker.render.values import Change, Names, grouped

BUDGET = "left of "

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


class TraceText:
    """Writes the traces of one machine for a terminal of some width."""

    def __init__(self, names: Names, signs: Signs, width: int) -> None:
        self.names = names
        self.signs = signs
        self.width = width

    def trace(self, trace: Trace, diagnostic: Diagnostic | None = None) -> RenderableType:
        """A whole trace; `diagnostic` is what went wrong in its last step, which is then shown in its place."""
        table = self.table([*(s.step for s in trace.steps), trace.error or ""])
        above = self._abstract(trace.abstract)
        if trace.abstract is not None:
            table.add_column(overflow="fold")
            table.add_row("", "", "", Text(trace.abstract.spec, "bold underline"))
        table.add_row("0", Text("initial state", "dim"), self.state(trace.initial), *above[:1])
        values = dict(trace.initial)
        for number, step in enumerate(trace.steps, 1):
            table.add_row(str(number), self.text(step.step), self.changes(values, step), *above[number : number + 1])
            values |= step.changes
        if trace.error is not None:
            table.add_row(self.signs.unmet, self.text(trace.error, "bold red"), Text("this step goes wrong", "red"))
        if trace.loop is not None:
            where, how = ending(len(trace.steps), trace.loop)
            table.add_row(self.signs.again, Text(where, "bold"), Text(how, "bold"))
        if diagnostic is None:
            return table
        return Group(table, *(indented(line, 5) for line in diagnostic_lines(diagnostic, self.signs)))

    def _abstract(self, trace: AbstractTrace | None) -> list[Text]:
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
            name = ("no step does this", "bold red") if step.step is None else writer.text(step.step)
            found.append(Text.assemble(name, "\n", writer.changes(values, TraceStep("", step.changes))))
            values |= step.changes
        return found

    def table(self, names: Iterable[str]) -> Table:
        """An empty table for steps of these names: number, name, changes."""
        longest = max((len(name) for name in names), default=0)
        table = Table.grid(padding=(0, 2, 0, 0))
        table.add_column(justify="right", width=5, style="dim", no_wrap=True)
        table.add_column(width=max(13, min(longest, self.width * 9 // 20)), overflow="fold")
        table.add_column(overflow="fold")
        return table

    def text(self, text: str, style: str = "") -> Text:
        """Text from elsewhere, made safe."""
        return Text(fitted(text, self.signs), style)

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
        return Text("\n").join(self.text(line, "dim") for line in lines)

    def changes(self, before: Mapping[str, Json], step: TraceStep) -> Text:
        """What a step changed, a line for each change."""
        told = {name: value for name, value in step.changes.items() if not name.startswith(BUDGET)}
        lines = [self._change(change) for change in self.names.step(before, told)]
        return Text("\n").join(lines) if lines else Text("nothing changes", "dim")

    def _change(self, change: Change) -> Text:
        match change.kind:
            case "set":
                return Text.assemble(
                    self.text(f"{change.place}: "),
                    self.text(change.old, "dim"),
                    (f" {self.signs.arrow} ", "dim"),
                    self.text(change.new, "bold"),
                )
            case "add" if change.place:
                return self.text(f"{change.place} += {change.new}", "green")
            case "remove" if change.place:
                return self.text(f"{change.place} -= {change.new}", "red")
            case "add":
                return self.text(f"+ {change.new}", "green")
            case "remove":
                return self.text(f"- {change.new}", "dim red")


def indented(line: Line, columns: int) -> Text:
    """A line of pieces, moved to the right."""
    return Text(" " * columns) + styled([line])
