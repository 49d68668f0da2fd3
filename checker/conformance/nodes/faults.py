"""What goes wrong in a run with nodes, and when: planned from the seed before the run begins.

A run is cut into windows, a quiet one and a faulty one in turn, and every kind of fault that is asked for gets its windows in
turn. At the end of each window the damage is repaired, so that the next kind begins on sound ground, and the last window ends
well before the run does: a system may need a moment to recover before its final answers are asked for.

| Kind | In its window |
|---|---|
| `partition` | a random half, a single node, or one direction between two halves is cut off |
| `kill` | a random minority is killed, and started again at the end |
| `pause` | a random minority stands still |
| `loss` | one message in ten between nodes is lost |
| `duplicate` | one message in ten between nodes arrives twice |

With one node, `partition` cuts it off from the services.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from random import Random
from typing import Final

from checker.base.data import dataclass
from checker.conformance.nodes.cluster import Cluster

KINDS: Final = ("partition", "kill", "pause", "loss", "duplicate")
SHARE: Final = 0.1
"""The share of messages that `loss` and `duplicate` strike."""
PERIOD: Final = 10.0
"""Seconds of a quiet and a faulty window together, where the run is long enough."""


@dataclass(frozen=True, slots=True)
class Window:
    """A time in which one fault is at work.

    Attributes:
        begin, end: seconds since the beginning of the run.
        nodes: who is struck; the others are in `others`.
    """

    kind: str
    begin: float
    end: float
    nodes: tuple[str, ...] = ()
    others: tuple[str, ...] = ()
    one_way: bool = False

    def __str__(self) -> str:
        who = f" of {', '.join(self.nodes)}" if self.nodes else ""
        way = ", one way" if self.one_way else ""
        return f"{self.kind}{who}{way} from {self.begin:.1f} to {self.end:.1f} s"


def plan(kinds: Sequence[str], nodes: Sequence[str], *, time: float, seed: int) -> tuple[Window, ...]:
    """The windows of a run of `time` seconds, each kind at least once."""
    if not kinds:
        return ()
    random = Random(f"{seed} faults")
    count = max(len(kinds), round(time / PERIOD))
    period = time / count
    order = [kind for _ in range(count // len(kinds) + 1) for kind in random.sample(list(kinds), len(kinds))]
    return tuple(_window(order[i], (i + 0.3) * period, (i + 0.8) * period, nodes, random) for i in range(count))


def _window(kind: str, begin: float, end: float, nodes: Sequence[str], random: Random) -> Window:
    mixed = random.sample(list(nodes), len(nodes))
    if kind in ("loss", "duplicate"):
        return Window(kind, begin, end)
    if kind == "partition":
        size = random.choice([1, max(1, len(nodes) // 2)])
        rest = tuple(mixed[size:]) or ("lin-kv", "seq-kv", "lww-kv", "lin-tso")
        return Window(kind, begin, end, tuple(mixed[:size]), rest, random.random() < 0.25)
    size = random.randint(1, max(1, (len(nodes) - 1) // 2))
    return Window(kind, begin, end, tuple(mixed[:size]), tuple(mixed[size:]))


async def strike(cluster: Cluster, window: Window) -> None:
    """Begins a window."""
    match window.kind:
        case "partition":
            await cluster.cut(window.nodes, window.others, one_way=window.one_way)
        case "kill":
            await asyncio.gather(*map(cluster.kill, window.nodes))
        case "pause":
            for name in window.nodes:
                cluster.pause(name)
        case "loss":
            cluster.links.quality = replace(cluster.links.quality, loss=SHARE)
        case "duplicate":
            cluster.links.quality = replace(cluster.links.quality, duplication=SHARE)


async def repair(cluster: Cluster, window: Window) -> None:
    """Ends a window."""
    match window.kind:
        case "partition":
            cluster.heal()
        case "kill":
            await asyncio.gather(*map(cluster.restart, window.nodes))
        case "pause":
            for name in window.nodes:
                cluster.resume(name)
        case "loss":
            cluster.links.quality = replace(cluster.links.quality, loss=cluster.quality.loss)
        case "duplicate":
            cluster.links.quality = replace(cluster.links.quality, duplication=cluster.quality.duplication)


async def inflict(cluster: Cluster, windows: Sequence[Window]) -> tuple[Window, ...]:
    """Carries a plan out from now on, and returns when each window really was, on the clock of the cluster."""
    start = cluster.now()
    done = []
    for window in windows:
        await asyncio.sleep(max(0.0, start + window.begin - cluster.now()))
        begin = cluster.now()
        await strike(cluster, window)
        await asyncio.sleep(max(0.0, start + window.end - cluster.now()))
        done.append(replace(window, begin=begin, end=cluster.now()))
        await repair(cluster, window)
    return tuple(done)
