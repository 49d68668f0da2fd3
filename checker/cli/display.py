"""What `lockstep check` shows while it runs and at the end: text for people, or one JSON document.

Both displays say what is wrong with a spec on standard error as soon as it is known, each thing once, although every check
of a spec meets it again. On standard output the text comes check by check and the document at the end, so that there is
exactly one, whatever happened.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

from checker.base.diagnostics import Diagnostic
from checker.cli.output import console, print_count, print_diagnostics, print_json, print_note, print_text, signs_of
from checker.cli.progress import ProgressLine
from checker.cli.sampling import commands
from checker.engine.interface import Limits, Observer
from checker.properties.kinds import CheckResult
from checker.render.schema import SpecReport, document

if TYPE_CHECKING:
    from rich.console import RenderableType

    from checker.api import LoadedSpec
    from checker.model.machine import Machine
    from checker.render.text import Report


class Display(Protocol):
    """Is told what happens, in this order: problems at any time; a spec begins; its checks; the end."""

    def problems(self, diagnostics: Sequence[Diagnostic]) -> None:
        """Something is wrong with a file or the command line."""

    def note(self, text: str) -> None:
        """Something that the user should know about how checks are run."""

    def begin(self, spec: LoadedSpec, constants: str) -> None:
        """The checks of a spec follow; `constants` are those set from outside, as text."""

    def watch(self, name: str, limits: Limits) -> Observer | None:
        """A check begins; what the engine shall report its progress to."""

    def check(self, result: CheckResult, machine: Machine | None) -> None:
        """A check is done; `machine` is None where it could not be made."""

    def close(self) -> None:
        """Nothing more is explored, maybe because of an exception: the terminal is as it was."""

    def finish(self, reports: Sequence[SpecReport], seconds: float, *, interrupted: bool) -> None:
        """Everything is done that could be."""


class _Base:
    def __init__(self) -> None:
        self._progress = ProgressLine()
        self._said: list[Diagnostic] = []
        self._loose: list[Diagnostic] = []
        """Problems that belong to no spec."""

    def problems(self, diagnostics: Sequence[Diagnostic]) -> None:
        self._loose += diagnostics
        self._say(diagnostics)

    def note(self, text: str) -> None:
        self._progress.stop()
        print_note(text)

    def _say(self, diagnostics: Sequence[Diagnostic]) -> None:
        new = [d for d in diagnostics if d not in self._said]
        if new and self._said:
            sys.stderr.write("\n")
        self._said += new
        print_diagnostics(new)

    def watch(self, name: str, limits: Limits) -> Observer | None:
        if not self._progress.enabled:
            return None
        self._progress.start(name, limits)
        return self._progress.observe

    def close(self) -> None:
        self._progress.stop()


class JsonDisplay(_Base):
    """One document at the end."""

    def begin(self, spec: LoadedSpec, constants: str) -> None:
        pass

    def check(self, result: CheckResult, machine: Machine | None) -> None:
        self._progress.stop()
        self._say(result.diagnostics)

    def finish(self, reports: Sequence[SpecReport], seconds: float, *, interrupted: bool) -> None:
        print_count(self._said)
        of_specs = {id(d) for report in reports for d in report.diagnostics}
        loose = [d for d in self._loose if id(d) not in of_specs]
        print_json(document(reports, diagnostics=loose, interrupted=interrupted))


class TextDisplay(_Base):
    """Check by check, with a summary at the end."""

    def __init__(self, *, quiet: bool = False, traces: bool = False, verbose: bool = False) -> None:
        super().__init__()
        from checker.render.text import Detail, Report

        self._out = console(sys.stdout)
        self._detail = Detail(quiet, traces, verbose)
        self._report: Report = Report(signs_of(sys.stdout), self._out.width, self._detail)
        self._began = False

    def begin(self, spec: LoadedSpec, constants: str) -> None:
        if self._began:
            self._print("")
        self._began = True
        self._print(self._report.header(spec.name, spec.path, constants))

    def check(self, result: CheckResult, machine: Machine | None) -> None:
        from checker.render.values import Names

        self._progress.stop()
        self._say(result.diagnostics)
        self._print(*([] if self._detail.quiet else [""]), self._report.check(result, Names(machine)))
        self._print(*self._report.again(result, commands(result, machine)))

    def finish(self, reports: Sequence[SpecReport], seconds: float, *, interrupted: bool) -> None:
        if interrupted or len(reports) > 1 or any(report.checks for report in reports):
            summary = self._report.summary(reports, seconds, interrupted=interrupted)
            self._print(*([""] if self._began else []), summary)
        print_count(self._said)

    def _print(self, *parts: RenderableType) -> None:
        print_text(self._out, *parts)
