"""Answers to choices: drawn at random, enumerated, or given as they were the last time.

A body asks a tape (`runtime.Tape`). The tapes here note every answer in a log, so that a step can be made again in another
state. An element is noted by its value and looked for among those that there are; a branch is noted by its number. An answer
that is not possible any more disables the outcome.
"""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

from checker.engine.runtime import Disabled, Tape
from checker.model.values import Value

Answers = tuple[Value, ...]


class LoggingTape(Tape):
    """The odometer of the interpreter, with a log of the answers of the current run."""

    __slots__ = ("log",)

    def __init__(self) -> None:
        super().__init__()
        self.log: list[Value] = []

    def choose(self, alternatives: int) -> int:
        """See `Tape.choose`."""
        answer = self.pick(alternatives)
        self.log.append(answer)
        return answer

    def pick(self, alternatives: int) -> int:
        """The answer itself."""
        return super().choose(alternatives)

    def element(self, label: str, of: Sequence[Value]) -> Value:
        """See `Tape.element`."""
        value = super().element(label, of)
        self.log[-1] = value
        return value

    def advance(self) -> bool:
        """See `Tape.advance`."""
        self.log = []
        return super().advance()


class RandomTape(LoggingTape):
    """Answers at random, each with the same chance."""

    __slots__ = ("_chance",)

    def __init__(self, chance: Random) -> None:
        super().__init__()
        self._chance = chance

    def pick(self, alternatives: int) -> int:
        """See `LoggingTape.pick`."""
        if alternatives == 0:
            raise Disabled(empty=True)
        return self._chance.randrange(alternatives)


class RecordedTape(LoggingTape):
    """Gives the answers of a log."""

    __slots__ = ("_next", "_recorded")

    def __init__(self, recorded: Answers) -> None:
        super().__init__()
        self._recorded = recorded
        self._next = 0

    def _take(self) -> Value:
        if self._next == len(self._recorded):
            raise Disabled(empty=False)
        self._next += 1
        return self._recorded[self._next - 1]

    def pick(self, alternatives: int) -> int:
        """See `LoggingTape.pick`."""
        answer = self._take()
        if not isinstance(answer, int) or not 0 <= answer < alternatives:
            raise Disabled(empty=False)
        return answer

    def element(self, label: str, of: Sequence[Value]) -> Value:
        """See `Tape.element`."""
        value = self._take()
        if value not in of:
            raise Disabled(empty=False)
        self.log.append(value)
        self.labels.append((label, value))
        return value
