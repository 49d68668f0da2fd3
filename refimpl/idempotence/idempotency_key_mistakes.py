"""Idempotency keys done wrong: sixteen mistakes that people make, each in the few lines that make it.

They stand beside the right implementation so that a reader sees what each rule is for by what happens without it, and so that
tests can be tested: each of these has to be found.
"""

from __future__ import annotations

from collections.abc import Callable

from refimpl.idempotence.idempotency_key import Ask, Buyer, Database, Payments, Request, Status, draw_key


class PaysEachTime(Payments):
    """Has no use for the key."""

    def post(self, key: str, request: Request) -> Status:
        with self._database.transaction():
            return self._pay(request)


class StoresTheKeyFirst(Payments):
    """Key and payment in two transactions: after a crash in between, the key has no answer, and never will."""

    def post(self, key: str, request: Request) -> Status:
        if not self._note(key, request):
            return self._known(key, request)
        with self._database.transaction():
            status = self._pay(request)
            self._store(key, status)
        return status


class PaysFirst(Payments):
    """Payment and key in two transactions: after a crash in between, nobody knows of the payment."""

    def post(self, key: str, request: Request) -> Status:
        if self._database.execute(b"SELECT key FROM known WHERE key = %s", (key,)).fetchall():
            return self._known(key, request)
        with self._database.transaction():
            status = self._pay(request)
        with self._database.transaction():
            self._note(key, request)
            self._store(key, status)
        return status


class LooksFirst(Payments):
    """Looks for the key, and then pays and stores it: two attempts at once both find nothing.

    Along the spec one request is dealt with after the other. With two sessions at once, it is noticed by
    `tests/refimpl/test_idempotency_key.py::test_mistakes_that_no_step_shows`.
    """

    def post(self, key: str, request: Request) -> Status:
        with self._database.transaction():
            if self._database.execute(b"SELECT key FROM known WHERE key = %s", (key,)).fetchall():
                return self._known(key, request)
            status = self._pay(request)
            self._note(key, request)
            self._store(key, status)
        return status


class KeepsKeysInMemory(Payments):
    """Remembers keys as long as the process lives."""

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self._answers: dict[str, tuple[str, Status]] = {}

    def post(self, key: str, request: Request) -> Status:
        if key not in self._answers:
            with self._database.transaction():
                self._answers[key] = request.text(), self._pay(request)
        asked, status = self._answers[key]
        return status if asked == request.text() else Status.REFUSED


class TakesKeysForPaid(Payments):
    """Answers a repeat without a look at what the first answer was."""

    def _known(self, key: str, request: Request) -> Status:
        status = super()._known(key, request)
        return Status.CREATED if status is Status.DECLINED else status


class StoresSuccessOnly(Payments):
    """Does not keep the key of a payment that was declined: a late attempt may still come through."""

    def _store(self, key: str, status: Status) -> None:
        if status is Status.CREATED:
            super()._store(key, status)
        else:
            self._database.execute(b"DELETE FROM known WHERE key = %s", (key,))


class DoesNotCompare(Payments):
    """Answers whatever comes with a key that is known."""

    def _known(self, key: str, request: Request) -> Status:
        ((status,),) = self._database.execute(b"SELECT status FROM known WHERE key = %s", (key,)).fetchall()
        return Status(status)


class ComparesTheAmount(Payments):
    """Compares a part of the request, and takes another purchase of the same price for a repeat."""

    def _known(self, key: str, request: Request) -> Status:
        ((asked, status),) = self._database.execute(
            b"SELECT request, status FROM known WHERE key = %s", (key,)
        ).fetchall()
        return Status(status) if Request.read(asked).amount == request.amount else Status.REFUSED


class AnnouncesRepeats(Payments):
    """Answers a repeat with an error: to the client, who has not heard of the payment, it was refused."""

    def _known(self, key: str, request: Request) -> Status:
        return Status.REFUSED


class ForgetsEverything(Payments):
    """Deletes keys of any age.

    The spec has no clock, so that keys are forgotten in checks that are to fail alone. It is noticed by
    `tests/refimpl/test_idempotency_key.py::test_mistakes_that_no_step_shows`.
    """

    def forget(self, age: float) -> int:
        return super().forget(-age)


class AddsWhatItShouldSet(Payments):
    """`PUT` that adds: it has the name of an idempotent method, and is none."""

    def put(self, request: Request) -> Status:
        added = self._database.execute(
            b"UPDATE reservation SET amount = amount + %s WHERE purchase = %s", (request.amount, request.purchase)
        )
        return Status.UNCHANGED if added.rowcount else super().put(request)


class DrawsAKeyForEachAttempt(Buyer):
    """Which makes each attempt a request of its own."""

    def _attempt(self, request: Request, key: str) -> None:
        super()._attempt(request, self._draw())


class AsksFirst(Buyer):
    """Asks, and then stores the key: after a crash in between, it has asked with a key that it does not know."""

    def buy(self, request: Request) -> None:
        key = self._draw()
        self._attempt(request, key)
        self._want(request, key)


class RemembersItsKeys(Buyer):
    """Has its keys in memory alone, and draws another one after a crash."""

    def __init__(self, database: Database, ask: Ask, *, draw: Callable[[], str] = draw_key) -> None:
        super().__init__(database, ask, draw=draw)
        self._keys: dict[str, str] = {}

    def _attempt(self, request: Request, key: str) -> None:
        super()._attempt(request, self._keys.setdefault(request.purchase, key))

    def retry(self, purchase: str) -> None:
        if purchase not in self._keys:
            self._keys[purchase] = self._draw()
        super().retry(purchase)


class TakesBusyForAnAnswer(Buyer):
    """Gives up a purchase that is being dealt with.

    Along the spec no key is ever without an answer. It is noticed by
    `tests/refimpl/test_idempotency_key.py::test_mistakes_that_no_step_shows`.
    """

    def answered(self, purchase: str, status: Status) -> None:
        self._database.execute(b"UPDATE wanted SET status = %s WHERE purchase = %s", (int(status), purchase))


Part = Payments | Buyer

MISTAKES: tuple[type[Part], ...] = (
    PaysEachTime,
    KeepsKeysInMemory,
    TakesKeysForPaid,
    StoresSuccessOnly,
    DoesNotCompare,
    ComparesTheAmount,
    AnnouncesRepeats,
    AddsWhatItShouldSet,
    DrawsAKeyForEachAttempt,
)
"""Those that a step of the spec shows without a crash."""

BEYOND: tuple[type[Part], ...] = (
    StoresTheKeyFirst,
    PaysFirst,
    AsksFirst,
    RemembersItsKeys,
    LooksFirst,
    ForgetsEverything,
    TakesBusyForAnAnswer,
)
"""Those that show in a crash, between two sessions, or as time goes by."""
