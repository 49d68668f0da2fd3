"""The arrays on which liveness is judged, and what stands in their bits."""

from __future__ import annotations

from typing import Protocol

NONE = 0xFFFFFFFF
"""No vertex."""

# ---- flags of vertices, the same for every property

INITIAL = 1
INNER = 2
"""Not a state, but a point inside a step, between two choices."""
COIN = 4
"""An inner point whose outcomes are left to chance."""

# ---- marks of vertices, for one property

STAY = 1
"""A bad run may be here from the moment on from which it is bad."""
START = 2
"""A run may turn bad here."""
VISIT = 4
"""A bad run is here again and again, where the property asks for that."""
UNKNOWN = 8
"""The left side of the property cannot be evaluated."""
UNKNOWN_PENDING = 16
"""Its right side cannot, which matters to bad runs alone."""
GOOD = 32
"""The state lies in a set in which a fair bad run can stay."""
LIMITED = 64
"""A `limit` refused a step of this state."""
ALONE = 128
"""The vertex is a strongly connected set of its own (`components.trim`)."""


class Cells(Protocol):
    """An array of numbers below 2**32: an `array`, or memory that native code works on."""

    def __getitem__(self, at: int, /) -> int: ...

    def __setitem__(self, at: int, value: int, /) -> None: ...
