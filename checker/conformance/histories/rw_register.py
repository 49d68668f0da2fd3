"""Transactions over registers: what their reads and writes tell about versions, dependencies and plain mistakes.

A transaction is a list of `["w", key, value]` and `["r", key, value]`. No value is written to a key twice, so who wrote what
was read is known: `wr` edges. The order of versions is known only in part. Every version follows the initial one, nil; and
who reads a version and writes another saw that the other follows it. So a key has a graph of versions, no line. An edge in it
from one version to another gives `ww` between their writers, and `rw` from readers of the first to the writer of the second.

Where levels follow time, time orders versions, too: of two writers of a key of which the first ended before the second began,
the first wrote the earlier version. So who read that one comes before the second: `rw` of a kind of its own, which counts for
these levels alone. Edges go to the next writers of a process, or in real time; those behind them follow by edges of time. Here
a writer is one that took place for certain: it succeeded, or was read.

These edges are right, and there are fewer of them than for lists: what is not found here may be wrong nevertheless. That is
Elle's price for registers, too.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import field
from itertools import pairwise

from checker.base.data import dataclass
from checker.conformance.histories.dependencies import RW, RW_PROCESS, RW_REALTIME, WR, WW, Edge, strong
from checker.conformance.histories.edn import show
from checker.conformance.histories.history import NEVER, Operation, Outcome
from checker.conformance.histories.model import freeze
from checker.conformance.histories.transactions import READ, WRITE, Analysis, parts_of, twice
from checker.conformance.histories.verdict import Finding

_FEW = 8
"""Up to how many versions that follow nil get edges from everyone who read nil, and how many next writers a version has."""


@dataclass(slots=True)
class _Key:
    """What is known about a key.

    Attributes:
        writers: who wrote each value; `failed` is for transactions that failed.
        readers: who read each value that others wrote, nil among them.
        inner: values that their own transaction overwrote.
        after: pairs of versions of which the second follows the first, each with a transaction that shows it.
    """

    writers: dict[Hashable, int] = field(default_factory=dict)
    failed: dict[Hashable, Operation] = field(default_factory=dict)
    readers: dict[Hashable, list[int]] = field(default_factory=dict)
    inner: set[Hashable] = field(default_factory=set)
    after: dict[tuple[Hashable, Hashable], int] = field(default_factory=dict)


class _Next:
    """The writers of a key that took place for certain, by time: which are the next ones after a moment?"""

    def __init__(self, nodes: Sequence[Operation], writers: set[int]) -> None:
        self._nodes = nodes
        self._writers = sorted(writers, key=lambda node: nodes[node].begin)
        self._begins = [nodes[node].begin for node in self._writers]
        first_end = NEVER
        self._first_ends = [first_end := min(first_end, nodes[node].end) for node in reversed(self._writers)][::-1]
        sessions: dict[object, list[int]] = {}
        for node in self._writers:
            sessions.setdefault(nodes[node].process, []).append(node)
        self.first = {process: session[0] for process, session in sessions.items()}
        self.own = {a: b for session in sessions.values() for a, b in pairwise(session) if nodes[a].end != NEVER}
        """Behind a writer the next one of its process."""

    def after(self, moment: int) -> list[int]:
        """Those that began after a moment and before any of those had ended, the first to end first."""
        at = bisect_right(self._begins, moment)
        if at == len(self._writers):
            return []
        found = self._writers[at : bisect_left(self._begins, self._first_ends[at], at)]
        return sorted(found, key=lambda node: self._nodes[node].end)[:_FEW]


class RwRegister(Analysis[_Key]):
    """The analysis of a history of such transactions."""

    writing = WRITE
    parts = ('["w", key, value]', '["r", key, value]')
    verb = "wrote"
    other = "list-append"

    # ---- one pass over all transactions

    def _take(self, node: int, op: Operation) -> None:
        known = op.outcome is Outcome.OK
        now: dict[Hashable, Hashable] = {}
        """What the transaction has to see at each key that it touched."""
        read: dict[Hashable, Hashable] = {}
        wrote: set[Hashable] = set()
        for f, key, value in parts_of(op):
            key, value = freeze(key), freeze(value)
            about = self._keys.setdefault(key, _Key())
            if f in READ:
                if not known:
                    continue
                if key not in now:
                    now[key] = read[key] = value
                    about.readers.setdefault(value, []).append(node)
                elif now[key] != value:
                    message = f"key {show(key)}: the transaction reads {show(value)}, where it left {show(now[key])}"
                    self.findings.append(Finding("internal", message, (op,)))
            elif f in WRITE:
                if value in about.writers or value is None:
                    raise twice(op, key, value)
                about.writers[value] = node
                if key in read and read[key] == value:
                    message = f"key {show(key)}: the transaction reads {show(value)}, which it writes later"
                    self.findings.append(Finding("internal", message, (op,)))
                    for pair in [p for p, shown_by in about.after.items() if p[0] == value and shown_by == node]:
                        del about.after[pair]  # it follows from what cannot be
                if key in wrote:
                    about.inner.add(now[key])
                    about.after.setdefault((now[key], value), node)
                elif key in read and read[key] != value:
                    about.after.setdefault((read[key], value), node)
                wrote.add(key)
                now[key] = value
            else:
                raise ValueError(f)

    # ---- one key after the other

    def _key(self, key: Hashable, about: _Key) -> None:
        for value, readers in about.readers.items():
            writer = about.writers.get(value)
            if writer is not None:
                self._edges(self.dependencies.wr, [writer], readers)
                if value in about.inner:
                    self._intermediate(key, value, writer, readers)
            elif value is not None:
                self._stranger(key, value, about, readers[0])
        for nodes in self._cyclic(about):
            shown = ", ".join(show(value) for value in nodes)
            ops = [self._nodes[node] for (a, b), node in about.after.items() if a in nodes and b in nodes]
            message = f"key {show(key)}: transactions write {shown} each after another of them"
            self.findings.append(Finding("cyclic versions", message, tuple(ops)))
        first: dict[Hashable, Hashable] = {}
        followers = {b for _, b in about.after}
        for (before, after), node in about.after.items():
            if before is not None and before in about.writers:
                self._edges(self.dependencies.ww, [about.writers[before]], [about.writers[after]])
            self._edges(self.dependencies.rw, about.readers.get(before, []), [about.writers[after]])
            self._lost(key, about, before, after, node, first)
        starts = [w for v, w in about.writers.items() if v not in followers and self._nodes[w].outcome is Outcome.OK]
        if len(starts) <= _FEW:
            self._edges(self.dependencies.rw, about.readers.get(None, []), starts)
        self._in_time(about, many=len(starts) > _FEW)

    def _in_time(self, about: _Key, *, many: bool) -> None:
        """Edges from readers of a version to those who wrote after its writer; of nil, if there are `many` of them."""
        nodes = self._nodes
        sure = {w for v, w in about.writers.items() if nodes[w].outcome is Outcome.OK or v in about.readers}
        following = _Next(nodes, sure)
        for value, readers in about.readers.items():
            writer = about.writers.get(value)
            if writer is not None and nodes[writer].end != NEVER:
                self._edges(self.dependencies.rw_realtime, readers, following.after(nodes[writer].end))
                if writer in following.own:
                    self._edges(self.dependencies.rw_process, readers, [following.own[writer]])
            elif value is None and many:
                self._edges(self.dependencies.rw, readers, following.after(-1))
                for reader in readers:
                    if nodes[reader].process in following.first:
                        self._edges(self.dependencies.rw, [reader], [following.first[nodes[reader].process]])

    def _edges(self, kind: tuple[list[int], list[int]], sources: list[int], targets: list[int]) -> None:
        for source in sources:
            for target in targets:
                if source != target:
                    kind[0].append(source)
                    kind[1].append(target)

    # ---- what needs no cycle of transactions

    def _intermediate(self, key: Hashable, value: Hashable, writer: int, readers: list[int]) -> None:
        for reader in readers:
            if reader != writer:
                message = f"key {show(key)}: a transaction reads {show(value)}, which its writer overwrote"
                self.findings.append(Finding("G1b", message, (self._nodes[writer], self._nodes[reader])))

    def _cyclic(self, about: _Key) -> list[list[Hashable]]:
        numbers = {value: n for n, value in enumerate(dict.fromkeys(v for pair in about.after for v in pair))}
        values = list(numbers)
        graph: dict[int, list[tuple[int, int]]] = {n: [] for n in numbers.values()}
        for before, after in about.after:
            graph[numbers[before]].append((numbers[after], WW))
        return [[values[n] for n in sorted(nodes)] for nodes in strong(graph, WW)]

    def _lost(
        self, key: Hashable, about: _Key, before: Hashable, after: Hashable, node: int, first: dict[Hashable, Hashable]
    ) -> None:
        """Two transactions that read one version and wrote the next; of one that overwrites itself the last counts."""
        if node not in about.readers.get(before, ()) or self._nodes[node].outcome is not Outcome.OK:
            return
        other = first.setdefault(before, after)
        if other != after:
            message = (
                f"key {show(key)}: two transactions read {show(before)}, and wrote {show(other)} and {show(after)}"
            )
            nodes = (self._nodes[about.writers[other]], self._nodes[about.writers[after]])
            self.findings.append(Finding("lost update", message, nodes))

    # ---- for people

    def _reasons(self, edge: Edge) -> Iterator[str]:
        for key in dict.fromkeys(freeze(part[1]) for part in parts_of(self._nodes[edge.target])):
            about = self._keys[key]
            if edge.kinds == WR:
                for value, readers in about.readers.items():
                    if edge.target in readers and about.writers.get(value) == edge.source:
                        yield f"the other reads the {show(value)} that it wrote to key {show(key)}"
                continue
            if edge.kinds in (RW_PROCESS, RW_REALTIME):
                yield from self._replaced_later(edge, key, about)
                continue
            for before, after in about.after:
                if about.writers[after] != edge.target:
                    continue
                if edge.kinds == WW and about.writers.get(before) == edge.source:
                    yield f"the other replaced its {show(before)} by {show(after)} at key {show(key)}"
                if edge.kinds == RW and edge.source in about.readers.get(before, ()):
                    yield f"it reads {show(before)} at key {show(key)}, which the other replaced by {show(after)}"
            if edge.kinds == RW and edge.source in about.readers.get(None, ()):
                yield f"it reads nil at key {show(key)}, before the other wrote to it"

    def _replaced_later(self, edge: Edge, key: Hashable, about: _Key) -> Iterator[str]:
        later = self._nodes[edge.target]
        wrote = [value for value, writer in about.writers.items() if writer == edge.target]
        for before, readers in about.readers.items():
            if edge.source in readers and before in about.writers and wrote:
                writer = self._nodes[about.writers[before]]
                if writer.end < later.begin and (edge.kinds == RW_REALTIME or writer.process == later.process):
                    who = "the other" if edge.kinds == RW_REALTIME else "the same process"
                    yield f"it reads {show(before)} at key {show(key)}, after the writing of which {who} wrote {show(wrote[-1])}"
