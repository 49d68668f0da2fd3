"""`lockstep conform --history`: what users see, and the exit codes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.support import lockstep

LINES = {
    "ok": [
        "{:type :invoke, :f :write, :value 1, :process 0}",
        "{:type :invoke, :f :read, :value nil, :process 1}",
        "{:type :ok, :f :read, :value nil, :process 1}",
        "{:type :ok, :f :write, :value 1, :process 0}",
    ],
    "illegal": [
        "{:type :invoke, :f :write, :value 1, :process 0}",
        "{:type :ok, :f :write, :value 1, :process 0}",
        "{:type :invoke, :f :write, :value 2, :process 0}",
        "{:type :invoke, :f :read, :value nil, :process 1}",
        "{:type :ok, :f :read, :value nil, :process 1}",
        "{:type :ok, :f :write, :value 2, :process 0}",
    ],
    "alone": [
        "{:type :invoke, :f :write, :value 1, :process 0}",
        "{:type :ok, :f :write, :value 1, :process 0}",
    ],
    "skew": [
        '{"type": "invoke", "f": "txn", "process": 0, "value": [["r", "x", null], ["append", "y", 1]]}',
        '{"type": "invoke", "f": "txn", "process": 1, "value": [["r", "y", null], ["append", "x", 1]]}',
        '{"type": "ok", "f": "txn", "process": 0, "value": [["r", "x", []], ["append", "y", 1]]}',
        '{"type": "ok", "f": "txn", "process": 1, "value": [["r", "y", []], ["append", "x", 1]]}',
        '{"type": "invoke", "f": "txn", "process": 0, "value": [["r", "x", null], ["r", "y", null]]}',
        '{"type": "ok", "f": "txn", "process": 0, "value": [["r", "x", [1]], ["r", "y", [1]]]}',
    ],
}

ILLEGAL = """\
✗ illegal.edn: illegal (register, linearizable)

  ✗ not linearizable: `read -> nil` cannot be placed before it ends; just before that the state is 1 or 2
      line 1  process 0  write 1      ends before
      line 3  process 0  write 2      overlaps
      line 4  process 1  read -> nil  cannot be placed
    what came before has an order, of 1 operation:
      line 1  process 0  write 1

  operations: 3; situations: 3
"""

SKEW = """\
✗ skew.edn: illegal (list-append, serializable)

  ✗ G2-item: a cycle of 2 transactions: T1 rw T2 rw T1
      T1  line 1  process 0  txn [[r x []] [append y 1]]  rw to T2: it reads key "x" without 1, which the other appends
      T2  line 2  process 1  txn [[r y []] [append x 1]]  rw to T1: it reads key "y" without 1, which the other appends

  transactions: 3; committed: 3; dependencies: 4; anomalies: G2-item; consistent with: snapshot-isolation
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name, lines in LINES.items():
        (tmp_path / f"{name}.edn").write_text("".join(f"{line}\n" for line in lines))
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(("arguments", "code", "shown"), [
    ("ok.edn --model register", 0, "✓ ok.edn: ok (register, linearizable)\n\n  operations: 2; situations: 1\n"),
    ("illegal.edn --model register", 1, ILLEGAL),
    ("skew.edn --model list-append", 1, SKEW),
    ("skew.edn --model list-append --level snapshot-isolation", 0, None),
    ("alone.edn --model register", 3,
     "… alone.edn: incomplete (register, linearizable)\n  no two operations overlap, so nothing was at risk\n\n"
     "  operations: 1; situations: 1\n"),
    ("ok.edn --model register --initial 1", 1, None),
    ("ok.edn --model register --level sessions", 0, None),
])  # fmt: skip
def test_text(folder: Path, arguments: str, code: int, shown: str | None) -> None:
    result = lockstep("conform", "--history", *arguments.split())
    assert (result.code, result.err) == (code, "")
    if shown is not None:
        assert result.out == shown


@pytest.mark.parametrize("flag", ["--json", "--format=json"])
def test_json(folder: Path, flag: str) -> None:
    result = lockstep("conform", "--history", "illegal.edn", "--model", "register", flag)
    document = json.loads(result.out)
    assert result.code == 1
    assert document["version"] == 1
    assert (document["verdict"], document["model"], document["consistency"]) == ("illegal", "register", "linearizable")
    (finding,) = document["findings"]
    assert [(op["line"], op["remark"]) for op in finding["operations"]] == [
        (1, "ends before"), (3, "overlaps"), (4, "cannot be placed"),
    ]  # fmt: skip


@pytest.mark.parametrize(("arguments", "error"), [
    ("ok.edn --model registr", "error PSM901: there is no model `registr`"),
    ("ok.edn --model register --level serial", "error PSM901: `register` has no level `serial`"),
    ("ok.edn --model queue", "error PSM852: line 1: `write` is no operation of the model"),
    ("none.edn --model queue", "error PSM001: there is no file `none.edn`"),
    ("ok.edn --model register --initial [", "error PSM901: `--initial [` is no value"),
    ("ok.edn --model register --situations 0", "error PSM901"),
    ("ok.edn", "error PSM901"),
])  # fmt: skip
def test_errors(folder: Path, arguments: str, error: str) -> None:
    result = lockstep("conform", "--history", *arguments.split())
    assert (result.code, result.out) == (2, "")
    assert error in result.err


def test_what_hides_in_a_history_is_shown(folder: Path) -> None:
    lines = [line.replace(":process 1", ':process "\x1b[31m"') for line in LINES["illegal"]]
    (folder / "hidden.edn").write_text("\n".join(lines))
    result = lockstep("conform", "--history", "hidden.edn", "--model", "register")
    assert "\x1b" not in result.out
    assert "\\x1b[31m" in result.out
