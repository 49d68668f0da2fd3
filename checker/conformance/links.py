"""A network that misbehaves: how long each message takes, whether it arrives, how often, and who is cut off from whom.

Both the simulator and the cluster of foreign processes ask it. Chance decides at the moment of sending: latency is drawn for
each copy, so that messages overtake each other, and a message may be lost or doubled. A cut is between ordered pairs, so that
one side may hear the other and not the reverse; it takes what would arrive while it lasts, also what was sent before.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum
from random import Random

from checker.base.data import dataclass


class Spread(Enum):
    """How latencies lie around their mean."""

    CONSTANT = "constant"
    UNIFORM = "uniform"
    EXPONENTIAL = "exponential"


@dataclass(frozen=True, slots=True)
class Quality:
    """How good a network is.

    Attributes:
        latency: the mean in seconds.
        spread: how latencies lie around it: all equal, between 0 and twice the mean, or exponentially.
        loss: the probability that a message is lost.
        duplication: the probability that it arrives twice.
    """

    latency: float = 0.01
    spread: Spread = Spread.EXPONENTIAL
    loss: float = 0.0
    duplication: float = 0.0

    def __post_init__(self) -> None:
        if not 0 <= self.latency < float("inf"):
            raise ValueError(f"a latency of {self.latency} s is impossible: it is at least 0")
        for name in ("loss", "duplication"):
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"{name} of {getattr(self, name)} is no probability, which is between 0 and 1")


class Links:
    """The network between named places."""

    def __init__(self, random: Random, quality: Quality | None = None) -> None:
        self.quality = quality or Quality()
        self._random = random
        self._cut: set[tuple[str, str]] = set()

    def delays(self) -> list[float]:
        """After how many seconds each copy of a message arrives; nothing if it is lost."""
        q = self.quality
        if self._random.random() < q.loss:
            return []
        copies = 2 if self._random.random() < q.duplication else 1
        return [self._delay() for _ in range(copies)]

    def _delay(self) -> float:
        mean = self.quality.latency
        match self.quality.spread:
            case Spread.CONSTANT:
                return mean
            case Spread.UNIFORM:
                return self._random.uniform(0, 2 * mean)
            case Spread.EXPONENTIAL:
                return self._random.expovariate(1 / mean) if mean else 0.0

    def cut(self, senders: Iterable[str], receivers: Iterable[str], *, one_way: bool = False) -> None:
        """Nothing arrives from `senders` at `receivers` any more, nor back unless it is `one_way`."""
        senders, receivers = list(senders), list(receivers)
        for a in senders:
            for b in receivers:
                if a != b:
                    self._cut.add((a, b))
                    if not one_way:
                        self._cut.add((b, a))

    def heal(self) -> None:
        """Ends every cut."""
        self._cut.clear()

    def connected(self, sender: str, receiver: str) -> bool:
        """Whether a message can arrive now."""
        return (sender, receiver) not in self._cut
