"""JSON from strangers, one object in each line.

What a node prints and what a file of a trace holds may be anything. `parse_object` accepts exactly one JSON object and says
in one sentence what is wrong with everything else: it bounds the length and the depth, and it refuses what Python's parser
accepts beyond the standard (`NaN`, `Infinity`), since other readers would stumble over it later.
"""

from __future__ import annotations

import json
from math import isfinite
from typing import NoReturn

from checker.properties.kinds import Json

MAX_DEPTH = 100
"""How deep lists and objects may be nested; Python's own limit is that of its stack."""

SHOWN = 120
"""How many characters of a bad line are shown."""


class LineError(ValueError):
    """A line is not one JSON object; the text says why."""


def parse_object(line: str, *, max_length: int | None = None) -> dict[str, Json]:
    """The object that a line holds.

    Raises:
        LineError: the line is longer than `max_length` characters, is not JSON, or is something other than an object.
    """
    if max_length is not None and len(line) > max_length:
        raise LineError(f"the line is longer than {max_length:,} characters: {excerpt(line)}")
    try:
        value = json.loads(line, parse_constant=_refuse, parse_float=_finite)
    except RecursionError:
        raise LineError(f"it is nested deeper than {MAX_DEPTH} levels: {excerpt(line)}") from None
    except ValueError as problem:
        raise LineError(f"it is not JSON ({problem}): {excerpt(line)}") from None
    if not isinstance(value, dict):
        raise LineError(f"it is not a JSON object: {excerpt(line)}")
    if _deeper_than(value, MAX_DEPTH):
        raise LineError(f"it is nested deeper than {MAX_DEPTH} levels: {excerpt(line)}")
    return value


def dump(value: object) -> str:
    """One line of ASCII without blanks; keys keep their order. Refuses what is not JSON."""
    return json.dumps(value, separators=(",", ":"), allow_nan=False)


def canonical(value: object) -> str:
    """A text that two JSON values share exactly if they are equal as JSON; `1` and `true` are not, nor are `1` and `1.0`."""
    return json.dumps(value, separators=(",", ":"), sort_keys=True, allow_nan=False)


def excerpt(text: str) -> str:
    """The beginning of a text as it may be shown: quoted, control characters escaped, bounded."""
    return repr(text if len(text) <= SHOWN else text[:SHOWN] + "…")


def _refuse(word: str) -> NoReturn:
    raise ValueError(f"{word} is not a JSON value")


def _finite(text: str) -> float:
    """A number; Python reads one that is too large as infinite, and could not write it again."""
    value = float(text)
    if not isfinite(value):
        raise ValueError(f"{text[:30]} is too large")
    return value


def _deeper_than(value: Json, limit: int) -> bool:
    level: list[Json] = [value]
    for _ in range(limit):
        level = [part for outer in level for part in _parts(outer)]
        if not level:
            return False
    return True


def _parts(value: Json) -> list[Json]:
    match value:
        case dict():
            return list(value.values())
        case list():
            return value
    return []
