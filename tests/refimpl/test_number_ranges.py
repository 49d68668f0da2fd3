"""Number ranges: along their spec on PostgreSQL, by threads that work at the same time, on Redis, and through crashes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from functools import cache
from itertools import pairwise
from pathlib import Path
from threading import Barrier

import pytest

import checker
from checker.conformance.explore import explore
from checker.conformance.probe import probe_all
from checker.conformance.replay import Outcome, replay_all
from checker.engine.graph import StateGraph
from refimpl.adapters.number_ranges import NumberRanges
from refimpl.idempotence.number_ranges import TABLE, Counter, DatabaseCounter, Node, RedisCounter, UsedUp
from refimpl.idempotence.number_ranges_mistakes import MISTAKES, ReadsThenWrites
from tests.services import postgres, postgres_schema, private_postgres, redis, unique

SPEC = Path(__file__).resolve().parents[2] / "specs/idempotence/number_ranges.psm"


@cache
def graph_of(check: str) -> StateGraph:
    return checker.load(SPEC).graph(check)


@contextmanager
def adapted(check: str, **parts: Callable[..., object]) -> Iterator[NumberRanges]:
    """An adapter with a schema of its own."""
    with postgres_schema() as where, postgres(where) as session:
        session.execute(TABLE.encode())
        yield NumberRanges(checker.load(SPEC).machine(check), session, **parts)  # type: ignore[arg-type]


@pytest.mark.parametrize(("check", "transitions"), [("calm", 158), ("one_by_one", 132), ("fails_over", 684)])
def test_every_transition_is_as_in_the_spec(check: str, transitions: int) -> None:
    with adapted(check) as adapter:
        result = replay_all(adapter, graph_of(check))
    assert result.mismatch is None, result.mismatch.text()
    assert result.outcome is Outcome.CONFORMS
    assert result.taken == result.total == transitions
    assert result.unseen == ("network",)


def test_what_the_spec_forbids_does_not_happen() -> None:
    with adapted("calm") as adapter:
        result = probe_all(adapter, graph_of("calm"))
    assert result.mismatch is None, result.mismatch.text()
    assert (result.states, result.tried > 200) == (105, True)


def test_explored_with_crashes() -> None:
    with adapted("crashes") as adapter:
        result = explore(adapter, runs=40, steps=30)
    assert result.outcome is Outcome.CONFORMS, result.mismatch and result.mismatch.text()


@pytest.mark.slow
def test_every_transition_with_crashes_is_as_in_the_spec() -> None:
    with adapted("crashes") as adapter:
        result = replay_all(adapter, graph_of("crashes"))
    assert result.mismatch is None, result.mismatch.text()
    assert result.taken == result.total == 3_420


@pytest.mark.parametrize("mistake", MISTAKES, ids=[mistake.__name__ for mistake in MISTAKES])
def test_mistakes_are_caught_along_the_spec(mistake: type[Node]) -> None:
    graph = graph_of("calm")
    with adapted("calm", node=mistake) as adapter:
        assert replay_all(adapter, graph).mismatch or probe_all(adapter, graph).mismatch


# ---- at the same time


@contextmanager
def database_counters(count: int, kind: type[DatabaseCounter] = DatabaseCounter) -> Iterator[list[Counter]]:
    """The same counter of PostgreSQL, by sessions of their own."""
    with postgres_schema() as where:
        with postgres(where) as session:
            session.execute(TABLE.encode())
        sessions = [postgres(where) for _ in range(count)]
        try:
            yield [kind(session, "orders") for session in sessions]
        finally:
            for session in sessions:
                session.close()


@contextmanager
def redis_counters(count: int) -> Iterator[list[Counter]]:
    """The same counter of Redis, by connections of their own."""
    key = unique()
    clients = [redis() for _ in range(count)]
    try:
        yield [RedisCounter(client, key) for client in clients]
    finally:
        clients[0].delete(key)
        for client in clients:
            client.close()


def numbers(counters: list[Counter], size: int, each: int) -> list[list[int]]:
    """What nodes give out that work at the same time."""
    together = Barrier(len(counters))

    def work(counter: Counter) -> list[int]:
        node = Node(counter, size)
        together.wait()
        return [node.next() for _ in range(each)]

    with ThreadPoolExecutor(len(counters)) as pool:
        return list(pool.map(work, counters))


@pytest.mark.parametrize("counters", [database_counters, redis_counters])
@pytest.mark.parametrize("size", [1, 7])
def test_nodes_at_the_same_time_give_out_nothing_twice(counters: Callable[..., object], size: int) -> None:
    with counters(4) as several:  # type: ignore[attr-defined]
        found = numbers(several, size, each=70)
    everything = sorted(number for one in found for number in one)
    assert everything == [*range(1, 281)], "all ranges were used up, so there are no gaps"
    assert all(a < b for one in found for a, b in pairwise(one))


def test_mistakes_that_take_threads() -> None:
    """`ReadsThenWrites` is overtaken between the two sooner or later."""
    for _ in range(50):
        with database_counters(4, ReadsThenWrites) as several:
            found = [number for one in numbers(several, 1, each=50) for number in one]
        if len({*found}) < len(found):
            return
    raise AssertionError("four threads have taken 10,000 numbers, and none was given out twice")


def test_the_counter_outlives_a_crash_of_the_database() -> None:
    with private_postgres() as cluster:
        with postgres(cluster.where) as session:
            session.execute(TABLE.encode())
            node = Node(DatabaseCounter(session, "orders"), 5)
            found = [node.next() for _ in range(12)]
            cluster.kill()
        cluster.start()
        found += [node.next_of_range() for _ in range(3)]  # which needs no database
        with postgres(cluster.where) as session:
            again = Node(DatabaseCounter(session, "orders"), 5)
            found += [again.next() for _ in range(5)]
    assert found == [*range(1, 21)]


# ---- by themselves


class Memory:
    """A counter in memory."""

    def __init__(self) -> None:
        self.asked: list[int] = []

    def take(self, size: int) -> int:
        self.asked.append(size)
        return sum(self.asked)


def test_the_counter_is_asked_once_for_each_range() -> None:
    counter = Memory()
    node = Node(counter, 3)
    assert [node.next() for _ in range(7)] == [*range(1, 8)]
    assert counter.asked == [3, 3, 3]


def test_the_rest_of_a_range_is_lost_with_its_node() -> None:
    counter = Memory()
    assert Node(counter, 10).next() == 1
    assert Node(counter, 10).next() == 11


def test_a_range_that_is_used_up_says_so() -> None:
    node = Node(Memory(), 1)
    with pytest.raises(UsedUp):
        node.next_of_range()
    node.refill()
    assert node.next_of_range() == 1
    with pytest.raises(UsedUp):
        node.next_of_range()


@pytest.mark.parametrize("size", [0, -3])
def test_a_range_has_a_number(size: int) -> None:
    with pytest.raises(ValueError, match=f"^a range of {size} numbers has none$"):
        Node(Memory(), size)


def test_without_a_session_the_adapter_opens_one(monkeypatch: pytest.MonkeyPatch) -> None:
    postgres().close()
    for name, value in (("PGHOST", "127.0.0.1"), ("PGUSER", "root"), ("PGDATABASE", "test")):
        monkeypatch.setenv(name, value)
    graph = graph_of("one_by_one")
    with closing(NumberRanges(graph.machine)) as adapter:
        assert replay_all(adapter, graph).outcome is Outcome.CONFORMS
