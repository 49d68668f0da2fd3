"""Pages that are asked for before they are needed come, and nothing else changes."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable
from ctypes import c_uint64

import pytest

from checker.engine.interface import Limits
from checker.engine.memory import resident
from checker.native import abi, jit, search
from checker.native.engine import NativeEngine
from checker.native.memory import HUGE, Arena, Region, Tables, words_at
from checker.native.prefault import AHEAD, Prefault, idle_processors
from tests.native.test_limits import COUNTS, published

linux = pytest.mark.skipif(sys.platform != "linux", reason="other systems give pages when they are written")
compiled = pytest.mark.skipif(jit.unavailable() is not None, reason=jit.unavailable() or "")


def becomes_true(condition: Callable[[], bool]) -> bool:
    end = time.monotonic() + 20
    while not condition() and time.monotonic() < end:
        time.sleep(0.005)
    return condition()


def helpers() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "pages"]


@linux
def test_pages_come_and_what_stands_there_stays() -> None:
    arena, ahead = Arena(64 * HUGE), Prefault()
    after = arena.start + 6 * HUGE + 8
    for page in range(arena.start, after, 4096):
        c_uint64.from_address(page).value = page
    before = resident()
    assert ahead.following(arena, after) == arena.start + 7 * HUGE + AHEAD
    assert becomes_true(lambda: resident() - before >= AHEAD)
    assert all(c_uint64.from_address(page).value == page for page in range(arena.start, after, 4096))
    assert set(words_at(arena.start + 7 * HUGE, HUGE // 8)) == {0}
    assert resident() - before < AHEAD + 2 * HUGE
    ahead.close()
    arena.release()


def test_little_is_asked_for_where_little_is_written(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[int, int]] = []
    monkeypatch.setattr(Prefault, "_ask", lambda self, region, start, end: asked.append((start, end)))
    arena, ahead = Arena(64 * HUGE), Prefault()
    start = arena.start
    assert ahead.following(arena, start + HUGE // 4) == start + HUGE // 4, "a small search asks for nothing"
    assert ahead.following(arena, start + HUGE // 2 + 8) == start + 2 * HUGE
    assert ahead.following(arena, start + HUGE - 8) == start + HUGE - 8, "and nothing is asked for twice"
    assert ahead.following(arena, start + 20 * HUGE) == start + 20 * HUGE + AHEAD
    assert ahead.following(arena, start + 20 * HUGE + 8) == start + 21 * HUGE + AHEAD
    assert ahead.following(arena, arena.end - 8) == arena.end - 8, "nothing lies behind the end"
    assert asked == [
        (start + HUGE, start + 2 * HUGE),
        (start + 20 * HUGE, start + 20 * HUGE + AHEAD),
        (start + 20 * HUGE + AHEAD, start + 21 * HUGE + AHEAD),
    ]
    arena.release()


def test_what_was_asked_for_last_comes_first(monkeypatch: pytest.MonkeyPatch) -> None:
    came: list[int] = []
    monkeypatch.setattr(Region, "populate", lambda self, start, end: came.append(start))
    monkeypatch.setattr(threading.Thread, "start", lambda self: None)
    ahead, large, arena = Prefault(), Region(3 * HUGE), Arena(64 * HUGE)
    ahead.whole(large)
    ahead.following(arena, arena.start + HUGE)
    for _ in range(4):
        region, page = ahead._pages.get_nowait() or pytest.fail("too few pages")
        region.populate(page, page + HUGE)
    assert came == [arena.start + HUGE, *range(large.start, large.end, HUGE)]


def test_a_region_that_was_given_back_gets_no_pages() -> None:
    region = Region(2 * HUGE)
    start = region.start
    region.release()
    before = resident()
    region.populate(start, start + 2 * HUGE)
    assert resident() - before < HUGE


def test_tables_tell_where_all_shards_will_move() -> None:
    told: list[Region] = []
    tables = Tables((c_uint64 * abi.SHARED_WORDS)(), 1, 10, prepare=told.append)
    assert told == []
    for number in (5, 9, 5, 9):
        tables.larger(number)
        tables.moved(number)
    assert [region.end - region.start for region in told] == [(8 << 13) * 64]
    tables.release()


@pytest.mark.parametrize("workers", [1, 2])
def test_an_idle_processor_is_one_that_no_worker_has(workers: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.sched_getaffinity", lambda _: {0, 3}, raising=False)
    assert idle_processors(workers) == 2 - workers
    assert idle_processors(9) == 0


@compiled
@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("idle", [0, 1])
def test_a_search_finds_the_same_and_ends_its_thread(workers: int, idle: int, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[int] = []
    monkeypatch.setattr(search, "idle_processors", lambda _: idle)
    engine = NativeEngine(workers, look=lambda _: seen.append(len(helpers())))
    found = engine.explore(published(7), Limits())
    assert (found.states, found.transitions, found.depth) == COUNTS
    assert seen == [idle]
    assert helpers() == []


@compiled
def test_with_a_limit_on_memory_nothing_is_asked_for_in_advance(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search, "idle_processors", lambda _: 1)
    seen: list[int] = []
    engine = NativeEngine(look=lambda _: seen.append(len(helpers())))
    engine.explore(published(7), Limits(max_memory=4 << 30))
    assert seen == [0]
