"""Where the rows of `row_update` live: a PostgreSQL and a MariaDB, each with a schema of its own.

The adapter drives all sessions from one thread. A session that waited for a lock would wait for ever, so each is told not to
wait (`lock_timeout`, `innodb_lock_wait_timeout`). A client that is turned down that way has taken no step of the spec, whose
guard says that the step has to wait. It must be as if it had never asked. MariaDB undoes such a statement alone, PostgreSQL
ends the whole transaction; therefore a `Driven` session sets a savepoint before it asks for a lock, and goes back to it.

Who has locked a row, no database tells in a way that would be the same in both. But one may ask. A session of the adapter asks
for a shared lock with `SKIP LOCKED`, which passes over what is locked: whoever has locked the row against that has locked it
against everybody. Then each client's session is asked whether it can lock the row; the holder can.
"""

from __future__ import annotations

import os
import uuid
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import TypeVar

import psycopg
import pymysql

from checker.conformance.adapter import Refused
from refimpl.adapters.postgres import WAIT, absent
from refimpl.locks.row_update import TABLE
from refimpl.locks.sessions import MariaSession, PostgresSession, Row, Session, WaitedTooLong

T = TypeVar("T")

NO_MARIADB = "no MariaDB answers at 127.0.0.1:3306, or where MYSQL_HOST says"
NUMBERS = "SELECT number FROM account"
PATIENCE = 10
"""Seconds for which the adapter's own session waits for a lock; nobody should have one for so long."""
AT_ONCE = 1
"""Milliseconds for which a client's session waits in PostgreSQL, where 0 would be for ever."""


class Driven(Session):
    """A session that a client uses and the adapter drives. It never waits, and counts its statements.

    `saves` is whether it needs savepoints to survive a lock that it does not get.
    """

    def __init__(self, session: Session, *, saves: bool) -> None:
        self._session = session
        self._saves = saves
        self.for_share = session.for_share
        self.inside = False
        self.count = 0

    def query(self, sql: str, *values: object) -> Sequence[Row]:
        self.count += 1
        return self._ask(self._session.query, sql, *values)

    def change(self, sql: str, *values: object) -> int:
        if sql in ("BEGIN", "COMMIT", "ROLLBACK"):
            self.inside = sql == "BEGIN"
            return self._session.change(sql)
        self.count += 1
        return self._ask(self._session.change, sql, *values)

    def can_lock(self, row: int) -> bool:
        """Whether the row is locked by nobody, or by this session."""
        try:
            self._ask(self._session.query, "SELECT 1 FROM account WHERE number = %s FOR UPDATE", row)
        except Refused:
            return False
        return True

    def roll_back(self) -> None:
        """Ends the transaction, if there is one."""
        if self.inside:
            self.change("ROLLBACK")

    def close(self) -> None:
        self._session.close()

    def _ask(self, carry_out: Callable[..., T], sql: str, *values: object) -> T:
        """Carries out a statement; if it would wait, all is as if nobody had asked."""
        saves = self._saves and self.inside
        if saves:
            self._session.change("SAVEPOINT here")
        try:
            return carry_out(sql, *values)
        except WaitedTooLong as problem:
            if saves:
                self._session.change("ROLLBACK TO SAVEPOINT here")
            raise Refused(f"it has to wait for a lock: {problem}") from None


class Place(ABC):
    """A database with the table, for as long as it is used."""

    name: str
    saves: bool
    """Whether a session that was told not to wait has lost its transaction, unless there is a savepoint."""

    def __init__(self) -> None:
        self.schema = f"lockstep_{uuid.uuid4().hex[:20]}"
        self._make()
        self.watch = self.open(waits=True)
        self.watch.change(TABLE)

    def session(self) -> Driven:
        """A session for a client."""
        return Driven(self.open(waits=False), saves=self.saves)

    def fill(self, rows: Sequence[int], owner: str, amount: int) -> None:
        """Puts the rows into the table: the first with this amount, the others empty."""
        first = {row: (0 if row else amount, owner, 0) for row in rows}
        if self.rows() == first:
            return  # most of the time goes into commits
        self.watch.change("BEGIN")
        self.watch.change("DELETE FROM account")
        for row, (money, _, version) in first.items():
            self.watch.change("INSERT INTO account VALUES (%s, %s, %s, %s)", row, owner, money, version)
        self.watch.change("COMMIT")

    def rows(self) -> dict[int, tuple[int, str, int]]:
        """What has been committed: by number, the amount, the owner and the version."""
        found = self.watch.query("SELECT number, amount, owner, version FROM account ORDER BY number")
        return {number: (amount, owner, version) for number, amount, owner, version in found}

    def free(self) -> set[int]:
        """The rows that nobody has locked against everybody else."""
        found = self.watch.query(f"{NUMBERS} {self.watch.for_share} SKIP LOCKED")
        return {number for (number,) in found}

    def drop(self) -> None:
        """Removes it all. Sessions of clients must be closed."""
        with suppress(psycopg.Error, pymysql.err.MySQLError):
            self._drop()
        self.watch.close()

    @abstractmethod
    def _make(self) -> None: ...

    @abstractmethod
    def open(self, *, waits: bool) -> Session:
        """A session, which waits for locks or does not."""

    @abstractmethod
    def _drop(self) -> None: ...


class InPostgres(Place):
    """PostgreSQL, as the environment says (`PGHOST` and so on) or as `where` does."""

    name = "PostgreSQL"
    saves = True

    def __init__(self, where: str = "") -> None:
        self._where = where
        super().__init__()

    def _make(self) -> None:
        with psycopg.connect(self._where, autocommit=True, connect_timeout=WAIT) as session:
            session.execute(f"CREATE SCHEMA {self.schema}".encode())

    def open(self, *, waits: bool) -> Session:
        timeout = f"{PATIENCE}s" if waits else f"{AT_ONCE}ms"
        options = f"-c search_path={self.schema} -c lock_timeout={timeout} -c synchronous_commit=off"
        return PostgresSession(psycopg.connect(self._where, autocommit=True, options=options))

    def _drop(self) -> None:
        self.watch.change(f"DROP SCHEMA {self.schema} CASCADE")


class InMariaDB(Place):
    """MariaDB, as `MYSQL_HOST`, `MYSQL_TCP_PORT`, `MYSQL_USER` and `MYSQL_PWD` say, or `root` on this machine."""

    name = "MariaDB"
    saves = False

    def _make(self) -> None:
        session = _connect()
        try:
            with session.cursor() as cursor:
                cursor.execute(f"CREATE DATABASE {self.schema}")
        finally:
            session.close()

    def open(self, *, waits: bool) -> Session:
        connection = _connect(self.schema)
        session = MariaSession(connection)
        session.change(f"SET innodb_lock_wait_timeout = {PATIENCE if waits else 0}, lock_wait_timeout = {PATIENCE}")
        return session

    def _drop(self) -> None:
        self.watch.change(f"DROP DATABASE {self.schema}")


def _connect(database: str | None = None) -> pymysql.connections.Connection:
    return pymysql.connect(
        host=os.environ.get("MYSQL_HOST", "127.0.0.1"),
        port=int(os.environ.get("MYSQL_TCP_PORT", "3306")),
        user=os.environ.get("MYSQL_USER", "root"),
        password=os.environ.get("MYSQL_PWD", ""),
        database=database,
        autocommit=True,
        connect_timeout=WAIT,
        ssl_disabled=True,  # it takes more time than all the rest
    )


def missing() -> str | None:
    """Which of the two databases does not answer, if one does not."""
    try:
        _connect().close()
    except pymysql.err.OperationalError:
        return NO_MARIADB
    return absent()
