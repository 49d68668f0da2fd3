"""Number ranges: numbers from one counter in a database, of which nodes take many at a time.

A database counts, and nobody else does. So no number is given out twice, and there is no clock to trust as `snowflake` has to.
The price is a round trip for each number, unless a node takes a whole range of them in one command and gives them out by
itself:

    node A                     counter: 0                     node B
      | -- move on by 100 --------> 100                          |
      | <- 1 to 100 --------------- 200 <------ move on by 100 - |
      |                                       101 to 200 ------> |

Three things have to be right:

- Reading the counter and moving it on is one command, here `UPDATE … RETURNING`, or `INCRBY` in Redis. Between a `SELECT` and
  an `UPDATE` somebody else can read the same number.
- Numbers are given out only when the counter is safe: the transaction has committed, and the commit survives a crash of the
  database. PostgreSQL waits for its disk by default. Redis does so with `appendfsync always` alone; otherwise a crash takes
  back the last second, and its numbers are given out again. (A sequence of PostgreSQL is not taken back by a transaction that
  is rolled back, but the counter here is a row, and is.)
- What is left of a range when its node crashes is lost. To give it back would need to know that nobody has got any of it.

So numbers have gaps, and they do not come in order: each node has a range of its own. Whoever needs order takes ranges of one
number, and still has none among those who asked at the same time.

A node is for one thread at a time. Sources: the manuals of PostgreSQL on sequence functions, and of Redis on `INCR` and on
persistence; Meituan, "Leaf", 2017, which calls ranges segments.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

TABLE = "CREATE TABLE counters (name text PRIMARY KEY, taken bigint NOT NULL)"

TAKE = b"""
INSERT INTO counters VALUES (%s, %s)
ON CONFLICT (name) DO UPDATE SET taken = counters.taken + EXCLUDED.taken
RETURNING taken
"""
"""A counter that is not there yet begins at 0."""


class Counter(Protocol):
    """How many numbers were taken so far."""

    def take(self, size: int) -> int:
        """Takes so many, and returns once that is safe. Returns how many are taken now: the last number of the range."""


class Rows(Protocol):
    """What a statement has found."""

    def fetchall(self) -> Sequence[tuple[Any, ...]]: ...


class Database(Protocol):
    """A session in autocommit mode, as of `psycopg`."""

    def execute(self, statement: bytes, values: Sequence[str | int] = ..., /) -> Rows:
        """Carries out one statement."""


class DatabaseCounter:
    """A counter in a row of PostgreSQL's `counters`."""

    def __init__(self, database: Database, name: str) -> None:
        self._database = database
        self._name = name

    def take(self, size: int) -> int:
        ((taken,),) = self._database.execute(TAKE, (self._name, size)).fetchall()
        return int(taken)


class Commands(Protocol):
    """What is needed of Redis."""

    def incrby(self, name: str, amount: int, /) -> Any:
        """Adds to a number, and returns the sum."""


class RedisCounter:
    """A counter under a key of Redis. It is as safe as Redis has been told to be: see above."""

    def __init__(self, redis: Commands, key: str) -> None:
        self._redis = redis
        self._key = key

    def take(self, size: int) -> int:
        return int(self._redis.incrby(self._key, size))


class UsedUp(Exception):
    """A range has no more numbers."""


class Node:
    """Gives out the numbers of its ranges.

    Args:
        counter: that of all nodes.
        size: how many numbers to take at a time.

    Raises:
        ValueError: a range would be empty.
    """

    def __init__(self, counter: Counter, size: int = 1000) -> None:
        if size < 1:
            raise ValueError(f"a range of {size} numbers has none")
        self.used = self.upto = 0
        """What it has taken are the numbers above the first, up to the second."""
        self._counter = counter
        self._size = size

    def next(self) -> int:
        """Gives out a number, the first of a new range if the last one is used up."""
        if self.used == self.upto:
            self.refill()
        return self.next_of_range()

    def next_of_range(self) -> int:
        """Gives out a number that was taken before. Raises `UsedUp`."""
        if self.used == self.upto:
            raise UsedUp
        self.used += 1
        return self.used

    def refill(self) -> None:
        """Takes a range. What is left of the last one is lost."""
        upto = self._counter.take(self._size)
        self.used, self.upto = upto - self._size, upto
