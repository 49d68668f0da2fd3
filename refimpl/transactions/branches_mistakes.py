"""Transactions over real databases done wrong: fourteen mistakes that people make, each in the few lines that make it.

They stand beside the right implementation so that a reader sees what each rule is for by what happens without it, and so that
tests can be tested: each of these has to be found.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext, suppress

import psycopg
import pymysql
from pymysql.connections import Connection as MariaSession
from pymysql.cursors import Cursor

from refimpl.transactions.branches import Branch, MariaBranch, PostgresBranch, Statement
from refimpl.transactions.two_phase_commit import Address, Coordinator, Decide, Decision, Participant, State, Vote


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

    def __init__(self, session: psycopg.Connection, name: str, work: Sequence[Statement]) -> None:
        super().__init__(session, name.rpartition("_")[0], work)


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


Part = Branch | Participant | Coordinator

MISTAKES: tuple[type[Part], ...] = (
    CommitsInPhaseOne,
    OnePhase,
    OnlySaysSo,
    ForgetsToPrepare,
    GoesOnAfterAnError,
    NeverRollsBack,
    NamesItselfTooEarly,
    KeepsItsSession,
    OneNameForAll,
    CommitsOnlyOnce,
    VotesBeforeItPrepares,
    TellsBeforeItLogs,
    RepeatsTheWork,
    TakesNothingForDone,
)
