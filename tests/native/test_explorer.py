"""The kernels, in CPython, at O0 and at O2, find what the obvious search finds, whatever the sizes of things."""

from __future__ import annotations

import itertools
import tempfile
from pathlib import Path

import pytest

from checker.native import abi, jit
from checker.native.explorer import Outcome
from checker.native.workers import Sizes
from tests.native.rig import (
    FORMS,
    Recorder,
    Spec,
    counters,
    kernels_for,
    opened,
    oracle,
    result,
    rounds,
    search,
    stacks,
)

TINY: dict[str, object] = {"quota": 1, "flush": 1, "batch": 1, "out": 64, "chunks": (64, 128)}
SMALL: dict[str, object] = {"quota": 7, "flush": 100, "batch": 3, "chunks": (32, 4096)}

pytestmark = pytest.mark.skipif(jit.unavailable() is not None, reason=jit.unavailable() or "")

SPECS = {
    "inline": counters(),
    "inline with all": counters(seen=4, step=1, bound=15, defer=3, report=5),
    "indirect of one word": counters(abi.INDIRECT),
    "indirect with all": counters(abi.INDIRECT, 12, 0, seen=11, step=1, bound=15, defer=3, report=5),
    "fingerprint": counters(abi.FINGERPRINT, seen=4),
    "stacks": stacks(),
    "stacks with a bound": stacks(bound=4),
    "stacks as fingerprints": stacks(2, abi.FINGERPRINT),
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("name", SPECS)
def test_one_worker_finds_the_same_in_the_same_order(name: str, form: str) -> None:
    assert search(SPECS[name], form) == oracle(SPECS[name])


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("sizes", [TINY, SMALL], ids=["tiny", "small"])
@pytest.mark.parametrize("name", SPECS)
def test_sizes_change_nothing(name: str, sizes: dict[str, object], form: str) -> None:
    assert search(SPECS[name], form, **sizes) == oracle(SPECS[name])


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("workers", [2, 3])
@pytest.mark.parametrize("name", SPECS)
def test_several_workers_find_the_same_states(name: str, workers: int, form: str) -> None:
    spec = SPECS[name]
    found, expected = search(spec, form, workers=workers, quota=20, flush=1), oracle(spec)
    # Which of two workers finds a state first decides its parent, and a parent stands in an event.
    found.events = [e if e[0] != "state" else (*e[:2], expected_parent(expected.events, e)) for e in found.events]
    assert found.counts() == expected.counts()
    check_parents(spec, found.states, found.parents)


def expected_parent(events: list[tuple[object, ...]], event: tuple[object, ...]) -> object:
    return next(e[2] for e in events if e[:2] == event[:2])


def check_parents(spec: Spec, states: list[tuple[int, ...]], parents: list[tuple[int, ...] | None]) -> None:
    """Every state comes from its parent, in one step."""
    for state, parent in zip(states, parents, strict=True):
        assert state in (spec.initial() if parent is None else spec.successors(parent))


@pytest.mark.parametrize("workers", [1, 2, 4])
@pytest.mark.parametrize(
    "spec", [counters(n=130), counters(abi.INDIRECT, 130), stacks(5)], ids=["inline", "indirect", "stacks"]
)
def test_large_searches_grow_everything(spec: Spec, workers: int) -> None:
    found, expected = search(spec, "O2", workers=workers), oracle(spec)
    if workers == 1:
        assert found == expected
    else:
        assert found.counts() == expected.counts()


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("most", [1, 2, 5, 17, 50, 143, 144, 1000])
def test_a_limit_on_states_is_exact(most: int, form: str) -> None:
    spec = counters()
    found, expected = search(spec, form, max_states=most), oracle(spec, most)
    assert (found.states, found.transitions) == (expected.states, expected.transitions)


def test_memory_that_may_not_grow_stops_a_round_and_not_the_search() -> None:
    spec = stacks(4)
    recorder = Recorder(spec, room=1 << 12)
    explorer = opened(spec, "O2", Sizes(spec_words=6, chunks=(256, 1024)), recorder)
    explorer.add_initial(spec.initial())
    refused = 0
    while explorer.start_level():
        while (outcome := explorer.round()) is not Outcome.LEVEL:
            if outcome is Outcome.MEMORY:
                refused += 1
                recorder.room = 1 << 19
    assert refused
    assert result(explorer, recorder) == oracle(spec)
    explorer.close()


def test_functions_may_be_replaced_between_rounds() -> None:
    spec = counters(seen=4, step=1, bound=15, defer=3, report=5)
    recorder = Recorder(spec)
    explorer = opened(spec, "python", Sizes(spec_words=6, quota=5, flush=1), recorder)
    explorer.add_initial(spec.initial())
    for n, _ in enumerate(rounds(explorer)):
        explorer.kernels = kernels_for(spec, ("O0", "O2", "python")[n % 3])
    assert result(explorer, recorder) == oracle(spec)
    explorer.close()


@pytest.mark.parametrize("form", FORMS)
def test_workers_may_step_aside_between_rounds(form: str) -> None:
    """One that holds a part of a block keeps it, and whoever is left takes the blocks of all."""
    spec = counters(seen=4, step=1, bound=15, defer=3, report=5)
    recorder = Recorder(spec)
    explorer = opened(spec, form, Sizes(spec_words=6, workers=3, quota=5, flush=1), recorder)
    explorer.add_initial(spec.initial())
    for n, _ in enumerate(rounds(explorer)):
        explorer.crew = (1, 3, 2)[n % 3]
    found = result(explorer, recorder)
    found.events = [e if e[0] != "state" else (*e[:2], expected_parent(oracle(spec).events, e)) for e in found.events]
    assert found.counts() == oracle(spec).counts()
    explorer.close()


def test_workers_that_step_aside_do_nothing() -> None:
    spec = counters(n=130)
    recorder = Recorder(spec)
    explorer = opened(spec, "O2", Sizes(spec_words=6, workers=3, quota=200, flush=1), recorder)
    explorer.crew = 2
    explorer.add_initial(spec.initial())
    for _ in rounds(explorer):
        pass
    assert result(explorer, recorder).counts() == oracle(spec).counts()
    done = [worker.ctx[abi.CTX_EXPANDED] for worker in explorer.searchers]
    assert done[1] > 0 and done[2] == 0
    explorer.close()


@pytest.mark.parametrize("everything", [False, True])
@pytest.mark.parametrize(
    ("spec", "form"),
    [
        (counters(n=120), "O2"),
        (counters(abi.INDIRECT, n=120), "O2"),
        (stacks(5), "O2"),
        (counters(abi.INDIRECT, n=60), "python"),
        (stacks(4), "python"),
    ],
    ids=["inline", "indirect", "stacks", "indirect, read", "stacks, read"],
)
def test_spilled_states_stay_where_they_are(
    spec: Spec, form: str, everything: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("checker.native.store.SPILL_LEAST", 1)
    recorder = Recorder(spec)
    explorer = opened(spec, form, Sizes(spec_words=6, quota=100), recorder)
    explorer.add_initial(spec.initial())
    spilled = sum(explorer.spill(tmp_path, everything=everything) for _ in rounds(explorer))
    assert spilled > (1 << 16 if form == "O2" else 0)
    assert not list(tmp_path.iterdir())
    assert result(explorer, recorder) == oracle(spec)
    explorer.close()


@pytest.mark.parametrize("form", ["python", "O2"])
@pytest.mark.parametrize(("before", "after"), [(1, 1), (2, 1), (1, 2), (3, 2)])
@pytest.mark.parametrize(
    "spec", [counters(bound=15), counters(abi.FINGERPRINT), stacks()], ids=["inline", "hashes", "stacks"]
)
def test_a_search_can_be_kept_and_taken_up_again(spec: Spec, before: int, after: int, form: str) -> None:
    """After every level: the rest of the search is the same."""
    recorder = Recorder(spec)
    explorer = opened(spec, form, Sizes(spec_words=6, workers=before), recorder)
    explorer.add_initial(spec.initial())
    while True:
        snapshot = explorer.snapshot()
        kept = [bytes(explorer.arena_words(n, 1, arena.end)) for n, arena in enumerate(snapshot.arenas)]
        explorer.close()
        recorder = Recorder(spec)
        explorer = opened(spec, form, Sizes(spec_words=6, workers=after, arenas=len(kept)), recorder)

        def read(number: int, first: int, into: memoryview, kept: list[bytes] = kept) -> None:
            into[:] = kept[number][8 * (first - 1) :][: len(into)]

        explorer.restore(snapshot, read)
        assert explorer.snapshot().levels == snapshot.levels
        if not explorer.start_level():
            break
        while explorer.round() is not Outcome.LEVEL:
            pass
    found, expected = result(explorer, recorder), oracle(spec)
    assert found.counts() == expected.counts()
    check_parents(spec, found.states, found.parents)
    explorer.close()


def test_a_damaged_snapshot_is_refused() -> None:
    spec = stacks()
    recorder = Recorder(spec)
    explorer = opened(spec, "O0", Sizes(spec_words=6), recorder)
    explorer.add_initial(spec.initial())
    list(rounds(explorer))
    snapshot = explorer.snapshot()
    other = opened(spec, "O0", Sizes(spec_words=6), recorder)

    def read(number: int, first: int, into: memoryview) -> None:
        into[:] = bytes(range(256)) * (len(into) // 256) + bytes(len(into) % 256)

    with pytest.raises(ValueError, match="states were expected"):
        other.restore(snapshot, read)
    other.close()
    explorer.close()


def test_paths_lead_from_an_initial_state() -> None:
    spec = counters()
    recorder = Recorder(spec)
    explorer = opened(spec, "O0", Sizes(spec_words=6), recorder)
    explorer.add_initial(spec.initial())
    list(rounds(explorer))
    path = [explorer.state(ref) for ref in explorer.path(list(explorer.references())[-1])]
    assert path[0] in spec.initial()
    assert all(b in spec.successors(a) for a, b in itertools.pairwise(path))
    assert len(path) == explorer.depth + 1
    explorer.close()


def test_an_exception_in_a_worker_is_raised_and_nobody_is_left_running() -> None:
    spec = counters(defer=3)

    class Failing(Recorder):
        def on_defer(self, worker: int, state: tuple[int, ...], ref: int) -> tuple[list[tuple[int, ...]], int]:
            raise KeyboardInterrupt

    recorder = Failing(spec)
    explorer = opened(spec, "O2", Sizes(spec_words=6, workers=2), recorder)
    explorer.add_initial(spec.initial())
    with pytest.raises(KeyboardInterrupt):
        list(rounds(explorer))
    explorer.close()


def test_a_small_search_takes_little_memory() -> None:
    spec = counters(n=3)
    explorer = opened(spec, "O0", Sizes(spec_words=6), Recorder(spec))
    explorer.add_initial([(0,)])
    while explorer.start_level():
        explorer.round()
    assert explorer.memory < 1 << 20
    explorer.close()


def test_a_spill_that_cannot_be_written_loses_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("checker.native.store.SPILL_LEAST", 1)
    spec = counters(n=100)
    recorder = Recorder(spec)
    explorer = opened(spec, "O2", Sizes(spec_words=6), recorder)
    explorer.add_initial(spec.initial())
    list(rounds(explorer))

    def full(**_: object) -> object:
        return Path("/dev/full").open("r+b", buffering=0)

    monkeypatch.setattr(tempfile, "TemporaryFile", full)
    with pytest.raises(OSError, match=r".+"):
        explorer.spill(tmp_path)
    assert result(explorer, recorder) == oracle(spec)
    explorer.close()
