"""A trace as a log for ShiViz, which draws what happened before what.

ShiViz (https://bestchai.bitbucket.io/shiviz/) reads a log by a regular expression with the groups `event`, `host` and
`clock`. The first line of the file is that expression, and the second is empty (it would separate several executions). A
clock is a vector clock, as JSON: how many events of each host are known to have happened.

A step is an event of the process that takes it. It knows what that process knew, and a step that takes a message knows what
the step that sent it knew. What concerns the network or all clocks is an event of the host `surroundings`.
"""

from __future__ import annotations

import json
from collections.abc import Sequence

from checker.render.events import Event
from checker.render.plain import clean

EXPRESSION = r"(?<host>\S+) (?<clock>\{.*?\}) (?<event>.*)"

SURROUNDINGS = "surroundings"


def shiviz(events: Sequence[Event], processes: Sequence[str]) -> str:
    """The log, with a line break at its end. That a run goes on for ever is no event."""
    surroundings = SURROUNDINGS
    while surroundings in processes:
        surroundings += "_"
    clocks: dict[str, dict[str, int]] = {}
    known: list[dict[str, int]] = []
    lines = [EXPRESSION, ""]
    for event in (e for e in events if not e.ending):
        host = surroundings if event.process is None or event.lost else event.process
        clock = dict(clocks.get(host, {}))
        if event.origin is not None:
            for name, count in known[event.origin].items():
                clock[name] = max(clock.get(name, 0), count)
        clock[host] = clock.get(host, 0) + 1
        clocks[host] = clock
        known.append(clock)
        text = clean(event.text)
        if event.sender is not None and event.process is not None:
            text += f" {event.sender} -> {event.process}" if event.lost else f" <- {event.sender}"
        marks = [w for w, is_so in (("error", event.error), ("fault", event.fault)) if is_so]
        text += "".join(f" [{part}]" for part in (", ".join(marks), clean(event.changes)) if part)
        ordered = {name: clock[name] for name in sorted(clock)}
        lines.append(f"{host} {json.dumps(ordered)} {text}")
    return "\n".join(lines) + "\n"
