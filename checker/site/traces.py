"""Traces on a page: counterexamples above all, and runs that reach what should be reachable.

A trace is shown as a sequence diagram and as a numbered list of steps with what each changed. Checks often find the same
shortest trace; it is then shown once, for all of them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import assert_never

from checker.base.data import dataclass
from checker.properties.kinds import AbstractTrace, Kind, PropertyResult, Trace, Verdict
from checker.render.plain import ending
from checker.render.sequence import sequence_svg
from checker.render.values import Change
from checker.site.facts import CheckFacts, SpecFacts, Story
from checker.site.results import anchor_of, outcome
from checker.site.text import escape, escape_markdown, inline_html, scrolling
from checker.site.told import fairness, told
from checker.site.words import Words

Run = tuple[tuple[str, ...], str | None, int | None]


@dataclass(frozen=True, slots=True)
class Shown:
    """One trace, the first check that gave it, and all checks that did."""

    result: PropertyResult
    facts: CheckFacts
    checks: tuple[str, ...]

    @property
    def anchor(self) -> str:
        return anchor_of(self.facts.result.name, self.result.name)

    @property
    def run(self) -> Run:
        assert self.result.trace is not None
        return run_of(self.result.trace)

    @property
    def wanted(self) -> bool:
        """Whether a reader is meant to see it: it was expected, or it is a surprise."""
        return self.result.expected is not None or self.result.verdict is Verdict.ERROR


def run_of(trace: Trace) -> Run:
    """What makes two traces the same: their steps, the one that errs, and how they go on for ever."""
    return tuple(step.step for step in trace.steps), trace.error, trace.loop


def failures(spec: SpecFacts) -> list[Shown]:
    """The counterexamples: first those that an expectation is about, then the rest."""
    found = _distinct(spec, lambda p: p.verdict in (Verdict.VIOLATED, Verdict.ERROR))
    return sorted(found, key=lambda s: not s.wanted)


def runs(spec: SpecFacts) -> list[Shown]:
    """For each `reach` property a shortest run that reaches what it asks for, from the first check that has one.

    A protocol with a flaw often gets there sooner, but how it works is to be seen: checks in which something fails come last.
    """
    flawed = {f.result.name for f in spec.checks if any(p.verdict is Verdict.VIOLATED for p in f.result.properties)}

    def rank(shown: Shown) -> tuple[bool, int]:
        return flawed.issuperset(shown.checks), len(shown.run[0])

    found: dict[str, Shown] = {}
    for shown in _distinct(spec, lambda p: p.kind is Kind.REACH and p.verdict is Verdict.HOLDS):
        best = found.setdefault(shown.result.name, shown)
        if rank(shown) < rank(best):
            found[shown.result.name] = shown
    return list(found.values())


def _distinct(spec: SpecFacts, wanted: Callable[[PropertyResult], bool]) -> list[Shown]:
    """The traces of the results that are wanted, equal ones once. One that is expected somewhere stands for the others."""
    groups: dict[tuple[object, ...], list[tuple[CheckFacts, PropertyResult]]] = {}
    for facts in spec.checks:
        for result in facts.result.properties:
            if result.trace is not None and wanted(result):
                groups.setdefault((result.name, run_of(result.trace)), []).append((facts, result))
    shown = []
    for group in groups.values():
        facts, result = next(((f, r) for f, r in group if r.expected is not None), group[0])
        shown.append(Shown(result, facts, tuple(f.result.name for f, _ in group)))
    return shown


def anchors(spec: SpecFacts) -> dict[tuple[str, str], str]:
    """Where the trace of each check and property stands on the page."""
    return {(check, s.result.name): s.anchor for s in (*failures(spec), *runs(spec)) for check in s.checks}


def failures_section(spec: SpecFacts) -> str:
    """Markdown of the section about counterexamples; empty where nothing fails."""
    found = failures(spec)
    if not found:
        return ""
    words = spec.words
    parts = [f"## {words('What fails, and how')} {{ #counterexamples }}", ""]
    drawn: dict[tuple[object, ...], Shown] = {}
    first = [s for s in found if s.wanted]
    rest = [s for s in found if not s.wanted]
    if first:
        parts.append(f"<p>{words(_SHORTEST)}</p>\n")
    for number, shown in enumerate(first):
        levels = shown.result.trace is not None and shown.result.trace.abstract is not None
        before = drawn.setdefault((shown.facts.result.name, shown.run[:2], levels), shown)
        told = trace_html(spec, shown, is_open=number == 0, same=None if before is shown else before)
        parts.append(f"### {_title(shown, words)} {{ #{shown.anchor} }}\n\n{told}\n")
    parts += [_folded(spec, shown, words(", and no check expects anything about it")) for shown in rest]
    return "\n".join(parts)


_SHORTEST = (
    "Each trace is a shortest one: no run with fewer steps shows the failure. Arrows go from the step that sent a "
    "message to the step that took it."
)
_RUNS = (
    "Shortest runs to the states that the <code>reach</code> properties ask for. Checks in which something fails are left aside "
    "where another one gets there, too."
)


def runs_section(spec: SpecFacts) -> str:
    """Markdown of the section about runs; empty where there is none."""
    found = runs(spec)
    if not found:
        return ""
    words = spec.words
    parts = [f"## {words('What can happen')} {{ #runs }}", "", f"<p>{words(_RUNS)}</p>", ""]
    parts += [_folded(spec, shown, is_open=number == 0) for number, shown in enumerate(found)]
    return "\n".join(parts)


def _folded(spec: SpecFacts, shown: Shown, more: str = "", *, is_open: bool = False) -> str:
    """A trace below its title, to be opened."""
    state = " open" if is_open else ""
    return (
        f'<details class="ls-details" id="{shown.anchor}"{state}><summary>{title_html(shown, spec.words)}{more}</summary>'
        f"{trace_html(spec, shown)}</details>\n"
    )


def _title(shown: Shown, words: Words) -> str:
    """A heading in Markdown."""
    checks = words.listed([escape_markdown(c) for c in shown.checks])
    return words(_TITLE, name=escape_markdown(shown.result.name), outcome=outcome(shown.result, words), checks=checks)


def title_html(shown: Shown, words: Words) -> str:
    """What a trace shows, on one line: the property, what became of it, and in which checks."""
    checks = words.listed([f"<code>{escape(c)}</code>" for c in shown.checks])
    name = f"<code>{escape(shown.result.name)}</code>"
    return words(_TITLE, name=name, outcome=outcome(shown.result, words), checks=checks)


_TITLE = "{name} {outcome} in {checks}"


def trace_html(
    spec: SpecFacts, shown: Shown, *, links: bool = True, is_open: bool = False, same: Shown | None = None
) -> str:
    """The diagram and the list.

    Args:
        spec: what the trace is of.
        shown: the trace.
        links: steps lead to the lines of their handlers.
        is_open: the list is shown at once.
        same: what shows the same run further up on the page; it is not drawn again.
    """
    trace, facts = shown.result.trace, shown.facts
    assert trace is not None
    story = facts.stories[shown.result.name]
    lines, words = spec.lines if links else {}, spec.words
    reason = ""
    if shown.result.diagnostic is not None:
        reason = f'<p class="ls-reason">{inline_html(shown.result.diagnostic.headline())}</p>'
    elif shown.result.reason and shown.result.kind in (Kind.INVARIANT, Kind.STEP):
        values = shown.result.reason.removeprefix("for ")
        reason = f'<p class="ls-reason">{words("It fails for {values}.", values=escape(values))}</p>'
    if shown.result.fairness is not None:
        under = words("under {fairness}", fairness=fairness(shown.result.fairness, words))
        about = told(shown.result.reason, words) if shown.result.reason else ""
        under = words("{what}, {remark}", what=about, remark=under) if about else under
        reason = f'<p class="ls-reason">{words("A run without end, {under}.", under=escape(under))}</p>'
    items = [
        '<li value="0"><span class="ls-step">'
        + words("initial state")
        + "</span>"
        + "".join(f'<div class="ls-change">{escape(line)}</div>' for line in story.initial)
    ]
    quiet = f'<div class="ls-change ls-quiet">{words("nothing changes")}</div>'
    for step, changes in zip(trace.steps, story.changes, strict=True):
        changed = "".join(change_html(c, words) for c in changes) or quiet
        items.append(f"<li>{_step(lines, facts.setting.processes, step.step)}{changed}")
    if trace.abstract is not None and story.abstract is not None:
        above = abstract_html(trace.abstract, story.abstract, words)
        items = [below + level for below, level in zip(items, above, strict=True)]
    items = [f"{item}</li>" for item in items]
    if trace.error is not None:
        items.append(
            f'<li class="ls-error">{_step(lines, facts.setting.processes, trace.error)}'
            f'<div class="ls-change ls-bad-text">{words("this step errs")}</div></li>'
        )
    if trace.loop is not None:
        where, how = ending(len(trace.steps), trace.loop, words)
        items.append(f'<li class="ls-again"><span class="ls-step">↻ {where}</span><div>{how}</div></li>')
    drawn = _drawn(shown, words) if same is None else _again(same, words)
    steps = len(trace.steps)
    said = (
        words("The {steps}, and what each changed", steps=words.count(steps, "step"))
        if steps
        else words("Initial state")
    )
    return (
        f'{reason}{drawn}<details class="ls-details"{" open" if is_open else ""}><summary>{said}</summary>'
        f'<ol class="ls-trace">{"".join(items)}</ol></details>'
    )


def _drawn(shown: Shown, words: Words) -> str:
    """The diagram."""
    trace, facts, diagnostic = shown.result.trace, shown.facts, shown.result.diagnostic
    assert trace is not None
    story = facts.stories[shown.result.name]
    diagram = sequence_svg(
        trace,
        tuple(facts.setting.processes),
        changes=story.changes,
        above=None if story.abstract is None else story.abstract.changes,
        own_faults=frozenset(facts.setting.own_faults),
        timeouts=frozenset(facts.setting.timeouts),
        reason=None if diagnostic is None else diagnostic.message,
        say=words,
    )
    return scrolling(diagram, words("Sequence diagram"))


def _again(same: Shown, words: Words) -> str:
    link = f'<a href="#{same.anchor}"><code>{escape(same.result.name)}</code></a>'
    return f"<p>{words('The run is the one that is drawn for {property}.', property=link)}</p>"


def abstract_html(trace: AbstractTrace, story: Story, words: Words) -> list[str]:
    """What the initial state and each step are in an abstract spec."""
    name = f'<span class="ls-name">{escape(trace.spec)}</span>'
    first = "".join(f'<div class="ls-change">{escape(line)}</div>' for line in story.initial)
    wrong = "" if trace.matched else f'<span class="ls-bad-text">{words("not an initial state")}</span>'
    parts = [f"{name}: {wrong}{first}"]
    for step, changes in zip(trace.steps, story.changes, strict=True):
        told = "".join(change_html(c, words) for c in changes)
        if not step.matched:
            parts.append(f'{name}: <span class="ls-bad-text">{words("no step does this")}</span>{told}')
        elif step.step is None:
            parts.append(f'{name}: <span class="ls-quiet">{words("stutters")}</span>')
        else:
            parts.append(f'{name}: <span class="ls-step">{escape(step.step)}</span>{told}')
    return [f'<div class="ls-abstract">{part}</div>' for part in parts]


def _step(lines: Mapping[str, int], processes: Mapping[str, str], name: str) -> str:
    """The name of a step, linked to its handler."""
    process, dot, rest = name.partition(".")
    shown = f'<span class="ls-step">{escape(name)}</span>'
    if not dot or process not in processes:
        return shown
    ignored = rest.startswith("ignore ")
    handler = rest.removeprefix("ignore ").partition("(")[0].partition(" ")[0]
    line = lines.get(f"{processes[process]}.{'ignore ' if ignored else ''}{handler}")
    return shown if line is None else f'<a href="#L{line}">{shown}</a>'


def change_html(change: Change, words: Words) -> str:
    """One line of what a step changed."""
    place, old, new = escape(change.place), escape(change.old), escape(change.new)
    if not change.place:
        new = new.replace(" -&gt; ", " → ")
    match change.kind:
        case "set":
            text = f"{place}: <s>{old}</s> → <strong>{new}</strong>"
        case "add":
            text = f"{place} += {new}" if place else f"{words('sent')}: {new}"
        case "remove":
            text = f"{place} -= {new}" if place else f"{words('out of the network')}: {new}"
        case "invoke":
            text = f"{place}: {old} {words('invokes')} {new}"
        case "respond":
            text = f"{place}: {old}.{new} {words('responds')} {escape(change.answer)}".rstrip()
        case "refute":
            told = f"{old}.{new} {words('responds')} {escape(change.answer)}".rstrip() + words(": ") if new else ""
            text = f"{place}: {told}{words('no order explains the answers')}"
        case _:
            assert_never(change.kind)
    return f'<div class="ls-change{" ls-quiet" * change.detail}">{text}</div>'
