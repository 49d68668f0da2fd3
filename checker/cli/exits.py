"""The exit codes, and which of several wins.

Scripts and continuous integration read nothing else, so the codes are part of the interface and are documented in
`docs/reference/cli.md`. A run over many specs ends with the worst: an interruption says nothing about what was left out; a
wrong spec was not checked at all; then an unmet expectation; then what a limit left open.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import IntEnum


class Exit(IntEnum):
    """How the process ends."""

    MET = 0
    UNMET = 1
    WRONG = 2
    INCOMPLETE = 3
    INTERNAL = 70
    INTERRUPTED = 130
    PIPE = 141


_ORDER = (Exit.MET, Exit.INCOMPLETE, Exit.UNMET, Exit.WRONG, Exit.PIPE, Exit.INTERNAL, Exit.INTERRUPTED)


def worst(codes: Iterable[Exit]) -> Exit:
    """The code of a run with these parts."""
    return max(codes, key=_ORDER.index, default=Exit.MET)
