"""Footprints: what an expression says does not depend on bits outside of its mask."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from checker.engine.program import Program
from checker.engine.runtime import Fail, State
from checker.native.code.footprint import masks
from checker.native.code.unit import Unit
from tests.native.code.models import NAMES, explored

Test = Callable[[State], bool]


@cache
def judged(name: str) -> list[tuple[Unit, tuple[State, ...], str, tuple[int, ...], Test]]:
    """Properties of one state that read fixed words alone: their masks, and what the interpreter asks."""
    found = []
    for machine, _, states in explored(name):
        unit, program = Unit(machine), Program(machine)
        tests = {c.name: c.test for c in program.invariants} | dict(program.reach)
        for p in machine.properties:
            if p.kind in ("invariant", "reach") and p.body is not None:
                mask = masks(unit, p.body)
                if mask is not None:
                    found.append((unit, states, p.name, mask, tests[p.name]))
    return found


def answer(test: Test, state: State) -> object:
    try:
        return test(state)
    except Fail as problem:
        return type(problem)


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=15, deadline=None)
@given(data=st.data())
def test_bits_outside_of_the_mask_do_not_matter(name: str, data: st.DataObject) -> None:
    """A state with the masked bits of one explored state and all others of another is judged like the first.

    Such a state need not be one that can be reached, but its parts are values of their types.
    """
    for unit, states, title, mask, test in judged(name):
        a, b = data.draw(st.sampled_from(states)), data.draw(st.sampled_from(states))
        packed = unit.packed
        read = sum(m << 64 * i for i, m in enumerate(mask))
        state = list(b)
        for first, place in packed.places.items():
            for copy in range(place.copies):
                word, shift = place.at(copy)
                if read >> (64 * word + shift) & ((1 << place.width) - 1):
                    state[first + copy] = a[first + copy]
        assert answer(test, tuple(state)) == answer(test, a), title


@pytest.mark.parametrize("name", NAMES)
def test_equal_masked_bits_are_equal_answers(name: str) -> None:
    """Among explored states: those that agree in the mask agree in the answer."""
    for unit, states, title, mask, test in judged(name):
        answers: dict[tuple[int, ...], object] = {}
        for state in states:
            words = unit.packed.pack(state)[: unit.packed.words]
            key = tuple(word & m for word, m in zip(words, mask, strict=True))
            assert answers.setdefault(key, answer(test, state)) == answer(test, state), title


def test_most_properties_of_the_library_read_little() -> None:
    found = [mask for name in NAMES if " " not in name for _, _, _, mask, _ in judged(name)]
    assert found
    assert any(0 in mask or any(m.bit_count() < 32 for m in mask) for mask in found)
