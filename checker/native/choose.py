"""Which engine runs a check, and what a user is told about it.

Two engines give equal results, so the choice is about time alone. The interpreter starts at once. Native code has to
be loaded or made first, which takes a tenth of a second and more, and then runs twenty to fifty times as fast. So
`auto` lets the interpreter begin, and hands a search that it has not finished after some thousand states to native
code, which starts anew: most checks of a spec are done before. The border is a number of states, so that the same
engine finishes the same check wherever it runs; a limit on time stands behind it, for states that take long.

Where native code cannot run, `auto` says why, once for each reason, and the interpreter goes on. An engine that was
asked for by name, or for something that it alone can do, never falls back: that is PSM902, with the reason.
"""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable
from pathlib import Path

from checker.base.diagnostics import SpecError, error
from checker.engine.interface import Engine, Exploration, Limits, Observer, Stop
from checker.engine.liveness.verdicts import TIME
from checker.engine.reduction import ReducedInterpreter
from checker.engine.search import Interpreter
from checker.model.machine import Machine

NAMES = ("auto", "native", "python")

FIRST_STATES = 2_000
FIRST_SECONDS = 0.25
"""What the interpreter explores before native code takes over."""

Tell = Callable[[str], None]


def engine_named(
    name: str,
    workers: int = 1,
    fingerprints: bool = False,
    *,
    checkpoint: Path | None = None,
    resume: bool = False,
    reduced: bool = False,
    tell: Tell | None = None,
) -> Engine:
    """The engine of that name; `auto` is the fastest there is.

    Args:
        name: One of NAMES.
        workers: How many explore at the same time, where the engine has several.
        fingerprints: Keep a hash of each state instead of the state; the native engine alone does.
        checkpoint: A directory for checkpoints of each check; the native engine alone writes them.
        resume: Go on from what stands there.
        reduced: Leave out steps whose order does not matter.
        tell: Is given each reason why something else runs than what was asked for, and other remarks; each once.

    Raises:
        SpecError: PSM902 for an engine that this installation does not have, PSM901 for an unknown name.
    """
    tell = _once(tell)
    special = "`--fingerprints`" if fingerprints else "checkpoints" if checkpoint is not None else None
    if reduced and special is not None:
        raise error("PSM902", f"{special} go with no partial-order reduction", help="leave `--por` out")
    interpreter = ReducedInterpreter() if reduced else Interpreter()
    if name == "python":
        if special is not None:
            raise error("PSM902", f"the python engine has no {special}", help="use `--engine native`")
        if workers > 1:
            tell(f"the python engine runs one worker; `--workers {workers}` changes nothing")
        return interpreter
    if name not in NAMES:
        raise error("PSM901", f"there is no engine `{name}`", help=f"choose one of {', '.join(NAMES)}")
    reason = missing()
    if reason is None:
        if name == "auto" and special is None:
            return Auto(interpreter, Native(workers, reduced=reduced, tell=tell), tell)
        return Native(workers, fingerprints, checkpoint, resume, reduced=reduced, tell=tell)
    if name == "native" or special is not None:
        without = "" if special is None else f" without {special}"
        raise error(
            "PSM902",
            f"the native engine cannot run: {reason}",
            help=f"{_INSTALL}; `--engine python` gives the same counts and verdicts{without}",
        )
    tell(f"{reason}: {_INSTALL}; the interpreter explores instead")
    return interpreter


_INSTALL = "`pip install llvmlite` brings it"


def missing() -> str | None:
    """Why no machine can be compiled here; None where nothing is known against it. Imports nothing."""
    from importlib.util import find_spec

    try:
        found = find_spec("llvmlite")
    except (ImportError, ValueError):
        found = None
    return "llvmlite is not installed" if found is None else None


class Native:
    """The native engine, whose reasons for not running are errors."""

    name = "native"

    def __init__(
        self, workers: int, fingerprints: bool = False, checkpoint: Path | None = None, resume: bool = False, *,
        reduced: bool = False, tell: Tell = lambda text: None,
    ) -> None:  # fmt: skip
        self._workers = workers
        self._fingerprints = fingerprints
        self._checkpoint = checkpoint
        self._resume = resume
        self._reduced = reduced
        self._tell = tell

    def explore(self, machine: Machine, limits: Limits, observe: Observer | None = None) -> Exploration:
        """See `Engine.explore`. Raises `SpecError` with PSM902 where native code cannot explore the machine."""
        from checker.native.checkpoint import Keeping
        from checker.native.code.width import Unsupported
        from checker.native.engine import NativeEngine
        from checker.native.jit import JitError, unavailable

        reason = unavailable()
        if reason is not None:
            raise error("PSM902", f"the native engine cannot run: {reason}", help="use `--engine python`")
        if limits.max_states is not None and self._workers > 1:
            self._tell("with `--max-states` one worker explores, so that the counts are always the same")
        keeping = None if self._checkpoint is None else Keeping(self._checkpoint, self._resume)
        engine = NativeEngine(
            self._workers, fingerprints=self._fingerprints, reduced=self._reduced, keeping=keeping, tell=self._tell
        )
        try:
            return engine.explore(machine, limits, observe)
        except Unsupported as problem:
            raise _refused(problem.args[0]) from None
        except JitError as problem:
            raise _refused(f"LLVM refuses it: {problem}") from None


class Auto:
    """The interpreter for what is small, native code for the rest, and the interpreter where that cannot be."""

    name = "auto"

    def __init__(self, interpreter: Engine, native: Engine, tell: Tell) -> None:
        self._interpreter = interpreter
        self._native = native
        self._tell = tell

    def explore(self, machine: Machine, limits: Limits, observe: Observer | None = None) -> Exploration:
        """See `Engine.explore`."""
        first = Limits(
            FIRST_STATES if limits.max_states is None else min(limits.max_states, FIRST_STATES),
            limits.max_memory,
            FIRST_SECONDS if limits.timeout is None else min(limits.timeout, FIRST_SECONDS),
        )
        started = time.perf_counter()
        found = self._interpreter.explore(machine, first, observe)
        early = found.stop in (Stop.STATES, Stop.TIME) or TIME in found.open.values()
        if not early or _reached(limits, found):
            return found
        covered = found  # if less comes of the rest, that is still true
        began = time.perf_counter()
        try:
            found = self._native.explore(machine, _after(limits, started), observe)
        except KeyboardInterrupt:
            found = dataclasses.replace(covered, stop=Stop.INTERRUPTED, seconds=time.perf_counter() - began)
        except SpecError as problem:
            diagnostic = problem.diagnostics[0]
            if diagnostic.code != "PSM902":
                raise
            self._tell(f"{diagnostic.message}; the interpreter explores instead")
            began = time.perf_counter()
            found = self._interpreter.explore(machine, _after(limits, started), observe)
        if found.stop is not Stop.DONE and found.states < covered.states:
            found = dataclasses.replace(covered, stop=found.stop, seconds=found.seconds)
        return dataclasses.replace(found, seconds=began - started + found.seconds)


def _reached(limits: Limits, found: Exploration) -> bool:
    """Whether a search was ended by a limit of the user, and not by that of its first part."""
    if found.stop is Stop.STATES:
        return limits.max_states is not None and found.kept >= limits.max_states
    return limits.timeout is not None and found.seconds >= limits.timeout


def _after(limits: Limits, started: float) -> Limits:
    """What is left of the limits."""
    if limits.timeout is None:
        return limits
    return dataclasses.replace(limits, timeout=max(limits.timeout - (time.perf_counter() - started), 0.001))


def _refused(reason: str) -> SpecError:
    """What `--engine native` says of a machine that it cannot hold."""
    return error(
        "PSM902",
        f"the native engine cannot explore this: {reason}",
        help="use `--engine auto` or `--engine python`, which give the same counts and verdicts",
    )


def _once(tell: Tell | None) -> Tell:
    """Says nothing twice."""
    said: set[str] = set()

    def once(text: str) -> None:
        if text not in said:
            said.add(text)
            if tell is not None:
                tell(text)

    return once
