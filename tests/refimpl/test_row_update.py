"""Updates of one row in PostgreSQL and MariaDB: along the spec in both at once, with sessions that really wait, and mistakes."""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, TimeoutError, wait
from contextlib import closing
from pathlib import Path

import pytest

import checker
from checker.conformance.explore import explore
from checker.conformance.mismatch import Mismatch
from checker.conformance.probe import probe_all
from checker.conformance.replay import Outcome, replay_all
from refimpl.adapters.row_places import InMariaDB, InPostgres, Place
from refimpl.adapters.row_update import RowUpdateAdapter
from refimpl.locks import row_update_mistakes as wrong
from refimpl.locks.row_update import ACCOUNT, ByValue, ByVersion, Comparing, Locking, Office
from refimpl.locks.row_update_mistakes import MISTAKES
from refimpl.locks.sessions import Deadlock, Session, WaitedTooLong
from tests.services import POSTGRES, mariadb, postgres

SPEC = Path(__file__).resolve().parents[2] / "specs/locks/row_update.psm"
TOTAL = 1
"""The number of the second row."""


@pytest.fixture(autouse=True)
def needs_both() -> None:
    postgres().close()
    mariadb().close()


def in_postgres() -> Place:
    return InPostgres(POSTGRES)


def adapted(machine: checker.Machine, mistake: type[Locking | Comparing] | None = None) -> RowUpdateAdapter:
    places = (in_postgres, InMariaDB)
    if mistake is None:
        return RowUpdateAdapter(machine, places)
    if issubclass(mistake, Locking):
        return RowUpdateAdapter(machine, places, locking=mistake)
    return RowUpdateAdapter(machine, places, by_version=mistake)


# ---- along the spec


@pytest.mark.parametrize(
    ("check", "transitions"),
    [
        ("given_away", 156),
        ("found", 132),
        pytest.param("one_order", 380, marks=pytest.mark.slow),
        pytest.param("any_order", 108, marks=pytest.mark.slow),
        pytest.param("versioned", 658, marks=pytest.mark.slow),
        pytest.param("compared", 668, marks=pytest.mark.slow),
        pytest.param("locked", 756, marks=pytest.mark.slow),
    ],
)
def test_every_transition_is_as_in_the_spec(check: str, transitions: int) -> None:
    graph = checker.load(SPEC).graph(check)
    with closing(adapted(graph.machine)) as adapter:
        result = replay_all(adapter, graph)
    assert result.mismatch is None, result.mismatch.text()
    assert result.outcome is Outcome.CONFORMS
    assert result.taken == result.total == transitions
    assert result.unseen == ()


@pytest.mark.parametrize(("check", "changes"), [("locked", 1), ("versioned", 1), ("found", 1), ("one_order", 1)])
def test_a_small_instance_does_what_the_spec_says_and_nothing_else(check: str, changes: int) -> None:
    graph = checker.load(SPEC).graph(check, constants={"CHANGES": changes})
    with closing(adapted(graph.machine)) as adapter:
        replay, probes = replay_all(adapter, graph), probe_all(adapter, graph)
    assert replay.mismatch is None, replay.mismatch.text()
    assert probes.mismatch is None, probes.mismatch.text()
    assert replay.taken == replay.total > 20
    assert probes.tried > 30


@pytest.mark.parametrize("check", ["locked", "versioned", "one_order"])
def test_explored_with_crashes(check: str) -> None:
    with closing(adapted(checker.load(SPEC).machine(check))) as adapter:
        result = explore(adapter, runs=8, steps=20)
    assert result.outcome is Outcome.CONFORMS, result.mismatch and result.mismatch.text()


# ---- sessions that wait


@pytest.fixture(params=[in_postgres, InMariaDB], ids=["PostgreSQL", "MariaDB"])
def place(request: pytest.FixtureRequest) -> Iterator[Place]:
    found: Place = request.param()
    found.fill((ACCOUNT, TOTAL), "alice", 1)
    try:
        yield found
    finally:
        found.drop()


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor() as found:
        yield found


@pytest.mark.parametrize("way", [Locking, ByVersion, ByValue, lambda session: Locking(session, (ACCOUNT, TOTAL))])
def test_no_deposit_is_lost(place: Place, pool: ThreadPoolExecutor, way: type[Locking | Comparing]) -> None:
    def deposit(session: Session) -> None:
        with closing(session):
            client = way(session)
            for _ in range(10):
                client.deposit()

    for done in [pool.submit(deposit, place.open(waits=True)) for _ in range(4)]:
        done.result(timeout=60)
    amount, owner, version = place.rows()[ACCOUNT]
    assert (amount, owner, version) == (41, "alice", 40)
    assert place.rows()[TOTAL][0] in (0, 40)


def test_a_lock_keeps_others_waiting(place: Place, pool: ThreadPoolExecutor) -> None:
    with closing(place.open(waits=True)) as one, closing(place.open(waits=True)) as two:
        holder, other = Locking(one), Locking(two)
        holder.lock(ACCOUNT)
        waits = pool.submit(other.lock, ACCOUNT)
        with pytest.raises(TimeoutError):
            waits.result(timeout=0.2)
        holder.change()
        assert place.rows()[ACCOUNT][0] == 1, "nobody sees what is not committed"
        holder.commit()
        waits.result(timeout=10)
        assert other.seen is not None and other.seen.amount == 2


def test_a_plain_update_waits_for_a_lock_too(place: Place, pool: ThreadPoolExecutor) -> None:
    with closing(place.open(waits=True)) as one, closing(place.open(waits=True)) as two:
        holder = Locking(one)
        holder.lock(ACCOUNT)
        waits = pool.submit(Office(two).pay_out)
        assert not wait([waits], timeout=0.2).done
        holder.change()
        holder.commit()
        assert waits.result(timeout=10)
        assert place.rows()[ACCOUNT] == (0, "alice", 2)


def lock_and_stay(place: Place, told: int) -> None:
    client = Locking(place.open(waits=True))
    client.lock(ACCOUNT)
    client.change()
    os.write(told, b".")
    signal.pause()


def test_a_killed_process_leaves_neither_lock_nor_change(place: Place) -> None:
    told, tell = os.pipe()
    process = multiprocessing.get_context("fork").Process(target=lock_and_stay, args=(place, tell))
    process.start()
    try:
        assert os.read(told, 1) == b"."
        with closing(place.session()) as session:
            assert not session.can_lock(ACCOUNT)
    finally:
        process.kill()
        process.join()
        os.close(told)
        os.close(tell)
    with closing(place.open(waits=True)) as session:
        Locking(session).deposit()
    assert place.rows()[ACCOUNT] == (2, "alice", 1)


def test_whoever_does_not_want_to_wait_begins_anew(place: Place) -> None:
    with closing(place.open(waits=True)) as one, closing(place.open(waits=False)) as two:
        holder, other = Locking(one), Locking(two, (ACCOUNT, TOTAL))
        holder.lock(ACCOUNT)
        with pytest.raises(WaitedTooLong):
            other.lock(ACCOUNT)
        holder.give_up()
        other.deposit()
    assert [amount for amount, _, _ in place.rows().values()] == [2, 1]


def test_two_rows_in_either_order_end_in_a_deadlock_that_the_database_finds(
    place: Place, pool: ThreadPoolExecutor
) -> None:
    with closing(place.open(waits=True)) as one, closing(place.open(waits=True)) as two:
        clients = [Locking(session, (ACCOUNT, TOTAL), ordered=False) for session in (one, two)]
        for row, client in zip((ACCOUNT, TOTAL), clients, strict=True):
            client.lock(row)
        ends = pool.map(lambda it: attempt(*it), zip(clients, (TOTAL, ACCOUNT), strict=True))
        assert sorted(ends) == ["deadlock", "deposit"]
    assert [amount for amount, _, _ in place.rows().values()] == [2, 1]


def attempt(client: Locking, row: int | None) -> str:
    """Goes on, with a second row if there is one. The victim rolls back, and lets the other one through."""
    try:
        if row is not None:
            client.lock(row)
        client.change()
    except Deadlock:
        client.give_up()
        return "deadlock"
    client.commit()
    return "deposit"


# ---- what is lost, and what comes back


def test_a_read_and_a_write_lose_an_update(place: Place) -> None:
    with closing(place.open(waits=True)) as one, closing(place.open(waits=True)) as two:
        clients = [wrong.ComparesNothing(one), wrong.ComparesNothing(two)]
        for client in clients:
            client.read()
        assert [client.update() for client in clients] == [True, True]
    assert place.rows()[ACCOUNT] == (2, "alice", 2), "two deposits, of which one is left"


def test_a_transaction_alone_loses_an_update_too(place: Place) -> None:
    with closing(place.open(waits=True)) as one, closing(place.open(waits=True)) as two:
        clients = [wrong.ReadsWithoutLocking(one), wrong.ReadsWithoutLocking(two)]
        for client in clients:
            client.lock(ACCOUNT)
        for client in clients:
            client.change()
            client.commit()
    assert place.rows()[ACCOUNT] == (2, "alice", 2)


def test_two_readers_who_both_want_to_write_end_in_a_deadlock(place: Place, pool: ThreadPoolExecutor) -> None:
    with closing(place.open(waits=True)) as one, closing(place.open(waits=True)) as two:
        clients = [wrong.LocksForReaders(one), wrong.LocksForReaders(two)]
        for client in clients:
            client.lock(ACCOUNT)
        assert sorted(pool.map(lambda client: attempt(client, None), clients)) == ["deadlock", "deposit"]
    assert place.rows()[ACCOUNT] == (2, "alice", 1)


@pytest.mark.parametrize(("way", "misled"), [(ByValue, True), (ByVersion, False)])
def test_a_value_that_comes_back(place: Place, way: type[Comparing], misled: bool) -> None:
    with closing(place.open(waits=True)) as one, closing(place.open(waits=True)) as two:
        client = way(one)
        client.read()
        assert client.seen is not None and client.seen.owner == "alice"
        assert Office(two).pay_out("bob")
        assert way(two).deposit() == 1
        assert place.rows()[ACCOUNT] == (1, "bob", 2), "the amount is what the client has read"
        assert client.update() is misled
    assert place.rows()[ACCOUNT][:2] == (2 if misled else 1, "bob")


def test_a_transaction_of_mariadb_sees_what_it_has_seen_first(place: Place) -> None:
    """As it is on repeatable read, where it tries again for ever. PostgreSQL on read committed sees what is new."""
    endless = place.name == "MariaDB"
    with closing(place.open(waits=True)) as one, closing(place.open(waits=True)) as two:
        client = wrong.RetriesInItsTransaction(one)
        client.read()
        ByVersion(two).deposit()
        assert not client.update()
        client.read()
        assert client.seen is not None and (client.seen.version == 0) is endless
        assert client.update() is not endless


# ---- mistakes

CAUGHT: dict[type[Locking | Comparing], tuple[str, int, str]] = {
    wrong.ReadsWithoutLocking: ("found", 1, "Client0.Lock(Row0)"),
    wrong.LocksForReaders: ("found", 1, "Client0.Lock(Row0)"),
    wrong.LocksOutsideOfATransaction: ("found", 1, "Client0.Lock(Row0)"),
    wrong.KeepsWhatItKnew: ("found", 2, "Client0.Lock(Row0)"),
    wrong.LocksInAnyOrder: ("one_order", 1, "Client0.Lock(Row1)"),
    wrong.WritesWhereItHasNoLock: ("one_order", 1, "Client0.Change()"),
    wrong.ForgetsToRollBack: ("found", 1, "Client0.Victim()"),
    wrong.ComparesNothing: ("versioned", 2, "Client0.Update()"),
    wrong.ComparesTheValue: ("versioned", 3, "Client0.Update()"),
    wrong.LooksAndThenWrites: ("versioned", 2, "Client0.Update()"),
    wrong.DoesNotLookWhetherItWrote: ("versioned", 2, "Client0.Update()"),
    wrong.CountsNothing: ("versioned", 2, "Client0.Update()"),
    wrong.ReadsTheVersionAlone: ("versioned", 2, "Client0.Read()"),
    wrong.RetriesInItsTransaction: ("versioned", 2, "Client0.Update()"),
}
"""In which check, with how many changes, and at which step a mistake shows."""


@pytest.mark.parametrize("mistake", CAUGHT, ids=lambda it: it.__name__)
def test_mistake_leaves_the_spec(mistake: type[Locking | Comparing]) -> None:
    check, changes, step = CAUGHT[mistake]
    graph = checker.load(SPEC).graph(check, constants={"CHANGES": changes})
    with closing(adapted(graph.machine, mistake)) as adapter:
        found: Mismatch | None = replay_all(adapter, graph).mismatch or probe_all(adapter, graph).mismatch
    assert found is not None
    assert found.step == step


def test_every_mistake_is_looked_for() -> None:
    assert {*CAUGHT} == {*MISTAKES}
