"""`choose`, `either` and `toss`, in loops and branches: each sequence of outcomes is a step of its own.

That holds also where two of them lead to the same state. An empty `choose` disables the sequences that come to it, and
their message stays. An error ends one sequence alone. Tears are counted for the step as a whole: those of all its
sequences that leave the same state are one transition.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from tests.oracles.bfs import Count, Oracle, Properties, Step, search

TEXT = """spec Choices
message Take(k: 0..2)
network bag[1]
role P {
  durable a: 0..2 = 0
  durable s: Set[0..2] = {}
  durable n: 0..2 = 0
  action Nest when n < 2 {
    n += 1
    for i in 0..1 {
      choose x in 0..2
      if x not in s { s += x } else { either { a += 1 } or { s -= x } or { } }
    }
  }
  on Take(k) from q {
    choose y in {x in 0..2 where x in s and x >= k}
    a := y
    toss { s -= y } or { n := 0 } or { }
  }
}
role Q {
  durable m: 0..2 = 0
  action Post(k: 0..2) when m < 2 { m += 1  send Take(k) to P }
}
invariant NotAll: P.s != {0, 1, 2} or P.a != 2
reach Spent: P.n == 0 and P.a == 2
check c { FAULTS }
"""


class State(NamedTuple):
    a: int
    s: frozenset[int]
    n: int
    m: int
    bag: frozenset[int]
    down: bool
    crashes: int


Path = list[State | None]
"""The states after each effect; None is an error."""


def nest(path: Path, rounds: int) -> Iterator[Path]:
    last = path[-1]
    if rounds == 0 or last is None:
        yield path
        return
    for x in (0, 1, 2):
        if x not in last.s:
            yield from nest([*path, last._replace(s=last.s | {x})], rounds - 1)
        else:
            yield from nest([*path, last._replace(a=last.a + 1) if last.a < 2 else None], rounds - 1)
            yield from nest([*path, last._replace(s=last.s - {x})], rounds - 1)
            yield from nest(path, rounds - 1)


def take(s: State, k: int) -> Iterator[Path]:
    s = s._replace(bag=s.bag - {k})
    for y in s.s:
        if y >= k:
            t = s._replace(a=y)
            yield [t, t._replace(s=t.s - {y})]
            yield [t, t._replace(n=0)]
            yield [t]


def crash(s: State) -> State:
    return s._replace(down=True, crashes=s.crashes - 1)


def steps(s: State, paths: Iterator[Path]) -> Iterator[Step[State]]:
    tears: set[State] = set()
    for path in paths:
        yield Step(path[-1])
        if path[-1] is not None:
            tears |= {t for t in path[:-1] if t is not None}
    if s.crashes:
        for t in tears:
            yield Step(crash(t), fault=True)


def enabled(s: State) -> Iterator[Step[State]]:
    if not s.down:
        if s.n < 2:
            yield from steps(s, nest([s._replace(n=s.n + 1)], 2))
        for k in s.bag:
            yield from steps(s, take(s, k))
        if s.crashes:
            yield Step(crash(s), fault=True)
    else:
        yield Step(s._replace(down=False))
    if s.m < 2:
        for k in (0, 1, 2):
            yield Step(None if k in s.bag else s._replace(m=s.m + 1, bag=s.bag | {k}))


def count(crashes: int) -> Count:
    wanted = Properties[State](
        always={"NotAll": lambda s: len(s.s) < 3 or s.a != 2},
        reach={"Spent": lambda s: s.n == 0 and s.a == 2},
        final=lambda _: False,
    )
    return search([State(0, frozenset(), 0, 0, frozenset(), False, crashes)], enabled, wanted)


ORACLES = [
    Oracle("outcomes", TEXT.replace("FAULTS", ""), lambda: count(0)),
    Oracle("outcomes that a crash tears", TEXT.replace("FAULTS", "faults crash P <= 1"), lambda: count(1)),
]
