"""The intrinsics of the kernel language: what a kernel can do besides arithmetic, on real memory.

Kernels (`kernels`, `support`) are Python functions over unsigned words of 64 bits, and pointers are plain addresses. CPython
runs them as they stand with the functions below; the backend (`translate`) replaces each call by one or two instructions. So
a kernel can be stepped through in a debugger, and a test can hold its native form against its readable one.

Addresses are not checked. An integer that is written is cut to its lower 64 bits, but arithmetic between two writes is
Python's own: a kernel that may overflow says so with `mul64`, `add64` or a mask.

The decorators say something to the backend alone.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from ctypes import c_uint8, c_uint16, c_uint32, c_uint64, memmove
from typing import TypeVar

F = TypeVar("F", bound=Callable[..., int])

MASK = (1 << 64) - 1
LINE_WORDS = 8
"""Words in a cache line, which `match_line` looks at in one go."""

_ATOMIC = threading.Lock()


# ---- memory


def load64(p: int) -> int:
    """The word at an address, which is a multiple of 8."""
    return c_uint64.from_address(p).value


def store64(p: int, v: int) -> int:
    """Writes a word; gives 0."""
    c_uint64.from_address(p).value = v
    return 0


def load8(p: int) -> int:
    """The byte at an address."""
    return c_uint8.from_address(p).value


def store8(p: int, v: int) -> int:
    """Writes a byte; gives 0."""
    c_uint8.from_address(p).value = v
    return 0


def load16(p: int) -> int:
    """The 16 bits at an address, which is a multiple of 2."""
    return c_uint16.from_address(p).value


def store16(p: int, v: int) -> int:
    """Writes 16 bits; gives 0."""
    c_uint16.from_address(p).value = v
    return 0


def load32(p: int) -> int:
    """The 32 bits at an address, which is a multiple of 4."""
    return c_uint32.from_address(p).value


def store32(p: int, v: int) -> int:
    """Writes 32 bits; gives 0."""
    c_uint32.from_address(p).value = v
    return 0


def read_file(file: int, p: int, size: int, offset: int) -> int:
    """Reads bytes of a file, from an offset on, to an address. Gives how many, or something larger than any size."""
    try:
        data = os.pread(file, size, offset)
    except OSError:
        return MASK
    memmove(p, data, len(data))
    return len(data)


def prefetch(p: int) -> int:
    """Asks for the cache line at an address, which need not be mapped; gives 0."""
    return 0 * p


def match_line(p: int, shift: int, value: int) -> int:
    """Which of the 8 words of the cache line at `p` equal `value` when shifted right: bit i stands for word i."""
    found = 0
    for i, word in enumerate((c_uint64 * LINE_WORDS).from_address(p)):
        found |= (word >> shift == value) << i
    return found


# ---- memory that several workers share


def load_atomic(p: int) -> int:
    """The word at an address; what another worker wrote before it published this word is seen afterwards."""
    return c_uint64.from_address(p).value


def cas64(p: int, old: int, new: int) -> int:
    """Writes `new` if the word is `old`, in one step that publishes what was written before; gives 1 if it did, or 0."""
    with _ATOMIC:
        cell = c_uint64.from_address(p)
        if cell.value != old:
            return 0
        cell.value = new
        return 1


def fetch_add(p: int, n: int) -> int:
    """Adds to a word in one step, and gives what it was before."""
    with _ATOMIC:
        cell = c_uint64.from_address(p)
        old = cell.value
        cell.value = old + n
        return old


# ---- arithmetic


def mulhi(a: int, b: int) -> int:
    """The upper 64 bits of a product."""
    return (a * b) >> 64


def mul64(a: int, b: int) -> int:
    """The lower 64 bits of a product."""
    return (a * b) & MASK


def add64(a: int, b: int) -> int:
    """A sum modulo 2**64."""
    return (a + b) & MASK


def sub64(a: int, b: int) -> int:
    """A difference modulo 2**64."""
    return (a - b) & MASK


def lowest_bit(v: int) -> int:
    """The number of the lowest bit that is set in `v`, which is not 0."""
    return (v & -v).bit_length() - 1


def count_bits(v: int) -> int:
    """How many bits are set."""
    return v.bit_count()


# ---- decorators


def entry(function: F) -> F:
    """The function can be called from outside: it keeps its name and is not removed."""
    return function


def external(function: F) -> F:
    """The function is defined elsewhere, by the compiled spec; its body is for CPython alone."""
    return function


def inline(function: F) -> F:
    """The function is put where it is called, also at O0."""
    return function


def rare(function: F) -> F:
    """The function is seldom called: it is kept out of the way of what runs often."""
    return function


INTRINSICS: dict[str, int] = {
    "load64": 1,
    "store64": 2,
    "load8": 1,
    "store8": 2,
    "load16": 1,
    "store16": 2,
    "load32": 1,
    "store32": 2,
    "read_file": 4,
    "prefetch": 1,
    "match_line": 3,
    "load_atomic": 1,
    "cas64": 3,
    "fetch_add": 2,
    "mulhi": 2,
    "mul64": 2,
    "add64": 2,
    "sub64": 2,
    "lowest_bit": 1,
    "count_bits": 1,
}
"""The intrinsics with the number of their arguments."""
