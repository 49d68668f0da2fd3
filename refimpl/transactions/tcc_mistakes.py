"""Try-Confirm/Cancel done wrong: mistakes that people make, each in the few lines that make it.

They stand beside the right implementation so that a reader sees what each rule is for by what happens without it, and so that
tests can be tested: each of these has to be found.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from refimpl.transactions.outbox import Database
from refimpl.transactions.tcc import (
    DONE,
    GONE,
    Address,
    Agency,
    Cancel,
    Confirm,
    Confirmed,
    Message,
    Phase,
    Send,
    Service,
    State,
    Tried,
    Try,
)


class OnlyLooks(Service):
    """Sets nothing aside: a `Try` only looks whether there is a place."""

    def reserve(self, trip: str) -> bool:
        with self._database.transaction():
            if self._database.execute(b"SELECT free FROM stock WHERE free > 0").fetchall():
                self._note(trip, State.HELD)
        return self.state(trip) is State.HELD


class ConfirmsAgain(Service):
    """Sells once more for a confirm that comes again."""

    def confirm(self, trip: str) -> int:
        if self.state(trip) is State.CONFIRMED:
            self._issue_ticket(trip)
        return super().confirm(trip)


class GivesBackAgain(Service):
    """Does not look at the row: gives a place back with each cancel."""

    def cancel(self, trip: str) -> None:
        with self._database.transaction():
            if not self._note(trip, State.CANCELLED):
                self._change(trip, State.CANCELLED)
                self._give_place_back()


class GivesBackWhatItNeverHad(Service):
    """Gives a place back for a cancel without a `Try`."""

    def cancel(self, trip: str) -> None:
        with self._database.transaction():
            if self._note(trip, State.CANCELLED) or self._change(trip, State.CANCELLED):
                self._give_place_back()


class RefusesEmptyCancel(Service):
    """Leaves a cancel without an answer if it knows nothing of the trip."""

    def receive(self, sender: Address, message: Message) -> None:
        if not isinstance(message, Cancel) or self.state(message.trip) is not None:
            super().receive(sender, message)


class LeavesNoMark(Service):
    """Answers a cancel without a `Try`, and forgets it."""

    def cancel(self, trip: str) -> None:
        with self._database.transaction():
            if self._change(trip, State.CANCELLED):
                self._give_place_back()


class BeginsAnew(Service):
    """Takes a late `Try` for a new one."""

    def reserve(self, trip: str) -> bool:
        with self._database.transaction():
            self._database.execute(b"DELETE FROM reservation WHERE trip = %s AND state = 'cancelled'", (trip,))
        return super().reserve(trip)


class KeepsThePlace(Service):
    """Marks a reservation as cancelled, and does not free its place."""

    def _give_place_back(self) -> None:
        pass


class HonoursWhatHasRunOut(Service):
    """Says 204 to a confirm that is late: the place may be sold to somebody else by now."""

    def confirm(self, trip: str) -> int:
        with self._database.transaction():
            self._database.execute(
                b"UPDATE reservation SET state = 'held' WHERE trip = %s AND state = 'cancelled'", (trip,)
            )
        return super().confirm(trip)


class HoldsForEver(Service):
    """Has no clock."""

    def expire(self, trip: str) -> None:
        pass


class CancelsWhatIsSold(Service):
    """Takes a confirmed place back."""

    def _change(self, trip: str, state: State) -> bool:
        changed = self._database.execute(
            b"UPDATE reservation SET state = %s WHERE trip = %s AND state IN ('held', 'confirmed') AND state <> %s",
            (state.value, trip, state.value),
        )
        return changed.rowcount == 1


class ReservesInTwoSteps(Service):
    """In two transactions: a crash in between, and a place is lost."""

    def reserve(self, trip: str) -> bool:
        if self.state(trip) is None and self._take_place():
            self._note(trip, State.HELD)
        return self.state(trip) is State.HELD


class ConfirmsInTwoSteps(Service):
    """In two transactions: a crash in between, and a place is paid for without a ticket."""

    def confirm(self, trip: str) -> int:
        if self._change(trip, State.CONFIRMED):
            self._issue_ticket(trip)
        return DONE if self.state(trip) is State.CONFIRMED else GONE


class LooksBeforeItMarks(Service):
    """Writes the mark behind a look for the row: a `Try` may come in between, and is taken for cancelled.

    Along the spec, one transaction comes behind the other. Between two that overlap, it is noticed by
    `tests/refimpl/test_tcc.py::test_mistake_shows_between_two_transactions`.
    """

    def cancel(self, trip: str) -> None:
        with self._database.transaction():
            if self._change(trip, State.CANCELLED):
                self._give_place_back()
            else:
                self._note(trip, State.CANCELLED)


class CountsInItsHead(Service):
    """Reads how many places are free, and writes one less: two that read the same number sell one place twice.

    Along the spec, one transaction comes behind the other. Between two that overlap, it is noticed by
    `tests/refimpl/test_tcc.py::test_mistake_shows_between_two_transactions`.
    """

    def _take_place(self) -> bool:
        ((free,),) = self._database.execute(b"SELECT free FROM stock").fetchall()
        if free > 0:
            self._database.execute(b"UPDATE stock SET free = %s::integer", (str(free - 1),))
        return bool(free > 0)


class BeginsUnwritten(Agency):
    """Asks for places, and writes the trip down then: a crash in between, and nobody cancels them."""

    def begin(self, trip: str) -> None:
        for service in self.services:
            self._send(service, Try(trip))
        self._write_down(trip)


class DecidesInItsHead(Agency):
    """Does not write the decision down, and has forgotten it after a crash."""

    def decide(self, trip: str) -> None:
        if self.answers[trip].agreed == set(self.services):
            for service in self.services:
                self._send(service, Confirm(trip))


class TellsFirst(Agency):
    """Tells the decision, and writes it down then: a crash in between, and it may decide otherwise."""

    def decide(self, trip: str) -> None:
        if self.answers[trip].agreed == set(self.services):
            for service in self.services:
                self._send(service, Confirm(trip))
        super().decide(trip)


class CountsAnswers(Agency):
    """Counts how often it was told yes, and not by whom."""

    def __init__(self, database: Database, services: Iterable[Address], send: Send) -> None:
        super().__init__(database, services, send)
        self._yes: Counter[str] = Counter()

    def receive(self, sender: Address, message: Message) -> None:
        super().receive(sender, message)
        if isinstance(message, Tried) and message.ok:
            self._yes[message.trip] += 1

    def decide(self, trip: str) -> None:
        if self._yes[trip] >= len(self.services):
            self._move(trip, Phase.TRYING, Phase.CONFIRMING)


class OneIsEnough(Agency):
    """Confirms when the first has agreed."""

    def decide(self, trip: str) -> None:
        if self.answers[trip].agreed:
            self._move(trip, Phase.TRYING, Phase.CONFIRMING)


class GivesUpAnyTime(Agency):
    """Drops a trip that it has decided to confirm."""

    def give_up(self, trip: str) -> None:
        super().give_up(trip)
        self._move(trip, Phase.CONFIRMING, Phase.CANCELLING)


class GoesOnWithoutOne(Agency):
    """Passes over a no, and waits."""

    def receive(self, sender: Address, message: Message) -> None:
        if not isinstance(message, Tried) or message.ok:
            super().receive(sender, message)


class TellsOnce(Agency):
    """Tells each service once, whether or not that arrives."""

    def __init__(self, database: Database, services: Iterable[Address], send: Send) -> None:
        super().__init__(database, services, send)
        self._told: set[tuple[str, Address]] = set()

    def tell(self, trip: str, service: Address) -> None:
        if (trip, service) not in self._told:
            self._told.add((trip, service))
            super().tell(trip, service)


class TakesAnyAnswer(Agency):
    """Does not look at the code: 404 is as good as 204."""

    def receive(self, sender: Address, message: Message) -> None:
        super().receive(sender, Confirmed(message.trip, DONE) if isinstance(message, Confirmed) else message)


Part = Agency | Service

MISTAKES: tuple[type[Part], ...] = (
    OnlyLooks,
    ConfirmsAgain,
    GivesBackAgain,
    GivesBackWhatItNeverHad,
    RefusesEmptyCancel,
    LeavesNoMark,
    BeginsAnew,
    KeepsThePlace,
    HonoursWhatHasRunOut,
    HoldsForEver,
    CancelsWhatIsSold,
    DecidesInItsHead,
    TellsFirst,
    GivesUpAnyTime,
    GoesOnWithoutOne,
    TellsOnce,
    TakesAnyAnswer,
)
"""Those that a step of the spec shows with one service, and without a crash."""

BEYOND: tuple[type[Part], ...] = (
    CountsAnswers,
    OneIsEnough,
    BeginsUnwritten,
    ReservesInTwoSteps,
    ConfirmsInTwoSteps,
    LooksBeforeItMarks,
    CountsInItsHead,
)
"""Those that show in a crash, with a second service, or when transactions overlap."""
