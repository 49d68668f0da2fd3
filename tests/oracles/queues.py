"""First-in, first-out networks: one queue for each sender and receiver, of which only the head can be delivered.

A false guard for the head blocks the queue, whatever is behind it. A third message in a queue of two is an error, and
the step that sends it has no successor.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from tests.oracles.bfs import Count, Oracle, Properties, Step, search

TEXT = """spec Heads
message Num(k: 0..2), Ok
network fifo[2]
role Source[2] {
  durable next: 0..3 = 0
  durable open: 0..3 = 0
  action Put when next < 3 and CREDIT {
    send Num(next) to Sink
    next += 1
    open += 1
  }
  on Ok from d { open -= 1 }
}
role Sink {
  durable turn: Source = at(Source, 0)
  durable total: 0..6 = 0
  on Num(k) from s when s == turn or k == 2 {
    turn := if turn == at(Source, 0) then at(Source, 1) else at(Source, 0)
    total += k
    send Ok to s
  }
}
invariant NotFive: Sink.total != 5
reach Six: Sink.total == 6
step Grows: Sink.total - old(Sink.total) <= 1
final: forall s in Source: s.next == 3 and s.open == 0
check c { }
"""


class State(NamedTuple):
    next: tuple[int, int]
    open: tuple[int, int]
    turn: int
    total: int
    numbers: tuple[tuple[int, ...], tuple[int, ...]]
    oks: tuple[int, int]
    """Oks have no content, so their queues are lengths."""


def put(pair: tuple[int, int], i: int, value: int) -> tuple[int, int]:
    return (value, pair[1]) if i == 0 else (pair[0], value)


def enabled(s: State, credit: int) -> Iterator[Step[State]]:
    for i in (0, 1):
        queue = s.numbers[i]

        def queued(i: int, q: tuple[int, ...]) -> tuple[tuple[int, ...], tuple[int, ...]]:
            return (q, s.numbers[1]) if i == 0 else (s.numbers[0], q)

        if s.next[i] < 3 and s.open[i] < credit:
            if len(queue) == 2:
                yield Step(None)
            else:
                sent = s._replace(numbers=queued(i, (*queue, s.next[i])))
                yield Step(
                    sent._replace(next=put(s.next, i, s.next[i] + 1), open=put(s.open, i, s.open[i] + 1)),
                )
        if s.oks[i]:
            yield Step(s._replace(oks=put(s.oks, i, s.oks[i] - 1), open=put(s.open, i, s.open[i] - 1)))
        if queue and (s.turn == i or queue[0] == 2):
            if s.oks[i] == 2:
                yield Step(None)
            else:
                taken = s._replace(numbers=queued(i, queue[1:]), oks=put(s.oks, i, s.oks[i] + 1))
                yield Step(taken._replace(turn=1 - s.turn, total=s.total + queue[0]))


WANTED = Properties[State](
    always={"NotFive": lambda s: s.total != 5},
    steps={"Grows": lambda s, t: t.total - s.total <= 1},
    reach={"Six": lambda s: s.total == 6},
    final=lambda s: s.next == (3, 3) and s.open == (0, 0),
)


def count(credit: int) -> Count:
    return search([State((0, 0), (0, 0), 0, 0, ((), ()), (0, 0))], lambda s: enabled(s, credit), WANTED)


ORACLES = [
    Oracle("queues that do not overflow", TEXT.replace("CREDIT", "open < 2"), lambda: count(2)),
    Oracle("queues that overflow", TEXT.replace("CREDIT", "true"), lambda: count(4)),
]
