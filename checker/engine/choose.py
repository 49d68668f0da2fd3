"""Which engine runs a check."""

from __future__ import annotations

from checker.base.diagnostics import error
from checker.engine.interface import Engine
from checker.engine.search import Interpreter

NAMES = ("auto", "native", "python")


def engine_named(name: str) -> Engine:
    """The engine of that name; `auto` is the fastest there is.

    Raises:
        SpecError: PSM902 for an engine that this installation does not have, PSM901 for an unknown name.
    """
    if name in ("auto", "python"):
        return Interpreter()
    if name == "native":
        raise error(
            "PSM902",
            "this version has no native engine",
            help="use `--engine auto` or `--engine python`; the interpreter gives the same counts and verdicts",
        )
    raise error("PSM901", f"there is no engine `{name}`", help=f"choose one of {', '.join(NAMES)}")
