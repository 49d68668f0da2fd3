"""Transactions over lists that grow: what their reads tell about versions, dependencies and plain mistakes.

A transaction is a list of `["append", key, value]` and `["r", key, list]`. No value is appended to a key twice, so a read
tells the whole past of its key: which transactions wrote, in which order. The longest read of a key is its order of
versions, and each other read has to be a beginning of it (Elle's traceability). From that follow all edges: `ww` between
writers of neighbours, `wr` from the writer of the last value that was read, `rw` to the writer of the one behind it. What
took place and was never read comes behind the longest read.

What needs no cycle is found on the way: see `KINDS`.

All lists together have far more elements than there are operations, so no loop here goes over the elements of a read: lists
are compared and mapped as wholes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import field
from typing import Any, Final

from checker.base.data import dataclass
from checker.conformance.histories.dependencies import WR, WW, Edge
from checker.conformance.histories.edn import show
from checker.conformance.histories.history import Operation, Outcome
from checker.conformance.histories.model import freeze
from checker.conformance.histories.transactions import APPEND, READ, Analysis, parts_of, twice
from checker.conformance.histories.verdict import Finding

KINDS: Final = {
    "unexpected element": "a read saw a value that nobody wrote",
    "duplicate elements": "a read saw a value twice",
    "incompatible order": "two reads of a key disagree about the order of its values, or one with who appended them",
    "internal": "a transaction does not see what it read or wrote itself, or sees what it writes later",
    "G1a": "a read saw what a transaction wrote that failed",
    "G1b": "a read saw what a transaction wrote and then overwrote",
    "lost update": "two transactions read one version of a key, and both wrote the next",
}

_FEW = 8
"""Up to how many unread values of a key get edges from everyone who read its last version."""


@dataclass(slots=True)
class _Key:
    """What is known about a key.

    Attributes:
        writers: who appended each value; `failed` is for transactions that failed.
        longest: the longest list that was read of it, and by whom.
        readers: who read it, and at the same places what, without what the reader itself had appended.
        inner: values behind which their transaction appended more, with the next one.
        updates: who read it and then appended to it, with the length of what was read.
        whole: reads of transactions that had touched the key before, with what they had appended themselves.
    """

    writers: dict[Any, int] = field(default_factory=dict)
    failed: dict[Any, Operation] = field(default_factory=dict)
    longest: Any = ()
    longest_reader: int = -1
    readers: list[int] = field(default_factory=list)
    lists: list[Any] = field(default_factory=list)
    inner: dict[Any, Any] = field(default_factory=dict)
    updates: list[tuple[int, int]] = field(default_factory=list)
    whole: list[tuple[int, Any]] = field(default_factory=list)


class ListAppend(Analysis[_Key]):
    """The analysis of a history of such transactions."""

    writing = APPEND
    parts = ('["append", key, value]', '["r", key, list]')
    verb = "appended"
    other = "rw-register"

    # ---- one pass over all transactions

    def _take(self, node: int, op: Operation) -> None:
        known = op.outcome is Outcome.OK
        keys = self._keys
        own: dict[Any, tuple[Any, list[Any]]] = {}
        """Of each key that the transaction touched: what it read, and what it appended since."""
        for f, key, value in parts_of(op):
            about = keys.get(key)
            if about is None:
                about = keys[key] = _Key()
            touched = own.get(key)
            if f in READ:
                if not known:
                    continue
                if type(value) is not list:
                    value = _list(value)
                if len(value) > len(about.longest):
                    about.longest, about.longest_reader = value, node
                if touched is not None:
                    about.whole.append((node, value))
                    value = self._again(op, key, value, *touched)
                    if touched[0] is not None:
                        continue
                own[key] = (value, [] if touched is None else touched[1])
                about.readers.append(node)
                about.lists.append(value)
            elif f in APPEND:
                if type(value) is not int:
                    value = freeze(value)
                if value in about.writers:
                    raise twice(op, key, value)
                about.writers[value] = node
                if touched is None:
                    own[key] = (None, [value])
                    continue
                if touched[0] is not None and not touched[1]:
                    about.updates.append((len(touched[0]), node))
                if touched[1]:
                    about.inner[touched[1][-1]] = value
                touched[1].append(value)
            else:
                raise ValueError(f)

    def _again(self, op: Operation, key: Any, value: Any, read: Any, appended: list[Any]) -> Any:
        """A read of a key that its transaction touched before; gives what of it came from others."""
        mine = len(appended)
        others = value[: len(value) - mine] if mine else value
        if list(map(freeze, value[len(others) :])) != appended or (read is not None and others != read):
            expected = f"{show([*read, *appended])}" if read is not None else f"a list that ends with {show(appended)}"
            message = f"key {show(key)}: the transaction reads {show(value)}, where {expected} is what it left there"
            self.findings.append(Finding("internal", message, (op,)))
        return others

    # ---- one key after the other

    def _key(self, key: Any, about: _Key) -> None:
        order = list(about.longest)
        if any(type(v) is not int for v in order):
            order = [freeze(v) for v in order]
            about.lists = [[freeze(v) for v in values] for values in about.lists]
            about.whole = [(node, [freeze(v) for v in values]) for node, values in about.whole]
        about.longest = order
        writers = [about.writers.get(value, -1) for value in order]
        if -1 in writers:
            self._strangers(key, about, writers)
        if len(set(order)) != len(order):
            self._repeated(key, about)
            return
        self._disordered(key, about, order)
        prefixes, ordered = self._prefixes(key, about)
        self._early(key, about, prefixes, writers)
        wr_from, wr_to = self.dependencies.wr
        rw_from, rw_to = self.dependencies.rw
        unread = self._unread(about, order) if ordered else []
        last = len(order)
        for node, length in prefixes:
            if length:
                writer = writers[length - 1]
                if writer != node and writer >= 0:
                    wr_from.append(writer)
                    wr_to.append(node)
            if not ordered:
                continue
            if length < last:
                writer = writers[length]
                if writer != node and writer >= 0:
                    rw_from.append(node)
                    rw_to.append(writer)
            else:
                for writer in unread:
                    if writer != node:
                        rw_from.append(node)
                        rw_to.append(writer)
        if ordered:
            self._writes(writers, unread)
            self._updates(key, about)
        if about.inner:
            self._intermediate(key, about, prefixes, writers)

    def _prefixes(self, key: Any, about: _Key) -> tuple[list[tuple[int, int]], bool]:
        """Readers with how much of the order they saw; and whether all of them saw the same order."""
        order = about.longest
        lengths = [len(values) for values in about.lists]
        good = [order[:n] == values for n, values in zip(lengths, about.lists, strict=True)]
        prefixes = list(zip(about.readers, lengths, strict=True))
        odd = {at for at, fits in enumerate(good) if not fits}
        others = [(about.readers[at], about.lists[at]) for at in sorted(odd)]
        others += [(node, values) for node, values in about.whole if order[: len(values)] != values]
        for node, values in others:
            message = f"key {show(key)}: one transaction reads {show(order)}, another {show(values)}"
            nodes = self._nodes[about.longest_reader], self._nodes[node]
            self.findings.append(Finding("incompatible order", message, nodes))
        return [p for at, p in enumerate(prefixes) if at not in odd] if odd else prefixes, not others

    def _writes(self, writers: list[int], unread: Iterable[int]) -> None:
        sources, targets = self.dependencies.ww
        before = -1
        for writer in writers:
            if writer != before:
                if before >= 0 and writer >= 0:
                    sources.append(before)
                    targets.append(writer)
                before = writer
        for writer in unread:
            if writer != before and before >= 0:
                sources.append(before)
                targets.append(writer)

    def _unread(self, about: _Key, order: list[Any]) -> list[int]:
        """Who appended what nobody read, and is known to have taken place."""
        if len(about.writers) <= len(order):
            return []
        read = set(order)
        unread = {w for v, w in about.writers.items() if v not in read and self._nodes[w].outcome is Outcome.OK}
        return sorted(unread) if len(unread) <= _FEW else []

    # ---- what needs no cycle

    def _strangers(self, key: Any, about: _Key, writers: list[int]) -> None:
        """Values in the order that no transaction wrote which took place."""
        for value, writer in zip(about.longest, writers, strict=True):
            if writer < 0:
                self._stranger(key, value, about, about.longest_reader)

    def _repeated(self, key: Any, about: _Key) -> None:
        message = f"key {show(key)}: a transaction reads a value twice in {show(about.longest)}"
        self.findings.append(Finding("duplicate elements", message, (self._nodes[about.longest_reader],)))

    def _disordered(self, key: Any, about: _Key, order: list[Any]) -> None:
        """What one transaction appended comes up in its order: a value never without the one that it appended before."""
        places = {value: place for place, value in enumerate(order)} if about.inner else {}
        for before, after in about.inner.items():
            if after in places and places.get(before, len(order)) > places[after]:
                message = (
                    f"key {show(key)}: a transaction appends {show(before)}, then {show(after)}, and another reads "
                )
                nodes = (self._nodes[about.writers[after]], self._nodes[about.longest_reader])
                self.findings.append(Finding("incompatible order", f"{message}{show(order)}", nodes))

    def _early(self, key: Any, about: _Key, prefixes: list[tuple[int, int]], writers: list[int]) -> None:
        """Transactions that read what they append themselves, and had not appended yet."""
        first: dict[int, int] = {}
        for place, writer in enumerate(writers):
            first.setdefault(writer, place)
        seen = [(node, about.longest[first[node]]) for node, length in prefixes if first.get(node, length) < length]
        good = {node for node, _ in prefixes}
        for node, values in zip(about.readers, about.lists, strict=True):
            if node not in good:  # it is not a beginning of the longest, which is rare enough to look at each value
                seen += [(node, value) for value in values if about.writers.get(value) == node][:1]
        for node, value in seen:
            message = f"key {show(key)}: the transaction reads {show(value)}, which it appends later"
            self.findings.append(Finding("internal", message, (self._nodes[node],)))

    def _intermediate(self, key: Any, about: _Key, prefixes: list[tuple[int, int]], writers: list[int]) -> None:
        for node, length in prefixes:
            if length and about.longest[length - 1] in about.inner and writers[length - 1] not in (node, -1):
                value = show(about.longest[length - 1])
                message = f"key {show(key)}: a transaction reads up to {value}, behind which its writer appended more"
                self.findings.append(Finding("G1b", message, (self._nodes[writers[length - 1]], self._nodes[node])))

    def _updates(self, key: Any, about: _Key) -> None:
        first: dict[int, int] = {}
        for length, node in about.updates:
            other = first.setdefault(length, node)
            if other != node:
                seen = show(about.longest[:length])
                message = f"key {show(key)}: two transactions read {seen} and appended to it"
                self.findings.append(Finding("lost update", message, (self._nodes[other], self._nodes[node])))

    # ---- for people

    def _reasons(self, edge: Edge) -> Iterator[str]:
        if edge.kinds == WW:
            yield from self._overwritten(edge)
        elif edge.kinds == WR:
            yield from self._seen(edge)
        else:
            yield from self._missed(edge)

    def _about(self, node: int) -> Iterator[tuple[Any, _Key]]:
        for key in dict.fromkeys(part[1] for part in parts_of(self._nodes[node])):
            yield key, self._keys[key]

    def _overwritten(self, edge: Edge) -> Iterator[str]:
        for key, about in self._about(edge.source):
            values = list(about.longest)
            writers = [about.writers.get(v, -1) for v in values]
            unread = [v for v, w in about.writers.items() if w == edge.target and v not in values]
            for at, writer in enumerate(writers):
                after = writers[at + 1] if at + 1 < len(writers) else edge.target if unread else -1
                if writer == edge.source and after == edge.target:
                    later = values[at + 1] if at + 1 < len(values) else unread[0]
                    yield f"to key {show(key)} it appends {show(values[at])}, the other {show(later)} behind it"

    def _seen(self, edge: Edge) -> Iterator[str]:
        for key, about in self._about(edge.target):
            for node, values in zip(about.readers, about.lists, strict=True):
                if node == edge.target and values and about.writers.get(values[-1]) == edge.source:
                    yield f"the other reads of key {show(key)} its {show(values[-1])} as the last value"

    def _missed(self, edge: Edge) -> Iterator[str]:
        for key, about in self._about(edge.source):
            values = list(about.longest)
            for node, seen in zip(about.readers, about.lists, strict=True):
                if node != edge.source:
                    continue
                if len(seen) < len(values):
                    later = [values[len(seen)]]
                else:
                    later = [v for v, w in about.writers.items() if w == edge.target and v not in values]
                if later and about.writers.get(later[0]) == edge.target:
                    yield f"it reads key {show(key)} without {show(later[0])}, which the other appends"


def _list(value: Any) -> list[Any]:
    """What was read, where it is no list already: nil is an empty one, and anything else is refused."""
    if value is not None and not isinstance(value, tuple):
        raise TypeError(value)
    return list(value or ())
