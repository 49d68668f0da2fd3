"""The Redis lock on a real Redis: along its spec, by the histories of its clients, and what becomes of mistakes."""

from __future__ import annotations

import asyncio
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

import checker
from checker.conformance.histories.judge import judge
from checker.conformance.histories.verdict import Verdict
from checker.conformance.operations import history_of_record
from checker.conformance.replay import Outcome, Replay, replay_all
from refimpl.adapters.redis_lock import RedisLockAdapter
from refimpl.locks.redis_lock import ACQUIRE, RENEW, FencedStore, RedisLock
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
        pytest.param("fenced", 3, 18_892, marks=pytest.mark.slow),
        pytest.param("unfenced", 3, 23_620, marks=pytest.mark.slow),
    ],
)
def test_every_transition_is_as_in_the_spec(check: str, grants: int, transitions: int) -> None:
    result = replayed(check, store=FencedStore if check == "fenced" else Unfenced, GRANTS=grants)
    assert result.mismatch is None, result.mismatch.text()
    assert result.outcome is Outcome.CONFORMS
    assert result.taken == result.total == transitions
    assert result.unseen == ()


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
            with pytest.raises(RuntimeError, match="holds this lock"):
                await lock.acquire()

    asyncio.run(main())


# ---- mistakes


class ReleasesBlindly(RedisLock):
    """Deletes the key, whoever holds the lock by now."""

    async def release(self) -> bool:
        self.token = 0
        return bool(await self._redis.eval("return redis.call('DEL', KEYS[1])", 1, self._key, self._value))


class Asking(RedisLock):
    """Asks for the lock by another script."""

    script = ACQUIRE

    async def _ask(self) -> int:
        return await self._redis.eval(self.script, 2, self._key, f"{self._key}:token", self._value, str(self._ttl))


class TakesWhatIsTaken(Asking):
    """`SET` without `NX`."""

    script = ACQUIRE.replace("'NX', ", "")


class LivesForEver(Asking):
    """`SET` without `PX`."""

    script = ACQUIRE.replace(", 'PX', ARGV[2]", "")


class CountsAnew(Asking):
    """The counter has a time to live, too, and is gone with the lock."""

    script = ACQUIRE.replace(
        "return redis.call('INCR', KEYS[2]) end", "return redis.call('SET', KEYS[2], 1, 'PX', ARGV[2]) and 1 end"
    )


class TwoCommands(RedisLock):
    """Sets the key, and then its time to live."""

    async def _ask(self) -> int:
        script = ACQUIRE.replace(", 'PX', ARGV[2]", "")
        token = await self._redis.eval(script, 2, self._key, f"{self._key}:token", self._value, str(self._ttl))
        if token:
            await self._redis.eval(RENEW, 1, self._key, self._value, str(self._ttl))
        return token


class TokenFirst(RedisLock):
    """Draws the token before it has the lock, so a later holder may have a lower one."""

    _mine = 0

    async def _ask(self) -> int:
        self._mine = self._mine or await self._redis.eval(
            "return redis.call('INCR', KEYS[2])", 2, self._key, f"{self._key}:token", self._value
        )
        script = ACQUIRE.replace("return redis.call('INCR', KEYS[2])", "return 1")
        got = await self._redis.eval(script, 2, self._key, f"{self._key}:token", self._value, str(self._ttl))
        return self._mine if got else 0


class OneValueForAll(RedisLock):
    """The value names the owner, and not the acquisition."""

    def _fresh_value(self) -> str:
        return f"{self._owner}:"


class GoesOnBelieving(RedisLock):
    """Forgets that it has given the lock back."""

    async def release(self) -> bool:
        token = self.token
        try:
            return await super().release()
        finally:
            self.token = token


class RenewsBlindly(RedisLock):
    """Gives the lock a new time to live, whoever holds it."""

    async def renew(self) -> bool:
        return bool(await self._redis.eval("return redis.call('PEXPIRE', KEYS[1], ARGV[1])", 1, self._key, "20"))


class DoesNotNotice(RedisLock):
    """Does not look at the answer to a renewal."""

    async def renew(self) -> bool:
        token = self.token
        try:
            return await super().renew()
        finally:
            self.token = token


class ReleasesFirst(RedisLock):
    """Gives the lock back, waits, and then writes."""

    async def save(self, store: FencedStore, value: str) -> bool:
        token = self.token
        await self.release()
        return await store.write(token, value)


class DoesNotLook(FencedStore):
    """Takes every write and its token."""

    script = "redis.call('HSET', KEYS[1], 'token', ARGV[1], 'value', ARGV[2]) return 1"


class DoesNotRemember(FencedStore):
    """Compares with a token that it never writes."""

    script = FencedStore.script.replace("'token', ARGV[1], 'value'", "'value'")


class TakesEqualForOld(FencedStore):
    """Lets each grant write only once."""

    script = FencedStore.script.replace("tonumber(ARGV[1]) <", "tonumber(ARGV[1]) <=")


CAUGHT: list[tuple[type[RedisLock | FencedStore], str]] = [
    (ReleasesBlindly, "replay"),
    (LivesForEver, "replay"),
    (CountsAnew, "replay"),
    (TwoCommands, "replay"),
    (TokenFirst, "replay"),
    (OneValueForAll, "replay"),
    (GoesOnBelieving, "replay"),
    (ReleasesFirst, "replay"),
    (DoesNotLook, "replay"),
    (DoesNotRemember, "replay"),
    (TakesWhatIsTaken, "nobody_shares_it"),
    (TwoCommands, "a_crash_between_two_commands_does_no_harm"),
    (LivesForEver, "a_crash_leaves_it_for_its_time_to_live"),
    (DoesNotLook, "a_pause_breaks_the_lock_and_not_the_store"),
    (TakesEqualForOld, "one_grant_may_write_twice"),
    (RenewsBlindly, "renewing_what_is_lost_does_no_harm"),
    (DoesNotNotice, "renewing_what_is_lost_does_no_harm"),
]
"""Each of the 15 mistakes and what finds it. The replay cannot find what the spec does not have: renewals, and two writes under
one grant; nor what it never asks for: an acquisition of a lock that is taken."""


@pytest.mark.parametrize(("mistake", "by"), CAUGHT, ids=lambda it: it if isinstance(it, str) else it.__name__)
def test_mistake_is_caught(mistake: type[RedisLock | FencedStore], by: str) -> None:
    lock = mistake if issubclass(mistake, RedisLock) else RedisLock
    store = mistake if issubclass(mistake, FencedStore) else FencedStore
    if by == "replay":
        assert replayed("fenced", lock, store, GRANTS=2).mismatch is not None
    else:
        with pytest.raises((AssertionError, TimeoutError)):
            ask(by, lock, store)
