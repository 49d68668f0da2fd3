"""Two-phase commit over a real PostgreSQL and a real MariaDB: along its spec, through crashes at every point, with mistakes."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import psycopg
import pytest

import checker
from checker.conformance.explore import explore
from checker.conformance.record import Kind, Record
from checker.conformance.replay import Outcome, Replay, replay_all
from checker.conformance.simulate.simulation import Process, Simulation
from checker.conformance.simulate.surroundings import Crashed
from checker.conformance.validation.evidence import NOTHING
from checker.conformance.validation.report import text_of
from checker.conformance.validation.validate import validate
from checker.properties.kinds import Json
from refimpl.adapters.two_phase_commit import TwoPhaseCommit
from refimpl.adapters.two_phase_commit_runs import PROTOCOL
from refimpl.runtime.interface import Environment
from refimpl.runtime.tcp import tcp_environment
from refimpl.transactions.branches import COLUMNS, TABLE, Branch, BranchLost, PostgresBranch, Standing
from refimpl.transactions.branches_mistakes import TellsBeforeItLogs
from refimpl.transactions.service import coordinate, take_part
from refimpl.transactions.two_phase_commit import Address, Coordinator, Participant
from tests.conformance.test_simulation import free_ports
from tests.refimpl.bank import FULL, TOO_MUCH, Bank, Make, Real
from tests.services import private_postgres

SPEC = Path(__file__).resolve().parents[2] / "specs/transactions/two_phase_commit.psm"
MAKES: Mapping[Address, Make] = {"RM0": Bank.in_postgres, "RM1": Bank.in_mariadb}


# ---- along the spec


class OverDatabases(TwoPhaseCommit):
    """RM0 is a branch in PostgreSQL, RM1 one in MariaDB, of another transaction on each path."""

    def __init__(self, machine: Any, bank: Bank, makes: Mapping[Address, Make] = MAKES, **more: Any) -> None:
        super().__init__(machine, database=lambda name: Real(bank, self.transaction, makes[name]), **more)
        self.bank = bank
        self.transaction = ""

    def begin(self, initial: Mapping[str, Json]) -> None:
        self.bank.clean()
        self.transaction = self.bank.transaction()
        super().begin(initial)


def replayed(bank: Bank, check: str = "small", makes: Mapping[Address, Make] = MAKES, **more: Any) -> Replay:
    graph = checker.load(SPEC).graph(check)
    return replay_all(OverDatabases(graph.machine, bank, makes, **more), graph)


@pytest.mark.parametrize(
    ("check", "transitions"), [("small", 662), pytest.param("recovery", 33_938, marks=pytest.mark.slow)]
)
def test_every_transition_is_as_in_the_spec(both: Bank, check: str, transitions: int) -> None:
    result = replayed(both, check)
    assert result.mismatch is None, result.mismatch.text()
    assert result.outcome is Outcome.CONFORMS
    assert result.taken == result.total == transitions
    assert result.unseen == ()


def test_explored_with_crashes(both: Bank) -> None:
    adapter = OverDatabases(checker.load(SPEC).machine("recovery"), both)
    result = explore(adapter, runs=20, steps=25)
    assert result.outcome is Outcome.CONFORMS, result.mismatch and result.mismatch.text()


# ---- through crashes

OVER = {Standing.COMMITTED: "committed", Standing.PREPARED: "prepared", Standing.NOTHING: "aborted"}
"""Where a branch stands once everything is over, in the words of the spec."""


@dataclass(frozen=True, slots=True)
class Strike:
    """A crash of one process: after so many effects, or before or behind the database's part in its so-many-th call."""

    who: Address
    after: int
    call: str = ""


STRIKES = [
    *(Strike("bank", after) for after in range(9)),
    *(Strike(who, after) for who in MAKES for after in range(6)),
    *(
        Strike(who, 0, f"{when} {call}")
        for who in MAKES
        for when in ("before", "behind")
        for call in ("prepare", "commit")
    ),
]
"""Every point between two writes of any process."""


@dataclass(slots=True)
class Struck:
    """A resource whose participant crashes around one of its calls, once."""

    branch: Branch
    sim: Simulation
    who: Address
    pending: list[str]
    calls: Counter[str] = field(default_factory=Counter)

    def prepare(self) -> bool:
        self._at("before prepare")
        answer = self.branch.prepare()
        self._at("behind prepare")
        return answer

    def commit(self) -> None:
        self._at("before commit")
        self.branch.commit()
        self._at("behind commit")

    def rollback(self) -> None:
        self.branch.rollback()

    def _at(self, point: str) -> None:
        if point in self.pending:
            self.pending.remove(point)
            self.sim.crash(self.who)
            raise Crashed(self.who)


@dataclass(frozen=True, slots=True)
class Transfer:
    """What came of one transaction that moves 5 from MariaDB to PostgreSQL."""

    ends: tuple[Standing, ...]
    moved: tuple[int, int]
    record: Record = field(repr=False)

    @property
    def atomic(self) -> bool:
        """Whether it is over in both databases, in the same way, and the money with it."""
        committed = self.ends == (Standing.COMMITTED,) * 2
        aborted = self.ends == (Standing.NOTHING,) * 2
        return self.moved == ((5, -5) if committed else (0, 0)) and (committed or aborted)


def transfer(
    bank: Bank,
    *strikes: Strike,
    makes: Mapping[Address, Make] = MAKES,
    coordinator: type[Coordinator] = Coordinator,
    part: type[Participant] = Participant,
) -> Transfer:
    """Runs coordinator and participants in virtual time, and lets crashes strike."""
    bank.clean()
    name = bank.transaction()
    changes = {"RM0": 5, "RM1": -5}
    pending = {who: [s.call for s in strikes if s.who == who and s.call] for who in makes}

    def branch(who: Address) -> Branch:
        return makes[who](bank, name, changes[who])

    def participant(who: Address) -> Process:
        return lambda env: take_part(env, "bank", Struck(branch(who), sim, who, pending[who]), participant=part)

    async def driver(sim: Simulation) -> None:
        for strike in strikes:
            if not strike.call:
                sim.crash(strike.who, after_effects=strike.after)
        for _ in range(12):
            await asyncio.sleep(3)
            for who in ("bank", *makes):
                if not sim.alive(who):
                    sim.restart(who)
        ends = {f"{who}.state": OVER[branch(who).standing()] for who in makes}
        sim.recorder.add(sim.loop.now, None, Kind.OBS, "databases", obs=ends)

    processes: dict[str, Process] = {who: participant(who) for who in makes}
    processes["bank"] = lambda env: coordinate(env, tuple(makes), coordinator=coordinator)
    sim = Simulation(seed=1, processes=processes)
    record = sim.run(driver)
    first, second = bank.balances()
    return Transfer(tuple(branch(who).standing() for who in makes), (first - FULL, second - FULL), record)


EARLY = "none of 1 faults struck while the processes were at work"
RECORDED = replace(PROTOCOL, nodes={"bank": "TM"})


def test_all_or_nothing_wherever_one_process_crashes(both: Bank) -> None:
    """What the databases say in the end; and the spec allows what processes have told on the way."""
    machine = checker.load(SPEC).machine("recovery")
    ends: set[Standing] = set()
    fired: set[str] = set()
    evidence = NOTHING
    for strike in STRIKES:
        run = transfer(both, strike)
        assert run.atomic, f"{strike}: {run}"
        result = validate(machine, run.record, RECORDED)
        early = result.lacks == (EARLY,)
        assert result.outcome is (Outcome.INCOMPLETE if early else Outcome.CONFORMS), f"{strike}: {text_of(result)}"
        evidence += result.evidence
        assert result.seen == ("TM.log", "TM.agreed", "RM0.state", "RM1.state")
        ends.update(run.ends)
        fired.update(result.fired)
    assert ends == {Standing.COMMITTED, Standing.NOTHING}
    assert evidence.lacks == ()
    steps = {"TM.Begin", "TM.Vote", "TM.Commit", "TM.GiveUp", "TM.Ask", "RM.Prepare", "RM.Inquire", "RM.Decide"}
    assert fired >= steps


def test_a_run_that_the_spec_does_not_allow(both: Bank) -> None:
    """The coordinator tells of its decision, crashes, and decides otherwise."""
    machine = checker.load(SPEC).machine("recovery")
    runs = [transfer(both, Strike("bank", after), coordinator=TellsBeforeItLogs) for after in range(6)]
    results = [validate(machine, run.record, RECORDED).outcome for run in runs]
    assert [run.atomic for run in runs] == [True, True, True, False, True, True]
    expected = [Outcome.INCOMPLETE, *[Outcome.CONFORMS] * 2, *[Outcome.MISMATCH] * 3]
    assert results == expected, (
        "the record shows it even where all goes well; the first crash strikes before anybody works"
    )


@pytest.mark.slow
def test_all_or_nothing_wherever_two_processes_crash(both: Bank) -> None:
    pairs = [(a, b) for a in STRIKES for b in STRIKES if a.who < b.who]
    assert [pair for pair in pairs if not transfer(both, *pair).atomic] == []


def test_it_runs_on_sockets_and_files(both: Bank, tmp_path: Path) -> None:
    everyone = ("bank", *MAKES)
    places = {name: ("127.0.0.1", port) for name, port in zip(everyone, free_ports(3), strict=True)}
    name = both.transaction()
    first, second = both.in_postgres(name, 7), both.in_mariadb(name, -7)

    async def main() -> None:
        async with AsyncExitStack() as stack:
            envs: dict[str, Environment] = {
                name: await stack.enter_async_context(tcp_environment(name, places, tmp_path / name))
                for name in everyone
            }
            tasks = [
                asyncio.create_task(take_part(envs["RM0"], "bank", first)),
                asyncio.create_task(take_part(envs["RM1"], "bank", second)),
                asyncio.create_task(coordinate(envs["bank"], tuple(MAKES))),
            ]
            async with asyncio.timeout(20):
                while {first.standing(), second.standing()} != {Standing.COMMITTED}:
                    await asyncio.sleep(0.02)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    asyncio.run(main())
    assert both.balances() == (FULL + 7, FULL - 7)


# ---- branches by themselves


@pytest.fixture(params=["PostgreSQL", "MariaDB"])
def make(request: pytest.FixtureRequest) -> Make:
    return Bank.in_postgres if request.param == "PostgreSQL" else Bank.in_mariadb


def test_a_branch_outlives_its_session(both: Bank, make: Make) -> None:
    name = both.transaction()
    assert make(both, name, 1).prepare()
    both.postgres.close()
    both.mariadb.close()
    after = Bank(both.where.split(" options")[0], both.schema)
    both.postgres, both.mariadb = after.postgres, after.mariadb
    branch = make(both, name, 1)
    assert branch.standing() is Standing.PREPARED
    assert branch.prepare(), "it is prepared already"
    for _ in range(2):
        branch.commit()
    assert branch.standing() is Standing.COMMITTED
    assert sum(both.balances()) == 2 * FULL + 1


def test_the_database_may_refuse(both: Bank, make: Make) -> None:
    branch = make(both, both.transaction(), TOO_MUCH)
    assert not branch.prepare()
    assert branch.standing() is Standing.NOTHING
    branch.rollback()
    assert both.balances() == (FULL, FULL)


def test_an_operator_who_ends_a_branch_by_hand_is_noticed(both: Bank, make: Make) -> None:
    name = both.transaction()
    branch = make(both, name, 1)
    branch.prepare()
    make(both, name, 1).rollback()
    with pytest.raises(BranchLost, match="has rolled it back"):
        branch.commit()
    other = make(both, both.transaction(), 1)
    other.prepare()
    other.commit()
    with pytest.raises(BranchLost, match="has committed it"):
        other.rollback()


def test_names_are_harmless() -> None:
    with pytest.raises(ValueError, match="is no name"):
        PostgresBranch(psycopg.Connection.__new__(psycopg.Connection), "x'; DROP TABLE account; --", [])


def test_a_branch_outlives_its_server() -> None:
    with private_postgres() as cluster:
        with psycopg.connect(cluster.where, autocommit=True) as session:
            session.execute(f"CREATE TABLE {TABLE} {COLUMNS}".encode())
            assert PostgresBranch(session, "survivor", []).prepare()
        cluster.kill()
        cluster.start()
        with psycopg.connect(cluster.where, autocommit=True) as session:
            branch = PostgresBranch(session, "survivor", [])
            assert branch.standing() is Standing.PREPARED
            branch.commit()
            assert branch.standing() is Standing.COMMITTED
