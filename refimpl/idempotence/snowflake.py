"""Snowflake: numbers that many nodes give out without asking one another, and none of them twice.

A number has 63 bits, so it fits a signed word of any database:

    41 bits   milliseconds since an epoch of one's own: enough for 69 years
    10 bits   the number of the node
    12 bits   a count within the millisecond

Why no number comes twice: two nodes differ in the second part, and one node in the first or the third, as long as its clock
does not go back to a millisecond in which it has given out numbers. And clocks do go back: an operator sets them, a time
service corrects them, a virtual machine is moved. So three rules make it right, and each is a line or two below:

- A node whose clock is behind its last number gives out nothing until the clock has passed it.
- A count that is used up has to wait for the next millisecond. To begin it again would repeat numbers, and to let it grow would
  take the numbers of another node.
- A process that is started again does not know what it has given out. So a *mark* on disk says up to which millisecond there
  may be numbers, written before the first of them gets out, and a new process gives out nothing up to there. To write each
  millisecond would take longer than one, so the mark is set ahead of the clock. A restart takes that long at most, and costs
  numbers, of which there are enough.

What it relies on and cannot see: that no two nodes have the same number, and that the mark is not lost with its disk. Who gives
out numbers of nodes (a configuration, a lease in a database) has to see to the first.

Numbers that are made later on one node are larger. Those of different nodes are in order as far as their clocks agree.

A node is for one thread at a time. Source: R. King, "Announcing Snowflake", 2010.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from refimpl.runtime.interface import Disk

EPOCH = 1_767_225_600_000
"""Milliseconds from 1970 to the beginning of 2026."""


@dataclass(frozen=True, slots=True)
class Layout:
    """How many bits the parts of a number have."""

    node: int = 10
    count: int = 12
    milliseconds: int = 41

    def join(self, milliseconds: int, node: int, count: int) -> int:
        """A number of its parts."""
        return (milliseconds << self.node | node) << self.count | count

    def split(self, number: int) -> tuple[int, int, int]:
        """The parts of a number: milliseconds since the epoch, node, count."""
        rest, count = divmod(number, 1 << self.count)
        milliseconds, node = divmod(rest, 1 << self.node)
        return milliseconds, node, count


class NotNow(Exception):
    """There is no number at the moment. `wait` is for how many milliseconds at least."""

    def __init__(self, wait: int) -> None:
        super().__init__(f"no number for another {wait} ms")
        self.wait = wait


class Mark(Protocol):
    """Up to which millisecond numbers may have been given out, where a crash does not lose it."""

    def read(self) -> int | None:
        """The mark; None if there never was one."""

    def write(self, milliseconds: int) -> None:
        """Sets it, and returns once that is safe."""


class DiskMark:
    """A mark in a file."""

    def __init__(self, disk: Disk, file: str = "mark") -> None:
        self._disk = disk
        self._file = file

    def read(self) -> int | None:
        text = self._disk.read(self._file)
        return int(text) if text else None

    def write(self, milliseconds: int) -> None:
        self._disk.write(self._file, b"%d\n" % milliseconds)
        self._disk.sync(self._file)


def wall_clock() -> int:
    """Milliseconds since 1970, as this machine believes."""
    return time.time_ns() // 1_000_000


class Node:
    """Gives out numbers.

    Args:
        number: that of the node, which no other node may have.
        mark: its memory.
        clock: milliseconds since 1970.
        ahead: for how many milliseconds the mark is set in advance: how long a restart may take, at most.
        layout: that of all nodes.
        epoch: that of all nodes, in milliseconds since 1970.

    Raises:
        ValueError: the number of the node does not fit the layout.
    """

    def __init__(
        self,
        number: int,
        mark: Mark,
        clock: Callable[[], int] = wall_clock,
        *,
        ahead: int = 1000,
        layout: Layout = Layout(),
        epoch: int = EPOCH,
    ) -> None:
        if not 0 <= number < 1 << layout.node:
            raise ValueError(f"{number} is no number of a node: there are {1 << layout.node}, from 0 on")
        self._number = number
        self._mark = mark
        self._clock = clock
        self._ahead = ahead
        self._layout = layout
        self._epoch = epoch
        self._marked = mark.read()
        self.last: int | None = self._marked
        """The millisecond of the last number, since the epoch; or the mark, if an earlier process may have come so far."""
        self.next = 0 if self._marked is None else self._counts
        """The count of the next number in it."""

    def take(self) -> int:
        """Gives out a number.

        Raises:
            NotNow: there is none at the moment: the clock was set back, or the millisecond is used up.
            OverflowError: the clock is before the epoch, or too far behind it for a number.
        """
        now = self._clock() - self._epoch
        if not 0 <= now < 1 << self._layout.milliseconds:
            raise OverflowError(f"{now} ms since the epoch do not fit a number of {self._layout.milliseconds} bits")
        if self.last is not None and now < self.last:
            raise NotNow(self.last - now)
        if now == self.last and self.next >= self._counts:
            raise NotNow(1)
        if now != self.last:
            self._begin(now)
        self.next += 1
        return self._layout.join(now, self._number, self.next - 1)

    def take_soon(self, patience: float = 1.0, sleep: Callable[[float], object] = time.sleep) -> int:
        """Gives out a number, and waits for it if that takes no longer than so many seconds in all.

        Raises:
            NotNow: it would.
        """
        while True:
            try:
                return self.take()
            except NotNow as problem:
                seconds = problem.wait / 1000
                if seconds > patience:
                    raise
                patience -= seconds
                sleep(seconds)

    @property
    def _counts(self) -> int:
        """How many numbers a millisecond has."""
        return 1 << self._layout.count

    def _begin(self, now: int) -> None:
        """The first number of a millisecond is about to be given out."""
        if self._marked is None or now > self._marked:
            self._marked = now + self._ahead
            self._mark.write(self._marked)
        self.last, self.next = now, 0
