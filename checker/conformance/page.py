"""The results of a test run as one HTML page that needs nothing beside it.

It is made from documents (`documents`), since workers of a parallel run send those. For each report: what came of each mode;
how much of the spec was covered; and for a mismatch the steps, spec and implementation side by side with unseen variables
greyed, the messages, a sequence diagram with bands for faults, and the line that reproduces it. Every text comes from
strangers and is escaped.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from html import escape
from typing import Any

from checker.properties.kinds import Trace, TraceStep
from checker.render.sequence import sequence_svg

Document = Mapping[str, Any]

MOST_STEPS = 200
"""A longer way is not drawn."""

STYLE = """
:root { color-scheme: light dark; --line: #8886; --bad: #e5484d; --good: #30a46c; --open: #d08700; --dim: #8889; }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 72rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.5rem } h2 { font-size: 1.15rem; margin-top: 2.5rem; border-top: 1px solid var(--line); padding-top: 1rem }
table { border-collapse: collapse; margin: .75rem 0; display: block; overflow-x: auto }
th, td { text-align: left; padding: .2rem .8rem .2rem 0; vertical-align: top; font-variant-numeric: tabular-nums }
th { font-weight: 600; border-bottom: 1px solid var(--line) }
code, td.value, ol { font-family: ui-monospace, Menlo, Consolas, monospace; font-size: .9em }
.conforms { color: var(--good) } .mismatch { color: var(--bad) } .incomplete { color: var(--open) }
tr.different td { background: #e5484d22 } tr.unseen td { color: var(--dim) }
.bar { display: inline-block; width: 8rem; height: .6rem; border: 1px solid var(--line); border-radius: .3rem; overflow: hidden }
.bar i { display: block; height: 100%; background: var(--good) }
li.wrong { color: var(--bad); font-weight: 600 } pre { overflow-x: auto } svg { max-width: 100%; height: auto }
"""


def page(reports: Sequence[tuple[str, Document]], coverage: Sequence[str], *, title: str = "Conformance") -> str:
    """The page.

    Args:
        reports: the name of each test, and its document.
        coverage: the merged coverage, a line for each check.
        title: its heading.
    """
    return "\n".join(
        [
            '<!doctype html><html lang="en"><head><meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>{escape(title)}</title><style>{STYLE}</style></head><body>",
            f"<h1>{escape(title)}</h1>",
            *_overview(reports),
            *([] if not coverage else ["<h2>Coverage of the specs, all tests together</h2><ul>"]),
            *(f"<li>{escape(line)}</li>" for line in coverage),
            *([] if not coverage else ["</ul>"]),
            *(line for number, (name, document) in enumerate(reports) for line in _report(number, name, document)),
            "</body></html>\n",
        ]
    )


def _overview(reports: Sequence[tuple[str, Document]]) -> Iterator[str]:
    if not reports:
        yield "<p>No test has run an implementation against its spec.</p>"
        return
    yield "<table><tr><th>Test</th><th>Spec</th><th>Check</th><th>Result</th></tr>"
    for number, (name, d) in enumerate(reports):
        yield (
            f'<tr><td><a href="#r{number}">{escape(name)}</a></td><td>{escape(d["spec"])}</td>'
            f'<td>{escape(d["check"])}</td><td class="{escape(d["result"])}">{escape(d["result"])}</td></tr>'
        )
    yield "</table>"


def _report(number: int, name: str, d: Document) -> Iterator[str]:
    yield f'<h2 id="r{number}">{escape(name)}</h2>'
    yield (
        f'<p><strong class="{escape(d["result"])}">{escape(d["result"])}</strong>: {escape(d.get("adapter", "a record"))} and '
        f"{escape(d['spec'])}, check {escape(d['check'])}</p>"
    )
    if d.get("lacks"):
        yield f"<ul>{''.join(f'<li class=incomplete>{escape(reason)}</li>' for reason in d['lacks'])}</ul>"
    if "phases" not in d:
        yield f"<pre>{escape(d.get('text', ''))}</pre>"
        yield from _drawing(d, d.get("trace"))
        return
    yield "<table><tr><th>Mode</th><th>Result</th><th>Seconds</th></tr>"
    for phase in d["phases"]:
        yield f"<tr><td>{escape(phase['mode'])}</td><td>{escape(phase['text'])}</td><td>{phase['seconds']:.2f}</td></tr>"
    yield "</table>"
    yield from _coverage(d["coverage"])
    seen, unseen = d["observed"], d["unobserved"]
    unseen_text = f"; not {', '.join(unseen)}" if unseen else ""
    yield f"<p>{len(seen)} of {len(seen) + len(unseen)} variables observed{escape(unseen_text)}</p>"
    for phase in d["phases"]:
        if "mismatch" in phase:
            yield from _mismatch(phase["mismatch"])
            yield from _drawing(phase if "processes" in phase else d, phase.get("trace"))


def _coverage(coverage: Document) -> Iterator[str]:
    yield f"<table><tr><th>Covered of {escape(coverage['bound'] or 'the check')}</th><th></th><th>Missing</th></tr>"
    for name, share in coverage.items():
        if name == "bound" or share["total"] == 0:
            continue
        total = share["total"]
        percent = 0 if not total else 100 * share["taken"] / total
        of = "" if total is None else f" of {total:,}"
        missing = ", ".join(share["missing"][:12]) + (" …" if len(share["missing"]) > 12 else "")
        yield (
            f"<tr><td>{escape(name)}</td><td>{share['taken']:,}{of} "
            f'<span class="bar"><i style="width:{percent:.1f}%"></i></span></td><td>{escape(missing)}</td></tr>'
        )
    yield "</table>"


def _mismatch(m: Document) -> Iterator[str]:
    yield f"<ol>{''.join(f'<li>{escape(step)}</li>' for step in m['matched'])}"
    if m["step"] is not None:
        yield f'<li class="wrong">{escape(m["step"])}</li>'
    yield "</ol>"
    rule = "does not allow" if m["forbidden"] else "allows"
    if m["problem"] is not None:
        yield f"<p>The spec {rule} this step; {escape(m['problem'])}</p>"
    elif m["forbidden"]:
        yield "<p>The spec does not allow this step here, so nothing may change; the implementation takes it.</p>"
    if m["fields"]:
        yield "<table><tr><th></th><th>before</th><th>spec</th><th>implementation</th></tr>"
        for f in m["fields"]:
            cells = "".join(f'<td class="value">{escape(f[key])}</td>' for key in ("before", "spec", "implementation"))
            yield f'<tr class="{escape(f["sight"])}"><td class="value">{escape(f["name"])}</td>{cells}</tr>'
        yield "</table>"
    network = m["network"]
    if network is not None:
        yield f"<p>In flight in both: {len(network['both'])}</p><ul>"
        for side in ("spec", "implementation"):
            yield from (f"<li class=mismatch>in the {side} alone: <code>{escape(t)}</code></li>" for t in network[side])
        yield "</ul>"
    again = m["text"].rstrip("\n").rpartition("\n")[2]
    yield f"<p><code>{escape(again)}</code></p>"


def _drawing(d: Document, trace: Document | None) -> Iterator[str]:
    if trace is None or not trace["steps"]:
        return
    if len(trace["steps"]) > MOST_STEPS:
        yield f"<p>The way there has {len(trace['steps']):,} steps, too many to draw.</p>"
        return
    steps = tuple(TraceStep(step["step"], step["changes"]) for step in trace["steps"])
    way = Trace(trace["initial"], steps, trace["error"])
    yield sequence_svg(
        way,
        d["processes"],
        own_faults=frozenset(d["own_faults"]),
        reason="the spec does not allow this here" if trace["error"] else None,
    )
