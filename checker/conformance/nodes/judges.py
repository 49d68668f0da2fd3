"""What is wrong with the answers that nodes gave, for each workload.

A judge sees the history of client operations alone. It claims something is wrong only if no correct system could have answered
so: an operation without an answer may have happened or not, at any time. What everyone agrees on in the end is judged by
`final` operations, asked for at each node when all faults were over; without any, the verdict is not "ok".
"""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from checker.conformance.histories.history import History, Operation, Outcome
from checker.conformance.histories.isolation import isolated
from checker.conformance.histories.models import KeyValue
from checker.conformance.histories.ordered import linearizable
from checker.conformance.histories.verdict import Finding, Judgement, judged
from checker.conformance.jsonlines import canonical


def echo(history: History) -> Judgement:
    """Every answer is what was asked with."""
    wrong = (
        Finding("other answer", f"{op.value!r} came back as {op.result!r}", (op,))
        for op in history.succeeded
        if canonical(op.value) != canonical(op.result)
    )
    return judged("echo", "faithful", wrong, {"operations": len(history.succeeded)}).within(history)


def unique_ids(history: History) -> Judgement:
    """No answer is given twice."""
    given: dict[str, list[Operation]] = defaultdict(list)
    for op in history.succeeded:
        given[canonical(op.result)].append(op)
    wrong = (
        Finding("duplicate id", f"{name} was given {len(ops)} times", tuple(ops[:2]))
        for name, ops in given.items()
        if len(ops) > 1
    )
    return judged("ids", "unique", wrong, {"ids": len(given)}).within(history)


def store(history: History) -> Judgement:
    """The operations on every key can be linearized."""
    return linearizable(history, KeyValue).within(history)


def grow_only_set(history: History, final: Sequence[Operation]) -> Judgement:
    """What was added, or seen once, is in every final answer, and nothing else is in any."""
    asked: dict[str, Operation] = {canonical(op.value): op for op in history.operations if op.f == "add"}
    sure: dict[str, Operation] = {}
    wrong: list[Finding] = []
    for op in history.succeeded:
        if op.f == "add":
            sure.setdefault(canonical(op.value), op)
            continue
        seen = [canonical(v) for v in op.result] if isinstance(op.result, list) else []
        for element in sorted(set(seen)):
            if element not in asked or asked[element].begin > op.end:
                wrong.append(Finding("phantom element", f"{element} was read before anybody added it", (op,)))
            sure.setdefault(element, op)
        wrong += [
            Finding("repeated element", f"{element} stands in one answer {seen.count(element)} times", (op,))
            for element in sorted({e for e in seen if seen.count(e) > 1} if len(set(seen)) < len(seen) else ())
        ]
    for op in final:
        has = {canonical(v) for v in op.result} if isinstance(op.result, list) else set()
        wrong += [
            Finding("lost element", f"{element} is missing in a final answer", (first, op), _lost(first))
            for element, first in sure.items()
            if element not in has
        ]
    figures = {"elements": len(sure), "final reads": len(final)}
    return judged("set", "convergent", wrong, figures, open=_unasked(final)).within(history)


def counter(history: History, final: Sequence[Operation]) -> Judgement:
    """Every final answer is the sum of all additions that happened and of some that may have."""
    adds = [op for op in history.operations if op.f == "add" and isinstance(op.value, int)]
    known = sum(op.value for op in adds if op.outcome is Outcome.OK)  # type: ignore[misc]
    unsure = [int(op.value) for op in adds if op.outcome is Outcome.INFO]  # type: ignore[call-overload]
    low = known + sum(n for n in unsure if n < 0)
    possible = 1  # bit i: low + i can be the sum
    for n in unsure:
        possible |= possible << abs(n)
    sums = [low + i for i, bit in enumerate(reversed(f"{possible:b}")) if bit == "1"]
    allowed = str(known) if len(sums) == 1 else f"one of {len(sums)} from {sums[0]} to {sums[-1]}"
    wrong = [
        Finding("wrong sum", f"a final answer is {op.result}, and should be {allowed}", (op,))
        for op in final
        if op.result not in set(sums)
    ]
    figures = {"additions": len(adds), "unknown": len(unsure), "final reads": len(final)}
    return judged("counter", "convergent", wrong, figures, open=_unasked(final)).within(history)


def transactions(history: History, model: str, level: str) -> Judgement:
    """Transactions are as isolated as `level` demands; `model` is `list-append` or `rw-register`."""
    return isolated(history, model, level).within(history)


Pair = tuple[int, str]
"""An offset, and the canonical text of a message."""


def logs(history: History, final: Sequence[Operation]) -> Judgement:
    """Logs have one message at an offset, show all of it that is known to be there, and lose nothing.

    Nor does a committed offset make a consumer pass anything over: none is listed that lies above all that had been asked to be
    committed. A lower one is allowed, since whoever starts there sees some messages twice.
    """
    wrong: list[Finding] = []
    at: dict[tuple[str, int], tuple[str, Operation]] = {}
    where: dict[tuple[str, str], tuple[int, Operation]] = {}
    known: dict[str, list[tuple[int, Operation]]] = defaultdict(list)
    last_ones = {op.number for op in final}
    sent = {(str(op.value[0]), canonical(op.value[1])) for op in history.operations if op.f == "send"}  # type: ignore[index]

    def place(key: str, offset: int, message: str, op: Operation) -> None:
        there, first = at.setdefault((key, offset), (message, op))
        if there != message:
            text = f"offset {offset} of {key} holds {there} and {message}"
            wrong.append(Finding("two messages at one offset", text, (first, op)))
        other, first = where.setdefault((key, message), (offset, op))
        if other != offset:
            wrong.append(
                Finding("repeated message", f"{message} of {key} is at offsets {other} and {offset}", (first, op))
            )
        if (key, message) not in sent:
            wrong.append(Finding("phantom message", f"{message} of {key} was never sent", (op,)))

    for op in history.succeeded:
        if op.f == "send":
            key, offset, message = _sent(op)
            place(key, offset, message, op)
            known[key].append((offset, op))
        for key, _, pairs in _polls(op):
            for offset, message in pairs:
                place(key, offset, message, op)
    for op in history.succeeded:
        for key, start, pairs in _polls(op):
            offsets = [offset for offset, _ in pairs]
            if offsets != sorted(set(offsets)) or (offsets and offsets[0] < start):
                wrong.append(
                    Finding("offsets go back", f"a poll of {key} from {start} gives offsets {offsets[:20]}", (op,))
                )
            last = float("inf") if op.number in last_ones else max(offsets, default=-1)
            there = set(offsets)
            wrong += [
                Finding(
                    "lost write",
                    f"offset {offset} of {key} is passed over",
                    (first, op),
                    ("it was sent", "it is missing"),
                )
                for offset, first in known[key]
                if start <= offset <= last and offset not in there and first.end < op.begin
            ]
    wrong += _made_up(history, at)
    figures = {"messages": sum(map(len, known.values())), "final polls": len(final)}
    return judged("logs", "complete", wrong, figures, open=_unasked(final)).within(history)


def _made_up(history: History, at: Iterable[tuple[str, int]]) -> Iterator[Finding]:
    """Offsets that are listed as committed, and nobody had asked for; `at` is where messages are known to be.

    Before the first commit, an offset below all messages says "from the beginning", as the absence of one does.
    """
    first: dict[str, int] = {}
    for key, offset in at:
        first[key] = min(offset, first.get(key, offset))
    begins: dict[str, list[int]] = defaultdict(list)
    highest: dict[str, list[tuple[int, Operation]]] = defaultdict(list)  # of all commits that have begun by then
    for op in sorted(history.succeeded, key=lambda op: op.begin):
        result: Any = op.result
        for key, offset in result.get("commit", {}).items() if op.f == "poll" else ():
            before = highest[key][-1] if highest[key] else (offset, op)
            begins[key].append(op.begin)
            highest[key].append(max(before, (offset, op), key=lambda pair: pair[0]))
    for op in history.succeeded:
        listed: Any = op.result
        for key, offset in listed.items() if op.f == "assign" else ():
            count = bisect_left(begins[key], op.end)
            most, poll = highest[key][count - 1] if count else (first.get(key, offset + 1) - 1, op)
            if offset > most:
                text = f"{most} is the highest that anybody asked for" if count else "nobody had asked for any"
                text = f"offset {offset} of {key} is listed as committed, and {text}"
                yield Finding("made-up commit", text, (poll, op) if count else (op,))


def _sent(op: Operation) -> tuple[str, int, str]:
    result: Any = op.result
    return str(result[0]), int(result[1]), canonical(result[2])


def _polls(op: Operation) -> Iterator[tuple[str, int, list[Pair]]]:
    """What a poll gave: each key, from where on it was asked for, and what is there."""
    if op.f not in ("poll", "poll all"):
        return
    result: Any = op.result
    for key, start in result["from"].items():
        if op.f == "poll all" or key in result["msgs"]:
            yield key, start, [(offset, canonical(message)) for offset, message in result["msgs"].get(key, [])]


def _lost(first: Operation) -> tuple[str, str]:
    return ("it was acknowledged" if first.f == "add" else "it was seen", "it is missing")


def _unasked(final: Sequence[Operation]) -> str:
    return "" if final else "no node gave a final answer, so nobody knows what the system agreed on"
