"""Compiling and linking: what is wrong is an exception, never a crash."""

from __future__ import annotations

import subprocess
import sys
import threading

import pytest

from checker.native import jit

pytestmark = pytest.mark.skipif(jit.unavailable() is not None, reason=jit.unavailable() or "")

ADD = "define i64 @plus(i64 %a, i64 %b) {\n  %c = add i64 %a, %b\n  ret i64 %c\n}\n"


@pytest.mark.parametrize("level", [0, 2])
def test_functions_can_be_called(level: int) -> None:
    linked = jit.link(jit.compile_object(ADD, level), ["plus"])
    assert linked.address("plus") != 0
    assert linked.function("plus", 2)(2, (1 << 64) - 1) == 1


def test_several_objects_call_each_other() -> None:
    twice = "declare i64 @plus(i64, i64)\ndefine i64 @twice(i64 %a) {\n  %c = call i64 @plus(i64 %a, i64 %a)\n  ret i64 %c\n}\n"
    linked = jit.link([jit.compile_object(twice), jit.compile_object(ADD)], ["twice"])
    assert linked.function("twice", 1)(21) == 42


def test_a_function_keeps_its_code_alive() -> None:
    function = jit.link(jit.compile_object(ADD), ["plus"]).function("plus", 2)
    assert [function(i, 1) for i in range(3)] == [1, 2, 3]


def test_loops_may_become_calls_of_the_c_library() -> None:
    loop = """
define i64 @clear(i64 %p, i64 %n) {
entry:
  br label %top
top:
  %i = phi i64 [ 0, %entry ], [ %j, %top ]
  %at = add i64 %p, %i
  %q = inttoptr i64 %at to ptr
  store i64 0, ptr %q
  %j = add i64 %i, 8
  %more = icmp ult i64 %j, %n
  br i1 %more, label %top, label %done
done:
  ret i64 %j
}
"""
    from ctypes import addressof, c_uint64

    words = (c_uint64 * 1000)(*range(1000))
    assert jit.link(jit.compile_object(loop), ["clear"]).function("clear", 2)(addressof(words), 7200) == 7200
    assert list(words) == [0] * 900 + list(range(900, 1000))


@pytest.mark.parametrize(
    "text",
    [
        "nonsense",
        "define i64 @f() {\n  ret i64 %undefined\n}\n",
        "define i64 @f(i1 %c) {\n  br i1 %c, label %a, label %b\na:\n  %x = add i64 1, 2\n  br label %b\nb:\n  ret i64 %x\n}\n",
    ],
    ids=["syntax", "undefined", "not dominated"],
)
def test_a_wrong_text_is_an_exception(text: str) -> None:
    with pytest.raises(jit.JitError):
        jit.compile_object(text)


def test_what_cannot_be_linked_is_an_exception() -> None:
    with pytest.raises(jit.JitError):
        jit.link(jit.compile_object(ADD), ["missing"])
    with pytest.raises(jit.JitError):
        jit.link(b"no object at all", ["plus"])
    with pytest.raises(jit.JitError):
        jit.link(
            jit.compile_object("declare i64 @gone()\ndefine i64 @f() {\n  %a = call i64 @gone()\n  ret i64 %a\n}\n"),
            ["f"],
        )
    assert jit.link(jit.compile_object(ADD), ["plus"]).function("plus", 2)(1, 1) == 2


def test_two_threads_may_compile() -> None:
    results: list[int] = []

    def work() -> None:
        results.append(jit.link(jit.compile_object(ADD), ["plus"]).function("plus", 2)(1, 2))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [3, 3, 3, 3]


def test_the_processor_is_named() -> None:
    assert len(jit.processor().split(" ")) == 4


def test_a_missing_llvmlite_is_said_and_importing_costs_nothing() -> None:
    code = """
import sys
import checker.native.jit as jit, checker.native.explorer
assert "llvmlite" not in sys.modules
sys.modules["llvmlite"] = None
sys.exit(jit.unavailable() != "llvmlite is not installed")
"""
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
