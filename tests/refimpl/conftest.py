"""Services that several tests of reference implementations share; one of each for a whole run of pytest."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.refimpl.bank import Bank, bank
from tests.services import preparing_postgres


@pytest.fixture(scope="session")
def where_postgres_prepares() -> Iterator[str]:
    """Where a PostgreSQL listens that keeps prepared transactions."""
    with preparing_postgres() as where:
        yield where


@pytest.fixture
def both(where_postgres_prepares: str) -> Iterator[Bank]:
    """A bank in PostgreSQL and MariaDB."""
    with bank(where_postgres_prepares) as found:
        yield found
