"""The definitions of linearizability, sequential consistency and serializability, tried out: all orders of all operations.

Nothing is shared with the checker: the objects are those of `worlds`, and orders are permutations. For histories of up to
seven operations or so.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from itertools import chain, combinations, permutations
from typing import Any

from checker.conformance.histories.history import History, Operation, Outcome
from tests.conformance.histories.worlds import Objects


def linearizable(kind: str, history: History) -> bool:
    return _some_order(kind, history, lambda a, b: a.end < b.begin)


def sequential(kind: str, history: History) -> bool:
    return _some_order(kind, history, lambda a, b: a.process == b.process and a.end < b.begin)


def serializable(history: History, level: str) -> bool:
    """Transactions of lists or registers, one after the other: in any order, in that of processes, or in that of real time."""
    before: dict[str, Callable[[Operation, Operation], bool]] = {
        "serializable": lambda a, b: False,
        "strong-session-serializable": lambda a, b: a.process == b.process and a.end < b.begin,
        "strict-serializable": lambda a, b: a.end < b.begin,
    }
    return any(_is_serial(order) for order in _orders(history, before[level]))


def _is_serial(order: tuple[Operation, ...]) -> bool:
    data: dict[Any, Any] = {}
    for op in order:
        parts: Any = op.result if op.outcome is Outcome.OK else op.value
        for f, key, value in parts:
            if f == "append":
                data[key] = [*data.get(key, []), value]
            elif f == "w":
                data[key] = value
            elif op.outcome is Outcome.OK and data.get(key) != (value or None):
                return False
    return True


def _some_order(kind: str, history: History, before: Callable[[Operation, Operation], bool]) -> bool:
    return any(_explains(kind, order) for order in _orders(history, before))


def _orders(history: History, before: Callable[[Operation, Operation], bool]) -> Iterator[tuple[Operation, ...]]:
    sure = [op for op in history.operations if op.outcome is Outcome.OK]
    open_ = [op for op in history.operations if op.outcome is Outcome.INFO]
    for extra in chain.from_iterable(combinations(open_, n) for n in range(len(open_) + 1)):
        for order in permutations((*sure, *extra)):
            if all(not before(b, a) for at, a in enumerate(order) for b in order[at + 1 :]):
                yield order


def _explains(kind: str, order: tuple[Operation, ...]) -> bool:
    objects = Objects(kind)
    keyed = kind in ("kv", "list")
    for op in order:
        key, asked, answered = 0, op.value, op.result
        if keyed:
            (key, asked), answered = op.value, op.result[1]  # type: ignore[misc, index]
        took, answer = objects.apply(op.process, op.f, key, copy.deepcopy(asked))  # type: ignore[arg-type]
        if op.outcome is Outcome.OK and (not took or answer != answered):
            return False
        if op.outcome is Outcome.INFO and not took:
            return False
    return True
