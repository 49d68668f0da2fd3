"""Linearizability and sequential consistency of a history: what is searched for, in what turns, and what is said about it.

A history is linearizable if each operation can be given a moment between its beginning and its end such that all answers
are as if operations took place one after the other at these moments. It is so if it is for each object by itself, so the
operations on each key are a search of their own. Searches take turns: each gets a small budget, those that are not decided
a larger one, and so on. The first that finds no order ends it all, so that one key that cannot be decided does not hide
another that is easily refuted.

Sequential consistency asks for the order of each process alone, in which an operation comes before those that its process began
after its end; one that crashed has none. It is not enough to look at each key, so there is one search
over all of them, with the states of all keys as its state.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable, Sequence
from typing import Any, NamedTuple

from checker.base.data import dataclass
from checker.conformance.histories.edn import show
from checker.conformance.histories.history import NEVER, History, Operation, Outcome
from checker.conformance.histories.model import REFUSED, Effect, Model
from checker.conformance.histories.phrases import phrase
from checker.conformance.histories.search import Chains, Intervals, Search, Step
from checker.conformance.histories.verdict import Finding, Judgement, Verdict

FIRST_SLICE = 256
EXPLAINING = 20_000
"""The budget of each search that only serves to say what is wrong."""


@dataclass(frozen=True, slots=True)
class Budget:
    """When searches give up: after so many situations in all (some 250 bytes each; large ones count for more), or seconds."""

    situations: int = 1_000_000
    seconds: float | None = None

    def __str__(self) -> str:
        return f"{self.situations:,} situations" + ("" if self.seconds is None else f" or {self.seconds:g} s")


Asked = tuple[Operation, Any, Any]
"""An operation, and what it was asked with and answered, without its key."""


class _Part(NamedTuple):
    """The operations on one key, and their search."""

    key: Hashable
    model: Model
    search: Search
    asked: Sequence[Asked] = ()


def linearizable(
    history: History, model: type[Model], *, initial: object = None, budget: Budget | None = None
) -> Judgement:
    """Whether the operations on each key can be linearized.

    Raises:
        SpecError: PSM852 for operations that the model does not have.
    """
    whole = model(initial)
    keys: dict[Hashable, list[Asked]] = {}
    for op in history.operations:
        key, value, result = whole.split(op)
        keys.setdefault(key, []).append((op, value, result))
    parts = [_part(key, asked, model(initial)) for key, asked in keys.items()]
    parts.sort(key=lambda part: len(part.search.steps))
    return _decide(
        history, model, "linearizable", parts, budget or Budget(), lambda part: _not_linearizable(part, model, initial)
    )


def _part(key: Hashable, asked: Sequence[Asked], model: Model) -> _Part:
    steps = [Step(op, e) for op, value, result in asked if (e := model.effect(op, value, result)) is not None]
    return _Part(key, model, Search(steps, Intervals(steps, model.rank), model.initial), asked)


def sequential(
    history: History, model: type[Model], *, initial: object = None, budget: Budget | None = None
) -> Judgement:
    """Whether the operations of all processes together have an order that agrees with that of each process.

    Raises:
        SpecError: PSM852 for operations that the model does not have.
    """
    keys: dict[Hashable, tuple[int, Model]] = {}
    steps = []
    whole = model(initial)
    for op in history.operations:
        key, value, result = whole.split(op)
        place, part = keys.setdefault(key, (len(keys), model(initial, real_time=False)))
        effect = part.effect(op, value, result)
        if effect is not None:
            steps.append(Step(op, _at(place, effect)))
    start = tuple(part.initial for _, part in keys.values())
    search = Search(steps, Chains(steps), start)
    return _decide(
        history, model, "sequential", [_Part(None, _Together(keys), search)], budget or Budget(), _not_sequential
    )


def _at(place: int, effect: Effect) -> Effect:
    """An effect on one of several objects."""

    def apply(states: tuple[Any, ...]) -> Any:
        after = effect.apply(states[place])
        return after if after is REFUSED else (*states[:place], after, *states[place + 1 :])

    return Effect(apply, effect.pure, (place, effect.twin))


class _Together(Model):
    """Shows the states of several objects."""

    def __init__(self, keys: dict[Hashable, tuple[int, Model]]) -> None:
        super().__init__()
        self._keys = keys

    def _effect(self, op: Operation, value: Any, result: Any, known: bool) -> Effect | None:
        raise NotImplementedError

    def show(self, state: Any) -> str:
        if list(self._keys) == [None]:
            return self._keys[None][1].show(state[0])
        return ", ".join(f"{show(key)}: {part.show(state[place])}" for key, (place, part) in self._keys.items())


def _decide(
    history: History,
    model: type[Model],
    consistency: str,
    parts: Sequence[_Part],
    budget: Budget,
    explain: Callable[[_Part], Finding],
) -> Judgement:
    stop = None if budget.seconds is None else time.monotonic() + budget.seconds
    left, piece = budget.situations, FIRST_SLICE
    undecided = list(parts)
    late = False
    while undecided and left > 0 and not late:
        for part in undecided:
            before = part.search.spent
            if _slices(part.search, min(piece, left), stop) is False:
                return _judgement(history, model, consistency, parts, Verdict.ILLEGAL, "", explain(part))
            left -= part.search.spent - before
            late = stop is not None and time.monotonic() > stop
            if late or left <= 0:
                break
        undecided = [part for part in undecided if part.search.result is None]
        piece *= 2
    reason = _gave_up(budget, undecided, late) if undecided else ""
    verdict = Verdict.UNKNOWN if undecided else Verdict.OK
    return _judgement(history, model, consistency, parts, verdict, reason, None)


def _slices(search: Search, budget: int, stop: float | None) -> bool | None:
    """Runs a search for a while, with a look at the clock now and then."""
    while budget > 0 and search.result is None and (stop is None or time.monotonic() <= stop):
        before = search.spent
        search.run(min(budget, 4_096))
        budget -= max(search.spent - before, 1)
    return search.result


def _gave_up(budget: Budget, undecided: Sequence[_Part], late: bool) -> str:
    what = f"{budget.seconds:g} seconds" if late else f"{budget.situations:,} situations"
    keys = [show(part.key) for part in undecided if part.key is not None]
    more = f" and {len(keys) - 5} more" if len(keys) > 5 else ""
    of = f" with {'key' if len(keys) == 1 else 'keys'} {', '.join(keys[:5])}{more} open" if keys else ""
    return f"the budget of {what} ran out{of}"


def _judgement(
    history: History,
    model: type[Model],
    consistency: str,
    parts: Sequence[_Part],
    verdict: Verdict,
    reason: str,
    finding: Finding | None,
) -> Judgement:
    figures: dict[str, int | str] = {"operations": len(history.operations)}
    if len(parts) > 1:
        figures["keys"] = len(parts)
        figures["keys decided"] = sum(part.search.result is not None for part in parts)
    figures["situations"] = sum(part.search.situations for part in parts)
    findings = () if finding is None else (finding,)
    return Judgement(model.name, consistency, verdict, reason, findings, figures)


def _not_sequential(part: _Part) -> Finding:
    search, placed = part.search, part.search.placed
    done = {op.number for op in placed}
    heads: dict[object, Operation] = {}
    for step in search.steps:
        if step.op.number not in done and step.op.end != NEVER:
            heads.setdefault(step.op.process, step.op)
    message = (
        f"no order of all operations: {len(placed)} of {len(search.steps)} can be placed, then the state is "
        f"{_states(part)}, and none of these can come next"
    )
    return Finding("not sequential", message, tuple(heads.values()), order=placed)


def _not_linearizable(part: _Part, model: type[Model], initial: object) -> Finding:
    """The first end of an operation that cannot be explained, in the order of ends."""
    if part.model.ahead:  # it refused to go on long before that end, perhaps
        best, op = _shortest(part, model, initial)
    else:
        best, blocked = part, part.search.order.blocked(part.search.furthest)
        assert blocked is not None
        op = blocked.op
    placed = best.search.placed
    where = "" if part.key is None else f"key {show(part.key)}: "
    message = f"{where}`{phrase(op)}` cannot be placed before it ends; just before that the state is {_states(best)}"
    last = max((o for o in placed if o.end < op.begin), key=lambda o: o.end, default=None)
    around = [s.op for s in part.search.steps if s.op.begin < op.end and s.op.end > op.begin and s.op is not op]
    before = [] if last is None else [last]
    remarks = (*("ends before" for _ in before), *("overlaps" for _ in around), "cannot be placed")
    return Finding("not linearizable", message, (*before, *around, op), remarks, placed)


def _shortest(part: _Part, model: type[Model], initial: object) -> tuple[_Part, Operation]:
    """The search that succeeds on the longest prefix which can be linearized, and the operation that ends next.

    Prefixes of what can be linearized can be, so a binary search over the ends of operations finds it. A prefix that is
    undecided within a small budget is taken for good; then the one that is found may be too long.
    """
    ended = sorted((op for op, _, _ in part.asked if op.outcome is Outcome.OK), key=lambda op: op.end)
    good, bad = 0, len(ended)
    best = _part(part.key, (), model(initial))
    best.search.run(1)
    while bad - good > 1:
        middle = (good + bad) // 2
        attempt = _part(part.key, _until(part.asked, ended[middle - 1].end), model(initial))
        if attempt.search.run(EXPLAINING) is False:
            bad = middle
        else:
            good, best = middle, attempt
    return best, ended[bad - 1]


def _until(asked: Sequence[Asked], end: int) -> list[Asked]:
    """What was known when the operation with this end had ended: those still open are as if they had crashed."""
    return [
        (op if op.end <= end else op._replace(outcome=Outcome.INFO, end=NEVER), value, result)
        for op, value, result in asked
        if op.begin < end
    ]


def _states(part: _Part) -> str:
    return " or ".join(sorted(part.model.show(state) for state in part.search.states))
