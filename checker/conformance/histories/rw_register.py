"""Transactions over registers: what their reads and writes tell about versions, dependencies and plain mistakes.

A transaction is a list of `["w", key, value]` and `["r", key, value]`. No value is written to a key twice, so who wrote what
was read is known: `wr` edges. The order of versions is known only in part. Every version follows the initial one, nil; and
who reads a version and writes another saw that the other follows it. So a key has a graph of versions, no line. An edge in it
from one version to another gives `ww` between their writers, and `rw` from readers of the first to the writer of the second.

These edges are right, and there are fewer of them than for lists: what is not found here may be wrong nevertheless. That is
Elle's price for registers, too.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from dataclasses import field

from checker.base.data import dataclass
from checker.conformance.histories.dependencies import RW, WR, WW, Edge, strong
from checker.conformance.histories.edn import show
from checker.conformance.histories.history import Operation, Outcome
from checker.conformance.histories.model import freeze
from checker.conformance.histories.transactions import READ, WRITE, Analysis, parts_of, twice
from checker.conformance.histories.verdict import Finding

_FEW = 8
"""Up to how many versions that follow nil get edges from everyone who read nil."""


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
            for before, after in about.after:
                if about.writers[after] != edge.target:
                    continue
                if edge.kinds == WW and about.writers.get(before) == edge.source:
                    yield f"the other replaced its {show(before)} by {show(after)} at key {show(key)}"
                if edge.kinds == RW and edge.source in about.readers.get(before, ()):
                    yield f"it reads {show(before)} at key {show(key)}, which the other replaced by {show(after)}"
            if edge.kinds == RW and edge.source in about.readers.get(None, ()):
                yield f"it reads nil at key {show(key)}, before the other wrote to it"
