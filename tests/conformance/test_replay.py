"""Replays and probes of a small implementation, right and wrong."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import pytest

from checker.conformance.adapter import Observation, ObservationError, Refused
from checker.conformance.compare import comparable
from checker.conformance.event import Event
from checker.conformance.mapping import MappingError, step
from checker.conformance.mismatch import Sight
from checker.conformance.probe import probe, probe_all
from checker.conformance.replay import Outcome, replay, replay_all
from checker.model.types import BoolT, IntT, OptT, SeqT, SetT
from checker.properties.kinds import Json
from tests.conformance.toy import TEXT, Library, graph_of

# ---- what conforms


def test_every_transition_is_compared() -> None:
    graph = graph_of("calm")
    result = replay_all(Library(graph.machine), graph)
    assert result.outcome is Outcome.CONFORMS
    assert result.taken == result.total == len(graph.edges)
    assert result.seen == ("Reader.hands", "Shelf.books")
    assert result.unseen == ("network",)
    assert str(result) == (
        "conforms: 105 of 105 transitions of Library, check calm, in 17 paths and 180 steps; 2 of 3 variables observed"
    )


def test_what_was_compared_on_the_way_is_not_looked_at_again() -> None:
    """Once for each state on a shortest way to it, and each time on any other way."""
    looks = 0

    class Counted(Library):
        def observe(self) -> Observation:
            nonlocal looks
            looks += 1
            return super().observe()

    graph = graph_of("calm")
    result = replay_all(Counted(graph.machine), graph)
    assert result.taken == len(graph.edges)
    assert len(graph.edges) < looks < result.steps
    before = looks
    probe_all(Counted(graph.machine), graph)
    assert looks - before == len(graph.states) + 94, "and once behind each of 94 probes"


def test_other_ways_to_a_state_are_compared() -> None:
    """A reader that grows tired takes nothing for the third time; on the shortest ways it never takes that often."""

    class Tired(Library):
        def begin(self, initial: Mapping[str, Json]) -> None:
            super().begin(initial)
            self.taken = 0

        @step("Reader.Take")
        def take(self, event: Event) -> None:
            self.taken += 1
            if self.taken < 3:
                super().take(event)

    graph = graph_of("calm")
    mismatch = replay_all(Tired(graph.machine), graph).mismatch
    assert mismatch is not None
    assert mismatch.differing == ("Reader.hands",)
    assert sum(name.startswith("Reader.Take") for name in mismatch.matched) == 2


def test_unsupported_steps_are_left_out_and_counted() -> None:
    graph = graph_of("rough")
    result = replay_all(Library(graph.machine), graph)
    assert result.outcome is Outcome.CONFORMS
    assert 0 < result.taken == result.total - result.left_out
    assert "left out as unsupported" in str(result)


def test_a_part_of_the_paths_is_incomplete() -> None:
    graph = graph_of("calm")
    result = replay(Library(graph.machine), graph, [(0,)])
    assert (result.outcome, result.taken) == (Outcome.INCOMPLETE, 1)


def test_a_part_of_the_graph_is_incomplete() -> None:
    graph = graph_of("calm", TEXT.replace("check calm {", "check calm { bound Shelf.books == {} "))
    result = replay_all(Library(graph.machine), graph)
    assert result.outcome is Outcome.INCOMPLETE
    assert str(result).endswith("the graph is only a part of what the spec allows")


def test_who_shows_nothing_does_not_conform() -> None:
    class Blind(Library):
        def observe(self) -> Observation:
            return {}

    graph = graph_of("calm")
    assert replay_all(Blind(graph.machine), graph).outcome is Outcome.INCOMPLETE


# ---- what does not


class Greedy(Library):
    """Returns every book at once."""

    @step("Reader.Return")
    def give_back(self, event: Event) -> None:
        if not self.hands:
            raise Refused("there is nothing to return")
        self.hands.clear()


def test_first_difference_is_reported_on_a_shortest_path() -> None:
    graph = graph_of("calm")
    mismatch = replay_all(Greedy(graph.machine), graph).mismatch
    assert mismatch is not None
    assert mismatch.differing == ("Reader.hands",)
    assert mismatch.step is not None
    assert mismatch.step.startswith("Reader.Return()")
    assert mismatch.matched == (
        "Reader.Take(Book0)",
        "Reader.Return() [one = Book0]",
        "Shelf.Put(Book0) <- Reader",
        "Reader.Thanks() <- Shelf [branch 1]",
    )
    again = replay(Greedy(graph.machine), graph, [mismatch.path]).mismatch
    assert again == mismatch


def test_text_of_a_difference() -> None:
    graph = graph_of("calm")
    mismatch = replay_all(Greedy(graph.machine), graph).mismatch
    assert mismatch is not None
    assert mismatch.text() == (
        "The implementation leaves the spec in step 5 (Library, check calm).\n"
        "\n"
        "    1  Reader.Take(Book0)\n"
        "    2  Reader.Return() [one = Book0]\n"
        "    3  Shelf.Put(Book0) <- Reader\n"
        "    4  Reader.Thanks() <- Shelf [branch 1]\n"
        "≠   5  Reader.Return() [one = Book0]\n"
        "\n"
        "                before          spec     implementation\n"
        "≠ Reader.hands  {Book0, Book1}  {Book1}  {}\n"
        "  Shelf.books   {Book0}         {Book0}  {Book0}\n"
        "\n"
        f"Again: replay(adapter, graph, [{mismatch.path!r}])\n"
    )


def test_initial_states_are_compared() -> None:
    class Full(Library):
        def begin(self, initial: Mapping[str, Json]) -> None:
            super().begin(initial)
            self.books = {"Book0"}

    graph = graph_of("calm")
    mismatch = replay_all(Full(graph.machine), graph).mismatch
    assert mismatch is not None
    assert (mismatch.path, mismatch.step, mismatch.differing) == ((), None, ("Shelf.books",))
    assert "begins in another state" in mismatch.text()


def test_errors_and_refusals_are_mismatches() -> None:
    class Broken(Library):
        @step("Shelf.Put")
        def put(self, event: Event) -> None:
            raise KeyError("book")

    class Closed(Library):
        @step("Shelf.Put")
        def put(self, event: Event) -> None:
            raise Refused("the shelf is full")

    graph = graph_of("calm")
    broken = replay_all(Broken(graph.machine), graph).mismatch
    closed = replay_all(Closed(graph.machine), graph).mismatch
    assert broken is not None
    assert closed is not None
    assert broken.problem == "KeyError is raised: 'book'"
    assert closed.problem == "it is refused: the shelf is full"
    assert closed.text().splitlines()[-3:] == [
        "The spec allows this step; it is refused: the shelf is full",
        "",
        f"Again: replay(adapter, graph, [{closed.path!r}])",
    ]


def test_unseen_variables_are_marked() -> None:
    class Forgetful(Library):
        @step("restart Shelf")
        def restart(self, event: Event) -> None:
            self.up = True
            self.hands.add("Book1")

    graph = graph_of("rough")
    mismatch = replay_all(Forgetful(graph.machine), graph).mismatch
    assert mismatch is not None
    sights = {field.name: field.sight for field in mismatch.fields}
    assert sights == {
        "Reader.hands": Sight.DIFFERENT,
        "Shelf.books": Sight.SAME,
        "Shelf.status": Sight.UNSEEN,
    }
    assert "· Shelf.status  down    up    not observed" in mismatch.text()


def test_unknown_variables_are_an_error_of_the_adapter() -> None:
    class Typo(Library):
        def observe(self) -> Observation:
            return {"Shelf.book": []}

    graph = graph_of("calm")
    with pytest.raises(ObservationError, match=r"Shelf\.book is no variable of the spec, which has Reader\.hands"):
        replay_all(Typo(graph.machine), graph)


# ---- what the spec forbids


def test_forbidden_steps_are_refused() -> None:
    graph = graph_of("calm")
    result = probe_all(Library(graph.machine), graph)
    assert result.mismatch is None
    assert str(result) == "refused: 94 forbidden steps tried in 32 states"


def test_forbidden_step_that_is_taken_is_reported() -> None:
    class Hoarder(Library):
        @step("Reader.Take")
        def take(self, event: Event) -> None:
            self.hands.add(str(event.args["wanted"]))

    graph = graph_of("calm")
    adapter = Hoarder(graph.machine)
    assert replay_all(adapter, graph).outcome is Outcome.CONFORMS, "a replay cannot see it"
    mismatch = probe_all(adapter, graph).mismatch
    assert mismatch is not None
    assert mismatch.forbidden
    assert mismatch.text() == (
        "The implementation leaves the spec in step 2 (Library, check calm).\n"
        "\n"
        "    1  Reader.Take(Book0)\n"
        "≠   2  Reader.Take(Book1)\n"
        "\n"
        "The spec does not allow this step here, so nothing may change; the implementation takes it.\n"
        "\n"
        "                spec     implementation\n"
        "≠ Reader.hands  {Book0}  {Book0, Book1}\n"
        "  Shelf.books   {}       {}\n"
        "\n"
        "Again: probe(adapter, graph, [(0,)])\n"
    )
    assert probe(adapter, graph, [mismatch.path]).mismatch == mismatch


def test_forbidden_step_that_raises_is_reported() -> None:
    class Fragile(Library):
        @step("Reader.Return")
        def give_back(self, event: Event) -> None:
            self.hands.remove(str(event.chosen["one"]))

    graph = graph_of("calm")
    mismatch = probe_all(Fragile(graph.machine), graph).mismatch
    assert mismatch is not None
    assert (mismatch.step, mismatch.problem) == ("Reader.Return() [one = Book0]", "KeyError is raised: 'Book0'")


# ---- what is accounted for


def test_every_step_must_be_accounted_for() -> None:
    class Careless(Library):
        environment: ClassVar[tuple[str, ...]] = ()
        hidden: ClassVar[tuple[str, ...]] = ("Shelf.ignore Pot",)
        unsupported: ClassVar[tuple[str, ...]] = ("Shelf.Fire", "Reader.Take")

    with pytest.raises(MappingError) as caught:
        Careless(graph_of("rough").machine)
    assert caught.value.problems == (
        "Reader.Take: declared twice, as take and as unsupported",
        "Shelf.ignore Pot: no such step in the spec: did you mean `Shelf.ignore Put`?",
        'Shelf.ignore Put: not accounted for; write `@step("Shelf.ignore Put")` above the method that does it, or list it '
        "as `hidden`, `environment` or `unsupported`",
        'lose: not accounted for; write `@step("lose")` above the method that does it, or list it as `hidden`, '
        "`environment` or `unsupported`",
    )


def test_one_adapter_serves_checks_with_other_faults() -> None:
    Library(graph_of("calm").machine)
    Library(graph_of("rough").machine)


# ---- equal values


def test_values_are_compared_as_what_they_are() -> None:
    numbers = IntT(0, 3)
    assert comparable(SetT(numbers), {3, 1}) == comparable(SetT(numbers), [1, 3])
    assert comparable(SeqT(numbers, 3), (3, 1)) != comparable(SeqT(numbers, 3), [1, 3])
    assert comparable(OptT(SetT(numbers)), None) is None
    assert comparable(BoolT(), object).__class__ is str
