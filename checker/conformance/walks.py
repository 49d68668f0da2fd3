"""Walks beyond the cover of transitions: what an implementation remembers that the spec does not.

A cover takes each transition once. An implementation may do right in each transition and wrong in a sequence of them, because
it has state that the spec does not have and nobody sees: a cache, a counter, a timer that still runs. Two kinds of paths look
for that:

- **n-step walks** take every sequence of n transitions that follow each other (n = 2: every pair). They are a cover again, of the
  graph whose states are sequences of n - 1 edges, so the same greedy choice makes them. Their number grows with the n-th
  power of the branching, so they are cut off at a limit, and what was left out is counted.
- **random walks** go on for as long as one likes; a seed decides each step. Steps that were taken less often are preferred.

Both give paths that `replay` follows.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from random import Random

from checker.base.data import dataclass
from checker.conformance.cover import Path, Ways
from checker.engine.graph import Edge, StateGraph


@dataclass(frozen=True, slots=True)
class Walks:
    """Paths, and how many of the sequences of `length` transitions they take; None for random walks, which count none."""

    paths: tuple[Path, ...]
    length: int
    taken: int
    total: int | None

    @property
    def steps(self) -> int:
        """The length of all paths together."""
        return sum(map(len, self.paths))


def sequences(graph: StateGraph, ways: Ways, length: int) -> int:
    """How many sequences of so many transitions there are."""
    counts = dict.fromkeys(ways.reachable, 1)
    for _ in range(length):
        counts = {s: sum(counts[graph.edges[number].target] for number in ways.out[s]) for s in counts}
    return sum(counts.values())


def n_step_walks(
    graph: StateGraph,
    length: int,
    *,
    avoid: Callable[[Edge], bool] | None = None,
    most: int = 100_000,
    longest: int = 200,
) -> Walks:
    """Paths that take every sequence of `length` transitions, until they have `most` steps together.

    Args:
        graph: the state graph.
        length: of a sequence, at least 1.
        avoid: tells which transitions no path may take.
        most: after so many steps no path is begun.
        longest: a path of so many steps ends.
    """
    ways = Ways(graph, avoid)
    total = sequences(graph, ways, length)
    taken: set[Path] = set()
    paths: list[Path] = []
    steps = 0
    for start in ways.reachable:
        todo = deque(_from(graph, ways, start, length))
        while todo and steps < most:
            first = todo.popleft()
            if first in taken:
                continue
            path = [*ways.shortest(start), *first]
            _note(path, length, taken)
            while len(path) < longest:
                onward = next(
                    (
                        n
                        for n in ways.out[graph.edges[path[-1]].target]
                        if (*path[len(path) - length + 1 :], n) not in taken
                    ),
                    None,
                )
                if onward is None:
                    break
                path.append(onward)
                taken.add(tuple(path[-length:]))
            paths.append(tuple(path))
            steps += len(path)
    return Walks(tuple(paths), length, len(taken), total)


def _note(path: list[int], length: int, taken: set[Path]) -> None:
    taken.update(tuple(path[i : i + length]) for i in range(len(path) - length + 1))


def _from(graph: StateGraph, ways: Ways, state: int, length: int) -> list[Path]:
    """The sequences of transitions that begin in a state."""
    found: list[Path] = [()]
    for _ in range(length):
        found = [
            (*path, number) for path in found for number in ways.out[graph.edges[path[-1]].target if path else state]
        ]
    return found


def random_walks(
    graph: StateGraph, *, seed: int, walks: int, steps: int, avoid: Callable[[Edge], bool] | None = None
) -> Walks:
    """So many walks of so many steps each, or shorter where nothing can be done any more."""
    ways, random = Ways(graph, avoid), Random(seed)
    often = [0] * len(graph.edges)
    paths = []
    for _ in range(walks):
        state = graph.initial[random.randrange(len(graph.initial))]
        path: list[int] = []
        while len(path) < steps and ways.out[state]:
            least = min(often[number] for number in ways.out[state])
            fresh = [number for number in ways.out[state] if often[number] == least]
            number = random.choice(fresh if random.random() < 0.8 else ways.out[state])
            often[number] += 1
            path.append(number)
            state = graph.edges[number].target
        paths.append(tuple(path))
    return Walks(tuple(paths), 1, len({number for path in paths for number in path}), None)
