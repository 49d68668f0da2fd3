"""A violation says for whom: the values of quantified variables that make a property false."""

from __future__ import annotations

import pytest

import checker

SPEC = """spec S
id Val[2]
role A[3] { durable x: 0..3 = 0  durable seen: Set[Val] = {}  action Up when x < 2 { x += 1 } }
fun high(a: A): bool = a.x > 1
fun none_high: bool = forall a in A: not high(a)
%s
final: true
check c { expect fails P }
"""


@pytest.mark.parametrize(
    ("text", "whom"),
    [
        ("invariant P: forall a in A: a.x < 2", "for a = A0"),
        ("invariant P: not (exists a in A: a.x == 2 and a != at(A, 0))", "for a = A1"),
        ("invariant P: forall a in A, b in A: a.x == 2 and b.x == 1 => a == b", "for a = A0, b = A1"),
        ("invariant P: (exists a in A: a.x == 1) => (forall b in A: b.x < 2)", "for a = A1, b = A0"),
        ("invariant P: (forall v in Val: true) and (forall a in A: a.x < 2)", "for a = A0"),
        ("invariant P: none_high", "for a = A0"),
        ("invariant P: exists a in A: a.x == 0", None),
        ("invariant P: forall n in 1..2: not high(at(A, n))", "for n = 1"),
        ("invariant P: at(A, 2).x < 1", None),
        ("step P: forall a in A: a.x == old(a.x) or a == at(A, 0)", "for a = A1"),
        ("invariant P: forall v in Val, n in {k in 0..3 where k > 1}: at(A, 1).x != n", "for v = Val0, n = 2"),
    ],
)
def test_whom(text: str, whom: str | None) -> None:
    result = checker.loads(SPEC % text).check("c").property("P")
    assert result.met is True
    assert result.reason == whom


def test_a_part_that_errs_when_it_is_asked_ends_the_search_alone() -> None:
    """The property stops at the first value; the others are only asked here, and one of them divides by zero."""
    text = "invariant P: forall n in 0..2: 4 / (2 - n) + at(A, 0).x < 3"
    result = checker.loads(SPEC % text).check("c").property("P")
    assert result.met is True
    assert result.reason is None


def test_of_what_holds_nothing_is_said() -> None:
    result = checker.loads(SPEC % "invariant P: true\nreach Q: exists a in A: a.x == 2").check("c")
    assert [p.reason for p in result.properties] == [None] * 4


STOPS = """spec S
role A[2] { durable x: 0..2 = 0  %saction Up when x < 2 { x += 1 }  %saction Down when x == 1 { x := 0 } }
live L: eventually (forall a in A: a.x == 2)
final: true
check c { expect %s L }
"""


@pytest.mark.parametrize(
    ("fair", "expected", "told"),
    [
        (("", ""), "holds", "stops where A.Up is possible"),
        (("", ""), "fails", None),
        (("fair ", "fair "), "holds", None),
    ],
)
def test_a_run_that_stops_names_who_could_go_on(fair: tuple[str, str], expected: str, told: str | None) -> None:
    notes = checker.loads(STOPS % (*fair, expected)).check("c").notes
    assert [told in note for note in notes if told] == ([True] if told else [])
    assert bool(notes) == (told is not None)
