"""The measurements of `make bench` as a table for the page of benchmarks; without measurements, how to make them.

The document is read with care: it may come from an earlier version. Numbers are shown as they are; nothing here computes one.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from checker.render.plain import duration
from checker.site.results import table
from checker.site.text import escape

VERSION = 1


def read_results(places: Sequence[Path]) -> Mapping[str, Any] | None:
    """The document in the first of these files that exists.

    Raises:
        ValueError: it is not of the version that this module reads.
    """
    for path in places:
        if path.is_file():
            data = json.loads(path.read_text(encoding="utf-8"))
            if not isinstance(data, dict) or data.get("version") != VERSION:
                raise ValueError(f"{path} is no document of `make bench` in version {VERSION}; remove it")
            return data
    return None


def benchmarks_html(document: Mapping[str, Any] | None) -> str:
    """The piece that the page includes."""
    if document is None:
        return (
            '<div class="ls-notice"><p>This site was built without measurements. <code>make bench</code> makes them, and the '
            "next build shows them here.</p></div>\n"
        )
    machine = document["machine"]
    what = ", ".join(
        escape(str(part))
        for part in (
            machine.get("processor") or machine.get("architecture"),
            f"{machine.get('processors')} processors",
            f"{machine.get('memory_gib')} GiB",
            machine.get("system"),
            f"Python {machine.get('python')}",
        )
        if part
    )
    rows = [_row(one, str(document["yardstick"])) for one in document["results"] if not one["absent"]]
    head = (
        "Model",
        "Peer",
        "States",
        "Transitions",
        "Transitions a second",
        f"× {document['yardstick']}",
        "Time",
        "Bytes a state",
    )
    absent = dict.fromkeys(f"{one['peer']}: {one['absent']}" for one in document["results"] if one["absent"])
    missing = "".join(f"<li>{escape(text)}</li>" for text in absent if not text.endswith("no model of it"))
    return (
        f"<p>Measured on {what}; medians of {document['runs']} runs, the range in brackets.</p>\n"
        + table(head, rows, numbers=range(2, 8), name="Benchmarks")
        + (f'<p class="ls-small">Not measured:</p><ul class="ls-small">{missing}</ul>' if missing else "")
        + "\n"
    )


def _row(one: Mapping[str, Any], yardstick: str) -> list[str]:
    wrong = "".join(f'<div class="ls-small ls-bad-text">{escape(text)}</div>' for text in one["wrong"])
    warm = ' <span class="ls-small">warm cache</span>' if one["warm"] else ""
    return [
        f"<code>{escape(one['model'])}</code>{warm}{wrong}",
        escape(one["peer"]),
        _number(one["states"]),
        _number(one["transitions"]),
        _spread(one["transitions_a_second"], lambda n: f"{n / 1e6:.2f} M"),
        "1" if one["peer"] == yardstick else "–" if one["ratio"] is None else f"{one['ratio']:.2f}",
        _spread(one["verdict_seconds"], duration),
        _spread(one["bytes_a_state"], lambda n: f"{n:,.0f}"),
    ]


def _number(value: int | None) -> str:
    return "–" if value is None else f"{value:,}"


def _spread(value: Mapping[str, float] | None, show: Any) -> str:
    if value is None:
        return "–"
    least, greatest = show(value["least"]), show(value["greatest"])
    return f'{escape(show(value["median"]))}<div class="ls-small">{escape(least)} – {escape(greatest)}</div>'
