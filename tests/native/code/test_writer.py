"""The writer of functions: what it computes while it writes is what LLVM would have computed."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from functools import cache
from itertools import product

import pytest

from checker.native import jit
from checker.native.code.writer import Writer, is_number, normal

WIDTHS = (1, 5, 32, 64, 100)
OPERATIONS = ("add", "sub", "mul", "and", "or", "xor", "shl", "lshr")
COMPARISONS = ("eq", "ne", "slt", "sle", "sgt", "sge", "ult", "ule", "ugt", "uge")

needs_llvm = pytest.mark.skipif(jit.unavailable() is not None, reason=jit.unavailable() or "")


def edges(width: int) -> list[int]:
    """Numbers at which something could go wrong."""
    top = 1 << width
    return sorted({n % top for n in (0, 1, 3, top // 2 - 1, top // 2, top - 2, top - 1)})


def writer() -> Writer:
    return Writer("f", "i64", [])


Case = tuple[str, int, int, int]
CASES: list[Case] = [
    (name, width, a, b)
    for width in WIDTHS
    for name in (*OPERATIONS, *COMPARISONS)
    for a, b in product(edges(width), repeat=2)
    if name not in ("shl", "lshr") or b < width
]


def plainly(code: Writer, case: Case) -> tuple[str, int]:
    """The operation on numbers that the writer does not know: loaded from memory."""
    name, width, a, b = case
    slots = [code.stack(f"i{width}") for _ in range(2)]
    for slot, value in zip(slots, (a, b), strict=True):
        code.store(normal(value, width), slot, f"i{width}")
    left, right = (code.load(slot, f"i{width}") for slot in slots)
    if name in OPERATIONS:
        return code.let(f"{name} i{width} {left}, {right}"), width
    return code.let(f"icmp {name} i{width} {left}, {right}"), 1


@cache
def computed() -> list[tuple[int, int]]:
    """What LLVM makes of all cases."""
    code = Writer("all", "i64", [("i64", "out.address")])
    code.linkage = ""
    base = code.pointer("%out.address")
    for i, case in enumerate(CASES):
        op, width = plainly(code, case)
        low = code.resize(op, width, 64)
        high = code.resize(code.let(f"lshr i{width} {op}, 64"), width, 64) if width > 64 else "0"
        code.store(low, code.word(base, 2 * i))
        code.store(high, code.word(base, 2 * i + 1))
    code.ret("0")
    text = code.text() + '\n!0 = !{!"branch_weights", i32 2000, i32 1}\n'
    linked = jit.link(jit.compile_object(text, 0), ["all"])
    memory = (ctypes.c_uint64 * (2 * len(CASES)))()
    linked.function("all", 1)(ctypes.addressof(memory))
    return [(memory[2 * i], memory[2 * i + 1]) for i in range(len(CASES))]


@needs_llvm
@pytest.mark.parametrize("width", WIDTHS)
def test_folding_equals_llvm(width: int) -> None:
    for case, (low, high) in zip(CASES, computed(), strict=True):
        name, of, a, b = case
        if of != width:
            continue
        code, left, right = writer(), normal(a, width), normal(b, width)
        result = code.op(name, width, left, right) if name in OPERATIONS else code.compare(name, width, left, right)
        assert is_number(result), case
        held = width if name in OPERATIONS else 1
        assert int(result) & ((1 << held) - 1) == low | high << 64, case
        assert not code.lines


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("name", OPERATIONS)
def test_identities_are_those_of_numbers(name: str, width: int) -> None:
    """Where one operand is unknown, what is left out did not matter: tried with every edge in its place."""
    meaning: dict[str, Callable[[int, int], int]] = {
        "add": lambda a, b: a + b,
        "sub": lambda a, b: a - b,
        "mul": lambda a, b: a * b,
        "and": lambda a, b: a & b,
        "or": lambda a, b: a | b,
        "xor": lambda a, b: a ^ b,
        "shl": lambda a, b: a << b,
        "lshr": lambda a, b: a >> b,
    }
    top = (1 << width) - 1
    for known in edges(width):
        for unknown_first in (True, False):
            code = writer()
            operands = ("%x", normal(known, width)) if unknown_first else (normal(known, width), "%x")
            result = code.op(name, width, *operands)
            if result.startswith("%v"):
                assert code.lines == [f"  {result} = {name} i{width} {operands[0]}, {operands[1]}"]
                continue
            for x in edges(width):
                a, b = (x, known) if unknown_first else (known, x)
                if name in ("shl", "lshr") and b >= width:
                    continue
                got = x if result == "%x" else int(result) & top
                assert got == meaning[name](a, b) & top, (name, a, b)


@pytest.mark.parametrize("width", WIDTHS)
def test_numbers_are_written_in_one_way(width: int) -> None:
    for n in edges(width):
        assert int(normal(n, width)) % (1 << width) == n
        assert normal(n, width) == normal(n + (1 << width), width) == normal(n - (1 << width), width)


def test_parts_of_numbers_are_taken_and_replaced() -> None:
    code = writer()
    assert code.extract("181", 8, "2", 3) == "5"
    assert code.insert("181", 8, "2", 3, "0") == "161"
    assert code.insert("0", 100, "90", 10, "1023") == str(1023 << 90)
    assert code.extract("181", 8, "0", 8) == "181"
    assert code.insert("181", 8, "0", 8, "7") == "7"


def test_what_never_runs_may_look_outside() -> None:
    """A constant index behind an error: any code will do, but there has to be some."""
    code = writer()
    code.go("fail")
    code.extract("%x", 64, "-8", 8)
    code.insert("%x", 64, "1000", 8, "1")
    assert all("-8" not in line and "1000" not in line for line in code.lines)


def test_conditions_that_are_known_leave_no_branch() -> None:
    code = writer()
    yes, no = code.block("yes"), code.block("no")
    code.when("1", yes, no)
    assert code.leads_to(yes)
    assert not code.leads_to(no)
    assert (code.both("1", "%a"), code.both("%a", "0"), code.either("0", "%a"), code.negate("1")) == (
        "%a",
        "0",
        "%a",
        "0",
    )
    assert code.select("1", "i64", "3", "%b") == "3"
    assert code.select("%c", "i64", "%b", "%b") == "%b"


def test_a_label_is_not_taken_for_one_that_begins_like_it() -> None:
    code = writer()
    code.go("fail12")
    assert code.leads_to("fail12")
    assert not code.leads_to("fail1")


def test_what_is_discarded_leaves_no_trace() -> None:
    code = writer()
    code.let("add i64 %a, %b")
    before, here = list(code.lines), code.here
    with code.discarded():
        code.stack("i64")
        code.go(code.block())
    assert (code.lines, code.allocas, code.here) == (before, [], here)
    code.ret("0")
    assert "dead" not in code.text()


def test_loops_of_known_length_are_short() -> None:
    code, seen = writer(), list[str]()
    code.loop("3", "4", seen.append)
    code.loop("3", "3", seen.append)
    code.loop("3", "1", seen.append)
    assert seen == ["3"]
    assert not code.lines
    code.loop("0", "2", seen.append)
    assert len(seen) == 2
    assert not is_number(seen[1])
