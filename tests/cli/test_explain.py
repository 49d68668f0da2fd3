"""`lockstep explain`: what it prints for people and for programs, and how it ends."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.support import COUNTER, TRANSFER, assert_golden, lockstep, steady, write

FAULTY = """\
spec Faulty
const N: 1..4 = 3
message Ping(n: 1..4)
network bag[1]
role A[2] { durable n: 0..N = 0  ghost was: 0..4 = 0
  action Up when n < N { n += 1  was := n  send Ping(n) to B } }
role B { volatile seen: bool = false  on Ping(n) when not seen { seen := true } }
final: true
check one { faults crash A <= 1, lose <= 2 }
"""


@pytest.fixture(autouse=True)
def specs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, faulty=FAULTY, counter=COUNTER, transfer=TRANSFER)
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("name", ["faulty", "counter", "transfer"])
def test_text(name: str) -> None:
    done = lockstep("explain", f"{name}.psm", columns=100)
    assert (done.code, done.err) == (0, "")
    assert_golden(f"explain_{name}.txt", steady(done.out))


def test_json() -> None:
    document = lockstep("explain", "faulty.psm", "--format", "json").json
    assert document["version"] == 1
    (found,) = document["explanations"]
    assert (found["check"], found["complete"], found["looked_at"]) == ("one", True, found["states"])
    assert {p["name"] for p in found["parts"]} == {
        "A.n", "A.was", "B.seen", "status", "left of crash A", "left of lose"
    }  # fmt: skip
    assert set(found["parts"][0]) == {
        "name", "keep", "copies", "bits", "possible", "values", "together", "most", "times"
    }  # fmt: skip
    assert [p["name"] for p in found["messages"]] == ["Ping"]
    assert sum(found["levels"]) == found["states"] == 1 + sum(f["states"] for f in found["finders"])
    changes = {c["name"]: c for c in found["changes"]}
    assert set(changes) == {"N", "crash A", "lose"}
    lose = changes["lose"]
    assert (lose["kind"], lose["before"], lose["bound"], lose["reason"]) == ("fault", 2, "exactly", None)
    assert lose["factor"] == found["states"] / lose["states"]


def test_chosen_checks() -> None:
    document = lockstep("explain", "counter.psm", "--format", "json").json
    names = [found["check"] for found in document["explanations"]]
    assert len(names) == 2
    one = lockstep("explain", "counter.psm", "--check", names[1], "--format", "json").json
    assert [found["check"] for found in one["explanations"]] == [names[1]]


def test_unknown_check() -> None:
    done = lockstep("explain", "counter.psm", "--check", "nothing")
    assert (done.code, done.out) == (2, "")
    assert "error PSM502: counter.psm has no check `nothing`" in done.err


def test_cut_off() -> None:
    done = lockstep("explain", "faulty.psm", "--max-states", "20", columns=100)
    assert done.code == 3
    assert "cut off by the state limit: all that follows is about the states found until then" in done.out
