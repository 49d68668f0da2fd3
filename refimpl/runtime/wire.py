"""Messages on the wire: frozen dataclasses as objects of JSON, and back.

    WIRE = Wire(Ask, Vote)
    WIRE.write(Vote(3))                        # {"type": "vote", "term": 3}
    WIRE.read({"type": "vote", "term": 3})     # Vote(term=3)

What comes from the network may come from anyone, so reading checks each field against its annotation. Fields may be `int`
(0 or more), `bool`, `str`, `Any`, `X | None`, `tuple[X, ...]` and other dataclasses.
"""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from types import UnionType
from typing import Any, Union, cast, get_args, get_origin, get_type_hints

from refimpl.runtime.interface import Message


class Wire:
    """The messages of one protocol."""

    def __init__(self, *types: type) -> None:
        self._types = {t.__name__.lower(): t for t in types}
        self._hints: dict[type, dict[str, Any]] = {}

    def write(self, message: object) -> Message:
        """A message as JSON."""
        return {"type": type(message).__name__.lower(), **self._fields(message)}

    def read(self, message: Message) -> Any:
        """The message that JSON stands for.

        Raises:
            ValueError: it stands for none.
        """
        kind = message.get("type")
        wanted = self._types.get(kind) if isinstance(kind, str) else None
        if wanted is None:
            raise ValueError(f"no such message: {str(message)[:200]}")
        return self._value(wanted, {k: v for k, v in message.items() if k != "type"})

    def _fields(self, value: object) -> dict[str, Any]:
        return {f.name: self._json(getattr(value, f.name)) for f in fields(cast(Any, value))}

    def _json(self, value: object) -> Any:
        if is_dataclass(value):
            return self._fields(value)
        return [self._json(v) for v in value] if isinstance(value, tuple) else value

    def _value(self, wanted: Any, value: Any) -> Any:
        origin = get_origin(wanted)
        if wanted is Any:
            return value
        if origin in (Union, UnionType):
            (inner,) = (t for t in get_args(wanted) if t is not type(None))
            return None if value is None else self._value(inner, value)
        if origin is tuple and isinstance(value, list):
            return tuple(self._value(get_args(wanted)[0], v) for v in value)
        if wanted is int and type(value) is int and value >= 0:
            return value
        if wanted in (bool, str) and type(value) is wanted:
            return value
        if is_dataclass(wanted) and isinstance(value, dict):
            hints = self._hints.get(cast(type, wanted))
            if hints is None:
                hints = self._hints[cast(type, wanted)] = get_type_hints(wanted)
            if value.keys() == hints.keys():
                return cast(Any, wanted)(**{name: self._value(t, value[name]) for name, t in hints.items()})
        raise ValueError(f"{str(value)[:200]} is no {wanted}")
