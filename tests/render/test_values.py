"""Values and changes in the notation of the language."""

from __future__ import annotations

import pytest

from checker.model.types import BOOL, BagT, EnumT, IntT, MapT, OptT, RecordT, SeqT, SetT, Type
from checker.properties.kinds import Json, TraceStep
from checker.render.values import Change, Names, changes, grouped, show

SMALL = IntT(0, 99)
COLOUR = EnumT("Colour", ("red", "green"))
ENTRY = RecordT("Entry", (("term", SMALL), ("value", OptT(COLOUR))))


@pytest.mark.parametrize(
    ("type_", "value", "text"),
    [
        (BOOL, True, "true"),
        (SMALL, 7, "7"),
        (OptT(SMALL), None, "none"),
        (COLOUR, "red", "red"),
        (SetT(SMALL), [1, 2], "{1, 2}"),
        (SeqT(SMALL, 3), [1, 1], "[1, 1]"),
        (BagT(SMALL, 3), [1], "bag[1]"),
        (MapT(COLOUR, SetT(SMALL)), {"red": [], "green": [3]}, "{red: {}, green: {3}}"),
        (SeqT(ENTRY, 2), [{"term": 1, "value": None}], "[Entry(1, none)]"),
        (None, [1, None], "[1, none]"),
        (None, {"a": False}, "{a: false}"),
    ],
)
def test_show(type_: Type | None, value: Json, text: str) -> None:
    assert show(type_, value) == text


def test_only_the_part_that_changed() -> None:
    nested = MapT(COLOUR, ENTRY)
    old: Json = {"red": {"term": 1, "value": None}, "green": {"term": 1, "value": "red"}}
    new: Json = {"red": {"term": 1, "value": "green"}, "green": {"term": 2, "value": "red"}}
    assert changes(nested, "R0.log", old, new) == [
        Change("set", "R0.log[red].value", "none", "green"),
        Change("set", "R0.log[green].term", "1", "2"),
    ]


def test_small_collections_are_shown_whole_and_large_ones_by_what_came_and_went() -> None:
    assert changes(SetT(SMALL), "s", [1], [1, 2]) == [Change("set", "s", "{1}", "{1, 2}")]
    many: list[Json] = list(range(10, 20))
    assert changes(SetT(SMALL), "s", [*many], [*many[1:], 20]) == [
        Change("remove", "s", "", "{10}"),
        Change("add", "s", "", "{20}"),
    ]
    assert changes(SeqT(SMALL, 20), "q", [*many], [*many, 5]) == [Change("add", "q", "", "[5]")]


def test_optional_record_that_appears() -> None:
    assert changes(OptT(ENTRY), "x", None, {"term": 1, "value": "red"}) == [Change("set", "x", "none", "Entry(1, red)")]
    assert changes(OptT(ENTRY), "x", {"term": 0, "value": "red"}, {"term": 1, "value": "red"}) == [
        Change("set", "x.term", "0", "1")
    ]


def test_messages_to_several_receivers_are_one_line() -> None:
    messages: Json = ["Go(1) A -> B0", "Go(1) A -> B1", "Go(2) A -> B0", "Hi() B0 -> A", "Hi() B0 -> A"]
    assert grouped(messages) == ["Go(1) A -> B0, B1", "Go(2) A -> B0", "Hi() B0 -> A (× 2)"]


def test_messages_taken_stand_before_the_variables_and_messages_sent_behind() -> None:
    changed: dict[str, Json] = {"x": 1, "network": {"added": ["Go() A -> B"], "removed": ["Hi() B -> A"]}}
    assert Names().step({"x": 0}, TraceStep("A.Hi() <- B", changed)) == [
        Change("remove", "", "", "Hi() B -> A", detail=True),
        Change("set", "x", "0", "1"),
        Change("add", "", "", "Go() A -> B"),
    ]
