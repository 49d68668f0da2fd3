"""Services that a node may use by sending requests to their names, as Maelstrom offers them.

| Service | |
|---|---|
| `lin-kv` | a linearizable store: `read`, `write`, `cas` |
| `seq-kv` | a sequentially consistent one: reads may be stale, but never go back for one client |
| `lww-kv` | five replicas that merge at random, the last writer wins: it loses updates, on purpose |
| `lin-tso` | `ts` gives a number that is larger than all before |

A service handles one request after the other; what its consistency leaves open is drawn by chance. `cas` with
`create_if_not_exists` makes a missing key.

Source: the documentation of Maelstrom, `doc/services.md`; how stale `seq-kv` may be and how `lww-kv` merges is as there.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from random import Random
from typing import NamedTuple, Protocol

from checker.conformance.jsonlines import canonical
from checker.conformance.nodes.protocol import (
    KEY_DOES_NOT_EXIST,
    MALFORMED_REQUEST,
    NOT_SUPPORTED,
    PRECONDITION_FAILED,
    Body,
    error_body,
)
from checker.properties.kinds import Json

REMEMBERED = 32
"""How many past states `seq-kv` may answer from."""
REPLICAS = 5
"""How many replicas `lww-kv` has."""


class Service(Protocol):
    """Answers requests."""

    def handle(self, client: str, request: Body) -> Body:
        """The body of the answer."""


class Version(NamedTuple):
    """A value with the time of its writing; larger ones are later."""

    time: int
    key_of_value: str
    value: Json


Store = Mapping[str, Version]
"""Values by the canonical text of their keys."""


def _apply(store: Store, request: Body, time: int) -> tuple[Store, Body]:
    """A request on a store, and the store after it: the same object if nothing is changed."""
    kind = request.get("type")
    wanted = {"read": ("key",), "write": ("key", "value"), "cas": ("key", "from", "to")}.get(str(kind))
    if wanted is None:
        return store, error_body(NOT_SUPPORTED, f"a store has read, write and cas, and no {str(kind)[:50]!r}")
    missing = [name for name in wanted if name not in request]
    if missing:
        return store, error_body(MALFORMED_REQUEST, f"{kind} needs {', '.join(missing)}")
    key = canonical(request["key"])
    old = store.get(key)
    match kind:
        case "write":
            return {**store, key: _version(time, request["value"])}, {"type": "write_ok"}
        case "cas" if old is None and request.get("create_if_not_exists") is True:
            return {**store, key: _version(time, request["to"])}, {"type": "cas_ok"}
    if old is None:
        return store, error_body(KEY_DOES_NOT_EXIST, "key does not exist")
    if kind == "read":
        return store, {"type": "read_ok", "value": old.value}
    if old.key_of_value != canonical(request["from"]):
        return store, error_body(PRECONDITION_FAILED, "the current value is another one")
    return {**store, key: _version(time, request["to"])}, {"type": "cas_ok"}


def _version(time: int, value: Json) -> Version:
    return Version(time, canonical(value), value)


class Linearizable:
    """One store, one request after the other."""

    def __init__(self) -> None:
        self._store: Store = {}

    def handle(self, client: str, request: Body) -> Body:
        self._store, answer = _apply(self._store, request, 0)
        return answer


class Sequential:
    """Answers what changes nothing from a past state, no older than the client has seen, and the rest from the newest."""

    def __init__(self, random: Random) -> None:
        self._random = random
        self._states: deque[Store] = deque([{}], maxlen=REMEMBERED)
        self._newest = 0
        self._seen: dict[str, int] = {}

    def handle(self, client: str, request: Body) -> Body:
        oldest = max(self._seen.get(client, 0), self._newest - len(self._states) + 1)
        place = self._random.randint(oldest, self._newest)
        past = self._states[place - self._newest - 1]
        after, answer = _apply(past, request, 0)
        if after is not past:
            after, answer = _apply(self._states[-1], request, 0)
            place = self._newest
            if after is not self._states[-1]:
                self._states.append(after)
                self._newest += 1
                place = self._newest
        self._seen[client] = place
        return answer


class LastWriterWins:
    """Replicas with a logical clock each. Before each request one is merged into another, and the request goes to any."""

    def __init__(self, random: Random) -> None:
        self._random = random
        self._replicas: list[tuple[int, Store]] = [(0, {})] * REPLICAS

    def handle(self, client: str, request: Body) -> Body:
        source, target, mine = (self._random.randrange(REPLICAS) for _ in range(3))
        (clock_a, a), (clock_b, b) = self._replicas[source], self._replicas[target]
        merged = {key: max((s[key] for s in (a, b) if key in s), key=lambda v: v[:2]) for key in {**a, **b}}
        self._replicas[target] = (max(clock_a, clock_b), merged)
        clock, store = self._replicas[mine]
        after, answer = _apply(store, request, clock)
        self._replicas[mine] = (clock + (after is not store), after)
        return answer


class Timestamps:
    """Counts."""

    def __init__(self) -> None:
        self._next = 0

    def handle(self, client: str, request: Body) -> Body:
        if request.get("type") != "ts":
            return error_body(NOT_SUPPORTED, "lin-tso has the request ts alone")
        self._next += 1
        return {"type": "ts_ok", "ts": self._next - 1}


def all_services(seed: int) -> dict[str, Service]:
    """A fresh one of each."""
    return {
        "lin-kv": Linearizable(),
        "seq-kv": Sequential(Random(f"{seed} seq-kv")),
        "lww-kv": LastWriterWins(Random(f"{seed} lww-kv")),
        "lin-tso": Timestamps(),
    }
