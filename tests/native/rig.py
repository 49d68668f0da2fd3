"""What the tests of the native engine's lower half share: fake specs, an oracle, and the kernels in three forms."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from types import ModuleType

from checker.native import abi, jit, kernels, translate
from checker.native.explorer import ENTRIES, Explorer, Kernels, Outcome, interpreted, native
from checker.native.workers import Sizes, Words
from tests.native import fake_counters, fake_memos, fake_stacks

FORMS = ("python", "O0", "O2")
OFF = 1 << 40
SPEC = ("expand", "inside", "visit", "transition")


@dataclass(frozen=True, slots=True)
class Spec:
    """A fake spec with its settings."""

    module: ModuleType
    kind: int
    fixed: int
    settings: tuple[int, ...]
    bound: bool = False
    steps: bool = False
    memo: int = 0
    peers: bool = True

    @property
    def given(self) -> dict[str, int]:
        return {
            "fixed_words": self.fixed,
            "memo_words": self.memo,
            "table_kind": self.kind,
            "has_bound": int(self.bound),
            "has_steps": int(self.steps),
            "has_peers": int(self.peers),
            "resumes": 1,
        }

    def initial(self) -> list[Words]:
        return [(0,), (0,), (1 << 16,)] if self.module is fake_counters else [()]

    def successors(self, state: Words) -> list[Words]:
        n = self.settings[0]
        if self.module is fake_counters:
            x, y = state[0] & 0xFFFF, state[0] >> 16
            return [((x + 1) % n | y << 16,), (x | (y + 1) % n << 16,), (y | x << 16,)]
        longer = [(*state, value) for value in range(n)] if len(state) < fake_stacks.MOST else []
        return [state[:-1], *longer] if state else longer

    def inside(self, state: Words) -> bool:
        if not self.bound:
            return True
        size = (state[0] & 0xFFFF) + (state[0] >> 16) if self.module is fake_counters else len(state)
        return size <= self.settings[3]


def counters(kind: int = abi.INLINE, n: int = 12, fixed: int = 1, **more: int) -> Spec:
    settings = [n, more.get("seen", OFF), more.get("step", 0), more.get("bound", OFF)]
    settings += [more.get("defer", OFF), more.get("report", OFF)]
    return Spec(fake_counters, kind, fixed, tuple(settings), "bound" in more, "step" in more)


def stacks(n: int = 3, kind: int = abi.INDIRECT, **more: int) -> Spec:
    return Spec(fake_stacks, kind, 0, (n, 0, 0, more.get("bound", OFF), 0, 0), "bound" in more)


def noted_stacks(n: int = 3) -> Spec:
    return Spec(fake_memos, abi.INDIRECT, 0, (n, 0, 0, OFF, 0, 0), memo=2)


@functools.cache
def text(module: ModuleType, given: tuple[tuple[str, int], ...]) -> str:
    return translate.join(
        [translate.translate(kernels, dict(given), "kernels."), translate.translate(module, dict(given))]
    )


@functools.cache
def compiled(module: ModuleType, given: tuple[tuple[str, int], ...], level: int) -> Kernels:
    return native(jit.link(jit.compile_object(text(module, given), level), ENTRIES))


def kernels_for(spec: Spec, form: str) -> Kernels:
    if form != "python":
        return compiled(spec.module, tuple(spec.given.items()), int(form[1]))
    functions: dict[str, Callable[..., int]] = {name: getattr(spec.module, name) for name in SPEC}

    def constant(value: int) -> Callable[[], int]:
        return lambda: value

    return interpreted(functions | {name: constant(value) for name, value in spec.given.items()})


@dataclass
class Found:
    """What a search found, in the order in which it found it."""

    states: list[Words] = field(default_factory=list)
    parents: list[Words | None] = field(default_factory=list)
    levels: list[int] = field(default_factory=list)
    events: list[tuple[object, ...]] = field(default_factory=list)
    transitions: int = 0
    cut: int = 0

    def counts(self) -> tuple[object, ...]:
        """What does not depend on the order."""
        return sorted(self.states), self.levels, sorted(map(repr, self.events)), self.transitions, self.cut


@functools.cache
def oracle(spec: Spec, most: int | None = None) -> Found:
    """The obvious search. What it found is shared: nobody may change it."""
    found, seen = Found(), set[Words]()
    depths: list[int] = []

    def look(state: Words, parent: Words | None, depth: int) -> None:
        if spec.steps and parent is not None and state[0] & 0xFFFF == 0 and parent[0] & 0xFFFF != 0:
            found.events.append(("step", parent, state))
        if state in seen:
            return
        if spec.inside(state):
            seen.add(state)
            found.states.append(state)
            found.parents.append(parent)
            depths.append(depth)
        else:
            found.cut += 1
        if spec.module is fake_counters and state[0] == spec.settings[1] * 0x10001:
            found.events.append(("state", state, parent))

    for state in spec.initial():
        look(state, None, 0)
    at = 0
    while at < len(found.states) and (at == 0 or most is None or len(found.states) < most):
        state = found.states[at]
        for successor in spec.successors(state):
            found.transitions += 1
            look(successor, state, depths[at] + 1)
        if spec.module is fake_counters and state[0] >> 16 == spec.settings[5]:
            found.events.append(("expanded", state, abi.REPORT_DEADLOCK))
        at += 1
    found.levels = [depths.count(d) for d in range(max(depths) + 1)]
    return found


class Recorder:
    """A handler that notes everything. Allows `room` bytes at a time, if that is set."""

    def __init__(self, spec: Spec, room: int | None = None) -> None:
        self.spec = spec
        self.room = room
        self.explorer: Explorer | None = None
        self.events: list[tuple[object, ...]] = []

    def _words(self, state: int) -> Words:
        assert self.explorer is not None
        return self.explorer.words(state)

    def _of(self, ref: int) -> Words | None:
        assert self.explorer is not None
        return None if ref == abi.NO_PARENT else self.explorer.state(ref)

    def on_state(self, worker: int, state: int, parent: int) -> None:
        self.events.append(("state", self._words(state), self._of(parent)))

    def on_step(self, worker: int, old: int, new: int, parent: int) -> None:
        assert self._words(old) == self._of(parent)
        self.events.append(("step", self._words(old), self._words(new)))

    def on_expanded(self, worker: int, state: int, ref: int, report: int) -> None:
        assert self._words(state) == self._of(ref)
        self.events.append(("expanded", self._words(state), report))

    def on_defer(self, worker: int, state: Words, ref: int) -> tuple[Sequence[Words], int]:
        assert state == self._of(ref)
        report = abi.REPORT_DEADLOCK if state[0] >> 16 == self.spec.settings[5] else 0
        return self.spec.successors(state), report

    def may_grow(self, size: int) -> bool:
        if self.room is None:
            return True
        self.room -= size
        return self.room >= 0


def opened(spec: Spec, form: str, sizes: Sizes, recorder: Recorder) -> Explorer:
    alone = sizes.workers == 1 and sizes.arenas <= 1
    kernels_ = kernels_for(replace(spec, peers=not alone), form)
    explorer = recorder.explorer = Explorer(kernels_, sizes, recorder)
    for worker in range(sizes.workers):
        explorer.spec_block(worker)[:] = list(spec.settings)
    return explorer


def rounds(explorer: Explorer) -> Iterator[Outcome]:
    """Searches to the end, or until something else than a pause comes up."""
    while explorer.start_level():
        while (outcome := explorer.round()) is not Outcome.LEVEL:
            yield outcome
            if outcome is not Outcome.MORE:
                return


def result(explorer: Explorer, recorder: Recorder) -> Found:
    refs = list(explorer.references())
    parents = [explorer.parent(ref) for ref in refs]
    return Found(
        [explorer.state(ref) for ref in refs],
        [None if parent is None else explorer.state(parent) for parent in parents],
        [count for count in explorer.levels if count],
        recorder.events,
        explorer.transitions,
        explorer.bound_cut,
    )


def search(spec: Spec, form: str, **more: object) -> Found:
    """A whole search."""
    recorder = Recorder(spec)
    sizes = Sizes(spec_words=6, **more)  # type: ignore[arg-type]
    explorer = opened(spec, form, sizes, recorder)
    try:
        explorer.add_initial(spec.initial())
        for _ in rounds(explorer):
            pass
        return result(explorer, recorder)
    finally:
        explorer.close()
