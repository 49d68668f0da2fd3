"""An event loop of asyncio with virtual time, in which one seed decides who goes first.

Time stands still while anything can run, and then jumps to the next timer: an hour of waiting costs nothing, and nothing
depends on how fast the machine is.

**Order.** Several processes share the loop. What asyncio promises within one process is kept: callbacks run in the order in
which they were scheduled. Between processes it promises nothing, so whose turn it is is drawn, for each callback anew. A
callback belongs to the process in whose context it was scheduled; asyncio hands contexts down to tasks and callbacks, so a
process cannot lose track of what is its own.

**Clocks.** Each process has a clock of its own, which may be fast or slow. `loop.time()` and all timers go by the clock of the
process that asks.

**Faults.** A paused process keeps its callbacks and runs none of them until it goes on; its timers ring late. Of a dead
process, tasks are cancelled, so that Python can clean up; its surroundings refuse to do anything for it, so whatever it does
in a `finally` has no effect. It gets no timers and no tasks any more.

**Never silent.** When nothing can run and no timer is set, everyone waits for ever: `Stalled`. When time does not go on for
very many callbacks, somebody runs in a circle: `Livelock`. What reaches for the real world (sockets, threads, child processes)
is refused, since it would not be the same in the next run.

The idea is that of FoundationDB's simulation (Zhou and others, "FoundationDB: a distributed unbundled transactional key value
store", 2021).
"""

from __future__ import annotations

import asyncio
import heapq
import math
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine, Generator
from contextvars import Context, ContextVar, copy_context
from random import Random
from typing import Any, TypeVar, TypeVarTuple

T = TypeVar("T")
Ts = TypeVarTuple("Ts")

MAX_AT_ONCE = 100_000
"""Callbacks that may run without time going on."""


class Stalled(Exception):
    """Nobody can go on, and no timer will change that."""


class Livelock(Exception):
    """Callbacks run without end and without time passing."""


class Clock:
    """A clock that may be wrong. `time` is for waiting and never goes back; `wall` is what the clock on the wall shows."""

    def __init__(self, *, skew: float = 0.0, rate: float = 1.0) -> None:
        self.skew = skew
        self._rate = 0.0
        self._since = self._shown = 0.0
        self.run_at(rate, 0.0)

    def run_at(self, rate: float, t: float) -> None:
        """From the true time `t` on, `rate` seconds are shown for each second."""
        if rate <= 0:
            raise ValueError(f"a clock cannot run at the rate {rate}: it is more than 0")
        self._shown, self._since, self._rate = self.time(t), t, rate

    def time(self, t: float) -> float:
        """What is shown at the true time `t`."""
        return self._shown + self._rate * (t - self._since)

    def wall(self, t: float) -> float:
        """The same with the skew."""
        return self.time(t) + self.skew

    def when(self, shown: float) -> float:
        """The first true time at which `shown` is reached; rounding must not let a timer ring before its time."""
        t = self._since + (shown - self._shown) / self._rate
        while self.time(t) < shown:
            t = math.nextafter(t, math.inf)
        return t


class Owner:
    """One life of one process: from its start to its end or its crash."""

    def __init__(self, name: str, clock: Clock) -> None:
        self.name = name
        self.clock = clock
        self.paused = False
        self.dead = False
        self.tasks: dict[asyncio.Task[Any], None] = {}

    def die(self) -> None:
        """Ends everything that the process is doing."""
        self.dead = True
        self.paused = False
        for task in list(self.tasks):
            task.cancel()


OWNER: ContextVar[Owner | None] = ContextVar("owner", default=None)
"""Whose code is running; None for the test that drives the simulation."""


class VirtualLoop(asyncio.AbstractEventLoop):
    """See the module. `now` is the true time."""

    def __init__(self, random: Random) -> None:
        self.now = 0.0
        self.steps = 0
        self.complaints: list[str] = []
        self._random = random
        self._ready: dict[Owner | None, deque[asyncio.Handle]] = {}
        self._timers: list[tuple[float, int, asyncio.TimerHandle, Owner | None]] = []
        self._order = 0
        self._at_once = 0
        self._running = self._stopping = self._closed = False

    # ---- scheduling

    def time(self) -> float:
        owner = OWNER.get()
        return self.now if owner is None else owner.clock.time(self.now)

    def call_soon(
        self, callback: Callable[[*Ts], object], *args: *Ts, context: Context | None = None
    ) -> asyncio.Handle:
        context = context if context is not None else copy_context()
        handle = asyncio.Handle(callback, args, self, context)
        self._ready.setdefault(context.get(OWNER), deque()).append(handle)
        return handle

    def call_soon_threadsafe(
        self, callback: Callable[[*Ts], object], *args: *Ts, context: Context | None = None
    ) -> asyncio.Handle:
        return self.call_soon(callback, *args, context=context)

    def call_later(
        self, delay: float, callback: Callable[[*Ts], object], *args: *Ts, context: Context | None = None
    ) -> asyncio.TimerHandle:
        return self.call_at(self.time() + delay, callback, *args, context=context)

    def call_at(
        self, when: float, callback: Callable[[*Ts], object], *args: *Ts, context: Context | None = None
    ) -> asyncio.TimerHandle:
        context = context if context is not None else copy_context()
        owner = context.get(OWNER)
        handle = asyncio.TimerHandle(when, callback, args, self, context)
        if owner is None or not owner.dead:
            true = when if owner is None else owner.clock.when(when)
            self._order += 1
            heapq.heappush(self._timers, (max(true, self.now), self._order, handle, owner))
        return handle

    def _timer_handle_cancelled(self, handle: asyncio.TimerHandle) -> None:
        """Called by the handle; a cancelled timer is passed over when it is due."""

    def create_future(self) -> asyncio.Future[Any]:
        return asyncio.Future(loop=self)

    def create_task(
        self,
        coro: Generator[Any, None, T] | Coroutine[Any, Any, T],
        *,
        name: str | None = None,
        context: Context | None = None,
    ) -> asyncio.Task[T]:
        owner = OWNER.get() if context is None else context.get(OWNER)
        task: asyncio.Task[T] = asyncio.Task(coro, loop=self, name=name, context=context)
        if owner is not None:
            owner.tasks[task] = None
            task.add_done_callback(lambda done: owner.tasks.pop(done, None))
            if owner.dead:
                task.cancel()
        return task

    # ---- running

    def run_until_complete(self, future: Generator[Any, None, T] | Awaitable[T]) -> T:
        """Runs until it is done.

        Raises:
            Stalled: it never will be.
            Livelock: time does not go on.
        """
        task: asyncio.Future[T] = asyncio.ensure_future(future, loop=self)  # type: ignore[arg-type]
        task.add_done_callback(lambda _: self.stop())
        try:
            self.run_forever()
        except BaseException:
            if not task.done():
                task.cancel()
            raise
        return task.result()

    def run_forever(self) -> None:
        if self._running:
            raise RuntimeError("this loop is running already")
        self._running, self._stopping = True, False
        asyncio._set_running_loop(self)
        try:
            while not self._stopping:
                self._step()
        finally:
            self._running = False
            asyncio._set_running_loop(None)

    def stop(self) -> None:
        self._stopping = True

    def run_what_is_ready(self) -> None:
        """Runs what can run without time going on, at the end, so that what was cancelled cleans up; in circles not for long."""
        self._running, self._at_once = True, 0
        asyncio._set_running_loop(self)
        try:
            while self._ready and self._at_once < MAX_AT_ONCE:
                self._step()
        finally:
            self._running = False
            asyncio._set_running_loop(None)

    def _step(self) -> None:
        runnable = [o for o, queue in self._ready.items() if queue and not (o is not None and o.paused)]
        if not runnable:
            self._advance()
            return
        owner = runnable[self._random.randrange(len(runnable))] if len(runnable) > 1 else runnable[0]
        queue = self._ready[owner]
        handle = queue.popleft()
        if not queue:
            del self._ready[owner]
        self._at_once += 1
        if self._at_once > MAX_AT_ONCE:
            who = "the driver" if owner is None else owner.name
            raise Livelock(
                f"{MAX_AT_ONCE:,} callbacks ran at {self.now:.6f} s without time going on, the last one of {who}: "
                "somebody waits with `asyncio.sleep(0)` in a loop, or catches `CancelledError` and goes on"
            )
        if not handle.cancelled():
            self.steps += 1
            handle._run()

    def _advance(self) -> None:
        """Time goes on to the next timer, and what is due then becomes ready."""
        while self._timers and self._timers[0][2].cancelled():
            heapq.heappop(self._timers)
        if not self._timers:
            paused = sorted(o.name for o in self._ready if o is not None and o.paused)
            also = f"; paused are {', '.join(paused)}" if paused else ""
            raise Stalled(f"at {self.now:.6f} s everyone waits for something that nobody will do{also}")
        when = self._timers[0][0]
        if when > self.now:
            self.now, self._at_once = when, 0
        while self._timers and self._timers[0][0] <= self.now:
            _, _, handle, owner = heapq.heappop(self._timers)
            if not handle.cancelled() and not (owner is not None and owner.dead):
                self._ready.setdefault(owner, deque()).append(handle)

    # ---- the rest of a loop

    def is_running(self) -> bool:
        return self._running

    def is_closed(self) -> bool:
        return self._closed

    def close(self) -> None:
        self._closed = True
        self._ready.clear()
        self._timers.clear()

    def get_debug(self) -> bool:
        return False

    def call_exception_handler(self, context: dict[str, Any]) -> None:
        """Keeps what nobody handled, such as the error of a task whose result nobody asked for."""
        problem = context.get("exception")
        if problem is not None and not isinstance(problem, Exception):
            return  # a process has crashed, which was ordered
        text = str(context.get("message", "an error that nobody handled"))
        self.complaints.append(text if problem is None else f"{text}: {type(problem).__name__}: {problem}")

    def default_exception_handler(self, context: dict[str, Any]) -> None:
        self.call_exception_handler(context)

    async def shutdown_asyncgens(self) -> None:
        """Nothing to do: generators end with the tasks that use them."""

    async def shutdown_default_executor(self, timeout: float | None = None) -> None:
        """Nothing to do: there are no threads."""

    def run_in_executor(self, executor: Any, func: Callable[[*Ts], T], *args: *Ts) -> asyncio.Future[T]:
        raise NotImplementedError("threads are not simulated: do the work in the process itself")

    async def create_connection(self, *args: Any, **options: Any) -> Any:
        raise NotImplementedError("sockets are not simulated: send through the environment")

    async def create_server(self, *args: Any, **options: Any) -> Any:
        raise NotImplementedError("sockets are not simulated: receive through the environment")
