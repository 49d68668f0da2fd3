"""Try-Confirm/Cancel: along its spec on PostgreSQL, through crashes, where transactions overlap, and with mistakes."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from functools import cache, partial
from pathlib import Path
from threading import Thread

import psycopg
import pytest

import checker
from checker.conformance.explore import explore
from checker.conformance.probe import probe_all
from checker.conformance.replay import Outcome, replay_all
from checker.engine.graph import StateGraph
from refimpl.adapters.postgres import CrashingDatabase
from refimpl.adapters.tcc import MakeAgency, Tcc
from refimpl.adapters.world import Effects, Fallen
from refimpl.transactions import tcc_mistakes as wrong
from refimpl.transactions.outbox import Database, Rows
from refimpl.transactions.tcc import (
    AGENCY_TABLES,
    DONE,
    GONE,
    SERVICE_TABLES,
    Agency,
    Cancel,
    Cancelled,
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
from refimpl.transactions.tcc_mistakes import BEYOND, MISTAKES, Part
from tests.services import postgres, postgres_schema

SPEC = Path(__file__).resolve().parents[2] / "specs/transactions/tcc.psm"


@cache
def graph_of(check: str, services: int = 1) -> StateGraph:
    return checker.load(SPEC).graph(check, constants={"N": services})


@contextmanager
def adapted(graph: StateGraph, part: type[Part] = Agency) -> Iterator[Tcc]:
    if issubclass(part, Agency):
        adapter = Tcc(graph.machine, postgres, agency=part)
    else:
        adapter = Tcc(graph.machine, postgres, service=part)
    with closing(adapter):
        yield adapter


WITH_ONE_SERVICE = {"calm": 221, "losses": 1_235, "gone": 413, "expires": 381, "gone_expires": 714, "lost_log": 1_142}
"""Checks, and their transitions."""


@pytest.mark.parametrize("check", WITH_ONE_SERVICE)
def test_every_transition_is_as_in_the_spec(check: str) -> None:
    with adapted(graph_of(check)) as adapter:
        result = replay_all(adapter, graph_of(check))
    assert result.mismatch is None, result.mismatch.text()
    assert result.outcome is Outcome.CONFORMS
    assert result.taken == result.total == WITH_ONE_SERVICE[check]
    assert result.unseen == ()


@pytest.mark.parametrize("check", ["calm", "expires"])
def test_what_the_spec_forbids_does_not_happen(check: str) -> None:
    with adapted(graph_of(check)) as adapter:
        result = probe_all(adapter, graph_of(check))
    assert result.mismatch is None, result.mismatch.text()
    assert result.tried > 400


def test_explored_with_crashes() -> None:
    with closing(Tcc(checker.load(SPEC).machine("crashes"), postgres)) as adapter:
        result = explore(adapter, runs=30, steps=30)
    assert result.outcome is Outcome.CONFORMS, result.mismatch and result.mismatch.text()


@pytest.mark.slow
@pytest.mark.timeout(3_600)
@pytest.mark.parametrize(("check", "services", "transitions"), [("calm", 2, 10_763), ("crashes", 1, 2_401)])
def test_every_transition_of_more_is_as_in_the_spec(check: str, services: int, transitions: int) -> None:
    graph = graph_of(check, services)
    with adapted(graph) as adapter:
        result = replay_all(adapter, graph)
    assert result.mismatch is None, result.mismatch.text()
    assert result.outcome is Outcome.CONFORMS
    assert result.taken == result.total == transitions


# ---- a whole trip, with a crash at any point

TRIP = "trip"
SERVICES = ("airline", "hotel")
EFFECTS = 24
"""Of a trip without a crash, in which each message comes twice: commits, changes outside of transactions, and messages."""


class Journey:
    """An agency and two services, and a network that delivers each message twice. Whoever crashes is started again.

    The first who crashes does so before the effect `crash_before`, counted from 0.
    """

    def __init__(
        self, stack: ExitStack, *, places: Sequence[int], crash_before: int | None, agency: MakeAgency
    ) -> None:
        self._make_agency = agency
        self._effects = Effects()
        self._effects.left = crash_before
        self._mail: list[tuple[str, str, Message]] = []
        self._sessions = {"agency": stack.enter_context(with_tables(AGENCY_TABLES))}
        for name, free in zip(SERVICES, places, strict=True):
            self._sessions[name] = stack.enter_context(with_tables(SERVICE_TABLES))
            self._sessions[name].execute(f"INSERT INTO stock VALUES ({free})".encode())
        self._start()

    @property
    def crashed(self) -> bool:
        return self._effects.left is None

    def _start(self) -> None:
        def parts(name: str) -> tuple[Database, Send]:
            return CrashingDatabase(self._sessions[name], self._effects), partial(self._send, name)

        agency_database, agency_send = parts("agency")
        self.agency = self._make_agency(agency_database, SERVICES, agency_send)
        self.services = {name: Service(*parts(name)) for name in SERVICES}

    def _send(self, sender: str, receiver: str, message: Message) -> None:
        self._effects.happen()
        self._mail += [(sender, receiver, message)] * 2

    def _life(self, work: Callable[[], None]) -> None:
        """Whoever crashes takes the others down: that is worse than a crash of one."""
        try:
            work()
        except Fallen:
            self._effects.left = None
            self._start()

    def run(self) -> None:
        """Goes on until there is nothing to do."""
        self._life(partial(self.agency.begin, TRIP))
        for _ in range(12):
            while self._mail:
                sender, receiver, message = self._mail.pop(0)
                process = self.agency if receiver == "agency" else self.services[receiver]
                self._life(partial(process.receive, sender, message))
            self._life(self._go_on)
        assert self.agency.unfinished() == (), "it has an end"

    def _go_on(self) -> None:
        for trip in self.agency.unfinished():
            self.agency.decide(trip)
            self.agency.close(trip)
            if self.agency.phase(trip) is Phase.TRYING:
                self.agency.give_up(trip)
            for service in SERVICES:
                self.agency.tell(trip, service)

    def problem(self, places: Sequence[int]) -> str | None:
        """What is wrong at the end."""
        phase = self.agency.phase(TRIP)
        for name, stock in zip(SERVICES, places, strict=True):
            ((free,),) = self._sessions[name].execute(b"SELECT free FROM stock").fetchall()
            ((sold,),) = self._sessions[name].execute(b"SELECT count(*) FROM ticket").fetchall()
            if (free, sold) != ((stock - 1, 1) if phase is Phase.BOOKED else (stock, 0)):
                return f"{name} has {free} free and {sold} sold of {stock} after a trip that is {phase}"
        return None


@contextmanager
def with_tables(tables: Sequence[str]) -> Iterator[psycopg.Connection]:
    with closing(postgres()) as session:
        for sql in tables:
            session.execute(sql.replace("CREATE", "CREATE TEMPORARY", 1).encode())
        yield session


@contextmanager
def journey(
    *, places: Sequence[int] = (2, 2), crash_before: int | None = None, agency: MakeAgency = Agency
) -> Iterator[Journey]:
    with ExitStack() as stack:
        yield Journey(stack, places=places, crash_before=crash_before, agency=agency)


def test_a_trip_is_booked() -> None:
    with journey() as run:
        run.run()
        assert run.agency.phase(TRIP) is Phase.BOOKED
        assert run.problem((2, 2)) is None


@pytest.mark.parametrize("places", [(2, 0), (0, 2), (0, 0)])
def test_a_trip_is_dropped_where_something_is_sold_out(places: Sequence[int]) -> None:
    with journey(places=places) as run:
        run.run()
        assert run.agency.phase(TRIP) is Phase.DROPPED
        assert run.problem(places) is None


@pytest.mark.parametrize("point", range(EFFECTS))
def test_both_sell_or_none_wherever_a_crash_strikes(point: int) -> None:
    with journey(crash_before=point) as run:
        run.run()
        assert run.crashed
        assert run.problem((2, 2)) is None


def test_an_answer_to_nobody_is_an_error() -> None:
    with with_tables(AGENCY_TABLES) as mine, with_tables(SERVICE_TABLES) as theirs:
        agency, service = Agency(mine, SERVICES, lambda *_: None), Service(theirs, lambda *_: None)
        for asked in (Try(TRIP), Confirm(TRIP), Cancel(TRIP)):
            with pytest.raises(ValueError, match="for services"):
                agency.receive("hotel", asked)
        for answered in (Tried(TRIP, ok=True), Confirmed(TRIP, DONE), Cancelled(TRIP)):
            with pytest.raises(ValueError, match="for the agency"):
                service.receive("agency", answered)


# ---- the REST form: reservations run out


def test_a_confirm_that_is_late_is_answered_with_404() -> None:
    with with_tables(SERVICE_TABLES) as session:
        session.execute(b"INSERT INTO stock VALUES (2)")
        service = Service(session, lambda *_: None, patience=0.2)
        assert service.reserve("early") and service.reserve("late")
        service.expire("late")
        assert service.confirm("early") == DONE
        assert service.overdue() == ()
        time.sleep(0.25)
        assert service.overdue() == ("late",)
        for trip in ("early", "late"):
            service.expire(trip)
        assert service.confirm("early") == DONE, "what is sold stays sold"
        assert service.confirm("late") == GONE
        assert not service.reserve("late"), "it does not begin anew"
        assert session.execute(b"SELECT free FROM stock").fetchall() == [(1,)]


def test_who_is_patient_waits_for_ever() -> None:
    with with_tables(SERVICE_TABLES) as session:
        session.execute(b"INSERT INTO stock VALUES (1)")
        service = Service(session, lambda *_: None)
        assert service.reserve(TRIP)
        assert service.overdue() == ()
        service.expire(TRIP)
        assert service.state(TRIP) is State.HELD


# ---- transactions that overlap


class Interrupted:
    """A session in which something else goes on before its statement number `place`, counted from 0. A commit counts, too."""

    def __init__(self, session: Database, place: int, meanwhile: Callable[[], None]) -> None:
        self.reached = False
        self._session = session
        self._left = place
        self._meanwhile = meanwhile

    def execute(self, statement: bytes, values: Sequence[str] = (), /) -> Rows:
        self._come()
        return self._session.execute(statement, values)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        with self._session.transaction():
            yield
            self._come()

    def _come(self) -> None:
        if self._left == 0:
            self.reached = True
            self._meanwhile()
        self._left -= 1


Act = Callable[[Service], object]

BUY: Act = lambda service: service.sell("somebody")  # noqa: E731
RESERVE: Act = lambda service: service.reserve(TRIP)  # noqa: E731
RESERVE_ANOTHER: Act = lambda service: service.reserve("another")  # noqa: E731
CONFIRM: Act = lambda service: service.confirm(TRIP)  # noqa: E731
CANCEL: Act = lambda service: service.cancel(TRIP)  # noqa: E731
EXPIRE: Act = lambda service: service.expire(TRIP)  # noqa: E731

OVERLAPS: dict[str, tuple[Sequence[Act], Act, Act]] = {
    "a late Try in an empty cancel": ((), CANCEL, RESERVE),
    "a cancel in its Try": ((), RESERVE, CANCEL),
    "a Try in the same Try": ((), RESERVE, RESERVE),
    "another trip for the last place": ((), RESERVE, RESERVE_ANOTHER),
    "somebody else for the last place": ((), RESERVE, BUY),
    "a confirm in the same confirm": ((RESERVE,), CONFIRM, CONFIRM),
    "a cancel in the same cancel": ((RESERVE,), CANCEL, CANCEL),
    "a confirm in the end of time": ((RESERVE,), EXPIRE, CONFIRM),
    "the end of time in a confirm": ((RESERVE,), CONFIRM, EXPIRE),
}
"""What was before, what is interrupted, and by what. The service has one place."""


def wrong_after(name: str, place: int, kind: type[Service] = Service) -> tuple[str | None, bool]:
    """What is wrong at a service behind two transactions that overlapped there, and whether the first got as far as that."""
    before, first, second = OVERLAPS[name]
    with postgres_schema() as where, postgres(where) as one, postgres(where) as two:
        for sql in SERVICE_TABLES:
            one.execute(sql.encode())
        one.execute(b"INSERT INTO stock VALUES (1)")
        for act in before:
            act(Service(one, lambda *_: None))
        other = Thread(target=second, args=(kind(two, lambda *_: None, patience=0.0),))

        def meanwhile() -> None:
            other.start()
            other.join(0.15)  # it may have to wait for the first one

        interrupted = Interrupted(one, place, meanwhile)
        first(kind(interrupted, lambda *_: None, patience=0.0))
        if interrupted.reached:
            other.join()
        return problem_at(one, cancelled=CANCEL in (first, second)), interrupted.reached


def problem_at(session: Database, *, cancelled: bool) -> str | None:
    """What is wrong at a service with one place."""
    ((free, held, sold),) = session.execute(
        b"SELECT (SELECT free FROM stock), (SELECT count(*) FROM reservation WHERE state = 'held'),"
        b" (SELECT count(*) FROM ticket)"
    ).fetchall()
    confirmed = session.execute(b"SELECT trip FROM reservation WHERE state = 'confirmed'").fetchall()
    if free + held + sold != 1:
        return f"{free} free, {held} held and {sold} sold of one place"
    if len(confirmed) > sold:
        return "confirmed without a ticket"
    return "held behind its cancel" if held and cancelled else None


@pytest.mark.parametrize("name", OVERLAPS)
def test_transactions_may_overlap(name: str) -> None:
    """The second comes before each statement of the first, as long as there is one."""
    for place in range(10):
        problem, reached = wrong_after(name, place)
        if not reached:
            break
        assert problem is None
    assert 2 <= place < 9


# ---- mistakes


LEAVE_THE_SPEC: dict[type[Part], tuple[str, str]] = {
    wrong.OnlyLooks: ("calm", "Service0.Try() <- Agency"),
    wrong.ConfirmsAgain: ("calm", "Service0.Confirm() <- Agency"),
    wrong.GivesBackAgain: ("calm", "Service0.Cancel() <- Agency"),
    wrong.GivesBackWhatItNeverHad: ("calm", "Service0.Cancel() <- Agency"),
    wrong.RefusesEmptyCancel: ("calm", "Service0.Cancel() <- Agency"),
    wrong.LeavesNoMark: ("calm", "Service0.Cancel() <- Agency"),
    wrong.BeginsAnew: ("calm", "Service0.Try() <- Agency"),
    wrong.KeepsThePlace: ("calm", "Service0.Cancel() <- Agency"),
    wrong.HonoursWhatHasRunOut: ("expires", "Service0.Confirm() <- Agency"),
    wrong.HoldsForEver: ("expires", "Service0.Expire()"),
    wrong.CancelsWhatIsSold: ("lost_log", "Service0.Cancel() <- Agency"),
    wrong.DecidesInItsHead: ("calm", "Agency.Decide()"),
    wrong.TellsFirst: ("calm", "Agency.Decide()"),
    wrong.GivesUpAnyTime: ("calm", "Agency.GiveUp()"),
    wrong.GoesOnWithoutOne: ("calm", "Agency.Tried(false) <- Service0"),
    wrong.TellsOnce: ("calm", "Agency.Tell(Service0)"),
    wrong.TakesAnyAnswer: ("expires", "Agency.Confirmed(gone_404) <- Service0"),
}
"""In which check, and by which step."""

BY_CRASHES: dict[type[Part], str] = {
    wrong.BeginsUnwritten: "Agency.Begin() [crash after 1 effect]",
    wrong.ReservesInTwoSteps: "Service0.Try() <- Agency [crash after 1 effect]",
    wrong.ConfirmsInTwoSteps: "Service0.Confirm() <- Agency [crash after 1 effect]",
}

WITH_TWO_SERVICES: tuple[type[Part], ...] = (wrong.CountsAnswers, wrong.OneIsEnough)
"""A scene shows them: see `tests/refimpl/test_mistakes.py`."""

WHERE_THEY_OVERLAP: dict[type[Part], tuple[str, int, str]] = {
    wrong.LooksBeforeItMarks: ("a late Try in an empty cancel", 1, "held behind its cancel"),
    wrong.CountsInItsHead: ("somebody else for the last place", 2, "0 free, 1 held and 1 sold of one place"),
}


def step_that_differs(mistake: type[Part], check: str) -> str | None:
    graph = graph_of(check)
    with adapted(graph, mistake) as adapter:
        found = replay_all(adapter, graph).mismatch or probe_all(adapter, graph).mismatch
    return None if found is None else found.step


@pytest.mark.parametrize("mistake", LEAVE_THE_SPEC, ids=lambda it: it.__name__)
def test_mistake_leaves_the_spec(mistake: type[Part]) -> None:
    check, step = LEAVE_THE_SPEC[mistake]
    assert step_that_differs(mistake, check) == step


@pytest.mark.parametrize("mistake", BY_CRASHES, ids=lambda it: it.__name__)
def test_mistake_shows_in_a_crash(mistake: type[Part]) -> None:
    assert step_that_differs(mistake, "crashes") == BY_CRASHES[mistake]


@pytest.mark.parametrize("mistake", WHERE_THEY_OVERLAP, ids=lambda it: it.__name__)
def test_mistake_shows_between_two_transactions(mistake: type[Service]) -> None:
    """The right service comes through all of them."""
    name, place, problem = WHERE_THEY_OVERLAP[mistake]
    assert wrong_after(name, place, mistake) == (problem, True)


def test_every_mistake_is_looked_for() -> None:
    assert {*LEAVE_THE_SPEC} == {*MISTAKES}
    assert {*BY_CRASHES, *WITH_TWO_SERVICES, *WHERE_THEY_OVERLAP} == {*BEYOND}
