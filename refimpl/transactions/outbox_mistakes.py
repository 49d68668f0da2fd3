"""The outbox done wrong: fifteen mistakes that people make, each in the few lines that make it.

They stand beside the right implementation so that a reader sees what each rule is for by what happens without it, and so that
tests can be tested: each of these has to be found.
"""

from __future__ import annotations

from pika.spec import BasicProperties

from refimpl.transactions.outbox import Acknowledge, Database, Publish, Relay, Shop, Warehouse
from refimpl.transactions.rabbitmq import PERSISTENT, Handle, Mailbox


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
    """`auto_ack`: the broker forgets a message when it has sent it.

    The adapter plays the broker, so no mailbox of RabbitMQ is used along the spec. With RabbitMQ and a crash, it is noticed by
    `tests/refimpl/test_outbox.py::test_mistake_is_caught_by_a_crash`.
    """

    def consume(self, handle: Handle, *, patience: float) -> int:
        count = 0
        for method, _, body in self._channel.consume(self._queue, auto_ack=True, inactivity_timeout=patience):
            if method is None:
                break
            count += 1
            handle(body.decode(), lambda: None)
        return count


class PublishesAnywhere(Mailbox):
    """Without `mandatory`: what fits no queue is dropped, and confirmed.

    The adapter plays the broker, and its queue is always there. With RabbitMQ and a queue that was deleted, it is noticed by
    `tests/refimpl/test_outbox.py::test_mistakes_that_no_crash_shows`.
    """

    def publish(self, text: str) -> None:
        self._channel.basic_publish("", self._queue, text.encode(), BasicProperties(delivery_mode=PERSISTENT))


Part = Shop | Relay | Warehouse | Mailbox

MISTAKES: tuple[type[Part], ...] = (
    StoresThenPublishes,
    PublishesThenStores,
    PublishesInTheTransaction,
    DeletesFirst,
    NeverDeletes,
    DeletesEverything,
    HasNoTable,
)
"""Those that a step of the spec shows without a crash."""

BEYOND: tuple[type[Part], ...] = (
    TwoTransactions,
    NotesThenShips,
    ShipsThenNotes,
    AcknowledgesFirst,
    AcknowledgesNewsOnly,
    RemembersWhatItTried,
    AcknowledgesByItself,
    PublishesAnywhere,
)
"""Those that show in a crash, or when the broker fails."""
