"""What is done where somebody asks the program to end: SIGTERM and SIGHUP.

A supervisor that gives up (`timeout`, a cancelled job) sends SIGTERM, a terminal that is closed SIGHUP, and by default both end
the process where it stands. A signal that is ignored (`nohup`), or that somebody handles already, is left alone. Handlers are
those of the process: outside of its main thread nothing is installed, and afterwards everything is as it was before.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType


@contextmanager
def when_told_to_end(handler: Callable[[int, FrameType | None], None]) -> Iterator[None]:
    """A context in which these signals call a handler."""
    heard: list[int] = []
    if threading.current_thread() is threading.main_thread():
        numbers = [getattr(signal, name, None) for name in ("SIGTERM", "SIGHUP")]  # not every system has them
        heard = [n for n in numbers if n is not None and signal.getsignal(n) is signal.SIG_DFL]
    for number in heard:
        signal.signal(number, handler)
    try:
        yield
    finally:
        for number in heard:
            signal.signal(number, signal.SIG_DFL)


def interrupt(number: int, frame: FrameType | None) -> None:
    """A handler that makes of a signal what Ctrl-C is, for which there is an orderly end everywhere."""
    signal.raise_signal(signal.SIGINT)
