"""Sets of one vertex that `trim` finds are those that `decompose` would have found, whoever trims which part, and how often."""

from __future__ import annotations

from random import Random

import pytest

from checker.engine.liveness.cells import ALONE, COIN, GOOD, INNER, LIMITED, NONE, STAY, VISIT
from checker.engine.liveness.components import UNIT_CELLS, fair_sets, trim
from checker.native import jit
from checker.native.workers import Sizes
from tests.native.rig import Recorder, Spec, counters, opened, rounds, stacks

Arrays = tuple[list[int], list[int], list[int], list[int], list[int], list[int]]


def random_graph(chance: Random) -> Arrays:
    """`first`, `target`, `unit`, `flags`, `strong` and `mark`; most edges lead to higher numbers."""
    n, units = chance.randrange(1, 14), chance.randrange(1, 4)
    back = chance.choice((0.0, 0.1, 0.4))
    first, target, unit = [0], [], []
    for v in range(n):
        for _ in range(chance.randrange(4)):
            w = chance.randrange(n) if chance.random() < back else chance.randrange(v, n)
            if w != v:
                target.append(w)
                unit.append(chance.choice((0, 0, chance.randrange(units))))
        first.append(len(target))
    flags = [chance.choice((0, 0, 0, 0, INNER, INNER | COIN)) for _ in range(n)]
    mark = [chance.choice((STAY, STAY, STAY | VISIT, 0, STAY | LIMITED)) for _ in range(n)]
    return first, target, unit, flags, [chance.randrange(2) for _ in range(units)], mark


def sets(graph: Arrays, visit: int) -> tuple[int, set[frozenset[int]]]:
    """How many sets `fair_sets` finds, and their states and points inside steps."""
    first, target, unit, flags, strong, mark = graph
    n, units = len(flags), len(strong)
    group, member, popped, ends, low, stack = ([0] * (n + 1) for _ in range(6))
    found = fair_sets(
        n, first, target, unit, flags, strong, mark, group, member, popped, ends, low, stack, [0] * (3 * n + 3),
        [0] * (2 * n + 2), [0] * (UNIT_CELLS * units), [0] * units, [0], units, visit,
    )  # fmt: skip
    assert found != NONE
    groups: dict[int, set[int]] = {}
    for v in range(n):
        if group[v]:
            groups.setdefault(group[v], set()).add(v)
    good = {v for v in range(n) if mark[v] & GOOD}
    assert good == {v for of in groups.values() for v in of if not flags[v] & INNER}
    return found, {frozenset(of) for of in groups.values()}


@pytest.mark.parametrize("visit", [0, 1])
def test_trimmed_or_not_the_sets_are_the_same(visit: int) -> None:
    trimmed = whole = 0
    for seed in range(3_000):
        chance = Random(seed)
        first, target, unit, flags, strong, mark = graph = random_graph(chance)
        expected = sets((first, target, unit, flags, strong, list(mark)), visit)
        for _ in range(chance.randrange(1, 4)):
            begin, end = sorted(chance.randrange(len(mark) + 1) for _ in range(2))
            trimmed += trim(first, target, unit, flags, mark, begin, end, visit)
        whole += sum(m & (STAY | LIMITED) == STAY for m in mark)
        assert sets(graph, visit) == expected, seed
    assert 0.1 * whole < trimmed < 0.9 * whole


def test_a_graph_without_cycles_is_trimmed_in_one_pass() -> None:
    first, target = [0, 2, 3, 4, 4], [1, 2, 3, 3]
    mark = [STAY] * 4
    assert trim(first, target, [0, 1, 0, 0], [0] * 4, mark, 0, 4, 0) == 4
    assert mark == [STAY | ALONE, *[STAY | ALONE | GOOD] * 3]
    assert trim(first, target, [0, 1, 0, 0], [0] * 4, mark, 0, 4, 0) == 0


@pytest.mark.skipif(jit.unavailable() is not None, reason=jit.unavailable() or "")
@pytest.mark.parametrize("spec", [counters(n=40), stacks(3)], ids=["counters", "stacks"])
def test_states_of_several_workers_are_known_by_level(spec: Spec) -> None:
    explorer = opened(spec, "O2", Sizes(spec_words=6, workers=3, quota=20, flush=1), Recorder(spec))
    explorer.add_initial(spec.initial())
    assert {outcome.name for outcome in rounds(explorer)} <= {"MORE"}
    depths = [len(explorer.path(ref)) - 1 for ref in explorer.references()]
    strata = explorer.strata()
    explorer.close()
    numbers = [v for level in strata for begin, end in level for v in range(begin, end)]
    assert sorted(numbers) == list(range(len(depths)))
    assert all(depths[v] == d for d, level in enumerate(strata) for begin, end in level for v in range(begin, end))
    assert all(len(level) == 3 for level in strata) and len(strata) > 5
