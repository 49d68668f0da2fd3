"""Real services for tests: where they listen, what to do if they are not there, and a PostgreSQL of our own.

A test that needs a service skips without it, and fails where `LOCKSTEP_REQUIRE_SERVICES=1` is set. What a test makes in a
service has a name from `unique`, so that the tests can run twice at once, and it is removed afterwards.

PostgreSQL keeps prepared transactions only if it is started with `max_prepared_transactions`. Where the one that is running was
not, the tests start another, on a socket in a temporary folder, from the programs on this machine.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn

import pika
import psycopg
import pymysql
import pytest
from pika.exceptions import AMQPConnectionError
from redis import Redis
from redis.exceptions import ConnectionError

POSTGRES = "host=127.0.0.1 port=5432 user=root dbname=test"
WAIT = 5
"""Seconds for a service to answer."""


def unique(prefix: str = "lockstep") -> str:
    """A name that nobody else uses."""
    return f"{prefix}_{uuid.uuid4().hex[:20]}"


def missing(service: str, problem: object) -> NoReturn:
    """Ends the test: skipped, or failed where services must be there."""
    if os.environ.get("LOCKSTEP_REQUIRE_SERVICES") == "1":
        pytest.fail(f"this test needs {service}, and LOCKSTEP_REQUIRE_SERVICES forbids to skip it: {problem}")
    pytest.skip(f"needs {service}: {problem}")


# ---- PostgreSQL


def postgres(where: str = POSTGRES) -> psycopg.Connection:
    """A session in autocommit mode."""
    try:
        return psycopg.connect(where, autocommit=True, connect_timeout=WAIT)
    except psycopg.OperationalError as problem:
        missing("PostgreSQL at 127.0.0.1:5432", problem)


@contextmanager
def preparing_postgres() -> Iterator[str]:
    """Where a PostgreSQL listens that keeps prepared transactions."""
    try:
        with psycopg.connect(POSTGRES, connect_timeout=WAIT) as session:
            found = session.execute("SELECT current_setting('max_prepared_transactions')::int").fetchone()
            if found is not None and found[0] >= 8:
                yield POSTGRES
                return
    except psycopg.OperationalError:
        pass  # one of our own needs no other
    with private_postgres() as cluster:
        yield cluster.where


class Cluster:
    """A PostgreSQL of our own, in a folder. It does not wait for the disk, since only its process is ever killed."""

    def __init__(self, folder: Path, programs: Path) -> None:
        self._programs = programs
        self._folder = folder
        self.where = f"host={folder} user=lockstep dbname=postgres"

    def make(self) -> None:
        self._run("initdb", "-D", self._data, "-U", "lockstep", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync")

    def start(self) -> None:
        settings = f"-k {self._folder} -c listen_addresses= -c max_prepared_transactions=64 -c fsync=off"
        self._run("pg_ctl", "-D", self._data, "-l", self._folder / "log", "-o", settings, "-w", "-t", "60", "start")

    def kill(self) -> None:
        """Ends the server as a crash does: it recovers from its log when it is started again."""
        self._run("pg_ctl", "-D", self._data, "-m", "immediate", "-w", "stop")

    @property
    def _data(self) -> Path:
        return self._folder / "data"

    def _run(self, program: str, *arguments: object) -> None:
        user = "postgres" if os.geteuid() == 0 else None  # PostgreSQL refuses to run as root
        command = [str(self._programs / program), *map(str, arguments)]
        with (self._folder / f"{program}.out").open("w+b") as out:
            # No pipe: the server would keep it open, and waiting for its end would last for ever.
            done = subprocess.run(command, cwd=self._folder, user=user, stdout=out, stderr=out, timeout=120)
            out.seek(0)
            if done.returncode:
                raise RuntimeError(f"{program} failed: {out.read().decode(errors='replace')}")


@contextmanager
def private_postgres() -> Iterator[Cluster]:
    """A PostgreSQL that is started here and ended afterwards, with all that was in it."""
    programs = _programs()
    folder = Path(tempfile.mkdtemp(prefix="lockstep-pg-"))  # short: the path of a socket has at most 107 characters
    cluster = Cluster(folder, programs)
    try:
        if os.geteuid() == 0:
            shutil.chown(folder, "postgres")
        cluster.make()
        cluster.start()
        try:
            yield cluster
        finally:
            cluster.kill()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _programs() -> Path:
    found = shutil.which("initdb")
    folders = [Path(found).resolve().parent] if found else []
    folders += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    for folder in folders:
        if (folder / "initdb").exists() and (folder / "pg_ctl").exists():
            return folder
    missing(
        "PostgreSQL with max_prepared_transactions", "the one that runs has 0, and there is no `initdb` to make another"
    )


# ---- MariaDB


def mariadb(database: str | None = None) -> pymysql.connections.Connection:
    """A session in autocommit mode."""
    try:
        return pymysql.connect(
            host="127.0.0.1",
            user="root",
            password="",
            database=database,
            autocommit=True,
            connect_timeout=WAIT,
            ssl_disabled=True,  # it takes more time than all the rest
        )
    except pymysql.err.OperationalError as problem:
        missing("MariaDB at 127.0.0.1:3306", problem)


@contextmanager
def mariadb_database() -> Iterator[str]:
    """A database that is dropped afterwards. Branches in it should have names that begin like it.

    Those that are still in doubt are rolled back before: they hold locks that would keep the database from being dropped.
    """
    name = unique()
    with mariadb() as session, session.cursor() as cursor:
        cursor.execute(f"CREATE DATABASE {name}")
        try:
            yield name
        finally:
            cursor.execute("XA RECOVER")
            for *_, branch in cursor.fetchall():
                if branch.startswith(name.encode()):
                    cursor.execute(f"XA ROLLBACK '{branch.decode()}'")
            cursor.execute(f"SET lock_wait_timeout = {WAIT}")  # a failure is better than a wait for ever
            cursor.execute(f"DROP DATABASE IF EXISTS {name}")


# ---- Redis


def redis() -> Redis:
    """A connection that blocks."""
    client = Redis(decode_responses=True, socket_timeout=WAIT)
    try:
        client.ping()
    except ConnectionError as problem:
        missing("Redis at 127.0.0.1:6379", problem)
    return client


# ---- RabbitMQ


def rabbitmq() -> pika.BlockingConnection:
    """A connection."""
    try:
        return pika.BlockingConnection(
            pika.ConnectionParameters("127.0.0.1", socket_timeout=WAIT, blocked_connection_timeout=WAIT)
        )
    except AMQPConnectionError as problem:
        missing("RabbitMQ at 127.0.0.1:5672", problem)


@contextmanager
def postgres_schema() -> Iterator[str]:
    """Where PostgreSQL listens, with a schema of our own in the search path; it is dropped afterwards."""
    name = unique()
    with postgres() as session:
        session.execute(f"CREATE SCHEMA {name}".encode())
        try:
            yield f"{POSTGRES} options='-c search_path={name} -c lock_timeout=2s -c synchronous_commit=off'"
        finally:
            session.execute(b"SET lock_timeout = '5s'")
            session.execute(f"DROP SCHEMA {name} CASCADE".encode())
