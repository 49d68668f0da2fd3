"""Reads histories: Jepsen's, in EDN or JSON, and this package's own record of a run, in JSON lines. Writes all three.

What a file holds is found by looking at it. A text that begins with `[` is one list of events, any other is one event after
another; `{:` or `{` with a keyword is EDN, and everything else JSON. An event with `node` and `kind` is of a record of a
run, one with `process` and `type` is Jepsen's:

    {:type :invoke, :f :read, :value nil, :process 0, :time 12}
    {"type": "ok", "f": "read", "value": 3, "process": 0, "time": 19}
    {"t": 1.2, "node": "c0", "kind": "invoke", "name": "read", "args": {"value": null}}
    {"t": 1.9, "node": "c0", "kind": "return", "name": "read", "obs": {"type": "ok", "value": 3}}

In a record of a run `invoke` and `return` are events of clients; all other kinds (`send`, `recv`, `fault` …) are passed
over, as are Jepsen's processes that are no clients, such as `:nemesis`. Files come from strangers: sizes, depths and
numbers are bounded, and each refusal names a line. A file that ends inside of an event, or a
record of a run without its last line, is read up to there, and its history says that it is cut off. With that line it is
whole, so the line has to be right: nothing follows it, and it counts the entries.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final

from checker.base.collector import no_collector
from checker.base.diagnostics import SpecError, error
from checker.base.source import display_name
from checker.conformance.histories import edn
from checker.conformance.histories.edn import Keyword, MalformedError
from checker.conformance.histories.history import History, Moment, Operation, Outcome, history_of
from checker.conformance.record import FORMAT as RUN
from checker.conformance.record import HEALING, VERSION

MAX_BYTES: Final = 1 << 30
"""The largest file that is read."""

FORMATS: Final = ("edn", "json", "run")
_TYPES = frozenset(("invoke", "ok", "fail", "info"))
_BLANK = re.compile(r"[\s,]*")


def load_history(path: Path) -> History:
    """The history in a file.

    Raises:
        SpecError: PSM001 or PSM006 where it cannot be read, PSM003 where it is no text, PSM004 where it is too large,
            PSM005 where it is empty, PSM851 where it is no history.
    """
    name = display_name(path)
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except FileNotFoundError:
        raise error("PSM001", f"there is no file `{name}`", help="check the spelling of the path") from None
    except OSError as problem:
        raise error("PSM006", f"`{name}` cannot be read: {problem.strerror or problem}") from None
    if len(data) > MAX_BYTES:
        raise error("PSM004", f"`{name}` has more than {MAX_BYTES:,} bytes", help="judge a part of the run at a time")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as problem:
        raise error("PSM003", f"`{name}` is not UTF-8 at offset {problem.start}", help="is it a history?") from None
    return parse_history(text, name=name)


def parse_history(text: str, *, name: str = "history") -> History:
    """The history in a text.

    Raises:
        SpecError: PSM005 where it is empty, PSM851 where it is no history.
    """
    if not text.strip():
        raise error("PSM005", f"`{name}` is empty", help="a history has one event in each line")
    reading = _Reading(text, name)
    with no_collector():
        moments = list(reading.moments())
    if all(moment.type == "fault" for moment in moments):
        raise error(
            "PSM851",
            f"`{name}` has no event of a client",
            help="a client's event has `process` and `type`, or `node` and the kind `invoke` or `return`",
        )
    with no_collector():
        return history_of(moments, name=name, cut=reading.cut)


class _Reading:
    """One text on its way; `cut` says in the end whether it broke off."""

    def __init__(self, text: str, name: str) -> None:
        self._text = text
        self._name = name
        self._line, self._counted = 1, 0
        self._entries = 0
        self._ended = False
        self.cut: str | None = None

    def moments(self) -> Iterator[Moment]:
        """The events of clients, and faults."""
        try:
            for value, offset in self._values():
                moment = self._moment(value, self._line_of(offset))
                if moment is not None:
                    yield moment
        except MalformedError as problem:
            line = self._text.count("\n", 0, problem.offset) + 1
            if not problem.ends:
                raise self._error(line, str(problem), "is the file a history in EDN or JSON?") from None
            self.cut = f"it ends inside of an event in line {line}"

    def _values(self) -> Iterator[tuple[Any, int]]:
        text = self._text.lstrip()
        if re.match(r"[\[({\s]*[:;]|\(|#|;|\[\s*#|\[\s*\]", text):
            return edn.elements(self._text) if text[0] in "[(" else edn.read(self._text)
        return _json_values(self._text)

    def _line_of(self, offset: int) -> int:
        self._line += self._text.count("\n", self._counted, offset)
        self._counted = offset
        return self._line

    def _moment(self, value: Any, line: int) -> Moment | None:
        if not isinstance(value, dict):
            raise self._error(
                line, f"`{_short(value)}` is no event", "an event is a map with `process`, `type` and `f`"
            )
        event = {_name(k): v for k, v in value.items()}
        if self._ended:
            raise self._error(line, f"`{_short(value)}` follows the end of the record", "a record has one run")
        if event.get("format") == RUN:
            self._begin(event, line)
            return None
        if "end" in event and "type" not in event and "kind" not in event:
            self._end(event["end"], line)
            return None
        self._entries += 1
        if "kind" in event and "node" in event:
            return self._of_run(event, line)
        kind, process = _name(event.get("type")), event.get("process")
        if kind is None or process is None:
            missing = "type" if kind is None else "process"
            raise self._error(line, f"an event without `{missing}`", "is the file a history of Jepsen?")
        if isinstance(process, Keyword) or process == "nemesis":
            return _fault(_name(event.get("f")), line)
        return self._checked(process, kind, event, event.get("value"), event.get("time"), line)

    def _begin(self, head: dict[Any, Any], line: int) -> None:
        """The first line of a record of a run."""
        if self._entries or self.cut is not None:
            raise self._error(line, "a record of a run begins in the middle", "give one record at a time")
        version = head.get("version")
        if type(version) is not int or version != VERSION:
            what = f"version `{_short(version)}` of a record of a run cannot be read"
            raise self._error(line, what, f"this is made for version {VERSION}")
        self.cut = "the last line of the record is missing"

    def _end(self, count: Any, line: int) -> None:
        """The last line of a record of a run."""
        if type(count) is not int or count != self._entries:
            what = f"the record tells of `{_short(count)}` entries, but {self._entries} stand before its end"
            raise self._error(line, what, "was something added or lost after the run?")
        self.cut, self._ended = None, True

    def _of_run(self, event: dict[Any, Any], line: int) -> Moment | None:
        match event["kind"]:
            case "invoke":
                part, kind = event.get("args"), "invoke"
            case "return":
                part, kind = event.get("obs"), ""
            case "fault" if event.get("name") not in HEALING:
                return _fault(event.get("name"), line)
            case _:
                return None
        if not isinstance(part, dict):
            raise self._error(line, "an event without the value of its operation", '`args` and `obs` hold a "value"')
        about = {"f": event.get("name"), "key": part.get("key")}
        time = event.get("t")
        stamp = int(time * 1e9) if isinstance(time, int | float) and abs(time) < 1e9 else -1
        return self._checked(event["node"], kind or part.get("type"), about, part.get("value"), stamp, line)

    def _checked(self, process: Any, kind: Any, event: dict[Any, Any], value: Any, time: Any, line: int) -> Moment:
        f = _name(event.get("f"))
        if not isinstance(kind, str) or kind not in _TYPES:
            raise self._error(line, f"`{_short(kind)}` is no type of an event", "use invoke, ok, fail or info")
        if not f:
            raise self._error(line, "an event without `f`, the name of its operation", "`f` is a text such as read")
        if not isinstance(f, str):
            raise self._error(line, f"`{_short(f)}` is no name of an operation", "`f` is a text such as read")
        if isinstance(process, bool) or not isinstance(process, int | str):
            raise self._error(line, f"`{_short(process)}` is no process", "a process is a number or a name")
        stamp = time if isinstance(time, int) else -1
        return Moment(process, kind, f, value, edn.hashable(event.get("key")), stamp, line)

    def _error(self, line: int, what: str, help: str) -> SpecError:
        return error("PSM851", f"{self._name}, line {line}: {what}", help=help)


def _fault(name: object, line: int) -> Moment:
    """Jepsen's `:nemesis`, or an entry of a record that tells of a fault."""
    return Moment(None, "fault", str(name), None, None, -1, line)


def _json_values(text: str) -> Iterator[tuple[Any, int]]:
    """JSON values one after the other, or the elements of one array, with their offsets."""
    decode = json.JSONDecoder(parse_constant=_no_constant).raw_decode
    offset = len(text) - len(text.lstrip())
    array = text.startswith("[", offset)
    offset += array
    while True:
        blank = _BLANK.match(text, offset)
        assert blank is not None
        offset = blank.end()
        if offset == len(text):
            if array:
                raise MalformedError("the list of events has no end", offset, ends=True)
            return
        if array and text[offset] == "]":
            if text[offset + 1 :].strip():
                raise MalformedError("something follows the end of the history", offset + 1)
            return
        try:
            value, end = decode(text, offset)
        except json.JSONDecodeError as problem:
            # A value that breaks off in the last line is the end of a process, anything earlier a mistake.
            ends = text.startswith("{", offset) and "\n" not in text[offset:].rstrip()
            raise MalformedError(f"no JSON: {problem.msg}", problem.pos, ends=ends) from None
        except (RecursionError, ValueError) as problem:
            what = "nested too deeply" if isinstance(problem, RecursionError) else str(problem)
            raise MalformedError(f"no JSON that can be read: {what}", offset) from None
        if _is_deep(value, text.count("[", offset, end) + text.count("{", offset, end)):
            raise MalformedError(f"more than {edn.MAX_DEPTH} levels of brackets", offset)
        yield value, offset
        offset = end


def _is_deep(value: Any, brackets: int) -> bool:
    """Whether a value with so many brackets is nested more than MAX_DEPTH deep, so that whoever goes through it might not end."""
    layer, levels = [value], 0
    while brackets > edn.MAX_DEPTH and layer and levels <= edn.MAX_DEPTH:
        layer = [
            part
            for whole in layer
            if isinstance(whole, list | dict)
            for part in (whole.values() if isinstance(whole, dict) else whole)
        ]
        levels += bool(layer)
    return levels > edn.MAX_DEPTH


def _no_constant(text: str) -> None:
    raise ValueError(f"`{text}` is no number of JSON")


def _name(value: Any) -> Any:
    return value.name if isinstance(value, Keyword) else value


def _short(value: Any) -> str:
    text = edn.show(value)
    return text if len(text) <= 60 else text[:57] + "..."


# ---- writing


def write_history(history: History, format: str) -> str:
    """A history as text; `format` is one of FORMATS. Positions become times where no time is known."""
    lines = list(_lines(history, format))
    if format == "run":
        lines = [_dump({"format": RUN, "version": 1, "about": {}}), *lines, _dump({"end": len(lines)})]
    return "".join(f"{line}\n" for line in lines)


def _lines(history: History, format: str) -> Iterable[str]:
    events: list[tuple[int, bool, Operation]] = []
    for op in history.operations:
        events.append((op.begin, False, op))
        # an operation that stays pending is pending from its beginning, so this is as good a place as any
        events.append((op.begin if op.outcome is Outcome.INFO else op.end, True, op))
    for position, last, op in sorted(events, key=lambda e: e[:2]):
        first = not last
        kind = "invoke" if first else op.outcome.value
        value = op.value if first else op.result
        match format:
            case "edn":
                parts = f":type :{kind}, :f :{op.f}, :value {edn.show(value)}, :process {edn.show(op.process)}"
                yield f"{{{parts}, :time {position}{'' if op.key is None else f', :key {edn.show(op.key)}'}}}"
            case "json":
                event = {"type": kind, "f": op.f, "value": value, "process": op.process, "time": position}
                yield _dump(event if op.key is None else {**event, "key": op.key})
            case "run":
                body = {"value": value} if op.key is None else {"value": value, "key": op.key}
                part = {"args": body, "obs": {}} if first else {"args": {}, "obs": {"type": kind, **body}}
                about = {"t": position, "node": str(op.process), "kind": "invoke" if first else "return", "name": op.f}
                yield _dump({**about, **part, "vc": {}})
            case _:
                raise ValueError(f"there is no format {format!r}; choose one of {', '.join(FORMATS)}")


def _dump(event: dict[str, Any]) -> str:
    return json.dumps(event, default=_plain)


def _plain(value: Any) -> Any:
    if isinstance(value, Keyword):
        return value.name
    if isinstance(value, set | frozenset):
        return sorted(value, key=repr)
    return repr(value)
