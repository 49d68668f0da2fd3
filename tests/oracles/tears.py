"""What a crash tears: a step's effects, in every order of iteration of a loop over a set, and never an `atomic` block.

The oracle carries out the body once for each order of the loop and cuts each run off after every effect. Once a loop is
through, it ran in the order of declaration, as it does in a step that nothing tears. A range is a set here. Ghosts
written after an effect belong to it. A restart is torn as well, and leaves its instance down.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import combinations, permutations, product
from typing import NamedTuple

from tests.oracles.bfs import Count, Oracle, Properties, Step, search

LOOPS = """spec Loops
message Copy(k: 0..3)
network bag[2]
role Main {
  durable k: 0..3 = 0
  durable order: Map[Node, 0..3] = 0
  volatile cache: 0..3 = 0
  ghost seen: 0..3 = 0
  action Spread when k == 0 {
    k := 1
    let i = 0
    for n in Node {
      i += 1
      order[n] := i
      send Copy(i) to n
      seen := i
    }
    k := 2
    cache := 2
  }
}
role Node[3] {
  durable have: 0..3 = 0
  on Copy(i) from m { have := i }
}
invariant Ordered: forall n in Node: n.have in {0, index(n) + 1}
invariant Seen: forall n in Node: Main.order[n] <= Main.seen
reach Both: Main.k == 2 and (forall n in Node: n.have > 0)
final: true
check c { faults crash Main <= 1 }
"""

NESTED = """spec Nested
message Copy
network bag[2]
role Main {
  durable k: 0..2 = 0
  durable m: Map[Node, Map[0..1, bool]] = false
  action Go when k == 0 {
    k := 1
    for n in Node {
      for i in 0..1 { m[n][i] := true }
      send Copy to Node - {n}
    }
    for i in 0..1 { m[at(Node, i)][i] := false }
    k := 2
  }
}
role Node[3] {
  durable got: 0..2 = 0
  on Copy from m { got += 1 }
}
invariant Filled: forall n in Node: Main.m[n][0] == Main.m[n][1]
reach Done: Main.k == 2
final: true
check c { faults crash Main <= 1 }
"""

RESTARTS = """spec Restarts
message Go, Log(k: 0..2)
network bag[2]
shared durable total: 0..8 = 0
role P[2] {
  durable a: 0..2 = 0
  durable b: 0..2 = 0
  durable boots: 0..2 = 0
  ghost late: bool = false
  volatile ready: bool = false
  action Start when a == 0 {
    atomic { a += 1  total += 1  b += 1 }
    late := true
    send Log(a) to Disk
    atomic { a += 1  for q in {0, 1} { total += 1 } }
    b += 1
  }
  on restart {
    boots += 1
    if a != b { b := a  total += 1 }
    send Log(0) to Disk
    ready := true
  }
}
role Disk {
  durable logs: Set[0..2] = {}
  on Log(k) from p { logs += k }
}
invariant Same: forall p in P: p.a == p.b
invariant Late: forall p in P: p.late => p.a == 2
reach Rebooted: exists p in P: p.boots == 2 and p.ready
final: true
check c { faults crash P <= 2 }
"""

Triple = tuple[int, int, int]


def put(triple: Triple, i: int, value: int) -> Triple:
    left = list(triple)
    left[i] = value
    return left[0], left[1], left[2]


class Loops(NamedTuple):
    k: int
    order: Triple
    cache: int
    seen: int
    have: Triple
    copies: Triple
    """At most one copy is on its way to a node, as the loop runs only once."""
    down: bool
    crashes: int


def spread(s: Loops, order: tuple[int, ...]) -> list[Loops]:
    """The states after each effect, where the loop runs in this order."""
    s = s._replace(k=1)
    states = [s]
    for i, n in enumerate(order, 1):
        s = s._replace(order=put(s.order, n, i))
        states.append(s)
        s = s._replace(copies=put(s.copies, n, i), seen=i)
        states.append(s)
    states.append(s._replace(k=2, cache=2))
    return states


def in_loops(s: Loops) -> Iterator[Step[Loops]]:
    def crash(s: Loops) -> Loops:
        return s._replace(cache=0, down=True, crashes=s.crashes - 1)

    for n in range(3):
        if s.copies[n]:
            yield Step(s._replace(have=put(s.have, n, s.copies[n]), copies=put(s.copies, n, 0)))
    if s.down:
        yield Step(s._replace(down=False))
        return
    if s.k == 0:
        yield Step(spread(s, (0, 1, 2))[-1])
        if s.crashes:
            within = {crash(t) for order in permutations(range(3)) for t in spread(s, order)[:-2]}
            for t in within | {crash(spread(s, (0, 1, 2))[-2])}:
                yield Step(t, fault=True)
    if s.crashes:
        yield Step(crash(s), fault=True)


def count_loops() -> Count:
    wanted = Properties[Loops](
        always={
            "Ordered": lambda s: all(have in (0, n + 1) for n, have in enumerate(s.have)),
            "Seen": lambda s: max(s.order) <= s.seen,
        },
        reach={"Both": lambda s: s.k == 2 and 0 not in s.have},
    )
    return search([Loops(0, (0, 0, 0), 0, 0, (0, 0, 0), (0, 0, 0), False, 1)], in_loops, wanted)


Cell = tuple[int, int]


class Nested(NamedTuple):
    k: int
    m: frozenset[Cell]
    """The cells that are true."""
    flying: Triple
    got: Triple
    down: bool
    crashes: int


def fly(flying: Triple, to: Iterable[int]) -> Triple:
    for n in to:
        flying = put(flying, n, flying[n] + 1)
    return flying


def inside(s: Nested, nodes: tuple[int, ...], cells: tuple[int, ...]) -> Iterator[Nested]:
    """The states after each effect of the outer loop, where both loops run in these orders."""
    for n in nodes:
        for i in cells:
            s = s._replace(m=s.m | {(n, i)})
            yield s
        others = [other for other in range(3) if other != n]
        for size in (1, 2):
            for some in combinations(others, size):
                yield s._replace(flying=fly(s.flying, some))
        s = s._replace(flying=fly(s.flying, others))


def nested_tears(s: Nested) -> set[Nested]:
    first = s._replace(k=1)
    orders = product(permutations(range(3)), permutations(range(2)))
    tears = {first} | {t for nodes, cells in orders for t in inside(first, nodes, cells)}
    filled = first._replace(m=frozenset(product(range(3), range(2))), flying=(2, 2, 2))
    return tears | {filled._replace(m=filled.m - set(gone)) for gone in ([(0, 0)], [(1, 1)], [(0, 0), (1, 1)])}


def in_nested(s: Nested) -> Iterator[Step[Nested]]:
    def crash(s: Nested) -> Nested:
        return s._replace(down=True, crashes=s.crashes - 1)

    for n in range(3):
        if s.flying[n]:
            yield Step(s._replace(flying=put(s.flying, n, s.flying[n] - 1), got=put(s.got, n, s.got[n] + 1)))
    if s.down:
        yield Step(s._replace(down=False))
        return
    if s.k == 0:
        yield Step(s._replace(k=2, m=frozenset({(0, 1), (1, 0), (2, 0), (2, 1)}), flying=(2, 2, 2)))
        if s.crashes:
            for t in nested_tears(s):
                yield Step(crash(t), fault=True)
    if s.crashes:
        yield Step(crash(s), fault=True)


def count_nested() -> Count:
    wanted = Properties[Nested](
        always={"Filled": lambda s: all(((n, 0) in s.m) == ((n, 1) in s.m) for n in range(3))},
        reach={"Done": lambda s: s.k == 2},
    )
    return search([Nested(0, frozenset(), (0, 0, 0), (0, 0, 0), False, 1)], in_nested, wanted)


class Local(NamedTuple):
    a: int
    b: int
    boots: int
    late: bool
    ready: bool
    logs: Triple
    """How many of each log are in the bag."""


class Restarts(NamedTuple):
    total: int
    p: tuple[Local, Local]
    disk: frozenset[int]
    down: frozenset[int]
    crashes: int


Run = list[tuple[int, Local]]
"""What the total and the instance are after each effect."""


def add_log(p: Local, k: int, n: int = 1) -> Local:
    return p._replace(logs=put(p.logs, k, p.logs[k] + n))


def start(total: int, p: Local) -> Run:
    first = p._replace(a=1, b=1, late=True)
    sent = add_log(first, 1)
    both = sent._replace(a=2)
    return [(total + 1, first), (total + 1, sent), (total + 3, both), (total + 3, both._replace(b=2))]


def restart(total: int, p: Local) -> Run:
    p = p._replace(boots=p.boots + 1)
    run = [(total, p)]
    if p.a != p.b:
        p = p._replace(b=p.a)
        run += [(total, p), (total + 1, p)]
        total += 1
    return [*run, (total, add_log(p, 0)._replace(ready=True))]


def put_local(s: Restarts, i: int, total: int, p: Local) -> Restarts:
    return s._replace(total=total, p=(p, s.p[1]) if i == 0 else (s.p[0], p))


def in_restarts(s: Restarts) -> Iterator[Step[Restarts]]:
    for i in (0, 1):
        p = s.p[i]
        for k in (0, 1, 2):
            if p.logs[k]:
                yield Step(put_local(s, i, s.total, add_log(p, k, -1))._replace(disk=s.disk | {k}))
        up = i not in s.down
        run: Run = []
        if not up:
            run = restart(s.total, p)
        elif p.a == 0:
            run = start(s.total, p)
        if run:
            yield Step(put_local(s, i, *run[-1])._replace(down=s.down - {i}))
        if s.crashes:
            crashed = s._replace(down=s.down | {i}, crashes=s.crashes - 1)
            torn = {put_local(crashed, i, total, q._replace(ready=False)) for total, q in run[:-1]}
            if up:
                yield Step(put_local(crashed, i, s.total, p._replace(ready=False)), fault=True)
            for t in torn:
                yield Step(t, fault=True)


def count_restarts() -> Count:
    wanted = Properties[Restarts](
        always={
            "Same": lambda s: all(p.a == p.b for p in s.p),
            "Late": lambda s: all(p.a == 2 for p in s.p if p.late),
        },
        reach={"Rebooted": lambda s: any(p.boots == 2 and p.ready for p in s.p)},
    )
    new = Local(0, 0, 0, False, False, (0, 0, 0))
    return search([Restarts(0, (new, new), frozenset(), frozenset(), 2)], in_restarts, wanted)


ORACLES = [
    Oracle("tears of a loop, in every order", LOOPS, count_loops),
    Oracle("tears of a loop within a loop", NESTED, count_nested),
    Oracle("atomic blocks and torn restarts", RESTARTS, count_restarts),
]
