"""The record of a run: what happened, in order, whoever drove it.

A simulator, an adapter and a cluster of foreign processes all write the same entries, and every consumer (history checkers,
trace validation, drawings) reads them:

| field | meaning |
|---|---|
| `t` | seconds since the beginning of the run, never less than that of the entry before |
| `node` | who: a node, a client, or null for the surroundings |
| `kind` | `action`, `send`, `recv`, `invoke`, `return`, `fault` or `obs` |
| `name` | the step, the type of the message, the operation, the fault |
| `args` | what went in: parameters, the message and its receiver, the value of the operation |
| `obs` | what was seen: variables of a spec, the result of the operation and its type (`ok`, `fail`, `info`) |
| `vc` | a vector clock: how many entries of each node are known to have happened before or at this one |

In a file, each entry is one line of JSON. The first line says what the file is and how the run was made, the last one how many
entries there are. A file without that last line was cut off: it is read as far as it goes and is marked `truncated`, for a
judgement of a part of a run is no judgement of the run.

Vector clocks are Mattern's and Fidge's: an entry counts its own node up, and a `recv` first takes over what the `send` knew.
A `Recorder` keeps them; two entries are concurrent if neither clock is at most the other.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import field
from enum import Enum
from typing import IO

from checker.base.data import dataclass
from checker.conformance.jsonlines import LineError, dump, excerpt, parse_object
from checker.properties.kinds import Json

FORMAT = "lockstep-run"
VERSION = 1
MAX_LINE = 1_000_000
"""Characters in one line of a file."""
MAX_ENTRIES = 10_000_000
"""Entries in one file."""


class Kind(Enum):
    """What an entry tells of."""

    ACTION = "action"
    SEND = "send"
    RECV = "recv"
    INVOKE = "invoke"
    RETURN = "return"
    FAULT = "fault"
    OBS = "obs"


HEALING = ("restart", "heal", "resume", "honest", "exit")
"""Entries of kind `fault` that end one."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that happened; the fields are those of the table above."""

    t: float
    node: str | None
    kind: Kind
    name: str
    args: Mapping[str, Json] = field(default_factory=dict)
    obs: Mapping[str, Json] = field(default_factory=dict)
    vc: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Record:
    """A run. `about` says how it was made (seed, command, workload); `truncated`, that its end is missing."""

    entries: tuple[Entry, ...]
    about: Mapping[str, Json] = field(default_factory=dict)
    truncated: bool = False


class RecordError(Exception):
    """A file is no record of a run; the text names the line and says why."""


class Recorder:
    """Collects entries and keeps the vector clocks.

    `limit` bounds the memory of a run that does not end; what comes after it is not kept, and the record is `truncated`.
    """

    def __init__(self, about: Mapping[str, Json] | None = None, *, limit: int = MAX_ENTRIES) -> None:
        self.about = dict(about or {})
        self.entries: list[Entry] = []
        self.truncated = False
        self._limit = limit
        self._clocks: dict[str, dict[str, int]] = {}

    def add(
        self,
        t: float,
        node: str | None,
        kind: Kind,
        name: str,
        *,
        args: Mapping[str, Json] | None = None,
        obs: Mapping[str, Json] | None = None,
        after: Mapping[str, int] | None = None,
    ) -> Mapping[str, int]:
        """Adds an entry and returns its clock; `after` is the clock of the `send` that a `recv` belongs to."""
        clock = self._tick(node, after)
        if len(self.entries) < self._limit:
            self.entries.append(Entry(round(t, 6), node, kind, name, dict(args or {}), dict(obs or {}), clock))
        else:
            self.truncated = True
        return clock

    def record(self) -> Record:
        """Everything so far."""
        return Record(tuple(self.entries), dict(self.about), self.truncated)

    def _tick(self, node: str | None, after: Mapping[str, int] | None) -> Mapping[str, int]:
        if node is None:
            return {}
        clock = self._clocks.setdefault(node, {})
        for other, count in (after or {}).items():
            clock[other] = max(clock.get(other, 0), count)
        clock[node] = clock.get(node, 0) + 1
        return dict(sorted(clock.items()))


# ---- JSON lines


def lines_of(record: Record) -> Iterator[str]:
    """The lines of a file, without line breaks. Equal records give equal lines."""
    yield dump({"format": FORMAT, "version": VERSION, "about": dict(record.about)})
    for e in record.entries:
        yield dump(
            {
                "t": e.t,
                "node": e.node,
                "kind": e.kind.value,
                "name": e.name,
                "args": dict(e.args),
                "obs": dict(e.obs),
                "vc": dict(e.vc),
            }
        )
    if not record.truncated:
        yield dump({"end": len(record.entries)})


def text_of(record: Record) -> str:
    """The whole file."""
    return "".join(f"{line}\n" for line in lines_of(record))


def read_record(file: IO[str]) -> Record:
    """Reads a file in this format, in bounded memory for each line.

    Raises:
        RecordError: the file is something else, or one of its lines is not an entry.
    """
    lines = _numbered(file)
    number, first = next(lines, (1, ""))
    head = _object(number, first) if first else {}
    if head.get("format") != FORMAT:
        raise RecordError(f'line 1: this is no record of a run, which begins with {{"format":"{FORMAT}"')
    if head.get("version") != VERSION:
        raise RecordError(f"line 1: version {head.get('version')!r} cannot be read, only version {VERSION}")
    about = head.get("about", {})
    if not isinstance(about, dict):
        raise RecordError(f"line 1: `about` is no object: {excerpt(str(about))}")
    entries: list[Entry] = []
    end: Json = None
    for number, line in lines:
        if end is not None:
            raise RecordError(f"line {number}: something follows the end of the record: {excerpt(line)}")
        try:
            value = _object(number, line)
        except RecordError:
            if not line.endswith("\n"):  # the writer was cut off in the middle of its last line
                return Record(tuple(entries), about, truncated=True)
            raise
        if "end" in value:
            end = value["end"]
            if end != len(entries):
                raise RecordError(f"line {number}: it tells of {end} entries, but {len(entries)} stand before it")
            continue
        if len(entries) == MAX_ENTRIES:
            raise RecordError(f"line {number}: a record has at most {MAX_ENTRIES:,} entries")
        entry = _entry(number, value)
        if entries and entry.t < entries[-1].t:
            raise RecordError(f"line {number}: time goes back, from {entries[-1].t} to {entry.t}")
        entries.append(entry)
    return Record(tuple(entries), about, truncated=end is None)


def _numbered(file: IO[str]) -> Iterator[tuple[int, str]]:
    number = 0
    while line := file.readline(MAX_LINE + 1):
        number += 1
        if len(line) > MAX_LINE:
            raise RecordError(f"line {number}: it is longer than {MAX_LINE:,} characters: {excerpt(line)}")
        yield number, line


def _object(number: int, line: str) -> dict[str, Json]:
    try:
        return parse_object(line)
    except LineError as problem:
        raise RecordError(f"line {number}: {problem}") from None


def _entry(number: int, value: Mapping[str, Json]) -> Entry:
    def wrong(key: str, wanted: str) -> RecordError:
        found = excerpt(dump(value[key])) if key in value else "missing"
        return RecordError(f"line {number}: `{key}` should be {wanted} and is {found}")

    t, node, name = value.get("t"), value.get("node"), value.get("name")
    if isinstance(t, bool) or not isinstance(t, int | float) or not 0 <= t < float("inf"):
        raise wrong("t", "a number of seconds, 0 or more")
    if not isinstance(node, str | None):
        raise wrong("node", "a text or null")
    if not isinstance(name, str):
        raise wrong("name", "a text")
    kinds = {kind.value: kind for kind in Kind}
    kind = kinds.get(str(value.get("kind")))
    if kind is None:
        raise wrong("kind", f"one of {', '.join(kinds)}")
    parts: dict[str, dict[str, Json]] = {}
    for key in ("args", "obs", "vc"):
        part = value.get(key, {})
        if not isinstance(part, dict):
            raise wrong(key, "an object")
        parts[key] = part
    clock: dict[str, int] = {}
    for who, count in parts["vc"].items():
        if isinstance(count, bool) or not isinstance(count, int) or count < 0:
            raise wrong("vc", "an object of whole numbers")
        clock[who] = count
    return Entry(t, node, kind, name, parts["args"], parts["obs"], clock)


# ---- ShiViz

SHIVIZ = r"(?<host>\S+) (?<clock>\{.*\})\n(?<event>.*)"
"""The regular expression with which ShiViz reads `shiviz_of`."""


def shiviz_of(record: Record) -> str:
    """The record for ShiViz: two lines for each entry of a node. Paste it beside the expression `SHIVIZ`."""
    rows: list[str] = []
    for e in record.entries:
        if e.node is not None:
            details = dump(dict(e.obs if e.kind in (Kind.RETURN, Kind.OBS) else e.args))
            rows.append(f"{'_'.join(e.node.split())} {dump(_words(e.vc))}\n{e.kind.value} {e.name} {details}\n")
    return "".join(rows)


def _words(clock: Mapping[str, int]) -> dict[str, int]:
    return {"_".join(node.split()): count for node, count in clock.items()}


def concurrent(a: Entry, b: Entry) -> bool:
    """Whether neither of two entries of nodes can have influenced the other."""
    return not (_at_most(a.vc, b.vc) or _at_most(b.vc, a.vc))


def _at_most(a: Mapping[str, int], b: Mapping[str, int]) -> bool:
    return all(count <= b.get(node, 0) for node, count in a.items())
