"""Processes that make optimised code: LLVM text on their standard input, an object file as their result.

    python -m checker.native.compiling FILE

The file is complete when the process ends with 0.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from checker.native.jit import compile_object


class Compilation:
    """A process that compiles one text. `close` stops it.

    Raises:
        OSError: The system has no room for a file or for a process.
    """

    def __init__(self, text: str) -> None:
        handle, name = tempfile.mkstemp(suffix=".o")
        os.close(handle)
        self._output = Path(name)
        try:
            self._process = subprocess.Popen(  # noqa: S603 - this program
                [sys.executable, "-m", "checker.native.compiling", name],
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                cwd=Path(__file__).resolve().parents[2],
            )
        except OSError:
            self._output.unlink()
            raise
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(text.encode())
            self._process.stdin.close()
        except OSError:  # it has ended already; `image` says so
            self._process.kill()

    @property
    def is_over(self) -> bool:
        """Whether it has ended, well or not."""
        return self._process.poll() is not None

    def image(self) -> bytes | None:
        """The object of one that is over; None if it failed."""
        if self._process.returncode != 0:
            return None
        try:
            return self._output.read_bytes() or None
        except OSError:
            return None

    def close(self) -> None:
        """Ends it, and removes what it has made."""
        self._process.kill()
        self._process.wait()
        self._output.unlink(missing_ok=True)


def main() -> None:
    """Compiles what stands on the standard input."""
    if hasattr(os, "nice"):
        os.nice(1)
    Path(sys.argv[1]).write_bytes(compile_object(sys.stdin.buffer.read().decode(), 2))


if __name__ == "__main__":
    main()
