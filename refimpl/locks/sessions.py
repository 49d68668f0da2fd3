"""Sessions of PostgreSQL and MariaDB as one: statements, what they have found, and what a lock may come to.

Row locks work alike in both databases, and so do the statements here: `BEGIN`, `COMMIT`, `SELECT … FOR UPDATE`, `UPDATE`. What
differs is how a session is told that it shall not have a lock:

| | PostgreSQL | MariaDB |
|---|---|---|
| it has waited too long | error 55P03; the transaction can only be rolled back | error 1205; the statement is undone |
| it was part of a deadlock | error 40P01, a second later (`deadlock_timeout`) | error 1213, at once; it is rolled back |

After both, a program that means to be right on either database rolls back, and begins anew.

A session commits each statement by itself unless a `BEGIN` went before. In the databases as they are installed a transaction of
PostgreSQL sees what others have committed before each statement (read committed), and one of MariaDB what they had committed
before its first `SELECT` (repeatable read); but `SELECT … FOR UPDATE` and `UPDATE` go by the newest row in both.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import psycopg
import pymysql
from pymysql.connections import Connection as MariaConnection

Row = tuple[Any, ...]

LOCK_WAIT_TIMEOUT = 1205
DEADLOCK = 1213
"""MariaDB's numbers."""


class WaitedTooLong(Exception):
    """Another transaction holds a lock, and the time for which this session waits is over."""


class Deadlock(Exception):
    """Transactions waited for each other, and the database has chosen this one to end."""


class Session(ABC):
    """A connection to a database, in autocommit mode."""

    for_share: str
    """What makes a `SELECT` lock rows against writers and not against readers like itself."""

    @abstractmethod
    def query(self, sql: str, *values: object) -> Sequence[Row]:
        """What a `SELECT` finds."""

    @abstractmethod
    def change(self, sql: str, *values: object) -> int:
        """How many rows a statement has changed."""

    @abstractmethod
    def close(self) -> None:
        """Ends the connection, and with it the transaction, if there is one."""


class PostgresSession(Session):
    """A session of PostgreSQL."""

    for_share = "FOR SHARE"

    def __init__(self, connection: psycopg.Connection) -> None:
        self._connection = connection

    def query(self, sql: str, *values: object) -> Sequence[Row]:
        return self._execute(sql, values).fetchall()

    def change(self, sql: str, *values: object) -> int:
        return self._execute(sql, values).rowcount

    def close(self) -> None:
        self._connection.close()

    def _execute(self, sql: str, values: Sequence[object]) -> psycopg.Cursor[Row]:
        try:
            return self._connection.execute(sql.encode(), values)
        except psycopg.errors.LockNotAvailable as problem:
            raise WaitedTooLong(str(problem)) from problem
        except psycopg.errors.DeadlockDetected as problem:
            raise Deadlock(str(problem)) from problem


class MariaSession(Session):
    """A session of MariaDB."""

    for_share = "LOCK IN SHARE MODE"

    def __init__(self, connection: MariaConnection) -> None:
        self._connection = connection

    def query(self, sql: str, *values: object) -> Sequence[Row]:
        with self._connection.cursor() as cursor, _told():
            cursor.execute(sql, values)
            found: Sequence[Row] = cursor.fetchall()
        return found

    def change(self, sql: str, *values: object) -> int:
        with self._connection.cursor() as cursor, _told():
            count: int = cursor.execute(sql, values)
        return count

    def close(self) -> None:
        self._connection.close()


@contextmanager
def _told() -> Iterator[None]:
    """Inside, MariaDB's numbers become exceptions."""
    try:
        yield
    except pymysql.err.OperationalError as problem:
        match problem.args[:1]:
            case (number,) if number == LOCK_WAIT_TIMEOUT:
                raise WaitedTooLong(str(problem)) from problem
            case (number,) if number == DEADLOCK:
                raise Deadlock(str(problem)) from problem
        raise
