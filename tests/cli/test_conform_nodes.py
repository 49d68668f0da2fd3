"""`lockstep conform --node`: what a user sees of a run on nodes, and the exit codes."""

from __future__ import annotations

import json
import shlex
import sys
from pathlib import Path

import pytest

from tests.cli.support import lockstep

ECHO = """
import json, sys
for line in sys.stdin:
    message = json.loads(line)
    body = {"type": message["body"]["type"] + "_ok", "in_reply_to": message["body"]["msg_id"]}
    if "echo" in message["body"]: body["echo"] = message["body"]["echo"]
    EDIT
    print(json.dumps({"src": message["dest"], "dest": message["src"], "body": body}), flush=True)
"""
QUICK = ("--workload", "echo", "--nodes", "2", "--time", "0.3", "--rate", "400", "--timeout", "0.3", "--seed", "5")


def node(edit: str = "pass") -> str:
    return shlex.join([sys.executable, "-c", ECHO.replace("EDIT", edit)])


def test_a_run_that_passes_and_its_record(tmp_path: Path) -> None:
    record = tmp_path / "run.jsonl"
    done = lockstep("conform", "--node", node(), *QUICK, "--record", str(record), "--logs", str(tmp_path / "logs"))
    assert done.code == 0, done.err
    lines = done.out.splitlines()
    assert lines[0] == "echo on 2 nodes, seed 5"
    assert lines[1].endswith("messages") and " 0 fail, 0 info" in lines[1]
    assert lines[2].startswith("✓ passed: faithful (operations ")
    assert sorted(p.name for p in (tmp_path / "logs").iterdir()) == []
    head, *_, end = record.read_text().splitlines()
    assert json.loads(head)["about"]["seed"] == 5
    assert "end" in json.loads(end)


def test_a_wrong_answer_is_exit_code_1(tmp_path: Path) -> None:
    done = lockstep("conform", "--node", node('body["echo"] = 1'), *QUICK, "--json")
    assert done.code == 1
    document = json.loads(done.out)
    assert document["result"] == "failed"
    assert document["judgement"]["findings"][0]["kind"] == "other answer"
    assert document["command"].startswith("lockstep conform --node ")


def test_a_node_that_breaks_down_is_exit_code_1_with_a_diagnostic() -> None:
    done = lockstep(
        "conform", "--node", node('if "echo" in body: print("trouble", file=sys.stderr); sys.exit(3)'), *QUICK
    )
    assert done.code == 1
    assert "✗ failed: node n" in done.out
    assert "error PSM863: node n" in done.err and "ended with exit code 3" in done.err
    assert "note: it logged: trouble" in done.err


def test_a_node_that_cannot_start_is_exit_code_2() -> None:
    done = lockstep("conform", "--node", "no-such-program --x", *QUICK)
    assert (done.code, done.out) == (2, "")
    assert "error PSM861: node n1 cannot be started: no-such-program: No such file" in done.err


def test_a_run_that_shows_nothing_is_exit_code_3() -> None:
    done = lockstep("conform", "--node", node('if "echo" in body: continue'), *QUICK)
    assert done.code == 3
    assert "… incomplete: not known to be faithful" in done.out
    assert "no operation succeeded" in done.out


ONE_OF = (
    "give one of `--adapter MODULE:CLASS`, `--simulate MODULE:CLASS`, `--trace FILE`, `--node CMD` and `--history FILE`"
)


@pytest.mark.parametrize(
    ("args", "complaint"),
    [
        ((), ONE_OF),
        (
            ("--node", "x", "--history", "y"),
            ONE_OF,
        ),
        (("--node", "x"), "`--node` needs `--workload NAME`"),
        (("--node", "x", "--workload", "lin-vk"), "'lin-vk' is not one of"),
        (("--node", "x", "--workload", "echo", "--fault", "fire"), "`fire` is no fault; there are partition, kill"),
        (("--node", "x 'y", "--workload", "echo"), "cannot be split into words: No closing quotation"),
        (("--node", " ", "--workload", "echo"), "it is empty"),
        (("--node", "x", "--workload", "echo", "--time", "0"), "`0` is not a positive number of seconds"),
        (("--node", "x", "--workload", "echo", "--nodes", "101"), "`--nodes 101` is too many: each is a process"),
        (
            ("--node", "x", "--workload", "echo", "--clients", "5000"),
            "`--clients 5000` is too many for 3 nodes: there may be up to 10,000 together",
        ),
        (("--node", "x", "--workload", "echo", "--level", "strict"), "`strict` is no level for transactions of nodes"),
        (("--node", "x", "--workload", "echo", "--model", "kv"), "`--model` belongs to `--history`"),
        (("--history", "x", "--model", "kv", "--nodes", "3"), "`--nodes` belongs to `--node`"),
        (
            ("--history", "x", "--model", "kv", "--seed", "3"),
            "`--seed` belongs to `--adapter` or `--simulate` or `--node`",
        ),
        (("--history", "x"), "`--history` needs `--model NAME`"),
    ],
)
def test_what_does_not_fit_is_refused(args: tuple[str, ...], complaint: str) -> None:
    done = lockstep("conform", *args)
    assert done.code == 2
    assert f"error PSM901: {complaint}" in done.err or complaint in done.err


ECHOES = """
spec Echoes
role Node[2] {
  volatile odd: bool = false
  action Echo { odd := not odd }
}
final: true
check small { }
"""
TELLS = (
    'if "echo" in body: n = globals().get("n", 0) + 1; print(json.dumps({"src": message["dest"], "dest": "lockstep", "body": '
    '{"type": "trace", "step": "Echo", "obs": {"odd": ODD}}}), flush=True)'
)
WORDS = '{"nodes": {"n1": "Node0", "n2": "Node1"}}'


@pytest.mark.parametrize(("odd", "code"), [("n % 2 == 1", 0), ("n % 2 == 1 or n > 3", 1)])
def test_steps_that_nodes_tell_of_are_held_to_a_spec(tmp_path: Path, odd: str, code: int) -> None:
    spec, mapping = tmp_path / "echoes.psm", tmp_path / "words.json"
    spec.write_text(ECHOES)
    mapping.write_text(WORDS)
    edit = TELLS.replace("ODD", odd)
    done = lockstep("conform", spec, "--node", node(edit), *QUICK, "--mapping", mapping, "--json")
    assert done.code == code, done.err
    document = json.loads(done.out)
    assert document["result"] == "passed", "the answers are right"
    assert document["steps"]["result"] == ("conforms" if code == 0 else "mismatch")
    if code:
        refusal = document["steps"]["refused"]["states"][0]["refusals"][0]
        assert refusal["text"].endswith("odd is false and was observed as true")
