"""Nodes end with the program that started them, also where it is asked to end.

A node is in a session of its own, so nobody else ends it: neither a terminal reaches it nor the supervisor that gives Lockstep up
(`timeout`, a cancelled job). SIGINT is turned by `asyncio.run` into a cancellation of the run, on whose way out all nodes are
ended as groups of processes. While a run is going on, SIGTERM and SIGHUP do the same here. Later ones are not heard, so that none
breaks the ending off: it takes about a second. Against SIGKILL nothing helps.
"""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Coroutine
from types import FrameType
from typing import Any, TypeVar

from checker.base.endings import when_told_to_end

T = TypeVar("T")


class Terminated(SystemExit):
    """The program was asked to end by a signal; the exit code is 128 and its number, as that of a shell."""

    def __init__(self, number: int) -> None:
        super().__init__(128 + number)
        self.signal = signal.Signals(number).name


def run_to_its_end(work: Coroutine[Any, Any, T]) -> T:
    """`asyncio.run`, from which SIGTERM and SIGHUP lead out as SIGINT does.

    Raises:
        Terminated: one of them came, and everything was ended in an orderly way.
    """
    came: list[int] = []
    # Not the result of the task: `asyncio.run` has Python write its task, with all of a result, into an error.
    result: list[T] = []

    async def main() -> None:
        loop, task = asyncio.get_running_loop(), asyncio.current_task()
        assert task is not None

        def end(number: int, _: FrameType | None) -> None:
            if not came:
                came.append(number)
                task.cancel()
                loop.call_soon_threadsafe(lambda: None)  # the loop may be asleep

        with when_told_to_end(end):
            result.append(await work)

    try:
        asyncio.run(main())
    except asyncio.CancelledError:
        if came:
            raise Terminated(came[0]) from None
        raise
    if came:  # too late to cancel anything
        raise Terminated(came[0])
    return result[0]
