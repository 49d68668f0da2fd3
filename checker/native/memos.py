"""What `expand` notes about states, for as long as anybody looks at it.

Of each state that it has expanded, `expand` leaves some words for those that were found from it, which look at them when they are
expanded themselves, a level later (`code.recall`). So there are words for two levels: the one that is expanded, which are
written, and the one before, which are read. Behind the states they would be a fifth of all memory. Each arena has two regions
of them, which change places from level to level, and a state's words are found by its number in the arena (`kernels.memos`).

They can always be missing: where there is no room for them, after states have gone to disk, so that nobody looks for them there,
or in the first level after a checkpoint. Then more steps are taken, and nothing else changes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from ctypes import Array, addressof, c_uint64

from checker.native import abi
from checker.native.memory import Region

RESERVE = 1 << 36
"""Bytes of address space for the words of a level in an arena."""


class Memos:
    """The words of one search."""

    def __init__(self, marks: Sequence[int], words: int) -> None:
        """Lays them out.

        Args:
            marks: The address of the marks of each arena.
            words: Of each state; 0 where nothing is noted.
        """
        self._size = 8 * words
        self._table: Array[c_uint64] = (c_uint64 * (abi.MEMO_WORDS * len(marks)))()
        for number, address in enumerate(marks):
            self._table[abi.MEMO_WORDS * number + abi.MEMO_MARKS] = address
        self._levels = [(0, 0) for _ in marks]
        self._regions = [[Region(RESERVE, 1 << 20) for _ in marks] for _ in range(2)] if words else []
        self._written = [[0 for _ in marks] for _ in range(2)]
        """How far each region has been written."""
        self._fresh = self._total = 0

    @property
    def address(self) -> int:
        """The table that the kernels look at."""
        return addressof(self._table)

    def turn(self, levels: Sequence[tuple[int, int]], may_grow: Callable[[int], bool]) -> None:
        """The next level begins.

        Args:
            levels: For each arena the number of its first record, and one more than that of the last.
            may_grow: Whether so many more bytes may be used. May call `release`.
        """
        sizes = [(end - first) * self._size for first, end in levels]
        written = self._written[1]
        self._total = sum(sizes)
        self._fresh = sum(max(size - before, 0) for size, before in zip(sizes, written, strict=True))
        room = bool(self._regions) and all(
            size <= region.end - region.start for size, region in zip(sizes, self._regions[1], strict=True)
        )
        room = room and (self._fresh == 0 or may_grow(self._fresh)) and bool(self._regions)
        self._regions.reverse()
        self._written.reverse()
        for number, (first, _) in enumerate(levels):
            at = abi.MEMO_WORDS * number
            self._table[at + abi.MEMO_FIRST], self._table[at + abi.MEMO_END] = self._levels[number]
            self._table[at + abi.MEMO_BEFORE] = self._table[at + abi.MEMO_NOW]
            self._table[at + abi.MEMO_NOW] = self._regions[0][number].start - self._size * first if room else 0
            self._written[0][number] = max(self._written[0][number], sizes[number] if room else 0)
        self._levels = [*levels]
        if not room:
            self._fresh = 0

    def due(self, expanded: int) -> int:
        """Bytes that may yet become real in this level, of which so many states have been expanded."""
        return max(min(self._fresh, self._total - self._size * expanded), 0)

    def release(self) -> None:
        """Gives everything back. Nothing is noted any more."""
        for region in (region for regions in self._regions for region in regions):
            region.release()
        self._regions.clear()
        self._fresh = 0
        for number in range(len(self._levels)):
            at = abi.MEMO_WORDS * number
            self._table[at + abi.MEMO_BEFORE] = self._table[at + abi.MEMO_NOW] = 0
