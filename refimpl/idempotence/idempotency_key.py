"""Idempotency keys: a request that is made again has one effect, and gets one answer.

A client that hears nothing cannot know whether its request was lost, or only the answer. If it gives up, it may have paid for
nothing; if it asks again, it may pay twice. Which of the two it is, only the service can find out, and only if attempts of one
request can be told from another request. So each request has a key:

    buyer      draws a key for a purchase and stores it; asks with it, until it is told what became of the purchase
    payments   one transaction: the key into a table, with what was asked; if it was not there, the payment, and the answer
               beside the key; if it was, the answer that stands there

Why it works: a key gets into the table once, by the commit that pays. A second attempt that comes meanwhile waits in `INSERT`
until the first has ended. If that has committed, the key is there, and the answer with it; if it was rolled back, there is no key
and no payment, and the second attempt is the first. A crash of the service is such a rollback. A crash of the buyer does no harm,
for the key was stored before anybody heard of it.

A declined payment is an answer like any other, and is stored: whoever was told that a purchase failed must not learn later that
an attempt of it, which had been on its way, has come through. A key that comes with another request is refused. That is a mistake
in the client, and no guess is better than to tell it.

Two limits. Keys cannot be kept for ever, and an attempt that comes later than `forget` is a new request; so keys have to live
longer than clients go on asking. And the effect has to lie in the database of the keys: what is done elsewhere has no part in
its transaction.

`PUT` and `DELETE` need none of this, since what they do is to set: a reservation that is set twice is there once. Only the answer
may be another one the second time.

A database is a `psycopg` session in autocommit mode (isolation `read committed`, PostgreSQL's own), or anything with these two
methods. `front` is the way to it by HTTP.

Sources: B. Leach, "Designing robust and predictable APIs with idempotency", 2017, and "Implementing Stripe-like idempotency keys
in Postgres", 2017; RFC 9110, "HTTP semantics", 2022, section 9.2.2; J. Jena, S. Dalal, "The Idempotency-Key HTTP header
field" (Internet-Draft), 2021.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass
from enum import IntEnum
from typing import Any, Protocol

PAYMENTS_TABLES = (
    "CREATE TABLE account (name text PRIMARY KEY, balance bigint NOT NULL CHECK (balance >= 0))",
    "CREATE TABLE payment (purchase text NOT NULL, amount bigint NOT NULL)",
    "CREATE TABLE reservation (purchase text PRIMARY KEY, amount bigint NOT NULL)",
    "CREATE TABLE known (key text PRIMARY KEY, request text NOT NULL, status integer, made timestamptz NOT NULL DEFAULT now())",
)
BUYER_TABLES = (
    "CREATE TABLE wanted (purchase text PRIMARY KEY, request text NOT NULL, key text NOT NULL, status integer)",
)

MOST = 10**12
"""What can be paid at once."""


class Status(IntEnum):
    """What becomes of a request, as HTTP numbers it. `BUSY` says that it is not decided yet."""

    UNCHANGED = 200
    CREATED = 201
    DECLINED = 402
    BUSY = 409
    REFUSED = 422


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked for."""

    purchase: str
    amount: int
    account: str = "customer"

    def text(self) -> str:
        """The same for requests that are the same."""
        return json.dumps(asdict(self), sort_keys=True)

    @classmethod
    def read(cls, text: str | bytes) -> Request:
        """The request that has this text.

        Raises:
            ValueError: none has.
        """
        match json.loads(text):
            case {"purchase": str(purchase), "amount": int(amount), "account": str(account)} if 0 < amount <= MOST:
                return cls(purchase, int(amount), account)
        raise ValueError(f"a request has a purchase, an amount from 1 to {MOST} and an account")


class Rows(Protocol):
    """What a statement has found."""

    @property
    def rowcount(self) -> int:
        """How many rows it has changed."""

    def fetchall(self) -> Sequence[tuple[Any, ...]]: ...


class Database(Protocol):
    """A session in autocommit mode."""

    def execute(self, statement: bytes, values: Sequence[object] = ..., /) -> Rows:
        """Carries out one statement, in the transaction if there is one."""

    def transaction(self) -> AbstractContextManager[object]:
        """A transaction that commits at its end, unless that is an error."""


class Payments:
    """The service. Any number of them may share a database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def post(self, key: str, request: Request) -> Status:
        """Pays, for the first time or again. The answer may be given when this has returned, and not before."""
        with self._database.transaction():
            if not self._note(key, request):
                return self._known(key, request)
            status = self._pay(request)
            self._store(key, status)
        return status

    def put(self, request: Request) -> Status:
        """Sets what is reserved for a purchase."""
        values = (request.amount, request.purchase)
        with self._database.transaction():
            if self._database.execute(b"UPDATE reservation SET amount = %s WHERE purchase = %s", values).rowcount:
                return Status.UNCHANGED
            self._database.execute(
                b"INSERT INTO reservation (amount, purchase) VALUES (%s, %s)"
                b" ON CONFLICT (purchase) DO UPDATE SET amount = EXCLUDED.amount",
                values,
            )
        return Status.CREATED

    def forget(self, age: float) -> int:
        """Deletes the keys that are older than so many seconds, and says how many that were."""
        return self._database.execute(
            b"DELETE FROM known WHERE made < now() - make_interval(secs => %s)", (age,)
        ).rowcount

    def _note(self, key: str, request: Request) -> bool:
        """Stores a key that is new. While another transaction has the same one and has not ended, this waits."""
        noted = self._database.execute(
            b"INSERT INTO known (key, request) VALUES (%s, %s) ON CONFLICT DO NOTHING", (key, request.text())
        )
        return noted.rowcount == 1

    def _store(self, key: str, status: Status) -> None:
        self._database.execute(b"UPDATE known SET status = %s WHERE key = %s", (int(status), key))

    def _known(self, key: str, request: Request) -> Status:
        """The answer that stands in the table. It is gone if the key was forgotten a moment ago: then to ask again helps."""
        for asked, status in self._database.execute(
            b"SELECT request, status FROM known WHERE key = %s", (key,)
        ).fetchall():
            if asked != request.text():
                return Status.REFUSED
            if status is not None:
                return Status(status)
        return Status.BUSY

    def _pay(self, request: Request) -> Status:
        """The effect, which is an addition: twice of it is too much."""
        taken = self._database.execute(
            b"UPDATE account SET balance = balance - %s WHERE name = %s AND balance >= %s",
            (request.amount, request.account, request.amount),
        )
        if not taken.rowcount:
            return Status.DECLINED
        self._database.execute(b"INSERT INTO payment VALUES (%s, %s)", (request.purchase, request.amount))
        return Status.CREATED


Ask = Callable[[str, Request], Status | None]
"""Makes a request with a key. None where no answer came, or none has come yet."""


def draw_key() -> str:
    """A key that nobody has drawn before."""
    return str(uuid.uuid4())


class Buyer:
    """The client. Its table outlives it: after a crash a new one goes on with the same keys."""

    def __init__(self, database: Database, ask: Ask, *, draw: Callable[[], str] = draw_key) -> None:
        self._database = database
        self._ask = ask
        self._draw = draw

    def buy(self, request: Request) -> None:
        """Wants something, and asks for it."""
        key = self._draw()
        self._want(request, key)
        self._attempt(request, key)

    def retry(self, purchase: str) -> None:
        """Asks again, with the same words."""
        wanted = self._database.execute(b"SELECT request, key FROM wanted WHERE purchase = %s", (purchase,)).fetchall()
        for text, key in wanted:
            self._attempt(Request.read(text), key)

    def answered(self, purchase: str, status: Status) -> None:
        """An answer has come."""
        if status is not Status.BUSY:
            self._database.execute(b"UPDATE wanted SET status = %s WHERE purchase = %s", (int(status), purchase))

    def waiting(self) -> tuple[str, ...]:
        """The purchases of which nobody knows what has become of them."""
        found = self._database.execute(b"SELECT purchase FROM wanted WHERE status IS NULL ORDER BY purchase")
        return tuple(purchase for (purchase,) in found.fetchall())

    def run_once(self) -> int:
        """Asks for everything that waits, and says how much still does. Whoever calls it again should pause, longer each time."""
        for purchase in self.waiting():
            self.retry(purchase)
        return len(self.waiting())

    def _want(self, request: Request, key: str) -> None:
        self._database.execute(
            b"INSERT INTO wanted (purchase, request, key) VALUES (%s, %s, %s)", (request.purchase, request.text(), key)
        )

    def _attempt(self, request: Request, key: str) -> None:
        status = self._ask(key, request)
        if status is not None:
            self.answered(request.purchase, status)
