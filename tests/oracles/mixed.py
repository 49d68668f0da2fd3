"""Crashes and stops of one role, on a network with sessions: a stop breaks the connection as a crash does, and an instance
that is down takes no further fault until it has restarted.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from tests.oracles.bfs import Count, Oracle, Properties, Step, search

TEXT = """spec Mixed
message M
network bag[1] session
role P {
  durable n: bool = false
  action Go when not n { n := true  send M to Q }
}
role Q {
  durable got: bool = false
  on M from p { got := true }
}
invariant NotYet: not Q.got
final: true
check c { faults stop P <= 1, crash P <= 1 }
"""


class State(NamedTuple):
    n: bool
    message: bool
    got: bool
    p: str
    crash: int
    stop: int


def ends(s: State, empties: bool) -> Iterator[State]:
    if s.crash:
        yield s._replace(p="down", crash=0, message=False)
    if s.stop:
        yield s._replace(p="stopped", stop=0, message=False if empties else s.message)


def enabled(s: State, stop_empties: bool, stop_down: bool) -> Iterator[Step[State]]:
    if s.p == "up":
        if not s.n:
            t = s._replace(n=True)
            yield Step(t._replace(message=True))
            for torn in ends(t, stop_empties):
                yield Step(torn, fault=True)
        for t in ends(s, stop_empties):
            yield Step(t, fault=True)
    elif s.p == "down":
        yield Step(s._replace(p="up"))
        if stop_down and s.stop:
            yield Step(s._replace(p="stopped", stop=0), fault=True)
    if s.message:
        yield Step(s._replace(message=False, got=True))


def count(stop_empties: bool = True, stop_down: bool = False) -> Count:
    wanted = Properties[State](always={"NotYet": lambda s: not s.got})
    return search([State(False, False, False, "up", 1, 1)], lambda s: enabled(s, stop_empties, stop_down), wanted)


ORACLES = [Oracle("crashes and stops", TEXT, count)]
