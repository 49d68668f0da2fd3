"""A process that makes optimised code: LLVM text on its standard input, an object file as its result.

    python -m checker.native.compiling FILE

The file is complete when the process ends with 0. It is started and stopped by `tiers`.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from checker.native.jit import compile_object


def main() -> None:
    """Compiles what stands on the standard input."""
    if hasattr(os, "nice"):
        os.nice(1)
    Path(sys.argv[1]).write_bytes(compile_object(sys.stdin.buffer.read().decode(), 2))


if __name__ == "__main__":
    main()
