"""Results kept between builds, as JSON files named after what they depend on.

A key is a hash of the text of the spec, of what is asked about it, and of every source file that has a part in the answer;
so a stored result is never out of date, only unused. Data is written by walking the dataclasses of a value and read by
walking their types: no class is named in a file, and reading one runs nothing that it says. A file that cannot be read is
as good as none.
"""

from __future__ import annotations

import hashlib
import json
import types
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from enum import Enum
from functools import cache
from pathlib import Path
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

from checker.base.source import Span

_T = TypeVar("_T")
_PACKAGE = Path(__file__).resolve().parents[1]
_ELSEWHERE = {"refimpl": _PACKAGE.parent / "refimpl"}
"""Sources beside the checker that have a part in an answer."""

_SCALARS = (str, int, float, bool, type(None))


@cache
def sources_hash(layers: tuple[str, ...]) -> str:
    """A hash of some sources and of the checker's version. Named are layers, single files below the package, and `refimpl`."""
    from checker import __version__

    digest = hashlib.sha256(__version__.encode())
    for layer in layers:
        place = _ELSEWHERE.get(layer, _PACKAGE / layer)
        for path in [place] if place.is_file() else sorted(place.rglob("*")):
            if path.suffix in (".py", ".lark"):
                name = path.relative_to(place.parent).as_posix()
                digest.update(name.encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()


def key(*parts: str) -> str:
    """A name for what depends on all of the parts."""
    digest = hashlib.sha256()
    for part in parts:
        digest.update(f"{len(part)}:{part}".encode())
    return digest.hexdigest()[:40]


class Store:
    """A folder of stored values; without a folder, nothing is kept."""

    def __init__(self, folder: Path | None) -> None:
        self.folder = folder
        self._used: set[str] = set()

    def get(self, name: str, kind: type[_T]) -> _T | None:
        """The stored value of that name, or None where there is none that can be read."""
        if self.folder is None:
            return None
        self._used.add(name)
        try:
            data = json.loads((self.folder / f"{name}.json").read_text(encoding="utf-8"))
            value: _T = decode(kind, data)
        except (OSError, ValueError, TypeError, KeyError, AssertionError):
            return None
        return value

    def put(self, name: str, value: object) -> None:
        """Stores a value. A reader never sees half of it."""
        if self.folder is None:
            return
        self.folder.mkdir(parents=True, exist_ok=True)
        path = self.folder / f"{name}.json"
        part = path.with_suffix(".part")
        part.write_text(json.dumps(encode(value), ensure_ascii=False), encoding="utf-8")
        part.replace(path)

    def clean(self) -> None:
        """Removes what nobody asked for since this object was made: it belongs to earlier specs or engines."""
        if self.folder is None or not self.folder.is_dir():
            return
        kept = {f"{name}.json" for name in self._used}
        for path in self.folder.glob("*.json"):
            if path.name not in kept:
                path.unlink()


def encode(value: object) -> Any:
    """A value made of dataclasses, enums, tuples, mappings and scalars, as JSON."""
    if isinstance(value, Enum):
        return value.value
    if is_dataclass(value) and not isinstance(value, type):
        return {f.name: encode(getattr(value, f.name)) for f in fields(value) if f.init}
    if isinstance(value, Mapping):
        return {str(k): encode(v) for k, v in value.items()}
    if isinstance(value, tuple | list):
        return [encode(v) for v in value]
    assert isinstance(value, _SCALARS), type(value)
    return value


def decode(kind: Any, data: Any) -> Any:
    """The value of a type that `encode` wrote. Raises ValueError, TypeError or KeyError where the data is not one."""
    origin, args = get_origin(kind), get_args(kind)
    if isinstance(kind, type) and is_dataclass(kind):
        hints = _hints(kind)
        return kind(**{f.name: decode(hints[f.name], data[f.name]) for f in fields(kind) if f.init})
    if isinstance(kind, type) and issubclass(kind, Enum):
        return kind(data)
    if kind is Span:
        return Span(*data)
    if origin is tuple:
        if len(args) == 2 and args[1] is Ellipsis:
            return tuple(decode(args[0], v) for v in data)
        return tuple(decode(a, v) for a, v in zip(args, data, strict=True))
    if origin in (Union, types.UnionType):
        # `X | None` is the only union of data; values of traces are JSON already
        others = [a for a in args if a is not type(None)]
        return None if data is None else decode(others[0], data) if len(others) == 1 else data
    if origin is not None and isinstance(origin, type) and issubclass(origin, Mapping):
        return {k: decode(args[1], v) for k, v in data.items()}
    return data


@cache
def _hints(kind: type) -> dict[str, Any]:
    return get_type_hints(kind)
