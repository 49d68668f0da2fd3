"""A live service as a black box: clients in threads use it, and the history of what they saw is judged.

Nothing is known of the inside of a service, so all there is to write is a client. `connect` opens one connection and gives a
context whose value carries out operations; each client opens its own, in a thread of its own, since most client libraries
block:

    @contextmanager
    def connect(number):
        with redis.Redis() as service:
            def perform(f, value):
                if f == "read":
                    return service.get(key)
                service.set(key, value)
            yield perform

    report = use(connect, lambda random, number: ("write", number), clients=5, operations=500, model="register")
    assert report.judgement.verdict is Verdict.OK, report.text()

An operation is `ok` with what `perform` returns. It is `fail` only if `perform` raises `Failed`: the operation certainly had no
effect. Anything else that it raises leaves the end open (`info`), for a broken connection does not say what reached the
service; the client then connects anew. A mistake in `perform` itself would make every operation `info`, and such a run is
incomplete and says what was raised most often.

Operations are drawn from the seed. When each takes place is up to the threads and the service, so runs with one seed are alike
and not equal.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from random import Random
from typing import Any

from checker.base.data import dataclass
from checker.conformance.histories.history import History
from checker.conformance.histories.judge import judge
from checker.conformance.histories.report import lines_of
from checker.conformance.histories.verdict import Judgement
from checker.conformance.operations import Failed, history_of_record
from checker.conformance.record import Kind, Record, Recorder
from checker.properties.kinds import Json
from checker.render.plain import UNICODE, plural

Perform = Callable[[str, Any], Json]
"""Carries out an operation, given its name and value, and returns its result."""
Connect = Callable[[int], AbstractContextManager[Perform]]
"""Opens the connection of a client, given its number."""
Choose = Callable[[Random, int], tuple[str, Json]]
"""Draws the name and value of an operation; the number is another one each time, for values that are to be told apart."""


@dataclass(frozen=True, slots=True)
class Report:
    """What a run came to: the record, its history, the judgement, and how often each error left an operation open."""

    record: Record
    history: History
    judgement: Judgement
    errors: tuple[tuple[str, int], ...]

    def text(self) -> str:
        """The judgement as a reader wants it, and what was raised."""
        lines = [*lines_of(self.judgement, self.history, UNICODE)]
        lines += [f"  raised {plural(number, 'time')}: {error}" for error, number in self.errors]
        return "".join(f"{line}\n" for line in lines)


def use(
    connect: Connect,
    choose: Choose,
    *,
    model: str,
    level: str | None = None,
    initial: object = None,
    clients: int = 5,
    operations: int = 500,
    seed: int = 0,
) -> Report:
    """Uses a service and judges the history.

    Args:
        connect: opens the connection of a client.
        choose: draws an operation.
        model: what operations mean, as for `judge`.
        level: the consistency that is demanded, as for `judge`.
        initial: what objects hold in the beginning.
        clients: how many there are at a time.
        operations: how many they ask for together.
        seed: decides which operations.

    Raises:
        SpecError: PSM901 for an unknown model or level, PSM852 for operations that the model does not have.
    """
    run = _Run(connect, choose, clients, operations, seed)
    threads = [threading.Thread(target=run.client, args=(i,), name=f"client {i}", daemon=True) for i in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    record = run.recorder.record()
    history = history_of_record(record)
    return Report(record, history, judge(history, model, level, initial=initial), tuple(run.errors.most_common(5)))


class _Run:
    """What the clients of one run share; `_lock` guards all of it."""

    def __init__(self, connect: Connect, choose: Choose, clients: int, operations: int, seed: int) -> None:
        self.recorder = Recorder({"seed": seed, "clients": clients, "operations": operations})
        self.errors: Counter[str] = Counter()
        self._connect = connect
        self._choose = choose
        self._operations = operations
        self._random = Random(f"{seed} operations")
        self._asked = 0
        self._lock = threading.Lock()
        self._begin = time.monotonic()

    def client(self, number: int) -> None:
        """Asks until there are enough operations, over one connection after the other."""
        name = f"c{number + 1}"
        while (operation := self._next(name)) is not None:
            with ExitStack() as stack:
                perform: Perform | None = None
                while operation is not None:
                    try:
                        perform = perform or stack.enter_context(self._connect(number))
                    except Exception as problem:  # noqa: BLE001 - whatever a client library raises
                        self._return(name, operation[0], {"type": "fail", "error": self._error(problem)})
                        break
                    if not self._carry_out(name, perform, *operation):
                        break
                    operation = self._next(name)

    def _next(self, name: str) -> tuple[str, Json] | None:
        with self._lock:
            if self._asked == self._operations:
                return None
            self._asked += 1
            f, value = self._choose(self._random, self._asked)
            self.recorder.add(self._now(), name, Kind.INVOKE, f, args={"value": value})
        return f, value

    def _carry_out(self, name: str, perform: Perform, f: str, value: Json) -> bool:
        """Whether the connection can still be used."""
        seen: dict[str, Json]
        try:
            seen = {"type": "ok", "value": perform(f, value)}
        except Failed as reason:
            seen = {"type": "fail", "error": str(reason)}
        except Exception as problem:  # noqa: BLE001 - whatever a client library raises
            seen = {"type": "info", "error": self._error(problem)}
        self._return(name, f, seen)
        return seen["type"] != "info"

    def _return(self, name: str, f: str, seen: dict[str, Json]) -> None:
        with self._lock:
            self.recorder.add(self._now(), name, Kind.RETURN, f, obs=seen)

    def _error(self, problem: Exception) -> str:
        text = f"{type(problem).__name__}: {problem}"[:200]
        with self._lock:
            self.errors[text] += 1
        return text

    def _now(self) -> float:
        return time.monotonic() - self._begin
