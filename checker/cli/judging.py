"""Judges a history for the command line: files, values, exit codes."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from checker.base.diagnostics import error
from checker.cli.exits import Exit
from checker.cli.output import print_json, signs_of
from checker.conformance.histories import edn
from checker.conformance.histories.judge import judge
from checker.conformance.histories.ordered import Budget
from checker.conformance.histories.reading import load_history
from checker.conformance.histories.report import document, lines_of
from checker.conformance.histories.verdict import Verdict

_EXITS = {
    Verdict.OK: Exit.MET,
    Verdict.ILLEGAL: Exit.UNMET,
    Verdict.UNKNOWN: Exit.INCOMPLETE,
    Verdict.INCOMPLETE: Exit.INCOMPLETE,
}


def judge_file(path: Path, model: str, level: str | None, *, initial: str | None, budget: Budget, json: bool) -> Exit:
    """Judges the history in a file and prints what came of it.

    Raises:
        SpecError: for a file that is no history, or a model, level or value that does not exist.
    """
    start = None if initial is None else _value(initial)
    history = load_history(path)
    judgement = judge(history, model, level, initial=start, budget=budget)
    if json:
        print_json(document(judgement, history))
    else:
        sys.stdout.write("".join(f"{line}\n" for line in lines_of(judgement, history, signs_of(sys.stdout))))
        sys.stdout.flush()
    return _EXITS[judgement.verdict]


def _value(text: str) -> Any:
    """A value as it is written after `--initial`. EDN reads what JSON writes, but for `null`."""
    try:
        values = [value for value, _ in edn.read(text)]
    except edn.MalformedError as problem:
        raise error("PSM901", f"`--initial {text}` is no value: {problem}", help="write it as in the history") from None
    if len(values) != 1:
        raise error("PSM901", f"`--initial {text}` is not one value", help="write it as in the history")
    return None if values[0] == "null" else values[0]
