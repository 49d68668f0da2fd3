"""What a compiled spec defines: the functions that the kernels call. `abi` says what each of them does.

The bodies are for CPython alone, and `entries.interpreted` puts others in their place.
"""

from __future__ import annotations

from checker.native.abi import INDIRECT
from checker.native.words import external


@external
def fixed_words() -> int:
    """The number of words of every state, or 0."""
    return 0


@external
def memo_words() -> int:
    """How many words are noted about a state."""
    return 0


@external
def table_kind() -> int:
    """INLINE, INDIRECT or FINGERPRINT."""
    return INDIRECT


@external
def has_bound() -> int:
    """Whether `inside` has to be asked."""
    return 0


@external
def has_steps() -> int:
    """Whether `transition` has to be asked."""
    return 0


@external
def has_peers() -> int:
    """Whether there may be several workers."""
    return 1


@external
def resumes() -> int:
    """Whether there may be states of an earlier search to take over."""
    return 1


@external
def expand(ctx: int, state: int, out: int) -> int:
    """Writes the successors of a state; see `abi`."""
    return out + 0 * ctx * state


@external
def inside(ctx: int, state: int) -> int:
    """Whether a state lies within the bound."""
    return 1 + 0 * ctx * state


@external
def visit(ctx: int, state: int) -> int:
    """Judges a new state; 1 if there is something to report."""
    return 0 * ctx * state


@external
def transition(ctx: int, old: int, new: int) -> int:
    """Judges a step; 1 if there is something to report."""
    return 0 * ctx * old * new
