"""`lockstep inspect`: the bits of a state, and the types that are too wide."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.support import COUNTER, TRANSFER, assert_golden, lockstep, write

WIDE = """\
spec Wide
const N: 1..4 = 2
record Entry(term: 0..7, val: 0..3)
message Hi(n: 0..1000000, who: A), Log(of: Seq[Entry, 20]), Bye
network bag[1]
role A[N] symmetric {
  durable clock: 0..1000000 = 0
  volatile small: 0..65535 = 0
  durable log: Seq[Entry, 12] = []
  action Go when small < 5 { send Hi(1, self) to B  send Bye to B }
}
role B {
  durable seen: Set[0..99] = {}
  volatile of: Map[A, 0..3] = 0
  on Hi(n, w) from a { seen += 1 }
  ignore Bye
}
check one { faults crash B <= 1, stop A <= 1 }
"""

DOMINATED = """\
spec Dominated
role A { durable q: Seq[0..7, 16] = []  durable x: 0..65535 = 0  durable y: 0..65535 = 0 }
invariant Small: size(A.q) == 0
check one { expect holds Small }
"""


@pytest.fixture(autouse=True)
def specs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, wide=WIDE, counter=COUNTER, transfer=TRANSFER, dominated=DOMINATED)
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("name", ["wide", "counter", "transfer"])
def test_text(name: str) -> None:
    done = lockstep("inspect", f"{name}.psm", columns=100)
    assert done.code == 0
    assert_golden(f"inspect_{name}.txt", done.out + "----\n" + done.err)


def test_json() -> None:
    document = lockstep("inspect", "wide.psm", "--set", "N=3", "--format", "json").json
    assert document["constants"] == [{"name": "N", "value": 3, "set": True}]
    assert document["roles"][0] == {"name": "A", "instances": 3, "symmetric": True}
    variables = {v["name"]: v for v in document["variables"]}
    assert variables["A.clock"] == {
        "name": "A.clock", "type": "0..1000000", "values": 1_000_001, "bits": 20, "copies": 3, "keep": "durable",
    }  # fmt: skip
    assert variables["A.log"]["values"] is None
    total = sum(w["bits"] * w["copies"] for w in [*document["variables"], *document["faults"]])
    assert document["fixed_bits"] == total
    assert [d["code"] for d in document["diagnostics"]] == ["PSM701"] * 4


def test_collection_that_dominates() -> None:
    done = lockstep("inspect", "dominated.psm")
    assert "warning PSM701: A.q is Seq[0..7, 16], which takes 49 of the 81 bits of a state" in done.err


def test_check_is_chosen() -> None:
    assert "check one" in lockstep("inspect", "counter.psm", "--check", "one").out
    assert "check small" in lockstep("inspect", "counter.psm").out
