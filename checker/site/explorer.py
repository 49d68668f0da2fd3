"""The explorer on the pages: its script, its data, and the element that a page holds.

The script is made of the modules in `assets/explorer`, which stay as they are for the tests; the site needs one classic script,
because a page that is opened from the file system can load nothing else. `bundle` makes it: each module becomes a function that
gives what it exports, in an order in which nothing is used before it is there. It understands the few forms that the modules
use, and refuses others.

Data is a script, too, for the same reason. It stands beside the pages and is loaded when a reader comes to the explorer.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from checker.model.machine import Machine
from checker.properties.kinds import CheckResult, Verdict
from checker.render.explorer import explorer_data
from checker.site.facts import CheckFacts, SpecFacts
from checker.site.text import escape, slug
from checker.site.words import ENGLISH, Words

SCRIPT = "explorer.js"
"""The script of all pages, below the folder of the protocols; names of data files are relative to it."""

_MODULES = Path(__file__).parent / "assets" / "explorer"
_ENTRY = "main"
_IMPORT = re.compile(r'^import \{ ([\w, ]+) \} from "\./(\w+)\.mjs";$', re.MULTILINE)
_EXPORT = re.compile(r"^export (?=(?:function|class|const) (\w+))", re.MULTILINE)
_COMMENT = re.compile(r"^\s*//.*\n", re.MULTILINE)


def bundle(folder: Path = _MODULES, words: Words = ENGLISH) -> str:
    """The modules of a folder as one classic script, behind what they say in the language of the pages (`words.mjs`)."""
    texts: dict[str, str] = {}
    _collect(folder, _ENTRY, texts)
    known = f"globalThis.lockstepWords = {_literal(words.catalogue)};\n" if words.catalogue else ""
    return '"use strict";\n' + known + "(() => {\n" + "".join(texts.values()) + "})();\n"


def _literal(value: object) -> str:
    """JSON as a part of a script, without anything that is markup."""
    return json.dumps(value, separators=(",", ":")).replace("<", "\\u003c")


def _collect(folder: Path, name: str, texts: dict[str, str]) -> None:
    """Adds a module behind those that it imports."""
    text = _COMMENT.sub("", (folder / f"{name}.mjs").read_text(encoding="utf-8"))
    for _, other in _IMPORT.findall(text):
        if f"{other}" not in texts:
            _collect(folder, other, texts)
    exports = ", ".join(_EXPORT.findall(text))
    body = _EXPORT.sub("", _IMPORT.sub(r"const { \1 } = module_\2;", text))
    unknown = re.search(r"^(?:import|export)\b.*", body, re.MULTILINE)
    if unknown is not None:
        raise AssertionError(f"{name}.mjs has a form that is not understood: {unknown.group()}")
    texts[name] = f"const module_{name} = (() => {{\n{body}return {{ {exports} }};\n}})();\n"


def explorer_json(machine: Machine, result: CheckResult) -> str:
    """The data of a check, as JSON without anything that is markup."""
    return _literal(explorer_data(machine, result))


def data_files(specs: Sequence[SpecFacts], names: Mapping[str, str]) -> dict[str, str]:
    """A script with data for each check, by its name below the folder of the protocols. `names` has the pages of the specs."""
    return {
        file: f"lockstepExplorer.provide({json.dumps(file)}, {facts.explorer});\n"
        for spec in specs
        for facts, file in _files(spec, names[spec.path])
    }


def _files(spec: SpecFacts, page: str) -> list[tuple[CheckFacts, str]]:
    folder = page.removesuffix(".md")
    return [
        (facts, f"{folder}/{number}-{slug(facts.result.name)}.js")
        for number, facts in enumerate(spec.checks)
        if facts.explorer
    ]


def explorer_html(spec: SpecFacts, page: str) -> str:
    """The element for a spec; empty where there is nothing to explore."""
    files = _files(spec, page)
    if not files:
        return ""
    checks = json.dumps([[facts.result.name, file] for facts, file in files])
    return (  # Markdown leaves a `div` alone, and would close a paragraph around an element that it does not know
        f'<div><state-explorer checks="{escape(checks)}" opens="{escape(opens([facts for facts, _ in files]))}">'
        f"<p>{spec.words(_WITHOUT)}</p></state-explorer></div>"
    )


_WITHOUT = (
    "The explorer walks through the states of a check step by step. It needs scripts; without them, the drawings and tables "
    "of this page show the same states and runs."
)


def opens(checks: Sequence[CheckFacts]) -> str:
    """The check and the property with the run that is worth seeing first: a flaw that is expected, or else any."""
    results = [(f.result.name, p) for f in checks for p in f.result.properties if p.trace is not None]
    flaws = [(check, p.name) for check, p in results if p.expected == "fails" and p.verdict is Verdict.VIOLATED]
    others = [(check, p.name) for check, p in results]
    return "/".join((flaws or others or [(checks[0].result.name, "")])[0])
