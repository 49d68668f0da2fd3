"""Lamport's mutual exclusion with bounded clocks, as published: 724,274 states and 2,729,078 transitions for three
processes and clocks up to 6.

The channels are queues between each two processes; successors outside the bound are counted and not explored.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from tests.oracles.bfs import Count, Oracle, Properties, Step, search

TEXT = """spec LamportMutex
const N: 1..4 = 2
const MAXCLOCK: 1..8 = 3
type Clock = 0..MAXCLOCK+1
message Req(c: Clock), Ack, Rel
network fifo[3]
role P[N] {
  durable clock: Clock = 1
  durable req: Map[P, Clock] = 0
  durable acks: Set[P] = {}
  durable crit: bool = false
  fun beats(p: P): bool =
    req[p] == 0 or req[self] < req[p] or (req[self] == req[p] and self < p)
  action Request when req[self] == 0 {
    req[self] := clock  acks := {self}
    send Req(clock) to P - {self}
  }
  on Req(c) from p {
    req[p] := c
    clock := if c > clock then c + 1 else clock + 1
    send Ack to p
  }
  on Ack from p { acks += p }
  fair action Enter when acks == P and (forall q in P - {self}: beats(q)) { crit := true }
  action Exit when crit {
    crit := false  req[self] := 0  acks := {}
    send Rel to P - {self}
  }
  on Rel from p { req[p] := 0 }
}
invariant Mutex: forall a in P, b in P: a.crit and b.crit => a == b
invariant Alone: not (exists p in P: p.crit)
final: false
check c { N = COUNT  MAXCLOCK = LIMIT  bound forall p in P: p.clock <= MAXCLOCK }
"""

ACK, REL = -1, -2
"""Requests in a queue are their clocks."""

Queues = tuple[tuple[tuple[int, ...], ...], ...]
"""The queue from p to q is at p, q."""


class Process(NamedTuple):
    clock: int
    req: tuple[int, ...]
    acks: frozenset[int]
    crit: bool


State = tuple[tuple[Process, ...], Queues]


def changed(s: State, p: int, to: Process, queues: dict[tuple[int, int], tuple[int, ...]]) -> Step[State]:
    """The step that changes one process and some queues; it errs where a queue is full."""
    processes, net = s
    if any(len(q) > 3 for q in queues.values()):
        return Step(None)
    if queues:
        net = tuple(tuple(queues.get((a, b), q) for b, q in enumerate(row)) for a, row in enumerate(net))
    return Step(((*processes[:p], to, *processes[p + 1 :]), net))


def zeroed(values: tuple[int, ...], i: int, value: int) -> tuple[int, ...]:
    return (*values[:i], value, *values[i + 1 :])


def enabled(s: State, limit: int) -> Iterator[Step[State]]:
    processes, net = s
    n = len(processes)
    for p, (clock, req, acks, crit) in enumerate(processes):
        others = [q for q in range(n) if q != p]
        if req[p] == 0:
            to = Process(clock, zeroed(req, p, clock), frozenset({p}), crit)
            yield changed(s, p, to, {(p, q): (*net[p][q], clock) for q in others})
        if len(acks) == n and all(req[q] == 0 or (req[p], p) < (req[q], q) for q in others):
            yield changed(s, p, Process(clock, req, acks, True), {})
        if crit:
            to = Process(clock, zeroed(req, p, 0), frozenset(), False)
            yield changed(s, p, to, {(p, q): (*net[p][q], REL) for q in others})
        for q in others:
            if not net[q][p]:
                continue
            head, *rest = net[q][p]
            queues = {(q, p): tuple(rest)}
            if head == ACK:
                yield changed(s, p, Process(clock, req, acks | {q}, crit), queues)
            elif head == REL:
                yield changed(s, p, Process(clock, zeroed(req, q, 0), acks, crit), queues)
            elif max(head, clock) > limit:
                yield Step(None)
            else:
                queues[p, q] = (*net[p][q], ACK)
                yield changed(s, p, Process(max(head, clock) + 1, zeroed(req, q, head), acks, crit), queues)


def count(n: int, limit: int) -> Count:
    wanted = Properties[State](
        always={"Mutex": lambda s: sum(p.crit for p in s[0]) < 2, "Alone": lambda s: not any(p.crit for p in s[0])},
        final=lambda _: False,
        bound=lambda s: all(p.clock <= limit for p in s[0]),
    )
    idle = Process(1, (0,) * n, frozenset(), False)
    return search([((idle,) * n, (((),) * n,) * n)], lambda s: enabled(s, limit), wanted)


def oracle(n: int, limit: int, published: int | None = None) -> Oracle:
    text = TEXT.replace("COUNT", str(n)).replace("LIMIT", str(limit))
    name = f"Lamport's mutex, {n} processes, clocks to {limit}"
    return Oracle(name, text, lambda: count(n, limit), slow=published is not None, published=published)


ORACLES = [oracle(2, 3), oracle(2, 8), oracle(3, 3), oracle(3, 6, 724_274)]
