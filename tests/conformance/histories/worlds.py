"""Histories with known verdicts: objects that are simulated step by step, and mistakes planted in what they did.

`World` runs clients against one real object: each operation takes effect at one moment between its beginning and its end,
so its history is linearizable by construction. The object here is plain Python (a dict, a list), not the checker's model.
A crashed operation takes effect at its moment, later, or never.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from checker.conformance.histories.history import History, Moment, history_of

Applied = tuple[bool, Any]
"""Whether an operation took place, and its answer."""


@dataclass
class Objects:
    """Real objects of one kind; `apply` is what a server would do."""

    kind: str
    state: dict[Any, Any] = field(default_factory=dict)

    def apply(self, process: int, f: str, key: Any, value: Any) -> Applied:
        state = self.state
        match self.kind, f:
            case (("register" | "kv"), "read"):
                return True, state.get(key)
            case (("register" | "kv"), "write"):
                state[key] = value
                return True, value
            case (("register" | "kv"), "cas"):
                if state.get(key) != value[0]:
                    return False, value
                state[key] = value[1]
                return True, value
            case "list", "append":
                state.setdefault(key, []).append(value)
                return True, value
            case "list", "read":
                return True, list(state.get(key, []))
            case "set", "add":
                state.setdefault(key, set()).add(value)
                return True, value
            case "set", "read":
                return True, sorted(state.get(key, ()))
            case "queue", "enqueue":
                state.setdefault(key, []).append(value)
                return True, value
            case "queue", "dequeue":
                return True, state[key].pop(0) if state.get(key) else None
            case "lock", "acquire":
                if state.get(key) is not None:
                    return False, None
                state[key] = process
                return True, None
            case "lock", "release":
                if state.get(key) != process:
                    return False, None
                state[key] = None
                return True, None
            case "counter", "add":
                state[key] = state.get(key, 0) + value
                return True, value
            case "counter", "read":
                return True, state.get(key, 0)
        raise AssertionError((self.kind, f))


def asks(kind: str, rng: random.Random, values: int, fresh: Iterator[int]) -> tuple[str, Any]:
    """The next operation of a client."""
    match kind:
        case "register" | "kv":
            f = rng.choice(("read", "read", "write", "cas"))
            value = {"read": None, "write": rng.randrange(values)}.get(
                f, [rng.randrange(values), rng.randrange(values)]
            )
            return f, value
        case "list":
            return rng.choice((("read", None), ("append", next(fresh))))
        case "set":
            return rng.choice((("read", None), ("add", rng.randrange(values))))
        case "queue":
            return rng.choice((("dequeue", None), ("enqueue", next(fresh))))
        case "lock":
            return rng.choice(("acquire", "release")), None
        case _:
            return rng.choice((("read", None), ("add", rng.randrange(1, values + 1))))


def simulate(
    kind: str,
    rng: random.Random,
    *,
    operations: int,
    clients: int = 5,
    keys: int = 1,
    values: int = 5,
    crash: float = 0.0,
    goes_on: bool = False,
    apply: Callable[[Objects, int, str, Any, Any], Applied] | None = None,
) -> list[Moment]:
    """The events of clients of a linearizable object, or of one that `apply` breaks.

    After a crash a new process takes the client's place, or the same one `goes_on`.
    """
    objects = Objects(kind)
    serve = apply or (lambda o, *args: o.apply(*args))
    fresh = iter(range(10**9))
    moments: list[Moment] = []
    names = list(range(clients))
    pending: dict[int, tuple[str, Any, Any]] = {}
    answers: dict[int, Applied] = {}
    lingering: list[tuple[int, str, Any, Any]] = []
    started = 0
    keyed = kind in ("kv", "list")

    def event(process: int, type_: str, f: str, key: Any, value: Any) -> None:
        moments.append(Moment(process, type_, f, [key, value] if keyed else value, None, -1, len(moments) + 1))

    while started < operations or pending:
        if lingering and rng.random() < 0.1:
            serve(objects, *lingering.pop(rng.randrange(len(lingering))))
        place = rng.randrange(clients)
        process = names[place]
        if process not in pending:
            if started < operations:
                f, value = asks(kind, rng, values, fresh)
                key = rng.randrange(keys)
                pending[process] = (f, key, value)
                event(process, "invoke", f, key, value)
                started += 1
            continue
        f, key, value = pending[process]
        if rng.random() < crash:
            event(process, "info", f, key, value)
            if process not in answers and rng.random() < 0.5:
                lingering.append((process, f, key, value))
            del pending[process]
            answers.pop(process, None)
            names[place] = process if goes_on else process + clients
        elif process not in answers:
            answers[process] = serve(objects, process, f, key, value)
        else:
            took, answer = answers.pop(process)
            event(process, "ok" if took else "fail", f, key, answer if took else value)
            del pending[process]
    return moments


def world(kind: str, seed: int, **options: Any) -> History:
    """A linearizable history."""
    return history_of(simulate(kind, random.Random(seed), **options))
