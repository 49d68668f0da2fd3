"""A lock in Redis, with a time to live and fencing tokens; and the store that it protects.

**The lock** is a key. Whoever sets it while it is not there (`SET key value NX PX ttl`) holds the lock, until it deletes the key
or the time to live is over. That time is what frees the lock of a holder that has crashed. Four details decide:

- Key and time to live are set by one command. Two commands leave a lock for ever if their client crashes between them.
- The value is another one for each acquisition. Who releases or renews compares it first, in the same script, for by then
  the lock may be somebody else's.
- Every grant has a number, the *fencing token*. A counter gives it in the script that sets the key, so grants and tokens have the
  same order. The counter has no time to live, or tokens would begin again.
- A holder that needs longer renews the lock while there is time, and stops once it hears that it has lost it.

**What it cannot do.** Redis sees no difference between a holder that has crashed and one that is slow: swapped out, collecting
garbage, waiting for a network. After a pause longer than the time to live, a holder still believes that it holds the lock, and
no check of its own helps, since the pause may come between check and write. So the lock saves work, and does not protect
anything by itself. The **store** does: a write carries the token, and the store refuses one that is lower than the highest that
it has seen. That holds for a pause of any length.

With such a store nobody needs to wait for a write before the lock is released. `save` sends both at once: if the release
overtakes the write, the worst that can happen is that a later holder writes first, and the write is refused.

Every command is a script, carried out by `eval` of a `redis.asyncio.Redis`, or of anything that has the same method.

Sources: M. Kleppmann, "How to do distributed locking", 2016; the page "Distributed locks with Redis" of Redis's manual.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from typing import Protocol

ACQUIRE = """
if redis.call('SET', KEYS[1], ARGV[1], 'NX', 'PX', ARGV[2]) then return redis.call('INCR', KEYS[2]) end
return 0
"""
"""Keys: lock, counter. Arguments: value, milliseconds to live. The token, or 0 if the lock is taken."""

RELEASE = """
if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end
return 0
"""
"""Key: lock. Argument: value. Whether the lock was held by this value; it is free then."""

RENEW = """
if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('PEXPIRE', KEYS[1], ARGV[2]) end
return 0
"""
"""Key: lock. Arguments: value, milliseconds to live from now on. Whether the lock was held by this value."""

WRITE = """
if tonumber(ARGV[1]) < tonumber(redis.call('HGET', KEYS[1], 'token') or '0') then return 0 end
redis.call('HSET', KEYS[1], 'token', ARGV[1], 'value', ARGV[2])
return 1
"""
"""Key: what is written to. Arguments: token, value. Whether it was written."""


class LockError(Exception):
    """The handle on a lock is used in a way that makes no sense; the text says how."""


class Commands(Protocol):
    """What is needed of Redis."""

    def eval(self, script: str, numkeys: int, *keys_and_args: str) -> Awaitable[int]:
        """Carries out a script."""


class FencedStore:
    """A value that only the latest holder of a lock can write; kept in Redis, but any store that compares will do."""

    script = WRITE

    def __init__(self, redis: Commands, key: str) -> None:
        self._redis = redis
        self._key = key

    async def write(self, token: int, value: str) -> bool:
        """Writes in the name of a grant; False if a later one has written already."""
        return bool(await self._redis.eval(self.script, 1, self._key, str(token), value))


class RedisLock:
    """One client's handle on a lock.

    Args:
        redis: the client.
        key: of the lock; the counter is beside it.
        owner: who this is, for people who look into Redis.
        ttl: seconds to live.
        retry: seconds between two attempts to acquire it.
    """

    def __init__(self, redis: Commands, key: str, owner: str, *, ttl: float = 10.0, retry: float = 0.05) -> None:
        self.token = 0
        """That of the lock that is held, as far as the holder knows; 0 for none."""
        self.waiting = False
        """Whether it is being acquired."""
        self._redis = redis
        self._key = key
        self._owner = owner
        self._ttl = max(1, round(ttl * 1000))
        self._retry = retry
        self._value = ""

    async def acquire(self) -> int:
        """Waits until the lock is granted, and returns the token.

        If it is cancelled, the lock may have been granted nevertheless, or may be yet; its time to live frees it. Meanwhile the
        lock may be asked for again, by another value.

        Raises:
            LockError: it is held by this handle already, or being acquired.
        """
        if self.waiting or self.token:
            raise LockError(f"{self._owner} holds this lock or waits for it")
        self.waiting = True
        try:
            self._value = self._fresh_value()
            while not (token := await self._ask()):
                await asyncio.sleep(self._retry)
            self.token = token
        finally:
            self.waiting = False
        return self.token

    async def release(self) -> bool:
        """Gives the lock back; False if it was lost before. In any case it is not held any more."""
        self.token = 0
        return bool(await self._redis.eval(RELEASE, 1, self._key, self._value))

    async def renew(self) -> bool:
        """Lets the lock live on from now; False if it is lost, and then it is not held any more."""
        token = self.token
        renewed = bool(await self._redis.eval(RENEW, 1, self._key, self._value, str(self._ttl)))
        if not renewed and self.token == token:  # and not another one by now
            self.token = 0
        return renewed

    async def save(self, store: FencedStore, value: str) -> bool:
        """Writes once under the lock and gives it back, without waiting between; False if the write came too late.

        Raises:
            LockError: the lock is not held, as far as the holder knows.
        """
        if not self.token:
            raise LockError(f"{self._owner} does not hold this lock")
        written, _ = await asyncio.gather(store.write(self.token, value), self.release())
        return written

    @asynccontextmanager
    async def hold(self) -> AsyncIterator[int]:
        """Holds the lock for as long as the context lasts, and renews it; gives the token."""
        token = await self.acquire()
        renewing = asyncio.create_task(self._keep())
        try:
            yield token
        finally:
            renewing.cancel()
            await asyncio.gather(renewing, return_exceptions=True)
            if self.token:
                await self.release()

    async def _keep(self) -> None:
        """Renews three times in each time to live, so that one late answer does no harm."""
        while True:
            await asyncio.sleep(self._ttl / 3000)
            if not await self.renew():
                return

    def _fresh_value(self) -> str:
        return f"{self._owner}:{secrets.token_hex(8)}"

    async def _ask(self) -> int:
        """Tries once."""
        return await self._redis.eval(ACQUIRE, 2, self._key, f"{self._key}:token", self._value, str(self._ttl))
