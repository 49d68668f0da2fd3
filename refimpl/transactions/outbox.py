"""The transactional outbox, and a consumer that deals with each message once.

A shop stores an order and a warehouse has to hear of it. The database and the message broker cannot commit together, so whoever
stores and then publishes loses messages in a crash, and whoever publishes and then stores tells of orders that nobody has paid.
Three processes do it without either:

    shop       one transaction: the order, and a row in the table `outbox`
    relay      reads the table; publishes each row; deletes it once the broker has confirmed that it keeps the message
    warehouse  one transaction: the order's name into the table `known` and, if it was not there, the shipment; then acknowledges

Why it works: a message exists if and only if the order does, for one commit makes both. A relay that crashes between publishing
and deleting publishes again, so a message arrives at least once. The broker keeps it until it is acknowledged, and the warehouse
acknowledges what is committed; if it crashes before that, the message comes again. So messages may come several times,
which the table `known` makes harmless: a name gets into it once, with the shipment, by the same commit.

Order matters in three places, and each is one line below: delete behind the confirmation, acknowledge behind the commit, and no
statement outside of its transaction.

All that a process knows is in its database; after a crash a new one just begins. A database is a `psycopg` session in autocommit
mode, or anything with these two methods. `rabbitmq` has the broker's side.

Sources: C. Richardson, "Microservices patterns", 2018, chapter 3; P. Helland, "Life beyond distributed transactions", 2007.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol

SHOP_TABLES = (
    "CREATE TABLE orders (name text PRIMARY KEY)",
    "CREATE TABLE outbox (number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text NOT NULL)",
)
WAREHOUSE_TABLES = (
    "CREATE TABLE known (name text PRIMARY KEY)",
    "CREATE TABLE shipment (name text NOT NULL)",
)

Publish = Callable[[str], None]
"""Hands the name of an order to the broker."""
Acknowledge = Callable[[], None]
"""Tells the broker that a delivery need not be made again."""


class Rows(Protocol):
    """What a statement has found."""

    @property
    def rowcount(self) -> int:
        """How many rows it has changed."""

    def fetchall(self) -> Sequence[tuple[Any, ...]]: ...


class Database(Protocol):
    """A session in autocommit mode."""

    def execute(self, statement: bytes, values: Sequence[str] = ..., /) -> Rows:
        """Carries out one statement, in the transaction if there is one."""

    def transaction(self) -> AbstractContextManager[object]:
        """A transaction that commits at its end, unless that is an error."""


class Shop:
    """Takes orders."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def buy(self, order: str) -> None:
        """Stores an order and the message of it."""
        with self._database.transaction():
            self._store(order)
            self._leave_message(order)

    def _store(self, order: str) -> None:
        self._database.execute(b"INSERT INTO orders VALUES (%s)", (order,))

    def _leave_message(self, order: str) -> None:
        self._database.execute(b"INSERT INTO outbox (name) VALUES (%s)", (order,))


class Relay:
    """Carries messages from the outbox to the broker. `publish` may raise: then the row stays, and is tried again later."""

    def __init__(self, database: Database, publish: Publish) -> None:
        self._database = database
        self._publish = publish

    def waiting(self) -> tuple[str, ...]:
        """What stands in the outbox, oldest first."""
        return tuple(name for (name,) in self._database.execute(b"SELECT name FROM outbox ORDER BY number").fetchall())

    def poll(self, order: str) -> None:
        """Publishes a message that waits."""
        self._publish(order)

    def confirmed(self, order: str) -> None:
        """The broker keeps the message: its row has done its work."""
        self._database.execute(b"DELETE FROM outbox WHERE name = %s", (order,))

    def run_once(self) -> int:
        """Publishes everything that waits, and says how much that was. It takes a `publish` that returns once it is confirmed."""
        waiting = self.waiting()
        for order in waiting:
            self.poll(order)
            self.confirmed(order)
        return len(waiting)


class Warehouse:
    """Ships what was ordered."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def deliver(self, order: str, acknowledge: Acknowledge) -> None:
        """Takes a message, for the first time or again."""
        with self._database.transaction():
            if self._is_new(order):
                self._ship(order)
        acknowledge()

    def _is_new(self, order: str) -> bool:
        """Notes the name; a second transaction with the same one waits here until the first has ended."""
        noted = self._database.execute(b"INSERT INTO known VALUES (%s) ON CONFLICT DO NOTHING", (order,))
        return noted.rowcount == 1

    def _ship(self, order: str) -> None:
        self._database.execute(b"INSERT INTO shipment VALUES (%s)", (order,))
