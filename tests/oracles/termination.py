"""What Safra's algorithm implements: the abstract detection of termination, 4,097 states for four nodes as published.

`choose` from a set of two values that are equal is a choice of one, and a function in it reads what the step has written.
TLC generates 53,271 states, of which 17 are initial; one of these is reached from another one here.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from typing import NamedTuple

from tests.oracles.bfs import Count, Oracle, Properties, Step, search

TEXT = """spec Termination
type Node = 0..3
type Flags = Map[Node, bool]
shared durable pending: Map[Node, 0..4] = 0
role System {
  durable active: Flags = any Flags
  durable detected: bool = false
  fun quiet: bool = forall i in Node: not active[i] and pending[i] == 0
  action Rest(i: Node) when active[i] {
    active[i] := false
    choose d in {detected, quiet}
    detected := d
  }
  action Post(i: Node, j: Node) when active[i] { pending[j] += 1 }
  action Get(i: Node) when pending[i] > 0 { active[i] := true  pending[i] -= 1 }
  action Detect when quiet { detected := true }
}
invariant Safe: System.detected => System.quiet
invariant Never: not System.detected
step Stable: old(System.detected) => System.detected
final: true
check c { bound forall i in Node: pending[i] <= 3 }
"""


class State(NamedTuple):
    active: tuple[bool, ...]
    pending: tuple[int, ...]
    detected: bool


def quiet(s: State) -> bool:
    return not any(s.active) and not any(s.pending)


def enabled(s: State) -> Iterator[Step[State]]:
    for i in range(4):
        before, after = s.active[:i], s.active[i + 1 :]
        if s.active[i]:
            rest = s._replace(active=(*before, False, *after))
            for d in {s.detected, quiet(rest)}:
                yield Step(rest._replace(detected=d))
            for j in range(4):
                yield Step(s._replace(pending=(*s.pending[:j], s.pending[j] + 1, *s.pending[j + 1 :])))
        if s.pending[i]:
            pending = (*s.pending[:i], s.pending[i] - 1, *s.pending[i + 1 :])
            yield Step(s._replace(active=(*before, True, *after), pending=pending))
    if quiet(s):
        yield Step(s._replace(detected=True))


def count() -> Count:
    wanted = Properties[State](
        always={"Safe": lambda s: not s.detected or quiet(s), "Never": lambda s: not s.detected},
        steps={"Stable": lambda s, t: t.detected or not s.detected},
        bound=lambda s: max(s.pending) <= 3,
    )
    start = [State(active, (0,) * 4, False) for active in product((False, True), repeat=4)]
    return search(start, enabled, wanted)


ORACLES = [Oracle("detection of termination, four nodes", TEXT, count, published=4097)]
