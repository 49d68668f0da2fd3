"""From a machine to kernels that explore it: two tiers of code, and a cache of both on disk.

Code without optimisation is there after some milliseconds and runs at once; optimised code takes up to a second to make, runs
several times as fast, and takes over between two rounds. It is made in a process of its own, started only if the search
still runs after a while: LLVM cannot be interrupted, and would make the next check wait.

Objects are kept on disk under a key that covers everything they depend on: the spec's text, check and constants, the sources
of the checker, LLVM and the processor. So a second run of the same check compiles nothing.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Generic, TypeVar

from checker.base.cache import Cache, default_directory, digest, version_of
from checker.native import ample, edges, kernels, support
from checker.native.code.module import Plan
from checker.native.code.width import Unsupported
from checker.native.explorer import ENTRIES, Kernels, native
from checker.native.jit import JitError, Linked, compile_object, link, processor
from checker.native.translate import join, translate

FAST, BEST = 0, 2
"""Levels of optimisation."""

PATIENCE, AGAIN = 0.03, 0.3
"""Seconds a search has to take before optimised code is made for it. Where only the other code is in the cache, an earlier search
was over before there was any, and so this one will be, most likely."""


@cache
def sources() -> str:
    """A digest of what objects depend on besides the spec: this package and what it is made from, LLVM, the processor."""
    return digest(processor(), version_of("native", "engine", "model", "lang", "base"))


K = TypeVar("K")


class Compiled(Generic[K]):
    """The code of one machine. `begin` gives functions to start with, `better` faster ones once they are ready."""

    kernels: ModuleType
    """The kernels that are compiled with the spec."""
    exports: Mapping[str, int]
    """Those that can be called, with the numbers of their arguments."""

    def __init__(self, plan: Plan, cache_: Cache | None = None) -> None:
        self._plan = plan
        self._cache = cache_ if cache_ is not None else Cache(default_directory())
        self._text: str | None = None
        self._child: subprocess.Popen[bytes] | None = None
        self._output: Path | None = None
        self.level = BEST
        """The level of the code that `begin` gave."""
        self.patience = PATIENCE
        """Seconds before `improve` should be called."""

    @property
    def text(self) -> str:
        """The whole module: kernels, support, spec."""
        if self._text is None:
            try:
                spec = self._plan.text()
            except Unsupported:
                raise
            except Exception as problem:
                raise JitError(f"the compiler of specs failed, please report it: {problem!r}") from problem
            own = translate(self.kernels, self._plan.constants, exports=self.exports)
            texts = [own, translate(support, prefix="s_"), spec]
            if self._plan.classes is not None:
                texts.append(translate(ample, self._plan.constants, prefix="a_"))
            self._text = join(texts)
        return self._text

    def _functions(self, linked: Linked) -> K:
        """What is given of an object in memory."""
        raise NotImplementedError

    def key(self, level: int) -> str:
        machine = self._plan.machine
        digest = hashlib.sha256(sources().encode())
        for part in (
            repr(machine.texts),
            machine.check,
            repr([(item.kind, item.name) for item in self._plan.items]),
            repr(sorted(machine.overrides.items())),
            [(budget.key, budget.count) for budget in machine.budgets],
            machine.symmetric,
            self._plan.constants,
            self.kernels.__name__,
            self._plan.coverage,
            level,
        ):
            digest.update(f"{part}\n".encode())
        return digest.hexdigest()

    def begin(self, level: int | None = None) -> K:
        """Functions that run at once. Raises `Unsupported`, and `JitError` where LLVM refuses."""
        for known in (BEST, FAST) if level is None else (level,):
            image = self._cache.get(self.key(known))
            if image is not None:
                self.level = known
                self.patience = AGAIN
                return self._functions(link(image, self.exports))
        self.level = FAST if level is None else level
        return self._compiled(self.level)

    def _compiled(self, level: int) -> K:
        image = compile_object(self.text, level)
        self._cache.put(self.key(level), image)
        return self._functions(link(image, self.exports))

    def improve(self) -> None:
        """Starts to make optimised code, if that is not what runs already."""
        if self.level == BEST or self._child is not None:
            return
        handle, name = tempfile.mkstemp(suffix=".o")
        os.close(handle)
        self._output = Path(name)
        self._child = subprocess.Popen(  # noqa: S603 - this program
            [sys.executable, "-m", "checker.native.compiling", name],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd=Path(__file__).resolve().parents[2],
        )
        assert self._child.stdin is not None
        try:
            self._child.stdin.write(self.text.encode())
            self._child.stdin.close()
        except OSError:
            self.close()

    def better(self) -> K | None:
        """Optimised functions, as soon as they are ready; once."""
        if self._child is None or self._child.poll() is None:
            return None
        image = b""
        if self._child.returncode == 0 and self._output is not None:
            image = self._output.read_bytes()
        self.close()
        self.level = BEST
        if not image:
            return None
        self._cache.put(self.key(BEST), image)
        return self._functions(link(image, self.exports))

    def close(self) -> None:
        """Stops what is still being made."""
        if self._child is not None:
            self._child.kill()
            self._child.wait()
            self._child = None
        if self._output is not None:
            self._output.unlink(missing_ok=True)
            self._output = None


class Tiers(Compiled[Kernels]):
    """The code that explores."""

    kernels = kernels
    exports = ENTRIES

    def _functions(self, linked: Linked) -> Kernels:
        return native(linked)


class EdgeTiers(Compiled[Mapping[str, Callable[..., int]]]):
    """The code that judges liveness, for a plan with live properties: functions by their names."""

    kernels = edges
    exports = edges.EXPORTS

    def _functions(self, linked: Linked) -> Mapping[str, Callable[..., int]]:
        return {name: linked.function(name, arguments) for name, arguments in self.exports.items()}
