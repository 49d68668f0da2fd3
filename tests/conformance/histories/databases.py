"""Histories of transactions: a database that is simulated, one transaction at a time, and so strictly serializable.

Each transaction takes place as a whole at one moment between its beginning and its end. The database is a dict of lists or
of values; it shares nothing with the checker.
"""

from __future__ import annotations

import random
from typing import Any

from checker.conformance.histories.history import History, Moment, history_of


def serial(
    seed: int,
    *,
    transactions: int,
    clients: int = 10,
    keys: int = 20,
    per_key: int = 32,
    longest: int = 4,
    registers: bool = False,
    crash: float = 0.0,
    fail: float = 0.0,
) -> list[Moment]:
    """The events of clients. A key that was written `per_key` times is retired for a new one, as Elle's generator does."""
    rng = random.Random(seed)
    active = list(range(keys))
    next_key = keys
    writes: dict[int, int] = {}
    data: dict[int, Any] = {}
    moments: list[Moment] = []
    state: list[tuple[int, list[list[Any]], bool] | None] = [None] * clients
    names = list(range(clients))
    started = 0

    def event(process: int, kind: str, value: Any) -> None:
        moments.append(Moment(process, kind, "txn", value, None, -1, len(moments) + 1))

    def run(parts: list[list[Any]], dry: bool) -> list[list[Any]]:
        result = []
        for f, key, value in parts:
            if f == "r":
                result.append([f, key, data.get(key) if registers else list(data.get(key, ()))])
                continue
            result.append([f, key, value])
            if not dry:
                if registers:
                    data[key] = value
                else:
                    data.setdefault(key, []).append(value)
        return result

    while started < transactions or any(state):
        place = rng.randrange(clients)
        current = state[place]
        if current is None:
            if started == transactions:
                continue
            parts = []
            for _ in range(rng.randrange(1, longest + 1)):
                slot = rng.randrange(keys)
                key = active[slot]
                if rng.random() < 0.5:
                    parts.append(["r", key, None])
                    continue
                writes[key] = writes.get(key, 0) + 1
                parts.append(["w" if registers else "append", key, writes[key]])
                if writes[key] >= per_key:
                    active[slot], next_key = next_key, next_key + 1
            event(names[place], "invoke", parts)
            state[place] = (0, parts, False)
            started += 1
        elif current[0] == 0:
            luck = rng.random()
            if luck < fail:
                event(names[place], "fail", current[1])
                state[place] = None
            elif luck < fail + crash:
                run(current[1], rng.random() < 0.5)
                event(names[place], "info", current[1])
                state[place] = None
                names[place] += clients
            else:
                state[place] = (1, run(current[1], False), True)
        else:
            event(names[place], "ok", current[1])
            state[place] = None
    return moments


def database(seed: int, **options: Any) -> History:
    """A strictly serializable history."""
    return history_of(serial(seed, **options))
