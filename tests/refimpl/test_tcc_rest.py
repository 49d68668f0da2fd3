"""Try-Confirm/Cancel over HTTP, with two servers on PostgreSQL: what is lost, late or away."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from http.client import HTTPConnection
from threading import Thread

import psycopg
import pytest

from refimpl.transactions.tcc import (
    AGENCY_TABLES,
    SERVICE_TABLES,
    Confirm,
    Confirmed,
    Message,
    Phase,
    Service,
    State,
)
from refimpl.transactions.tcc_rest import HOST, Desk, Requests, server_of
from tests.refimpl.test_tcc import with_tables

TRIP = "to Paris / by train"
"""A name that has to be quoted in an address."""


class Booth:
    """A service with its server, which can be closed and opened again."""

    def __init__(self, session: psycopg.Connection, *, patience: float | None) -> None:
        self.session = session
        self.service = Service(session, lambda *_: None, patience=patience)
        self._server = server_of(self.service)
        self.port = self._server.server_port
        self._thread: Thread | None = None

    def open(self) -> None:
        if self._thread is None:
            self._server = self._server if self._server.fileno() >= 0 else server_of(self.service, self.port)
            self._thread = Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})
            self._thread.start()

    def close(self) -> None:
        if self._thread is not None:
            self._server.shutdown()
            self._thread.join()
            self._thread = None
        self._server.server_close()

    def found(self) -> tuple[int, int, State | None]:
        """How many places are free, how many are sold, and what became of the reservation."""
        ((free, sold),) = self.session.execute(
            b"SELECT (SELECT free FROM stock), (SELECT count(*) FROM ticket)"
        ).fetchall()
        return free, sold, self.service.state(TRIP)


class World:
    """An agency and two services."""

    def __init__(self, stack: ExitStack, *, places: int, patience: float | None) -> None:
        self._trips = stack.enter_context(with_tables(AGENCY_TABLES))
        self.booths: dict[str, Booth] = {}
        for name in ("airline", "hotel"):
            session = stack.enter_context(with_tables(SERVICE_TABLES))
            session.execute(f"INSERT INTO stock VALUES ({places})".encode())
            self.booths[name] = Booth(session, patience=patience)
            stack.callback(self.booths[name].close)
            self.booths[name].open()

    def desk(self, kind: type[Desk] = Desk) -> Desk:
        return kind(self._trips, {name: booth.port for name, booth in self.booths.items()})

    def found(self) -> list[tuple[int, int, State | None]]:
        return [booth.found() for booth in self.booths.values()]


@contextmanager
def world(*, places: int = 2, patience: float | None = None) -> Iterator[World]:
    with ExitStack() as stack:
        yield World(stack, places=places, patience=patience)


def test_a_trip_is_booked_over_http() -> None:
    with world() as here:
        assert here.desk().book(TRIP) is Phase.BOOKED
        assert here.found() == [(1, 1, State.CONFIRMED)] * 2


def test_who_is_sold_out_says_409() -> None:
    with world(places=1) as here:
        here.booths["hotel"].service.sell("somebody")
        assert here.desk().book(TRIP) is Phase.DROPPED
        assert here.found() == [(1, 0, State.CANCELLED), (0, 1, State.CANCELLED)]


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
def test_an_answer_that_is_lost_is_asked_for_again(method: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each first answer to such a request is lost, after the service has done its work."""
    lost: set[object] = set()
    right = Requests.send_response

    def send_response(self: Requests, code: int, message: str | None = None) -> None:
        if self.command == method and self.server not in lost:
            lost.add(self.server)
            raise BrokenPipeError("the client is gone")
        right(self, code, message)

    monkeypatch.setattr(Requests, "send_response", send_response)
    with world(places=1) as here:
        if method == "DELETE":
            here.booths["hotel"].service.sell("somebody")
        assert here.desk().book(TRIP) is (Phase.DROPPED if method == "DELETE" else Phase.BOOKED)
        assert len(lost) == 2
        free, sold, _ = here.booths["airline"].found()
        assert (free, sold) == ((1, 0) if method == "DELETE" else (0, 1))


def test_a_service_that_is_away_is_told_when_it_is_back() -> None:
    with world() as here:
        here.booths["hotel"].close()
        assert here.desk().book(TRIP) is Phase.CANCELLING
        here.booths["hotel"].open()
        after_a_crash = here.desk()
        after_a_crash.go_on()
        assert after_a_crash.agency.phase(TRIP) is Phase.DROPPED
        assert after_a_crash.agency.unfinished() == ()
        assert here.found() == [(2, 0, State.CANCELLED)] * 2
        assert not here.booths["hotel"].service.reserve(TRIP), "a late one finds the mark"


def test_an_agency_that_is_late_ends_with_one_half() -> None:
    class Late(Desk):
        """Between two confirms, the second reservation runs out."""

        def _ask(self, service: str, message: Message) -> None:
            if service == "hotel" and isinstance(message, Confirm):
                here.booths["hotel"].service.expire(TRIP)
            super()._ask(service, message)

    with world(patience=0.0) as here:
        assert here.desk(Late).book(TRIP) is Phase.MIXED
        assert here.found() == [(1, 1, State.CONFIRMED), (2, 0, State.CANCELLED)]


def test_what_is_no_answer_changes_nothing() -> None:
    with world() as here:
        booth = here.booths["hotel"]
        for path in ("/", "/somewhere/else"):
            connection = HTTPConnection(HOST, booth.port)
            connection.request("PUT", path)
            assert connection.getresponse().status == 400
            connection.close()
        booth.session.execute(b"DROP TABLE stock")  # so that nothing can be reserved there, and nothing is answered
        assert here.desk().book(TRIP) is Phase.DROPPED
        with pytest.raises(ValueError, match="no such message"):
            here.desk()._ask("hotel", Confirmed(TRIP, 204))
