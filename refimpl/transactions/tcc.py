"""Try-Confirm/Cancel: several services sell together, or none of them does, and no lock stays behind between two messages.

An agency books a seat and a room for a trip, at services that have databases of their own. In six messages:

    agency                                    service
    write "trying"                                |
        | ---------- Try ---------------------->  |    set a place aside: commit "held", with one free place less
        | <--------- Tried(ok) -----------------  |
    write "confirming", or "cancelling"           |
        | ---------- Confirm ------------------>  |    commit "confirmed", with a ticket
        | ---------- or Cancel ---------------->  |    commit "cancelled", and the place is free again
        | <--------- Confirmed(204), Cancelled -  |

Each step of a service is one local transaction, and ends with it. What two-phase commit does with a lock, a reservation does
here, which is a row that everybody can see. So a service goes on selling, and decides itself how long it keeps a place.

Why it is safe: the write of `confirming` is the decision. It is made once all have said yes, and then no confirm can fail, since
its place is set aside. A message that gets lost is sent again until it is answered; after a crash, whoever takes the agency's
place finds the trip in its table. It holds no answers, and need not: it asks again, or cancels.

Messages may come again, and overtake each other. Three rules make that harmless, all by the one row that a trip has at a service:

    idempotence     a confirm or cancel acts on a row that says `held`, and on no other
    empty cancel    a cancel that finds no row is answered, and leaves one that says `cancelled`
    suspension      a `Try` that finds a row sets nothing aside; so the late one behind an empty cancel does no harm

The row is written first, by an `INSERT` that does nothing where there is one already. Two transactions that do this for one trip
wait for each other there. To look for the row, and to write it then, would let a `Try` slip in between.

The REST form has a `patience`: a reservation that is held for longer runs out, and its confirm is answered with 404 (gone)
instead of 204 (done). No place waits for an agency that never comes back then. The price is atomicity: an agency that is late may
find one place confirmed, and the other one gone. All that it can do is to say so: such a trip ends as `mixed`.

A database is a `psycopg` session in autocommit mode, or anything with its two methods. A process is an object; after a crash,
there is a new one on the same database. None of its methods waits for anything but the database.

Sources: P. Helland, "Life beyond distributed transactions", 2007; G. Pardon and C. Pautasso, "Towards distributed atomic
transactions over RESTful services", 2011; Zhu Jinjun, "Alibaba Seata resolves idempotence, dangling, and empty rollback issues in
TCC mode", 2022.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from enum import Enum
from typing import assert_never

from refimpl.transactions.outbox import Database

AGENCY_TABLES = ("CREATE TABLE trip (name text PRIMARY KEY, phase text NOT NULL)",)
SERVICE_TABLES = (
    "CREATE TABLE stock (free integer NOT NULL CHECK (free >= 0))",
    "CREATE TABLE reservation (trip text PRIMARY KEY, state text NOT NULL, since timestamptz NOT NULL)",
    "CREATE TABLE ticket (buyer text NOT NULL)",
)

Address = str

DONE, GONE = 204, 404


@dataclass(frozen=True, slots=True)
class Try:
    """From the agency: set a place aside."""

    trip: str


@dataclass(frozen=True, slots=True)
class Tried:
    """From a service: a place is set aside, or is not."""

    trip: str
    ok: bool


@dataclass(frozen=True, slots=True)
class Confirm:
    """From the agency: the place is sold."""

    trip: str


@dataclass(frozen=True, slots=True)
class Confirmed:
    """From a service: it is, or there is no reservation any more."""

    trip: str
    code: int


@dataclass(frozen=True, slots=True)
class Cancel:
    """From the agency: the place is not needed, whether or not it was set aside."""

    trip: str


@dataclass(frozen=True, slots=True)
class Cancelled:
    """From a service: nothing is set aside, nor will be."""

    trip: str


Message = Try | Tried | Confirm | Confirmed | Cancel | Cancelled
Send = Callable[[Address, Message], None]


class Phase(Enum):
    """How far a trip is, as its row says."""

    TRYING = "trying"
    CONFIRMING = "confirming"
    CANCELLING = "cancelling"
    BOOKED = "booked"
    DROPPED = "dropped"
    MIXED = "mixed"


@dataclass(slots=True)
class Answers:
    """What the services have said about a trip, for as long as the process lives."""

    agreed: set[Address] = field(default_factory=set)
    sold: set[Address] = field(default_factory=set)
    over: set[Address] = field(default_factory=set)


class Agency:
    """Leads trips. Every change of a phase names the one that it comes from, so two processes can work on one table."""

    def __init__(self, database: Database, services: Iterable[Address], send: Send) -> None:
        self.services = tuple(services)
        self.answers: defaultdict[str, Answers] = defaultdict(Answers)
        self._database = database
        self._send = send

    def phase(self, trip: str) -> Phase | None:
        """How far a trip is; None if there is none."""
        rows = self._database.execute(b"SELECT phase FROM trip WHERE name = %s", (trip,)).fetchall()
        return Phase(rows[0][0]) if rows else None

    def unfinished(self) -> tuple[str, ...]:
        """The trips that somebody has to go on with, after a crash, say."""
        found = self._database.execute(
            b"SELECT name FROM trip WHERE phase IN ('trying', 'confirming', 'cancelling') ORDER BY name"
        )
        return tuple(name for (name,) in found.fetchall())

    def begin(self, trip: str) -> None:
        """Writes the trip down, so that whoever comes after a crash knows what to cancel, and asks for places."""
        if self._write_down(trip):
            for service in self.services:
                self._send(service, Try(trip))

    def try_again(self, trip: str, service: Address) -> None:
        """The answer of a service is overdue: asks again."""
        if service not in self.answers[trip].agreed and self.phase(trip) is Phase.TRYING:
            self._send(service, Try(trip))

    def decide(self, trip: str) -> None:
        """Once everyone has agreed."""
        if self.answers[trip].agreed == set(self.services):
            self._move(trip, Phase.TRYING, Phase.CONFIRMING)

    def give_up(self, trip: str) -> None:
        """Drops a trip, as the agency may for as long as nothing is decided."""
        self._move(trip, Phase.TRYING, Phase.CANCELLING)

    def tell(self, trip: str, service: Address) -> None:
        """Tells a service what is decided, unless it has said that it knows."""
        answers = self.answers[trip]
        if service in answers.sold or service in answers.over:
            return
        match self.phase(trip):
            case Phase.CONFIRMING:
                self._send(service, Confirm(trip))
            case Phase.CANCELLING:
                self._send(service, Cancel(trip))

    def close(self, trip: str) -> None:
        """Once everyone knows."""
        answers, phase = self.answers[trip], self.phase(trip)
        if answers.sold | answers.over == set(self.services) and phase in (Phase.CONFIRMING, Phase.CANCELLING):
            self._move(trip, phase, self._outcome(answers))

    def receive(self, sender: Address, message: Message) -> None:
        """Takes a message. What comes too late changes nothing."""
        answers, phase = self.answers[message.trip], self.phase(message.trip)
        match message:
            case Tried(trip, ok):
                if phase is Phase.TRYING and sender not in answers.agreed:
                    if ok:
                        answers.agreed.add(sender)
                    else:
                        self._move(trip, Phase.TRYING, Phase.CANCELLING)
            case Confirmed(_, code):
                if phase is Phase.CONFIRMING:
                    (answers.sold if code == DONE else answers.over).add(sender)
            case Cancelled():
                if phase is Phase.CANCELLING:
                    answers.over.add(sender)
            case Try() | Confirm() | Cancel():
                raise ValueError(f"the agency got a message for services: {message}")
            case _:
                assert_never(message)

    def _outcome(self, answers: Answers) -> Phase:
        if not answers.over:
            return Phase.BOOKED
        return Phase.MIXED if answers.sold else Phase.DROPPED

    def _write_down(self, trip: str) -> bool:
        """Says whether the trip is new."""
        return (
            self._database.execute(b"INSERT INTO trip VALUES (%s, 'trying') ON CONFLICT DO NOTHING", (trip,)).rowcount
            == 1
        )

    def _move(self, trip: str, old: Phase, new: Phase) -> None:
        self._database.execute(
            b"UPDATE trip SET phase = %s WHERE name = %s AND phase = %s", (new.value, trip, old.value)
        )


class State(Enum):
    """What became of a reservation, as its row says."""

    HELD = "held"
    CONFIRMED = "confirmed"
    CANCELLED = "cancelled"


class Service:
    """Sells places: to the agency, and to others.

    `patience` is for how many seconds a place is set aside; None for as long as it takes.
    """

    def __init__(self, database: Database, send: Send, *, patience: float | None = None) -> None:
        self._database = database
        self._send = send
        self._patience = patience

    def receive(self, sender: Address, message: Message) -> None:
        """Takes a message, and answers it."""
        match message:
            case Try(trip):
                self._send(sender, Tried(trip, self.reserve(trip)))
            case Confirm(trip):
                self._send(sender, Confirmed(trip, self.confirm(trip)))
            case Cancel(trip):
                self.cancel(trip)
                self._send(sender, Cancelled(trip))
            case Tried() | Confirmed() | Cancelled():
                raise ValueError(f"a service got a message for the agency: {message}")
            case _:
                assert_never(message)

    def reserve(self, trip: str) -> bool:
        """Sets a place aside for a trip, and says whether one is. Without a free place, no row stays."""
        with self._database.transaction():
            if self._note(trip, State.HELD) and not self._take_place():
                self._database.execute(b"DELETE FROM reservation WHERE trip = %s", (trip,))
        return self.state(trip) is State.HELD

    def confirm(self, trip: str) -> int:
        """Sells what is set aside; 204 if it is sold, now or before, and 404 if there is no such reservation."""
        with self._database.transaction():
            if self._change(trip, State.CONFIRMED):
                self._issue_ticket(trip)
        return DONE if self.state(trip) is State.CONFIRMED else GONE

    def cancel(self, trip: str) -> None:
        """Frees what is set aside or, where nothing is known of the trip, leaves a mark that nothing will be."""
        with self._database.transaction():
            if not self._note(trip, State.CANCELLED) and self._change(trip, State.CANCELLED):
                self._give_place_back()

    def expire(self, trip: str) -> None:
        """Cancels by itself what was set aside for too long."""
        if trip in self.overdue():
            self.cancel(trip)

    def sell(self, buyer: str) -> bool:
        """Sells a free place, and says whether there was one."""
        with self._database.transaction():
            if not self._take_place():
                return False
            self._issue_ticket(buyer)
        return True

    def state(self, trip: str) -> State | None:
        """What became of a reservation; None if nothing is known of the trip."""
        rows = self._database.execute(b"SELECT state FROM reservation WHERE trip = %s", (trip,)).fetchall()
        return State(rows[0][0]) if rows else None

    def overdue(self) -> tuple[str, ...]:
        """The trips whose reservations have run out."""
        if self._patience is None:
            return ()
        found = self._database.execute(
            b"SELECT trip FROM reservation WHERE state = 'held' AND since <= clock_timestamp() - %s::interval",
            (f"{self._patience} seconds",),
        )
        return tuple(trip for (trip,) in found.fetchall())

    def _note(self, trip: str, state: State) -> bool:
        """Writes the row of a trip if there is none, and says so. Another transaction for this trip waits here."""
        noted = self._database.execute(
            b"INSERT INTO reservation VALUES (%s, %s, clock_timestamp()) ON CONFLICT DO NOTHING", (trip, state.value)
        )
        return noted.rowcount == 1

    def _change(self, trip: str, state: State) -> bool:
        """Ends a reservation that is held, and says whether it was."""
        changed = self._database.execute(
            b"UPDATE reservation SET state = %s WHERE trip = %s AND state = 'held'", (state.value, trip)
        )
        return changed.rowcount == 1

    def _take_place(self) -> bool:
        return self._database.execute(b"UPDATE stock SET free = free - 1 WHERE free > 0").rowcount == 1

    def _give_place_back(self) -> None:
        self._database.execute(b"UPDATE stock SET free = free + 1")

    def _issue_ticket(self, buyer: str) -> None:
        self._database.execute(b"INSERT INTO ticket VALUES (%s)", (buyer,))
