"""Nodes that are killed: what they have forgotten is found, and a kill that nobody spoke after shows nothing."""

from __future__ import annotations

import asyncio
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from checker.conformance.links import Quality
from checker.conformance.nodes.conform import OWED, Plan, Report, Result, conform
from checker.conformance.nodes.evidence import KILLED, after_restarts, overlapping
from checker.conformance.nodes.faults import Window
from checker.conformance.nodes.process import NodeProblem, NodeProcess
from checker.conformance.nodes.protocol import Message
from checker.conformance.nodes.report import document_of, text_of
from checker.conformance.record import Entry, Kind, Record
from checker.properties.kinds import Json

COUNT = """
import json, os, sys
count, again = 0, False
for line in sys.stdin:
    m = json.loads(line)
    b, body = m["body"], {"in_reply_to": m["body"]["msg_id"]}
    if b["type"] == "init":
        me = b["node_id"]
        again = os.path.exists(sys.argv[1] + "/" + me)
        open(sys.argv[1] + "/" + me, "w").close()
        body["type"] = "init_ok"
    else:
        count += 1
        body.update({"type": "generate_ok", "id": f"{me}-{count}"})
        AGAIN
    print(json.dumps({"src": me, "dest": m["src"], "body": body}), flush=True)
"""
"""A node that counts, and knows whether it runs for the second time."""


def run(again: str, folder: Path, *, patience: float = 15.0, rate: float = 100.0) -> Report:
    plan = Plan(
        (sys.executable, "-c", COUNT.replace("AGAIN", again), str(folder)), "unique-ids", nodes=1, time=0.5, rate=rate,
        timeout=0.2, patience=patience, seed=1, faults=("kill",), quality=Quality(latency=0.001),
    )  # fmt: skip
    return conform(plan)


def test_what_a_crash_destroys_is_found_however_short_the_run(tmp_path: Path) -> None:
    """The rest of the run may be shorter than the start of a process: the clients wait for it."""
    report = run("pass", tmp_path)
    assert report.result is Result.FAILED, text_of(report)
    assert report.restarts.succeeded >= OWED
    assert report.judgement is not None and report.judgement.findings[0].kind == "duplicate id"


def test_a_node_that_survives_passes(tmp_path: Path) -> None:
    report = run('body["id"] += "-again" * again', tmp_path, rate=20.0)
    assert report.result is Result.PASSED, text_of(report)
    assert "operations succeeded after a restart" in text_of(report)
    assert document_of(report)["after_restarts"] == report.restarts.succeeded >= OWED


@pytest.mark.parametrize(
    ("again", "shortcoming"),
    [
        ("if again: continue", "no operation was answered after the restart of n1"),
        (
            'if again: body.update({"type": "error", "code": 11})',
            "no operation succeeded after the restart of n1",
        ),
    ],
)
def test_a_node_that_says_nothing_after_its_restart_is_incomplete(again: str, shortcoming: str, tmp_path: Path) -> None:
    report = run(again, tmp_path, patience=0.5)
    assert report.result is Result.INCOMPLETE
    assert shortcoming in report.shortcomings
    assert shortcoming in text_of(report)


def asked(t: float, client: str, node: str) -> Entry:
    return Entry(t, client, Kind.INVOKE, "read", args={"value": None, "node": node})


def ended(t: float, client: str, **seen: Json) -> Entry:
    return Entry(t, client, Kind.RETURN, "read", obs=seen)


def test_evidence_is_what_was_asked_after_the_restart() -> None:
    entries = (
        asked(0.1, "c1", "n1"),
        Entry(0.2, "n1", Kind.FAULT, "kill"),
        ended(0.2, "c1", type="info", error=KILLED),
        asked(0.3, "c2", "n2"),
        Entry(0.4, "n1", Kind.FAULT, "restart"),
        ended(0.5, "c2", type="ok"),
        asked(0.6, "c2", "n2"),
        ended(0.7, "c2", type="ok"),
        asked(0.8, "c1", "n1"),
        ended(0.9, "c1", type="info"),
    )
    record = Record(entries)
    found = after_restarts(record)
    assert (found.killed, found.silent, found.succeeded) == (("n1",), ("n1",), 1)
    assert overlapping(record, [Window("kill", 0.2, 0.4, ("n1",))]) == 1, "the one of n2"
    answered = Record((*entries, asked(1.0, "c1", "n1"), ended(1.1, "c1", type="fail")))
    assert after_restarts(answered).shortcomings == []


def test_what_a_node_has_printed_before_its_death_was_sent() -> None:
    """The last line is not whole, and the node is in the middle of it."""
    script = """
import sys, time
for line in sys.stdin:
    sys.stdout.write(line * 20 + line[:7])
    sys.stdout.flush()
    open(sys.argv[1], "w").close()
    time.sleep(60)
"""

    async def main(told: Path) -> tuple[list[Message], list[NodeProblem]]:
        heard: list[Message] = []
        problems: list[NodeProblem] = []
        command = (sys.executable, "-c", script, str(told))
        node = NodeProcess("n1", command, receive=heard.append, fail=problems.append)
        await node.start()
        node.send(Message("c1", "n1", {"type": "init"}))
        while not told.exists():  # and the loop reads nothing
            time.sleep(0.01)
        await node.kill()
        return heard, problems

    with TemporaryDirectory() as folder:
        heard, problems = asyncio.run(main(Path(folder) / "told"))
    assert len(heard) == 20
    assert problems == []
