"""Steps as implementations read them."""

from __future__ import annotations

import checker
from checker.conformance.event import Event, Events, events_along
from tests.conformance.toy import graph_of


def event(check: str, label: str) -> Event:
    graph = graph_of(check)
    edge = next(edge for edge in graph.edges if edge.label == label)
    return Events(graph.labels).of(edge)


def test_action_has_its_parameters() -> None:
    found = event("calm", "Reader.Take(Book1)")
    assert (found.unit, found.kind, found.node, found.name) == ("Reader.Take", "action", "Reader", "Take")
    assert found.args == {"wanted": "Book1"}
    assert found.sender is None


def test_message_has_its_sender_and_the_names_of_its_fields() -> None:
    found = event("calm", "Shelf.Put(Book0) <- Reader")
    assert (found.node, found.sender) == ("Shelf", "Reader")
    assert found.args == {"book": "Book0"}, "not `new`, as the handler calls it"


def test_choices_are_told() -> None:
    assert event("calm", "Reader.Return() [one = Book1]").chosen == {"one": "Book1"}
    assert event("calm", "Reader.Thanks() <- Shelf [branch 1]").branches == (0,)
    gift = event("calm", "Reader.Thanks() <- Shelf [branch 2, gift = Book0]")
    assert (gift.branches, gift.chosen) == ((1,), {"gift": "Book0"})


def test_faults_say_whom_they_strike() -> None:
    crash = event("rough", "Shelf.crash")
    assert (crash.unit, crash.kind, crash.node, crash.torn) == ("crash Shelf", "crash", "Shelf", None)
    restart = event("rough", "Shelf.restart")
    assert (restart.unit, restart.kind, restart.node) == ("restart Shelf", "restart", "Shelf")
    lost = event("rough", "lose Put(Book0) Reader -> Shelf")
    assert (lost.unit, lost.node) == ("lose", None)
    assert lost.args == {"message": "Put(Book0) Reader -> Shelf", "place": 0}
    assert event("rough", "Shelf.Fire()").unit == "Shelf.Fire"


def test_torn_handler_is_told_whole_and_with_what_happened() -> None:
    found = event("rough", "Shelf.Put(Book1) <- Reader [crash after 1 effect]")
    assert (found.unit, found.node) == ("crash Shelf", "Shelf")
    assert found.torn is not None
    assert found.torn.effects == 1
    assert found.torn.reached is None
    assert found.torn.event == event("rough", "Shelf.Put(Book1) <- Reader")


def test_torn_multicast_names_those_that_were_reached() -> None:
    text = """
    spec Call
    message Ring
    network soup
    role Bell { action Strike { send Ring to Ear } }
    role Ear[2] { ignore Ring }
    final: true
    check torn { faults crash Bell <= 1 }
    """
    graph = checker.loads(text).graph("torn")
    torn = [e.torn for e in map(Events(graph.labels).of, graph.edges) if e.torn is not None]
    assert {t.reached for t in torn} == {("Ear0",), ("Ear1",)}


def test_cuts_ticks_and_drift() -> None:
    text = """
    spec Clocks
    role Clock[2] { volatile now: 0..2 = 0  on tick { if now < 2 { now += 1 } } }
    final: true
    check apart { faults cut <= 1, drift Clock <= 1 }
    """
    graph = checker.loads(text).graph("apart")
    found = {(e.unit, str(dict(e.args)), e.node) for e in map(Events(graph.labels).of, graph.edges)}
    assert found == {
        ("cut", "{'side': ['Clock1']}", None),
        ("heal", "{'side': ['Clock1']}", None),
        ("tick", "{}", None),
        ("drift Clock", "{'times': 0}", "Clock0"),
        ("drift Clock", "{'times': 0}", "Clock1"),
        ("drift Clock", "{'times': 2}", "Clock0"),
        ("drift Clock", "{'times': 2}", "Clock1"),
    }


def test_forged_messages_are_marked() -> None:
    text = """
    spec Lies
    message Word(n: 0..1)
    network soup
    role Man[2] {
      volatile heard: bool = false
      action Say { send Word(1) to Man }
      on Word(n) from m when not heard { heard := true }
    }
    final: true
    check lies { faults byzantine Man <= 1 }
    """
    graph = checker.loads(text).graph("lies")
    path = next((n,) for n, edge in enumerate(graph.edges) if edge.label == "Man1.Word(0) <- Man0 [forged]")
    (found,) = events_along(graph, path)
    assert found.forged
    assert (found.node, found.sender, found.args) == ("Man1", "Man0", {"n": 0})
