"""A bank with one account in PostgreSQL and one in MariaDB, for tests of transactions over both."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress

import psycopg
from pymysql.connections import Connection as MariaSession

from refimpl.transactions.branches import COLUMNS, TABLE, Branch, BranchLost, MariaBranch, PostgresBranch, Standing
from refimpl.transactions.two_phase_commit import State
from tests.services import mariadb, mariadb_database, postgres, unique

ACCOUNT = "CREATE TABLE account (balance bigint NOT NULL CHECK (balance >= 0))"
MOVE = "UPDATE account SET balance = balance + %s"
FULL = 1_000_000
"""What either account holds in the beginning."""
TOO_MUCH = -10 * FULL

Make = Callable[["Bank", str, int], Branch]
"""Makes the branch of a transaction with this name that adds so much to an account."""


class Bank:
    """Two databases, an account in each, and branches that move money."""

    def __init__(self, where: str, database: str) -> None:
        self.schema = database
        self._opened: list[MariaSession] = []
        self.where = f"{where} options='-c search_path={database} -c lock_timeout=3s'"
        self.postgres: psycopg.Connection = postgres(self.where)
        self.mariadb: MariaSession = self.open_mariadb()

    def open_mariadb(self) -> MariaSession:
        session = mariadb(self.schema)
        self._opened.append(session)
        with session.cursor() as cursor:
            cursor.execute("SET innodb_lock_wait_timeout = 3")
        return session

    def transaction(self) -> str:
        """A fresh name."""
        return unique(self.schema)

    def in_postgres(self, name: str, change: int) -> Branch:
        return PostgresBranch(self.postgres, name, [(MOVE, (change,))])

    def in_mariadb(self, name: str, change: int) -> Branch:
        return MariaBranch(self.mariadb, self.open_mariadb, name, [(MOVE, (change,))])

    def balances(self) -> tuple[int, int]:
        found = self.postgres.execute("SELECT balance FROM account").fetchone()
        assert found is not None
        with self.mariadb.cursor() as cursor:
            cursor.execute("SELECT balance FROM account")
            row = cursor.fetchone()
            assert row is not None
            return int(found[0]), int(row[0])

    def clean(self) -> None:
        """Rolls back what is in doubt, and fills the accounts."""
        self._close_other_sessions()
        for branch in (self.in_postgres("any", 0), self.in_mariadb("any", 0)):
            for name in branch.in_doubt():
                if name.startswith(self.schema):
                    branch.name = name
                    with suppress(BranchLost):
                        branch.rollback()
        self.postgres.execute("UPDATE account SET balance = %s", (FULL,))
        with self.mariadb.cursor() as cursor:
            cursor.execute("UPDATE account SET balance = %s", (FULL,))

    def _close_other_sessions(self) -> None:
        """Those of branches should be closed; if one is not, it would keep its branch from being ended."""
        for session in self._opened:
            if session is not self.mariadb and session.open:
                session.close()
        self._opened = [self.mariadb]


@contextmanager
def bank(where: str) -> Iterator[Bank]:
    """A bank in the PostgreSQL that is `where`."""
    with mariadb_database() as name, postgres(where) as session:
        session.execute(f"CREATE SCHEMA {name}".encode())
        bank = Bank(where, name)
        try:
            for sql in (ACCOUNT, f"CREATE TABLE {TABLE} {COLUMNS}", f"INSERT INTO account VALUES ({FULL})"):
                bank.postgres.execute(sql.encode())
                with bank.mariadb.cursor() as cursor:
                    cursor.execute(sql)
            yield bank
            bank.clean()
        finally:
            with suppress(psycopg.Error):
                bank.postgres.close()
            bank.mariadb.close()
            session.execute(b"SET lock_timeout = '5s'")
            session.execute(f"DROP SCHEMA {name} CASCADE".encode())


class Real:
    """A participant's database as the adapter of two-phase commit needs it: a branch in a real one."""

    def __init__(self, bank: Bank, name: str, make: Make) -> None:
        self.can_commit = True
        self._bank = bank
        self._name = name
        self._make = make

    @property
    def branch(self) -> Branch:
        return self._make(self._bank, self._name, 1 if self.can_commit else TOO_MUCH)

    def prepare(self) -> bool:
        return self.branch.prepare()

    def commit(self) -> None:
        self.branch.commit()

    def rollback(self) -> None:
        self.branch.rollback()

    def shows(self, state: State) -> Mapping[str, str | None]:
        match self.branch.standing():
            case Standing.COMMITTED:
                return {"database": "committed"}
            case Standing.PREPARED:
                return {"database": "prepared"}
            case Standing.NOTHING:
                return {"database": state.value if state is State.ABORTED else "working"}
