"""Checks that need no order of all operations: sets, queues, identifiers, locks and counters, judged by what must not happen.

They are linear in the length of the history, give reasons in the words of the object, and demand less than linearizability: a
queue may reorder, a set may be late. Each takes a history and gives findings, with what was counted.

| Model | Operations | Wrong is |
|---|---|---|
| `grow-set` | `add` v, `read` | an added value that a last read lacks, a value that nobody had added |
| `total-queue` | `enqueue` v, `dequeue`, `drain` [v …] | a value that is lost, taken out too often, or had not been put in |
| `unique-ids` | `generate` | an identifier that was given twice |
| `mutex` | `acquire`, `release` | two who hold a lock at once |
| `fenced-lock` | `acquire` answers a token, or [key token] | a token that is not larger than that of an earlier holder |
| `counter-bounds` | `add` n, `read` | a total below or above what additions can come to |
| `converging` | `write` or `add`, `read` | last reads that differ after all writes have ended |
"""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator
from itertools import accumulate
from typing import Any, Final

from checker.base.diagnostics import error
from checker.conformance.histories.edn import show
from checker.conformance.histories.history import NEVER, History, Operation, Outcome
from checker.conformance.histories.model import freeze
from checker.conformance.histories.verdict import Finding, Judgement, judged

OK, FAIL, INFO = Outcome.OK, Outcome.FAIL, Outcome.INFO


def _only(history: History, *names: str) -> Iterator[Operation]:
    """The operations, which have these names.

    Raises:
        SpecError: PSM852 for one that has another.
    """
    for op in history.operations:
        if op.f not in names:
            raise error(
                "PSM852", f"line {op.line}: `{op.f}` is no operation of the model", help=f"it has {', '.join(names)}"
            )
        yield op


def _values(op: Operation) -> Iterable[Any]:
    if not isinstance(op.result, list | tuple | set | frozenset):
        raise error(
            "PSM852", f"line {op.line}: `{show(op.result)}` is no list of values", help=f"`{op.f}` answers with a list"
        )
    return map(freeze, op.result)


def grow_set(history: History) -> Judgement:
    """Every value that was added is in every read that began after all additions had ended, or in the last read.

    A value may be added more than once. What counts is which addition succeeded, and which may have taken place before a read
    ended.
    """
    adds: dict[Hashable, list[Operation]] = defaultdict(list)
    reads = []
    for op in _only(history, "add", "read", "broadcast"):
        if op.f == "read":
            reads += [op] if op.outcome is OK else []
        else:
            adds[freeze(op.value)].append(op)
    sure = {
        value: min(ended, key=_end) for value, ops in adds.items() if (ended := [op for op in ops if op.outcome is OK])
    }
    begun = {
        value: min(op.begin for op in ops if op.outcome is not FAIL) for value, ops in adds.items() if not _failed(ops)
    }
    seen: set[Hashable] = set()
    findings = []
    for read in reads:
        for value in _values(read):
            seen.add(value)
            if begun.get(value, NEVER) > read.end:
                early = adds[value][:1] if value in adds else []
                how = "nobody added" if not early else "is added later" if value in begun else "failed to be added"
                message = f"a read sees {show(value)}, which {how}"
                findings.append(Finding("unexpected element", message, (read, *early)))
    last = max(map(_end, sure.values()), default=-1)
    final = [read for read in reads if read.begin > last] or reads[-1:]
    for read in final:
        present = set(_values(read))
        for value, add in sure.items():
            if add.end < read.begin and value not in present:
                findings.append(Finding("lost element", f"{show(value)} is not in a last read", (add, read)))
    figures = {
        "added": len(sure),
        "recovered": sum(value not in sure and value in seen for value in begun),
        "reads": len(reads),
    }
    return judged("grow-set", "set", findings, figures, open="" if final else "nothing was read")


def _end(op: Operation) -> int:
    return op.end


def _failed(ops: Iterable[Operation]) -> bool:
    return all(op.outcome is FAIL for op in ops)


def total_queue(history: History) -> Judgement:
    """Every value leaves as often as it was put in, in any order, and never before.

    What is left in a queue that was never drained is nobody's fault, and open.
    """
    put: dict[Hashable, list[Operation]] = defaultdict(list)
    taken: dict[Hashable, list[Operation]] = defaultdict(list)
    drained = lost_takes = 0
    last_put = -1
    for op in _only(history, "enqueue", "dequeue", "drain"):
        if op.f == "enqueue":
            if op.outcome is not FAIL:
                put[freeze(op.value)].append(op)
                # one that crashed may take effect at any time; it makes no other value disappear
                last_put = max(last_put, op.begin if op.outcome is INFO else op.end)
        elif op.outcome is INFO:
            lost_takes += 1
        elif op.f == "drain" and op.outcome is OK:
            drained = max(drained, op.begin)
            for value in _values(op):
                taken[value].append(op)
        elif op.outcome is OK and op.result is not None:
            taken[freeze(op.result)].append(op)
        elif op.f == "dequeue":  # it was empty
            drained = max(drained, op.begin)
    findings = [
        found for value, ops in taken.items() if (found := _too_much(value, put.get(value, []), ops)) is not None
    ]
    left = 0
    whole = drained > last_put and not lost_takes
    for value, ops in put.items():
        sure = [op for op in ops if op.outcome is OK]
        out = taken.get(value, [])
        left += max(len(sure) - len(out), 0)
        if whole and len(sure) > len(out):
            times = "" if len(sure) == 1 else f"{len(sure)} times "
            comes = f"comes out {len(out)} times" if out else "never comes out"
            findings.append(Finding("lost element", f"{show(value)} is put in {times}and {comes}", (*sure, *out)))
    figures = {"put in": sum(map(len, put.values())), "taken out": sum(map(len, taken.values())), "left": left}
    why = (
        "a crashed dequeue may have taken them"
        if lost_takes
        else "the queue was never seen empty after the last enqueue"
    )
    open_ = f"{left} values may be lost: {why}" if left and not whole else ""
    return judged("total-queue", "queue", findings, figures, open=open_)


def _too_much(value: Hashable, puts: list[Operation], takes: list[Operation]) -> Finding | None:
    """A value that comes out more often than it had been put in until then.

    `puts` are in the order of their beginnings. The takes that ended first need one each that began before their end.
    """
    takes = sorted(takes, key=_end)
    for count, take in enumerate(takes):
        if count >= len(puts) or puts[count].begin > take.end:
            break
    else:
        return None
    if not puts:
        return Finding("unexpected element", f"{show(value)} is taken out, and was never put in", (take,))
    if not count:
        message = f"{show(value)} is taken out before it is put in"
        return Finding("unexpected element", message, (take, puts[0]))
    until = "" if count >= len(puts) else " until then"
    out = len(takes) if count >= len(puts) else count + 1
    ways = f"{show(value)} is put in {count} times{until} and taken out {out} times"
    return Finding("duplicate element", ways, (*puts[:count], *takes[:out]))


def unique_ids(history: History) -> Judgement:
    """No identifier is given twice."""
    given: dict[Hashable, Operation] = {}
    findings = []
    for op in _only(history, "generate"):
        if op.outcome is OK:
            first = given.setdefault(freeze(op.result), op)
            if first is not op:
                findings.append(Finding("duplicate id", f"{show(op.result)} is given twice", (first, op)))
    return judged("unique-ids", "unique", findings, {"identifiers": len(given)})


def mutex(history: History) -> Judgement:
    """Nobody holds a lock for certain while another does: from the end of `acquire` to the beginning of `release`."""
    findings = []
    holds: dict[Hashable, list[tuple[int, int, Operation]]] = defaultdict(list)
    held: dict[tuple[Hashable, Hashable], Operation] = {}
    for op in _only(history, "acquire", "release"):
        owner = (freeze(op.key), freeze(op.process if op.value is None else op.value))
        if op.f == "acquire":
            if op.outcome is OK:
                if owner in held:  # it was not released: the first hold reaches into the second
                    holds[owner[0]].append((held[owner].end, NEVER, held[owner]))
                held[owner] = op
        elif op.outcome is not FAIL and owner in held:
            acquired = held.pop(owner)
            holds[owner[0]].append((acquired.end, op.begin, acquired))
    for (key, _), op in held.items():
        holds[key].append((op.end, NEVER, op))
    count = 0
    for intervals in holds.values():
        intervals.sort(key=lambda hold: hold[:2])
        count += len(intervals)
        until, holder = -1, None
        for begin, end, op in intervals:
            if holder is not None and begin < until:
                findings.append(Finding("held twice", "a lock is given while another holds it", (holder, op)))
            if end > until:
                until, holder = end, op
    return judged("mutex", "mutual exclusion", findings, {"locks": len(holds), "held": count})


def fenced_lock(history: History) -> Judgement:
    """Tokens grow: who acquires a lock after another had acquired it gets a larger one, and no two get the same."""
    acquired: dict[Hashable, list[tuple[Operation, int]]] = defaultdict(list)
    for op in _only(history, "acquire", "release"):
        if op.f == "acquire" and op.outcome is OK:
            pair = isinstance(op.result, list | tuple) and len(op.result) == 2
            token = op.result[1] if pair else op.result  # type: ignore[index]
            token = _number(op, token, "a fencing token")
            key = freeze(op.result[0]) if pair else freeze(op.key)  # type: ignore[index]
            acquired[key].append((op, token))
    findings = []
    for ops in acquired.values():
        given: dict[int, Operation] = {}
        for op, token in ops:
            first = given.setdefault(token, op)
            if first is not op:
                findings.append(Finding("token given twice", f"token {token} is given twice", (first, op)))
        ended = sorted(ops, key=lambda pair: pair[0].end)
        at, best = 0, None
        for op, token in ops:
            while ended[at][0].end < op.begin:
                best = ended[at] if best is None or ended[at][1] > best[1] else best
                at += 1
            if best is not None and token < best[1]:
                message = f"token {token} is given after token {best[1]}"
                findings.append(Finding("token not larger", message, (best[0], op)))
    figures = {"locks": len(acquired), "tokens": sum(map(len, acquired.values()))}
    return judged("fenced-lock", "fencing", findings, figures)


class _Running:
    """What amounts come to before a moment."""

    def __init__(self, amounts: Iterable[tuple[int, int]]) -> None:
        ordered = sorted(amounts)
        self._moments = [moment for moment, _ in ordered]
        self._sums = [0, *accumulate(amount for _, amount in ordered)]

    def before(self, moment: int) -> int:
        """The sum of what came before a moment."""
        return self._sums[bisect_left(self._moments, moment)]


def counter_bounds(history: History) -> Judgement:
    """A read is at least what had been added for certain before it, and at most what may have been until its end."""
    adds: list[tuple[Operation, int]] = []
    reads: list[tuple[Operation, int]] = []
    for op in _only(history, "add", "increment", "decrement", "read"):
        if op.f == "read":
            reads += [(op, _number(op, op.result, "a total"))] if op.outcome is OK else []
        elif op.outcome is not FAIL:
            amount = _number(op, 1 if op.value is None else op.value, "an addition")
            adds.append((op, -amount if op.f == "decrement" else amount))
    up = _Running((op.begin, n) for op, n in adds if n > 0)
    sure_up = _Running((op.end, n) for op, n in adds if n > 0 and op.outcome is OK)
    down = _Running((op.begin, n) for op, n in adds if n < 0)
    sure_down = _Running((op.end, n) for op, n in adds if n < 0 and op.outcome is OK)
    findings = []
    for op, total in reads:
        least = sure_up.before(op.begin) + down.before(op.end)
        most = up.before(op.end) + sure_down.before(op.begin)
        if not least <= total <= most:
            message = f"a read gives {total}, which lies outside of {least} to {most}"
            findings.append(Finding("total out of bounds", message, (op,)))
    figures = {"additions": len(adds), "reads": len(reads)}
    return judged("counter-bounds", "bounds", findings, figures, open="" if reads else "nothing was read")


def converging(history: History) -> Judgement:
    """Once nobody changes anything any more, the last reads of all processes agree, for each key."""
    last_change = -1
    lost = False
    reads: dict[Hashable, dict[object, tuple[Operation, Hashable]]] = defaultdict(dict)
    for op in history.operations:
        if op.f not in ("read", "get") and op.outcome is not FAIL:
            last_change = max(last_change, op.begin if op.outcome is INFO else op.end)
            lost |= op.outcome is INFO
    for op in history.operations:
        if op.f in ("read", "get") and op.outcome is OK and op.begin > last_change:
            key, answer = _asked(op)
            reads[freeze(key)][op.process] = (op, freeze(answer))
    findings = []
    compared = 0
    for key, last in reads.items():
        seen: dict[Hashable, Operation] = {}
        for op, answer in last.values():
            seen.setdefault(answer, op)
        compared += len(last) > 1
        if len(seen) > 1:
            where = "" if key is None else f"key {show(key)}: "
            message = f"{where}{len(seen)} different answers after the last change"
            findings.append(Finding("no convergence", message, tuple(seen.values())))
    why = "" if compared else "no two processes read anything after the last change"
    if findings and lost:  # a crashed write may take effect between two of these reads
        why, findings = "last reads differ, and a crashed operation may have changed something between them", []
    return judged("converging", "eventual convergence", findings, {"compared": compared}, open=why)


def _asked(op: Operation) -> tuple[Any, Any]:
    """The key that a read is about, and what it answered: as a model with keys has it, where it asks with [key nil]."""
    pair = isinstance(op.value, list | tuple) and len(op.value) == 2 and op.value[1] is None
    if op.key is not None or not pair:
        return op.key, op.result
    key = op.value[0]  # type: ignore[index]
    whole = isinstance(op.result, list | tuple) and len(op.result) == 2 and freeze(op.result[0]) == freeze(key)
    return key, op.result[1] if whole else op.result  # type: ignore[index]


def _number(op: Operation, value: Any, what: str) -> int:
    """A whole number.

    Raises:
        SpecError: PSM852 for anything else.
    """
    if isinstance(value, bool) or not isinstance(value, int):
        raise error("PSM852", f"line {op.line}: `{show(value)}` is not {what}", help=f"{what} is a whole number")
    return value


CHECKS: Final[dict[str, Callable[[History], Judgement]]] = {
    "grow-set": grow_set,
    "total-queue": total_queue,
    "unique-ids": unique_ids,
    "mutex": mutex,
    "fenced-lock": fenced_lock,
    "counter-bounds": counter_bounds,
    "converging": converging,
}
