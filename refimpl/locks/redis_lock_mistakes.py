"""The Redis lock done wrong: fifteen mistakes that people make, each in the few lines that make it.

They stand beside the right implementation so that a reader sees what each rule is for by what happens without it, and so that
tests can be tested: each of these has to be found.
"""

from __future__ import annotations

import asyncio

from refimpl.locks.redis_lock import ACQUIRE, RENEW, FencedStore, RedisLock


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


class BelievesLateAnswers(RedisLock):
    """Goes on listening after it has hung up, and takes a lock that it does not wait for any more."""

    async def _ask(self) -> int:
        asking = asyncio.create_task(super()._ask())
        asking.add_done_callback(self._hear)
        return await asyncio.shield(asking)

    def _hear(self, asking: asyncio.Task[int]) -> None:
        if not asking.cancelled():
            self.token = asking.result()


class RenewsBlindly(RedisLock):
    """Gives the lock a new time to live, whoever holds it.

    The spec has no renewals, so nobody renews along it. On a real Redis, it is noticed by
    `tests/refimpl/test_redis_lock.py::test_mistake_is_caught`.
    """

    async def renew(self) -> bool:
        return bool(await self._redis.eval("return redis.call('PEXPIRE', KEYS[1], ARGV[1])", 1, self._key, "20"))


class DoesNotNotice(RedisLock):
    """Does not look at the answer to a renewal.

    The spec has no renewals, so nobody renews along it. On a real Redis, it is noticed by
    `tests/refimpl/test_redis_lock.py::test_mistake_is_caught`.
    """

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


MISTAKES: tuple[type[RedisLock | FencedStore], ...] = (
    ReleasesBlindly,
    LivesForEver,
    CountsAnew,
    TwoCommands,
    TokenFirst,
    OneValueForAll,
    GoesOnBelieving,
    BelievesLateAnswers,
    ReleasesFirst,
    DoesNotLook,
    DoesNotRemember,
)
"""Those that a step of the spec shows."""

BEYOND: tuple[type[RedisLock | FencedStore], ...] = (
    TakesWhatIsTaken,
    RenewsBlindly,
    DoesNotNotice,
    TakesEqualForOld,
)
"""Those that no step of the spec shows by itself: it has no renewals and one write under each grant, and a lock that is taken is
never asked for. The adapter asks again and writes twice, which changes nothing where all is well, so that it shows two of
them."""
