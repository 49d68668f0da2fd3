"""Cuts: one bipartition at a time, which blocks delivery but not sending, until it heals.

Among n instances there are 2 to the n - 1, less one, ways to cut. A message to oneself is never cut. `cut(A, B)` separates
instances of these roles from each other; instances of other roles reach everybody. Healing is no fault, so a
state that can heal is no deadlock.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations
from typing import NamedTuple

from tests.oracles.bfs import Count, Oracle, Properties, Step, search

ALL_CUT = """spec Cuts
message Hi
network bag[1]
role P[3] {
  durable called: bool = false
  durable got: Set[P] = {}
  action Call when not called { called := true  send Hi to P }
  on Hi from p { got += p }
}
fun full(p: P): bool = p.got == P
invariant NotAll: not (forall p in P: full(p))
reach Alone: exists p in P: p.got == {p} and (forall q in P: q.called)
final: forall p in P: full(p)
check c { faults cut <= 2 }
"""

SOME_CUT = """spec SomeCut
message Ask, Tell
network bag[1]
role A[2] {
  durable asked: bool = false
  durable told: 0..2 = 0
  action Start when not asked { asked := true  send Ask to all }
  on Tell from p { told += 1 }
}
role B {
  durable seen: 0..2 = 0
  on Ask from a { seen += 1  send Tell to a }
}
role C {
  durable seen: 0..2 = 0
  on Ask from a { seen += 1  send Tell to a }
}
invariant NotBoth: not (forall a in A: a.told == 2)
reach Both: B.seen == 0 and C.seen == 2
final: forall a in A: a.told == 2
check c { faults cut(A, B) <= 1 }
"""

Pair = tuple[int, int]
Cut = frozenset[frozenset[int]]
"""Two sides; empty while the network is whole."""


class State(NamedTuple):
    called: frozenset[int]
    got: frozenset[Pair]
    """Who got a message, and from whom."""
    bag: frozenset[tuple[str, int, int]]
    cut: Cut
    budget: int


def bipartitions(instances: tuple[int, ...]) -> set[Cut]:
    return {
        frozenset({frozenset(side), frozenset(instances) - frozenset(side)})
        for size in range(1, len(instances))
        for side in combinations(instances, size)
    }


def cut_off(s: State, a: int, b: int) -> bool:
    return any(a in side for side in s.cut) and any(b in side for side in s.cut) and not any({a, b} <= x for x in s.cut)


def faults(s: State, cuts: set[Cut]) -> Iterator[Step[State]]:
    if s.cut:
        yield Step(s._replace(cut=frozenset()))
    elif s.budget:
        for cut in cuts:
            yield Step(s._replace(cut=cut, budget=s.budget - 1), fault=True)


def all_cut(s: State) -> Iterator[Step[State]]:
    for p in range(3):
        if p not in s.called:
            sent = {("Hi", p, q) for q in range(3)}
            yield Step(s._replace(called=s.called | {p}, bag=s.bag | sent))
    for message in s.bag:
        _, p, q = message
        if not cut_off(s, p, q):
            yield Step(s._replace(got=s.got | {(q, p)}, bag=s.bag - {message}))
    yield from faults(s, bipartitions((0, 1, 2)))


A0, A1, B, C = range(4)


def told(s: State, who: int) -> int:
    return sum(a == who for a, _ in s.got)


def some_cut(s: State) -> Iterator[Step[State]]:
    """`got` has what A was told; that B or C has seen a question shows in what it has answered."""
    for a in (A0, A1):
        if a not in s.called:
            yield Step(s._replace(called=s.called | {a}, bag=s.bag | {("Ask", a, B), ("Ask", a, C)}))
    for message in s.bag:
        kind, source, to = message
        if cut_off(s, source, to):
            continue
        if kind == "Ask":
            yield Step(s._replace(bag=s.bag - {message} | {("Tell", to, source)}))
        else:
            yield Step(s._replace(bag=s.bag - {message}, got=s.got | {(to, source)}))
    yield from faults(s, bipartitions((A0, A1, B)))


def seen(s: State, who: int) -> int:
    return sum(source == who for kind, source, _ in s.bag if kind == "Tell") + sum(source == who for _, source in s.got)


def count_all() -> Count:
    def full(s: State) -> bool:
        return len(s.got) == 9

    wanted = Properties[State](
        always={"NotAll": lambda s: not full(s)},
        reach={"Alone": lambda s: len(s.called) == 3 and any({q for r, q in s.got if r == p} == {p} for p in range(3))},
        final=full,
    )
    return search([State(frozenset(), frozenset(), frozenset(), frozenset(), 2)], all_cut, wanted)


def count_some() -> Count:
    def both(s: State) -> bool:
        return told(s, A0) == 2 and told(s, A1) == 2

    wanted = Properties[State](
        always={"NotBoth": lambda s: not both(s)},
        reach={"Both": lambda s: seen(s, B) == 0 and seen(s, C) == 2},
        final=both,
    )
    return search([State(frozenset(), frozenset(), frozenset(), frozenset(), 1)], some_cut, wanted)


ORACLES = [
    Oracle("cuts among all instances", ALL_CUT, count_all),
    Oracle("cuts among instances of two roles", SOME_CUT, count_some),
]
