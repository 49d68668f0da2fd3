"""Corners: effects that change nothing, ticks with outcomes, drift of an instance that is down, sessions and loss on a soup.

- An assignment that changes nothing and an `atomic` block that holds nothing are effects: a tear after them has consumed
  the message and done nothing else.
- A tick is a step for each outcome of all bodies together, where that changes something. An instance may drift while it
  is down.
- On a soup, `lose` removes a message, a crash empties what a session holds, and `dup` is left to the other networks.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from typing import NamedTuple

from tests.oracles.bfs import Count, Oracle, Properties, Step, search

EFFECTS = """spec Effects
message M(k: 0..1), Z
network bag[2]
role P {
  durable s: Set[0..1] = {}
  durable t: 0..2 = 0
  volatile v: bool = false
  on M(k) from q when t < 2 { s += k  t += 1 }
  on Z from q { FIRST  t := 0 }
}
role Q {
  durable n: 0..2 = 0
  action Go(k: 0..1) when n < 2 { n += 1  send M(k) to P }
  action No when n == 2 { n := 0  send Z to P }
}
final: true
check c { faults crash P <= 1 }
"""

TICKS = """spec Ticks
role C[2] {
  durable x: 0..2 = 0
  on tick { if x < 2 { BODY } }
}
invariant Same: forall a in C, b in C: a.x == b.x
final: true
check c { faults FAULTS }
"""

SOUPS = """spec Soups
message M, O
network a soup OPTION for M
network b bag[2] for O
role C {
  durable x: bool = false
  action Go when not x { x := true  send M to D  send O to D }
}
role D {
  durable y: 0..3 = 0
  on M from c when y < 3 { y += 1 }
  on O from c when y < 3 { y += 1 }
}
invariant Few: D.y < 3
final: true
check c { faults FAULTS }
"""


class Effects(NamedTuple):
    s: frozenset[int]
    t: int
    v: bool
    n: int
    bag: tuple[int, ...]
    """Sorted; 2 is Z."""
    up: bool
    crashes: int


Z = 2


def with_effects(s: Effects, atomic: bool, sets_v: bool) -> Iterator[Step[Effects]]:
    def crash(s: Effects) -> Effects:
        return s._replace(v=False, up=False, crashes=0)

    def send(s: Effects, k: int) -> Step[Effects]:
        return Step(None if s.bag.count(k) == 2 else s._replace(bag=tuple(sorted((*s.bag, k)))))

    if s.n < 2:
        yield send(s._replace(n=s.n + 1), 0)
        yield send(s._replace(n=s.n + 1), 1)
    else:
        yield send(s._replace(n=0), Z)
    if not s.up:
        yield Step(s._replace(up=True))
        return
    for k in set(s.bag):
        left = list(s.bag)
        left.remove(k)
        taken = s._replace(bag=tuple(left))
        if k == Z:
            yield Step(taken._replace(v=s.v or sets_v, t=0))
            if atomic and s.crashes:
                yield Step(crash(taken), fault=True)
        elif s.t < 2:
            kept = taken._replace(s=s.s | {k})
            yield Step(kept._replace(t=s.t + 1))
            if s.crashes:
                yield Step(crash(kept), fault=True)
    if s.crashes:
        yield Step(crash(s), fault=True)


def effects(first: str) -> Oracle:
    def count() -> Count:
        start = Effects(frozenset(), 0, False, 0, (), True, 1)
        return search([start], lambda s: with_effects(s, "atomic" in first, ":=" in first), Properties[Effects]())

    return Oracle(f"effects, {first or 'none'}", EFFECTS.replace("FIRST", first), count)


class Ticks(NamedTuple):
    x: tuple[int, int]
    down: frozenset[int]
    drifts: int
    crashes: int


def runs(x: int, times: int, may_rest: bool) -> list[int]:
    """What x is after the body has run so often, once for each sequence of outcomes."""
    ends = [x]
    for _ in range(times):
        ends = [y for x in ends for y in ([x] if x == 2 else [x + 1, x] if may_rest else [x + 1])]
    return ends


def ticking(s: Ticks, may_rest: bool) -> Iterator[Step[Ticks]]:
    for times in [(1, 1), (0, 1), (2, 1), (1, 0), (1, 2)]:
        drifts = times != (1, 1)
        if drifts and not s.drifts:
            continue
        for a, b in product(runs(s.x[0], times[0], may_rest), runs(s.x[1], times[1], may_rest)):
            if (a, b) != s.x:
                yield Step(s._replace(x=(a, b), drifts=s.drifts - drifts), fault=drifts)
    for i in (0, 1):
        if i in s.down:
            yield Step(s._replace(down=s.down - {i}))
        elif s.crashes:
            yield Step(s._replace(down=s.down | {i}, crashes=s.crashes - 1), fault=True)


def ticks(body: str, drifts: int, crashes: int) -> Oracle:
    def count() -> Count:
        wanted = Properties[Ticks](always={"Same": lambda s: s.x[0] == s.x[1]})
        return search([Ticks((0, 0), frozenset(), drifts, crashes)], lambda s: ticking(s, "either" in body), wanted)

    text = TICKS.replace("BODY", body).replace("FAULTS", f"drift C <= {drifts}, crash C <= {crashes}")
    return Oracle(f"ticks, {body}, {drifts} drifts, {crashes} crashes", text, count)


class Soups(NamedTuple):
    x: bool
    y: int
    m: bool
    o: int
    up: bool
    crashes: int
    losses: int
    dups: int


def in_soups(s: Soups, session: bool) -> Iterator[Step[Soups]]:
    if s.up:
        sent_m = s._replace(x=True, m=True)
        if not s.x:
            yield Step(sent_m._replace(o=1))
        torn = [s, s._replace(x=True), sent_m] if not s.x else [s]
        ends = [t._replace(m=t.m and not session, up=False, crashes=0) for t in torn]
        # The tears with and without M are one where the session has lost it.
        for t in [ends[0], *set(ends[1:])]:
            if s.crashes:
                yield Step(t, fault=True)
    else:
        yield Step(s._replace(up=True))
    if s.m and s.y < 3:
        yield Step(s._replace(y=s.y + 1))
    if s.o and s.y < 3:
        yield Step(s._replace(y=s.y + 1, o=s.o - 1))
    if s.losses and s.m:
        yield Step(s._replace(m=False, losses=0), fault=True)
    if s.losses and s.o:
        yield Step(s._replace(o=s.o - 1, losses=0), fault=True)
    if s.dups and s.o == 1:
        yield Step(s._replace(o=2, dups=0), fault=True)


def soups(option: str, crashes: int, losses: int, dups: int) -> Oracle:
    def count() -> Count:
        wanted = Properties[Soups](always={"Few": lambda s: s.y < 3})
        start = Soups(False, 0, False, 0, True, crashes, losses, dups)
        return search([start], lambda s: in_soups(s, option == "session"), wanted)

    budgets = [f"{f} <= {n}" for f, n in (("crash C", crashes), ("lose", losses), ("dup", dups)) if n]
    text = SOUPS.replace("OPTION", option).replace("FAULTS", ", ".join(budgets))
    return Oracle(f"a soup {option} and a bag, {', '.join(budgets)}", text, count)


ORACLES = [
    *(effects(first) for first in ("atomic { v := true }", "v := true", "atomic { }", "")),
    ticks("either { x += 1 } or { }", 1, 0),
    ticks("x += 1", 1, 1),
    ticks("either { x += 1 } or { }", 2, 1),
    soups("", 1, 1, 1),
    soups("session", 1, 0, 1),
]
