"""Updates of a row done wrong: fourteen mistakes that people make, each in the few lines that make it.

They stand beside the right implementation so that a reader sees what each rule is for by what happens without it, and so that
tests can be tested: each of these has to be found.
"""

from __future__ import annotations

from collections.abc import Sequence

from refimpl.locks.row_update import ACCOUNT, ADD, READ, WRITE, ByValue, ByVersion, Comparing, Locking, Seen
from refimpl.locks.sessions import Session


class ReadsWithoutLocking(Locking):
    """Takes a transaction for enough, and forgets `FOR UPDATE`."""

    def _read(self, row: int) -> Seen:
        return Seen(*self._session.query(READ, row)[0])


class LocksForReaders(Locking):
    """Takes a shared lock, which others get as well. Then nobody can write, since all wait for each other."""

    def _read(self, row: int) -> Seen:
        return Seen(*self._session.query(f"{READ} {self._session.for_share}", row)[0])


class LocksOutsideOfATransaction(Locking):
    """Lets each statement commit by itself: the lock is gone when the `SELECT` is over."""

    def _read(self, row: int) -> Seen:
        found = super()._read(row)
        self._session.change("COMMIT")
        return found


class KeepsWhatItKnew(Locking):
    """Locks the row, and computes with what it has read before, as objects do that a mapper keeps in a session."""

    def __init__(self, session: Session, rows: Sequence[int] = (ACCOUNT,), *, ordered: bool = True) -> None:
        super().__init__(session, rows, ordered=ordered)
        self._known: dict[int, Seen] = {}

    def _read(self, row: int) -> Seen:
        return self._known.setdefault(row, super()._read(row))


class LocksInAnyOrder(Locking):
    """Locks what it comes upon first."""

    def _is_next(self, row: int) -> bool:
        return True


class WritesWhereItHasNoLock(Locking):
    """Has one lock of two, and takes it for both."""

    def change(self) -> None:
        if self.seen is not None:
            self._session.change(WRITE, self.seen.amount + 1, ACCOUNT)
            for row in self.rows[1:]:
                self._session.change(ADD, row)
            self.changed = True


class ForgetsToRollBack(Locking):
    """Begins anew when it is a victim, with the old transaction still there."""

    def give_up(self) -> None:
        self._forget()


class ComparesNothing(ByVersion):
    """Reads, and writes."""

    def _write(self, seen: Seen) -> bool:
        return self._session.change(WRITE, seen.amount + 1, ACCOUNT) == 1


class ComparesTheValue(ByValue):
    """Takes a row for unchanged whose amount has come back."""


class LooksAndThenWrites(ByVersion):
    """Compares the version by itself, and then writes: two statements, with room for another one between them."""

    def _write(self, seen: Seen) -> bool:
        if self._read().version != seen.version:
            return False
        return self._session.change(WRITE, seen.amount + 1, ACCOUNT) == 1


class DoesNotLookWhetherItWrote(ByVersion):
    """Takes an `UPDATE` without an error for one that has changed something."""

    def _write(self, seen: Seen) -> bool:
        super()._write(seen)
        return True


class CountsNothing(ByVersion):
    """Compares a version that it never counts up."""

    def _write(self, seen: Seen) -> bool:
        sql = "UPDATE account SET amount = %s WHERE number = %s AND version = %s"
        return self._session.change(sql, seen.amount + 1, ACCOUNT, seen.version) == 1


class ReadsTheVersionAlone(ByVersion):
    """Tries again with the new version and the old amount."""

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self._failed: Seen | None = None

    def _read(self) -> Seen:
        found, failed = super()._read(), self._failed
        return found if failed is None else Seen(failed.amount, found.owner, found.version)

    def _write(self, seen: Seen) -> bool:
        done = super()._write(seen)
        self._failed = None if done else seen
        return done


class RetriesInItsTransaction(ByVersion):
    """Reads again in the same transaction, which in MariaDB sees for ever what it has seen first."""

    def _read(self) -> Seen:
        if self._first:
            self._session.change("BEGIN")
            self._first = False
        return super()._read()

    def _write(self, seen: Seen) -> bool:
        done = super()._write(seen)
        if done:
            self._session.change("COMMIT")
            self._first = True
        return done

    _first = True


MISTAKES: tuple[type[Locking | Comparing], ...] = (
    ReadsWithoutLocking,
    LocksForReaders,
    LocksOutsideOfATransaction,
    KeepsWhatItKnew,
    LocksInAnyOrder,
    WritesWhereItHasNoLock,
    ForgetsToRollBack,
    ComparesNothing,
    ComparesTheValue,
    LooksAndThenWrites,
    DoesNotLookWhetherItWrote,
    CountsNothing,
    ReadsTheVersionAlone,
    RetriesInItsTransaction,
)
