"""Memory for states: ranges of addresses that stay where they are while what stands there comes and goes.

Native code works with plain addresses, so nothing may ever move. A `Region` reserves far more addresses than will be needed
(a terabyte costs nothing) and the system gives a page when it is first written. Ranges are private anonymous memory, not
`mmap.mmap(-1, n)`, which is shared memory and never gets huge pages: these make a random access up to twice as fast, as
hardly any of them has to look its page up. A small search would pay for a huge page with the time to clear it, so they are asked
for only where there will be a lot.

An `Arena` is written once, from its beginning on, and then only read. Its oldest part may leave memory and keep its addresses:
`spill` writes it to a file and maps the file in its place. What is read there in order comes and goes with little ado. Who reads
here and there reads the file instead (`kernels.records`), which leaves nothing behind in this process.

`Tables` is the memory of the visited set. Its shards of one size lie side by side, in one region for each size, and a shard
that has moved into a larger table gives its old one back at once; the small ones go back together, when the last has moved.
"""

from __future__ import annotations

import ctypes
import functools
import mmap
import os
import sys
import tempfile
from collections.abc import Callable
from ctypes import Array, c_char, c_uint64
from fractions import Fraction
from pathlib import Path
from typing import IO

from checker.native.abi import (
    DISK_OFFSET,
    SHARD_BASE,
    SHARD_COUNT,
    SHARD_LIMIT,
    SHARD_SHIFT,
    SHARDS,
    SHARED_SHARDS,
    TALLY,
)

HUGE = 1 << 21
"""Bytes of a huge page, and what a large region is aligned to."""

SPARSE, DENSE = Fraction(2, 3), Fraction(3, 4)
"""How full tables get. Where a slot is a state, few lines may be full; where it refers to one, looking that up takes longer than
to look into a second line, and less memory counts for more."""

FOURFOLD = 12, 16
"""Up to two to the power of this many slots, tables grow fourfold, which moves entries a third as often: up to 2 MB of all tables
together, or where nobody limits the memory, up to 32 MB. Larger ones double, to take no more than twice what they need."""

GROW_SLOTS = 1 << 20
"""About how many slots each worker moves in one go: some milliseconds' worth."""

_CHUNK = 1 << 24
_NORESERVE = getattr(mmap, "MAP_NORESERVE", 0x4000 if sys.platform == "linux" else 0)
_FIXED = 0x10
_ADVISE_DONTNEED = getattr(mmap, "MADV_DONTNEED", 4)
_ADVISE_POPULATE = 23
"""MADV_POPULATE_WRITE. A system older than Linux 5.14 refuses it, and pages come when they are written."""
_ADVISE_HUGE = getattr(mmap, "MADV_HUGEPAGE", None)
_FAILED = ctypes.c_void_p(-1).value


def words_at(address: int, count: int) -> Array[c_uint64]:
    """The words at an address, to read and to write."""
    return (c_uint64 * count).from_address(address)


class Region:
    """A range of addresses, all 0 at first."""

    def __init__(self, size: int, least: int | None = None) -> None:
        """Reserves a range.

        Args:
            size: Bytes that are wanted.
            least: What will do where the system refuses that much; `size` if omitted.

        Raises:
            MemoryError: The system refuses even the least.
        """
        least = size if least is None else least
        self._mapped = (0, 0)
        while True:
            size = _up(size, mmap.PAGESIZE)
            slack = HUGE if size >= HUGE else 0
            start = _libc().mmap(
                None, size + slack, mmap.PROT_READ | mmap.PROT_WRITE, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | _NORESERVE,
                -1, 0,
            )  # fmt: skip
            if start != _FAILED:
                break
            if size // 2 < least:
                raise MemoryError(f"the system refuses {size} bytes of address space")
            size //= 2
        self._mapped = (start, size + slack)
        self.start: int = _up(start, HUGE) if slack else start
        self.end: int = self.start + size

    def use_huge_pages(self, start: int | None = None) -> None:
        """Asks for huge pages from an address on, where the system has them."""
        start = self.start if start is None else start
        if _ADVISE_HUGE is not None and self.end - start >= HUGE:
            _libc().madvise(start, self.end - start, _ADVISE_HUGE)

    def discard(self, start: int, end: int) -> None:
        """Gives the whole pages of a range back. They read as 0 afterwards."""
        start, end = _up(start, mmap.PAGESIZE), end // mmap.PAGESIZE * mmap.PAGESIZE
        if start < end and sys.platform == "linux":
            _libc().madvise(start, end - start, _ADVISE_DONTNEED)

    def populate(self, start: int, end: int) -> None:
        """Has the system put real pages where there are none yet, as if somebody had written there. What stands there stays."""
        start, end = start // mmap.PAGESIZE * mmap.PAGESIZE, min(end, self.end)
        if self._mapped[1] and start < end and sys.platform == "linux":
            _libc().madvise(start, end - start, _ADVISE_POPULATE)

    def release(self) -> None:
        """Gives everything back. No address of the region may be used any more."""
        if self._mapped[1]:
            _libc().munmap(*self._mapped)
        self._mapped = (0, 0)

    def __del__(self) -> None:
        self.release()


class Arena(Region):
    """A region that is written once, from its beginning on, the oldest part of which may be on disk."""

    def __init__(self, size: int, least: int | None = None) -> None:
        self._file: IO[bytes] | None = None
        super().__init__(size, least)
        self.spilled = self.start
        """Where the part ends that is on disk."""

    @property
    def descriptor(self) -> int:
        """The file with that part, each byte `DISK_OFFSET` further than in the arena. 0 where there is none."""
        return 0 if self._file is None else self._file.fileno()

    def spill(self, end: int, directory: Path) -> int:
        """Moves what stands in memory before an address to a file that vanishes with the process, in whole pages.

        Args:
            end: The address. All before it has been written.
            directory: Where the file is made, the first time.

        Returns:
            How many bytes were moved.

        Raises:
            OSError: The file cannot be written. The memory is as it was.
        """
        start, end = self.spilled, end // mmap.PAGESIZE * mmap.PAGESIZE
        if start >= end:
            return 0
        if self._file is None:
            self._file = tempfile.TemporaryFile(dir=directory, buffering=0)  # noqa: SIM115 - it lives as long as the arena
        file, before = self.descriptor, DISK_OFFSET - self.start
        at = start
        while at < end:
            part = (c_char * min(_CHUNK, end - at)).from_address(at)
            at += os.pwrite(file, part, before + at)
        flags = mmap.MAP_SHARED | _FIXED
        if _libc().mmap(start, end - start, mmap.PROT_READ, flags, file, before + start) != start:
            raise OSError(ctypes.get_errno(), "the file cannot be mapped")
        self.spilled = end
        return end - start

    def forget(self) -> None:
        """What is on disk and was read again leaves memory."""
        self.discard(self.start, self.spilled)

    def release(self) -> None:
        super().release()
        if self._file is not None:
            self._file.close()


class Tables:
    """The memory of the shards. `shared` is the block with their four words each."""

    def __init__(
        self,
        shared: Array[c_uint64],
        workers: int,
        bits: int = 6,
        fill: Fraction = SPARSE,
        prepare: Callable[[Region], None] | None = None,
        fourfold: int = FOURFOLD[0],
    ) -> None:
        """Lays out small tables.

        Args:
            shared: As above.
            workers: How many there are.
            bits: Of the slots of a table, at least.
            fill: How much of a table may be taken.
            prepare: Is told of each region that all shards will move to.
            fourfold: Up to so many bits tables grow fourfold, then they double.
        """
        self._shared = shared
        self._prepare = prepare
        self._fill = fill
        self._fourfold = fourfold
        self._workers = workers
        while (1 << bits) // 4 < TALLY * workers and workers > 1:  # room for what workers have not counted yet
            bits += 1
        self._regions: dict[int, Region] = {}
        self._inhabitants: dict[int, int] = {}
        self._real: set[tuple[int, int, int]] = set()
        self._bits = [bits] * SHARDS
        for number in range(SHARDS):
            at = SHARED_SHARDS + 4 * number
            shared[at + SHARD_BASE] = self._base(number, bits)
            shared[at + SHARD_SHIFT] = 64 - bits
            shared[at + SHARD_COUNT] = 0
            shared[at + SHARD_LIMIT] = self._limit(bits)
        self._inhabitants[bits] = SHARDS

    @property
    def size(self) -> int:
        """Bytes of all tables."""
        return sum(8 << bits for bits in self._bits)

    def due(self, number: int) -> list[int]:
        """The shards that are to grow when one of them has to: some of those that are about as full.

        They fill up at about the same time, and growing several together spares workers many stops; growing all of them
        would be a pause that a user notices.
        """
        found = [number]
        size = 1 << self._bits[number]
        most = max(GROW_SLOTS // size, 1) * self._workers
        uncounted = 2 * TALLY * self._workers if self._workers > 1 else 0  # about what two shards may differ by
        for other in range(SHARDS):
            count, limit = (self._shared[SHARED_SHARDS + 4 * other + word] for word in (SHARD_COUNT, SHARD_LIMIT))
            missing = limit if self._bits[other] <= 10 else max(limit // 32, uncounted)
            enough = limit - min(missing, limit // 2)
            if other != number and len(found) < most and count >= enough:
                found.append(other)
        return found

    def larger(self, number: int) -> tuple[int, int, int]:
        """Address, shift and limit of a larger, empty table for a shard.

        Raises:
            MemoryError: The system refuses it.
        """
        bits = self._larger(number)
        return self._base(number, bits), 64 - bits, self._limit(bits)

    def need(self, numbers: list[int]) -> int:
        """How many bytes become real with larger tables for some shards: the pages in which nobody has a table yet."""
        wanted = [page for number in numbers for page in self._pages(number, self._larger(number))]
        return sum(size for _, _, size in {*wanted} - self._real)

    def populate(self, numbers: list[int]) -> None:
        """Has the system make the larger tables of some shards real, where they are too small for huge pages."""
        for bits in {self._larger(number) for number in numbers}:
            if not _is_large(8 << bits):
                bases = [self._base(number, bits) for number in numbers if self._larger(number) == bits]
                self._regions[bits].populate(min(bases), max(bases) + (8 << bits))

    def moved(self, number: int) -> None:
        """A shard has moved into its larger table: gives the old one back."""
        old, new = self._bits[number], self._larger(number)
        self._bits[number] = new
        self._inhabitants[new] = self._inhabitants.get(new, 0) + 1
        self._inhabitants[old] -= 1
        self._real |= {*self._pages(number, new)}
        if self._inhabitants[old] == 0:
            self._regions.pop(old).release()
            self._real = {page for page in self._real if page[0] != old}
        elif _is_large(8 << old):
            start = self._base(number, old)
            self._regions[old].discard(start, start + (8 << old))

    def release(self) -> None:
        """Gives everything back."""
        for region in self._regions.values():
            region.release()
        self._regions.clear()

    def _larger(self, number: int) -> int:
        bits = self._bits[number]
        return bits + (2 if bits + 2 <= self._fourfold else 1)

    def _base(self, number: int, bits: int) -> int:
        size = 8 << bits
        if bits not in self._regions:
            region = self._regions[bits] = Region(SHARDS * size)
            if _is_large(size):
                region.use_huge_pages()
                if self._prepare is not None:
                    self._prepare(region)
        return self._regions[bits].start + number * size

    def _pages(self, number: int, bits: int) -> list[tuple[int, int, int]]:
        """What a table takes: for each page the bits of its region, its number and its size. Small tables count as a page."""
        size = 8 << bits
        unit = HUGE if _is_large(size) else size
        return [(bits, page, unit) for page in range(number * size // unit, -(-(number + 1) * size // unit))]

    def _limit(self, bits: int) -> int:
        """Most entries, less what may be there without being counted."""
        slots = 1 << bits
        return int(slots * self._fill) - (TALLY * self._workers if self._workers > 1 else 0)


def _is_large(table: int) -> bool:
    """Whether a region of tables of so many bytes has huge pages."""
    return SHARDS * table >= 2 * HUGE


def _up(value: int, unit: int) -> int:
    return -(-value // unit) * unit


@functools.cache
def _libc() -> ctypes.CDLL:
    library = ctypes.CDLL(None, use_errno=True)
    library.mmap.restype = ctypes.c_void_p
    library.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t, *[ctypes.c_int] * 3, ctypes.c_long]
    library.munmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t]
    library.madvise.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]
    return library
