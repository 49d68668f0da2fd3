"""Sagas: along their spec, and journeys on real logs over a network that loses, repeats and reorders, with crashes."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path
from random import Random

import pytest

import checker
from checker.conformance.explore import explore
from checker.conformance.probe import probe_all
from checker.conformance.replay import Outcome, replay_all
from checker.engine.graph import StateGraph
from refimpl.adapters.saga import Saga
from refimpl.runtime.log import FileLog, MemoryLog
from refimpl.transactions.saga import (
    Address,
    Answer,
    Book,
    Booked,
    Cancel,
    Message,
    Orchestrator,
    Phase,
    Station,
)
from refimpl.transactions.saga_mistakes import MISTAKES

SPEC = Path(__file__).resolve().parents[2] / "specs/transactions/saga.psm"
STATIONS = ("flight", "hotel", "car")


@cache
def graph_of(check: str) -> StateGraph:
    return checker.load(SPEC).graph(check)


def test_every_transition_is_as_in_the_spec() -> None:
    graph = graph_of("calm")
    result = replay_all(Saga(graph.machine), graph)
    assert result.mismatch is None, result.mismatch.text()
    assert result.outcome is Outcome.CONFORMS
    assert result.taken == result.total == 996
    assert result.unseen == ()


def test_what_the_spec_forbids_does_not_happen() -> None:
    graph = graph_of("calm")
    result = probe_all(Saga(graph.machine), graph)
    assert result.mismatch is None, result.mismatch.text()
    assert (result.states, result.tried > 1_000) == (191, True)


def test_explored_with_crashes() -> None:
    result = explore(Saga(checker.load(SPEC).machine("crashes")), runs=60, steps=40)
    assert result.outcome is Outcome.CONFORMS, result.mismatch and result.mismatch.text()


@pytest.mark.slow
def test_every_transition_with_crashes_is_as_in_the_spec() -> None:
    graph = graph_of("crashes")
    result = replay_all(Saga(graph.machine), graph)
    assert result.mismatch is None, result.mismatch.text()
    assert result.taken == result.total == 18_843


@pytest.mark.parametrize("mistake", MISTAKES, ids=[mistake.__name__ for mistake in MISTAKES])
def test_mistakes_are_caught_along_the_spec(mistake: type[Orchestrator | Station]) -> None:
    graph = checker.load(SPEC).graph("crashes", constants={"N": 2})
    adapter = Saga.mistakes()[mistake.__name__](graph.machine)
    assert replay_all(adapter, graph).mismatch or probe_all(adapter, graph).mismatch


# ---- journeys


class Journey:
    """An orchestrator and three stations with their logs in files, and the messages between them."""

    def __init__(self, folder: Path, random: Random, refusing: Address | None = None) -> None:
        self._folder = folder
        self._random = random
        self._refusing = refusing
        self._mail: list[tuple[Address, Address, Message]] = []
        self.stations: dict[Address, Station] = {}
        for name in ("orchestrator", *STATIONS):
            self.boot(name)

    def boot(self, name: Address) -> None:
        log, send = FileLog(self._folder / name), self._sender(name)
        if name == "orchestrator":
            self.orchestrator = Orchestrator(STATIONS, log, send)
        else:
            self.stations[name] = Station(lambda: name != self._refusing, log, send)

    def _sender(self, name: Address) -> Callable[[Address, Message], None]:
        return lambda receiver, message: self._mail.append((name, receiver, message))

    def step(self) -> None:
        """A message arrives or is lost, or comes twice; a timer rings; or somebody crashes and is there again."""
        what = self._random.random()
        if what < 0.1:
            self.boot(self._random.choice(("orchestrator", *STATIONS)))
        elif what < 0.3 or not self._mail:
            self.orchestrator.timeout()
        else:
            at = self._random.randrange(len(self._mail))
            sender, receiver, message = self._mail[at] if what > 0.9 else self._mail.pop(at)
            if what > 0.4:
                (self.orchestrator if receiver == "orchestrator" else self.stations[receiver]).receive(sender, message)

    def booked(self) -> list[Address]:
        return [name for name, station in self.stations.items() if station.answer is Answer.BOOKED]

    def run(self, patience: int) -> None:
        """Until it is over. The orchestrator gives up after so many steps, if it can; nobody waits for longer than that."""
        self.orchestrator.begin()
        for steps in range(2_000):
            if self.orchestrator.phase in (Phase.BOOKED, Phase.CANCELLED):
                return
            if steps >= patience:
                self.orchestrator.give_up()
            self.step()
            assert self.booked() == [*STATIONS[: len(self.booked())]], "always the beginning of a journey"
        raise AssertionError("it does not end")


@pytest.mark.parametrize("seed", range(40))
@pytest.mark.parametrize("refusing", [None, *STATIONS])
def test_all_have_booked_or_nobody_has(seed: int, refusing: Address | None, tmp_path: Path) -> None:
    random = Random(seed)
    journey = Journey(tmp_path, random, refusing)
    journey.run(patience=random.choice((5, 20, 10_000)))
    end = {Phase.BOOKED: list(STATIONS), Phase.CANCELLED: []}[journey.orchestrator.phase]
    assert journey.booked() == end
    for _ in range(200):  # what is late changes nothing any more, and neither does a crash
        journey.step()
        assert journey.booked() == end
    assert (end == []) or refusing is None


def test_with_patience_and_agreement_everybody_books(tmp_path: Path) -> None:
    journey = Journey(tmp_path, Random(1))
    journey.run(patience=10_000)
    assert journey.orchestrator.phase is Phase.BOOKED


def test_a_station_that_was_told_to_cancel_refuses_the_request_that_comes_late() -> None:
    sent: list[Message] = []
    station = Station(lambda: True, MemoryLog(), lambda _, message: sent.append(message))
    station.receive("orchestrator", Cancel())
    station.receive("orchestrator", Book())
    station.receive("orchestrator", Cancel())
    assert [type(message).__name__ for message in sent] == ["Cancelled", "Refused", "Cancelled"]
    assert station.closed


def test_messages_for_others_are_refused() -> None:
    with pytest.raises(ValueError, match="a message for stations"):
        Orchestrator(STATIONS, MemoryLog(), lambda *_: None).receive("flight", Book())
    with pytest.raises(ValueError, match="a message for the orchestrator"):
        Station(lambda: True, MemoryLog(), lambda *_: None).receive("orchestrator", Booked())


def test_a_log_of_something_else_is_refused() -> None:
    with pytest.raises(ValueError, match="no record of a saga: 'commit'"):
        Orchestrator(STATIONS, MemoryLog(["commit"]), lambda *_: None)
