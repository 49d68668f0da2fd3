"""One transaction's share in a real database: PostgreSQL's prepared transactions and MariaDB's XA branches.

`two_phase_commit` asks a participant's resource for three things: `prepare`, `commit`, `rollback`. Both databases have statements
for them, which outlive the session and a crash of the server:

| | PostgreSQL | MariaDB |
|---|---|---|
| prepare | `BEGIN` … `PREPARE TRANSACTION 'g'` | `XA START 'g'` … `XA END 'g'`, `XA PREPARE 'g'` |
| commit | `COMMIT PREPARED 'g'` | `XA COMMIT 'g'` |
| roll back | `ROLLBACK PREPARED 'g'` | `XA ROLLBACK 'g'` |
| what is in doubt | `pg_prepared_xacts` | `XA RECOVER` |

Neither remembers a branch that has ended. So "there is no such branch" may mean: committed, rolled back, or never prepared. The
participant repeats `commit` after a crash, and it must know whether there is nothing left to do or whether its changes are gone.
That is why each branch also writes its own name into a table, `committed_branches`, within the transaction: the name is there if
and only if the transaction committed, by the atomicity of the database itself. From the two lists follows where a branch stands:

    named in the table        committed
    listed as in doubt        prepared
    neither                   nothing of it is there: never prepared, or rolled back

The crash of a participant between `PREPARE` and the record in its own log leaves a branch that its log knows nothing of. Its
answer to a second request is that it is prepared already; and if it leaves instead, it rolls back what it finds.

What it takes on the server: PostgreSQL must run with `max_prepared_transactions` above 0, which is not the default. MariaDB keeps
a prepared branch through a disconnect since 10.5. It belongs to its session until that is closed, so `prepare` uses a session of
its own. The server notices the close a moment later. Who ends the branch just then is told that it does not exist or, rarely and
worse, that it was ended, while InnoDB keeps it and its locks until the server restarts (seen with 10.11). So `prepare` is over
only when the server no longer lists the session.

Sources: X/Open, "Distributed transaction processing: the XA specification", 1991; the manuals of both databases.
"""

from __future__ import annotations

import re
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, closing
from enum import Enum

import psycopg
import pymysql
from pymysql.connections import Connection as MariaSession
from pymysql.cursors import Cursor

Statement = tuple[str, tuple[object, ...]]
"""SQL with `%s` for each value, and the values."""

TABLE = "committed_branches"
COLUMNS = "(name varchar(64) PRIMARY KEY)"
AGAIN = 0.001
"""Seconds between two looks at a session that should end, or attempts to end a branch that its session still holds."""
ATTEMPTS = 5_000

UNKNOWN_BRANCH = 1397
"""MariaDB's number for XAER_NOTA: there is no such branch, or it belongs to another session."""
GONE = (2006, 2013)
"""PyMySQL's numbers for a connection that is lost."""

_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")


class Standing(Enum):
    """Where a branch stands, as its database tells."""

    NOTHING = "nothing"
    PREPARED = "prepared"
    COMMITTED = "committed"


class BranchLost(Exception):
    """The database ended the branch otherwise than the transaction; somebody has to clean up by hand."""


class Branch(ABC):
    """A transaction's share in one database: a `Resource` of two-phase commit.

    The work is handed over as statements and done by `prepare`, so a session that breaks before has lost nothing.

    Args:
        name: of the transaction; letters, digits, `_` and `-`, at most 64. It must be another one each time.
        work: what the transaction does in this database.
    """

    def __init__(self, name: str, work: Sequence[Statement]) -> None:
        if not _NAME.fullmatch(name):
            raise ValueError(f"{name!r} is no name for a transaction: use at most 64 letters, digits, `_` and `-`")
        self.name = name
        self.work = tuple(work)

    def prepare(self) -> bool:
        """Does the work and prepares it; False if the database refuses it."""
        return self.standing() is not Standing.NOTHING or self._prepare()

    def commit(self) -> None:
        """Makes the work last, unless it does already.

        Raises:
            BranchLost: it was prepared, and is no more: an operator has rolled it back.
        """
        if self._end(commit=True) is Standing.NOTHING:
            raise BranchLost(f"{self.name} was decided to commit, but the database has rolled it back")

    def rollback(self) -> None:
        """Undoes the work, if any of it is there.

        Raises:
            BranchLost: an operator has committed it.
        """
        if self._end(commit=False) is Standing.COMMITTED:
            raise BranchLost(f"{self.name} was decided to abort, but the database has committed it")

    def standing(self) -> Standing:
        """Asks the database.

        In this order: a branch that is committed between the two questions is seen as committed.
        """
        if self.name in self.in_doubt():
            return Standing.PREPARED
        return Standing.COMMITTED if self._named() else Standing.NOTHING

    def _statements(self) -> tuple[Statement, ...]:
        """The work, and behind it the name."""
        return (*self.work, ("INSERT INTO committed_branches VALUES (%s)", (self.name,)))

    def _end(self, *, commit: bool) -> Standing:
        """Ends the branch if it is prepared, and says where it stands then."""
        for _ in range(ATTEMPTS):
            standing = self.standing()
            if standing is not Standing.PREPARED:
                return standing
            if not self._finish(commit=commit):
                time.sleep(AGAIN)
        raise TimeoutError(f"{self.name} is prepared, and its session does not let go of it")

    @abstractmethod
    def in_doubt(self) -> set[str]:
        """The names of all branches in this database that are prepared."""

    @abstractmethod
    def _named(self) -> bool:
        """Whether the name is in the table."""

    @abstractmethod
    def _prepare(self) -> bool: ...

    @abstractmethod
    def _finish(self, *, commit: bool) -> bool:
        """Commits or rolls back what is prepared; False if it belongs to a session, or is no longer there."""


class PostgresBranch(Branch):
    """A branch in PostgreSQL. The session must be in autocommit mode; it may be used for other branches, too."""

    def __init__(self, session: psycopg.Connection, name: str, work: Sequence[Statement]) -> None:
        super().__init__(name, work)
        self._session = session

    def in_doubt(self) -> set[str]:
        rows = self._session.execute("SELECT gid FROM pg_prepared_xacts WHERE database = current_database()")
        return {gid for (gid,) in rows}

    def _named(self) -> bool:
        found = self._session.execute("SELECT 1 FROM committed_branches WHERE name = %s", (self.name,))
        return found.fetchone() is not None

    def _prepare(self) -> bool:
        self._session.execute("BEGIN")
        try:
            for sql, values in self._statements():
                self._session.execute(sql.encode(), values)
            self._session.execute(f"PREPARE TRANSACTION '{self.name}'".encode())  # takes no parameters
        except psycopg.Error:
            if self._session.closed:
                raise  # nobody knows how far it came, so it is no answer
            self._session.execute("ROLLBACK")
            return False
        return True

    def _finish(self, *, commit: bool) -> bool:
        try:
            self._session.execute(f"{'COMMIT' if commit else 'ROLLBACK'} PREPARED '{self.name}'".encode())
        except (psycopg.errors.UndefinedObject, psycopg.errors.ObjectNotInPrerequisiteState):
            return False
        return True


MariaConnect = Callable[[], MariaSession]
"""Opens a session in autocommit mode."""


class MariaBranch(Branch):
    """A branch in MariaDB. Its own session asks and ends branches; `connect` opens another for the work."""

    def __init__(self, session: MariaSession, connect: MariaConnect, name: str, work: Sequence[Statement]) -> None:
        super().__init__(name, work)
        self._session = session
        self._connect = connect

    def in_doubt(self) -> set[str]:
        with self._session.cursor() as cursor:
            cursor.execute("XA RECOVER")
            # Bytes, since other programs give names of their own.
            return {name.decode() for _, _, _, name in cursor.fetchall() if name.isascii()}

    def _named(self) -> bool:
        with self._session.cursor() as cursor:
            return bool(cursor.execute("SELECT 1 FROM committed_branches WHERE name = %s", (self.name,)))

    def _prepare(self) -> bool:
        with self._own_session() as session, session.cursor() as cursor:
            cursor.execute(f"XA START '{self.name}'")
            try:
                self._do(cursor)
                self._seal(cursor)
            except pymysql.err.MySQLError as problem:
                if problem.args and problem.args[0] in GONE:
                    raise  # nobody knows how far it came, so it is no answer
                return False
            number = session.thread_id()
        self._wait_for_end_of(number)
        return True

    def _wait_for_end_of(self, session: int) -> None:
        with self._session.cursor() as cursor:
            for _ in range(ATTEMPTS):
                if not cursor.execute("SELECT 1 FROM information_schema.processlist WHERE id = %s", (session,)):
                    return
                time.sleep(AGAIN)
        raise TimeoutError(f"{self.name} is prepared, and its session does not end")

    def _own_session(self) -> AbstractContextManager[MariaSession]:
        """A session that is closed afterwards: what is not prepared then is rolled back, and what is, is set free."""
        return closing(self._connect())

    def _do(self, cursor: Cursor) -> None:
        for sql, values in self._statements():
            cursor.execute(sql, values)

    def _seal(self, cursor: Cursor) -> None:
        cursor.execute(f"XA END '{self.name}'")
        cursor.execute(f"XA PREPARE '{self.name}'")

    def _finish(self, *, commit: bool) -> bool:
        with self._session.cursor() as cursor:
            try:
                cursor.execute(f"XA {'COMMIT' if commit else 'ROLLBACK'} '{self.name}'")
            except pymysql.err.MySQLError as problem:
                if problem.args and problem.args[0] == UNKNOWN_BRANCH:
                    return False
                raise
        return True
