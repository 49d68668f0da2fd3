"""The operations of clients in a record of a run: what checkers of histories read.

An `invoke` has the value that was asked with in `args["value"]`, and the node that was asked in `args["node"]`, where there is
one. A `return` has its type in `obs["type"]`: `ok`, `fail` (the operation certainly had no effect) or `info` (nobody knows); and
in `obs["value"]` the result.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from checker.conformance.histories.history import History, Moment, history_of
from checker.conformance.record import HEALING, Entry, Kind, Record


class Failed(Exception):
    """Raised by whoever carries an operation out, if it certainly had no effect; the text says why."""


def moments_of(entries: Sequence[Entry]) -> Iterator[Moment]:
    """The client operations of a record and its faults, as checkers of histories read them; a process is a client at its node."""
    at: dict[str | None, str] = {}
    for line, e in enumerate(entries, 2):
        time = round(e.t * 1e9)
        if e.kind is Kind.INVOKE:
            at[e.node] = f"{e.node} at {e.args['node']}" if "node" in e.args else str(e.node)
            yield Moment(at[e.node], "invoke", e.name, e.args.get("value"), None, time, line)
        elif e.kind is Kind.RETURN:
            yield Moment(at.get(e.node), str(e.obs.get("type")), e.name, e.obs.get("value"), None, time, line)
        elif e.kind is Kind.FAULT and e.name not in HEALING:
            yield Moment(None, "fault", e.name, None, None, time, line)


def history_of_record(record: Record) -> History:
    """The history of a record."""
    return history_of(moments_of(record.entries), name="the run", cut="the record" if record.truncated else None)
