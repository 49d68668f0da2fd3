"""The section of a page about the implementation: how it was held to the spec, and what its seeded mistakes came to."""

from __future__ import annotations

from checker.site.facts import Conformance, Replayed, SpecFacts
from checker.site.killing import matrix_html
from checker.site.results import Mark, badge
from checker.site.tables import table
from checker.site.text import escape
from checker.site.words import Words

_OUTCOMES = {
    "conforms": Mark("good", "✓", "conforms"),
    "mismatch": Mark("bad", "✗", "mismatch"),
    "incomplete": Mark("open", "…", "incomplete"),
    "sampled": Mark("plain", "◔", "sampled"),
    "left": Mark("plain", "–", "left to the tests"),
}


def conformance_section(spec: SpecFacts) -> str:
    """Markdown of the section. Where there is no implementation, it says so."""
    words = spec.words
    parts = [f"## {words('The implementation')} {{ #implementation }}"]
    if not spec.conformance:
        parts.append(f"<p>{words(_NONE)}</p>")
    for found in spec.conformance:
        parts.append(f"<p>{words(_HELD, module=f'<code>{escape(found.module)}</code>')}</p>")
        if found.absent:
            parts.append(f'<p class="ls-small">{words(_ABSENT, reason=escape(words(found.absent)))}</p>')
            continue
        if found.services:
            services = words.listed([escape(service) for service in found.services])
            parts.append(f'<p class="ls-small">{words(_SERVICES, services=services)}</p>')
        parts.append(_table(found, words))
        if found.unsupported:
            steps = words.listed([f"<code>{escape(step)}</code>" for step in found.unsupported])
            parts.append(f'<p class="ls-small">{words(_UNSUPPORTED, steps=steps)}</p>')
        parts += [
            f'<pre class="ls-report"><code>{escape_lines(c.report)}</code></pre>' for c in found.checks if c.report
        ]
    if spec.kills.document is not None:
        parts += [f"### {words('Mistakes that are noticed')} {{ #mistakes }}", matrix_html(spec.kills, words)]
    elif any(not found.absent for found in spec.conformance):
        parts.append(f'<p class="ls-small">{words(_NO_MATRIX)}</p>')
    return "\n\n".join(parts)


def escape_lines(text: str) -> str:
    """Several lines for a block of code."""
    return "\n".join(map(escape, text.split("\n")))


def _table(found: Conformance, words: Words) -> str:
    head = ("Check", "Outcome", "Transitions taken", "Paths", "Forbidden steps tried", "Variables seen")
    rows = [_row(check, words) for check in found.checks]
    return table(tuple(map(words, head)), rows, numbers=(2, 3, 4, 5), name=words("Conformance"))


def _row(check: Replayed, words: Words) -> list[str]:
    mark = _OUTCOMES[check.outcome]
    why = f'<div class="ls-small">{escape(words(check.why))}</div>' if check.why else ""
    scene = ""
    if check.scene:
        scene = f'<div class="ls-small">{words("scene: {what}", what=escape(words(check.scene)))}</div>'
    row = [f"<code>{escape(check.check)}</code>{scene}", badge(Mark(mark.tone, mark.sign, words(mark.words))) + why]
    if not check.total:
        return [*row, "–", "–", "–", "–"]
    share = 100 * check.taken // check.total or "< 1"
    left = ""
    if check.left_out:
        left = f'<div class="ls-small">{words("{number} left out", number=f"{check.left_out:,}")}</div>'
    taken = words("{taken} of {total}", taken=f"{check.taken:,}", total=f"{check.total:,}")
    seen = words("{taken} of {total}", taken=check.seen, total=check.variables)
    return [*row, f"{taken} ({escape(str(share))} %){left}", f"{check.paths:,}", f"{check.tried:,}", seen]


_NONE = "No implementation is held to this spec yet."
_HELD = (
    "An implementation in Python is taken along paths of the state graph that together cover every transition, and its state is "
    "compared with that of the spec after each step. In each state it is also asked for what the spec forbids there. The "
    "build did this, through the adapter {module}. Of a check that is too large for the build it took a sample of random "
    "runs, and tried the same with smaller constants in full; the rest is left to the tests. A scene is one way into a situation "
    "that no small check has: every step that is possible along it was taken."
)
_SERVICES = "The steps were carried out by {services} on the machine that built the site."
_ABSENT = "Nothing of it was run when this site was built: {reason}. The tests do."
_NO_MATRIX = "No mistakes were put into this implementation on purpose."
_UNSUPPORTED = "The implementation cannot do {steps}; what lies behind these steps is left out."
