"""SIGTERM and SIGHUP end a check as Ctrl-C does: with what was covered, and nothing left behind.

A supervisor that gives up (`timeout`, a cancelled job) sends SIGTERM, a terminal that is closed SIGHUP, and by default both end
the process where it stands: no result is shown, no checkpoint is finished, and the processes that make optimised code go on.
So they are turned into the interrupt that everything here is prepared for. A signal that is ignored (`nohup`), or that somebody
handles already, is left alone; handlers are those of the main thread.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


@contextmanager
def ended_like_an_interrupt() -> Iterator[None]:
    """A context in which those signals are interrupts."""
    heard = []
    if threading.current_thread() is threading.main_thread():
        numbers = [getattr(signal, name, None) for name in ("SIGTERM", "SIGHUP")]  # not every system has them
        heard = [n for n in numbers if n is not None and signal.getsignal(n) is signal.SIG_DFL]
    for number in heard:
        signal.signal(number, _interrupt)
    try:
        yield
    finally:
        for number in heard:
            signal.signal(number, signal.SIG_DFL)


def _interrupt(number: int, frame: FrameType | None) -> None:
    signal.raise_signal(signal.SIGINT)
