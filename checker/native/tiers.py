"""From a machine to kernels that explore it: two tiers of code, and a cache of both on disk.

Code without optimisation is there after some milliseconds and runs at once; optimised code takes up to a second to make, runs
several times as fast, and takes over between two rounds. It is made in processes of their own, started only if the search
still runs after a while: LLVM cannot be interrupted, and would make the next check wait. They are two, at work side by side: the
function that expands a state holds all handlers, and takes as long as everything else together.

Objects are kept on disk under a key that covers everything they depend on: the spec's text, check and constants, the sources
of the checker, LLVM and the processor. So a second run of the same check compiles nothing. Kernels that are not optimised are an
object of their own, which does not depend on the spec, so that the first run after an edit need not compile them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from functools import cache, cached_property
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

PARTS = range(2)
"""Objects of a level: two halves of optimised code; without optimisation the kernels and the spec."""

KERNELS = 0
"""The part with the kernels, without optimisation."""

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

    def __init__(
        self, plan: Plan, cache_: Cache | None = None, *, tell: Callable[[str], None] = lambda text: None
    ) -> None:
        self._plan = plan
        self._tell = tell
        self._cache = cache_ if cache_ is not None else Cache(default_directory())
        self._compilations: list[Compilation] = []
        self.level = BEST
        """The level of the code that `begin` gave."""
        self.patience = PATIENCE
        """Seconds before `improve` should be called."""

    @cached_property
    def kernels_text(self) -> str:
        """The module of the kernels."""
        return translate(self.kernels, self._plan.constants, exports=self.exports)

    @cached_property
    def spec_text(self) -> str:
        """The module of the spec, with all that it needs besides the kernels."""
        try:
            spec = self._plan.text()
        except Unsupported:
            raise
        except Exception as problem:
            raise JitError(f"the compiler of specs failed, please report it: {problem!r}") from problem
        texts = [translate(support, prefix="s_"), spec]
        if self._plan.classes is not None:
            texts.append(translate(ample, self._plan.constants, prefix="a_"))
        return join(texts)

    def _functions(self, linked: Linked) -> K:
        """What is given of an object in memory."""
        raise NotImplementedError

    def key(self, level: int, part: int) -> str:
        """The key of an object. Kernels that are not optimised are the same for all specs with the same constants."""
        machine = self._plan.machine
        digest = hashlib.sha256(sources().encode())
        of_the_spec: tuple[object, ...] = (
            repr(machine.texts),
            machine.check,
            repr([(item.kind, item.name) for item in self._plan.items]),
            repr(sorted(machine.overrides.items())),
            [(budget.key, budget.count) for budget in machine.budgets],
            machine.symmetric,
            self._plan.coverage,
        )
        for given in (
            self._plan.constants,
            self.kernels.__name__,
            level,
            part,
            *(() if (level, part) == (FAST, KERNELS) else of_the_spec),
        ):
            digest.update(f"{given}\n".encode())
        return digest.hexdigest()

    @cached_property
    def halves(self) -> tuple[str, str]:
        """The modules of which optimised objects are made."""
        return apart(join([self.kernels_text, self.spec_text]), LONGEST)

    def _text(self, part: int) -> str:
        """The module of which an object of this level is made."""
        if self.level == FAST:
            return self.kernels_text if part == KERNELS else self.spec_text
        return self.halves[part]

    def begin(self, level: int | None = None) -> K:
        """Functions that run at once. Raises `Unsupported`, and `JitError` where LLVM refuses."""
        kept: list[bytes | None] = []
        for self.level in (BEST, FAST) if level is None else (level,):
            kept = [self._cache.get(self.key(self.level, part)) for part in PARTS]
            if images := all_of(kept):
                self.patience = AGAIN
                return self._linked(images)
        return self._linked(
            [kept[part] or self._kept(part, compile_object(self._text(part), self.level)) for part in PARTS]
        )

    def _kept(self, part: int, image: bytes) -> bytes:
        """A new object of this level, which the next check finds."""
        self._cache.put(self.key(self.level, part), image)
        return image

    def _linked(self, images: Sequence[bytes]) -> K:
        return self._functions(link(images, self.exports))

    @property
    def is_improving(self) -> bool:
        """Whether optimised code is being made."""
        return any(not one.is_over for one in self._compilations)

    def improve(self) -> None:
        """Starts to make optimised code, if that is not what runs already."""
        if self.level == BEST or self._compilations:
            return
        try:
            for text in self.halves:
                self._compilations.append(Compilation(text))
        except OSError as problem:
            self._give_up(str(problem))

    def better(self) -> K | None:
        """Optimised functions, as soon as they are ready; once."""
        if not self._compilations or not all(one.is_over for one in self._compilations):
            return None
        images = self._finished()
        if not images:
            self._give_up("the compiler failed")
            return None
        self._stop()
        return self._linked(images)

    def _give_up(self, why: str) -> None:
        """There will be no optimised code."""
        self._stop()
        self.level = BEST
        self._tell(f"no optimised code could be made, so the search goes on with slower code: {why}")

    def close(self) -> None:
        """Stops what is still being made. What is ready is kept for the next check, though this one has no more use for it."""
        if self._compilations and all(one.is_over for one in self._compilations):
            self._finished()
        self._stop()

    def _finished(self) -> list[bytes]:
        """The objects of compilations that are over, which the next check finds; nothing if one of them failed."""
        images = all_of([one.image() for one in self._compilations])
        if images:
            self.level = BEST
        return [self._kept(part, image) for part, image in enumerate(images)]

    def _stop(self) -> None:
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
