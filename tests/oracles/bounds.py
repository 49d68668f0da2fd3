"""What `bound` and `limit` cut.

A successor outside the bound is a transition, and invariants are checked in it, but it is no state. A step that its limit
alone refuses is no transition; a state in which it would be enabled is no deadlock.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from tests.oracles.bfs import Count, Oracle, Properties, Step, search

TEXT = """spec Bounds
message Up(k: 0..4)
network bag[1]
role P[2] {
  durable n: 0..4 = 0
  durable m: 0..4 = 0
  action Raise(by: 1..2) when n + by <= 4 limit n + by <= 3 or m > 1 {
    n += by
    send Up(n) to P - {self}
  }
  on Up(k) from p when k > m limit k < 4 or n == 2 { m := k }
}
invariant Low: forall p in P: p.n < 4
invariant Sum: forall a in P, b in P: a == b or a.n + b.n <= 5
reach High: exists p in P: p.m == 4
reach Six: forall a in P, b in P: a == b or a.n + b.n == 6
final: false
check c { BOUND }
"""


class State(NamedTuple):
    n: tuple[int, int]
    m: tuple[int, int]
    ups: frozenset[tuple[int, int]]
    """What was sent to whom."""


def put(pair: tuple[int, int], i: int, value: int) -> tuple[int, int]:
    return (value, pair[1]) if i == 0 else (pair[0], value)


def enabled(s: State) -> Iterator[Step[State]]:
    for i in (0, 1):
        for by in (1, 2):
            n = s.n[i] + by
            if n <= 4:
                refused = n == 4 and s.m[i] < 2
                yield Step(s._replace(n=put(s.n, i, n), ups=s.ups | {(n, 1 - i)}), refused=refused)
    for k, i in s.ups:
        if k > s.m[i]:
            refused = k == 4 and s.n[i] != 2
            yield Step(s._replace(m=put(s.m, i, k), ups=s.ups - {(k, i)}), refused=refused)


def count(bounded: bool) -> Count:
    wanted = Properties[State](
        always={"Low": lambda s: max(s.n) < 4, "Sum": lambda s: sum(s.n) <= 5},
        reach={"High": lambda s: max(s.m) == 4, "Six": lambda s: sum(s.n) == 6},
        final=lambda _: False,
        bound=(lambda s: sum(s.n) <= 5) if bounded else (lambda _: True),
    )
    return search([State((0, 0), (0, 0), frozenset())], enabled, wanted)


ORACLES = [
    Oracle("limits", TEXT.replace("BOUND", ""), lambda: count(False)),
    Oracle(
        "a bound and limits",
        TEXT.replace("BOUND", "bound forall a in P, b in P: a == b or a.n + b.n <= 5"),
        lambda: count(True),
    ),
]
