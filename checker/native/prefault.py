"""Pages that are asked for before they are written.

What a search writes for the first time has to come from the system, which clears it: a fifth of a millisecond for each huge page,
and five in a virtual machine whose host has taken back what was free. A worker that waits for them takes up to half as long
again. So where a processor is idle, a thread asks for the huge pages that workers will come to next. It writes nothing, and
whether it is early or late changes nothing but the time.

Two kinds of memory are known in advance: the next pages of an arena, as it is written from its beginning on, and all of a
region of tables as soon as one shard has moved there, as the others are about as full. What was asked for last is needed first.
"""

from __future__ import annotations

import os
import queue
import threading

from checker.native.memory import HUGE, Arena, Region

AHEAD = 4 * HUGE
"""How far ahead of what is written in an arena: what a worker writes in some rounds, even if a page takes milliseconds."""


def idle_processors(workers: int) -> int:
    """How many processors this process may use besides those of its workers."""
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(usable - workers, 0)


class Prefault:
    """The thread, which is started when there is something to do."""

    def __init__(self) -> None:
        self._pages: queue.LifoQueue[tuple[Region, int] | None] = queue.LifoQueue()
        self._thread: threading.Thread | None = None
        self._asked: dict[int, int] = {}
        """For each arena, by where it begins, up to where its pages have been asked for."""

    def following(self, arena: Arena, after: int) -> int:
        """Asks for the pages of an arena that come next.

        Args:
            arena: Is written from its beginning on.
            after: Where the next state goes.

        Returns:
            The address up to which the arena should be ready: `after`, or about twice as far as it is written.
        """
        first, upto = (-(-address // HUGE) * HUGE for address in (after, after + min(after - arena.start, AHEAD)))
        start, upto = max(self._asked.get(arena.start, 0), first), min(upto, arena.end)
        if start >= upto:
            return after
        self._ask(arena, start, upto)
        self._asked[arena.start] = upto
        return upto

    def whole(self, region: Region) -> None:
        """Asks for all pages of a region, the first one first."""
        self._ask(region, region.start, region.end)

    def close(self) -> None:
        """Ends the thread. To be called before regions are released."""
        if self._thread is not None:
            self._pages.put(None)
            self._thread.join()

    def _ask(self, region: Region, start: int, end: int) -> None:
        if self._thread is None:
            self._thread = threading.Thread(target=self._serve, name="pages", daemon=True)
            self._thread.start()
        for page in reversed(range(start, end, HUGE)):
            self._pages.put((region, page))

    def _serve(self) -> None:
        while (wanted := self._pages.get()) is not None:
            region, page = wanted
            region.populate(page, page + HUGE)
