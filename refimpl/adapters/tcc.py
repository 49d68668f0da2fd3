"""Try-Confirm/Cancel held to `specs/transactions/tcc.psm`, on a real PostgreSQL.

The agency and the services are the real ones, each with tables of its own, in a session of its own. The network is the adapter's:
the spec delivers a message late, again and in any order. Commits, changes outside of a transaction, and messages are the effects
between which a process may crash: see `Effects`. A transaction that has not committed is rolled back then, by the database.

There is one trip, and whoever else buys a place has another name. A reservation runs out when the spec says so: with `EXPIRY`,
the patience of a service is no time at all, and it looks at what is overdue in that step alone.

Two things would not show in any state. In the spec a service does its share in one effect, so it has no crash in the middle of
that; whether there is a middle is counted here. And a message that is sent again changes nothing on a network that keeps all
messages; so whether it was sent is looked at in the step that has to send it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Protocol

import psycopg

from checker.conformance.adapter import UNSEEN, Adapter, Instance, Mistake, Observation, Refused, Scene
from checker.conformance.compare import NETWORK
from checker.conformance.event import Event
from checker.conformance.mapping import step
from checker.model.machine import Machine
from checker.properties.kinds import Json
from refimpl.adapters.postgres import CrashingDatabase, absent, connect, make_temporary
from refimpl.adapters.world import Effects, Letter, node_of
from refimpl.transactions.outbox import Database
from refimpl.transactions.tcc import (
    AGENCY_TABLES,
    DONE,
    GONE,
    SERVICE_TABLES,
    Address,
    Agency,
    Cancel,
    Cancelled,
    Confirm,
    Confirmed,
    Message,
    Send,
    Service,
    Tried,
    Try,
)
from refimpl.transactions.tcc_mistakes import BEYOND, MISTAKES, Part

AGENCY, TRIP, OTHERS = "Agency", "trip", "others"
CODES = {DONE: "done_204", GONE: "gone_404"}
NUMBERS = {name: code for code, name in CODES.items()}

CLEAR_SERVICE = "DELETE FROM reservation; DELETE FROM ticket; DELETE FROM stock; INSERT INTO stock VALUES ({})"
LOOK_AT_TRIP = b"SELECT phase FROM trip"
LOOK_AT_SERVICE = b"""
SELECT (SELECT free FROM stock), (SELECT state FROM reservation),
(SELECT count(*) FROM ticket WHERE buyer = 'trip'), (SELECT count(*) FROM ticket WHERE buyer <> 'trip')
"""

MakeAgency = Callable[[Database, Sequence[Address], Send], Agency]
Connect = Callable[[], psycopg.Connection]


class MakeService(Protocol):
    """A service, or a wrong one."""

    def __call__(self, database: Database, send: Send, /, *, patience: float | None = None) -> Service: ...


class Tcc(Adapter):
    """Drives one agency and N services, each with temporary tables in a session that `connect` opens.

    Other classes than the real ones may be put in their place, by tests.
    """

    services = ("PostgreSQL",)
    checks = ("calm", "crashes", "losses", "lost_log")
    smaller = tuple(Instance(check, {"N": 1}) for check in (*checks, "gone", "expires", "gone_expires"))
    scenes = (
        Scene(
            "an agency that is late",
            Instance("expires"),
            (
                "Agency.Begin()",
                "Service0.Try() <- Agency",
                "Service1.Try() <- Agency",
                "Agency.Tried(true) <- Service0",
                "Agency.Tried(true) <- Service1",
                "Agency.Decide()",
                "Agency.Tell(Service0)",
                "Service0.Confirm() <- Agency",
                "Agency.Confirmed(done_204) <- Service0",
                "Service1.Expire()",
                "Agency.Tell(Service1)",
                "Service1.Confirm() <- Agency",
                "Agency.Confirmed(gone_404) <- Service1",
                "Agency.Close()",
            ),
        ),
    )

    def __init__(
        self,
        machine: Machine,
        connect: Connect = connect,
        *,
        agency: MakeAgency = Agency,
        service: MakeService = Service,
    ) -> None:
        super().__init__(machine)
        self._ending = ExitStack()
        self._makers = agency, service
        self._names = self.instances("Service")
        self._sessions = {AGENCY: self._open(connect, AGENCY_TABLES)}
        self._sessions.update({name: self._open(connect, SERVICE_TABLES) for name in self._names})

    def _open(self, connect: Connect, tables: Sequence[str]) -> psycopg.Connection:
        return make_temporary(self._ending.enter_context(closing(connect())), tables)

    @classmethod
    def absent(cls) -> str | None:
        return absent()

    @classmethod
    def mistakes(cls) -> Mapping[str, Mistake]:
        """Wrong implementations by name."""
        return {mistake.__name__: Mistake.of(mistake, partial(cls._with, mistake)) for mistake in (*MISTAKES, *BEYOND)}

    @classmethod
    def _with(cls, mistake: type[Part], machine: Machine) -> Adapter:
        return cls(machine, agency=mistake) if issubclass(mistake, Agency) else cls(machine, service=mistake)

    def close(self) -> None:
        """Ends the sessions, and with them the tables."""
        self._ending.close()

    def begin(self, initial: Mapping[str, Json]) -> None:
        self._sessions[AGENCY].execute(b"DELETE FROM trip")
        for name in self._names:
            self._sessions[name].execute(CLEAR_SERVICE.format(initial[f"{name}.free"]).encode())
        self._effects = Effects()
        self._letters: dict[Letter[Message], str] = {}
        self._sent: list[Message] = []
        self._late: set[Address] = set()
        self._status = dict.fromkeys((AGENCY, *self._names), "up")
        self._running: dict[Address, Service] = {}
        for name in self._status:
            self._boot(name)

    def _boot(self, name: Address) -> None:
        database, send = CrashingDatabase(self._sessions[name], self._effects), partial(self._post, name)
        agency, service = self._makers
        if name == AGENCY:
            self._agency = agency(database, self._names, send)
        else:
            expiry = self.machine.constants["EXPIRY"][1]
            self._running[name] = service(database, send, patience=0.0 if expiry else None)

    # ---- the steps of the agency

    @step("Agency.Begin")
    def begin_trip(self, event: Event) -> None:
        self._agency.begin(TRIP)

    @step("Agency.TryAgain")
    def try_again(self, event: Event) -> None:
        with self._sends(Try):
            self._agency.try_again(TRIP, str(event.args["s"]))

    @step("Agency.Decide")
    def decide(self, event: Event) -> None:
        self._agency.decide(TRIP)

    @step("Agency.GiveUp")
    def give_up(self, event: Event) -> None:
        self._agency.give_up(TRIP)

    @step("Agency.Tell")
    def tell(self, event: Event) -> None:
        with self._sends(Confirm, Cancel):
            self._agency.tell(TRIP, str(event.args["s"]))

    @step("Agency.Close")
    def close_trip(self, event: Event) -> None:
        self._agency.close(TRIP)

    @step("Agency.Tried", "Agency.Confirmed", "Agency.Cancelled")
    def answer(self, event: Event) -> None:
        letter = self._find(event)
        self._agency.receive(letter.sender, letter.message)

    @step("Agency.LoseLog")
    def lose_log(self, event: Event) -> None:
        self._sessions[AGENCY].execute(b"DELETE FROM trip")
        self._boot(AGENCY)

    # ---- the steps of services

    @step("Service.Sell")
    def sell(self, event: Event) -> None:
        with self._at_once():
            if not self._running[node_of(event)].sell(OTHERS):
                raise Refused("there is no free place")

    @step("Service.Try", "Service.Confirm", "Service.Cancel")
    def ask(self, event: Event) -> None:
        letter = self._find(event)
        name = letter.receiver
        if event.name == "Try" and self._look(name).state == "cancelled":
            self._late.add(name)
        with self._sends(Tried, Confirmed, Cancelled):
            self._running[name].receive(letter.sender, letter.message)

    @step("Service.Expire")
    def expire(self, event: Event) -> None:
        with self._at_once():
            self._running[node_of(event)].expire(TRIP)

    # ---- faults

    @step("crash Agency", "crash Service", "stop Agency", "stop Service")
    def fall(self, event: Event) -> None:
        if event.torn is not None:
            with self._effects.until(event.torn):
                self.perform(event.torn.event)
        self._status[node_of(event)] = "down" if event.kind == "crash" else "stopped"

    @step("restart Agency", "restart Service")
    def restart(self, event: Event) -> None:
        self._status[node_of(event)] = "up"
        self._boot(node_of(event))

    @step("lose")
    def lose(self, event: Event) -> None:
        found = [letter for letter, text in self._letters.items() if text == event.args["message"]]
        if not found:
            raise Refused(f"nobody has sent {event.args['message']}")
        del self._letters[found[0]]

    # ---- effects and messages

    @contextmanager
    def _at_once(self) -> Iterator[None]:
        """Inside, a process does one thing that lasts, or none."""
        before = self._effects.count
        yield
        if self._effects.count > before + 1:
            raise Refused(f"it takes {self._effects.count - before} effects, and a crash may come between them")

    def _post(self, sender: Address, receiver: Address, message: Message) -> None:
        self._sent.append(message)
        if self._status[receiver] != "stopped" and self._effects.happen(receiver):
            letter = Letter(sender, receiver, message)
            self._letters[letter] = self._written(letter)

    @contextmanager
    def _sends(self, *kinds: type[Message]) -> Iterator[None]:
        """Inside, such a message has to be sent, also where one like it is in flight already."""
        self._sent.clear()
        yield
        if not any(isinstance(message, kinds) for message in self._sent):
            raise Refused(f"no {' or '.join(kind.__name__ for kind in kinds)} is sent")

    def _find(self, event: Event) -> Letter[Message]:
        letter = Letter(event.sender or "", node_of(event), _message(event))
        if letter not in self._letters:
            raise Refused(f"{letter.sender} never sent {letter.message}")
        return letter

    def _written(self, letter: Letter[Message]) -> str:
        kind = type(letter.message).__name__
        match letter.message:
            case Tried(_, ok):
                return self.letter(letter.sender, letter.receiver, kind, ok=ok)
            case Confirmed(_, code):
                return self.letter(letter.sender, letter.receiver, kind, code=CODES[code])
        return self.letter(letter.sender, letter.receiver, kind)

    # ---- what can be seen

    def _look(self, name: Address) -> Sight:
        (row,) = self._sessions[name].execute(LOOK_AT_SERVICE).fetchall()
        return Sight(*row)

    def observe(self) -> Observation:
        phases = self._sessions[AGENCY].execute(LOOK_AT_TRIP).fetchall()
        phase = phases[0][0] if phases else None
        mixed = phase == "mixed"
        answers = self._agency.answers[TRIP] if self._status[AGENCY] == "up" else None
        seen: dict[str, object] = {
            "Agency.phase": "booked" if mixed else phase,
            "Agency.mixed": mixed,
            "Agency.agreed": answers.agreed if answers else UNSEEN,
            "Agency.sold": answers.sold if answers else UNSEEN,
            "Agency.over": answers.over if answers else UNSEEN,
            NETWORK: list(self._letters.values()),
        }
        for name in self._names:
            sight = self._look(name)
            seen[f"{name}.free"] = sight.free
            seen[f"{name}.state"] = sight.state
            seen[f"{name}.tickets"] = sight.tickets
            seen[f"{name}.others"] = sight.others
            seen[f"{name}.late"] = name in self._late
        for role in (AGENCY, "Service"):
            if self.can_fall(role):
                seen.update({f"{name}.status": self._status[name] for name in self.instances(role)})
        return seen


@dataclass(frozen=True, slots=True)
class Sight:
    """What is in the tables of a service."""

    free: int
    state: str | None
    tickets: int
    others: int


def _message(event: Event) -> Message:
    """The message of an event, as the implementation has it."""
    match event.name:
        case "Try":
            return Try(TRIP)
        case "Tried":
            return Tried(TRIP, ok=event.args["ok"] is True)
        case "Confirm":
            return Confirm(TRIP)
        case "Confirmed":
            return Confirmed(TRIP, NUMBERS[str(event.args["code"])])
        case "Cancel":
            return Cancel(TRIP)
    return Cancelled(TRIP)
