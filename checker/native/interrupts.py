"""Ctrl-C as a question that is answered between two rounds.

Python raises `KeyboardInterrupt` wherever it happens to be: between a kernel's report and the code that reads it,
say, and then what was found is lost. So while a search runs, the first Ctrl-C only sets a flag, which the search
looks at some hundred times a second. The second one is raised as ever, in case something takes long after all.

Whoever has a handler of their own keeps it, and so does a search in another thread than the main one, where there is
nothing to catch.
"""

from __future__ import annotations

import signal
import threading
from types import FrameType, TracebackType
from typing import Self


class Interrupts:
    """A context in which `asked` says whether there was a Ctrl-C."""

    def __init__(self) -> None:
        self.asked = False
        self._installed = False

    def __enter__(self) -> Self:
        main = threading.current_thread() is threading.main_thread()
        if main and signal.getsignal(signal.SIGINT) is signal.default_int_handler:
            signal.signal(signal.SIGINT, self._ask)
            self._installed = True
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, where: TracebackType | None
    ) -> None:
        if self._installed:
            signal.signal(signal.SIGINT, signal.default_int_handler)
            self._installed = False

    def _ask(self, number: int, frame: FrameType | None) -> None:
        if self.asked:
            raise KeyboardInterrupt
        self.asked = True
