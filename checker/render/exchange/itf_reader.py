"""Reading ITF from strangers.

A file may hold anything, so nothing is taken for granted: its size, its depth and the number of states are limited, a name
may not stand twice in an object, and a value that ITF does not have is refused, with the place where it stands. Whatever is
wrong is one diagnostic (PSM905), and nothing is guessed.

Values are brought to a form in which equal ones are equal: sets and maps without an order, numbers in one notation (a plain
JSON number is taken for `#bigint`), tuples like lists. All leaves are strings, whose hashes a stranger cannot predict.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NoReturn

from checker.base.data import dataclass
from checker.base.diagnostics import SpecError, error
from checker.base.source import display_name
from checker.render.plain import shortened

MOST_BYTES = 8 << 20
MOST_STATES = 20_000
MOST_DEPTH = 64
MOST_DIGITS = 1_000

Key = tuple[str, Any]
"""A value in a form that can be compared: its kind, and what makes it up."""

_INTEGER = re.compile(r"-?[0-9]+")


@dataclass(frozen=True, slots=True)
class Observed:
    """One state of a trace: its variables, as they stand there and to be compared, and the name of the step that led to it."""

    values: Mapping[str, Any]
    keys: Mapping[str, Key]
    step: str | None = None


@dataclass(frozen=True, slots=True)
class ItfTrace:
    """A trace that was read. `loop` is the number of the state that the last one leads back to."""

    names: tuple[str, ...]
    states: tuple[Observed, ...]
    loop: int | None = None
    error_step: str | None = None


def read_itf(path: str) -> ItfTrace:
    """Reads an ITF document from a file.

    Raises:
        SpecError: PSM001 or PSM006 for a file that cannot be read, PSM905 for one that is no ITF document.
    """
    name = display_name(Path(path))
    try:
        with Path(path).open("rb") as file:
            data = file.read(MOST_BYTES + 1)
    except FileNotFoundError:
        raise error("PSM001", f"{name} does not exist", help="name a file in the ITF format") from None
    except (OSError, ValueError) as problem:
        text = problem.strerror if isinstance(problem, OSError) else str(problem)
        raise error("PSM006", f"{name} cannot be read: {text}") from None
    if len(data) > MOST_BYTES:
        raise error("PSM905", f"{name} is larger than {MOST_BYTES >> 20} MiB", help="cut the trace into shorter ones")
    return parse_itf(data, name)


def parse_itf(data: bytes, name: str = "<trace>") -> ItfTrace:
    """Reads an ITF document. Raises `SpecError` as `read_itf` does."""
    try:
        document = json.loads(data, object_pairs_hook=_object, parse_constant=_no_number, parse_float=_no_number)
    except RecursionError:
        raise _refused(name, f"it is nested deeper than {MOST_DEPTH} levels") from None
    except ValueError as problem:  # that JSON has no such text, that the text is not Unicode, or a refusal of ours
        raise _refused(name, f"it is not JSON that ITF allows: {problem}") from None
    return _Reader(name).trace(document)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        seen: set[str] = set()
        twice = next(k for k, _ in pairs if k in seen or seen.add(k))  # type: ignore[func-returns-value]
        raise ValueError(f"`{shortened(twice, 40)}` stands twice in one object")
    return result


def _no_number(text: str) -> NoReturn:
    raise ValueError(f"`{shortened(text, 40)}` is no whole number")


def _refused(name: str, why: str) -> SpecError:
    return error(
        "PSM905",
        f"{name} cannot be used as a trace: {why}",
        help="a trace is a JSON document with `vars` and `states`, as `lockstep export --to itf` writes it",
    )


class _Reader:
    def __init__(self, name: str) -> None:
        self._name = name

    def _refuse(self, why: str) -> NoReturn:
        raise _refused(self._name, why)

    def trace(self, document: Any) -> ItfTrace:
        if not isinstance(document, dict):
            self._refuse("it is no object")
        names, states, about = document.get("vars"), document.get("states"), document.get("#meta", {})
        if not isinstance(names, list) or not names or not all(isinstance(n, str) for n in names):
            self._refuse("`vars` is no list of names")
        if len(set(names)) != len(names):
            self._refuse("a name stands twice in `vars`")
        if not isinstance(states, list) or not states:
            self._refuse("`states` is no list, or empty")
        if len(states) > MOST_STATES:
            self._refuse(f"it has {len(states):,} states, more than {MOST_STATES:,}")
        loop = document.get("loop")
        if loop is not None and (type(loop) is not int or not 0 <= loop < len(states)):
            self._refuse("`loop` is not the number of a state")
        error_step = about.get("error_step") if isinstance(about, dict) else None
        return ItfTrace(
            tuple(names),
            tuple(self._state(n, s, names) for n, s in enumerate(states)),
            loop,
            error_step if isinstance(error_step, str) else None,
        )

    def _state(self, number: int, state: Any, names: list[str]) -> Observed:
        if not isinstance(state, dict):
            self._refuse(f"state {number} is no object")
        values = {n: v for n, v in state.items() if not n.startswith("#")}
        for name in values:
            if name not in names:
                self._refuse(f"state {number} has `{shortened(name, 40)}`, which `vars` does not name")
        if not values:
            self._refuse(f"state {number} has no variables")
        keys = {n: self._key(v, f"`{n}` in state {number}", 0) for n, v in values.items()}
        about = state.get("#meta")
        step = about.get("step") if isinstance(about, dict) else None
        return Observed(values, keys, step if isinstance(step, str) else None)

    def _key(self, value: Any, where: str, depth: int) -> Key:
        try:
            return key_of(value, depth)
        except ValueError as problem:
            self._refuse(f"{shortened(where, 80)} {problem}")


def key_of(value: Any, depth: int = 0) -> Key:
    """An ITF value in a form that can be compared.

    Raises:
        ValueError: ITF has no such value; the text says why.
    """
    if depth > MOST_DEPTH:
        raise ValueError(f"is nested deeper than {MOST_DEPTH} levels")
    match value:
        case bool():
            return "truth", str(value)
        case int():
            return "number", str(value)
        case str():
            return "text", value
        case list():
            return "list", tuple(key_of(v, depth + 1) for v in value)
        case dict():
            special = [k for k in value if k.startswith("#")]
            if not special:
                return "record", frozenset((k, key_of(v, depth + 1)) for k, v in value.items())
            if len(value) == 1:
                return _special(special[0], value[special[0]], depth)
    raise ValueError("has a value that ITF does not have: " + shortened(json.dumps(value), 60))


def _special(kind: str, content: Any, depth: int) -> Key:
    match kind, content:
        case "#bigint", str() if _INTEGER.fullmatch(content) and len(content) <= MOST_DIGITS:
            return "number", str(int(content))
        case "#tup", list():
            return "list", tuple(key_of(v, depth + 1) for v in content)
        case "#set", list():
            return "set", frozenset(key_of(v, depth + 1) for v in content)
        case "#map", list() if all(isinstance(pair, list) and len(pair) == 2 for pair in content):
            pairs = {key_of(k, depth + 1): key_of(v, depth + 1) for k, v in content}
            if len(pairs) == len(content):
                return "map", frozenset(pairs.items())
            raise ValueError("has a map with a key that stands twice")
    raise ValueError(f"has a malformed `{shortened(kind, 20)}`: {shortened(json.dumps(content), 60)}")


def show_itf(value: Any) -> str:
    """An ITF value in a notation like that of the language; of a value that `key_of` accepts."""
    match value:
        case bool():
            return "true" if value else "false"
        case list():
            return "[" + ", ".join(show_itf(v) for v in value) + "]"
        case {"#bigint": digits}:
            return str(digits)
        case {"#tup": list() as parts}:
            return "(" + ", ".join(show_itf(v) for v in parts) + ")"
        case {"#set": list() as parts}:
            return "{" + ", ".join(show_itf(v) for v in parts) + "}"
        case {"#map": list() as pairs}:
            return "{" + ", ".join(f"{show_itf(k)}: {show_itf(v)}" for k, v in pairs) + "}"
        case {"tag": "None", **rest} if len(rest) == 1:
            return "none"
        case {"tag": "Some", "value": inner, **rest} if not rest:
            return show_itf(inner)
        case dict():
            return "(" + ", ".join(f"{k} = {show_itf(v)}" for k, v in value.items()) + ")"
    return str(value)
