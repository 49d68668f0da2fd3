"""Functions in the kernel language, one for each construct; `test_translate.py` runs them in both forms."""

from __future__ import annotations

from checker.engine.liveness.cells import Cells
from checker.native.abi import REF_BITS
from checker.native.words import (
    add64,
    cas64,
    count_bits,
    entry,
    external,
    fetch_add,
    inline,
    load8,
    load64,
    load_atomic,
    lowest_bit,
    match_line,
    mul64,
    mulhi,
    prefetch,
    rare,
    read_file,
    store8,
    store64,
    sub64,
)

ODD = 0x9E3779B97F4A7C15
TOP = (1 << 64) - 1 - ((1 << 63) - 1)


@external
def width() -> int:
    return 3


@entry
def arithmetic(a: int, b: int) -> int:
    """Every operator, where the order matters."""
    total = (a & 0xFFFF) + (b & 0xFFFF) * 3
    total += a >> 40
    total ^= b // 7
    total |= (a % 1000) << 3
    total *= 2
    total -= total & 1
    total &= (1 << 50) - 1
    return total


@entry
def wrapping(a: int, b: int) -> int:
    return mul64(a, ODD) ^ mulhi(b, ODD) ^ add64(a, b) ^ sub64(a, b) ^ TOP


@entry
def comparisons(a: int, b: int) -> int:
    found = (a < b) | (a <= b) << 1 | (a > b) << 2 | (a >= b) << 3
    return found | (a == b) << 4 | (a != b) << 5 | (not a < b) << 6


@entry
def logic(a: int, b: int) -> int:
    """`and` and `or` evaluate no more than they have to: a division by zero would kill the process."""
    score = 0
    if b != 0 and a // b > 3:
        score += 1
    if b == 0 or a % b == 0:
        score += 2
    if not (a == 0 or b == 0) and (a & 1 == 1 or b & 1 == 1):
        score += 4
    both = a > 5 and b > 5
    either = a > 9 or not b > 9
    return score | both << 4 | either << 5


@entry
def choices(a: int, b: int) -> int:
    c = a // b if b != 0 else 77
    d = 1 if a else 2 if b else 3
    return (c % 1000 * 10 + d) * 2 + min(a, b) % 5 + max(a, b) % 7


@entry
def loops(a: int, b: int) -> int:
    total = 0
    i = 0
    while i < a % 50:
        i += 1
        if i == 3:
            continue
        if i == 40:
            break
        total += i
    for j in range(b % 20):
        if j == 15:
            break
        if j % 2 == 1:
            continue
        for k in range(j, 2 * j, 3):
            total += k * (j + 1)
    while True:
        total += 1
        if total % 4 == 0:
            return total


@entry
def branches(a: int, b: int) -> int:
    if a == 0:
        return 1
    elif a == b:
        c = 2
    elif a < b:
        if b - a > 100:
            return 3
        c = 4
    else:
        c = 5
    a = c + 1
    return a * 10


@inline
def square(x: int) -> int:
    return (x & 0xFFFF) * (x & 0xFFFF)


@rare
def halve(x: int) -> int:
    half: int = x >> 1
    return half


@entry
def calls(a: int, b: int) -> int:
    total = square(a) + square(halve(b)) + width()
    if width() == 3:
        return total
    return total + 1000


@entry
def bits(a: int, b: int) -> int:
    return lowest_bit(a | 1 << 63) * 100 + count_bits(b)


@entry
def contents(file: int, p: int) -> int:
    return read_file(file, p, 20, 4) * 100 + load8(p)


@entry
def memory(p: int, v: int) -> int:
    """`p` is the address of sixteen words, aligned to a cache line."""
    for i in range(16):
        store64(p + 8 * i, v ^ i)
    store8(p + 3, v & 0xFF)
    prefetch(p)
    score = load8(p + 8) + load8(p + 3)
    score = score * 2 + cas64(p + 16, v ^ 2, 5)
    score = score * 2 + cas64(p + 16, v ^ 2, 6)
    score = score * 2 + (fetch_add(p + 16, 7) == 5)
    score = score * 16 + load_atomic(p + 16)
    store64(p + 8 * 9, load64(p + 8 * 12))
    score = score << 8 | match_line(p + 64, 0, load64(p + 8 * 12))
    return score << 8 | match_line(p + 64, REF_BITS, v >> REF_BITS)


@entry
def cells(a: Cells, n: int) -> int:
    """Arrays of 32-bit cells: the sum of those before each, and of all."""
    total = 0
    for i in range(n):
        total += a[i]
        a[i] = total
    a[a[0] & 1] = a[n - 1] + 1
    return total
