"""Idempotency keys: along their spec on PostgreSQL, over HTTP that breaks, at the same time, and what becomes of mistakes."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from functools import cache, partial
from http.client import HTTPConnection
from pathlib import Path

import psycopg
import pytest

import checker
from checker.conformance.explore import explore
from checker.conformance.probe import probe_all
from checker.conformance.replay import Outcome, replay_all
from checker.conformance.scenes import along
from checker.engine.graph import StateGraph
from refimpl.adapters.idempotency_key import IdempotencyKeyAdapter, MakeBuyer
from refimpl.idempotence import idempotency_key_mistakes as wrong
from refimpl.idempotence.front import KEY, PAYMENTS, RESERVATIONS, Connect, Front, Post
from refimpl.idempotence.idempotency_key import (
    BUYER_TABLES,
    MOST,
    PAYMENTS_TABLES,
    Buyer,
    Database,
    Payments,
    Request,
    Rows,
    Status,
)
from refimpl.idempotence.idempotency_key_mistakes import BEYOND, MISTAKES, Part
from tests.services import postgres, postgres_schema

SPEC = Path(__file__).resolve().parents[2] / "specs/idempotence/idempotency_key.psm"
BOOK = Request("book", 3)
FUNDS = 10


@cache
def graph_of(check: str) -> StateGraph:
    return checker.load(SPEC).graph(check)


@contextmanager
def tables() -> Iterator[str]:
    """Where a PostgreSQL listens that has the tables of a service and of a buyer, and an account with money."""
    with postgres_schema() as where, postgres(where) as session:
        for sql in (*PAYMENTS_TABLES, *BUYER_TABLES):
            session.execute(sql.encode())
        session.execute(b"INSERT INTO account VALUES ('customer', %s)", (FUNDS,))
        yield where


@contextmanager
def adapted(
    check: str, *, payments: Callable[[Database], Payments] = Payments, buyer: MakeBuyer = Buyer
) -> Iterator[IdempotencyKeyAdapter]:
    """An adapter with a schema of its own."""
    with tables() as where, postgres(where) as session:
        yield IdempotencyKeyAdapter(checker.load(SPEC).machine(check), session, payments=payments, buyer=buyer)


# ---- along the spec


LARGE = [
    ("calm", 2_108),
    ("two_services", 5_792),
    ("reuse", 5_548),
    ("short_of_money", 13_466),
    ("client_crashes", 20_064),
    ("failures", 55_288),
]


@pytest.mark.timeout(7_200)
@pytest.mark.parametrize(
    ("check", "transitions"), [("put", 150), *(pytest.param(*large, marks=pytest.mark.slow) for large in LARGE)]
)
def test_every_transition_is_as_in_the_spec(check: str, transitions: int) -> None:
    with adapted(check) as adapter:
        result = replay_all(adapter, graph_of(check))
    assert result.mismatch is None, result.mismatch.text()
    assert result.outcome is Outcome.CONFORMS
    assert result.taken == result.total == transitions
    assert result.unseen == ()


def test_what_the_spec_forbids_does_not_happen() -> None:
    with adapted("put") as adapter:
        result = probe_all(adapter, graph_of("put"))
    assert result.mismatch is None, result.mismatch.text()
    assert (result.states, result.tried > 100) == (73, True)


@pytest.mark.parametrize("check", ["calm", "short_of_money", "failures", "client_crashes", "two_services", "reuse"])
def test_explored(check: str) -> None:
    with adapted(check) as adapter:
        result = explore(adapter, runs=15, steps=30)
    assert result.outcome is Outcome.CONFORMS, result.mismatch and result.mismatch.text()


# ---- over HTTP


class Breaking(Front):
    """A server whose connections break: before or behind the transaction of a request, for as long as `left` is above 0."""

    left = 0
    behind = False

    def post(self, key: str, request: Request) -> Status:
        breaks, self.left = self.left > 0, self.left - 1
        if breaks and not self.behind:
            raise ConnectionAbortedError("as demanded, before it was done")
        status = super().post(key, request)
        if breaks:
            raise ConnectionAbortedError("as demanded, before it was answered")
        return status

    def handle_error(self, request: object, client_address: object) -> None:
        """Nobody has to read of what was demanded."""


@contextmanager
def serving(where: str) -> Iterator[Breaking]:
    """A server that runs."""
    connect: Connect = partial(postgres, where)
    with Breaking(("127.0.0.1", 0), connect) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


def place_of(server: Front) -> tuple[str, int]:
    host, port = server.server_address[:2]
    return str(host), int(port)


def post_to(server: Front) -> Post:
    return Post(*place_of(server))


def said(server: Front, method: str, path: str, body: str, headers: dict[str, str]) -> int:
    """The number that a server answers with."""
    connection = HTTPConnection(*place_of(server), timeout=5)
    try:
        connection.request(method, path, body, headers)
        return connection.getresponse().status
    finally:
        connection.close()


def rows(where: str, sql: bytes) -> list[tuple[object, ...]]:
    with postgres(where) as session:
        return session.execute(sql).fetchall()


def paid(where: str) -> list[object]:
    return [purchase for (purchase,) in rows(where, b"SELECT purchase FROM payment ORDER BY purchase")]


@pytest.mark.parametrize("behind", [False, True], ids=["the request is lost", "the answer is lost"])
def test_a_buyer_asks_until_it_knows(behind: bool) -> None:
    with tables() as where, serving(where) as server, postgres(where) as session:
        server.left, server.behind = 3, behind
        Buyer(session, post_to(server)).buy(BOOK)
        assert paid(where) == (["book"] if behind else [])
        again = Buyer(session, post_to(server))  # the first one has crashed
        assert [again.run_once() for _ in range(3)] == [1, 1, 0]
        assert paid(where) == ["book"]
        assert rows(where, b"SELECT balance FROM account") == [(FUNDS - BOOK.amount,)]
        assert rows(where, b"SELECT status FROM wanted") == [(Status.CREATED,)]


def test_a_declined_payment_stays_declined() -> None:
    with tables() as where, serving(where) as server:
        post = post_to(server)
        yacht = Request("yacht", FUNDS + 1)
        assert post("k", yacht) is Status.DECLINED
        rows(where, b"UPDATE account SET balance = 100 RETURNING name")
        assert post("k", yacht) is Status.DECLINED
        assert post("another", yacht) is Status.CREATED


def test_a_key_that_comes_with_another_request_is_refused() -> None:
    with tables() as where, serving(where) as server:
        post = post_to(server)
        answers = [post("k", request) for request in (BOOK, Request("book", 4), Request("lamp", 3), BOOK)]
        assert answers == [Status.CREATED, Status.REFUSED, Status.REFUSED, Status.CREATED]
        assert paid(where) == ["book"]


def test_to_set_again_changes_nothing() -> None:
    with tables() as where, serving(where) as server:
        assert [said(server, "PUT", RESERVATIONS, BOOK.text(), {}) for _ in range(3)] == [201, 200, 200]
        assert rows(where, b"SELECT * FROM reservation") == [("book", BOOK.amount)]


WITH_A_KEY = {KEY: "k"}
UNREADABLE = [
    ("POST", PAYMENTS, BOOK.text(), {}, 400),
    ("POST", PAYMENTS, BOOK.text(), {KEY: '""'}, 400),
    ("POST", PAYMENTS, "{", WITH_A_KEY, 400),
    ("POST", PAYMENTS, "[]", WITH_A_KEY, 400),
    ("POST", PAYMENTS, Request("book", 0).text(), WITH_A_KEY, 400),
    ("POST", PAYMENTS, Request("book", MOST + 1).text(), WITH_A_KEY, 400),
    ("POST", PAYMENTS, BOOK.text(), {**WITH_A_KEY, "Content-Length": "many"}, 400),
    ("POST", PAYMENTS, Request("x" * 20_000, 1).text(), WITH_A_KEY, 400),
    ("POST", "/", BOOK.text(), WITH_A_KEY, 404),
    ("PUT", PAYMENTS, BOOK.text(), WITH_A_KEY, 404),
]


def test_what_is_no_request_is_refused_and_pays_nothing() -> None:
    with tables() as where, serving(where) as server:
        for method, path, body, headers, status in UNREADABLE:
            assert said(server, method, path, body, headers) == status, (method, path, body[:40])
        assert paid(where) == [] == rows(where, b"SELECT * FROM known")


# ---- at the same time


def test_attempts_at_once_pay_once_and_are_told_the_same() -> None:
    with tables() as where, serving(where) as server, ThreadPoolExecutor(8) as threads:
        post = post_to(server)
        assert {*threads.map(lambda _: post("k", BOOK), range(8))} == {Status.CREATED}
        assert paid(where) == ["book"]


def test_purchases_at_once_pay_no_more_than_there_is() -> None:
    with tables() as where, serving(where) as server, ThreadPoolExecutor(8) as threads:
        answers = [*threads.map(lambda n: post_to(server)(f"k{n}", Request(f"book{n}", 3)), range(8))]
        assert (answers.count(Status.CREATED), answers.count(Status.DECLINED)) == (3, 5)
        assert len(paid(where)) == 3 and rows(where, b"SELECT balance FROM account") == [(1,)]


@pytest.mark.parametrize("commits", [True, False])
def test_a_second_attempt_waits_for_the_first(commits: bool) -> None:
    """While the first has not committed, nobody can know whether there is anything to do."""
    with tables() as where, ThreadPoolExecutor(1) as threads, postgres(where) as first, postgres(where) as second:
        with first.transaction(force_rollback=not commits):
            assert Payments(first).post("k", BOOK) is Status.CREATED
            waiting = threads.submit(Payments(second).post, "k", BOOK)
            with pytest.raises(TimeoutError):
                waiting.result(0.2)
        assert waiting.result(5) is Status.CREATED
        assert paid(where) == ["book"]


class Meeting:
    """A session that waits before it takes money until another one is as far, or until it has waited long enough."""

    def __init__(self, session: Database, barrier: threading.Barrier) -> None:
        self._session = session
        self._barrier = barrier
        self.transaction = session.transaction

    def execute(self, statement: bytes, values: Sequence[object] = (), /) -> Rows:
        if statement.startswith(b"UPDATE account"):
            with suppress(threading.BrokenBarrierError):
                self._barrier.wait(0.5)
        return self._session.execute(statement, values)


def payments_of_two_at_once(payments: type[Payments]) -> int:
    """How often a purchase is paid for which two attempts come at once."""
    barrier = threading.Barrier(2)

    def attempt(where: str) -> None:
        with postgres(where) as session:
            payments(Meeting(session, barrier)).post("k", BOOK)

    with tables() as where:
        with ThreadPoolExecutor(2) as threads:
            _ = [*threads.map(attempt, [where] * 2)]
        return len(paid(where))


def test_two_at_once_pay_once() -> None:
    assert payments_of_two_at_once(Payments) == 1


# ---- keys that are gone


def payments_around_forgetting(payments: type[Payments], *, hours: int) -> int:
    """How often a purchase is paid that is asked for, and again when so much time has passed; keys are kept for a day."""
    with tables() as where, postgres(where) as session:
        service = payments(session)
        service.post("k", BOOK)
        session.execute(b"UPDATE known SET made = made - make_interval(hours => %s)", (hours,))
        service.forget(24 * 3600)
        service.post("k", BOOK)
        return len(paid(where))


def test_keys_live_long_enough_and_not_for_ever() -> None:
    """The second line is a limit, and no wish: an attempt that comes later is a new request."""
    assert payments_around_forgetting(Payments, hours=23) == 1
    assert payments_around_forgetting(Payments, hours=25) == 2


class Vanishing:
    """A session in which a key is forgotten between the attempt to store it and the look at its answer."""

    def __init__(self, session: psycopg.Connection) -> None:
        self._session = session
        self.transaction = session.transaction

    def execute(self, statement: bytes, values: Sequence[object] = (), /) -> Rows:
        if statement.startswith(b"SELECT request"):
            self._session.execute(b"DELETE FROM known")
        return self._session.execute(statement, values)


def test_an_attempt_is_told_to_come_again_when_its_key_is_forgotten_that_moment() -> None:
    with tables() as where, postgres(where) as session:
        assert Payments(session).post("k", BOOK) is Status.CREATED
        assert Payments(Vanishing(session)).post("k", BOOK) is Status.BUSY


def left_waiting_when_busy(buyer: type[Buyer]) -> tuple[str, ...]:
    """What a buyer still asks for when it was told that this is being dealt with."""
    with tables() as where, postgres(where) as session:
        found = buyer(session, lambda key, request: Status.BUSY)
        found.buy(BOOK)
        return found.waiting()


def test_a_buyer_goes_on_while_nothing_is_decided() -> None:
    assert left_waiting_when_busy(Buyer) == ("book",)


# ---- mistakes


LEAVE_THE_SPEC: dict[type[Part], tuple[str, str]] = {
    wrong.PaysEachTime: ("calm", "Service0.Request"),
    wrong.KeepsKeysInMemory: ("calm", "Service0.Request"),
    wrong.TakesKeysForPaid: ("short_of_money", "Service0.Request"),
    wrong.StoresSuccessOnly: ("short_of_money", "Service0.Request"),
    wrong.AnnouncesRepeats: ("calm", "Service0.Request"),
    wrong.DrawsAKeyForEachAttempt: ("calm", "Client.Buy"),
    wrong.AddsWhatItShouldSet: ("put", "Service0.Request"),
    wrong.DoesNotCompare: ("reuse", "Service0.Request"),
    wrong.ComparesTheAmount: ("reuse", "Service0.Request"),
}


@contextmanager
def adapted_wrongly(check: str, mistake: type[Part]) -> Iterator[IdempotencyKeyAdapter]:
    if issubclass(mistake, Payments):
        with adapted(check, payments=mistake) as adapter:
            yield adapter
    else:
        with adapted(check, buyer=mistake) as adapter:
            yield adapter


@pytest.mark.parametrize("mistake", LEAVE_THE_SPEC, ids=lambda it: it.__name__)
def test_mistake_leaves_the_spec(mistake: type[Part]) -> None:
    check, step = LEAVE_THE_SPEC[mistake]
    with adapted_wrongly(check, mistake) as adapter:
        found = replay_all(adapter, graph_of(check)).mismatch
    assert found is not None
    assert found.step is not None and found.step.startswith(step)


CRASH, AGAIN = IdempotencyKeyAdapter.scenes[:2]
TORN = "[crash after 1 effect]"
BY_CRASHES = {
    wrong.StoresTheKeyFirst: (CRASH, f"Service0.Request(Purchase0, Key0) <- Client {TORN}"),
    wrong.PaysFirst: (CRASH, f"Service0.Request(Purchase0, Key0) <- Client {TORN}"),
    wrong.AsksFirst: (AGAIN, f"Client.Buy(Purchase0, Key0, Service0) {TORN}"),
    wrong.RemembersItsKeys: (AGAIN, "Client.Retry(Purchase0, Service0)"),
}
"""In which scene a crash shows the mistake, and at which step."""


@pytest.mark.parametrize("mistake", BY_CRASHES, ids=lambda it: it.__name__)
def test_mistake_is_caught_by_a_crash(mistake: type[Part]) -> None:
    scene, step = BY_CRASHES[mistake]
    with adapted_wrongly(scene.instance.check, mistake) as adapter:
        found = along(checker.load(SPEC), scene).replay(adapter).mismatch
    assert found is not None and found.step == step


def test_mistakes_that_no_step_shows() -> None:
    """One needs two sessions at once, one a clock, and one a key without an answer."""
    assert payments_of_two_at_once(wrong.LooksFirst) == 2
    assert payments_around_forgetting(wrong.ForgetsEverything, hours=23) == 2
    assert left_waiting_when_busy(wrong.TakesBusyForAnAnswer) == ()


def test_every_mistake_is_looked_for() -> None:
    beyond = {*BY_CRASHES, wrong.LooksFirst, wrong.ForgetsEverything, wrong.TakesBusyForAnAnswer}
    assert {*LEAVE_THE_SPEC} == {*MISTAKES} and beyond == {*BEYOND}
