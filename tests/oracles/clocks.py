"""Time: a tick runs the bodies of all instances, down ones included, if every guard holds and something changes.

With `drift`, one instance's body runs not at all or twice, which spends the budget and must change something else, too.
`silent(P)` is true when P is down or cut off and no message from P can be delivered.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from tests.oracles.bfs import Count, Oracle, Properties, Step, search

TICKS = """spec Ticks
message Grant
network bag[1]
role Server {
  durable now: 0..4 = 0
  durable free: bool = true
  volatile until: 0..4 = 0
  on tick when free or now != until { if now < 4 { now += 1 } }
  timeout Expire when not free and now >= until { free := true }
  action Lend(c: Client) when free and now < 3 {
    free := false
    until := now + 2
    send Grant to c
  }
}
role Client[2] {
  volatile left: 0..2 = 0
  on Grant from s { left := 2 }
  on tick { if left > 0 { left -= 1 } }
}
invariant OneHolder: not (forall c in Client: c.left > 0)
reach Late: Server.now == 4 and not Server.free
final: Server.now == 4
check c { FAULTS }
"""

SILENCE = """spec Silence
message Beat
network bag[2]
role P {
  durable n: 0..2 = 0
  action Send when n < 2 { n += 1  send Beat to Watch }
}
role Watch {
  durable got: 0..2 = 0
  volatile tired: bool = false
  durable dead: bool = false
  on Beat from p when not tired { got += 1 }
  timeout Tire when got == 1 and not tired { tired := true }
  timeout Suspect when silent(P) and not dead { dead := true }
}
invariant NotDead: not Watch.dead
invariant Heard: Watch.dead => Watch.got == 0
final: true
check c { faults crash P <= 1, stop P <= 1, cut <= 1 }
"""


class Ticks(NamedTuple):
    now: int
    free: bool
    until: int
    left: tuple[int, int]
    grants: frozenset[int]
    down: bool
    crash: int
    drift: int


def crash(s: Ticks) -> Ticks:
    return s._replace(until=0, down=True, crash=s.crash - 1)


def ticking(s: Ticks) -> Iterator[Step[Ticks]]:
    for c in s.grants:
        left = (2, s.left[1]) if c == 0 else (s.left[0], 2)
        yield Step(s._replace(left=left, grants=s.grants - {c}))
    if not s.down:
        if not s.free and s.now >= s.until:
            yield Step(s._replace(free=True))
        if s.free and s.now < 3:
            for c in (0, 1):
                if c in s.grants:
                    yield Step(None)
                    continue
                yield Step(s._replace(free=False, until=s.now + 2, grants=s.grants | {c}))
                if s.crash:
                    yield Step(crash(s._replace(free=False)), fault=True)
        if s.crash:
            yield Step(crash(s), fault=True)
    else:
        yield Step(s._replace(down=False))
    if s.free or s.now != s.until:
        later = s._replace(now=min(4, s.now + 1))
        runs = [(1, 1)] + [r for r in ((0, 1), (2, 1), (1, 0), (1, 2)) if s.drift]
        for first, second in runs:
            t = later._replace(left=(max(0, s.left[0] - first), max(0, s.left[1] - second)))
            if t != s:
                drifted = (first, second) != (1, 1)
                yield Step(t._replace(drift=s.drift - drifted), fault=drifted)


def count_ticks(crashes: int, drifts: int) -> Count:
    wanted = Properties[Ticks](
        always={"OneHolder": lambda s: 0 in s.left},
        reach={"Late": lambda s: s.now == 4 and not s.free},
        final=lambda s: s.now == 4,
    )
    return search([Ticks(0, True, 0, (0, 0), frozenset(), False, crashes, drifts)], ticking, wanted)


class Silence(NamedTuple):
    n: int
    beats: int
    got: int
    tired: bool
    dead: bool
    p: str
    cut: bool
    crash: int
    stop: int
    cuts: int


def silence(s: Silence) -> Iterator[Step[Silence]]:
    deliverable = s.beats > 0 and not s.cut and not s.tired
    if deliverable:
        yield Step(s._replace(beats=s.beats - 1, got=s.got + 1))
    if s.got == 1 and not s.tired:
        yield Step(s._replace(tired=True))
    if (s.p != "up" or s.cut) and not deliverable and not s.dead:
        yield Step(s._replace(dead=True))
    if s.cut:
        yield Step(s._replace(cut=False))
    elif s.cuts:
        yield Step(s._replace(cut=True, cuts=s.cuts - 1), fault=True)
    if s.p == "down":
        yield Step(s._replace(p="up"))
    if s.p == "up":
        befores = [s]
        if s.n < 2:
            yield Step(s._replace(n=s.n + 1, beats=s.beats + 1))
            befores.append(s._replace(n=s.n + 1))
        for t in befores:
            if s.crash:
                yield Step(t._replace(p="down", crash=s.crash - 1), fault=True)
            if s.stop:
                yield Step(t._replace(p="stopped", stop=s.stop - 1), fault=True)


def count_silence() -> Count:
    wanted = Properties[Silence](
        always={"NotDead": lambda s: not s.dead, "Heard": lambda s: not s.dead or s.got == 0},
    )
    return search([Silence(0, 0, 0, False, False, "up", False, 1, 1, 1)], silence, wanted)


def ticks(crashes: int, drifts: int) -> Oracle:
    budgets = [f"{kind} <= {n}" for kind, n in (("crash Server", crashes), ("drift Client", drifts)) if n]
    text = TICKS.replace("FAULTS", "faults " + ", ".join(budgets) if budgets else "")
    return Oracle(f"ticks, {crashes} crashes, {drifts} drifts", text, lambda: count_ticks(crashes, drifts))


ORACLES = [ticks(0, 0), ticks(1, 0), ticks(0, 2), ticks(1, 1), Oracle("silence", SILENCE, count_silence)]
