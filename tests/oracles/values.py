"""Values that are not numbers: records with `where`, optionals, sequences, bags, bounded sets, nested maps.

`= any S` makes an initial state for each element, for each instance on its own. `none` is below everything, and records
are ordered field by field, the first field first. A value that its type does not have is an error where it is stored.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from typing import NamedTuple

from tests.oracles.bfs import Count, Oracle, Properties, Step, search

RECORDS = """spec Records
record Span(lo: 0..2, hi: 0..2) where lo <= hi
record Note(who: P, span: Span?)
role P[2] {
  durable best: Span? = any opt(Span)
  durable note: Note? = none
  action Grow(s: Span) when s > best { note := Note(self, best)  best := s }
  action Lift when best?.lo == 0 and best.hi > 0 { best := best with (lo = best.hi) }
  action Stretch when best != none and best.lo > 0 { best := best with (lo = 2) }
  action Steal(p: P) when p != self and best?.hi > 1 and (note == none or note.who == self) {
    note := Note(p, none)
    best := none
  }
}
invariant Below: forall p in P: p.note?.span <= p.best
invariant Mine: forall p in P: p.note == none or p.note.who == p
reach Top: forall p in P: p.best?.lo == 2
step Up: forall p in P: old(p.best) <= p.best or old(p.best)?.hi == 2
final: true
check c { }
"""

COLLECTIONS = """spec Collections
role P {
  durable q: Seq[0..1, 3] = []
  durable b: Bag[0..1, 2] = {}
  durable s: Set[0..2, 2] = {}
  durable m: Map[0..1, Map[bool, 0..2]] = 0
  durable z: 1..3 = any {1, 3}
  action Push(k: 0..1) when size(q) < 3 { q += [k] }
  action Rotate when size(q) > 1 { q := drop(q, 1) + take(q, 1) }
  action Count when size(q) == 3 and q[0] != last(q) {
    m[q[1]][q[0] < last(q)] += 1
    q := []
  }
  action Keep when size(q) > 0 and last(q) == 1 and m[1][true] > 0 {
    b += last(q)
    q := take(q, size(q) - 1)
  }
  action Lose(k: 0..1) when k in b {
    b -= k
    s += size(q)
  }
  action Sum when (sum k in 0..1: m[k][true]) == z { m := {k in 0..1: m[k] with ([true] = 0)} }
}
invariant Few: size(P.s) < 2
invariant OneBagged: size(P.b) < 2
reach Full: P.q == [1, 1, 1] and P.m[0][false] == 2
final: true
check c { }
"""

Span = tuple[int, int]
SPANS = [(lo, hi) for lo in range(3) for hi in range(lo, 3)]
NOTHING = (-1, -1)
"""Stands for `none`, and is below every span."""


class One(NamedTuple):
    best: Span
    note: tuple[int, Span] | None


Records = tuple[One, One]


def in_records(s: Records) -> Iterator[Step[Records]]:
    for i, (best, note) in enumerate(s):

        def put(one: One, i: int = i) -> Records:
            return (one, s[1]) if i == 0 else (s[0], one)

        lo, hi = best
        for span in SPANS:
            if span > best:
                yield Step(put(One(span, (i, best))))
        if lo == 0 and hi > 0:
            yield Step(put(One((hi, hi), note)))
        if lo > 0:
            yield Step(put(One((2, hi), note)) if hi == 2 else None)
        if hi > 1 and (note is None or note[0] == i):
            yield Step(put(One(NOTHING, (1 - i, NOTHING))))


def count_records() -> Count:
    wanted = Properties[Records](
        always={
            "Below": lambda s: all((NOTHING if p.note is None else p.note[1]) <= p.best for p in s),
            "Mine": lambda s: all(p.note is None or p.note[0] == i for i, p in enumerate(s)),
        },
        reach={"Top": lambda s: all(p.best[0] == 2 for p in s)},
        steps={"Up": lambda s, t: all(a.best <= b.best or a.best[1] == 2 for a, b in zip(s, t, strict=True))},
    )
    ones = [One(best, None) for best in [NOTHING, *SPANS]]
    return search(list(product(ones, ones)), in_records, wanted)


class Collections(NamedTuple):
    q: tuple[int, ...]
    b: tuple[int, ...]
    """Sorted."""
    s: frozenset[int]
    m: frozenset[tuple[int, bool, int]]
    """The entries that are not 0."""
    z: int


def at(m: frozenset[tuple[int, bool, int]], k: int, flag: bool) -> int:
    return next((value for j, f, value in m if (j, f) == (k, flag)), 0)


def in_collections(s: Collections) -> Iterator[Step[Collections]]:
    q = s.q
    if len(q) < 3:
        for k in (0, 1):
            yield Step(s._replace(q=(*q, k)))
    if len(q) > 1:
        yield Step(s._replace(q=(*q[1:], q[0])))
    if len(q) == 3 and q[0] != q[2]:
        k, flag = q[1], q[0] < q[2]
        old = at(s.m, k, flag)
        m = s.m - {(k, flag, old)} | {(k, flag, old + 1)}
        yield Step(s._replace(q=(), m=m) if old < 2 else None)
    if q and q[-1] == 1 and at(s.m, 1, True) > 0:
        yield Step(s._replace(b=tuple(sorted((*s.b, 1))), q=q[:-1]) if len(s.b) < 2 else None)
    for k in set(s.b):
        left = list(s.b)
        left.remove(k)
        sizes = {x for x in s.s | {len(q)} if x < 3}
        fits = len(q) < 3 and len(sizes) < 3
        yield Step(s._replace(b=tuple(left), s=frozenset(sizes)) if fits else None)
    if at(s.m, 0, True) + at(s.m, 1, True) == s.z:
        yield Step(s._replace(m=frozenset(entry for entry in s.m if not entry[1])))


def count_collections() -> Count:
    wanted = Properties[Collections](
        always={"Few": lambda s: len(s.s) < 2, "OneBagged": lambda s: len(s.b) < 2},
        reach={"Full": lambda s: s.q == (1, 1, 1) and at(s.m, 0, False) == 2},
    )
    start = Collections((), (), frozenset(), frozenset(), 1)
    return search([start._replace(z=z) for z in (1, 3)], in_collections, wanted)


ORACLES = [
    Oracle("records and optionals", RECORDS, count_records),
    Oracle("sequences, bags, sets and maps", COLLECTIONS, count_collections),
]
