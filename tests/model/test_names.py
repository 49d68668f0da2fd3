"""Names that a reader of traces may write, and what to write instead."""

from __future__ import annotations

import pytest

import checker
from checker.base.diagnostics import SpecError


@pytest.mark.parametrize(
    ("text", "code", "help"),
    [
        ("A1.x < 2", "PSM201", "write `at(A, 1)`"),
        ("A12.x < 2", "PSM201", "write `at(A, 12)`"),
        ("A[0].x < 2", "PSM301", "write `at(A, …)` for one of its processes"),
        ("{1, 2}[0] < 2", "PSM301", None),
        ("B1.x < 2", "PSM201", "did you mean `B`?"),
    ],
)
def test_processes_by_their_printed_names(text: str, code: str, help: str | None) -> None:
    with pytest.raises(SpecError) as problem:
        checker.loads(
            "spec S role A[2] { durable x: 0..1 = 0 } record B(x: 0..1)\n"
            f"invariant P: {text}\nfinal: true check c {{ expect holds P }}"
        ).machine("c")
    (found,) = problem.value.diagnostics
    assert (found.code, found.help) == (code, help)
