"""Snowflake done wrong: nine mistakes that people make, each in the few lines that make it.

They stand beside the right implementation so that a reader sees what each rule is for by what happens without it, and so that
tests can be tested: each of these has to be found.
"""

from __future__ import annotations

from refimpl.idempotence.snowflake import Node, NotNow


class BelievesItsClock(Node):
    """Gives out numbers though its clock is behind the last one."""

    def take(self) -> int:
        now = self._clock() - self._epoch
        if self.last is not None and now < self.last:
            self._begin(now)
        return super().take()


class CallsEverybodyZero(Node):
    """Was never told which node it is."""

    def take(self) -> int:
        self._number = 0
        return super().take()


class BeginsAgain(Node):
    """Counts from 0 again when a millisecond is used up."""

    def take(self) -> int:
        if self.next == self._counts:
            self.next = 0
        return super().take()


class Overflows(Node):
    """Counts on when a millisecond is used up, into the numbers of the next node."""

    @property
    def _counts(self) -> int:
        return super()._counts * 2


class CountsOn(Node):
    """Does not begin at 0 in a new millisecond."""

    def _begin(self, now: int) -> None:
        count = self.next
        super()._begin(now)
        self.next = count


class OneEachMillisecond(Node):
    """Takes the last millisecond for one that is over."""

    def take(self) -> int:
        if self.last is not None and self._clock() - self._epoch <= self.last:
            raise NotNow(1)
        return super().take()


class RemembersNothing(Node):
    """Has no mark: a process that is started again begins anew."""

    def _begin(self, now: int) -> None:
        self.last, self.next = now, 0


class MarksWhatIsOver(Node):
    """Sets the mark to the millisecond before, when a new one begins."""

    def _begin(self, now: int) -> None:
        before = self.last
        self.last, self.next = now, 0
        if before is not None:
            self._mark.write(before)


class TrustsTheMark(Node):
    """Goes on in the millisecond of the mark after a restart, with the count 0."""

    def take(self) -> int:
        if self.last == self._marked and self.next == self._counts:
            self.next, self._marked = 0, -1
        return super().take()


MISTAKES: tuple[type[Node], ...] = (
    BelievesItsClock,
    CallsEverybodyZero,
    BeginsAgain,
    Overflows,
    CountsOn,
    OneEachMillisecond,
    RemembersNothing,
    MarksWhatIsOver,
    TrustsTheMark,
)
