"""Python's collector of reference cycles, switched off for a while.

Syntax trees are many nodes and histories millions of small lists, all without a cycle of references. Each round of the collector
would go over all of them: it takes longer than the parsing, and a third of the time of reading and judging a long history.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def no_collector() -> Iterator[None]:
    """For the time of a `with`; nothing else changes, as reference counts free what is not in a cycle."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()
