"""Number ranges done wrong: nine mistakes that people make, each in the few lines that make it.

They stand beside the right implementation so that a reader sees what each rule is for by what happens without it, and so that
tests can be tested: each of these has to be found.
"""

from __future__ import annotations

from refimpl.idempotence.number_ranges import DatabaseCounter, Node


class ReadsThenWrites(DatabaseCounter):
    """Reads the counter by one command, and writes it by another.

    Along the spec nobody comes between the two, as there each step is one of one node. With threads and PostgreSQL, it is
    noticed by `tests/refimpl/test_number_ranges.py::test_mistakes_that_take_threads`.
    """

    def take(self, size: int) -> int:
        found = self._database.execute(b"SELECT taken FROM counters WHERE name = %s", (self._name,)).fetchall()
        taken = found[0][0] if found else 0
        self._database.execute(
            b"INSERT INTO counters VALUES (%s, %s) ON CONFLICT (name) DO UPDATE SET taken = EXCLUDED.taken RETURNING taken",
            (self._name, taken + size),
        )
        return int(taken) + size


class BeginsAtTheEnd(Node):
    """Takes the last number of the range for the first."""

    def refill(self) -> None:
        self.used = self._counter.take(self._size)
        self.upto = self.used + self._size


class TakesOneTooMany(Node):
    """Gives out one number more than it has taken."""

    def refill(self) -> None:
        super().refill()
        self.upto += 1


class TakesOneTooFew(Node):
    """Never gives out the last number of a range."""

    def refill(self) -> None:
        super().refill()
        self.upto -= 1


class BeginsAtZero(Node):
    """Gives out the number before the first of the range, too."""

    def next_of_range(self) -> int:
        return super().next_of_range() - 1


class NeverRefills(Node):
    """Counts on when its range is used up."""

    def next_of_range(self) -> int:
        if self.upto:
            self.upto = max(self.upto, self.used + 1)
        return super().next_of_range()


class TakesOneByOne(Node):
    """Moves the counter by one and believes that it has a range."""

    def refill(self) -> None:
        upto = self._counter.take(1)
        self.used, self.upto = upto - 1, upto - 1 + self._size


class TakesTwice(Node):
    """Takes a range again when the answer seems to be slow, and so leaves gaps without any crash."""

    def refill(self) -> None:
        self._counter.take(self._size)
        super().refill()


class StaysBehind(Node):
    """Begins its new range where the last one ended, whoever has taken what is between."""

    def refill(self) -> None:
        last = self.upto
        super().refill()
        if last:
            self.used, self.upto = last, last + self._size


MISTAKES: tuple[type[Node | DatabaseCounter], ...] = (
    BeginsAtTheEnd,
    TakesOneTooMany,
    TakesOneTooFew,
    BeginsAtZero,
    NeverRefills,
    TakesOneByOne,
    TakesTwice,
    StaysBehind,
)
"""Those that a step of the spec shows."""

BEYOND: tuple[type[Node | DatabaseCounter], ...] = (ReadsThenWrites,)
"""Those that show when several work at the same time."""
