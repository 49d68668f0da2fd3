"""The dining philosophers, with forks that are processes: a deadlock, unless one of them takes the other fork first."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from tests.oracles.bfs import Count, Oracle, Properties, Step, search

TEXT = """spec Philosophers
const N: 2..5 = 3
const LEFTY: bool = false
enum Phase { thinking, none_yet, one, eating }
message Take, Given, Release
network bag[1]
role Phil[N] {
  durable phase: Phase = thinking
  fun near: Fork = at(Fork, index(self))
  fun far: Fork = at(Fork, (index(self) + 1) % N)
  fun first: Fork = if LEFTY and index(self) == 0 then far else near
  fun second: Fork = if LEFTY and index(self) == 0 then near else far
  action Sit when phase == thinking { phase := none_yet  send Take to first }
  on Given from f when f == first { phase := one  send Take to second }
  on Given from f when f == second { phase := eating }
  action Leave when phase == eating { phase := thinking  send Release to {near, far} }
}
role Fork[N] {
  durable holder: Phil? = none
  on Take from p when holder == none { holder := p  send Given to p }
  on Release from p { holder := none }
}
invariant Neighbours: forall a in Phil, b in Phil: a.phase == eating and b.phase == eating => a == b
reach Eats: exists a in Phil: a.phase == eating
final: false
check c { N = COUNT  LEFTY = ONE_LEFTY }
"""


class State(NamedTuple):
    phases: tuple[str, ...]
    holders: tuple[int | None, ...]
    bag: frozenset[tuple[str, int, int]]
    """Kind, philosopher, fork."""


def changed(values: tuple[str, ...], i: int, value: str) -> tuple[str, ...]:
    return (*values[:i], value, *values[i + 1 :])


def enabled(s: State, n: int, lefty: bool) -> Iterator[Step[State]]:
    def forks(p: int) -> tuple[int, int]:
        near, far = p, (p + 1) % n
        return (far, near) if lefty and p == 0 else (near, far)

    def send(rest: State, kind: str, p: int, *to: int) -> Step[State]:
        new = {(kind, p, f) for f in to}
        return Step(None if new & rest.bag else rest._replace(bag=rest.bag | new))

    for p, phase in enumerate(s.phases):
        if phase == "thinking":
            yield send(s._replace(phases=changed(s.phases, p, "no fork")), "take", p, forks(p)[0])
        if phase == "eating":
            yield send(s._replace(phases=changed(s.phases, p, "thinking")), "release", p, *forks(p))
    for message in s.bag:
        kind, p, f = message
        rest = s._replace(bag=s.bag - {message})
        if kind == "given":
            if f == forks(p)[0]:
                yield send(rest._replace(phases=changed(s.phases, p, "one")), "take", p, forks(p)[1])
            else:
                yield Step(rest._replace(phases=changed(s.phases, p, "eating")))
        if kind == "take" and s.holders[f] is None:
            yield send(rest._replace(holders=(*s.holders[:f], p, *s.holders[f + 1 :])), "given", p, f)
        if kind == "release":
            yield Step(rest._replace(holders=(*s.holders[:f], None, *s.holders[f + 1 :])))


def count(n: int, lefty: bool) -> Count:
    wanted = Properties[State](
        always={"Neighbours": lambda s: s.phases.count("eating") < 2},
        reach={"Eats": lambda s: "eating" in s.phases},
        final=lambda _: False,
    )
    start = State(("thinking",) * n, (None,) * n, frozenset())
    return search([start], lambda s: enabled(s, n, lefty), wanted)


def oracle(n: int, lefty: bool) -> Oracle:
    text = TEXT.replace("COUNT", str(n)).replace("ONE_LEFTY", str(lefty).lower())
    name = f"{n} philosophers, {'one' if lefty else 'none'} left-handed"
    return Oracle(name, text, lambda: count(n, lefty))


ORACLES = [oracle(2, False), oracle(3, False), oracle(3, True), oracle(4, False)]
