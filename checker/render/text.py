"""What `lockstep check` prints for people.

    TwoPhaseCommit  specs/transactions/two_phase_commit.psm

    ✓ blocking  pass
      494 states · 1,768 transitions (129,000/s) · depth 11 · 0.01 s · python
      ✓ Atomic      invariant  holds
      ✓ NoDeadlock  built-in   violated after 3 steps, as expected

Each property has one line, and its mark is repeated in words, so that nothing depends on colour or on a font. Then comes
what needs attention: a counterexample for each surprise, what the check did not exercise, and how much was cut off. What
is as it should be takes no space.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from checker.base.data import dataclass
from checker.properties.kinds import CheckResult, CheckVerdict, Kind, PropertyResult, Trace, Verdict
from checker.render import sampled
from checker.render.plain import ASCII, Signs, ascii_only, duration, fitted, length, plural, rate
from checker.render.schema import SpecReport
from checker.render.traces import TraceText, Whole
from checker.render.values import Names

_LOOKS = {
    CheckVerdict.PASS: "bold green",
    CheckVerdict.FAIL: "bold red",
    CheckVerdict.INCOMPLETE: "bold yellow",
    CheckVerdict.ERROR: "bold red",
}


@dataclass(frozen=True, slots=True)
class Detail:
    """How much is shown. `quiet`: properties only where they surprise. `traces`: of what is as expected, too."""

    quiet: bool = False
    traces: bool = False
    verbose: bool = False


PLAIN = Detail()


def shows(prop: PropertyResult) -> str:
    """What the trace of a property shows: `OneBeliever is violated after 7 steps: for a = Client0, b = Client1`."""
    assert prop.trace is not None
    when = _when(prop.trace)
    match prop.verdict:
        case Verdict.HOLDS:
            return f"{prop.name} is reached{when.replace(' after ', ' in ')}"
        case Verdict.ERROR:
            return f"{prop.name} cannot be evaluated{when}"
    return f"{prop.name} is violated{when}{f', {prop.reason}' if prop.reason and prop.diagnostic is None else ''}"


def _when(trace: Trace) -> str:
    if trace.stutters and not trace.steps:
        return " by a run in which nothing ever happens"
    if trace.loop is not None:
        return f" by a run of {length(len(trace.steps), trace.loop)}"
    return f" after {plural(len(trace.steps), 'step')}" if trace.steps else " in an initial state"


def _amounts(counts: Iterable[tuple[str, int, int]]) -> str:
    """`288 states, 1,145 transitions, depth 10`, from what is counted and what was expected of it."""
    return ", ".join(f"depth {n}" if what == "depth" else plural(n, what) for what, n, _ in counts)


class Report:
    """Turns results into text for one terminal."""

    def __init__(self, signs: Signs, width: int, detail: Detail = PLAIN) -> None:
        self.signs = signs
        self.width = width
        self.detail = detail

    def text(self, text: str, style: str = "") -> Text:
        """Our own words for a terminal that may know ASCII alone."""
        return Text(ascii_only(text) if self.signs is ASCII else text, style)

    # ---- one spec

    def header(self, spec: str, path: str, constants: str = "") -> Text:
        """The line above the checks of a spec; `constants` are those set from outside."""
        line = Text.assemble((spec, "bold underline"), "  ", (fitted(path, self.signs), "dim"))
        return line.append(f"  {constants}", "yellow") if constants else line

    # ---- one check

    def check(self, result: CheckResult, names: Names) -> RenderableType:
        """Everything about one check."""
        head = self._headline(result)
        parts: list[RenderableType] = [head]
        if self.detail.quiet and result.properties:
            head.append("  ").append(self._numbers(result))
        elif result.properties:
            parts.append(Padding(self._numbers(result), (0, 0, 0, 2)))
        shown = [p for p in result.properties if not self.detail.quiet or self._surprising(p)]
        if shown or (result.counts is not None and not self.detail.quiet):
            parts.append(self._properties(result, shown))
        traces = list(self._traces(result, names))
        coverage = list(self.coverage(result))
        if coverage and not self.detail.quiet:
            parts.append(self._coverage(coverage))
        return Group(*parts, *traces, *([""] if traces and self.detail.quiet else []))

    def mark(self, result: PropertyResult) -> Text:
        """The sign before a property."""
        signs = self.signs
        if result.verdict is Verdict.ERROR:
            return Text(signs.error, "bold red")
        if result.expected is None:
            return Text(signs.unjudged, "dim")
        match result.met:
            case None:
                return Text(signs.incomplete, "yellow")
            case True:
                return Text(signs.met, "green")
            case False:
                return Text(signs.unmet, "bold red")

    def _headline(self, result: CheckResult) -> Text:
        sign = {
            CheckVerdict.PASS: self.signs.met,
            CheckVerdict.FAIL: self.signs.unmet,
            CheckVerdict.INCOMPLETE: self.signs.incomplete,
            CheckVerdict.ERROR: self.signs.error,
        }[result.verdict]
        look = _LOOKS[result.verdict]
        line = Text.assemble((f"{sign} ", look), (result.name, "bold"), "  ", (result.verdict.value, look))
        if result.verdict is CheckVerdict.ERROR and not result.properties:
            line.append(": not checked, see the errors above", "red")
        elif result.reason is not None:
            line.append(f": {result.reason}", "yellow")
        return line

    def _numbers(self, result: CheckResult) -> Text:
        speed = rate(result.transitions, result.seconds) if result.orbits is None else None
        if result.sample is not None:
            return self.text(sampled.numbers(result, result.sample, speed, quiet=self.detail.quiet), "dim")
        parts = [
            plural(result.states, "state") + ("" if result.orbits is None else f" in {plural(result.orbits, 'orbit')}"),
            plural(result.transitions, "transition") + (f" ({speed})" if speed else ""),
            f"depth {result.depth}",
            duration(result.seconds),
            result.engine + ", reduced" * result.reduced,
        ]
        if self.detail.quiet:
            parts = [parts[0], duration(result.seconds)]
        return self.text(" · ".join(parts), "dim")

    def _surprising(self, result: PropertyResult) -> bool:
        open_ = result.verdict is Verdict.INCOMPLETE and result.expected is not None
        return open_ or result.met is False or result.verdict is Verdict.ERROR

    def _properties(self, result: CheckResult, shown: Sequence[PropertyResult]) -> RenderableType:
        table = Table.grid(padding=(0, 2, 0, 0))
        table.add_column(no_wrap=True, min_width=2 + max((len(p.name) for p in result.properties), default=0))
        table.add_column(no_wrap=True, style="dim", min_width=9)
        table.add_column(overflow="fold")
        for prop in shown:
            kind = "built-in" if prop.kind is Kind.BUILTIN else prop.kind.value
            name = Text(f" {prop.name}", "dim" if prop.expected is None else "")
            table.add_row(Text.assemble(self.mark(prop), name), kind, self.words(prop, result))
        counts = result.counts
        if counts is not None and (not self.detail.quiet or counts.met is False):
            mark, words = self._counts(result)
            table.add_row(mark.append(" counts", "not bold default"), "expect", words)
        return Padding(table, (0, 0, 0, 2))

    def words(self, prop: PropertyResult, check: CheckResult) -> Text:
        """The verdict on a property against its expectation, in words."""
        steps = "" if prop.trace is None else _when(prop.trace)
        found = ""
        diagnostic = None if prop.diagnostic is None or self._shows_trace(prop) else prop.diagnostic.message
        reason = None
        match prop.verdict:
            case Verdict.HOLDS if prop.kind is Kind.REACH:
                found = "reached" + steps.replace(" after ", " in ")
            case Verdict.HOLDS:
                found = "holds"
            case Verdict.VIOLATED:
                found = f"violated{steps}"
                reason = diagnostic if prop.diagnostic is not None else prop.reason
            case Verdict.UNREACHED:
                found = "not reached"
            case Verdict.INCOMPLETE if prop.expected is None:
                return self.text("open" if prop.reason == check.reason else f"open: {prop.reason}", "dim")
            case Verdict.INCOMPLETE:
                found = "incomplete"
                reason = prop.reason if prop.reason != check.reason else None
            case Verdict.ERROR:
                found = f"cannot be evaluated{steps}"
                reason = diagnostic
        tail = self._against(prop)
        style = "red" if prop.met is False or prop.verdict is Verdict.ERROR else ""
        if prop.expected is None and not style:
            style = "dim"
        elif prop.verdict is Verdict.INCOMPLETE:
            style = "yellow"
        line = Whole().append(self.text(found + tail, style))
        if reason is not None:
            line.append(fitted(f": {reason}", self.signs), "dim")
        if prop.fairness is not None:
            line.append(fitted(f" (under {prop.fairness})", self.signs), "dim")
        return line

    def _against(self, prop: PropertyResult) -> str:
        wish = {"holds": "to be reached" if prop.kind is Kind.REACH else "to hold", "fails": "to fail"}
        if prop.verdict is Verdict.ERROR:
            return ""
        if prop.expected is None:
            return " (no expectation)"
        if prop.verdict is Verdict.INCOMPLETE:
            return f", expected {wish[prop.expected]}"
        if prop.met:
            return "" if prop.expected == "holds" else ", as expected"
        return f", but expected {wish[prop.expected]}"

    def _counts(self, result: CheckResult) -> tuple[Text, Text]:
        """The mark and the words about `expect states`."""
        counts = result.counts
        assert counts is not None
        every = (
            ("state", counts.states, result.states),
            ("transition", counts.transitions, result.transitions),
            ("depth", counts.depth, result.depth),
        )
        asked = [(what, expected, found) for what, expected, found in every if expected is not None]
        if counts.met is None:
            why = "the graph was reduced" if result.reduced else "constants were set from outside"
            why = "the check is incomplete" if result.reason else why
            return Text(self.signs.unjudged, "dim"), self.text(f"{_amounts(asked)}: not judged, since {why}", "dim")
        if counts.met:
            return Text(self.signs.met, "green"), self.text(f"{_amounts(asked)}: met")
        wrong = [(what, expected, found) for what, expected, found in asked if expected != found]
        words = f"expected {_amounts(wrong)}, but found {_amounts([(w, f, f) for w, _, f in wrong])}"
        return Text(self.signs.unmet, "bold red"), self.text(words, "red")

    # ---- counterexamples

    def _traces(self, result: CheckResult, names: Names) -> Iterator[RenderableType]:
        writer = TraceText(names, self.signs, self.width)
        for prop in result.properties:
            if prop.trace is None or not self._shows_trace(prop):
                continue
            style = "bold red" if prop.met is False or prop.verdict is Verdict.ERROR else "bold"
            yield Text()
            yield Text(f"  {fitted(shows(prop), self.signs)}:", style)
            yield writer.trace(prop.trace, prop.diagnostic, screen=not self.detail.verbose)
            if result.sample is not None and prop.name in result.sample.origins:
                yield Text(sampled.origin(result.sample.origins[prop.name]), "dim")

    def again(self, result: CheckResult, commands: Mapping[str, str]) -> list[Text]:
        """The commands that make findings of a simulation again, of those whose traces are shown. Each is one line, to copy."""
        shown = [commands[p.name] for p in result.properties if p.name in commands and self._shows_trace(p)]
        return sampled.again(shown, self.signs, quiet=self.detail.quiet) if shown else []

    def _shows_trace(self, prop: PropertyResult) -> bool:
        """Surprises are told in full; what is as expected only on demand."""
        surprise = prop.met is False or prop.verdict is Verdict.ERROR
        return prop.trace is not None and (surprise or self.detail.traces or self.detail.verbose)

    # ---- coverage

    def coverage(self, result: CheckResult) -> Iterator[tuple[str, str]]:
        """What a reader of the verdict should know beside it: a label and a text for each."""
        c = result.coverage
        sofar = " so far" if result.reason is not None else ""
        if c.never_fired and result.properties:
            yield "never fired" + sofar, ", ".join(c.never_fired)
        if c.unused_faults:
            yield "faults never used" + sofar, ", ".join(c.unused_faults)
        if c.unreached:
            yield "never reached", ", ".join(c.unreached)
        for text in c.vacuous:
            yield "premise never true", text
        for text in c.never_false:
            yield "guard never false", text
        if c.enum_values:
            yield "values never taken", ", ".join(c.enum_values)
        if c.never_received:
            yield "sent, never received", ", ".join(c.never_received)
        if c.empty_choices:
            yield "nothing to choose", ", ".join(f"{k} ({plural(n, 'time')})" for k, n in c.empty_choices.items())
        if c.bound_cut:
            yield "cut by the bound", plural(c.bound_cut, "transition")
        if c.limit_cut:
            yield "refused by a limit", plural(c.limit_cut, "step")
        if c.dropped:
            yield "dropped when full", plural(c.dropped, "message")
        for note in result.notes:
            yield "note", note
        if self.detail.verbose and c.steps:
            fired = {**c.steps, **c.faults}
            yield "how often", ", ".join(f"{name} {count:,}" for name, count in fired.items() if count)

    def _coverage(self, items: Iterable[tuple[str, str]]) -> RenderableType:
        table = Table.grid(padding=(0, 2, 0, 0))
        table.add_column(style="yellow", no_wrap=True)
        table.add_column(overflow="fold")
        for label, text in items:
            table.add_row(label, Text(fitted(text, self.signs)))
        return Padding(table, (0, 0, 0, 4))

    # ---- all specs

    def summary(self, reports: Sequence[SpecReport], seconds: float, *, interrupted: bool = False) -> RenderableType:
        """The last line, and above it a table of all verdicts where there is more than one spec."""
        checks = [(report, check) for report in reports for check in report.checks]
        before = []
        if len(reports) > 1:
            before = [self._attention(reports) if self.detail.quiet else self._overview(reports)]
        line = Text()
        if interrupted:
            line.append("interrupted ", "bold yellow")
            line.append(ascii_only("— ") if self.signs is ASCII else "— ")
        head = plural(len(checks), "check")
        if len(reports) > 1:
            head += f" in {plural(sum(report.spec is not None for report in reports), 'spec')}"
        line.append(head, "bold")
        parts = []
        for verdict, word in (
            (CheckVerdict.PASS, "pass"), (CheckVerdict.FAIL, "fail"),
            (CheckVerdict.INCOMPLETE, "incomplete"), (CheckVerdict.ERROR, "in error"),
        ):  # fmt: skip
            count = sum(check.verdict is verdict for _, check in checks)
            if count:
                parts.append((f"{count} {word}", _LOOKS[verdict]))
        for i, (text, style) in enumerate(parts):
            line.append(": " if i == 0 else ", ")
            line.append(text, style)
        states = sum(check.states for _, check in checks)
        if states:
            line.append(self.text(f" · {plural(states, 'state')} in {duration(seconds)}", "dim"))
        return Group(*before, line)

    def _overview(self, reports: Sequence[SpecReport]) -> RenderableType:
        """Every check in one line. Behind it stands what does not come out as expected, or fails as it is expected to."""
        table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style="dim")
        for title in ("spec", "check", "verdict"):
            table.add_column(title)
        for title in ("states", "transitions", "depth", "time"):
            table.add_column(title, justify="right")
        table.add_column("fails")
        for report in reports:
            if report.spec is None:
                word = Text("error", _LOOKS[CheckVerdict.ERROR])
                table.add_row(fitted(report.path, self.signs), "", word, "", "", "", "", Text("not checked", "red"))
            for check in report.checks:
                table.add_row(
                    fitted(report.spec or "", self.signs),
                    Text(check.name, "bold"),
                    Text(check.verdict.value, _LOOKS[check.verdict]),
                    f"{check.states:,}",
                    f"{check.transitions:,}",
                    str(check.depth),
                    duration(check.seconds),
                    self._failures(check),
                )
        return Group(table, "")

    def _failures(self, check: CheckResult) -> Text:
        """The properties that keep a check from passing, or, where it passes, those that fail as expected."""
        notable = [p for p in check.properties if self._surprising(p)] or [
            p for p in check.properties if p.expected == "fails" and p.met
        ]
        return Text(", ".join(p.name for p in notable), "" if check.verdict is CheckVerdict.PASS else "red")

    def _attention(self, reports: Sequence[SpecReport]) -> RenderableType:
        """What did not pass, a line for each, so that it need not be looked for above."""
        table = Table.grid(padding=(0, 2, 0, 0))
        for report in reports:
            path = fitted(report.path, self.signs)
            if report.spec is None:
                table.add_row(Text("error", _LOOKS[CheckVerdict.ERROR]), path, "", "not checked")
            for check in report.checks:
                if check.verdict is CheckVerdict.PASS:
                    continue
                wrong = [p.name for p in check.properties if p.met is False or p.verdict is Verdict.ERROR]
                left = [p.name for p in check.properties if p.expected and p.verdict is Verdict.INCOMPLETE]
                word = Text(check.verdict.value, _LOOKS[check.verdict])
                table.add_row(word, path, Text(check.name, "bold"), ", ".join(wrong or left))
        return Group(table, "") if table.row_count else Group()
