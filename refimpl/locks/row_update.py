"""Read a row, compute, write it back: three ways to lose nobody's update, on PostgreSQL and MariaDB.

A client reads the amount in an account, computes the new one, and writes it. Another one that writes in between has written for
nothing. Where the new value can be computed by the database (`SET amount = amount + 1`) there is no problem; it is there as
soon as a program, or a person at a form, looks at the old value first. Three ways out:

    Locking     `SELECT … FOR UPDATE` within a transaction. The row is locked until that ends; others who want it wait.
    ByVersion   each change counts up the column `version`. `UPDATE … WHERE version = ` what was read; if that has changed no row,
                somebody was faster: read again, compute again.
    ByValue     the same, with the value itself in place of a version.

Why they work. A lock makes reading and writing one step: nobody else changes the row between them. The other two let the
database compare and write in one statement, and a statement is carried out as one step, since it locks the row itself: if two
come at once, the second one compares with what the first has written. It must be one statement, and somebody must look at how
many rows it has changed.

What each costs. A lock keeps others waiting for as long as its holder thinks, and a holder that crashes until the database
notices that the connection is gone. Two rows locked in either order end in a deadlock, so everybody locks in one order; whoever
is chosen to end one nevertheless rolls back and begins anew. Unlike a lock in another service with a time to live, it is never
lost to somebody else while its holder can still write: lock and row belong to one transaction. A version makes nobody wait, and
does work in vain: where many want one row, most attempts are for nothing.

**A value that comes back** (ABA). `ByValue` takes a row for unchanged whose amount has gone from A to B and back to A. For a
sum that is right: the result depends on nothing but the amount. It is wrong where the amount stands for more, here for whose
account it is. The office may pay an account out and give its number to another person; if that one has by chance as much in it,
a deposit goes to the wrong one. A version never comes back. One may also compare everything that the decision depended on, the
owner too.

A transaction alone is no help. On read committed, as PostgreSQL is installed, it loses updates as if it were not there, and so
does repeatable read in MariaDB before 11.6. PostgreSQL's repeatable read, and MariaDB's since then, ends one of the two with an
error, and whoever got that has to begin anew, as with a version.

All that a client knows is gone with its process; what it has not committed is rolled back by the database.

Sources: J. Gray, A. Reuter, "Transaction processing: concepts and techniques", 1993, chapter 7; H. T. Kung, J. T. Robinson, "On
optimistic methods for concurrency control", 1981; M. M. Michael, "Hazard pointers: safe memory reclamation for lock-free
objects", 2004.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

from refimpl.locks.sessions import Deadlock, Session, WaitedTooLong

TABLE = """
CREATE TABLE account (
    number int PRIMARY KEY, owner varchar(20) NOT NULL, amount int NOT NULL, version int NOT NULL
)
"""
ACCOUNT = 0
"""The number of the account that deposits go to. Others, such as the total of a branch, may be changed along with it."""

READ = "SELECT amount, owner, version FROM account WHERE number = %s"
WRITE = "UPDATE account SET amount = %s, version = version + 1 WHERE number = %s"
PAY_OUT = "UPDATE account SET amount = 0, version = version + 1 WHERE number = %s AND amount > 0"
GIVE_AWAY = "UPDATE account SET amount = 0, version = version + 1, owner = %s WHERE number = %s AND amount > 0"
ADD = "UPDATE account SET amount = amount + 1, version = version + 1 WHERE number = %s"


class OutOfTurn(Exception):
    """A client was told to do something that has to wait for something else."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What a client has read."""

    amount: int
    owner: str
    version: int


class Locking:
    """Makes deposits of 1, each in a transaction that locks what it will change.

    Args:
        session: with a `lock_timeout`, where a client should not wait without end.
        rows: the numbers of all accounts that a deposit changes.
        ordered: whether they are locked by number, lowest first. Without that, deadlocks happen.
    """

    def __init__(self, session: Session, rows: Sequence[int] = (ACCOUNT,), *, ordered: bool = True) -> None:
        self._session = session
        self.rows = tuple(sorted(rows))
        self._ordered = ordered
        self._forget()

    def _forget(self) -> None:
        self.seen: Seen | None = None
        self.locked: set[int] = set()
        self.changed = False

    def deposit(self) -> None:
        """Makes one deposit, however often that has to be tried."""
        while not self._attempt():
            self.give_up()

    def _attempt(self) -> bool:
        try:
            for row in self.rows:
                self.lock(row)
            self.change()
            self.commit()
        except (Deadlock, WaitedTooLong):
            return False
        return True

    def lock(self, row: int) -> None:
        """Waits until nobody else has locked the row, and reads it."""
        if row in self.locked or not self._is_next(row):
            raise OutOfTurn(f"row {row} is locked already, or others come first")
        if not self.locked:
            self._session.change("BEGIN")
        try:
            found = self._read(row)
        except Exception:
            if not self.locked:
                self._session.change("ROLLBACK")
            raise
        self.locked.add(row)
        if row == ACCOUNT:
            self.seen = found

    def _is_next(self, row: int) -> bool:
        return not self._ordered or all(other in self.locked for other in self.rows if other < row)

    def _read(self, row: int) -> Seen:
        return Seen(*self._session.query(f"{READ} FOR UPDATE", row)[0])

    def change(self) -> None:
        """Writes what only this transaction can see for now."""
        if self.changed or self.seen is None or self.locked != {*self.rows}:
            raise OutOfTurn("it is written, or not all rows are locked")
        for row in self.rows:
            if row == ACCOUNT:
                self._session.change(WRITE, self.seen.amount + 1, row)
            else:
                self._session.change(ADD, row)
        self.changed = True

    def commit(self) -> None:
        """Shows everybody what was written, and lets the locks go."""
        if not self.changed:
            raise OutOfTurn("nothing is written")
        self._session.change("COMMIT")
        self._forget()

    def give_up(self) -> None:
        """Rolls back, since the database has chosen this transaction to end a deadlock. Locks are let go."""
        self._session.change("ROLLBACK")
        self._forget()


class Comparing(ABC):
    """Makes deposits of 1, each by a statement that compares and writes."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self.seen: Seen | None = None

    def deposit(self) -> int:
        """Makes one deposit, and says how many attempts that has taken."""
        attempts = 1
        self.read()
        while not self.update():
            attempts += 1
            self.read()
        return attempts

    def read(self) -> None:
        """Reads the account, without waiting for anybody."""
        if self.seen is not None:
            raise OutOfTurn("it has read already")
        self.seen = self._read()

    def _read(self) -> Seen:
        return Seen(*self._session.query(READ, ACCOUNT)[0])

    def update(self) -> bool:
        """Writes if nobody else has, as far as it can tell. Otherwise it has to read again, and this is False."""
        if self.seen is None:
            raise OutOfTurn("it has not read")
        seen, self.seen = self.seen, None
        return self._write(seen)

    @abstractmethod
    def _write(self, seen: Seen) -> bool:
        """Compares and writes; False if it was no longer as it was seen."""


class ByVersion(Comparing):
    """Compares the version."""

    def _write(self, seen: Seen) -> bool:
        return self._session.change(f"{WRITE} AND version = %s", seen.amount + 1, ACCOUNT, seen.version) == 1


class ByValue(Comparing):
    """Compares the amount, and takes one that has come back for unchanged. It looks at no version."""

    def _write(self, seen: Seen) -> bool:
        return self._session.change(f"{WRITE} AND amount = %s", seen.amount + 1, ACCOUNT, seen.amount) == 1


class Office:
    """Pays accounts out, and gives their numbers to other people."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def pay_out(self, heir: str | None = None) -> bool:
        """Empties the account, and may give it to somebody else; False if it is empty already."""
        if heir is None:
            return self._session.change(PAY_OUT, ACCOUNT) == 1
        return self._session.change(GIVE_AWAY, heir, ACCOUNT) == 1
