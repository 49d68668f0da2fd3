"""A key-value store as a state machine: what all copies of a log do, in the same order, with the same result.

A client that gets no answer asks again, perhaps another server, and then its command stands in the log twice. So commands
carry the name of the client and a number that grows, and the store remembers of each client the last number and what came of
it. A repeated command is answered from there, and done once.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from refimpl.runtime.wire import Wire


@dataclass(frozen=True, slots=True)
class Request:
    """To a server: `op` is `read`, `write` or `cas`, and `value` what is written; of `cas`, [old, new]."""

    number: int
    op: str
    key: str
    value: Any


@dataclass(frozen=True, slots=True)
class Reply:
    """To a client: it is done, and this came of it."""

    number: int
    value: Any


@dataclass(frozen=True, slots=True)
class Redirect:
    """To a client: not done, ask this one."""

    number: int
    server: str | None


CLIENT_WIRE = Wire(Request, Reply, Redirect)


class Store:
    """Keys with values, and what clients were told."""

    def __init__(self) -> None:
        self.values: dict[str, Any] = {}
        self._last: dict[str, tuple[int, Any]] = {}

    def apply(self, client: str, request: Request) -> Any:
        """Carries a command out, unless it was carried out before, and returns its result.

        A command that is older than the last one of its client was answered long ago; its result is gone.
        """
        number, result = self._last.get(client, (-1, None))
        if request.number > number:
            result = self._do(request)
            self._last[client] = request.number, result
        return result

    def _do(self, request: Request) -> Any:
        match request.op, request.value:
            case "read", _:
                return self.values.get(request.key)
            case "write", value:
                self.values[request.key] = value
            case "cas", [old, new]:
                if self.values.get(request.key) != old:
                    return False
                self.values[request.key] = new
                return True
        return None
