"""Packed states: the way there and back, places that do not overlap, lanes in the order of the interpreter's codes."""

from __future__ import annotations

from collections import Counter
from itertools import islice, pairwise

import pytest

from checker.engine.networks import all_codes
from checker.model.machine import Machine
from checker.native.code.packed import Packed, Place
from tests.native.code.models import NAMES, explored


def bits_of(place: Place, copy: int) -> list[tuple[int, int]]:
    """The words and bits that a copy takes."""
    word, shift = place.at(copy)
    return [(word + (shift + i) // 64, (shift + i) % 64) for i in range(place.width)]


@pytest.mark.parametrize("name", NAMES)
def test_states_come_back_from_their_words(name: str) -> None:
    for _, packed, states in explored(name):
        words = [tuple(packed.pack(state)) for state in states]
        assert [packed.unpack(list(w)) for w in words] == list(states)
        assert len(set(words)) == len(states)
        assert all(0 <= word < 1 << 64 for w in words for word in w)
        if packed.fixed:
            assert {len(w) for w in words} == {packed.words}
        if packed.is_small:
            assert all(w[0] < 1 << 63 for w in words)


@pytest.mark.parametrize("name", NAMES)
def test_places_do_not_overlap(name: str) -> None:
    for _, packed, _ in explored(name):
        places = packed.places.values()
        taken = Counter(bit for place in places for copy in range(place.copies) for bit in bits_of(place, copy))
        assert set(taken.values()) <= {1}
        assert all(word < packed.words for word, _ in taken)


@pytest.mark.parametrize("name", NAMES)
def test_no_narrow_part_lies_across_two_words(name: str) -> None:
    for _, packed, _ in explored(name):
        for place in packed.places.values():
            for copy in range(place.copies):
                word, shift = place.at(copy)
                assert shift + place.width <= 64 if place.width <= 64 and not place.stride else shift == 0
                assert not place.stride or place.stride == -(-place.width // 64)
                assert word >= place.word


def kinds_in_lists(machine: Machine, packed: Packed) -> list[str]:
    return [m.name for m in machine.messages.values() if m.network in packed.listed]


@pytest.mark.parametrize("name", NAMES)
def test_lanes_ascend_as_codes_do(name: str) -> None:
    for machine, packed, _ in explored(name):
        codes = [c for kind in kinds_in_lists(machine, packed) for c in islice(packed.codes_of(kind), 300)]
        lanes = [packed.to_lane(code) for code in codes]
        assert [packed.from_lane(lane) for lane in lanes] == codes
        assert all((a < b) == (x < y) for (a, b), (x, y) in zip(pairwise(codes), pairwise(lanes), strict=True))
        assert all(0 <= lane < 1 << packed.lane for lane in lanes)


@pytest.mark.parametrize("name", NAMES)
def test_lists_stand_in_the_order_of_the_interpreter(name: str) -> None:
    for machine, packed, states in explored(name):
        for state in states[:: 1 + len(states) // 20]:
            words = packed.pack(state)
            whole = sum(word << 64 * i for i, word in enumerate(words[packed.words :]))
            for number in packed.listed:
                for code in all_codes(machine.networks[number], state[packed.layout.networks[number]]):
                    assert packed.from_lane(whole & (1 << packed.lane) - 1) == code
                    whole >>= packed.lane
            assert whole == 0, "lanes behind the last message are zero"


@pytest.mark.parametrize("name", NAMES)
def test_dense_networks_know_all_codes_that_occur(name: str) -> None:
    for machine, packed, states in explored(name):
        for number, dense in packed.dense.items():
            assert list(dense.codes) == sorted(set(dense.codes))
            slot = packed.layout.networks[number]
            seen = {c for state in states for c in all_codes(machine.networks[number], state[slot])}
            assert seen <= set(dense.codes)
