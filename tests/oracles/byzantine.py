"""Byzantine senders: one initial state for each set of faulty instances, which run nothing and may say anything.

A faulty sender's messages are invented at delivery: every content, to every honest handler whose guard is true, of the
kinds that its role sends, under its own name. They are in no network. What is sent to a faulty instance is gone, so that
it fills no network. `sent` is true of whatever a faulty instance may have sent. Nothing else befalls a faulty instance.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations
from typing import NamedTuple

from tests.oracles.bfs import Count, Oracle, Properties, Step, search

BAG = """spec Liars
id Val[2]
message Say(v: Val)
network bag[1]
role Rep[3] {
  durable said: Val? = none
  durable got: Map[Rep, Val?] = none
  action Propose(v: Val) when said == none { said := v  send Say(v) to Rep }
  on Say(v) from p when got[p] == none { got[p] := v }
}
invariant Same: forall a in honest(Rep), b in honest(Rep), p in Rep:
  a.got[p] != none and b.got[p] != none => a.got[p] == b.got[p]
invariant HonestSame: forall a in honest(Rep), b in honest(Rep), p in honest(Rep):
  a.got[p] != none and b.got[p] != none => a.got[p] == b.got[p]
reach All: forall a in honest(Rep), p in Rep: a.got[p] != none
final: true
check c { faults byzantine Rep <= 1 }
"""

FULL = """spec Filled
message Hello
network bag[1]
role Rep[2] {
  durable x: 0..2 = 0
  action Greet when x < 2 { x += 1  send Hello to Rep - {self} }
  on Hello from p { x := 0 }
}
reach Two: exists p in Rep: p.x == 2
final: true
check c { faults byzantine Rep <= 1 }
"""

SOUP = """spec Soup
id Val[2]
message Command(v: Val), Say(v: Val)
network soup
role Boss {
  durable gave: Val? = none
  action Give(v: Val) when gave == none { gave := v  send Command(v) to Rep }
}
role Rep[3] {
  durable said: Val? = none
  durable done: Val? = none
  volatile heard: Set[Rep] = {}
  on Command(v) from b when said == none { said := v  send Say(v) to all }
  on Say(v) from p when p not in heard and said == none {
    heard += p
    if size(heard) == 2 { said := v  send Say(v) to all }
  }
  action Decide(v: Val) when done == none and size({p in Rep where sent(Say(v) from p)}) >= 2 { done := v }
}
invariant Agree: forall a in honest(Rep), b in honest(Rep): a.done != none and b.done != none => a.done == b.done
invariant NoneSaid: not (exists v in Val: forall p in Rep: sent(Say(v) from p))
reach FaultyDone: exists p in Rep: p.done != none and p not in honest(Rep)
final: true
check c { FAULTS }
"""

Message = tuple[int, int, int]
"""Value, sender, receiver; the boss is -1."""


class Liars(NamedTuple):
    faulty: int
    said: tuple[int | None, ...]
    got: frozenset[Message]
    bag: frozenset[Message]


def lying(s: Liars) -> Iterator[Step[Liars]]:
    honest = [p for p in range(3) if p != s.faulty]
    for p in honest:
        if s.said[p] is None:
            for v in (0, 1):
                said = (*s.said[:p], v, *s.said[p + 1 :])
                yield Step(s._replace(said=said, bag=s.bag | {(v, p, q) for q in honest}))
        for v in (0, 1):
            if not any((w, s.faulty, p) in s.got for w in (0, 1)):
                yield Step(s._replace(got=s.got | {(v, s.faulty, p)}))
    for v, p, q in s.bag:
        if not any((w, p, q) in s.got for w in (0, 1)):
            yield Step(s._replace(got=s.got | {(v, p, q)}, bag=s.bag - {(v, p, q)}))


def count_bag() -> Count:
    def same(s: Liars, senders: set[int]) -> bool:
        return all(len({v for v, p, _ in s.got if p == sender}) < 2 for sender in senders)

    wanted = Properties[Liars](
        always={
            "Same": lambda s: same(s, {0, 1, 2}),
            "HonestSame": lambda s: same(s, {0, 1, 2} - {s.faulty}),
        },
        reach={"All": lambda s: len(s.got) == 6},
    )
    nothing: frozenset[Message] = frozenset()
    return search([Liars(f, (None,) * 3, nothing, nothing) for f in range(3)], lying, wanted)


class Filled(NamedTuple):
    faulty: int
    x: int
    """Of the honest one."""


def filling(s: Filled) -> Iterator[Step[Filled]]:
    if s.x < 2:
        yield Step(s._replace(x=s.x + 1))
    yield Step(s._replace(x=0))


def count_full() -> Count:
    return search([Filled(0, 0), Filled(1, 0)], filling, Properties[Filled](reach={"Two": lambda s: s.x == 2}))


class Soup(NamedTuple):
    faulty: frozenset[int]
    gave: int | None
    said: tuple[int | None, ...]
    done: tuple[int | None, ...]
    heard: tuple[frozenset[int], ...]
    soup: frozenset[Message]
    down: frozenset[int]
    crashes: int


def put(values: tuple[int | None, ...], p: int, v: int) -> tuple[int | None, ...]:
    return (*values[:p], v, *values[p + 1 :])


def hear(s: Soup, p: int, heard: frozenset[int]) -> Soup:
    return s._replace(heard=(*s.heard[:p], heard, *s.heard[p + 1 :]))


def crash(s: Soup, p: int) -> Soup:
    return hear(s, p, frozenset())._replace(down=s.down | {p}, crashes=s.crashes - 1)


def say(s: Soup, p: int, v: int) -> Iterator[Step[Soup]]:
    """Write down v and send it to all, or be torn between these."""
    said = s._replace(said=put(s.said, p, v))
    yield Step(said._replace(soup=s.soup | {(v, p, q) for q in range(3)}))
    if s.crashes:
        subsets = [to for size in range(3) for to in combinations(range(3), size)]
        for t in {crash(said._replace(soup=s.soup | {(v, p, q) for q in to}), p) for to in subsets}:
            yield Step(t, fault=True)


def was_sent(s: Soup, v: int, p: int) -> bool:
    return p in s.faulty or any((w, r) == (v, p) for w, r, _ in s.soup)


def receive(s: Soup, message: Message) -> Iterator[Step[Soup]]:
    v, p, q = message
    if q in s.faulty or q in s.down or s.said[q] is not None:
        return
    if p == -1:
        yield from say(s, q, v)
    elif p not in s.heard[q]:
        t = hear(s, q, s.heard[q] | {p})
        if len(t.heard[q]) < 2:
            yield Step(t)
        else:
            yield from say(t, q, v)


def in_soup(s: Soup) -> Iterator[Step[Soup]]:
    if s.gave is None:
        for v in (0, 1):
            yield Step(s._replace(gave=v, soup=s.soup | {(v, -1, q) for q in range(3)}))
    invented = {(v, p, q) for v in (0, 1) for p in s.faulty for q in range(3)}
    for message in s.soup | invented:
        yield from receive(s, message)
    for p in {0, 1, 2} - s.faulty:
        if p in s.down:
            yield Step(s._replace(down=s.down - {p}))
            continue
        for v in (0, 1):
            if s.done[p] is None and sum(was_sent(s, v, q) for q in range(3)) >= 2:
                yield Step(s._replace(done=put(s.done, p, v)))
        if s.crashes:
            yield Step(crash(s, p), fault=True)


def count_soup(faulty: int, crashes: int) -> Count:
    wanted = Properties[Soup](
        always={
            "Agree": lambda s: not {0, 1} <= set(s.done),
            "NoneSaid": lambda s: not any(all(was_sent(s, v, p) for p in range(3)) for v in (0, 1)),
        },
        reach={"FaultyDone": lambda s: any(s.done[p] is not None for p in s.faulty)},
    )
    nobody: frozenset[int] = frozenset()
    none: tuple[int | None, ...] = (None,) * 3
    start = Soup(nobody, None, none, none, (nobody,) * 3, frozenset(), nobody, crashes)
    sets = [frozenset(f) for f in combinations(range(3), faulty)]
    return search([start._replace(faulty=f) for f in sets], in_soup, wanted)


def soup(faulty: int, crashes: int) -> Oracle:
    budgets = [f"{kind} Rep <= {n}" for kind, n in (("byzantine", faulty), ("crash", crashes)) if n]
    text = SOUP.replace("FAULTS", "faults " + ", ".join(budgets))
    return Oracle(f"a soup, {faulty} faulty, {crashes} crashes", text, lambda: count_soup(faulty, crashes))


ORACLES = [
    Oracle("a bag, one faulty", BAG, count_bag),
    Oracle("a full bag, one faulty", FULL, count_full),
    soup(1, 0),
    soup(2, 0),
    soup(1, 1),
    soup(0, 1),
]
