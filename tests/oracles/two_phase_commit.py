"""Two-phase commit with torn crashes: any subset of the recipients may have got a torn multicast.

The same search also counts what other readings of a tear would give: recipients reached in the order of declaration
only, a multicast as one effect, and crashes only between steps. Two variants are known to be wrong: a coordinator that
stops for good, and managers that vote before they write.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations
from typing import Literal, NamedTuple

from tests.oracles.bfs import Count, Oracle, Properties, Step, search

TEXT = """spec TwoPC
enum Dec { commit, abort }
enum St  { working, prepared, committed, aborted }
message Prepare, Vote(yes: bool), Decide(d: Dec), Ask
network soup
role TM {
  durable  log: Dec?    = none
  volatile yes: Set[RM] = {}
  fair action Begin when log == none { send Prepare to RM }
  on Vote(ok) from r when log == none and r not in yes {
    if ok { yes += r } else { log := abort  send Decide(abort) to RM }
  }
  fair action Commit when log == none and yes == RM {
    log := commit  send Decide(commit) to RM
  }
  timeout GiveUp when log == none { log := abort  send Decide(abort) to RM }
  on Ask from r when log != none { send Decide(log) to r }
}
role RM[2] symmetric {
  durable st: St = working
  on Prepare from c when st == working {
    either { st := prepared  send Vote(true) to c }
    or     { st := aborted   send Vote(false) to c }
  }
  timeout Quit when st == working { st := aborted }
  timeout Inquire when st == prepared { send Ask to TM }
  on Decide(d) from c when st in {working, prepared} {
    st := if d == commit then committed else aborted
  }
}
fun done(r: RM): bool = r.st in {committed, aborted}
invariant Atomic: not (exists a in RM, b in RM: a.st == committed and b.st == aborted)
invariant Logged: (exists r in RM: r.st == committed) => TM.log == commit
step  Stable:     forall r in RM: old(done(r)) => r.st == old(r.st)
reach CanCommit:  forall r in RM: r.st == committed
final: forall r in RM: done(r)
check c { FAULTS  symmetry off }
"""

VOTE_FIRST = TEXT.replace("st := prepared  send Vote(true) to c", "send Vote(true) to c  st := prepared").replace(
    "st := aborted   send Vote(false) to c", "send Vote(false) to c  st := aborted"
)

Reading = Literal["any subset", "in order", "all or none", "between steps"]


class Variant(NamedTuple):
    reading: Reading = "any subset"
    vote_first: bool = False
    stops: bool = False


TM = -1
"""The coordinator; the managers are 0 and 1."""

Message = tuple[str, str, int, int]
"""Kind, payload, sender, receiver."""


class State(NamedTuple):
    log: str
    yes: frozenset[int]
    st: tuple[str, str]
    soup: frozenset[Message]
    down: frozenset[int]
    budget_tm: int
    budget_rm: int


class Effects(NamedTuple):
    """What a handler does: a volatile write (no effect), then perhaps one durable write, then perhaps one send."""

    who: int
    yes: frozenset[int] | None = None
    write: str = ""
    send: tuple[Message, ...] = ()


def replies(kind: str, payload: str) -> tuple[Message, ...]:
    return tuple((kind, payload, TM, r) for r in (0, 1))


def handlers(s: State) -> Iterator[Effects]:
    """Every step of an instance that is up, up to its tears."""
    if TM not in s.down and not s.log:
        yield Effects(TM, send=replies("Prepare", ""))
        yield Effects(TM, write="abort", send=replies("Decide", "abort"))
        if len(s.yes) == 2:
            yield Effects(TM, write="commit", send=replies("Decide", "commit"))
    for kind, payload, source, to in s.soup:
        if to in s.down:
            continue
        if kind == "Vote" and not s.log and source not in s.yes:
            if payload == "true":
                yield Effects(TM, yes=s.yes | {source})
            else:
                yield Effects(TM, write="abort", send=replies("Decide", "abort"))
        elif kind == "Ask" and s.log:
            yield Effects(TM, send=(("Decide", s.log, TM, source),))
        elif kind == "Prepare" and s.st[to] == "working":
            yield Effects(to, write="prepared", send=(("Vote", "true", to, TM),))
            yield Effects(to, write="aborted", send=(("Vote", "false", to, TM),))
        elif kind == "Decide" and s.st[to] in ("working", "prepared"):
            yield Effects(to, write="committed" if payload == "commit" else "aborted")
    for r in (0, 1):
        if r not in s.down and s.st[r] == "working":
            yield Effects(r, write="aborted")
        if r not in s.down and s.st[r] == "prepared":
            yield Effects(r, send=(("Ask", "", r, TM),))


def done(s: State, e: Effects, stops: bool) -> State:
    """The state after these effects."""
    if e.yes is not None:
        s = s._replace(yes=e.yes)
    if e.write and e.who == TM:
        s = s._replace(log=e.write)
    elif e.write:
        s = s._replace(st=(e.write, s.st[1]) if e.who == 0 else (s.st[0], e.write))
    return s._replace(soup=s.soup | {m for m in e.send if not (stops and m[3] in s.down)})


def crashed(s: State, who: int) -> State:
    s = s._replace(down=s.down | {who})
    return (
        s._replace(budget_tm=s.budget_tm - 1, yes=frozenset()) if who == TM else s._replace(budget_rm=s.budget_rm - 1)
    )


def can_crash(s: State, who: int) -> bool:
    return who not in s.down and (s.budget_tm if who == TM else s.budget_rm) > 0


def torn(e: Effects, variant: Variant) -> Iterator[Effects]:
    """What is left of a step that a crash tore: some of its effects, and neither none nor all."""
    reading = variant.reading
    if reading == "between steps":
        return
    if variant.vote_first and e.who != TM and e.write and e.send:
        yield e._replace(write="")
        return
    for size in range(len(e.send)):
        if reading == "all or none" and size > 0:
            continue
        subsets = [e.send[:size]] if reading == "in order" else list(combinations(e.send, size))
        for subset in subsets:
            if e.write or subset:
                yield e._replace(send=subset)


def enabled(s: State, variant: Variant) -> Iterator[Step[State]]:
    stops = variant.stops
    for e in handlers(s):
        yield Step(done(s, e, stops))
        if can_crash(s, e.who):
            for left in {crashed(done(s, t, stops), e.who) for t in torn(e, variant)}:
                yield Step(left, fault=True)
    for who in (TM, 0, 1):
        if can_crash(s, who):
            yield Step(crashed(s, who), fault=True)
        if who in s.down and not stops:
            yield Step(s._replace(down=s.down - {who}))


def finished(s: State) -> bool:
    return all(st in ("committed", "aborted") for st in s.st)


WANTED = Properties[State](
    always={
        "Atomic": lambda s: set(s.st) != {"committed", "aborted"},
        "Logged": lambda s: "committed" not in s.st or s.log == "commit",
    },
    steps={
        "Stable": lambda s, t: all(a == b for a, b in zip(s.st, t.st, strict=True) if a in ("committed", "aborted"))
    },
    reach={"CanCommit": lambda s: s.st == ("committed", "committed")},
    final=finished,
)


PLAIN = Variant()


def count(crashes_tm: int, crashes_rm: int, variant: Variant = PLAIN) -> Count:
    nobody: frozenset[int] = frozenset()
    start = State("", nobody, ("working", "working"), frozenset(), nobody, crashes_tm, crashes_rm)
    return search([start], lambda s: enabled(s, variant), WANTED)


def oracle(name: str, text: str, tm: int, rm: int, variant: Variant = PLAIN) -> Oracle:
    kind = "stop" if variant.stops else "crash"
    budgets = [f"{kind} {role} <= {n}" for role, n in (("TM", tm), ("RM", rm)) if n]
    text = text.replace("FAULTS", "faults " + ", ".join(budgets))
    return Oracle(f"two-phase commit, {name}", text, lambda: count(tm, rm, variant))


ORACLES = [
    oracle("crashes of both roles", TEXT, 2, 1),
    oracle("crashes of the coordinator", TEXT, 3, 0),
    oracle("vote before write", VOTE_FIRST, 0, 1, Variant(vote_first=True)),
    oracle("the coordinator stops", TEXT, 1, 0, Variant(stops=True)),
]
