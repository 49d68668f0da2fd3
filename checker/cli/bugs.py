"""The report about a mistake of this program: everything that its authors need to see it happen again.

It holds the versions, the arguments and the traceback. Where an engine and the interpreter disagree (`Mismatch`), it also holds
what was run: the spec with a hash of its text, the check with its constants, the engine, and the path in question with all
its states. The file belongs to the user alone, and nothing is sent anywhere.

An adapter or a scenario is a program of the user's, run by this one. What it raises is no mistake of this program
(`raised_outside`).
"""

from __future__ import annotations

import hashlib
import json
import platform
import sysconfig
import tempfile
import traceback
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from checker import __version__

MOST_FRAMES = 5
"""Of the user's program that are told."""


def raised_outside(problem: Exception) -> list[str]:
    """Where in a program of the user's an exception was raised, innermost first; nothing if it was raised here.

    Libraries belong to whoever called them.
    """
    libraries = {Path(path) for path in sysconfig.get_paths().values()}
    here = Path(__file__).resolve().parents[1]
    told: list[str] = []
    for frame in reversed(traceback.extract_tb(problem.__traceback__)):
        path = Path(frame.filename)
        if path.is_relative_to(here) or frame.filename.startswith("<"):
            break
        if not any(path.is_relative_to(library) for library in libraries):
            told.append(f"{frame.filename}, line {frame.lineno}, in {frame.name}")
    return told[:MOST_FRAMES]


def report(problem: Exception, args: list[str]) -> str:
    """Writes the report, and says where it is."""
    try:
        with tempfile.NamedTemporaryFile(
            "w", prefix="lockstep-", suffix=".txt", delete=False, encoding="utf-8", errors="backslashreplace"
        ) as file:
            file.write("\n".join(_lines(problem, args)) + "\n")
    except OSError:
        return "no report could be written"
    return f"a report with the details is in {file.name}"


def _lines(problem: Exception, args: list[str]) -> Iterator[str]:
    yield f"lockstep {__version__}, Python {platform.python_version()}, llvmlite {_version('llvmlite')}, {platform.platform()}"
    yield f"arguments: {args}"
    yield ""
    yield from "".join(traceback.format_exception(problem)).splitlines()
    from checker.engine.replay import Mismatch

    if isinstance(problem, Mismatch):
        try:
            told = list(_disagreement(problem))
        except Exception as second:  # noqa: BLE001 - a report that cannot be completed is still a report
            told = ["", f"more could not be told: {type(second).__name__}: {second}"]
        yield from told


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"


def _disagreement(problem: object) -> Iterator[str]:
    """What was run, and the path about which two engines disagree."""
    from checker.engine.replay import Mismatch

    assert isinstance(problem, Mismatch)
    yield from ("", "# What was run", "")
    yield f"engine: {problem.engine or 'unknown'}"
    machine = problem.machine
    if machine is None:
        return
    from checker.engine.labels import StateView
    from checker.model.layout import Layout
    from checker.model.values import show_value

    yield f"spec: {machine.spec} in {machine.source.name}"
    yield f"sha256 of its text: {hashlib.sha256(machine.source.text.encode()).hexdigest()}"
    yield f"check: {machine.check}"
    yield "constants: " + ", ".join(f"{name} = {show_value(t, v)}" for name, (t, v) in machine.constants.items())
    path = problem.path
    if path is None:
        return
    view = StateView(Layout(machine))
    yield from ("", "# The path", "")
    for number, state in enumerate(path.states):
        step = path.steps[number - 1] if 0 < number <= len(path.steps) else "initial state" if number == 0 else "?"
        yield f"{number}: {step}"
        yield f"   {json.dumps(view.initial(state))}"
        yield f"   {state!r}"
    if path.error is not None:
        yield f"errs: {path.error}"
