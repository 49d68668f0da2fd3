"""A saga: a long transaction as a row of short ones, each of which can be made undone.

A journey is booked at several stations, each with a database of its own. Nobody can lock them all until the last one has agreed.
So each books at once, in a local transaction, and if one of them refuses, those that have booked cancel, the last one first:

    orchestrator      station 0      station 1      station 2
        | -- Book ------> |              |              |
        | <-- Booked ---- |              |              |
        | ------------- Book ----------> |              |
        | <------------ Booked --------- |              |
        | ---------------------------- Book ----------> |
        | <--------------------------- Refused -------- |
        | ------------ Cancel ---------> |              |
        | <----------- Cancelled ------- |              |
        | -- Cancel ----> |              |              |
        | <- Cancelled -- |              |              |

What it gives is that all have booked in the end, or nobody has. What it does not give is isolation: on the way everybody can see
bookings that will be cancelled.

Why it works. The orchestrator writes down where it is before it asks for anything, so after a crash it goes on from there; and it
asks again until it is answered, so each request may come more than once. A station therefore remembers what it has answered:

- One that has booked says so again, and does not book again.
- One that has refused goes on refusing. Otherwise a repeated request books what the orchestrator knows to be refused.
- One that was told to cancel never books afterwards. The request may have been given up before it arrived: so a station may be
  told to cancel what it was never asked for, has to agree to that, and has to refuse the request when it comes.

And an orchestrator that gives up waiting has the silent station cancel, too, for it may have booked.

**Processes and crashes.** A process is an object; what it knows beside its log it loses in a crash, which is to drop the object.
A new one on the same log takes up where that ends. The log of a station stands for its database: its record and what it does
for the business are one local transaction. Messages may be lost, late, repeated and reordered. Whoever runs a process calls
`receive` for each message, and on the orchestrator `timeout` when a timer rings.

Source: H. Garcia-Molina, K. Salem, "Sagas", SIGMOD 1987.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import assert_never

from refimpl.runtime.log import Log

Address = str


@dataclass(frozen=True, slots=True)
class Book:
    """From the orchestrator: do your part."""


@dataclass(frozen=True, slots=True)
class Booked:
    """From a station: it is done."""


@dataclass(frozen=True, slots=True)
class Refused:
    """From a station: it was not done, and will not be."""


@dataclass(frozen=True, slots=True)
class Cancel:
    """From the orchestrator: undo your part, and do it no more."""


@dataclass(frozen=True, slots=True)
class Cancelled:
    """From a station: it is undone."""


Message = Book | Booked | Refused | Cancel | Cancelled
Send = Callable[[Address, Message], None]


class Phase(Enum):
    """How far the whole is."""

    IDLE = "idle"
    FORWARD = "forward"
    BACKWARD = "backward"
    BOOKED = "booked"
    CANCELLED = "cancelled"


class Orchestrator:
    """Takes the stations through one journey. Its log has a record for each thing that it has learned or decided."""

    def __init__(self, stations: Sequence[Address], log: Log, send: Send) -> None:
        self.stations = tuple(stations)
        self.phase = Phase.IDLE
        self.place = 0
        """How many stations have booked, and so which one is next."""
        self.owing: set[int] = set()
        """On the way back, which stations have yet to cancel."""
        self._log = log
        self._send = send
        for record in log.records():
            self._take(record)

    def begin(self) -> None:
        """Sets out. The first station is asked when the timer rings."""
        if self.phase is Phase.IDLE:
            self._write("begin")

    def timeout(self) -> None:
        """Nothing was heard for a while: asks, or asks again."""
        if self.phase is Phase.FORWARD:
            self._send(self.stations[self.place], Book())
        elif self.owing:
            self._send(self.stations[self.next_to_cancel()], Cancel())

    def next_to_cancel(self) -> int:
        """Which station cancels next: the last one, so that what is booked is always the beginning of a journey."""
        return max(self.owing)

    def give_up(self) -> None:
        """Nobody wants to wait for the station that is next. It may have booked."""
        if self.phase is Phase.FORWARD:
            self._write(f"back {self.place + 1}")

    def receive(self, sender: Address, message: Message) -> None:
        """Takes a message."""
        match message:
            case Booked():
                if self.phase is Phase.FORWARD and sender == self.stations[self.place]:
                    self._write("booked")
            case Refused():
                if self.phase is Phase.FORWARD:
                    self._write(f"back {self.place}")
            case Cancelled():
                station = self.stations.index(sender)
                if station in self.owing:
                    self._write(f"cancelled {station}")
            case Book() | Cancel():
                raise ValueError(f"the orchestrator got a message for stations: {message}")
            case _:
                assert_never(message)

    def _write(self, record: str) -> None:
        self._log.force(record)
        self._take(record)

    def _take(self, record: str) -> None:
        """What a record says."""
        match record.split():
            case ["begin"]:
                self.phase = Phase.FORWARD
            case ["booked"]:
                self.place += 1
                if self.place == len(self.stations):
                    self.phase = Phase.BOOKED
            case ["back", upto]:
                self.owing = set(range(int(upto)))
                self.phase = Phase.BACKWARD if self.owing else Phase.CANCELLED
            case ["cancelled", station]:
                self.owing.discard(int(station))
                if not self.owing:
                    self.phase = Phase.CANCELLED
            case _:
                raise ValueError(f"no record of a saga: {record!r}")


class Answer(Enum):
    """What a station has done last, and a record of its log."""

    BOOKED = "booked"
    REFUSED = "refused"
    CANCELLED = "cancelled"


class Station:
    """Books one part of the journey, or refuses to, as `agrees` says."""

    def __init__(self, agrees: Callable[[], bool], log: Log, send: Send) -> None:
        self._agrees = agrees
        self._log = log
        self._send = send
        records = log.records()
        self.answer = Answer(records[-1]) if records else None
        """None as long as nobody has asked."""

    @property
    def closed(self) -> bool:
        """It does not book any more."""
        return self.answer in (Answer.REFUSED, Answer.CANCELLED)

    def receive(self, sender: Address, message: Message) -> None:
        """Takes a message."""
        match message:
            case Book():
                self._on_book(sender)
            case Cancel():
                self._on_cancel(sender)
            case Booked() | Refused() | Cancelled():
                raise ValueError(f"a station got a message for the orchestrator: {message}")
            case _:
                assert_never(message)

    def _on_book(self, sender: Address) -> None:
        if self.answer is None:
            self._write(Answer.BOOKED if self._agrees() else Answer.REFUSED)
        self._send(sender, Refused() if self.closed else Booked())

    def _on_cancel(self, sender: Address) -> None:
        if not self.closed:
            self._write(Answer.CANCELLED)
        self._send(sender, Cancelled())

    def _write(self, answer: Answer) -> None:
        self._log.force(answer.value)
        self.answer = answer
