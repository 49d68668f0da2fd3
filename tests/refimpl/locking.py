"""What is asked of a Redis lock on a real Redis, beside the paths of its spec: for the right one, and for wrong ones.

Each function raises an AssertionError if the lock does not do what it should.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any

from redis.asyncio import Redis

from checker.conformance.histories.judge import judge
from checker.conformance.histories.verdict import Verdict
from checker.conformance.operations import history_of_record
from checker.conformance.record import Kind, Record, Recorder
from refimpl.locks.redis_lock import Commands, FencedStore, RedisLock
from tests.services import unique

MakeLock = Callable[..., RedisLock]
MakeStore = Callable[[Any, str], FencedStore]


class Place:
    """One lock and one store in Redis, with names of their own."""

    def __init__(self, client: Redis, lock: MakeLock, store: MakeStore) -> None:
        self.redis = client
        self.key = unique()
        self._lock = lock
        self.store = store(client, f"{self.key}:store")

    def lock(self, owner: str, *, ttl: float = 5.0, over: Commands | None = None) -> RedisLock:
        return self._lock(over or self.redis, self.key, owner, ttl=ttl, retry=0.002)


@asynccontextmanager
async def place(lock: MakeLock, store: MakeStore) -> AsyncIterator[Place]:
    """A place that is removed afterwards."""
    client = Redis(decode_responses=True)
    found = Place(client, lock, store)
    try:
        async with asyncio.timeout(20):
            yield found
    finally:
        await client.delete(found.key, f"{found.key}:token", f"{found.key}:store")
        await client.aclose()


async def record(at: Place, *, ttl: float, pause: float, clients: int = 4, rounds: int = 8) -> Record:
    """What clients see who take the lock again and again; each holds it for a while, without renewing it."""
    recorder = Recorder({"clients": clients})
    begin = time.monotonic()

    def note(name: str, kind: Kind, operation: str, **more: Any) -> None:
        recorder.add(time.monotonic() - begin, name, kind, operation, **more)

    async def client(name: str) -> None:
        lock = at.lock(name, ttl=ttl)
        for _ in range(rounds):
            note(name, Kind.INVOKE, "acquire", args={"value": None})
            token = await lock.acquire()
            note(name, Kind.RETURN, "acquire", obs={"type": "ok", "value": token})
            await asyncio.sleep(pause)
            note(name, Kind.INVOKE, "release", args={"value": None})
            await lock.release()
            note(name, Kind.RETURN, "release", obs={"type": "ok", "value": None})

    await asyncio.gather(*(client(f"c{number}") for number in range(clients)))
    return recorder.record()


# ---- what is asked


async def nobody_shares_it(at: Place) -> None:
    """As long as no holder is slower than the time to live."""
    history = history_of_record(await record(at, ttl=10, pause=0.001))
    for model in ("mutex", "fenced-lock"):
        judgement = judge(history, model)
        assert judgement.verdict is Verdict.OK, judgement.findings


async def a_pause_breaks_the_lock_and_not_the_store(at: Place) -> None:
    slow, quick = at.lock("slow", ttl=0.02), at.lock("quick")
    await slow.acquire()
    await quick.acquire()
    assert slow.token and quick.token, "both believe that they hold it, as the spec says"
    assert await quick.save(at.store, "quick")
    assert not await slow.save(at.store, "slow")
    assert await at.redis.hget(f"{at.key}:store", "value") == "quick"


async def a_crash_leaves_it_for_its_time_to_live(at: Place) -> None:
    crashed, next_one = at.lock("crashed", ttl=0.05), at.lock("next")
    await crashed.acquire()
    async with asyncio.timeout(2):
        await next_one.acquire()


async def a_crash_between_two_commands_does_no_harm(at: Place) -> None:
    """The client crashes when its first command has been carried out."""

    class Once:
        def __init__(self) -> None:
            self.done = asyncio.Event()

        async def eval(self, *command: Any) -> int:
            if self.done.is_set():
                await asyncio.sleep(3600)
            answer = int(await at.redis.eval(*command))
            self.done.set()
            return answer

    connection = Once()
    task = asyncio.create_task(at.lock("crashing", ttl=0.05, over=connection).acquire())
    await connection.done.wait()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    async with asyncio.timeout(2):
        await at.lock("next").acquire()


async def who_hangs_up_may_ask_again(at: Place) -> None:
    """The first request is granted, and nobody waits for that; its answer comes when the second one has got its own."""

    class Late:
        def __init__(self) -> None:
            self.carried_out, self.comes = asyncio.Event(), asyncio.Event()

        async def eval(self, *command: Any) -> int:
            answer = int(await at.redis.eval(*command))
            if not self.carried_out.is_set():
                self.carried_out.set()
                await self.comes.wait()
            return answer

    connection = Late()
    lock = at.lock("impatient", ttl=0.05, over=connection)
    asking = asyncio.create_task(lock.acquire())
    await connection.carried_out.wait()
    asking.cancel()
    await asyncio.gather(asking, return_exceptions=True)
    async with asyncio.timeout(2):
        assert await lock.acquire() == 2, "the first grant is over"
    connection.comes.set()
    await asyncio.sleep(0.01)
    assert lock.token == 2, "that is the answer to its second request"


async def one_grant_may_write_twice(at: Place) -> None:
    lock = at.lock("writer")
    token = await lock.acquire()
    assert await at.store.write(token, "first")
    assert await at.store.write(token, "second")


async def renewing_what_is_lost_does_no_harm(at: Place) -> None:
    late, holder = at.lock("late", ttl=0.02), at.lock("holder", ttl=30)
    await late.acquire()
    await holder.acquire()
    assert not await late.renew()
    assert not late.token, "it knows by now"
    assert await at.redis.pttl(at.key) > 1000, "the time to live of the other one is its own"


async def renewing_keeps_it(at: Place) -> None:
    lock, other = at.lock("holder", ttl=1.5), at.lock("other")
    async with lock.hold() as token:
        waiting = asyncio.create_task(other.acquire())
        await asyncio.sleep(1.8)
        assert lock.token == token and not waiting.done()
    async with asyncio.timeout(2):
        assert await waiting > token


QUESTIONS: dict[str, Callable[[Place], Coroutine[Any, Any, None]]] = {
    f.__name__: f
    for f in (
        nobody_shares_it,
        a_pause_breaks_the_lock_and_not_the_store,
        a_crash_leaves_it_for_its_time_to_live,
        a_crash_between_two_commands_does_no_harm,
        who_hangs_up_may_ask_again,
        one_grant_may_write_twice,
        renewing_what_is_lost_does_no_harm,
        renewing_keeps_it,
    )
}


def ask(question: str, lock: MakeLock = RedisLock, store: MakeStore = FencedStore) -> None:
    """Asks one of the questions.

    Raises:
        AssertionError, TimeoutError: the answer is wrong.
    """

    async def main() -> None:
        async with place(lock, store) as at:
            await QUESTIONS[question](at)

    asyncio.run(main())
