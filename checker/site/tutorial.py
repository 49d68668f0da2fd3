"""What the checker says about the specs of the tutorial, for pages that are written by hand.

The tutorial grows one spec in stages, each a file in `docs/tutorial/`. For each stage there is one generated piece of HTML,
which the page includes: the verdicts, and the counterexamples with their diagrams.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePosixPath

from checker.properties.kinds import Kind, Verdict
from checker.site.code import code_html
from checker.site.facts import SpecFacts
from checker.site.results import badge, check_badge, property_mark
from checker.site.text import escape
from checker.site.traces import failures, title_html, trace_html


def build_tutorial(stages: Sequence[SpecFacts]) -> dict[str, str]:
    """A piece of HTML for each stage, as `tutorial-NAME.html`, and the first of them beside its spec, for the home page."""
    found = {f"tutorial-{PurePosixPath(stage.path).stem}.html": stage_html(stage) for stage in stages}
    if stages:
        found["home.html"] = (
            f'<div class="ls-pair">{code_html(stages[0].text, anchors=None)}{stage_html(stages[0])}</div>\n'
        )
    return found


def stage_html(stage: SpecFacts) -> str:
    """What checking one stage gives."""
    words = stage.words
    rows = []
    for facts in stage.checks:
        result = facts.result
        told = [
            f"<code>{escape(p.name)}</code> {badge(property_mark(p, words))}"
            for p in result.properties
            if p.kind is not Kind.BUILTIN or p.verdict is not Verdict.HOLDS
        ]
        size = words(", ").join((words.count(result.states, "state"), words.count(result.transitions, "transition")))
        rows.append(
            f'<p class="ls-stage"><strong>{escape(result.name)}</strong> {check_badge(result, words)} '
            f'<span class="ls-small">{size}</span><br>{" &nbsp; ".join(told)}</p>'
        )
    # The page has no addresses of lines, so there is nothing to link to.
    traces = [
        f'<div class="ls-stage">{title_html(shown, words)}{trace_html(stage, shown, links=False)}</div>'
        for shown in failures(stage)
    ]
    return f'<div class="ls-result">\n{chr(10).join((*rows, *traces))}\n</div>\n'
