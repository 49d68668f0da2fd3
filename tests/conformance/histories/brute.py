"""The definition of linearizability and sequential consistency, tried out: all orders of all operations.

Nothing is shared with the checker: the objects are those of `worlds`, and orders are permutations. For histories of up to
seven operations or so.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from itertools import chain, combinations, permutations

from checker.conformance.histories.history import History, Operation, Outcome
from tests.conformance.histories.worlds import Objects


def linearizable(kind: str, history: History) -> bool:
    return _some_order(kind, history, lambda a, b: a.end < b.begin)


def sequential(kind: str, history: History) -> bool:
    return _some_order(kind, history, lambda a, b: a.process == b.process and a.end < b.begin)


def _some_order(kind: str, history: History, before: Callable[[Operation, Operation], bool]) -> bool:
    sure = [op for op in history.operations if op.outcome is Outcome.OK]
    open_ = [op for op in history.operations if op.outcome is Outcome.INFO]
    for extra in chain.from_iterable(combinations(open_, n) for n in range(len(open_) + 1)):
        for order in permutations((*sure, *extra)):
            agrees = all(not before(b, a) for at, a in enumerate(order) for b in order[at + 1 :])
            if agrees and _explains(kind, order):
                return True
    return False


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
