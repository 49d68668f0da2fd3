"""Idempotency keys held to `specs/idempotence/idempotency_key.psm`, on a real PostgreSQL.

Buyer and payment services are the real ones, with tables of their own. The network is the adapter's: it loses, doubles and
reorders messages when the spec says so. HTTP between the two, and services that work at the same time, are tested beside it.

Commits, changes outside of a transaction, and messages are the effects between which a process may crash: see `Effects`. A
transaction that has not committed is rolled back then, by the database.

Two things would not show in any state. A message of which two are under way already changes nothing, so whether it was sent is
looked at in the step that has to send it. And the spec draws a key only for a purchase that has none; whoever draws another one
is told so.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from typing import Protocol

import psycopg

from checker.conformance.adapter import Adapter, Instance, Mistake, Observation, Refused, Scene
from checker.conformance.compare import NETWORK
from checker.conformance.event import Event
from checker.conformance.mapping import step
from checker.model.machine import Machine
from checker.model.values import to_json
from checker.properties.kinds import Json
from refimpl.adapters.postgres import CrashingDatabase, PostgresAdapter, Session
from refimpl.adapters.world import Effects, bound, node_of
from refimpl.idempotence.idempotency_key import (
    BUYER_TABLES,
    PAYMENTS_TABLES,
    Ask,
    Buyer,
    Database,
    Payments,
    Request,
    Status,
)
from refimpl.idempotence.idempotency_key_mistakes import BEYOND, MISTAKES, Part

CLIENT = "Client"
MOST = 2
"""How many messages that are alike the network carries."""

CLEAR = b"DELETE FROM account; DELETE FROM payment; DELETE FROM reservation; DELETE FROM known; DELETE FROM wanted"
LOOK = b"""
SELECT 'account', name, NULL, balance::int FROM account
UNION ALL SELECT 'paid', purchase, NULL, amount::int FROM payment
UNION ALL SELECT 'paid', purchase, NULL, amount::int FROM reservation
UNION ALL SELECT 'known', key, request, status FROM known
UNION ALL SELECT 'wanted', purchase, key, status FROM wanted
"""


class MakeBuyer(Protocol):
    def __call__(self, database: Database, ask: Ask, *, draw: Callable[[], str]) -> Buyer: ...


class IdempotencyKeyAdapter(PostgresAdapter):
    """Drives a buyer and the processes of a payment service.

    `session` is one of PostgreSQL in autocommit mode, with their tables in its search path. Without it, one is opened as the
    environment says (`PGHOST` and so on), with temporary tables. Other classes than the real ones may be put in their place, by
    tests.
    """

    tables = (*PAYMENTS_TABLES, *BUYER_TABLES)
    checks = ("calm", "short_of_money", "failures", "two_services", "reuse", "put")
    smaller = (Instance("client_crashes", {"PURCHASES": 1}),)
    scenes = (
        Scene(
            "a crash wherever one may strike",
            Instance("failures"),
            (
                "Client.Buy(Purchase0, Key0, Service0)",
                "Service0.Request(Purchase0, Key0) <- Client",
                "Client.Retry(Purchase0, Service0)",
                "Service0.Request(Purchase0, Key0) <- Client",
                "Client.Answer(Purchase0, 201) <- Service0",
            ),
        ),
        Scene(
            "the client crashes, and asks again",
            Instance("client_crashes"),
            (
                "Client.Buy(Purchase0, Key0, Service0)",
                "Client.crash",
                "Client.restart",
                "Client.Retry(Purchase0, Service0)",
            ),
        ),
        Scene(
            "one key for two purchases",
            Instance("reuse"),
            (
                "Client.Buy(Purchase0, Key0, Service0)",
                "Client.Buy(Purchase1, Key0, Service0)",
                "Service0.Request(Purchase0, Key0) <- Client",
                "Service0.Request(Purchase1, Key0) <- Client",
                "Client.Answer(Purchase1, 422) <- Service0",
            ),
        ),
    )
    unsupported = ("Service.Finish", "Service.Forget")

    def __init__(
        self,
        machine: Machine,
        session: Session | None = None,
        *,
        payments: Callable[[Database], Payments] = Payments,
        buyer: MakeBuyer = Buyer,
    ) -> None:
        super().__init__(machine, session)
        self._make_payments = payments
        self._make_buyer = buyer
        self._funds = bound(machine, "FUNDS")
        way, value = machine.constants["WAY"]
        self._sets = to_json(way, value) == "put"
        self._reuses = bool(machine.constants["REUSES"][1])

    @classmethod
    def mistakes(cls) -> Mapping[str, Mistake]:
        """Wrong implementations by name."""
        return {mistake.__name__: Mistake.of(mistake, partial(cls._with, mistake)) for mistake in (*MISTAKES, *BEYOND)}

    @classmethod
    def _with(cls, mistake: type[Part], machine: Machine) -> Adapter:
        if issubclass(mistake, Payments):
            return cls(machine, payments=mistake)
        return cls(machine, buyer=mistake)

    def begin(self, initial: Mapping[str, Json]) -> None:
        self._session.execute(CLEAR)
        self._session.execute(b"INSERT INTO account VALUES ('customer', %s)", (self._funds,))
        self._effects = Effects()
        self._letters: Counter[str] = Counter()
        self._sent = 0
        self._key: str | None = None
        self._receiver = ""
        self._purchases = _names(initial["paid"])
        self._keys = _names(initial["known"])
        self._told: dict[str, set[int]] = {purchase: set() for purchase in self._purchases}
        self.payments: dict[str, Payments] = {}
        self._status = dict.fromkeys((CLIENT, *self.instances("Service")), "up")
        for process in self._status:
            self._boot(process)

    def _boot(self, process: str) -> None:
        database = CrashingDatabase(self._session, self._effects)
        if process == CLIENT:
            self.buyer = self._make_buyer(database, self._ask, draw=self._draw)
        else:
            self.payments[process] = self._make_payments(database)

    # ---- the steps

    @step("Client.Buy")
    def buy(self, event: Event) -> None:
        self._key = str(event.args["k"])
        try:
            with self._asks(event):
                self.buyer.buy(Request(str(event.args["p"]), 1))
        except psycopg.IntegrityError as problem:
            raise Refused(f"the database refuses it: {problem}") from None
        finally:
            self._key = None

    @step("Client.Retry")
    def retry(self, event: Event) -> None:
        purchase = str(event.args["p"])
        if purchase not in self.buyer.waiting():
            raise Refused(f"{purchase} waits for no answer")
        with self._asks(event):
            self.buyer.retry(purchase)

    @step("Client.Answer")
    def answer(self, event: Event) -> None:
        self._take(event)
        purchase, status = str(event.args["purchase"]), Status(int(str(event.args["status"])))
        self._told[purchase].add(int(status))
        self.buyer.answered(purchase, status)

    @step("Service.Request")
    def request(self, event: Event) -> None:
        self._take(event)
        name, request = node_of(event), Request(str(event.args["purchase"]), 1)
        service = self.payments[name]
        status = service.put(request) if self._sets else service.post(str(event.args["key"]), request)
        self._send(name, CLIENT, "Answer", purchase=request.purchase, status=int(status))

    @step("crash Client", "crash Service")
    def crash(self, event: Event) -> None:
        if event.torn is not None:
            with self._effects.until(event.torn):
                self.perform(event.torn.event)
        self._status[node_of(event)] = "down"

    @step("Client.restart", "restart Service")
    def restart(self, event: Event) -> None:
        self._status[node_of(event)] = "up"
        self._boot(node_of(event))

    # ---- messages

    def _draw(self) -> str:
        if self._key is None:
            raise Refused("a key is drawn for a purchase that has one")
        if not self._reuses and self._session.execute(b"SELECT FROM wanted WHERE key = %s", (self._key,)).rowcount:
            raise Refused(f"{self._key} was drawn before, and no key is drawn twice")
        return self._key

    @contextmanager
    def _asks(self, event: Event) -> Iterator[None]:
        """Inside, the buyer asks this process of the service once."""
        self._receiver, self._sent = str(event.args["s"]), 0
        yield
        if self._sent != 1:
            raise Refused(f"it asks {self._sent} times")

    def _ask(self, key: str, request: Request) -> None:
        """The buyer's way to the service. The answer comes later, if it comes."""
        self._send(CLIENT, self._receiver, "Request", purchase=request.purchase, key=key)
        self._sent += 1

    def _send(self, sender: str, receiver: str, kind: str, **fields: Json) -> None:
        self._effects.happen()
        text = self.letter(sender, receiver, kind, **fields)
        self._letters[text] = min(self._letters[text] + 1, MOST)

    def _take(self, event: Event) -> None:
        assert event.sender is not None
        self._lose(self.letter(event.sender, node_of(event), event.name, **event.args))

    def _lose(self, text: str) -> None:
        if not self._letters[text]:
            raise Refused(f"nobody has sent {text}")
        self._letters[text] -= 1

    @step("lose")
    def lose(self, event: Event) -> None:
        self._lose(str(event.args["message"]))

    @step("dup")
    def dup(self, event: Event) -> None:
        text = str(event.args["message"])
        if not 0 < self._letters[text] < MOST:
            raise Refused(f"{self._letters[text]} messages {text} are under way")
        self._letters[text] += 1

    # ---- what can be seen

    def observe(self) -> Observation:
        paid, balance = dict.fromkeys(self._purchases, 0), 0
        known: dict[str, Json] = dict.fromkeys(self._keys)
        keys: dict[str, str | None] = dict.fromkeys(self._purchases)
        done = []
        for table, name, text, number in self._session.execute(LOOK).fetchall():
            match table:
                case "account":
                    balance = number
                case "paid":
                    paid[name] += number
                case "known":
                    known[name] = {"purchase": Request.read(text).purchase, "answer": number}
                case "wanted":
                    keys[name] = text
                    done += [] if number is None else [name]
        spent = 0 if self._sets else sum(paid.values())
        seen: dict[str, object] = {
            "paid": paid if spent + balance == self._funds else f"{paid}, and {balance} of {self._funds} are left",
            "known": known,
            "Client.key": keys,
            "Client.done": done,
            "Client.told": self._told,
            NETWORK: list(self._letters.elements()),
        }
        for process, status in self._status.items():
            role = CLIENT if process == CLIENT else "Service"
            if role == "Service" and status == "up":
                seen[f"{process}.begun"] = None
            if self.can_fall(role):
                seen[f"{process}.status"] = status
        return seen


def _names(entries: Json) -> tuple[str, ...]:
    assert isinstance(entries, dict)
    return tuple(entries)
