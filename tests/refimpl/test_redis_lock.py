"""The Redis lock on a real Redis: along its spec, by the histories of its clients, and what becomes of mistakes."""

from __future__ import annotations

import asyncio
import gc
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

import checker
from checker.conformance.event import Event
from checker.conformance.explore import explore
from checker.conformance.histories.judge import judge
from checker.conformance.histories.verdict import Verdict
from checker.conformance.operations import history_of_record
from checker.conformance.replay import Outcome, Replay, replay_all
from refimpl.adapters.redis_lock import RedisLockAdapter
from refimpl.locks import redis_lock_mistakes as wrong
from refimpl.locks.redis_lock import FencedStore, LockError, RedisLock
from refimpl.locks.redis_lock_mistakes import BEYOND, MISTAKES
from tests.refimpl.locking import QUESTIONS, MakeLock, MakeStore, ask, place, record
from tests.services import redis

SPEC = Path(__file__).resolve().parents[2] / "specs/locks/redis_lock.psm"


@pytest.fixture(autouse=True)
def needs_redis() -> None:
    redis().close()


def replayed(check: str, lock: MakeLock = RedisLock, store: MakeStore = FencedStore, **constants: int) -> Replay:
    graph = checker.load(SPEC).graph(check, constants=constants)
    with (
        closing(redis()) as server,
        closing(RedisLockAdapter(graph.machine, server, lock=lock, store=store)) as adapter,
    ):
        return replay_all(adapter, graph)


class Unfenced(FencedStore):
    """Takes every write, and keeps the highest token for those who want to look."""

    script = """
    local highest = tonumber(redis.call('HGET', KEYS[1], 'token') or '0')
    redis.call('HSET', KEYS[1], 'token', math.max(highest, tonumber(ARGV[1])), 'value', ARGV[2])
    return 1
    """


@pytest.mark.parametrize(
    ("check", "grants", "transitions"),
    [
        ("fenced", 2, 1_888),
        ("unfenced", 1, 156),
        ("pause", 1, 1_420),
        ("retry", 2, 7_948),
        pytest.param("fenced", 3, 18_892, marks=pytest.mark.slow),
        pytest.param("unfenced", 3, 23_620, marks=pytest.mark.slow),
        pytest.param("pause", 3, 176_440, marks=pytest.mark.slow),
        pytest.param("retry", 3, 88_332, marks=pytest.mark.slow),
    ],
)
def test_every_transition_is_as_in_the_spec(check: str, grants: int, transitions: int) -> None:
    result = replayed(check, store=Unfenced if check == "unfenced" else FencedStore, GRANTS=grants)
    assert result.mismatch is None, result.mismatch.text()
    assert result.outcome is Outcome.CONFORMS
    assert result.taken == result.total == transitions
    assert result.unseen == ()


@pytest.mark.parametrize("check", RedisLockAdapter.checks)
def test_explored(check: str) -> None:
    """With three grants, and asked for what the spec forbids."""
    machine = checker.load(SPEC).machine(check)
    with closing(redis()) as server, closing(RedisLockAdapter(machine, server)) as adapter:
        result = explore(adapter, runs=20, steps=30)
    assert result.outcome is Outcome.CONFORMS, result.mismatch and result.mismatch.text()


@pytest.mark.parametrize("question", QUESTIONS)
def test_on_a_real_redis(question: str) -> None:
    ask(question)


def test_slow_holders_share_the_lock_and_tokens_tell_them_apart() -> None:
    async def main() -> Any:
        async with place(RedisLock, FencedStore) as at:
            return await record(at, ttl=0.005, pause=0.03, rounds=3)

    history = history_of_record(asyncio.run(main()))
    assert judge(history, "mutex").verdict is Verdict.ILLEGAL
    assert judge(history, "fenced-lock").verdict is Verdict.OK


def test_one_handle_is_for_one_holder() -> None:
    async def main() -> None:
        async with place(RedisLock, FencedStore) as at:
            lock = at.lock("one")
            await lock.acquire()
            with pytest.raises(LockError, match="holds this lock"):
                await lock.acquire()
            await lock.release()
            with pytest.raises(LockError, match="does not hold"):
                await lock.save(at.store, "too late")

    asyncio.run(main())


def in_the_middle(server: Any) -> RedisLockAdapter:
    """An adapter with a client that waits for an answer, and with keys."""
    adapter = RedisLockAdapter(checker.load(SPEC).machine("fenced"), server)
    adapter.begin({})
    for step in (Event("Client.Ask", "", "action", "Client0", "Ask"), ACQUIRE, GRANTED):
        adapter.perform(step)
    adapter.perform(Event("Client.Ask", "", "action", "Client1", "Ask"))
    return adapter


ACQUIRE = Event("Redis.Acquire", "", "message", "Redis", "Acquire", "Client0", {"over": 0})
GRANTED = Event("Client.Granted", "", "message", "Client0", "Granted", "Redis", {"token": 1, "over": 0})


@pytest.mark.parametrize("way", ["closed", "forgotten", "forgotten while another event loop runs"])
def test_an_adapter_leaves_nothing_behind_however_it_ends(way: str) -> None:
    async def drop() -> None:
        held.clear()
        gc.collect()

    with closing(redis()) as server:
        held = [in_the_middle(server)]
        keys = held[0]._keys
        assert server.exists(*keys)
        match way:
            case "closed":
                held[0].close()
                held[0].close()
            case "forgotten":
                held.clear()
                gc.collect()
            case _:
                asyncio.run(drop())
        assert not server.exists(*keys)


def test_a_machine_that_stalls_ends_no_lock() -> None:
    """Its time to live is over when the spec says so, and by no clock."""
    with closing(redis()) as server, closing(in_the_middle(server)) as adapter:
        assert server.pttl(adapter._keys[0]) > 600_000


# ---- mistakes


CAUGHT: list[tuple[type[RedisLock | FencedStore], str]] = [
    *((mistake, "retry" if mistake is wrong.BelievesLateAnswers else "fenced") for mistake in MISTAKES),
    (wrong.BelievesLateAnswers, "who_hangs_up_may_ask_again"),
    (wrong.TakesWhatIsTaken, "nobody_shares_it"),
    (wrong.TwoCommands, "a_crash_between_two_commands_does_no_harm"),
    (wrong.LivesForEver, "a_crash_leaves_it_for_its_time_to_live"),
    (wrong.DoesNotLook, "a_pause_breaks_the_lock_and_not_the_store"),
    (wrong.TakesEqualForOld, "one_grant_may_write_twice"),
    (wrong.RenewsBlindly, "renewing_what_is_lost_does_no_harm"),
    (wrong.DoesNotNotice, "renewing_what_is_lost_does_no_harm"),
]


def test_every_mistake_is_looked_for() -> None:
    assert {mistake for mistake, _ in CAUGHT} == {*MISTAKES, *BEYOND}


@pytest.mark.parametrize(("mistake", "by"), CAUGHT, ids=lambda it: it if isinstance(it, str) else it.__name__)
def test_mistake_is_caught(mistake: type[RedisLock | FencedStore], by: str) -> None:
    lock = mistake if issubclass(mistake, RedisLock) else RedisLock
    store = mistake if issubclass(mistake, FencedStore) else FencedStore
    if by in RedisLockAdapter.checks:
        assert replayed(by, lock, store, GRANTS=2).mismatch is not None
    else:
        with pytest.raises((AssertionError, TimeoutError)):
            ask(by, lock, store)
