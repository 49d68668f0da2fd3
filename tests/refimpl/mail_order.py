"""Shop, relay and warehouse on a real PostgreSQL and a real RabbitMQ, through a crash at a chosen point.

Every commit, every publication and every acknowledgement is an effect; a run crashes before one of them, whoever would have it,
and goes on with a fresh process on fresh connections. What was not committed is rolled back by PostgreSQL, what was not
acknowledged is delivered again by RabbitMQ.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial

import psycopg
from pika.exceptions import AMQPError

from refimpl.adapters.outbox import MakeShop, shop_without_broker
from refimpl.adapters.postgres import CrashingDatabase
from refimpl.adapters.world import Effects, Fallen
from refimpl.transactions.outbox import SHOP_TABLES, WAREHOUSE_TABLES, Acknowledge, Database, Publish, Relay, Warehouse
from refimpl.transactions.rabbitmq import Mailbox
from tests.services import postgres, postgres_schema, rabbitmq, unique

ORDERS = ("anvil", "book", "chair")
EFFECTS = 5 * len(ORDERS)
"""Effects of a run without a crash: two commits, a publication, a deletion and an acknowledgement for each order."""
PATIENCE = 0.04
MOST_ROUNDS = 10


@dataclass(frozen=True, slots=True)
class Parts:
    """What takes part, each of which may be a wrong one."""

    shop: MakeShop = shop_without_broker
    relay: Callable[[Database, Publish], Relay] = Relay
    warehouse: Callable[[Database], Warehouse] = Warehouse
    mailbox: Callable[..., Mailbox] = Mailbox


@dataclass(slots=True)
class Business:
    """One run."""

    where: str
    parts: Parts
    effects: Effects
    unreachable: int = 0
    """How many publications fail because the broker cannot be reached."""
    queue: str = field(default_factory=unique)
    deliveries: Counter[str] = field(default_factory=Counter)

    def run(self) -> None:
        """Sells everything once, and goes on until nothing is left to do.

        Raises:
            AssertionError: it never ends.
        """
        for order in ORDERS:
            self._life(partial(self._buy, order))
        for _ in range(MOST_ROUNDS):
            moved = self._life(self._relay_all)
            handled = self._life(self._deliver_all)
            if moved == handled == 0:
                return
        raise AssertionError("there is always something left to do")

    def found(self) -> Mapping[str, tuple[str, ...]]:
        """What is in the tables."""
        with postgres(self.where) as session:

            def names(table: str) -> tuple[str, ...]:
                rows = session.execute(f"SELECT name FROM {table} ORDER BY name".encode()).fetchall()
                return tuple(name for (name,) in rows)

            return {table: names(table) for table in ("orders", "outbox", "known", "shipment")}

    def _life(self, work: Callable[[], int]) -> int:
        """Lets a process do its work; 1 if it crashed, so that a fresh one has something to do."""
        try:
            return work()
        except Fallen:
            self.effects.left = None
            return 1

    @contextmanager
    def _database(self) -> Iterator[Database]:
        with postgres(self.where) as session:
            yield CrashingDatabase(session, self.effects)

    @contextmanager
    def _mailbox(self) -> Iterator[Mailbox]:
        connection = rabbitmq()
        try:
            yield self.parts.mailbox(connection.channel(), self.queue)
        finally:
            connection.close()

    def _publisher(self, mailbox: Mailbox) -> Publish:
        def publish(order: str) -> None:
            self.effects.happen()
            if self.unreachable:
                self.unreachable -= 1
                raise AMQPError("the broker cannot be reached")
            mailbox.publish(order)

        return publish

    def _buy(self, order: str) -> int:
        with self._database() as database:
            self.parts.shop(database, self._publish_once).buy(order)
        return 0

    def _publish_once(self, order: str) -> None:
        """Over a connection that is opened for it: the right shop needs none."""
        self.effects.happen()
        with self._mailbox() as mailbox:
            mailbox.publish(order)

    def _relay_all(self) -> int:
        with self._database() as database, self._mailbox() as mailbox:
            relay = self.parts.relay(database, self._publisher(mailbox))
            failed = 0
            while True:
                try:
                    return relay.run_once() + failed
                except AMQPError:  # a relay tries again
                    failed += 1

    def _deliver_all(self) -> int:
        with self._database() as database, self._mailbox() as mailbox:
            warehouse = self.parts.warehouse(database)

            def handle(order: str, acknowledge: Acknowledge) -> None:
                self.deliveries[order] += 1

                def counted() -> None:
                    self.effects.happen()
                    acknowledge()

                warehouse.deliver(order, counted)

            return mailbox.consume(handle, patience=PATIENCE)


@contextmanager
def business(
    parts: Parts | None = None, *, crash_before: int | None = None, unreachable: int = 0
) -> Iterator[Business]:
    """A business with tables and a queue of its own, that crashes once before this effect, counted from 0."""
    with ExitStack() as stack:
        where = stack.enter_context(postgres_schema())
        with postgres(where) as session:
            for sql in (*SHOP_TABLES, *WAREHOUSE_TABLES):
                session.execute(sql.encode())
        effects = Effects()
        effects.left = crash_before
        found = Business(where, parts or Parts(), effects, unreachable)
        stack.callback(_delete, found.queue)
        yield found


def _delete(queue: str) -> None:
    connection = rabbitmq()
    connection.channel().queue_delete(queue)
    connection.close()


def problem_of(done: Business) -> str | None:
    """What is wrong after a run; None if nothing is."""
    found = done.found()
    shipped = Counter(found["shipment"])
    if phantom := set(shipped) - set(found["orders"]):
        return f"shipped and never paid: {phantom}"
    if lost := set(found["orders"]) - set(shipped):
        return f"paid and never shipped: {lost}"
    if twice := {order for order, count in shipped.items() if count > 1}:
        return f"shipped more than once: {twice}"
    return f"left in the outbox: {found['outbox']}" if found["outbox"] else None


def problem_with(parts: Parts, *, crash_before: int | None = None, unreachable: int = 0) -> str | None:
    """What goes wrong in a run with these parts."""
    with business(parts, crash_before=crash_before, unreachable=unreachable) as run:
        try:
            run.run()
        except (AssertionError, psycopg.Error) as trouble:
            return f"{type(trouble).__name__}: {trouble}"
        return problem_of(run)
