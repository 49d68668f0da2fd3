"""Try-Confirm/Cancel over HTTP: a reservation is a resource, and the methods are the messages.

    POST   /reservations/TRIP     Try        201: set aside; 409: nothing is
    PUT    /reservations/TRIP     Confirm    204: sold; 404: it has run out, or never was
    DELETE /reservations/TRIP     Cancel     204: nothing is set aside, nor will be

A service needs to know nothing of transactions that span services, and nothing of who else takes part: it offers reservations,
for a time. The agency is a client like any other.

HTTP says that PUT and DELETE may be repeated, and here a POST may be, too, since it names what it makes. So the client has one
rule for all that can go wrong with a request: it knows nothing then, and asks again. A server that is away, an answer that is
lost, and one that comes too late are the same to it.

Source: G. Pardon and C. Pautasso, "Towards distributed atomic transactions over RESTful services", 2011. There, a POST is
answered with the address of a reservation, and the time at which that runs out; here, the trip is its name.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import closing
from functools import partial
from http.client import HTTPConnection, HTTPException
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any, assert_never
from urllib.parse import quote, unquote

from refimpl.transactions.outbox import Database
from refimpl.transactions.tcc import (
    DONE,
    GONE,
    Address,
    Agency,
    Cancel,
    Cancelled,
    Confirm,
    Confirmed,
    Message,
    Phase,
    Service,
    Tried,
    Try,
)

MADE, CONFLICT, WRONG = 201, 409, 400
PATH = "/reservations/"

HOST = "127.0.0.1"


class Requests(BaseHTTPRequestHandler):
    """Answers requests to a service."""

    def __init__(self, service: Service, request: Any, client: Any, server: Any) -> None:
        self._service = service
        super().__init__(request, client, server)

    def do_POST(self) -> None:
        self._answer(lambda trip: MADE if self._service.reserve(trip) else CONFLICT)

    def do_PUT(self) -> None:
        self._answer(self._service.confirm)

    def do_DELETE(self) -> None:
        def cancel(trip: str) -> int:
            self._service.cancel(trip)
            return DONE

        self._answer(cancel)

    def _answer(self, act: Callable[[str], int]) -> None:
        here = self.path.startswith(PATH)
        # Not 404 for a wrong address: of a reservation, that would say that it has run out.
        self.send_response(act(unquote(self.path.removeprefix(PATH))) if here else WRONG)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Says nothing."""


def server_of(service: Service, port: int = 0) -> HTTPServer:
    """A server that answers one request after the other, since its service has one session. Port 0 is any that is free."""
    return HTTPServer((HOST, port), partial(Requests, service))


class Desk:
    """Books trips at services that listen on these ports.

    `patience` is for how many seconds it waits for an answer, and `attempts` how often it asks before it leaves the rest to
    a later call of `go_on`.
    """

    def __init__(
        self, database: Database, ports: Mapping[Address, int], *, patience: float = 1.0, attempts: int = 3
    ) -> None:
        self.agency = Agency(database, ports, self._ask)
        self._ports = ports
        self._patience = patience
        self._attempts = attempts

    def book(self, trip: str) -> Phase | None:
        """Books a trip, or drops it; says how far that is."""
        self.agency.begin(trip)
        for _ in range(self._attempts - 1):
            for service in self._ports:
                self.agency.try_again(trip, service)
        self.agency.decide(trip)
        return self._finish(trip)

    def go_on(self) -> None:
        """Goes on with what was begun, after a crash or when a service is there again. What is not decided is dropped."""
        for trip in self.agency.unfinished():
            self._finish(trip)

    def _finish(self, trip: str) -> Phase | None:
        self.agency.give_up(trip)
        for _ in range(self._attempts):
            for service in self._ports:
                self.agency.tell(trip, service)
            self.agency.close(trip)
        return self.agency.phase(trip)

    def _ask(self, service: Address, message: Message) -> None:
        """Makes a request, and hands its answer to the agency. Without one that it understands, the agency hears nothing."""
        trip = message.trip
        answers: dict[int, Message]
        match message:
            case Try():
                method, answers = "POST", {MADE: Tried(trip, ok=True), CONFLICT: Tried(trip, ok=False)}
            case Confirm():
                method, answers = "PUT", {DONE: Confirmed(trip, DONE), GONE: Confirmed(trip, GONE)}
            case Cancel():
                method, answers = "DELETE", {DONE: Cancelled(trip)}
            case Tried() | Confirmed() | Cancelled():
                raise ValueError(f"an agency has no such message for a service: {message}")
            case _:
                assert_never(message)
        code = self._request(service, method, trip)
        if code in answers:
            self.agency.receive(service, answers[code])

    def _request(self, service: Address, method: str, trip: str) -> int | None:
        try:
            with closing(HTTPConnection(HOST, self._ports[service], timeout=self._patience)) as connection:
                connection.request(method, PATH + quote(trip, safe=""))
                return connection.getresponse().status
        except (OSError, HTTPException):
            return None
