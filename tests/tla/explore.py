"""All reachable states of a module, counted as TLC does."""

from __future__ import annotations

from dataclasses import dataclass

from tests.tla.evaluate import Module, State
from tests.tla.values import Value


@dataclass(slots=True)
class Explored:
    distinct: int
    generated: int
    states: list[State]
    steps: list[tuple[State, State]]


def explore(module: Module, *, constraint: str | None = None, most: int = 10**9) -> Explored:
    """All reachable states, as TLC counts them. States outside of the constraint are generated, but not kept."""
    order = module.variables
    known: set[tuple[Value, ...]] = set()
    queue: list[State] = []
    steps: list[tuple[State, State]] = []
    generated = 0

    def visit(s: State) -> None:
        key = tuple(s[v] for v in order)
        if key in known or (constraint is not None and not module.holds(constraint, s)):
            return
        known.add(key)
        queue.append(s)

    for s in module.initial():
        generated += 1
        visit(s)
    at = 0
    while at < len(queue) and len(queue) <= most:
        for t in module.successors(("name", "Next"), queue[at]):
            generated += 1
            steps.append((queue[at], t))
            visit(t)
        at += 1
    return Explored(len(queue), generated, queue, steps)
