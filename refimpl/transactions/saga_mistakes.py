"""Sagas done wrong: twelve mistakes that people make, each in the few lines that make it.

They stand beside the right implementation so that a reader sees what each rule is for by what happens without it, and so that
tests can be tested: each of these has to be found.
"""

from __future__ import annotations

from refimpl.transactions.saga import (
    Address,
    Answer,
    Book,
    Booked,
    Cancelled,
    Message,
    Orchestrator,
    Phase,
    Refused,
    Station,
)


class TrustsSilence(Orchestrator):
    """Takes a station that does not answer for one that has refused."""

    def give_up(self) -> None:
        if self.phase is Phase.FORWARD:
            self._write(f"back {self.place}")


class CancelsForwards(Orchestrator):
    """Has the first station cancel first."""

    def next_to_cancel(self) -> int:
        return min(self.owing)


class CancelsOnce(Orchestrator):
    """Is done when the first station has cancelled."""

    def receive(self, sender: Address, message: Message) -> None:
        super().receive(sender, message)
        if isinstance(message, Cancelled):
            for station in sorted(self.owing):
                self._write(f"cancelled {station}")


class CountsAnybody(Orchestrator):
    """Goes on whichever station says that it has booked."""

    def receive(self, sender: Address, message: Message) -> None:
        if isinstance(message, Booked) and self.phase is Phase.FORWARD:
            self._write("booked")
        else:
            super().receive(sender, message)


class PassesOver(Orchestrator):
    """Goes on with the next station when one refuses."""

    def receive(self, sender: Address, message: Message) -> None:
        super().receive(sender, Booked() if isinstance(message, Refused) else message)


class AsksAllAtOnce(Orchestrator):
    """Does not wait for one station before it asks the next."""

    def timeout(self) -> None:
        if self.phase is Phase.FORWARD:
            for station in self.stations[self.place :]:
                self._send(station, Book())
        else:
            super().timeout()


class WritesNothing(Orchestrator):
    """Keeps in memory where it is."""

    def _write(self, record: str) -> None:
        self._take(record)


class DecidesAnew(Station):
    """Decides with each request, whatever it has answered before."""

    def _on_book(self, sender: Address) -> None:
        if self.answer is Answer.BOOKED:
            self.answer = None
        super()._on_book(sender)


class ForgetsRefusals(Station):
    """Remembers what it has booked, but not what it has refused."""

    def _write(self, answer: Answer) -> None:
        if answer is not Answer.REFUSED:
            super()._write(answer)

    def _on_book(self, sender: Address) -> None:
        if self.answer is None and not self._agrees():
            self._send(sender, Refused())
        else:
            super()._on_book(sender)


class ForgetsCancellations(Station):
    """Is open again after it has cancelled."""

    @property
    def closed(self) -> bool:
        return self.answer is Answer.REFUSED

    def _on_book(self, sender: Address) -> None:
        if self.answer is Answer.CANCELLED:
            self.answer = None
        super()._on_book(sender)


class CancelsBookingsAlone(Station):
    """Has nothing to say to somebody who cancels what it has not booked."""

    def _on_cancel(self, sender: Address) -> None:
        if self.answer is not None:
            super()._on_cancel(sender)


class AnswersFirst(Station):
    """Says that it has cancelled, and cancels."""

    def _on_cancel(self, sender: Address) -> None:
        self._send(sender, Cancelled())
        if not self.closed:
            self._write(Answer.CANCELLED)


MISTAKES: tuple[type[Orchestrator | Station], ...] = (
    TrustsSilence,
    CancelsForwards,
    CancelsOnce,
    CountsAnybody,
    PassesOver,
    AsksAllAtOnce,
    WritesNothing,
    DecidesAnew,
    ForgetsRefusals,
    ForgetsCancellations,
    CancelsBookingsAlone,
    AnswersFirst,
)
