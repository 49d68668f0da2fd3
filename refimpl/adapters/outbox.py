"""The transactional outbox held to `specs/transactions/outbox.psm`, on a real PostgreSQL.

Shop, relay and warehouse are the real ones, with tables of their own. The broker is the adapter's: the spec's network delivers
a message late, again and in any order, which a real broker does when it likes and not when the spec says so. With RabbitMQ the
processes are tested by crashes.

Commits, changes outside of a transaction, and messages are the effects between which a process may crash: see `Effects`. A
transaction that has not committed is rolled back then, by the database.

Two things would not show in any state. In the spec an order is taken in one effect, so it has no crash in the middle of that;
whether there is a middle is counted here. And a message that is sent again changes nothing on a network that keeps all messages;
so whether it was sent is looked at in the step that has to send it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from typing import NamedTuple

import psycopg

from checker.conformance.adapter import Adapter, Instance, Mistake, Observation, Refused, Scene
from checker.conformance.compare import NETWORK
from checker.conformance.event import Event
from checker.conformance.mapping import step
from checker.model.machine import Machine
from checker.properties.kinds import Json
from refimpl.adapters.postgres import CrashingDatabase, PostgresAdapter, Session
from refimpl.adapters.world import Effects
from refimpl.transactions.outbox import (
    SHOP_TABLES,
    WAREHOUSE_TABLES,
    Database,
    Publish,
    Relay,
    Shop,
    Warehouse,
)
from refimpl.transactions.outbox_mistakes import BEYOND, MISTAKES, Part, Publishing

ROLES = ("Shop", "Relay", "Broker", "Warehouse")

CLEAR = b"DELETE FROM orders; DELETE FROM outbox; DELETE FROM known; DELETE FROM shipment"
LOOK = b"""
SELECT 'orders', name FROM orders UNION ALL SELECT 'outbox', name FROM outbox
UNION ALL SELECT 'known', name FROM known UNION ALL SELECT 'shipment', name FROM shipment
"""

MakeShop = Callable[[Database, Publish], Shop]


def shop_without_broker(database: Database, publish: Publish) -> Shop:
    """The right shop has no use for a broker."""
    return Shop(database)


class Letter(NamedTuple):
    """A message in the soup."""

    sender: str
    receiver: str
    kind: str
    order: str


class OutboxAdapter(PostgresAdapter):
    """Drives one shop, relay and warehouse, and plays the broker.

    `session` is one of PostgreSQL in autocommit mode, with the tables of the outbox in its search path. Without it, one is opened
    as the environment says (`PGHOST` and so on), with temporary tables. Other classes than the real ones may be put in their
    place, by tests.
    """

    tables = (*SHOP_TABLES, *WAREHOUSE_TABLES)
    checks = ("calm", "crashes")
    scenes = (
        Scene(
            "a crash wherever one may strike",
            Instance("crashes"),
            (
                "Shop.Buy(Order0)",
                "Relay.Poll(Order0)",
                "Broker.Publish(Order0) <- Relay",
                "Broker.Push(Order0)",
                "Warehouse.Deliver(Order0) <- Broker",
                "Broker.Ack(Order0) <- Warehouse",
                "Relay.Confirm(Order0) <- Broker",
            ),
        ),
    )

    def __init__(
        self,
        machine: Machine,
        session: Session | None = None,
        *,
        shop: MakeShop = shop_without_broker,
        relay: Callable[[Database, Publish], Relay] = Relay,
        warehouse: Callable[[Database], Warehouse] = Warehouse,
    ) -> None:
        super().__init__(machine, session)
        self._makers = (shop, relay, warehouse)

    @classmethod
    def mistakes(cls) -> Mapping[str, Mistake]:
        """Wrong implementations by name."""
        return {mistake.__name__: Mistake.of(mistake, partial(cls._with, mistake)) for mistake in (*MISTAKES, *BEYOND)}

    @classmethod
    def _with(cls, mistake: type[Part], machine: Machine) -> Adapter:
        if issubclass(mistake, Publishing):
            return cls(machine, shop=mistake)
        if issubclass(mistake, Shop):
            return cls(machine, shop=lambda database, _: mistake(database))
        if issubclass(mistake, Relay):
            return cls(machine, relay=mistake)
        if issubclass(mistake, Warehouse):
            return cls(machine, warehouse=mistake)
        return cls(machine)  # the adapter is the broker itself, so nothing can be wrong with talking to one

    def begin(self, initial: Mapping[str, Json]) -> None:
        self._session.execute(CLEAR)
        self._effects = Effects()
        self._letters: set[Letter] = set()
        self._sent: list[str] = []
        self._queue: set[str] = set()
        self._orders = tuple(initial["shipped"])  # type: ignore[arg-type]  # a map of all orders
        self._told: set[str] = set()
        self._status = dict.fromkeys(ROLES, "up")
        for role in self._status:
            self._boot(role)

    def _boot(self, role: str) -> None:
        database = CrashingDatabase(self._session, self._effects)
        shop, relay, warehouse = self._makers
        match role:
            case "Shop":
                self.shop = shop(database, lambda order: self._send("Shop", "Broker", "Publish", order))
            case "Relay":
                self.relay = relay(database, lambda order: self._send("Relay", "Broker", "Publish", order))
            case "Warehouse":
                self.warehouse = warehouse(database)

    # ---- the steps

    @step("Shop.Buy")
    def buy(self, event: Event) -> None:
        before = self._effects.count
        try:
            self.shop.buy(_order(event))
        except psycopg.IntegrityError as problem:
            raise Refused(f"the database refuses it: {problem}") from None
        if self._effects.count != before + 1:
            raise Refused(f"it takes {self._effects.count - before} effects, and a crash may come between them")

    @step("Relay.Poll")
    def poll(self, event: Event) -> None:
        if _order(event) not in self.relay.waiting():
            raise Refused(f"{_order(event)} is not in the outbox")
        with self._sends("Publish"):
            self.relay.poll(_order(event))

    @step("Relay.Confirm", "Relay.ignore Confirm")
    def confirm(self, event: Event) -> None:
        self._find(event)
        self.relay.confirmed(_order(event))

    @step("Warehouse.Deliver")
    def deliver(self, event: Event) -> None:
        self._find(event)
        order = _order(event)
        with self._sends("Ack"):
            self.warehouse.deliver(order, lambda: self._send("Warehouse", "Broker", "Ack", order))

    @step("Broker.Publish")
    def keep(self, event: Event) -> None:
        self._find(event)
        self._effects.happen()
        self._queue.add(_order(event))
        self._send("Broker", "Relay", "Confirm", _order(event))

    @step("Broker.Push")
    def push(self, event: Event) -> None:
        if _order(event) not in self._queue:
            raise Refused(f"{_order(event)} is not in the queue")
        self._send("Broker", "Warehouse", "Deliver", _order(event))

    @step("Broker.Ack")
    def drop(self, event: Event) -> None:
        self._find(event)
        self._effects.happen()
        self._queue.discard(_order(event))

    @step(*(f"crash {role}" for role in ROLES))
    def crash(self, event: Event) -> None:
        if event.torn is not None:
            with self._effects.until(event.torn):
                self.perform(event.torn.event)
        self._status[event.node or ""] = "down"

    @step(*(f"restart {role}" for role in ROLES))
    def restart(self, event: Event) -> None:
        self._status[event.node or ""] = "up"
        self._boot(event.node or "")

    # ---- messages

    def _send(self, sender: str, receiver: str, kind: str, order: str) -> None:
        self._effects.happen()
        self._letters.add(Letter(sender, receiver, kind, order))
        self._sent.append(kind)

    @contextmanager
    def _sends(self, kind: str) -> Iterator[None]:
        """Inside, a message of this kind has to be sent, also where one like it is in flight already."""
        self._sent.clear()
        yield
        if kind not in self._sent:
            raise Refused(f"no {kind} is sent")

    def _find(self, event: Event) -> Letter:
        letter = Letter(event.sender or "", event.node or "", event.name, _order(event))
        if letter not in self._letters:
            raise Refused(f"{letter.sender} never sent {letter.kind}({letter.order})")
        return letter

    # ---- what can be seen

    def _look(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {"orders": [], "outbox": [], "known": [], "shipment": []}
        for table, name in self._session.execute(LOOK).fetchall():
            found[table].append(name)
        return found

    def observe(self) -> Observation:
        found = self._look()
        # What was told is history: rows that were there once, and messages, which are never taken away.
        self._told.update(found["outbox"])
        self._told.update(letter.order for letter in self._letters if letter.kind == "Publish")
        seen: dict[str, object] = {
            "paid": found["orders"],
            "waiting": found["outbox"],
            "known": found["known"],
            "shipped": {order: found["shipment"].count(str(order)) for order in self._orders},
            "told": self._told,
            "Broker.queue": self._queue,
            NETWORK: [self.letter(sender, to, kind, order=order) for sender, to, kind, order in self._letters],
        }
        seen.update({f"{role}.status": status for role, status in self._status.items() if self.can_fall(role)})
        return seen


def _order(event: Event) -> str:
    return str(event.args["order"])
