"""Networks that lose and duplicate: what `lose` and `dup` do in a bag and in a queue.

A bag has no positions, so one step loses (or duplicates) one kind of message with its sender, receiver and payload. In a
queue each position is a step of its own, also where equal messages stand side by side, and a copy stands behind its
original. Both faults spend their budgets, and no copy is made where the network is full.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from tests.oracles.bfs import Count, Oracle, Properties, Step, search

TEXT = """spec Lossy
message Ping(k: 0..1), Pong
network NETWORK
role A {
  durable n: 0..3 = 0
  durable got: 0..2 = 0
  action Send(k: 0..1) when n < 3 { n += 1  send Ping(k) to B }
  on Pong from b { if got < 2 { got += 1 } }
}
role B {
  durable last: 0..1 = 0
  durable odd: bool = false
  on Ping(k) from a when not (odd and k == 0) {
    last := k
    odd := not odd
    if odd { send Pong to A }
  }
}
invariant Heard: not (A.got == 2 and A.n == 2)
invariant Quiet: not (inflight(Ping from A to B) and inflight(Pong))
reach All: A.got == 2
final: A.n == 3
check c { faults lose <= 1, dup <= 1 }
"""

PONG = 2
"""Pings are 0 and 1."""


class State(NamedTuple):
    n: int
    got: int
    last: int
    odd: bool
    to_b: tuple[int, ...]
    to_a: tuple[int, ...]
    lose: int
    dup: int


def remove(queue: tuple[int, ...], at: int) -> tuple[int, ...]:
    return queue[:at] + queue[at + 1 :]


class Bag:
    """A multiset of at most two of each, kept sorted."""

    @staticmethod
    def has_room(queue: tuple[int, ...], message: int) -> bool:
        return queue.count(message) < 2

    @staticmethod
    def add(queue: tuple[int, ...], message: int) -> tuple[int, ...]:
        return tuple(sorted((*queue, message)))

    @staticmethod
    def open(queue: tuple[int, ...]) -> list[int]:
        """Where a message can be delivered, lost or duplicated: once for equal ones."""
        return [queue.index(message) for message in set(queue)]

    positions = open


class Fifo:
    """A queue of at most three."""

    @staticmethod
    def has_room(queue: tuple[int, ...], _: int) -> bool:
        return len(queue) < 3

    @staticmethod
    def add(queue: tuple[int, ...], message: int) -> tuple[int, ...]:
        return (*queue, message)

    @staticmethod
    def open(queue: tuple[int, ...]) -> list[int]:
        return [0] if queue else []

    @staticmethod
    def positions(queue: tuple[int, ...]) -> list[int]:
        return list(range(len(queue)))


Net = type[Bag] | type[Fifo]


def enabled(s: State, net: Net) -> Iterator[Step[State]]:
    if s.n < 3:
        for k in (0, 1):
            room = net.has_room(s.to_b, k)
            yield Step(s._replace(n=s.n + 1, to_b=net.add(s.to_b, k)) if room else None)
    for at in net.open(s.to_a):
        yield Step(s._replace(got=min(2, s.got + 1), to_a=remove(s.to_a, at)))
    for at in net.open(s.to_b):
        k = s.to_b[at]
        if s.odd and k == 0:
            continue
        t = s._replace(to_b=remove(s.to_b, at), last=k, odd=not s.odd)
        if not t.odd:
            yield Step(t)
        else:
            yield Step(t._replace(to_a=net.add(s.to_a, PONG)) if net.has_room(s.to_a, PONG) else None)
    if s.lose:
        for at in net.positions(s.to_a):
            yield Step(s._replace(to_a=remove(s.to_a, at), lose=s.lose - 1), fault=True)
        for at in net.positions(s.to_b):
            yield Step(s._replace(to_b=remove(s.to_b, at), lose=s.lose - 1), fault=True)
    if s.dup:
        for at in net.positions(s.to_a):
            if net.has_room(s.to_a, PONG):
                yield Step(s._replace(to_a=(*s.to_a[:at], PONG, *s.to_a[at:]), dup=s.dup - 1), fault=True)
        for at in net.positions(s.to_b):
            if net.has_room(s.to_b, s.to_b[at]):
                yield Step(s._replace(to_b=(*s.to_b[:at], s.to_b[at], *s.to_b[at:]), dup=s.dup - 1), fault=True)


WANTED = Properties[State](
    always={
        "Heard": lambda s: not (s.got == 2 and s.n == 2),
        "Quiet": lambda s: not (s.to_b and s.to_a),
    },
    reach={"All": lambda s: s.got == 2},
    final=lambda s: s.n == 3,
)


def count(net: Net) -> Count:
    return search([State(0, 0, 0, False, (), (), 1, 1)], lambda s: enabled(s, net), WANTED)


ORACLES = [
    Oracle("loss and duplication in a bag", TEXT.replace("NETWORK", "bag[2]"), lambda: count(Bag)),
    Oracle("loss and duplication in a queue", TEXT.replace("NETWORK", "fifo[3]"), lambda: count(Fifo)),
]
