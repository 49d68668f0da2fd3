"""A role's own fault, with a budget: a step like any other, except that it ends no deadlock.

It has parameters and spends the budget. It is a step of its role, so an instance that is down has none. Neither a fault
nor a tick, which is a step of all instances at once, is torn by a crash. `Reading` has what else these rules might be.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from tests.oracles.bfs import Count, Oracle, Properties, Step, search

TEXT = """spec Slips
message Note
network bag[2]
role Clock[2] {
  durable now: 0..2 = 0
  durable odd: bool = false
  on tick { if now < 2 { now += 1  odd := not odd } }
  fault Slip(by: 1..2) when now >= by { now -= by  odd := not odd  send Note to Log }
}
role Log {
  durable notes: 0..2 = 0
  on Note from c { notes += 1 }
}
invariant Together: forall a in Clock, b in Clock: a.now == b.now
invariant Parity: forall a in Clock: a.odd == (a.now == 1)
reach Two: Log.notes == 2
check c { faults Clock.Slip <= 2, crash Clock <= 1 }
"""

Clock = tuple[int, bool]


class State(NamedTuple):
    clocks: tuple[Clock, Clock]
    flying: tuple[int, int]
    """How many notes of each clock are in the bag."""
    notes: int
    down: frozenset[int]
    slips: int
    crashes: int


class Reading(NamedTuple):
    tear_ticks: bool = False
    tear_slips: bool = False
    slip_when_down: bool = False


def set_clock(s: State, i: int, clock: Clock) -> State:
    return s._replace(clocks=(clock, s.clocks[1]) if i == 0 else (s.clocks[0], clock))


def crash(s: State, i: int) -> State:
    return s._replace(down=s.down | {i}, crashes=s.crashes - 1)


def ticked(clock: Clock) -> Clock:
    return (clock[0] + 1, not clock[1]) if clock[0] < 2 else clock


def enabled(s: State, reading: Reading) -> Iterator[Step[State]]:
    later = s._replace(clocks=(ticked(s.clocks[0]), ticked(s.clocks[1])))
    if later != s:
        yield Step(later)
    for i in (0, 1):
        now, odd = s.clocks[i]
        up = i not in s.down
        if reading.tear_ticks and s.crashes and up and now < 2:
            yield Step(crash(set_clock(later, i, (now + 1, odd)), i), fault=True)
        if s.flying[i]:
            flying = (s.flying[0] - (i == 0), s.flying[1] - (i == 1))
            yield Step(s._replace(flying=flying, notes=s.notes + 1))
        if s.slips and (up or reading.slip_when_down):
            for by in (1, 2):
                if now < by:
                    continue
                one = set_clock(s, i, (now - by, odd))._replace(slips=s.slips - 1)
                two = set_clock(one, i, (now - by, not odd))
                flying = (s.flying[0] + (i == 0), s.flying[1] + (i == 1))
                yield Step(two._replace(flying=flying), fault=True)
                if s.crashes and up and reading.tear_slips:
                    yield Step(crash(one, i), fault=True)
                    yield Step(crash(two, i), fault=True)
        if not up:
            yield Step(s._replace(down=s.down - {i}))
        elif s.crashes:
            yield Step(crash(s, i), fault=True)


def count(reading: Reading) -> Count:
    wanted = Properties[State](
        always={
            "Together": lambda s: s.clocks[0][0] == s.clocks[1][0],
            "Parity": lambda s: all(odd == (now == 1) for now, odd in s.clocks),
        },
        reach={"Two": lambda s: s.notes == 2},
        final=lambda _: False,
    )
    start = State(((0, False), (0, False)), (0, 0), 0, frozenset(), 2, 1)
    return search([start], lambda s: enabled(s, reading), wanted)


ORACLES = [Oracle("a fault of its own, and crashes", TEXT, lambda: count(Reading()))]
