"""Kernels mean the same to CPython and to LLVM, and what is no kernel is refused with its line."""

from __future__ import annotations

import sys
import textwrap
from array import array
from collections.abc import Iterator
from ctypes import addressof, c_uint32
from importlib import import_module
from pathlib import Path
from types import ModuleType

import pytest

from checker.native import jit, kernels, words
from checker.native.memory import Region
from checker.native.translate import KernelError, apart, join, translate
from tests.native import sample_kernels

needs_llvm = pytest.mark.skipif(jit.unavailable() is not None, reason=jit.unavailable() or "")

VALUES = [
    0,
    1,
    2,
    3,
    5,
    6,
    9,
    10,
    39,
    41,
    77,
    1000,
    65535,
    1 << 40,
    (1 << 48) + 12345,
    1 << 63,
    (1 << 64) - 1,
    sample_kernels.ODD,
]
NAMES = ["arithmetic", "wrapping", "comparisons", "logic", "choices", "loops", "branches", "calls", "bits"]


@pytest.fixture(scope="module", params=[0, 2])
def linked(request: pytest.FixtureRequest) -> jit.Linked:
    text = translate(sample_kernels, {"width": 3})
    return jit.link(jit.compile_object(text, request.param), [*NAMES, "memory", "cells", "contents"])


@needs_llvm
@pytest.mark.parametrize("name", NAMES)
def test_both_forms_give_the_same(name: str, linked: jit.Linked) -> None:
    native = linked.function(name, 2)
    python = getattr(sample_kernels, name)
    for a in VALUES:
        for b in VALUES:
            assert native(a, b) == int(python(a, b)), (a, b)


@needs_llvm
def test_both_forms_do_the_same_to_memory(linked: jit.Linked) -> None:
    regions = [Region(4096), Region(4096)]
    for value in VALUES:
        scores = [
            f(r.start, value)
            for f, r in zip((linked.function("memory", 2), sample_kernels.memory), regions, strict=True)
        ]
        assert scores[0] == scores[1] & words.MASK
        assert all(words.load64(regions[0].start + 8 * i) == words.load64(regions[1].start + 8 * i) for i in range(16))


@needs_llvm
def test_both_forms_read_files(linked: jit.Linked, tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(bytes(range(20)))
    region = Region(4096)
    with path.open("rb") as file:
        for read in (linked.function("contents", 2), sample_kernels.contents):
            assert read(file.fileno(), region.start) == 16 * 100 + 4
            assert bytes(words.load8(region.start + i) for i in range(20)) == bytes([*range(4, 20), 0, 0, 0, 0])
            region.discard(region.start, region.end)
    for read in (linked.function("contents", 2), sample_kernels.contents):
        assert read((1 << 31) - 1, region.start) & words.MASK == words.MASK * 100 & words.MASK


@needs_llvm
def test_both_forms_do_the_same_to_cells(linked: jit.Linked) -> None:
    values = [3, 0, 8, 5, 7]
    memory, plain = (c_uint32 * len(values))(*values), array("I", values)
    assert linked.function("cells", 2)(addressof(memory), len(values)) == sample_kernels.cells(plain, len(values))
    assert list(memory) == list(plain) == [3, 24, 11, 16, 23]


@needs_llvm
def test_external_functions_come_from_another_text() -> None:
    width = "define internal i64 @width() {\n  ret i64 4\n}\n"
    linked = jit.link(jit.compile_object(join([translate(sample_kernels, prefix="s."), width])), ["calls"])
    assert linked.function("calls", 2)(2, 6) == 4 + 9 + 4 + 1000


def test_known_tests_leave_no_code() -> None:
    given = {
        "fixed_words": 1,
        "memo_words": 0,
        "table_kind": 0,
        "has_bound": 0,
        "has_steps": 0,
        "has_peers": 1,
        "resumes": 1,
    }
    text = translate(kernels, given)
    for name in ("inside", "transition", "guess", "referred_in", "fixed_words", "table_kind"):
        assert f"@{name}(" not in text
    assert "@inside(" in translate(kernels, given | {"has_bound": 1})


OUTER = """
from checker.native.words import entry
from inner_kernels import double, offset as shift

SIZE = 5

@entry
def outer(a):
    return double(a) + SIZE if shift() == 7 else 0
"""
INNER = """
from checker.native.words import external

SIZE = 100

@external
def offset():
    return 1

def twice(a):
    return 2 * a

def double(a):
    return twice(a) + SIZE

def unused(a):
    return a
"""


@pytest.fixture
def outer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    """A module that imports kernels from another one."""
    (tmp_path / "outer_kernels.py").write_text(OUTER)
    (tmp_path / "inner_kernels.py").write_text(INNER)
    monkeypatch.syspath_prepend(tmp_path)
    yield import_module("outer_kernels")
    for name in ("outer_kernels", "inner_kernels"):
        del sys.modules[name]


@needs_llvm
def test_imported_kernels_come_along_with_what_they_need(outer: ModuleType) -> None:
    text = translate(outer, {"offset": 7}, "k.")
    heads = [line.split("(")[0].split()[-1] for line in text.splitlines() if line.startswith("define")]
    assert heads == ["@outer", "@k.twice", "@k.double"]
    assert jit.link(jit.compile_object(text), ["outer"]).function("outer", 1)(4) == 8 + 100 + 5


def test_two_kernels_of_one_name_are_refused(outer: ModuleType, tmp_path: Path) -> None:
    source = f"from {outer.__name__} import double as other\n{INNER}\ndef f(a):\n    return double(a) + other(a)\n"
    (tmp_path / "third_kernels.py").write_text(source)
    with pytest.raises(KernelError, match=r"`(twice|double)` stands in"):
        translate(import_module("third_kernels"))
    del sys.modules["third_kernels"]


def test_what_several_texts_declare_is_declared_once() -> None:
    text = join(["declare i64 @f(i64)\n; one", "; two\ndeclare i64 @f(i64)\n"])
    assert text == "declare i64 @f(i64)\n; one\n; two\n"


BAD = {
    "return a + 1.5": "no `Constant`",
    "return a / 2": "no `Div`",
    "return -a": "no `UnaryOp`",
    "return ~a": "no `UnaryOp`",
    "return [a]": "no `List`",
    "return a if a in (1, 2) else 3": "compares two words",
    "return 0 if 1 < a < 3 else 1": "compares two words",
    "return a and 7": "only between comparisons",
    "return unknown": "neither a local nor an integer constant",
    "return unknown(a)": "neither a kernel nor an intrinsic",
    "return len(a)": "neither a kernel nor an intrinsic",
    "return load64(a, 1)": "takes 1 arguments",
    "return f()": "takes 1 arguments",
    "return a.bit_length()": "by their names",
    "return 1 << 64": "is no word of 64 bits",
    "a, b = 1, 2": "no `Assign`",
    "while a: a -= 1\n    else: a = 2": "no `While`",
    "for i in (1, 2): a += i": "no `For`",
    "for i in range(3, 0, 0): a += i": "positive constant",
    "raise ValueError": "no `Raise`",
    "assert a": "no `Assert`",
    "return a[0:1]": "one cell of an array",
    "return f(a)[0]": "one cell of an array",
    "with a: pass": "no `With`",
    "def g(): pass": "no `FunctionDef`",
}


@pytest.mark.parametrize("body", BAD)
def test_what_is_no_kernel_is_refused_with_its_line(body: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    name = f"bad_kernel_{sorted(BAD).index(body)}"
    source = f"from checker.native.words import load64\n\n\ndef f(a):\n    {body}\n"
    (tmp_path / f"{name}.py").write_text(textwrap.dedent(source))
    monkeypatch.syspath_prepend(tmp_path)
    module = __import__(name)
    monkeypatch.delitem(sys.modules, name)
    with pytest.raises(KernelError, match=BAD[body]) as caught:
        translate(module)
    assert f"{name}, line 5: " in str(caught.value)


@needs_llvm
def test_a_module_apart_is_the_same() -> None:
    text = """declare i64 @llvm.umax.i64(i64, i64)
define internal i64 @twice(i64 %n) {
  %m = add i64 %n, %n
  ret i64 %m
}

define i64 @long(i64 %n, i64 %m) nounwind {
  %a = call i64 @twice(i64 %n)
  %b = call i64 @llvm.umax.i64(i64 %a, i64 %m)
  ret i64 %b
}

define i64 @outer(i64 %n) {
  %a = call i64 @twice(i64 %n)
  %b = call i64 @long(i64 %a, i64 7)
  ret i64 %b
}
"""
    alone, rest = apart(text, "long")
    assert "declare i64 @long(i64 %n, i64 %m)\n" in rest and "@llvm.umax.i64(i64 %a" not in rest
    assert "define internal i64 @outer" in alone and "define i64 @long" in alone
    for level in (0, 2):
        linked = jit.link([jit.compile_object(part, level) for part in (alone, rest)], ["long", "outer"])
        assert [linked.function("outer", 1)(n) for n in (1, 5)] == [7, 20]
        assert linked.function("long", 2)(1, 3) == 3
