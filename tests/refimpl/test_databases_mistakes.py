"""Mistakes that are easily made with prepared transactions, and what finds each of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext, suppress
from dataclasses import dataclass
from typing import Literal

import pymysql
import pytest
from pymysql.connections import Connection as MariaSession
from pymysql.cursors import Cursor

from checker.conformance.simulate.simulation import ProcessFailed
from refimpl.transactions import branches, service
from refimpl.transactions.branches import Branch, MariaBranch, PostgresBranch, Statement
from refimpl.transactions.two_phase_commit import Address, Coordinator, Decide, Decision, Participant, State, Vote
from tests.refimpl.bank import MOVE, Bank, Make
from tests.refimpl.test_databases import MAKES, STRIKES, replayed, transfer


class CommitsInPhaseOne(PostgresBranch):
    """Commits where it should prepare."""

    def _prepare(self) -> bool:
        return super()._prepare() and self._finish(commit=True)


class OnePhase(MariaBranch):
    """`XA COMMIT … ONE PHASE`: the transaction monitor thinks that it is alone."""

    def _seal(self, cursor: Cursor) -> None:
        cursor.execute(f"XA END '{self.name}'")
        cursor.execute(f"XA COMMIT '{self.name}' ONE PHASE")


class OnlySaysSo(PostgresBranch):
    """Tries the work, rolls it back, and says that it is prepared."""

    def _prepare(self) -> bool:
        if super()._prepare():
            self._finish(commit=False)
            return True
        return False


class ForgetsToPrepare(MariaBranch):
    """Ends the branch and never prepares it, so it is gone with its session."""

    def _seal(self, cursor: Cursor) -> None:
        cursor.execute(f"XA END '{self.name}'")


class GoesOnAfterAnError(MariaBranch):
    """Does not look whether the work was done; MariaDB prepares what is left of it."""

    def _do(self, cursor: Cursor) -> None:
        for sql, values in self._statements():
            with suppress(pymysql.err.MySQLError):
                cursor.execute(sql, values)


class NeverRollsBack(PostgresBranch):
    """Leaves the branch in doubt, with its locks."""

    def rollback(self) -> None:
        pass


class CommitsOnlyOnce(PostgresBranch):
    """Takes it for an error that there is nothing left to commit."""

    def commit(self) -> None:
        if not self._finish(commit=True):
            raise RuntimeError(f"there is no branch {self.name}")


class RepeatsTheWork(PostgresBranch):
    """Does not ask whether it is prepared already."""

    def prepare(self) -> bool:
        return self._prepare()


class TakesNothingForDone(PostgresBranch):
    """Does not ask whether the branch has ended as it should."""

    def commit(self) -> None:
        self._end(commit=True)


class NamesItselfTooEarly(MariaBranch):
    """Writes its name into the table outside of the transaction."""

    def _prepare(self) -> bool:
        with self._session.cursor() as cursor:
            cursor.execute("INSERT INTO committed_branches VALUES (%s)", (self.name,))
        return super()._prepare()

    def _statements(self) -> tuple[Statement, ...]:
        return self.work


class KeepsItsSession(MariaBranch):
    """Does not close the session of the branch, to which the branch belongs until then."""

    def _own_session(self) -> AbstractContextManager[MariaSession]:
        return nullcontext(self._connect())


class OneNameForAll(PostgresBranch):
    """Has the same name in every transaction."""

    def __init__(self, bank: Bank, work: tuple[Statement, ...]) -> None:
        super().__init__(bank.postgres, f"{bank.schema}_transfer", work)


class VotesBeforeItPrepares(Participant):
    """Sends the vote, and then asks its database."""

    def _on_prepare(self, sender: Address) -> None:
        if self.state is State.WORKING:
            self._send(sender, Vote(yes=True))
            self._become(State.PREPARED if self._resource.prepare() else State.ABORTED)


class TellsBeforeItLogs(Coordinator):
    """Sends the decision, and then writes it down."""

    def _decide(self, decision: Decision) -> None:
        self._tell_all(Decide(decision))
        self._log.force(decision.value)
        self.decision = decision


# ---- who finds them


def over(kind: type[Branch]) -> Mapping[Address, Make]:
    """The two databases, one of them with this kind of branch."""

    def make(bank: Bank, name: str, change: int) -> Branch:
        work = [(MOVE, (change,))]
        if issubclass(kind, OneNameForAll):
            return kind(bank, tuple(work))
        if issubclass(kind, PostgresBranch):
            return kind(bank.postgres, name, work)
        assert issubclass(kind, MariaBranch)
        return kind(bank.mariadb, bank.open_mariadb, name, work)

    return {**MAKES, "RM0" if issubclass(kind, PostgresBranch) else "RM1": make}


def by_replay(bank: Bank, kind: type[Branch | Participant | Coordinator]) -> bool:
    if issubclass(kind, Branch):
        return replayed(bank, makes=over(kind)).mismatch is not None
    raise AssertionError(f"{kind.__name__} shows in crashes alone")


def by_crashes(bank: Bank, kind: type[Branch | Participant | Coordinator]) -> bool:
    makes = over(kind) if issubclass(kind, Branch) else MAKES
    for strike in STRIKES:
        try:
            if not transfer(bank, strike, makes=makes).atomic:
                return True
        except ProcessFailed:
            return True
    return False


def by_questions(bank: Bank, kind: type[Branch | Participant | Coordinator]) -> bool:
    """By what is asked of a single branch."""
    assert issubclass(kind, Branch)
    make = next(make for who, make in over(kind).items() if make is not MAKES[who])
    name = bank.transaction()
    repeats = make(bank, name, 1).prepare() and make(bank, name, 1).prepare()
    make(bank, name, 1).rollback()
    try:
        make(bank, name, 1).commit()
    except branches.BranchLost:
        return not repeats
    return True


Finds = Callable[[Bank, type[Branch | Participant | Coordinator]], bool]


@dataclass(frozen=True, slots=True)
class Caught:
    """A mistake, and what finds it."""

    mistake: type[Branch | Participant | Coordinator]
    by: Literal["replay", "crashes", "questions"]


CAUGHT = [
    Caught(CommitsInPhaseOne, "replay"),
    Caught(OnePhase, "replay"),
    Caught(OnlySaysSo, "replay"),
    Caught(ForgetsToPrepare, "replay"),
    Caught(GoesOnAfterAnError, "replay"),
    Caught(NeverRollsBack, "replay"),
    Caught(NamesItselfTooEarly, "replay"),
    Caught(KeepsItsSession, "replay"),
    Caught(OneNameForAll, "replay"),
    Caught(CommitsOnlyOnce, "crashes"),
    Caught(VotesBeforeItPrepares, "crashes"),
    Caught(TellsBeforeItLogs, "crashes"),
    Caught(RepeatsTheWork, "questions"),
    Caught(TakesNothingForDone, "questions"),
]
FINDERS: dict[str, Finds] = {"replay": by_replay, "crashes": by_crashes, "questions": by_questions}


@pytest.mark.parametrize("caught", CAUGHT, ids=lambda caught: caught.mistake.__name__)
def test_mistake_is_caught(both: Bank, caught: Caught, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(branches, "ATTEMPTS", 20)
    for name in ("Participant", "Coordinator"):
        if issubclass(caught.mistake, getattr(service, name)):
            monkeypatch.setattr(service, name, caught.mistake)
    assert FINDERS[caught.by](both, caught.mistake)


@pytest.mark.parametrize("kind", [PostgresBranch, MariaBranch])
def test_right_answers_to_questions(both: Bank, kind: type[Branch]) -> None:
    """That replays and crashes find nothing in what is right is tested beside them."""
    assert not by_questions(both, kind)
