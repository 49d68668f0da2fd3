"""Choosing the steps of a walk from numbered lists.

It reads lines, so it works on a terminal, in a pipe and in a test alike. The end of the input ends the walk. What is not a
number of the list is answered with what can be entered, and nothing is lost.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

from rich.table import Table
from rich.text import Text

from checker.cli.output import console, print_text, signs_of
from checker.engine.walk import Choice, End, Walk
from checker.model.machine import Machine
from checker.properties.kinds import TraceStep
from checker.render.traces import TraceText
from checker.render.values import Names


class Chooser:
    """Asks for one step after another. `to_stderr` keeps standard output free for a document."""

    def __init__(self, walk: Walk, machine: Machine, *, to_stderr: bool) -> None:
        self.walk = walk
        stream = sys.stderr if to_stderr else sys.stdout
        self.out = console(stream)
        self.writer = TraceText(Names(machine), signs_of(stream), self.out.width)
        self.echo = not sys.stdin.isatty()

    def run(self, steps: int | None) -> End:
        """Until nothing is left to choose, so many steps are taken, or the input ends."""
        if len(self.walk.initial) > 1 and not self._initial():
            return End.STOPPED
        while steps is None or len(self.walk.names) < steps:
            choices = self.walk.choices()
            number = len(self.walk.names)
            print_text(
                self.out, "", Text(f"after {number} step{'s' * (number != 1)}" if number else "at the start", "bold")
            )
            if not choices:
                return End.STUCK
            print_text(self.out, self._listed(choices))
            answer = self._ask(len(choices), "step")
            if answer is None:
                return End.STOPPED
            if answer < 0:
                if not self.walk.undo():
                    print_text(self.out, Text("this is the start", "yellow"))
                continue
            self.walk.take(choices[answer])
            if self.walk.failed is not None:
                return End.ERROR
        return End.LENGTH

    def _initial(self) -> bool:
        print_text(self.out, Text(f"{len(self.walk.initial)} initial states", "bold"))
        table = Table.grid(padding=(0, 2, 0, 0))
        table.add_column(justify="right", width=5, style="bold")
        for number, state in enumerate(self.walk.initial, 1):
            table.add_row(str(number), self.writer.state(self.walk.view.initial(state)))
        print_text(self.out, table)
        while True:
            answer = self._ask(len(self.walk.initial), "state")
            if answer is None:
                return False
            if answer >= 0:
                self.walk.begin(answer)
                return True

    def _listed(self, choices: Sequence[Choice]) -> Table:
        here = self.walk.states[-1]
        values = self.walk.view.initial(here)
        table = self.writer.table([c.name for c in choices])
        for number, choice in enumerate(choices, 1):
            if choice.target is None:
                effect = Text("goes wrong", "red")
            else:
                effect = self.writer.changes(
                    values, TraceStep(choice.name, self.walk.view.changes(here, choice.target))
                )
            table.add_row(Text(str(number), "bold not dim"), self.writer.text(choice.name), effect)
        return table

    def _ask(self, count: int, what: str) -> int | None:
        """The index of a choice, -1 to go back, None at the end."""
        while True:
            self.out.file.write(f"{what} 1-{count}, u to go back, q to stop: " if count > 1 else "1, u or q: ")
            self.out.file.flush()
            line = sys.stdin.readline()
            text = line.strip().lower()
            if self.echo:
                self.out.file.write(f"{text}\n")
            if not line or text == "q":
                return None
            if text == "u":
                return -1
            if text.isascii() and text.isdigit() and len(text) < 7 and 1 <= int(text) <= count:
                return int(text) - 1
            print_text(self.out, Text(f"enter a number from 1 to {count}, u or q", "yellow"))
