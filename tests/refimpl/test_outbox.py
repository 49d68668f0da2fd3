"""The transactional outbox: along its spec on PostgreSQL, through crashes with RabbitMQ, and what becomes of mistakes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from pika.exceptions import AMQPError
from pika.spec import BasicProperties

import checker
from checker.conformance.cover import cover
from checker.conformance.replay import Outcome, replay, replay_all
from refimpl.adapters.outbox import OutboxAdapter
from refimpl.transactions.outbox import (
    SHOP_TABLES,
    WAREHOUSE_TABLES,
    Acknowledge,
    Database,
    Publish,
    Relay,
    Shop,
    Warehouse,
)
from refimpl.transactions.rabbitmq import Handle, Mailbox
from tests.refimpl.mail_order import EFFECTS, ORDERS, Parts, business, problem_of, problem_with
from tests.services import postgres, postgres_schema, rabbitmq, unique

SPEC = Path(__file__).resolve().parents[2] / "specs/transactions/outbox.psm"


@contextmanager
def adapted(check: str, parts: Parts | None = None) -> Iterator[tuple[OutboxAdapter, Any]]:
    """An adapter with a schema of its own, and the graph of a check."""
    parts = parts or Parts()
    graph = checker.load(SPEC).graph(check)
    with postgres_schema() as where, postgres(where) as session:
        for sql in (*SHOP_TABLES, *WAREHOUSE_TABLES):
            session.execute(sql.encode())
        yield (
            OutboxAdapter(
                graph.machine,
                session,
                shop=parts.shop,
                relay=parts.relay,
                warehouse=parts.warehouse,
            ),
            graph,
        )


def test_every_transition_is_as_in_the_spec() -> None:
    with adapted("calm") as (adapter, graph):
        result = replay_all(adapter, graph)
    assert result.mismatch is None, result.mismatch.text()
    assert result.outcome is Outcome.CONFORMS
    assert result.taken == result.total == 880
    assert result.unseen == ()


@pytest.mark.slow
def test_paths_with_crashes_are_as_in_the_spec() -> None:
    """A share of the paths that together take all 129,132 transitions, since all of them take many minutes."""
    with adapted("crashes") as (adapter, graph):
        result = replay(adapter, graph, cover(graph, longest=30).paths[::7])
    assert result.mismatch is None, result.mismatch.text()
    assert result.taken > 17_000


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


class TwoTransactions(Shop):
    """Stores the order and the message one after the other."""

    def buy(self, order: str) -> None:
        self._store(order)
        self._leave_message(order)


class Publishing(Shop):
    """Talks to the broker itself."""

    def __init__(self, database: Database, publish: Publish) -> None:
        super().__init__(database)
        self._publish = publish


class StoresThenPublishes(Publishing):
    """Without an outbox: a crash in between loses the message."""

    def buy(self, order: str) -> None:
        self._store(order)
        self._publish(order)


class PublishesThenStores(Publishing):
    """Without an outbox: a crash in between tells of an order that is not there."""

    def buy(self, order: str) -> None:
        self._publish(order)
        self._store(order)


class PublishesInTheTransaction(Publishing):
    """Which looks like one step, and is not: the broker knows nothing of the transaction."""

    def buy(self, order: str) -> None:
        with self._database.transaction():
            self._store(order)
            self._publish(order)


class DeletesFirst(Relay):
    """Deletes the row, and then publishes."""

    def poll(self, order: str) -> None:
        super().confirmed(order)
        self._publish(order)


class NeverDeletes(Relay):
    """Leaves the row."""

    def confirmed(self, order: str) -> None:
        pass


class DeletesEverything(Relay):
    """Forgets the `WHERE`."""

    def confirmed(self, order: str) -> None:
        self._database.execute(b"DELETE FROM outbox")


class RemembersWhatItTried(Relay):
    """Passes over what it has published once, whether or not that came through."""

    def __init__(self, database: Database, publish: Publish) -> None:
        super().__init__(database, publish)
        self._tried: set[str] = set()

    def poll(self, order: str) -> None:
        if order not in self._tried:
            self._tried.add(order)
            super().poll(order)


class HasNoTable(Warehouse):
    """Ships with every delivery."""

    def _is_new(self, order: str) -> bool:
        super()._is_new(order)
        return True


class NotesThenShips(Warehouse):
    """In two transactions: a crash in between, and nothing is shipped."""

    def deliver(self, order: str, acknowledge: Acknowledge) -> None:
        if self._is_new(order):
            self._ship(order)
        acknowledge()


class ShipsThenNotes(Warehouse):
    """In two transactions: a crash in between, and it is shipped twice."""

    def deliver(self, order: str, acknowledge: Acknowledge) -> None:
        known = self._database.execute(b"SELECT name FROM known WHERE name = %s", (order,)).fetchall()
        if not known:
            self._ship(order)
            self._is_new(order)
        acknowledge()


class AcknowledgesFirst(Warehouse):
    """Tells the broker that it is done, and begins."""

    def deliver(self, order: str, acknowledge: Acknowledge) -> None:
        acknowledge()
        super().deliver(order, lambda: None)


class AcknowledgesNewsOnly(Warehouse):
    """Does not acknowledge what it knows already."""

    def deliver(self, order: str, acknowledge: Acknowledge) -> None:
        with self._database.transaction():
            new = self._is_new(order)
            if new:
                self._ship(order)
        if new:
            acknowledge()


class AcknowledgesByItself(Mailbox):
    """`auto_ack`: the broker forgets a message when it has sent it."""

    def consume(self, handle: Handle, *, patience: float) -> int:
        count = 0
        for method, _, body in self._channel.consume(self._queue, auto_ack=True, inactivity_timeout=patience):
            if method is None:
                break
            count += 1
            handle(body.decode(), lambda: None)
        return count


class PublishesAnywhere(Mailbox):
    """Without `mandatory`: what fits no queue is dropped, and confirmed."""

    def publish(self, text: str) -> None:
        self._channel.basic_publish("", self._queue, text.encode(), BasicProperties(delivery_mode=2))


def with_mistake(mistake: type) -> Parts:
    if issubclass(mistake, Publishing):
        return Parts(shop=mistake)
    if issubclass(mistake, Shop):
        return Parts(shop=lambda database, _: mistake(database))
    if issubclass(mistake, Relay):
        return Parts(relay=mistake)
    if issubclass(mistake, Warehouse):
        return Parts(warehouse=mistake)
    assert issubclass(mistake, Mailbox)
    return Parts(mailbox=mistake)


@pytest.mark.parametrize(
    ("mistake", "step"),
    [
        (StoresThenPublishes, "Shop.Buy"),
        (PublishesThenStores, "Shop.Buy"),
        (PublishesInTheTransaction, "Shop.Buy"),
        (DeletesFirst, "Relay.Poll"),
        (NeverDeletes, "Relay.Confirm"),
        (DeletesEverything, "Relay.Confirm"),
        (HasNoTable, "Warehouse.Deliver"),
    ],
    ids=lambda it: it if isinstance(it, str) else it.__name__,
)
def test_mistake_leaves_the_spec(mistake: type, step: str) -> None:
    with adapted("calm", with_mistake(mistake)) as (adapter, graph):
        found = replay_all(adapter, graph).mismatch
    assert found is not None
    assert found.step is not None and found.step.startswith(step)


@pytest.mark.parametrize(
    ("mistake", "point", "shows"),
    [
        (TwoTransactions, 1, "paid and never shipped"),
        (StoresThenPublishes, 1, "paid and never shipped"),
        (PublishesThenStores, 1, "shipped and never paid"),
        (PublishesInTheTransaction, 1, "shipped and never paid"),
        (DeletesFirst, 4, "paid and never shipped"),
        (NeverDeletes, None, "always something left"),
        (DeletesEverything, 5, "paid and never shipped"),
        (HasNoTable, 4, "more than once"),
        (NotesThenShips, 10, "paid and never shipped"),
        (ShipsThenNotes, 10, "more than once"),
        (AcknowledgesFirst, 10, "paid and never shipped"),
        (AcknowledgesNewsOnly, 4, "always something left"),
        (AcknowledgesByItself, 9, "paid and never shipped"),
    ],
    ids=lambda it: getattr(it, "__name__", str(it)),
)
def test_mistake_is_caught_by_a_crash(mistake: type, point: int | None, shows: str) -> None:
    """The right processes come through a crash at any point."""
    assert shows in (problem_with(with_mistake(mistake), crash_before=point) or "nothing is wrong")


def test_mistakes_that_no_crash_shows() -> None:
    """One needs a broker that is away for a moment, the other one that has lost the queue."""
    assert "paid and never shipped" in (problem_with(with_mistake(RemembersWhatItTried), unreachable=2) or "")
    publish_into_nothing(PublishesAnywhere)
