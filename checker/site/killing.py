"""The kill matrix of a protocol: which mistake, put in on purpose, was noticed by which detector.

The build makes one of the mistakes that an adapter lists, in small instances and samples of large checks (`conforming`). Mutants
of specs and traces, and larger instances, take longer than a build may. Who has the time calls `lockstep mutate` and leaves its
JSON in `build/mutation/`; it takes the place of the build's, and the page says where it comes from. Documents belong to the spec
whose path they name. Where a mistake of an implementation survives, the reason that its author gives stands beside it; that it
survives is found out by every run anew. They are read with care: one of another version, or of another shape, is refused with its
name.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from checker.render.plain import duration
from checker.site.facts import Kills
from checker.site.results import Mark, badge
from checker.site.tables import table
from checker.site.text import escape, inline_html
from checker.site.words import Words

VERSION = 1

_FATES = {
    "killed": Mark("good", "✓", "killed"),
    "survived": Mark("bad", "✗", "survived"),
    "invalid": Mark("plain", "–", "invalid"),
    "not run": Mark("open", "…", "not run"),
}
_KINDS = {
    "spec": "Mistakes in the spec",
    "implementation": "Mistakes in the implementation",
    "trace": "Mistakes in recorded runs",
}


def read_matrices(folder: Path) -> dict[str, Mapping[str, Any]]:
    """The documents of a folder by the path of their spec.

    Raises:
        ValueError: a file is no such document.
    """
    found: dict[str, Mapping[str, Any]] = {}
    for path in sorted(folder.glob("*.json")):
        data = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(data, dict) or data.get("version") != VERSION or not isinstance(data.get("path"), str):
            raise ValueError(f"{path.name} is no kill matrix in version {VERSION}; remove it or make it anew")
        found[data["path"]] = data
    return found


def matrix_html(kills: Kills, words: Words) -> str:
    """All groups of a document. Raises KeyError where it has another shape."""
    document = kills.document
    assert document is not None
    checks = words.listed([f"<code>{escape(check)}</code>" for check in document["checks"]])
    source = words(_BUILT if kills.built else _READ)
    parts = [f"<p>{words.text(words(_WHAT), source, words('Instances: {checks}.', checks=checks))}</p>"]
    if not document["complete"]:
        parts.append(f'<p class="ls-small">{words("The run was ended before all of them were tried.")}</p>')
    for group in document["groups"]:
        looked = group["killed"] + group["survived"]
        title = words(_KINDS.get(group["kind"], "Mistakes in recorded runs"))
        score = words("{killed} of {all} noticed", killed=group["killed"], all=looked)
        parts += [f"<p><strong>{title}</strong>{words(': ')}{score}</p>", _group(group, title, words)]
    return "".join(parts)


def _group(group: Mapping[str, Any], title: str, words: Words) -> str:
    detectors = [str(name) for name in group["detectors"]]
    head = (words("Mistake"), words("Outcome"), *(escape(name) for name in detectors))
    rows = []
    for mutant in group["mutants"]:
        mark = _FATES.get(mutant["fate"], _FATES["not run"])
        line = mutant.get("line")
        name = f"<code>{escape(mutant['name'])}</code>"
        name = f'<a href="#L{int(line)}">{name}</a>' if line else name
        problem = f'<div class="ls-small">{escape(mutant["problem"])}</div>' if mutant.get("problem") else ""
        cells = [_cell(mutant["cells"].get(detector), words) for detector in detectors]
        text = f'{name}<div class="ls-small">{_said(str(mutant["text"]), words)}</div>'
        why = _why(mutant, words) if group["kind"] == "implementation" and mutant["fate"] == "survived" else ""
        rows.append([text, badge(Mark(mark.tone, mark.sign, words(mark.words))) + problem + why, *cells])
    return table(head, rows, name=title)


def _why(mutant: Mapping[str, Any], words: Words) -> str:
    """Why nobody noticed a mistake, as its author has it."""
    reason = mutant.get("reason")
    if reason:
        return f'<div class="ls-small">{_said(str(reason), words)}</div>'
    return f'<div class="ls-small ls-bad-text">{words("Nobody has said why.")}</div>'


def _said(text: str, words: Words) -> str:
    """What an author wrote about a mistake, in the language of the page or marked as being in another."""
    found = words.catalogue.get(text)
    foreign = found is None and words.language != "en"
    html = inline_html(found or text)
    return f'<span lang="en">{html}</span>' if foreign else html


def _cell(cell: Mapping[str, Any] | None, words: Words) -> str:
    """When a detector noticed, and by what."""
    if cell is None:
        return "–"
    took = escape(duration(float(cell["seconds"])))
    if not cell["killed"]:
        return f'<span class="ls-quiet">{"·" if cell["decided"] else "…"}</span>'
    check, reason = str(cell.get("check") or ""), str(cell.get("how") or "")
    where = words(": ").join(escape(part) for part in (_placed(check, words), reason) if part)
    how = f'<div class="ls-small">{where}</div>' if where else ""
    return f"✓ {took}{how}"


def _placed(check: str, words: Words) -> str:
    """A check, or a scene of it: `safe (N = 3), the vote is late`. A scene has a name to translate, a check has none."""
    for at in (found.end() for found in re.finditer(", ", check)):
        if check[at:] in words.catalogue:
            return words("{what}, {remark}", what=check[: at - 2], remark=words(check[at:]))
    return check


_WHAT = (
    "How much would the checks and tests notice? Mistakes were put in on purpose, one at a time, and each detector was asked. "
    "A sign says who noticed, where, and how long that took."
)
_BUILT = (
    "The build of this site did this, in small instances, in samples of large ones and in scenes, until somebody noticed. "
    "What survives is for other tests; the reason stands beside it."
)
_READ = "From a run of <code>lockstep mutate</code>."
