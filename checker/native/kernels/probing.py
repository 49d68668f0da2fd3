"""Tables of slots that are searched one after the other, from where a hash says, round to the first (linear probing).

Such a table has two to the power of `64 - shift` slots of `size` bytes, and always some that are free.
"""

from __future__ import annotations

from checker.native.words import inline


@inline
def first_slot(table: int, shift: int, h: int, size: int) -> int:
    """Where the search for a hash begins."""
    return table + (h >> shift) * size


@inline
def next_slot(table: int, shift: int, slot: int, size: int) -> int:
    """The slot behind another, the first one behind the last."""
    return table if slot + size == table + (size << (64 - shift)) else slot + size
