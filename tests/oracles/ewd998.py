"""Termination detection on a ring, after Safra (EWD 998), as published with a bound: 1,520,618 states for three nodes.

Every activity, colour and position of the token is an initial state: `= any S` for maps, too. Messages are counters, not a
network.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from typing import NamedTuple

from tests.oracles.bfs import Count, Oracle, Properties, Step, search

TEXT = """spec Ewd998
const N: 2..3 = 3
const CAP: 1..3 = 3
type Node = 0..N-1
enum Color { white, black }
type Flags = Map[Node, bool]
type Colors = Map[Node, Color]
type Count = -N*(CAP+1)..N*(CAP+1)
role System {
  durable active: Flags = any Flags
  durable color: Colors = any Colors
  durable counter: Map[Node, Count] = 0
  durable pending: Map[Node, 0..CAP+1] = 0
  durable pos: Node = any Node
  durable q: -N*N*(CAP+1)..N*N*(CAP+1) = 0
  durable col: Color = black
  action Initiate when pos == 0 and (col == black or color[0] == black or counter[0] + q > 0) {
    pos := N - 1
    q := 0
    col := white
    color[0] := white
  }
  action Pass(i: Node) when i != 0 and not active[i] and pos == i {
    pos -= 1
    q += counter[i]
    if color[i] == black { col := black }
    color[i] := white
  }
  action Post(i: Node, j: Node) when active[i] and i != j { counter[i] += 1  pending[j] += 1 }
  action Get(i: Node) when pending[i] > 0 {
    pending[i] -= 1
    counter[i] -= 1
    color[i] := black
    active[i] := true
  }
  action Rest(i: Node) when active[i] { active[i] := false }
}
fun quiet: bool = forall i in Node: not System.active[i] and System.pending[i] == 0
fun detected: bool = System.pos == 0 and System.col == white and System.q + System.counter[0] == 0
  and System.color[0] == white and not System.active[0]
invariant Safe: detected => quiet
invariant Unsure: not (detected and System.q > 0)
reach Detected: detected
final: true
check c {
  N = NODES
  CAP = LIMIT
  bound (forall i in Node: System.counter[i] <= CAP and System.pending[i] <= CAP) and System.q <= 9
}
"""

PUBLISHED = 1_520_618
"""The distinct states that TLC finds for three nodes and the bounds of the published model."""


class State(NamedTuple):
    active: tuple[bool, ...]
    black: tuple[bool, ...]
    counter: tuple[int, ...]
    pending: tuple[int, ...]
    pos: int
    q: int
    token_black: bool


def flags(values: tuple[bool, ...], i: int, value: bool) -> tuple[bool, ...]:
    return (*values[:i], value, *values[i + 1 :])


def plus(values: tuple[int, ...], i: int, n: int) -> tuple[int, ...]:
    return (*values[:i], values[i] + n, *values[i + 1 :])


def enabled(s: State) -> Iterator[Step[State]]:
    n = len(s.active)
    if s.pos == 0 and (s.token_black or s.black[0] or s.counter[0] + s.q > 0):
        yield Step(s._replace(pos=n - 1, q=0, token_black=False, black=flags(s.black, 0, False)))
    for i in range(n):
        if i == s.pos and i != 0 and not s.active[i]:
            token = s._replace(pos=i - 1, q=s.q + s.counter[i], token_black=s.token_black or s.black[i])
            yield Step(token._replace(black=flags(s.black, i, False)))
        if s.active[i]:
            yield Step(s._replace(active=flags(s.active, i, False)))
            for j in range(n):
                if i != j:
                    yield Step(s._replace(counter=plus(s.counter, i, 1), pending=plus(s.pending, j, 1)))
        if s.pending[i]:
            yield Step(
                s._replace(
                    counter=plus(s.counter, i, -1),
                    pending=plus(s.pending, i, -1),
                    black=flags(s.black, i, True),
                    active=flags(s.active, i, True),
                )
            )


def detected(s: State) -> bool:
    return s.pos == 0 and not (s.token_black or s.black[0] or s.active[0]) and s.q + s.counter[0] == 0


def count(n: int, limit: int) -> Count:
    wanted = Properties[State](
        always={
            "Safe": lambda s: not detected(s) or not (any(s.active) or any(s.pending)),
            "Unsure": lambda s: not (detected(s) and s.q > 0),
        },
        reach={"Detected": detected},
        bound=lambda s: max(s.counter) <= limit and max(s.pending) <= limit and s.q <= 9,
    )
    every = list(product((False, True), repeat=n))
    zeros = (0,) * n
    start = [State(a, b, zeros, zeros, pos, 0, True) for a in every for b in every for pos in range(n)]
    return search(start, enabled, wanted)


def oracle(n: int, limit: int, published: int | None = None) -> Oracle:
    text = TEXT.replace("NODES", str(n)).replace("LIMIT", str(limit))
    name = f"EWD 998, {n} nodes, counters to {limit}"
    return Oracle(name, text, lambda: count(n, limit), slow=published is not None, published=published)


ORACLES = [oracle(2, 3), oracle(3, 1), oracle(3, 3, PUBLISHED)]
