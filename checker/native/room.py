"""Room in memory: what a search may use, and what goes to disk so that it can go on.

A limit holds for the resident memory of the whole process. Most of it is the visited set, which cannot leave; the
rest is states in arenas, which nobody changes once they are written. So when the limit is reached, the oldest states go to
disk, as many as are in the way: first those of finished levels, at last all of them. Half of all successors that are known
already were found among the last few hundredths of all states, so most of what is asked for stays. Addresses stay
valid, and what is read again in order, to be expanded or written, comes back by itself as a page of a file (`memory`), from
which the process can part at any time (`Explorer.forget`).

What may be written without asking again, and has not been, counts as used. Moving states takes time, so it is done in
pieces, and between two of them somebody may want to stop.

A search that keeps hashes instead of states (`table_kind` FINGERPRINT) reads old states for a path alone, so they
leave memory as soon as there are some, limit or not.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from tempfile import gettempdir

from checker.engine.memory import resident
from checker.native.explorer import Explorer
from checker.native.memory import HUGE

PIECE = 1 << 25
"""The most bytes that go to disk at a time."""

LEAST = 1 << 20
"""A search may always have so many bytes, however little is allowed."""


class Room:
    """The memory that one search may have."""

    def __init__(
        self,
        most: int | None,
        directory: Path,
        tell: Callable[[str], None],
        stopping: Callable[[], bool],
        *,
        eager: bool = False,
    ) -> None:
        """Says how much there is.

        Args:
            most: Bytes of resident memory; None for as much as there is.
            directory: Where states go.
            tell: Is told what cannot be done.
            stopping: Whether the search is to stop.
            eager: States go to disk although there is room.
        """
        self.most = most
        self._directory = directory
        self._tell = tell
        self._stopping = stopping
        self._eager = eager
        self._failed = False

    @property
    def chunk(self) -> int:
        """By how much an arena may grow at once, so that its last growth does not end the search long before the limit."""
        return PIECE if self.most is None else max(min(PIECE, self.most // 64), 1 << 16)

    def may_grow(self, explorer: Explorer, size: int) -> bool:
        """Whether there is room for so many more bytes, which is made if there is none."""
        if self.most is None or explorer.memory + size <= LEAST or self._missing(explorer, size) <= 0:
            return True
        return self._make_room(explorer, size)

    def keep(self, explorer: Explorer) -> bool:
        """Looked at after each round: whether the search still keeps within its limit."""
        if self._eager and explorer.unspilled >= PIECE:
            self._spill(explorer, PIECE, everything=True)
            explorer.forget()
        if self.most is None or explorer.memory <= LEAST or resident() <= self.most:
            return True
        return self._make_room(explorer, 0)

    def _missing(self, explorer: Explorer, size: int) -> int:
        """How many bytes are in the way of so many more; not above 0 if there is room for them."""
        assert self.most is not None
        return resident() + explorer.slack + size - self.most

    def _make_room(self, explorer: Explorer, size: int) -> bool:
        explorer.forget()
        for everything in (False, True):
            while (missing := self._missing(explorer, size)) > 0:
                whole = -(-missing // HUGE) * HUGE  # part of a huge page could leave, too, but nobody else would get it
                if self._stopping() or not self._spill(explorer, min(whole, PIECE), everything=everything):
                    break
        return self._missing(explorer, size) <= 0

    def _spill(self, explorer: Explorer, most: int, *, everything: bool) -> int:
        """Moves a piece, and gives its size."""
        if self._failed:
            return 0
        try:
            return explorer.spill(self._directory, everything=everything, most=most)
        except OSError as problem:
            self._failed = True
            reason = problem.strerror or str(problem)
            self._tell(f"states cannot go to disk, so they stay in memory: {self._directory}: {reason}")
            return 0


def spill_directory() -> Path:
    """Where states go: what TMPDIR names, or /var/tmp, since /tmp is often memory.

    Where nothing can be written, that is found when something has to go.
    """
    persistent = Path("/var/tmp")  # noqa: S108 - the files in it have no name
    if "TMPDIR" not in os.environ and persistent.is_dir() and os.access(persistent, os.W_OK):
        return persistent
    try:
        return Path(gettempdir())
    except FileNotFoundError:
        return persistent
