"""PostgreSQL for adapters: whether it is there, sessions with tables of their own, and commits between which a process crashes.

A session is opened as the environment says (`PGHOST` and the other variables that `libpq` knows). Its tables are temporary, so
nothing is left of them when it ends, and several adapters can run at once.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager
from typing import Any, ClassVar, Protocol

import psycopg

from checker.conformance.adapter import Adapter
from checker.model.machine import Machine
from refimpl.adapters.world import Effects

NO_POSTGRES = "no PostgreSQL answers where PGHOST and the other variables say"

WAIT = 2
"""Seconds for PostgreSQL to answer whether it is there."""


def connect() -> psycopg.Connection:
    """A session in autocommit mode."""
    return psycopg.connect("", autocommit=True, connect_timeout=WAIT)


def absent() -> str | None:
    """Why there is no session to be had; None if there is one."""
    try:
        connect().close()
    except psycopg.OperationalError:
        return NO_POSTGRES
    return None


def make_temporary(session: psycopg.Connection, tables: Iterable[str]) -> psycopg.Connection:
    """The session, with these tables (`CREATE TABLE …`) for as long as it lasts."""
    for sql in tables:
        session.execute(sql.replace("CREATE", "CREATE TEMPORARY", 1).encode())
    return session


class Session(Protocol):
    """A session in autocommit mode, as far as the implementations need one."""

    def execute(self, statement: bytes, values: Sequence[Any] = ..., /) -> Any: ...

    def transaction(self) -> AbstractContextManager[object]: ...


class CrashingDatabase:
    """A session whose commits, and changes outside of transactions, are effects."""

    def __init__(self, session: Session, effects: Effects) -> None:
        self._session = session
        self._effects = effects
        self._inside = False

    def execute(self, statement: bytes, values: Sequence[Any] = (), /) -> Any:
        if not self._inside and not statement.startswith(b"SELECT"):
            self._effects.happen()
        return self._session.execute(statement, values)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        with self._session.transaction():
            self._inside = True
            try:
                yield
            finally:
                self._inside = False
            self._effects.happen()


class PostgresAdapter(Adapter):
    """What adapters have in common whose processes share one session.

    `session` is one in autocommit mode, with the tables of the implementation in its search path. Without it, one is opened, and
    has them for as long as the adapter.
    """

    services = ("PostgreSQL",)
    tables: ClassVar[tuple[str, ...]] = ()
    """`CREATE TABLE …` for each."""

    def __init__(self, machine: Machine, session: Session | None = None) -> None:
        super().__init__(machine)
        self._ending = ExitStack()
        if session is None:
            session = self._ending.enter_context(closing(make_temporary(connect(), self.tables)))
        self._session = session

    @classmethod
    def absent(cls) -> str | None:
        return absent()

    def close(self) -> None:
        """Ends the session, if the adapter has opened it, and with it the tables."""
        self._ending.close()
