"""Session guarantees and causal consistency of registers: what a client has seen, it does not unsee.

Each key has one order of versions, which nobody knows. What clients saw says something about it, and a guarantee holds if
all that it says can be true at once: if the graph of "this version comes before that one" has no cycle. Two things hold under
every guarantee: a process's writes to a key are in its own order, and the initial value, nil, comes before all.

| | A read of a key sees no version older than |
|---|---|
| `read-your-writes` | what its process wrote |
| `monotonic-reads` | what its process read |
| `monotonic-writes` | what a process wrote before something that the reader's process has read |
| `writes-follow-reads` | what a process read before it wrote something that the reader's process has read |
| `causal` | what is in its causal past: processes in their order, and who read from whom, taken together |

The last two of the session guarantees are about what servers show; seen through clients they are judged for what is read
after something was seen. `causal` is causal convergence, and exact (Bouajjani and others): conflicting writes are ordered in
one way for all, which agrees with the causal order of all keys.

Versions are told apart by their values, so no value is written to a key twice. A `cas` reads and writes. A crashed write is a
write if somebody read it. It comes after what its process had ended before, and before nothing, since it may take effect late:
it is as if it were of a process of its own, which it is in what follows. Per key and process the newest version is enough, as
older ones come before it, so the work grows with the number of reads times that of processes.

Sources: Terry and others, "Session Guarantees for Weakly Consistent Replicated Data", PDIS 1994. Bouajjani, Enea, Guerraoui and
Hamza, "On Verifying Causal Consistency", POPL 2017.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterator
from functools import partial
from typing import Any, Final, NamedTuple

from checker.conformance.histories.dependencies import ALL, Edge, Effort, Graph, shortest, strong, within
from checker.conformance.histories.edn import show
from checker.conformance.histories.history import History, Operation, Outcome
from checker.conformance.histories.model import Model, freeze
from checker.conformance.histories.transactions import twice
from checker.conformance.histories.verdict import Finding, Judgement, judged

GUARANTEES: Final = ("read-your-writes", "monotonic-reads", "monotonic-writes", "writes-follow-reads")
NOTHING: Final = object()


class _Access(NamedTuple):
    """An operation as a read and a write: NOTHING where it is none. `place` is its place in its process's session."""

    op: Operation
    key: Hashable
    read: Any
    wrote: Any
    place: int


Reason = tuple[str, tuple[Operation, ...]]


class _Versions:
    """The accesses of a history, and the graph of their writers: who comes before whom, and why."""

    def __init__(self, history: History, model: Model) -> None:
        self.accesses = list(_accesses(history, model))
        self.writer: dict[tuple[Hashable, Any], int] = {}
        for number, access in enumerate(self.accesses):
            if access.wrote is not NOTHING:
                if (access.key, access.wrote) in self.writer or access.wrote is None:
                    raise twice(access.op, access.key, access.wrote)
                self.writer[access.key, access.wrote] = number
        self.sessions: dict[object, list[int]] = defaultdict(list)
        for number, access in enumerate(self.accesses):
            self.sessions[access.op.process].append(number)
        self.before: dict[tuple[int, int], Reason] = {}
        self.findings: list[Finding] = []

    def source(self, access: _Access) -> int:
        """Who wrote what an access read; -1 for the initial value and for what nobody wrote."""
        return self.writer.get((access.key, access.read), -1)

    def strangers(self) -> None:
        """Reports reads of what nobody wrote."""
        for access in self.accesses:
            if access.read not in (NOTHING, None) and self.source(access) < 0:
                message = f"{_of(access)}reads {show(access.read)}, which nobody wrote"
                self.findings.append(Finding("unexpected value", message, (access.op,)))

    def older(self, first: int, reader: _Access, what: str, guarantee: str) -> None:
        """`reader` saw a version that is no older than what `first` wrote."""
        if reader.read is None:
            write = self.accesses[first]
            message = f"{_of(reader)}reads nil, though {show(write.wrote)} {what}"
            self.findings.append(Finding(f"not {guarantee}", message, (write.op, reader.op)))
            return
        second = self.source(reader)
        if second >= 0 and first != second:
            self.before.setdefault((first, second), (what, (reader.op,)))

    def in_order(self) -> None:
        """A process's writes to a key are in its own order."""
        for session in self.sessions.values():
            last: dict[Hashable, int] = {}
            for number in session:
                access = self.accesses[number]
                if access.wrote is not NOTHING:
                    if access.key in last:
                        self.before.setdefault((last[access.key], number), ("is written before by its process", ()))
                    if access.op.outcome is Outcome.OK:
                        last[access.key] = number

    def cycles(self, guarantee: str) -> Iterator[Finding]:
        """What cannot be true at once."""
        graph: Graph = {number: [] for number in range(len(self.accesses))}
        for first, second in self.before:
            graph[first].append((second, 1))
        effort = Effort()
        for nodes in strong(graph, ALL):
            part = within(graph, nodes, ALL)
            start = nodes[0]
            candidates = (shortest(part, Edge(start, target, 1), ALL, effort) for target, _ in part[start])
            cycle = min((c for c in candidates if c is not None), key=len, default=())
            shown: list[tuple[Operation, str]] = []
            for edge in cycle:
                what, readers = self.before[edge.source, edge.target]
                target = self.accesses[edge.target].op
                shown.append((self.accesses[edge.source].op, f"{what}, so it comes before what follows"))
                shown += [(op, "reads what comes next") for op in readers if op is not target]
            message = f"the versions of {len(cycle)} writes each come before the next, and the last before the first"
            yield Finding(f"not {guarantee}", message, tuple(op for op, _ in shown), tuple(text for _, text in shown))


def _accesses(history: History, model: Model) -> Iterator[_Access]:
    places: dict[object, int] = defaultdict(int)
    for op in history.operations:
        if op.outcome is Outcome.FAIL or model.effect(op, *model.split(op)[1:]) is None:
            continue
        key, value, result = model.split(op)
        read: Any = NOTHING
        wrote: Any = NOTHING
        if op.f in ("read", "get"):
            read = freeze(result)
        elif op.f == "cas":
            if result is False:
                continue
            read, wrote = map(freeze, value)
            if op.outcome is not Outcome.OK:
                read = NOTHING
        else:
            wrote = freeze(value)
        places[op.process] += 1
        yield _Access(op, key, read, wrote, places[op.process])


def _certain(access: _Access) -> bool:
    """Whether it is a write that took place."""
    return access.wrote is not NOTHING and access.op.outcome is Outcome.OK


_Line = tuple[object, int]
"""A process, with -1 for all that it ended; or with the number of an access of its that crashed, which is in no order."""


def _line(number: int, access: _Access) -> _Line:
    return access.op.process, -1 if access.op.outcome is Outcome.OK else number


def _of(access: _Access) -> str:
    return "" if access.key is None else f"key {show(access.key)}: "


def session(history: History, model: type[Model], guarantees: tuple[str, ...] = GUARANTEES) -> Judgement:
    """Whether session guarantees hold, each by itself.

    Args:
        history: reads and writes of registers, or of one for each key.
        model: `Register` or `KeyValue`.
        guarantees: some of GUARANTEES.

    Raises:
        SpecError: PSM852 for other operations, or a value that is written twice.
    """
    findings: list[Finding] = []
    reads = 0
    for guarantee in guarantees:
        versions = _Versions(history, model(None))
        if guarantee == guarantees[0]:
            versions.strangers()
        versions.in_order()
        for process in versions.sessions:
            _follow(versions, process, guarantee)
        findings += [*versions.findings, *versions.cycles(guarantee)]
        reads = sum(access.read is not NOTHING for access in versions.accesses)
    name = guarantees[0] if len(guarantees) == 1 else "sessions"
    figures = {"operations": len(history.operations), "reads": reads}
    return judged(model.name, name, findings, figures)


def _follow(versions: _Versions, process: object, guarantee: str) -> None:
    """One process's session: what each of its reads may not be older than."""
    accesses, source = versions.accesses, versions.source
    need: dict[Hashable, dict[_Line, int]] = defaultdict(dict)
    """Of each key the newest version of each writing process that a read has to see."""
    reached: dict[object, int] = defaultdict(int)

    def demand(number: int) -> None:
        write = accesses[number]
        newest, line = need[write.key], _line(number, write)
        if line not in newest or accesses[newest[line]].place < write.place:
            newest[line] = number

    def learn(writer: int) -> None:
        """The process has seen a write of another: what does it have to see from now on?"""
        other = accesses[writer].op.process
        if other == process:
            return
        session = versions.sessions[other]
        for number in session[reached[other] : accesses[writer].place - 1]:
            if guarantee == "monotonic-writes" and _certain(accesses[number]):
                demand(number)
            if (
                guarantee == "writes-follow-reads"
                and accesses[number].read is not NOTHING
                and source(accesses[number]) >= 0
            ):
                demand(source(accesses[number]))
        reached[other] = max(reached[other], accesses[writer].place - 1)
        if (
            guarantee == "writes-follow-reads"
            and accesses[writer].read is not NOTHING
            and source(accesses[writer]) >= 0
        ):
            demand(source(accesses[writer]))

    for number in versions.sessions[process]:
        access = accesses[number]
        if access.read is not NOTHING:
            if source(access) >= 0 and guarantee in ("monotonic-writes", "writes-follow-reads"):
                learn(source(access))
            for needed in need[access.key].values():
                versions.older(needed, access, _WHAT[guarantee], guarantee)
            if guarantee == "monotonic-reads" and source(access) >= 0:
                demand(source(access))
        if guarantee == "read-your-writes" and _certain(access):
            demand(number)


_WHAT: Final = {
    "read-your-writes": "was written before by the same process",
    "monotonic-reads": "was read before by the same process",
    "monotonic-writes": "was written before something that the process has read",
    "writes-follow-reads": "was read by another before it wrote something that the process has read",
    "causal": "is in the causal past of the read",
}


def causal(history: History, model: type[Model]) -> Judgement:
    """Whether all processes agree on one order of versions that follows the causal order.

    Raises:
        SpecError: PSM852 for operations other than reads and writes of registers, or a value that is written twice.
    """
    versions = _Versions(history, model(None))
    versions.strangers()
    past = _pasts(versions)
    if past is not None:
        _conflicts(versions, past)
    findings = [*versions.findings, *versions.cycles("causal")]
    return judged(model.name, "causal", findings, {"operations": len(history.operations)})


Pasts = list[dict[_Line, int]]
"""For each access and process: how much of its session is in the causal past, the access itself included."""


def _pasts(versions: _Versions) -> Pasts | None:
    """The causal order, as edges in `versions.before`, and as vectors; None where it has a cycle."""
    accesses = versions.accesses
    incoming: list[list[int]] = [[] for _ in accesses]
    for session in versions.sessions.values():
        last = -1
        for number in session:
            if last >= 0:
                incoming[number].append(last)
                versions.before[last, number] = ("ended before in its process", ())
            if accesses[number].op.outcome is Outcome.OK:
                last = number
    for number, access in enumerate(accesses):
        writer = versions.source(access) if access.read is not NOTHING else -1
        if writer >= 0 and writer != number:
            incoming[number].append(writer)
            versions.before[writer, number] = ("wrote what the next one read", ())
    outgoing: list[list[int]] = [[] for _ in accesses]
    missing = [len(sources) for sources in incoming]
    for number, sources in enumerate(incoming):
        for source in sources:
            outgoing[source].append(number)
    pasts: Pasts = [{} for _ in accesses]
    ready = [number for number, count in enumerate(missing) if not count]
    for number in ready:
        past = pasts[number]
        for source in incoming[number]:
            for process, place in pasts[source].items():
                if past.get(process, 0) < place:
                    past[process] = place
        past[_line(number, accesses[number])] = accesses[number].place
        for target in outgoing[number]:
            missing[target] -= 1
            if not missing[target]:
                ready.append(target)
    return pasts if len(ready) == len(accesses) else None


def _conflicts(versions: _Versions, pasts: Pasts) -> None:
    """What is written in the causal past of a read is no newer than what it read."""
    read = {versions.source(access) for access in versions.accesses if access.read is not NOTHING}
    latest: dict[tuple[_Line, Hashable], list[int]] = defaultdict(list)
    for number, access in enumerate(versions.accesses):
        if _certain(access) or number in read:
            latest[_line(number, access), access.key].append(number)
    by_key: dict[Hashable, list[_Line]] = defaultdict(list)
    for line, key in latest:
        by_key[key].append(line)
    for number, access in enumerate(versions.accesses):
        if access.read is NOTHING:
            continue
        for line in by_key[access.key]:
            place = pasts[number].get(line, 0)
            known = [w for w in latest[line, access.key] if versions.accesses[w].place <= place and w != number]
            if known:
                versions.older(known[-1], access, _WHAT["causal"], "causal")


CHECKS: Final[dict[str, Callable[[History, type[Model]], Judgement]]] = {
    **{name: partial(session, guarantees=(name,)) for name in GUARANTEES},
    "sessions": session,
    "causal": causal,
}
