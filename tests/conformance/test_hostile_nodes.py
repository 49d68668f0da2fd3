"""Nodes that do not do their part: each is named, with what it did and the last lines of its log."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from pathlib import Path

import pytest

from checker.conformance.links import Quality
from checker.conformance.nodes import cluster as cluster_module
from checker.conformance.nodes import process as process_module
from checker.conformance.nodes.conform import Plan, Report, Result, conform
from checker.conformance.nodes.interruption import run_to_its_end
from checker.conformance.nodes.process import NodeProblem, NodeProcess, Trouble
from checker.conformance.nodes.protocol import ERRORS, MalformedMessage, Message, RpcError, parse_message, result_of
from checker.conformance.nodes.report import text_of
from checker.conformance.record import Kind

SERVE = """
import sys, json, os, time
def out(body, dest, src=None): print(json.dumps({"src": src or me, "dest": dest, "body": body}), flush=True)
def log(text): print(text, file=sys.stderr, flush=True)
me, count = None, 0
FLOOD = '{"src": "n2", "dest": "n1", "body": {}}\\n' * 1000
for line in sys.stdin:
    m = json.loads(line)
    b = m["body"]
    if b.get("type") == "init":
        me = b["node_id"]
        log("I am " + me)
        out({"type": "init_ok", "in_reply_to": b["msg_id"]}, m["src"])
    elif b.get("type") == "echo":
        count += 1
        if me == "n2" and count == 3:
            log("something is wrong \\x1b[31mhere")
            BAD
        out({"type": "echo_ok", "in_reply_to": b["msg_id"], "echo": b["echo"]}, m["src"])
"""
"""A node that echoes; n2 does something bad at its third request."""


def run(script: str, seconds: float = 0.3, **options: object) -> Report:
    plan = Plan(
        (sys.executable, "-c", script), "echo", nodes=2, time=seconds, rate=200, timeout=0.3, seed=1,
        quality=Quality(latency=0.001), **options,  # type: ignore[arg-type]
    )  # fmt: skip
    return conform(plan)


def bad(line: str) -> str:
    return SERVE.replace("BAD", line)


@pytest.mark.parametrize(
    ("line", "trouble", "complaint"),
    [
        ("print('debugging', flush=True)", Trouble.PROTOCOL, "prints what is no message: it is not JSON"),
        ("print('x' * 2_000_000, flush=True)", Trouble.PROTOCOL, "a line of more than 1,048,576 bytes"),
        ("while True: sys.stdout.write(FLOOD)", Trouble.PROTOCOL, "more than 500 messages in a second"),
        ("sys.exit(3)", Trouble.ENDED, "ended with exit code 3 in the middle of the run"),
        ("os.kill(os.getpid(), 11)", Trouble.ENDED, "was ended by SIGSEGV"),
        ("os.close(1); time.sleep(30)", Trouble.ENDED, "has closed its standard output and runs on"),
        ("out({'type': 'echo_ko', 'in_reply_to': b['msg_id']}, m['src']); continue", Trouble.PROTOCOL,
         "answers `echo` in a way that the workload echo does not know: the type is 'echo_ko'"),
    ],
)  # fmt: skip
def test_what_a_node_does_wrong_is_said(
    line: str, trouble: Trouble, complaint: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process_module, "MAX_RATE", 500)  # a slow machine may read no more
    begin = time.monotonic()
    report = run(bad(line), 15)  # which it ends; on a busy machine it may be a while until the third request
    assert report.result is Result.FAILED
    assert report.problem is not None
    assert (report.problem.node, report.problem.trouble) == ("n2", trouble)
    assert complaint in str(report.problem)
    assert report.problem.log[:1] == ("I am n2",)
    assert "\x1b" not in text_of(report)
    assert time.monotonic() - begin < 20


@pytest.mark.parametrize(
    ("script", "complaint"),
    [
        (
            "import sys; print('no config', file=sys.stderr); sys.exit(1)",
            "ended with exit code 1 before it answered `init`",
        ),
        ("import time; time.sleep(60)", "has not answered `init` with `init_ok` within 0.3 s"),
        (SERVE.replace('"init_ok"', '"hello"'), "answers `init` with 'hello' in the place of `init_ok`"),
        (SERVE.replace('"init_ok"', '"error", "code": 11'), "refuses `init`: temporarily-unavailable (11)"),
    ],
)
def test_a_node_that_does_not_start_is_said(script: str, complaint: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if "0.3" in complaint:
        monkeypatch.setattr(cluster_module, "INIT_TIMEOUT", 0.3)
    with pytest.raises(NodeProblem) as caught:
        run(script)
    assert complaint in str(caught.value)


def test_a_program_that_does_not_exist_is_said() -> None:
    with pytest.raises(NodeProblem, match="cannot be started: no-such-program: No such file") as caught:
        conform(Plan(("no-such-program",), "echo"))
    assert caught.value.trouble is Trouble.START


def test_a_node_that_does_not_read_is_said() -> None:
    async def main() -> list[NodeProblem]:
        problems: list[NodeProblem] = []
        sleeper = (sys.executable, "-c", "import time; time.sleep(60)")
        node = NodeProcess("n1", sleeper, receive=lambda _: None, fail=problems.append)
        await node.start()
        node.serve()
        for _ in range(30):
            node.send(Message("n2", "n1", {"x": "y" * 900_000}))
        await node.stop()
        return problems

    (problem,) = asyncio.run(main())
    assert "n1 does not read its standard input: 16,777,216 bytes wait there" in str(problem)


def test_nothing_comes_before_init() -> None:
    async def main() -> list[str]:
        heard: list[Message] = []
        echo = "import sys\nfor line in sys.stdin: print(line, end='', flush=True)"
        node = NodeProcess("n1", (sys.executable, "-c", echo), receive=heard.append, fail=lambda p: None)
        await node.start()
        for kind in ("early", "init"):
            node.send(Message("n2", "n1", {"type": kind}))
        while not heard:
            await asyncio.sleep(0.01)
        node.serve()
        node.send(Message("n2", "n1", {"type": "late"}))
        while len(heard) < 3:
            await asyncio.sleep(0.01)
        await node.stop()
        return [message.type for message in heard]

    assert asyncio.run(main()) == ["init", "early", "late"]


def test_all_nodes_together_print_no_more_than_one_may(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process_module, "MAX_BYTES", 300_000)
    report = run(SERVE.replace("BAD", "pass").replace("count += 1", "out({'x': 'y' * 9_000}, 'n1')"), 60)
    assert report.problem is not None and report.problem.trouble is Trouble.PROTOCOL
    assert "and the others have printed more than 300,000 bytes together, n" in str(report.problem)
    bodies = [e.args["body"] for e in report.record.entries if e.kind is Kind.SEND and e.node in ("n1", "n2")]
    assert sum(len(json.dumps(body)) for body in bodies) < 300_000


def test_the_result_of_a_run_is_not_written_as_text() -> None:
    """It holds everything that nodes have printed; `asyncio.run` makes Python write the result of its task."""

    class Large:
        def __repr__(self) -> str:
            raise AssertionError("this takes as much memory as the record")

    async def work() -> Large:
        return Large()

    assert isinstance(run_to_its_end(work()), Large)


def test_silence_is_incomplete_and_no_pass() -> None:
    report = run(bad("pass").replace('== "echo"', '== "never"'))
    assert report.result is Result.INCOMPLETE
    assert report.history.operations and not report.history.succeeded
    assert "no operation succeeded" in text_of(report)


def test_odd_but_allowed_messages_do_no_harm() -> None:
    odd = """
            out({"no": "type"}, "n1"); out({"type": "x"}, "c999"); out({"type": "x", "msg_id": 5}, "nobody")
            out({"type": "echo_ok", "in_reply_to": 1 << 70, "echo": 1}, m["src"])
            out({"type": "proxied"}, "n1", src="n1"); out({"type": "trace", "step": "N.Go", "obs": {"N.x": 1}}, "lockstep")
    """.strip()
    report = run(bad(odd), 1)
    assert report.result is Result.PASSED, text_of(report)
    traced = [(e.node, e.name, e.obs) for e in report.record.entries if e.kind is Kind.ACTION]
    assert traced == [("n2", "N.Go", {"N.x": 1})]
    lost = [e.args["body"] for e in report.record.entries if e.kind is Kind.RECV and e.name == "error"]
    assert lost == [
        {"type": "error", "code": 1, "text": "nobody is called 'nobody'; nodes are n1, n2", "in_reply_to": 5}
    ]


def test_logs_are_kept_in_files(tmp_path: Path) -> None:
    told, later = 'log("I am " + me)', 'log("something is wrong \\x1b[31mhere")'
    run(bad("pass").replace(later, "pass").replace(told, f"{told}; {later}"), logs=tmp_path)
    assert (tmp_path / "n2.log").read_text().splitlines() == ["I am n2", "something is wrong \x1b[31mhere"]


# ---- errors and messages


def test_errors_are_definite_or_not() -> None:
    definite = {code for code, error in ERRORS.items() if error.definite}
    assert definite == {1, 10, 11, 12, 14, 20, 21, 22, 30}
    assert set(ERRORS) - definite == {0, 13}
    assert not RpcError(1234).definite, "a node's own error claims nothing"


@pytest.mark.parametrize(
    ("body", "text", "definite"),
    [
        ({"type": "error", "code": 22, "text": "no"}, "precondition-failed (22): no", True),
        ({"type": "error", "code": 4711}, "an error of the node's own (4711)", False),
        ({"type": "error"}, "the error has no code", False),
        ({"type": "error", "code": True}, "the error has no code", False),
    ],
)
def test_answers_that_are_errors(body: dict[str, object], text: str, definite: bool) -> None:
    with pytest.raises(RpcError) as caught:
        result_of(body)  # type: ignore[arg-type]
    assert text in str(caught.value)
    assert caught.value.definite is definite


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("[1]", "it is not a JSON object"),
        ('{"src": "n2", "dest": 3}', "`dest` should be a text"),
        ('{"src": "n2", "dest": "n1", "body": 7}', "`body` should be an object"),
        ('{"src": "n2", "dest": "n1", "body": {"in_reply_to": "1"}}', "`body.in_reply_to` should be a whole number"),
        ('{"src": "n2", "dest": "n1", "body": {"msg_id": true}}', "`body.msg_id` should be a whole number"),
        ('{"src": "n2", "dest": "n1", "body": {"a": NaN}}', "NaN is not a JSON value"),
        ("[" * 500_000, "nested deeper than 100 levels"),
        ("\\xff\\xfe", "it is not JSON"),
        ("", "it is not JSON"),
        ('{"src": "n2", "dest": "n1", "body": {"a": 1e999}}', "1e999 is too large"),
        ("9" * 10_000, "it is not JSON"),
    ],
)
def test_what_is_no_message(line: str, complaint: str) -> None:
    with pytest.raises(MalformedMessage) as caught:
        parse_message(line)
    assert complaint in str(caught.value)
    assert len(str(caught.value)) < 500


def test_messages_may_have_more_fields_than_needed() -> None:
    message = parse_message('{"id":7,"src":"a","dest":"b","body":{"msg_id":1,"x":[]},"other":null}')
    assert (message.src, message.dest, message.type, message.is_request) == ("a", "b", "", True)
    with pytest.raises(MalformedMessage, match="standard output is for messages alone"):
        parse_message("hello")
