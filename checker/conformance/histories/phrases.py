"""Operations as people read them: one short line each."""

from __future__ import annotations

from typing import Any

from checker.conformance.histories.edn import Keyword, show
from checker.conformance.histories.history import Operation, Outcome

WIDEST = 160

_SILENT = ("acquire", "release")
"""Operations without a value."""


def phrase(op: Operation) -> str:
    """`write 3`, `read -> 4`, `cas [1 2]`, `read ?`: what was asked and answered, cut to a bearable length."""
    asked = "" if op.value is None else f" {_value(op.value)}"
    key = "" if op.key is None else f" {show(op.key)}:"
    if op.outcome is Outcome.INFO:
        return _cut(f"{op.f}{key}{asked} ?")
    if op.outcome is Outcome.FAIL:
        return _cut(f"{op.f}{key}{asked} failed")
    if op.f == "txn":  # the answer repeats what was asked
        return _cut(f"txn {_value(op.result)}")
    silent = op.result == op.value if op.value is not None else op.result is None and op.f in _SILENT
    return _cut(f"{op.f}{key}{asked}{'' if silent else f' -> {_value(op.result)}'}")


def _value(value: Any) -> str:
    """A value; in transactions the names of operations stand without their colons and quotes."""
    if isinstance(value, list | tuple) and value and all(isinstance(part, list | tuple) for part in value):
        return "[" + " ".join("[" + " ".join(map(_bare, part)) + "]" for part in value) + "]"
    return show(value)


def _bare(value: Any) -> str:
    return value.name if isinstance(value, Keyword) else value if isinstance(value, str) else show(value)


def _cut(text: str) -> str:
    return text if len(text) <= WIDEST else f"{text[: WIDEST - 3]}..."
