"""From a machine to kernels that explore it: two tiers of code, and a cache of both on disk.

Code without optimisation is there after some milliseconds and runs at once; optimised code takes up to a second to make, runs
several times as fast, and takes over between two rounds. It is made in processes of their own, started only if the search
still runs after a while: LLVM cannot be interrupted, and would make the next check wait. They are two, at work side by side: the
function that expands a state holds all handlers, and takes as long as everything else together.

Objects are kept on disk under a key that covers everything they depend on: the spec's text, check and constants, the sources
of the checker, LLVM and the processor. So a second run of the same check compiles nothing.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from types import ModuleType
from typing import Generic, TypeVar

from checker.base.cache import Cache, default_directory, digest, version_of
from checker.native import ample, edges, kernels, support
from checker.native.code.module import Plan
from checker.native.code.width import Unsupported
from checker.native.compiling import Compilation
from checker.native.explorer import ENTRIES, Kernels, native
from checker.native.jit import JitError, Linked, compile_object, link, processor
from checker.native.translate import apart, join, translate

FAST, BEST = 0, 2
"""Levels of optimisation."""

LONGEST = "expand"
"""The function that is optimised on its own."""

PATIENCE, AGAIN = 0.03, 0.3
"""Seconds a search has to take before optimised code is made for it. Where only the other code is in the cache, an earlier search
was over before there was any, and so this one will be, most likely."""


@cache
def sources() -> str:
    """A digest of what objects depend on besides the spec: this package and what it is made from, LLVM, the processor."""
    return digest(processor(), version_of("native", "engine", "model", "lang", "base"))


def all_of(images: Sequence[bytes | None]) -> list[bytes]:
    """The same if none is missing, otherwise nothing."""
    found = [image for image in images if image is not None]
    return found if len(found) == len(images) else []


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
        self._compilations: list[Compilation] = []
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

    def key(self, level: int, part: int) -> str:
        machine = self._plan.machine
        digest = hashlib.sha256(sources().encode())
        for given in (
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
            part,
        ):
            digest.update(f"{given}\n".encode())
        return digest.hexdigest()

    def parts(self, level: int) -> tuple[str, ...]:
        """The modules of which objects are made."""
        return (self.text,) if level == FAST else apart(self.text, LONGEST)

    def begin(self, level: int | None = None) -> K:
        """Functions that run at once. Raises `Unsupported`, and `JitError` where LLVM refuses."""
        for known in (BEST, FAST) if level is None else (level,):
            images = all_of([self._cache.get(self.key(known, part)) for part in range(1 if known == FAST else 2)])
            if images:
                self.level = known
                self.patience = AGAIN
                return self._linked(images)
        self.level = FAST if level is None else level
        return self._kept([compile_object(part, self.level) for part in self.parts(self.level)])

    def _kept(self, images: Sequence[bytes]) -> K:
        """Functions of new objects of this level, which the next check finds."""
        for part, image in enumerate(images):
            self._cache.put(self.key(self.level, part), image)
        return self._linked(images)

    def _linked(self, images: Sequence[bytes]) -> K:
        return self._functions(link(images, self.exports))

    def improve(self) -> None:
        """Starts to make optimised code, if that is not what runs already."""
        if self.level != BEST and not self._compilations:
            self._compilations = [Compilation(part) for part in self.parts(BEST)]

    def better(self) -> K | None:
        """Optimised functions, as soon as they are ready; once."""
        if not self._compilations or not all(one.is_over for one in self._compilations):
            return None
        images = all_of([one.image() for one in self._compilations])
        self.close()
        self.level = BEST
        return self._kept(images) if images else None

    def close(self) -> None:
        """Stops what is still being made."""
        for one in self._compilations:
            one.close()
        self._compilations = []


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
