"""What the checker says about the specs of the tutorial, for pages that are written by hand.

The tutorial grows one spec in stages, each a file in `docs/tutorial/`. For each stage there is one generated piece of HTML,
which the page includes: the verdicts, and the counterexamples with their diagrams.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePosixPath

from checker.properties.kinds import Kind, Verdict
from checker.render.plain import plural
from checker.site.facts import SpecFacts
from checker.site.results import badge, check_badge, outcome, property_mark
from checker.site.text import escape, listed
from checker.site.traces import Shown, failures, trace_html


def build_tutorial(stages: Sequence[SpecFacts]) -> dict[str, str]:
    """A piece of HTML for each stage, as `tutorial-NAME.html`."""
    return {f"tutorial-{PurePosixPath(stage.path).stem}.html": stage_html(stage) for stage in stages}


def stage_html(stage: SpecFacts) -> str:
    """What checking one stage gives."""
    rows = []
    for facts in stage.checks:
        result = facts.result
        told = [
            f"<code>{escape(p.name)}</code> {badge(property_mark(p))}"
            for p in result.properties
            if p.kind is not Kind.BUILTIN or p.verdict is not Verdict.HOLDS
        ]
        size = f"{plural(result.states, 'state')}, {plural(result.transitions, 'transition')}"
        rows.append(
            f'<p class="ls-stage"><strong>{escape(result.name)}</strong> {check_badge(result)} '
            f'<span class="ls-small">{size}</span><br>{" &nbsp; ".join(told)}</p>'
        )
    traces = [_trace(stage, shown) for shown in failures(stage)]
    return f'<div class="ls-result">\n{chr(10).join((*rows, *traces))}\n</div>\n'


def _trace(stage: SpecFacts, shown: Shown) -> str:
    checks = listed(f"<code>{escape(c)}</code>" for c in shown.checks)
    # The page has no addresses of lines, so there is nothing to link to.
    return (
        f'<div class="ls-stage"><code>{escape(shown.result.name)}</code> {outcome(shown.result)} in {checks}:'
        f"{trace_html(stage, shown, links=False)}</div>"
    )
