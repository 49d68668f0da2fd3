"""Networks that are full: `drop` loses the copy, `block` disables the step.

A step that would block consumes nothing, and no crash tears it, even where some of its effects could have been carried
out; a step that errs has no successor, and its tears are none of its own. A copy that is dropped is an effect all the same.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations
from typing import NamedTuple

from tests.oracles.bfs import Count, Oracle, Properties, Step, search

TEXT = """spec Full
message Job(k: 0..1), Done
network KIND[1] OPTION
role A {
  durable n: 0..3 = 0
  volatile seen: bool = false
  action Post(k: 0..1) when n < 3 { n += 1  send Job(k) to B }
  on Done from b { seen := true }
}
role B[2] {
  durable work: 0..2 = 0
  on Job(k) from a when work < 2 { work += 1  send Done to A }
}
invariant Lazy: not (A.n == 3 and (exists b in B: b.work == 2))
reach Busy: (forall b in B: b.work == 2)
final: true
check c { faults crash A <= 1, crash B <= 1 }
"""


class State(NamedTuple):
    n: int
    seen: bool
    work: tuple[int, int]
    jobs: tuple[tuple[int, ...], tuple[int, ...]]
    done: tuple[bool, bool]
    down: frozenset[str]
    crash_a: int
    crash_b: int


def set_at(pair: tuple[int, int], i: int, value: int) -> tuple[int, int]:
    return (value, pair[1]) if i == 0 else (pair[0], value)


class Net(NamedTuple):
    kind: str
    option: str

    def full(self, queue: tuple[int, ...], k: int) -> bool:
        return k in queue if self.kind == "bag" else len(queue) == 1

    def post(self, s: State, k: int, to: tuple[int, ...]) -> State:
        jobs = list(s.jobs)
        for b in to:
            if not self.full(jobs[b], k):
                jobs[b] = tuple(sorted((*jobs[b], k))) if self.kind == "bag" else (*jobs[b], k)
        return s._replace(jobs=(jobs[0], jobs[1]))


def crash_a(s: State) -> State:
    return s._replace(seen=False, down=s.down | {"A"}, crash_a=s.crash_a - 1)


def crash_b(s: State, b: int) -> State:
    return s._replace(down=s.down | {f"B{b}"}, crash_b=s.crash_b - 1)


def enabled(s: State, net: Net) -> Iterator[Step[State]]:
    if "A" not in s.down:
        for k in (0, 1):
            full = [net.full(s.jobs[b], k) for b in (0, 1)]
            if s.n == 3 or (net.option == "block" and any(full)):
                continue
            if net.option == "" and any(full):
                yield Step(None)
                continue
            yield Step(net.post(s._replace(n=s.n + 1), k, (0, 1)))
            if s.crash_a:
                posted = s._replace(n=s.n + 1)
                subsets = [to for size in (0, 1) for to in combinations((0, 1), size)]
                for t in {crash_a(net.post(posted, k, to)) for to in subsets}:
                    yield Step(t, fault=True)
        for b in (0, 1):
            if s.done[b]:
                yield Step(s._replace(seen=True, done=(s.done[0] and b != 0, s.done[1] and b != 1)))
        if s.crash_a:
            yield Step(crash_a(s), fault=True)
    else:
        yield Step(s._replace(down=s.down - {"A"}))
    for b in (0, 1):
        if f"B{b}" in s.down:
            yield Step(s._replace(down=s.down - {f"B{b}"}))
            continue
        if s.crash_b:
            yield Step(crash_b(s, b), fault=True)
        if s.work[b] == 2 or (net.option == "block" and s.done[b]):
            continue
        queue = s.jobs[b]
        for k in queue if net.kind == "bag" else queue[:1]:
            at = queue.index(k)
            rest = queue[:at] + queue[at + 1 :]
            t = s._replace(work=set_at(s.work, b, s.work[b] + 1))
            t = t._replace(jobs=(rest, s.jobs[1]) if b == 0 else (s.jobs[0], rest))
            if net.option == "" and s.done[b]:
                yield Step(None)
                continue
            yield Step(t._replace(done=(s.done[0] or b == 0, s.done[1] or b == 1)))
            if s.crash_b:
                yield Step(crash_b(t, b), fault=True)


WANTED = Properties[State](
    always={"Lazy": lambda s: not (s.n == 3 and 2 in s.work)},
    reach={"Busy": lambda s: s.work == (2, 2)},
)


def count(net: Net) -> Count:
    nothing = State(0, False, (0, 0), ((), ()), (False, False), frozenset(), 1, 1)
    return search([nothing], lambda s: enabled(s, net), WANTED)


def oracle(kind: str, option: str) -> Oracle:
    text = TEXT.replace("KIND", kind).replace("OPTION", option)
    return Oracle(f"a full {kind}, {option or 'an error'}", text, lambda: count(Net(kind, option)))


ORACLES = [oracle(kind, option) for kind in ("bag", "fifo") for option in ("drop", "block", "")]
