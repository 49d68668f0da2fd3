"""A breadth-first search over states that an oracle makes by hand, and what it counts.

The oracles beside this module explore small specs with their own data structures, written from the language reference
alone. They share this loop and nothing else, and nothing of the checker.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Generic, NamedTuple, TypeVar

S = TypeVar("S", bound=Hashable)


class Step(NamedTuple, Generic[S]):
    """An enabled step. Where it errs it has no successor and is no transition; a fault does not end a deadlock.

    A step that a `limit` refuses is no transition either, but a state that would have it is no deadlock.
    """

    to: S | None
    fault: bool = False
    refused: bool = False


@dataclass(frozen=True)
class Count:
    """What a search found.

    `lengths` has the length of a shortest counterexample for each property that fails, and of a shortest witness for each
    `reach` that is reached.
    """

    states: int
    transitions: int
    depth: int
    lengths: Mapping[str, int]


@dataclass(frozen=True)
class Oracle:
    """A spec, one of its checks, and a search written by hand that counts the same.

    `published` is the number of states that others have found, where there is one.
    """

    name: str
    text: str
    count: Callable[[], Count]
    check: str = "c"
    slow: bool = False
    published: int | None = None


@dataclass(frozen=True)
class Properties(Generic[S]):
    """What a search looks for; a `reach` is given as it is, everything else as what must hold.

    Attributes:
        always: invariants.
        steps: relations that every transition satisfies.
        reach: what some state satisfies.
        final: where it is fine to stop.
        bound: what a state satisfies that is explored; others are counted as successors and checked only.
    """

    always: Mapping[str, Callable[[S], bool]] = field(default_factory=dict)
    steps: Mapping[str, Callable[[S, S], bool]] = field(default_factory=dict)
    reach: Mapping[str, Callable[[S], bool]] = field(default_factory=dict)
    final: Callable[[S], bool] = lambda _: True
    bound: Callable[[S], bool] = lambda _: True


def search(initial: Iterable[S], enabled: Callable[[S], Iterable[Step[S]]], wanted: Properties[S]) -> Count:
    """Explore everything, level by level."""
    lengths: dict[str, int] = {}

    def judge(state: S, length: int) -> None:
        for name, holds in wanted.always.items():
            if name not in lengths and not holds(state):
                lengths[name] = length
        for name, reached in wanted.reach.items():
            if name not in lengths and reached(state):
                lengths[name] = length

    level = list(dict.fromkeys(initial))
    for state in level:
        judge(state, 0)
    seen = set(level)
    transitions = depth = length = 0
    while level:
        depth = length
        found: list[S] = []
        for state in level:
            moves = False
            for to, fault, refused in enabled(state):
                if refused:
                    moves = True
                    continue
                if to is None:
                    lengths.setdefault("NoError", length)
                    moves = True
                    continue
                transitions += 1
                moves = moves or (not fault and to != state)
                for name, related in wanted.steps.items():
                    if name not in lengths and not related(state, to):
                        lengths[name] = length + 1
                if to in seen:
                    continue
                judge(to, length + 1)
                if wanted.bound(to):
                    seen.add(to)
                    found.append(to)
            if not moves and not wanted.final(state):
                lengths.setdefault("NoDeadlock", length)
        level = found
        length += 1
    return Count(len(seen), transitions, depth, lengths)
