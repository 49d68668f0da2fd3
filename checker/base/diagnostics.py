"""Diagnostics as data.

A diagnostic is a stable code, a place, a message with the offending value, notes, and what to do about it. Every layer
creates them, only the command line and the site format them. All codes stand in `CODES`, so that the reference page can
list them and a test can prove that none is used twice or left undocumented.

Problems that stop a phase travel as `SpecError`, an exception that carries one or more diagnostics: a phase collects
what it can in a `Reporter`, and raises once at its end. Nothing else in the package raises on bad input.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import field
from enum import Enum

from checker.base.data import dataclass
from checker.base.source import Source, Span

CODES: dict[str, str] = {
    # files
    "PSM001": "file not found",
    "PSM002": "no specs in a directory",
    "PSM003": "not a text file",
    "PSM004": "file too large",
    "PSM005": "file is empty",
    "PSM006": "file cannot be read",
    "PSM007": "file cannot be written",
    # syntax
    "PSM100": "syntax error",
    "PSM101": "`=` where `:=` was meant",
    "PSM102": "missing closing bracket",
    "PSM103": "nested too deeply",
    "PSM104": "keyword used as a name",
    "PSM105": "file does not begin with `spec NAME`",
    "PSM106": "`==` where `=` was meant, or the other way round",
    "PSM107": "a guard outside `when`",
    "PSM108": "an operator of another language",
    "PSM109": "a statement outside a handler",
    "PSM110": "a doc comment without a declaration",
    "PSM111": "a missing part",
    "PSM112": "unknown character",
    "PSM113": "number too large",
    "PSM114": "a value of another language",
    "PSM115": "a declaration in the wrong place",
    # names
    "PSM201": "unknown name",
    "PSM202": "name declared twice",
    "PSM203": "name shadows another",
    "PSM204": "definitions that need each other",
    "PSM205": "wrong kind of name",
    "PSM206": "wrong number of arguments",
    "PSM207": "message without a network",
    # types
    "PSM301": "type mismatch",
    "PSM302": "not comparable",
    "PSM303": "no such field",
    "PSM305": "ambiguous `+=`",
    "PSM306": "cannot be assigned",
    "PSM307": "type too large",
    "PSM308": "empty or malformed type",
    "PSM309": "statement not allowed here",
    "PSM310": "expression not allowed here",
    # locality, ghosts, symmetry
    "PSM401": "handler reads another role",
    "PSM402": "ghost read outside ghost code",
    "PSM403": "order of symmetric identifiers used",
    "PSM404": "order of a loop over a symmetric set matters",
    "PSM405": "`sent` not allowed here",
    "PSM406": "bare quantifier left of `~>`",
    # other specs
    "PSM411": "no such abstract spec",
    "PSM412": "does not correspond to the abstract spec",
    "PSM413": "unusable abstract spec",
    "PSM414": "symmetric identifiers in operations",
    # checks
    "PSM501": "constant outside its type",
    "PSM502": "no such check",
    "PSM503": "no such constant",
    "PSM504": "fault does not apply",
    "PSM505": "bad budget",
    "PSM506": "said twice in a check",
    "PSM507": "too many instances or initial states",
    "PSM508": "unusable setting",
    # what a check finds at run time
    "PSM601": "value outside its range",
    "PSM602": "network over capacity",
    "PSM603": "none where a value is needed",
    "PSM604": "index outside",
    "PSM605": "assertion failed",
    "PSM606": "division by zero",
    "PSM607": "nothing to choose from",
    "PSM608": "record outside its `where`",
    "PSM609": "process of another role",
    # warnings
    "PSM701": "wide type",
    "PSM702": "spec declares nothing to check",
    "PSM704": "message never handled",
    "PSM705": "message never sent",
    # histories
    "PSM851": "unreadable history",
    "PSM852": "operation that the model does not have",
    # nodes under test
    "PSM861": "node cannot be started",
    "PSM862": "node breaks the message protocol",
    "PSM863": "node ended by itself",
    "PSM871": "adapter cannot be used",
    "PSM872": "unusable record of a run",
    "PSM873": "adapter or scenario raises an exception",
    # command line
    "PSM901": "unusable argument",
    "PSM902": "a tool or library is missing",
    "PSM903": "too large to draw",
    "PSM904": "unusable checkpoint",
    "PSM905": "unusable trace",
    "PSM906": "a step that is not possible",
    "PSM920": "cannot be exported to TLA+",
}


class Severity(Enum):
    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One thing to tell the author of a spec.

    `span` is a place in `source`; both are None for what has no place (a missing file). `notes` are facts that explain,
    `help` says what to do next. `message` names the offending value and is one sentence without a full stop.
    """

    code: str
    message: str
    source: Source | None = None
    span: Span | None = None
    notes: tuple[str, ...] = ()
    help: str | None = None
    severity: Severity = Severity.ERROR

    def __post_init__(self) -> None:
        assert self.code in CODES, self.code

    def headline(self) -> str:
        """`file:line:column: error PSM201: message`, the form that editors and compilers share."""
        where = ""
        if self.source is not None:
            where = self.source.name + ": "
            if self.span is not None:
                place = self.source.place(self.span.start)
                where = f"{self.source.name}:{place.line}:{place.column}: "
        return f"{where}{self.severity.value} {self.code}: {self.message}"


class SpecError(Exception):
    """A phase cannot go on. Carries at least one error diagnostic, in the order of the text."""

    def __init__(self, diagnostics: Iterable[Diagnostic]) -> None:
        self.diagnostics = tuple(diagnostics)
        super().__init__("\n".join(d.headline() for d in self.diagnostics))


def error(
    code: str,
    message: str,
    *,
    source: Source | None = None,
    span: Span | None = None,
    notes: Iterable[str] = (),
    help: str | None = None,
) -> SpecError:
    """A `SpecError` with a single diagnostic, to be raised where nothing more can be learned."""
    return SpecError([Diagnostic(code, message, source, span, tuple(notes), help)])


@dataclass(slots=True)
class Reporter:
    """Collects the diagnostics of one phase over one source. Equal reports at one place are kept once."""

    source: Source
    found: list[Diagnostic] = field(default_factory=list)
    limit: int = 100

    def error(self, code: str, message: str, span: Span, *, notes: Iterable[str] = (), help: str | None = None) -> None:
        self._add(Diagnostic(code, message, self.source, span, tuple(notes), help))

    def warning(
        self, code: str, message: str, span: Span, *, notes: Iterable[str] = (), help: str | None = None
    ) -> None:
        self._add(Diagnostic(code, message, self.source, span, tuple(notes), help, Severity.WARNING))

    def _add(self, diagnostic: Diagnostic) -> None:
        if len(self.found) < self.limit and diagnostic not in self.found:
            self.found.append(diagnostic)

    @property
    def errors(self) -> list[Diagnostic]:
        return [d for d in self.found if d.severity is Severity.ERROR]

    def raise_if_errors(self) -> None:
        """Raises `SpecError` with everything found, sorted by place, if any of it is an error."""
        if self.errors:
            raise SpecError(sorted(self.found, key=lambda d: d.span or Span(0, 0)))


def did_you_mean(name: str, candidates: Iterable[str]) -> str | None:
    """`did you mean `x`?` for the candidate nearest to a misspelt name, or None where none is near."""
    known = sorted(set(candidates))
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.6)
    if not near:
        near = [k for k in known if k.lower() == name.lower()][:1]
    return f"did you mean `{near[0]}`?" if near else None
