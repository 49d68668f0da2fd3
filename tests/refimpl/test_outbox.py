"""The transactional outbox: along its spec on PostgreSQL, through crashes with RabbitMQ, and what becomes of mistakes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import pytest
from pika.exceptions import AMQPError

import checker
from checker.conformance.explore import explore
from checker.conformance.probe import probe_all
from checker.conformance.replay import Outcome, replay_all
from checker.engine.graph import StateGraph
from refimpl.adapters.outbox import OutboxAdapter
from refimpl.transactions import outbox_mistakes as wrong
from refimpl.transactions.outbox import SHOP_TABLES, WAREHOUSE_TABLES, Relay, Shop, Warehouse
from refimpl.transactions.outbox_mistakes import BEYOND, MISTAKES, Part
from refimpl.transactions.rabbitmq import Mailbox
from tests.refimpl.mail_order import EFFECTS, ORDERS, Parts, business, problem_of, problem_with
from tests.services import postgres, postgres_schema, rabbitmq, unique

SPEC = Path(__file__).resolve().parents[2] / "specs/transactions/outbox.psm"


@cache
def graph_of(check: str) -> StateGraph:
    return checker.load(SPEC).graph(check)


@contextmanager
def adapted(check: str, parts: Parts | None = None) -> Iterator[OutboxAdapter]:
    """An adapter with a schema of its own."""
    parts = parts or Parts()
    machine = checker.load(SPEC).machine(check)
    with postgres_schema() as where, postgres(where) as session:
        for sql in (*SHOP_TABLES, *WAREHOUSE_TABLES):
            session.execute(sql.encode())
        yield OutboxAdapter(machine, session, shop=parts.shop, relay=parts.relay, warehouse=parts.warehouse)


def test_every_transition_is_as_in_the_spec() -> None:
    with adapted("calm") as adapter:
        result = replay_all(adapter, graph_of("calm"))
    assert result.mismatch is None, result.mismatch.text()
    assert result.outcome is Outcome.CONFORMS
    assert result.taken == result.total == 880
    assert result.unseen == ()


def test_what_the_spec_forbids_does_not_happen() -> None:
    with adapted("calm") as adapter:
        result = probe_all(adapter, graph_of("calm"))
    assert result.mismatch is None, result.mismatch.text()
    assert (result.states, result.tried > 100) == (121, True)


def test_explored_with_crashes() -> None:
    with adapted("crashes") as adapter:
        result = explore(adapter, runs=30, steps=30)
    assert result.outcome is Outcome.CONFORMS, result.mismatch and result.mismatch.text()


@pytest.mark.slow
@pytest.mark.timeout(7_200)
def test_every_transition_with_crashes_is_as_in_the_spec() -> None:
    with adapted("crashes") as adapter:
        result = replay_all(adapter, graph_of("crashes"))
    assert result.mismatch is None, result.mismatch.text()
    assert result.outcome is Outcome.CONFORMS
    assert result.taken == result.total == 129_132


# ---- with RabbitMQ


def test_each_order_is_shipped_once() -> None:
    with business() as run:
        run.run()
        assert problem_of(run) is None
        assert run.found()["shipment"] == ORDERS
        assert run.deliveries == dict.fromkeys(ORDERS, 1)


@pytest.mark.parametrize("point", range(EFFECTS))
def test_each_order_is_shipped_once_wherever_a_crash_strikes(point: int) -> None:
    with business(crash_before=point) as run:
        run.run()
        assert run.effects.left is None, "it crashed"
        assert problem_of(run) is None
        if point >= len(ORDERS):
            assert run.found()["shipment"] == ORDERS
        else:
            assert len(run.found()["shipment"]) == len(ORDERS) - 1, "one order was not taken"


def test_a_crash_before_the_acknowledgement_brings_the_message_again() -> None:
    with business(crash_before=EFFECTS - 1) as run:
        run.run()
        assert run.deliveries[ORDERS[-1]] == 2
        assert problem_of(run) is None


def test_a_broker_that_is_away_delays_and_loses_nothing() -> None:
    with business(unreachable=2) as run:
        run.run()
        assert problem_of(run) is None
        assert run.found()["shipment"] == ORDERS


def publish_into_nothing(mailbox: Callable[..., Mailbox]) -> None:
    """Publishes to a queue that somebody has deleted."""
    connection = rabbitmq()
    try:
        channel, queue = connection.channel(), unique()
        found = mailbox(channel, queue)
        channel.queue_delete(queue)
        found.publish("lost")
    finally:
        connection.close()


def test_a_message_that_nobody_keeps_is_an_error() -> None:
    with pytest.raises(AMQPError):
        publish_into_nothing(Mailbox)


# ---- mistakes


def with_mistake(mistake: type[Part]) -> Parts:
    if issubclass(mistake, wrong.Publishing):
        return Parts(shop=mistake)
    if issubclass(mistake, Shop):
        return Parts(shop=lambda database, _: mistake(database))
    if issubclass(mistake, Relay):
        return Parts(relay=mistake)
    if issubclass(mistake, Warehouse):
        return Parts(warehouse=mistake)
    assert issubclass(mistake, Mailbox)
    return Parts(mailbox=mistake)


LEAVE_THE_SPEC: dict[type[Part], str] = {
    wrong.StoresThenPublishes: "Shop.Buy",
    wrong.PublishesThenStores: "Shop.Buy",
    wrong.PublishesInTheTransaction: "Shop.Buy",
    wrong.DeletesFirst: "Relay.Poll",
    wrong.NeverDeletes: "Relay.Confirm",
    wrong.DeletesEverything: "Relay.Confirm",
    wrong.HasNoTable: "Warehouse.Deliver",
}


@pytest.mark.parametrize("mistake", LEAVE_THE_SPEC, ids=lambda it: it.__name__)
def test_mistake_leaves_the_spec(mistake: type[Part]) -> None:
    with adapted("calm", with_mistake(mistake)) as adapter:
        found = replay_all(adapter, graph_of("calm")).mismatch
    assert found is not None
    assert found.step is not None and found.step.startswith(LEAVE_THE_SPEC[mistake])


BY_CRASHES: dict[type[Part], tuple[int | None, str]] = {
    wrong.TwoTransactions: (1, "paid and never shipped"),
    wrong.StoresThenPublishes: (1, "paid and never shipped"),
    wrong.PublishesThenStores: (1, "shipped and never paid"),
    wrong.PublishesInTheTransaction: (1, "shipped and never paid"),
    wrong.DeletesFirst: (4, "paid and never shipped"),
    wrong.NeverDeletes: (None, "always something left"),
    wrong.DeletesEverything: (5, "paid and never shipped"),
    wrong.HasNoTable: (4, "more than once"),
    wrong.NotesThenShips: (10, "paid and never shipped"),
    wrong.ShipsThenNotes: (10, "more than once"),
    wrong.AcknowledgesFirst: (10, "paid and never shipped"),
    wrong.AcknowledgesNewsOnly: (4, "always something left"),
    wrong.AcknowledgesByItself: (9, "paid and never shipped"),
}
"""Before which effect a crash shows the mistake, and how."""


@pytest.mark.parametrize("mistake", BY_CRASHES, ids=lambda it: it.__name__)
def test_mistake_is_caught_by_a_crash(mistake: type[Part]) -> None:
    """The right processes come through a crash at any point."""
    point, shows = BY_CRASHES[mistake]
    assert shows in (problem_with(with_mistake(mistake), crash_before=point) or "nothing is wrong")


def test_mistakes_that_no_crash_shows() -> None:
    """One needs a broker that is away for a moment, the other one that has lost the queue."""
    assert "paid and never shipped" in (problem_with(with_mistake(wrong.RemembersWhatItTried), unreachable=2) or "")
    publish_into_nothing(wrong.PublishesAnywhere)


def test_every_mistake_is_looked_for() -> None:
    assert {*LEAVE_THE_SPEC, *BY_CRASHES, wrong.RemembersWhatItTried, wrong.PublishesAnywhere} == {*MISTAKES, *BEYOND}
    assert {*LEAVE_THE_SPEC} == {*MISTAKES}
