"""The helpers of generated code: choices, tears, exact arithmetic, kept results."""

from __future__ import annotations

from typing import Any

import pytest

from checker.engine.runtime import (
    MAX_TEARS,
    Disabled,
    Discarded,
    Effects,
    Fail,
    Tape,
    TooManyTears,
    bag_minus,
    bag_plus,
    divide,
    item,
    kept,
    modulo,
    put,
    ranged,
)


def outcomes(sizes: dict[tuple[int, ...], int]) -> list[tuple[int, ...]]:
    """All sequences of answers, where the number of alternatives depends on the answers before."""
    tape, found = Tape(), []
    while True:
        answers: tuple[int, ...] = ()
        while answers in sizes:
            answers = (*answers, tape.choose(sizes[answers]))
        found.append(answers)
        if not tape.advance():
            return found


def test_a_tape_gives_every_sequence_of_answers_once_and_in_order() -> None:
    assert outcomes({(): 2, (0,): 3, (1,): 1}) == [(0, 0), (0, 1), (0, 2), (1, 0)]
    assert outcomes({}) == [()]


def test_a_choice_of_nothing_disables() -> None:
    with pytest.raises(Disabled) as caught:
        Tape().element("x", ())
    assert caught.value.empty


def torn_sends(recipients: tuple[int, ...], limit: int) -> list[list[int]]:
    """Who was reached, in every way in which a send to these recipients is torn after `limit` of them."""
    tape, found = Tape(), []
    while True:
        fx, state = Effects(limit, tape), [[]]  # type: tuple[Effects, list[Any]]
        for recipient in fx.recipients(recipients):
            fx.hit(state)
            state[0] = [*state[0], recipient]
        if fx.picture is not None:
            found.append(fx.picture[0])
        if not tape.advance():
            return found


def test_a_torn_send_reaches_every_subset() -> None:
    assert torn_sends((4, 5, 6), 1) == [[4], [5], [6]]
    assert torn_sends((4, 5, 6), 2) == [[4, 5], [4, 6], [5, 6]]
    assert torn_sends((4, 5, 6), 3) == []


def torn_loop(elements: str, limit: int) -> list[str]:
    tape, found = Tape(), []
    while True:
        fx, state = Effects(limit, tape), [""]
        try:
            for element in fx.order(tuple(elements)):
                fx.hit(state)
                state[0] += element
            if fx.picture is not None:
                found.append(fx.picture[0])
        except Discarded:
            pass
        if not tape.advance():
            return found


def test_a_torn_loop_runs_in_every_order_and_an_ended_one_in_its_own() -> None:
    assert torn_loop("abc", 2) == ["ab", "ac", "ba", "bc", "ca", "cb"]
    assert torn_loop("abc", 3) == []


def test_too_many_ways_to_tear_are_not_listed() -> None:
    fx = Effects(20, Tape())
    with pytest.raises(TooManyTears) as caught:
        fx.recipients(tuple(range(40)))
    assert caught.value.args[0] > MAX_TEARS


@pytest.mark.parametrize(
    ("a", "b", "quotient", "rest"), [(7, 2, 3, 1), (-7, 2, -4, 1), (7, -2, -4, 1), (-7, -2, 3, 1), (6, 3, 2, 0)]
)
def test_division_floors_and_the_remainder_is_never_negative(a: int, b: int, quotient: int, rest: int) -> None:
    assert divide(a, b, 0) == quotient
    assert modulo(a, b, 0) == rest


def test_errors_carry_their_place_and_value() -> None:
    for call in (
        lambda: divide(7, 0, 3),
        lambda: modulo(7, 0, 3),
        lambda: ranged(7, 0, 3, 3),
        lambda: item((1, 2), 7, 3),
    ):
        with pytest.raises(Fail) as caught:
            call()
        assert (caught.value.site, caught.value.value) == (3, 7)


def test_bags_are_sorted_and_miss_nothing() -> None:
    assert bag_plus((0, 2), (1, 0)) == (0, 0, 1, 2)
    assert bag_minus((0, 0, 1), (0, 5)) == (0, 1)
    assert put((1, 2, 3), 1, 9) == (1, 9, 3)


def test_results_are_kept_for_one_state_and_never_for_a_state_under_construction() -> None:
    asked: list[object] = []

    def count(state: Any, x: int) -> int:
        asked.append((state, x))
        return state[0] + x  # type: ignore[no-any-return]

    f, first, second = kept(count), (1,), (2,)
    assert [f(first, 0), f(first, 0), f(first, 5), f(second, 0), f(first, 0)] == [1, 1, 6, 2, 1]
    assert len(asked) == 4
    changing = [1]
    assert f(changing, 0) == 1
    changing[0] = 7
    assert f(changing, 0) == 7
