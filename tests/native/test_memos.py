"""What is noted about states is found by those that were found from them, and by nobody else."""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest

from checker.native import abi, jit
from checker.native.explorer import Explorer, Outcome
from checker.native.kernels import memos as kernel
from checker.native.memos import Memos
from checker.native.words import store64
from checker.native.workers import Sizes
from tests.native.rig import FORMS, Recorder, Spec, noted_stacks, opened, oracle, result, stacks

pytestmark = pytest.mark.skipif(jit.unavailable() is not None, reason=jit.unavailable() or "")


def explored(spec: Spec, form: str, **more: object) -> tuple[Explorer, Recorder]:
    recorder = Recorder(spec)
    sizes = Sizes(spec_words=6, memo=2, **more)  # type: ignore[arg-type]
    explorer = opened(spec, form, sizes, recorder)
    explorer.add_initial(spec.initial())
    return explorer, recorder


def to_the_end(explorer: Explorer) -> None:
    while explorer.start_level():
        while explorer.round() is not Outcome.LEVEL:
            pass


def asked(explorer: Explorer) -> tuple[int, int]:
    """How often what was noted was about the parent, and how often not."""
    blocks = [explorer.spec_block(number) for number in range(len(explorer.everybody))]
    return sum(block[4] for block in blocks), sum(block[5] for block in blocks)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("workers", [1, 2, 3])
@pytest.mark.parametrize("quota", [None, 5])
def test_each_state_finds_what_was_noted_about_its_parent(workers: int, form: str, quota: int | None) -> None:
    spec = noted_stacks()
    explorer, recorder = explored(spec, form, workers=workers, quota=quota)
    try:
        to_the_end(explorer)
        assert result(explorer, recorder).counts() == oracle(stacks()).counts()
        assert asked(explorer) == (explorer.states - 1, 0)
    finally:
        explorer.close()


@pytest.mark.parametrize("form", FORMS)
def test_nothing_is_noted_where_there_is_no_room(form: str) -> None:
    explorer, recorder = explored(noted_stacks(), form)
    try:
        while explorer.start_level():
            recorder.room = None
            while explorer.round() is not Outcome.LEVEL:
                pass
            if len(explorer.levels) == 5:  # the words of level 4 need more room, so level 5 finds nothing
                recorder.room = 0
        assert explorer.states == len(oracle(stacks()).states)
        assert asked(explorer) == (explorer.states - 1 - explorer.levels[5], 0)
    finally:
        explorer.close()


def test_nothing_is_looked_for_on_disk(tmp_path: Path) -> None:
    explorer, _ = explored(noted_stacks(8), "O2")
    found = (0, 0)
    try:
        while explorer.start_level():
            while explorer.round() is not Outcome.LEVEL:
                pass
            if len(explorer.levels) == 6:
                assert explorer.spill(tmp_path, everything=True) > 0
                found = asked(explorer)
        assert asked(explorer) == found == (sum(explorer.levels[1:5]), 0)
        assert explorer._memos.due(0) == 0
    finally:
        explorer.close()


def test_numbers_are_found_in_any_order() -> None:
    """The marks lead to within a few hundred records of any state, forwards or backwards."""
    explorer, _ = explored(noted_stacks(6), "O2", workers=2)
    try:
        to_the_end(explorer)
        ctx, shared = explorer.first.address, explorer.first.ctx[abi.CTX_SHARED]
        states = []
        for worker in explorer.everybody:
            number, (first, end) = worker.ctx[abi.CTX_WORKER], worker.level
            numbered = list(enumerate(ref for ref in explorer.references() if ref >> abi.WORKER_SHIFT == number))
            row = kernel.memos_of(shared, number << abi.WORKER_SHIFT)
            last = explorer.levels[-1]
            store64(row + 8 * abi.MEMO_FIRST, 0)
            store64(row + 8 * abi.MEMO_END, len(numbered))
            assert end - first <= last + len(numbered)
            states += numbered
        Random(1).shuffle(states)
        assert len(states) == explorer.states > 20_000
        assert all(kernel.number_of(ctx, shared, ref) == number for number, ref in states[:2000])
        assert all(kernel.number_of(ctx, shared, ref) == number for number, ref in sorted(states[:2000]))
    finally:
        explorer.close()


def test_what_may_yet_become_real() -> None:
    memos = Memos([0, 0], 2)
    allowed: list[int] = []

    def may_grow(size: int) -> bool:
        allowed.append(size)
        return True

    memos.turn([(0, 10), (0, 0)], may_grow)
    assert memos.due(0) == 160 and memos.due(4) == 96 and memos.due(10) == 0
    memos.turn([(10, 15), (0, 3)], may_grow)
    memos.turn([(15, 27), (3, 3)], may_grow)  # the first region again, of which 160 bytes have been written
    assert memos.due(0) == 32 and memos.due(11) == 16
    assert allowed == [160, 128, 32]
    memos.turn([(27, 40), (3, 4)], lambda size: False)
    assert memos.due(0) == 0
    memos.release()
    memos.turn([(40, 41), (4, 4)], may_grow)
    assert memos.due(0) == 0
