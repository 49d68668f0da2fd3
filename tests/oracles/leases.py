"""Several rules at once: a lock that is stolen from silent owners, on queues of one that block, under cuts, stops and
crashes, with a `proc`, a shared variable, a ghost and `inflight`.

What would go to a stopped instance vanishes, and so never blocks.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from tests.oracles.bfs import Count, Oracle, Properties, Step, search

TEXT = """spec Leases
message Grab, Grant(n: 0..2), Free
network fifo[1] block
shared durable total: 0..3 = 0
role Lock {
  durable owner: User? = none
  durable n: 0..2 = 0
  ghost stolen: bool = false
  proc give(u: User) {
    owner := u
    n += 1
    send Grant(n) to u
  }
  on Grab from u when owner == none and n < 2 { give(u) }
  on Free from u when owner == u {
    owner := none
    if total < 3 { total += 1 }
  }
  timeout Steal when exists u in User: owner == u and silent(u) { owner := none  stolen := true  n := n }
}
role User[2] {
  volatile has: 0..2 = 0
  durable tries: 0..2 = 0
  action Try when tries < 2 and has == 0 { tries += 1  send Grab to Lock }
  on Grant(n) from l { has := n }
  action Done when has > 0 { total := max(total, has)  has := 0  send Free to Lock }
}
invariant OneHolder: not (forall u in User: u.has > 0)
invariant Owned: forall u in User: inflight(Grant from Lock to u) => Lock.owner == u or Lock.stolen
invariant Calm: not (inflight(Free) and inflight(Grab))
reach Three: Lock.stolen and total == 3
final: true
check c { faults stop User <= 1, crash Lock <= 1, cut(Lock, User) <= CUTS }
"""

LOCK = 2


class State(NamedTuple):
    total: int
    owner: int | None
    n: int
    stolen: bool
    has: tuple[int, int]
    tries: tuple[int, int]
    to_lock: tuple[str, str]
    """The one message in each user's queue, or nothing."""
    grants: tuple[int, int]
    lock_up: bool
    stopped: frozenset[int]
    apart: frozenset[int]
    """Who is cut off from the lock; nobody while there is no cut. A cut that divides the users alone does not exist."""
    budgets: tuple[int, int, int]


def ints(pair: tuple[int, int], i: int, value: int) -> tuple[int, int]:
    return (value, pair[1]) if i == 0 else (pair[0], value)


def words(pair: tuple[str, str], i: int, value: str) -> tuple[str, str]:
    return (value, pair[1]) if i == 0 else (pair[0], value)


def crash_lock(s: State) -> State:
    stops, crashes, cuts = s.budgets
    return s._replace(lock_up=False, budgets=(stops, crashes - 1, cuts))


def stop(s: State, u: int) -> State:
    stops, crashes, cuts = s.budgets
    return s._replace(has=ints(s.has, u, 0), stopped=s.stopped | {u}, budgets=(stops - 1, crashes, cuts))


def lock_steps(s: State) -> Iterator[list[State]]:
    """The states after each effect of each step of the lock."""
    for u in (0, 1):
        message = "" if u in s.apart else s.to_lock[u]
        taken = s._replace(to_lock=words(s.to_lock, u, ""))
        if message == "grab" and s.owner is None and s.n < 2 and not (s.grants[u] and u not in s.stopped):
            one = taken._replace(owner=u)
            two = one._replace(n=s.n + 1)
            yield [one, two, two if u in s.stopped else two._replace(grants=ints(s.grants, u, two.n))]
        if message == "free" and s.owner == u:
            one = taken._replace(owner=None)
            yield [one, one._replace(total=s.total + 1)] if s.total < 3 else [one]
    if s.owner is not None:
        away = s.owner in s.stopped or s.owner in s.apart
        if away and (s.owner in s.apart or s.to_lock[s.owner] != "free"):
            one = s._replace(owner=None, stolen=True)
            yield [one, one]


def user_steps(s: State, u: int) -> Iterator[list[State]]:
    if s.tries[u] < 2 and s.has[u] == 0 and not s.to_lock[u]:
        one = s._replace(tries=ints(s.tries, u, s.tries[u] + 1))
        yield [one, one._replace(to_lock=words(s.to_lock, u, "grab"))]
    if s.grants[u] and u not in s.apart:
        yield [s._replace(grants=ints(s.grants, u, 0), has=ints(s.has, u, s.grants[u]))]
    if s.has[u] and not s.to_lock[u]:
        one = s._replace(total=max(s.total, s.has[u]))
        yield [one, one._replace(has=ints(s.has, u, 0), to_lock=words(s.to_lock, u, "free"))]


def enabled(s: State) -> Iterator[Step[State]]:
    stops, crashes, cuts = s.budgets
    if s.lock_up:
        for states in lock_steps(s):
            yield Step(states[-1])
            if crashes:
                for t in {crash_lock(t) for t in states[:-1]}:
                    yield Step(t, fault=True)
        if crashes:
            yield Step(crash_lock(s), fault=True)
    else:
        yield Step(s._replace(lock_up=True))
    for u in {0, 1} - s.stopped:
        for states in user_steps(s, u):
            yield Step(states[-1])
            if stops:
                for t in {stop(t, u) for t in states[:-1]}:
                    yield Step(t, fault=True)
        if stops:
            yield Step(stop(s, u), fault=True)
    if s.apart:
        yield Step(s._replace(apart=frozenset()))
    elif cuts:
        for apart in ({0}, {1}, {0, 1}):
            yield Step(s._replace(apart=frozenset(apart), budgets=(stops, crashes, cuts - 1)), fault=True)


def count(cuts: int) -> Count:
    def owned(s: State) -> bool:
        return all(not s.grants[u] or s.owner == u or s.stolen for u in (0, 1))

    wanted = Properties[State](
        always={
            "OneHolder": lambda s: 0 in s.has,
            "Owned": owned,
            "Calm": lambda s: set(s.to_lock) != {"free", "grab"},
        },
        reach={"Three": lambda s: s.stolen and s.total == 3},
    )
    nobody: frozenset[int] = frozenset()
    start = State(0, None, 0, False, (0, 0), (0, 0), ("", ""), (0, 0), True, nobody, nobody, (1, 1, cuts))
    return search([start], enabled, wanted)


def oracle(cuts: int) -> Oracle:
    return Oracle(f"leases, {cuts} cuts", TEXT.replace("CUTS", str(cuts)), lambda: count(cuts))


ORACLES = [oracle(1), oracle(2)]
