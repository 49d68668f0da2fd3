"""What came of the checks of a spec, as tables: checks, properties, and what the exploration exercised.

A sign says whether an expectation is met, words say what was found. So a flaw that the author knows of is marked as met
and says that it fails, and what could not be judged never carries the sign of a pass.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import assert_never

from checker.base.data import dataclass
from checker.properties.kinds import CheckResult, CheckVerdict, Coverage, Kind, PropertyResult, Verdict
from checker.render.plain import duration, shortened
from checker.site.facts import CheckFacts, Setting, SpecFacts
from checker.site.prose import prose_html
from checker.site.tables import table
from checker.site.text import escape, inline_html
from checker.site.told import fairness, placed, told
from checker.site.words import ENGLISH, Words


@dataclass(frozen=True, slots=True)
class Mark:
    """How something is marked: `tone` is a class of the style sheet, `sign` a character, `words` what is said."""

    tone: str
    sign: str
    words: str
    more: str = ""


LONGEST_BOUND = 90
"""So many characters of a bound are shown in tables and lists."""

_CHECKS = {
    CheckVerdict.PASS: Mark("good", "✓", "pass"),
    CheckVerdict.FAIL: Mark("bad", "✗", "fail"),
    CheckVerdict.INCOMPLETE: Mark("open", "…", "incomplete"),
    CheckVerdict.ERROR: Mark("bad", "!", "error"),
}


def check_badge(result: CheckResult, words: Words = ENGLISH) -> str:
    """The verdict on a check."""
    mark = _CHECKS[result.verdict]
    return badge(replace(mark, words=words(mark.words)))


def summary_badge(result: CheckResult, words: Words = ENGLISH) -> str:
    """A check with its verdict, where it stands alone; one that shows a known flaw says which property fails."""
    mark = _CHECKS[result.verdict]
    said = words("holds" if result.verdict is CheckVerdict.PASS else mark.words)
    tone, sign = _kind(result)
    if tone == "known":
        fails = _flaws(result)
        said = words("{names} fails" if len(fails) == 1 else "{names} fail", names=words.listed(fails))
    return badge(Mark(tone, sign, f"{result.name}: {said}"))


def _flaws(result: CheckResult) -> list[str]:
    """The properties that fail as they should."""
    return [p.name for p in result.properties if p.verdict is Verdict.VIOLATED and p.met]


def _kind(result: CheckResult) -> tuple[str, str]:
    """Tone and sign of a check: a pass is marked apart where it shows a known flaw."""
    mark = _CHECKS[result.verdict]
    known = result.verdict is CheckVerdict.PASS and _flaws(result)
    return "known" if known else mark.tone, mark.sign


def tally_badges(results: Iterable[CheckResult], words: Words = ENGLISH) -> str:
    """How many checks passed, how many of these show a known flaw, and how many did not pass."""
    kinds = Counter(_kind(result) for result in results)
    return " ".join(badge(Mark(t, s, words.count(kinds[t, s], *w))) for (t, s), w in _TALLIES.items() if kinds[t, s])


_TALLIES = {
    ("good", "✓"): ("check holds", "checks hold"),
    ("known", "✓"): ("known flaw", "known flaws"),
    ("bad", "✗"): ("check fails", "checks fail"),
    ("bad", "!"): ("check is in error", "checks are in error"),
    ("open", "…"): ("check is incomplete", "checks are incomplete"),
}


def badge(mark: Mark) -> str:
    sign = f'<span aria-hidden="true">{mark.sign}</span>'
    return f'<span class="ls-badge ls-{mark.tone}">{sign} {escape(mark.words)}</span>'


def property_mark(result: PropertyResult, words: Words = ENGLISH) -> Mark:
    """What was found about a property, and whether that was expected."""
    steps = _steps(result, words)
    match result.verdict:
        case Verdict.HOLDS:
            said, more = ("reached", steps) if result.kind is Kind.REACH and steps else ("holds", "")
            if result.fairness is not None:
                more = words("under {fairness}", fairness=fairness(result.fairness, words))
        case Verdict.VIOLATED:
            said, more = "fails", steps
        case Verdict.UNREACHED:
            said, more = "never reached", ""
        case Verdict.INCOMPLETE:
            return (
                Mark("plain", "…", words("not judged"))
                if result.expected is None
                else Mark("open", "…", words("incomplete"))
            )
        case Verdict.ERROR:
            return Mark("bad", "!", words("error"), result.reason or "")
        case _:
            assert_never(result.verdict)
    said = words(said)
    if result.met is None:
        surprise = words("no expectation") if result.verdict is not Verdict.HOLDS else ""
        return Mark("plain", "·", said, words("; ").join(part for part in (more, surprise) if part))
    if result.met:
        known = words("as expected") if result.expected == "fails" else ""
        return Mark("known" if known else "good", "✓", said, _remarked(more, known, words))
    expected = words("expected to hold" if result.expected == "holds" else "expected to fail")
    return Mark("bad", "✗", said, _remarked(more, expected, words))


def _remarked(what: str, remark: str, words: Words) -> str:
    return words("{what}, {remark}", what=what, remark=remark) if what and remark else what or remark


def _steps(result: PropertyResult, words: Words) -> str:
    """How long a trace is, and how long its loop; empty without a trace."""
    if result.trace is None:
        return ""
    steps, loop = len(result.trace.steps), result.trace.loop
    if not steps:
        return words("from the start")
    if loop is None:
        said = words.count(steps, "step")
    elif loop == steps:
        said = words("{steps} and then nothing for ever", steps=words.count(steps, "step"))
    else:
        said = words("{steps} and then {more} for ever", steps=words.count(loop, "step"), more=steps - loop)
    return words("in {steps}" if result.verdict is Verdict.HOLDS else "after {steps}", steps=said)


def _when(result: PropertyResult, words: Words) -> str:
    """How many steps lead to what a trace shows."""
    assert result.trace is not None
    if not result.trace.steps:
        return words("from the start")
    steps = words.count(result.trace.loop or len(result.trace.steps), "step")
    return words("in {steps}" if result.verdict is Verdict.HOLDS else "after {steps}", steps=steps)


def outcome(result: PropertyResult, words: Words = ENGLISH) -> str:
    """`fails after 3 steps`, `reached in 8 steps`, as words."""
    said = property_mark(result, words).words
    if result.trace is None:
        return said
    return words("{said} {when}", said=said, when=_when(result, words))


def line_link(spec: SpecFacts, key: str, shown: str) -> str:
    """A name as code, linked to its line of the spec where it has exactly one."""
    line = spec.lines.get(key)
    code = f"<code>{escape(shown)}</code>"
    return code if line is None else f'<a href="#L{line}">{code}</a>'


# ---- checks


def checks_table(spec: SpecFacts, *, when: str = "when this page was built") -> str:
    """Every check with what it assumed and how large it was, and `when` that was found out."""
    words = spec.words
    rows = []
    notes: dict[str, list[str]] = {}
    for facts in spec.checks:
        result = facts.result
        name = line_link(spec, f"check {result.name}", result.name)
        doc = prose_html(words, spec.docs.get(f"check {result.name}", ()))
        reason = f'<div class="ls-small">{inline_html(told(result.reason, words))}</div>' if result.reason else ""
        for note in result.notes:
            notes.setdefault(note, []).append(f"<code>{escape(result.name)}</code>")
        ran = result.engine != "none"
        rows.append(
            [
                f'<span class="ls-name">{name}</span><div class="ls-small">{doc}</div>',
                f"{check_badge(result, words)}{reason}",
                setting_html(facts.setting, words),
                f"{result.states:,}{_recorded(result, words)}" if ran else "–",
                f"{result.transitions:,}" if ran else "–",
                f"{result.depth:,}" if ran else "–",
                escape(duration(result.seconds)) if ran else "–",
            ]
        )
    head = ("Check", "Verdict", "Instance and faults", "States", "Transitions", "Depth", "Time")
    engines = dict.fromkeys(f"<code>{escape(f.result.engine)}</code>" for f in spec.checks if f.result.engine != "none")
    said = (
        "Explored by the engine {engines} {when}." if len(engines) == 1 else "Explored by the engines {engines} {when}."
    )
    by = words(said, engines=words.listed([*engines]), when=escape(words(when)))
    remarks = [by] if engines else []
    remarks += [
        words("{who}: {what}.", who=words.listed(checks), what=inline_html(told(note, words)))
        for note, checks in notes.items()
    ]
    small = "".join(f'<p class="ls-small">{remark}</p>' for remark in remarks)
    return table(tuple(map(words, head)), rows, numbers=(3, 4, 5, 6), name=words("Checks")) + small


def _recorded(result: CheckResult, words: Words) -> str:
    """Whether the counts are those that the author wrote down."""
    if result.counts is None:
        return ""
    if result.counts.met is None:
        return f'<div class="ls-small">{words("not compared")}</div>'
    if result.counts.met:
        return f'<div class="ls-small">✓ {words("as recorded")}</div>'
    expected = words("{states} recorded", states=f"{result.counts.states:,}")
    return f'<div class="ls-small ls-bad-text">✗ {expected}</div>'


def setting_html(setting: Setting, words: Words = ENGLISH) -> str:
    """Constants, network, fault budgets and bound; what the check itself sets stands out."""
    parts = []
    for name, value in setting.constants.items():
        text = f"<code>{escape(name)} = {escape(value)}</code>"
        parts.append(f"<strong>{text}</strong>" if name in setting.given else text)
    parts += [f"<code>{escape(network)}</code>" for network in setting.networks]
    lines = [" ".join(parts)] if parts else []
    if setting.faults:
        lines.append(words("faults") + " " + ", ".join(f"<code>{escape(fault)}</code>" for fault in setting.faults))
    else:
        lines.append(words("no faults beyond the network’s" if setting.networks else "no faults"))
    if setting.bound is not None:
        lines.append(f"{words('bound')} {bound_html(setting.bound)}")
    return "".join(f"<div>{line}</div>" for line in lines)


def bound_html(bound: str) -> str:
    """A bound, or the beginning of one that fills lines: the spec on the same page has all of it."""
    return f'<code class="ls-wrap">{escape(shortened(" ".join(bound.split()), LONGEST_BOUND))}</code>'


def warnings_html(spec: SpecFacts) -> str:
    """Diagnostics of all checks, each once."""
    seen: dict[str, str] = {}
    for facts in spec.checks:
        for diagnostic in facts.result.diagnostics:
            help_ = f"<br>{inline_html(diagnostic.help)}" if diagnostic.help else ""
            seen[diagnostic.headline()] = f"<p><code>{escape(diagnostic.headline())}</code>{help_}</p>"
    if not seen:
        return ""
    return f'<div class="ls-notice">{"".join(seen.values())}</div>'


# ---- properties


def properties_table(spec: SpecFacts, anchors: Mapping[tuple[str, str], str]) -> str:
    """Properties down, checks across. `anchors` are the places of the traces on the page, by check and property."""
    words = spec.words
    kinds: dict[str, Kind] = {}
    for facts in spec.checks:
        for result in facts.result.properties:
            kinds.setdefault(result.name, result.kind)
    checks = [f.result for f in spec.checks]
    rows = []
    for name, kind in kinds.items():
        doc = prose_html(words, spec.docs.get(name, ()))
        if kind is Kind.BUILTIN and name in _BUILTIN:
            doc = f"<p>{words(_BUILTIN[name])}</p>"
        row = [
            f'<span class="ls-name">{line_link(spec, name, name)}</span> <span class="ls-kind">{words(_KINDS[kind])}</span>'
            f'<div class="ls-small">{doc}</div>'
        ]
        for check in checks:
            found = next((p for p in check.properties if p.name == name), None)
            row.append("–" if found is None else _verdict(found, anchors.get((check.name, name)), words))
        rows.append(row)
    reasons: dict[str, list[str]] = {}
    for check in checks:
        for result in check.properties:
            if result.verdict is Verdict.INCOMPLETE and result.reason:
                reasons.setdefault(result.reason, []).append(result.name)
    notes = ""
    for reason, names in reasons.items():
        who = words.listed([f"<code>{escape(n)}</code>" for n in dict.fromkeys(names)])
        what = words("{who}: {what}.", who=who, what=inline_html(told(reason, words)))
        notes += f'<p class="ls-small">… {what}</p>'
    head = (words("Property"), *(f"<code>{escape(c.name)}</code>" for c in checks))
    return table(head, rows, name=words("Properties")) + notes


_KINDS = {
    Kind.INVARIANT: "in every state",
    Kind.STEP: "in every step",
    Kind.REACH: "in some state",
    Kind.LIVE: "in the long run",
    Kind.REFINES: "refinement",
    Kind.LINEARIZABLE: "linearizability",
    Kind.BUILTIN: "built in",
}

_BUILTIN = {
    "NoError": "No step errs: no range or capacity overflows, no <code>assert</code> fails.",
    "NoDeadlock": "Every state has a step to take, or is final.",
}


def _verdict(result: PropertyResult, anchor: str | None, words: Words) -> str:
    mark = property_mark(result, words)
    shown = badge(mark)
    if anchor is not None:
        shown = f'<a href="#{anchor}">{shown}</a>'
    return shown + (f'<div class="ls-small">{inline_html(mark.more)}</div>' if mark.more else "")


# ---- coverage


def coverage_html(spec: SpecFacts) -> str:
    """How often each step and fault fired in each check, and what no check exercised."""
    words = spec.words
    checks = [facts for facts in spec.checks if facts.result.engine != "none"]
    if not checks:
        return ""
    rows = [
        [line_link(spec, name, name), *(_times(f.result.coverage.steps.get(name)) for f in checks)]
        for name in _names(f.result.coverage.steps for f in checks)
    ]
    rows += [
        [f"{words('fault')} <code>{escape(name)}</code>", *(_times(f.result.coverage.faults.get(name)) for f in checks)]
        for name in _names(f.result.coverage.faults for f in checks)
    ]
    head = (words("Step"), *(f"<code>{escape(f.result.name)}</code>" for f in checks))
    counts = table(head, rows, numbers=range(1, len(checks) + 1), name=words("How often each step fired"))
    remarks = {f.result.name: gaps(f, words) for f in checks}
    whole = words.listed([f"<code>{escape(name)}</code>" for name, lines in remarks.items() if not lines])
    rows = [
        [f"<code>{escape(name)}</code>", "".join(f"<div>{line}</div>" for line in lines)]
        for name, lines in remarks.items()
        if lines
    ]
    if rows:
        head = (words("Check"), words("Not exercised"))
        counts += table(head, rows, name=words("What was not exercised"))
    said = words("Nothing was left out in {checks}." if rows else "Nothing was left out in any check.", checks=whole)
    return counts + (f"<p>{said}</p>" if whole else "")


def _names(mappings: Iterable[Mapping[str, int]]) -> list[str]:
    return list(dict.fromkeys(name for mapping in mappings for name in mapping))


def _times(number: int | None) -> str:
    if number is None:
        return "–"
    return f"{number:,}" if number else '<span class="ls-zero">0</span>'


def gaps(facts: CheckFacts, words: Words = ENGLISH) -> list[str]:
    """What an exploration left out, a line of HTML for each kind. Own faults without a budget are left out on purpose."""
    coverage: Coverage = facts.result.coverage
    budgets = {fault.partition(" ≤ ")[0] for fault in facts.setting.faults}
    roles = facts.setting.processes
    off = {f"{roles[step.partition('.')[0]]}.{step.partition('.')[2]}" for step in facts.setting.own_faults} - budgets
    lists: tuple[tuple[str, Iterable[str]], ...] = (
        ("never fired", [name for name in coverage.never_fired if name not in off]),
        ("fault budgets never used", coverage.unused_faults),
        ("never reached", coverage.unreached),
        ("premises of <code>=&gt;</code> and <code>~&gt;</code> never true", coverage.vacuous),
        ("parts of guards never false", coverage.never_false),
        ("values never taken", coverage.enum_values),
        ("sent and never received", coverage.never_received),
        ("nothing to choose from", [f"{name}, {words.count(n, 'time')}" for name, n in coverage.empty_choices.items()]),
    )
    lines = [
        f"{words(what)}{words(': ')}{words(', ').join(placed(n, words) for n in names)}"
        for what, names in lists
        if names
    ]
    for number, what in (
        (coverage.bound_cut, "outside the bound, and not explored further"),
        (coverage.limit_cut, "refused by a <code>limit</code>"),
    ):
        if number:
            lines.append(f"{words.count(number, 'step')} {words(what)}")
    if coverage.dropped:
        lines.append(f"{words.count(coverage.dropped, 'message')} {words('dropped by a full network')}")
    return lines


def anchor_of(check: str, property_name: str) -> str:
    """The address of a trace on its page. Two underscores would be emphasis in a heading; no name has a hyphen."""
    return f"trace-{check}.{property_name}".replace("_", "-")
