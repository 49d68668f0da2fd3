"""The measurements of `make bench` on the page of benchmarks: charts, the figures as a table, and where they come from.

A build measures nothing: machines that build sites have other things to do, and a figure of a busy machine is worth nothing. So
the page shows a document: the one that `make bench` has left in `build/`, or the one in `docs/benchmarks/`, which was measured
on a quiet machine and is a part of the repository. It says for itself which machine that was, when, and with which versions.

The document is read with care: it may come from an earlier version, which had fewer keys. Numbers are shown as they are;
nothing here computes one.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from checker.render.plain import duration
from checker.site.charts import Dot, dot_plot
from checker.site.tables import grouped_table
from checker.site.text import escape, listed

VERSION = 1
FAST, HEAVY = 10_000, 100_000
"""From how many states on the speed, and the bytes a state, are those of an engine and not those of an empty process."""

NO_MODEL = "no model of it"

Result = Mapping[str, Any]


def read_results(path: Path) -> Mapping[str, Any] | None:
    """The document in a file, if there is one.

    Raises:
        ValueError: it is not of the version that this module reads.
    """
    if not path.is_file():
        return None
    data = json.loads(path.read_text(encoding="utf-8"))
    if not isinstance(data, dict) or data.get("version") != VERSION:
        raise ValueError(f"{path} is no document of `make bench` in version {VERSION}; remove it")
    return data


def benchmarks_html(document: Mapping[str, Any] | None, *, address: str | None = None) -> str:
    """The piece that the page includes. `address`: where the document is on the site, seen from the page."""
    if document is None:
        return (
            '<div class="ls-notice"><p>This site was built without measurements. <code>make bench</code> makes them, and the '
            "next build shows them here.</p></div>\n"
        )
    yardstick = str(document["yardstick"])
    measured = [one for one in document["results"] if not one["absent"]]
    parts = [
        _origin(document, address),
        *_charts(measured),
        "## All figures",
        _table(measured, yardstick),
        _more(document, measured),
        _missing(document["results"]),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _origin(document: Mapping[str, Any], address: str | None) -> str:
    """Where, when and with what it was measured."""
    machine = document["machine"]
    kind = (
        machine.get("processor") or machine.get("architecture"),
        f"{machine.get('processors')} processors",
        f"{machine.get('memory_gib')} GiB",
        machine.get("system"),
        f"Python {machine.get('python')}",
    )
    what = ", ".join(str(part) for part in kind if part)
    day = f" on {document['day']}" if document.get("day") else ""
    runs = document["runs"]
    said = f"medians of {runs} runs, the range beside them" if runs > 1 else "a single run, which says little"
    versions = listed(f"{name} {version}" for name, version in (document.get("versions") or {}).items())
    with_what = f" With {escape(versions)}." if versions else ""
    where = f' <a href="{escape(address)}">The figures as JSON.</a>' if address else ""
    return f"<p>Measured{escape(day)}: {escape(what)}; {said}.{with_what}{where}</p>"


# ---- charts


def _charts(measured: Sequence[Result]) -> Iterator[str]:
    """Speed, time and memory of all peers, in Markdown: each chart has a heading that the page lists.

    Who is there to be compared with alone, stands in no chart.
    """
    yardsticks = {one.get("apart") for one in measured}
    measured = [one for one in measured if one["peer"] not in yardsticks]
    peers = _peers(measured)
    for title, what, states, unit in (
        ("Speed: more is better", "transitions_a_second", FAST, "transitions a second"),
        ("Time to the answer: less is better", "verdict_seconds", 0, "seconds"),
        ("Memory: less is better", "bytes_a_state", HEAVY, "bytes a state"),
    ):
        rows: dict[str, list[Dot]] = {}
        for one in _of(states, measured):
            found = one[what]
            if found is not None and found["least"] > 0:  # what is not positive has no place on the scale
                dot = Dot(str(one["peer"]), found["median"], found["least"], found["greatest"])
                rows.setdefault(str(one["model"]), []).append(dot)
        chart = dot_plot(list(rows.items()), peers, title=title, unit=unit, show=_short)
        if chart:
            yield f"## {title}"
            yield chart


def _peers(measured: Sequence[Result]) -> list[str]:
    """Who was measured, in the order of the model that most of them have, so that kin stand together."""
    models = _by_model(measured).values()
    fullest = max(models, key=len, default=[])
    return list(dict.fromkeys(str(one["peer"]) for one in (*fullest, *measured)))


def _by_model(results: Sequence[Result]) -> dict[str, list[Result]]:
    groups: dict[str, list[Result]] = {}
    for one in results:
        groups.setdefault(str(one["model"]), []).append(one)
    return groups


def _of(states: int, results: Sequence[Result]) -> list[Result]:
    """Those of graphs with at least so many states."""
    return [one for one in results if (one["states"] or 0) >= states]


def _short(number: float) -> str:
    """`18 M`, `250 k`, `96`."""
    for size, sign in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if number >= size:
            return f"{number / size:.3g} {sign}"
    return f"{number:.3g}"


# ---- figures


def _table(measured: Sequence[Result], yardstick: str) -> str:
    """A row for each peer, below the model and the size of the graph that they share."""
    head = ("Peer", "Transitions a second", f"× {escape(yardstick)}", "Time", "Bytes a state")
    groups = [
        (_model(results), [_row(one, yardstick, results) for one in results])
        for results in _by_model(measured).values()
    ]
    return grouped_table(head, groups, numbers=range(1, 5), name="Benchmarks")


def _model(results: Sequence[Result]) -> str:
    """A model with the size of its graph, which is the same for all: `wrong` would say so if it were not."""
    counts = [
        f"{number:,} {what}"
        for what in ("states", "transitions")
        if (number := next((one[what] for one in results if one[what] is not None), None)) is not None
    ]
    warm = ["warm cache"] if _all_warm(results) else []
    return f'<code>{escape(results[0]["model"])}</code> <span class="ls-small">{", ".join((*counts, *warm))}</span>'


def _all_warm(results: Sequence[Result]) -> bool:
    return all(one["warm"] for one in results)


def _row(one: Result, yardstick: str, results: Sequence[Result]) -> list[str]:
    wrong = "".join(f'<div class="ls-small ls-bad-text">{escape(text)}</div>' for text in one["wrong"])
    warm = ' <span class="ls-small">warm cache</span>' if one["warm"] and not _all_warm(results) else ""
    return [
        f"{escape(one['peer'])}{warm}{wrong}",
        _spread(one["transitions_a_second"], lambda n: f"{n / 1e6:.2f} M"),
        "1" if one["peer"] == yardstick else "–" if one["ratio"] is None else f"{one['ratio']:.2f}",
        _spread(one["verdict_seconds"], duration),
        _spread(one["bytes_a_state"], lambda n: f"{n:,.0f}") if _of(HEAVY, [one]) else "–",
    ]


def _spread(value: Mapping[str, float] | None, show: Callable[[float], str]) -> str:
    if value is None:
        return "–"
    median, least, greatest = (escape(show(value[name])) for name in ("median", "least", "greatest"))
    return median if least == greatest else f'{median} <span class="ls-range">{least} – {greatest}</span>'


def _more(document: Mapping[str, Any], measured: Sequence[Result]) -> str:
    """What else the run tells: workers, compilation, and how fast memory answers."""
    ratios: dict[tuple[str, str], list[str]] = {}
    for one in _of(FAST, measured):
        for other in ("one_worker", "one_processor", "apart"):
            if one.get(f"{other}_ratio"):
                shown = f"{one[f'{other}_ratio']:.2f} on <code>{escape(one['model'])}</code>"
                ratios.setdefault((str(one["peer"]), str(one[other])), []).append(shown)
    lines = [
        f"<code>{escape(peer)}</code> is so many times as fast as <code>{escape(other)}</code>: {', '.join(shown)}."
        for (peer, other), shown in ratios.items()
    ]
    compilation = document.get("compilation")
    if compilation:
        first, best = (duration(compilation[f"{name}_seconds"]["median"]) for name in ("first_state", "optimised"))
        lines.append(
            f"Compiling <code>{escape(compilation['spec'])}</code>, the spec with the longest handlers: the first state is "
            f"explored after {escape(first)}, and the code is fully optimised after {escape(best)}."
        )
    lines += [_promptness(one) for one in document.get("promptness") or ()]
    limits = document.get("limits_ns")
    if limits:
        loads = listed(f"{nanoseconds:.1f} ns for {name} loads" for name, nanoseconds in limits.items())
        lines.append(f"Memory of this machine beyond its caches: {escape(loads)}. No explorer is faster than that.")
    items = "".join(f"<li>{line}</li>" for line in lines)
    return f"<p>The same run also measured:</p><ul>{items}</ul>" if items else ""


def _promptness(one: Mapping[str, Any]) -> str:
    """How soon a long search answers."""
    workers = "one worker" if one["workers"] == 1 else f"{one['workers']} workers"
    interrupt, report = (duration(one[f"{what}_seconds"]["median"]) for what in ("interrupt", "report"))
    time, memory = (f"{one[f'{what}_ratio']['median']:.3f}" for what in ("time", "memory"))
    spec, n = escape(one["spec"]), escape(str(one["n"]))
    return (
        f"A search that would take minutes, <code>{spec}</code> with N = {n}, {escape(workers)}: "
        f"Ctrl-C is answered after {escape(interrupt)}, progress is told at least every {escape(report)}, and the search ends at "
        f"{escape(time)} of a limit on time and {escape(memory)} of a limit on memory."
    )


def _missing(results: Sequence[Result]) -> str:
    """Who was not measured, and why, once for each reason."""
    models: dict[tuple[str, str], list[str]] = {}
    for one in results:
        if one["absent"] and one["absent"] != NO_MODEL:
            models.setdefault((str(one["peer"]), str(one["absent"])), []).append(str(one["model"]))
    every = len({one["model"] for one in results})
    lines = []
    for (peer, reason), where in models.items():
        on = "" if len(where) == every else f" on {listed(f'<code>{escape(model)}</code>' for model in where)}"
        lines.append(f"<li><code>{escape(peer)}</code>{on}: {escape(reason)}</li>")
    return f'<p class="ls-small">Not measured:</p><ul class="ls-small">{"".join(lines)}</ul>' if lines else ""
