"""Instances that stop, and networks with sessions.

A stop resets volatile state for good. What is in the network stays there; what is sent to a stopped instance vanishes. On
a network marked `session` a crash empties every queue of that endpoint, both ways: also what a torn step sent.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations
from typing import NamedTuple

from tests.oracles.bfs import Count, Oracle, Properties, Step, search

STOPS = """spec Stops
message Ask, Answer
network bag[1]
role Client {
  durable asked: 0..2 = 0
  volatile wait: bool = false
  volatile have: Set[Server] = {}
  action Go when asked < 2 and not wait { asked += 1  send Ask to Server  wait := true }
  on Answer from s when wait { have += s  if have == Server { wait := false  have := {} } }
}
role Server[2] {
  volatile busy: bool = false
  durable served: 0..2 = 0
  on Ask from c when not busy { busy := true }
  timeout Serve when busy { busy := false  served += 1  send Answer to Client }
}
invariant Unserved: not (exists s in Server: s.served == 2)
final: Client.asked == 2 and not Client.wait
check c { faults stop Server <= 1, stop Client <= 1 }
"""

SESSIONS = """spec Sessions
message Ask(k: 0..1), Answer(k: 0..1)
network fifo[2] session
role Client[2] {
  durable asked: 0..2 = 0
  volatile sum_: 0..2 = 0
  action Go when asked < 2 { send Ask(asked) to Server  asked += 1 }
  on Answer(k) from s { sum_ += k }
}
role Server {
  durable done: 0..4 = 0
  volatile last: 0..1 = 0
  on Ask(k) from c { done += 1  last := k  send Answer(k) to Client }
}
invariant Quiet: not (forall c in Client: c.sum_ == 2)
reach Lost: Server.done == 0 and (forall c in Client: c.asked == 2) and (forall c in Client: c.sum_ == 0)
final: true
check c { faults crash Server <= 1, crash Client <= 1 }
"""


class Stops(NamedTuple):
    asked: int
    wait: bool
    have: frozenset[int]
    busy: frozenset[int]
    served: tuple[int, int]
    asks: frozenset[int]
    answers: frozenset[int]
    stopped: frozenset[str]
    stop_server: int
    stop_client: int


def stop_client(s: Stops) -> Stops:
    return s._replace(wait=False, have=frozenset(), stopped=s.stopped | {"Client"}, stop_client=s.stop_client - 1)


def stop_server(s: Stops, i: int) -> Stops:
    return s._replace(busy=s.busy - {i}, stopped=s.stopped | {f"Server{i}"}, stop_server=s.stop_server - 1)


def set_at(pair: tuple[int, int], i: int, value: int) -> tuple[int, int]:
    return (value, pair[1]) if i == 0 else (pair[0], value)


def stopping(s: Stops) -> Iterator[Step[Stops]]:
    if "Client" not in s.stopped:
        if s.asked < 2 and not s.wait:
            listening = {i for i in (0, 1) if f"Server{i}" not in s.stopped}
            asked = s._replace(asked=s.asked + 1)
            yield Step(None if listening & s.asks else asked._replace(wait=True, asks=s.asks | listening))
            if s.stop_client and not listening & s.asks:
                subsets = [set(to) for size in (0, 1) for to in combinations((0, 1), size)]
                for t in {stop_client(asked._replace(asks=s.asks | (to & listening))) for to in subsets}:
                    yield Step(t, fault=True)
        for i in s.answers:
            if s.wait:
                t = s._replace(have=s.have | {i}, answers=s.answers - {i})
                yield Step(t._replace(wait=False, have=frozenset()) if len(t.have) == 2 else t)
        if s.stop_client:
            yield Step(stop_client(s), fault=True)
    for i in (0, 1):
        if f"Server{i}" in s.stopped:
            continue
        if i in s.asks and i not in s.busy:
            yield Step(s._replace(busy=s.busy | {i}, asks=s.asks - {i}))
        if i in s.busy:
            if s.served[i] == 2:
                yield Step(None)
                continue
            t = s._replace(busy=s.busy - {i}, served=set_at(s.served, i, s.served[i] + 1))
            lost = "Client" in s.stopped
            overflow = not lost and i in s.answers
            yield Step(None if overflow else t._replace(answers=s.answers if lost else s.answers | {i}))
            if s.stop_server and not overflow:
                yield Step(stop_server(t, i), fault=True)
        if s.stop_server:
            yield Step(stop_server(s, i), fault=True)


def count_stops() -> Count:
    nobody: frozenset[int] = frozenset()
    wanted = Properties[Stops](
        always={"Unserved": lambda s: 2 not in s.served}, final=lambda s: s.asked == 2 and not s.wait
    )
    start = Stops(0, False, nobody, nobody, (0, 0), nobody, nobody, frozenset(), 1, 1)
    return search([start], stopping, wanted)


Queues = tuple[tuple[int, ...], tuple[int, ...]]


class Sessions(NamedTuple):
    asked: tuple[int, int]
    total: tuple[int, int]
    done: int
    last: int
    asks: Queues
    answers: Queues
    down: frozenset[str]
    crash_server: int
    crash_client: int


def queue_at(queues: Queues, i: int, queue: tuple[int, ...]) -> Queues:
    return (queue, queues[1]) if i == 0 else (queues[0], queue)


def crash_client(s: Sessions, i: int) -> Sessions:
    s = s._replace(asks=queue_at(s.asks, i, ()), answers=queue_at(s.answers, i, ()), total=set_at(s.total, i, 0))
    return s._replace(down=s.down | {f"Client{i}"}, crash_client=s.crash_client - 1)


def crash_server(s: Sessions) -> Sessions:
    s = s._replace(asks=((), ()), answers=((), ()), last=0)
    return s._replace(down=s.down | {"Server"}, crash_server=s.crash_server - 1)


def in_sessions(s: Sessions) -> Iterator[Step[Sessions]]:
    for i in (0, 1):
        if f"Client{i}" in s.down:
            yield Step(s._replace(down=s.down - {f"Client{i}"}))
            continue
        if s.asked[i] < 2:
            # The queue cannot overflow, as no client asks more than twice. A tear after the send loses it again.
            sent = queue_at(s.asks, i, (*s.asks[i], s.asked[i]))
            yield Step(s._replace(asks=sent, asked=set_at(s.asked, i, s.asked[i] + 1)))
            if s.crash_client:
                yield Step(crash_client(s, i), fault=True)
        if s.answers[i]:
            k, *rest = s.answers[i]
            total = s.total[i] + k
            t = s._replace(answers=queue_at(s.answers, i, tuple(rest)))
            yield Step(None if total > 2 else t._replace(total=set_at(s.total, i, total)))
        if s.crash_client:
            yield Step(crash_client(s, i), fault=True)
    if "Server" in s.down:
        yield Step(s._replace(down=s.down - {"Server"}))
        return
    for i in (0, 1):
        if not s.asks[i]:
            continue
        k, *rest = s.asks[i]
        t = s._replace(asks=queue_at(s.asks, i, tuple(rest)), done=s.done + 1)
        if any(len(s.answers[j]) == 2 for j in (0, 1)):
            yield Step(None)
            continue
        answers = ((*s.answers[0], k), (*s.answers[1], k))
        yield Step(t._replace(answers=answers, last=k))
        if s.crash_server:
            yield Step(crash_server(t), fault=True)
    if s.crash_server:
        yield Step(crash_server(s), fault=True)


def count_sessions() -> Count:
    wanted = Properties[Sessions](
        always={"Quiet": lambda s: s.total != (2, 2)},
        reach={"Lost": lambda s: s.done == 0 and s.asked == (2, 2) and s.total == (0, 0)},
    )
    start = Sessions((0, 0), (0, 0), 0, 0, ((), ()), ((), ()), frozenset(), 1, 1)
    return search([start], in_sessions, wanted)


ORACLES = [
    Oracle("stops with torn steps", STOPS, count_stops),
    Oracle("sessions end with a crash", SESSIONS, count_sessions),
]
