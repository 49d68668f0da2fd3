"""Regions and tables: addresses stay, pages come and go."""

from __future__ import annotations

import mmap
import os
import platform
import re
import sys
import tempfile
from ctypes import c_uint64
from pathlib import Path

import pytest

from checker.engine.memory import resident
from checker.native import abi
from checker.native.memory import HUGE, Arena, Region, Tables, words_at


def has_populate() -> bool:
    release = re.match(r"(\d+)\.(\d+)", platform.release())
    return sys.platform == "linux" and release is not None and (int(release[1]), int(release[2])) >= (5, 14)


def test_a_region_is_zero_and_large_ones_cost_nothing() -> None:
    before = resident()
    region = Region(1 << 40, 1 << 20)
    region.use_huge_pages(region.start + HUGE)
    words = words_at(region.start, 1000)
    assert not any(words)
    words[:] = [*range(1000)]
    assert list(words_at(region.start + 8, 3)) == [1, 2, 3]
    assert resident() - before < 1 << 22
    region.release()
    region.release()


def test_too_much_address_space_becomes_less() -> None:
    region = Region(1 << 50, 1 << 20)
    assert 1 << 20 <= region.end - region.start < 1 << 50
    with pytest.raises(MemoryError):
        Region(1 << 60)


def test_discarded_pages_are_zero_again() -> None:
    region = Region(1 << 16)
    words = words_at(region.start, 8192)
    words[:] = [7] * 8192
    region.discard(region.start + 100, region.start + 3 * 4096)
    assert words[0] == words[511] == 7
    assert words[512] == words[3 * 512 - 1] == 0
    assert words[3 * 512] == 7


def test_a_spilled_range_reads_as_before_and_leaves_memory(tmp_path: Path) -> None:
    arena = Arena(1 << 26)
    count = 1 << 22
    words = words_at(arena.start, count)
    words[:] = [*range(count)]
    before = resident()
    assert arena.spill(arena.start + (1 << 24) + 8, tmp_path) == 1 << 24
    arena.spill(arena.start + 8 * count - 8, tmp_path)
    assert arena.start + 8 * count - 4096 <= arena.spilled < arena.start + 8 * count
    assert before - resident() > 30 << 20
    assert words[0] == 0 and words[511] == 511
    assert words[::1009] == list(range(0, count, 1009))
    assert before - resident() < 10 << 20
    arena.forget()
    assert before - resident() > 30 << 20
    words[count - 1] = 5
    assert words[count - 1] == 5
    assert os.pread(arena.descriptor, 16, abi.DISK_OFFSET + (1 << 24)) == bytes(words_at(arena.start + (1 << 24), 2))
    assert not list(tmp_path.iterdir())


def test_less_than_a_page_is_not_spilled(tmp_path: Path) -> None:
    arena = Arena(1 << 16)
    assert arena.spill(arena.start + 4095, tmp_path) == 0
    assert arena.spilled == arena.start


def test_a_failing_spill_leaves_the_memory_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "TemporaryFile", lambda **_: Path("/dev/full").open("r+b", buffering=0))  # noqa: SIM115
    arena = Arena(1 << 16)
    words_at(arena.start, 4)[:] = [1, 2, 3, 4]
    with pytest.raises(OSError, match=r".+"):
        arena.spill(arena.end, tmp_path)
    words = words_at(arena.start, 4)
    words[0] = 9
    assert list(words) == [9, 2, 3, 4]


@pytest.mark.parametrize("workers", [1, 2, 16])
def test_tables_have_room_for_what_is_not_counted_yet(workers: int) -> None:
    shared = (c_uint64 * abi.SHARED_WORDS)()
    tables = Tables(shared, workers)
    for number in (0, 5, 63, 5, 5, 5, 5):
        base, shift, limit = tables.larger(number)
        assert base % 64 == 0
        assert limit + (abi.TALLY * workers if workers > 1 else 0) < 1 << (64 - shift)
        size = tables.size
        tables.moved(number)
        assert tables.size > size
    for at in range(abi.SHARED_SHARDS, abi.SHARED_WORDS, 4):
        assert 0 < shared[at + abi.SHARD_LIMIT] < 1 << (64 - shared[at + abi.SHARD_SHIFT])
    tables.release()


def test_what_tables_need_is_what_becomes_real() -> None:
    shared = (c_uint64 * abi.SHARED_WORDS)()
    tables = Tables(shared, 1, 15)  # 16 MB: eight tables in a huge page, and four once they have grown
    assert tables.need([0]) == tables.need([0, 1, 2, 3]) == HUGE
    assert tables.need([3, 4]) == tables.need([63, 0]) == 2 * HUGE
    for number in (1, 8):
        tables.larger(number)
        tables.moved(number)
    assert tables.need([0, 2, 3, 9]) == 0
    assert tables.need([0, 4, 5]) == HUGE
    tables.release()
    small = Tables(shared, 1, 10)
    assert small.need([0, 1]) == 2 * (8 << 12)
    small.release()


def test_small_tables_are_real_before_shards_move_there(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[int, int]] = []
    monkeypatch.setattr(Region, "populate", lambda self, start, end: asked.append((start, end)))
    for bits, numbers in ((7, [3, 4, 9]), (15, [0, 1])):
        tables = Tables((c_uint64 * abi.SHARED_WORDS)(), 1, bits)
        first, *_, last = (tables.larger(number)[0] for number in numbers)
        tables.populate(numbers)
        expected = [(first, last + (8 << 9))] if bits == 7 else []
        assert asked == expected, "those with huge pages are left to whoever writes there"
        asked.clear()
        tables.release()


@pytest.mark.skipif(not has_populate(), reason="needs Linux 5.14, which makes pages real when asked to")
def test_pages_are_real_when_they_were_asked_for() -> None:
    region = Region(64 * mmap.PAGESIZE)
    before = resident()
    region.populate(region.start + 8, region.end - 8)  # whole pages, in part or not
    assert resident() - before >= 60 * mmap.PAGESIZE
    assert sum(words_at(region.start, 512)) == 0
    region.release()


def test_shards_that_are_about_as_full_grow_together() -> None:
    shared = (c_uint64 * abi.SHARED_WORDS)()
    tables = Tables(shared, 1)
    limit = shared[abi.SHARED_SHARDS + abi.SHARD_LIMIT]
    for number, count in ((3, limit), (4, limit - 1), (5, limit // 4)):
        shared[abi.SHARED_SHARDS + 4 * number + abi.SHARD_COUNT] = count
    assert tables.due(3) == [3, 4]


@pytest.mark.parametrize("workers", [2, 64])
def test_what_workers_have_not_counted_yet_makes_no_difference_to_that(workers: int) -> None:
    shared = (c_uint64 * abi.SHARED_WORDS)()
    tables = Tables(shared, workers, 12)
    limit = shared[abi.SHARED_SHARDS + abi.SHARD_LIMIT]
    for number, count in ((3, limit), (4, limit - abi.TALLY - 50), (5, limit // 2 - 1)):
        shared[abi.SHARED_SHARDS + 4 * number + abi.SHARD_COUNT] = count
    assert tables.due(3) == [3, 4], "and one that is not half full stays as it is"
    tables.release()


@pytest.mark.parametrize("workers", [1, 2])
def test_tables_grow_fourfold_up_to_a_size(workers: int) -> None:
    """Whatever they begin with, they have that size once, and double from there on."""
    shared = (c_uint64 * abi.SHARED_WORDS)()
    tables = Tables(shared, workers, fourfold=11)
    sizes = [64 - shared[abi.SHARED_SHARDS + abi.SHARD_SHIFT]]
    while sizes[-1] < 13:
        _, shift, _ = tables.larger(0)
        sizes.append(64 - shift)
        tables.moved(0)
    tables.release()
    assert sizes[-3:] == [11, 12, 13]
    assert sizes == ([6, 8, 10, 11, 12, 13] if workers == 1 else [9, 11, 12, 13])
