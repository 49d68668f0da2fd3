"""What can be done with an adapter, and what makes one."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum

from checker.conformance.adapter import Adapter
from checker.model.machine import Machine

Make = Callable[[Machine], Adapter]


class Mode(Enum):
    """One of the ways of holding an implementation to its spec."""

    REPLAY = "replay"
    PROBE = "probe"
    SCENES = "scenes"
    WALKS = "walks"
    EXPLORE = "explore"
