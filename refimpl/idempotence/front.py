"""HTTP in front of `idempotency_key`: a server that takes payments, and a buyer's way to it.

    POST /payments        with the header `Idempotency-Key`: pays, for the first time or again
    PUT /reservations     sets what is reserved for a purchase; a key would be of no use

A `POST` without a key is refused: the server could not tell its repeats from new requests. What is wrong with the database ends
the connection without an answer, as a crash would, and the client asks again. A client that gets no answer, or one from 500 up,
which may come from a proxy, knows nothing; so `Post` returns None for both.

Each connection has a session and a thread of its own, so that attempts of one request meet in the database and nowhere else.

Sources: see `idempotency_key`; the numbers of the answers are those of the Internet-Draft.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from http.client import HTTPConnection, HTTPException
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from refimpl.idempotence.idempotency_key import Database, Payments, Request, Status

KEY = "Idempotency-Key"
PAYMENTS, RESERVATIONS = "/payments", "/reservations"
BAD_REQUEST, NOT_FOUND = 400, 404
LONGEST = 10_000
"""Bytes of a request."""

Connect = Callable[[], AbstractContextManager[Database]]
"""Opens a session of the database, and closes it."""


class Front(ThreadingHTTPServer):
    """The server. `serve_forever` runs it, and `shutdown` ends that."""

    daemon_threads = True

    def __init__(self, address: tuple[str, int], connect: Connect) -> None:
        super().__init__(address, _Handler)
        self._connect = connect

    def post(self, key: str, request: Request) -> Status:
        """Pays."""
        with self._connect() as database:
            return Payments(database).post(key, request)

    def put(self, request: Request) -> Status:
        """Reserves."""
        with self._connect() as database:
            return Payments(database).put(request)


class _Handler(BaseHTTPRequestHandler):
    server: Front
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        request = self._read(PAYMENTS)
        if request is None:
            return
        key = (
            self.headers.get(KEY, "").strip().strip('"')
        )  # the draft has it in quotation marks, and many clients do not
        if not key:
            self._answer(BAD_REQUEST, f"a payment needs the header {KEY}")
            return
        status = self.server.post(key, request)
        self._answer(status, status.name.lower())

    def do_PUT(self) -> None:
        request = self._read(RESERVATIONS)
        if request is not None:
            status = self.server.put(request)
            self._answer(status, status.name.lower())

    def _read(self, path: str) -> Request | None:
        """What is asked for; None if that has been answered."""
        length = self.headers.get("Content-Length", "")
        if not length.isdecimal() or int(length) > LONGEST:
            self.close_connection = True  # what is not read would be taken for the next request
            self._answer(BAD_REQUEST, f"a request has a length of {LONGEST} bytes at most")
            return None
        body = self.rfile.read(int(length))
        if self.path != path:
            self._answer(NOT_FOUND, f"only {path} can be asked for that")
            return None
        try:
            return Request.read(body)
        except ValueError as problem:
            self._answer(BAD_REQUEST, str(problem))
            return None

    def _answer(self, status: int, text: str) -> None:
        body = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", "text/plain; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Says nothing; who runs it has the database to look at."""


class Post:
    """A buyer's way to a server: `Buyer(database, Post(host, port))`."""

    def __init__(self, host: str, port: int, *, patience: float = 5.0) -> None:
        self._place = host, port
        self._patience = patience

    def __call__(self, key: str, request: Request) -> Status | None:
        connection = HTTPConnection(*self._place, timeout=self._patience)
        try:
            connection.request("POST", PAYMENTS, request.text().encode(), {KEY: f'"{key}"'})
            answer = connection.getresponse()
            answer.read()
        except (OSError, HTTPException):
            return None
        finally:
            connection.close()
        return None if answer.status >= 500 else Status(answer.status)
