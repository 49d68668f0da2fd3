"""Several networks in one spec, two handlers for one message, and `ignore`.

Every handler whose guard is true is a step of its own, and so is `ignore`, which consumes the message where the network
allows that and is a step to itself on a soup. `from s: App` takes what this role sent alone. `lose` spends one budget on
all networks.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from tests.oracles.bfs import Count, Oracle, Properties, Step, search

TEXT = """spec Several
message Query(k: 0..1), Rows(k: 0..1), Alert, Ack
network db fifo[1] block for Query, Rows
network bus soup for Alert
network log bag[1] drop for Ack
role Db {
  durable served: 0..2 = 0
  on Query(k) from a when served < 2 {
    served += 1
    send Rows(k) to a
    if served == 2 { send Alert to App  send Ack to Monitor }
  }
  ignore Query when served > 1
}
role App[2] {
  volatile open: bool = false
  durable got: 0..1 = 0
  durable alarmed: bool = false
  action Ask(k: 0..1) when not open and not alarmed { send Query(k) to Db  open := true }
  on Rows(k) from d when open and got < 1 { got += 1  open := false  send Ack to Monitor }
  on Rows(k) from d when k == 1 { open := false }
  ignore Rows when not open
  on Alert from d when not alarmed { alarmed := true  send Ack to Monitor }
  ignore Alert from d when alarmed and got > 0
}
role Monitor {
  durable acks: 0..1 = 0
  durable last: bool = false
  on Ack from a: App when acks < 1 { acks += 1 }
  on Ack from d: Db { last := true }
}
invariant Unalarmed: not (forall a in App: a.alarmed and a.got == 1)
invariant NotLast: not Monitor.last
reach Full: Monitor.acks == 1 and Monitor.last
final: forall a in App: a.alarmed
check c { faults crash App <= 1FAULTS }
"""


class App(NamedTuple):
    open: bool
    got: int
    alarmed: bool
    up: bool
    query: int | None
    """The query on its way from this instance to the database, and so on."""
    rows: int | None
    alert: bool
    ack: bool


class State(NamedTuple):
    served: int
    apps: tuple[App, App]
    ack: bool
    """The database's acknowledgement on its way to the monitor."""
    acks: int
    last: bool
    crashes: int
    losses: int


def put(s: State, i: int, app: App) -> State:
    return s._replace(apps=(app, s.apps[1]) if i == 0 else (s.apps[0], app))


def app_steps(s: State, a: App) -> Iterator[tuple[App, App | None]]:
    """What an instance may become, and what it is when a crash tears that."""
    if not a.open and not a.alarmed and a.query is None:
        for k in (0, 1):
            yield a._replace(query=k, open=True), None
    if a.rows is not None:
        rest = a._replace(rows=None)
        if a.open and a.got < 1:
            torn = rest._replace(got=a.got + 1)
            yield torn._replace(open=False, ack=True), torn
        if a.rows == 1:
            yield rest._replace(open=False), None
        if not a.open:
            yield rest, None
    if a.alert and not a.alarmed:
        torn = a._replace(alarmed=True)
        yield torn._replace(ack=True), torn
    if a.alert and a.alarmed and a.got > 0:
        yield a, None


def enabled(s: State) -> Iterator[Step[State]]:
    for i, a in enumerate(s.apps):
        if not a.up:
            yield Step(put(s, i, a._replace(up=True)))
        else:
            for to, torn in app_steps(s, a):
                yield Step(put(s, i, to))
                if torn is not None and s.crashes:
                    yield Step(put(s, i, torn._replace(open=False, up=False))._replace(crashes=0), fault=True)
            if s.crashes:
                yield Step(put(s, i, a._replace(open=False, up=False))._replace(crashes=0), fault=True)
        if a.query is not None:
            taken = put(s, i, a._replace(query=None))
            if s.served < 2 and a.rows is None:
                t = put(taken, i, taken.apps[i]._replace(rows=a.query))._replace(served=s.served + 1)
                if t.served == 2:
                    alerted = (t.apps[0]._replace(alert=True), t.apps[1]._replace(alert=True))
                    t = t._replace(apps=alerted, ack=True)
                yield Step(t)
            if s.served > 1:
                yield Step(taken)
        if a.ack and s.acks < 1:
            yield Step(put(s, i, a._replace(ack=False))._replace(acks=s.acks + 1))
        if s.losses:
            for had, lost in (
                (a.query is not None, a._replace(query=None)),
                (a.rows is not None, a._replace(rows=None)),
                (a.alert, a._replace(alert=False)),
                (a.ack, a._replace(ack=False)),
            ):
                if had:
                    yield Step(put(s, i, lost)._replace(losses=0), fault=True)
    if s.ack:
        yield Step(s._replace(ack=False, last=True))
        if s.losses:
            yield Step(s._replace(ack=False, losses=0), fault=True)


def count(losses: int) -> Count:
    wanted = Properties[State](
        always={
            "Unalarmed": lambda s: not all(a.alarmed and a.got == 1 for a in s.apps),
            "NotLast": lambda s: not s.last,
        },
        reach={"Full": lambda s: s.acks == 1 and s.last},
        final=lambda s: all(a.alarmed for a in s.apps),
    )
    new = App(False, 0, False, True, None, None, False, False)
    return search([State(0, (new, new), False, 0, False, 1, losses)], enabled, wanted)


ORACLES = [
    Oracle("several networks", TEXT.replace("FAULTS", ""), lambda: count(0)),
    Oracle("several networks that lose", TEXT.replace("FAULTS", ", lose <= 1"), lambda: count(1), slow=True),
]
