"""A spec that somebody edits on a page: what the site's editor asks of the checker, inside the browser.

The worker of the editor (`editor/worker.js`) runs this module on a CPython that is compiled to WebAssembly. The front end, the
model and the interpreter are the very same as on the command line, and results are shown by the very functions that make
the pages. What is special here is only this: answers cross to JavaScript as JSON, in which markup is escaped already; a
check has limits, so that it ends; and no native package may be imported, which a test proves.

A spec is kept as a file in a folder of its own, beside the specs that it refines, so that all that holds for files (their
size, what they may contain, where an abstract spec is looked for) holds for what is typed, too.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import field, replace
from pathlib import Path

from checker.api import LoadedSpec, failed_check, load
from checker.base.data import dataclass
from checker.base.diagnostics import Diagnostic, Severity, SpecError
from checker.engine.interface import Limits, Progress
from checker.properties.kinds import CheckVerdict
from checker.properties.safety import STATES
from checker.render.schema import Object, diagnostic_object
from checker.site.explorer import explorer_json, opens
from checker.site.facts import CheckFacts, SpecFacts
from checker.site.results import checks_table, properties_table, warnings_html
from checker.site.running import run_check
from checker.site.text import escape
from checker.site.traces import Shown, failures, runs, title_html, trace_html
from checker.site.words import ENGLISH, Words

ANCHOR = "edited-"
"""What the ids of traces begin with, so that they differ from those of the page around the editor."""

Tell = Callable[[str], None]


@dataclass(slots=True)
class EditedSpec:
    """A spec in a folder, and what its checks gave since its text was last set.

    Its author goes on typing while it is checked and when its results are read. So there is a text that was set to be checked,
    on which all results rest (`edit`), and looking at another changes nothing about those (`look`).

    Attributes:
        folder: where its file stands; the specs that it refines stand there as well.
        name: the name of the file.
        words: the language of the page.
    """

    folder: Path
    name: str = "edited.psm"
    words: Words = ENGLISH
    _text: str = ""
    _facts: dict[str, CheckFacts] = field(default_factory=dict)

    def supply(self, texts: Mapping[str, str]) -> None:
        """Puts other specs beside it, by the names of their files."""
        for name, text in texts.items():
            (self.folder / Path(name).name).write_text(text, encoding="utf-8")

    def edit(self, text: str) -> str:
        """Sets the text that is checked, which forgets the results of the one before, and tells what is wrong with it.

        Returns:
            What `look` returns.
        """
        self._facts.clear()
        self._text = text
        return self.look(text)

    def look(self, text: str) -> str:
        """Tells what is wrong with a text, without running anything or setting it.

        Returns:
            JSON: `{"checks": [name, …], "diagnostics": […]}`, with diagnostics as in `render.schema` and `here`, which is whether
            they are about this text. No checks where one of the diagnostics is an error.
        """
        found: list[Diagnostic] = []
        names: tuple[str, ...] = ()
        try:
            spec = self._load(text)
            names = spec.checks
            found = _problems(spec)
        except SpecError as problem:
            found = list(problem.diagnostics)
        wrong = any(d.severity is Severity.ERROR for d in found)
        return _json({"checks": [] if wrong else names, "diagnostics": [self._object(d) for d in found]})

    def run(self, check: str, states: int, seconds: float, tell: Tell | None = None) -> str:
        """Runs a check within limits.

        Args:
            check: its name.
            states: how many states are visited at most.
            seconds: how long it may take.
            tell: is given a line about how far it is, a few times a second.

        Returns:
            JSON: `{"verdict", "html"}`; the verdict of the check, and all results until now as markup.
        """

        def observe(progress: Progress) -> None:
            if tell is not None:
                states = self.words.count(progress.states, "state")
                tell(self.words("{check}: {states} at depth {depth}", check=check, states=states, depth=progress.depth))

        try:
            spec = self._load(self._text)
            limits = Limits(max_states=states, timeout=seconds)
            facts = run_check(
                self.name,
                spec.source.text,
                check,
                self.folder.as_posix(),
                limits=limits,
                observe=observe,
                explorer=False,
            )
        except SpecError as problem:
            return _json({"verdict": CheckVerdict.ERROR.value, "html": warnings_html(self._failed(check, problem))})
        facts = _counted(facts)
        self._facts[check] = facts
        shown = SpecFacts(self.name, spec.source.text, tuple(self._facts.values()), words=self.words)
        return _json({"verdict": facts.result.verdict.value, "html": results_html(shown)})

    def explore(self, check: str) -> str:
        """The states of a check that was run, for the explorer of the page.

        Returns:
            JSON: `{"opens", "data"}`: the run that is worth seeing first, and the data of `render.explorer`.

        Raises:
            KeyError: it was not run since the text was set.
        """
        facts = self._facts[check]
        data = explorer_json(self._load(self._text).machine(check), facts.result)
        return f'{{"opens": {_json(opens([facts]))}, "data": {data}}}'

    def _load(self, text: str) -> LoadedSpec:
        # Half of a surrogate pair, which a browser lets somebody type, is no text that a file can hold.
        (self.folder / self.name).write_text(text, encoding="utf-8", errors="replace")
        return load(self.folder / self.name)

    def _failed(self, check: str, problem: SpecError) -> SpecFacts:
        return SpecFacts(self.name, "", (CheckFacts(failed_check(check, problem)),), words=self.words)

    def _object(self, diagnostic: Diagnostic) -> Object:
        here = diagnostic.source is None or Path(diagnostic.source.name).name == self.name
        return {**diagnostic_object(diagnostic), "here": here, "headline": diagnostic.headline()}


def _counted(facts: CheckFacts) -> CheckFacts:
    """Says what a limit on states counted, where the result has more: with symmetry, one state is kept for many."""
    result = facts.result
    if result.reason != STATES or result.orbits is None:
        return facts
    note = f"the limit counts {result.orbits:,} states, which by symmetry stand for {result.states:,}"
    return replace(facts, result=replace(result, notes=(*result.notes, note)))


def _problems(spec: LoadedSpec) -> list[Diagnostic]:
    """All that making the machines of the checks of a spec tells, each once, in the order of the text."""
    found: list[Diagnostic] = []
    for check in spec.checks:
        try:
            told = spec.machine(check).warnings
        except SpecError as problem:
            told = problem.diagnostics
        found += [d for d in told if d not in found]
    return sorted(found, key=lambda d: d.span or (0, 0))


def results_html(spec: SpecFacts) -> str:
    """Verdicts and traces as markup; lines of the spec are linked as `#L12`, as on pages."""
    shown = [*failures(spec), *runs(spec)]
    anchors = {(check, s.result.name): ANCHOR + s.anchor for s in shown for check in s.checks}
    parts = [
        warnings_html(spec),
        checks_table(spec, when="in this browser"),
        properties_table(spec, anchors),
        *(_trace(spec, s, is_open=number == 0) for number, s in enumerate(shown)),
    ]
    return "".join(parts)


def _trace(spec: SpecFacts, shown: Shown, *, is_open: bool) -> str:
    state = " open" if is_open else ""
    title = title_html(shown, spec.words)
    return (
        f'<details class="ls-details" id="{escape(ANCHOR + shown.anchor)}"{state}><summary>{title}</summary>'
        f"{trace_html(spec, shown, is_open=True)}</details>"
    )


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=True)
